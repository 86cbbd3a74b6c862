"""Step rules are their papers'; the noise of a comparison is common."""

from dataclasses import dataclass

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.noise import normals
from langevin_sa.optimizers import SGD, Adam, RMSprop, StepRule
from langevin_sa.schedules import stepwise

WELL = lsa.potentials.double_well(tilt=0.3)
BOWL = lsa.potentials.harmonic(dim=2)


def literal_adam(g, theta, n_steps, lr=0.05, b1=0.9, b2=0.999, eps=1e-8):
    """Kingma, Ba 2014, Algorithm 1."""
    m = v = 0.0
    for t in range(1, n_steps + 1):
        gt = g(theta, t)
        m = b1 * m + (1 - b1) * gt
        v = b2 * v + (1 - b2) * gt**2
        mhat, vhat = m / (1 - b1**t), v / (1 - b2**t)
        theta = theta - lr * mhat / (np.sqrt(vhat) + eps)
    return theta


def literal_rmsprop(g, theta, n_steps, lr=0.05):
    """Tieleman, Hinton 2012: MeanSquare = 0.9 MeanSquare + 0.1 g^2; divide the gradient by its
    root.
    """
    mean_square = 0.0
    for t in range(1, n_steps + 1):
        gt = g(theta, t)
        mean_square = 0.9 * mean_square + 0.1 * gt**2
        theta = theta - lr * gt / (np.sqrt(mean_square) + 1e-8)
    return theta


def literal_sgd(g, theta, n_steps, lr=0.05, momentum=0.8):
    """v = momentum*v - lr*g; theta = theta + v (Polyak)."""
    velocity = 0.0
    for t in range(1, n_steps + 1):
        velocity = momentum * velocity - lr * g(theta, t)
        theta = theta + velocity
    return theta


@pytest.mark.parametrize(
    ("method", "literal"),
    [
        (Adam(0.05, 0.7), literal_adam),
        (RMSprop(0.05, 0.7), literal_rmsprop),
        (SGD(0.05, momentum=0.8, noise=0.7), literal_sgd),
    ],
)
@pytest.mark.parametrize("n_steps", [1, 7, 60])
def test_step_rules_are_their_papers(method, literal, n_steps):
    """With the run's own noise, whose every number can be made again."""
    x0 = np.array([[0.5, -1.0], [1.5, 0.3], [2.0, 2.0]])
    end = lsa.compare(BOWL, {"it": method}, x0=x0, replicas=3, n_steps=n_steps, rng=9)["it"].x
    np.testing.assert_allclose(
        end,
        literal(lambda x, t: x - 0.7 * normals(9, t - 1, np.arange(3), 2), x0, n_steps),
        rtol=1e-9,
    )


@dataclass(frozen=True)
class Plain(StepRule):
    def update(self, n, lr, gradient, *memory):
        return -lr * gradient


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:omega")
def test_common_noise_is_common():
    """A rule on the array path, SGD and Momentum in compiled kernels, and overdamped Langevin: one
    noise, one trajectory.
    """
    lr, noise = 0.02, 3.0
    methods = {
        "rule": Plain(lr, noise),
        "sgd": SGD(lr, noise=noise),
        "momentum": lsa.Momentum(0.0, lr, lr * noise),
        "langevin": lsa.Schedule(lr * noise**2 / 2, 1.0, lr),
    }
    both = [
        lsa.compare(
            WELL,
            methods,
            replicas=20,
            n_steps=300,
            rng=4,
            common_noise=common,
            integrator="ermak_mccammon",
        )
        for common in (True, False)
    ]
    for name in methods:
        np.testing.assert_allclose(both[0][name].x, both[0]["rule"].x, atol=1e-9)
    ends = [both[1][name].x for name in methods]
    assert min(np.abs(a - b).max() for k, a in enumerate(ends) for b in ends[:k]) > 0.01


def test_learning_rate_laws():
    law = stepwise([(0, 0.1), (0.5, 0.001)])
    out = lsa.compare(
        BOWL,
        {"adam": Adam(law, 1.0), "sgd": SGD(law, 0.9, 1.0)},
        replicas=200,
        n_steps=400,
        rng=1,
        epochs=20,
    )
    for o in out.outcomes.values():
        assert o.rescaled[9] > 50 * o.rescaled[-1]  # the temperature falls in one step
