"""Small problems for optimizers; files that need torch or JAX skip, visibly, where the extras ml
and jax are not installed.
"""

import sys

import numpy as np
import pytest


def table1(x0, gradient, lr, rho0, total_steps, n_steps):
    """The pseudocode of the paper's Table 1 written out: the positions after each step."""
    alpha = (1 - rho0) ** (1 / total_steps)
    x, dx, path = np.array(x0, dtype=float), 0.0, []
    for n in range(n_steps):
        rho = max(0.0, 1 - (1 - rho0) / alpha**n)
        dx = rho * dx - gradient(x, n) * lr * (1 + rho) / 2
        x = x + dx
        path.append(x)
    return np.array(path)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Tensors here are small: torch's threads would only wait for one another."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def reference():
    return table1


@pytest.fixture(scope="session")
def fixture():
    """U = x^2/2, x0 = 1, base lr 0.1, rho0 0.9, S = 5: five steps and one more with rho = 0."""
    return np.array([0.905, 0.741728127, 0.554611166, 0.397565426, 0.312394648, 0.296774915])
