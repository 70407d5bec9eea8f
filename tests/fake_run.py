"""A scripted run: real event objects over a small invented crystal, without the engine.

For tests of everything that reads the stream of events (session, worker, export, window). The crystal is a tripeptide
with an alternate conformation and a water in P 21 21 21; its "observed" amplitudes come from direct summation over the
true model, and every cycle moves the shaken start 40 % of the way back, so that R falls as it would in a real run.

    from fake_run import fake_run, write_files
    for event in fake_run(request, control): ...          # the signature of workbench.session.run.run
    events = recorded_run(cycles=6)                       # a list, to replay
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import gemmi
import numpy as np

from workbench.core.control import FixedControl, RunControl
from workbench.core.crystal import (
    ColumnChoice,
    Crystal,
    Model,
    ModelState,
    Reflections,
    Residues,
    SourceFile,
)
from workbench.core.events import (
    CycleFinished,
    CycleStatistics,
    Finished,
    InputSummary,
    Note,
    Prepared,
    Progress,
    RunEvent,
    ScaledFactors,
    ShellTable,
)
from workbench.core.settings import FAMILIES, RefinementSettings, RunRequest

CELL = (15.2, 17.4, 19.6, 90.0, 90.0, 90.0)
SPACE_GROUP = "P 21 21 21"
D_MIN = 1.8
SCALE = 12.5
CYCLE_SECONDS = 0.02

PDB_TEXT = """\
HEADER    DE NOVO PROTEIN                         09-OCT-15   XXXX
TITLE     A TRIPEPTIDE OF UNIT-TEST SIZE
COMPND    MOL_ID: 1;
COMPND   2 MOLECULE: LEU-VAL-SER;
COMPND   3 CHAIN: A
EXPDTA    X-RAY DIFFRACTION
REMARK   2
REMARK   2 RESOLUTION.    1.66 ANGSTROMS.
REMARK   3
REMARK   3 REFINEMENT.
REMARK   3   PROGRAM     : SOMETHING ELSE
REMARK   3   R VALUE            (WORKING SET) : 0.123
REMARK 280 CRYSTALLIZATION CONDITIONS: WATER
SEQRES   1 A    3  LEU VAL SER
CRYST1   15.250   17.400   19.600  90.00  90.00  90.00 P 21 21 21    4
ATOM      1  N   LEU A   1       6.078   4.694   4.247  1.00  9.00           N
ATOM      2  CA  LEU A   1       5.166   4.974   5.353  1.00  9.42           C
ATOM      3  C   LEU A   1       5.682   4.358   6.644  1.00  9.48           C
ATOM      4  O   LEU A   1       6.056   3.186   6.678  1.00 10.52           O
ATOM      5  CB  LEU A   1       3.755   4.445   5.033  1.00 10.86           C
ATOM      6  CG  LEU A   1       2.596   4.646   6.025  1.00 11.87           C
ATOM      7  CD1 LEU A   1       2.753   3.818   7.296  1.00 12.83           C
ATOM      8  CD2 LEU A   1       2.404   6.122   6.362  1.00 12.27           C
ATOM      9  N   VAL A   2       5.715   5.161   7.703  1.00  8.61           N
ATOM     10  CA  VAL A   2       5.968   4.648   9.040  1.00  8.12           C
ATOM     11  C   VAL A   2       4.976   5.281  10.000  1.00  8.40           C
ATOM     12  O   VAL A   2       4.746   6.489   9.954  1.00  9.22           O
ATOM     13  CB  VAL A   2       7.400   4.973   9.525  1.00  9.56           C
ATOM     14  CG1 VAL A   2       7.566   4.579  10.993  1.00 10.93           C
ATOM     15  CG2 VAL A   2       8.429   4.278   8.658  1.00 10.71           C
ATOM     16  N   SER A   3       4.367   4.463  10.850  1.00  8.22           N
ATOM     17  CA  SER A   3       3.603   4.989  11.971  1.00  8.73           C
ATOM     18  C   SER A   3       4.003   4.325  13.280  1.00  9.84           C
ATOM     19  O   SER A   3       4.208   3.111  13.338  1.00 10.73           O
ATOM     20  CB ASER A   3       2.095   4.823  11.781  0.60 10.62           C
ATOM     21  CB BSER A   3       2.110   4.720  11.800  0.40 10.62           C
ATOM     22  OG ASER A   3       1.390   5.480  12.820  0.60 11.62           O
ATOM     23  OG BSER A   3       1.600   3.800  12.760  0.40 11.62           O
ATOM     24  OXT SER A   3       4.099   5.141  14.326  1.00 11.00           O
TER      25      SER A   3
HETATM   26  O   HOH A 101       8.203   6.052   5.436  1.00 12.67           O
ANISOU   26  O   HOH A 101     1605   1700   1505     20    -30     10       O
END
"""

BONDS = [(0, 1), (1, 2), (2, 3), (1, 4), (4, 5), (5, 6), (5, 7), (2, 8), (8, 9), (9, 10), (10, 11), (9, 12), (12, 13)]
BONDS += [(12, 14), (10, 15), (15, 16), (16, 17), (17, 18), (16, 19), (19, 21), (16, 20), (20, 22), (17, 23)]


def model_from_text(text: str = PDB_TEXT, path: str = "peptide.pdb") -> Model:
    """The model of a PDB text, with the cell of the data."""
    structure = gemmi.read_pdb_string(text)
    atoms, rows = [], []
    for chain in structure[0]:
        for residue in chain:
            kind = "water" if residue.is_water() else "protein"
            rows.append((residue.name, chain.name, residue.seqid.num, "", kind, len(atoms), len(residue)))
            atoms.extend((atom, len(rows) - 1) for atom in residue)
    columns = list(zip(*rows, strict=True))
    residues = Residues(
        name=np.array(columns[0]),
        chain=np.array(columns[1]),
        number=np.array(columns[2], dtype=np.int32),
        insertion=np.array(columns[3], dtype=str),
        kind=np.array(columns[4]),
        first_atom=np.array(columns[5], dtype=np.int32),
        n_atoms=np.array(columns[6], dtype=np.int32),
    )
    n = len(atoms)
    return Model(
        crystal=Crystal(CELL, SPACE_GROUP),
        xyz=np.array([atom.pos.tolist() for atom, _ in atoms]),
        b_iso=np.array([atom.b_iso for atom, _ in atoms]),
        u_aniso=np.array([atom.aniso.elements_pdb() for atom, _ in atoms], dtype=float),
        anisotropic=np.array([atom.aniso.nonzero() for atom, _ in atoms]),
        occupancy=np.array([atom.occ for atom, _ in atoms]),
        element=np.array([atom.element.name.upper() for atom, _ in atoms]),
        charge=np.zeros(n, dtype=np.int32),
        atom_name=np.array([atom.name for atom, _ in atoms]),
        altloc=np.array(["" if atom.altloc == "\0" else atom.altloc for atom, _ in atoms]),
        residue=np.array([row for _, row in atoms], dtype=np.int32),
        residues=residues,
        links=(),
        source_index=np.arange(n, dtype=np.int32),
        source=SourceFile(path, hashlib.sha256(text.encode()).hexdigest()),
        source_text=text,
        source_format="pdb",
        notes=("cell of the data used: 15.20 A instead of 15.25 A",),
    )


def all_hkl() -> np.ndarray:
    cell, group = gemmi.UnitCell(*CELL), gemmi.SpaceGroup(SPACE_GROUP)
    return np.asarray(gemmi.make_miller_array(cell, group, D_MIN, unique=True), dtype=np.int32)


def f_calc(model: Model, state: ModelState, hkl: np.ndarray) -> np.ndarray:
    """Direct summation over atoms and symmetry: (m,) complex electrons."""
    cell, group = gemmi.UnitCell(*CELL), gemmi.SpaceGroup(SPACE_GROUP)
    stol2 = np.array([cell.calculate_1_d2(list(h)) for h in hkl.tolist()]) / 4.0
    fractional = state.xyz @ np.array(cell.frac.mat.tolist()).T
    total = np.zeros(len(hkl), dtype=complex)
    tables = {e: gemmi.Element(str(e)).it92 for e in set(model.element.tolist())}
    form = np.empty((len(hkl), len(model)))
    for i, element in enumerate(model.element.tolist()):
        table = tables[element]
        f = table.c + sum(a * np.exp(-b * stol2) for a, b in zip(table.a, table.b, strict=True))
        form[:, i] = f * np.exp(-state.b_iso[i] * stol2) * state.occupancy[i]
    for operation in group.operations():
        moved = fractional @ (np.array(operation.rot) / operation.DEN).T + np.array(operation.tran) / operation.DEN
        total += np.sum(form * np.exp(2j * np.pi * hkl @ moved.T), axis=1)
    return total


def against(settings: RefinementSettings) -> str:
    return "intensities" if settings.likelihood == "intensities" else "amplitudes"


def _r(f_obs: np.ndarray, model: np.ndarray, rows: np.ndarray) -> float:
    return float(np.sum(np.abs(f_obs[rows] - model[rows])) / np.sum(f_obs[rows])) if rows.any() else float("nan")


class _Crystal:
    """The invented crystal: true model, reflections, and what a cycle reports of any state."""

    def __init__(self, request: RunRequest) -> None:
        self.request = request
        self.model = model_from_text(path=request.model_path)
        self.truth = ModelState(self.model.xyz, self.model.b_iso, self.model.u_aniso, self.model.occupancy)
        self.hkl = all_hkl()
        rng = np.random.default_rng(7)
        truth = SCALE * np.abs(f_calc(self.model, self.truth, self.hkl))
        sigma = 0.03 * truth + 2.0
        observed = rng.random(len(truth)) < 0.95
        rows = np.flatnonzero(observed)
        f_obs = np.maximum(truth[rows] + rng.normal(0.0, sigma[rows]), 0.5)
        self.observed = np.full(len(truth), -1, dtype=np.int32)
        self.observed[rows] = np.arange(len(rows))
        d = np.array([gemmi.UnitCell(*CELL).calculate_d(list(h)) for h in self.hkl.tolist()])
        self.d = d
        self.reflections = Reflections(
            crystal=Crystal(CELL, SPACE_GROUP),
            hkl=self.hkl[rows],
            f_obs=f_obs,
            sigma=sigma[rows],
            free=rng.random(len(rows)) < 0.1,
            has_free=True,
            d_min=float(d[rows].min()),
            d_max=float(d[rows].max()),
            completeness=len(rows) / len(d),
            columns=ColumnChoice("F", "SIGF", "FREE", 0, "the only amplitude column", "0 is the rarer of 0 and 1"),
            source=SourceFile(request.data_path, hashlib.sha256(f_obs.tobytes()).hexdigest()),
            intensity=f_obs**2,
            sigma_intensity=2.0 * f_obs * sigma[rows],
            intensity_label="I",
        )

    def prepared(self, settings: RefinementSettings) -> Prepared:
        return Prepared(
            model=self.model,
            reflections=self.reflections,
            hkl=self.hkl,
            observed=self.observed,
            bonds=np.array(BONDS, dtype=np.int32),
            restraint_counts=dict(zip(FAMILIES, (22, 30, 12, 3, 4, 60, 40), strict=True)),
            riding_hydrogens=0,
            inputs=InputSummary(
                model=self.model.source,
                data=self.reflections.source,
                dictionaries=(),
                columns={"amplitude": "F", "sigma": "SIGF", "free": "FREE", "free_value": 0},
                free_reason="0 is the rarer of 0 and 1",
                component_sources={"LEU": "embedded", "VAL": "embedded", "SER": "embedded", "HOH": "embedded"},
            ),
            settings=settings,
            prepare_seconds=0.1,
            likelihood=against(settings),
            likelihood_words=f"{against(settings)} (scripted)",
        )

    def cycle(
        self, number: int, state: ModelState, previous: ModelState, settings: RefinementSettings, best: bool
    ) -> CycleFinished:
        model = f_calc(self.model, state, self.hkl)
        at = self.observed >= 0
        f_obs = np.zeros(len(self.hkl))
        f_obs[at] = self.reflections.f_obs[self.observed[at]]
        free = np.zeros(len(self.hkl), dtype=bool)
        free[at] = self.reflections.free[self.observed[at]]
        work = at & ~free
        amplitude = SCALE * np.abs(model.astype(np.complex64)).astype(float)
        edges = np.quantile(self.d, [1.0, 0.6, 0.3, 0.0])
        inside = [(self.d <= edges[i] + 1e-9) & (self.d >= edges[i + 1] - 1e-9) for i in range(3)]
        shells = ShellTable(
            d_max=edges[:-1],
            d_min=edges[1:],
            n_work=np.array([np.sum(work & b) for b in inside], dtype=np.int32),
            n_free=np.array([np.sum(free & b) for b in inside], dtype=np.int32),
            k_iso=np.full(3, SCALE),
            k_mask=np.zeros(3),
            sigma_d=np.array([0.98, 0.95, 0.9]),
            sigma_s=np.array([9.0, 6.0, 4.0]),
            r_work=np.array([_r(f_obs, amplitude, work & b) for b in inside]),
            r_free=np.array([_r(f_obs, amplitude, free & b) for b in inside]),
            u_aniso=np.zeros(6),
        )
        factors = ScaledFactors(
            f_model=model.astype(np.complex64),
            k_total=np.full(len(model), SCALE, dtype=np.float32),
            fom=np.where(at, 0.85, 0.0).astype(np.float32),
            sigma_d=np.full(len(model), 0.95, dtype=np.float32),
            shells=shells,
        )
        r_work, r_free = _r(f_obs, amplitude, work), _r(f_obs, amplitude, free)
        shift = np.linalg.norm(state.xyz - previous.xyz, axis=1)
        weight = settings.weight if settings.weight is not None else 6.7
        rmsd = 0.008 + 0.001 * np.log(weight)
        statistics = CycleStatistics(
            cycle=number,
            r_work=r_work,
            r_free=r_free,
            r_work_riding_h=r_work,
            r_free_riding_h=r_free,
            ll_work=4.0 + r_work,
            ll_free=4.1 + r_free,
            n_work=int(work.sum()),
            n_free=int(free.sum()),
            rmsd_bonds=float(rmsd),
            rmsz_bonds=float(rmsd / 0.015),
            rmsd_angles=1.2,
            rmsz_angles=0.8,
            xray_weight=weight,
            automatic_weight=6.7,
            weight_reason="set by hand" if settings.weight is not None else "resolution",
            mean_b=float(state.b_iso.mean()),
            rms_shift=float(np.sqrt(np.mean(shift**2))),
            max_shift=float(shift.max()),
            mean_abs_shift_b=float(np.mean(np.abs(state.b_iso - previous.b_iso))),
            seconds=CYCLE_SECONDS,
            geometry={family: (0.5 + 0.1 * i, 10 + i) for i, family in enumerate(FAMILIES)},
            likelihood=against(settings),
        )
        return CycleFinished(state, factors, factors, statistics, best)


def _towards(start: ModelState, truth: ModelState, fraction: float) -> ModelState:
    return dataclasses.replace(
        start,
        xyz=start.xyz + fraction * (truth.xyz - start.xyz),
        b_iso=start.b_iso + fraction * (truth.b_iso - start.b_iso),
    )


def fake_run(request: RunRequest, control: RunControl) -> Iterator[RunEvent]:
    """The same events, in the same order, as workbench.session.run.run; cycles take CYCLE_SECONDS each.

    The model path picks a script: a name with "crash" kills its own process in cycle 2, one with "slow" takes a second
    per cycle (asking `control` every 10 ms), one with "raise" raises a ValueError in cycle 2.
    """
    script = Path(request.model_path).name
    began = time.perf_counter()
    crystal = _Crystal(request)
    yield Progress("Reading the model")
    yield Note("Amplitudes F, SIGF: the only amplitude column")
    settings = request.settings
    yield crystal.prepared(settings)
    if request.start is not None:
        state = request.start
    else:
        noise = np.random.default_rng(request.settings.seed).normal(0.0, 0.2, crystal.truth.xyz.shape)
        state = dataclasses.replace(crystal.truth, xyz=crystal.truth.xyz + noise, b_iso=np.full(len(noise), 10.0))
    number = request.first_cycle
    kept = crystal.cycle(number, state, state, settings, True)
    yield kept
    reason, text = "cycles", "the requested number of cycles is done"
    done = 0
    while done < control.settings().cycles:
        waited = time.perf_counter()
        seconds = 1.0 if "slow" in script else CYCLE_SECONDS
        while not control.cancelled() and time.perf_counter() - waited < seconds:
            time.sleep(min(0.01, seconds))
        if control.cancelled():
            reason, text = "stopped", "stopped by the user"
            break
        if done == 1 and "crash" in script:
            os.kill(os.getpid(), signal.SIGKILL)
        if done == 1 and "raise" in script:
            raise ValueError("an array went missing")
        done += 1
        number += 1
        settings = control.settings()
        previous, state = state, _towards(state, crystal.truth, 0.4 if settings.weight is None else 0.3)
        event = crystal.cycle(number, state, previous, settings, False)
        if event.statistics.r_free < kept.statistics.r_free:
            event = dataclasses.replace(event, best=True)
            kept = event
        yield Progress(f"Cycle {number}", done / max(settings.cycles, 1))
        yield event
    yield Finished(reason, text, kept, time.perf_counter() - began, 100.0)


def recorded_run(cycles: int = 6, settings: RefinementSettings | None = None) -> list[RunEvent]:
    """All events of a scripted run, for replay."""
    settings = settings or RefinementSettings(cycles=cycles)
    request = RunRequest("peptide.pdb", "peptide.mtz", settings=settings)
    return list(fake_run(request, FixedControl(settings)))


def write_files(folder: Path) -> tuple[Path, Path]:
    """The peptide as files that the real engine can read: (peptide.pdb, peptide.mtz)."""
    crystal = _Crystal(RunRequest("peptide.pdb", "peptide.mtz"))
    reflections = crystal.reflections
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = gemmi.SpaceGroup(SPACE_GROUP)
    mtz.set_cell_for_all(gemmi.UnitCell(*CELL))
    mtz.add_dataset("peptide")
    for label, kind in (("F", "F"), ("SIGF", "Q"), ("FREE", "I")):
        mtz.add_column(label, kind)
    rows = [reflections.hkl, reflections.f_obs, reflections.sigma, np.where(reflections.free, 0, 1)]
    mtz.set_data(np.column_stack(rows).astype(np.float32))
    model, data = folder / "peptide.pdb", folder / "peptide.mtz"
    model.write_text(PDB_TEXT)
    mtz.write_to_file(str(data))
    return model, data
