"""Checkpoints: the file that a driver writes now and then, and from which the same call, made
again, goes on.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..arguments import check_file, printable, real, shown, warn
from ..laws import NamedLaw, values
from .npz import load, octets, save
from .owner import Owner

SHARE = 0.1  # of the time at most goes into writing
LOOKED_AT = 100_000  # steps by which a schedule is known
Contents = tuple[dict[str, np.ndarray], dict[str, Any]]  # arrays, and facts that JSON can hold


class Fingerprint(NamedTuple):
    """What must be the same for a run to go on from another's checkpoint; all of it goes there.

    Attributes
    ----------
    facts : dict
        Values that JSON can hold, and that a message shows where they differ.
    digests : dict of str, or of lists of str
        Short names for what is too long to show.
    """

    facts: dict[str, Any]
    digests: dict[str, Any]

    @property
    def name(self) -> str:
        """A short name for all of it."""
        text = json.dumps([self.facts, self.digests], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Checkpoint:
    """A driver's checkpoint file; with path None nothing is read and nothing written.

    Within ``with`` the file is this run's alone: it is read at the beginning, and no other run can
    have it until the end.

    Parameters
    ----------
    path : path or None
        The file, in a folder that exists.
    seconds : float
        Time between two writings; more if writing would otherwise take more than a tenth of the
        time.
    kind : str
        Whose file it is.

    Attributes
    ----------
    found : (dict of ndarray, dict) or None
        What the file holds, if there is one.

    Raises
    ------
    TypeError, ValueError
        If `path` or `seconds` is none; within ``with``, if the file is there and is damaged, of
        another kind or of another version, or if another run that is under way holds it.
    """

    def __init__(self, path: str | os.PathLike[str] | None, seconds: float, kind: str) -> None:
        if not (real(seconds) and seconds >= 0):
            raise ValueError(f"checkpoint_seconds must be a number >= 0, not {shown(seconds)}")
        self.kind, self.seconds = kind, float(seconds)
        self.found: Contents | None = None
        self.problem: dict[str, Any] = {}
        self.path: Path | None = None
        self.failed = False
        self._owner: Owner | None = None
        if path is None:
            return
        self.path = check_file(path, "checkpoint").absolute()  # wherever a callback goes
        self.due = time.perf_counter() + self.seconds

    def __enter__(self) -> Checkpoint:
        self.open()
        return self

    def open(self) -> None:
        """What ``with`` does at the beginning, unless it is done."""
        if self.path is None or self._owner is not None:
            return
        try:
            self._owner = Owner(self.path, "checkpoint")
            if self.path.exists():
                self.found = load(self.path, self.kind)
                if not isinstance(self.found[1].get("problem"), dict):
                    raise ValueError(
                        f"{self.path} does not say which problem it is the checkpoint of"
                    )
            if self._owner.alone:  # of a process killed while it wrote
                for left in self.path.parent.glob(f"{glob.escape(self.path.name)}.*.part"):
                    left.unlink(missing_ok=True)
        except BaseException:
            self.close()
            raise

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other runs have the file."""
        if self._owner is not None:
            self._owner.release()

    @property
    def seed(self) -> int | None:
        """The seed of the run in the file, None without one."""
        return self.found[1]["problem"].get("seed") if self.found else None

    def claim(self, fingerprint: Fingerprint) -> Contents | None:
        """Make the file this run's from now on; what it holds, None without a file.

        Raises
        ------
        ValueError
            If the file was written by a run with another fingerprint.
        """
        here = {**fingerprint.facts, **fingerprint.digests}
        self.problem = here
        if self.found is None:
            return None
        there = self.found[1]["problem"]
        for name in {**here, **there}:  # what is as usual may not be there
            if here.get(name) != there.get(name):
                values = f": {printable(str(there.get(name)))} there, {here.get(name)} here"
                differs = printable(name) + (values if name in fingerprint.facts else "")
                raise ValueError(
                    f"checkpoint {os.fspath(self.path or '')} belongs to another run (it differs "
                    f"in {differs}); give another name, or remove the file"
                )
        found, self.found = self.found, None
        return found

    def save(self, contents: Callable[[], Contents], now: bool = False) -> bool:
        """Write what `contents` returns if it is time to, or `now`, and say whether that was done;
        what cannot be written is warned of once.
        """
        if self.path is None or not (now or time.perf_counter() >= self.due):
            return False
        written = True
        started = time.perf_counter()
        arrays, about = contents()
        try:
            save(self.path, self.kind, arrays, about | {"problem": self.problem})
        except OSError as error:
            if not self.failed:
                kept = ", the last good one stays" if self.path.exists() else ""
                warn(f"checkpoint not written{kept}: {error}")
            self.failed, written = True, False
        ended = time.perf_counter()
        self.due = ended + max(self.seconds, (1 / SHARE - 1) * (ended - started))
        return written


@contextmanager
def fitting(path: Any) -> Iterator[None]:
    """What a file with a right checksum holds is still anybody's: a ValueError for what is missing
    in it, or is of another kind.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(
            f"{os.fspath(path)} does not hold what it should: {type(error).__name__} {error}"
        ) from None


def digest(*arrays: Any) -> str:
    """A short name for arrays of numbers, the same on machines that round the last bits
    differently.
    """
    total = hashlib.sha256()
    for array in arrays:
        with np.errstate(over="ignore"):
            array = np.asarray(array, dtype=np.float32)
        total.update(f"{array.shape}".encode())
        total.update(octets(array))
    return total.hexdigest()[:16]


def schedule_digest(
    schedule: Any, n_steps: int, integrator: str, numbers: Callable[[int, int], Any] | None = None
) -> str:
    """A short name for a schedule: for the recursion's numbers at every step, which `numbers` of
    steps start <= n < stop gives if somebody has them.

    Of more than `LOOKED_AT` steps it takes that many, evenly spread, besides the first, the last,
    and the numbers of named laws.
    """
    if numbers is not None and n_steps <= LOOKED_AT:
        looks = [numbers(0, n_steps)]
    else:
        looks = [schedule.coefficients(min(n_steps, LOOKED_AT), integrator)]
    laws = []
    if n_steps > LOOKED_AT:
        looks += [
            schedule.coefficients(n_steps, integrator, ends)
            for ends in ((0, 1), (n_steps - 1, n_steps))
        ]
        laws = [
            np.ravel(law.numbers)
            for law in getattr(schedule, "__dict__", {}).values()
            if isinstance(law, NamedLaw)
        ]
    return digest(
        *[numbers for look in looks for numbers in (look.rho, look.lr, look.s, look.carry)], *laws
    )


def laws_digest(laws: Mapping[str, Any], n_steps: int) -> str:
    """A short name for the laws of a potential's parameters: for their values at every step, or at
    `LOOKED_AT` of them.
    """
    progress = np.linspace(0, 1, min(n_steps, LOOKED_AT) + 1)
    return digest(*(values(law, progress, name) for name, law in laws.items()))


def check_arrays(
    arrays: Mapping[str, np.ndarray], model: Mapping[str, tuple[str, tuple[int, ...]]]
) -> None:
    """Raise a ValueError unless each array of the model is there, of its kind and its shape."""
    for name, (kind, shape) in model.items():
        if name not in arrays or arrays[name].shape != shape or arrays[name].dtype.kind != kind:
            raise ValueError(
                f"the checkpoint does not hold what it should: {name} is missing, or of another "
                "type or shape"
            )
