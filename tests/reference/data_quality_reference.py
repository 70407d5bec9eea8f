"""Makes data_quality_reference.json: Wilson B, anisotropy, L-test, moments and twin fractions by mmtbx (xtriage).

Run where cctbx-base 2025.11 is installed:
    python tests/reference/data_quality_reference.py SHARED_DATA > tests/reference/data_quality_reference.json
"""

import gzip
import json
import sys
import tempfile
from pathlib import Path

from cctbx.array_family import flex  # noqa: F401  cctbx before anything else
from iotbx import reflection_file_reader
from mmtbx.scaling import absolute_scaling, twin_analyses

SETS = {
    "il1b_1l2h_twin": ("il1b_1l2h_twin/1l2h.mtz.gz", "IMEAN"),
    "i213_3io0": ("i213_3io0/3io0-sf.mtz", "IOBS"),
    "baz2b_x828": ("baz2b_x828/nt5073v16_xBAZ2BAx8281_free.mtz", "IMEAN"),
}


def main() -> None:
    folder = Path(sys.argv[1])
    result = {}
    for name, (path, label) in SETS.items():
        with tempfile.NamedTemporaryFile(suffix=".mtz") as plain:
            raw = (folder / path).read_bytes()
            plain.write(gzip.decompress(raw) if path.endswith(".gz") else raw)
            plain.flush()
            arrays = reflection_file_reader.any_reflection_file(plain.name).as_miller_arrays()
        data = next(a for a in arrays if a.info().labels[0] == label)
        data = data.select(data.sigmas() > 0).remove_systematic_absences()
        # residues enter the absolute scale only, not B
        isotropic = absolute_scaling.ml_iso_absolute_scaling(miller_array=data, n_residues=200, n_bases=0)
        anisotropic = absolute_scaling.ml_aniso_absolute_scaling(miller_array=data, n_residues=200, n_bases=0)
        eigen = [float(x) for x in anisotropic.eigen_values]
        row = {
            "wilson_b": float(isotropic.b_wilson),
            "b_eigenvalues": eigen,
            "b_range": max(eigen) - min(eigen),
        }
        # the L-test of mmtbx stops at negative intensities: it gets the positive ones, and so do we in the comparison
        data = data.select(data.data() > 0)
        normal = absolute_scaling.kernel_normalisation(data, auto_kernel=True).normalised_miller.deep_copy()
        acentric = normal.select_acentric()
        test = twin_analyses.l_test(
            miller_array=normal.set_observation_type_xray_intensity(), parity_h=2, parity_k=2, parity_l=2
        )
        row["mean_abs_l"], row["mean_l_sq"] = float(test.mean_l), float(test.mean_l2)
        laws = twin_analyses.twin_laws(data, lattice_symmetry_max_delta=3.0)
        row["laws"] = {}
        for operator in laws.operators:
            law = operator.operator.as_double_array()[0:9]
            h = twin_analyses.h_test(law, acentric)
            b = twin_analyses.britton_test(law, acentric)
            row["laws"][operator.operator.r().as_hkl()] = {
                "h_fraction": float(h.estimated_alpha),
                "britton_fraction": float(b.estimated_alpha),
            }
        result[name] = row
    print(json.dumps(result, indent=1))


main()
