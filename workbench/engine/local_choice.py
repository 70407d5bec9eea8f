"""When distances within the model are restrained (jelly body, local NCS) if the user leaves it to the program.

Local NCS: wherever a chain has copies and there are few reflections per atom, so that what the copies have in common is
better known than in what they differ. Jelly body: never by itself. Measured: docs/decisions.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.settings import RefinementSettings
from workbench.core.words import counted
from workbench.engine.geometry.ncs_copies import NcsPair
from workbench.engine.geometry.neighbour_list import NEAR_REACH

FEW_REFLECTIONS = 15.0
"""Work reflections per non-hydrogen atom below which copies are restrained: 1.6 to 1.7 A in an ordinary crystal."""


@dataclass(frozen=True)
class LocalChoice:
    """jelly_body, ncs: automatic multipliers, 0 is off. copies: of chains, in words. per_atom: work reflections for
    each non-hydrogen atom."""

    jelly_body: float
    ncs: float
    copies: tuple[str, ...]
    per_atom: float

    @classmethod
    def of(cls, n_work: int, n_atoms: int, copies: tuple[NcsPair, ...]) -> LocalChoice:
        words = tuple(f"{' and '.join(c.chains)} ({counted(c.residues, 'residue')})" for c in copies)
        per_atom = n_work / max(n_atoms, 1)
        return cls(0.0, 1.0 if copies and per_atom < FEW_REFLECTIONS else 0.0, words, per_atom)

    def weights(self, chosen: tuple[float | None, float | None]) -> FloatArray:
        """(2,) multipliers as `LOCAL_RESTRAINTS`; chosen: the user's, None for automatic."""
        jelly = self.jelly_body if chosen[0] is None else chosen[0]
        ncs = self.ncs if chosen[1] is None else chosen[1]
        return np.array([jelly, ncs if self.copies else 0.0])

    def notes(self, settings: RefinementSettings) -> list[str]:
        """What the log says of them; nothing of what is off and was not asked for."""
        jelly, ncs = self.weights((settings.jelly_body, settings.ncs)).tolist()
        notes = []
        if jelly > 0.0:
            notes.append(
                f"Jelly body: distances up to {NEAR_REACH:g} A are held where a cycle finds them, x{jelly:.3g}."
            )
        if self.copies:
            used = f"corresponding distances are restrained to be alike, x{ncs:.3g}" if ncs > 0.0 else "not restrained"
            if settings.ncs is None:
                used += f" (automatic: {self.per_atom:.1f} reflections per atom)"
            notes.append(f"Copies of a chain: {', '.join(self.copies)}; {used}.")
        elif settings.ncs:
            notes.append("No chain has a copy in the asymmetric unit: nothing is restrained by NCS.")
        return notes
