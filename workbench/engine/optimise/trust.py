"""How far to trust the second-order model: damping that follows the ratio of actual to predicted decrease.

Levenberg (1944), Q. Appl. Math. 2, 164; Marquardt (1963); the update of the damping after More (1978), Lect. Notes
Math. 630, 105. A step is accepted only if the target really falls.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.engine.optimise.secants import Secants

SMALLEST, LARGEST = 1e-4, 1e4
GOOD, VERY_GOOD = 0.5, 0.8
"""Shares of the predicted decrease from which the damping falls by 6 and by 16. Damping multiplies the stiffest
curvatures too, so that what is soft stands still under all but the smallest: a trial that fails costs a quarter of a
cycle, a damping that lingers costs ten (docs/decisions.md)."""


@dataclass
class TrustRegion:
    """damping: Marquardt's lambda of the next trial. secants: what the steps taken have shown of the curvature."""

    damping: float = 0.02
    secants: Secants = field(default_factory=Secants)

    def judge(self, actual: float, predicted: float) -> bool:
        """Whether a step whose target fell by `actual` (predicted: `predicted` > 0) is accepted; adapts the damping."""
        ratio = actual / predicted if predicted > 0.0 else -1.0
        if ratio < 0.25:
            self.damping = min(max(self.damping, 0.01) * (4.0 if ratio > 0.0 else 8.0), LARGEST)
        elif ratio > GOOD:
            self.damping = max(self.damping / (16.0 if ratio > VERY_GOOD else 6.0), SMALLEST)
        return actual > 0.0
