"""Where a run starts: points, or the state of an earlier run."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import check_whole, on_host, real_array, shown, whole
from ..backends.walk import Walk
from ..noise import seed_of
from ..potential import Potential
from .results import State

DEFAULT_REPLICAS = 64


def check_energies(potential: Potential, here: np.ndarray, there: np.ndarray) -> None:
    """Raise a ValueError if a checkpoint's points have other energies `here` than `there`, when it
    was written; both are (replicas,).
    """
    if not np.allclose(here, there, rtol=0, atol=1e-6 * float(np.abs(there).max())):
        raise ValueError(
            f"the checkpoint belongs to another potential: its energies were {there[0]:.9g}, ..., "
            f"and at the same points those of {potential.name} are {here[0]:.9g}, ...; give "
            "another name, or remove the file"
        )


def starting_points(potential: Potential, x0: Any, replicas: int | None, seed: int) -> np.ndarray:
    """x0 as an array (replicas, dim), drawn from the potential's domain if None."""
    if replicas is not None:
        check_whole(1, replicas=replicas)
    dim = potential.dim
    if x0 is None:
        x = potential.draw_start(replicas or DEFAULT_REPLICAS, np.random.default_rng([seed, 1]))
    else:
        x = real_array(x0, "x0")
        if x.ndim == 0 and dim == 1:
            x = x[None]
        if x.ndim not in (1, 2) or x.shape[-1] != dim or x.size == 0:
            raise ValueError(
                f"x0 must have shape ({dim},) or (replicas, {dim}) for {potential.name}, not "
                f"{x.shape}"
            )
        if x.ndim == 1:
            x = np.tile(x, (replicas or 1, 1))
        elif replicas not in (None, len(x)):
            raise ValueError(
                f"x0 has {len(x)} replicas and replicas = {replicas}; leave one of them out"
            )
    if x.shape[1:] != (dim,):
        raise ValueError(
            f"the start of {potential.name} gave shape {x.shape}; expected (replicas, {dim})"
        )
    if not np.isfinite(x).all():
        r, c = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(f"x0 must be finite, and is {x[r, c]} at replica {r}, coordinate {c}")
    return x


def home_of(potential: Potential, x: np.ndarray) -> np.ndarray:
    """The box (dim, 2) of starting points x (replicas, dim) and of the potential's bounds."""
    low, high = x.min(0).astype(float), x.max(0).astype(float)
    if potential.bounds is not None:
        low, high = (
            np.minimum(low, potential.bounds[:, 0]),
            np.maximum(high, potential.bounds[:, 1]),
        )
    return np.stack([low, high], axis=1)


def walk_of(state: State, potential: Potential, dtype: Any = float) -> Walk:
    """A walk that stands where the state says; a TypeError or ValueError if it does not fit."""
    if not isinstance(state, State):
        raise TypeError(
            f"state must be a State (of a Snapshot or a Result), not {type(state).__name__}"
        )
    x = on_host(state.x)
    if x.ndim != 2 or x.shape[1] != potential.dim:
        raise ValueError(
            f"the state holds positions of shape {x.shape}; {potential.name} needs (replicas, "
            f"{potential.dim})"
        )
    dx, noise = on_host(state.dx), on_host(state.noise)
    if not all(a.shape == x.shape and np.isfinite(a).all() for a in (x, dx, noise)):
        raise ValueError("the state's x, dx and noise must be finite and of one shape")
    if not (whole(state.step) and state.step >= 0 and whole(state.seed)):
        raise ValueError(
            f"the state's step and seed must be integers >= 0, not {shown(state.step)} and "
            f"{shown(state.seed)}"
        )
    walk = Walk.at_rest(x, seed_of(state.seed), dtype)
    walk.dx[...], walk.noise[...], walk.step = dx, noise, state.step
    if state.best_x is not None and state.best_energy is not None:
        if (np.shape(state.best_x), np.shape(state.best_energy)) != (x.shape, (len(x),)):
            raise ValueError(
                f"the state's best_x and best_energy have shapes {np.shape(state.best_x)} and "
                f"{np.shape(state.best_energy)}"
            )
        walk.best_x[...], walk.best_energy[...] = on_host(state.best_x), on_host(state.best_energy)
    return walk
