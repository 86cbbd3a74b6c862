"""A formula's energy, gradient and Laplacian on blocks of replicas, in NumPy code printed from
it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from textwrap import indent
from typing import Any

import numpy as np

from ..laws import Drive, values
from .numpy_particles import embedded, embedded_laplacian, over_lists
from .parse import PRINTED
from .spec import Body, Source, Spec


class Formula:
    """A printed formula with the numbers it needs.

    Parameters
    ----------
    source : Source
        What was printed.
    numbers : ndarray
        The parameters: scalars, then each array flat; arrays of terms over lists come last.
    size : ndarray of int
        dim, the sites along each axis of a lattice, and lists of particles, see `Spec.lists`.
    laws : mapping, optional
        Of scalars that are laws of progress, by name; `numbers` are then those of progress 1.
    """

    truncated = False  # whether pairs beyond a cut-off do not count
    domain: np.ndarray | None = None  # (dim, 2), where one follows from the formula

    def __init__(
        self,
        source: Source,
        numbers: np.ndarray,
        size: np.ndarray,
        laws: Mapping[str, Any] | None = None,
    ) -> None:
        self.source, self.numbers, self.size = source, numbers, size
        self.laws = dict(laws or {})
        self._functions: dict[str, Any] | None = None

    def _function(self, name: str) -> Callable[..., Any]:
        if self._functions is None:  # compiled on first use, not pickled
            space = {f: OTHER.get(f) or getattr(np, f) for f in PRINTED}
            space |= {f: getattr(np, f) for f in ("zeros_like", "roll", "power", "stack")}
            space |= {"neighbours": _neighbours, "add_at": _add_at}
            text = numpy_source(self.source.spec, self.source.bodies)
            exec(compile(text, f"<formula {self.source.key}>", "exec"), space)
            self._functions = space
        return self._functions[name]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_functions": None}

    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energy (replicas,) and gradient (replicas, dim)."""
        with np.errstate(all="ignore"):
            return self._function("energy_gradient")(x, self._numbers_like(x), self.size)

    def energy(self, x: np.ndarray) -> np.ndarray:
        """Energy (replicas,)."""
        return self.energy_gradient(x)[0]

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Gradient (replicas, dim)."""
        return self.energy_gradient(x)[1]

    def laplacian(self, x: np.ndarray) -> np.ndarray:
        """Laplacian (replicas,)."""
        with np.errstate(all="ignore"):
            return self._function("laplacian")(x, self._numbers_like(x), self.size)

    def drive(self, progress: np.ndarray) -> Drive:
        """The laws' values at each progress."""
        columns = [values(law, progress, name) for name, law in self.laws.items()]
        places = [self.source.spec.scalars.index(name) for name in self.laws]
        return Drive(np.array(places, dtype=np.int64), np.stack(columns, axis=1))

    def moved(self, places: np.ndarray, row: np.ndarray) -> Formula:
        """The formula with these of its numbers, and no laws."""
        frozen = copy(self)
        frozen.numbers, frozen.laws = self.numbers.copy(), {}
        frozen.numbers[places] = row
        return frozen

    def _numbers_like(self, x: Any) -> Any:
        """The parameters as an array of the kind of x, which may be CuPy's."""
        return self.numbers if isinstance(x, np.ndarray) else np.asarray(self.numbers, like=x)


OTHER: dict[str, Callable[..., Any]] = {
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "max": np.maximum,
    "min": np.minimum,
    "where": lambda a, b, c: np.where(a > 0, b, c),
}


def _neighbours(v: np.ndarray, axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Slices of the lower and the upper sites of the bonds along an axis, open ends."""
    low, high = [slice(None)] * v.ndim, [slice(None)] * v.ndim
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return tuple(low), tuple(high)


def _add_at(g: Any, columns: Any, values: Any) -> None:
    """Add values (replicas, entries) to columns of g, of which some may be the same."""
    if isinstance(g, np.ndarray):
        place: Any = slice(None), columns
        np.add.at(g, place, values)
    else:  # CuPy's
        for k, column in enumerate(columns.tolist()):
            g[:, column] += values[:, k]


def numpy_source(spec: Spec, bodies: Mapping[str, Body]) -> str:
    """``energy_gradient(x, p, size)`` and ``laplacian(x, p, size)`` on arrays (replicas, dim)."""
    energy = ["e = zeros_like(x[:, 0], dtype=float)", "g = zeros_like(x)"]
    laplacian = ["e = zeros_like(x[:, 0], dtype=float)"]
    for kind, body in bodies.items():
        if kind == "embedding":
            energy.append(embedded(spec, bodies["density"], body))
            laplacian.append(embedded_laplacian(spec, bodies["density"], body))
        elif kind != "density" and " " not in kind:
            energy.append(_numpy_term(spec, kind, body.lines, body.value, body.derivatives))
            laplacian.append(_numpy_term(spec, kind, body.laplacian_lines, body.laplacian, ()))
    for part, whole in ((energy, True), (laplacian, False)):
        part += over_lists(spec, bodies, whole)
    unpack = [f"p_{i} = p[{i}]" for i in range(len(spec.scalars))]
    shaped = f".reshape(*size[1:{1 + spec.lattice}])" if spec.lattice else ""
    for k, place in enumerate(spec.array_places()):
        first = f"{len(spec.scalars)} + {k}*x.shape[1]"
        unpack.append(f"p_{place} = p[{first}:][:x.shape[1]]{shaped}")

    def function(name: str, parts: list[str], result: str) -> str:
        body = indent("\n".join([*unpack, *parts, f"return {result}"]), "    ")
        return f"def {name}(x, p, size):\n{body}\n\n"

    return function("energy_gradient", energy, "e, g") + function("laplacian", laplacian, "e")


def _numpy_term(
    spec: Spec, kind: str, lines: tuple[str, ...], value: str, derivatives: tuple[str, ...]
) -> str:
    body = "\n".join(lines)
    if kind == "coordinates":
        inputs = [f"v{i} = x[:, {c}]" for i, c in enumerate(spec.places)]
        outputs = [f"g[:, {c}] += {d}" for c, d in zip(spec.places, derivatives, strict=False)]
        return "\n".join([*inputs, body, f"e += {value}", *outputs])
    forces = "gv = g.reshape(v.shape)\n" if derivatives else ""
    grid = f"v = x.reshape(len(x), *size[1:{1 + spec.lattice}])\n{forces}"
    total = f"e += (zeros_like(v0, dtype=float) + {value}).reshape(len(x), -1).sum(1)\n"
    if kind == "site":
        return f"{grid}v0 = v\n{body}\n{total}" + "".join(f"gv += {d}\n" for d in derivatives)
    if kind == "bond":
        places = spec.array_places()
        if spec.periodic:
            load = "v0, v1 = v, roll(v, -1, axis)\n"
            store = ("gv += {}\n", "gv += roll(zeros_like(v0, dtype=float) + {}, 1, axis)\n")
        else:
            load = "low, high = neighbours(v, axis)\nv0, v1 = v[low], v[high]\n"
            store = ("gv[low] += {}\n", "gv[high] += {}\n")
            load += "".join(f"whole_{a}, p_{a} = p_{a}, p_{a}[low[1:]]\n" for a in places)
        restore = "" if spec.periodic else "".join(f"p_{a} = whole_{a}\n" for a in places)
        stored = "".join(s.format(d) for s, d in zip(store, derivatives, strict=False))
        inner = f"{load}{body}\n{total}{stored}{restore}"
        return f"{grid}for axis in range(1, v.ndim):\n" + indent(inner, "    ")
    if kind == "pair":
        apart, push = "v[:, i + 1:] - v[:, i:i + 1]", "gv[:, i + 1:] += f\ngv[:, i] -= f.sum(1)"
    elif spec.periodic:
        apart, push = "roll(v, -1, 1) - v", "gv += roll(f, 1, 1)\ngv -= f"
    else:
        apart, push = "v[:, 1:] - v[:, :-1]", "gv[:, 1:] += f\ngv[:, :-1] -= f"
    inner = f"d = {apart}\nv0 = (d*d).sum(2)\n{body}\n{total}"
    for derivative in derivatives:
        inner += f"f = (zeros_like(v0, dtype=float) + 2*({derivative}))[..., None]*d\n{push}\n"
    split = f"v = x.reshape(len(x), -1, {spec.space})\n{forces}"
    if kind == "link":
        return split + inner
    return split + "for i in range(v.shape[1] - 1):\n" + indent(inner, "    ")
