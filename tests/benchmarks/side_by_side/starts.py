"""What both programs get: one reflection file, and one model file per start, made once and kept.

`given` is the model as it was deposited or supplied (only unpacked). `shaken` starts from the same atoms without
hydrogens, every coordinate moved by Gaussian noise of 0.3 A (r.m.s. in three dimensions), every B the mean B, no
ANISOU and no TLS record; an atom on a special position stays there. The seed is SEED for every set.
"""

from __future__ import annotations

import gzip
import math
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gemmi
import numpy as np

from tests.benchmarks.side_by_side.data_sets import DataSet
from tests.benchmarks.side_by_side.environment import Peer

STARTS = ("given", "shaken")
SHAKE_RMSD = 0.3
SEED = 20240229
SPECIAL_DISTANCE = 0.8
"""An atom nearer than this to its own image (angstrom) sits on a special position."""


def prepare(data_set: DataSet, source: Path, folder: Path, peer: Peer) -> tuple[Path, dict[str, Path]]:
    """(data.mtz, {start: model file}) in `folder`, written if they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data.mtz"
    if not data.is_file():
        with _replacing(data) as new:
            _write_reflections(data_set, source, new, peer)
    suffix = ".cif" if any(part in {".cif", ".mmcif"} for part in Path(data_set.model).suffixes) else ".pdb"
    models = {start: folder / f"{start}{suffix}" for start in STARTS}
    if not models["given"].is_file():
        raw = (source / data_set.model).read_bytes()
        with _replacing(models["given"]) as new:
            new.write_bytes(gzip.decompress(raw) if data_set.model.endswith(".gz") else raw)
    if not models["shaken"].is_file():
        structure = gemmi.read_structure(str(models["given"]))
        shake(structure, SHAKE_RMSD, SEED)
        with _replacing(models["shaken"]) as new:
            _write_model(structure, new)
    return data, models


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A neighbour to write, then moved into place: another run of the benchmark never sees half a file."""
    new = path.with_name(f"new-{os.getpid()}-{path.name}")
    yield new
    new.replace(path)


def shake(structure: gemmi.Structure, rmsd: float, seed: int) -> None:
    """Move, flatten and strip the structure in place (see the module); rmsd in angstrom, 3D."""
    structure.remove_hydrogens()
    atoms = [atom for model in structure for chain in model for residue in chain for atom in residue]
    mean_b = float(np.mean([atom.b_iso for atom in atoms]))
    noise = np.random.default_rng(seed).normal(0.0, rmsd / math.sqrt(3.0), (len(atoms), 3))
    for atom, shift in zip(atoms, noise, strict=True):
        if not structure.cell.is_special_position(atom.pos, SPECIAL_DISTANCE):
            atom.pos += gemmi.Position(*(float(x) for x in shift))
        atom.b_iso = mean_b
        atom.aniso = gemmi.SMat33f(0, 0, 0, 0, 0, 0)
    structure.raw_remarks = []
    structure.meta.refinement = []


def _write_model(structure: gemmi.Structure, path: Path) -> None:
    if path.suffix == ".cif":
        structure.make_mmcif_document().write_file(str(path))
    else:
        structure.write_pdb(str(path))


def _write_reflections(data_set: DataSet, source: Path, path: Path, peer: Peer) -> None:
    """FP, SIGFP, FREE (0 test, 1 work) of every observed reflection: F > 0, sigma > 0, a flag, not absent."""
    file = source / data_set.data
    table = (
        gemmi.as_refln_blocks(gemmi.cif.read(str(file)))[0] if file.suffix == ".ent" else gemmi.read_mtz_file(str(file))
    )
    hkl = np.asarray(table.make_miller_array())

    def column(label: str) -> np.ndarray:
        if isinstance(table, gemmi.ReflnBlock):
            return np.asarray(table.make_float_array(label, math.nan), dtype=float)
        found = table.column_with_label(label)
        if found is None:
            raise ValueError(f"{file}: no column {label}")
        return np.asarray(found.array, dtype=float)

    flags = column(data_set.flag)
    if data_set.pair is not None:
        f, sigma = _mean_of_pair(*(column(name) for name in data_set.pair))
    elif data_set.intensity is not None:
        f, sigma = _french_wilson(file, data_set.intensity, hkl, table.spacegroup, path.parent, peer)
    else:
        f, sigma = column(data_set.amplitude), column(data_set.sigma)
    operations = table.spacegroup.operations()
    absent = np.array([operations.is_systematically_absent([int(x) for x in h]) for h in hkl])
    keep = (f > 0) & (sigma > 0) & np.isfinite(flags) & ~absent  # NaN compares false
    hkl, f, sigma, flags = hkl[keep], f[keep], sigma[keep], flags[keep]

    out = gemmi.Mtz(with_base=True)
    out.spacegroup, out.title = table.spacegroup, data_set.name
    out.set_cell_for_all(table.cell)
    out.add_dataset("data")
    for name, kind in (("FP", "F"), ("SIGFP", "Q"), ("FREE", "I")):
        out.add_column(name, kind)
    out.set_data(np.column_stack([hkl, f, sigma, np.where(flags == 0, 0, 1)]).astype(np.float32))
    out.ensure_asu()
    out.sort()
    out.write_to_file(str(path))


def _mean_of_pair(
    plus: np.ndarray, sigma_plus: np.ndarray, minus: np.ndarray, sigma_minus: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of Friedel mates weighted by 1/sigma^2; the one that is there where the other is missing."""
    weights = []
    for f, sigma in ((plus, sigma_plus), (minus, sigma_minus)):
        good = (f > 0) & (sigma > 0)
        weights.append(np.where(good, 1.0 / np.where(good, sigma, 1.0) ** 2, 0.0))
    total = weights[0] + weights[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (np.nan_to_num(plus) * weights[0] + np.nan_to_num(minus) * weights[1]) / total
        return mean, 1.0 / np.sqrt(total)


def _french_wilson(
    file: Path, labels: tuple[str, str], hkl: np.ndarray, group: gemmi.SpaceGroup, folder: Path, peer: Peer
) -> tuple[np.ndarray, np.ndarray]:
    """F and its sigma from I, by one program for both: `servalcat fw`."""
    plain = folder / "intensities.mtz"
    plain.write_bytes(gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes())
    prefix = folder / "french_wilson"
    command = [peer.servalcat, "fw", "--hklin", plain, "--labin", ",".join(labels), "-o", prefix]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    mtz = gemmi.read_mtz_file(f"{prefix}.mtz")
    asu, operations = gemmi.ReciprocalAsu(group), group.operations()

    def unique(index: np.ndarray) -> tuple[int, ...]:
        return tuple(asu.to_asu([int(x) for x in index], operations)[0])

    row = {unique(index): n for n, index in enumerate(mtz.make_miller_array())}
    columns = [np.append(np.asarray(mtz.column_with_label(label).array, float), np.nan) for label in ("F", "SIGF")]
    where = np.array([row.get(unique(index), mtz.nreflections) for index in hkl])
    return columns[0][where], columns[1][where]
