"""Colours of atoms and maps on a dark and on a light background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Rgb = tuple[float, float, float]


def rgb(text: str) -> Rgb:
    """'#RRGGBB' as three numbers from 0 to 1."""
    digits = text.lstrip("#")
    if len(digits) != 6:
        raise ValueError(f"not a colour of the form #RRGGBB: {text!r}")
    red, green, blue = (int(digits[k : k + 2], 16) / 255.0 for k in (0, 2, 4))
    return red, green, blue


def luminance(colour: Rgb) -> float:
    """Perceived lightness from 0 (black) to 1 (white), Rec. 709 weights."""
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


_DARK_ELEMENTS = {
    "C": "#D9C08C",
    "N": "#5C82E6",
    "O": "#E85A5A",
    "S": "#E8CB3C",
    "SE": "#E89A3C",
    "P": "#F09038",
    "H": "#D4D8DD",
    "D": "#C4D4E8",
    "F": "#8FDC7C",
    "CL": "#5FCF5F",
    "BR": "#C8663C",
    "I": "#A05CC8",
    "NA": "#A98BEA",
    "K": "#A06FDC",
    "MG": "#7FD65A",
    "CA": "#8FD68F",
    "ZN": "#9C9CD8",
    "FE": "#E0824A",
    "MN": "#B07FD0",
    "CU": "#D68C50",
    "NI": "#6CD07C",
    "CO": "#E88FA6",
}
_LIGHT_ELEMENTS = {
    "C": "#857862",
    "N": "#3154DC",
    "O": "#D2261E",
    "S": "#B8920A",
    "SE": "#C2721A",
    "P": "#D06A10",
    "H": "#A3A9B0",
    "D": "#8FA3BC",
    "F": "#3F9C34",
    "CL": "#2F9A3A",
    "BR": "#9A4420",
    "I": "#7A34A4",
    "NA": "#7350C8",
    "K": "#7A44BC",
    "MG": "#4C9C2C",
    "CA": "#4A9A52",
    "ZN": "#6666B4",
    "FE": "#B85A20",
    "MN": "#8A50AE",
    "CU": "#A85E22",
    "NI": "#36983F",
    "CO": "#C4567A",
}


@dataclass(frozen=True)
class SceneColours:
    """What the scene is painted with; map colours are for the names in `MAPS` of workbench.view.maps."""

    background: Rgb
    elements: Mapping[str, Rgb]
    other_element: Rgb
    ligand_carbon: Rgb
    density: Rgb
    positive: Rgb
    negative: Rgb
    ambient: float
    gloss: float
    accent: Rgb = (0.235, 0.788, 0.690)
    glow: Rgb = (1.0, 0.86, 0.45)
    ramp: tuple[Rgb, ...] = ()
    """From low to high values; lightness runs one way, so that it is read without telling hues apart."""
    chains: tuple[Rgb, ...] = ()
    helix: Rgb = (0.85, 0.45, 0.55)
    strand: Rgb = (0.93, 0.80, 0.40)
    others: tuple[Rgb, ...] = ()
    """Maps that were opened besides the two of the refinement, in turn."""
    further: tuple[tuple[Rgb, Rgb], ...] = ()
    """Positive and negative of difference maps besides that of the refinement, in turn."""
    safe: bool = False
    """Negative lines are broken as well, so that no colour is needed to tell the sign."""

    def element(self, symbol: str) -> Rgb:
        return self.elements.get(symbol, self.other_element)


def scene_colours(
    background: str = "#101216", density: str = "", positive: str = "", negative: str = "", safe: bool = False
) -> SceneColours:
    """Colours that go with a background; map colours may be given as '#RRGGBB', or `safe` asks for the set that people
    with deuteranopia can tell apart."""
    ground = rgb(background)
    dark = luminance(ground) < 0.5
    if safe and dark:
        further = (("#009E73", "#CC79A7"), ("#56B4E9", "#E69F00"))
    elif safe:
        further = (("#007A5A", "#B04A82"), ("#1C77AC", "#8F6400"))
    elif dark:
        further = (("#3FD0E0", "#F07ADB"), ("#D7E05A", "#FF9E5C"))
    else:
        further = (("#7331C0", "#946200"), ("#00707E", "#B0189A"))
    if safe:
        chosen = ("#7D8794", "#0072B2", "#D55E00")
    elif dark:
        chosen = ("#5E8FD0", "#4CC38A", "#F0616D")
    else:
        chosen = ("#3F76C4", "#17804C", "#C42B3A")
    blue, plus, minus = (
        rgb(own or default) for own, default in zip((density, positive, negative), chosen, strict=True)
    )
    elements = {symbol: rgb(text) for symbol, text in (_DARK_ELEMENTS if dark else _LIGHT_ELEMENTS).items()}
    if dark:
        ramp = ("#3A46B4", "#6A62C8", "#A07AC0", "#D1939A", "#F2B366", "#FFE68A")
        chains = ("#7FC3F0", "#F2B366", "#8FD694", "#E594B8", "#C7B1F2", "#E0DC7C", "#6FD3CB", "#F08E7A")
        others = ("#B79CF2", "#E2C25C", "#6FCFCB", "#D98BB2")
    else:
        ramp = ("#1B1F6B", "#46409A", "#7A519B", "#A96584", "#CC8052", "#DDA000")
        chains = ("#1F6FB8", "#B0640A", "#2D8A3E", "#B23A78", "#6B4FBF", "#85790A", "#0B7A78", "#B8402C")
        others = ("#6B4FBF", "#8A6D00", "#0B7A78", "#A33A74")
    return SceneColours(
        ramp=tuple(map(rgb, ramp)),
        chains=tuple(map(rgb, chains)),
        others=tuple(map(rgb, others)),
        further=tuple((rgb(plus), rgb(minus)) for plus, minus in further),
        helix=rgb("#D9708A" if dark else "#B03A5C"),
        strand=rgb("#E5C25A" if dark else "#A67C00"),
        accent=rgb("#3CC9B0" if dark else "#0B7A69"),
        glow=rgb("#FFDA6E" if dark else "#E89A00"),
        safe=safe,
        background=ground,
        elements=elements,
        other_element=rgb("#B8BEC6" if dark else "#6F7780"),
        ligand_carbon=rgb("#C79BE0" if dark else "#8A4FA8"),
        density=blue,
        positive=plus,
        negative=minus,
        ambient=0.40 if dark else 0.46,
        gloss=0.20 if dark else 0.12,
    )
