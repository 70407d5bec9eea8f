"""Tables and summary from stored results: plain text for the terminal, Markdown for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.side_by_side.bench import folder_of, is_anisotropic, stored
from tests.benchmarks.side_by_side.compare import paired_difference, seconds_to_likelihood
from tests.benchmarks.side_by_side.data_sets import DataSet
from tests.benchmarks.side_by_side.programs import PEERS
from tests.benchmarks.side_by_side.scoring import load

HEADINGS = (
    "set", "start", "program", "R_work", "R_free", "gap", "bonds A", "Z", "angles deg", "Z", "Rama out", "-LL free",
    "user s", "wall s", "MB", "dR_free", "sigma", "z", "user/ours", "to -LL s",
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Ours against one peer: dR_free = R_free(ours) - R_free(peer) with its paired sigma, with and without hydrogens.

    to_likelihood: user seconds of ours to the peer's final free -LL, None where it was not reached.
    """

    difference: float
    sigma: float
    difference_without_h: float
    sigma_without_h: float
    user_ratio: float
    to_likelihood: float | None

    @property
    def z(self) -> float:
        return self.difference / self.sigma if self.sigma > 0 else 0.0


@dataclass(frozen=True)
class Row:
    """One program from one start of one set.

    comparison: ours against it (peers only). from_given: R_free minus that of our run from the given start, and its
    paired sigma (ours from the shaken start only).
    """

    data_set: DataSet
    start: str
    program: str
    result: dict[str, Any]
    comparison: Comparison | None = None
    from_given: tuple[float, float] | None = None

    @property
    def score(self) -> dict[str, Any] | None:
        return self.result.get("score") if "error" not in self.result else None

    @property
    def anisotropic(self) -> bool:
        """More than half of the atoms have anisotropic B."""
        return self.score is not None and is_anisotropic(self.score)


def collect(output: Path, data_sets: Iterable[DataSet], starts: Sequence[str], label: str) -> list[Row]:
    """Rows of everything that is stored, in order: the start, the peers, ours."""
    rows = []
    for data_set in data_sets:
        for start in starts:
            ours = stored(output, data_set.name, start, label)
            for program in ("start", *PEERS, label):
                result = stored(output, data_set.name, start, program)
                if result is None:
                    continue
                compared = None
                if program in PEERS and ours is not None and "score" in ours and "score" in result:
                    compared = _compare(output, data_set.name, start, label, program, ours, result)
                moved = _from_given(output, data_set.name, label) if (start, program) == ("shaken", label) else None
                rows.append(Row(data_set, start, program, result, compared, moved))
    return rows


def _from_given(output: Path, name: str, label: str) -> tuple[float, float] | None:
    results = [stored(output, name, start, label) for start in ("shaken", "given")]
    if any(result is None or "error" in result for result in results):
        return None
    shaken, given = (load(folder_of(output, name, start, label) / "amplitudes.npz") for start in ("shaken", "given"))
    free = shaken["free"]
    return paired_difference(shaken["f_obs"][free], shaken["with_h"][free], given["with_h"][free])


def _compare(
    output: Path, name: str, start: str, label: str, program: str, ours: dict[str, Any], peer: dict[str, Any]
) -> Comparison | None:
    if "error" in ours or "error" in peer:
        return None
    mine = load(folder_of(output, name, start, label) / "amplitudes.npz")
    theirs = load(folder_of(output, name, start, program) / "amplitudes.npz")
    if not (mine["hkl"] == theirs["hkl"]).all():
        raise RuntimeError(f"{name}, {start}: the two programs were scored on different reflections")
    free = mine["free"]
    pairs = [
        paired_difference(mine["f_obs"][free], mine[name][free], theirs[name][free]) for name in ("with_h", "without_h")
    ]
    worse = peer["score"]["ll_free"] - ours["score"]["ll_free"]
    user, wall = ours["measured"]["user"], ours["measured"]["wall"]
    reached = seconds_to_likelihood(ours["statistics"], worse, user, wall)
    return Comparison(*pairs[0], *pairs[1], user / peer["measured"]["user"], reached)


def cells(row: Row) -> list[str]:
    """The cells of HEADINGS."""
    head = [row.data_set.name, row.start, row.program]
    found, measured = row.score, row.result.get("measured")
    if found is None:
        return [*head, "failed: " + str(row.result.get("error", "not scored"))[:120].replace("|", "/")]
    rama = found["ramachandran"]
    out = [
        *head, f"{found['r_work']:.4f}", f"{found['r_free']:.4f}", f"{found['gap']:.4f}",
        f"{found['rmsd_bonds']:.4f}", f"{found['rmsz_bonds']:.2f}", f"{found['rmsd_angles']:.2f}",
        f"{found['rmsz_angles']:.2f}", f"{rama['outliers']}/{rama['residues']}" if "outliers" in rama else "-",
        f"{found['ll_free']:.4f}",
    ]  # fmt: skip
    if measured:
        out += [f"{measured['user']:.1f}", f"{measured['wall']:.1f}", f"{measured['memory_mb']:.0f}"]
    else:
        out += [""] * 3
    c = row.comparison
    if c is None:
        return [*out, *[""] * 5]
    reached = "not reached" if c.to_likelihood is None else f"{c.to_likelihood:.1f}"
    return [*out, f"{c.difference:+.4f}", f"{c.sigma:.4f}", f"{c.z:+.1f}", f"{1.0 / c.user_ratio:.2f}", reached]


def plain(rows: Sequence[Row]) -> str:
    """Aligned columns for a terminal."""
    table = [list(HEADINGS), *[cells(row) for row in rows]]
    widths = [
        max((len(line[k]) for line in table if k < len(line) and len(line) > 4), default=0)
        for k in range(len(HEADINGS))
    ]
    return "\n".join(
        "  ".join(cell.ljust(widths[k]) if k < 3 else cell.rjust(widths[k]) for k, cell in enumerate(line)).rstrip()
        for line in table
    )


def markdown(rows: Sequence[Row]) -> str:
    """The same as a Markdown table."""
    return _markdown(HEADINGS, [cells(row) for row in rows])


def markdown_without_hydrogens(rows: Sequence[Row]) -> str:
    """R factors of the bare atoms."""
    lines = []
    for row in rows:
        found, c = row.score, row.comparison
        if found is None:
            continue
        bare = found["without_hydrogens"]
        line = [row.data_set.name, row.start, row.program]
        line += [f"{bare[name]:.4f}" for name in ("r_work", "r_free", "gap", "ll_free")]
        lines.append(line if c is None else [*line, f"{c.difference_without_h:+.4f}", f"{c.sigma_without_h:.4f}"])
    return _markdown((*HEADINGS[:6], "-LL free", "dR_free", "sigma"), lines)


def _markdown(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = "|" + "|".join("---" if k < 3 else "--:" for k in range(len(headings))) + "|"
    full = [[*line, *[""] * (len(headings) - len(line))] for line in lines]
    return "\n".join(["| " + " | ".join(headings) + " |", rule, *("| " + " | ".join(line) + " |" for line in full)])
