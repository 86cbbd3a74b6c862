"""Long runs sample exp(-U/T)/Z: histograms of independent replicas against quadrature."""

import dataclasses

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.validation.lab import binned

pytestmark = pytest.mark.long


def final_points(potential, T, dt, gamma, n, replicas, x0, strength=1.0, seed=2):
    """Where independent replicas are after n steps of gjf; `strength` multiplies the noise."""
    from langevin_sa.backends.choose import get_backend
    from langevin_sa.backends.walk import Walk

    walk = Walk.at_rest(np.tile(x0, (replicas, 1)), seed)
    backend = get_backend("numba", potential)(potential, walk, 2)
    steps = lsa.Schedule(T, gamma, dt).coefficients(n, "gjf")
    backend.advance(dataclasses.replace(steps, s=strength * steps.s))
    return walk.x


def p_value(counts, expected):
    """Chi-square over bins that expect at least 20, the rest pooled."""
    return binned("", "", counts, expected).p_value


def double_well_p(strength):
    U, T, replicas = lsa.potentials.double_well(tilt=0.3), 0.5, 400_000
    x = final_points(U, T, 0.05, 1.0, 2500, replicas, [0.9], strength)[:, 0]
    edges = np.linspace(-2.2, 2.2, 45)
    fine = np.linspace(-3.5, 3.5, 70_001)
    density = np.exp(-U.energy(fine[:, None]) / T)
    cumulative = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    expected = np.diff(np.interp(edges, fine, cumulative / cumulative[-1])) * replicas
    return p_value(np.histogram(x, edges)[0], expected)


def muller_brown_p(strength):
    U, T, replicas = lsa.potentials.muller_brown(), 40.0, 200_000
    points = final_points(U, T, 0.002, 30.0, 6000, replicas, [-0.5, 1.4], strength)
    x, y = np.linspace(-3.0, 2.5, 551), np.linspace(-1.8, 3.2, 501)
    X, Y = np.meshgrid((x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2, indexing="ij")
    density = np.exp(-(U.energy(np.stack([X.ravel(), Y.ravel()], 1)).reshape(X.shape) + 147) / T)
    coarse = density.reshape(55, 10, 50, 10).sum((1, 3))  # bins of 0.1 x 0.1, by 100 midpoints each
    counts = np.histogram2d(*points.T, [x[::10], y[::10]])[0]
    return p_value(counts, coarse / coarse.sum() * replicas)


# half a minute; the density is one of those that `validate` measures
PLANE = pytest.param(muller_brown_p, marks=pytest.mark.slow)


@pytest.mark.parametrize("p", [double_well_p, PLANE])
def test_density_is_boltzmann(p):
    assert p(1.0) > 1e-4


@pytest.mark.parametrize("p", [double_well_p, PLANE])
def test_noise_off_by_two_percent_is_noticed(p):
    assert p(1.02) < 1e-4
