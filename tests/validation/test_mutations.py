"""The suite can fail: a backend broken in each of these ways is noticed, by the family of checks
that looks there.
"""

import dataclasses

import numpy as np
import pytest

from langevin_sa import validate
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.numpy import NumpyBackend
from langevin_sa.laws import Drive
from langevin_sa.noise import START, normals

pytestmark = pytest.mark.long


class Wrapped:
    """The numba backend, given other numbers than it should get."""

    def __init__(self, potential, walk, threads):
        self.walk, self.inner = walk, get_backend("numba", potential)(potential, walk, threads)

    def advance(self, steps):
        self.inner.advance(self.change(steps))

    def change(self, steps):
        return steps

    def at(self, steps):
        return self.walk.step + np.arange(len(steps.rho))


class NoiseTwoPercentTooStrong(Wrapped):
    def change(self, steps):
        return dataclasses.replace(steps, s=1.02 * steps.s)


class RhoOnePercentTooSmall(Wrapped):
    def change(self, steps):
        return dataclasses.replace(steps, carry=0.99 * steps.carry)


class LrWithoutItsFactor(Wrapped):
    """lr = dt^2 instead of (1 + rho)/2 dt^2."""

    def change(self, steps):
        return dataclasses.replace(steps, lr=steps.lr * 2 / (1 + steps.rho))


class PairedNoiseNotShared(NumpyBackend):
    """The second half of a pair is fresh instead of the last step's."""

    def _kick(self, steps, n):
        w = self.walk
        w.noise[...] = steps.s[n] / 2 * normals(w.seed, w.step, self.replicas, w.x.shape[1], START)
        super()._kick(steps, n)


class PairedNoiseTakenForSingle(Wrapped):
    def change(self, steps):
        return dataclasses.replace(steps, paired=False)


class TailForgotten(Wrapped):
    """What the next step should get is not carried on."""

    def change(self, steps):
        return dataclasses.replace(steps, s=steps.kick, share=0.0) if steps.paired else steps


class TailOfTheWrongStep(Wrapped):
    """What is carried on is by the numbers of the step that gets it."""

    def change(self, steps):
        if not steps.paired or len(steps.s) < 2:
            return steps
        share = np.append(np.broadcast_to(steps.share, steps.s.shape)[1:], 0.0)
        tail = np.append((steps.s[1:] * share[:-1]), steps.tail[-1])
        return dataclasses.replace(steps, s=steps.kick + tail, share=tail / (steps.kick + tail))


class TemperatureIgnoredAfterStep100(Wrapped):
    frozen = None

    def change(self, steps):
        at = self.at(steps)
        if len(at) and at[0] <= 100 <= at[-1]:
            self.frozen = steps.s[100 - at[0]]
        return (
            steps
            if self.frozen is None
            else dataclasses.replace(steps, s=np.where(at > 100, self.frozen, steps.s))
        )


class SameNoiseOnAllCoordinates(NumpyBackend):
    def _kick(self, steps, n):
        w, before = self.walk, self.walk.x.copy()
        super()._kick(steps, n)
        z = normals(w.seed, w.step, self.replicas, w.x.shape[1], w.purpose)
        wrong = steps.s[n] * (z[:, :1] - z)
        w.dx += wrong
        w.x[...] = before + w.dx


class OneStreamUsedTwice(NumpyBackend):
    def __init__(self, potential, walk, threads=1):
        super().__init__(potential, walk)
        if len(self.replicas) > 7:
            self.replicas[7] = self.replicas[3]


class ForceOfTheWrongSign(NumpyBackend):
    def _evaluate(self, x):
        energy, gradient = super()._evaluate(x)
        return energy, -gradient


class SumsInFloat32(NumpyBackend):
    def _kick(self, steps, n):
        super()._kick(steps, n)
        for sums in (self.walk.dx2, self.walk.kinetic):
            sums[...] = sums.astype(np.float32)


class DtChangesWithoutRescaling(Wrapped):
    def change(self, steps):
        return dataclasses.replace(steps, carry=steps.rho)


class StaleTemperatureAfterResume(Wrapped):
    first = 0.0

    def change(self, steps):
        if self.walk.step == 0 and len(steps.s):
            type(self).first, self.fresh = steps.s[0], True
        return (
            steps
            if getattr(self, "fresh", False)
            else dataclasses.replace(steps, s=np.full_like(steps.s, self.first))
        )


class GammaIgnored(Wrapped):
    """A friction of its own, 0.5/dt, with the noise that belongs to it: the temperature is right,
    the dynamics is not.
    """

    def change(self, steps):
        rho = np.full_like(steps.rho, (1 - 0.25) / (1 + 0.25))
        lr, s = (1 + rho) / 2 * steps.dt**2, steps.dt * np.sqrt(steps.temperature * (1 - rho**2))
        return dataclasses.replace(steps, rho=rho, lr=lr, s=s, carry=rho)


class NoiseStartsOverOnResume(NumpyBackend):
    def __init__(self, potential, walk, threads=1):
        super().__init__(potential, walk)
        self.offset = walk.step

    def _kick(self, steps, n):
        self.walk.step -= self.offset
        super()._kick(steps, n)
        self.walk.step += self.offset


class HalfKickLostOnResume(Wrapped):
    def __init__(self, potential, walk, threads):
        walk.noise[:] = 0
        super().__init__(potential, walk, threads)


class UniformNoise(Wrapped):
    def __init__(self, potential, walk, threads):
        super().__init__(potential, walk, threads)
        walk.purpose = 16


class KineticSumByTheWrongClock(Wrapped):
    """The exact estimator divided by dt^2 instead of lr."""

    def change(self, steps):
        return steps

    def advance(self, steps):
        before = self.walk.dx2.copy(), self.walk.kinetic.copy()
        self.inner.advance(steps)
        self.walk.kinetic[:] = before[1] + (self.walk.dx2 - before[0])


class ForceOneStepLate(NumpyBackend):
    def advance(self, steps):
        for n in range(len(steps.rho)):
            fresh = self.gradient
            self.gradient, self.late = getattr(self, "late", fresh), fresh
            self._kick(steps, n)
            self.walk.step += 1
            self.gradient = self._look()


class ParametersOneStepLate(Wrapped):
    def change(self, steps):
        if steps.drive is None:
            return steps
        values = np.concatenate([steps.drive.values[:1], steps.drive.values[:-1]])
        return dataclasses.replace(steps, drive=Drive(steps.drive.places, values))


class WorkTakenAfterTheStep(Wrapped):
    """At x, not at x - dx/2."""

    def __init__(self, potential, walk, threads):
        super().__init__(potential, walk, threads)
        self.potential = potential

    def advance(self, steps):
        for n in range(len(steps.rho)):
            one, work = steps.part(n, n + 1), self.walk.work.copy()
            self.inner.advance(one)
            if one.drive is not None:
                old, new = (self.potential.moved(one.drive.places, v) for v in one.drive.values)
                self.walk.work[...] = work + new.energy(self.walk.x) - old.energy(self.walk.x)


MUTATIONS = {
    NoiseTwoPercentTooStrong: "stationary",
    RhoOnePercentTooSmall: "stationary",
    LrWithoutItsFactor: "stationary",
    PairedNoiseNotShared: "kinetic",
    PairedNoiseTakenForSingle: "kinetic",
    TailForgotten: "kinetic",
    TailOfTheWrongStep: "momentum",
    TemperatureIgnoredAfterStep100: "ramp",
    SameNoiseOnAllCoordinates: "noise",
    OneStreamUsedTwice: "noise",
    ForceOfTheWrongSign: "momentum",
    SumsInFloat32: "momentum",
    DtChangesWithoutRescaling: "ramp",
    StaleTemperatureAfterResume: "ramp",
    GammaIgnored: "free",
    NoiseStartsOverOnResume: "noise",
    HalfKickLostOnResume: "noise",
    UniformNoise: "kinetic",
    KineticSumByTheWrongClock: "free",
    ForceOneStepLate: "momentum",
    ParametersOneStepLate: "work",
    WorkTakenAfterTheStep: "work",
}


@pytest.mark.parametrize("backend", MUTATIONS, ids=lambda backend: backend.__name__)
def test_noticed(backend):
    report = validate(backend, families=[MUTATIONS[backend]])
    # a law says so, not a crash
    assert any(not check.name.startswith("broke off") for check in report.failures), report.verdict


# that Wrapped passes is test_validate's own test, but for the wrapping
@pytest.mark.parametrize("backend", [pytest.param(Wrapped, marks=pytest.mark.slow), NumpyBackend])
def test_the_unbroken_backend_passes(backend):
    report = validate(
        backend,
        families=sorted(
            {family for broken, family in MUTATIONS.items() if issubclass(broken, backend)}
        ),
    )
    assert report.passed, str(report)


if __name__ == "__main__":
    print("| mutation | family | checks failed | the clearest |\n|---|---|---|---|")
    for backend, family in MUTATIONS.items():
        report = validate(backend, families=[family])
        plain = [
            c
            for c in report.failures
            if not c.is_identity and "shape" not in c.name and "strongest" not in c.name
        ]
        clearest = max(plain, key=lambda c: c.sigma, default=report.failures[0])
        how = "identity" if clearest.is_identity else f"{clearest.sigma:.0f} standard errors"
        print(
            f"| {backend.__name__} | {family} | {len(report.failures)} of {len(report.checks)} | "
            f"{clearest.name}: {how} |"
        )
