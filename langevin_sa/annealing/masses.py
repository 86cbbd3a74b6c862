"""Masses of coordinates, and coordinates that do not move, as a run is asked for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import check_flags, on_host, real_array, shown
from ..backends.walk import Walk
from ..potential import Potential
from .results import State


def inertia_of(
    potential: Potential,
    x0: Any,
    masses: Any,
    frozen: Any,
    remove_drift: Any = False,
    state: State | None = None,
) -> tuple[np.ndarray | None, int]:
    """`langevin_sa.backends.walk.Walk.masses` and ``centred`` of what `anneal` is asked for; a
    state brings its masses.

    Raises
    ------
    ValueError, TypeError
        For what are no masses, or no coordinates, of the potential; if nothing moves, or what is
        frozen has no place; if a state had other masses; and where no centre of mass can be held.
    """
    check_flags(remove_drift=remove_drift)
    m = _masses(potential, masses, frozen)
    if state is None:
        if x0 is None and np.isinf(m).any():
            raise ValueError("frozen coordinates stay where x0 has them: give x0")
    else:
        given = np.ones(potential.dim) if state.masses is None else state.masses
        before = real_array(given, "the state's masses")
        if before.shape != m.shape or not (before > 0).all():
            raise ValueError(
                f"the state's masses must be {potential.dim} positive numbers, infinite where a "
                f"coordinate is frozen, not {shown(state.masses)}"
            )
        if not (masses is None and frozen is None) and not np.array_equal(m, before):
            raise ValueError(
                f"the state is of a run with masses {shown(before)}, and those given are "
                f"{shown(m)} (infinite where frozen): leave out masses and frozen to go on"
            )
        m = before
        if np.any(on_host(state.dx)[:, np.isinf(m)]):
            raise ValueError("the state's dx must be 0 where its masses say that x is frozen")
    if remove_drift:
        return m, _check_open(potential, m)
    return (None if (m == 1).all() else m), 0


def _masses(potential: Potential, masses: Any, frozen: Any) -> np.ndarray:
    """The masses (dim,), infinite where frozen."""
    units, count, what = _particles(potential)
    default = np.ones(potential.dim) if potential.masses is None else potential.masses
    m = default.copy() if masses is None else real_array(masses, "masses")
    if m.shape not in ((potential.dim,), (count,)) or not ((m > 0) & np.isfinite(m)).all():
        raise ValueError(
            f"masses must be positive numbers of shape {_shapes(potential, count, what)}, not "
            f"{shown(masses)} of shape {m.shape}; frozen= keeps coordinates where they are"
        )
    m = m if m.shape == (potential.dim,) else m[units]
    held = _mask(potential, frozen, units, count, what)
    if held.all():
        raise ValueError("frozen holds every coordinate: leave some to move")
    m[held] = np.inf
    return m


def _particles(potential: Potential) -> tuple[np.ndarray, int, str]:
    """The particle, atom or coordinate that each coordinate belongs to, how many there are, and
    what they are called.
    """
    if potential.atoms is not None:
        free = potential.atoms["free"]
        return np.nonzero(free)[0], len(free), "atoms"
    space = _space(potential)
    each = np.arange(potential.dim) // space
    return each, potential.dim // space, "particles" if space > 1 else "coordinates"


def _space(potential: Potential) -> int:
    """Coordinates of a particle; 1 where a formula has none."""
    spec = None if potential.formula is None else potential.formula.source.spec
    return spec.space if spec is not None and spec.of_particles else 1


def _shapes(potential: Potential, count: int, what: str) -> str:
    shape = f"({potential.dim},)"
    return shape if count == potential.dim else f"{shape} or, of {what}, ({count},)"


def _mask(
    potential: Potential, frozen: Any, units: np.ndarray, count: int, what: str
) -> np.ndarray:
    """Which coordinates (dim,) are frozen."""
    given = np.asarray([] if frozen is None else on_host(frozen))
    shapes = _shapes(potential, count, what)
    if given.dtype == bool:
        if given.shape not in ((potential.dim,), (count,)):
            raise ValueError(f"frozen as a mask must have shape {shapes}, not {given.shape}")
        return given.copy() if given.shape == (potential.dim,) else given[units]
    given = given.astype(int) if not given.size else given
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise TypeError(
            f"frozen must be a mask of bools of shape {shapes}, or numbers of {what}, not "
            f"{shown(frozen)}"
        )
    if len(set(given.tolist())) < len(given) or ((given < 0) | (given >= count)).any():
        raise ValueError(
            f"frozen as numbers of {what} must be different integers from 0 to {count - 1}, not "
            f"{shown(frozen)}; a mask is of bools"
        )
    return np.isin(units, given)


def _check_open(potential: Potential, masses: np.ndarray) -> int:
    """Dimensions of space of particles whose forces sum to zero; a ValueError if they may not."""
    if np.isinf(masses).any():
        raise ValueError("remove_drift holds the centre of mass of all particles: leave out frozen")
    spec = None if potential.formula is None else potential.formula.source.spec
    if spec is None or not spec.of_particles or spec.coordinates or spec.site:
        raise ValueError(
            f"remove_drift needs particles that act on each other alone, so that forces sum to "
            f"zero: a formula of particles without terms in coordinates, which {potential.name} is "
            "not; take the centre off afterwards, it does not act on the other motion"
        )
    return _space(potential)


def check_knows(kernel: Any, name: str, walk: Walk) -> None:
    """Raise a ValueError if a backend would ignore masses, or that the centre of mass is held."""
    if walk.masses is not None and not kernel.weighs:
        raise ValueError(
            f"backend {name!r} knows of no masses for this potential: take 'numpy', or leave out "
            "masses and frozen"
        )
    if walk.centred and not kernel.centres:
        raise ValueError(
            f"backend {name!r} does not hold the centre of mass: take 'numba' or 'numpy', or leave "
            "out remove_drift"
        )
