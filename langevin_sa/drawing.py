"""The way from a result to its picture and to a notebook's output: matplotlib is loaded when
something is drawn; and the names of units that pictures show.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from dataclasses import dataclass, fields
from html import escape
from typing import Any

import numpy as np

from .arguments import check_positive, check_type


def draw(picture: str, *args: Any, **keywords: Any) -> Any:
    """Call the function called `picture` of the public name `plots`."""
    return getattr(sys.modules[__package__].plots, picture)(*args, **keywords)


class Shape(str):
    """What stands for an array where things are printed: its dtype and shape."""

    __repr__ = str.__str__


WORDS = "white-space: pre; overflow: auto; max-height: 30em"


def brief(value: Any) -> Any:
    """A value as it is printed: arrays, also in a dict, as their shapes."""
    if isinstance(value, dict):
        return {name: brief(one) for name, one in value.items()}
    return Shape(f"<{value.dtype} {value.shape}>") if isinstance(value, np.ndarray) else value


class Brief:
    """A dataclass that prints its arrays as their shapes; declared with ``repr=False``."""

    def __repr__(self) -> str:
        names = [f.name for f in fields(self) if f.repr]  # type: ignore[arg-type]
        values = {name: getattr(self, name) for name in names}
        told = (f"{name}={brief(v)!r}" for name, v in values.items() if v is not None)
        return f"{type(self).__name__}({', '.join(told)})"


class Displayed:
    """What a notebook shows as the words that it prints, above the picture that `plot` draws."""

    def plot(self) -> Any:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        words = f'<pre style="{WORDS}">{escape(str(self))}</pre>'
        try:
            return words + img(draw("image", self.plot(), "png"), "image/png", 'width="480"')
        except (ValueError, TypeError):  # of no records, of many coordinates, of lists for laws
            return words


def img(picture: bytes, kind: str, look: str = "") -> str:
    """The HTML that shows an image file, `kind` as in "image/png", which it holds."""
    return f'<img {look} alt="" src="data:{kind};base64,{b64encode(picture).decode()}">'


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
    >>> round(Units("eV", "Angstrom", kB=8.617333262e-5).shown_temperature(8.617333262e-3), 6)
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
