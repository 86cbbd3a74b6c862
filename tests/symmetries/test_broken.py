"""The suite can fail: constants and habits that suit one unit or one naming are noticed."""

import looks
import numpy as np
import pytest
import test_naming
import units
from cases import BY_NAME
from units import Units, symmetric

from langevin_sa.formulas import parse
from langevin_sa.potential import Potential
from langevin_sa.scale import STEP, Scale

ATOMS = Units(2.0**-30, 4.0**-35)  # in metre and Joule, nearly
pytestmark = pytest.mark.filterwarnings("ignore:no gradient given:UserWarning")


@pytest.fixture(autouse=True)
def nothing_remembered():
    """What an unbroken package has seen is no witness, nor what a broken one has."""
    for cached in (looks.potential, looks.stiffest, units.own):
        cached.cache_clear()
    yield
    for cached in (looks.potential, looks.stiffest, units.own):
        cached.cache_clear()


def noticed(look, name, there):
    with pytest.raises(AssertionError):
        symmetric(look, BY_NAME[name], there)


def test_differences_that_step_by_the_size_of_x_or_1(monkeypatch):
    def difference(self, block):
        gradient = np.empty_like(block)
        for c in range(self.dim):
            h = np.zeros_like(block)
            h[:, c] = STEP * np.maximum(1, np.abs(block[:, c]))
            gradient[:, c] = (self.energy(block + h) - self.energy(block - h)) / (2 * h[:, c])
        return gradient

    monkeypatch.setattr(Potential, "_difference", difference)
    noticed(looks.evaluated, "differences", Units(1e-9))
    noticed(looks.evaluated, "differences", Units(offset=1e6))


def test_a_natural_length_of_at_least_1(monkeypatch):
    def lengths(self, x, real=Scale.lengths):
        return np.maximum(1, real(self, x))

    monkeypatch.setattr(Scale, "lengths", lengths)
    noticed(looks.curved, "double well", ATOMS)


@pytest.mark.parametrize("there", [ATOMS, Units(level=1e5)], ids=["unit", "zero"])
def test_a_natural_energy_with_a_floor(monkeypatch, there):
    real = Scale.energy.func

    def energy(self):
        if there is ATOMS:
            return max(1.0, real(self))
        return float(np.abs(self._potential.energy(self._points)).max())

    monkeypatch.setattr(Scale, "energy", property(energy))
    noticed(looks.compared, "double well", there)


def test_names_in_the_order_of_their_letters(monkeypatch):
    monkeypatch.setattr(parse, "natural", lambda name: name)
    case, names = BY_NAME["twelve names"], "abcdfghijklm"
    other = test_naming.called(case, names, order=list(range(12)))
    with pytest.raises(AssertionError):
        test_naming.agree(looks.evaluated, case, other, list(range(12)), 1e-12)
