"""`minimize(checkpoint=...)`: whatever breaks it off, the same call ends with the same bits, and no
slow function is called twice.
"""

from __future__ import annotations

import contextlib
import itertools

import numpy as np
import pytest
import scipy.optimize

import langevin_sa as lsa
from langevin_sa import Potential, minimize
from langevin_sa.minimization import resume
from langevin_sa.minimization.resume import KINDS
from langevin_sa.storage import npz
from langevin_sa.storage.trees import put_together, taken_apart


@pytest.fixture(autouse=True)
def at_every_moment(monkeypatch):
    """Checkpoints whenever they are possible, and a search taken down at nearly every yield, not
    only where one is written.
    """
    monkeypatch.setattr("langevin_sa.storage.checkpoint.SHARE", 1.0)
    monkeypatch.setattr(resume, "LONGEST_RECORD", 20)


class Kill(BaseException):
    """What no handler but `finally` sees."""


def bumpy(x):
    return float((x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum())


def slope(x):
    return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)


BOX = [(-5.12, 4.5)] * 2
START = [3.1, -2.2]
KINDS_OF_FUNCTION = {
    "gradient": dict(fun=bumpy, x0=START, jac=slope, bounds=BOX),
    "differences": dict(fun=lambda x: bumpy(x) if x[1] < 3 else np.nan, x0=START, bounds=BOX),
    "pair": dict(fun=lambda x: (bumpy(x), slope(x)), x0=START, jac=True),
    "vectorized": dict(
        fun=lambda x: (x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum(0),
        x0=START,
        jac=slope,
        bounds=BOX,
        vectorized=True,
    ),
    "potential": dict(fun=lsa.potentials.rastrigin(dim=3)),
}
STRATEGIES = {
    "portfolio": {},
    "anneal": {"n_steps": 40},
    "constant speed": {"strategy": "anneal", "cooling": "constant speed", "n_steps": 40},
    "coolmomentum": {"strategy": "anneal", "cooling": "coolmomentum", "n_steps": 40},
    "exchange": {"n_steps": 60},
    "population": {"n_steps": 60},
}


def run(kind, strategy, wrapped=lambda name, function: function, **keywords):
    """A short search whose functions are wrapped."""
    arguments = {"strategy": strategy, "rng": 3, "patience": 0.3, "checkpoint_seconds": 0.01}
    arguments |= {} if strategy == "portfolio" else {"replicas": 6}
    arguments |= KINDS_OF_FUNCTION[kind] | STRATEGIES[strategy] | keywords
    for name in ("fun", "jac"):
        if callable(arguments.get(name)) and not isinstance(arguments[name], Potential):
            arguments[name] = wrapped(name, arguments[name])
    return minimize(arguments.pop("fun"), **arguments)


class Calls:
    """Counts calls, and raises at one of them."""

    def __init__(self, last=np.inf, error=Kill):
        self.count, self.last, self.error = 0, last, error

    def __call__(self, name, function):
        def counted(*args):
            self.count += 1
            if self.count == self.last:
                raise self.error
            return function(*args)

        return counted


def same(a, b):
    assert a.keys() == b.keys()
    np.testing.assert_equal(dict(a), dict(b))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("kind", KINDS_OF_FUNCTION)
def test_broken_off_by_the_callback(tmp_path, kind, strategy):
    """Three times, each a few iterations further on; every iteration is told the same."""
    told, again, seen = {}, {}, itertools.count()

    def callback(intermediate_result):
        told[intermediate_result.nit] = intermediate_result

    def breaking(intermediate_result):
        again[intermediate_result.nit] = intermediate_result
        if next(seen) % 4 == 3:
            raise Kill

    whole = run(kind, strategy, callback=callback)
    # which has no answers that could be kept
    always = {"checkpoint_seconds": 0} if kind == "potential" else {}
    result = None
    while result is None:
        with contextlib.suppress(Kill):
            result = run(kind, strategy, checkpoint=tmp_path / "m.npz", callback=breaking, **always)
    same(result, whole)
    for nit in told:
        same(again[nit], told[nit])
    assert next(seen) >= whole.nit


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("kind", ["gradient", "differences", "pair", "vectorized"])
@pytest.mark.parametrize("share", [0.02, 0.37, pytest.param(0.81, marks=pytest.mark.slow)])
def test_broken_off_in_the_function(tmp_path, kind, strategy, share):
    """Only the call that was broken off is made again, and two to see that the function is the
    same.
    """
    all_calls = Calls()
    whole = run(kind, strategy, all_calls)
    first, rest = Calls(int(share * all_calls.count) + 2), Calls()
    with pytest.raises(Kill):
        run(kind, strategy, first, checkpoint=tmp_path / "m.npz")
    same(run(kind, strategy, rest, checkpoint=tmp_path / "m.npz"), whole)
    assert first.count + rest.count == all_calls.count + 1 + 2
    again = Calls()
    same(run(kind, strategy, again, checkpoint=tmp_path / "m.npz", rng=None), whole)  # it is over
    assert again.count == 2


@pytest.mark.parametrize("seconds", [0, 1e9])
def test_clusters(tmp_path, seconds):
    """Broken off within a run of descents and between two; written at each iteration, or at the end
    only.
    """
    cluster, arguments = lsa.potentials.lennard_jones(8), {"rng": 5, "patience": 2.0}
    whole = minimize(cluster, **arguments)
    for last in (2, 9):
        seen = itertools.count(1)

        def callback(intermediate_result, seen=seen, last=last):
            if next(seen) == last:
                raise Kill

        with pytest.raises(Kill):
            minimize(
                cluster,
                **arguments,
                callback=callback,
                checkpoint=tmp_path / "m.npz",
                checkpoint_seconds=seconds,
            )
    same(
        minimize(cluster, **arguments, checkpoint=tmp_path / "m.npz", checkpoint_seconds=seconds),
        whole,
    )
    same(minimize(cluster, **arguments, checkpoint=tmp_path / "m.npz"), whole)


@pytest.mark.parametrize("budget", [{"maxfev": 300}, {"maxiter": 7}, {"target": 1.5}])
def test_a_budget_can_be_raised(tmp_path, budget):
    """A stopped search comes back as it was; with more room it goes on as if it had never been
    stopped.
    """
    path, whole = tmp_path / "m.npz", run("gradient", "portfolio")
    stopped = run("gradient", "portfolio", **budget)
    assert stopped.nfev < whole.nfev
    same(run("gradient", "portfolio", **budget, checkpoint=path), stopped)
    same(run("gradient", "portfolio", **budget, checkpoint=path), stopped)
    same(run("gradient", "portfolio", checkpoint=path), whole)


def test_interrupted_by_hand(tmp_path):
    calls = Calls(200, KeyboardInterrupt)
    part = run("gradient", "exchange", calls, checkpoint=tmp_path / "m.npz", checkpoint_seconds=1e9)
    assert part.status == 3
    same(run("gradient", "exchange", checkpoint=tmp_path / "m.npz"), run("gradient", "exchange"))


def test_workers_and_scipy(tmp_path):
    arguments = dict(x0=START, jac=slope, bounds=BOX, method=minimize)
    options = {"rng": 3, "patience": 0.3}
    whole = scipy.optimize.minimize(bumpy, **arguments, options=options)
    calls = Calls(300)
    options["checkpoint"] = tmp_path / "m.npz"
    with pytest.raises(Kill):
        scipy.optimize.minimize(calls("fun", bumpy), **arguments, options=options)
    same(scipy.optimize.minimize(bumpy, **arguments, options=options | {"workers": map}), whole)


def test_no_more_answers_than_needed_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(resume, "LONGEST_RECORD", 200)
    calls = Calls(350)
    with pytest.raises(Kill):
        run("gradient", "portfolio", calls, checkpoint=tmp_path / "m.npz", checkpoint_seconds=1e9)
    with np.load(tmp_path / "m.npz") as file:
        assert 0 < file["answers"].size < 600
    same(run("gradient", "portfolio", checkpoint=tmp_path / "m.npz"), run("gradient", "portfolio"))


def test_answers_at_other_points_are_not_taken(tmp_path, monkeypatch):
    """As on a machine that rounds differently: the function is called where the search now is."""
    monkeypatch.setattr(resume, "LONGEST_RECORD", np.inf)
    with pytest.raises(Kill):
        run(
            "gradient",
            "portfolio",
            Calls(100),
            checkpoint=tmp_path / "m.npz",
            checkpoint_seconds=1e9,
        )
    elsewhere = "langevin_sa.minimization.problem.Problem.x"
    monkeypatch.setattr(
        elsewhere, lambda p, u: np.clip(p.centre + p.unit * (u + 1e-9), p.x_low, p.x_high)
    )
    calls = Calls()
    result = run("gradient", "portfolio", calls, checkpoint=tmp_path / "m.npz")
    assert calls.count >= result.nfev + result.njev - 2 and bumpy(result.x) == result.fun


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"rng": 4}, "it differs in seed: 3 there, 4 here"),
        ({"strategy": "exchange"}, "strategy: portfolio there, exchange here"),
        ({"patience": 0.5}, "patience: 0.3 there, 0.5 here"),
        ({"x0": [3.1, -2.1]}, "differs in the starting point"),
        ({"bounds": [(-5, 4)] * 2}, "differs in the bounds"),
        ({"jac": None}, "jac: a function there, None here"),
        (
            {"fun": lambda x: bumpy(x) + 0.1},
            r"function: at a point that it knows it was .* and is .* now",
        ),
    ],
)
def test_another_problem_is_refused(tmp_path, change, fragment):
    path = tmp_path / "m.npz"
    run("gradient", "portfolio", checkpoint=path, maxfev=200)
    before = path.read_bytes()
    with pytest.raises(
        ValueError,
        match=rf"checkpoint.* belongs to another.*{fragment}.*give another name, or remove",
    ):
        minimize(
            **{
                "fun": bumpy,
                "x0": START,
                "jac": slope,
                "bounds": BOX,
                "patience": 0.3,
                "rng": 3,
                "strategy": "portfolio",
            }
            | change,
            checkpoint=path,
        )
    assert path.read_bytes() == before


def test_a_noisy_function_goes_on(tmp_path):
    rng = np.random.default_rng(0)
    arguments = dict(
        fun=lambda x: bumpy(x) + 0.1 * rng.standard_normal(),
        x0=START,
        bounds=BOX,
        rng=3,
        checkpoint=tmp_path / "m.npz",
    )
    assert (
        minimize(**arguments, maxfev=200).nfev == 200
        and minimize(**arguments, maxfev=300).nfev == 300
    )


def test_files_of_others(tmp_path):
    path = tmp_path / "m.npz"
    with pytest.raises(ValueError, match=r"must be a file in a folder that exists"):
        run("gradient", "portfolio", checkpoint=tmp_path / "no" / "m.npz")
    lsa.anneal(lsa.potentials.double_well(), n_steps=10, rng=1, checkpoint=path)
    with pytest.raises(ValueError, match=r"m.npz holds a checkpoint, not a checkpoint of minimize"):
        run("gradient", "portfolio", checkpoint=path)
    path.unlink()
    run("gradient", "portfolio", checkpoint=path, maxfev=100)
    arrays, about = npz.load(path)
    about["search"]["fields"].pop("rng")
    npz.save(path, "checkpoint of minimize", arrays, about)
    with pytest.raises(ValueError, match=r"m.npz holds no search"):
        run("gradient", "portfolio", checkpoint=path)


def test_full_disk(tmp_path, monkeypatch):
    def full(file, **arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match="checkpoint not written") as caught:
        same(
            run("gradient", "portfolio", checkpoint=tmp_path / "m.npz"),
            run("gradient", "portfolio"),
        )
    assert len(caught) == 1


def test_trees():
    rng = np.random.default_rng(1)
    tree = {
        "a": [np.arange(3.0), np.ones(3)],
        "b": (1, [2.5, np.inf], None, "text"),
        "c": [],
        "d": [(0.1, np.eye(2)), (0.2, np.eye(3))],
        "e": np.float64(1 / 3),
        "f": [np.zeros(2), np.zeros(3)],
        "g": {},
        "h": True,
    }
    arrays = {}
    back = put_together(taken_apart(tree, arrays, {}), arrays, {}, KINDS)
    np.testing.assert_equal(back, tree)
    arrays = {}
    twin = put_together(taken_apart(rng, arrays, {}), arrays, {}, KINDS)
    assert twin.integers(2**60) == rng.integers(2**60)
    with pytest.raises(TypeError, match="cannot take apart"):
        taken_apart(object(), {}, {})
