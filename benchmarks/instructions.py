"""Instructions in the inner loops of the kernels, counted in the assembly (valgrind knows no
AVX-512, and perf has no counters here).

A turn of a loop that stores n vectors of 8 float64 does 8*n/k elements, k being the stores that one
element needs.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from typing import Any

import click
import numpy as np
import timing
from numba import uint64

import langevin_sa as lsa

LOOP = re.compile(r"\s+j\w+\s+(\.LBB\w+)")
LABEL = re.compile(r"(\.LBB\w+):")
SLOW = ("vdivpd", "vsqrtpd", "vpmullq")


def inner_loops(assembly: str) -> list[list[str]]:
    """Instructions of each innermost loop that works on vectors of 8."""
    lines = assembly.splitlines()
    labels = {m[1]: k for k, line in enumerate(lines) if (m := LABEL.match(line))}
    spans = [
        (labels[m[1]], k)
        for k, line in enumerate(lines)
        if (m := LOOP.match(line)) and labels.get(m[1], k) < k
    ]
    inner = [
        (a, b)
        for a, b in spans
        if not any((c, d) != (a, b) and a <= c and d <= b for c, d in spans)
    ]
    loops = [
        [line.strip() for line in lines[a : b + 1] if re.match(r"\s+[a-z]", line)] for a, b in inner
    ]
    return [loop for loop in loops if any("zmm" in line for line in loop)]


def count(name: str, assembly: str, stores: int) -> None:
    """Print the longest such loop's instructions an element, which stores so many vectors."""
    loops = inner_loops(assembly)
    if not loops:
        print(f"{name:44s} no loop with vectors of 8: not an AVX-512 processor")
        return
    loop = max(loops, key=len)
    # spills to the stack are none
    stored = sum(bool(re.search(r"mov\w*\s+%zmm\d+, (?!.*%rsp).*\(", line)) for line in loop)
    elements = 8 * stored / stores
    kinds = Counter(line.split()[0] for line in loop)
    slow = ", ".join(f"{kinds[k] / elements:.3f} {k}" for k in SLOW if kinds[k])
    multiplies = sum(n for k, n in kinds.items() if re.match(r"v(p?mul|fn?m)", k))
    print(
        f"{name:44s}{len(loop) / elements:8.2f} an element, {multiplies / elements:.2f} of them "
        "multiply" + (f", {slow}" if slow else "")
    )


def step_of(potential: Any, replicas: int) -> str:
    """Assembly of a potential's compiled step."""
    x0 = potential.draw_start(replicas, np.random.default_rng(0))
    return str(
        timing.prepared(
            potential, x0, lsa.Schedule(0.3, 1.0, 1e-3), 1
        ).backend.step._library.get_asm_str()
    )


@click.command()
def main() -> None:
    """Count instructions."""
    os.environ["LANGEVIN_SA_CACHE"] = tempfile.mkdtemp()  # code from a cache cannot be looked at
    timing._normals(np.empty((4, 256)), 8, 0, 1, 1, uint64(1), uint64(2))
    count("noise, a normal", next(iter(timing._normals.inspect_asm().values())), 1)
    count("double well, a replica-step", step_of(lsa.potentials.double_well(), 4096), 4)
    count("Muller-Brown, a replica-step", step_of(lsa.potentials.muller_brown(), 4096), 6)
    count("rastrigin, a coordinate-step", step_of(lsa.potentials.rastrigin(dim=10), 4096), 4)
    count("Lennard-Jones, a pair", step_of(lsa.potentials.lennard_jones(38), 256), 7)


if __name__ == "__main__":
    main()
