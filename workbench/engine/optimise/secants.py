"""What the steps already taken have shown of the curvature of the data.

The data term gives its curvature as a diagonal. That is right on average and wrong where many parameters move together:
atoms that overlap, all B of a domain. The change of its gradient y along an accepted step s costs nothing, and is that
curvature, H s = y. It corrects the diagonal by the update of Broyden, Fletcher, Goldfarb and Shanno,

    H <- H - (H s)(H s)^T / (s H s) + y y^T / (y s),

for the last few steps, beginning from the diagonal of the present point; the restraints keep the exact curvature that
they have (a structured quasi-Newton method: Dennis, Gay & Welsch, 1981, ACM Trans. Math. Softw. 7, 348; limited
memory: Nocedal, 1980, Math. Comput. 35, 773). Only what makes H larger along s is taken: H stays positive definite,
and a direction that seemed soft once, while scales and solvent moved as well, is not trusted to be so (measured:
docs/decisions.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.arrays import FloatArray

MOST = 6
"""Steps remembered: what older ones have seen of the curvature is no longer true."""


@dataclass(frozen=True, eq=False)
class Correction:
    """H - D of a data term with the diagonal D: plus^T plus - minus^T minus, both (k, p)."""

    plus: FloatArray
    minus: FloatArray

    def times(self, v: FloatArray) -> FloatArray:
        """(H - D) v, (p,)."""
        product: FloatArray = (self.plus @ v) @ self.plus
        product -= (self.minus @ v) @ self.minus
        return product


@dataclass(frozen=True)
class Secants:
    """pairs: (s, y) of steps that were accepted, the oldest first. left: gradient (p,) where the last step began, and
    that step; None before the first and after one that led nowhere."""

    pairs: tuple[tuple[FloatArray, FloatArray], ...] = ()
    left: tuple[FloatArray, FloatArray] | None = None

    def arrived(self, gradient: FloatArray) -> Secants:
        """With the pair of the last step, now that the gradient of the data where it led is known. Everything is
        forgotten when the parameters are other ones."""
        if self.left is None or len(self.left[0]) != len(gradient):
            return Secants(self.pairs if self.pairs and len(self.pairs[0][0]) == len(gradient) else ())
        before, step = self.left
        return Secants((*self.pairs, (step, gradient - before))[-MOST:])

    def leaving(self, gradient: FloatArray, step: FloatArray) -> Secants:
        """A step (p,) was accepted from where the data have this gradient (p,)."""
        return Secants(self.pairs, (gradient, step))

    def correction(self, diagonal: FloatArray) -> Correction | None:
        """Of the curvature `diagonal` (p,), not negative, of the data at the present point."""
        plus: list[FloatArray] = []
        minus: list[FloatArray] = []
        for step, change in self.pairs:
            expected: FloatArray = diagonal * step
            for up, down in zip(plus, minus, strict=True):
                expected = expected + up * float(up @ step) - down * float(down @ step)
            size, seen = float(step @ expected), float(step @ change)
            if not (np.isfinite(seen) and seen > size > 0.0):
                continue
            plus.append(change / np.sqrt(seen))
            minus.append(expected / np.sqrt(size))
        return Correction(np.array(plus), np.array(minus)) if plus else None
