"""A million reflections: opened, French-Wilson amplitudes made, and reported within bounds of memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import gemmi
import numpy as np

CHILD = """
import json, re, resource, sys
from pathlib import Path
from workbench.session.inspection import inspect_files
found = inspect_files(sys.argv[1])
used = resource.getrusage(resource.RUSAGE_SELF)
status = Path("/proc/self/status")
# ru_maxrss of a new process begins with that of the one that started it, here a test run of any size.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) if status.exists() else used.ru_maxrss
items = {item.name: item.light for item in found.report.items}
print(json.dumps([len(found.reflections), items, peak / 1024, used.ru_utime + used.ru_stime]))
"""


def test_a_million_reflections(tmp_path: Path) -> None:
    cell, group = gemmi.UnitCell(180, 190, 210, 90, 90, 90), gemmi.SpaceGroup("P 21 21 21")
    hkl = gemmi.make_miller_array(cell, group, 1.555, 60.0, True)
    hkl = hkl[~group.operations().systematic_absences(hkl)]
    rng = np.random.default_rng(0)
    centric = group.operations().centric_flag_array(hkl).astype(bool)
    z = np.where(centric, rng.normal(size=len(hkl)) ** 2, rng.exponential(size=len(hkl)))
    true = 1e4 * z * group.operations().epsilon_factor_without_centering_array(hkl)
    true = true * np.exp(-15.0 * cell.calculate_1_d2_array(hkl))
    sigma = 0.05 * true + 20.0
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = group
    mtz.set_cell_for_all(cell)
    mtz.add_dataset("made")
    for label, kind in (("IMEAN", "J"), ("SIGIMEAN", "Q"), ("FreeR_flag", "I")):
        mtz.add_column(label, kind)
    measured = true + sigma * rng.normal(size=len(hkl))
    mtz.set_data(np.column_stack([hkl, measured, sigma, rng.integers(0, 20, len(hkl))]).astype(np.float32))
    path = tmp_path / "million.mtz"
    mtz.write_to_file(str(path))
    answer = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    count, lights, memory, _ = json.loads(answer.stdout)
    assert len(hkl) > 1_000_000 and 0.99 * len(hkl) < count <= len(hkl)
    assert memory < 1500
    assert lights["Twinning"] == "green" and lights["Test set"] == "green" and lights["Symmetry"] == "green"
