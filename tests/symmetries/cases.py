"""Potentials of all kinds, each as a function of the units that it is written in.

A formula gets its units as parameters (`Len`, `En`, `At`, `Up`), so that one compiled step serves
all units.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from units import OWN

from langevin_sa import Potential
from langevin_sa.stochastic import StochasticPotential


@dataclass(frozen=True, eq=False)
class Case:
    """A problem: its potential in given units; points, a temperature, a friction and a time step in
    its own; and what it has not got (`lacks`).
    """

    name: str
    make: Callable[..., Potential]
    x: np.ndarray  # (replicas, dim)
    temperature: float
    gamma: float
    dt: float
    lacks: frozenset = frozenset()  # see `CASES`
    names: tuple = ()  # of coordinates, where a formula has them

    def __post_init__(self):
        if self.x.shape[1] > 2:
            object.__setattr__(self, "lacks", self.lacks | {"plane"})

    def __repr__(self):
        return self.name

    def has(self, *what):
        return self.lacks.isdisjoint(what)


def points(*rows, replicas=6, spread=0.0):
    """Points near the given ones, of the same bits in every process."""
    rows = np.array(rows, dtype=float)
    rows = rows[np.arange(replicas) % len(rows)]
    return rows + spread * np.random.default_rng(1).uniform(-1, 1, rows.shape)


def box(u, bounds):
    return None if bounds is None else u.put("position", np.array(bounds, dtype=float))


def drawn(u, start):
    """A potential's own start in these units."""
    return None if start is None else lambda count, rng: u.put("position", start(count, rng))


INPUTS = {"site": ("x",), "bond": ("x", "y"), "pair": ("r",), "density": ("r",)}
INPUTS |= {"embedding": ("rho",), "torsion": ("phi",), "angle": ("theta",)}


def in_units(kind, text, names, particles=False):
    """A formula of coordinates `names` with lengths in `Len` from `At`."""
    names = INPUTS.get(kind, names)
    if kind == "bond" and particles:
        names = ("r",)
    if names in (("rho",), ("phi",), ("theta",)):  # pure numbers
        return text
    apart = names == ("r",)
    for name in names:
        text = re.sub(rf"\b{name}\b", f"({name}/Len)" if apart else f"(({name} - At)/Len)", text)
    return text


def formula(
    name,
    x,
    temperature,
    gamma,
    dt,
    *,
    terms=1,
    lacks=(),
    bounds=None,
    start=None,
    names=None,
    lists=(),
    **said,
):
    """A case from formulas; `terms` is how many terms the first formula is summed over, `lists`
    what `from_formula` calls terms.
    """
    kinds = ("formula", "site", "bond", "pair", "density", "embedding")
    first = next((kind for kind in kinds if kind in said), None)
    numbers = {"cutoff", "box"}

    def make(u, called=None, variables=None, order=None):
        given, own = {}, {"Len": u.factor("length"), "En": u.factor("energy")}
        for key, value in said.items():
            if key in kinds:
                text = f"({in_units(key, value, names, 'particles' in said)})"
                text = text if key == "density" else f"En*{text}"
                if called:
                    text = re.sub(r"\w+", lambda word: called.get(word[0], word[0]), text)
                if key == first and "cutoff" not in said:
                    text += " + Up"
                    own["Up"] = u.shift("level") / terms
                given[key] = text
            else:
                given[key] = u.factor("length") * np.asarray(value) if key in numbers else value
        if lists:
            given["terms"] = [
                (kind, entries, f"En*({in_units(kind, text, None, True)})")
                for kind, entries, text in lists
            ]
        if any("At" in text for key, text in given.items() if key in kinds):
            own["At"] = u.shift("position")
        sides = bounds if order is None or np.ndim(bounds) < 2 else np.array(bounds)[order]
        where = {"bounds": box(u, sides), "start": drawn(u, start)}
        return Potential.from_formula(**given, **own, **where, variables=variables, name=name)

    return Case(name, make, x, temperature, gamma, dt, known(lacks, bounds, start), names)


def known(lacks, bounds, start, *more):
    """What a case lacks, with what follows from its bounds and start."""
    lacks = {*lacks, *more} | ({"bounds"} if bounds is None else set())
    return frozenset(lacks | ({"domain"} if bounds is None and start is None else set()))


def arrays(
    name,
    x,
    temperature,
    gamma,
    dt,
    energy,
    gradient=None,
    laplacian=None,
    *,
    bounds=None,
    start=None,
    lacks=(),
):
    """A case from functions of blocks."""  # fmt: skip

    def written(u):
        def scaled(function, kind):
            if function is None:
                return None
            return lambda x: u.put(kind, function(u.take("position", x)))

        kinds = {"gradient": (gradient, "force"), "laplacian": (laplacian, "curvature")}
        given = {key: scaled(*what) for key, what in kinds.items()}
        where = {"bounds": box(u, bounds), "start": drawn(u, start)}
        return Potential(scaled(energy, "level"), dim=x.shape[1], name=name, **given, **where)

    return Case(name, written, x, temperature, gamma, dt, known(lacks, bounds, start, "formula"))


def ackley(x):
    r = np.sqrt((x**2).mean(1))
    return 20 + np.e - 20 * np.exp(-0.2 * r) - np.exp(np.cos(2 * np.pi * x).mean(1))


def ackley_gradient(x):
    r = np.sqrt((x**2).mean(1, keepdims=True))
    wave = np.exp(np.cos(2 * np.pi * x).mean(1, keepdims=True)) * np.sin(2 * np.pi * x)
    return (4 * np.exp(-0.2 * r) * x / r + 2 * np.pi * wave) / x.shape[1]


def wells(x):
    return ((x**2 - 1) ** 2 + 0.3 * x).sum(1)


def wells_gradient(x):
    return 4 * x * (x**2 - 1) + 0.3


def wells_laplacian(x):
    return (12 * x**2 - 4).sum(1)


def triangles(count, rng):
    """Particles on a loose square lattice in the plane."""
    sites = 1.25 * np.stack(np.meshgrid(range(3), range(3)), -1).reshape(-1, 2)[:5]
    return sites.ravel() + 0.1 * rng.uniform(-1, 1, (count, 10))


def numba_rosenbrock(u):
    L, E = float(u.factor("length")), float(u.factor("energy"))
    At, Up = float(u.shift("position")), float(u.shift("level"))

    def energy(x):
        a, b = (x[0] - At) / L, (x[1] - At) / L
        return E * (10 * (b - a * a) ** 2 + (1 - a) ** 2) + Up

    def gradient(x, out):
        a, b = (x[0] - At) / L, (x[1] - At) / L
        out[0] = E / L * (-40 * a * (b - a * a) - 2 * (1 - a))
        out[1] = E / L * (20 * (b - a * a))

    bounds = u.put("position", [-2.0, 2.0])
    return Potential.from_numba(energy, gradient, 2, bounds=bounds, name="numba")


DATA = np.random.default_rng(0).normal(1.0, 0.5, 40)


def regression(u):
    """The quartic distance to data, by mini-batches."""

    def energy(x, y):
        z = u.take("position", x) - u.take("position", y)
        return u.put("level", (z**2 / 2 + z**4 / 20).mean(1))

    def gradient(x, y):
        z = u.take("position", x) - u.take("position", y)
        return u.put("force", (z + z**3 / 5).mean(1)[:, None])

    data = u.put("position", DATA)
    return StochasticPotential(
        energy, gradient, data, 8, 1, bounds=u.put("position", [-2.0, 4.0]), name="regression"
    )


LJ = "4*(r**-12 - r**-6)"
TRIANGLE = [0, 0, 1.1, 0, 0.5, 1.0]
ZIGZAG = [0, 0, 0, 0.8, 0.6, 0, 1.6, 0, 0.1, 2.4, 0.6, 0.5]
FIVE = triangles(6, np.random.default_rng(3))
# what a case may lack: one place of its lowest minimum, smoothness, a level of energies, a
# gradient, a plane to draw, a formula, bounds, a domain (bounds or a start); "cheap": it takes long
# fmt: off
CASES = [
    formula("double well", points([0.9], [-0.4], spread=.3), .5, 1., .1,
            formula="(x**2 - 1)**2 + 0.3*x", names=("x",), bounds=(-2, 2)),
    formula("no domain", points([0.9], [-0.4], spread=.3), .5, 1., .1,
            formula="(x**2 - 1)**2 + 0.3*x", names=("x",)),
    formula("rosenbrock", points([-1.2, 1.], spread=.3), 1., 1., .02,
            formula="10*(y - x**2)**2 + (1 - x)**2", names=("x", "y"), bounds=(-2, 2)),
    formula("himmelblau", points([1., 1.], [-2, -1.], spread=1.), 20., 3., .02,
            formula="(x**2 + y - 11)**2 + (x + y**2 - 7)**2", names=("x", "y"), bounds=(-5, 5),
            lacks=["place"]),
    formula("unlike widths", points([.2, 30., 1e-3], spread=1e-3), .1, 1., .05,
            formula="(a**2 - 1)**2 + a/10 + (b - 30)**2/40 + a*c + 8*c**2", names=("a", "b", "c"),
            bounds=((-2, 2), (0, 60), (-1, 1))),
    formula("kinks", points([.7, -.4], spread=.2), .1, 1., .05,
            formula="max(x, -2*x) + abs(y - 0.5) + max(x - 1, 0)**2 + x*y/4",
            names=("x", "y"), bounds=(-3, 3), lacks=["smoothness"]),
    formula("hard wall", points([1.], [2.], spread=.2), .1, 1., .05,
            formula="x - log(x) + (sqrt(x) - 1)**4", names=("x",), bounds=(0.05, 4)),
    formula("turns back", points([.3], [1.2], spread=.2), 1., 1., .2,
            formula="x*log(x)", names=("x",), bounds=(0.05, 4)),
    formula("twelve names", points(np.arange(12.), spread=.3), .3, 1., .05,
            formula=" + ".join(f"(x{i} - {i})**2*(1 + {i}/10) + (x{i} - {i})*(x{i + 1} - {i + 1})/4"
                               for i in range(11)) + " + (x11 - 11)**2",
            names=tuple(f"x{i}" for i in range(12))),
    formula("rastrigin", points([.3, -.9, 1.2], spread=.3), 3., 2., .02, terms=3,
            site="x**2 - 10*cos(2*pi*x) + 10", dim=3, bounds=(-5.12, 5.12)),
    formula("site arrays", points([.3, -.9, 1.2, .5], spread=.3), .3, 1., .05, terms=4,
            site="k*(x**2 - 1)**2 + h*x", k=[1, 2, .5, 1], h=[.1, -.3, .2, .05], dim=4,
            bounds=(-2, 2)),
    formula("chain", points([.3, -.9, 1.2, .5, -.2, .1], spread=.3), .3, 1., .05, terms=6,
            site="x**4/4 - x**2/2 + x/9", bond="(y - x)**2/2", dim=6, periodic=True,
            bounds=(-2, 2)),
    formula("lattice", points(np.linspace(-1, 1, 12), spread=.3), .3, 1., .05, terms=12,
            site="x**4/4 - x**2/2", bond="(y - x)**2/2", shape=(3, 4), lacks=["place"]),
    formula("long lattice", points(np.sin(np.arange(4096.)), replicas=1), .3, 1., .05, terms=4096,
            site="x**4/4 - x**2/2", bond="(y - x)**2/2", dim=4096, lacks=["cheap", "place"]),
    formula("polymer", points([0, 0, 1.1, .3, 2.1, -.2, 3, .4], spread=.05), .1, 1., .01, terms=3,
            bond="20*(r - 1)**2", pair="0.3*(r**-12 - r**-6)", particles=4, space=2,
            lacks=["place"]),
    formula("particles", points([-1, .2, 1, -.2], spread=.2), .1, 1., .02,
            formula="x1**2 + 2*y1**2 + 3*x2**2 + 4*y2**2", pair="0.1/r", particles=2, space=2,
            names=("x1", "y1", "x2", "y2"), bounds=(-2, 2), lacks=["place"]),
    formula("trimer", points(TRIANGLE, spread=.05), .1, 1., .005, terms=3,
            pair=LJ, particles=3, space=2, lacks=["place"]),
    formula("cluster", points(*FIVE), .2, 1., .005, terms=10,
            pair=LJ, particles=5, space=2, bounds=(-.5, 3), lacks=["place"]),
    formula("own start", points(*FIVE), .2, 1., .01, terms=10,
            pair="(1 - exp(6*(1 - r)))**2", particles=5, space=2, start=triangles,
            lacks=["place"]),
    formula("fluid", points(*FIVE), .2, 1., .005,
            pair=LJ, particles=5, space=2, cutoff=1.6, box=3.8, start=triangles,
            lacks=["level", "place"]),
    formula("tilted", points(*FIVE), .2, 1., .005,
            pair=LJ, particles=5, space=2, cutoff=1.6, box=[[3.8, 0], [1, 3.8]], start=triangles,
            lists=[("bond", [(0, 1), (1, 2)], "9*(r - 1)**2"),
                   ("angle", [(0, 1, 2)], "(theta - 2)**2")], lacks=["level", "place"]),
    formula("species", points(*FIVE), .2, 1., .005,
            pair="4*eps*((sig/r)**12 - (sig/r)**6)", particles=5, space=2, species=[0, 0, 1, 0, 1],
            cutoff=[[1.6, 1.3], [1.3, 1.4]], eps=[[1, 1.5], [1.5, .5]], sig=[[1, .8], [.8, .88]],
            start=triangles, lacks=["level", "place"]),
    formula("molecule", points(ZIGZAG, spread=.1), .3, 1., .02,
            lists=[("bond", [(0, 1), (1, 2), (2, 3)], "30*(r - 1)**2"),
                   ("angle", [(0, 1, 2), (1, 2, 3)], "k*(theta - 1.9)**2"),
                   ("torsion", [(0, 1, 2, 3)], "1 + cos(3*phi) - cos(phi)/2")],
            k=[3., 4.], particles=4, lacks=["level", "place"]),
    formula("metal", points(*FIVE), .1, 1., .005, terms=10,
            pair="exp(10*(1 - r))/4", density="exp(6*(1 - r))", embedding="-sqrt(rho)",
            particles=5, space=2, start=triangles, lacks=["place"]),
    arrays("array", points([1.3, -.9], spread=.3), 1., 1., .02, ackley, ackley_gradient,
           bounds=(-9, 7)),
    arrays("differences", points([.9, -.6], spread=.3), .5, 1., .05, wells, bounds=(-2, 2),
           lacks=["gradient"]),
    arrays("laplacian", points([.9, -.6], spread=.3), .5, 1., .05, wells, wells_gradient,
           wells_laplacian),
    arrays("array start", points([.9, -.6], spread=.3), .5, 1., .05, wells, wells_gradient,
           start=lambda count, rng: rng.uniform(-2, 2, (count, 2))),
    Case("numba", numba_rosenbrock, points([-1.2, 1.], spread=.3), 1., 1., .02,
         frozenset(["cheap", "formula"])),
    Case("regression", regression, points([0.], [2.], spread=.4), .2, 1., .1,
         frozenset(["formula"])),
]
# fmt: on
BY_NAME = {case.name: case for case in CASES}


@dataclass(frozen=True, eq=False)
class Function:
    """A function of one point for `minimize`, and where to start."""

    name: str
    fun: Callable[..., float]
    jac: Callable[..., Any] | None
    x: np.ndarray
    bounds: Any = None

    def has(self, *what):
        return True

    def in_units(self, u, each=1.0):
        """(fun, jac) in these units, and every coordinate in a further one of its own."""

        def own(x):
            return u.take("position", x / each)

        jac = self.jac and (lambda x: u.put("force", self.jac(own(x))) / each)
        return lambda x: float(u.put("level", self.fun(own(x)))), jac


def rosen(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def rosen_der(x):
    a = x[1] - x[0] ** 2
    return np.array([-400 * a * x[0] - 2 * (1 - x[0]), 200 * a])


# NIST's BoxBOD
TIME, OXYGEN = np.array([1, 2, 3, 5, 7, 10.0]), np.array([109, 149, 149, 191, 213, 224.0])


def boxbod(x):
    return float(((OXYGEN - 100 * x[0] * (1 - np.exp(-x[1] * TIME))) ** 2).sum()) / 100


FUNCTIONS = [
    Function("rosen", rosen, None, np.array([-1.2, 1.0])),
    Function("rosen in bounds", rosen, None, np.array([-1.2, 1.0]), (-2, 2)),
    Function("rosen with jac", rosen, rosen_der, np.array([-1.2, 1.0])),
    Function("boxbod", boxbod, None, np.array([1.0, 0.75])),
]
assert OWN.exact
