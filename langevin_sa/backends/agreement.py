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
    two = formula is None and potential._energy is not None and potential._both is not None
    if not two and (formula is None or isinstance(backend, NumpyBackend)):
        return
    if potential.dim > (MOST_NEIGHBOURS if formula is not None and formula.truncated else MOST):
        return
    count = 1 if two else int(np.clip(MOST // (10 * potential.dim), 1, FEW))
    x, here = on_host(walk.x[:count]).astype(float), on_host(walk.energy[:count])
    aside = NEARBY * potential.scale.lengths(x) * np.where(np.arange(potential.dim) % 2, -1.0, 1.0)
    points = np.concatenate([x, x + aside])
    energies = potential.energy(points) if two else formula.energy_gradient(points)[0]
    there, near = np.split(energies, 2)
    with np.errstate(invalid="ignore"):
        change = np.abs(near - there)
        size = np.maximum(np.abs(there), np.where(np.isfinite(change), change, 0.0))
        unit = np.finfo(walk.x.dtype if two or on_gpu(walk.x) else float).eps
        off = np.abs(here - there) > LOOSE * np.sqrt(unit) * size
    if not off.any():
        return
    r = int(np.argmax(off))
    if two:
        raise ValueError(
            f"the energy of {potential.name} is {there[r]:.9g} where its energy_gradient says "
            f"{here[r]:.9g}, at the start of replica {r}: make them one function, or leave out "
            "energy"
        )
    raise RuntimeError(
        f"the compiled kernel of {potential.name} finds the energy {here[r]:.12g} where the "
        f"formula's is {there[r]:.12g}, at the start of replica {r}: either the formula loses "
        "most of its digits by cancelling (write 2*sin(x/2)**2 for 1 - cos(x)), or this is a "
        'fault of langevin_sa, to be reported; backend="numpy" runs the formula as it is'
    )
