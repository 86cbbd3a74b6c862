"""The ramp of rho against the step, as torch and JAX both need it."""

from __future__ import annotations

from typing import Any

from ..arguments import finite, real, shown
from ..schedules import CoolMomentum


def check_ramp(lr: Any, rho0: Any, law: Any, total_steps: Any, warmup_steps: Any) -> None:
    """Raise a ValueError that says what was given and what is expected, for the first bad
    number; lr may be 0.
    """
    CoolMomentum(1.0 if real(lr) and lr == 0 else lr, rho0, law=law)
    for name, steps, low in (("total_steps", total_steps, 1), ("warmup_steps", warmup_steps, 0)):
        endless = name == "total_steps"
        if not (real(steps) and steps >= low and (steps % 1 == 0 if finite(steps) else endless)):
            more = ", or math.inf for a constant rho" if endless else ""
            raise ValueError(
                f"{name} must be a whole number of steps, at least {low}{more}, not {shown(steps)}"
            )
