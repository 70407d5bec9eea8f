"""Where the eye stands: an orthographic camera that looks at a point, as crystallographers' viewers have it.

View coordinates (angstrom): x to the right, y up, z towards the eye, origin at the centre. Pixels are counted from the
top left corner of the picture; whether they are device pixels or not is up to the caller, who says how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from workbench.core.arrays import FloatArray

MIN_HEIGHT, MAX_HEIGHT = 2.0, 2000.0
MIN_SLAB, MAX_SLAB = 1.0, 2000.0
"""Angstrom; the largest crystals of virus capsids measure about a thousand."""
FOCUS_RANGE = 500.0
"""Angstrom that the focal plane may leave the centre."""


def _axis_rotation(axis: FloatArray, angle: float) -> FloatArray:
    """Rotation matrix (3, 3) by `angle` radians about the unit vector `axis` (Rodrigues' formula)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross), dtype=np.float64)


def _orthonormal(matrix: FloatArray) -> FloatArray:
    """The rotation nearest to `matrix`: thousands of small turns must not shear the picture."""
    u, _, v = np.linalg.svd(matrix)
    nearest = u @ v
    if np.linalg.det(nearest) < 0.0:
        u[:, -1] = -u[:, -1]
        nearest = u @ v
    return np.asarray(nearest, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Camera:
    """A value: every movement gives a new camera.

    centre: (3,) Cartesian angstrom, what is looked at. rotation: (3, 3), rows are the view axes in model space.
    height: angstrom seen from the bottom to the top of the picture. focus: view depth in angstrom of the focal plane
    (0 = at the centre, towards the eye positive). front, back: distances in angstrom of the clipping planes from the
    focal plane, towards and away from the eye.
    """

    centre: FloatArray = field(default_factory=lambda: np.zeros(3))
    rotation: FloatArray = field(default_factory=lambda: np.eye(3))
    height: float = 20.0
    front: float = 8.0
    back: float = 11.5
    focus: float = 0.0

    @property
    def slab(self) -> float:
        """Thickness in angstrom of what is seen."""
        return self.front + self.back

    @property
    def near(self) -> float:
        """View depth of the front clipping plane."""
        return self.focus + self.front

    @property
    def far(self) -> float:
        """View depth of the back clipping plane."""
        return self.focus - self.back

    @property
    def focal_point(self) -> FloatArray:
        """(3,) where the line of sight meets the focal plane, angstrom."""
        return np.asarray(self.centre + self.focus * self.rotation[2])

    def to_view(self, xyz: FloatArray) -> FloatArray:
        """View coordinates (n, 3) of points (n, 3)."""
        return np.asarray((xyz - self.centre) @ self.rotation.T)

    def project(self, xyz: FloatArray, width: float, height: float) -> FloatArray:
        """Pixels and view depth (n, 3) of points (n, 3) in a picture of width x height pixels."""
        view = self.to_view(np.atleast_2d(xyz))
        scale = height / self.height
        return np.column_stack([width / 2 + view[:, 0] * scale, height / 2 - view[:, 1] * scale, view[:, 2]])

    def rotated(self, right: float, down: float, roll: float = 0.0) -> Camera:
        """Turn the model by angles in radians: its front to the right, its front downwards, and counter-clockwise."""
        turn = self.rotation
        angle = float(np.hypot(right, down))
        if angle > 0.0:
            turn = _axis_rotation(np.array([down / angle, right / angle, 0.0]), angle) @ turn
        if roll:
            turn = _axis_rotation(np.array([0.0, 0.0, 1.0]), roll) @ turn
        return replace(self, rotation=_orthonormal(turn))

    def panned(self, right: float, down: float) -> Camera:
        """Move the model by angstrom to the right and downwards on the picture."""
        return replace(self, centre=self.centre - self.rotation.T @ np.array([right, -down, 0.0]))

    def zoomed(self, factor: float) -> Camera:
        """Things become larger by `factor`."""
        return replace(self, height=float(np.clip(self.height / factor, MIN_HEIGHT, MAX_HEIGHT)))

    def centred(self, point: FloatArray) -> Camera:
        """Look at `point` (3,) and focus on it; orientation and zoom kept."""
        return replace(self, centre=np.asarray(point, dtype=np.float64).copy(), focus=0.0)

    def focused(self, depth: float) -> Camera:
        """Move the slab through the model: its focal plane to this view depth, its thickness kept."""
        return replace(self, focus=float(np.clip(depth, -FOCUS_RANGE, FOCUS_RANGE)))

    def with_slab(self, thickness: float) -> Camera:
        """Clip to `thickness` angstrom, shared between front and back as now."""
        thickness = float(np.clip(thickness, MIN_SLAB, MAX_SLAB))
        share = self.front / self.slab
        return replace(self, front=thickness * share, back=thickness * (1.0 - share))

    def towards(self, other: Camera, share: float) -> Camera:
        """What is seen on the way to `other`, at a share 0..1 of it; the orientation is kept."""
        if share >= 1.0:
            return replace(other, rotation=self.rotation)

        def between(one: float, two: float) -> float:
            return one + (two - one) * share

        return replace(
            self,
            centre=self.centre + (other.centre - self.centre) * share,
            height=float(self.height * (other.height / self.height) ** share),
            front=between(self.front, other.front),
            back=between(self.back, other.back),
            focus=between(self.focus, other.focus),
        )

    def same_as(self, other: Camera) -> bool:
        """Whether both see the same."""
        return (
            (self.height, self.front, self.back, self.focus) == (other.height, other.front, other.back, other.focus)
            and bool(np.array_equal(self.centre, other.centre))
            and bool(np.array_equal(self.rotation, other.rotation))
        )

    def clipped(self, front: float = 0.0, back: float = 0.0) -> Camera:
        """Move the front and back clipping planes away from the focus by so many angstrom (negative: closer)."""
        least = 0.5 * MIN_SLAB
        return replace(self, front=max(self.front + front, least), back=max(self.back + back, least))
