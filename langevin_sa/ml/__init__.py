"""CoolMomentum and a thermometer for networks: torch (extra ``ml``) and optax (extra ``jax``).

`CoolMomentum` and `Thermometer` go with torch, `langevin_sa.ml.optax.cool_momentum` with JAX;
neither is loaded before it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .coolmomentum import CoolMomentum
    from .thermometer import Noise, Reading, Thermometer

__all__ = ["CoolMomentum", "Noise", "Reading", "Thermometer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import coolmomentum, thermometer

    return getattr(coolmomentum if name == "CoolMomentum" else thermometer, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
