"""What a run hands back: State (to go on from), Snapshot (while it runs), Result (at the end), and
their files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ..arguments import check_whole, printable
from ..backends.walk import Walk, fill
from ..drawing import Brief, Displayed, Units, brief, draw
from ..storage.checkpoint import check_arrays
from ..storage.npz import load, prefixed, save, unprefixed
from ..storage.samples import first, read_samples
from ..tuning import Pilot

SCALARS = (
    *("fun", "success", "status", "message", "nit", "nfev", "njev", "failures", "seed"),
    *("integrator", "n_steps", "seconds", "potential_name", "found_in"),
)

PLACES = ("state_x", "state_dx", "state_noise", "state_best_x")  # in a file, (replicas, dim)
ENERGIES = ("state_best_energy", "energies")  # (replicas,)


@dataclass(repr=False)
class State(Brief):
    """The point from which a run goes on with the same bits as if it had never stopped.

    Attributes
    ----------
    x, dx, noise : ndarray (replicas, dim)
        Positions, last updates, and what paired noise carries to the next step.
    step, seed : int
        Steps done and the seed: with them the noise to come is known.
    best_x, best_energy : ndarray (replicas, dim), (replicas,), optional
        The lowest point that each replica has seen so far.
    failures : ndarray (replicas, 2) of int, optional
        How many steps of each replica turned back, because they met a place where the energy or the
        gradient is not finite: in all, and in a row up to now.
    work : ndarray (replicas,), optional
        Where parameters are laws, the work that these have done on each replica so far.
    masses : ndarray (dim,), optional
        Masses of the coordinates, infinite where they are frozen; None where all are 1.
    """

    x: np.ndarray
    dx: np.ndarray
    noise: np.ndarray
    step: int
    seed: int
    best_x: np.ndarray | None = None
    best_energy: np.ndarray | None = None
    failures: np.ndarray | None = None
    work: np.ndarray | None = None
    masses: np.ndarray | None = None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to an .npz file, whole or not at all."""
        save(path, "state", _arrays(self), {"step": self.step, "seed": self.seed})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> State:
        """Read what `save` wrote, or the state in a saved Result or in a checkpoint of `anneal` or
        `simulate`.
        """
        arrays, about = load(path)
        if "state_x" in arrays:
            arrays = unprefixed("state_", arrays)
        try:
            return cls(**arrays, step=about["step"], seed=about["seed"])
        except (TypeError, KeyError):
            raise ValueError(f"{os.fspath(path)} holds no state of a run") from None


def _arrays(state: State) -> dict[str, Any]:
    names = ("x", "dx", "noise", "best_x", "best_energy", "failures", "work", "masses")
    return {name: getattr(state, name) for name in names if getattr(state, name) is not None}


@dataclass(repr=False)
class Snapshot(Brief):
    """A look at a run after step `step`; the arrays are copies and stay as they are.

    Attributes
    ----------
    step : int
        Steps done.
    state : State
        Positions, updates and what else is needed to go on; ``state.x`` is (replicas, dim).
    velocity_scale : float
        What dx is divided by to be a velocity.
    energy : ndarray (replicas,)
        U at this step.
    temperature, eq22 : float
        Measured since the last snapshot, over replicas, coordinates and steps: with the
        integrator's own kinetic estimator, and by Eq. (22) as written.
    configurational, squares, laplacian : float
        <|grad U|^2>/<laplacian U> over replicas at this step, and the two sums of which it is the
        ratio.
    target : float
        Mean of the schedule's temperature over the same steps.
    best_x, best_energy : ndarray (dim,), float
        The lowest point seen by any replica.
    failures : int
        Steps since the last snapshot that met a place where the energy or the gradient is not
        finite and turned back.
    observed : mapping of str to ndarray
        The observables that were asked for, at this step.
    """

    step: int
    state: State
    velocity_scale: float
    energy: np.ndarray
    temperature: float
    target: float
    best_x: np.ndarray
    best_energy: float
    eq22: float
    configurational: float
    squares: float
    laplacian: float
    failures: int = 0
    observed: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def velocity(self) -> np.ndarray:
        """Velocities (replicas, dim) of the step that led here, half a step before: dx over the
        row's scale, so that the mean of m v^2 is the temperature (`Steps.velocity_scale`). On the
        step, of a scheme without noise, half a kick is to be added: ``velocity - dt/2*U.gradient(
        state.x)/m``.
        """
        velocity: np.ndarray = self.state.dx / self.velocity_scale
        return velocity


class Result(Displayed, OptimizeResult):
    """What `anneal` returns: a SciPy OptimizeResult with the whole run.

    Attributes
    ----------
    x, fun : ndarray (dim,), float
        The lowest point seen at any step by any replica, and its energy.
    success, status, message : bool, int, str
        status 0: schedule done or target reached; 1: time spent; 2: a non-finite energy, or one
        that falls for ever; 3: interrupted; 4: read from the checkpoint of a run under way; 99:
        stopped by the callback.
    nit, nfev, njev : int
        Steps done; energies and gradients evaluated along the trajectories of all replicas,
        and by the pilot.
    energies, best_energies, best_positions : ndarray (replicas,), (replicas,), (replicas, dim)
        Final energies; the lowest seen by each replica and where.
    history : OptimizeResult
        Arrays with one entry a record: step, target, temperature (the integrator's own estimator),
        eq22 (Eq. 22 as written), configurational (of this step's positions alone), squares and
        laplacian (its two sums, of |grad U|^2 and of the Laplacian of U over the replicas looked
        at), energy_mean, energy_min, best, failures (since the record before). The configurational
        temperature of several records is ``squares.sum()/laplacian.sum()`` over them; a mean of its
        ratios need not exist. Observables that were asked for are columns too.
    failures : int
        Steps of all replicas that met a place where the energy or the gradient is not finite and
        turned back (``on_failure="wall"``); ``state.failures[:, 0]`` has those of each replica.
    work : ndarray (replicas,) or None
        Where parameters of the potential are laws: what their change has done on each replica.
        Then history has ``work`` and ``heat``, means over replicas since the record before, and x,
        fun, best_energies and best_positions are where the replicas are at the end, judged by the
        last landscape.
    samples : ndarray (records, replicas, dim) or None
        Positions at each record, if asked for. If they were streamed to a file, what reads it piece
        by piece: a memory map, `h5py.Dataset` or `zarr.Array`.
    velocities : ndarray (records, replicas, dim) or None
        The same of `Snapshot.velocity`.
    samples_file : str or None
        The file that they were streamed to.
    state : State
        Where the run stopped; pass it to `anneal` to go on.
    pilot : Pilot or None
        What chose the schedule and how it found each number (`langevin_sa.tuning.Pilot`; ``print``
        it); None if a schedule was given.
    found_in : str
        Who found the minimum that x is in: "pilot", or "run" if it came lower by more than T1.
    atoms : dict of ndarray or None
        What atoms the coordinates are, if the potential came from ASE.
    units : Units
        Those of the potential.
    seed, schedule, integrator, n_steps, seconds, potential_name
        How it was run; `integrator` is None where the schedule brings its own recursion.
    """

    x: np.ndarray
    fun: float
    success: bool
    status: int
    message: str
    nit: int
    nfev: int
    njev: int
    energies: np.ndarray
    best_energies: np.ndarray
    best_positions: np.ndarray
    failures: int
    state: State
    seed: int
    seconds: float

    def plot(self) -> Any:
        """Energy and temperature against step; see `langevin_sa.plots.history`."""
        return draw("history", self)

    def __repr__(self) -> str:
        told = {name: brief(value) for name, value in self.items() if value is not None}
        told["x"] = self.x
        told["history"] = f"{len(self.history.step)} records of {', '.join(self.history)}"
        if self.pilot is not None:
            told["pilot"] = "print(result.pilot) tells how each number was found"
        return repr(OptimizeResult(told))

    def to_xarray(self) -> Any:
        """The run as an `xarray.Dataset` (extra ``xarray``): history and samples along "record",
        final and lowest energies and lowest points along "replica", how it was run in ``attrs``.

        Examples
        --------
        >>> data = anneal(U, schedule=cooling, samples=True).to_xarray()
        >>> data.samples.sel(record=data.record[data.step > 500]).mean(("record", "replica"))
        """
        from .datasets import dataset

        return dataset(self)

    def to_arviz(self) -> Any:
        """The samples as an `arviz.InferenceData` (extra ``arviz``), a chain for each replica, with
        ArviZ's diagnostics of equilibrium; of runs at one temperature.

        Raises
        ------
        ValueError
            Without samples.
        """
        from .datasets import inference_data

        return inference_data(self)

    def to_ase(self, atoms: Any = None) -> Any:
        """The lowest point as ASE's Atoms, with its energy (extra ``ase``).

        Parameters
        ----------
        atoms : ase.Atoms, optional
            Whose free coordinates x are; for potentials that did not come from ASE.
        """
        from ..own.ase import atoms_at

        return atoms_at(self._atoms(atoms), self.x, float(self.fun))

    def write(self, path: str | os.PathLike[str], atoms: Any = None) -> None:
        """Write structures in the format of ASE that the suffix names: .extxyz, .xyz, .traj, .pdb
        (extra ``ase``).

        First come the samples, if they were kept, of the replica that was lowest; the last is
        `to_ase`, which is what `ase.io.read` returns.

        Parameters
        ----------
        path : path
            The file.
        atoms : ase.Atoms, optional
            As for `to_ase`.

        Raises
        ------
        ImportError
            Without ASE.
        ValueError
            For a suffix that ASE does not know, or without atoms.
        """
        from ..own.ase import atoms_at, write

        arrays, frames = self._atoms(atoms), []
        if self.samples is not None:
            lowest = self.samples[:, int(np.argmin(self.best_energies))]
            frames = [atoms_at(arrays, x) for x in lowest]
        write(path, [*frames, self.to_ase(atoms)])

    def _atoms(self, atoms: Any) -> dict[str, np.ndarray]:
        if atoms is None and self.atoms is None:
            raise ValueError(
                f"{self.potential_name} does not say what its coordinates are: give atoms=, whose "
                "positions they are"
            )
        if atoms is None:
            return self.atoms
        from ..own.ase import arrays_of

        return arrays_of(atoms)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to an .npz file (arrays and JSON, no pickle), whole or not at all."""
        save(path, "result", *self.packed())

    def packed(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays and the JSON-able rest; streamed samples stay in their own file, which is
        named.
        """
        arrays = {"energies": self.energies}
        arrays |= prefixed("state_", _arrays(self.state)) | prefixed("history_", self.history)
        if self.samples is not None and self.samples_file is None:
            arrays["samples"] = self.samples
            if self.velocities is not None:
                arrays["velocities"] = self.velocities
        if self.atoms is not None:
            arrays |= prefixed("atoms_", self.atoms)
        about = {name: self[name] for name in SCALARS}
        if self.pilot is not None:
            found, about["pilot"] = self.pilot.packed()
            arrays |= prefixed("pilot_", found)
        about |= {"schedule": str(self.schedule), "step": self.state.step}
        if self.samples_file is not None:
            about["samples_file"] = self.samples_file
        about["units"] = asdict(self.units)
        return arrays, about

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Result:
        """Read what `save` wrote, or a checkpoint of `anneal`; `schedule` comes back as text."""
        try:
            found = cls.unpacked(*load(path, "result", "checkpoint"))
        except (LookupError, TypeError, AttributeError):
            raise ValueError(f"{os.fspath(path)} holds no result of a run") from None
        for name in (*SCALARS, "schedule"):  # which are printed
            if isinstance(found[name], str):
                found[name] = printable(found[name])
        return found

    @classmethod
    def unpacked(
        cls,
        arrays: dict[str, np.ndarray],
        about: dict[str, Any],
        shape: tuple[int, ...] | None = None,
    ) -> Result:
        """The result that `packed` took apart; streamed samples are None if their file is gone or
        damaged. A ValueError if it is not of a walk of this shape, where one is given.
        """
        if shape is not None:
            check_arrays(arrays, dict.fromkeys(PLACES, ("f", shape)))
            check_arrays(arrays, dict.fromkeys(ENERGIES, ("f", shape[:1])))
            check_whole(0, step=about["step"])
        state, history = unprefixed("state_", arrays), unprefixed("history_", arrays)
        samples, file = arrays.get("samples"), about.get("samples_file")
        velocities = arrays.get("velocities")
        if file is not None:
            with suppress(OSError, ValueError, TypeError, ImportError):
                samples, velocities = _streamed(file, len(history["step"]))
        best, energy = state["best_x"], state["best_energy"]
        pilot = None
        if "pilot" in about:
            pilot = Pilot(**unprefixed("pilot_", arrays), **about["pilot"])
        x = best[np.argmin(energy)].astype(float)
        return cls(
            {key: about[key] for key in (*SCALARS, "schedule")},
            x=pilot.x if pilot is not None and pilot.fun < energy.min() else x,
            pilot=pilot,
            energies=arrays["energies"],
            best_energies=energy,
            best_positions=best,
            samples=samples,
            velocities=velocities,
            samples_file=file,
            units=Units(**about.get("units", {})),
            work=state.get("work"),
            atoms=unprefixed("atoms_", arrays) or None,
            state=State(**state, step=about["step"], seed=about["seed"]),
            history=OptimizeResult(history),
        )


def _streamed(file: str, count: int) -> tuple[Any, Any]:
    """Samples and velocities in a file, which may be ahead if a run is under way."""
    samples, *velocities = (first(count, array) for array in read_samples(file))
    return samples, velocities[0] if velocities else None


def put(walk: Walk, state: State) -> None:
    """Put a walk where a state of the same shape was taken."""
    for name, array in _arrays(replace(state, masses=None)).items():
        fill(getattr(walk, name), array)
    walk.step = state.step
