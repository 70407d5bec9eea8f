"""refined.mtz: observed amplitudes and intensities, test set, model structure factors and map coefficients to d_min."""

from __future__ import annotations

import tempfile
from pathlib import Path

import gemmi
import numpy as np

from workbench.core.arrays import AnyArray, BoolArray
from workbench.core.events import CycleFinished, Prepared
from workbench.engine.maps.coefficients import MapKind, map_coefficients
from workbench.export.program import NAME, program_version

COLUMNS = (
    ("F", "F"),
    ("SIGF", "Q"),
    ("FREE", "I"),
    ("FC", "F"),
    ("PHIC", "P"),
    ("FWT", "F"),
    ("PHWT", "P"),
    ("DELFWT", "F"),
    ("PHDELWT", "P"),
    ("FOM", "W"),
    ("I", "J"),
    ("SIGI", "Q"),
)


def reflection_file(prepared: Prepared, cycle: CycleFinished) -> bytes:
    """The MTZ file as bytes.

    F, SIGF: as observed, missing where not. FREE: 0 test set, 1 work set, missing where F is; absent without a test
    set. FC, PHIC: of the written atoms with bulk solvent and all scales, on the scale of F, so that
    R = sum |F - FC| / sum F is that of statistics.json. FWT/PHWT (2mFo-DFc, missing reflections filled with DFc) and
    DELFWT/PHDELWT (mFo-DFc): absolute scale (electrons), of the factors the target saw. FOM: figure of merit. I, SIGI:
    what F comes from, on the scale of F^2, where the data have it.
    """
    reflections = prepared.reflections
    observed = prepared.observed >= 0
    rows = prepared.observed[observed]
    m = len(prepared.hkl)
    f_obs, sigma, free = np.full(m, np.nan), np.full(m, np.nan), np.full(m, np.nan)
    f_obs[observed], sigma[observed] = reflections.f_obs[rows], reflections.sigma[rows]
    free[observed] = np.where(reflections.free[rows], 0.0, 1.0)
    intensity, error = np.full(m, np.nan), np.full(m, np.nan)
    with_intensities = reflections.intensity is not None
    if reflections.intensity is not None and reflections.sigma_intensity is not None:
        intensity[observed], error[observed] = reflections.intensity[rows], reflections.sigma_intensity[rows]
    group = gemmi.SpaceGroup(prepared.model.crystal.space_group)
    centric = np.asarray(group.operations().centric_flag_array(np.ascontiguousarray(prepared.hkl)), dtype=bool)
    written = cycle.written
    f_model = written.f_model.astype(np.complex128) * written.k_total
    fom = np.where(observed, cycle.refined.fom, 0.0)
    full = _map(prepared, cycle, f_obs, centric, "2mFo-DFc")
    difference = _map(prepared, cycle, f_obs, centric, "mFo-DFc")
    values = {
        "F": f_obs,
        "SIGF": sigma,
        "FREE": free,
        "FC": np.abs(f_model),
        "PHIC": _degrees(f_model),
        "FWT": np.abs(full),
        "PHWT": _degrees(full),
        "DELFWT": np.abs(difference),
        "PHDELWT": _degrees(difference),
        "FOM": fom,
        "I": intensity,
        "SIGI": error,
    }
    mtz = gemmi.Mtz(with_base=True)
    mtz.title = f"{NAME} cycle {cycle.statistics.cycle}"
    mtz.history = [f"From {NAME} {program_version()}"]
    mtz.spacegroup = group
    mtz.set_cell_for_all(gemmi.UnitCell(*prepared.model.crystal.cell))
    mtz.add_dataset("refined")
    columns: list[AnyArray] = [prepared.hkl]
    for label, kind in COLUMNS:
        if (label == "FREE" and not reflections.has_free) or (label in ("I", "SIGI") and not with_intensities):
            continue
        mtz.add_column(label, kind)
        columns.append(values[label])
    mtz.set_data(np.column_stack(columns).astype(np.float32))
    mtz.sort()
    # gemmi writes MTZ to a path only; the bytes then go where the other results go, all together.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "refined.mtz"
        mtz.write_to_file(str(path))
        return path.read_bytes()


def _map(prepared: Prepared, cycle: CycleFinished, f_obs: AnyArray, centric: BoolArray, kind: MapKind) -> AnyArray:
    observed = prepared.observed >= 0
    free = np.zeros(len(observed), dtype=bool)
    free[observed] = prepared.reflections.free[prepared.observed[observed]]
    coefficients: AnyArray = map_coefficients(
        np.where(observed, f_obs, 0.0),
        observed,
        cycle.refined,
        centric,
        free,
        kind,
        fill_missing=True,
        free_filled=False,
    )
    return coefficients


def _degrees(values: AnyArray) -> AnyArray:
    angles: AnyArray = np.degrees(np.angle(values)) % 360.0
    return angles
