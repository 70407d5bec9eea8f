"""Makes verdict_simulated.json.gz and verdict_real.json.gz: the statistics of runs whose verdict is known beforehand.

    python tests/reference/verdict_runs.py simulated tests/reference/verdict_simulated.json.gz
    python tests/reference/verdict_runs.py real SHARED_DATA tests/reference/verdict_real.json.gz
    python tests/reference/verdict_runs.py table tests/reference/verdict_simulated.json.gz

Simulated: |F| of a bundled protein by gemmi. The truth holds what the refined model cannot describe (every atom in two
places, waters, bulk solvent) and noise is added; the start is shaken and has one B, so that it never saw a test set.
Each data set is refined twice: as it should be, and with far too much weight or far too few restraints. The truth is
known, so that "overfitted" is not a matter of belief: the coordinates are further from the truth than those of the run
beside it, or reflections that nobody was shown are predicted worse. Only statistics are kept (no data, no model).
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from workbench.core.control import RunControl
from workbench.core.events import CycleFinished, Failed, Prepared
from workbench.core.settings import RefinementSettings, RunRequest
from workbench.engine.cross_validation.verdict import cut_by_the_user
from workbench.session.run import run

EXAMPLES = Path(__file__).parents[2] / "example_structures"
PROTEINS = {"lyso_c2": "lyso_c2/lyso_c2.pdb.gz", "mdm2": "mdm2_unfinished/mdm2_unfinished.pdb.gz"}
TWO_PLACES = 0.16
"""Angstrom along each axis: half the distance of the two places of an atom is of this size."""
NOISE = 0.30
"""Error of |F| at the resolution limit as a fraction of its mean there (less further in)."""
WATERS = 90
HIDDEN = 0.1
"""Share of the reflections that are left out of the data altogether."""
K_SOLVENT, B_SOLVENT = 0.35, 46.0
PLANS: tuple[tuple[float, float, float], ...] = (
    (2.0, 10.0, 1.0),
    (2.2, 30.0, 1.0),
    (2.4, 10.0, 1.0),
    (2.6, 1.0, 0.03),
    (2.3, 1.0, 0.03),
)
"""Resolution in angstrom; weight (times the automatic one) and restraints of the run that is made to overfit."""
COARSER = {"lyso_c2": 0.0, "mdm2": 0.4}
"""Angstrom to be added: with its two thirds of solvent mdm2 has twice the reflections per atom."""
TEST_SIZES = (150, 300, 600, 1200)


class Controlled:
    """The weight is `factor` times what was automatic at the start, from the first cycle on."""

    def __init__(self, settings: RefinementSettings, factor: float) -> None:
        self._settings = settings
        self._factor = factor

    def started(self, automatic: float) -> None:
        if self._factor != 1.0:
            self._settings = dataclasses.replace(self._settings, weight=automatic * self._factor)

    def cancelled(self) -> bool:
        return False

    def settings(self) -> RefinementSettings:
        return self._settings


def cycles_of(request: RunRequest, factor: float = 1.0) -> Iterator[tuple[Prepared, CycleFinished]]:
    controlled = Controlled(request.settings, factor)
    control: RunControl = controlled
    prepared: Prepared | None = None
    for event in run(request, control):
        if isinstance(event, Prepared):
            prepared = event
        elif isinstance(event, CycleFinished):
            assert prepared is not None
            if event.statistics.parameters == 0:
                controlled.started(event.statistics.automatic_weight)
            yield prepared, event
        elif isinstance(event, Failed):
            raise RuntimeError(f"{request.model_path}: {event.message}\n{event.details}")


def record(name: str, kind: str, prepared: Prepared, cycles: list[CycleFinished], **more: Any) -> dict[str, Any]:
    """What a verdict is given, and what it should be."""
    model = prepared.model
    heavy = ~np.isin(model.element, ("H", "D"))
    return {
        "name": name,
        "kind": kind,
        "d_min": prepared.reflections.d_min,
        "n_atoms": int(heavy.sum()),
        "anisotropic": bool(np.mean(model.anisotropic[heavy]) > 0.5),
        "has_free": prepared.reflections.has_free,
        "cut": cut_by_the_user(prepared),
        "n_work": int(np.count_nonzero(~prepared.reflections.free)),
        "n_free": int(np.count_nonzero(prepared.reflections.free)),
        **more,
        "rows": [
            {
                key: round(value, 6) if isinstance(value, float) else value
                for key, value in dataclasses.asdict(cycle.statistics).items()
                if key not in ("geometry", "seconds", "weight_reason")
            }
            for cycle in cycles
        ],
    }


def simulated() -> Iterator[dict[str, Any]]:
    names = tuple(PROTEINS)
    number = 0
    for d_min, factor, restraints in PLANS:
        for size in TEST_SIZES:
            number += 1
            protein = names[number % 2]
            limit = d_min + COARSER[protein]
            with tempfile.TemporaryDirectory() as folder:
                truth = simulate(protein, limit, size, number, Path(folder))
                for kind, weight, family in (("sound", 1.0, 1.0), ("overfitted", factor, restraints)):
                    settings = RefinementSettings(
                        shake=0.25, reset_b="mean", seed=number, threads=2, family_weights=(family,) * 7
                    )
                    request = RunRequest(str(truth.model), str(truth.data), settings=settings)
                    seen = list(cycles_of(request, weight))
                    prepared, cycles = seen[0][0], [cycle for _, cycle in seen]
                    made = f"weight x {weight:g}" if weight != 1 else f"restraints x {family:g}"
                    made = "as usual" if kind == "sound" else made
                    name = f"{protein} {limit:.1f} A, {prepared.reflections.free.sum()} test, {made}"
                    kept = [cycle for cycle in cycles if cycle.best][-1]
                    returned, _ = truth.errors(prepared, kept)
                    shift, hidden = truth.errors(prepared, cycles[-1])
                    last = cycles[-1].statistics
                    print(name, f"R {last.r_work:.3f} {last.r_free:.3f} hidden {hidden:.4f}",
                          f"error {returned:.3f} {shift:.3f} A", len(cycles), file=sys.stderr, flush=True)  # fmt: skip
                    yield record(
                        name, kind, prepared, cycles, made=made, data=number, coordinate_error=round(shift, 4),
                        returned_error=round(returned, 4),
                        hidden_r=round(hidden, 5),
                    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Truth:
    """Files of a simulated crystal, and what nobody refines against: hidden: index -> amplitude without noise of the
    reflections that are not in the data. xyz: (n, 3) mean place of every atom of the model, angstrom."""

    model: Path
    data: Path
    hidden: dict[tuple[int, int, int], float]
    xyz: np.ndarray

    def errors(self, prepared: Prepared, cycle: CycleFinished) -> tuple[float, float]:
        """R.m.s. error of the coordinates in angstrom (better 95 % of the atoms), and R of the hidden reflections."""
        moved = np.sort(np.sum((cycle.state.xyz - self.xyz) ** 2, axis=1))[: int(0.95 * len(self.xyz))]
        factors = cycle.refined
        rows = [i for i, h in enumerate(prepared.hkl.tolist()) if tuple(h) in self.hidden]
        amplitude = (factors.k_total * np.abs(factors.f_model))[rows]
        true = np.asarray([self.hidden[tuple(h)] for h in prepared.hkl[rows].tolist()])
        scale = float(np.sum(true * amplitude) / np.sum(amplitude**2))
        return float(np.sqrt(moved.mean())), float(np.sum(np.abs(true - scale * amplitude)) / np.sum(true))


def simulate(protein: str, d_min: float, test: int, seed: int, folder: Path) -> Truth:
    """The crystal: model to be refined, data with a test set, and the truth."""
    rng = np.random.default_rng(1000 + seed)
    structure = gemmi.read_structure(str(EXAMPLES / PROTEINS[protein]))
    structure.setup_entities()
    structure.remove_hydrogens()
    structure.remove_alternative_conformations()
    structure.remove_ligands_and_waters()
    for cra in structure[0].all():
        cra.atom.aniso = gemmi.SMat33f(0, 0, 0, 0, 0, 0)
    model = folder / "model.pdb"
    structure.write_pdb(str(model))
    truth = structure.clone()
    _two_places(truth, rng)
    _waters(truth, rng)
    calculator = gemmi.DensityCalculatorX()
    calculator.d_min, calculator.rate = d_min, 1.8
    calculator.set_refmac_compatible_blur(truth[0])
    calculator.grid.setup_from(truth)
    calculator.put_model_density_on_grid(truth[0])
    atoms = gemmi.transform_map_to_f_phi(calculator.grid).prepare_asu_data(dmin=d_min, unblur=calculator.blur)
    mask = gemmi.FloatGrid()
    mask.setup_from(truth, spacing=0.5)
    gemmi.SolventMasker(gemmi.AtomicRadiiSet.Cctbx).put_mask_on_float_grid(mask, truth[0])
    solvent = gemmi.transform_map_to_f_phi(mask).prepare_asu_data(dmin=d_min)
    by_index = {tuple(h): v for h, v in zip(solvent.miller_array.tolist(), solvent.value_array, strict=True)}
    hkl = atoms.miller_array
    s2 = np.asarray([truth.cell.calculate_1_d2(h.tolist()) for h in hkl])
    f_mask = np.asarray([by_index.get(tuple(h), 0.0) for h in hkl.tolist()])
    total = atoms.value_array + K_SOLVENT * np.exp(-0.25 * B_SOLVENT * s2) * f_mask
    keep = (s2 > 1.0 / 40.0**2) & (np.abs(total) > 0)
    hkl, s2, true = hkl[keep], s2[keep], np.abs(total[keep])
    shell = np.floor(20 * (s2 / s2.max()) ** 1.5).astype(int).clip(0, 19)
    typical = np.asarray([true[shell == s].mean() if np.any(shell == s) else true.mean() for s in range(20)])
    sigma = 0.03 * true + (0.03 + NOISE * s2 / s2.max()) * typical[shell]
    f_obs = true + sigma * rng.normal(size=len(true))
    good = f_obs > 0.0
    hkl, true, sigma, f_obs = hkl[good], true[good], sigma[good], f_obs[good]
    shown = rng.random(len(hkl)) > HIDDEN
    hidden = {tuple(h): float(v) for h, v in zip(hkl[~shown].tolist(), true[~shown], strict=True)}
    hkl, sigma, f_obs = hkl[shown], sigma[shown], f_obs[shown]
    free = np.zeros(len(hkl))
    free[rng.permutation(len(hkl))[: min(test, len(hkl) // 6)]] = 1
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup, mtz.cell = truth.find_spacegroup(), truth.cell
    mtz.add_dataset("simulated")
    for label, kind in (("F", "F"), ("SIGF", "Q"), ("FREE", "I")):
        mtz.add_column(label, kind)
    mtz.set_data(np.column_stack([hkl, f_obs, sigma, free]).astype(np.float32))
    data = folder / "data.mtz"
    mtz.write_to_file(str(data))
    xyz = np.asarray([cra.atom.pos.tolist() for cra in structure[0].all()])
    return Truth(model, data, hidden, xyz)


def _two_places(structure: gemmi.Structure, rng: np.random.Generator) -> None:
    """Every atom at half occupancy in two places; neighbours along the chain move alike."""
    for chain in structure[0]:
        drift = np.zeros(3)
        for residue in chain:
            drift = 0.8 * drift + 0.6 * TWO_PLACES * rng.normal(size=3)
            for atom in list(residue):
                away = gemmi.Position(*(drift + 0.6 * TWO_PLACES * rng.normal(size=3)))
                other = atom.clone()
                atom.occ = other.occ = 0.5
                atom.altloc, other.altloc = "A", "B"
                atom.pos, other.pos = atom.pos + away, other.pos - away
                residue.add_atom(other)


def _waters(structure: gemmi.Structure, rng: np.random.Generator) -> None:
    """Waters 2.7 to 3.3 A from protein nitrogens and oxygens, clear of everything else."""
    polar = [cra.atom for cra in structure[0].all() if cra.atom.element.name in ("N", "O") and cra.atom.altloc == "A"]
    chain = structure[0].add_chain("W")
    placed = 0
    search = gemmi.NeighborSearch(structure[0], structure.cell, 4.0).populate()
    for _ in range(20000):
        if placed == WATERS:
            break
        direction = rng.normal(size=3)
        direction *= rng.uniform(2.7, 3.3) / np.linalg.norm(direction)
        place = polar[rng.integers(len(polar))].pos + gemmi.Position(*direction)
        if any(mark.pos.dist(place) < 2.6 for mark in search.find_atoms(place, "\0", radius=2.6)):
            continue
        residue = gemmi.Residue()
        residue.name, residue.seqid = "HOH", gemmi.SeqId(placed + 1, " ")
        atom = gemmi.Atom()
        atom.name, atom.element, atom.occ, atom.b_iso = "O", gemmi.Element("O"), 1.0, float(rng.uniform(20, 55))
        atom.pos = place
        residue.add_atom(atom)
        chain.add_residue(residue)
        placed += 1
        if placed % 10 == 0:
            search = gemmi.NeighborSearch(structure[0], structure.cell, 4.0).populate()


REAL: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "rnasa": ("sound", ("rnasa/tutorial-modern.pdb", "rnasa/rnasa-1.8-all_refmac1.mtz"), {}),
    "lyso_c2": (
        "sound",
        ("lyso_c2/moorhen-tutorial-structure-number-3.pdb", "lyso_c2/moorhen-tutorial-map-number-3.mtz"),
        {},
    ),
    "ca_8ola": ("sound", ("ca_8ola/8OLA_ADP15.mmcif", "ca_8ola/8OLA-sf.mtz", "ca_8ola/8OLA_A1H69.cif"), {}),
    "rsbs_3zt9": ("sound", ("rsbs_3zt9/3zt9.cif", "rsbs_3zt9/r3zt9sf.ent"), {}),
    "ptp1b_7rin": ("sound", ("ptp1b_7rin/7rin.pdb", "ptp1b_7rin/7rin_phases.mtz"), {}),
    "mdm2_finished": ("sound", ("mdm2_finished/4hg7.pdb", "mdm2_finished/4hg7-sf.cif", "mdm2_finished/NUT.cif"), {}),
    "bgl_4iid": ("sound", ("bgl_4iid/4iid.pdb", "bgl_4iid/4iid.mtz"), {}),
    "baz2b_x828": ("sound", ("baz2b_x828/BAZ2B.pdb", "baz2b_x828/nt5073v16_xBAZ2BAx8281_free.mtz"), {}),
    "gp350_2h6o, weight x 10": ("overfitted", ("gp350_2h6o/2h6o.pdb", "gp350_2h6o/2h6o_phases.mtz"), {"factor": 10}),
    "i213_3io0, weight x 10": ("overfitted", ("i213_3io0/refined.pdb", "i213_3io0/3io0-sf.mtz"), {"factor": 10}),
    "rnasa cut to 3.2 A, restraints x 0.1": (
        "overfitted",
        ("rnasa/tutorial-modern.pdb", "rnasa/rnasa-1.8-all_refmac1.mtz"),
        {"d_min": 3.2, "family_weights": (0.1,) * 7},
    ),
    "fdx_1dur": ("test set", ("fdx_1dur/1dur.pdb", "fdx_1dur/1dur.mtz"), {}),
    "gamma": ("test set", ("gamma/gamma_model.pdb", "gamma/mergedForMakingCif.mtz"), {}),
    "rnasa, flags inverted": (
        "test set",
        ("rnasa/tutorial-modern.pdb", "rnasa/rnasa-1.8-all_refmac1.mtz"),
        {"flags": "inverted"},
    ),
    "rnasa, flags drawn anew": (
        "test set",
        ("rnasa/tutorial-modern.pdb", "rnasa/rnasa-1.8-all_refmac1.mtz"),
        {"flags": "drawn anew"},
    ),
    "lyso_c2, flags drawn anew": (
        "sound",
        ("lyso_c2/moorhen-tutorial-structure-number-3.pdb", "lyso_c2/moorhen-tutorial-map-number-3.mtz"),
        {"flags": "drawn anew"},
    ),
}
"""Name -> what it should be, model, data and dictionaries below the folder of shared data, and what is done to it. The
search model of lyso_c2 has never been refined against its data: any set is its own; rnasa has been."""


def real(shared: Path, only: list[str]) -> Iterator[dict[str, Any]]:
    for name, (kind, files, more) in REAL.items():
        if only and not any(word in name for word in only):
            continue
        settings = dict(more)
        factor, flags = settings.pop("factor", 1.0), settings.pop("flags", "")
        with tempfile.TemporaryDirectory() as folder:
            data = shared / files[1]
            if flags:
                data = _with_other_flags(data, flags, Path(folder))
            request = RunRequest(
                str(shared / files[0]),
                str(data),
                tuple(str(shared / path) for path in files[2:]),
                settings=RefinementSettings(threads=2, **settings),
                **({"free_label": "FREE_NEW", "free_value": 1} if flags else {}),
            )
            seen = list(cycles_of(request, factor))
            prepared, cycles = seen[0][0], [cycle for _, cycle in seen]
        last = cycles[-1].statistics
        print(name, f"R {last.r_work:.3f} {last.r_free:.3f}", len(cycles), file=sys.stderr, flush=True)
        yield record(name, kind, prepared, cycles)


def _with_other_flags(data: Path, flags: str, folder: Path) -> Path:
    """The data with a column FREE_NEW (1 = test): the old set inverted, or another one of its size at random."""
    mtz = gemmi.read_mtz_file(str(data))
    old = next(column for column in mtz.columns if "free" in column.label.lower())
    is_test = np.asarray(old.array) == 0
    new = ~is_test if flags == "inverted" else np.random.default_rng(7).random(len(is_test)) < is_test.mean()
    column = mtz.add_column("FREE_NEW", "I")
    column.array[:] = new.astype(np.float32)
    made = folder / "flags.mtz"
    mtz.write_to_file(str(made))
    return made


def write(path: str, records: Iterator[dict[str, Any]]) -> None:
    """Rewritten after every run, so that a long series may be looked at, or ended, on the way."""
    made = []
    for record_ in records:
        made.append(record_)
        text = json.dumps(made, separators=(",", ":")).replace("NaN", "null")
        Path(path).write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    if sys.argv[1] == "simulated":
        write(sys.argv[2], simulated())
    elif sys.argv[1] == "real":
        write(sys.argv[3], real(Path(sys.argv[2]), sys.argv[4:]))
