"""Functions and modules of torch (extra ``ml``): replicas by `torch.func.vmap`, gradients by its
autograd.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from .answers import answer_of, name_of

try:
    import torch
except ImportError as error:
    raise ImportError(
        "Potential.from_torch needs torch, which the extra ml brings: pip install 'langevin_sa[ml]'"
    ) from error


class TorchFunction:
    """``fun(x (dim,), *args)``, or of (replicas, dim) if `batched`, with its derivatives over
    replicas in float64.

    Of a module, and of arrays in `args`, there are copies in float64; the module's is in its
    evaluation mode, and computes where the module did.
    """

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...], batched: bool) -> None:
        self.device = torch.device("cpu")
        if isinstance(fun, torch.nn.Module):
            self.device = next((p.device for p in fun.parameters()), self.device)
            fun = deepcopy(fun).double().eval().requires_grad_(False)
        self.fun, self.args, self.batched = fun, tuple(map(_in_float64, args)), batched

    def energy(self, x: np.ndarray) -> np.ndarray:
        """Energies (replicas,) at x (replicas, dim)."""
        with torch.no_grad():
            return _numpy(self._energies(self._tensor(x)))

    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (replicas,) and gradients (replicas, dim)."""
        points = self._tensor(x).requires_grad_()
        with torch.enable_grad():
            energy = self._energies(points)
        return _numpy(energy), _numpy(self._slope(energy, points))

    def laplacian(self, x: np.ndarray) -> np.ndarray:
        """Laplacians (replicas,), backward twice, at the cost of some 2*dim gradients."""
        points = self._tensor(x).requires_grad_()
        with torch.enable_grad():
            slope = self._slope(self._energies(points), points, create_graph=True)
            if not slope.requires_grad:  # linear
                return np.zeros(len(x))
            total = torch.zeros(len(x), dtype=torch.float64, device=self.device)
            for k in range(x.shape[1]):
                total += self._slope(slope[:, k], points, retain_graph=True)[:, k]
        return _numpy(total)

    def _tensor(self, x: np.ndarray) -> Any:
        return torch.tensor(x, dtype=torch.float64, device=self.device)

    def _energies(self, x: Any) -> Any:
        if self.batched:
            return answer_of(self.fun, self.fun(x, *self.args), x.shape[:1])
        return torch.func.vmap(lambda one: answer_of(self.fun, self.fun(one, *self.args), ()))(x)

    def _slope(self, values: Any, x: Any, **keywords: Any) -> Any:
        """Gradient of the sum of values, which is that of each."""
        if not values.requires_grad:
            raise TypeError(
                f"torch cannot differentiate what {name_of(self.fun)} returns: leave out .item(), "
                ".detach(), .numpy() and torch.no_grad()"
            )
        return torch.autograd.grad(values.sum(), x, **keywords)[0]


def _in_float64(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = torch.tensor(value)
    if torch.is_tensor(value) and value.is_floating_point():
        return value.detach().double()
    return value


def _numpy(tensor: Any) -> np.ndarray:
    array: np.ndarray = tensor.detach().cpu().numpy()
    return array
