"""The least time that a coordinate-step can take on a card, from the instructions counted in the
machine code and the bytes that must move, and the time that is predicted: for docs/gpu.md.

python benchmarks/gpu_floor.py      needs no card

A processor issues 128 instructions a cycle for its threads, by four schedulers, has some lanes for
float64 and 16 for special functions and conversions; lanes without work and schedulers without a
warp are counted in the floor. No run reaches it: instructions wait for each other. The prediction
is that a scheduler with one warp issues in a fifth of the cycles, with four or more in three
quarters, as many as registers allow; that 0.88 of the bandwidth is had; that a launch costs the
host 5 us, and that a kernel of a graph begins 1.5 us after the one before. It can be wrong.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "backends" / "cuda"))

from gpu_cases import CASES, DTYPES, Case  # noqa: E402
from instructions import COLUMNS, TARGETS, read  # noqa: E402

LANES, SPECIAL_LANES = 128, 16  # of a processor
FLOAT64_LANES = {(7, 0): 32, (8, 0): 32, (9, 0): 64, (10, 0): 64}  # by capability; others have 2
SCHEDULERS, THREADS = 4, 128  # of a processor; of a block
LAUNCH, NODE = 5e-6, 1.5e-6  # seconds: of the host, and of a kernel in a graph
REGISTERS = 65_536  # of a processor; a thread's come in eights


@dataclass(frozen=True)
class Card:
    """What decides about speed: clock in Hz, bandwidth in bytes a second."""

    name: str
    capability: tuple[int, int]
    processors: int
    clock: float
    bandwidth: float

    @property
    def target(self) -> str:
        """The counted kind of machine code that is closest to this card's."""
        known = [t for t in TARGETS if int(t[3:]) <= 10 * self.capability[0] + self.capability[1]]
        return (known or TARGETS)[-1 if known else 0]


# boost clocks and bandwidths that the vendor states
H100 = Card("H100 SXM", (9, 0), 132, 1.755e9, 3.35e12)
RTX4090 = Card("RTX 4090", (8, 9), 128, 2.52e9, 1.008e12)


def this_card(bandwidth: float = 0.0) -> Card:
    """The card that CuPy uses, with its own bandwidth or a measured one."""
    import cupy

    runtime = cupy.cuda.runtime
    about = runtime.getDeviceProperties(runtime.getDevice())
    known = cupy.cuda.Device().attributes
    stated = 2e3 * known["MemoryClockRate"] * known["GlobalMemoryBusWidth"] / 8
    name, capability = about["name"].decode(), (about["major"], about["minor"])
    processors, clock = known["MultiProcessorCount"], 1e3 * known["ClockRate"]
    return Card(name, capability, processors, clock, bandwidth or stated)


def counted(case: Case, dtype: str, target: str) -> dict[str, str]:
    """A row of the table."""
    (row,) = [row for row in read()[1][case.counted] if row[1:3] == [dtype, target]]
    return dict(zip(COLUMNS, row, strict=True))


def instructions(case: Case, dtype: str, target: str) -> tuple[float, ...]:
    """A coordinate-step's, its pairs included: all, in float64, special."""
    found = counted(case, dtype, target)
    step, pair = (
        [float(found[f"{what}{kind}"] or 0) for kind in ("", "_float64", "_special")]
        for what in ("step", "pair")
    )
    # of a particle's pairs each coordinate has its share
    share = case.size * (case.met or case.size) / case.coordinates
    return tuple(s + share * p for s, p in zip(step, pair, strict=True))


def warps(case: Case) -> tuple[int, float]:
    """Warps of a launch, and their lanes over those that work."""
    if not case.each:
        return -(-case.replicas // 32), 1.0
    units = -(-case.size // case.each)
    block = min(THREADS, 32 << max(0, (units - 1).bit_length() - 5))
    lanes = -(-units // block) * block
    return case.replicas * lanes // 32, lanes / units


def floors(case: Case, dtype: str, card: Card) -> dict[str, float]:
    """Picoseconds a coordinate-step by what would decide alone."""
    counts = instructions(case, dtype, card.target)
    lanes = LANES, FLOAT64_LANES.get(card.capability, 2), SPECIAL_LANES
    there, waste = warps(case)
    idle = max(1.0, SCHEDULERS * card.processors / there)
    cycle = 1e12 / (card.processors * card.clock) * waste * idle
    found = {
        what: count / n * cycle
        for what, count, n in zip(("issue", "float64", "special"), counts, lanes, strict=True)
    }
    return found | {"memory": case.moved * np.dtype(dtype).itemsize / card.bandwidth * 1e12}


def predict(case: Case, dtype: str, card: Card) -> tuple[str, float, float]:
    """What decides, the floor and the time that is predicted, in ps a coordinate-step."""
    found = floors(case, dtype, card)
    eights = -(-int(counted(case, dtype, card.target)["registers"]) // 8)
    resident = REGISTERS // (8 * eights * THREADS)  # blocks, of a warp for each scheduler
    each = min(resident, warps(case)[0] / (SCHEDULERS * card.processors))
    share = {"memory": 0.88} | dict.fromkeys(("issue", "float64", "special"), min(0.75, 0.2 * each))
    expected = {what: floor / share[what] for what, floor in found.items()}
    if case.launches > 2:  # one a step, in a graph unless there are others between
        what, seconds = ("graph", NODE) if case.a_step == 1 else ("host", case.a_step * LAUNCH)
        expected[what] = seconds * 1e12 / (case.replicas * case.coordinates)
    decides = max(expected, key=lambda what: expected[what])
    return decides, max(found.values()), expected[decides]


def table() -> str:
    """The estimates of docs/gpu.md."""
    cards: tuple[Card, ...] = (H100, RTX4090)
    head = "| | dtype | instructions (float64, special) | bytes "
    head += "".join(f"| {c.name}: floor, predicted (ps), limit " for c in cards) + "|\n"
    lines = [head + "|---" * (4 + len(cards)) + "|"]
    for name, case in CASES.items():
        for dtype in DTYPES if case.counted else ():
            counts = "{:.0f} ({:.0f}, {:.0f})".format(*instructions(case, dtype, H100.target))
            cells: list[Any] = [name, dtype, counts, case.moved * np.dtype(dtype).itemsize]
            for card in cards:
                decides, floor, predicted = predict(case, dtype, card)
                cells.append(f"{floor:.3g}, {predicted:.3g}, {decides}")
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
