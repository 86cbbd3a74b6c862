"""Moves of a search: where to descend next. Each works for any function and any rotation unless it
says otherwise.
"""

from __future__ import annotations

import numpy as np

from .search import Search

SCANNED, COORDINATES = 24, 8  # points along a coordinate, coordinates in one move of `line`
ZOOMS = 8  # halvings of the part of a coordinate that `line` looks at
LOWER = 1e-9  # in energies of the search, by which another valley of `line` has to be lower
ABOVE = 100.0  # medians of what minima are above the best, beyond which `funnel` leaves one out
CHEAP = 0.5  # evaluations spent on looking, by those that a descent takes


def sample(search: Search) -> bool:
    """Draw points over the domain and descend from the lowest that lies in no ball around earlier
    starts (Rinnooy Kan, Timmer 1987).
    """
    problem, dim = search.problem, search.problem.dim
    count = int(np.clip(CHEAP * 10 * problem.cost, 4, 64))
    drawn = problem.draw(count, search.rng)
    search.pool += zip(problem.values(drawn).tolist(), drawn, strict=True)
    search.pool.sort(key=lambda pair: pair[0])
    points = len(search.pool) + len(search.starts)
    radius = 0.5 * np.ptp(problem.box, axis=1).max() / points ** (1 / dim)
    starts = np.array([*search.starts, *(m.u for m in search.minima.found)])
    if search.rng.random() < 0.3:
        k = int(search.rng.integers(len(search.pool)))
    else:
        free = (
            k
            for k, (f, u) in enumerate(search.pool)
            if np.isfinite(f) and np.abs(starts - u).max(1).min() > radius
        )
        k = next(free, 0)
    f, u = search.pool.pop(k)
    search.accept(search.descend(u, f))
    return True


def hop(search: Search) -> bool:
    """A random step from the walker and a descent (basin hopping: Wales, Doye 1997); threshold as
    in minima hopping (Goedecker 2004).
    """
    if not len(search.minima):
        return False
    start, rng, dim = search.walker or search.minima.best, search.rng, search.problem.dim
    size = search.stride * rng.lognormal(0, 0.3)
    hop = size * rng.standard_normal(dim)
    if rng.random() < 0.5:  # along few coordinates, further
        few = rng.random(dim) < max(1, dim // 4) / dim
        few[rng.integers(dim)] = True
        hop = np.where(few, 2 * hop, 0)
    reached = search.descend(search.problem.inside(start.u + hop))
    fell_back = reached is not None and reached[0] is start
    search.stride = float(np.clip(search.stride * (1.25 if fell_back else 0.87), 0.02, 20))
    search.accept(reached)
    return True


def difference(search: Search) -> bool:
    """The best minimum moved by the difference of two others: neighbours of a lattice of minima,
    however it lies (Storn, Price 1997).
    """
    found = search.minima.found[: max(10, 2 * search.problem.dim)]
    if len(found) < 3:
        return False
    i, j = search.rng.choice(len(found), 2, replace=False)
    base = search.minima.best if search.rng.random() < 0.7 else search.walker or search.minima.best
    u = base.u + found[i].u - found[j].u
    search.accept(search.descend(search.problem.inside(u)))
    return True


def funnel(search: Search) -> bool:
    """The bottom of a parabola through the minima found (convex underestimation: Phillips, Rosen,
    Dill 1997).
    """
    problem, dim = search.problem, search.problem.dim
    found = search.minima.found[: 6 * dim + 10]
    if len(found) < dim + 2:
        return False
    u, f = np.array([m.u for m in found]), np.array([m.fun for m in found])
    scale = float(np.quantile(f, 0.5)) - f[0]
    if not 0 < scale < np.inf:  # half of them are equal, and no parabola has them at its bottom
        return False
    near = f - f[0] < ABOVE * scale
    u, f = u[near], f[near]
    separate = 2 * dim + 1 < len(f) and search.rng.random() < 0.5
    squares = u**2 if separate else (u**2).sum(1, keepdims=True)
    weight = np.exp((f[0] - f) / (4 * scale))
    columns = np.hstack([np.ones((len(f), 1)), u, squares])
    solution, *_ = np.linalg.lstsq(columns * weight[:, None], (f - f[0]) * weight, rcond=1e-10)
    curvature = np.broadcast_to(solution[1 + dim :], (dim,))
    if not (curvature > 0).all():
        return False
    low = np.maximum(problem.low, problem.box[:, 0])
    high = np.minimum(problem.high, problem.box[:, 1])
    bottom = np.clip(-solution[1 : 1 + dim] / (2 * curvature), low, high)
    if min(float(np.abs(s - bottom).max()) for s in search.starts[-200:]) < 0.05:
        bottom = problem.inside(bottom + 0.5 * search.rng.standard_normal(dim))
    search.accept(search.descend(bottom))
    return True


def line(search: Search) -> bool:
    """Look along some coordinates from the best minimum for lower valleys, and descend from where
    they lead together.
    """
    if not len(search.minima):
        return False
    problem, rng, base = search.problem, search.rng, search.minima.best
    if not search.order:
        search.order = rng.permutation(np.flatnonzero(~problem.fixed)).tolist()
    chosen, search.order = search.order[:COORDINATES], search.order[COORDINATES:]
    together, better, other = base.u.copy(), [], (np.inf, base.u)
    zoomed = search.accounts["line"].calls > 1 and rng.random() < 0.5
    window = 0.5 ** rng.integers(1, ZOOMS) if zoomed else 1.0
    for c in chosen:
        for f, place in _valleys(search, base.u, base.fun, c, window)[:1]:
            u = base.u.copy()
            u[c] = place
            if f < base.fun - search.matters(LOWER, base.fun):
                together[c] = place
                better.append((f, u))
            elif f < other[0]:
                other = (f, u)
    if len(better) > 1:
        better.append((problem.value(together), together))
    f, u = min(better, key=lambda pair: pair[0]) if better else other
    if not np.isfinite(f):
        return False
    search.accept(search.descend(u, f))
    return True


def _valleys(
    search: Search, u: np.ndarray, fun: float, c: int, window: float
) -> list[tuple[float, float]]:
    """Other valleys along coordinate c, the lowest first: (energy, place), each bettered by two
    parabolas.
    """
    problem = search.problem
    low, high = max(problem.low[c], problem.box[c, 0]), min(problem.high[c], problem.box[c, 1])
    width = window * (high - low)
    low = float(np.clip(u[c] - width / 2, low, high - width))
    high = low + width
    places = low + (np.arange(SCANNED) + search.rng.random(SCANNED)) / SCANNED * (high - low)

    def at(where: np.ndarray) -> np.ndarray:
        points = np.repeat(u[None], len(where), axis=0)
        points[:, c] = where
        return problem.values(points)

    places, energies = np.append(places, u[c]), np.append(at(places), fun)
    order = np.argsort(places)
    places, energies = places[order], energies[order]
    here, other = energies[1:-1], places[1:-1] != u[c]
    lowest = np.flatnonzero((here <= energies[:-2]) & (here < energies[2:]) & other) + 1
    out = []
    for k in sorted(lowest, key=lambda k: energies[k])[:2]:
        a, f = places[k - 1 : k + 2].copy(), energies[k - 1 : k + 2].copy()
        for _ in range(2):
            if not np.isfinite(f).all():
                break
            left, right = (a[1] - a[0]) * (f[1] - f[2]), (a[1] - a[2]) * (f[1] - f[0])
            if left == right:
                break
            bottom = a[1] - 0.5 * ((a[1] - a[0]) * left - (a[1] - a[2]) * right) / (left - right)
            if not a[0] < bottom < a[2] or bottom == a[1]:
                break
            value = at(np.array([bottom]))[0]
            if value < f[1]:
                side = 0 if bottom > a[1] else 2
                a[side], f[side], a[1], f[1] = a[1], f[1], bottom, value
            else:
                side = 2 if bottom > a[1] else 0
                a[side], f[side] = bottom, value
        out.append((float(f[1]), float(a[1])))
    return sorted(out)
