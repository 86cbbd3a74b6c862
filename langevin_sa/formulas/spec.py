"""What a formula is before and after printing: the formulas and names that are given, and the
printed bodies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

INPUTS = {"site": ("x",), "bond": ("x", "y"), "link": ("r",), "pair": ("r",)}


@dataclass(frozen=True)
class Spec:
    """What is generated: formulas and the names in them, not the sizes and not the parameters'
    values.
    """

    coordinates: str | None
    variables: tuple[str, ...]
    places: tuple[int, ...]  # which coordinate each variable is
    site: str | None
    bond: str | None
    link: str | None
    pair: str | None
    scalars: tuple[str, ...]
    arrays: tuple[str, ...]
    lattice: int  # number of lattice axes
    periodic: bool
    space: int  # dimensions of a particle's position

    def terms(self) -> dict[str, str]:
        """The formulas that are there, by kind."""
        kinds = {
            "coordinates": self.coordinates,
            "site": self.site,
            "bond": self.bond,
            "link": self.link,
            "pair": self.pair,
        }
        return {kind: text for kind, text in kinds.items() if text is not None}

    def printed_names(self) -> dict[str, str]:
        """What parameters are called in printed text, which holds no name of a user's: p_0, p_1,
        ..., scalars before arrays.
        """
        return {name: f"p_{k}" for k, name in enumerate((*self.scalars, *self.arrays))}

    def array_places(self) -> range:
        """The numbers in the printed names of array parameters."""
        return range(len(self.scalars), len(self.scalars) + len(self.arrays))

    def inputs(self, kind: str) -> tuple[str, ...]:
        """Names of the coordinates that the formula of a kind is written in."""
        return INPUTS.get(kind, self.variables)

    def coordinates_of(self, dim: int) -> tuple[str, ...]:
        """Names of all coordinates in order: the formula's, those of particles, or of sites."""
        if len(self.variables) == dim:
            return self.variables
        if self.pair or self.link:
            return particle_names(dim // self.space, self.space)
        return tuple(f"x{i + 1}" for i in range(dim))

    def where(self, kind: str, sizes: Sequence[int]) -> list[tuple[int, ...]] | None:
        """The coordinates that are the inputs of a kind's formula, each time it is evaluated; None
        for those of distances. `sizes` are all coordinates, and the sites along each axis.
        """
        dim, *shape = sizes
        if kind == "coordinates":
            return [self.places]
        if kind == "site":
            return [(d,) for d in range(dim)]
        return _bonds(shape, self.periodic) if kind == "bond" else None


def particle_names(particles: int, space: int) -> tuple[str, ...]:
    """x1, y1, z1, x2, ...; x1_1, x1_2, ... in more than three dimensions."""
    axes = ["x{}", "y{}", "z{}"][:space] if space <= 3 else [f"x{{}}_{k + 1}" for k in range(space)]
    return tuple(axis.format(i + 1) for i in range(particles) for axis in axes)


def _bonds(shape: Sequence[int], periodic: bool) -> list[tuple[int, ...]]:
    """Sites at the lower and the upper end of each bond of a lattice."""
    bonds: list[tuple[int, ...]] = []
    stride = prod(shape)
    for length in shape:
        stride //= length
        for d in range(prod(shape)):
            last = (d // stride) % length == length - 1
            if periodic or not last:
                bonds.append((d, d - (length - 1) * stride if last else d + stride))
    return bonds


@dataclass(frozen=True)
class Body:
    """Printed term: assignments, its value, one derivative for each input, its Laplacian (with its
    own assignments).

    For a pair the input is the squared distance, so the force needs no square root where the
    formula has none.
    """

    lines: tuple[str, ...]
    value: str
    derivatives: tuple[str, ...]
    laplacian_lines: tuple[str, ...]
    laplacian: str


@dataclass(frozen=True, eq=False)
class Source:
    """Everything printed from one `Spec`."""

    key: str
    spec: Spec
    latex: str
    bodies: Mapping[str, Body]
