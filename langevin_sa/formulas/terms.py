"""What `Potential.from_formula` takes: which terms go together, their parameters, coordinates and
sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..arguments import check_whole, real, real_array, shown
from .parse import CONSTANTS, FUNCTIONS, FormulaError, names, parse, short
from .spec import INPUTS


def check_terms(
    texts: Mapping[str, str], particles: Any, cutoff: Any, box: Any, species: Any
) -> None:
    """Raise a TypeError unless the terms that are there and what belongs to pairs go together."""
    if not texts:
        raise TypeError("give a formula, or site=, bond= or pair=")
    if cutoff is not None and set(texts) != {"pair"}:
        raise TypeError("cutoff= goes with pair= alone")
    if cutoff is None and (box is not None or species is not None):
        raise TypeError(
            "box= and species= go with cutoff=, the distance beyond which a pair does not count"
        )
    if ("pair" in texts) != (particles is not None):
        raise TypeError(
            "pair= needs particles=, the number of particles"
            if "pair" in texts
            else "particles= goes with pair="
        )


def sorted_parameters(
    parameters: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Numbers and arrays, each in alphabetical order."""
    scalars, arrays = {}, {}
    for name, value in sorted(parameters.items()):
        if name in (*FUNCTIONS, *CONSTANTS):
            raise ValueError(
                f"a parameter cannot be called {name!r}: that is a function or constant of formulas"
            )
        try:
            array = real_array(value, name)
        except TypeError:
            raise TypeError(
                f"parameter {name!r} must be a number or an array of numbers, not {shown(value)}"
            ) from None
        if not np.isfinite(array).all():
            raise ValueError(f"parameter {name!r} must be finite, not {shown(value)}")
        if array.ndim:
            arrays[name] = array
        else:
            scalars[name] = float(array)
    return scalars, arrays


def coordinates(formula: str | None, variables: Any, parameters: Iterable[str]) -> tuple[str, ...]:
    """Names of a formula's coordinates, in order; () if there is no formula of coordinates."""
    if formula is None:
        return ()
    if variables is None:
        variables = (n for n in names(parse(formula)) if n not in parameters)
    elif isinstance(variables, str) or not isinstance(variables, Iterable):
        raise TypeError(
            f"variables must be a sequence of names, as in ('y', 'x'), not {shown(variables)}"
        )
    variables = tuple(variables)
    if not variables:
        raise ValueError(
            f"the formula {short(formula)!r} has no coordinates; name them with variables="
        )
    for i, name in enumerate(variables):
        if not (isinstance(name, str) and name.isidentifier()):
            raise ValueError(f"variables must be names of coordinates, and {name!r} is none")
        if name in (*FUNCTIONS, *CONSTANTS):
            raise ValueError(
                f"a coordinate cannot be called {name!r}: that is a function or constant of "
                "formulas"
            )
        if name in variables[:i]:
            raise ValueError(f"coordinate {name!r} is there twice in variables={variables!r}")
    return variables


def check_all_names(
    texts: Mapping[str, str],
    own: Mapping[str, Any],
    variables: tuple[str, ...],
    scalars: Iterable[str],
    arrays: Iterable[str],
) -> None:
    """Raise a FormulaError for a name that is not known, one of from_formula's own that was given a
    number, or one not used.
    """
    unused = {*scalars, *arrays}
    for kind, text in texts.items():
        used = set(names(parse(text)))
        for name in sorted(used.intersection(own)):
            if real(own[name]):
                raise FormulaError(
                    f"{name}={own[name]} is an argument of from_formula, and {name!r} is in the "
                    "formula; call it something else"
                )
        check_names(kind, text, INPUTS.get(kind, variables), tuple(scalars), tuple(arrays))
        unused -= used
    if unused:
        raise FormulaError(
            f"{min(unused)!r} is neither an argument of from_formula nor a name in the formula"
        )


def sizes(
    variables: int,
    dim: int | None,
    shape: Sequence[int] | None,
    particles: int | None,
    space: int,
    lattice: bool,
) -> tuple[int, tuple[int, ...]]:
    """Number of coordinates that all terms agree on, and the lattice's shape, () if there is no
    lattice.
    """
    claims = {}
    if variables:
        claims["the formula's coordinates"] = variables
    if dim is not None:
        check_whole(1, dim=dim)
        claims["dim"] = int(dim)
    if shape is not None:
        if not lattice:
            raise TypeError("shape= goes with site= or bond=")
        if np.ndim(shape) != 1 or len(shape) == 0:
            raise TypeError(
                "shape must be the numbers of sites along each axis, as in (8, 8), not "
                f"{shown(shape)}"
            )
        for n in shape:
            check_whole(1, **{"a length in shape": n})
        claims["the sites of shape"] = math.prod(map(int, shape))
    if particles is not None:
        check_whole(1, particles=particles, space=space)
        claims["particles*space"] = int(particles) * int(space)
    if not claims:
        raise TypeError(
            "site= and bond= need dim=, the number of sites, or shape=, the sites along each axis"
        )
    if len(set(claims.values())) > 1:
        raise ValueError(
            "the sizes disagree: " + ", ".join(f"{what} = {n}" for what, n in claims.items())
        )
    n = next(iter(claims.values()))
    return n, (tuple(shape) if shape is not None else (n,)) if lattice else ()


def check_names(
    kind: str, text: str, inputs: tuple[str, ...], scalars: tuple[str, ...], arrays: tuple[str, ...]
) -> None:
    """Raise a FormulaError for a name in a formula that is neither an input nor a parameter."""
    for name in inputs:
        if name in (*scalars, *arrays):
            raise FormulaError(
                f"{name!r} is a coordinate of the {kind} formula {short(text)!r}; call the "
                "parameter something else"
            )
    allowed = {*inputs, *scalars, *arrays}
    for name in names(parse(text)):
        if name not in allowed:
            raise FormulaError(
                f"{name!r} in the {kind} formula {short(text)!r} is neither one of its coordinates "
                f"({', '.join(inputs)}) nor a parameter; give it as {name}=value"
            )
        if name in arrays and kind not in ("site", "bond"):
            raise FormulaError(
                f"parameter {name!r} is an array, one value a coordinate: it fits site and bond "
                f"formulas, not {kind}"
            )
