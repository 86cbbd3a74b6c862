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
DRAWS = 50  # of a starting point, until the energy and the gradient are finite there
LOOKED_AT = 100_000  # coordinates of points whose gradients are taken at once
SHOWN = 9  # coordinates of a point that a message shows


def check_alone(potential: Any, x: np.ndarray) -> None:
    """Raise a ValueError for functions of one point, which pass every check of shapes if x has as
    many replicas as coordinates.
    """
    if potential.formula is not None or not len(x) == potential.dim > 1:
        return
    for what in ("energy", "gradient") if potential.has_gradient else ("energy",):
        try:
            getattr(potential, what)(x[:1])
        except IndexError as error:
            raise ValueError(
                f"{what} of {potential.name} fails for one replica, x of shape (1, "
                f"{potential.dim}): {error}; functions work on all replicas at once: x[:, 0] is "
                "the first coordinate of each, x[0] the first replica"
            ) from error


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


def starting_points(
    potential: Potential,
    x0: Any,
    replicas: int | None,
    seed: int,
    dtype: Any = float,
    look: bool = True,
) -> np.ndarray:
    """x0 as an array (replicas, dim), drawn from the potential's domain if None, where energies and
    gradients are finite.

    A point that is drawn where they are not is drawn again, from a stream of its number and the
    seed alone; `dtype` is how positions will be stored. Points that are drawn are not looked at
    without `look`.

    Raises
    ------
    ValueError, TypeError
        For an x0 of the wrong shape or where they are not finite, or if no such point is found.
    """
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
    check_alone(potential, x)
    if potential.numba_functions is not None:
        from ..backends.cpu.compiled import check_functions  # loads numba

        check_functions(potential, x[0].astype(float))
    if x0 is None and not look:
        return x
    energies, fails = _looked_at(potential, x.astype(dtype))
    if x0 is None:
        return _drawn_again(potential, x, fails, seed, dtype)
    if fails.any():
        replica = int(np.argmax(fails))
        raise ValueError(not_finite(potential, x, replica, float(energies[replica])))
    return x


def not_finite(potential: Potential, x: np.ndarray, replica: int, energy: float) -> str:
    """The sentence for a replica that would start where its energy or gradient is not finite."""
    where = f"at the starting point of replica {replica}"
    if not np.isfinite(energy):
        return f"the energy of {potential.name} is {energy} {where}; start where it is finite"
    with np.errstate(all="ignore"):
        gradient = potential.gradient(x[replica].astype(float))
    value = gradient[~np.isfinite(gradient)][:1]
    found = f"is {value[0]}" if value.size else "is not finite"
    return (
        f"the gradient of {potential.name} {found} {where}, although its energy is {energy:.6g}: "
        f"not differentiable there; start elsewhere{_example(potential, x[replica])}"
    )


def _example(potential: Potential, x: np.ndarray) -> str:
    """A point where the potential is differentiable, for a message; nothing if none is near."""
    if potential.dim > SHOWN:
        return ""
    generator = np.random.default_rng(0)
    size = float(np.abs(x).max()) or 1.0  # only shown, so any length will do
    near = x + 0.1 * size * generator.standard_normal((DRAWS, potential.dim))
    points = potential.draw_start(DRAWS, generator) if potential.has_domain else near
    points = np.array([[float(f"{c:.3g}") for c in point] for point in points])
    fails = _looked_at(potential, points)[1]
    if fails.all():
        return ""
    return f", for example at ({', '.join(f'{c:g}' for c in points[int(np.argmin(fails))])})"


@np.errstate(all="ignore")  # failures are what is looked for
def _looked_at(potential: Potential, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energies at x (replicas, dim), and where they or the gradients are not finite; of a potential
    that runs on mini-batches, or whose gradients are differences, only the energies are known.
    """
    if hasattr(potential, "batches") or not potential.has_gradient:
        energies = np.asarray(potential.energy(x))
        return energies, ~np.isfinite(energies)
    few = max(1, LOOKED_AT // x.shape[1])
    looks = [potential.energy_gradient(x[r : r + few]) for r in range(0, len(x), few)]
    energies = np.concatenate([energy for energy, _ in looks])
    sound = np.concatenate([np.isfinite(gradient).all(1) for _, gradient in looks])
    return energies, ~(np.isfinite(energies) & sound)


def _drawn_again(
    potential: Potential, x: np.ndarray, fails: np.ndarray, seed: int, dtype: Any
) -> np.ndarray:
    """Points x (replicas, dim) that were drawn, with others where they fail."""
    asked, failed = len(x), int(fails.sum())
    for k in range(1, DRAWS):
        left = np.flatnonzero(fails)
        if not left.size:
            return x
        again = potential.draw_start(len(x), np.random.default_rng([seed, 1, k]))
        x = np.where(fails[:, None], again, x)
        fails[left] = _looked_at(potential, x[left].astype(dtype))[1]
        asked, failed = asked + left.size, failed + int(fails.sum())
    if fails.any():
        raise ValueError(
            f"the energy of {potential.name} and its gradient are finite at {asked - failed} of "
            f"{asked} points that were drawn ({(asked - failed) / asked:.1%}), and at none of "
            f"{DRAWS} for replica {np.argmax(fails)}; give x0, bounds= or start= where they are"
        )
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
    if state.failures is not None:
        if np.shape(state.failures) != walk.failures.shape:
            raise ValueError(
                f"the state's failures have shape {np.shape(state.failures)}; expected "
                f"{walk.failures.shape}"
            )
        walk.failures[...] = on_host(state.failures)
    if state.work is not None:
        if np.shape(state.work) != walk.work.shape:
            raise ValueError(
                f"the state's work has shape {np.shape(state.work)}; expected {walk.work.shape}"
            )
        walk.work[...] = on_host(state.work)
    return walk


def going_on(
    state: State,
    potential: Potential,
    dtype: np.dtype,
    others: tuple[Any, ...],
    schedule: Any,
    n_steps: int,
) -> Walk:
    """The walk of a state that is gone on from, with nothing else to say where it starts."""
    if any(other is not None for other in others):
        raise ValueError(
            "a state brings its own positions, replicas and seed: give either state, or x0, "
            "replicas and rng"
        )
    if schedule is None:
        raise ValueError(
            "going on from a state needs the schedule of its first part: give schedule="
        )
    walk = walk_of(state, potential, dtype)
    if walk.step >= n_steps:
        raise ValueError(
            f"the state is at step {walk.step}, and n_steps = {n_steps} leaves nothing to do"
        )
    return walk
