"""A `Walk` is replicas under way, a `Backend` what moves them; and how arrays lie on CPU and
GPU.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from threading import Condition
from typing import Any, NamedTuple

import numpy as np

from ..arguments import on_gpu, on_host
from ..momentum import Steps
from ..noise import THERMAL, key_of


@dataclass
class Walk:
    """Replicas under way: arrays (replicas, dim) or (replicas,), changed in place by a backend.

    Attributes
    ----------
    x, dx, noise : ndarray (replicas, dim)
        Positions, last updates, and what paired noise carries to the next step, tail*z (always
        float64; a mass divides it when it is used).
    step, seed, first_replica : int
        Steps done, and what the noise is a function of; replica r here is number first_replica + r
        of the streams.
    purpose : int
        Which streams, and of which kind of noise (`langevin_sa.noise`).
    energy : ndarray (replicas,)
        U(x).
    best_energy, best_x : ndarray (replicas,), (replicas, dim)
        The lowest energy of every point visited, and where.
    dx2, kinetic : ndarray (replicas,)
        Sums over steps and coordinates of m (dx/dt)^2, Eq. (22), and of m (dx/velocity_scale)^2
        since `forget`, m the coordinate's mass. Backends add to them step by step, never sums of
        several steps, so that no bit depends on where a run is cut.
    ratio : float
        What dx2 is of kinetic, as long as that was the same in every step since `forget`; 0 before
        the first, then NaN. A backend may use it to keep one sum instead of two.
    failures : ndarray (replicas, 2) of int
        How many steps of each replica failed: met a place where the energy or the gradient is not
        finite. In all, and in a row up to now.
    work : ndarray (replicas,)
        What the drive of the steps has done on each replica (`Steps.drive`), 0 without one: the sum
        over steps of U(m; next parameters) - U(m; these), m the middle of the step.
    wall : bool
        Whether such a place is a wall. If so, a replica whose step fails is back where it was, to
        the bit, and dx and noise change their signs; if not, `NonFinite` is raised.
    masses : ndarray (dim,) or None
        Masses of the coordinates, infinite where one is frozen; None where all are 1.
    centred : int
        Where coordinates are those of particles, with masses, along how many axes of space their
        centre of mass is held; 0 if it is free.
    """

    x: np.ndarray
    dx: np.ndarray
    noise: np.ndarray
    step: int
    seed: int
    energy: np.ndarray
    best_energy: np.ndarray
    best_x: np.ndarray
    dx2: np.ndarray
    kinetic: np.ndarray
    failures: np.ndarray
    work: np.ndarray
    first_replica: int = 0
    purpose: int = THERMAL
    ratio: float = 0.0
    wall: bool = False
    masses: np.ndarray | None = None
    centred: int = 0

    @classmethod
    def at_rest(cls, x: Any, seed: int, dtype: Any = float) -> Walk:
        """A walk at points x (replicas, dim), with dx = 0 and nothing seen yet."""
        x = aligned(np.asarray(x, dtype=dtype))
        zeros = np.zeros(len(x))
        return cls(
            x=x,
            dx=aligned(np.zeros_like(x)),
            noise=aligned(np.zeros(x.shape)),
            step=0,
            seed=seed,
            energy=zeros.copy(),
            best_energy=zeros + np.inf,
            best_x=aligned(x),
            dx2=zeros.copy(),
            kinetic=zeros.copy(),
            failures=np.zeros((len(x), 2), dtype=np.int64),
            work=zeros.copy(),
        )

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The arrays, in the order of `ARRAYS`."""
        return tuple(getattr(self, name) for name in ARRAYS)

    def stream(self, r: int = 0) -> tuple[Any, ...]:
        """What the normals of replica r are made from, besides their number: the replica's own
        number, the purpose, and the two words of the key.
        """
        return self.first_replica + r, self.purpose, *key_of(self.seed)

    @property
    def inertia(self) -> np.ndarray:
        """1/m, 1/sqrt(m) and m of each coordinate, (3, dim): what forces, noise and dx^2 are
        multiplied by, 0 where it is frozen; (3, 0) without masses.
        """
        if self.masses is None:
            return np.empty((3, 0))
        inverse = 1 / self.masses
        return np.stack([inverse, np.sqrt(inverse), np.where(inverse > 0, self.masses, 0.0)])

    @property
    def freedom(self) -> int:
        """Degrees of freedom of a replica."""
        dim = self.x.shape[1] if self.masses is None else int(np.isfinite(self.masses).sum())
        return dim - self.centred

    def forget(self) -> None:
        """Zero the sums that thermometers read."""
        self.dx2[:], self.kinetic[:], self.ratio = 0, 0, 0.0

    def on_host(self) -> Walk:
        """Itself, or a copy in NumPy arrays if it is on a GPU."""
        if not on_gpu(self.x):
            return self
        arrays: dict[str, Any] = {name: on_host(getattr(self, name)) for name in ARRAYS}
        return replace(self, **arrays)


ARRAYS = (
    *("x", "dx", "noise", "energy", "best_energy", "best_x", "dx2", "kinetic", "failures"),
    "work",
)
# No wall of a potential stands at such energies, in any unit; a run that diverges passes them on
# its way to where floating-point numbers end.
DIVERGED = 1e100


def fill(array: Any, values: Any) -> None:
    """Copy values, of a NumPy array or of one like it, into an array that may be on a GPU."""
    if on_gpu(array) and not on_gpu(values):
        array.set(np.ascontiguousarray(values, dtype=array.dtype))
    else:
        array[...] = values


def room_for(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array that holds nothing yet, C-ordered, and starts on a cache line, which spares vectors
    of 64 bytes from straddling two.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(size + 64, dtype=np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size].view(dtype).reshape(shape)


def aligned(array: np.ndarray) -> np.ndarray:
    """A copy in an array of `room_for`."""
    copy = room_for(array.shape, array.dtype)
    copy[...] = array
    return copy


def add_work(walk: Walk, old: Any, new: Any, before: Any) -> None:
    """Add to `Walk.work` what changing from one potential to another did in the middle of the step
    that led from `before` to `Walk.x`.
    """
    middle = 0.5 * (before.astype(float) + walk.x)
    done = energies(new, middle) - energies(old, middle)
    fill(walk.work, on_host(walk.work) + done)


def energies(potential: Any, x: Any) -> np.ndarray:
    """Energies (replicas,) of a formula at points that may be on a GPU."""
    out: np.ndarray = on_host(potential.energy(x))
    return out


def advance_by_step(backend: Any, walk: Walk, steps: Steps) -> None:
    """`advance` for a backend whose kernels know of no drive: one step after the other, and
    ``retune(potential)`` in the middle of each.
    """
    drive = steps.drive
    assert drive is not None
    for n in range(len(steps.rho)):
        before, old = walk.x.copy(), backend.potential
        backend.advance(replace(steps.part(n, n + 1), drive=None))
        backend.retune(old.moved(drive.places, drive.values[n + 1]))
        add_work(walk, old, backend.potential, before)


def drift(dx: np.ndarray, mass: np.ndarray, space: int) -> np.ndarray:
    """What the centre of mass of particles in so many dimensions moves by, with updates dx
    (replicas, dim), for each coordinate.
    """
    share = mass.reshape(-1, space) / mass[::space].sum()
    moved = (share * dx.reshape(len(dx), -1, space)).sum(1)
    return np.tile(moved, mass.size // space)


def exchange_rows(a: np.ndarray, b: np.ndarray, rows: np.ndarray) -> None:
    """Let these rows of two arrays change places."""
    a[rows], b[rows] = b[rows], a[rows]


class Seen(NamedTuple):
    """What records are made of, of several at once: arrays of a `Walk` at each.

    Attributes
    ----------
    energy, best_energy, kinetic, dx2 : ndarray (records, replicas)
        As the walk's.
    x : ndarray (records, looked, dim)
        Positions of as many replicas as were asked for.
    """

    energy: np.ndarray
    best_energy: np.ndarray
    kinetic: np.ndarray
    dx2: np.ndarray
    x: np.ndarray


class NonFinite(ArithmeticError):
    """An energy or gradient of a walk is not finite, and that is no wall; `step` is the first step
    after which that was so, `replica` one where it was.
    """

    def __init__(self, step: int, replica: int) -> None:
        super().__init__(f"energy not finite at step {step}, replica {replica}")
        self.step, self.replica = step, replica


def share(
    pool: ThreadPoolExecutor | None, function: Callable[[Any], Any], parts: Sequence[Any]
) -> list[Any]:
    """`function` of each part, on the pool's threads; comes back, also from Ctrl-C, only when none
    is running any more.
    """
    if pool is None or len(parts) == 1:
        return [function(part) for part in parts]
    # a fork inherits a pool and none of its threads
    if vars(pool).setdefault("owner", os.getpid()) != os.getpid():
        pool.__init__(pool._max_workers)  # type: ignore[misc]
        vars(pool)["owner"] = os.getpid()
    door, inside, broken_off = Condition(), 0, False

    def enter(part: Any) -> Any:
        nonlocal inside
        with door:
            if broken_off:
                return None
            inside += 1
        try:
            return function(part)
        finally:
            with door:
                inside -= 1
                door.notify_all()

    # an interrupt within submit leaves a part in the queue of which there is no future
    try:
        return [future.result() for future in [pool.submit(enter, part) for part in parts]]
    except BaseException:
        with door:
            broken_off = True
            door.wait_for(lambda: not inside)
        raise


class Backend:
    """What moves a walk on; `langevin_sa.annealing.run` asks a backend for nothing but this.

    `langevin_sa.validate` also takes a class that is no subclass: it calls ``backend(potential,
    walk, threads)`` and ``advance(steps)`` only.

    Attributes
    ----------
    overhead : float
        Seconds of the last `advance` that were not spent in kernels.
    pace : float
        Seconds that a look at the energies of all replicas took; infinite if that is not known.
    recording : bool
        Whether it has `advance_recorded`.
    turns_back : bool
        Whether it knows of walls (`Walk.wall`). One that does not raises `NonFinite` where a step
        fails, whereupon the energies of replicas that failed are not finite, and everything else is
        as after the step: then `langevin_sa.annealing.run` turns them back.
    raised : str
        The last exception of the user's functions that was a failure, in words.
    weighs, centres : bool
        Whether it knows of `Walk.masses`, and of `Walk.centred`.
    """

    overhead = 0.0
    pace = math.inf
    recording = False
    turns_back = False
    raised = ""
    weighs = centres = False
    walk: Walk

    def __init__(self, potential: Any, walk: Walk, threads: int) -> None:
        raise NotImplementedError

    @staticmethod
    def placed(walk: Walk) -> Walk:
        """The walk with its arrays where this backend wants them."""
        return walk

    @staticmethod
    def at(part: int) -> AbstractContextManager[Any]:
        """Where a worker computes with the part of a walk that has this number: on one device of
        several.
        """
        return nullcontext()

    def advance(self, steps: Steps) -> None:
        """Move the walk's arrays on in place by the given steps, with a look at the energy and the
        gradient of every point visited; `NonFinite` where one is not finite, and that is no wall.
        """
        raise NotImplementedError

    def advance_recorded(self, steps: Steps, every: int, looked: int) -> Seen:
        """`advance` through several records, one each `every` steps, with which the sums begin
        anew; what there was to see at each, with the positions of the first `looked` replicas.
        """
        raise NotImplementedError

    def refresh(self) -> None:
        """Look at the energy where not every step does, also for the lowest."""

    def settle(self) -> None:
        """Bring the energies up to date where not every step does, without a look for the lowest:
        so this may be done anywhere.
        """

    def change_places(self, other: Any, rows: np.ndarray) -> None:
        """Let replicas `rows` (replicas,) of this walk and of another backend's change places; each
        walk keeps its best points, sums and counts of failures.
        """
        for name in ("x", "dx", "noise", "energy"):
            exchange_rows(getattr(self.walk, name), getattr(other.walk, name), rows)

    def measure(self) -> tuple[float, float] | None:
        """Sums over replicas of |grad U|^2 and of the Laplacian where the walk is, for the
        configurational thermometer; None where the potential's own functions are as fast.
        """
        return None
