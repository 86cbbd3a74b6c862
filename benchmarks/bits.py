"""The same seed gives the same bits: a table of hashes to record before a change and to compare
after it.

python benchmarks/bits.py record bits.json
python benchmarks/bits.py check bits.json

Every result is reached by the public interface: trajectories over potentials, integrators, backends
and types of numbers, searches by all strategies, comparisons, cooling times, chosen schedules,
pages. Bits may differ between machines and between versions of NumPy, so the table is compared on
the machine that recorded it and is not kept.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.optimize import rosen, rosen_der

import langevin_sa as lsa

F = lsa.Potential.from_formula
SCHEDULE = lsa.Schedule(lsa.schedules.exponential(1.0, 0.05), 1.0, lambda s: 0.02 - 0.01 * s)
SLOW = lsa.Schedule(lsa.schedules.exponential(0.5, 0.05), 2.0, 0.002)
STATE = ("x", "dx", "noise", "best_x", "best_energy")


def digest(*values: Any) -> str:
    """A short name for arrays, numbers and texts, to the last bit."""
    total = hashlib.sha256()
    for value in values:
        array = np.asarray(value)
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:16]


def of_run(result: lsa.Result) -> str:
    """Everything that a run computed; `seconds` and texts are left out."""
    state = [getattr(result.state, name) for name in STATE]
    return digest(
        *state, result.energies, result.x, result.fun, result.nfev, *result.history.values()
    )


def of_search(result: Any) -> str:
    """Everything that a search found, and what it cost."""
    minima = [number for m in result.minima for number in (*m.x, m.fun, m.hits)]
    return digest(result.x, result.fun, result.nfev, result.njev, result.nit, result.jac, minima)


def of_comparison(comparison: lsa.Comparison) -> str:
    """Every epoch of every method, and how it was judged."""
    parts: list[Any] = [comparison.minimum_energy, [m.energy for m in comparison.minima]]
    for o in comparison.outcomes.values():
        parts += [o.x, *o.energies.values(), o.energy, o.best, o.judged, o.temperature, o.rescaled]
        parts += [*o.success, *o.residual, *o.tts, o.quantiles]
    return digest(*parts)


def of_schedule(schedule: lsa.Schedule) -> str:
    """The recursion's numbers at every step."""
    steps = schedule.coefficients(100, "gjf")
    return digest(steps.rho, steps.lr, steps.s, steps.carry)


def potentials() -> dict[str, tuple[Any, Any]]:
    """Potentials of every kind, each with a schedule that suits it."""
    catalogue = lsa.potentials

    def energy(x: np.ndarray) -> np.ndarray:
        return (x**4 / 4 - x**2 / 2).sum(1) + 0.1 * x[:, 0]

    def gradient(x: np.ndarray) -> np.ndarray:
        out = x**3 - x
        out[:, 0] += 0.1
        return out

    def one_energy(x: np.ndarray) -> float:
        return float(np.sum(x**4 / 4 - x**2 / 2))

    def one_gradient(x: np.ndarray, out: np.ndarray) -> None:
        for i in range(x.size):
            out[i] = x[i] ** 3 - x[i]

    return {
        "rastrigin": (catalogue.rastrigin(dim=10), SLOW),
        "double well": (catalogue.double_well(), SCHEDULE),
        "two coordinates": (F("a*(y - x**2)**2 + (1 - x)**2", a=2.0, bounds=(-2, 2)), SCHEDULE),
        "cluster": (catalogue.lennard_jones(7), SLOW),
        "chain": (catalogue.phi4_chain(200), SCHEDULE),
        "lattice": (catalogue.phi4_lattice((12, 10)), SCHEDULE),
        "spin glass": (catalogue.spin_glass(), SCHEDULE),
        "fluid": (catalogue.lennard_jones_fluid(125), SLOW),
        "mixture": (catalogue.kob_andersen(), SLOW),
        "array functions": (lsa.Potential(energy, gradient, 3, bounds=(-2, 2)), SCHEDULE),
        "energy alone": (lsa.Potential(energy, dim=3, bounds=(-2, 2)), SCHEDULE),
        "numba functions": (
            lsa.Potential.from_numba(one_energy, one_gradient, 3, bounds=(-2, 2)),
            SCHEDULE,
        ),
        "mini-batches": (catalogue.logistic_regression(), SCHEDULE),
    }


def trajectories() -> Iterator[tuple[str, str]]:
    """Potentials x integrators x backends x types of numbers."""
    for name, (potential, schedule) in potentials().items():
        for integrator in (
            "bbk",
            "gjf",
            "baoab",
            "ermak_mccammon",
            "leimkuhler_matthews",
            "verlet",
            "heavy_ball",
        ):
            cold = integrator in ("verlet", "heavy_ball")
            used = lsa.Schedule(0.0, schedule.gamma, schedule.dt) if cold else schedule
            for backend in ("numpy", "numba"):
                for dtype in ("float64", "float32"):
                    replicas = 3 if potential.dim > 100 else 37
                    result = lsa.anneal(
                        potential,
                        None,
                        used,
                        60,
                        replicas=replicas,
                        integrator=integrator,
                        backend=backend,
                        dtype=dtype,
                        rng=7,
                        threads=2,
                    )
                    yield f"{name}, {integrator}, {backend}, {dtype}", of_run(result)


def other_runs() -> Iterator[tuple[str, Callable[[], str]]]:
    """Schedules of their own recursion, kinds of noise, samples, workers, states, chosen
    schedules.
    """
    rastrigin, well = lsa.potentials.rastrigin(dim=4), lsa.potentials.double_well()
    own = {
        "CoolMomentum": lsa.CoolMomentum(0.001, 0.99, 2.0),
        "CoolMomentum linear": lsa.CoolMomentum(0.001, 0.9, 2.0, law="linear"),
        "Momentum": lsa.Momentum(0.9, lsa.schedules.stepwise([(0, 1e-3), (0.5, 1e-4)]), 0.01),
        "SGD": lsa.optimizers.SGD(0.001, 0.9, 3.0),
    }
    for name, schedule in own.items():
        for backend in ("numpy", "numba"):
            yield (
                f"{name}, {backend}",
                lambda s=schedule, b=backend: of_run(
                    lsa.anneal(rastrigin, None, s, 200, replicas=9, rng=3, backend=b)
                ),
            )
    for noise in ("uniform", "three-point"):
        yield (
            noise,
            lambda n=noise: of_run(
                lsa.anneal(rastrigin, None, SLOW, 200, replicas=9, rng=3, noise=n)
            ),
        )
    yield (
        "two workers",
        lambda: of_run(lsa.anneal(rastrigin, None, SLOW, 200, replicas=9, rng=3, workers=2)),
    )

    def going_on() -> str:
        half = next(
            iter(lsa.simulate(rastrigin, None, SLOW, 200, replicas=9, rng=3, record_every=100))
        )
        whole = lsa.anneal(rastrigin, None, SLOW, 200, state=half.state, samples=True)
        return digest(of_run(whole), whole.samples)

    yield "state and samples", going_on
    for name, (potential, _) in potentials().items():
        yield (
            f"chosen schedule, {name}",
            lambda p=potential: of_schedule(lsa.tuning.automatic_schedule(p, rng=4)),
        )
        if potential.dim < 50:
            yield (
                f"nothing given, {name}",
                lambda p=potential: of_run(lsa.anneal(p, n_steps=100, rng=5)),
            )

    def snapshots() -> str:
        seen = lsa.simulate(well, [1.0], SCHEDULE, 100, replicas=5, rng=1, record_every=30)
        return digest(
            *[(s.step, s.temperature, s.eq22, s.configurational, s.best_energy) for s in seen]
        )

    yield "snapshots", snapshots


def searches() -> Iterator[tuple[str, Callable[[], str]]]:
    """`minimize` by all strategies, with gradients of all kinds."""
    box = [(-5.12, 5.12)] * 3

    def bumps(x: np.ndarray) -> float:
        return float(np.sum(x**2 - 10 * np.cos(2 * np.pi * x) + 10))

    def slope(x: np.ndarray) -> np.ndarray:
        return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)

    given = {"gradient": {"jac": slope}, "differences": {}, "pair": {"jac": True}}
    for strategy in ("portfolio", "anneal", "exchange", "population"):
        for name, keywords in given.items():
            fun = (lambda x: (bumps(x), slope(x))) if name == "pair" else bumps
            yield (
                f"{strategy}, {name}",
                lambda s=strategy, f=fun, k=keywords: of_search(
                    lsa.minimize(
                        f, [2.0, 1.0, -3.0], bounds=box, strategy=s, rng=2, maxfev=3000, **k
                    )
                ),
            )
    yield "auto, rosen", lambda: of_search(lsa.minimize(rosen, np.zeros(4), jac=rosen_der, rng=2))
    for name in ("rastrigin", "muller_brown", "spin_glass"):
        potential = getattr(lsa.potentials, name)()
        yield (f"auto, {name}", lambda p=potential: of_search(lsa.minimize(p, rng=2, maxfev=4000)))
    cluster = lsa.potentials.lennard_jones(9)
    yield "clusters", lambda: of_search(lsa.minimize(cluster, rng=2, maxfev=20_000))
    yield (
        "constant speed",
        lambda: of_search(
            lsa.minimize(
                bumps,
                [2.0, 1.0, -3.0],
                jac=slope,
                bounds=box,
                strategy="anneal",
                rng=2,
                maxfev=3000,
                cooling="constant speed",
                gradient_noise=0.1,
            )
        ),
    )
    yield (
        "vectorized",
        lambda: of_search(
            lsa.minimize(
                lambda x: np.sum(x**2 - 10 * np.cos(2 * np.pi * x), axis=0),
                [2.0, 1.0, -3.0],
                bounds=box,
                vectorized=True,
                rng=2,
                maxfev=3000,
            )
        ),
    )


def comparisons() -> Iterator[tuple[str, Callable[[], str]]]:
    """`compare` in its three ways of judging, rules included, and `cooling_rates`."""
    wells = F("(x**2 - 1)**2 + 0.3*x", bounds=(-2, 2))
    rastrigin = lsa.potentials.rastrigin(dim=2)
    methods = {
        "anneal": SCHEDULE,
        "quench": lsa.Schedule(lsa.schedules.quench(1.0, 0.05), 1.0, 0.02),
        "cool": lsa.CoolMomentum(0.001, 0.99, 2.0),
        "adam": lsa.optimizers.Adam(0.01, noise=1.0),
        "rmsprop": lsa.optimizers.RMSprop(0.01, noise=1.0),
    }
    for judged in ("polished", "final", "best"):
        for name, potential in (("wells", wells), ("rastrigin", rastrigin)):
            yield (
                f"compare {name}, {judged}",
                lambda p=potential, j=judged: of_comparison(
                    lsa.compare(
                        p,
                        methods,
                        replicas=32,
                        n_steps=300,
                        rng=4,
                        epochs=7,
                        judged=j,
                        common_noise=j != "best",
                    )
                ),
            )

    def cooling() -> str:
        found = lsa.cooling_rates(wells, SCHEDULE, [20, 60, 200], replicas=64, rng=4)
        return digest(
            *map(of_comparison, found.comparisons), found.times, found.rates, found.verdict
        )

    yield "cooling rates", cooling


def pages() -> Iterator[tuple[str, Callable[[], str]]]:
    """Pages to teach with, to the letter."""
    for name in ("double_well", "muller_brown", "periodic", "himmelblau"):
        yield f"page {name}", lambda n=name: digest(lsa.page(getattr(lsa.potentials, n)()))


def table() -> dict[str, str]:
    """Hashes by name."""
    found = dict(trajectories())
    for part in (other_runs, searches, comparisons, pages):
        found |= {name: make() for name, make in part()}
    return found


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("record", "check"):
        sys.exit(__doc__)
    now = table()
    if sys.argv[1] == "record":
        with open(sys.argv[2], "w") as file:
            json.dump(now, file, indent=1)
        print(f"{len(now)} hashes recorded")
    else:
        with open(sys.argv[2]) as file:
            before = json.load(file)
        other = [name for name in before if now.get(name) != before[name]]
        print(f"{len(before)} hashes, {len(other)} differ", *other, sep="\n  ")
        sys.exit(bool(other))
