"""Temperature of a training run: Eq. (22) from what an optimizer really moved, and Eq. (19) from
the noise of its gradients.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce
from typing import Any, NamedTuple

from .coolmomentum import CoolMomentum, torch


class Reading(NamedTuple):
    """Averages since the last reading.

    Attributes
    ----------
    rescaled : float
        T dt^2 = <dx^2>, the mean square update of a parameter; needs no dt.
    temperature : float
        T = <(dx/dt)^2> of Eq. (22), of parameters whose lr is not 0; NaN if the optimizer has no dt
        (all but CoolMomentum and SGD).
    steps : int
        Steps averaged over.
    """

    rescaled: float
    temperature: float
    steps: int


class Noise(NamedTuple):
    """Noise of mini-batch gradients at one point.

    Attributes
    ----------
    variance : float
        <R^2>, the variance of a gradient's component between mini-batches, averaged over
        parameters.
    temperature : float
        T = <R^2> dt^2 (1 + rho)/(4 (1 - rho)), what Eq. (19) says such noise, if white, sustains at
        the optimizer's next step; NaN where there is no dt.
    """

    variance: float
    temperature: float


class Thermometer:
    """Measures the temperature of any torch optimizer, from its very first step on.

    It compares the parameters before and after each step, so it sees what moved them whatever the
    rule, over the trainable parameters and nothing else (running statistics of BatchNorm are no
    parameters). Steps that a GradScaler skips are not seen.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Hooks are put on its `step`; `close` (or leaving a ``with`` block) takes them off. Costs a
        copy of the parameters and two passes over them a step.

    Examples
    --------
    >>> thermometer = Thermometer(optimizer)  # doctest: +SKIP
    >>> for epoch in range(epochs):           # doctest: +SKIP
    ...     train(model, optimizer)
    ...     print(epoch, thermometer.read().rescaled)
    """

    def __init__(self, optimizer: Any) -> None:
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(
                f"a Thermometer goes on a torch optimizer, not {type(optimizer).__name__}"
            )
        self.optimizer = optimizer
        self._before: list[Any] = []
        self._reset()
        self._hooks = [
            optimizer.register_step_pre_hook(self._keep),
            optimizer.register_step_post_hook(self._measure),
        ]

    def read(self) -> Reading:
        """Averages over the steps since the last reading, which start anew; NaN without a step."""
        steps = self._steps
        pairs = (self._squares, self._moves), (self._velocities, self._timed)
        rescaled, hot = (float(total) / count if count else math.nan for total, count in pairs)
        self._reset()
        return Reading(rescaled, hot, steps)

    def noise(self, losses: Iterable[Any]) -> Noise:
        """Variance of the gradients of mini-batches at the present parameters, and the temperature
        it implies.

        Parameters
        ----------
        losses : iterable of scalar tensors
            One loss of each of two or more independent mini-batches, best made lazily:
            ``thermometer.noise(loss(model(x), y) for x, y in islice(loader, 16))``. The parameters'
            own `grad` is not touched; a BatchNorm in training mode counts these batches in its
            statistics as any others.

        Raises
        ------
        ValueError
            For less than two losses.
        """
        groups = [_trainable(group) for group in self.optimizer.param_groups]
        x = [p for group in groups for p in group]
        count, mean, spread = 0, [_wide(p) * 0 for p in x], [_wide(p) * 0 for p in x]
        for loss in losses:
            count += 1
            gradients = torch.autograd.grad(loss, x, allow_unused=True)
            for g, m, s in zip(gradients, mean, spread, strict=True):
                # Welford's update: no large numbers cancel
                off = (0 if g is None else _wide(g)) - m
                m += off / count
                s += off**2 * ((count - 1) / count)
        if count < 2:
            raise ValueError(
                "the variance of gradients needs the losses of two mini-batches or more, not "
                f"{count}"
            )
        variances = iter([float(s.sum()) / (count - 1) for s in spread])
        size, total, hot = sum(p.numel() for p in x), 0.0, 0.0
        for group, members in zip(self.optimizer.param_groups, groups, strict=True):
            variance = sum(next(variances) for _ in members)
            rho, dt2 = _rho_dt2(group)
            total += variance
            hot += variance * dt2 * (1 + rho) / (4 * (1 - rho)) if members else 0.0
        return Noise(total / size, hot / size)

    def close(self) -> None:
        """Take the hooks off the optimizer."""
        for hook in self._hooks:
            hook.remove()

    def __enter__(self) -> Thermometer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reset(self) -> None:
        # steps, parameters moved in all of them, and those of groups whose lr was not 0
        self._steps, self._moves, self._timed = 0, 0, 0
        # sums over those of dx^2 and (dx/dt)^2, tensors: no step waits for a device
        self._squares: Any = 0.0
        self._velocities: Any = 0.0

    @torch.no_grad()
    def _keep(self, optimizer: Any, *_: Any) -> None:
        """Copy what is about to move, into the copies of the step before where they fit."""
        self._dt2 = [_rho_dt2(group)[1] for group in optimizer.param_groups]
        self._moving = [_trainable(group) for group in optimizer.param_groups]
        x = [p for group in self._moving for p in group]
        here, before = ([(p.shape, p.dtype, p.device) for p in of] for of in (x, self._before))
        if here != before:
            self._before = [torch.empty_like(p) for p in x]
        if x:
            torch._foreach_copy_(self._before, x)

    @torch.no_grad()
    def _measure(self, *_: Any) -> None:
        x = [p for group in self._moving for p in group]
        if x:
            torch._foreach_sub_(self._before, x)  # now -dx
            # where the square of a small update is not 0
            wide = reduce(torch.promote_types, {p.dtype for p in x}, torch.float32)
            norms = torch._foreach_norm(self._before, dtype=wide)
            squares = torch.stack([n.to(x[0].device, torch.float64) for n in norms]).square()
            groups = squares.split([len(group) for group in self._moving])
            for own, dt2 in zip(groups, self._dt2, strict=True):
                total = own.sum()
                self._squares += total
                if dt2:
                    self._velocities += total / dt2
        self._steps += 1
        sizes = [sum(p.numel() for p in group) for group in self._moving]
        self._moves += sum(sizes)
        self._timed += sum(size for size, dt2 in zip(sizes, self._dt2, strict=True) if dt2)


def _trainable(group: dict[str, Any]) -> list[Any]:
    return [p for p in group["params"] if p.requires_grad]


def _wide(x: Any) -> Any:
    """A detached copy or view in at least single precision, in which small updates have a
    square.
    """
    return x.detach().to(torch.promote_types(x.dtype, torch.float32))


def _rho_dt2(group: dict[str, Any]) -> tuple[float, float]:
    """Momentum and dt^2 of a group's next step: Table 1's, or Eq. (16) solved for dt^2 for SGD; NaN
    for other rules.
    """
    if "rho0" in group and "law" in group:
        return CoolMomentum.rho(group), float(group["lr"])
    sgd = "momentum" in group and "dampening" in group
    if sgd and not group["dampening"] and not group.get("nesterov"):
        return group["momentum"], 2 * float(group["lr"]) / (1 + group["momentum"])
    return math.nan, math.nan
