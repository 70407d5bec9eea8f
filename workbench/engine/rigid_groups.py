"""Which atoms move together as rigid bodies: the whole model, its chains, or segments that the user names."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from workbench.core.arrays import AnyArray, IntArray
from workbench.core.crystal import Model
from workbench.core.errors import SettingsError

SMALLEST_BODY = 5
"""Atoms of the smallest chain or segment that turns by itself."""


def find_bodies(model: Model, groups: str) -> list[IntArray]:
    """Rows of the atoms of each body; every atom belongs to one.

    groups: "model", "chains", or segments "A:1-120,A:121-300,B" (chain, then residue numbers, or a whole chain). Atoms
    of no chain of a polymer, or of no segment, go with the body of the nearest atom of one. Raises SettingsError.
    """
    n = len(model)
    if groups == "model":
        return [np.arange(n, dtype=np.int32)]
    chain = model.residues.chain[model.residue]
    number = model.residues.number[model.residue]
    if groups == "chains":
        polymer = np.isin(model.residues.kind, ("protein", "nucleic"))[model.residue]
        names = list(dict.fromkeys(chain[polymer].tolist()))
        chosen = [polymer & (chain == name) for name in names]
    else:
        chosen = [_segment(word.strip(), chain, number) for word in groups.split(",")]
    body = np.full(n, -1)
    for k, inside in enumerate(chosen):
        if np.any(body[inside] >= 0):
            raise SettingsError(f"The rigid groups {groups!r} overlap.", remedy="Give every residue once.")
        body[inside] = k
    for k, inside in enumerate(chosen):
        if np.count_nonzero(inside) < SMALLEST_BODY:
            body[body == k] = -1
    if not np.any(body >= 0):
        return [np.arange(n, dtype=np.int32)]
    rest = np.flatnonzero(body < 0)
    if len(rest):
        inside = np.flatnonzero(body >= 0)
        body[rest] = body[inside[cKDTree(model.xyz[inside]).query(model.xyz[rest])[1]]]
    return [np.flatnonzero(body == k).astype(np.int32) for k in np.unique(body)]


def _segment(word: str, chain: AnyArray, number: AnyArray) -> AnyArray:
    name, _, span = word.partition(":")
    inside = chain == name
    if span:
        first, _, last = span.partition("-") if not span.startswith("-") else (span, "", "")
        try:
            low, high = int(first), int(last or first)
        except ValueError:
            raise SettingsError(
                f"{word!r} is not a rigid group.", remedy='Give chains or ranges of residues as "A:1-120,A:121-300,B".'
            ) from None
        inside = inside & (number >= low) & (number <= high)
    if not np.any(inside):
        raise SettingsError(f"The rigid group {word!r} holds no atom.", remedy="Check chain and residue numbers.")
    return np.asarray(inside)
