"""How many replicas of a formula go side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .printed_pairs import LANES

if TYPE_CHECKING:
    from ...formulas.spec import Spec

WIDTHS = (1, 8, 32, 128, 256)  # replicas side by side that a step may be compiled for
CACHE_NUMBERS = 4096  # coordinates in one block, so that its arrays stay in cache


def widths(spec: Spec, bodies: Any, replicas: int, dim: int, threads: int) -> tuple[int, int]:
    """Replicas that go side by side, and the number of those left over below which they go one by
    one.
    """
    few, fitting = 0, [w for w in WIDTHS if w <= LANES or w * dim <= CACHE_NUMBERS]
    if "pair" in bodies:
        # a lone replica, with eight particles side by side, takes each pair from both ends
        particles, fitting = dim // spec.space, [LANES]
        few = -(-(particles - 1) // (2 * -(-particles // LANES)))
    if replicas < few * threads:
        return 1, 0
    return next((w for w in fitting if w * threads >= replicas), fitting[-1]), few
