"""The language of the symmetries: one problem in other units, from another origin.

With x -> L x + b and U -> c U + d, and a mass of 1, time goes as L/sqrt(c). A law is a `look`: a
function of (case, units) which does something with the case in these units and says what came of
it in the case's own, so that looks in any two units must agree: to the bit where L is a power of 2,
c a power of 4 (whose root is a power of 2) and nothing is shifted, else to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from hypothesis import strategies as st

from langevin_sa import CoolMomentum, Momentum, Schedule
from langevin_sa.laws import NamedLaw

POWERS = {  # of length and energy; `position` and `level` are also shifted
    "position": (1, 0),
    "level": (0, 1),
    "length": (1, 0),
    "energy": (0, 1),
    "force": (-1, 1),
    "force2": (-2, 2),
    "curvature": (-2, 1),
    "velocity": (0, 0.5),
    "time": (1, -0.5),
    "rate": (-1, 0.5),
    "lr": (2, -1),
    "number": (0, 0),
}


@dataclass(frozen=True)
class Units:
    """A unit of length and one of energy, and where their zeros lie, in these units.

    `put` takes a quantity of a kind (a key of `POWERS`) into them, `take` back.
    """

    length: float = 1.0
    energy: float = 1.0
    offset: float = 0.0
    level: float = 0.0

    @property
    def exact(self):
        """Whether every quantity of every kind keeps its bits."""
        powers = np.frexp([self.length, np.sqrt(self.energy)])[0]
        return bool((powers == 0.5).all() and self.offset == self.level == 0)

    @property
    def blur(self):
        """How many times the rounding of a shifted number exceeds that of the number."""
        return 1 + abs(self.offset) + abs(self.level)

    def factor(self, kind):
        length, energy = POWERS[kind]
        return self.length**length * np.sqrt(self.energy) ** (2 * energy)

    def shift(self, kind):
        own = {"position": self.offset, "level": self.level}.get(kind, 0.0)
        return own * self.factor(kind)

    def put(self, kind, value):
        return np.asarray(value) * self.factor(kind) + self.shift(kind)

    def take(self, kind, value):
        return (np.asarray(value) - self.shift(kind)) / self.factor(kind)

    def schedule(self, schedule):
        """A schedule of the case's own units in these."""

        def law(kind, value):
            if isinstance(value, NamedLaw):  # of two temperatures: start and end
                start, end, *rest = value.numbers
                return NamedLaw(value.shape, (law(kind, start), law(kind, end), *rest))
            return float(self.put(kind, value))

        if isinstance(schedule, CoolMomentum):
            noise = law("force", schedule.noise)
            return CoolMomentum(law("lr", schedule.lr), schedule.rho0, noise, schedule.law)
        if isinstance(schedule, Momentum):
            return Momentum(
                schedule.rho, law("lr", schedule.lr), float(self.put("length", schedule.s))
            )
        return Schedule(
            law("energy", schedule.temperature),
            law("rate", schedule.gamma),
            law("time", schedule.dt),
        )


OWN = Units()
# the simplest of each, which Hypothesis tries first and shrinks to, are atoms in metre and Joule
lengths, energies = st.integers(0, 60), st.integers(0, 50)
exactly = st.builds(lambda a, b: Units(2.0 ** (a - 30), 4.0 ** (b - 35)), lengths, energies)
roughly = st.builds(
    lambda a, b, offset, level: Units(10.0 ** (a - 9), 10.0 ** (b - 21), offset, level),
    st.floats(0, 18),
    st.floats(0, 30),
    st.sampled_from([1e4, 0.0, -3e2, 1e6]),
    st.sampled_from([-7e2, 0.0, 1e5]),
)


@cache
def own(look, case):
    """What a look sees in the case's own units."""
    return look(case, OWN)


def same_bits(seen, expected):
    """Whether two arrays are equal, of numbers also where both are NaN."""
    real = np.asarray(expected).dtype.kind == "f"
    return np.array_equal(seen, expected, equal_nan=real)


def symmetric(look, case, units, rtol=1e-9):
    """Assert that a look in these units sees what it sees in the case's own.

    Powers of two to the bit; else to `rtol` of the largest number of each array, or of 1, which is
    a natural size in every case's own units (and as much more as shifted numbers are rounded by).
    What is rounded to few digits (`rtol` of a thousandth or more) has no bits to keep.
    """
    there, here = look(case, units), own(look, case)
    if units.exact:
        assert there.keys() == here.keys(), f"{[*there]} for {[*here]}"
    shared = sorted(there.keys() & here.keys())
    assert shared
    for name in shared:
        seen, expected = np.asarray(there[name]), np.asarray(here[name])
        what = f"{name} of {case.name} in {units}: {seen} for {expected}"
        assert seen.shape == expected.shape, what
        if (units.exact and rtol < 1e-3) or expected.dtype.kind != "f":
            assert same_bits(seen, expected), what
            continue
        size = np.abs(expected[np.isfinite(expected)]).max(initial=1)
        near = np.isclose(seen, expected, rtol=0, atol=rtol * units.blur * size, equal_nan=True)
        assert near.all(), what
