"""How many replicas of a formula go side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .printed import LANED
from .printed_pairs import LANES

if TYPE_CHECKING:
    from ...formulas.spec import Spec

WIDTHS = (8, 32, 128, 256)  # replicas side by side, besides one, that a step may be compiled for
CACHE_NUMBERS = 4096  # coordinates in one block, so that its arrays stay in cache
MOST_NUMBERS = 8192  # in one block where a lone replica fills vectors
WORTH_SITES = 25  # what a lone replica's step takes besides its sites, in sites


def widths(spec: Spec, bodies: Any, replicas: int, dim: int, threads: int) -> tuple[int, int]:
    """Replicas that go side by side, and the number left over below which the last ones go one by
    one, as they do where what is inside a replica can fill vectors too; 0 if none do.
    """
    few, fitting = 0, [w for w in WIDTHS if w == LANES or w * dim <= CACHE_NUMBERS]
    if spec.listed or not LANED.isdisjoint(bodies):
        fitting = [LANES]
    if "pair" in bodies:
        # eight particles side by side, each pair from both ends
        particles = dim // spec.space
        few = -(-(particles - 1) // (2 * -(-particles // LANES)))
    elif set(bodies) <= {"site", "bond"}:
        few = -(-LANES * dim // (dim + WORTH_SITES))
        fitting = [w for w in fitting if w * dim <= MOST_NUMBERS]
    if replicas < few * threads or replicas == 1 or not fitting:
        return 1, 0
    width = next((w for w in fitting if w * threads >= replicas), fitting[-1])
    return width, few if 0 < replicas % width < few else 0
