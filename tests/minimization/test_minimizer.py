"""Ask and tell: the points of `minimize`, in the user's own loop."""

import copy
import gc
import pickle
import threading

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.minimization import minimizer


def bumpy(x):
    return float((x**2 - 10 * np.cos(2 * np.pi * x)).sum()) if x[0] < 3.5 else np.nan


def disc(x):
    return (x**2).sum()


BOX = [(-5, 4)] * 2
RING = {"type": "ineq", "fun": disc}
KINDS = {
    "plain": {"bounds": BOX, "patience": 0.3},
    "start": {"x0": [3.0, 1.0], "patience": 0.1},
    "half open": {"x0": [3.0, 1.0], "bounds": [(0, None), (None, 8)], "patience": 0.1},
    "target": {"bounds": BOX, "target": -19.5},
    "maxfev": {"bounds": BOX, "maxfev": 333},
    "maxiter": {"bounds": BOX, "maxiter": 7},
    "constraints": {"bounds": BOX, "constraints": RING, "patience": 0.2},
    "integers": {"bounds": BOX, "integrality": [0, 1], "patience": 0.1},
    "anneal": {"bounds": BOX, "strategy": "anneal", "n_steps": 40, "replicas": 4},
    "exchange": {"bounds": BOX, "strategy": "exchange", "n_steps": 40, "replicas": 4},
    "population": {"bounds": BOX, "strategy": "population", "n_steps": 40, "replicas": 4},
}


def of_minimize(seed=3, **options):
    points = []

    def fun(x):
        points.append(x.copy())
        return bumpy(x)

    result = lsa.minimize(fun, options.pop("x0", None), rng=seed, **options)
    return result, np.array(points)


def same(result, whole):
    assert result.keys() == whole.keys()
    np.testing.assert_equal(dict(result), dict(whole))


@pytest.mark.parametrize("kind", KINDS)
def test_the_points_of_minimize(kind):
    """Every one, to the bit, and the same result."""
    whole, points = of_minimize(**KINDS[kind])
    opt, asked = lsa.Minimizer(rng=3, **KINDS[kind]), []
    while not opt.over:
        asked.append(opt.ask())
        assert asked[-1].shape == (2,)
        opt.tell(asked[-1], bumpy(asked[-1]))
    np.testing.assert_array_equal(np.array(asked), points)
    same(opt.result, whole)


@pytest.mark.parametrize("kind", ["target", "maxfev", "plain"])
def test_a_copy_when_it_is_over(kind):
    opt = lsa.Minimizer(rng=3, **KINDS[kind])
    while not opt.over:
        batch = opt.ask(5)
        opt.tell(batch, [bumpy(x) for x in batch])
    twin = pickle.loads(pickle.dumps(opt))
    assert twin.over
    same(twin.result, opt.result)


@pytest.mark.parametrize("n", [2, 5, 1000])
def test_batches_in_any_order(n):
    """Points that are known together; told in another order, and in parts."""
    whole, points = of_minimize(bounds=BOX, patience=0.3)
    opt, asked, rng = lsa.Minimizer(BOX, rng=3, patience=0.3), [], np.random.default_rng(n)
    sizes = []
    while not opt.over:
        batch = opt.ask(n)
        sizes.append(len(batch))
        asked.extend(batch)
        order = rng.permutation(len(batch))
        for part in np.array_split(order, 2):
            if part.size:
                opt.tell(batch[part], [bumpy(x) for x in batch[part]])
    assert min(sizes) >= 1 and 1 < max(sizes) <= n
    np.testing.assert_array_equal(np.array(asked), points)
    same(opt.result, whole)


@pytest.mark.parametrize("kind", ["plain", "constraints", "anneal", "integers"])
@pytest.mark.parametrize("twin", [copy.deepcopy, lambda opt: pickle.loads(pickle.dumps(opt))])
def test_a_copy_goes_on_to_the_same_bits(kind, twin, monkeypatch):
    monkeypatch.setattr(minimizer, "REPLAYED", 60)
    whole, points = of_minimize(**KINDS[kind])
    opt, asked = lsa.Minimizer(rng=3, **KINDS[kind]), []
    opt = twin(opt)
    while not opt.over:
        if len(asked) % 397 == 5:
            opt = twin(opt)
            opt.ask(3)  # the copy gives again what was not told
            opt = twin(opt)
        batch = opt.ask(1 + len(asked) % 3)
        asked.extend(batch)
        if len(batch) > 1:
            opt.tell(batch[0], bumpy(batch[0]))
            opt, batch = twin(opt), batch[1:]
        opt.tell(batch, [bumpy(x) for x in batch])
    if kind != "constraints":
        assert {x.tobytes() for x in asked} == {x.tobytes() for x in points}
    same(twin(opt).result, whole)


def test_what_is_not_told_is_given_again():
    opt = lsa.Minimizer(BOX, rng=1)
    first = opt.ask()
    assert (opt.ask() == first).all()
    opt.tell(first, 1.0)
    batch = opt.ask(10)
    assert len(batch) == 2  # the first differences
    opt.tell(batch[1], 2.0)
    assert (opt.ask(10) == batch[:1]).all()


def test_the_result_at_any_time():
    opt, told = lsa.Minimizer(BOX, rng=1), []
    assert opt.result.fun == np.inf and not opt.result.success
    while not opt.over:
        batch = opt.ask(4)
        for x in batch:
            value = bumpy(x)
            told.append(value)
            opt.tell(x, value)
            if not opt.over:
                part = opt.result
                assert part.fun == np.nanmin(told) == bumpy(part.x)
                assert part.nfev == len(told) and part.status == -1 and not part.success
    assert opt.result.success and opt.result.status == 0


def test_data_from_before():
    """The search starts from its best point, which is the best until a lower one is told."""
    data = np.random.default_rng(0).uniform(-4, 3, (50, 2))
    values = np.array([bumpy(x) for x in data])
    opt = lsa.Minimizer(BOX, rng=1, patience=0.3)
    opt.tell(data, values)
    assert opt.result.fun == values.min() and opt.result.nfev == 0
    assert (opt.ask() == data[values.argmin()]).all()
    late, again = np.array([1e-3, 1e-3]), np.array([3.9, 0.0])
    twin = pickle.loads(pickle.dumps(opt))
    ends = []
    for each, pickled in ((opt, False), (twin, True)):
        seen = 0
        while not each.over:
            x = each.ask()
            each.tell(x, bumpy(x))
            seen += 1
            if seen == 40:
                each.tell(late, bumpy(late))
                each.tell(again, np.nan)
                assert each.result.fun <= bumpy(late)
            if pickled and 40 < seen < 90:
                each = pickle.loads(pickle.dumps(each))
        ends.append(each.result)
        assert each.result.nfev == seen and each.result.fun == pytest.approx(-20, abs=1e-9)
    same(*ends)


def test_known_data_at_the_target_ends_it():
    opt = lsa.Minimizer(BOX, rng=1, target=-19.9)
    opt.tell([0.0, 0.0], -20.0)
    assert opt.over and opt.result.fun == -20 and opt.result.success


@pytest.mark.parametrize(
    ("x", "f"),
    [
        ([1.0, 2.0, 3.0], 1.0),
        ([1.0, 2.0], [1.0, 2.0]),
        ([[1.0, 2.0]], 1.0),
        ([[1.0, 2.0]], [1.0, 2.0]),
        (1.0, 1.0),
        ([[[1.0, 2.0]]], [1.0]),
        ([5.0, 0.0], 1.0),
        ([np.nan, 0.0], 1.0),
    ],
)
def test_what_cannot_be_told(x, f):
    opt = lsa.Minimizer(BOX, rng=1)
    point = opt.ask()
    with pytest.raises(ValueError, match=r"tell takes x of shape \(2,\)|outside of what is"):
        opt.tell(x, f)
    opt.tell(point, 1.0)


def test_integers_are_told():
    opt = lsa.Minimizer(BOX, rng=1, integrality=1)
    with pytest.raises(ValueError, match="outside of what is searched"):
        opt.tell([0.5, 1.0], 1.0)


def test_when_it_is_over():
    opt = lsa.Minimizer(BOX, rng=1, maxfev=1)
    opt.tell(opt.ask(), 1.0)
    assert opt.over and opt.result.status == 1
    with pytest.raises(RuntimeError, match="the search is over: Maximum number"):
        opt.ask()
    with pytest.raises(RuntimeError, match="the search is over"):
        opt.tell([0.0, 0.0], 1.0)
    with pytest.raises((TypeError, ValueError), match="n must be"):
        lsa.Minimizer(BOX).ask(0)


@pytest.mark.parametrize(
    "wish",
    [{"bounds": None}, {"patience": -1}, {"strategy": "x"}, {"maxfev": -1}, {"moves": "hop"}],
)
def test_what_is_refused(wish):
    with pytest.raises((TypeError, ValueError)):
        lsa.Minimizer(**{"bounds": BOX} | wish)


def test_no_thread_is_left():
    def waiting():
        gc.collect()
        return [thread for thread in threading.enumerate() if thread.name == minimizer.THREAD]

    for thread in waiting():  # of tests before
        thread.join(2.0)
    for seed in range(5):
        opt = lsa.Minimizer(BOX, rng=seed)
        opt.ask()
    assert len(waiting()) > 0
    del opt
    for thread in waiting():
        thread.join(2.0)
    assert not waiting()


def test_ctrl_c_while_it_thinks(monkeypatch):
    """Nothing is lost: the next question is still to come."""
    whole, points = of_minimize(**KINDS["plain"])
    opt, asked = lsa.Minimizer(rng=3, **KINDS["plain"]), []

    class Broken:
        def __init__(self, queue):
            self.queue, self.count = queue, 0

        def __getattr__(self, name):
            return getattr(self.queue, name)

        def get(self):
            self.count += 1
            if self.count % 7 == 3:
                raise KeyboardInterrupt
            return self.queue.get()

    opt.ask()
    opt._questions.asked = Broken(opt._questions.asked)
    while True:
        try:
            if opt.over:
                break
            x = opt.ask()
            asked.append(x)
            opt.tell(x, bumpy(x))
        except KeyboardInterrupt:
            pass
    assert {x.tobytes() for x in asked} == {x.tobytes() for x in points}
    same(opt.result, whole)
