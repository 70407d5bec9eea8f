"""Conformers without a letter: an atom written as blank beside one written as B is an alternative of its own.

A blank atom that stands alone is shared by every conformer of its residue. Beside a lettered atom of the same name it
cannot be: it is the first conformer, whose letter the file leaves out. It is given a letter while the chemistry is
worked out, so that each conformer has bonds of its own.
"""

from __future__ import annotations

import string
from dataclasses import replace

import numpy as np

from workbench.core.crystal import Model


def with_lettered_blanks(model: Model) -> Model:
    """The model with a free letter for every blank atom that has a lettered twin; the same model when none has.

    The letter is the first of A, B, C ... that its residue does not use, so that it meets conformer A of its
    neighbours.
    """
    if not model.altloc.astype(bool).any():
        return model
    altloc = model.altloc.astype("U1")
    residues = model.residues
    for row in np.unique(model.residue[altloc != ""]).tolist():
        first = int(residues.first_atom[row])
        inside = range(first, first + int(residues.n_atoms[row]))
        used = {str(altloc[i]) for i in inside} - {""}
        lettered = {str(model.atom_name[i]) for i in inside if altloc[i]}
        twins = [i for i in inside if not altloc[i] and str(model.atom_name[i]) in lettered]
        if twins:
            altloc[twins] = next(letter for letter in string.ascii_letters + string.digits if letter not in used)
    return replace(model, altloc=altloc) if (altloc != model.altloc).any() else model
