"""One small sound file of every format that is read, made from a bundled example."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import gemmi
import numpy as np

EXAMPLE = Path(__file__).resolve().parents[2] / "example_structures" / "pep_5e5z"
MODELS = ("pdb", "mmcif")
DATA = ("mtz", "sfcif", "scalepack", "xds", "shelx")
FORMATS = MODELS + DATA
SUFFIX = {"pdb": ".pdb", "mmcif": ".cif", "mtz": ".mtz", "sfcif": ".cif", "scalepack": ".sca", "xds": ".HKL"}
SUFFIX["shelx"] = ".hkl"


def seed_files(folder: Path) -> dict[str, bytes]:
    """Format -> bytes. folder: for a writer that knows files only."""
    mtz = gemmi.read_mtz_file(str(EXAMPLE / "pep_5e5z.mtz"))
    f, sigma = (np.array(mtz.column_with_label(name)) for name in ("FP", "SIGFP"))
    seen = np.isfinite(f) & np.isfinite(sigma) & (sigma > 0)
    hkl = mtz.make_miller_array()[seen]
    value, error = f[seen] ** 2, 2 * f[seen] * sigma[seen]
    cell = mtz.cell.parameters
    rows = [(*map(int, h), i, s) for h, i, s in zip(hkl, value, error, strict=True)]
    structure = gemmi.read_structure(str(EXAMPLE / "pep_5e5z.pdb"))
    structure.setup_entities()
    out = folder / "seed.mtz"
    mtz.write_to_file(str(out))
    scalepack = ["    1", " -987", "".join(f"{c:10.3f}" for c in cell) + " p21"]
    scalepack += [f"{h:4d}{k:4d}{m:4d}{i:8.1f}{s:8.1f}" for h, k, m, i, s in rows]
    xds = [
        "!FORMAT=XDS_ASCII    MERGE=FALSE    FRIEDEL'S_LAW=TRUE",
        "!SPACE_GROUP_NUMBER=    4",
        "!UNIT_CELL_CONSTANTS=" + " ".join(f"{c:9.3f}" for c in cell),
        "!X-RAY_WAVELENGTH=  0.977",
        *(f"!ITEM_{name}={i + 1}" for i, name in enumerate(("H", "K", "L", "IOBS", "SIGMA(IOBS)"))),
        "!END_OF_HEADER",
    ]
    xds += [f"{h:6d}{k:6d}{m:6d}{i:11.3e}{s:11.3e}" for h, k, m, i, s in rows for _ in (0, 1)]
    shelx = [f"{h:4d}{k:4d}{m:4d}{i:8.2f}{s:8.2f}{1:4d}" for h, k, m, i, s in rows]
    return {
        "pdb": structure.make_pdb_string().encode(),
        "mmcif": structure.make_mmcif_document().as_string().encode(),
        "mtz": out.read_bytes(),
        "sfcif": gemmi.MtzToCif().write_cif_to_string(mtz).encode(),
        "scalepack": ("\n".join(scalepack) + "\n").encode(),
        "xds": ("\n".join(xds) + "\n!END_OF_DATA\n").encode(),
        "shelx": ("\n".join([*shelx, f"{0:4d}{0:4d}{0:4d}{0:8.2f}{0:8.2f}{0:4d}"]) + "\n").encode(),
    }


def bombs() -> dict[str, bytes]:
    """Small files that ask for gigabytes: gzip of zeros, of zeros in many members, of an endless PDB, of a gzip."""
    zeros = _gzip(b"\0" * (64 << 20))
    line = b"ATOM      1  CA  ALA A   1      10.000  10.000  10.000  1.00 20.00           C\n"
    many = _gzip(line * 400_000)
    return {
        "zeros.gz": zeros * 40,
        "atoms.pdb.gz": many * 60,
        "nested.gz": _gzip(zeros * 40),
        "mtz.gz": _gzip(b"MTZ " + b"\1" * (64 << 20)) * 40,
    }


def _gzip(data: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as stream:
        stream.write(data)
    return out.getvalue()
