"""A run from its beginning, or from where a checkpoint left it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from ..arguments import warn
from ..backends.walk import Walk
from ..potential import Potential
from ..storage.checkpoint import Checkpoint, Fingerprint, fitting
from ..storage.npz import unprefixed
from .request import Earlier, prepare
from .results import Result, State
from .run import Run


def begin(
    keeper: Checkpoint,
    kept: dict[str, bool],
    potential: Potential,
    x0: Any,
    *args: Any,
    rng: Any,
    state: State | None,
    **keywords: Any,
) -> Run:
    """The run that `prepare` is asked for, where the keeper's file left it if there is one; `kept`
    says what of each record is kept.

    Starting points must be those of the file's run, unless they were left out or are its present
    ones.
    """
    any_start = x0 is None and state is None

    def earlier(fingerprint: Fingerprint, walk: Walk) -> Earlier | None:
        fingerprint.facts.update(kept)
        if keeper.found is not None:
            arrays, about = keeper.found
            there_x = arrays.get("state_x", np.empty(0))
            present = about.get("step") == walk.step and np.array_equal(there_x, walk.x)
            if any_start or present:
                there = about["problem"].get("the starting points")
                fingerprint.digests["the starting points"] = there
        contents = keeper.claim(fingerprint)
        if contents is None:
            return None
        with fitting(keeper.path):
            result = Result.unpacked(*contents, walk.x.shape)
        arrays, _ = contents
        sums, written = unprefixed("sums_", arrays), arrays.get("written")
        return Earlier(result.state, result.energies, sums, result, written)

    if rng is None and state is None:
        rng = keeper.seed
    pilot = None
    if keeper.found is not None:
        with suppress(
            LookupError, TypeError, ValueError
        ):  # of another kind of file: `claim` says it
            pilot = Result.unpacked(*keeper.found).pilot
    keywords |= {"earlier": earlier, "pilot": pilot}
    prepared = prepare(potential, x0, *args, rng=rng, state=state, **keywords)
    if prepared.own_recursion and prepared.integrator != "gjf":
        warn(
            f"{type(prepared.schedule).__name__} brings its own recursion, so that "
            f"integrator={prepared.integrator!r} has no effect: leave it out"
        )
    return Run(prepared)
