"""Typical lengths of covalent bonds, for bonds between residues that no dictionary describes.

Means of Allen, Kennard, Watson, Brammer, Orpen and Taylor (1987), J. Chem. Soc. Perkin Trans. 2, S1-S19, table 1, for
the bonds that link residues: tetrahedral and trigonal carbon, imines, esters, thio- and selenoethers, phosphate and
sulfate esters, boronates.
"""

from __future__ import annotations

import gemmi

LENGTHS: dict[frozenset[str], tuple[float, ...]] = {
    frozenset(("C",)): (1.53, 1.46),
    frozenset(("C", "N")): (1.47, 1.34, 1.28),
    frozenset(("C", "O")): (1.43, 1.34),
    frozenset(("C", "S")): (1.82, 1.75),
    frozenset(("C", "SE")): (1.97, 1.90),
    frozenset(("C", "P")): (1.81,),
    frozenset(("C", "B")): (1.59,),
    frozenset(("N",)): (1.42,),
    frozenset(("N", "O")): (1.42,),
    frozenset(("N", "P")): (1.65,),
    frozenset(("N", "S")): (1.63,),
    frozenset(("N", "B")): (1.55,),
    frozenset(("O",)): (1.46,),
    frozenset(("O", "P")): (1.60,),
    frozenset(("O", "S")): (1.58,),
    frozenset(("O", "B")): (1.47, 1.37),
    frozenset(("S",)): (2.04,),
    frozenset(("S", "SE")): (2.20,),
    frozenset(("SE",)): (2.34,),
    frozenset(("S", "P")): (2.05,),
}
"""Angstrom; the single bond first, then shorter kinds."""


def typical_length(first: str, second: str, seen: float) -> float:
    """Length in angstrom of a bond between two elements: of the kinds of bond known, the one nearest to the distance
    seen; the sum of covalent radii where there is no entry."""
    known = LENGTHS.get(frozenset((first, second)))
    if known is None:
        return float(gemmi.Element(first).covalent_r + gemmi.Element(second).covalent_r)
    return min(known, key=lambda length: abs(length - seen))
