"""What is looked at: each function does something with a case in given units, and returns what came
of it in the case's own units, by name.
"""

from __future__ import annotations

import warnings
from functools import cache, partial

import numpy as np
from units import OWN

import langevin_sa as lsa
from langevin_sa import Momentum, Schedule, schedules, thermometers, tuning
from langevin_sa.teaching.driver import describe

SEED = 5


@cache
def potential(case, u):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "no gradient given")
        return case.make(u)


def evaluated(case, u):
    U, x = potential(case, u), u.put("position", case.x)
    return {
        "energy": u.take("level", U.energy(x)),
        "gradient": u.take("force", U.gradient(x)),
        "one gradient": u.take("force", U.gradient(x[0])),
    }


def curved(case, u):
    U, x = potential(case, u), u.put("position", case.x)
    return {
        "laplacian": u.take("curvature", U.laplacian(x)),
        "largest curvature": u.take("curvature", tuning.largest_curvature(U, x)),
        "estimate": u.take("curvature", tuning.laplacian_estimate(U, x, np.random.default_rng(1))),
        "omega dt": tuning.omega_dt(U, x, float(u.put("time", case.dt))),
    }


def checked(case, u):
    return {"error": potential(case, u).check_gradient(u.put("position", case.x))}


SCHEDULES = {
    "gjf": lambda case: Schedule(
        schedules.exponential(case.temperature, case.temperature / 50), case.gamma, case.dt
    ),
    "momentum": lambda case: Momentum(0.9, case.dt**2, case.dt * np.sqrt(case.temperature) / 4),
    "coolmomentum": lambda case: lsa.CoolMomentum.from_temperature(
        case.temperature, case.dt**2, 0.9
    ),
}
ROWS = {row: SCHEDULES["gjf"] for row in ("baoab", "bbk", "verlet")} | {
    row: lambda case: Schedule(case.temperature, 1 / case.dt, case.dt / 8)
    for row in ("ermak_mccammon", "leimkuhler_matthews")
}


def states(u, walk):
    """Of a State: positions and velocities."""
    return {"x": u.take("position", walk.x), "dx": u.take("length", walk.dx)}


def simulated(case, u, kind="gjf", backend="auto", steps=20):
    U, x = potential(case, u), u.put("position", case.x)
    schedule = u.schedule({**SCHEDULES, **ROWS}[kind](case))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # verlet's temperature
        shots = list(
            lsa.simulate(
                U, x, schedule, steps, rng=SEED, backend=backend, threads=1,
                integrator=kind if kind in ROWS else "gjf", record_every=steps // 2,
            )
        )  # fmt: skip
    seen = {}
    for k, shot in enumerate(shots):
        seen |= {f"{name} {k}": value for name, value in states(u, shot.state).items()}
        kinds = {"energy": "level", "best_x": "position", "best_energy": "level"}
        kinds |= dict.fromkeys(("temperature", "eq22", "target", "configurational"), "energy")
        kinds |= {"squares": "force2", "laplacian": "curvature"}
        seen |= {f"{n} {k}": u.take(kind, getattr(shot, n)) for n, kind in kinds.items()}
    return seen


def results(u, found):
    """Of a Result."""
    return states(u, found.state) | {
        "best": u.take("position", found.x),
        "fun": u.take("level", found.fun),
        "energies": u.take("level", found.energies),
        "best energies": u.take("level", found.best_energies),
        "best positions": u.take("position", found.best_positions),
        "mean": u.take("level", found.history.energy_mean),
        "failures": found.history.failures,
        "temperature": u.take("energy", found.history.temperature),
        "configurational": u.take("energy", found.history.configurational),
        "success": found.success,
        "nit": found.nit,
        "counts": (found.nfev, found.njev),
    }


def annealed(case, u, backend="auto", steps=40, **keywords):
    U, x = potential(case, u), u.put("position", case.x)
    schedule = u.schedule(SCHEDULES["gjf"](case))
    found = lsa.anneal(
        U, x, schedule, steps, rng=SEED, threads=1, record_every=2, backend=backend, **keywords
    )
    return results(u, found)


def patient(case, u):
    """A run of no temperature that stops where it finds nothing lower."""
    U, x = potential(case, u), u.put("position", case.x)
    schedule = u.schedule(Schedule(0.0, case.gamma, case.dt))
    found = lsa.anneal(U, x, schedule, 4000, rng=SEED, threads=1, record_every=10, patience=50)
    return {"nit": found.nit, "best": u.take("position", found.x), "message": found.message}


def laws(u, schedule, steps=10):
    """Numbers of a schedule."""
    c = schedule.coefficients(steps, "gjf")
    gamma = schedule.gamma(0.0) if callable(schedule.gamma) else schedule.gamma
    return {
        "T": u.take("energy", c.temperature),
        "time step": u.take("time", c.dt),
        "gamma": u.take("rate", gamma),
    }


def chosen(case, u, **keywords):
    U = potential(case, u)
    x = None if case.has("domain") else u.put("position", case.x)
    return laws(u, tuning.automatic_schedule(U, x, rng=SEED, **keywords))


def by_itself(case, u):
    """`anneal` with nothing chosen."""
    U = potential(case, u)
    x = None if case.has("domain") else u.put("position", case.x)
    found = lsa.anneal(
        U, x, n_steps=300, replicas=None if x is not None else 8, rng=SEED, threads=1
    )
    seen = laws(u, found.schedule) | {"success": found.success}
    return seen | (results(u, found) if u.exact else {})  # long runs are chaotic


def minima(u, found, case):
    """Of what `minimize` returns: what rounding cannot change."""
    seen = {"fun": u.take("level", found.fun)}
    if found.status == 1:  # rounding may make a budget too small
        return seen
    if case.has("place"):
        seen["x"] = u.take("position", found.x)
    return seen | {"success": found.success, "status": found.status}


def effort(u, found):
    """Which way `minimize` took: the same to the bit, but rounding may turn it."""
    heights = [m.fun for m in found.minima]
    return {
        "counts": (found.nfev, found.njev, found.nit),
        "minima": u.take("level", heights),
        "where": u.take("position", [m.x for m in found.minima]),
        "x": u.take("position", found.x),
        "hits": [m.hits for m in found.minima],
        "slope": u.take("force", found.jac),
    }


def minimized(case, u, strategy="auto", maxfev=4000, **keywords):
    U = potential(case, u)
    x = None if case.has("domain") else u.put("position", case.x[0])
    found = lsa.minimize(U, x, strategy=strategy, rng=SEED, maxfev=maxfev, **keywords)
    return minima(u, found, case) | (effort(u, found) if u.exact else {})


def minimized_function(function, u, strategy="portfolio", maxfev=3000, each=1.0):
    """A function of one point, whose coordinates are besides in units `each` (dim,)."""
    fun, jac = function.in_units(u, each)
    sides, dim = function.bounds, len(function.x)
    bounds = sides and list(zip(*(u.put("position", side) * each * np.ones(dim) for side in sides)))  # noqa: B905
    start = u.put("position", function.x) * each
    how = dict(strategy=strategy, rng=SEED, maxfev=maxfev)
    found = lsa.minimize(fun, start, jac=jac, bounds=bounds, **how)
    found.x, found.jac = found.x / each, found.jac * each
    for minimum in found.minima:
        minimum.x = minimum.x / each
    return minima(u, found, function) | (effort(u, found) if u.exact else {})


def intervals(u, kind, pairs):
    return u.take(kind, [[p.value, p.low, p.high] for p in pairs])


def outcome(u, o):
    return {
        "success": intervals(u, "number", [o.success, *o.success_by_epoch]),
        "residual": intervals(u, "energy", [o.residual]),
        "quantiles": u.take("energy", o.quantiles),
        "polished": u.take("level", o.energies["polished"]),
        "shares": intervals(u, "number", o.shares),
        "T": u.take("energy", o.temperature),
        "message": o.message,
    }


def compared(case, u, steps=60):
    U, x = potential(case, u), u.put("position", case.x)
    ways = {
        "anneal": SCHEDULES["gjf"](case),
        "quench": Schedule(schedules.quench(case.temperature, 0.0), case.gamma, case.dt),
        "coolmomentum": SCHEDULES["coolmomentum"](case),
    }
    found = lsa.compare(
        U, {name: u.schedule(way) for name, way in ways.items()}, x0=x, n_steps=steps, epochs=2,
        rng=SEED,
    )  # fmt: skip
    seen = {"minimum": u.take("level", found.minimum_energy)}
    seen |= {"tolerance": u.take("energy", found.tolerance)}
    seen |= {"minima": u.take("level", [m.energy for m in found.minima])}
    for name, o in found.outcomes.items():
        seen |= {f"{name} {key}": value for key, value in outcome(u, o).items()}
    difference = found.difference("anneal", "quench")
    return seen | {"difference": intervals(u, "energy", [difference])}


def cooled(case, u):
    U, x = potential(case, u), u.put("position", case.x)
    schedule = u.schedule(SCHEDULES["gjf"](case))
    fall = u.put("energy", case.temperature * (1 - 1 / 50)) / u.put("time", case.dt)
    rates = [fall / n for n in (16, 40, 100)]
    found = lsa.cooling_rates(U, schedule, rates=rates, x0=x, rng=SEED)
    return {
        "steps": found.n_steps,
        "times": u.take("time", found.times),
        "residual": u.take("energy", found.residual),
        "success": found.success,
    } | ({"verdict": found.verdict} if u.exact else {})  # decides by shares of errors


def page_of(case, u):
    given = dict.fromkeys(["temperature", "gamma", "dt", "window"])
    return describe(potential(case, u), **given, integrator="gjf", balls=10, seed=1)[0]


def paged(case, u):
    """Numbers of the page but those of its sliders."""
    data = page_of(case, u)
    wells = data["wells"]
    return {
        "window": u.take("position", data["window"]),
        "wells": u.take("position", [w["x"] for w in wells]),
        "well energies": u.take("level", [w["energy"] for w in wells]),
        "depths": u.take("energy", [w["depth"] for w in wells if w["depth"] is not None]),
        "edges": [w["edge"] for w in wells],
        "labels": data["labels"],
        "top": u.take("level", data["top"]),
        "curvature": u.take("curvature", data["curvature"]),
    }


def sliders(case, u):
    """Where the page's sliders stand, which is rounded to three decimal digits."""
    data = page_of(case, u)
    kinds = {"hot": "energy", "cold": "energy", "gamma": "rate", "dt": "time"}
    return {name: u.take(kind, data[name]) for name, kind in kinds.items()}


def refused(case, u):
    """Whether steps somewhat within and somewhat beyond stability are refused."""
    U, x = potential(case, u), u.put("position", case.x)
    omega = np.sqrt(u.put("curvature", stiffest(case)))
    seen = []
    for share in (1.9, 2.1):
        try:
            lsa.anneal(U, x, Schedule(0.0, 0.2 * omega, share / omega), 1, rng=SEED, threads=1)
            seen.append(False)
        except ValueError as error:
            seen.append("beyond stability" in str(error))
    return {"refused": seen}


@cache
def stiffest(case):
    """Largest curvature at the points, by differences that know that they are of size 1."""
    U, largest = potential(case, OWN), 0.0
    for x in case.x:
        h = 1e-5 * np.eye(U.dim)
        hessian = (U.gradient(x + h) - U.gradient(x - h)) / 2e-5
        largest = max(largest, np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1])
    return largest


def measured(case, u):
    """Thermometers."""
    U, x = potential(case, u), u.put("position", case.x)
    dx = u.put(
        "length", 0.1 * case.dt * np.random.default_rng(2).standard_normal((9, *case.x.shape))
    )
    dt, gamma = float(u.put("time", case.dt)), float(u.put("rate", case.gamma))
    samples = x + dx
    found = {"eq22": thermometers.eq22(dx, dt), "kinetic": thermometers.kinetic(dx, gamma, dt)}
    box = np.any(getattr(U.formula, "box", 0))
    if u.offset == 0 and not box:  # a mean of x . grad U has its origin where the forces balance
        found["virial"] = thermometers.virial(U, samples)
    if U.laplacian(samples.reshape(-1, U.dim)).mean() > 0:
        found["configurational"] = thermometers.configurational(U, samples)
    seen = {name: u.take("energy", [e.value, e.standard_error]) for name, e in found.items()}
    if box and U.formula.lists is None:
        area, tail = u.put("length", 1.0) ** 2, dict(tail=True)
        T = float(u.put("energy", case.temperature))
        seen["pair energy"] = u.take("energy", lsa.observables.energy(U, x, **tail))
        seen["pressure"] = u.take("energy", lsa.observables.pressure(U, x, T, **tail) * area)
        edges = u.put("length", np.linspace(0, 1.9, 5))
        seen["g"] = lsa.observables.radial_distribution(U, x, edges)
    return seen | {f"worth {name}": e.effective_samples for name, e in found.items()}


def boltzmann(case, u):
    U, T = potential(case, u), float(u.put("energy", case.temperature))
    axes = [u.put("position", np.linspace(*side, 41)) for side in u.take("position", U.bounds)]
    density = thermometers.boltzmann_density(U, T, axes)
    bins = thermometers.boltzmann_bins(
        U, T, [axis[5:36:5] for axis in axes], float(u.put("length", 0.7))
    )
    mean = thermometers.boltzmann_average(U, T, lambda x: u.take("position", x[:, 0]), axes)
    return {"density": density * u.factor("length") ** U.dim, "bins": bins, "mean": mean}


@cache
def seen_by(look, **keywords):
    """A look with keywords; the same for the same ones, so that what it saw in own units is
    kept.
    """
    return partial(look, **keywords)
