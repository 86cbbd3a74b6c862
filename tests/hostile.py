"""What the hostile tests share: arguments that nobody meant, and what may come of them.

Each `test_hostile_*.py` is made by Hypothesis: every call ends in a right answer or in one clear
sentence, and soon. A few examples each in the default run, some ten thousand in all by ``make
test-all`` (the profile in `conftest.py`).
"""

from __future__ import annotations

import array
import contextlib
import datetime
import decimal
import fractions
import re
import signal
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings, strategies as st

from langevin_sa import Potential, Schedule, potentials, schedules

# FormulaError is a ValueError, click's UsageError is not met here
ALLOWED = (ValueError, TypeError)
SECONDS = 60  # of processor time, which no example may take
NOT_OURS = (
    "ufunc",
    "object is not",
    "unsupported operand",
    "has no len",
    "setting an array",
    "could not be broadcast",
    "could not broadcast",
    "inhomogeneous",
    "zero-size",
    "truth value",
    "could not convert",
    "cannot be interpreted",
    "not supported between",
    "argument must be",
    "positional",
    "not iterable",
)
counted = {"examples": 0}


def examples(share=1.0):
    """So many times the profile's number of examples (`tests/conftest.py`)."""

    def decorate(test):
        return settings(max_examples=max(3, round(share * settings.default.max_examples)))(test)

    return decorate


@contextlib.contextmanager
def time_limit():
    """No example hangs: an exception after `SECONDS` of processor time."""

    def late(*_):
        raise AssertionError(f"an example took more than {SECONDS} s of processor time")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def refused_or(call, *errors):
    """What `call` returns, or None if it refused with one clear sentence; anything else fails."""
    counted["examples"] += 1
    with warnings.catch_warnings(), time_limit():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)  # our own advice
        # what it cannot use
        warnings.filterwarnings("ignore", "langevin_sa.minimize", RuntimeWarning)
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        try:
            return call()
        except (*ALLOWED, *errors) as error:
            message = str(error)
            assert message and "\n" not in message and len(message) < 600, message
            assert not any(words in message for words in NOT_OURS), f"not our sentence: {message}"
            return None


def refused(call, error, pattern):
    """`call` is refused with exactly this type of error, in one short sentence that matches."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert type(caught.value) is error, message
    assert re.search(pattern, message), message
    assert "\n" not in message and len(message) < 400, message


class Odd:
    """An object of no use."""

    def __repr__(self):
        return "Odd()"


class Column:
    """An array by protocol only."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


NUMBERS = st.one_of(
    st.floats(allow_subnormal=True),
    st.floats(-10, 10),
    st.integers(-5, 5),
    st.integers(),
    st.sampled_from([0, 1, -1, 2**31, 2**63, 2**64, 10**400]),
    st.sampled_from([1e308, 1e-308, 5e-324, -0.0, np.nan, np.inf, -np.inf]),
    st.sampled_from(
        [
            np.float32(0.5),
            np.float16(0.5),
            np.longdouble(0.5),
            np.int8(3),
            np.uint64(3),
            np.bool_(True),
            np.float64(2.0),
            np.array(0.5),
        ]
    ),
)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.complex_numbers(),
    st.sampled_from(
        [
            [],
            {},
            (),
            [1.0],
            [1.0, 2.0],
            [[0.5]],
            {"x": 1},
            set(),
            Odd(),
            Odd,
            len,
            np.zeros(0),
            np.zeros((2, 2)),
            Ellipsis,
        ]
    ),
    st.sampled_from(
        [
            fractions.Fraction(1, 2),
            decimal.Decimal("0.5"),
            datetime.date(2020, 1, 1),
            np.datetime64("2020"),
            np.timedelta64(3, "s"),
            range(3),
        ]
    ),
)
ANYTHING = st.one_of(NUMBERS, JUNK)


def mostly(good, bad=JUNK, odds=5):
    """Values of `good`, but for one in so many (`one_of` would draw from JUNK eight times as
    often).
    """
    return st.sampled_from([good] * (odds - 1) + [bad]).flatmap(lambda chosen: chosen)


SIZES = st.one_of(
    st.integers(-2, 6),
    st.sampled_from([np.int64(2), np.uint8(2), np.True_, 2.0, np.float64(3), "3", None]),
    JUNK,
)
DTYPES = "? b B h H i I l L q Q e f d g F D O U S M8[s] m8[s]".split()


@st.composite
def arrays(draw, dim=2, most=4, numbers=None):
    """Points (dim,) or (replicas, dim) in every shape, type, layout and container, right and wrong;
    see `meaning`.
    """
    numbers = numbers or st.one_of(
        st.floats(-3, 3),
        st.floats(-3, 3),
        st.floats(-3, 3),
        st.sampled_from([np.nan, np.inf, -np.inf, 1e300, 1e-300]),
    )
    shape = draw(
        st.sampled_from(
            [
                (dim,),
                (1, dim),
                (3, dim),
                (most, dim),
                (0, dim),
                (dim, 3),
                (),
                (0,),
                (1, 1, dim),
                (2, dim + 1),
                (dim + 1,),
            ]
        )
    )
    values = np.array(
        draw(st.lists(numbers, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    ).reshape(shape)
    kind = draw(st.sampled_from(["plain", "dtype", "layout", "container", "pandas"] * 3))
    given = values.astype(float)
    if kind == "dtype":
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = given.astype(draw(st.sampled_from(DTYPES)))
    elif kind == "layout":
        given = draw(
            st.sampled_from(
                [
                    np.asfortranarray,
                    lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
                    lambda a: a[::-1] if a.ndim else a,
                    lambda a: a.astype(">f8"),
                    lambda a: np.broadcast_to(a[:1], a.shape) if a.ndim > 1 and len(a) else a,
                    frozen,
                    misaligned,
                ]
            )
        )(given)
    elif kind == "container":
        given = draw(
            st.sampled_from(
                [
                    lambda a: a.tolist(),
                    lambda a: Column(a.tolist()),
                    lambda a: memoryview(np.ascontiguousarray(a)),
                    tuple_of,
                    lambda a: array.array("d", a.ravel()),
                    lambda a: np.ma.array(a, mask=np.zeros(a.shape, bool)),
                    lambda a: np.ma.array(a, mask=np.arange(a.size).reshape(a.shape) == 0),
                    matrix,
                    lambda a: a.astype(object),
                    lambda a: iter(a.ravel()),
                ]
            )
        )(given)
    elif kind == "pandas" and given.ndim in (1, 2):
        given = (pd.Series if given.ndim == 1 else pd.DataFrame)(given)
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = given.astype(
                draw(
                    st.sampled_from(
                        "float64 float32 object Float64 Int64 str category bool".split()
                    )
                )
            )
            given = (
                given.mask(np.arange(given.size).reshape(given.shape) == 0)
                if draw(st.booleans())
                else given
            )
    return given


def bits(x):
    """What must not change in an input."""
    if isinstance(x, (pd.Series, pd.DataFrame)):
        return repr((x.dtypes, x.to_numpy().tolist()))
    return x.tobytes() if isinstance(x, np.ndarray) and x.dtype.kind in "fiu" else None


def frozen(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def misaligned(a):
    room = np.zeros(a.nbytes + 1, dtype=np.uint8)
    out = np.frombuffer(room, dtype=np.float64, count=a.size, offset=1).reshape(a.shape)
    out[...] = a
    return out


def matrix(a):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(a) if a.ndim < 3 else a


def tuple_of(a):
    return tuple(map(tuple_of, a)) if isinstance(a, np.ndarray) and a.ndim else float(a)


def meaning(given, dim, empty=False):
    """The float64 block (replicas, dim) that an array stands for, None if it stands for none."""
    if np.ma.isMaskedArray(given) and np.ma.getmaskarray(given).any():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            raw = np.asarray(given)
            if raw.dtype.kind not in "biufO":
                return None
            out = np.array(raw, dtype=float)
    except Exception:
        return None
    if out.ndim not in (1, 2) or out.shape[-1] != dim or not (out.size or empty):
        return None
    return np.atleast_2d(out)


def odd_arguments(data, good, bad, most=2):
    """The good arguments, but for at most two."""
    names = data.draw(st.lists(st.sampled_from(sorted(bad)), max_size=most, unique=True))
    return good | {name: data.draw(bad[name], label=name) for name in names}


FORMULA = Potential.from_formula
BOWL = FORMULA("x**2/2 + y**2", bounds=(-2, 2))
FUNCTIONS = Potential(
    lambda x: x[:, 0] ** 2 / 2 + x[:, 1] ** 2, lambda x: x * [1, 2], 2, bounds=(-2, 2)
)
RAMP = Schedule(schedules.exponential(1.0, 0.1), 1.0, 0.05)
LINE = FORMULA("x**2", bounds=(-1, 1))
NEGATIVE = FORMULA("log(x)", bounds=(-2, -1))  # finite nowhere
WELLS = st.sampled_from(
    [BOWL, LINE, potentials.lennard_jones(particles=2), NEGATIVE, FORMULA("x + y")]
)
TAME = {
    1: FORMULA("(x**2 - 1)**2 + x/3", bounds=(-2, 2), minima=[[-1.04]]),
    2: FORMULA("x**2/2 + y**2", minima=[[0.0, 0.0]]),
    3: FORMULA(site="x**2", dim=3, bounds=(-2, 2)),
}
ODD_WELLS = [
    FORMULA("log(x)", bounds=(-3, -1)),
    FORMULA("log(x)", bounds=(-1, 1)),
    FORMULA("1/x", bounds=(-1, 1)),
    FORMULA("exp(x**2)", bounds=(-40, 40)),
    FORMULA("x - x", variables=["x"], bounds=(0, 1)),
    FORMULA("x*0 + y*0", bounds=(0, 1)),
    FORMULA("log(x*y)", bounds=(-1, 1)),
    FORMULA("x**2 + y**2", bounds=(1e200, 2e200)),
    FORMULA("x + y"),
    FORMULA("sin(x)"),
    FORMULA("-x**4"),
    FORMULA("1e-300*x**2", bounds=(-1e-9, 1e-9)),
    FORMULA("1e200*x**2 + y", bounds=(-1, 1)),
    FORMULA("log(-x**2)", bounds=(-1, 1)),
    Potential(lambda x: np.full(len(x), np.nan), lambda x: x, 1, bounds=(0, 1)),
    Potential(lambda x: x.sum(1), lambda x: x * 0 + 1, 2),
]
