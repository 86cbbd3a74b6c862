"""Free energies from work: Jarzynski's equality and Bennett's acceptance ratio on work whose
distribution is known, and on traps that were driven.
"""

import numpy as np
import pytest

from langevin_sa.integrators import INTEGRATORS
from langevin_sa.statistics import bennett, jarzynski
from langevin_sa.validation.families.work import DRAGGED, STIFFENED, driven_trap
from langevin_sa.validation.lab import Lab
from langevin_sa.validation.laws import trap_work

T, DF = 0.7, 1.3


def gaussian(n, sigma, seed):
    """Work there and back whose Gaussian distributions obey Crooks' theorem."""
    z = np.random.default_rng(seed).normal(size=(2, n))
    dissipated = sigma**2 / (2 * T)
    return DF + dissipated + sigma * z[0], -DF + dissipated + sigma * z[1]


@pytest.mark.parametrize("sizes", [(400, 400), (700, 100)])
def test_estimates_are_right_and_know_their_errors(sizes):
    both, alone = [], []
    for seed in range(400):
        there, back = gaussian(max(sizes), 1.0, seed)
        both.append(bennett(there[: sizes[0]], back[: sizes[1]], T))
        alone.append(jarzynski(there, T))
    for found, bias in ((np.array(both), 0.0), (np.array(alone), 0.01)):
        off = (found[:, 0] - DF) / found[:, 1]
        assert abs(found[:, 0].mean() - DF) < bias + 4 * found[:, 0].std() / 20
        assert off.std() == pytest.approx(1, abs=0.16)


def test_units_and_signs():
    there, back = gaussian(50, 0.5, 0)
    f, error = bennett(there, back, T)
    assert bennett(back, there, T) == pytest.approx((-f, error), rel=1e-9)
    assert bennett(8 * there, 8 * back, 8 * T) == (8 * f, 8 * error)
    assert bennett(there + 100, back - 100, T)[0] == pytest.approx(f + 100, rel=1e-12)
    assert jarzynski(there + 1e4, T)[0] == pytest.approx(jarzynski(there, T)[0] + 1e4, rel=1e-12)
    for bad in ([1.0], [[1.0, 2.0]], [1.0, np.nan]):
        with pytest.raises(ValueError, match="forward must be the finite work"):
            bennett(bad, back, T)
    with pytest.raises(ValueError, match="temperature"):
        jarzynski(there, 0.0)


def closed(name, k, a, dt, half_step=True):
    """<exp(-(W - dF)/T)> of the discrete scheme; the first 30 units of time at rest."""
    wait, n = round(30 / dt), round(10 / dt)
    steps = INTEGRATORS[name].steps(np.full(wait + n, 1.0), dt, T)
    held = [np.concatenate([np.full(wait, v[0]), np.linspace(*v, n + 1)]) for v in (k, a)]
    mean = trap_work(steps, *held, T, np.sqrt(T / k[0]), half_step)[2]
    return mean * np.sqrt(k[1] / k[0])


INERTIAL = [name for name, row in INTEGRATORS.items() if row.thermal and not row.overdamped]


@pytest.mark.parametrize("name", INERTIAL)
def test_jarzynski_holds_to_second_order_in_the_step(name):
    """Identities: taken at the half step the equality is off by O(dt^2), and not at all in a
    dragged trap with noise of one normal; taken at x it is off by O(dt).
    """
    dragged, stiffened = ((1.0, 1.0), (0.0, 3.0)), ((1.0, 4.0), (0.0, 0.0))
    for k, a in (dragged, stiffened):
        coarse, fine = (closed(name, k, a, dt) - 1 for dt in (0.1, 0.05))
        if k == (1.0, 1.0) and not INTEGRATORS[name].paired:
            assert max(abs(coarse), abs(fine)) < 1e-11
        else:
            assert abs(coarse) < 0.005
            assert fine / coarse == pytest.approx(0.25, abs=0.03)
    coarse, fine = (closed(name, *dragged, dt, half_step=False) - 1 for dt in (0.1, 0.05))
    assert coarse > 0.05
    assert fine / coarse == pytest.approx(0.5, abs=0.02)


def test_the_overdamped_rows():
    """Leimkuhler-Matthews is of first order in the work of a stiffened trap."""
    for name, coarse in (("ermak_mccammon", 0.0003), ("leimkuhler_matthews", 0.038)):
        off = closed(name, (1.0, 4.0), (0.0, 0.0), 0.1) - 1
        assert off == pytest.approx(coarse, rel=0.2)


@pytest.mark.parametrize("name", ["bbk", "gjf", "ermak_mccammon"])
def test_driven_traps_give_the_free_energy(name):
    """Within 4 sigma of the exact difference, there and back."""
    lab = Lab("numba", "float64", "quick", 5, 1)
    for (k, a), exact in ((DRAGGED, 0.0), (STIFFENED, T / 2 * np.log(3))):
        there, _ = driven_trap(lab, name, 0.05, 20_000, k, a)
        back, _ = driven_trap(lab, name, 0.05, 20_000, k[::-1], a[::-1])
        f, error = bennett(there, back, T)
        assert abs(f - exact) < 4 * error and error < 0.01
        for work, sign in ((there, 1), (back, -1)):
            f, error = jarzynski(work, T)
            assert abs(sign * f - exact) < 4 * error + 0.01
