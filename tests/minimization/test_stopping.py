"""When `minimize` has found enough: soon where there is one minimum, or one but for motions; later
where minima are many, and not before anything was finite.
"""

from __future__ import annotations

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.minimization.minima import Minima


def sphere(x):
    return float(((x - 0.3) ** 2).sum()), 2 * (x - 0.3)


def charges(x):
    """Energy of points on a sphere (Thomson), and its gradient, by coordinates of any length."""
    v = x.reshape(-1, 3)
    r = np.linalg.norm(v, axis=1, keepdims=True)
    w = v / r
    d = w[:, None] - w
    s = (d**2).sum(2) + np.eye(len(w))
    energy = float(np.triu(s**-0.5, 1).sum())
    g = -(d * (s**-1.5 * (1 - np.eye(len(w))))[..., None]).sum(1)
    return energy, ((g - (g * w).sum(1, keepdims=True) * w) / r).ravel()


def lattice(x):
    """Equal wells, but for one."""
    return float(1 + (np.sin(np.pi * x) ** 2).sum() - 0.1 * np.exp(-4 * ((x - 2) ** 2).sum()))


def nearly_nowhere(x):
    return float((x**2).sum()) if (np.abs(x - 0.02) < 0.0224).all() else np.nan


def test_one_minimum_costs_little():
    r = lsa.minimize(sphere, np.full(30, 2.0), jac=True, bounds=[(-5, 5)] * 30, rng=1)
    assert r.success and r.fun < 1e-20 and r.nfev < 2000


@pytest.mark.parametrize("n, energy", [(8, 19.675287861), (13, 58.853230612)])
def test_rotated_minima_are_no_news(n, energy):
    x0 = np.random.default_rng(n).uniform(-1, 1, 3 * n)
    r = lsa.minimize(charges, x0, jac=True, bounds=[(-2, 2)] * (3 * n), rng=1)
    assert r.success and abs(r.fun - energy) < 1e-6
    assert r.nfev < 2500  # tens of thousands if each place counted


def test_motions_are_tried_where_bounds_leave_room():
    """The lowest minimum of this search lies at bounds."""
    x0 = np.random.default_rng(3).uniform(-2, 2, 42)
    r = lsa.minimize(charges, x0, jac=True, bounds=[(-2, 2)] * 42, rng=3)
    assert r.success and abs(r.fun - 69.306363297) < 1e-6
    assert r.nfev < 3000  # 23,000 where only the best is turned


def test_equal_wells_do_not_hide_a_lower_one():
    found = [lsa.minimize(lattice, [-3.2, 3.1], bounds=[(-5, 5)] * 2, rng=k) for k in range(4)]
    assert all(r.fun < 0.91 for r in found)


def test_goes_on_while_nothing_was_finite():
    found = [
        lsa.minimize(nearly_nowhere, [0.7, -0.8], bounds=[(-1, 1)] * 2, rng=k) for k in range(3)
    ]
    assert all(r.success and r.fun < 1e-9 for r in found)


def test_clusters_agree():
    r = lsa.minimize(lsa.potentials.lennard_jones(13), rng=1)
    assert abs(r.fun + 44.326801) < 1e-5 and r.nfev < 6_000


def test_clusters_go_on_while_runs_end_in_minima_of_their_own():
    """One run in nine ends in the lowest minimum of 27 particles, more in others."""
    found = [lsa.minimize(lsa.potentials.lennard_jones(27), rng=k) for k in range(4)]
    assert all(abs(r.fun + 112.873584) < 1e-5 for r in found)
    assert np.median([r.nfev for r in found]) < 60_000  # 150,000 for fifty hits


def test_energies_are_counted_and_the_lowest_hits():
    minima = Minima()
    for u, fun in [(0, 1.0), (1, 1.0 + 1e-7), (2, 2.0), (0, 1.0), (3, 5.0), (4, 5.0)]:
        minima.add(np.array([float(u)]), fun, 1e-6)
    assert minima.levels(1e-6) == (3, 3)
    assert minima.levels(1e-8) == (4, 2)
