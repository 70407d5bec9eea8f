"""Real data sets by their files alone, and odd files: used, asked about, or refused in plain words."""

from __future__ import annotations

import gzip
from pathlib import Path

import gemmi
import numpy as np
import pytest

from workbench.core.errors import InputError
from workbench.core.settings import DataOptions, RefinementSettings, RunRequest, Scattering
from workbench.io.reflections import read_reflections
from workbench.session.inspection import inspect_files
from workbench.session.run import score_model

# file, reflections, d_min, amplitude, test reflections (None: there is no set); counts of INDEX.md
SETS = [
    ("lyso_c2/moorhen-tutorial-map-number-3.mtz", 10950, 1.76, "F", 485),
    ("mdm2_unfinished/moorhen-tutorial-map-number-2.mtz", 21135, 1.60, "FP", 1065),
    ("mdm2_finished/4hg7-sf.cif", 21135, 1.60, "F_meas_au", 1065),
    ("il1b_1l2h_twin/1l2h.mtz.gz", 31781, 1.54, "IMEAN", 1519),
    ("ptp1b_7rin/7rin_phases.mtz", 41355, 1.85, "FP", 2069),
    ("pep_7n2l_p1/7n2l.mtz", 3437, 0.90, "FOBS", 310),
    ("pep_5e5z/5e5z.mtz", 403, 1.66, "FP", 18),
    ("pep_5wkd/r5wkdsf.ent", 367, 1.80, "F_meas_au", 22),
    ("pep_6mw0/6mw0-sf.cif.gz", 4832, 0.78, "F_meas_au", None),
    ("zdna_1v9g_neutron/1v9g-sf.cif.gz", 2770, 1.60, "F_meas_au", 253),
    ("rnasa/rnasa-1.8-all_refmac1.mtz", 17024, 1.85, "FGMP18", 873),
    ("ca_8ola/8OLA-sf.mtz", 40088, 1.40, "FP", 2005),
    ("baz2b_x828/nt5073v16_xBAZ2BAx8281_free.mtz", 18775, 1.90, "F", 938),
    ("i213_3io0/3io0-sf.mtz", 17475, 3.00, "FOBS", 883),
    ("bgl_4iid/4iid.mtz", 99146, 2.30, "FP", 4949),
    ("rsbs_3zt9/r3zt9sf.ent", 18067, 1.75, "F_meas_au", 922),
    ("gp350_2h6o/2h6o_phases.mtz", 12276, 3.50, "FP", 947),
    ("hewl_ssad/RTSAD_HEWL_refine_25.mtz", 12542, 1.70, "F-obs-filtered(+),F-obs-filtered(-)", 615),
    ("crabp_1cbs/1cbs_map.mtz", 14540, 1.80, "FP", 1479),
    ("fdx_1dur/1dur.mtz", 3197, 2.02, "FP", 271),
    ("fdx_1dur/1dur-sf.cif", 3199, 1.87, "F_meas_au", None),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "count", "d_min", "amplitude", "free"), SETS)
def test_every_data_set_by_its_files_alone(
    shared_data: Path, name: str, count: int, d_min: float, amplitude: str, free: int | None
) -> None:
    data = read_reflections(str(shared_data / name))
    assert (len(data), data.columns.amplitude) == (count, amplitude)
    assert data.d_min == pytest.approx(d_min, abs=0.0051)
    assert (int(data.free.sum()) if data.has_free else None) == free


@pytest.mark.shared_data
def test_mtz_and_mmcif_of_the_same_data_agree(shared_data: Path) -> None:
    one = read_reflections(str(shared_data / "mdm2_unfinished/moorhen-tutorial-map-number-2.mtz"))
    two = read_reflections(str(shared_data / "mdm2_finished/4hg7-sf.cif"))
    assert np.array_equal(one.hkl, two.hkl) and np.array_equal(one.free, two.free)
    # the amplitudes of the MTZ were scaled anisotropically by the program that wrote it
    assert np.corrcoef(one.f_obs, two.f_obs)[0, 1] > 0.999


REFUSED = [
    ("5a3h_sigmaa_garbage_free.mtz", "not flags", "--free"),
    ("2b9r_before_maps_mapcoef_only.mtz", "map coefficients only", "SIGF"),
    ("gere_FREERFLAG_cellB.mtz", "only flags", "--free-file"),
    ("beta.pdb", "is a model", "MTZ"),
    ("toxd_multi_dataset.mtz", "Which one", "--labels"),
    ("gere_w1.sca", "Which space group", "--space-group"),
    ("careless_pyp_off_unmerged.mtz", "unmerged", "--merge"),
    ("insulin_unmerged_cutted_from_ccp4.mtz", "unmerged", "--merge"),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "finding", "remedy"), REFUSED)
def test_odd_data_are_refused_or_asked_about(shared_data: Path, name: str, finding: str, remedy: str) -> None:
    with pytest.raises(InputError) as found:
        read_reflections(str(shared_data / "odd" / name))
    assert name in found.value.file and finding in found.value.message and remedy in found.value.remedy


CHOSEN = [
    ("toxd_multi_dataset.mtz", DataOptions(dataset="DERIV_AU"), "chosen by the user"),
    ("gere_w1.sca", DataOptions(space_group="P 43"), "the user gave"),
    ("careless_pyp_off_unmerged.mtz", DataOptions(merge=True), "as the user asked"),
    ("insulin_unmerged_cutted_from_ccp4.mtz", DataOptions(merge=True), "parts are added up"),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "options", "said"), CHOSEN)
def test_odd_data_are_used_after_the_choice(shared_data: Path, name: str, options: DataOptions, said: str) -> None:
    data = read_reflections(str(shared_data / "odd" / name), options=options)
    assert said in " ".join((*data.notes, data.columns.amplitude_reason))


@pytest.mark.shared_data
def test_flags_from_a_file_of_another_cell(shared_data: Path) -> None:
    odd = shared_data / "odd"
    options = DataOptions(free_file=str(odd / "gere_FREERFLAG_cellB.mtz"))
    data = read_reflections(str(odd / "gere_F_SIGF_cellA.mtz"), options=options)
    assert data.has_free and 0.03 < data.free.mean() < 0.07
    assert any("differs by 1.1 %" in note for note in data.notes)


@pytest.mark.shared_data
def test_neutron_data_are_refined_with_scattering_lengths(shared_data: Path, tmp_path: Path) -> None:
    """zdna_1v9g: R computed by mmtbx with its neutron table is .282/.339 (INDEX.md of the data)."""
    folder = shared_data / "zdna_1v9g_neutron"
    model, data = folder / "1v9g-spk.cif.gz", str(folder / "1v9g-sf.cif.gz")

    def scored(path: Path, scattering: Scattering = "auto") -> tuple[float, float]:
        settings = RefinementSettings(hydrogens="keep", scattering=scattering)
        _, cycle = score_model(RunRequest(str(path), data, settings=settings))
        return cycle.statistics.r_work, cycle.statistics.r_free

    r_work, r_free = scored(model)
    assert r_work == pytest.approx(0.282, abs=0.006) and r_free == pytest.approx(0.339, abs=0.006)
    assert scored(model, "x-ray")[0] > r_work + 0.08
    # H and D are told apart: with every D as H the model fits as badly as one of X-rays
    text = gzip.decompress(model.read_bytes()).decode()
    block = gemmi.cif.read_string(text).sole_block()
    symbols = block.find_values("_atom_site.type_symbol")
    for row in range(len(symbols)):
        if symbols[row] == "D":
            symbols[row] = "H"
    light = tmp_path / "light.cif"
    light.write_text(block.as_string())
    assert scored(light)[0] > r_work + 0.05


@pytest.mark.shared_data
def test_the_twin_is_seen_and_untwinned_data_are_not_accused(shared_data: Path) -> None:
    twin = inspect_files(str(shared_data / "il1b_1l2h_twin/1l2h.mtz.gz")).report
    item = next(item for item in twin.items if item.name == "Twinning")
    assert item.light == "red" and item.values["law"] == "h,-k,-l"
    for name in ("rnasa/rnasa-1.8-all_refmac1.mtz", "mdm2_finished/4hg7-sf.cif"):
        other = inspect_files(str(shared_data / name)).report
        assert next(item for item in other.items if item.name == "Twinning").light == "green"
