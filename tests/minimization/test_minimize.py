"""`minimize`: SciPy's conventions to the letter, misuse, and that it finds global minima."""

import math
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.optimize import Bounds, OptimizeResult, OptimizeWarning, minimize as scipy_minimize

import langevin_sa as lsa

BOX = [(-5.12, 5.12)] * 3
CENTRE = np.array([0.7, -1.3, 2.1])


def rastrigin(x):
    y = x - CENTRE
    return 30 + float((y**2 - 10 * np.cos(2 * np.pi * y)).sum())


def slope(x):
    y = x - CENTRE
    return 2 * y + 20 * np.pi * np.sin(2 * np.pi * y)


def both(x):
    return rastrigin(x), slope(x)


def many(x):
    y = x - CENTRE[:, None]
    return 30 + (y**2 - 10 * np.cos(2 * np.pi * y)).sum(0)


def through_scipy(fun, x0, jac=None, bounds=None, callback=None, constraints=(), **options):
    """The same call as a method of SciPy."""
    given = {"jac": jac, "bounds": bounds, "callback": callback, "constraints": constraints}
    return scipy_minimize(fun, x0, method=lsa.minimize, options=options, **given)


class Counted:
    def __init__(self, function):
        self.function, self.calls, self.points = function, 0, []

    def __call__(self, x, *args):
        self.calls += 1
        self.points.append(np.array(x))
        return self.function(x, *args)


def found(result, at=CENTRE):
    assert result.success and result.status == 0, result.message
    np.testing.assert_allclose(result.x, at, atol=1e-5)
    assert isinstance(result.fun, float) and isinstance(result.message, str)
    return True


# -------------------------------------------------------------------------------------- conventions


@pytest.mark.parametrize(
    "way",
    ["callable", "true", "none", "2-point", "vectorized", "scipy", "scipy true", "scipy none"],
)
def test_every_way_in(way):
    x0 = np.zeros(3)
    fun, jac = Counted(rastrigin), Counted(slope)
    pair, block = Counted(both), Counted(many)
    result, nfev, njev = {
        "callable": lambda: (lsa.minimize(fun, x0, jac=jac, bounds=BOX, rng=1), fun, jac),
        "true": lambda: (lsa.minimize(pair, x0, jac=True, bounds=BOX, rng=1), pair, pair),
        "none": lambda: (lsa.minimize(fun, x0, bounds=BOX, rng=1), fun, None),
        "2-point": lambda: (lsa.minimize(fun, x0, jac="2-point", bounds=BOX, rng=1), fun, None),
        "vectorized": lambda: (
            lsa.minimize(block, x0, vectorized=True, bounds=BOX, rng=1),
            None,
            None,
        ),
        "scipy": lambda: (
            scipy_minimize(fun, x0, jac=jac, method=lsa.minimize, bounds=BOX, options={"rng": 1}),
            fun,
            jac,
        ),
        "scipy true": lambda: (
            scipy_minimize(pair, x0, jac=True, method=lsa.minimize, bounds=BOX, options={"rng": 1}),
            pair,
            pair,
        ),
        "scipy none": lambda: (
            scipy_minimize(
                fun, x0, method=lsa.minimize, bounds=Bounds(-5.12, 5.12), options={"rng": 1}
            ),
            fun,
            None,
        ),
    }[way]()
    assert found(result)
    if nfev is not None:
        assert result.nfev == nfev.calls
    if njev is jac:
        assert result.njev == jac.calls
    if njev is None:
        assert result.njev == 0
    assert set("x fun success status message nit nfev njev jac minima".split()) <= set(result)
    assert np.abs(result.jac).max() < 1e-3
    values = [m.fun for m in result.minima]
    assert values == sorted(values) and result.minima[0].fun == result.fun


def test_numba_function():
    import numba

    @numba.njit
    def fun(x):
        return (x[0] ** 2 - 1) ** 2 + 0.3 * x[0] + x[1] ** 2

    assert lsa.minimize(fun, [1.0, 1.0], rng=0).x[0] < 0


def test_potential_needs_no_start():
    potential = lsa.potentials.rastrigin(dim=4)
    result = lsa.minimize(potential, rng=3)
    assert found(result, np.zeros(4)) and result.njev > 0


def test_arguments_reach_both():
    result = lsa.minimize(
        lambda x, a, b: (x[0] - a) ** 2 + b,
        [0.0],
        args=(3.0, 1.0),
        jac=lambda x, a, b: 2 * (x - a),
        rng=0,
    )
    assert found(result, [3.0]) and result.fun == pytest.approx(1)


def test_one_seed_one_result():
    a, b = (lsa.minimize(rastrigin, np.zeros(3), jac=slope, bounds=BOX, rng=5) for _ in range(2))
    assert np.array_equal(a.x, b.x) and a.nfev == b.nfev and a.seed == 5
    again = lsa.minimize(
        rastrigin, np.zeros(3), jac=slope, bounds=BOX, rng=np.random.default_rng(2)
    )
    assert (
        lsa.minimize(rastrigin, np.zeros(3), jac=slope, bounds=BOX, rng=again.seed).nfev
        == again.nfev
    )


def test_callback_gets_an_intermediate_result():
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)
        intermediate_result.x[:] = np.nan  # its own copy

    result = lsa.minimize(rastrigin, np.zeros(3), jac=slope, bounds=BOX, rng=1, callback=callback)
    assert found(result) and len(seen) == result.nit
    assert all(isinstance(s, OptimizeResult) for s in seen)
    assert {"x", "fun", "step", "temperature", "nfev"} <= set(seen[0])
    assert [s.fun for s in seen] == sorted((s.fun for s in seen), reverse=True)


def test_callback_gets_xk_and_stops():
    points = []

    def callback(xk):
        points.append(xk)
        if len(points) == 3:
            raise StopIteration

    for run in (
        lambda: lsa.minimize(
            rastrigin, np.zeros(3), jac=slope, bounds=BOX, rng=1, callback=callback
        ),
        lambda: scipy_minimize(
            rastrigin,
            np.zeros(3),
            jac=slope,
            bounds=BOX,
            method=lsa.minimize,
            callback=callback,
            options={"rng": 1},
        ),
    ):
        points.clear()
        result = run()
        assert (
            result.status == 99
            and not result.success
            and result.nit == 3
            and "StopIteration" in result.message
        )
        assert rastrigin(result.x) == result.fun <= rastrigin(points[-1])


@pytest.mark.parametrize(
    ("fun", "keywords", "message"),
    [
        (
            rastrigin,
            {"replicas": 5, "cooling": "coolmomentum"},
            "strategy 'portfolio' does not use cooling, replicas",
        ),
        (
            rastrigin,
            {"strategy": "exchange", "moves": ["hop"]},
            "strategy 'exchange' does not use moves",
        ),
        (
            lsa.potentials.lennard_jones(5),
            {"polish": False},
            "strategy 'clusters' does not use polish",
        ),
        (
            lsa.potentials.himmelblau(),
            {"jac": True, "args": (1,)},
            "a Potential brings its gradient: args, jac not used",
        ),
        (
            rastrigin,
            {"jac": "3-point"},
            "jac='3-point' is not there; gradients are forward differences",
        ),
    ],
)
def test_what_is_not_used_is_said(fun, keywords, message):
    with pytest.warns(OptimizeWarning, match=message):
        lsa.minimize(fun, np.full(getattr(fun, "dim", 3), 0.5), rng=1, maxfev=30, **keywords)


def test_unknown_options_warn():
    with pytest.warns(OptimizeWarning, match="Unknown solver options: maxfevs"):
        scipy_minimize(
            rastrigin,
            np.zeros(3),
            method=lsa.minimize,
            bounds=BOX,
            options={"maxfevs": 10, "rng": 1},
        )


@pytest.mark.parametrize("way", [lsa.minimize, through_scipy], ids=["own", "scipy"])
@pytest.mark.parametrize(("wish", "hint"), [({"maximize": True}, "the negative of fun")])
def test_wishes_that_change_the_answer_are_refused(way, wish, hint):
    """Before the function is called."""
    fun = Counted(rastrigin)
    said = f"cannot handle {next(iter(wish))}=.*: .*{hint}"
    with pytest.raises(ValueError, match=said):
        way(fun, np.zeros(3), bounds=BOX, **wish)
    assert not fun.points


@pytest.mark.parametrize("way", [lsa.minimize, through_scipy], ids=["own", "scipy"])
@pytest.mark.parametrize(
    "wish",
    [
        {"constraints": ()},
        {"constraints": []},
        {"constraints": None},
        {"maximize": False},
        {"integrality": [0, 0, 0]},
        {"integrality": None},
    ],
    ids=str,
)
def test_empty_wishes_are_met(way, wish):
    assert way(rastrigin, np.zeros(3), bounds=BOX, rng=1, maxfev=50, **wish).nfev == 50


@pytest.mark.parametrize(("other", "name", "value"), [("seed", "rng", 7), ("maxfun", "maxfev", 60)])
def test_other_names_are_understood(other, name, value):
    given = {"rng": 1, "maxfev": 90, name: value}
    del given[name]
    with pytest.warns(OptimizeWarning, match=f"{other}= is understood as {name}=") as caught:
        result = lsa.minimize(rastrigin, np.zeros(3), bounds=BOX, **given, **{other: value})
    assert caught[0].filename == __file__ and len(caught) == 1
    same = lsa.minimize(rastrigin, np.zeros(3), bounds=BOX, **given, **{name: value})
    assert (result.seed, result.nfev) == (same.seed, same.nfev) and (result.x == same.x).all()
    with pytest.raises(TypeError, match=f"{other}= and {name}= are the same thing"):
        lsa.minimize(rastrigin, np.zeros(3), bounds=BOX, **{other: value, name: value})


@pytest.mark.parametrize("way", [lsa.minimize, through_scipy], ids=["own", "scipy"])
def test_callbacks_of_dual_annealing(way):
    """Told x, f and a context; True stops, and nothing else that is true does."""
    seen = []

    def callback(x, f, context):
        seen.append((x, f, context))
        return True if len(seen) == 3 else np.float64(len(seen))

    result = way(rastrigin, np.zeros(3), bounds=BOX, rng=1, callback=callback)
    assert (result.status, result.nit, result.success) == (99, 3, False)
    assert result.message.startswith("`callback` returned True.")
    assert all(f == rastrigin(x) and context == 0 for x, f, context in seen)
    told = way(rastrigin, np.zeros(3), bounds=BOX, rng=1, callback=lambda xk: np.True_)
    assert (told.status, told.nit) == (99, 1)


@pytest.mark.parametrize("strategy", ["portfolio", "anneal"])
@pytest.mark.parametrize(
    ("odd", "keywords"),
    [
        (lambda x: None, {}),
        (lambda x: None, {"vectorized": True}),
        (rastrigin, {"jac": lambda x: None}),
    ],
    ids=["fun", "vectorized", "jac"],
)
def test_a_function_without_return_is_told(odd, keywords, strategy):
    with pytest.raises(ValueError, match=r"returned None; expected .* does it end with return\?"):
        lsa.minimize(odd, np.zeros(3), bounds=BOX, rng=1, strategy=strategy, **keywords)


def test_bounds_hold_at_every_evaluation():
    fun = Counted(lambda x: float(-x.sum()))
    result = lsa.minimize(fun, [0.3, 0.4], bounds=[(0, 1), (None, 2)], rng=0)
    np.testing.assert_allclose(result.x, [1, 2])
    assert all(0 <= x[0] <= 1 and x[1] <= 2 for x in fun.points)
    fixed = lsa.minimize(
        lambda x: (x[0] - 3) ** 2 + x[1] ** 2, [2.0, 1.0], bounds=[(2, 2), (-1, 1)], rng=0
    )
    np.testing.assert_allclose(fixed.x, [2, 0], atol=1e-6)


def test_workers_change_nothing():
    with ThreadPoolExecutor(2) as pool:
        mapped = lsa.minimize(rastrigin, np.zeros(3), bounds=BOX, rng=1, workers=pool.map)
    alone = lsa.minimize(rastrigin, np.zeros(3), bounds=BOX, rng=1)
    assert mapped.nfev == alone.nfev and np.array_equal(mapped.x, alone.x)


# ------------------------------------------------------------------------------------------ budgets


@pytest.mark.parametrize("jac", [slope, None])
@pytest.mark.parametrize("maxfev", [0, 1, 2, 5, 37, 300])
def test_evaluations_never_exceed_the_budget(maxfev, jac):
    fun = Counted(rastrigin)
    result = lsa.minimize(fun, np.zeros(3), jac=jac, bounds=BOX, rng=1, maxfev=maxfev, patience=10)
    assert fun.calls == result.nfev <= maxfev and result.status == 1 and not result.success
    if maxfev:
        assert result.fun == min(map(rastrigin, fun.points)) == rastrigin(result.x)
    else:
        assert np.array_equal(result.x, np.zeros(3)) and "Nothing was evaluated" in result.message


def test_iterations_seconds_and_target():
    keywords = {"jac": slope, "bounds": BOX, "rng": 1}
    result = lsa.minimize(rastrigin, np.zeros(3), maxiter=2, **keywords)
    assert result.nit == 2 and result.status == 1
    assert "Time limit" in lsa.minimize(rastrigin, np.zeros(3), max_seconds=0, **keywords).message
    hit = lsa.minimize(rastrigin, np.zeros(3), target=5.0, **keywords)
    assert hit.success and hit.fun <= 5 and "Target" in hit.message


# ------------------------------------------------------------------------------------------- misuse


@pytest.mark.parametrize("hole", [math.nan, math.inf, "raise", "domain"])
def test_holes_in_the_function(hole):
    def fun(x):
        if x[0] > 1:
            if hole == "raise":
                return 1 / 0
            return math.sqrt(-1) if hole == "domain" else hole
        return rastrigin(x)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result = lsa.minimize(fun, np.zeros(3), bounds=BOX, rng=1)
    assert found(result) and "not finite at" in result.message


def test_nothing_finite():
    result = lsa.minimize(lambda x: np.nan, [1.0, 2.0], bounds=[(0, 3)] * 2, rng=0)
    assert (
        np.array_equal(result.x, [1, 2])
        and "No point with a finite value" in result.message
        and not result.success
    )


def test_minus_infinity_ends_it():
    result = lsa.minimize(
        lambda x: -np.inf if x[0] > 0 else x[0] ** 2, [-1.0], bounds=[(-2, 2)], rng=0
    )
    assert result.status == 2 and result.x[0] > 0


@pytest.mark.parametrize("wrap", [np.atleast_1d, np.float32, lambda v: np.array([[v]]), np.array])
def test_one_number_in_any_array(wrap):
    result = lsa.minimize(lambda x: wrap((x[0] - 1) ** 2), [0.0], jac=lambda x: 2 * (x - 1), rng=0)
    assert found(result, [1.0])


def test_endless_descent_ends():
    result = lsa.minimize(lambda x: float(x[0] + np.sin(x[1])), [0.0, 0.0], rng=0)
    assert (
        result.status == 2
        and not result.success
        and "no minimum" in result.message
        and result.fun < -1e6
    )


def test_a_tail_that_falls_forever_hides_no_minimum():
    def fun(x):
        return float(np.exp(-x[0]) - 12 * np.exp(-((x[0] + 2) ** 2))) if x[0] > -5 else 1e3

    result = lsa.minimize(fun, [6.0], rng=0)
    assert found(result, [result.x[0]]) and -3 < result.x[0] < -1


def test_all_fixed():
    result = lsa.minimize(rastrigin, [1.0, 2.0, 3.0], bounds=[(1, 1), (2, 2), (3, 3)], rng=0)
    assert (
        found(result, [1, 2, 3]) and result.nfev == 1 and "fix every coordinate" in result.message
    )


def test_function_that_changes_its_argument():
    def vandal(x):
        value = rastrigin(x)
        x[:] = np.nan
        return value

    assert found(lsa.minimize(vandal, np.zeros(3), bounds=BOX, rng=1))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gradient_that_is_not_finite(bad):
    result = lsa.minimize(
        rastrigin,
        np.zeros(3),
        jac=lambda x: np.where(x > 0.5, bad, slope(x)),
        bounds=BOX,
        rng=1,
        maxfev=3000,
    )
    assert result.fun == rastrigin(result.x) < rastrigin(np.zeros(3))


def test_gradient_of_the_wrong_sign_still_gives_the_best_point():
    fun = Counted(rastrigin)
    result = lsa.minimize(fun, np.zeros(3), jac=lambda x: -slope(x), bounds=BOX, rng=1)
    assert result.fun == min(map(rastrigin, fun.points)) == rastrigin(result.x)


def test_interrupt_keeps_the_best():
    fun = Counted(rastrigin)

    def interrupted(x):
        if fun.calls == 60:
            raise KeyboardInterrupt
        return fun(x)

    result = lsa.minimize(interrupted, np.zeros(3), bounds=BOX, rng=1)
    assert result.status == 3 and not result.success and "Interrupted" in result.message
    assert result.fun == min(map(rastrigin, fun.points)) == rastrigin(result.x)


def test_callback_that_fails_keeps_the_best():
    def callback(xk):
        raise RuntimeError("plot")

    with pytest.raises(RuntimeError, match="plot") as caught:
        lsa.minimize(rastrigin, np.zeros(3), jac=slope, bounds=BOX, rng=1, callback=callback)
    assert caught.value.partial_result.fun == rastrigin(caught.value.partial_result.x)


def test_scipy_passes_the_hessian_on():
    with pytest.warns(RuntimeWarning, match="Hessian"):
        scipy_minimize(
            rastrigin,
            np.zeros(3),
            jac=slope,
            hess=lambda x: np.eye(3),
            method=lsa.minimize,
            options={"maxfev": 10},
        )


def test_error_keeps_the_best():
    fun = Counted(rastrigin)

    def breaking(x):
        if fun.calls == 60:
            raise OSError("disk")
        return fun(x)

    with pytest.raises(OSError, match="disk") as caught:
        lsa.minimize(breaking, np.zeros(3), bounds=BOX, rng=1)
    partial = caught.value.partial_result
    assert (
        partial.fun == min(map(rastrigin, fun.points))
        and "OSError after" in partial.message
        and not partial.success
    )


def test_x0_outside_is_moved():
    with pytest.warns(OptimizeWarning, match="not within the specified bounds"):
        result = lsa.minimize(rastrigin, [9.0, 0, 0], jac=slope, bounds=BOX, rng=1)
    assert found(result) and "moved onto" in result.message


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"bounds": [(1, -1)] * 3}, ValueError, "upper bound is less"),
        ({"bounds": [(0, 1)]}, ValueError, "1 bounds and 3 coordinates"),
        ({"bounds": 3}, ValueError, "bounds must be"),
        ({"x0": [np.nan, 0, 0]}, ValueError, "finite"),
        ({"x0": np.zeros((2, 3))}, ValueError, r"one dimension, not shape \(2, 3\)$"),
        ({"x0": BOX}, ValueError, "one dimension, .* give them by name, bounds="),
        ({"x0": np.array(BOX)}, ValueError, "one dimension, .* give them by name, bounds="),
        ({"x0": Bounds([0], [1])}, TypeError, "give them by name, bounds="),
        ({"callback": lambda x, f: None}, TypeError, r"of x, f and context, not of \(x, f\)"),
        ({"callback": lambda: None}, TypeError, r"of x, f and context, not of \(\)"),
        ({"x0": None}, TypeError, "x0 is missing"),
        ({"fun": 3}, TypeError, "fun must be"),
        ({"jac": "4-point"}, ValueError, "jac must be"),
        ({"callback": 3}, TypeError, "callback must be"),
        ({"maxfev": -1}, ValueError, "maxfev"),
        ({"maxfev": 2.5}, TypeError, "maxfev must be an integer of at least 0, not 2.5"),
        ({"tol": -1e-3}, ValueError, "tol must be a number >= 0"),
        ({"target": "low"}, ValueError, "target must be a number, not 'low'"),
        ({"replicas": 1}, ValueError, "replicas must be an integer of at least 2, not 1"),
        ({"n_steps": 2.5}, TypeError, "n_steps"),
        ({"gradient_noise": -1}, ValueError, "gradient_noise"),
        ({"gradient_noise": "guess"}, ValueError, "gradient_noise"),
        ({"cooling": "linear speed"}, ValueError, "cooling"),
        ({"temperature": (1, 2), "strategy": "anneal"}, ValueError, "T0 >= T1"),
        ({"strategy": "clusters"}, ValueError, "use 'auto'"),
        ({"x0": [1j, 0, 0]}, TypeError, "x0"),
        ({"x0": []}, ValueError, "one dimension"),
        ({"strategy": "aneal"}, ValueError, "did you mean 'anneal'"),
        ({"moves": ["hopp"]}, ValueError, "did you mean 'hop'"),
        ({"workers": 0}, ValueError, "workers"),
        ({"rng": "x"}, TypeError, "rng"),
        ({"fun": lambda x: x}, ValueError, "one real number"),
        ({"jac": lambda x: np.zeros(2)}, ValueError, r"expected \(3,\)"),
    ],
)
def test_bad_input_says_so(keywords, error, says):
    with pytest.raises(error, match=says):
        lsa.minimize(**({"fun": rastrigin, "x0": np.zeros(3)} | keywords))
