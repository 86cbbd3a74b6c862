"""The periodic cell of particles: rectangular or not, some of its axes open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import real_array, shown
from .spec import Spec

# of a box computed from a density: roots and quotients round by some 1e-16, and V - V(cutoff) of
# the second image that a pair may meet then is as small
ROUNDING = 1e-12


@dataclass(frozen=True)
class Cell:
    """Cell vectors, and how to find nearest images.

    Positions go `into` coordinates along each of which the cell is periodic by its `lengths`, and
    `back`: y = x @ into, x = y @ back.

    Attributes
    ----------
    vectors : ndarray (space, space)
        One a row; 0 along an open axis.
    lengths : ndarray (space,)
        Distances of opposite faces; 0 along an open axis.
    into, back : ndarray (space, space) or None
        None if the cell is rectangular, and y is x.
    """

    vectors: np.ndarray
    lengths: np.ndarray
    into: np.ndarray | None = None
    back: np.ndarray | None = None

    def along(self, v: np.ndarray) -> np.ndarray:
        """Positions in the coordinates along which the cell is periodic."""
        return v if self.into is None else v @ self.into

    def away(self, y: np.ndarray) -> np.ndarray:
        """Separations of such coordinates (pairs, space) in space."""
        return y if self.back is None else y @ self.back

    @property
    def stretch(self) -> float:
        """By how much a separation may be longer in these coordinates than in space."""
        return 1.0 if self.into is None else float(np.linalg.norm(self.into, 2))

    @property
    def shrink(self) -> float:
        """By how much one in space may be longer than in these coordinates."""
        return 1.0 if self.back is None else 2 * float(np.linalg.norm(self.back, 2))

    @property
    def images(self) -> np.ndarray:
        """The numbers by which terms over lists find nearest images: cell vectors, and what gives a
        separation in units of these.
        """
        return np.concatenate([self.vectors.ravel(), np.linalg.pinv(self.vectors).ravel()])


def read_cell(box: Any, space: int, cutoff: float) -> Cell:
    """A cell from one length, or for each axis a length, a cell vector, or None or inf where it is
    open.

    Raises
    ------
    ValueError
        For anything else, vectors in one plane, and opposite faces nearer than twice the cut-off.
    """
    vectors = _vectors(box, space)
    periodic = vectors.any(1)
    if np.linalg.matrix_rank(vectors) < periodic.sum():
        raise ValueError(f"the cell vectors of box lie in one plane: {shown(box)}")
    lengths, into, back = np.diag(vectors).copy(), None, None
    if np.count_nonzero(vectors - np.diag(lengths)):
        whole = vectors.copy()  # with the open directions, which stand on the others
        whole[~periodic] = np.linalg.svd(vectors)[2][periodic.sum() :]
        into = np.linalg.inv(whole)
        between = 1 / np.linalg.norm(into, axis=0)
        into, back = into * between, whole / between[:, None]
        lengths = np.where(periodic, between, 0.0)
    lengths = np.abs(lengths)
    if (lengths[periodic] < 2 * cutoff * (1 - ROUNDING)).any():
        raise ValueError(
            f"box must be at least twice the cutoff, {2 * cutoff:g}, along each axis and between "
            "opposite faces, so that a particle meets one image of another, not "
            f"{shown(box)}; take more particles or a shorter cutoff"
        )
    return Cell(vectors, lengths, into, back)


def _vectors(box: Any, space: int) -> np.ndarray:
    """Cell vectors (space, space), 0 along open axes."""
    rows = list(box) if np.iterable(box) else [box] * space
    vectors = np.zeros((space, space))
    try:
        if len(rows) != space:
            raise ValueError
        for k, row in enumerate(rows):
            if row is None or (np.iterable(box) and np.ndim(row) == 0 and row == np.inf):
                continue
            given = real_array(row, "box")
            if not np.isfinite(given).all() or (given.ndim == 0 and given <= 0):
                raise ValueError
            length = given * np.eye(space)[k] if given.ndim == 0 else given
            if length.shape != (space,) or not length.any():
                raise ValueError
            vectors[k] = length
    except (TypeError, ValueError):
        raise ValueError(
            f"box must be one length or {space}, one an axis (a length, a cell vector of {space} "
            f"numbers, None where it is open), not {shown(box)}"
        ) from None
    return vectors


def nearest(spec: Spec, steps: int) -> list[str]:
    """Lines that take so many steps v0, v1, ... between particles to their nearest images, by the
    numbers of `Cell.images`, which are the parameters after the scalars.
    """
    space, first = spec.space, len(spec.scalars)
    back, lines, axes = first + space**2, [], range(space)
    for step in range(steps):
        v = [f"v{space * step + k}" for k in axes]
        for j in axes:
            fraction = " + ".join(f"{v[k]}*p[{back + space * k + j}]" for k in axes)
            lines.append(f"n{j} = floor({fraction} + 0.5)")
        for k in axes:
            whole = " + ".join(f"n{j}*p[{first + space * j + k}]" for j in axes)
            lines.append(f"{v[k]} = {v[k]} - ({whole})")
    return lines
