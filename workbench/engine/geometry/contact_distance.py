"""How near two atoms that are not bonded may come.

The rules follow the energetic library of the CCP4 monomer library and its use in refinement (Vagin et al., 2004, Acta
Cryst. D60, 2184; Murshudov et al., 2011, Acta Cryst. D67, 355): sum of the van der Waals radii, shorter across a
torsion (1-4), for hydrogen bonds, and for metals.
"""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import AnyArray, FloatArray, TextArray
from workbench.engine.geometry.description import ContactTypes
from workbench.engine.geometry.metal_coordination import DONOR_RADIUS
from workbench.engine.geometry.sites import HYDROGEN

# The four distances below are the defaults of Refmac and servalcat (keywords VDWR INCR ADHB, AHHB and TORS).
HYDROGEN_BOND = 0.3
"""Angstrom by which donor and acceptor come nearer than their radii."""
POLAR_HYDROGEN = 0.1
"""Angstrom: a polar hydrogen comes to the acceptor's radius plus this."""
ONE_FOUR = {"O": 0.1, "N": 0.1}
ONE_FOUR_OTHER = 0.15
"""Angstrom by which each atom of a 1-4 pair is smaller."""
COORDINATING = {element: radius - 0.1 for element, radius in DONOR_RADIUS.items()}
"""Radii in angstrom of atoms beside a metal: a tenth below those of bonds (one sigma), so that a donor that binds is no
clash."""


def pair_keys(pairs: AnyArray, total: int) -> AnyArray:
    """One number per pair first < second."""
    keys: AnyArray = pairs[:, 0].astype(np.int64) * total + pairs[:, 1]
    return keys


class ContactDistances:
    """The rules for the sites of one description. widest: (s,) angstrom that no site contributes more than to a
    smallest distance."""

    def __init__(self, types: ContactTypes, element: TextArray) -> None:
        names, light = element.tolist(), np.isin(element, HYDROGEN)
        donor, self._acceptor = types.donor.astype(bool), types.acceptor.astype(bool)
        self._heavy_donor, self._polar = donor & ~light, donor & light
        self._metal, self._radius = types.metal.astype(bool), types.radius
        self._shortened = np.array([ONE_FOUR.get(e, ONE_FOUR_OTHER) for e in names])
        beside = np.array([COORDINATING.get(e, 0.0) for e in names])
        # A metal has its own radius, and so has what is not known to coordinate one.
        self._size: FloatArray = np.where(self._metal | (beside <= 0.0), self._radius, beside)
        self.widest: FloatArray = np.maximum(self._radius + POLAR_HYDROGEN, self._size)

    def of(self, pairs: AnyArray, one_four: AnyArray) -> FloatArray:
        """(k,) smallest distances in angstrom without a clash; pairs (k, 2); one_four (k,) true across a torsion."""
        i, j = pairs[:, 0], pairs[:, 1]
        radius, acceptor, polar = self._radius, self._acceptor, self._polar
        sum_of_radii: FloatArray = radius[i] + radius[j]
        least = sum_of_radii - np.where(one_four, self._shortened[i] + self._shortened[j], 0.0)
        bonded = (self._heavy_donor[i] & acceptor[j]) | (self._heavy_donor[j] & acceptor[i])
        least = np.where(bonded, np.minimum(least, sum_of_radii - HYDROGEN_BOND), least)
        least = np.where(polar[i] & acceptor[j], np.minimum(least, radius[j] + POLAR_HYDROGEN), least)
        least = np.where(polar[j] & acceptor[i], np.minimum(least, radius[i] + POLAR_HYDROGEN), least)
        result: FloatArray = np.where(self._metal[i] | self._metal[j], self._size[i] + self._size[j], least)
        return result
