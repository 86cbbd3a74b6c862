"""The rows: what each scheme makes of friction, time step and temperature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import look_up
from ..momentum import Langevin
from .row import Integrator, kick_drift_kick, splitting


def _bbk(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
    m = Langevin(gamma, dt, temperature).to_momentum()
    return m.rho, m.lr, m.s


def _baoab(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
    rho = np.exp(-gamma * dt)
    return rho, (1 + rho) / 2 * dt**2, dt * np.sqrt(temperature * -np.expm1(-2 * gamma * dt))


def _overdamped(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
    if np.any(gamma <= 0):
        raise ValueError(
            "an overdamped integrator divides by gamma: gamma must be > 0; with gamma = 0 use "
            "bbk, gjf, baoab or verlet"
        )
    h = dt / gamma
    return np.zeros_like(h), h, np.sqrt(2 * temperature * h)


def _verlet(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
    return np.ones_like(dt), dt**2, np.zeros_like(dt)


def _heavy_ball(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
    return _bbk(gamma, dt, np.zeros_like(dt))


def _gj(attenuation: Callable[[Any], tuple[Any, Any]]) -> Callable[[Any, Any, Any], Any]:
    """A member of the GJ family: ``attenuation(c) -> (c2, c3)``, c3 = (1 - c2)/c."""

    def rule(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
        c2, c3 = attenuation(gamma * dt)
        lr = c3 * dt**2
        return c2, lr, lr * np.sqrt(2 * gamma * temperature / dt)

    return rule


def _gj_ii(c: Any) -> tuple[Any, Any]:
    return np.exp(-c), _decay(c)


def _gj_iii(c: Any) -> tuple[Any, Any]:
    return 1 - c, np.ones_like(c)


def _gj_iv(c: Any) -> tuple[Any, Any]:
    c2 = 2 / (1 + np.sqrt(1 + 4 * c))  # c c2^2 = 1 - c2
    return c2, c2**2


def _gj_v(c: Any) -> tuple[Any, Any]:
    return 1 / (1 + c), 1 / (1 + c)


def _gj_vi(c: Any) -> tuple[Any, Any]:
    c2 = (1 + c / 2) ** -2
    return c2, (1 + c / 4) * c2


def _gj_vii(c: Any) -> tuple[Any, Any]:
    """BAOAB at the friction u/dt with u^2/2 coth(u/2) = c, where its diffusion is right."""
    u = c + 0.0
    for _ in range(60):  # a contraction: u coth(u/2)/2 rises from 1 to u/2
        u = np.sqrt(c * u / _coth(u))
    return np.exp(-u), _decay(u) / _coth(u)


def _gj_viii(c: Any) -> tuple[Any, Any]:
    root = np.sqrt(1 + c**2)
    return 1 / (root + c), 2 / (1 + c + root)


def _decay(c: Any) -> Any:
    """(1 - exp(-c))/c."""
    c = np.asarray(c)
    return np.divide(-np.expm1(-c), c, out=np.ones(c.shape), where=c > 0)


def _coth(u: Any) -> Any:
    """(u/2) coth(u/2)."""
    return (1 + np.exp(-u)) / 2 / _decay(u)


def _vec(gamma: Any, dt: Any) -> tuple[Any, ...]:
    c = gamma * dt
    a, b = 1 - c / 2 + c**2 / 8, dt / 2 - c * dt / 8
    kick, drift = (1 / 2 - c / 8, -c / 4 / np.sqrt(3)), (0.0, dt / 2 / np.sqrt(3))
    factors = (kick, drift, kick)  # of two normals of variance 2 gamma dt
    noise = [[2 * c * (p[0] * q[0] + p[1] * q[1]) for q in factors] for p in factors]
    return a, b, dt, a, b, noise


def _langevin_impulse(gamma: Any, dt: Any) -> tuple[Any, ...]:
    c = gamma * dt
    xx, xv, vv = _flight(c)
    noise = [[0, 0, 0], [0, dt**2 * xx, dt * xv], [0, dt * xv, vv]]
    return 1.0, dt / 2, dt * _decay(c), np.exp(-c), dt / 2, noise


def _van_gunsteren_berendsen(gamma: Any, dt: Any) -> tuple[Any, ...]:
    """The free flight is exact; the force is as if it acted at t_n on the leap from t_{n-1/2} to
    t_{n+1/2}.
    """
    a, _, drift, decay, _, noise = _langevin_impulse(gamma, dt)
    kick = dt * np.exp(gamma * dt / 2) * _decay(gamma * dt)
    return a, kick, drift, decay, 0.0, noise


def _flight(c: Any) -> tuple[Any, Any, Any]:
    """Covariances of (x, v) after a free flight of time 1 from rest at friction c and temperature
    1: <xx>, <xv>, <vv>.
    """
    # <xx> is (2 c - 3 + 4 exp(-c) - exp(-2 c))/c^2, whose first orders cancel
    n = np.arange(3, 28)
    terms = (4 - 2.0**n) * (-1.0) ** n / np.cumprod(np.append(2.0, n))[1:]
    small = np.sum(terms * np.minimum(c, 1.0)[..., None] ** (n - 2), axis=-1)
    far = np.maximum(c, 1.0)
    lost = -np.expm1(-far)
    xx = np.where(c < 1, small, (2 * far - 2 * lost - lost**2) / far**2)
    return xx, c * _decay(c) ** 2, -np.expm1(-2 * c)


_GJ = "Gronbech-Jensen 2020, Mol. Phys. 118, e1662506"
_FLIGHT = "van Gunsteren, Berendsen 1982, as their leap-frog of 1988, Mol. Simul. 1, 173"
_IMPULSE = "Skeel, Izaguirre 2002, Mol. Phys. 100, 3885"
_HALVES: dict[str, Any] = {"order": 2, "exact": True}
_ROWS = (
    Integrator("bbk", _bbk, False, "the paper's Eqs. (13)-(17); Brunger, Brooks, Karplus 1984", 2),
    Integrator("obabo", _baoab, False, "Bussi, Parrinello 2007", 2),
    Integrator("gjf", _bbk, True, "Gronbech-Jensen, Farago 2013", **_HALVES),
    Integrator("gj_i", _bbk, True, f"{_GJ}: gjf", **_HALVES),
    Integrator("gj_ii", _gj(_gj_ii), True, _GJ, **_HALVES),
    Integrator("gj_iii", _gj(_gj_iii), True, _GJ, **_HALVES),
    Integrator("gj_iv", _gj(_gj_iv), True, _GJ, **_HALVES),
    Integrator("gj_v", _gj(_gj_v), True, _GJ, **_HALVES),
    Integrator("gj_vi", _gj(_gj_vi), True, _GJ, **_HALVES),
    Integrator(
        "gj_vii",
        _gj(_gj_vii),
        True,
        "Finkelstein et al. 2021, J. Chem. Phys. 155, 184104",
        **_HALVES,
    ),
    Integrator(
        "gj_viii", _gj(_gj_viii), True, "Gronbech-Jensen 2024, J. Stat. Phys. 191, 137", **_HALVES
    ),
    Integrator("baoab", _baoab, True, "Leimkuhler, Matthews 2013", **_HALVES),
    splitting("BOAOB", "Leimkuhler, Matthews 2013, the third symmetric splitting", 2),
    kick_drift_kick("vec", _vec, "Vanden-Eijnden, Ciccotti 2006", 2),
    kick_drift_kick("van_gunsteren_berendsen", _van_gunsteren_berendsen, _FLIGHT, 2),
    kick_drift_kick("langevin_impulse", _langevin_impulse, _IMPULSE, 2),
    Integrator(
        "ermak_mccammon",
        _overdamped,
        False,
        "the paper's Eq. (9); Ermak, McCammon 1978",
        order=1,
        overdamped=True,
    ),
    Integrator(
        "leimkuhler_matthews",
        _overdamped,
        True,
        "Leimkuhler, Matthews 2013, overdamped limit",
        overdamped=True,
        **_HALVES,
    ),
    Integrator(
        "verlet",
        _verlet,
        False,
        "Eq. (2); Stormer 1907, Verlet 1967; ignores gamma and T",
        thermal=False,
    ),
    Integrator(
        "velocity_verlet", _verlet, False, "Swope et al. 1982: verlet in positions", thermal=False
    ),
    Integrator(
        "heavy_ball", _heavy_ball, False, "Polyak 1964; bbk at T = 0", thermal=False, physical=False
    ),
)
INTEGRATORS = {row.name: row for row in _ROWS}


def get_integrator(name: str) -> Integrator:
    """The row called `name`; a ValueError that lists the rows and suggests the nearest
    otherwise.
    """
    return look_up(name, INTEGRATORS, "integrator")
