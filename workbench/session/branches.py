"""The runs of a project as places to go to: what each began with and where it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.core.events import CycleStatistics
from workbench.core.settings import FAMILIES, LOCAL_RESTRAINTS, RefinementSettings, strength_words
from workbench.session.history import CycleRecord, Journal
from workbench.session.incomparable import B_WORDS
from workbench.session.residue_history import key_of

MOST_BESIDE = 12
"""Runs that are drawn beside the one looked at."""


@dataclass(frozen=True)
class Branch:
    """One run that has a result. key: of that. run: number. first, last: cycle numbers. parent: key it began from.
    settings: in words, where they differ from the usual ones. rows: its statistics. here: the session stands in it."""

    key: int
    run: int
    parent: int | None
    first: int
    last: int
    settings: str
    rows: tuple[CycleStatistics, ...]
    here: bool

    @property
    def words(self) -> str:
        row = self.rows[-1]
        said = f", {self.settings}" if self.settings else ""
        return f"Run {self.run}: cycles {self.first} to {self.last}{said}   R {row.r_work:.4f}  {row.r_free:.4f}"


def branches(journal: Journal, position: int | None) -> tuple[Branch, ...]:
    """Every run of the project that came to something, in the order they were made."""
    records: dict[int, list[CycleRecord]] = {}
    for record in journal.cycles():
        records.setdefault(record.run, []).append(record)
    here = journal.cycle(position).run if position is not None else None
    made = []
    for run in journal.runs():
        mine = records.get(run.key, [])
        steps = [record for record in mine if record.kind != "result"]
        if run.result is None or len(steps) < 2:
            continue
        made.append(
            Branch(
                run.result,
                run.key,
                run.parent,
                steps[0].number,
                steps[-1].number,
                settings_words(run.request.settings),
                tuple(record.statistics for record in steps),
                run.key == here,
            )
        )
    return tuple(made)


def beside(found: Sequence[Branch], line: Sequence[CycleStatistics]) -> tuple[tuple[CycleStatistics, ...], ...]:
    """What other runs did apart from a line of cycles: of each that left it or never was in it the cycles outside, from
    the one it left at on; the newest runs first, MOST_BESIDE of them."""
    ours = {key_of(row) for row in line}
    made = []
    for branch in reversed(found):
        outside = [i for i, row in enumerate(branch.rows) if key_of(row) not in ours]
        if outside:
            made.append(branch.rows[max(outside[0] - 1, 0) :])
    return tuple(made[:MOST_BESIDE])


def settings_words(settings: RefinementSettings) -> str:
    """What of the settings is not as usual: "weight 3, bonds 2"."""
    usual = RefinementSettings()
    words = []
    if settings.weight is not None:
        words.append(f"weight {settings.weight:.3g}")
    if settings.b_weight is not None:
        words.append(f"B restraint {settings.b_weight:.3g}")
    for family, weight in zip(FAMILIES, settings.family_weights, strict=True):
        if weight != 1.0:
            words.append(f"{family.replace('_', ' ')} {weight:.3g}")
    for name in LOCAL_RESTRAINTS:
        if getattr(settings, name) is not None:
            words.append(f"{name.replace('_', ' ')} {strength_words(getattr(settings, name))}")
    if settings.d_min is not None:
        words.append(f"to {settings.d_min:.2f} \u00c5")
    if settings.b_model != usual.b_model:
        words.append(
            settings.b_model if settings.b_model in ("isotropic", "anisotropic") else f"B {B_WORDS[settings.b_model]}"
        )
    if settings.likelihood != usual.likelihood:
        words.append(f"against {settings.likelihood}")
    if settings.hydrogens != usual.hydrogens:
        words.append(f"hydrogens {settings.hydrogens}")
    if settings.nuclear_distances:
        words.append("nuclear distances")
    if settings.scattering != usual.scattering:
        words.append(f"scattering {settings.scattering}")
    if (settings.rigid_body, settings.rigid_groups) != (usual.rigid_body, usual.rigid_groups):
        words.append(f"rigid bodies {settings.rigid_body}, {settings.rigid_groups}")
    if settings.fix:
        words.append(f"fixed {settings.fix}")
    if settings.hold:
        words.append(f"held {settings.hold}")
    if settings.shake:
        words.append(f"shaken {settings.shake:g} \u00c5")
    if settings.reset_b is not None:
        words.append(f"B from {settings.reset_b if settings.reset_b == 'mean' else f'{settings.reset_b:g}'}")
    return ", ".join(words)
