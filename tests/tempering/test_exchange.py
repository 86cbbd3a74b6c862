"""Replica exchange: every temperature keeps its Boltzmann density, and what they say together is
right.
"""

import itertools

import numpy as np
import pytest
from scipy import integrate, special

import langevin_sa as lsa
from langevin_sa.backends.walk import ARRAYS
from langevin_sa.tempering.ladder import Ladder
from langevin_sa.tempering.reweighting import log_partition, weights
from langevin_sa.tempering.rungs import spaced
from langevin_sa.tempering.swaps import swapped

WELL = lsa.potentials.double_well(tilt=0.3)
BOWL = lsa.potentials.harmonic(dim=2)
SHORT = {"n_steps": 60, "swap_every": 5, "gamma": 1.0, "dt": 0.2, "replicas": 6, "rng": 4}


def well(function, T):
    """The mean of a function over exp(-U/T) in the double well, and Z."""
    z, mean = (
        integrate.quad(
            lambda x, f=f: f(np.array([[x]]))[0] * np.exp(-WELL.energy(np.array([[x]]))[0] / T),
            *(-3, 3), points=[-1, 0, 1], epsabs=0, epsrel=1e-9, limit=200,
        )[0]
        for f in (lambda x: np.ones(1), function)
    )  # fmt: skip
    return mean / z, z


# --------------------------------------------------------------------------------------- identities


@pytest.mark.parametrize("first", [0, 1])
def test_a_swap_keeps_the_product_of_boltzmann_densities(first):
    """pi(x, y) P(x, y -> y, x) is the same there and back, for any energies."""
    rng, beta = np.random.default_rng(1), np.array([3.0, 2.0, 1.1, 0.4, 0.3])
    there = rng.normal(size=(5, 200))
    back = there.copy()
    for k in range(first, 4, 2):
        back[[k, k + 1]] = back[[k + 1, k]]
    u = np.linspace(0, 1, 20_001)[1:-1]
    chances = []
    for energies in (there, back):
        pairs = len(range(first, 4, 2))
        draws = (swapped(energies, beta, first, np.full((pairs, 200), level)) for level in u[::100])
        chances.append(np.mean(list(draws), axis=0))
    gain = np.array(
        [(beta[k] - beta[k + 1]) * (there[k] - there[k + 1]) for k in range(first, 4, 2)]
    )
    np.testing.assert_allclose(chances[0], np.minimum(1, np.exp(gain)), atol=0.0051)
    np.testing.assert_allclose(chances[1], np.minimum(1, np.exp(-gain)), atol=0.0051)


def test_log_partition_is_the_most_likely():
    """As many samples belong to each temperature as came from it; two temperatures: Bennett's."""
    rng, T = np.random.default_rng(2), np.array([0.3, 0.9, 2.0])
    u = rng.gamma(1.5, 1, (3, 400)) * T[:, None] + 1e5
    log_z = log_partition(u, 1 / T)
    terms = -log_z - u[..., None] / T
    share = np.exp(terms - special.logsumexp(terms, axis=-1, keepdims=True))
    np.testing.assert_allclose(share.sum((0, 1)), 400, rtol=1e-7)
    assert weights(u, 1 / T, log_z, 1 / T[0]).sum() == pytest.approx(1)
    np.testing.assert_allclose(
        log_partition(u - 1e5, 1 / T), log_z + 1e5 * (1 / T - 1 / 2), atol=1e-5
    )
    up, down = (u[0] - 1e5), (u[1] - 1e5)
    gap = 1 / T[0] - 1 / T[1]
    d = log_partition(np.array([up, down]), 1 / T[:2])[0]
    assert special.expit(-(-gap * up - d)).sum() == pytest.approx(
        special.expit(-gap * down - d).sum()
    )


def test_rungs_of_a_constant_heat_capacity_have_one_ratio():
    """2 erfcinv(a)/sqrt(C) in ln T, whatever the unit of energy."""
    T = np.geomspace(0.1, 10, 60)
    for unit in (1.0, 1e-21):
        found = spaced(T * unit, 8 * T * unit, 0.3)
        np.testing.assert_allclose(found[[0, -1]], T[[0, -1]] * unit, rtol=1e-12)
        ratios = np.diff(np.log(found))
        np.testing.assert_allclose(ratios, ratios[0], rtol=1e-3)
        longest = 2 * special.erfcinv(0.3) / np.sqrt(8)
        assert longest * (1 - 1 / len(ratios)) < ratios[0] < longest
    np.testing.assert_allclose(spaced(T, 0 * T, 0.3), T[[0, -1]])


# ---------------------------------------------------------------------------------------- sampling


@pytest.fixture(scope="module")
def found():
    return lsa.exchange(
        WELL, [0.08, 0.2, 0.5], 12_000, gamma=1.0, dt=0.08, replicas=200, rng=1, swap_every=8
    )


def test_each_temperature_keeps_its_density(found):
    """<U> and the upper well's share, which a cold walk alone would not learn in this time."""
    upper = lambda x: (x[:, 0] > 0).astype(float)  # noqa: E731
    for k, T in enumerate(found.temperatures):
        for function in (WELL.energy, upper):
            exact = well(function, T)[0]
            x = found.samples[:, k]
            seen = function(x.reshape(-1, 1)).reshape(x.shape[:2]).mean(0)
            error = seen.std(ddof=1) / np.sqrt(len(seen))
            assert abs(seen.mean() - exact) < 4.5 * error + 2e-3 * abs(exact), (
                T,
                seen.mean(),
                exact,
            )
    np.testing.assert_allclose(WELL.energy(found.samples.reshape(-1, 1)), found.energies.ravel())
    assert found.fun == pytest.approx(WELL.energy(found.x[None])[0])


def test_free_energies_and_averages_between_temperatures(found):
    z = np.array([well(WELL.energy, T)[1] for T in found.temperatures])
    off = (found.log_z - np.log(z / z[-1]))[:-1] / found.log_z_error[:-1]
    assert np.abs(off).max() < 4.5 and found.log_z_error.max() < 0.03
    for T in (0.08, 0.13, 0.5):
        average, (exact, _) = found.average(WELL.energy, T), well(WELL.energy, T)
        assert abs(average.value - exact) < 2.5 * (average.high - average.low) / 2 + 1e-3


def test_swaps_are_as_frequent_as_they_must_be():
    """Two temperatures of a harmonic mode in two dimensions: the hotter energy is below the colder
    with probability T1/(T1 + T2), and what else is accepted makes it twice that.
    """
    T = np.array([0.2, 1.0])
    found = lsa.exchange(
        *(BOWL, [0.2, 0.4, 1.0], 8000), gamma=1.0, dt=0.4, replicas=300, rng=2, samples=False
    )
    for k in (0, 1):
        cold, hot = found.temperatures[k : k + 2]
        assert found.acceptance[k] == pytest.approx(2 * cold / (cold + hot), rel=0.01)
    assert found.round_trips.sum() > 1000 and (found.temperatures[[0, -1]] == T).all()


def test_what_goes_along_with_a_configuration(monkeypatch):
    """Every swap as an identity; round trips counted again from where configurations were."""
    seen, swap = [], Ladder.swap

    def watched(ladder):
        before = [{name: getattr(w, name).copy() for name in ARRAYS} for w in ladder.walks]
        was = ladder.where.copy()
        swap(ladder)
        seen.append(ladder.where.copy())
        for k, walk in enumerate(ladder.walks):
            for r in range(len(walk.x)):
                came = int(np.flatnonzero(was[:, r] == seen[-1][k, r])[0])
                ratio = np.sqrt(ladder.temperatures[k] / ladder.temperatures[came])
                for name, factor in {"x": 1, "energy": 1, "dx": ratio, "noise": ratio}.items():
                    there = before[came][name][r] * factor
                    np.testing.assert_allclose(getattr(walk, name)[r], there, rtol=1e-14)
            for name in ("best_x", "best_energy", "failures", "kinetic"):
                np.testing.assert_array_equal(getattr(walk, name), before[k][name])

    monkeypatch.setattr(Ladder, "swap", watched)
    found = lsa.exchange(BOWL, [0.5, 1.0, 2.0], **SHORT | {"n_steps": 600})
    trips = np.zeros(6, dtype=int)
    for r in range(6):
        for name in range(3):
            ends = [name, *(where[:, r].tolist().index(name) for where in seen)]
            turns = [k for k, _ in itertools.groupby(k for k in ends if k != 1)]
            trips[r] += sum(turns[k : k + 3] == [0, 2, 0] for k in range(len(turns)))
    np.testing.assert_array_equal(found.round_trips, trips)
    assert trips.sum() > 100


# ------------------------------------------------------------------------------------------- bits


def numbers(found):
    names = ("temperatures", "energies", "samples", "acceptance", "round_trips", "x")
    return {name: np.asarray(getattr(found, name)) for name in names} | {"fun": found.fun}


def same(a, b, rtol=0.0):
    b = numbers(b)
    for name, value in numbers(a).items():
        np.testing.assert_allclose(value, b[name], rtol=rtol, atol=rtol, err_msg=name)


POTENTIALS = {
    "formula": WELL,
    "functions": lsa.Potential(
        lambda x: (x**4).sum(1) / 4 - x.sum(1), lambda x: x**3 - 1, dim=2, bounds=(-2, 2)
    ),
    "fluid": lsa.Potential.from_formula(
        pair="4*(1/r**12 - 1/r**6)", particles=40, space=3, box=4.2, cutoff=1.4,
    ),
    "chain": lsa.Potential.from_formula(site="x**4/4 - x**2/2", bond="(y - x)**2/2", dim=700),
}  # fmt: skip
LATTICE = np.stack(np.meshgrid(*[np.arange(4) * 1.05] * 3), -1).reshape(-1, 3)[:40].ravel()
STARTS = {"fluid": LATTICE}


@pytest.mark.parametrize("name", POTENTIALS)
def test_backends_agree_and_threads_change_nothing(name):
    """What a backend knows besides its walk changes places as well."""
    U, asked = POTENTIALS[name], SHORT | {"x0": STARTS.get(name), "dt": 0.02, "record_every": 5}
    fast = lsa.exchange(U, [0.5, 1.0, 2.0], **asked, threads=2)
    same(fast, lsa.exchange(U, [2.0, 0.5, 1.0], **asked, threads=1))
    same(fast, lsa.exchange(U, [0.5, 1.0, 2.0], **asked, backend="numpy"), rtol=1e-9)
    assert fast.acceptance.min() > 0
    points = fast.samples.reshape(-1, U.dim)
    np.testing.assert_allclose(U.energy(points), fast.energies.ravel(), rtol=1e-9)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("name", ["formula", "functions"])
def test_broken_off_anywhere_it_goes_on_to_the_same_bits(kind, name, tmp_path, monkeypatch):
    monkeypatch.setattr("langevin_sa.tempering.run.CUT_SECONDS", 0.0)
    U, asked, file = POTENTIALS[name], SHORT | {"record_every": 5}, tmp_path / "c.npz"
    whole = lsa.exchange(U, [0.5, 1.0, 2.0], **asked)
    advanced, calls = Ladder.advance, []

    def broken(ladder, steps):
        calls.append(1)
        if len(calls) in (4, 9):
            ladder.walks[0].x += 1.0  # half of it done
            raise kind
        advanced(ladder, steps)

    monkeypatch.setattr("langevin_sa.tempering.ladder.Ladder.advance", broken)
    for step in (15, 35):
        try:
            part = lsa.exchange(U, [0.5, 1.0, 2.0], **asked, checkpoint=file)
            assert part.status == 3
        except MemoryError as error:
            part = error.partial_result
        assert part.nit == step and len(part.energies) == max(0, (step - 10) // 5)
        np.testing.assert_array_equal(part.samples, whole.samples[: len(part.samples)])
    same(lsa.exchange(U, [0.5, 1.0, 2.0], **asked, checkpoint=file), whole)
    same(lsa.exchange(U, [0.5, 1.0, 2.0], **asked, checkpoint=file), whole)
    with pytest.raises(ValueError, match="another run"):
        lsa.exchange(U, [0.5, 1.0, 2.1], **asked, checkpoint=file)


@pytest.mark.parametrize("temperatures", [(0.02, 1.0), (0.1, 0.3, 1.0)])
def test_no_bit_depends_on_units(temperatures):
    """Powers of two of energy (time goes with its root) and of length."""
    found = []
    for E, t, L in ((1.0, 1.0, 1.0), (2.0**-70, 2.0**35, 1.0), (1.0, 2.0**-40, 2.0**-40)):
        U = lsa.Potential.from_formula("E*((x/L)**4 - 2*(x/L)**2 + 0.3*x/L)", E=E, L=L)
        asked = {"x0": np.linspace(-1, 1, 8)[:, None] * L, "gamma": 1 / t, "dt": 0.05 * t}
        run = lsa.exchange(U, np.array(temperatures) * E, 1000, rng=1, **asked)
        found.append((run.temperatures / E, run.samples / L, run.energies / E, run.log_z))
    for others in found[1:]:
        for value, other in zip(found[0], others, strict=True):
            np.testing.assert_array_equal(value, other)


def test_chosen_temperatures_swap_alike_and_are_kept_by_a_checkpoint(tmp_path):
    U, file = lsa.potentials.harmonic(dim=20), tmp_path / "c.npz"
    asked = {"n_steps": 4000, "replicas": 16, "rng": 3, "acceptance": 0.4}
    found = lsa.exchange(U, (0.1, 2.0), **asked, checkpoint=file)
    assert len(found.temperatures) > 4 and found.acceptance.min() > 0.37
    assert found.acceptance.max() - found.acceptance.min() < 0.08
    same(lsa.exchange(U, (0.1, 2.0), **asked, checkpoint=file), found)
    assert str(found).count("\n") == len(found.temperatures) + 1


def test_temperatures_are_chosen_in_a_run_of_few_swaps():
    """Whose tenth, in which mean energies are measured, has one round."""
    U = lsa.potentials.harmonic(dim=20)
    found = lsa.exchange(U, (0.1, 2.0), 50, swap_every=5, gamma=1.0, dt=0.1, rng=1)
    assert len(found.temperatures) > 2 and np.isfinite(found.temperatures).all()


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"temperatures": [1.0]}, "temperatures must be"),
        ({"temperatures": [1.0, 1.0]}, "temperatures must be"),
        ({"temperatures": [0.0, 1.0]}, "temperatures must be"),
        ({"n_steps": 61}, "multiple of swap_every"),
        ({"record_every": 7}, "multiples of swap_every"),
        ({"burn_in": 60}, "no record"),
        ({"acceptance": 1.0}, "acceptance must be"),
        ({"gamma": -1.0}, "gamma must be"),
        ({"integrator": "verlet"}, "no temperature"),
        ({"dt": 5.0}, "beyond stability"),
        ({"samples": "run.npy"}, "samples"),
    ],
)
def test_bad_input_is_refused(changed, match):
    asked = {"temperatures": [0.5, 1.0, 2.0], **SHORT} | changed
    with pytest.raises((ValueError, TypeError), match=match):
        lsa.exchange(BOWL, asked.pop("temperatures"), **asked)


def test_averages_need_samples_and_a_temperature_between():
    found = lsa.exchange(BOWL, [0.5, 1.0, 2.0], **SHORT, samples=False)
    with pytest.raises(ValueError, match="samples=True"):
        found.average(BOWL.energy)
    found = lsa.exchange(BOWL, [0.5, 1.0, 2.0], **SHORT)
    with pytest.raises(ValueError, match=r"temperature must be in \[0.5, 2\]"):
        found.average(BOWL.energy, 3.0)
    with pytest.raises(ValueError, match="one number for each"):
        found.average(lambda x: x)
