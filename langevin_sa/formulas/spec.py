"""What a formula is before and after printing: the formulas and names that are given, and the
printed bodies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

INPUTS = {"site": ("x",), "bond": ("x", "y"), "link": ("r",), "pair": ("r",)}
INPUTS |= {"density": ("r",), "embedding": ("rho",)}
# of terms over lists: how many particles, and the input of the formula
LISTED = {"bond": (2, "r"), "angle": (3, "theta"), "torsion": (4, "phi")}


def inputs(kind: str, variables: tuple[str, ...]) -> tuple[str, ...]:
    """Names that the formula of a kind is written in: those of coordinates if it has no own."""
    where, *number = kind.split()
    return (LISTED[where][1],) if number else INPUTS.get(kind, variables)


@dataclass(frozen=True)
class Listed:
    """A term over a list of particles: a key of `LISTED`, its formula, and those of its parameters
    that have a value an entry of the list.
    """

    kind: str
    text: str
    arrays: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many particles an entry of the list has."""
        return LISTED[self.kind][0]


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
    density: str | None = None
    embedding: str | None = None
    listed: tuple[Listed, ...] = ()
    cell: bool = False  # whether steps between the particles of a list are to nearest images

    def terms(self) -> dict[str, str]:
        """The formulas that are there, by kind."""
        kinds = {
            "coordinates": self.coordinates,
            "site": self.site,
            "bond": self.bond,
            "link": self.link,
            "pair": self.pair,
            "density": self.density,
            "embedding": self.embedding,
            **{f"{term.kind} {k}": term.text for k, term in enumerate(self.listed)},
        }
        return {kind: text for kind, text in kinds.items() if text is not None}

    @property
    def of_particles(self) -> bool:
        """Whether coordinates are those of particles, whichever a formula mentions."""
        return bool(self.pair or self.link or self.density or self.listed)

    def lists(self, sizes: Sequence[int]) -> list[list[tuple[int, ...]]]:
        """The lists of `listed`, of the first coordinates of particles, as they follow the sites
        along each axis in `sizes`: each with the number of its entries before it.
        """
        rest, found = sizes[1 + self.lattice :], []
        for term in self.listed:
            end = 1 + rest[0] * term.count
            found.append([tuple(rest[k : k + term.count]) for k in range(1, end, term.count)])
            rest = rest[end:]
        return found

    def printed_names(self) -> dict[str, str]:
        """What parameters are called in printed text, which holds no name of a user's: p_0, p_1,
        ..., scalars before arrays, those of lists last.
        """
        of_lists = (name for term in self.listed for name in term.arrays)
        names = dict.fromkeys((*self.scalars, *self.arrays, *of_lists))
        return {name: f"p_{k}" for k, name in enumerate(names)}

    @property
    def first_of_lists(self) -> int:
        """Where the parameters of lists begin, if there are no arrays of coordinates."""
        return len(self.scalars) + (2 * self.space**2 if self.cell else 0)

    def array_places(self) -> range:
        """The numbers in the printed names of array parameters."""
        return range(len(self.scalars), len(self.scalars) + len(self.arrays))

    def inputs(self, kind: str) -> tuple[str, ...]:
        """Names of the coordinates that the formula of a kind is written in."""
        return inputs(kind, self.variables)

    def coordinates_of(self, dim: int) -> tuple[str, ...]:
        """Names of all coordinates in order: the formula's, those of particles, or of sites."""
        if len(self.variables) == dim:
            return self.variables
        if self.of_particles:
            return particle_names(dim // self.space, self.space)
        return tuple(f"x{i + 1}" for i in range(dim))

    def where(self, kind: str, sizes: Sequence[int]) -> list[tuple[int, ...]] | None:
        """The coordinates that are the inputs of a kind's formula, each time it is evaluated; None
        for those of particles. `sizes` are all coordinates, and the sites along each axis.
        """
        dim, *shape = sizes[: 1 + self.lattice]
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
    formula has none; for a term over a list, inputs are the steps from each particle of an entry
    to the next, axis by axis.
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
