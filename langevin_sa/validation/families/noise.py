"""The backend's normals themselves: on flat ground with rho = 0 and s = 1 every update is one of
them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from ...momentum import Steps
from ...noise import normals
from ..lab import Check, Lab, binned, estimated, formula, identity, row

TITLE = "Noise streams"
STEPS, REPLICAS, DIM = 24, 1000, 3
FAR = (2**12 - 1, 2**16 - 1, 2**32 - 1, 2**40)  # where a counter of few bits starts over


def checks(lab: Lab) -> Iterator[Check]:
    z = made(lab, seed := lab.new_seed(), STEPS, lab.replicas(8 * REPLICAS, REPLICAS))
    n = z.size
    flat = z.ravel()
    for power, name, exact, variance in (
        (1, "mean", 0, 1),
        (2, "variance", 1, 2),
        (3, "third moment", 0, 15),
        (4, "fourth moment", 3, 96),
    ):
        law, mean = rf"$\langle z^{power} \rangle = {exact}$", float(np.mean(flat**power))
        error = float(np.sqrt(variance / n))
        yield estimated(f"normals, {name}", law, mean, error, exact, lab.rounding)
    edges = np.concatenate([[-np.inf], np.linspace(-3.5, 3.5, 57), [np.inf]])
    counts, expected = np.histogram(flat, edges)[0], n * np.diff(stats.norm.cdf(edges))
    yield binned("normals, shape", r"$z \sim N(0, 1)$", counts, expected)
    pairs = {
        "coordinates": (z[:, :, :-1], z[:, :, 1:]),
        "first and last coordinate": (z[:, :, 0], z[:, :, -1]),
        "neighbouring replicas": (z[:, :-1], z[:, 1:]),
        "replicas 8 apart": (z[:, :-8], z[:, 8:]),
        "replicas 256 apart": (z[:, :-256], z[:, 256:]),
        "consecutive steps": (z[:-1], z[1:]),
        "steps 2 apart": (z[:-2], z[2:]),
        "steps 4 apart": (z[:-4], z[4:]),
    }
    for name, (u, v) in pairs.items():
        for what, law, f in (
            ("", r"$\langle z z' \rangle = 0$", lambda q: q),
            (" of squares", r"$\langle z^2 z'^2 \rangle = 1$", lambda q: (q**2 - 1) / np.sqrt(2)),
        ):
            r, error = float(np.mean(f(u) * f(v))), 1 / np.sqrt(u.size)
            yield estimated(f"correlation{what}, {name}", law, r, error, 0, lab.rounding)
    yield from every_pair(z)
    yield from repetition(lab, z, seed)


def made(lab: Lab, seed: int, n: int, replicas: int, parts: int = 1, first: int = 0) -> np.ndarray:
    """The normals that the backend makes, (n, replicas, dim); in `parts` runs, each resumed from
    the last.
    """
    one = Steps(np.zeros(1), np.ones(1), np.ones(1))
    flat = formula("0*x + 0*y + 0*z")
    driven = lab.drive(flat, np.zeros((replicas, DIM)), seed=seed)
    driven.walk.step = first
    out = np.empty((n, replicas, DIM))
    for t in range(n):
        if t and t % (n // parts) == 0:
            driven = lab.drive(flat, np.zeros((replicas, DIM)), like=driven.walk)
        driven.advance(one)
        out[t] = driven.walk.dx
    return out


def walked(lab: Lab, seed: int, parts: int) -> np.ndarray:
    """Where 40 steps of vec lead, in `parts` runs, each resumed from the last."""
    well, steps = formula("x**4/4 - x**2/2 + x/5"), row("vec", 0.7, 0.2, 0.8, 40)
    driven, n = lab.drive(well, np.zeros((5, 1)), seed=seed), 40 // parts
    for k in range(parts):
        if k:
            driven = lab.drive(well, driven.walk.x, dx=driven.walk.dx, like=driven.walk)
        driven.advance(steps.part(k * n, (k + 1) * n))
    return driven.walk.x.astype(float)


def every_pair(z: np.ndarray) -> Iterator[Check]:
    """The most correlated of all pairs among 200 replicas, and among 72 (step, coordinate) columns
    over replicas.
    """
    for name, rows in (
        ("replicas", z[:, :200].transpose(1, 0, 2).reshape(200, -1)),
        ("steps and coordinates", z.transpose(0, 2, 1).reshape(-1, z.shape[1])),
    ):
        r = np.corrcoef(rows)[np.triu_indices(len(rows), 1)]
        worst, m = float(np.max(np.abs(r))), rows.shape[1]
        worst_t = worst * np.sqrt((m - 2) / max(1e-300, 1 - worst**2))
        p = min(1.0, 2 * r.size * float(stats.t.sf(worst_t, m - 2)))  # Bonferroni over pairs
        what = f"strongest correlation among {r.size} pairs of {name}"
        usual = float(stats.norm.isf(0.25 / r.size) / np.sqrt(m))
        law, error = r"$\max |r| $ as by chance", 1 / np.sqrt(m)
        yield Check(what, law, worst, usual, error, p_value=p)


def repetition(lab: Lab, z: np.ndarray, seed: int) -> Iterator[Check]:
    """Noise is a function of (seed, step, replica, coordinate): resumed runs go on, short runs do
    not start over.
    """
    tolerance = 1e-9 if lab.dtype == np.float64 else 1e-5
    few = REPLICAS // 4

    def same(name: str, law: str, one: np.ndarray, other: np.ndarray) -> Check:
        return identity(name, law, float(np.max(np.abs(one - other))), 0, tolerance)

    reference = np.stack([normals(seed, step, np.arange(z.shape[1]), DIM) for step in range(STEPS)])
    name = "normals are Philox4x32-10 of (seed, step, replica, coordinate)"
    law = r"$z = z(\mathrm{seed}, n, r, d)$"
    yield same(name, law, z, reference)
    far = np.stack([made(lab, seed, 2, few, first=step)[1] for step in FAR])
    reference = np.stack([normals(seed, step + 1, np.arange(few), DIM) for step in FAR])
    yield same("the same at steps 4,095 to 2^40", law, far, reference)
    resumed = made(lab, seed, STEPS, few, parts=6)
    law = r"$z_n$ does not depend on where a run is cut"
    yield same("a run resumed 5 times has the same noise", law, resumed, z[:, :few])
    name = "a run with paired noise, resumed 7 times, is the same run"
    law = r"$(x, dx, w)_n$ is all that a run needs"
    yield same(name, law, *(walked(lab, lab.seed, parts) for parts in (1, 8)))
    rows = z.transpose(1, 0, 2).reshape(z.shape[1] * STEPS, DIM)
    name, different = "no step's noise occurs twice", len(np.unique(rows, axis=0))
    yield identity(name, "distinct (step, replica) rows", different, len(rows), 0)
    count = 200 if lab.slow else 500
    runs = np.stack([made(lab, lab.new_seed(), 4, 4).ravel() for _ in range(count)])
    name, different = "many short runs, each with its own noise", len(np.unique(runs, axis=0))
    yield identity(name, "distinct runs", different, len(runs), 0)
    r = np.corrcoef(runs)[np.triu_indices(len(runs), 1)]
    mean, error = float(np.mean(r**2) * (runs.shape[1] - 1)), float(np.sqrt(2 / r.size))
    law = r"$\langle r^2 \rangle = 1/(m - 1)$"
    yield estimated("many short runs, correlation", law, mean, error, 1.0, 0.0)
