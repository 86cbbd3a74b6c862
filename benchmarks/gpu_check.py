"""What has never been run without a GPU: parity, validation and speed of the backend "cupy" on the
card that is there.

Prints a table for docs/gpu.md; without CuPy or a GPU it says so and claims nothing.
"""

import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

import langevin_sa as lsa
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.walk import Walk
from langevin_sa.integrators import INTEGRATORS

sys.path.append(str(Path(__file__).parents[1] / "tests" / "backends" / "cuda"))
POTENTIALS = (
    "double_well",
    "muller_brown",
    "rastrigin",
    "ackley",
    "phi4_chain",
    "phi4_lattice",
    "lennard_jones",
    "kob_andersen",
)
CASES = {  # name: potential, replicas, steps
    "double well, 10^6 replicas": (lambda: lsa.potentials.double_well(), 10**6, 1000),
    "Rastrigin of 10 coordinates, 10^5 replicas": (
        lambda: lsa.potentials.rastrigin(10),
        10**5,
        200,
    ),
    "Ackley of 10 coordinates (array functions), 10^5 replicas": (
        lambda: lsa.potentials.ackley(10),
        10**5,
        50,
    ),
    "phi^4 chain of 10^7 sites": (lambda: lsa.potentials.phi4_chain(10**7), 1, 50),
    "38 Lennard-Jones particles, 1024 replicas": (
        lambda: lsa.potentials.lennard_jones(38),
        1024,
        100,
    ),
    "8000 Lennard-Jones particles with a cut-off": (
        lambda: lsa.potentials.lennard_jones_fluid(8000),
        1,
        20,
    ),
}


def parity() -> None:
    """The most ulps of one step, and of 100 steps, against numba."""
    from parity import compare

    print(
        "\n| potential | float64: a step, 100 steps (ulps) | float32: a step (ulps) "
        "|\n|---|---|---|"
    )
    for name in POTENTIALS:
        U = lsa.potentials.catalogue()[name]()
        runs = {
            dtype: [compare(U, row, dtype, replicas=4)[:2] for row in INTEGRATORS]
            for dtype in ("float64", "float32")
        }
        most = {dtype: np.max(found, axis=0) for dtype, found in runs.items()}
        print(
            f"| {name} | {most['float64'][0]:.3g}, {most['float64'][1]:.3g} | "
            f"{most['float32'][0]:.3g} |",
            flush=True,
        )


def validation() -> None:
    """The verdict of the validation suite."""
    for dtype in ("float64", "float32"):
        report = lsa.validate("cupy", dtype)
        print(
            f"\n{dtype}: {report.verdict}",
            *(
                f"\n  {check.name}: {check.measured:.6g} for {check.exact:.6g}"
                for check in report.failures
            ),
        )


def speed(repeats: int = 5) -> None:
    """Nanoseconds a coordinate-step of the kernels, numba and cupy in turn, medians."""
    print("\n| | dtype | numba | cupy | ratio |\n|---|---|---|---|---|")
    for name, (make, replicas, n) in CASES.items():
        U = make()
        x = U.draw_start(replicas, np.random.default_rng(1))
        steps = INTEGRATORS["gjf"].steps(np.full(n, 1.0), 0.001, 0.1)
        for dtype in ("float64", "float32"):
            backends, times = {}, {"numba": [], "cupy": []}
            for backend in times:
                make_backend, walk = get_backend(backend, U, len(x)), Walk.at_rest(x, 1, dtype)
                backends[backend] = make_backend(
                    U, getattr(make_backend, "placed", lambda walk: walk)(walk), 2
                )
                backends[backend].advance(steps)
            for _ in range(repeats):
                for backend, mover in backends.items():
                    begun = time.perf_counter()
                    mover.advance(steps)  # ends with a copy to the host, so with the last kernel
                    times[backend].append((time.perf_counter() - begun) * 1e9 / (x.size * n))
            numba, cupy = median(times["numba"]), median(times["cupy"])
            print(
                f"| {name} | {dtype} | {numba:.3g} | {cupy:.3g} | {numba / cupy:.3g} |", flush=True
            )


if __name__ == "__main__":
    try:
        from langevin_sa.backends.cuda.device import describe

        device = describe()
    except (ImportError, RuntimeError) as error:
        print(f"Nothing was checked and nothing is claimed: {error}")
        sys.exit(2)
    print(device)
    parity()
    validation()
    speed()
