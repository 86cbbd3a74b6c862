"""A compiled kernel is believed only if its first energies are those of the NumPy reference, which
another printer made of the same formula; two functions of the user, if they say the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import on_gpu, on_host
from .numpy import NumpyBackend
from .walk import Backend, Walk

# replicas looked at; coordinates beyond which the reference takes too long
FEW, MOST = 4, 1_000_000
MOST_NEIGHBOURS = 30_000  # the same with a cut-off, where it makes lists of neighbours anew
NEARBY = 0.01  # natural lengths, within which energies say how much is much
# how many roots of the rounding unit; the energy may lose half of its digits by cancelling
LOOSE = 64.0


def check_first_energies(backend: Backend, potential: Any, walk: Walk) -> None:
    """Raise a RuntimeError unless the energies that a backend found at a walk's start are the
    formula's, and a ValueError where a potential's two functions disagree about the first.

    They may differ by a millionth (a fiftieth, where a GPU's arithmetic is float32) of their size,
    or of how much the energy changes in a hundredth of the natural length.
    """
    formula = potential.formula
    if formula is None and potential._energy is not None and potential._both is not None:
        _check_beside(potential, walk)
    if formula is None or isinstance(backend, NumpyBackend):
        return
    if potential.dim > (MOST_NEIGHBOURS if formula.truncated else MOST):
        return
    count = int(np.clip(MOST // (10 * potential.dim), 1, FEW))
    x, here = on_host(walk.x[:count]).astype(float), on_host(walk.energy[:count])
    aside = NEARBY * potential.scale.lengths(x) * np.where(np.arange(potential.dim) % 2, -1.0, 1.0)
    there, near = np.split(formula.energy_gradient(np.concatenate([x, x + aside]))[0], 2)
    with np.errstate(invalid="ignore"):
        change = np.abs(near - there)
        size = np.maximum(np.abs(there), np.where(np.isfinite(change), change, 0.0))
        unit = np.finfo(walk.x.dtype if on_gpu(walk.x) else float).eps
        off = np.abs(here - there) > LOOSE * np.sqrt(unit) * size
    if off.any():
        r = int(np.argmax(off))
        raise RuntimeError(
            f"the compiled kernel of {potential.name} finds the energy {here[r]:.12g} where the "
            f"formula's is {there[r]:.12g}, at the start of replica {r}: either the formula loses "
            "most of its digits by cancelling (write 2*sin(x/2)**2 for 1 - cos(x)), or this is a "
            'fault of langevin_sa, to be reported; backend="numpy" runs the formula as it is'
        )


def _check_beside(potential: Any, walk: Walk) -> None:
    """`energy` given beside `energy_gradient`."""
    here, beside = float(walk.energy[0]), float(potential.energy(on_host(walk.x[0])))
    if abs(beside - here) > LOOSE * np.sqrt(np.finfo(walk.x.dtype).eps) * abs(here):
        raise ValueError(
            f"the energy of {potential.name} is {beside:.9g} where its energy_gradient says "
            f"{here:.9g}, at the start of replica 0: they must be one function, or leave out energy"
        )
