"""Make example_structures from the shared data sets: models as they are, MTZ files trimmed to what refinement uses.

    python scripts/make_examples.py FOLDER_OF_SHARED_DATA

Kept of each MTZ: h, k, l, amplitude, sigma and flags, of every reflection (missing amplitudes stay missing). Models and
dictionaries are copied; the larger files are compressed with a fixed time stamp, so the result is always the same.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import tempfile
from pathlib import Path

import gemmi
import numpy as np

TARGET = Path(__file__).resolve().parent.parent / "example_structures"

# name: model, data, columns kept, dictionaries, compressed
EXAMPLES = {
    "lyso_c2": (
        "moorhen-tutorial-structure-number-3.pdb",
        "moorhen-tutorial-map-number-3.mtz",
        ("F", "SIGF", "FREER"),
        (),
        True,
    ),
    "mdm2_unfinished": (
        "moorhen-tutorial-structure-number-2.pdb",
        "moorhen-tutorial-map-number-2.mtz",
        ("FP", "SIGFP", "FREE"),
        ("NUT.cif",),
        True,
    ),
    "pep_5e5z": ("5e5z.pdb", "5e5z.mtz", ("FP", "SIGFP", "FREE"), (), False),
}


def trimmed(source: Path, columns: tuple[str, ...]) -> bytes:
    """The MTZ file with h, k, l and `columns` only, no history."""
    whole = gemmi.read_mtz_file(str(source))
    data = np.array(whole.array, copy=True)
    labels = [column.label for column in whole.columns]
    out = gemmi.Mtz(with_base=True)
    out.title = whole.title
    out.spacegroup = whole.spacegroup
    out.set_cell_for_all(whole.cell)
    used = whole.column_with_label(columns[0]).dataset
    dataset = out.add_dataset("data")
    dataset.crystal_name, dataset.project_name = used.crystal_name, used.project_name
    dataset.dataset_name, dataset.wavelength, dataset.cell = used.dataset_name, used.wavelength, whole.cell
    for label in columns:
        column = whole.column_with_label(label)
        out.add_column(label, column.type, 0 if column.type == "I" else dataset.id)
    rows = [0, 1, 2, *(labels.index(label) for label in columns)]
    out.set_data(np.ascontiguousarray(data[:, rows]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.mtz"
        out.write_to_file(str(path))
        return path.read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make example_structures from the shared data sets.")
    parser.add_argument("data", type=Path, help="folder of the shared data sets")
    folder: Path = parser.parse_args().data
    for name, (model, data, columns, dictionaries, compress) in EXAMPLES.items():
        target = TARGET / name
        target.mkdir(parents=True, exist_ok=True)
        for suffix, content in (
            (".pdb", (folder / name / model).read_bytes()),
            (".mtz", trimmed(folder / name / data, columns)),
        ):
            path = target / f"{name}{suffix}{'.gz' if compress else ''}"
            path.write_bytes(gzip.compress(content, 9, mtime=0) if compress else content)
            print(f"{path.relative_to(TARGET)}: {path.stat().st_size} bytes")
        for dictionary in dictionaries:
            shutil.copyfile(folder / name / dictionary, target / dictionary)


if __name__ == "__main__":
    main()
