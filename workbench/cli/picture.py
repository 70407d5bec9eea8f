"""workbench picture: the scene of the window as a PNG file, without a window or a display."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.options import Parser
from workbench.core.errors import InputError, SettingsError

if TYPE_CHECKING:
    from workbench.core.arrays import FloatArray, IntArray
    from workbench.core.crystal import Model
    from workbench.core.events import CycleFinished, Prepared
    from workbench.view.atoms import Style
    from workbench.view.camera import Camera
    from workbench.view.colouring import ColourBy
    from workbench.view.maps import MapSet

STYLES = ("sticks", "balls", "trace", "ribbon", "ellipsoids")
COLOURINGS = ("element", "chain", "structure", "b", "fit")
LARGEST = 8192


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="workbench picture",
        description="Draw MODEL, with the maps of DATA (2mFo-DFc and mFo-DFc of the model as it is) or with a MAP"
        " (CCP4, MRC, or MTZ with map coefficients), as a PNG. No display is needed.",
    )
    made.add_argument("model", metavar="MODEL", help="model, PDB or mmCIF (plain or .gz)")
    made.add_argument("map", metavar="DATA|MAP", nargs="?", help="reflections, or a map or map coefficients")
    made.add_argument("--output", metavar="FILE", default="picture.png", help="PNG to write (default picture.png)")
    made.add_argument(
        "--centre", "--center", metavar="PLACE", help="A/42, A/42/CB, a residue name, or x,y,z (default: all of it)"
    )
    made.add_argument("--style", choices=STYLES, help="default: ribbon for all of it, sticks around a centre")
    made.add_argument("--colour", "--color", choices=COLOURINGS, help="default: ribbons by chain, else by element")
    made.add_argument("--size", metavar="WxH", type=_size, default=(1200, 900), help="pixels (default 1200x900)")
    made.add_argument("--scale", metavar="S", type=_positive, default=1.0, help="pixel ratio: line widths (default 1)")
    made.add_argument("--height", metavar="A", type=_positive, help="angstrom from the lower to the upper edge")
    made.add_argument("--slab", metavar="A", type=_positive, help="thickness of what is seen, angstrom")
    made.add_argument("--turn", metavar="X,Y,Z", type=_angles, default=(0.0, 0.0, 0.0), help="degrees about the axes")
    made.add_argument("--radius", metavar="A", type=_positive, default=13.0, help="of the maps, angstrom (default 13)")
    made.add_argument("--level", metavar="SIGMA", type=_positive, default=1.5, help="of density maps (default 1.5)")
    made.add_argument(
        "--difference-level", metavar="SIGMA", type=_positive, default=3.0, help="of difference maps (default 3)"
    )
    made.add_argument(
        "--coefficients", action="store_true", help="of an MTZ with amplitudes and map coefficients, draw the latter"
    )
    made.add_argument(
        "--map",
        metavar="NAME",
        action="append",
        dest="names",
        default=[],
        help="of a file with several maps, draw this one (as its column is called; may be repeated; default: the first"
        " density and the first difference map)",
    )
    made.add_argument("--surface", action="store_true", help="maps as smooth surfaces")
    made.add_argument("--section", action="store_true", help="a flat section of the first map through the centre")
    made.add_argument("--hydrogens", action="store_true", help="show hydrogens")
    made.add_argument("--no-waters", dest="waters", action="store_false", help="leave waters out")
    made.add_argument("--symmetry", action="store_true", help="show symmetry mates around the centre")
    made.add_argument("--cell", action="store_true", help="show the unit cell")
    made.add_argument("--light", action="store_true", help="light background")
    made.add_argument("--safe", action="store_true", help="map colours that everyone can tell apart, negative broken")
    made.add_argument(
        "--dictionary", metavar="CIF", action="append", default=[], help="restraint dictionary of a ligand (with DATA)"
    )
    return made


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    output = Path(options.output)
    if output.suffix.lower() != ".png":
        raise SettingsError(f"{output.name} is not a PNG file name.", remedy="End the name of --output in .png.")
    if not output.parent.is_dir():
        raise InputError("the folder does not exist.", file=str(output.parent), remedy="Make it first.")
    if output.resolve() in {Path(p).resolve() for p in (options.model, options.map or "", *options.dictionary) if p}:
        raise SettingsError("--output would overwrite an input file.", remedy="Choose another name.")
    data = draw(options)
    _write(output, data)
    print(f"Wrote {output} ({options.size[0]} x {options.size[1]} pixels)", file=sys.stderr)
    return 0


def draw(options: argparse.Namespace) -> bytes:
    """The picture as PNG."""
    import numpy as np

    from workbench.view.camera import Camera
    from workbench.view.colours import scene_colours
    from workbench.view.framing import along_longest, framed, place_named
    from workbench.view.maps import contours, map_wires
    from workbench.view.picture import png_bytes, render_pixels, standalone_context
    from workbench.view.renderer import Renderer
    from workbench.view.scene import Scene, SceneOptions
    from workbench.view.section import section
    from workbench.view.symmetry import has_cell

    model, bonds, maps, fit = _read(options)
    aspect = options.size[0] / options.size[1]
    camera = Camera(height=22.0)
    if options.centre:
        point, _ = place_named(model, options.centre)
        camera = camera.centred(point)
        turned = _turned(camera, options.turn)
        style: Style = options.style or "sticks"
    else:
        turned = _turned(replace(camera, rotation=along_longest(model.xyz)), options.turn)
        style = options.style or "ribbon"
    colours = scene_colours("#FAFBFC" if options.light else "#101216", safe=options.safe)
    colour: ColourBy = options.colour or ("chain" if style in ("ribbon", "trace") else "element")
    if (options.symmetry or options.cell) and not has_cell(model.crystal):
        raise InputError(
            "this model has no unit cell.", file=options.model, remedy="Leave --symmetry and --cell out, or give data."
        )
    look = SceneOptions(style, colour, options.hydrogens, options.symmetry, options.cell, waters=options.waters)
    scene = Scene(model, bonds, colours, look)
    if colour == "fit":
        if fit is None:
            raise SettingsError("--colour fit needs DATA, and a run that judges the fit.", remedy="Give reflections.")
        scene.fit = fit
        scene.set_colours(colours)
    if not options.centre:
        turned = framed(turned, scene.extent(), aspect)
    if options.height:
        turned = replace(turned, height=options.height)
    if options.slab:
        turned = turned.with_slab(options.slab)
    scene.follow(turned.centre)
    context = standalone_context()
    renderer = Renderer(context)
    try:
        scene.give(renderer)
        for number, (name, grid) in enumerate(maps.grids.items()):
            difference = name in maps.differences
            level = (options.difference_level if difference else options.level) * grid.sigma
            if options.section and number == 0:
                right, up = np.asarray(turned.rotation[0]), np.asarray(turned.rotation[1])
                renderer.set_section(section(grid, turned.focal_point, right, up, options.radius, difference, name))
                continue
            made = contours(grid, level, turned.centre, options.radius, name, difference, options.surface)
            for wire, lines in made.lines.items():
                renderer.set_lines(wire, lines, turned.centre, options.radius)
            for wire, mesh in made.surfaces.items():
                renderer.set_surface(wire, mesh, turned.centre, options.radius)
        scene.give_axes(renderer, turned)
        wires = [*map_wires(maps, colours), *scene.wires()]
        pixels = render_pixels(context, renderer, turned, colours, wires, options.size, options.scale)
        renderer.release()
    finally:
        context.release()
    return png_bytes(pixels)


def _read(options: argparse.Namespace) -> tuple[Model, IntArray, MapSet, FloatArray | None]:
    """Model, bonds, maps, and the fit of every residue where it is known."""
    from workbench.io.maps import holds_only_maps
    from workbench.view.bonds import bonds_by_distance
    from workbench.view.colouring import residue_fit
    from workbench.view.maps import MapSet, maps_of_cycle
    from workbench.view.opened_maps import open_maps

    if options.map and not options.coefficients and not holds_only_maps(options.map):
        prepared, cycle = _scored(options)
        return prepared.model, prepared.bonds, _chosen(maps_of_cycle(prepared, cycle), options), residue_fit(cycle)
    from workbench.io.models import read_model

    model = read_model(options.model)
    maps = open_maps(options.map) if options.map else MapSet({})
    return model, bonds_by_distance(model), _chosen(maps, options), None


def _chosen(maps: MapSet, options: argparse.Namespace) -> MapSet:
    """The maps that --map asks for, by the whole name or without that of the file before it; else the first of each
    kind."""
    if not options.names:
        return maps.only(maps.first_of_each_kind())
    chosen: list[str] = []
    for wanted in options.names:
        found = [name for name in maps.grids if wanted in (name, name.split()[-1])]
        if not found:
            known = ", ".join(name.split()[-1] for name in maps.grids) or "none"
            raise SettingsError(
                f"there is no map {wanted!r}.", file=options.map or "", remedy=f"Maps of this file: {known}."
            )
        chosen += found
    return maps.only(chosen)


def _scored(options: argparse.Namespace) -> tuple[Prepared, CycleFinished]:
    from workbench.core.settings import RefinementSettings, RunRequest
    from workbench.session.run import score_model

    settings = RefinementSettings(cycles=0, hydrogens="keep")
    return score_model(RunRequest(options.model, options.map, tuple(options.dictionary), settings=settings))


def _turned(camera: Camera, degrees: tuple[float, float, float]) -> Camera:
    x, y, z = (math.radians(value) for value in degrees)
    return camera.rotated(y, 0.0).rotated(0.0, x).rotated(0.0, 0.0, z)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent or ".", prefix=".picture-", delete=False) as temporary:
            temporary.write(data)
        whole = Path(temporary.name)
        whole.chmod(0o666 & ~_umask())
        whole.replace(path)
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror}).", file=str(path), remedy="Choose another folder."
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().replace("\u00d7", "x").split("x")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write width and height as 1200x900")
    width, height = (int(part) for part in parts)
    if not (16 <= width <= LARGEST and 16 <= height <= LARGEST):
        raise argparse.ArgumentTypeError(f"a picture of {text} pixels cannot be made; each side 16 to {LARGEST}")
    return width, height


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not (math.isfinite(value) and value > 0.0):
        raise argparse.ArgumentTypeError(f"{text} is not usable; give a number above 0")
    return value


def _angles(text: str) -> tuple[float, float, float]:
    parts = text.split(",")
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    if len(values) != 3 or not all(map(math.isfinite, values)):
        raise argparse.ArgumentTypeError(f"{text!r} are not three angles; write for example 0,90,0")
    return values[0], values[1], values[2]
