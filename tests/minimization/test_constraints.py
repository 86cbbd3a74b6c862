"""Constraints: what SciPy's forms say holds at the end, whatever their units, and only there."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import LinearConstraint, NonlinearConstraint

import langevin_sa as lsa
from langevin_sa.minimization.constrained import Constrained
from langevin_sa.minimization.strategies import Settings
from langevin_sa.minimization.task import Task

FOLDER = Path(__file__).parents[2] / "benchmarks"
BOX = [(-5.0, 5.0)] * 2


def bowl(x):
    return float((x[0] - 2) ** 2 + (x[1] - 1) ** 2)


def bumpy(x):
    return float((x**2 - 3 * np.cos(2 * np.pi * x)).sum())


def disc(x):
    return (x**2).sum()


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROBLEMS = {problem.name: problem for problem in load("constrained").PROBLEMS}


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_benchmark_is_as_published(name):
    problem = PROBLEMS[name]
    x = np.array(problem.place, dtype=float)
    assert problem.f(x) == pytest.approx(problem.minimum, rel=1e-8)
    assert problem.violation(x) < 1e-9
    low, high = np.array(problem.bounds, dtype=float).T
    assert (x >= low).all() and (x <= high).all()


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name not in ("g02", "g01")])
def test_cec_2006(name):
    problem = PROBLEMS[name]
    seen = []

    def fun(x):
        seen.append(x)
        return problem.f(x)

    result = lsa.minimize(
        fun, bounds=problem.bounds, constraints=problem.constraints(), rng=1, patience=0.3
    )
    assert result.success and abs(result.fun - problem.minimum) < 1e-4
    assert problem.violation(result.x) < 1e-8 and result.fun == problem.f(result.x)
    assert result.nfev == len(seen)
    low, high = np.array(problem.bounds, dtype=float).T
    assert all((x >= low).all() and (x <= high).all() for x in seen)


FORMS = {
    "linear": LinearConstraint([[1, 1]], -np.inf, 1),
    "sides": LinearConstraint([1, 1], [-3], [1]),
    "nonlinear": NonlinearConstraint(lambda x: x[0] + x[1], -np.inf, 1),
    "slopes": NonlinearConstraint(lambda x: x.sum(), -np.inf, 1, jac=lambda x: np.ones(2)),
    "dict": {"type": "ineq", "fun": lambda x: 1 - x[0] - x[1]},
    "args": {"type": "ineq", "fun": lambda x, a: a - x.sum(), "args": (1,)},
    "args of both": {
        "type": "ineq",
        "fun": lambda x, a: a - x.sum(),
        "jac": lambda x, a: [-a, -a],
        "args": (1,),
    },
    "equal": {"type": "eq", "fun": lambda x: x.sum() - 1},
    "list": [{"type": "eq", "fun": lambda x: [x.sum() - 1]}, LinearConstraint(np.eye(2), -9, 9)],
    "tuple": (LinearConstraint([1, 1], 1, 1),),
}


@pytest.mark.parametrize("jac", [None, lambda x: np.array([2 * (x[0] - 2), 2 * (x[1] - 1)])])
@pytest.mark.parametrize("form", FORMS)
def test_every_form(form, jac):
    """The bowl's lowest point on x + y = 1 is (1, 0)."""
    options = dict(jac=jac, bounds=BOX, constraints=FORMS[form])
    result = lsa.minimize(bowl, [4.0, 4.0], rng=1, patience=0.3, **options)
    assert result.success and result.status == 0
    assert result.x == pytest.approx([1, 0], abs=1e-7)
    assert result.maxcv < 1e-12 and result.constr_nfev > 0
    assert len(result.constr) == (2 if form == "list" else 1)
    assert result.jac == pytest.approx([-2, -2], abs=1e-5)
    through = scipy.optimize.minimize(
        bowl, [4.0, 4.0], method=lsa.minimize, options={"rng": 1, "patience": 0.3}, **options
    )
    assert (through.x == result.x).all()


def test_many_valleys():
    """The lowest of the ring's dents, by brute force."""
    ring = NonlinearConstraint(disc, 6.0, 7.0)
    result = lsa.minimize(bumpy, bounds=BOX, constraints=ring, rng=2)
    angle, radius = np.meshgrid(np.linspace(0, 2 * np.pi, 4001), np.sqrt(np.linspace(6, 7, 101)))
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)])
    lowest = (points**2 - 3 * np.cos(2 * np.pi * points)).sum(0).min()
    assert result.success and lowest - 1e-3 < result.fun <= lowest
    assert 6 - 1e-9 <= disc(result.x) <= 7 + 1e-9


@pytest.mark.parametrize("power", [-40, 13])
@pytest.mark.parametrize("of", ["constraint", "x", "fun"])
def test_units(power, of):
    """Powers of two change no bit."""
    unit = 2.0**power

    def search(a, b, c):
        return lsa.minimize(
            lambda x: c * bumpy(x / a),
            a * np.array([3.0, 1.0]),
            bounds=a * np.array(BOX),
            constraints=[
                NonlinearConstraint(lambda x: b * disc(x / a), 6 * b, 7 * b),
                {"type": "eq", "fun": lambda x: b * (x[0] ** 2 / a**2 - 2 * x[1] / a)},
            ],
            rng=3,
            patience=0.2,
        )

    plain = search(1.0, 1.0, 1.0)
    scaled = search(*(unit if of == name else 1.0 for name in ("x", "constraint", "fun")))
    assert plain.success and scaled.nfev == plain.nfev
    assert (scaled.x == (unit if of == "x" else 1) * plain.x).all()
    assert scaled.fun == (unit if of == "fun" else 1) * plain.fun


def test_an_offset_of_fun_does_not_count():
    def search(offset):
        return lsa.minimize(
            lambda x: bowl(x) + offset, bounds=BOX, constraints=FORMS["dict"], rng=1
        )

    assert search(64.0).x == pytest.approx(search(0.0).x, abs=1e-6)


def test_fun_is_not_asked_off_the_constraints_but_by_descents():
    """A fun that is no number there is searched all the same."""
    result = lsa.minimize(
        lambda x: float(np.log(x.sum() - 1) ** 2 + disc(x)) if x.sum() > 1 else np.nan,
        [-4.0, -4.0],
        bounds=BOX,
        constraints=LinearConstraint([1, 1], 1.01, np.inf),
        rng=1,
    )
    alike = scipy.optimize.minimize_scalar(
        lambda s: np.log(2 * s - 1) ** 2 + 2 * s * s, bounds=(0.51, 2), method="bounded"
    )
    assert result.success and result.x == pytest.approx([alike.x, alike.x], abs=1e-4)


@pytest.mark.parametrize("maxfev", [1, 2, 7, 40, 333])
def test_the_budget_is_kept_and_the_best_holds(maxfev):
    seen = []
    ring = NonlinearConstraint(disc, 6.0, 7.0)

    def fun(x):
        seen.append((bumpy(x), x))
        return bumpy(x)

    result = lsa.minimize(fun, [0.1, 0.2], bounds=BOX, constraints=ring, rng=1, maxfev=maxfev)
    assert len(seen) == result.nfev == maxfev and not result.success and result.status == 1
    if result.maxcv < 1e-9:
        inside = [f for f, x in seen if 6 <= disc(x) <= 7]
        assert result.fun <= min(inside, default=np.inf)
    else:
        assert "No point was found where the constraints hold" in result.message


def test_constraints_that_hold_nowhere():
    result = lsa.minimize(
        bowl, bounds=BOX, constraints=NonlinearConstraint(disc, 200, 300), rng=1, patience=0.1
    )
    assert not result.success and result.status == 5
    assert "No point was found where the constraints hold" in result.message
    assert abs(result.x) == pytest.approx(5, abs=0.1) and result.fun == bowl(result.x)
    assert result.maxcv == pytest.approx(150, rel=0.02)


def test_a_target_is_one_that_holds():
    result = lsa.minimize(
        bowl, [2.0, 1.0], bounds=BOX, constraints=FORMS["dict"], rng=1, target=2.0001
    )
    assert result.success and "Target" in result.message and result.maxcv < 1e-9


def test_a_potential():
    potential = lsa.potentials.rastrigin(dim=2)
    result = lsa.minimize(potential, constraints=LinearConstraint([1, 1], 2.4, 2.4), rng=1)
    along = np.linspace(-5, 5, 100_001)
    lowest = potential.energy(np.stack([along, 2.4 - along], axis=1)).min()
    assert result.success and result.x.sum() == pytest.approx(2.4, abs=1e-12)
    assert lowest - 1e-5 < result.fun <= lowest


def test_clusters_are_searched_by_descents():
    pair = lsa.potentials.lennard_jones(4)
    held = {"type": "eq", "fun": lambda x: x[0]}
    result = lsa.minimize(pair, constraints=held, rng=1, patience=0.1)
    assert result.success and abs(result.x[0]) < 1e-9 and result.fun == pytest.approx(-6, abs=1e-6)


def test_how_far_off_is_a_distance():
    """By the slope, in units: a twentieth of half the width."""
    task = Task.read(
        bowl,
        [0.0, 0.0],
        BOX,
        1,
        "auto",
        Settings(),
        constraints={"type": "eq", "fun": lambda x: 1e9 * (x[0] - 1)},
    )
    functions = task.functions(apply=None, walls=True)
    problem = task.search(functions, functions.ask).problem
    assert isinstance(problem, Constrained)
    off = problem.distance(u := np.array([0.0, 3.0]), problem.normals(u))
    assert off == pytest.approx(1 / problem.unit[0], rel=1e-6)


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        (3, "constraints must be a LinearConstraint"),
        ("ineq", "constraints must be a LinearConstraint"),
        ([bowl], "constraints must be a LinearConstraint"),
        ({"fun": bowl}, "type of a constraint must be 'eq' or 'ineq'"),
        ({"type": "le", "fun": bowl}, "type of a constraint must be 'eq' or 'ineq', not 'le'"),
        ({"type": "eq"}, "fun of a constraint must be a function"),
        ({"type": "eq", "fun": bowl, "lb": 3}, "a constraint's dict has"),
        ({"type": "eq", "fun": bowl, "jac": "cs"}, "jac of a constraint"),
        (LinearConstraint(np.ones((1, 3)), 0, 1), r"shape \(m, 2\)"),
        (LinearConstraint(np.ones((1, 2)), 2, 1), "nothing lies between the limits"),
        (NonlinearConstraint(bowl, np.inf, np.inf), "nothing lies between the limits"),
        (NonlinearConstraint(bowl, [0, 0], 1), "numbers for its 1 components"),
        (NonlinearConstraint(bowl, 0, 1, keep_feasible=True), "keep_feasible=True cannot be met"),
        (NonlinearConstraint(lambda x: np.eye(2), 0, 1), r"must return numbers \(m,\)"),
    ],
)
def test_what_is_refused(constraints, said):
    def fun(x):
        pytest.fail("the function is asked")

    with pytest.raises((TypeError, ValueError), match=said):
        lsa.minimize(fun, [0.0, 0.0], bounds=BOX, constraints=constraints)


@pytest.mark.parametrize("strategy", ["anneal", "exchange", "population", "clusters"])
def test_other_strategies_refuse(strategy):
    with pytest.raises(ValueError, match=f"strategy '{strategy}' cannot keep to constraints="):
        lsa.minimize(bowl, bounds=BOX, constraints=FORMS["dict"], strategy=strategy)


class Kill(BaseException):
    pass


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7])
@pytest.mark.parametrize("where", ["fun", "constraint"])
def test_a_killed_search_goes_on_to_the_same_bits(tmp_path, share, where, monkeypatch):
    monkeypatch.setattr("langevin_sa.minimization.resume.LONGEST_RECORD", 500)
    count, last = {"fun": 0, "constraint": 0}, {"fun": np.inf, "constraint": np.inf}

    def counted(name, function):
        def call(x):
            count[name] += 1
            if count[name] == last[name]:
                raise Kill
            return function(x)

        return call

    def search(**keywords):
        return lsa.minimize(
            counted("fun", bumpy),
            bounds=BOX,
            constraints=NonlinearConstraint(counted("constraint", disc), 6.0, 7.0),
            integrality=[0, 1] if share == 0.3 else None,
            rng=3,
            patience=0.05,
            **keywords,
        )

    whole = search()
    last[where] = int(share * count[where]) + 5
    count.update(fun=0, constraint=0)
    path = tmp_path / "c.npz"
    with pytest.raises(Kill):
        search(checkpoint=path, checkpoint_seconds=1e9)
    again = search(checkpoint=path)
    assert again.keys() == whole.keys()
    np.testing.assert_equal(dict(again), dict(whole))


def test_exceptions_in_a_constraint_are_walls():
    def within(x):
        if x[0] < -2:
            raise RuntimeError("no such geometry")
        return x[0] + x[1]

    options = dict(bounds=BOX, constraints=NonlinearConstraint(within, -np.inf, 1.0), rng=1)
    result = lsa.minimize(bowl, [0.0, 0.0], patience=0.5, **options)
    assert result.success and result.x == pytest.approx([1, 0], abs=1e-6)
    with pytest.raises(RuntimeError, match="no such geometry"):
        lsa.minimize(bowl, [0.0, 0.0], on_failure="raise", **options)
