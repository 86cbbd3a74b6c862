"""The paper's Table 1 as a torch optimizer: momentum falls from rho0 to 0 while the noise of
mini-batches heats.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..arguments import warn
from ..schedules import COOLMOMENTUM_LAWS
from .ramp import check_ramp

try:
    import torch
except ImportError as error:
    raise ImportError(
        "langevin_sa.ml needs PyTorch, which the extra ml brings: pip install 'langevin_sa[ml]'"
    ) from error

# torch 2.13's kernel leaves 16-bit parameters where they are on a CPU
FUSED_DTYPES = (torch.float32, torch.float64)
Lists = tuple[list[Any], list[Any], list[Any]]  # parameters, their gradients, their updates dx


class CoolMomentum(torch.optim.Optimizer):
    """CoolMomentum: ``dx = rho_n*dx - lr_n*gradient; x = x + dx`` with rho_n from `rho0` to 0 and
    lr_n = (1 + rho_n)/2 lr.

    Parameters
    ----------
    params : iterable
        Parameters, named parameters, or groups of them; a group may have its own value of
        everything below.
    lr : float
        Base learning rate, dt^2 in Table 1; 0 lets what still moves run out. Schedulers may change
        it: dx then carries over as it is, as in other optimizers.
    rho0 : float
        Momentum at the first step, 0 <= rho0 < 1.
    total_steps : int or inf
        S, the steps (not epochs) over which rho falls to 0; later steps have rho = 0, of which the
        first warns. ``math.inf``
        keeps rho = rho0: SGD with momentum rho0 and learning rate (1 + rho0)/2 lr.
    law : {"paper", "exponential", "linear"}
        Eqs. (20)-(21), or the laws that make the temperature of constant gradient noise fall
        exponentially or linearly (the latter is DEMON's decay, arXiv 1910.04952).
    warmup_steps : int
        First steps, of the `total_steps`, with rho = 0; the paper's EfficientNet run has five
        epochs of them.
    weight_decay : float
        Added to the gradient as ``weight_decay*x``, an L2 penalty.
    decoupled_weight_decay : bool
        Instead shrink x by ``1 - lr*weight_decay`` before the step, outside the momentum (lr is the
        base one).
    maximize : bool
        Go up the gradient.
    foreach : bool
        All parameters of a group at once; False goes through them one by one.
    fused : bool
        torch's fused SGD kernel for float32 and float64 parameters, one pass over memory; others go
        the way of `foreach`.

    Notes
    -----
    Each group counts its own steps in ``group["step"]``, which `state_dict` keeps, so that a
    resumed run goes on cooling where it was; steps that a GradScaler skips do not count. A group
    added later starts at the step of the first group. Updates have the parameters' dtype, as in
    `torch.optim.SGD`. Schedulers that cycle a momentum of their own (OneCycleLR, CyclicLR) need
    ``cycle_momentum=False``.

    Raises
    ------
    ValueError
        For a number out of its range or an unknown law, before the first step.
    RuntimeError
        In `step`, before anything moves, for a sparse gradient.
    """

    def __init__(
        self,
        params: Any,
        lr: float,
        rho0: float = 0.99,
        *,
        total_steps: float,
        law: str = "paper",
        warmup_steps: int = 0,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        foreach: bool = True,
        fused: bool = False,
    ) -> None:
        defaults: dict[str, Any] = {"lr": lr, "rho0": rho0, "total_steps": total_steps, "law": law}
        defaults |= {"warmup_steps": warmup_steps, "weight_decay": weight_decay}
        defaults |= {"decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize}
        super().__init__(params, defaults | {"foreach": foreach, "fused": fused})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, which cools along with the first one unless it brings its own ``"step"``."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        try:
            _check(group)
        except (TypeError, ValueError):
            del self.param_groups[-1]
            raise
        group.setdefault("step", self.param_groups[0].get("step", 0))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As any optimizer's; a ValueError or TypeError, before anything changes, for the state of
        another optimizer, or numbers that cannot be.
        """
        for group in state_dict["param_groups"]:
            missing = sorted({"step", *self.defaults} - {*group})
            if missing:
                raise ValueError(
                    f"the state_dict has no {', '.join(missing)}: it is of another optimizer"
                )
            _check(group)
            if not (isinstance(group["step"], int) and group["step"] >= 0):
                raise ValueError(f"step must be a whole number >= 0, not {group['step']!r}")
        super().load_state_dict(state_dict)

    @staticmethod
    def rho(group: dict[str, Any]) -> float:
        """Momentum that the next step of a parameter group will have, Eq. (20)."""
        n, total = group["step"], group["total_steps"]
        if n < group["warmup_steps"] or n >= total:
            return 0.0
        return float(max(0.0, COOLMOMENTUM_LAWS[group["law"]](n / total, group["rho0"])))

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of Table 1.

        Parameters
        ----------
        closure : callable, optional
            Clears the gradients, computes the loss, calls backward and returns the loss, which
            `step` hands back.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        groups = [self._lists(group) for group in self.param_groups]
        if any(group["step"] == group["total_steps"] for group in self.param_groups):
            warn(
                "CoolMomentum has made all its total_steps and goes on with rho = 0, as plain "
                "gradient descent: total_steps are those of the whole training, epochs*len(loader)"
            )
        for group, lists in zip(self.param_groups, groups, strict=True):
            self._move(group, lists)
            group["step"] += 1
        return loss

    def _lists(self, group: dict[str, Any]) -> list[Lists]:
        """What moves together: all parameters of one device and dtype, or each alone."""
        moving = [x for x in group["params"] if x.grad is not None]
        for x in moving:
            if x.grad.is_sparse:
                raise RuntimeError(
                    "CoolMomentum cannot take the sparse gradient of a parameter of shape "
                    f"{tuple(x.shape)}: the momentum moves every entry at every step; make the "
                    "layer with sparse=False"
                )
        for x in moving:
            if "dx" not in self.state[x]:
                self.state[x]["dx"] = torch.zeros_like(x, memory_format=torch.preserve_format)
        lists: Any = (moving, [x.grad for x in moving], [self.state[x]["dx"] for x in moving])
        if not moving:
            return []
        if not group["foreach"]:
            return [([x], [g], [dx]) for x, g, dx in zip(*lists, strict=True)]
        return [tuple(same) for same, _ in self._group_tensors_by_device_and_dtype(lists).values()]

    def _move(self, group: dict[str, Any], lists: list[Lists]) -> None:
        rho, base, decay = self.rho(group), float(group["lr"]), group["weight_decay"]
        lr = (1 + rho) / 2 * base
        for x, gradient, dx in lists:
            if decay and group["decoupled_weight_decay"]:
                torch._foreach_mul_(x, 1 - base * decay)
            penalty = 0.0 if group["decoupled_weight_decay"] else decay
            if group["fused"] and rho > 0 and x[0].dtype in FUSED_DTYPES:
                # buffer = rho*buffer + (1 - dampening)*gradient, x -= lr*buffer: the buffer is dx
                recursion = {"momentum": rho, "lr": -1.0, "dampening": 1 + lr, "nesterov": False}
                more = {"weight_decay": penalty, "maximize": group["maximize"]}
                torch._fused_sgd_(x, gradient, dx, **recursion, **more, is_first_step=False)
                continue
            torch._foreach_mul_(dx, rho)
            torch._foreach_add_(dx, gradient, alpha=lr if group["maximize"] else -lr)
            if penalty:
                torch._foreach_add_(dx, x, alpha=-lr * penalty)
            torch._foreach_add_(x, dx)


def _check(group: dict[str, Any]) -> None:
    """Raise a ValueError or TypeError for numbers of a group that cannot be."""
    lr = group["lr"].item() if isinstance(group["lr"], torch.Tensor) else group["lr"]
    check_ramp(lr, group["rho0"], group["law"], group["total_steps"], group["warmup_steps"])
    decay = group["weight_decay"]
    if not (isinstance(decay, (int, float)) and 0 <= decay < math.inf):
        raise ValueError(f"weight_decay must be a number >= 0, not {decay!r}")
