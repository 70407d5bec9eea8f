"""When distances within the model are restrained (jelly body, local NCS) if the user leaves it to the program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray
from workbench.core.settings import RefinementSettings
from workbench.engine.geometry.ncs_copies import NcsPair


@dataclass(frozen=True)
class LocalChoice:
    """jelly_body, ncs: automatic multipliers, 0 is off. copies: what is known of the copies, in words."""

    jelly_body: float
    ncs: float
    copies: tuple[str, ...]

    @classmethod
    def of(cls, d_min: float, copies: tuple[NcsPair, ...]) -> LocalChoice:
        words = tuple(f"{' and '.join(c.chains)} ({c.residues} residues)" for c in copies)
        return cls(0.0, 0.0, words)

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
            notes.append(f"Jelly body: distances up to 4.2 A are held where a cycle finds them, x{jelly:.3g}.")
        if self.copies:
            used = f"corresponding distances are restrained to be alike, x{ncs:.3g}" if ncs > 0.0 else "not restrained"
            notes.append(f"Copies of a chain: {', '.join(self.copies)}; {used}.")
        elif settings.ncs:
            notes.append("No chain has a copy in the asymmetric unit: nothing is restrained by NCS.")
        return notes
