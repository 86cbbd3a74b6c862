"""What a run hands back: State (to go on from), Snapshot (while it runs), Result (at the end), and their files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from .backends import on_host

FORMAT = "langevin_sa 1"


@dataclass
class State:
    """The point from which a run goes on with the same bits as if it had never stopped.

    Attributes
    ----------
    x, dx, noise : ndarray (replicas, dim)
        Positions, last updates, and the half kick that paired noise carries to the next step.
    step, seed : int
        Steps done and the seed: with them the noise to come is known.
    best_x, best_energy : ndarray (replicas, dim), (replicas,), optional
        The lowest point that each replica has seen so far.
    """

    x: np.ndarray
    dx: np.ndarray
    noise: np.ndarray
    step: int
    seed: int
    best_x: np.ndarray | None = None
    best_energy: np.ndarray | None = None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to an .npz file, whole or not at all."""
        save(path, "state", _arrays(self), {"step": self.step, "seed": self.seed})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> State:
        """Read what `save` wrote, or the state in a saved Result."""
        arrays, about = load(path)
        if "state_x" in arrays:
            arrays = {key.removeprefix("state_"): array for key, array in arrays.items() if key.startswith("state_")}
        return cls(**arrays, step=about["step"], seed=about["seed"])


def _arrays(state: State) -> dict[str, Any]:
    names = ("x", "dx", "noise", "best_x", "best_energy")
    return {name: getattr(state, name) for name in names if getattr(state, name) is not None}


@dataclass
class Snapshot:
    """A look at a run after step `step`; the arrays are copies and stay as they are.

    Attributes
    ----------
    energy : ndarray (replicas,)
        U at this step.
    temperature, eq22 : float
        Measured since the last snapshot, over replicas, coordinates and steps: with the integrator's exact kinetic
        estimator, and by Eq. (22) as written.
    configurational : float
        <|grad U|^2>/<laplacian U> over replicas at this step.
    target : float
        Mean of the schedule's temperature over the same steps.
    best_x, best_energy : ndarray (dim,), float
        The lowest point seen by any replica.
    """

    step: int
    state: State
    energy: np.ndarray
    temperature: float
    target: float
    best_x: np.ndarray
    best_energy: float
    eq22: float
    configurational: float


class Result(OptimizeResult):
    """What `anneal` returns: a SciPy OptimizeResult with the whole run.

    Attributes
    ----------
    x, fun : ndarray (dim,), float
        The lowest point seen at any step by any replica, and its energy.
    success, status, message : bool, int, str
        status 0: schedule done or target reached; 1: time spent; 2: stopped at a non-finite energy; 3: interrupted;
        99: stopped by the callback.
    nit, nfev, njev : int
        Steps done; energies and gradients evaluated along the trajectories of all replicas.
    energies, best_energies, best_positions : ndarray (replicas,), (replicas,), (replicas, dim)
        Final energies; the lowest seen by each replica and where.
    history : OptimizeResult
        Arrays with one entry a record: step, target, temperature (exact kinetic estimator), eq22 (Eq. 22 as written),
        configurational, energy_mean, energy_min, best.
    samples : ndarray (records, replicas, dim) or None
        Positions at each record, if asked for.
    state : State
        Where the run stopped; pass it to `anneal` to go on.
    seed, schedule, integrator, n_steps, seconds, potential_name
        How it was run.
    """

    def plot(self) -> Any:
        """Energy and temperature against step; see `langevin_sa.plots.history`."""
        from .plots import history

        return history(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to an .npz file (arrays and JSON, no pickle), whole or not at all."""
        arrays = {key: self[key] for key in ("x", "energies", "best_energies", "best_positions", "samples") if self[key] is not None}
        arrays |= {f"state_{key}": array for key, array in _arrays(self.state).items()}
        arrays |= {f"history_{key}": array for key, array in self.history.items()}
        scalars = (
            "fun",
            "success",
            "status",
            "message",
            "nit",
            "nfev",
            "njev",
            "seed",
            "integrator",
            "n_steps",
            "seconds",
            "potential_name",
        )
        about = {key: self[key] for key in scalars} | {"schedule": str(self.schedule), "step": self.state.step}
        save(path, "result", arrays, about)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Result:
        """Read what `save` wrote; `schedule` comes back as text."""
        arrays, about = load(path, "result")
        state = {key.removeprefix("state_"): array for key, array in arrays.items() if key.startswith("state_")}
        history = {key.removeprefix("history_"): array for key, array in arrays.items() if key.startswith("history_")}
        plain = {key: array for key, array in arrays.items() if not key.startswith(("state_", "history_"))}
        step = about.pop("step")
        return cls(
            {"samples": None, **plain, **about}
            | {"state": State(**state, step=step, seed=about["seed"]), "history": OptimizeResult(history)}
        )


def save(path: str | os.PathLike[str], kind: str, arrays: dict[str, Any], about: dict[str, Any]) -> None:
    """Write arrays and JSON-able facts to an .npz file by way of a temporary file and a rename."""
    target = Path(path)
    text = json.dumps({"format": FORMAT, "kind": kind, "arrays": sorted(arrays), **about})
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            np.savez(file, about=np.array(text), **{key: on_host(array) for key, array in arrays.items()})  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str], kind: str | None = None) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and facts of a file written by `save`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, is not ours, or holds another kind.
    """
    import zipfile
    import zlib

    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        about = json.loads(str(arrays.pop("about")))
        form, found, whole = about.pop("format"), about.pop("kind"), about.pop("arrays") == sorted(arrays)
    except FileNotFoundError:
        raise
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise ValueError(f"{os.fspath(path)} is not a whole langevin_sa file ({error})") from None
    if form != FORMAT:
        raise ValueError(f"{os.fspath(path)} is written as {form!r}, and this version reads {FORMAT!r}")
    if not whole:
        raise ValueError(f"{os.fspath(path)} is not a whole langevin_sa file (arrays are missing)")
    if kind is not None and found != kind:
        raise ValueError(f"{os.fspath(path)} holds a {found}, not a {kind}")
    return arrays, about
