"""What `minimize` is given, checked and put into one form before any work starts."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import Bounds, OptimizeWarning

from ..arguments import check_whole, finite, look_up, real, shown, warn
from ..potential import Potential, real_array
from .ensemble import COOLING
from .strategies import MOVES, Settings, unused

LARGEST = 1e300  # a bound beyond is none: a domain up to it would not be a number
UNMET = {"maximize": "give the negative of fun"}
BACKENDS = ("auto", "cupy")
DRAWN = 64  # of a potential's own starts, to see how wide they spread
MOST_WHOLE = 2.0**53  # integers beyond are not all numbers
FARTHEST = 1e290  # a starting point lies within, so that the domain around it is finite


def check_fun(fun: Any) -> None:
    """Raise a TypeError unless there is a function to minimize."""
    if not (callable(fun) or isinstance(fun, Potential)):
        raise TypeError(f"fun must be a function or a Potential, not {type(fun).__name__}")


def check_backend(backend: Any, fun: Any) -> None:
    """Raise a ValueError unless it is one of `BACKENDS`, and suits the function."""
    look_up(backend, dict.fromkeys(BACKENDS), "backend of minimize")
    if backend == "cupy" and not isinstance(fun, Potential):
        raise ValueError(
            "backend='cupy' evaluates a Potential on the GPU, and fun is a function: make it one "
            "(Potential.from_formula, from_cuda, ...), or leave backend= out"
        )


def check_budgets(**budgets: Any) -> None:
    """Raise a TypeError or ValueError unless each is an integer >= 0, or None."""
    check_whole(0, **{name: budget for name, budget in budgets.items() if budget is not None})


def check_numbers(**numbers: Any) -> None:
    """Raise a ValueError unless each is a number >= 0, or None (but for the patience); a target may
    be any number.
    """
    for name, value in numbers.items():
        if value is None and name != "patience":
            continue
        if not (real(value) and (name == "target" or value >= 0)):
            kind = "a number" if name == "target" else "a number >= 0"
            raise ValueError(f"{name} must be {kind}, not {shown(value)}")


def check_settings(settings: Settings) -> None:
    """Raise a ValueError or TypeError for options of the strategies that make no sense."""
    for name, least in (("replicas", 2), ("n_steps", 1)):
        count = getattr(settings, name)
        if count is not None:
            check_whole(least, **{name: count})
    noise, moves = settings.gradient_noise, settings.moves
    estimate = isinstance(noise, str) and noise == "estimate"
    if not (noise is None or estimate or (finite(noise) and noise >= 0)):
        raise ValueError(
            f"gradient_noise must be a variance >= 0 or 'estimate', not {shown(noise)}"
        )
    try:
        hot, cold = settings.temperature
        good = all(t is None or (finite(t) and t > 0) for t in (hot, cold))
        good = good and (hot is None or cold is None or hot >= cold)
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            "temperature must be (T0, T1) with T0 >= T1 > 0, or None for either, not "
            f"{shown(settings.temperature)}"
        )
    if moves is not None and (not isinstance(moves, tuple | list) or not moves):
        raise TypeError(
            f"moves must be a list of at least one of {', '.join(MOVES)}, not {shown(moves)}"
        )
    for move in moves or ():
        look_up(move, MOVES, "move")
    look_up(settings.cooling, COOLING, "cooling")


def by_our_names(rng: Any, maxfev: Any, unknown: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """rng and maxfev, which `unknown` may call seed and maxfun as parts of SciPy do, and the rest
    of it; a TypeError if both names are given.
    """
    ours, rest = {"rng": rng, "maxfev": maxfev}, dict(unknown)
    for other, name in (("seed", "rng"), ("maxfun", "maxfev")):
        if other not in rest:
            continue
        if ours[name] is not None:
            raise TypeError(f"{other}= and {name}= are the same thing: give {name}= alone")
        ours[name] = rest.pop(other)
        warn(f"{other}= is understood as {name}=, its name here", OptimizeWarning)
    return ours["rng"], ours["maxfev"], rest


def whole_coordinates(integrality: Any, dim: int | None) -> np.ndarray:
    """Which coordinates (dim,) are integers, as in `scipy.optimize.milp`; of None coordinates
    whatever is given.

    Raises
    ------
    ValueError
        If there are not as many numbers as coordinates, or one is neither 0 nor 1.
    """
    try:
        given = real_array(0 if integrality is None else integrality, "integrality")
        kinds = given if dim is None else np.broadcast_to(given, (dim,))
    except (TypeError, ValueError):
        raise ValueError(
            "integrality must be 0 or 1 for each of the "
            f"{'' if dim is None else f'{dim} '}coordinates, not {shown(integrality)}"
        ) from None
    if not np.isin(kinds, (0, 1)).all():
        raise ValueError(
            "integrality must be 0 (real) or 1 (integer) for each coordinate, not "
            f"{shown(integrality)}: semi-continuous ones (2, 3) are for scipy.optimize.milp"
        )
    return kinds == 1


def onto_integers(
    low: np.ndarray, high: np.ndarray, integers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The bounds (dim,), those of integers rounded inwards.

    Raises
    ------
    ValueError
        If an integer has no bound, or none lies between them.
    """
    least, most = np.where(integers, np.ceil(low), low), np.where(integers, np.floor(high), high)
    for k in np.flatnonzero(integers):
        if not np.abs([least[k], most[k]]).max() <= MOST_WHOLE:
            raise ValueError(
                f"an integer needs bounds, within +-2^53: coordinate {k}: ({low[k]:g}, {high[k]:g})"
            )
        if least[k] > most[k]:
            raise ValueError(
                f"no integer lies between the bounds of coordinate {k}: ({low[k]:g}, {high[k]:g})"
            )
    return least, most


def check_restricted(strategy: str, fun: Any, constraints: Any, integrality: Any) -> None:
    """Raise a ValueError if the strategy or the function cannot keep to constraints or integers."""
    wished = ["constraints"] * bool(constraints) + ["integrality"] * bool(np.any(integrality))
    if wished and strategy != "portfolio":
        raise ValueError(
            f"strategy {strategy!r} cannot keep to {wished[0]}=: use 'portfolio', or 'auto'"
        )
    if np.any(integrality) and isinstance(fun, Potential):
        raise ValueError("integrality= is for functions, not for a Potential")


def refuse(**wishes: Any) -> None:
    """Raise a ValueError for a wish that would change the answer and cannot be met; an empty or
    false one is none.
    """
    for name, value in wishes.items():
        try:
            wished = bool(np.any(value))
        except (TypeError, ValueError):  # of what has no truth
            wished = True
        if wished:
            given = f"{name}={shown(value)}"
            raise ValueError(f"langevin_sa.minimize cannot handle {given}: {UNMET[name]}")


def advise(
    strategy: str,
    settings: Settings,
    fun: Any,
    args: Any,
    jac: Any,
    vectorized: bool,
    *,
    hess: Any,
    hessp: Any,
    **unknown: Any,
) -> None:
    """Warn the caller of `minimize` of what was given and will not be used."""
    if unknown:
        warn(f"Unknown solver options: {', '.join(map(str, unknown))}", OptimizeWarning)
    if hess is not None or hessp is not None:
        warn("langevin_sa.minimize does not use Hessian information.", RuntimeWarning)
    idle = unused(strategy, settings)
    if idle:
        warn(f"strategy {strategy!r} does not use {', '.join(idle)}", OptimizeWarning)
    given = {
        "args": args is not None and not (isinstance(args, tuple) and not args),
        "jac": jac is not None and jac is not False,
        "vectorized": vectorized,
    }
    if isinstance(fun, Potential) and any(given.values()):
        names = ", ".join(name for name, yes in given.items() if yes)
        warn(f"a Potential brings its gradient: {names} not used", OptimizeWarning)
    if isinstance(jac, str) and jac in ("3-point", "cs"):
        said = f"jac={jac!r} is not there; gradients are forward differences ('2-point')"
        warn(said, OptimizeWarning)


def function_and_gradient(fun: Any, jac: Any) -> tuple[Any, Any]:
    """fun and jac with SciPy's memoized pair turned back into one function that returns both."""
    inner = getattr(fun, "fun", None)
    memoized = callable(inner) and hasattr(fun, "derivative")
    if memoized and jac is not None and getattr(jac, "__self__", None) is fun:
        return inner, True
    if isinstance(jac, str):
        if jac not in ("2-point", "3-point", "cs"):
            raise ValueError(f"jac must be a function, True, None or '2-point', not {shown(jac)}")
        return fun, None
    if jac is not None and not isinstance(jac, (bool, np.bool_)) and not callable(jac):
        raise TypeError(f"jac must be a function, True, None or '2-point', not {shown(jac)}")
    return fun, jac if callable(jac) else (True if jac else None)


def check_residuals(fun: Any, jac: Any, strategy: str, vectorized: bool, constrained: bool) -> None:
    """Raise unless a sum of squares can be minimized so."""
    if isinstance(fun, Potential):
        raise TypeError("residuals=True is for a function that returns a vector, not a Potential")
    if strategy != "portfolio":
        raise ValueError(
            f"residuals=True is for strategy 'portfolio', not {strategy!r}: give it the sum of "
            "squares as a function instead"
        )
    if constrained:
        raise ValueError(
            "residuals=True keeps to bounds= and integrality=, not to constraints=: give the sum "
            "of squares as a function instead"
        )
    if vectorized:
        raise ValueError(
            "with residuals=True `fun` takes one point at a time: vectorized must be False; "
            "workers= evaluates many at once"
        )
    if isinstance(jac, (bool, np.bool_)) and jac:
        raise ValueError(
            "with residuals=True jac must be a function that returns the Jacobian (M, N), or None "
            "for differences, not True"
        )


def starting_point(fun: Any, x0: Any, bounds: Any, seed: int) -> tuple[np.ndarray, Any]:
    """The starting point, and the domain of a potential."""
    generator = np.random.default_rng([seed, 1])
    domain = domain_of(fun, seed) if isinstance(fun, Potential) else None
    if x0 is None:
        if isinstance(fun, Potential):
            return fun.draw_start(1, generator)[0], domain
        if bounds is None:
            raise TypeError(
                "x0 is missing: give a starting point, or bounds to draw one from, or a Potential"
            )
        low, high = limits(bounds, None)
        if not np.isfinite([low, high]).all():
            raise ValueError("without x0 all bounds must be finite")
        return generator.uniform(low, high), None
    if isinstance(x0, Bounds):
        raise TypeError("x0 must be a point, not Bounds: give them by name, bounds=")
    point = np.atleast_1d(real_array(x0, "x0"))
    if point.ndim != 1 or point.size == 0:
        pairs = point.ndim == 2 and point.shape[1] == 2 and bounds is None
        hint = "; if these are bounds, give them by name, bounds=" if pairs else ""
        raise ValueError(f"'x0' must only have one dimension, not shape {point.shape}{hint}")
    if isinstance(fun, Potential) and point.size != fun.dim:
        raise ValueError(f"x0 must have shape ({fun.dim},) for {fun.name}, not {point.shape}")
    if not np.isfinite(point).all():
        raise ValueError(f"x0 must be finite, not {shown(point)}")
    return point, domain


def domain_of(potential: Potential, seed: int) -> np.ndarray | None:
    """Where a potential lies, (dim, 2): its bounds, else twice as wide as its own starts spread, or
    None where it has neither.
    """
    if potential.bounds is not None or not potential.has_domain:
        return potential.bounds
    drawn = potential.draw_start(DRAWN, np.random.default_rng([seed, 2]))
    low, high = drawn.min(0), drawn.max(0)
    half = high - low
    half = np.where(half > 0, half, half.max())
    middle = low / 2 + high / 2
    return np.stack([middle - half, middle + half], axis=1) if half.max() > 0 else None


def onto_bounds(
    point: np.ndarray, low: np.ndarray, high: np.ndarray, *, given: bool
) -> tuple[np.ndarray, list[str]]:
    """The starting point (dim,) within the bounds, and what to tell of it; a warning if one that
    was `given` had to be moved.
    """
    clipped = np.clip(point, low, high)
    if np.abs(clipped).max() > FARTHEST:
        raise ValueError(f"the starting point must not be beyond {FARTHEST:g}: {shown(clipped)}")
    if not given or np.array_equal(clipped, point):
        return clipped, []
    said = "Initial guess is not within the specified bounds; it is moved onto them."
    warn(said, OptimizeWarning)
    return clipped, ["x0 was outside the bounds and was moved onto them."]


def limits(bounds: Any, dim: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds (dim,), infinite where there are none or where they are beyond
    `LARGEST`.
    """
    if bounds is None:
        return np.full(dim or 0, -np.inf), np.full(dim or 0, np.inf)
    try:
        if isinstance(bounds, Bounds):
            low, high = (real_array(side, "a bound") for side in (bounds.lb, bounds.ub))
            low, high, _ = np.broadcast_arrays(low, high, np.empty(dim or 1))
        else:
            pairs = [(-np.inf if a is None else a, np.inf if b is None else b) for a, b in bounds]
            low, high = real_array(pairs or np.empty((0, 2)), "bounds").T
    except (TypeError, ValueError, NotImplementedError):  # the last by a memoryview
        raise ValueError(
            f"bounds must be a Bounds or a sequence of (low, high), not {shown(bounds)}"
        ) from None
    if low.ndim != 1 or low.size != (dim or max(1, low.size)):
        coordinates = "no" if dim is None else dim
        raise ValueError(f"there are {low.size} bounds and {coordinates} coordinates")
    low = np.where(low >= -LARGEST, low, -np.inf)  # NaN is no bound either
    high = np.where(high <= LARGEST, high, np.inf)
    bad = (low > high) | (low == np.inf) | (high == -np.inf)
    if bad.any():
        k = int(np.argmax(bad))
        raise ValueError(
            "an upper bound is less than the lower bound, or nothing lies between: coordinate "
            f"{k}: ({low[k]:g}, {high[k]:g})"
        )
    return low, high
