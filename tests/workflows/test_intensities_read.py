"""Intensities are kept beside the amplitudes, whatever the format, negative ones included."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pytest

from workbench.core.crystal import Crystal, Reflections
from workbench.core.settings import DataOptions
from workbench.io.reflections import read_reflections

CRYSTAL = Crystal((31.0, 42.0, 53.0, 90.0, 90.0, 90.0), "P 21 21 21")


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """hkl, I and sigma of a crystal of random atoms; a tenth of the measurements below zero."""
    rng = np.random.default_rng(5)
    cell, group = gemmi.UnitCell(*CRYSTAL.cell), gemmi.SpaceGroup(CRYSTAL.space_group)
    hkl = gemmi.make_miller_array(cell, group, 2.5, 20.0, True).astype(np.int32)
    hkl = hkl[~group.operations().systematic_absences(hkl)]
    true = 300.0 * rng.exponential(size=len(hkl)) * np.exp(-8.0 * cell.calculate_1_d2_array(hkl))
    sigma = np.round(rng.uniform(8.0, 25.0, len(hkl)), 1)
    i_obs = np.round(true + sigma * rng.normal(size=len(hkl)), 1)
    i_obs = np.maximum(i_obs, np.round(-3.9 * sigma, 1))
    return hkl, i_obs, sigma


def written_mtz(path: Path, hkl: np.ndarray, columns: list[tuple[str, str, np.ndarray]]) -> str:
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = gemmi.SpaceGroup(CRYSTAL.space_group)
    mtz.set_cell_for_all(gemmi.UnitCell(*CRYSTAL.cell))
    mtz.add_dataset("made")
    for label, kind, _ in columns:
        mtz.add_column(label, kind)
    mtz.set_data(np.column_stack([hkl, *(values for _, _, values in columns)]).astype(np.float32))
    mtz.write_to_file(str(path))
    return str(path)


def by_index(data: Reflections) -> dict[tuple[int, ...], tuple[float, float, float]]:
    assert data.intensity is not None and data.sigma_intensity is not None
    rows = zip(data.hkl.tolist(), data.intensity, data.sigma_intensity, data.f_obs, strict=True)
    return {tuple(index): (float(i), float(s), float(f)) for index, i, s, f in rows}


def check(data: Reflections, drawn: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    found = by_index(data)
    assert len(found) == len(drawn[0])
    for index, i, s in zip(drawn[0].tolist(), drawn[1], drawn[2], strict=True):
        assert found[tuple(index)][:2] == pytest.approx((i, s), rel=2e-5, abs=1e-4)
    assert sum(i < 0.0 for i, _, _ in found.values()) > 50
    assert all(f > 0.0 for _, _, f in found.values())


def test_mtz(drawn: tuple[np.ndarray, ...], tmp_path: Path) -> None:
    hkl, i_obs, sigma = drawn
    order = np.random.default_rng(0).permutation(len(hkl))
    path = written_mtz(tmp_path / "a.mtz", hkl[order], [("IMEAN", "J", i_obs[order]), ("SIGIMEAN", "Q", sigma[order])])
    check(read_reflections(path), drawn)


def test_friedel_mates(drawn: tuple[np.ndarray, ...], tmp_path: Path) -> None:
    hkl, i_obs, sigma = drawn
    error = sigma * np.sqrt(2.0)
    centric = gemmi.SpaceGroup(CRYSTAL.space_group).operations().centric_flag_array(hkl)
    error = np.where(centric, sigma, error)
    path = written_mtz(
        tmp_path / "a.mtz",
        hkl,
        [("I(+)", "K", i_obs), ("SIGI(+)", "M", error), ("I(-)", "K", i_obs), ("SIGI(-)", "M", error)],
    )
    check(read_reflections(path), drawn)


def test_shelx_and_xds_and_mmcif(drawn: tuple[np.ndarray, ...], tmp_path: Path) -> None:
    hkl, i_obs, sigma = drawn
    rows = list(zip(hkl.tolist(), i_obs, sigma, strict=True))
    shelx = tmp_path / "a.hkl"
    shelx.write_text("".join(f"{h:4d}{k:4d}{m:4d}{i:8.1f}{s:8.1f}\n" for (h, k, m), i, s in rows))
    check(read_reflections(str(shelx), model_crystal=CRYSTAL), drawn)
    xds = tmp_path / "XDS_ASCII.HKL"
    header = (
        "!FORMAT=XDS_ASCII    MERGE=FALSE    FRIEDEL'S_LAW=TRUE\n!SPACE_GROUP_NUMBER=   19\n"
        f"!UNIT_CELL_CONSTANTS= {' '.join(str(x) for x in CRYSTAL.cell)}\n"
        "!NUMBER_OF_ITEMS_IN_EACH_DATA_RECORD=5\n!ITEM_H=1\n!ITEM_K=2\n!ITEM_L=3\n!ITEM_IOBS=4\n!ITEM_SIGMA(IOBS)=5\n"
        "!END_OF_HEADER\n"
    )
    # each measured twice, the second time as a symmetry mate: the mean has 1 / sqrt 2 of the sigma
    lines = [f"{sign * h} {sign * k} {m} {i:.1f} {s * 2**0.5:.6f}\n" for (h, k, m), i, s in rows for sign in (1, -1)]
    xds.write_text(header + "".join(lines) + "!END_OF_DATA\n")
    merged = read_reflections(str(xds))
    check(merged, drawn)
    assert any("merged into" in note for note in merged.notes)
    cif = tmp_path / "a-sf.cif"
    a, b, c, *_ = CRYSTAL.cell
    cif.write_text(
        f"data_r1\n_cell.length_a {a}\n_cell.length_b {b}\n_cell.length_c {c}\n_cell.angle_alpha 90\n"
        "_cell.angle_beta 90\n_cell.angle_gamma 90\n_symmetry.space_group_name_H-M 'P 21 21 21'\nloop_\n"
        "_refln.index_h\n_refln.index_k\n_refln.index_l\n_refln.intensity_meas\n_refln.intensity_sigma\n"
        + "".join(f"{h} {k} {m} {i:.1f} {s:.1f}\n" for (h, k, m), i, s in rows)
    )
    check(read_reflections(str(cif)), drawn)


def test_unmerged_observations(drawn: tuple[np.ndarray, ...], tmp_path: Path) -> None:
    hkl, i_obs, sigma = drawn
    twice = np.concatenate([hkl, hkl])
    shift = 0.5 * sigma
    path = written_mtz(
        tmp_path / "a.mtz",
        twice,
        [
            ("I", "J", np.concatenate([i_obs + shift, i_obs - shift])),
            ("SIGI", "Q", np.concatenate([sigma, sigma]) * np.sqrt(2.0)),
        ],
    )
    check(read_reflections(path, options=DataOptions(merge=True)), drawn)


def test_intensities_are_brought_to_the_scale_of_the_amplitudes(drawn: tuple[np.ndarray, ...], tmp_path: Path) -> None:
    hkl, i_obs, sigma = drawn
    plain = read_reflections(written_mtz(tmp_path / "a.mtz", hkl, [("I", "J", i_obs), ("SIGI", "Q", sigma)]))
    place = {tuple(index): row for row, index in enumerate(plain.hkl.tolist())}
    rows = np.array([place[tuple(index)] for index in hkl.tolist()])
    f, sigma_f = plain.f_obs[rows], plain.sigma[rows]
    both = [("F", "F", f), ("SIGF", "Q", sigma_f), ("I", "J", 40.0 * i_obs), ("SIGI", "Q", 40.0 * sigma)]
    data = read_reflections(written_mtz(tmp_path / "b.mtz", hkl, both))
    assert data.columns.amplitude == "F"
    assert data.intensity is not None and plain.intensity is not None
    strong = plain.intensity > 100.0
    scale = np.median(data.intensity[strong] / plain.intensity[strong])
    assert scale == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(data.intensity, scale * plain.intensity, rtol=1e-4, atol=1e-2)


def test_a_reflection_without_intensity_has_none(drawn: tuple[np.ndarray, ...], tmp_path: Path) -> None:
    hkl, i_obs, sigma = drawn
    plain = read_reflections(written_mtz(tmp_path / "a.mtz", hkl, [("I", "J", i_obs), ("SIGI", "Q", sigma)]))
    lost = np.arange(len(plain)) % 10 == 0
    i, s = plain.intensity, plain.sigma_intensity
    assert i is not None and s is not None
    columns = [
        ("F", "F", plain.f_obs),
        ("SIGF", "Q", plain.sigma),
        ("I", "J", np.where(lost, np.nan, i)),
        ("SIGI", "Q", np.where(lost, np.nan, s)),
    ]
    data = read_reflections(written_mtz(tmp_path / "b.mtz", plain.hkl, columns))
    assert len(data) == len(plain)
    assert data.intensity is not None
    assert np.array_equal(np.isnan(data.intensity), lost)


def test_intensities_of_another_measurement_are_not_taken(drawn: tuple[np.ndarray, ...], tmp_path: Path) -> None:
    hkl, i_obs, sigma = drawn
    plain = read_reflections(written_mtz(tmp_path / "a.mtz", hkl, [("I", "J", i_obs), ("SIGI", "Q", sigma)]))
    other = np.random.default_rng(1).permutation(i_obs)
    columns = [
        ("F", "F", plain.f_obs),
        ("SIGF", "Q", plain.sigma),
        ("I", "J", np.abs(other) + 1.0),
        ("SIGI", "Q", np.full(len(hkl), 1.0)),
    ]
    data = read_reflections(written_mtz(tmp_path / "b.mtz", plain.hkl, columns))
    assert data.intensity is None
    assert any("not what the amplitudes come from" in note for note in data.notes)


def test_amplitudes_alone_bring_none(drawn: tuple[np.ndarray, ...], tmp_path: Path) -> None:
    hkl, i_obs, _ = drawn
    f = np.sqrt(np.abs(i_obs) + 1.0)
    data = read_reflections(written_mtz(tmp_path / "a.mtz", hkl, [("F", "F", f), ("SIGF", "Q", 0.1 * f)]))
    assert data.intensity is None and data.sigma_intensity is None


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "count", "negative"),
    [
        ("il1b_1l2h_twin/1l2h.mtz.gz", 31781, 448),
        ("baz2b_x828/nt5073v16_xBAZ2BAx8281_free.mtz", 18775, 896),
        ("i213_3io0/3io0-sf.mtz", 17475, 256),
        ("hewl_ssad/RTSAD_HEWL_refine_25.mtz", 12542, 15),
        ("gamma/merged_intensities_native.mtz", 11908, 178),
        ("pep_7n2l_p1/7n2l.mtz", 3437, 16),
        ("pep_6mw0/6mw0-sf.cif.gz", 4832, 304),
    ],
)
def test_real_files(shared_data: Path, name: str, count: int, negative: int) -> None:
    """hewl_ssad keeps amplitudes and intensities in two data sets, as Phenix writes them."""
    data = read_reflections(str(shared_data / name))
    assert data.intensity is not None and data.sigma_intensity is not None
    known = np.isfinite(data.intensity)
    assert (int(known.sum()), int((data.intensity[known] < 0.0).sum())) == (count, negative)
    strong = known & (data.intensity > 10.0 * data.sigma_intensity)
    assert np.median(data.intensity[strong] / data.f_obs[strong] ** 2) == pytest.approx(1.0, abs=0.02)
