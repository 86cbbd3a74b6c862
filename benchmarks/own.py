"""What a call costs by each way of bringing a potential: the cluster LJ13, said in each.

    python benchmarks/own.py

prints nanoseconds of processor time for an energy with its gradient, of 1, 64 and 1,024 replicas,
and for a step of 64 replicas on one thread; minima of several repeats.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from langevin_sa import Potential, Schedule, potentials
from langevin_sa.annealing.request import prepare

N = 13
FIRST, SECOND = np.triu_indices(N, 1)
REPLICAS, REPEATS, SECONDS = (1, 64, 1024), 5, 0.05

C_SOURCE = """
double lj(const double *x, double *g, int n, void *data)
{
    double e = 0;
    for (int i = 0; i < n; i++) g[i] = 0;
    for (int i = 0; i < n; i += 3)
        for (int j = i + 3; j < n; j += 3) {
            double d[3], r2 = 0;
            for (int k = 0; k < 3; k++) { d[k] = x[i + k] - x[j + k]; r2 += d[k] * d[k]; }
            double s = 1 / r2, r6 = s * s * s, f = (24 * r6 - 48 * r6 * r6) * s;
            e += 4 * (r6 * r6 - r6);
            for (int k = 0; k < 3; k++) { g[i + k] += f * d[k]; g[j + k] -= f * d[k]; }
        }
    return e;
}
"""


def arrays(x):
    """Energies and gradients of a block (replicas, 39)."""
    atoms = x.reshape(-1, N, 3)
    d = atoms[:, FIRST] - atoms[:, SECOND]
    r2 = (d * d).sum(-1)
    r6 = r2**-3
    force = ((24 * r6 - 48 * r6**2) / r2)[..., None] * d
    gradient = np.zeros_like(atoms)
    for i in range(N):
        gradient[:, i] = force[:, i == FIRST].sum(1) - force[:, i == SECOND].sum(1)
    return (4 * (r6**2 - r6)).sum(1), gradient.reshape(x.shape)


def one_point(x):
    """Energy and gradient of one point, in plain Python."""
    energy, gradient = 0.0, [0.0] * len(x)
    x = x.tolist()
    for i in range(0, len(x), 3):
        for j in range(i + 3, len(x), 3):
            d = [x[i + k] - x[j + k] for k in range(3)]
            r2 = d[0] ** 2 + d[1] ** 2 + d[2] ** 2
            r6 = r2**-3
            energy += 4 * (r6**2 - r6)
            for k in range(3):
                f = (24 * r6 - 48 * r6**2) / r2 * d[k]
                gradient[i + k] += f
                gradient[j + k] -= f
    return energy, gradient


def loop_energy(x):
    energy = 0.0
    for i in range(0, len(x), 3):
        for j in range(i + 3, len(x), 3):
            r2 = (x[i] - x[j]) ** 2 + (x[i + 1] - x[j + 1]) ** 2 + (x[i + 2] - x[j + 2]) ** 2
            r6 = 1 / (r2 * r2 * r2)
            energy += 4 * (r6 * r6 - r6)
    return energy


def loop_gradient(x, out):
    out[:] = 0.0
    for i in range(0, len(x), 3):
        for j in range(i + 3, len(x), 3):
            r2 = (x[i] - x[j]) ** 2 + (x[i + 1] - x[j + 1]) ** 2 + (x[i + 2] - x[j + 2]) ** 2
            r6 = 1 / (r2 * r2 * r2)
            for k in range(3):
                f = (24 * r6 - 48 * r6 * r6) / r2 * (x[i + k] - x[j + k])
                out[i + k] += f
                out[j + k] -= f


def tensors(x, same):
    """The energy of one point, for JAX and for torch, whose indexing has a slow derivative: an atom
    and itself are at distance 1, where the energy is 0.
    """
    atoms = x.reshape(N, 3)
    d = atoms[:, None] - atoms[None]
    r6 = ((d * d).sum(-1) + same) ** -3
    return 2 * (r6 * r6 - r6).sum()


def compiled(folder: Path) -> Potential:
    """The function of `C_SOURCE`, by the C compiler of this machine."""
    (folder / "lj.c").write_text(C_SOURCE)
    library = folder / "lj.so"
    subprocess.run(["cc", "-O3", "-shared", "-fPIC", "-o", library, folder / "lj.c"], check=True)
    return Potential.from_c(ctypes.CDLL(str(library)).lj, dim=3 * N)


def ways(folder: Path) -> dict[str, Callable[[], Potential]]:
    """How to make LJ13, by the names of the ways."""
    dim = 3 * N
    found = {
        "formula": lambda: potentials.lennard_jones(N),
        "C": lambda: compiled(folder),
        "numba": lambda: Potential.from_numba(loop_energy, loop_gradient, dim),
        "JAX": lambda: Potential.from_jax(tensors, dim, (np.eye(N),)),
        "torch": lambda: Potential.from_torch(tensors, dim, (np.eye(N),)),
        "array functions": lambda: Potential(energy_gradient=arrays, dim=dim),
        "one point": lambda: Potential.from_function(one_point, dim, jac=True),
    }
    return found if shutil.which("cc") else {name: U for name, U in found.items() if name != "C"}


def least(run: Callable[[], object], calls: int) -> float:
    """Nanoseconds of processor time a call, the least of some repeats."""
    run()
    times = []
    for _ in range(REPEATS):
        began, runs = time.process_time(), 0
        while not runs or time.process_time() - began < SECONDS:
            run()
            runs += 1
        times.append((time.process_time() - began) / runs)
    return 1e9 * min(times) / calls


def step(potential: Potential) -> float:
    """Nanoseconds a step of a replica."""
    x = potentials.lennard_jones(N).draw_start(64, np.random.default_rng(0))
    schedule = Schedule(temperature=0.1, gamma=1.0, dt=0.001)
    prepared = prepare(potential, x, schedule, 10**9, record_every=10**9, rng=0, threads=1)
    steps = prepared.coefficients(0, 20)
    return least(lambda: prepared.backend.advance(steps), 64 * 20)


if __name__ == "__main__":
    drawn = potentials.lennard_jones(N).draw_start(max(REPLICAS), np.random.default_rng(0))
    print(f"{'':16}" + "".join(f"{count:>10,}" for count in REPLICAS) + f"{'a step':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in ways(Path(folder)).items():
            U = make()
            cost = [least(lambda U=U, n=n: U.energy_gradient(drawn[:n]), n) for n in REPLICAS]
            print(f"{name:16}" + "".join(f"{ns:10,.0f}" for ns in [*cost, step(U)]), flush=True)
