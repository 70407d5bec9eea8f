"""Atoms that the user names: whole chains, or ranges of residues."""

from __future__ import annotations

import numpy as np

from workbench.core.arrays import BoolArray
from workbench.core.crystal import Model
from workbench.core.errors import SettingsError

EVERYTHING = "all"


def selected(model: Model, words: str, what: str) -> BoolArray:
    """(n,) atoms of a selection "A:1-120,A:130,B" (chains, or residue numbers of a chain), or "all".

    what: the thing that the selection is for, as an error names it. Raises SettingsError for words that cannot be
    understood or name no atom.
    """
    chain = model.residues.chain[model.residue]
    number = model.residues.number[model.residue]
    inside = np.zeros(len(model), dtype=np.bool_)
    for word in words.split(","):
        inside |= _one(word.strip(), chain, number, what)
    return inside


def _one(word: str, chain: np.ndarray, number: np.ndarray, what: str) -> BoolArray:
    if word == EVERYTHING:
        return np.ones(len(chain), dtype=np.bool_)
    name, _, span = word.partition(":")
    inside = np.asarray(chain == name)
    if span:
        # a number may be negative: the dash that divides is not the first character
        rest, dash, last = span[1:].partition("-")
        try:
            low = int(span[0] + rest)
            high = int(last) if dash else low
        except ValueError:
            raise SettingsError(
                f"{word!r} is not a selection ({what}).",
                remedy='Give chains or ranges of residues as "A:1-120,A:130,B", or "all".',
            ) from None
        inside &= (number >= low) & (number <= high)
    if not np.any(inside):
        raise SettingsError(
            f"The selection {word!r} ({what}) holds no atom.", remedy="Check chain and residue numbers."
        )
    return inside
