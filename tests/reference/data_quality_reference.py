"""Makes data_quality_reference.json: Wilson B, anisotropy, L-test, moments and twin fractions by mmtbx (xtriage), the
straight Wilson plot and French-Wilson amplitudes by cctbx.

Run where cctbx-base 2025.11 is installed:
    python tests/reference/data_quality_reference.py SHARED_DATA > tests/reference/data_quality_reference.json
"""

import gzip
import io
import json
import re
import sys
import tempfile
from pathlib import Path

from cctbx.array_family import flex
from cctbx.french_wilson import french_wilson_scale
from iotbx import reflection_file_reader
from mmtbx.scaling import absolute_scaling, twin_analyses

SETS = {
    "il1b_1l2h_twin": ("il1b_1l2h_twin/1l2h.mtz.gz", "IMEAN"),
    "i213_3io0": ("i213_3io0/3io0-sf.mtz", "IOBS"),
    "baz2b_x828": ("baz2b_x828/nt5073v16_xBAZ2BAx8281_free.mtz", "IMEAN"),
}


def moment(z) -> float | None:
    """<I^2>/<I>^2 of normalised intensities; None below 50 reflections."""
    if z.size() < 50:
        return None
    return float(flex.mean(flex.pow2(z.data())) / flex.mean(z.data()) ** 2)


def straight_wilson_b(data) -> float:
    """Slope of ln(<F^2>/sum f^2) beyond 4 A, or over the better part of data that end near 3 A; F^2 is I, so that
    negative intensities count."""
    d_min = float(data.d_min())
    outer = data.resolution_filter(d_max=4.0 if d_min < 2.9 else d_min / 0.4**0.5)
    outer.setup_binner(n_bins=30)
    x, y = flex.double(), flex.double()
    contents = {"C": 5.0, "N": 1.35, "O": 1.5, "H": 8.0, "S": 0.04}
    from cctbx.eltbx import xray_scattering

    gaussians = {name: xray_scattering.it1992(name).fetch() for name in contents}
    epsilons = outer.epsilons().data().as_double()
    for i in outer.binner().range_used():
        chosen = outer.binner().selection(i)
        shell = outer.select(chosen)
        mean = flex.mean(shell.data() / epsilons.select(chosen))
        stol_sq = flex.mean(shell.sin_theta_over_lambda_sq().data())
        if mean > 0:
            expected = sum(n * gaussians[name].at_stol_sq(stol_sq) ** 2 for name, n in contents.items())
            x.append(stol_sq)
            y.append(float(flex.log(flex.double([mean / expected]))[0]))
    fit = flex.linear_regression(x, y)
    return -fit.slope() / 2.0


def amplitudes(data) -> list[list[float]]:
    """h, k, l, I, sigma, F, sigma_F of every n-th reflection, some two hundred, in the usual asymmetric unit."""
    found = french_wilson_scale(data.deep_copy(), log=io.StringIO())
    both = data.common_sets(found)
    step = max(1, both[0].size() // 200)
    rows = []
    for n in range(0, both[0].size(), step):
        h = both[0].indices()[n]
        values = both[0].data()[n], both[0].sigmas()[n], both[1].data()[n], both[1].sigmas()[n]
        rows.append([*h, *(float(f"{value:.6g}") for value in values)])
    return rows


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
        row["straight_b"] = straight_wilson_b(data)
        row["french_wilson"] = amplitudes(data)
        # the L-test of mmtbx stops at negative intensities: it gets the positive ones, and so do we in the comparison
        data = data.select(data.data() > 0)
        normal = absolute_scaling.kernel_normalisation(data, auto_kernel=True).normalised_miller.deep_copy()
        acentric = normal.select_acentric()
        # moments where intensities stand well above their errors
        strong = data.select(data.data() > 0).select(data.data() > 3 * data.sigmas())
        limit = row["moments_d_min"] = 1.5 * float(strong.d_min())
        z = normal.resolution_filter(d_min=limit)
        row["moment_acentric"] = moment(z.select_acentric())
        row["moment_centric"] = moment(z.select_centric())
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
    text = json.dumps(result, indent=1)
    rows = re.compile(r"\[\s+((?:[-\d.e+]+,\s+){6}[-\d.e+]+)\s+\]")
    print(rows.sub(lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text))


main()
