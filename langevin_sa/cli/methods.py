"""Methods by name: a schedule or an optimizer from a command's options, the rest chosen from the
potential.
"""

from __future__ import annotations

import re
from typing import Any

import click

# tuning's and one more; not imported, so that --help needs no NumPy
LAWS = ("exponential", "linear", "logarithmic", "power", "quench", "constant", "coolmomentum")
LOGARITHMS = ("exponential", "logarithmic")  # laws whose temperatures cannot be 0
OPTIMIZERS = ("momentum", "sgd", "adam", "nadam", "rmsprop", "adagrad", "adadelta")
SAMPLERS = (
    "metropolis",
    "metropolis_single",
    "mala",
    "ghmc",
    "sgld",
    "sgnht",
    "continuous_tempering",
)


def build_schedule(
    ctx: click.Context, potential: Any, start: Any, seed: int, options: dict[str, Any]
) -> Any:
    """The schedule that the options say, the rest chosen from the potential."""
    from ..arguments import look_up

    law, rho0, hot, cold = (options[key] for key in ("schedule", "rho0", "T0", "T1"))
    look_up(law, dict.fromkeys(LAWS), "schedule")
    cool = law == "coolmomentum"
    if rho0 is not None and not cool:
        raise click.UsageError(
            "--rho0 goes with --schedule coolmomentum; other schedules take --gamma", ctx
        )
    if cool and not (cold is None and options["gamma"] is None):
        raise click.UsageError(
            "coolmomentum takes --T0, --rho0 and --dt; T1 and gamma follow from them", ctx
        )

    for option, value in (("--T0", hot), ("--T1", cold)):
        if value is not None and not (value > 0 or (value == 0 and law not in LOGARITHMS)):
            least = ">" if law in LOGARITHMS else ">="
            raise click.UsageError(f"{option} must be {least} 0 for {law}, not {value:g}", ctx)

    from ..schedules import CoolMomentum
    from ..tuning import automatic_schedule

    schedule = automatic_schedule(
        potential,
        start,
        seed,
        law="exponential" if cool else law,
        temperature=(hot or None if cool else hot, cold),
        gamma=options["gamma"],
        dt=options["dt"],
        integrator=options["integrator"],
        n_steps=options["steps"],
        replicas=options["replicas"],
    )
    if not cool:
        return schedule
    first = 0.0 if hot == 0 else float(schedule.temperature(0.0))
    given = {} if rho0 is None else {"rho0": rho0}
    return CoolMomentum.from_temperature(first, float(schedule.dt) ** 2, **given)


def build_optimizer(name: str, cool: Any, lr: float | None, noise: float | None) -> Any:
    """An optimizer with the paper's step decay, its noise and first learning rate those of a
    CoolMomentum unless they are given.

    Adam, NAdam, RMSprop and AdaGrad divide by the size of the gradient, so that their lr is a
    length: the thermal step, sqrt(T0) dt. Adadelta's is 1, as it finds the length by itself.
    """
    from ..optimizers import SGD, Adadelta, AdaGrad, Adam, NAdam, RMSprop
    from ..schedules import stepwise

    first = cool.coefficients(1)
    noise = cool.noise if noise is None else noise
    if lr is None:
        length = float(first.temperature[0]) ** 0.5 * float(first.dt[0])
        # (1 + rho)/2 lr, Eq. (16)
        others = {"momentum": 0.95 * cool.lr, "sgd": 0.5 * cool.lr, "adadelta": 1.0}
        lr = others.get(name, length)
    if not lr > 0:
        raise ValueError(f"{name} needs a learning rate > 0, not {lr:g}; with T0 = 0 give --lr")
    law = stepwise([(0, lr), (0.4, lr / 10), (0.6, lr / 100), (0.8, lr / 1000), (0.9, lr / 2000)])
    match name:
        case "momentum":
            return SGD(law, momentum=0.9, noise=noise)
        case "sgd":
            return SGD(law, noise=noise)
    rules = {"adam": Adam, "nadam": NAdam, "rmsprop": RMSprop, "adagrad": AdaGrad}
    return (rules | {"adadelta": Adadelta})[name](law, noise=noise)


def build_sampler(name: str, schedule: Any) -> Any:
    """A sampler with the temperatures, friction and time step of a schedule, and the thermal step
    sqrt(T0) dt of its first moves, or of its overdamped ones lr = dt^2/2, which is as long.

    Continuous tempering goes up and down between T0 and a quarter of it for 80 % of the run, and
    is then quenched to T1.
    """
    from ..optimizers import GHMC, MALA, SGLD, SGNHT, ContinuousTempering, Metropolis
    from ..schedules import quench

    T, dt = schedule.temperature, float(schedule.dt)
    match name:
        case "mala":
            return MALA(T, dt**2 / 2)
        case "ghmc":
            return GHMC(T, schedule.gamma, dt)
        case "sgld":
            return SGLD(dt**2 / 2, temperature=T)
        case "sgnht":
            return SGNHT(dt, temperature=T, diffusion=float(schedule.gamma))
    first = float(schedule.coefficients(1).temperature[0])
    if name == "continuous_tempering":
        last = float(T(1.0))
        cold = max(first / 4, min(first, last))
        law, ratio = quench(cold, last, at=0.8), first / cold
        return ContinuousTempering(law, schedule.gamma, dt, ratio, until=0.8)
    return Metropolis(T, first**0.5 * dt, single=name == "metropolis_single")


def short(schedule: Any) -> str:
    """A schedule as text, numbers to five digits."""
    return re.sub(r"\d+\.\d+(e[-+]?\d+)?", lambda number: f"{float(number[0]):.5g}", str(schedule))
