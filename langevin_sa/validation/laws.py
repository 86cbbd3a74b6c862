"""The closed forms that checks compare with: what a correct recursion does at any stable time step.

In a harmonic well of curvature k every row of `integrators` is a linear recursion, x_{n+1} = (1 +
rho - lr k) x_n - rho x_{n-1} + kick z_n + tail z_{n-1}, an AR(2) process for single noise and
ARMA(2,1) for paired noise; `docs/validation.md` derives what stands here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..integrators import INTEGRATORS
from ..momentum import Steps

Function = Callable[[np.ndarray], np.ndarray]


def autocovariance(steps: Steps, a: float, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """k <x_0 x_j>/T and <dx_0 dx_j>/(T dt^2) for lags j = 0 ... lags - 1, T what the noise of the
    one step sustains.
    """
    c, rho = np.empty(lags + 1), float(np.ravel(steps.rho)[0])
    conf, eq22, _ = (float(np.ravel(v)[0]) for v in steps.stationary(a))
    c[0], c[1] = conf, conf - a * eq22 / 2
    for j in range(2, lags + 1):
        c[j] = ((1 + rho) * (1 - a / 2)) * c[j - 1] - rho * c[j - 2]
    before = np.concatenate([c[1:2], c[: lags - 1]])
    return c[:lags], (2 * c[:lags] - before - c[1:]) / a


def second_moments(steps: Steps, carry: np.ndarray, k: float, x0: float = 0.0) -> np.ndarray:
    """<x^2> and <dx^2> after each step from rest at x0 in a harmonic well, shape (n_steps, 2): the
    exact linear recursion.

    The state is (x, dx, w) with w what paired noise carries on.
    """
    moments, out = np.zeros((3, 3)), np.empty((len(carry), 2))
    moments[0, 0] = x0**2
    for n in range(len(carry)):
        dx = np.array([-steps.lr[n] * k, carry[n], 1.0])
        move = np.array([dx + np.array([1, 0, 0]), dx, [0, 0, 0]])
        kick = np.array([steps.kick[n], steps.kick[n], steps.tail[n]])
        moments = move @ moments @ move.T + np.outer(kick, kick)
        out[n] = moments[0, 0], moments[1, 1]
    return out


def boltzmann_average(energy: Function, function: Function, T: float, reach: float) -> float:
    """<function(x)> over exp(-U/T) in one dimension, by the trapezoidal rule on (-reach, reach)."""
    x = np.linspace(-reach, reach, 20_001)
    weight = np.exp(-(energy(x) - energy(x).min()) / T)
    return float(np.sum(weight * function(x)) / np.sum(weight))


def mean_first_passage(
    energy: Function, start: float, end: float, low: float, T: float, gamma: float
) -> float:
    """Mean time of overdamped motion from `start` to `end` > start, reflected far out at `low`:
    Pontryagin's double integral.
    """
    x = np.linspace(low, end, 40_001)
    h = x[1] - x[0]
    u = energy(x) / T
    below = np.exp(-u)
    inner = np.concatenate([[0], np.cumsum((below[1:] + below[:-1]) / 2)]) * h
    outer = np.exp(u) * inner
    inside = x >= start
    return float(gamma / T * np.sum((outer[inside][1:] + outer[inside][:-1]) / 2) * h)


def discrete_passage(
    name: str,
    force: Function,
    slope: Function,
    start: float,
    end: float,
    low: float,
    h: float,
    T: float,
) -> float:
    """Mean time until an overdamped row, looked at after every step of h, is first at or above
    `end`: (1 - P) t = h.

    P is the density of a step between points below `end`, on Gauss-Legendre nodes; `slope` is the
    derivative of `force`. Single noise: x' = x + h f(x) + s z. Paired noise is looked at in y = x -
    w, w the half kick just made: y' = y + h f(y + w) + 2 w.
    """
    node, weight = np.polynomial.legendre.leggauss(400)
    y, weight, s = low + (end - low) * (node + 1) / 2, weight * (end - low) / 2, np.sqrt(2 * T * h)

    def step(here: np.ndarray) -> np.ndarray:
        here = here[:, None]
        if not INTEGRATORS[name].paired:
            z = (y - here - h * force(here)) / s
            return np.exp(-(z**2) / 2) / (np.sqrt(2 * np.pi) * s) * weight
        w = (y - here) / 2
        for _ in range(30):  # Newton, for the half kick that leads from here to y
            w = w - (here + h * force(here + w) + 2 * w - y) / (2 + h * slope(here + w))
        stretch = np.sqrt(np.pi / 2) * s * (2 + h * slope(here + w))
        return np.exp(-2 * (w / s) ** 2) / stretch * weight

    times = np.linalg.solve(np.eye(len(y)) - step(y), np.ones(len(y)))
    return h * (1 + float((step(np.array([start])) @ times)[0]))


def kramers_rate(gamma: float, well: float, top: float, barrier: float, T: float) -> float:
    """Kramers' rate from moderate to high friction; `well` and `top` are angular frequencies."""
    crossing = (np.sqrt(gamma**2 / 4 + top**2) - gamma / 2) / top
    return crossing * well / (2 * np.pi) * np.exp(-barrier / T)


def overdamped_average(
    name: str, force: Function, function: Function, h: float, T: float, reach: float
) -> float:
    """The stationary <function(x)> of an overdamped row at step h, by quadrature: its transfer
    operator to the power 2^k.

    Single noise: x' = x + h f(x) + s z. Paired noise, with y = x - s z/2 and so y' = y + h f(y + s
    z/2) + s z, is Markov in y.
    """
    from scipy.interpolate import CubicSpline

    z, weight = np.polynomial.hermite_e.hermegauss(40)
    weight = weight / weight.sum()
    y, s = np.linspace(-reach, reach, 801), np.sqrt(2 * T * h)
    half = s * z / 2 if INTEGRATORS[name].paired else np.zeros_like(z)
    at = y[:, None] + half
    to = np.clip(at + h * force(at) + s * z - half, -reach, reach)
    basis = CubicSpline(y, np.eye(y.size))
    operator = np.einsum("k,ykj->yj", weight, basis(to))
    for _ in range(int(np.ceil(np.log2(60 / h)))):
        operator = operator @ operator
    return float(operator[y.size // 2] @ (function(at) @ weight))


def inertial_average(
    name: str,
    force: Function,
    function: Function,
    gamma: float,
    dt: float,
    T: float,
    width: float,
    basis: int = 20,
) -> float:
    """The stationary <function(x)> of an inertial row, by a transfer operator on Hermite
    polynomials in two variables.

    It is Markov in b = x - w and q = dx - w, with w = kick z what the newest normal just did: x = b
    + w, q' = rho q + lr f(x) + (rho kick + tail) z, b' = x + q'. `width` is that of the positions'
    distribution.
    """
    steps = INTEGRATORS[name].steps(gamma, dt, T)
    rho, lr, kick = float(steps.rho), float(steps.lr), float(steps.kick)
    later = rho * kick + float(steps.tail)
    z, z_weight = np.polynomial.hermite_e.hermegauss(24)
    node, node_weight = np.polynomial.hermite_e.hermegauss(2 * basis)
    z_weight, node_weight = z_weight / z_weight.sum(), node_weight / node_weight.sum()
    speed = np.sqrt(T) * dt
    x, v = (a.ravel() for a in np.meshgrid(node * width, node * speed, indexing="ij"))
    weight = np.outer(node_weight, node_weight).ravel()

    def polynomials(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        in_x, in_v = hermite(x / width, basis), hermite(v / speed, basis)
        return np.einsum("pi,pj->pij", in_x, in_v).reshape(len(x), -1)

    image, average = np.zeros((len(x), basis**2)), np.zeros(len(x))
    for zk, wk in zip(z, z_weight, strict=True):
        at = x + kick * zk
        moved = rho * v + lr * force(at) + later * zk
        image += wk * polynomials(at + moved, moved)
        average += wk * function(at)
    here = polynomials(x, v) * weight[:, None]
    operator, start = here.T @ image, here.T @ average
    for _ in range(int(np.ceil(np.log2(60 / dt)))):
        operator = operator @ operator
    return float(operator[0] @ start)


def hermite(x: np.ndarray, n: int) -> np.ndarray:
    """The first n Hermite polynomials that are orthonormal over the standard normal, (points,
    n).
    """
    out = np.empty((len(x), n))
    out[:, 0], out[:, 1] = 1.0, x
    for k in range(2, n):
        out[:, k] = (x * out[:, k - 1] - np.sqrt(k - 1) * out[:, k - 2]) / np.sqrt(k)
    return out


def trap_work(
    steps: Steps, k: np.ndarray, a: np.ndarray, T: float, width: float, half_step: bool = True
) -> tuple[float, float, float]:
    """Mean and variance of the work, and <exp(-W/T)>, of a trap k (x - a)^2/2 whose stiffness and
    place change, (n_steps + 1,) each: exact for the discrete scheme.

    Replicas start at rest, in a normal distribution of this width around a[0]. The state (x, dx, w,
    W), with w what paired noise carries on, is Gaussian as long as only a changes; where k does, so
    is what exp(-W/T) makes of the distribution of the other three, but mean and variance of W are
    NaN. `half_step` says where the work is taken: at x - dx/2, or at x.
    """
    middle = np.array([1.0, -0.5 if half_step else 0.0, 0.0, 0.0])
    mean, tilted = np.array([a[0], 0.0, 0.0, 0.0]), np.array([a[0], 0.0, 0.0, 0.0])
    spread = np.diag([width**2, 0.0, 0.0, 0.0])
    tilted_spread, log = spread.copy(), 0.0
    for n in range(len(a) - 1):
        dx = np.array([-steps.lr[n] * k[n], steps.carry[n], 1.0, 0.0])
        move = np.array([dx + np.eye(4)[0], dx, np.zeros(4), np.eye(4)[3]])
        pull = steps.lr[n] * k[n] * a[n] * np.array([1.0, 1.0, 0.0, 0.0])
        kick = np.array([steps.kick[n], steps.kick[n], steps.tail[n], 0.0])
        noise = np.outer(kick, kick)
        mean, spread = move @ mean + pull, move @ spread @ move.T + noise
        tilted = move @ tilted + pull
        tilted_spread = move @ tilted_spread @ move.T + noise
        # the work of this step is A m^2/2 + B m + C
        A, B = k[n + 1] - k[n], k[n] * a[n] - k[n + 1] * a[n + 1]
        C = (k[n + 1] * a[n + 1] ** 2 - k[n] * a[n] ** 2) / 2
        done = np.eye(4)
        done[3] += B * middle
        mean, spread = done @ mean + [0, 0, 0, C], done @ spread @ done.T
        m, along = middle @ tilted, tilted_spread @ middle
        v = middle @ along
        stiff = 1 + A * v / T
        log -= C / T + np.log(stiff) / 2 + (A * m**2 / 2 + B * m - B**2 * v / (2 * T)) / T / stiff
        tilted = tilted - along * (A * m + B) / T / stiff
        tilted_spread = tilted_spread - np.outer(along, along) * A / T / stiff
    still = bool(np.all(k == k[0]))
    both = (float(mean[3]), float(spread[3, 3])) if still else (np.nan, np.nan)
    return *both, float(np.exp(log))
