"""What is recorded of a run: `Record` says the columns of its history, `Recorder` measures them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

from ..arguments import on_host
from ..backends.walk import Backend, Seen, Walk, fill
from ..momentum import Steps
from ..observables.along import Observables
from ..potential import Potential
from ..storage.checkpoint import check_arrays
from ..tuning import laplacian_estimate

SHARE, GRADIENTS = 0.1, 3  # of a run's gradients; that a Laplacian takes which is not exact
LOOKED_AT = 8_192  # coordinates that the configurational thermometer looks at


class Record(NamedTuple):
    """One line of history; temperatures are of the steps since the line before.

    Attributes
    ----------
    step : int
        Steps done.
    target : float
        Mean of the schedule's temperature.
    temperature, eq22 : float
        Measured with the integrator's own kinetic estimator, and by Eq. (22) as written.
    configurational, squares, laplacian : float
        <|grad U|^2>/<laplacian U> over replicas at this step, and the two sums of which it is the
        ratio.
    energy_mean, energy_min, best : float
        Mean and lowest energy of the replicas, and the lowest seen so far.
    failures : int
        Steps of all replicas that met a place where the energy or the gradient is not finite and
        turned back.
    work, heat : float or None
        Where parameters are laws, the mean work that these did on a replica since the line before,
        and the mean heat that came from the bath: by how much more its energy rose.
    observed : mapping of str to ndarray
        Observables that were asked for.
    """

    step: int
    target: float
    temperature: float
    eq22: float
    configurational: float
    squares: float
    laplacian: float
    energy_mean: float
    energy_min: float
    best: float
    failures: int
    work: float | None = None
    heat: float | None = None
    observed: Mapping[str, np.ndarray] = MappingProxyType({})


COLUMNS = tuple(name for name in Record._fields if name != "observed")
DRIVEN = ("work", "heat")  # columns that are there where parameters are laws
WHOLE = ("step", "failures")  # columns of whole numbers
RECORDED = ("since", "failed", "target", "asked")  # numbers of a `Recorder`
BALANCE = ("worked", "held")  # and where parameters are laws


def history_of(records: Sequence[Record], observables: Observables | None) -> OptimizeResult:
    """Records as columns: an array for each field, and for each observable."""
    lists = dict(zip(Record._fields, zip(*records, strict=True), strict=False))
    columns = {
        name: np.array(lists.get(name, ()), dtype=int if name in WHOLE else float)
        for name in COLUMNS
        if name not in DRIVEN or (records and getattr(records[0], name) is not None)
    }
    observed = {} if observables is None else observables.columns(r.observed for r in records)
    return OptimizeResult(columns | observed)


def records_of(history: OptimizeResult, observables: Observables | None) -> list[Record]:
    """The records that a history was made of."""
    names = [name for name in COLUMNS if name in history or name not in DRIVEN]
    rows = zip(*(history[name].tolist() for name in names), strict=True)
    records = [Record(**dict(zip(names, row, strict=True))) for row in rows]
    if observables is None:
        return records
    seen = observables.rows(history, len(records))
    return [r._replace(observed=row) for r, row in zip(records, seen, strict=True)]


class Recorder:
    """Takes records of a walk.

    Parameters
    ----------
    landscape : callable
        ``landscape(step)``, the potential at a step: for the configurational thermometer, where the
        backend has no faster one.
    walk : Walk
        Whose sums are read, and zeroed with each record.
    backend : Backend
        What moves it.
    whole_energy : callable, optional
        Mean over replicas of potential and kinetic energy, for work and heat.
    observables : Observables, optional
        What else is measured.
    """

    def __init__(
        self,
        landscape: Callable[[int], Potential],
        walk: Walk,
        backend: Backend,
        whole_energy: Callable[[], float] | None = None,
        observables: Observables | None = None,
    ) -> None:
        self.landscape, self.walk, self.backend = landscape, walk, backend
        self.whole_energy, self.observables = whole_energy, observables
        self.asked = 0  # gradients for the thermometer, besides those of the run
        self.worked, self.held = 0.0, 0.0  # mean work and energy at the last record
        if whole_energy is not None:
            self.worked, self.held = float(walk.work.mean()), whole_energy()
        # which coordinates the configurational thermometer is of, None of all
        moving = None if walk.masses is None else np.isfinite(walk.masses)
        self._moving = None if moving is None or moving.all() else moving
        self._begin()

    def _begin(self) -> None:
        self.walk.forget()
        # the last record's step, and failures up to there; sum of targets
        self.since, self.failed, self.target = self.walk.step, self._failures(), 0.0

    def _failures(self) -> int:
        return int(self.walk.failures[:, 0].sum())

    def add(self, steps: Steps) -> None:
        """Note the temperatures of steps that were done."""
        # one after the other, however a run is cut
        self.target = float(np.cumsum(np.append(self.target, steps.temperature))[-1])

    def take(self) -> Record:
        """A record of where the walk is; the sums begin anew."""
        walk = self.walk
        steps = walk.step - self.since
        numbers = max(1, len(walk.x) * walk.freedom * steps)
        self.backend.refresh()
        measured = None if self._moving is not None else self.backend.measure()
        squares, laplacian = measured or self._measure_here(steps)
        record = Record(
            step=walk.step,
            target=self.target / max(1, steps),
            temperature=float(walk.kinetic.sum()) / numbers,
            eq22=float(walk.dx2.sum()) / numbers,
            configurational=squares / laplacian if laplacian != 0 else np.nan,
            squares=squares,
            laplacian=laplacian,
            energy_mean=float(walk.energy.mean()),
            energy_min=float(walk.energy.min()),
            best=float(walk.best_energy.min()),
            failures=self._failures() - self.failed,
            observed={} if self.observables is None else self.observables(walk.x),
        )
        if self.whole_energy is not None:
            worked, held = float(walk.work.mean()), self.whole_energy()
            work = worked - self.worked
            record = record._replace(work=work, heat=held - self.held - work)
            self.worked, self.held = worked, held
        self._begin()
        return record

    def take_all(self, steps: Steps, every: int, seen: Seen) -> list[Record]:
        """Records of steps that are done, one each `every` steps; the sums began anew with each."""
        walk, count = self.walk, len(seen.energy)
        stops = np.arange(walk.step - (count - 1) * every, walk.step + 1, every)
        # one after the other, from 0, as `add` does it
        targets = np.zeros((count, every + 1))
        targets[:, 1:] = np.reshape(steps.temperature, (count, every))
        squares, laplacian = self._measure(seen.x, stops)
        numbers = len(walk.x) * walk.freedom * every
        lists = (
            stops,
            np.cumsum(targets, axis=1)[:, -1] / every,
            seen.kinetic.sum(1) / numbers,
            seen.dx2.sum(1) / numbers,
            np.divide(squares, laplacian, out=np.full(count, np.nan), where=laplacian != 0),
            squares,
            laplacian,
            seen.energy.mean(1),
            seen.energy.min(1),
            seen.best_energy.min(1),
            np.zeros(count, dtype=int),
        )
        self._begin()
        return [Record(*row) for row in zip(*(column.tolist() for column in lists), strict=True)]

    def looked_at(self, steps: int) -> int:
        """How many replicas the configurational thermometer looks at: where that takes gradients,
        as many as cost a tenth of the steps since the last record.
        """
        replicas, dim = self.walk.x.shape
        most = max(1, LOOKED_AT // dim)
        if not self._exact:
            most = min(most, int(SHARE * steps * replicas / GRADIENTS))
        return min(most, replicas)

    @property
    def _exact(self) -> bool:
        return self._moving is None and self.landscape(self.walk.step).has_laplacian

    def _measure_here(self, steps: int) -> tuple[float, float]:
        x = on_host(self.walk.x[: self.looked_at(steps)])[None]
        squares, laplacian = self._measure(x, np.array([self.walk.step]))
        return float(squares[0]), float(laplacian[0])

    def _measure(self, x: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums of |grad U|^2 and of the Laplacian over replicas at points x (records, replicas,
        dim) after each of some steps; several records at once where nothing is drawn for it.
        """
        (records, looked, dim), exact = x.shape, self._exact
        if not looked:
            return np.zeros(records), np.zeros(records)
        self.asked += (1 if exact else GRADIENTS) * records * looked
        potential, group = self.landscape(self.walk.step), 1
        if exact:
            group = max(1, LOOKED_AT // (looked * dim))
        sums = []
        for k in range(0, records, group):
            points = x[k : k + group].reshape(-1, dim).astype(float)
            drawn = None if exact else np.random.default_rng([self.walk.seed, int(stops[k])])
            gradient = potential.gradient(points)
            laplacian = laplacian_estimate(potential, points, drawn, gradient, self._moving)
            if self._moving is not None:
                gradient = self._moving * gradient
            squares = (gradient**2).reshape(-1, looked, dim).sum((1, 2))
            sums.append((squares, np.reshape(laplacian, (-1, looked)).sum(1)))
        squares, laplacian = (np.concatenate(part) for part in zip(*sums, strict=True))
        return squares, laplacian

    def sums(self) -> dict[str, Any]:
        """What the next record will be made of, so far."""
        walk = self.walk
        names = RECORDED if self.whole_energy is None else RECORDED + BALANCE
        numbers = {"ratio": walk.ratio} | {name: getattr(self, name) for name in names}
        arrays = {"dx2": walk.dx2, "kinetic": walk.kinetic}
        return arrays | {name: np.array(value) for name, value in numbers.items()}

    def restore(self, sums: dict[str, np.ndarray]) -> None:
        """Go on with what `sums` returned; a ValueError if it is not that."""
        check_arrays(sums, {n: (a.dtype.kind, a.shape) for n, a in self.sums().items()})
        fill(self.walk.dx2, sums["dx2"])
        fill(self.walk.kinetic, sums["kinetic"])
        self.walk.ratio = float(sums["ratio"])
        self.since, self.target = int(sums["since"]), float(sums["target"])
        self.failed, self.asked = int(sums["failed"]), int(sums["asked"])
        if self.whole_energy is not None:
            self.worked, self.held = float(sums["worked"]), float(sums["held"])
