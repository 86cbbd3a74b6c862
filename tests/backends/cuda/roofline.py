"""Estimates for docs/gpu.md: what a coordinate-step executes and moves, counted while the PTX runs,
against what two cards can do.

python tests/backends/cuda/roofline.py
"""

import ctypes
import sys
from importlib import import_module

import executor
import fake_cupy
import numpy as np
import nvrtc

import langevin_sa as lsa
from langevin_sa.backends.cuda import source
from langevin_sa.backends.walk import Walk
from langevin_sa.integrators import INTEGRATORS

sys.modules["cupy"] = fake_cupy.module()
backend = import_module("langevin_sa.backends.cuda.cupy")
ROOT = 10  # float64 instructions that a division or a root becomes
# per second: instructions of all lanes, of them float64, bytes (vendor's figures for the SXM cards)
CARDS = {
    "A100": (108 * 128 * 1.41e9, 108 * 32 * 1.41e9, 2.0e12),
    "H100": (132 * 128 * 1.755e9, 132 * 64 * 1.755e9, 3.35e12),
}
# potential, replicas, numbers a coordinate-step that cross the memory bus: the rest stays in
# registers and caches
CASES = {
    "double well, replicas": (lambda: lsa.potentials.double_well(), 64, 0),
    "Rastrigin (10), replicas": (lambda: lsa.potentials.rastrigin(10), 32, 0),
    "phi^4 chain, large": (lambda: lsa.potentials.phi4_chain(4096), 1, 4),
    "38 Lennard-Jones particles": (lambda: lsa.potentials.lennard_jones(38), 2, 0),
}


def tally(U, replicas, single, steps):
    """What `steps` steps execute, (6,)."""
    code, dtype = backend.backend_of(U).code(U, single), np.float32 if single else np.float64
    options = source.options(single)
    module = executor.by_nvrtc([code], options, tallied=True)[0]
    fake_cupy.RawModule.ready[code, options, 12] = module
    fake_cupy.RawModule.from_ptx = 12
    walk = Walk.at_rest(U.draw_start(replicas, np.random.default_rng(1)), 1, dtype)
    mover = backend.backend_of(U)(U, backend.on_device(walk), 1)
    counts = (ctypes.c_uint64 * 6).in_dll(module.library, "tally")
    before = np.array(counts[:])
    mover.advance(INTEGRATORS["gjf"].steps(np.full(steps, 1.0), 0.001, 0.1))
    return np.array(counts[:]) - before


if __name__ == "__main__":
    print(
        "| | dtype | registers sm_80, sm_90 | float64 | float32 | other | bytes touched | of them "
        "from memory | A100, ps | H100, ps |\n" + "|---" * 10 + "|"
    )
    for name, (make, replicas, moved) in CASES.items():
        U = make()
        for single in (False, True):
            # the difference is free of what an interval begins and ends with
            few, many = (tally(U, replicas, single, n) for n in (8, 24))
            double, roots, float32, other, *touched = (many - few) / (16 * replicas * U.dim)
            code = backend.backend_of(U).code(U, single)
            registers = [
                next(
                    v
                    for k, v in nvrtc.resources(code, sm, source.options(single))[0].items()
                    if k != "measure"
                )[0]
                for sm in ("sm_80", "sm_90")
            ]
            double += ROOT * roots
            memory_bytes = moved * (4 if single else 8)
            times = [
                max((double + float32 + other) / lanes, double / lanes64, memory_bytes / memory)
                * 1e12
                for lanes, lanes64, memory in CARDS.values()
            ]
            kind, used = "float32" if single else "float64", "{}, {}".format(*registers)
            numbers = (
                f"{double:.0f} | {float32:.0f} | {other:.0f} | {sum(touched):.0f} | {memory_bytes}"
            )
            print(
                f"| {name} | {kind} | {used} | {numbers} | {times[0]:.2g} | {times[1]:.2g} |",
                flush=True,
            )
