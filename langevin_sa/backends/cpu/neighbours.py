"""Particles with a cut-off: neighbour lists, force, noise and recursion in one pass over the
particles, threads over them.

A sum over neighbours has the same terms in the same lanes whenever the list was made
(`langevin_sa.backends.cpu.neighbour_lists`, `langevin_sa.backends.cpu.neighbour_pass`): no bit
depends on that, on the number of threads, or on where a run was cut.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import types, void

from ...momentum import Steps
from ..walk import Backend, NonFinite, Walk, advance_by_step, drift, share
from .compiled import REALS, STEP, call_step, compiled_source
from .keeping import kernel
from .neighbour_lists import Particles
from .neighbour_pass import FORCES, KICK, sweep_particles, total
from .printed import numba_source
from .printed_pairs import neighbour_source

PAIRS = void(*[types.int64] * 4, REALS, REALS, types.int64)
NO_STEP = (0.0, 0.0, 0.0, 0.0, False)  # of a pass that moves nothing
NO_INERTIA = (np.empty((3, 0)), np.zeros(3))
PARTICLES_WORTH_A_THREAD = 500


def compiled_pairs(formula: Any, name: str) -> int:
    """Address of the compiled ``pairs`` or ``laplacians`` of a formula, see
    `langevin_sa.backends.cpu.printed_pairs.neighbour_source`.
    """
    source = formula.source
    text = neighbour_source(source.spec, source.bodies["pair"], formula.cell.into is not None)
    return compiled_source(text, name, PAIRS).address


class Lists:
    """The terms over lists of a formula, by the compiled step of one replica, and its room."""

    def __init__(self, formula: Any) -> None:
        source, dim = formula.source, int(formula.size[0])
        text = numba_source(source.spec, source.bodies, 1)
        self.step, self.numbers = compiled_source(text, "step", STEP), formula.numbers
        self.size, self.arrays = formula.size, np.zeros((4, dim))
        self.room = np.zeros(2), np.zeros(2 * dim), np.zeros(2 * dim, dtype=np.int64), np.zeros(5)

    def add(self, x: np.ndarray, system: Particles) -> None:
        """Energy and forces at x (dim,) to those of the particles in their slots."""
        given = (self.step.address, self.numbers, self.size, self.arrays, self.room, x, system.ids)
        add_lists(*given, system.gradient, system.energy)


@kernel(nogil=True)
def add_lists(
    step: int, p: Any, size: Any, arrays: Any, room: Any, x: Any, ids: Any, total: Any, energy: Any
) -> None:
    """Energy at x to that of the first particle, and gradient by slot to `total`."""
    sums, z, rows, c = room
    at, out, dx, g = arrays[0], arrays[1], arrays[2], arrays[3]
    at[:] = x
    call_step(step, (at, out, dx, g, z, sums[:1], sums[1:], p, rows, size, c), 1)
    energy[0] += sums[1]
    for i in range(len(ids)):
        for k in range(total.shape[1]):
            total[i, k] += g[ids[i] * total.shape[1] + k]


def evaluate(formula: Any, x: np.ndarray, name: str = "pairs") -> tuple[float, np.ndarray]:
    """Energy and gradient (dim,), or Laplacian and zeros, of one replica at finite x (dim,) in
    float64.
    """
    u, none = Particles(formula, 1), np.empty(0)
    u.skin = 0.0
    u.make_lists(x, None)
    sweep_particles(
        u.fluid(compiled_pairs(formula, name)),
        u.into,
        FORCES,
        NO_STEP,
        NO_INERTIA,
        u.lists(0),
        u.coarse,
        (x, x, x, none, u.home),
        u.totals,
        (none, 0, none, -1),
        (0, 0, np.uint64(0), np.uint64(0)),
        0,
        u.count,
    )
    gradient = np.empty_like(u.gradient)
    gradient[u.ids] = u.gradient
    return total(u.energy), gradient.ravel()


class NeighbourBackend(Backend):
    """Pair formulas with a cut-off: neighbour lists, threads over the particles of a replica, or
    over replicas.
    """

    weighs = centres = True

    def __init__(self, potential: Any, walk: Walk, threads: int) -> None:
        self.walk, self.potential, self.formula = walk, potential, potential.formula
        self.inertia = walk.inertia
        self.pairs = compiled_pairs(self.formula, "pairs")
        worth = max(1, len(self.formula.species) // PARTICLES_WORTH_A_THREAD)
        parts = 1 if len(walk.x) >= threads else min(threads, worth)
        self.over_replicas = parts == 1
        busy = threads > 1 and (parts > 1 or len(walk.x) > 1)
        self.pool = ThreadPoolExecutor(threads) if busy else None
        self.systems = [Particles(self.formula, parts) for _ in walk.x]
        lists = self.formula.lists
        self.lists = None if lists is None else [Lists(lists) for _ in walk.x]
        self.spare = np.zeros_like(walk.x)
        self.stale = False
        self._raise(self._each(self._start))

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        if steps.drive is not None:
            return advance_by_step(self, self.walk, steps)
        if self.stale:  # a failure left lists and forces of places that the walk left again
            self.stale = False
            self._raise(self._each(self._start))
        self._raise(self._each(lambda r: self._run(r, steps)))
        self.walk.step += len(steps.rho)

    def retune(self, potential: Any) -> None:
        """Take the parameters of a potential of the same formula, and the forces there."""
        self.potential, self.formula = potential, potential.formula
        for system in self.systems:
            system.formula = self.formula
        self._raise(self._each(self._weigh))

    def change_places(self, other: Any, rows: np.ndarray) -> None:
        """As of any backend; lists of neighbours go along."""
        super().change_places(other, rows)
        for r in np.flatnonzero(rows):
            self.systems[r], other.systems[r] = other.systems[r], self.systems[r]

    def _each(self, run: Any) -> list[int]:
        return share(self.pool if self.over_replicas else None, run, range(len(self.walk.x)))

    def _raise(self, ends: list[int]) -> None:
        bad = [(end, r) for r, end in enumerate(ends) if end >= 0]
        if bad:
            self.stale = True
            end, r = min(bad)
            raise NonFinite(self.walk.step + end, self.walk.first_replica + r)

    def _start(self, r: int) -> int:
        """Lists, forces and energy where the replica is."""
        w, system = self.walk, self.systems[r]
        system.make_lists(w.x[r], self._helpers())
        return self._weigh(r)

    def _weigh(self, r: int) -> int:
        """Forces and energy by the lists that there are."""
        x = self.walk.x[r]
        self._sweep(r, FORCES, NO_STEP, x, x, 0, -1)
        return self._look(r, 0)

    def _run(self, r: int, steps: Steps) -> int:
        """All steps of replica r, whose forces are known; the first step after which its energy or
        a force is not finite, or -1.
        """
        w, system, n = self.walk, self.systems[r], len(steps.rho)
        # they change names, and nothing is copied
        now, after, best = x, _, best_x = w.x[r], self.spare[r], w.best_x[r]
        sums, end = np.array([w.dx2[r], w.kinetic[r]]), -1
        if n and steps.s[0] > 0:
            self._sweep(r, 0, NO_STEP, x, x, -1, 0)
        for t in range(n):
            noisy = t + 1 < n and steps.s[t + 1] > 0
            what = KICK | (FORCES if t else 0)
            step = (steps.carry[t], steps.lr[t], steps.kick[t], steps.tail[t], steps.paired)
            farthest = self._sweep(r, what, step, now, after, t, t + 1 if noisy else -1)
            energy, squares = total(system.energy), total(system.squares)
            if not np.isfinite(energy + squares):
                end = t
                break
            sums += squares * steps.weights[t]
            if energy < w.best_energy[r]:
                w.best_energy[r] = energy
                now, after, best = after, best, now
            else:
                now, after = after, now
            if not np.isfinite(farthest):
                end, w.energy[r] = t + 1, np.nan
                break
            system.swap()
            if 4 * farthest > system.skin**2:
                system.make_lists(now, self._helpers())
        if n and end < 0:
            self._sweep(r, FORCES, NO_STEP, now, now, n, -1)
        if now is not x or best is not best_x:
            kept = best.copy()
            x[:], best_x[:] = now, kept
        w.dx2[r], w.kinetic[r] = sums
        return self._look(r, n) if end < 0 else end

    def _look(self, r: int, step: int) -> int:
        """Energy of where the replica is, NaN if a force is not finite; `step` if it is not finite,
        else -1.
        """
        w, system = self.walk, self.systems[r]
        sound = np.isfinite(system.gradient).all()
        w.energy[r] = total(system.energy) if sound else np.nan
        if not np.isfinite(w.energy[r]):
            return step
        if w.energy[r] < w.best_energy[r]:
            w.best_energy[r] = w.energy[r]
            w.best_x[r] = w.x[r]
        return -1

    def _helpers(self) -> Any:
        """The pool, unless its threads are busy with replicas."""
        return None if self.over_replicas else self.pool

    def _sweep(
        self, r: int, what: int, step: Any, x: np.ndarray, y: np.ndarray, t: int, noisy: int
    ) -> float:
        """One pass over replica r at step t of this call, with the noise of step `noisy` for the
        next pass if that is not -1.
        """
        if self.lists is not None and what & FORCES:  # all forces, and then the step
            self._pass(r, FORCES, NO_STEP, x, x, t, -1)
            self.lists[r].add(x, self.systems[r])
            what &= KICK
        return self._pass(r, what, step, x, y, t, noisy)

    def _pass(
        self, r: int, what: int, step: Any, x: np.ndarray, y: np.ndarray, t: int, noisy: int
    ) -> float:
        w, u = self.walk, self.systems[r]
        dim = w.x.shape[1]
        fluid, motion = u.fluid(self.pairs), (x, y, w.dx[r], w.noise[r], u.home)
        now, following = u.normals[t & 1], u.normals[(t + 1) & 1]
        first = (w.step + noisy) * dim if noisy >= 0 else -1
        start, drifts = (w.step + t) * dim & 3, NO_INERTIA[1]
        if w.centred and what & KICK:
            drifts = self._drift(step, now[start : start + dim], w.noise[r])
        common = (u.totals, (now, start, following, first), w.stream(r))
        inertia = (self.inertia, drifts)

        def part(k: int) -> float:
            how = (fluid, u.into, what, step, inertia)
            return sweep_particles(*how, u.lists(k), u.coarse, motion, *common, *u.edges[k])

        u.age += bool(what & FORCES)
        return max(share(self._helpers(), part, range(len(u.edges))))

    def _drift(self, step: Any, z: np.ndarray, carried: np.ndarray) -> np.ndarray:
        """What noise alone, as forces sum to zero, moves the centre of mass by along each axis."""
        _, _, kick, _, paired = step
        fresh = (kick * z if kick > 0 else 0 * z) + (carried if paired else 0)
        _, root, mass = self.inertia
        return drift((root * fresh)[None], mass, self.walk.centred)[0, : self.walk.centred]
