"""A formula of coordinates as a function of a block of points: values alone, no derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arguments import short
from .in_numpy import OTHER
from .parse import CONSTANTS, PRINTED, FormulaError, evaluate, names, parse


def _erf(x: Any) -> Any:
    from scipy.special import erf

    return erf(x)


_LEAVES: dict[str, Any] = {
    **{name: OTHER.get(name) or getattr(np, name) for name in PRINTED},
    **{name: np.float64(getattr(np, name)) for name in CONSTANTS},
    "step": lambda u: (1 + np.sign(u)) / 2,
    "log10": np.log10,
    "erf": _erf,
    "mod": lambda a, b: a - b * np.floor(a / b),
    "hypot": np.hypot,
    "atan2": np.arctan2,
}


def values_of(formula: str, variables: Sequence[str]) -> Callable[[np.ndarray], Any]:
    """A function of blocks (replicas, dim), read by the parser of potentials.

    Parameters
    ----------
    formula : str
        In the coordinates.
    variables : sequence of str (dim,)
        Their names.

    Raises
    ------
    FormulaError
        If it cannot be read, or uses another name.

    Examples
    --------
    >>> values_of("x**2 + y", ("x", "y"))(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([ 3., 13.])
    """
    tree = parse(formula)
    places = {name: c for c, name in enumerate(variables)}
    used = names(tree)
    for name in used:
        if name not in places:
            ends = [*variables[:4], "...", variables[-1]] if len(variables) > 8 else variables
            raise FormulaError(
                f"{name!r} in {short(formula)!r} is none of the coordinates, which are called "
                f"{', '.join(ends)}"
            )

    def values(x: np.ndarray) -> Any:
        with np.errstate(all="ignore"):
            leaves = _LEAVES | {name: x[:, places[name]] for name in used}
            return evaluate(tree, leaves, np.float64)

    return values
