"""Checkpoints: whatever stops a run, the same call goes on from its file to the same bits, and no
other call does.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import (
    Momentum,
    Potential,
    Result,
    Schedule,
    State,
    anneal,
    compare,
    cooling_rates,
    simulate,
)
from langevin_sa.optimizers import Adam
from langevin_sa.schedules import exponential, quench
from langevin_sa.storage import npz
from langevin_sa.storage.checkpoint import Checkpoint, Fingerprint, schedule_digest

WELL = Potential.from_formula(site="(x**2 - 1)**2 + 0.3*x", dim=2, bounds=(-2, 2))
RAMP = Schedule(exponential(1.0, 0.01), 1.0, lambda s: 0.1 - 0.05 * s)


@pytest.fixture(autouse=True)
def at_every_moment(monkeypatch):
    """Checkpoints whenever they are possible."""
    monkeypatch.setattr("langevin_sa.storage.checkpoint.SHARE", 1.0)


class Kill(BaseException):
    """What no handler but `finally` sees."""


def stop_at(step, error=Kill):
    def callback(intermediate_result):
        if intermediate_result.step >= step:
            raise error

    return callback


def run(n_steps=200, potential=WELL, x0=None, schedule=RAMP, **keywords):
    return anneal(
        potential,
        x0,
        schedule,
        n_steps,
        **{"replicas": 4, "rng": 1, "record_every": 10, "checkpoint_seconds": 0} | keywords,
    )


def same(a, b, besides=()):
    """The same bits of everything but the time it took."""
    for name in {*a, *b} - {"seconds", "schedule", "state", "history", "samples_file", *besides}:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    for name in ("x", "dx", "noise", "best_x", "best_energy", "step", "seed"):
        np.testing.assert_array_equal(getattr(a.state, name), getattr(b.state, name), err_msg=name)
    for name in a.history:
        np.testing.assert_array_equal(a.history[name], b.history[name], err_msg=name)


def cut(tmp_path, step=70, **keywords):
    """The checkpoint of a run that was cut off."""
    path = tmp_path / "run.npz"
    with pytest.raises(Kill):
        run(checkpoint=path, callback=stop_at(step), **keywords)
    return path


CHAIN = Potential.from_formula(site="x**4/4 - x**2/2", bond="(y - x)**2/2", dim=600)
FLUID = lsa.potentials.lennard_jones_fluid(108, cutoff=2.0)
FUNCTIONS = Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, 2)
BATCHES = lsa.potentials.logistic_regression()
KINDS = {
    "formula": dict(),
    "numpy": dict(backend="numpy"),
    "float32": dict(dtype="float32"),
    "samples": dict(samples=True),
    "baoab": dict(integrator="baoab", noise="uniform"),
    "functions": dict(potential=FUNCTIONS),
    "automatic": dict(schedule=None, record_every=7),
    "fluid": dict(potential=FLUID, schedule=Schedule(0.7, 1.0, 0.004)),
    "lattice": dict(potential=CHAIN, replicas=2),
    "batches": dict(potential=BATCHES, schedule=Schedule(0.01, 1.0, 0.05), record_every=70),
}


@pytest.mark.parametrize("keywords", KINDS.values(), ids=KINDS)
def test_the_same_call_goes_on(tmp_path, monkeypatch, keywords):
    """In the middle of a record, whose sums are under way."""
    with monkeypatch.context() as patch:
        patch.setattr("langevin_sa.annealing.run.LONGEST_SLICE", 3)
        path = cut(tmp_path, **keywords)
    step = State.load(path).step
    assert 0 < step < 200 and step % keywords.get("record_every", 10)
    same(run(checkpoint=path, **keywords), run(**keywords))


def test_a_checkpoint_is_a_result(tmp_path):
    path = cut(tmp_path)
    part = Result.load(path)
    assert (part.status, part.nit, part.success) == (
        4,
        60,
        False,
    ) and part.message == "Under way, at step 60 of 200."
    np.testing.assert_array_equal(part.history.step, np.arange(10, 61, 10))
    assert WELL.energy(part.x) == pytest.approx(part.fun)


def test_seed_and_start_may_be_left_out(tmp_path):
    path = cut(tmp_path, x0=[0.5, 0.5])
    same(run(x0=None, rng=None, replicas=4, checkpoint=path), run(x0=[0.5, 0.5]))


def test_a_finished_run_comes_back(tmp_path):
    path = tmp_path / "run.npz"
    first = run(checkpoint=path)
    calls = []
    again = run(checkpoint=path, callback=lambda intermediate_result: calls.append(1))
    same(again, first)
    assert not calls and again.success


@pytest.mark.parametrize(
    "rule", [{"stop_below": -0.5}, {"patience": 50}, {"stop_below": -0.3, "patience": 60}]
)
def test_stop_rules_remember(tmp_path, rule):
    """Also across the cut, and after the stop."""
    whole = run(2000, **rule)
    assert whole.nit < 2000
    path = cut(tmp_path, step=10, n_steps=2000, **rule)
    same(run(2000, checkpoint=path, **rule), whole)
    same(run(2000, checkpoint=path, **rule), whole)


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"rng": 2}, "differs in seed: 1 there, 2 here"),
        ({"rng": np.random.default_rng(1)}, "differs in seed"),
        ({"n_steps": 300}, "n_steps: 200 there, 300 here"),
        ({"replicas": 5}, "replicas: 4 there, 5 here"),
        ({"x0": [0.1, 0.1]}, r"differs in the starting points\)"),
        ({"integrator": "baoab"}, "integrator: gjf there, baoab here"),
        ({"dtype": "float32"}, "dtype: float64 there, float32 here"),
        ({"noise": "uniform"}, "noise: normal there, uniform here"),
        (
            {"schedule": Schedule(exponential(1.0, 0.02), 1.0, lambda s: 0.1 - 0.05 * s)},
            r"differs in the schedule\)",
        ),
        ({"samples": True}, "samples: False there, True here"),
        (
            {"potential": Potential.from_formula("x*y + z**2", bounds=(-2, 2))},
            "potential: .* there, .* here",
        ),
        (
            {
                "potential": Potential.from_formula(
                    site="(x**2 - 1)**2 + a*x", dim=2, bounds=(-2, 2), a=0.31, name=WELL.name
                )
            },
            "its energies were",
        ),
    ],
)
def test_another_problem_is_refused(tmp_path, change, fragment):
    path = cut(tmp_path)
    before = path.read_bytes()
    with pytest.raises(
        ValueError,
        match=rf"checkpoint.* belongs to another.*{fragment}.*give another name, or remove",
    ):
        run(checkpoint=path, **change)
    assert path.read_bytes() == before


@pytest.mark.parametrize("n_steps", [200, 10_000, 10**9])
def test_another_moment_of_the_quench_is_another_schedule(n_steps):
    """One step later, or 1e-6 of a longer run; of a law that is any function, 1e-5 of the run."""
    for law, shift in (
        (lambda at: quench(1.0, 0.1, at=at), 1e-6),
        (lambda at: lambda s: np.where(s < at, 1.0, 0.1), 1.1e-5),
    ):
        names = [
            schedule_digest(Schedule(law(at)), n_steps, "gjf")
            for at in (0.507, 0.507, 0.507 + max(shift, 1.1 / n_steps))
        ]
        assert names[0] == names[1] != names[2]


def test_foreign_and_damaged_files_are_refused(tmp_path):
    path = cut(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:-30])
    with pytest.raises(ValueError, match=r"run.npz is not a whole langevin_sa file"):
        run(checkpoint=path)
    run().save(path)
    with pytest.raises(ValueError, match=r"run.npz holds a result, not a checkpoint"):
        run(checkpoint=path)
    run().state.save(path)
    with pytest.raises(ValueError, match=r"run.npz holds a state, not a checkpoint"):
        run(checkpoint=path)


def test_state_and_checkpoint(tmp_path):
    """A state is the start; once there is a file of that run, it goes on from there."""
    half = cut(tmp_path, step=60)
    state = State.load(half)
    path = tmp_path / "rest.npz"
    with pytest.raises(Kill):
        anneal(
            WELL,
            None,
            RAMP,
            200,
            state=state,
            record_every=10,
            checkpoint=path,
            callback=stop_at(100),
        )
    rest = anneal(WELL, None, RAMP, 200, state=state, record_every=10, checkpoint=path)
    np.testing.assert_array_equal(rest.state.x, run().state.x)
    np.testing.assert_array_equal(rest.history.step, np.arange(60, 201, 10))
    with pytest.raises(ValueError, match="either state, or x0, replicas and rng"):
        anneal(WELL, None, RAMP, 200, state=state, rng=1, checkpoint=path)
    with pytest.raises(ValueError, match="differs in the starting points"):
        # of the run from step 0
        anneal(
            WELL, None, RAMP, 200, state=state, record_every=10, checkpoint=cut(tmp_path, step=100)
        )


def test_simulate(tmp_path):
    path = tmp_path / "run.npz"
    arguments = dict(replicas=4, rng=1, record_every=20)
    whole = list(simulate(WELL, None, RAMP, 200, **arguments))
    half = simulate(WELL, None, RAMP, 200, **arguments, checkpoint=path, checkpoint_seconds=0)
    for _ in range(4):
        next(half)
    half.close()
    assert 60 <= State.load(path).step <= 80
    rest = list(simulate(WELL, None, RAMP, 200, **arguments, checkpoint=path))
    assert [s.step for s in rest] == list(
        range(State.load(path).step and rest[0].step, 201, 20)
    ) and rest[0].step <= 100
    for a, b in zip(rest, whole[-len(rest) :], strict=True):
        np.testing.assert_array_equal(a.state.x, b.state.x)
        assert (a.temperature, a.eq22, a.target, a.squares, a.laplacian) == (
            b.temperature,
            b.eq22,
            b.target,
            b.squares,
            b.laplacian,
        )
    assert list(simulate(WELL, None, RAMP, 200, **arguments, checkpoint=path)) == []


METHODS = {"anneal": RAMP, "adam": Adam(0.02, 1.0), "quench": Momentum(0.9, 0.002)}


def same_comparison(a, b):
    assert str(a) == str(b)
    for name in a.outcomes:
        for key in (
            "x",
            "step",
            "energy",
            "best",
            "judged",
            "polished_x",
            "temperature",
            "rescaled",
        ):
            np.testing.assert_array_equal(
                getattr(a[name], key), getattr(b[name], key), err_msg=f"{name} {key}"
            )


def cut_comparison(path, monkeypatch, writes, potential, methods, **arguments):
    """Kill a comparison after so many checkpoints, of which an epoch of 50 steps makes a dozen or
    two.
    """
    saved = []

    def counted(*args):
        npz.save(*args)
        saved.append(1)
        if len(saved) == writes:
            raise Kill

    with monkeypatch.context() as patch:
        patch.setattr("langevin_sa.storage.checkpoint.save", counted)
        patch.setattr("langevin_sa.annealing.run.LONGEST_SLICE", 3)
        patch.setattr("langevin_sa.annealing.run.first_length", lambda pace, longest: 1)
        patch.setattr("langevin_sa.comparison.method.NOISE_NUMBERS", 64)
        with pytest.raises(Kill):
            compare(potential, methods, **arguments, checkpoint=path, checkpoint_seconds=0)


@pytest.mark.parametrize(
    ("writes", "method", "step"),
    [
        (1, 0, 1),
        (45, 0, 130),
        (69, 0, 200),
        (70, 0, 200),
        (71, 1, 1),
        (116, 1, 174),
        (134, 2, 28),
        (193, 2, 200),
    ],
)
def test_compare(tmp_path, monkeypatch, writes, method, step):
    """Cut within an epoch of the first method, of the second, between them, in the third."""
    arguments = dict(replicas=8, n_steps=200, epochs=4, rng=3)
    whole = compare(WELL, METHODS, **arguments)
    path = tmp_path / "c.npz"
    cut_comparison(path, monkeypatch, writes, WELL, METHODS, **arguments)
    with np.load(path) as file:
        assert int(file[f"{method} at"]) == step and f"{method + 1} at" not in file
    same_comparison(compare(WELL, METHODS, **arguments, checkpoint=path), whole)
    # finished
    same_comparison(compare(WELL, METHODS, **arguments | {"rng": None}, checkpoint=path), whole)
    for change, fragment in (
        ({"rng": 4}, "seed"),
        ({"n_steps": 201}, "n_steps"),
        ({"epochs": 5}, "epochs"),
    ):
        with pytest.raises(ValueError, match=f"belongs to another run .it differs in {fragment}"):
            compare(WELL, METHODS, **arguments | change, checkpoint=path)
    with pytest.raises(ValueError, match="differs in the methods"):
        compare(WELL, METHODS | {"adam": Adam(0.02, 1.0, beta1=0.8)}, **arguments, checkpoint=path)


@pytest.mark.parametrize("writes", [3, 20])
def test_compare_with_mini_batches(tmp_path, monkeypatch, writes):
    """Whose energies are not looked at in every step."""
    methods = {"anneal": Schedule(0.01, 1.0, 0.05), "adam": Adam(0.02)}
    arguments = dict(replicas=8, n_steps=70, epochs=2, rng=3, judged="final")
    whole = compare(lsa.potentials.logistic_regression(), methods, **arguments)
    cut_comparison(
        tmp_path / "c.npz",
        monkeypatch,
        writes,
        lsa.potentials.logistic_regression(),
        methods,
        **arguments,
    )
    same_comparison(
        compare(
            lsa.potentials.logistic_regression(),
            methods,
            **arguments,
            checkpoint=tmp_path / "c.npz",
        ),
        whole,
    )


def test_cooling_rates(tmp_path):
    arguments = dict(n_steps=[50, 100], replicas=8, rng=3)
    found = cooling_rates(WELL, RAMP, **arguments, checkpoint=tmp_path / "c.npz")
    assert {p.name for p in tmp_path.iterdir()} == {"c.50.npz", "c.100.npz"}
    again = cooling_rates(WELL, RAMP, **arguments, checkpoint=tmp_path / "c.npz")
    assert str(again) == str(found) == str(cooling_rates(WELL, RAMP, **arguments))


# --------------------------------------------------------------------------------------- full disks


def test_full_disk(tmp_path, monkeypatch):
    """The run goes on, warns once, keeps the last good file; and writes again when there is
    room.
    """
    path = cut(tmp_path)
    good = path.read_bytes()
    whole = run()

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = run(checkpoint=path)
    same(result, whole)
    assert [str(w.message) for w in caught] == [
        "checkpoint not written, the last good one stays: [Errno 28] No space left on device"
    ]
    assert path.read_bytes() == good and os.listdir(tmp_path) == ["run.npz"]
    monkeypatch.undo()
    same(run(checkpoint=path), whole)


def test_a_disk_that_was_full_from_the_beginning(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match=r"^checkpoint not written: \[Errno 28\]"):
        run(checkpoint=tmp_path / "run.npz")


def test_a_callback_that_goes_to_another_folder(tmp_path, monkeypatch):
    """Files stay where they were when the call was made."""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def callback(intermediate_result):
        os.chdir(tmp_path / "there")

    files = {"checkpoint": "run.npz", "samples": "run.npy"}
    run(40, record_every=4, callback=callback, **files)
    assert sorted(os.listdir(tmp_path / "here")) == ["run.npy", "run.npz"]
    assert not os.listdir(tmp_path / "there")


def test_a_really_full_disk(tmp_path):
    """A process whose files may not grow beyond what the first checkpoints need."""
    code = f"""
import resource, signal, warnings, sys
import numpy as np
from langevin_sa import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
U = Potential.from_formula(site="x**2/2", dim=50)
def limit(intermediate_result):
    if intermediate_result.step == 100:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
path = {str(tmp_path / "c.npz")!r}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    r = anneal(U, np.ones((20, 50)), Schedule(1.0, 1.0, 0.1), 400, rng=1, record_every=10,
               checkpoint=path, checkpoint_seconds=0, callback=limit)
said = "File too large" in str(caught[0].message)
print(len(caught), said, r.status, r.nit, State.load(path).step)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split()[:4] == ["1", "True", "0", "400"], done.stdout + done.stderr
    assert int(done.stdout.split()[4]) <= 100 and os.listdir(tmp_path) == ["c.npz"]


# -------------------------------------------------------------------------------- the object itself


def test_seconds_and_share(tmp_path, monkeypatch):
    """At most a tenth of the time goes into writing, however short the interval."""
    now = [0.0]
    monkeypatch.setattr("langevin_sa.storage.checkpoint.time.perf_counter", lambda: now[0])
    monkeypatch.setattr("langevin_sa.storage.checkpoint.SHARE", 0.1)
    keeper = Checkpoint(tmp_path / "a.npz", 5, "kind")
    keeper.claim(Fingerprint({"seed": 1}, {}))
    written = []

    def contents():
        written.append(now[0])
        now[0] += 2.0
        return {}, {}

    for second in range(1, 100):
        now[0] = max(now[0], second)
        keeper.save(contents)
    assert written[0] == 5 and set(np.diff(written)) == {20}


def test_parts_left_by_a_kill_are_removed(tmp_path):
    (tmp_path / "a.npz.123.part").write_text("half")
    (tmp_path / "b.npz.123.part").write_text("another's")
    with Checkpoint(tmp_path / "a.npz", 5, "kind"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["b.npz.123.part"]


# ---------------------------------------------------------------------------------------- streaming


def test_samples_stream_to_a_file(tmp_path):
    path = tmp_path / "s.npy"
    seen = []
    result = run(
        samples=path,
        callback=lambda intermediate_result: seen.append(np.load(path, mmap_mode="r").shape),
    )
    np.testing.assert_array_equal(result.samples, run(samples=True).samples)
    np.testing.assert_array_equal(np.load(path), result.samples)
    assert seen == [(k, 4, 2) for k in range(1, 21)]
    result.save(tmp_path / "r.npz")
    assert (tmp_path / "r.npz").stat().st_size < 20_000
    np.testing.assert_array_equal(Result.load(tmp_path / "r.npz").samples, result.samples)
    path.unlink()
    assert Result.load(tmp_path / "r.npz").samples is None
    path.write_text("not ours")
    with pytest.raises(
        ValueError, match=r"s.npy' is there already: give another name, or remove it"
    ):
        run(samples=path)
    np.save(path, np.zeros((3, 4, 2)))
    with pytest.raises(ValueError, match=r"s.npy' is there already"):
        run(samples=path)
    np.save(path, np.zeros((0, 4, 2)))
    assert run(samples=path).samples.shape == (20, 4, 2)


def test_samples_before_the_first_record(tmp_path):
    with pytest.raises(ValueError, match="beyond stability"):
        run(schedule=Schedule(1.0, 1.0, 9.0), samples=tmp_path / "s.npy")
    assert not (tmp_path / "s.npy").exists()

    partial = run(samples=tmp_path / "s.npy", max_seconds=1e-9, record_every=200)
    assert partial.status == 1 and partial.samples.shape == (1, 4, 2)


def test_samples_go_on(tmp_path):
    path = cut(tmp_path, samples=tmp_path / "s.npy")
    with open(tmp_path / "s.npy", "ab") as file:
        file.write(b"half a record")
    same(run(checkpoint=path, samples=tmp_path / "s.npy"), run(samples=True))
    path.unlink()
    path = cut(tmp_path, samples=tmp_path / "t.npy")
    np.save(tmp_path / "t.npy", np.zeros((3, 4, 2)))
    with pytest.raises(
        ValueError,
        match=r"t.npy' holds shape \(3, 4, 2\) of float64, and the checkpoint expects at least "
        r"\(6, 4, 2\)",
    ):
        run(checkpoint=path, samples=tmp_path / "t.npy")
    (tmp_path / "t.npy").write_bytes(b"")
    with pytest.raises(ValueError, match=r"t.npy' cannot be gone on with"):
        run(checkpoint=path, samples=tmp_path / "t.npy")


def test_full_disk_under_a_trajectory(tmp_path, monkeypatch):
    """A trajectory with a hole is none: the run stops, with what there is; with room it goes on."""
    calls = []

    def octets(x, real=npz.octets):
        calls.append(1)
        if len(calls) == 8:
            raise OSError(28, "No space left on device")
        return real(x)

    monkeypatch.setattr("langevin_sa.storage.npy.octets", octets)
    with pytest.raises(OSError, match="No space left") as caught:
        run(samples=tmp_path / "s.npy", checkpoint=tmp_path / "c.npz")
    part = caught.value.partial_result
    assert part.samples.shape == (7, 4, 2) and 70 <= part.nit < 80
    monkeypatch.undo()
    rest = run(samples=tmp_path / "s.npy", checkpoint=tmp_path / "c.npz")
    same(rest, run(samples=True))


# ---------------------------------------------------------------------------- what raises at step k


@pytest.mark.parametrize("culprit", ["callback", "potential", "schedule"])
@pytest.mark.parametrize("workers", [1, map], ids=["alone", "map"])
def test_what_raises_at_step_k(tmp_path, monkeypatch, culprit, workers):
    """Its own exception and traceback, what was computed, a checkpoint; and without the fault the
    same bits as ever.
    """
    broken = True

    def alone(self, start, stop):
        """As in a run that is longer than what is computed at once."""
        return self.schedule.coefficients(self.n_steps, self.integrator, (start, stop))

    monkeypatch.setattr("langevin_sa.annealing.course.Course.steps", alone)

    def fault():
        if broken:
            raise LookupError("at last")

    def callback(intermediate_result):
        if culprit == "callback" and intermediate_result.step == 100:
            fault()

    def energy(x):
        if culprit == "potential" and next(calls) > 100:
            fault()
        return ((x**2 - 1) ** 2).sum(1)

    def temperature(s):
        if (
            culprit == "schedule"
            and np.ndim(s)
            and 2 < np.size(s) < 20
            and np.max(s) > 0.5
            and next(calls) > 3
        ):
            fault()
        return 0.1 + 0 * s

    calls = itertools.count()
    potential = Potential(energy, lambda x: 4 * x * (x**2 - 1), 2)
    arguments = dict(
        potential=potential,
        x0=[0.5, 0.5],
        schedule=Schedule(temperature, 1.0, 0.1),
        workers=workers,
    )
    with pytest.raises(LookupError, match="at last") as caught:
        run(**arguments, callback=callback, checkpoint=tmp_path / "c.npz")
    text = "".join(map(str, [*caught.traceback, *getattr(caught.value, "__notes__", [])]))
    assert "in fault" in text or "fault" in [entry.name for entry in caught.traceback]
    partial = caught.value.partial_result
    assert (
        0 < partial.nit < 200
        and partial.nit == partial.state.step == State.load(tmp_path / "c.npz").step
    )
    np.testing.assert_allclose(
        potential.energy(partial.state.x) if culprit != "potential" else partial.energies,
        partial.energies,
    )
    broken = False
    same(run(**arguments, checkpoint=tmp_path / "c.npz"), run(**arguments))


# -------------------------------------------------------------------------------------------- kills

KILLED = """
import sys
from langevin_sa import Potential, Schedule, anneal
from langevin_sa.schedules import exponential
U = Potential.from_formula(site="(x**2 - 1)**2 + 0.3*x", dim=10, bounds=(-2, 2))
print("ready", flush=True)
r = anneal(U, None, Schedule(exponential(1.0, 0.01), 1.0, 0.05), {n}, replicas=64, rng=1,
           record_every={n} // 50, checkpoint=sys.argv[1], checkpoint_seconds=0)
"""


@pytest.mark.long
def test_sigkill(tmp_path):
    """One real kill here; `benchmarks/kill.py` makes two hundred."""
    n, path = 40_000, tmp_path / "c.npz"
    command = [sys.executable, "-c", KILLED.format(n=n), str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        while not path.exists():
            assert process.poll() is None
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    assert State.load(path).step < n
    subprocess.run(command, check=True, timeout=60)
    clean = subprocess.run([*command[:-1], str(tmp_path / "d.npz")], check=True, timeout=60)
    assert clean.returncode == 0
    same(Result.load(path), Result.load(tmp_path / "d.npz"))
