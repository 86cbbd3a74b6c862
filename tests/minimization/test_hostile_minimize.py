"""Hostile input of `minimize`: arguments, starting points, bounds, and functions that return or do
what they should not.
"""

from __future__ import annotations

import contextlib
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
from hostile import ANYTHING, JUNK, NUMBERS, SIZES, Odd, arrays, bits, examples, meaning, refused_or
from hypothesis import given, strategies as st

from langevin_sa import Potential, minimize

FORMULA = Potential.from_formula("(x - 0.5)**2 + 2*y**2", bounds=(-2, 2))
FUNCTIONS = Potential(
    lambda x: (x[:, 0] - 0.5) ** 2 + 2 * x[:, 1] ** 2,
    lambda x: (x - [0.5, 0]) * [2, 4],
    2,
    bounds=(-2, 2),
)
BOX = [(-2.0, 2.0), (-1.0, 3.0)]


@np.errstate(over="ignore")
def bowl(x):
    return float((x[0] - 0.5) ** 2 + 2 * (x[1:] ** 2).sum())


def slope(x):
    return np.array([2 * (x[0] - 0.5), 4 * x[1]])


class Called:
    """A function of x that counts its calls."""

    def __init__(self, function=bowl):
        self.function, self.calls = function, 0

    def __call__(self, x, *args):
        self.calls += 1
        return self.function(x, *args)


def sound(result, low=-np.inf, high=np.inf):
    """A point inside the bounds, and the function there."""
    assert np.isfinite(result.x).all() and (result.x >= low).all() and (result.x <= high).all(), (
        result
    )
    assert result.fun == pytest.approx(bowl(result.x), rel=1e-9, abs=1e-300) or result.nfev == 0
    assert isinstance(result.message, str) and result.status in (
        (0, 1) if np.isfinite(result.fun) else (1, 2)
    )
    for found in result.minima:
        assert found.fun == pytest.approx(bowl(found.x), rel=1e-6, abs=1e-6)


def refused_before_work(call, fun, *errors):
    """What `call` returns; if it refused, then before `fun` was called."""
    result = refused_or(call, *errors)
    assert result is not None or not fun.calls, f"refused after {fun.calls} evaluations"
    return result


def scipys(fun, x0, jac=None, bounds=None, **options):
    return scipy.optimize.minimize(
        fun, x0, jac=jac, bounds=bounds, method=minimize, options=options
    )


# ---------------------------------------------------------------------------------------- arguments

PAIRS = st.tuples(ANYTHING, ANYTHING)
KEYWORDS = {
    "x0": JUNK,
    "args": st.one_of(JUNK, st.just(())),
    "jac": st.one_of(
        NUMBERS,
        st.sampled_from([[], "", "3-point", "cs", "x", Odd(), np.zeros((2, 2)), {}, np.True_, 1.0]),
    ),
    "bounds": st.one_of(JUNK, NUMBERS, st.lists(PAIRS, min_size=2, max_size=2)),
    "callback": st.one_of(NUMBERS, st.sampled_from([[], Odd(), "x", np.zeros(2)])),
    "strategy": st.one_of(
        JUNK, st.sampled_from(["clusters", "Portfolio", "annealing", "exchange", "population"])
    ),
    "target": ANYTHING,
    "patience": ANYTHING,
    "maxfev": ANYTHING,
    "maxiter": ANYTHING,
    "max_seconds": ANYTHING,
    "tol": ANYTHING,
    "moves": st.one_of(
        ANYTHING,
        st.lists(st.sampled_from(["hop", "line", "sample", "Hop", "", 3, None]), max_size=3),
        st.just("hop"),
    ),
    "polish": ANYTHING,
    "temperature": st.one_of(ANYTHING, PAIRS),
    "cooling": st.one_of(JUNK, st.sampled_from(["linear", "constant speed"])),
    "replicas": SIZES,
    "n_steps": SIZES,
    "gradient_noise": st.one_of(ANYTHING, st.sampled_from(["estimate", "Estimate"])),
    "rng": ANYTHING,
    "workers": st.sampled_from(
        [0, -2, 1.5, "2", Odd(), [], None, np.nan, True, 10**400, map, np.int64(1)]
    ),
    "vectorized": JUNK,
    "disp": st.one_of(JUNK, NUMBERS),
    "hess": JUNK,
    "hessp": JUNK,
    "constraints": JUNK,
    "odd": JUNK,
}

SCIPYS = {"jac", "args", "callback", "tol", "hess", "hessp", "constraints"}  # are read by SciPy


@examples(8)
@given(
    data=st.data(),
    way=st.sampled_from([minimize, scipys]),
    strategy=st.sampled_from(["auto", "anneal", "exchange", "population"]),
)
def test_arguments(data, way, strategy):
    """One or two odd arguments: refused before the first evaluation, or a right answer."""
    names = sorted(KEYWORDS if way is minimize else set(KEYWORDS) - SCIPYS)
    odd = {
        name: data.draw(KEYWORDS[name], label=name)
        for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    }
    fun = Called(lambda x, *args: bowl(x))
    given = {
        "x0": [0.1, 0.2],
        "strategy": strategy,
        "maxfev": 300,
        "maxiter": 100,
        "replicas": 2,
        "n_steps": 4,
        "rng": 1,
    } | odd
    if "bounds" not in odd or odd["bounds"] is None:
        given["bounds"] = BOX
    if isinstance(odd.get("jac"), (bool, np.bool_)) and odd["jac"]:
        return  # the function does not return a pair
    x0, moved = given.pop("x0"), callable(given.get("callback"))
    if given.get("vectorized") is True:
        return  # which the function cannot take
    with contextlib.redirect_stdout(None):
        result = refused_before_work(lambda: way(fun, x0, **given), fun)
    if result is not None and result.nfev and not moved:
        sound(result)


@examples(2)
@given(
    fun=ANYTHING,
    x0=st.one_of(ANYTHING, st.just([1.0, 1.0])),
    bounds=st.one_of(st.none(), st.just(BOX), JUNK),
)
def test_no_function(fun, x0, bounds):
    if not callable(fun):
        assert refused_or(lambda: minimize(fun, x0, bounds=bounds)) is None


@examples(6)
@given(
    x0=arrays(),
    fun=st.sampled_from([bowl, FORMULA, FUNCTIONS]),
    box=st.sampled_from([None, BOX]),
    way=st.sampled_from([minimize, scipys]),
    strategy=st.sampled_from(["auto", "anneal"]),
)
def test_starting_points(x0, fun, box, way, strategy):
    """Read as they are meant or refused, and never written to."""
    before = bits(x0)
    dim = np.size(x0)
    block = meaning(np.atleast_1d(x0), dim) if np.ndim(x0) < 2 else None
    counted = Called(fun) if fun is bowl else fun
    if isinstance(fun, Potential) and way is scipys:
        return  # SciPy takes functions alone
    keywords = {
        "bounds": box,
        "maxfev": 250,
        "rng": 1,
        "strategy": strategy,
        "replicas": 2,
        "n_steps": 5,
    }
    with np.errstate(all="ignore"):
        result = refused_or(lambda: way(counted, x0, **keywords))
    assert bits(x0) == before
    if result is None:
        assert fun is not bowl or not counted.calls
    elif way is minimize:
        assert block is not None and np.isfinite(block).all() and (dim == 2 or not box), (
            f"minimize took {x0!r}"
        )
        low, high = np.array(BOX).T if box else (-np.inf, np.inf)
        sound(result, low, high)
        assert result.fun <= bowl(np.clip(block[0], low, high))


LIMITS = st.one_of(st.none(), st.floats(-3, 3), st.integers(-3, 3), NUMBERS, JUNK)


@examples(4)
@given(
    bounds=st.lists(st.tuples(LIMITS, LIMITS), min_size=2, max_size=2),
    x0=st.sampled_from([None, [0.1, 0.2]]),
    kind=st.integers(0, 4),
)
def test_bounds(bounds, x0, kind):
    """Kept by every evaluation, whatever they are, or refused before the first."""
    given = bounds
    with np.errstate(all="ignore"), contextlib.suppress(Exception):
        given = [
            lambda: bounds,
            lambda: np.array(bounds, dtype=float),
            lambda: np.array(bounds),
            lambda: iter(bounds),
            lambda: scipy.optimize.Bounds(*zip(*bounds, strict=True)),
        ][kind]()
    seen = []
    fun = Called(lambda x: seen.append(np.array(x)) or bowl(x))

    def call():
        with np.errstate(over="ignore"):  # of the bowl
            return minimize(fun, x0, bounds=given, maxfev=150, rng=1)

    result = refused_before_work(call, fun)
    if result is None:
        return
    sides = [
        [np.nan if side is None else np.array(side, float) for side in pair] for pair in bounds
    ]
    low, high = np.where(np.isnan(sides), [-np.inf, np.inf], sides).T
    assert (
        (np.array(seen) >= low).all() and (np.array(seen) <= high).all() and np.isfinite(seen).all()
    )
    assert result.fun == min(map(bowl, seen)) or not np.isfinite(result.fun)


@examples(1)
@given(bounds=arrays(), x0=st.sampled_from([None, [0.1, 0.2]]))
def test_bounds_of_any_shape(bounds, x0):
    fun = Called()
    with np.errstate(all="ignore"):
        result = refused_before_work(
            lambda: minimize(fun, x0, bounds=bounds, maxfev=100, rng=1), fun
        )
    if result is not None:
        sound(result)


# ---------------------------------------------------------------------------------------- functions

RETURNED = st.one_of(
    ANYTHING,
    st.sampled_from(
        [
            np.array([1.0]),
            np.array([[1.0]]),
            np.array([1.0, 2.0]),
            [1.0],
            "1.0",
            b"1",
            1j,
            np.complex128(1),
            np.array([1j]),
            np.ma.masked,
            np.array(None),
            Fraction(1, 3),
            Decimal("0.1"),
            [[1.0], [1.0, 2.0]],
            Ellipsis,
            True,
        ]
    ),
)


@examples(5)
@given(
    value=RETURNED,
    where=st.sampled_from(["everywhere", "half", "later", "once"]),
    strategy=st.sampled_from(["auto", "anneal"]),
    way=st.sampled_from(
        [
            "plain",
            "vectorized",
            "jac",
            "pair energy",
            "pair gradient",
            "pair",
            "vectorized jac",
            "potential",
        ]
    ),
)
def test_odd_values(value, where, strategy, way):
    """A value that is no real number is refused when it is met, NaN and infinity count as +inf;
    what was found before is kept.
    """
    calls = [0]

    def odd(x, right):
        calls[0] += 1
        bad = {
            "everywhere": True,
            "half": np.min(x) > 0,
            "later": calls[0] > 12,
            "once": calls[0] == 5,
        }[where]
        return value if bad else right

    def blocks(x):
        return (x[0] - 0.5) ** 2 + 2 * x[1] ** 2

    fun, keywords = {
        "plain": (lambda x: odd(x, bowl(x)), {}),
        "vectorized": (lambda x: odd(x, blocks(x)), {"vectorized": True}),
        "jac": (bowl, {"jac": lambda x: odd(x, slope(x))}),
        "pair energy": (lambda x: (odd(x, bowl(x)), slope(x)), {"jac": True}),
        "pair gradient": (lambda x: (bowl(x), odd(x, slope(x))), {"jac": True}),
        "pair": (lambda x: odd(x, (bowl(x), slope(x))), {"jac": True}),
        "vectorized jac": (blocks, {"vectorized": True, "jac": lambda x: odd(x, slope(x))}),
        "potential": (Potential(lambda x: odd(x, blocks(x.T)), lambda x: slope(x.T).T, 2), {}),
    }[way]
    result = refused_or(
        lambda: minimize(
            fun,
            [0.3, 0.2],
            bounds=BOX,
            maxfev=200,
            rng=1,
            strategy=strategy,
            replicas=2,
            n_steps=4,
            **keywords,
        )
    )
    if result is None:
        assert calls[0] and (where != "later" or calls[0] > 12)
    else:
        assert (
            (result.x >= [-2, -1]).all() and (result.x <= [2, 3]).all() and not np.isnan(result.fun)
        )
        if way in ("jac", "pair gradient", "vectorized jac") and result.status != 2:
            assert result.fun == bowl(result.x)


class Told(Exception):
    """Of the user's own."""


@examples(3)
@given(
    error=st.sampled_from(
        [
            ZeroDivisionError,
            OverflowError,
            FloatingPointError,
            ValueError,
            Told,
            KeyError,
            StopIteration,
            MemoryError,
        ]
    ),
    message=st.sampled_from(["", "math domain error", "told"]),
    at=st.integers(1, 60),
    once=st.booleans(),
    which=st.sampled_from(["fun", "jac", "callback", "pair", "vectorized"]),
    strategy=st.sampled_from(["auto", "anneal", "population"]),
)
def test_functions_that_raise(error, message, at, once, which, strategy):
    """Arithmetic counts as +inf, and so does an exception that does not come again where the
    functions worked; any other arrives as it is, with the result so far.
    """
    calls = [0]

    def raising(function):
        def call(*args):
            calls[0] += 1
            if calls[0] == at or (not once and calls[0] > at):
                raise error(message)
            return function(*args)

        return call

    fun, keywords = {
        "fun": (raising(bowl), {}),
        "jac": (bowl, {"jac": raising(slope)}),
        "callback": (bowl, {"callback": raising(lambda x: None)}),
        "pair": (raising(lambda x: (bowl(x), slope(x))), {"jac": True}),
        "vectorized": (raising(lambda x: (x[0] - 0.5) ** 2 + 2 * x[1] ** 2), {"vectorized": True}),
    }[which]
    raised = None

    def call():
        nonlocal raised
        try:
            return minimize(
                fun,
                [0.3, 0.2],
                bounds=BOX,
                maxfev=150,
                rng=1,
                strategy=strategy,
                replicas=2,
                n_steps=4,
                **keywords,
            )
        except (error, RuntimeError) as caught:
            raised = caught
            return caught.partial_result

    result = refused_or(call)
    assert result is not None
    assert result.fun == bowl(result.x) if np.isfinite(result.fun) else at == 1 or result.nfev == 0
    if calls[0] < at:
        assert raised is None
    elif which == "callback" and error is StopIteration:
        assert result.status == 99
    elif which != "callback" and once:
        assert raised is None and "bowl" not in result.message
    elif error is StopIteration:
        assert isinstance(raised, RuntimeError)
    elif which in ("fun", "pair") and (
        issubclass(error, ArithmeticError)
        or (error is ValueError and message == "math domain error")
    ):
        assert (raised is None and math.isfinite(result.fun)) or at == 1
    else:
        assert type(raised) is error and "bowl" not in str(raised)


@examples(1)
@given(
    which=st.sampled_from(
        [
            "fun",
            "jac",
            "pair",
            "vectorized",
            "vectorized jac",
            "callback",
            "callback xk",
            "potential",
        ]
    ),
    strategy=st.sampled_from(["auto", "anneal"]),
    dim=st.sampled_from([1, 2]),
)
def test_functions_that_write_to_x(which, strategy, dim):
    """The same answer as from functions that do not."""

    def spoiling(function):
        def call(x):
            out = function(np.array(x))
            getattr(x, "x", x)[...] = np.nan
            return out

        return call

    def energy(x):
        return float((x**2).sum())

    def answer(spoil):
        fun, keywords = {
            "fun": (spoil(energy), {}),
            "jac": (energy, {"jac": spoil(lambda x: 2 * x)}),
            "pair": (spoil(lambda x: (energy(x), 2 * x)), {"jac": True}),
            "vectorized": (spoil(lambda x: (x**2).sum(0)), {"vectorized": True}),
            "vectorized jac": (
                lambda x: (x**2).sum(0),
                {"vectorized": True, "jac": spoil(lambda x: 2 * x)},
            ),
            "callback xk": (energy, {"callback": spoil(lambda x: None)}),
            "callback": (
                energy,
                {"callback": lambda intermediate_result: intermediate_result.x.fill(np.nan)},
            ),
            "potential": (
                Potential(spoil(lambda x: (x**2).sum(1)), spoil(lambda x: 2 * x), dim),
                {},
            ),
        }[which]
        keywords |= {"replicas": 2, "n_steps": 4} if strategy == "anneal" else {}
        return minimize(
            fun,
            np.ones(dim),
            bounds=[(-2, 2)] * dim,
            maxfev=150,
            rng=1,
            strategy=strategy,
            **keywords,
        )

    right = answer(lambda function: function)
    spoilt = refused_or(lambda: answer(spoiling))
    if which == "potential":
        assert spoilt is None  # its x is read-only, and the error arrives where it is written to
        return
    assert (
        spoilt.fun == right.fun and np.array_equal(spoilt.x, right.x) and spoilt.nfev == right.nfev
    )
