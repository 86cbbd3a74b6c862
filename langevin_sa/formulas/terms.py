"""What `Potential.from_formula` takes, read: which terms go together, their parameters, coordinates
and sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..arguments import check_flags, check_whole, real, real_array, short, shown
from ..laws import values
from .derive import source_of
from .in_numpy import Formula
from .lists import flat as flat_lists, read_lists
from .parse import CONSTANTS, FUNCTIONS, FormulaError, names, normal, parse
from .spec import Spec, inputs, particle_names

KINDS = ("coordinates", "site", "bond", "link", "pair", "density", "embedding")
REACHING = ("pair", "density")  # which a cut-off may end
DISTANCES = {"link", "pair", "density"}
LOOKS = np.linspace(0, 1, 101)  # progress at which a law is looked at before it is used


def read_formula(
    texts: Mapping[str, str],
    parameters: Mapping[str, Any],
    variables: Any,
    given: Mapping[str, Any],
    *,
    dim: int | None,
    shape: Sequence[int] | None,
    space: int,
    periodic: bool,
    particles: int | None,
    cutoff: Any,
    box: Any,
    species: Any,
    terms: Any = None,
) -> tuple[Formula, int]:
    """A printed formula, and how many coordinates it is of.

    Parameters
    ----------
    texts : mapping
        The formulas by kind of term.
    parameters, variables, dim, shape, space, periodic, particles, cutoff, box, species, terms
        As for `Potential.from_formula`.
    given : mapping
        Its other arguments that may be numbers, and so be mistaken for parameters.
    """
    if terms is not None and not (box is None and species is None):
        sizes_of = {"dim": dim, "space": space, "periodic": periodic, "particles": particles}
        ends = {"cutoff": cutoff, "box": box, "species": species}
        return _in_cell(texts, parameters, given, sizes_of, ends, terms)
    listed = read_lists(terms, particles, space)
    texts = {**texts, **{f"{term.kind} {k}": term.text for k, term in enumerate(listed)}}
    check_terms(texts, particles, shape, cutoff, box, species)
    if cutoff is not None and set(texts) != {"pair"}:
        ends = {k: _truncated(k, texts[k], parameters, cutoff) for k in REACHING if k in texts}
        texts, cutoff = {**texts, **ends}, None
    if particles is not None and "bond" in texts:
        texts = {"link" if kind == "bond" else kind: text for kind, text in texts.items()}
    scalars, arrays, laws = sorted_parameters(parameters)
    lists = tuple(term.listed(arrays) for term in listed)
    of_lists = [(name, arrays[name]) for term in lists for name in term.arrays]
    if cutoff is not None:  # a matrix is one number to each pair
        scalars, arrays = dict(sorted({**scalars, **arrays}.items())), {}
    named = variables is not None
    variables = coordinates(texts.get("coordinates"), variables, parameters, particles, space)
    own = {**given, "dim": dim, "space": space, "periodic": periodic}
    check_all_names(texts, own, variables, scalars, arrays)
    for name, _ in of_lists:
        if arrays.pop(name, None) is not None:
            check_apart(name, texts)
    check_flags(periodic=periodic)
    lattice = "site" in texts or "bond" in texts
    dim, shape = sizes(len(variables), dim, shape, particles, space, lattice)
    if "bond" in texts and periodic and 1 in shape:
        raise ValueError(f"periodic bonds need at least 2 sites along each axis, not {shape}")
    if "link" in texts and periodic and particles == 1:
        raise ValueError("periodic bonds need at least 2 particles, not 1")
    for key, array in arrays.items():
        if array.size != dim or (array.ndim > 1 and array.shape != shape):
            raise ValueError(
                f"parameter {key!r} has shape {array.shape}; an array parameter needs one "
                f"value a coordinate, {dim}"
            )
    places = list(range(len(variables)))
    if variables and not named and (lists or not DISTANCES.isdisjoint(texts)):
        used = set(names(parse(texts["coordinates"])))  # of a thousand particles perhaps a few
        places = [c for c in places if variables[c] in used]
    formulas: dict[str, Any] = {kind: texts.get(kind) for kind in KINDS}
    spec = Spec(
        **formulas,
        variables=tuple(variables[c] for c in places),
        places=tuple(places),
        scalars=tuple(scalars),
        arrays=tuple(arrays),
        lattice=len(shape),
        periodic=bool(periodic),
        space=space,
        listed=lists,
    )
    if cutoff is not None:
        from .cutoff import CutoffFormula

        args = (dim // space, cutoff, box, species, laws)
        return CutoffFormula(source_of(spec), scalars, *args), dim
    flat = (array.ravel() for array in (*arrays.values(), *(a for _, a in of_lists)))
    numbers = np.concatenate([np.array(list(scalars.values()), dtype=float), *flat])
    size = np.array([dim, *shape, *flat_lists(listed, space)], dtype=np.int64)
    return Formula(source_of(spec), numbers, size, laws), dim


def check_apart(name: str, texts: Mapping[str, str]) -> None:
    """Raise a FormulaError if an array of a list is in another kind of formula too."""
    for kind in {"site", "bond"}.intersection(texts):
        if name in names(parse(texts[kind])):
            raise FormulaError(
                f"parameter {name!r} has one value an entry of a list in terms=, and is in the "
                f"{kind} formula {short(texts[kind])!r} too; give that one another name"
            )


def written(texts: Mapping[str, str], terms: Iterable[Any]) -> str:
    """The formulas in one line, for a name."""
    of_lists = (f"{kind} {text}" for kind, _, text in terms)
    own = (text if k == "coordinates" else f"{k} {text}" for k, text in texts.items())
    return "; ".join([*own, *of_lists])


def check_terms(
    texts: Mapping[str, str], particles: Any, shape: Any, cutoff: Any, box: Any, species: Any
) -> None:
    """Raise a TypeError unless the terms that are there and what belongs to pairs go together."""
    if not texts:
        raise TypeError("give a formula, or site=, bond= or pair=, density= or terms=")
    if cutoff is not None and not set(REACHING) & set(texts):
        raise TypeError("cutoff= goes with pair= or density=")
    if ("density" in texts) != ("embedding" in texts):
        raise TypeError("density= and embedding= go together: a formula of r, and one of rho")
    if len(texts) > 1 and (box is not None or species is not None):
        raise TypeError("box= and species= go with pair= alone, not with other terms")
    if cutoff is None and (box is not None or species is not None):
        raise TypeError(
            "box= and species= go with cutoff=, the distance beyond which a pair does not count"
        )
    for kind in REACHING:
        if kind in texts and particles is None:
            raise TypeError(f"{kind}= needs particles=, the number of particles")
    if set(texts) == {"site"} and particles is not None:
        raise TypeError("particles= goes with pair=, with bond= or with a formula of coordinates")
    if "bond" in texts and particles is not None and shape is not None:
        raise TypeError("with particles=, bond= joins consecutive particles: give no shape=")


def _in_cell(
    texts: Mapping[str, str],
    parameters: Mapping[str, Any],
    given: Mapping[str, Any],
    sizes_of: Mapping[str, Any],
    ends: Mapping[str, Any],
    terms: Any,
) -> tuple[Formula, int]:
    """Pairs with a cut-off in a cell, and terms over lists: two formulas, each with its own
    parameters.
    """
    from .cutoff import CutoffFormula

    if "pair" not in texts:
        raise TypeError("box= and species= go with pair= and cutoff=")
    lists = read_lists(terms, sizes_of["particles"], sizes_of["space"])
    in_lists = {name for term in lists for name in names(parse(term.text))}
    in_pairs = {name for text in texts.values() for name in names(parse(text))}
    own = {k: value for k, value in parameters.items() if normal(k) in in_lists}
    for name in (name for name, value in own.items() if callable(value)):
        raise ValueError(
            f"{name} of terms= cannot be a law of progress beside box= or species=: give a number, "
            "or leave these out"
        )
    rest = {k: v for k, v in parameters.items() if normal(k) in in_pairs or k not in own}
    pairs, dim = read_formula(texts, rest, None, given, **sizes_of, **ends, shape=None)
    none: dict[str, Any] = dict.fromkeys(("shape", "cutoff", "box", "species"))
    of_lists, _ = read_formula({}, own, None, given, **sizes_of, **none, terms=terms)
    assert isinstance(pairs, CutoffFormula)
    return pairs.with_lists(of_lists), dim


def _truncated(kind: str, text: str, parameters: Mapping[str, Any], cutoff: Any) -> str:
    """A formula of r truncated and shifted, V(r) - V(cutoff) for r < cutoff, as a formula."""
    if not (real(cutoff) and 0 < cutoff < math.inf):
        raise ValueError(
            f"beside other terms cutoff must be a positive, finite number, not {shown(cutoff)}"
        )
    used = set(names(parse(text)))
    own = {name: value for name, value in parameters.items() if normal(name) in used}
    for name in (name for name, value in own.items() if callable(value)):
        raise ValueError(
            f"{name} is a law of progress in the {kind} formula {short(text)!r}: beside other "
            "terms cutoff= takes off one energy for the whole run; leave out the cutoff, or the "
            "other terms"
        )
    end = float(cutoff)
    none = dict.fromkeys(("dim", "shape", "cutoff", "box", "species"))
    two: dict[str, Any] = {**none, "space": 1, "periodic": False, "particles": 2}
    alone, _ = read_formula({"pair": text}, own, None, {}, **two)
    shift = float(alone.energy(np.array([[0.0, end]]))[0])
    if not math.isfinite(shift):
        raise ValueError(f"the {kind} formula {short(text)!r} is {shift} at the cutoff, {end:g}")
    return f"where({end!r} - r, ({text}) - ({shift!r}), 0)"


def sorted_parameters(
    parameters: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Any]]:
    """Numbers, arrays and laws, each in alphabetical order; laws are also among the numbers, as
    what they are at progress 1.
    """
    scalars, arrays, laws = {}, {}, {}
    for given, value in sorted(parameters.items()):
        name = normal(given)
        if name in scalars or name in arrays:
            raise ValueError(f"parameter {name!r} is there twice: Python reads {given!r} as that")
        if name in (*FUNCTIONS, *CONSTANTS):
            raise ValueError(
                f"a parameter cannot be called {name!r}: that is a function or constant of formulas"
            )
        if callable(value):
            laws[name], value = value, values(value, LOOKS, f"parameter {name!r}")[-1]
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
    return scalars, arrays, laws


def coordinates(
    formula: str | None,
    variables: Any,
    parameters: Iterable[str],
    particles: int | None,
    space: int,
) -> tuple[str, ...]:
    """Names of a formula's coordinates, in order; () if there is no formula of coordinates."""
    if formula is None:
        return ()
    if variables is None and particles is not None:
        check_whole(1, particles=particles, space=space)
        return particle_names(int(particles), int(space))
    if variables is None:
        known = set(map(normal, parameters))
        variables = (n for n in names(parse(formula)) if n not in known)
    elif isinstance(variables, str) or not isinstance(variables, Iterable):
        raise TypeError(
            f"variables must be a sequence of names, as in ('y', 'x'), not {shown(variables)}"
        )
    variables = tuple(map(normal, variables))
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
        check_names(kind, text, inputs(kind, variables), tuple(scalars), tuple(arrays))
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
        said = ", ".join(f"{what} = {n}" for what, n in claims.items())
        raise ValueError(f"the sizes disagree: {said}")
    n = next(iter(claims.values()))
    return n, (tuple(shape) if shape is not None else (n,)) if lattice else ()


def check_names(
    kind: str, text: str, inputs: tuple[str, ...], scalars: tuple[str, ...], arrays: tuple[str, ...]
) -> None:
    """Raise a FormulaError for a name in a formula that is neither an input nor a parameter."""
    where, *number = kind.split()
    what = f"{'bond' if kind == 'link' else where} formula {short(text)!r}"
    for name in inputs:
        if name in (*scalars, *arrays):
            raise FormulaError(
                f"{name!r} is a coordinate of the {what}; call the parameter something else"
            )
    shown_inputs = ", ".join(inputs if len(inputs) <= 8 else (*inputs[:4], "...", inputs[-1]))
    if kind == "link":
        shown_inputs += ", the distance of consecutive particles"
    allowed = {*inputs, *scalars, *arrays}
    for name in names(parse(text)):
        if name not in allowed:
            raise FormulaError(
                f"{name!r} in the {what} is neither one of its coordinates ({shown_inputs}) nor a "
                f"parameter; give it as {name}=value"
            )
        if name in arrays and kind not in ("site", "bond") and not number:
            raise FormulaError(
                f"parameter {name!r} is an array, one value a coordinate: it fits site and bond "
                f"formulas, not {'bonds of particles' if kind == 'link' else kind}"
            )
