"""The way from a result to its picture: matplotlib is loaded when something is drawn; and the names
of units that pictures show.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from .arguments import check_positive, check_type


def draw(picture: str, *args: Any, **keywords: Any) -> Any:
    """Call the function called `picture` of the public name `plots`."""
    return getattr(sys.modules[__package__].plots, picture)(*args, **keywords)


@dataclass(frozen=True)
class Units:
    """Names of the units of a potential's energies and lengths: ``U.units = Units(...)``.

    No number changes: temperatures, of schedules too, are in units of energy. Pictures and
    datasets have the names, and where kB is given pictures show temperatures in kelvin.

    Parameters
    ----------
    energy, length : str
        As in "eV", "Angstrom".
    kB : float, optional
        Boltzmann's constant, energy per kelvin: 8.617333262e-5 in eV, 0.00198720426 in kcal/mol,
        0.00831446262 in kJ/mol.

    Raises
    ------
    TypeError, ValueError
        For a name that is no text, or a kB that is not positive.

    Examples
    --------
    >>> Units("eV", "Angstrom", kB=8.617333262e-5).shown_temperature(8.617333262e-3)
    100.0
    """

    energy: str = "energy"
    length: str = "length"
    kB: float | None = None

    def __post_init__(self) -> None:
        check_type(self.energy, str, "energy")
        check_type(self.length, str, "length")
        if self.kB is not None:
            check_positive(kB=self.kB)

    @property
    def temperature(self) -> str:
        """The unit in which temperatures are shown: "K" with kB, else that of energy."""
        return self.energy if self.kB is None else "K"

    def shown_temperature(self, T: Any) -> Any:
        """Temperatures, given in units of energy, in that unit."""
        return T if self.kB is None else T / self.kB
