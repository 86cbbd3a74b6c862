"""The catalogue of potentials, each with its domain and its known minima.

>>> from langevin_sa import potentials
>>> potentials.rastrigin(dim=2).minimum_energy
0.0
"""

from __future__ import annotations

from collections.abc import Callable

from ..arguments import look_up
from ..potential import Potential
from .analytic import (
    ackley,
    griewank,
    levy,
    michalewicz,
    rastrigin,
    rosenbrock,
    schwefel,
    styblinski_tang,
)
from .clusters import gupta, lennard_jones, morse_cluster, sutton_chen
from .fluids import kob_andersen, lennard_jones_fluid
from .lattices import harmonic_chain, normal_modes, phi4_chain, phi4_lattice, spin_glass, xy_chain
from .learning import clouds, digits, logistic_regression, one_hidden_layer
from .molecules import butane, fene_chain
from .surfaces import himmelblau, muller_brown, six_hump_camel, three_hump_camel
from .wells import double_well, funnel, gaussian_wells, harmonic, periodic, prinz, quartic

_FAMILIES: dict[str, tuple[Callable[..., Potential], ...]] = {
    "wells": (harmonic, quartic, double_well, prinz, periodic, gaussian_wells, funnel),
    "surfaces": (muller_brown, himmelblau, three_hump_camel, six_hump_camel),
    "analytic": (
        rosenbrock,
        rastrigin,
        styblinski_tang,
        schwefel,
        levy,
        michalewicz,
        ackley,
        griewank,
    ),
    "clusters": (lennard_jones, morse_cluster, gupta, sutton_chen),
    "molecules": (fene_chain, butane),
    "fluids": (lennard_jones_fluid, kob_andersen),
    "lattices": (phi4_chain, phi4_lattice, xy_chain, harmonic_chain, spin_glass),
    "learning": (logistic_regression, one_hidden_layer),
}


def catalogue(family: str | None = None) -> dict[str, Callable[..., Potential]]:
    """Every potential's function by name, of one family or all; each works without arguments.

    Parameters
    ----------
    family : str, optional
        "wells", "surfaces", "analytic", "clusters", "molecules", "fluids", "lattices" or
        "learning"; all by default.

    Examples
    --------
    >>> {name: make().dim for name, make in catalogue("clusters").items()}
    {'lennard_jones': 39, 'morse_cluster': 39, 'gupta': 39, 'sutton_chen': 39}
    """
    if family is None:
        return {name: make for family in _FAMILIES for name, make in catalogue(family).items()}
    makes = look_up(family, _FAMILIES, "family of potentials")
    return {make.__name__: make for make in makes}


# family by family, word by word, as type checkers read it
__all__ = ["catalogue", "clouds", "digits", "normal_modes"]
__all__ += ["double_well", "funnel", "gaussian_wells", "harmonic", "periodic", "prinz", "quartic"]
__all__ += ["himmelblau", "muller_brown", "six_hump_camel", "three_hump_camel"]
__all__ += ["levy", "michalewicz", "rastrigin", "rosenbrock", "schwefel", "styblinski_tang"]
__all__ += ["ackley", "griewank", "gupta", "lennard_jones", "morse_cluster", "sutton_chen"]
__all__ += ["butane", "fene_chain", "kob_andersen", "lennard_jones_fluid"]
__all__ += ["harmonic_chain", "phi4_chain", "phi4_lattice", "spin_glass", "xy_chain"]
__all__ += ["logistic_regression", "one_hidden_layer"]
