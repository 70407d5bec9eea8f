"""What is drawn of a model: secondary structure, ribbon, symmetry, ellipsoids, bonds, colours, places, measurements."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from tests.gui.test_viewport import BOX, bonds, tiny_model
from workbench.core.crystal import Crystal, Model
from workbench.core.errors import SettingsError
from workbench.io.models import read_model
from workbench.view.atoms import STYLES, build_sticks, hydrogen_atoms, residue_kinds
from workbench.view.bonds import bonds_by_distance
from workbench.view.camera import Camera
from workbench.view.colouring import COLOURINGS, AtomValues, atom_colours, glow_of, legend
from workbench.view.colours import luminance, scene_colours
from workbench.view.density import orthogonalisation
from workbench.view.ellipsoids import HALF, principal_axes
from workbench.view.framing import framed, place_named
from workbench.view.measure import measured, words
from workbench.view.renderer import CHOSEN, MATES, SELECTION
from workbench.view.ribbon import Mesh, ribbon
from workbench.view.scene import Scene, SceneOptions
from workbench.view.secondary_structure import secondary_structure
from workbench.view.symmetry import axis_letters, cell_edges, mates_near

COLOURS = scene_colours()


@pytest.fixture(scope="module")
def lysozyme(examples: Path) -> Model:
    return read_model(str(examples / "lyso_c2" / "lyso_c2.pdb.gz"))


def test_secondary_structure_of_lysozyme(lysozyme: Model) -> None:
    """Helices and sheet of hen lysozyme as in the header of its search model, PDB entry 3LZT."""
    found = secondary_structure(lysozyme, lysozyme.xyz)
    number = lysozyme.residues.number
    for first, last in ((5, 14), (25, 35), (89, 99), (109, 114)):
        inside = (number >= first + 1) & (number <= last - 1) & (lysozyme.residues.kind == "protein")
        assert (found[inside] == "H").mean() > 0.85, (first, last)
    for first, last in ((43, 45), (51, 53)):
        inside = (number >= first) & (number <= last) & (lysozyme.residues.kind == "protein")
        assert (found[inside] == "E").all(), (first, last)
    loop = (number >= 67) & (number <= 72)
    assert (found[loop] != "H").all()
    moved = secondary_structure(lysozyme, lysozyme.xyz @ _rotation().T + 7.0)
    assert (moved == found).all()


def _rotation() -> np.ndarray:
    q, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


def test_ribbon_is_closed_smooth_and_near_the_chain(lysozyme: Model) -> None:
    mesh = ribbon(lysozyme, lysozyme.xyz, secondary_structure(lysozyme, lysozyme.xyz))
    assert len(mesh.vertices) == len(mesh.normals) == len(mesh.atom)
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1.0, abs=1e-4)
    assert mesh.triangles.min() == 0 and mesh.triangles.max() == len(mesh.vertices) - 1
    distance = np.linalg.norm(mesh.vertices - lysozyme.xyz[mesh.atom], axis=1)
    assert distance.max() < 4.5
    assert set(lysozyme.atom_name[np.unique(mesh.atom)]) == {"CA"}
    # Closed: every edge of the welded mesh is shared by two triangles.
    _, weld = np.unique(np.round(mesh.vertices, 4), axis=0, return_inverse=True)
    t = weld[mesh.triangles].reshape(-1, 3)
    edges = np.sort(np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts == 2).all()
    # Outward: the normals agree with the winding.
    a, b, c = (mesh.vertices[mesh.triangles[:, k]].astype(float) for k in range(3))
    face = np.cross(b - a, c - a)
    agree = np.einsum("ij,ij->i", face, mesh.normals[mesh.triangles].mean(axis=1)) > 0
    assert max(agree.mean(), 1 - agree.mean()) > 0.97


@pytest.mark.parametrize(
    "crystal",
    [
        Crystal((31.0, 36.0, 27.0, 90.0, 103.0, 90.0), "P 1 21 1"),
        Crystal((40.0, 31.0, 35.0, 90.0, 103.0, 90.0), "C 1 2 1"),
        Crystal((40.0, 40.0, 62.0, 90.0, 90.0, 120.0), "P 65 2 2"),
        Crystal((21.0, 24.0, 27.0, 80.0, 95.0, 100.0), "P 1"),
    ],
    ids=lambda crystal: crystal.space_group,
)
def test_symmetry_mates_are_those_of_gemmi(crystal: Crystal) -> None:
    """Every copy of an atom near a point, against gemmi's neighbour search."""
    rng = np.random.default_rng(5)
    xyz = (orthogonalisation(crystal) @ rng.random((3, 12))).T
    residue = np.arange(len(xyz), dtype=np.int32)
    centre, radius = orthogonalisation(crystal) @ np.array([0.9, 0.1, -0.3]), 14.0
    ours = []
    for mate in mates_near(crystal, xyz, residue, centre, radius):
        places = mate.moved(xyz)
        assert mate.near[np.linalg.norm(places - centre, axis=1) <= radius - 1e-6].all()
        ours += places[np.linalg.norm(places - centre, axis=1) <= radius].tolist()
        op = gemmi.Op(mate.name)
        frac = np.linalg.inv(orthogonalisation(crystal)) @ xyz[0]
        assert orthogonalisation(crystal) @ op.apply_to_xyz(frac.tolist()) == pytest.approx(places[0], abs=1e-6)
    ours += xyz[np.linalg.norm(xyz - centre, axis=1) <= radius].tolist()
    cell, frac_matrix = gemmi.UnitCell(*crystal.cell), np.linalg.inv(orthogonalisation(crystal))
    expected = []
    for op in gemmi.SpaceGroup(crystal.space_group).operations():
        images = np.array([op.apply_to_xyz(list(frac_matrix @ p)) for p in xyz])
        for shift in np.ndindex(9, 9, 9):
            places = (images + np.array(shift) - 4.0) @ orthogonalisation(crystal).T
            expected += places[np.linalg.norm(places - centre, axis=1) <= radius].tolist()
    assert cell.volume > 0 and len(expected) > 5
    assert len(ours) == len(expected)
    order = [np.lexsort(np.round(np.array(points), 4).T) for points in (ours, expected)]
    assert np.array(ours)[order[0]] == pytest.approx(np.array(expected)[order[1]], abs=1e-5)


def test_cell_has_twelve_edges() -> None:
    edges = cell_edges(Crystal((10.0, 20.0, 30.0, 80.0, 95.0, 100.0), "P 1"))
    lengths = np.sort(np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1))
    assert lengths == pytest.approx([10.0] * 4 + [20.0] * 4 + [30.0] * 4, abs=1e-4)
    assert len(np.unique(np.round(edges.reshape(-1, 3), 3), axis=0)) == 8


def test_letters_of_the_axes_stand_behind_their_ends_and_face_the_eye() -> None:
    crystal = Crystal((10.0, 20.0, 30.0, 80.0, 95.0, 100.0), "P 1")
    camera = Camera().rotated(0.7, -0.4, 0.2)
    letters = axis_letters(crystal, camera.rotation, 1.5).astype(np.float64)
    ends = orthogonalisation(crystal).T
    nearest = np.argmin(np.linalg.norm(letters.mean(axis=1)[:, None] - ends, axis=2), axis=1)
    assert set(nearest.tolist()) == {0, 1, 2}
    for k, end in enumerate(ends):
        points = letters[nearest == k].reshape(-1, 3)
        assert np.ptp(points @ camera.rotation[2]) < 1e-4  # flat, towards the eye
        height, width = np.ptp(points @ camera.rotation[1]), np.ptp(points @ camera.rotation[0])
        assert height == pytest.approx(1.5 if k == 1 else 0.9, abs=0.1) and width < 1.0
        beyond = (points.mean(axis=0) - end) @ end / np.linalg.norm(end)
        assert 0.5 < beyond < 2.5
    assert len(axis_letters(Crystal((1.0, 1.0, 1.0, 90.0, 90.0, 90.0), ""), np.eye(3), 1.0)) == 0  # type: ignore[arg-type]


def test_mates_of_a_ribbon_are_ribbons(lysozyme: Model) -> None:
    """Each mate's ribbon is the model's own, moved by its operator, as far as its residues are near."""
    scene = Scene(lysozyme, bonds_by_distance(lysozyme), scene_colours(), SceneOptions("ribbon", symmetry=True))
    centre = lysozyme.xyz[lysozyme.atom_name == "CA"][20]
    assert scene.follow(centre) and scene.mates
    renderer = Recorder()
    scene.give_mates(renderer)  # type: ignore[arg-type]
    mesh, colours = renderer.ribbons[MATES]
    assert len(mesh.vertices) == len(colours) > 1000 and mesh.triangles.max() < len(mesh.vertices)
    assert (colours[:, 3] <= 150).all()  # dimmed
    ca = np.concatenate([mate.moved(lysozyme.xyz[mate.near & (lysozyme.atom_name == "CA")]) for mate in scene.mates])
    distance = cKDTree(ca).query(mesh.vertices)[0]
    assert distance.max() < 4.0
    # Of the polymer nothing is left as sticks.
    ends = renderer.rods[MATES].reshape(-1, 3) if MATES in renderer.rods else np.empty((0, 3))
    protein = np.concatenate([mate.moved(lysozyme.xyz[residue_kinds(lysozyme) == "protein"]) for mate in scene.mates])
    assert not len(ends) or cKDTree(protein).query(ends)[0].min() > 0.5


def test_mates_of_ellipsoids_are_ellipsoids(lysozyme: Model) -> None:
    """Each is that of its atom, moved and turned by the operator: its tensor is R U R^T."""
    scene = Scene(lysozyme, bonds_by_distance(lysozyme), scene_colours(), SceneOptions("ellipsoids", symmetry=True))
    rng = np.random.default_rng(1)
    shape = rng.normal(0.0, 0.2, (len(lysozyme), 3, 3))
    tensors = shape @ shape.transpose(0, 2, 1) + 0.05 * np.eye(3)
    six = np.stack([tensors[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))], axis=1)
    scene.state = replace(scene.state, u_aniso=six)
    assert scene.follow(lysozyme.xyz[lysozyme.atom_name == "CA"][20]) and scene.mates
    renderer = Recorder()
    scene.give_mates(renderer)  # type: ignore[arg-type]
    middles, axes, colours = renderer.ellipsoids[MATES]
    assert len(middles) == len(axes) == len(colours) > 50 and (colours[:, 3] <= 150).all()
    row = 0
    for mate in scene.mates:
        for atom in np.flatnonzero(mate.near & scene.shown & ~hydrogen_atoms(lysozyme)):
            assert middles[row] == pytest.approx(mate.moved(lysozyme.xyz[atom]))
            found = axes[row].T @ axes[row] / HALF**2
            assert found == pytest.approx(mate.rotation @ tensors[atom] @ mate.rotation.T, abs=1e-4)
            row += 1
    assert row == len(middles)
    assert len(renderer.rods[MATES]) > 50, "and rods between them"


class Recorder:
    """Stands in for the renderer and keeps what it is given."""

    def __init__(self) -> None:
        self.ribbons: dict[str, tuple[Mesh, np.ndarray]] = {}
        self.rods: dict[str, np.ndarray] = {}
        self.ellipsoids: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def set_ellipsoids(self, middles: np.ndarray, axes: np.ndarray, colours: np.ndarray, group: str) -> None:
        self.ellipsoids[group] = middles, axes, colours

    def set_ribbon(self, mesh: Mesh, colours: np.ndarray, group: str) -> None:
        self.ribbons[group] = mesh, colours

    def set_sticks(self, positions: np.ndarray, style: np.ndarray, group: str) -> None:
        self.rods[group] = positions


def test_sugars_of_a_nucleic_ribbon_are_whole_rings() -> None:
    names = ["P", "O5'", "C5'", "C4'", "O4'", "C3'", "O3'", "C2'", "C1'", "N9", "C8"]
    angle = np.arange(len(names)) * 0.5
    model = tiny_model([(2 * np.cos(t), 2 * np.sin(t), t) for t in angle], [n[0] for n in names], kinds=["nucleic"])
    model = replace(model, atom_name=np.array(names))
    pairs = [("C4'", "O4'"), ("C4'", "C3'"), ("C3'", "C2'"), ("C2'", "C1'"), ("C1'", "O4'"), ("C1'", "N9")]
    pairs += [("N9", "C8"), ("C3'", "O3'"), ("C4'", "C5'"), ("C5'", "O5'"), ("P", "O5'")]
    joined = np.array([[names.index(a), names.index(b)] for a, b in pairs], dtype=np.int32)
    sticks = build_sticks(model, joined, np.zeros((len(names), 4), dtype=np.uint8), "ribbon")
    drawn = {(names[a], names[b]) for a, b in sticks.ends.tolist() if a != b}
    assert drawn == set(pairs[:7])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.02, 0.5), min_size=3, max_size=3), st.integers(0, 1000))
def test_ellipsoids_are_those_of_the_tensor(values: list[float], seed: int) -> None:
    """x^T U^-1 x = HALF^2 at the ends of the axes, in any orientation; half of the probability lies inside."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    tensor = q @ np.diag(values) @ q.T
    u = np.array([[tensor[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]])
    (axes,) = principal_axes(np.zeros(1), u, np.array([True]))
    for axis in axes.astype(float):
        assert axis @ np.linalg.solve(tensor, axis) == pytest.approx(HALF**2, rel=1e-3)
    cloud = np.random.default_rng(1).normal(size=(20_000, 3))
    assert (np.linalg.norm(cloud, axis=1) < HALF).mean() == pytest.approx(0.5, abs=0.02)


def test_ellipsoids_of_bad_tensors_are_drawable() -> None:
    u = np.array([[-1.0, 0.1, 0.1, 0, 0, 0], [np.nan] * 6, [90.0, 0.1, 0.1, 0, 0, 0]])
    axes = principal_axes(np.full(3, 20.0), u, np.ones(3, dtype=bool))
    assert np.isfinite(axes).all() and np.linalg.norm(axes, axis=2).max() < 2.0


def test_bonds_by_distance_equal_those_of_the_dictionary(lysozyme: Model) -> None:
    """Hen lysozyme: every residue bonded inside, a whole chain, three disulphides (the fourth ends in
    a residue that this model lacks), no water bonded."""
    found = bonds_by_distance(lysozyme)
    kind = lysozyme.residues.kind[lysozyme.residue]
    assert not np.isin(kind[found], ["water", "ion"]).any()
    apart = lysozyme.residue[found[:, 0]] != lysozyme.residue[found[:, 1]]
    names = {frozenset(pair) for pair in lysozyme.atom_name[found[apart]].tolist()}
    assert names == {frozenset(("C", "N")), frozenset(("SG",))}
    sulphur = (lysozyme.atom_name[found[apart]] == "SG").all(axis=1).sum()
    assert sulphur == 3
    protein = np.flatnonzero(lysozyme.residues.kind == "protein")
    assert apart.sum() - sulphur == len(protein) - 1


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("by", COLOURINGS)
def test_every_style_and_colouring_of_difficult_models(style: str, by: str) -> None:
    nothing = Model(**{**vars(tiny_model([(0, 0, 0)], ["C"])), **_empty()})
    broken = tiny_model([(np.nan, 0, 0), (1.2, 0, 0), (0, 0, np.inf)], ["C", "N", "XX"], residue=[0, 1, 2])
    single = tiny_model([(0, 0, 0)], ["FE"], kinds=["ion"])
    for model, pairs in ((nothing, bonds()), (single, bonds()), (broken, bonds((0, 1), (1, 2)))):
        scene = Scene(model, pairs, COLOURS, SceneOptions(style, by, symmetry=True, cell=True, glow=True))  # type: ignore[arg-type]
        scene.follow(np.zeros(3))
        scene.move(scene.state)
        scene.select(0)
        xyz, shown, atom, mate = scene.pickable()
        assert len(xyz) == len(shown) == len(atom) == len(mate)
        assert np.isfinite(scene.sticks.positions(scene.xyz)).all()


@pytest.mark.parametrize("style", STYLES)
def test_the_selected_residue_is_drawn_in_every_style(lysozyme: Model, style: str) -> None:
    """Its rods carry the rim, also where the chain is drawn as a trace or ribbon, and its atoms can be picked."""
    scene = Scene(lysozyme, bonds_by_distance(lysozyme), COLOURS, SceneOptions(style))  # type: ignore[arg-type]
    row = int(np.flatnonzero(lysozyme.residues.name == "TRP")[0])
    own = np.flatnonzero(lysozyme.residue == row)
    scene.select(row)
    assert scene.selection is not None
    assert set(scene.selection.ends.ravel().tolist()) == set(own.tolist())
    assert scene.pickable()[1][own].all()
    scene.move(replace(scene.state, xyz=scene.state.xyz + 1.0))
    assert np.allclose(scene.selection.positions(scene.xyz)[0, :3], scene.xyz[scene.selection.ends[0, 0]], atol=1e-4)
    given = Recorder()
    scene.give_selection(given)  # type: ignore[arg-type]
    more = len(scene.selection.ends) if style in ("trace", "ribbon") else 0
    assert [len(given.rods[group]) for group in (SELECTION, CHOSEN)] == [len(scene.selection.ends), more]
    shown = scene.shown.copy()
    scene.select(None)
    assert scene.selection is None and (scene.pickable()[1] == shown).all()


def _empty() -> dict[str, object]:
    model = tiny_model([(0, 0, 0)], ["C"])
    no_atoms = {name: value[:0] for name, value in vars(model).items() if isinstance(value, np.ndarray)}
    rows = type(model.residues)(**{name: value[:0] for name, value in vars(model.residues).items()})
    return {**no_atoms, "residues": rows}


def test_ramps_are_read_by_lightness() -> None:
    """From low to high the ramps go one way in lightness, for eyes that do not tell hues apart."""
    for ground in ("#101216", "#FAFBFC"):
        light = [luminance(colour) for colour in scene_colours(ground).ramp]
        assert (np.diff(light) > 0).all()
    for by in ("b", "shift", "fit"):
        row = legend(by, COLOURS)  # type: ignore[arg-type]
        assert row is not None and row.low and row.high
    assert legend("chain", COLOURS) is None


def test_values_become_colours() -> None:
    model = tiny_model([(0, 0, 0), (5, 0, 0), (9, 0, 0)], ["C", "N", "O"], residue=[0, 1, 2])
    values = AtomValues(
        np.array(["H", "E", ""]),
        np.array([10.0, 45.0, 500.0]),
        np.array([0.0, 0.5, 9.0]),
        np.array([0.99, 0.7, np.nan]),
    )
    low, high = (np.round(255 * np.array(COLOURS.ramp[k])) for k in (0, -1))
    by_b = atom_colours(model, "b", COLOURS, values)
    assert (by_b[0, :3] == low).all() and (by_b[2, :3] == high).all()
    by_fit = atom_colours(model, "fit", COLOURS, values)
    assert (by_fit[0, :3] == low).all() and by_fit[1, 0] > by_fit[0, 0]
    assert (by_fit[2, :3] == np.round(255 * np.array(COLOURS.other_element))).all()
    assert glow_of(np.array([0.0, 0.15, 5.0, np.nan])).tolist() == [0, 128, 255, 0]


def test_atoms_that_move_glow_and_stop_glowing() -> None:
    model = tiny_model([(0, 0, 0), (5, 0, 0)], ["C", "N"])
    scene = Scene(model, bonds((0, 1)), COLOURS, SceneOptions(glow=True))
    from dataclasses import replace

    state = replace(scene.state, xyz=scene.xyz + np.array([[0.4, 0, 0], [0, 0, 0]]))
    assert scene.move(state)
    assert scene.sticks.style["glow"][0, :2].tolist() == [255, 0]
    for _ in range(3):
        scene.move(state)
    assert not scene.sticks.style["glow"].any()


def test_places_by_name(lysozyme: Model) -> None:
    point, row = place_named(lysozyme, "A/63")
    assert row is not None and lysozyme.residues.label(row) == "A 63 TRP"
    atom, _ = place_named(lysozyme, "A/63/NE1")
    index = np.flatnonzero((lysozyme.residue == row) & (lysozyme.atom_name == "NE1"))[0]
    assert atom == pytest.approx(lysozyme.xyz[index])
    assert place_named(lysozyme, "A 63")[1] == place_named(lysozyme, "/63")[1] == row
    assert place_named(lysozyme, "1.5,-2,3e1")[0] == pytest.approx([1.5, -2.0, 30.0])
    assert np.linalg.norm(point - atom) < 8.0
    for wrong in ("A/999", "Q/63", "A/63/ZZ", "XYZ", "1,2,nan", ""):
        with pytest.raises(SettingsError, match=r"model|atom"):
            place_named(lysozyme, wrong)


def test_everything_is_in_the_frame(lysozyme: Model) -> None:
    from workbench.view.camera import Camera

    camera = framed(Camera().rotated(0.4, 1.1), lysozyme.xyz, 4 / 3)
    at = camera.project(lysozyme.xyz, 400, 300)
    assert at[:, 0].min() > 0 and at[:, 0].max() < 400 and at[:, 1].min() > 0 and at[:, 1].max() < 300
    assert at[:, 2].max() < camera.near and at[:, 2].min() > camera.far


def test_focus_moves_the_slab_and_going_elsewhere_resets_it() -> None:
    from workbench.view.camera import Camera

    camera = Camera(front=3.0, back=4.0).focused(5.0)
    assert (camera.near, camera.far, camera.slab) == (8.0, 1.0, 7.0)
    assert camera.focal_point == pytest.approx([0.0, 0.0, 5.0])
    assert camera.rotated(np.pi / 2, 0.0).focal_point == pytest.approx(5.0 * camera.rotated(np.pi / 2, 0.0).rotation[2])
    assert camera.centred(np.ones(3)).focus == 0.0


def test_measures_by_hand() -> None:
    square = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    assert measured(square[:2]) == pytest.approx(1.0)
    assert measured(square[:3]) == pytest.approx(90.0)
    p = [gemmi.Position(*row) for row in square]
    assert measured(square) == pytest.approx(np.degrees(gemmi.calculate_dihedral(*p)))
    turned = np.concatenate([square[:3], [[0.0, 1.0, -1.0]]])
    assert {words(square), words(turned)} == {"90.0\u00b0", "\u221290.0\u00b0"}
    with pytest.raises(ValueError, match="5 points"):
        measured(np.zeros((5, 3)))


def test_sticks_of_a_trace_join_neighbours_only(lysozyme: Model) -> None:
    palette = np.zeros((len(lysozyme), 4), dtype=np.uint8)
    sticks = build_sticks(lysozyme, bonds_by_distance(lysozyme), palette, "trace")
    pairs = sticks.ends[sticks.ends[:, 0] != sticks.ends[:, 1]]
    ca = (lysozyme.atom_name[pairs] == "CA").all(axis=1)
    assert ca.sum() == (lysozyme.residues.kind == "protein").sum() - 1
    length = np.linalg.norm(np.diff(lysozyme.xyz[pairs[ca]], axis=1)[:, 0], axis=1)
    assert length.max() < 4.2
    assert BOX.space_group == "P 1"


def test_an_atom_far_away_does_not_send_the_search_through_the_whole_crystal() -> None:
    """Copies are looked for around the model, not around a stray atom 10000 A away (which took minutes)."""
    crystal = Crystal((40.0, 42.0, 44.0, 90.0, 90.0, 90.0), "P 21 21 21")
    xyz = np.random.default_rng(3).uniform(0.0, 30.0, (200, 3))
    stray = np.concatenate([xyz, [[9990.0, 0.0, 0.0]]])
    centre = xyz.mean(axis=0)
    residue = np.arange(201, dtype=np.int32)
    usual = mates_near(crystal, xyz, residue[:200], centre, 15.0)
    with_stray = mates_near(crystal, stray, residue, centre, 15.0)
    assert usual and [mate.name for mate in with_stray] == [mate.name for mate in usual]


@pytest.mark.parametrize("cell", [(1.0, 1.0, 1.0, 90.0, 90.0, 90.0), (0.0,) * 6])
def test_a_model_without_a_cell_has_no_mates_and_no_edges(cell: tuple[float, ...]) -> None:
    crystal = Crystal(cell, "")  # type: ignore[arg-type]
    xyz = np.random.default_rng(3).uniform(0.0, 30.0, (20, 3))
    assert mates_near(crystal, xyz, np.zeros(20, dtype=np.int32), xyz[0], 15.0) == []
    assert len(cell_edges(crystal)) == 0
