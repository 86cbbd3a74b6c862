"""The parity test can fail: CUDA text that is wrong in each of these ways is noticed."""

import numpy as np
import pytest
from parity import compare

from langevin_sa import Potential, potentials

h = np.linspace(0.5, 1.5, 133)
CHAIN = dict(site="(x**2 - 1)**2/4", bond="h*(y - x)**2/2", dim=133, h=h)
ANGLES = [(k, k + 1, k + 2) for k in range(7)]
POTENTIALS = {
    "well": potentials.double_well,
    "camel": potentials.three_hump_camel,
    "chain": lambda: Potential.from_formula(**CHAIN),
    "rows": lambda: Potential.from_formula(**CHAIN | {"dim": 132, "h": h[:132]}),
    "planes": lambda: Potential.from_formula(
        bond="h*(y - x)**2/2", shape=(3, 2, 4), periodic=True, h=h[:24]
    ),
    "pairs": lambda: potentials.lennard_jones(7),
    "waves": potentials.periodic,
    "ring": lambda: Potential.from_formula(
        bond="(r - 2)**2", particles=9, periodic=True, terms=[("angle", ANGLES, "theta**2")]
    ),
}
MUTATIONS = {
    "counter words exchanged": (
        "u32(quad), c1 = u32(quad >> 32)",
        "u32(quad >> 32), c1 = u32(quad)",
        "well",
    ),
    "replica and purpose exchanged": (
        "c2 = replica, c3 = purpose",
        "c2 = purpose, c3 = replica",
        "well",
    ),
    "one round too few": ("round < 10", "round < 9", "well"),
    "step off by one": ("u64(first_step + t) * DIM", "u64(first_step + t + 1) * DIM", "well"),
    "first replica forgotten": ("stream(first_replica + u32(r)", "stream(u32(r)", "well"),
    "float literal in the double path": (
        ", 0.16666666666666632,",
        ", 0.16666666666666632f,",
        "waves",
    ),
    "float constant in a formula": (", 4.2", ", 4.2f", "camel"),
    "another logarithm in the normals": (
        "radius = __fsqrt_rn(__fmaf_rn(f, polynomial(logarithm, f), octaves))",
        "radius = ::sqrtf(-2.0f * ::logf((first + 0.5f) * 2.32830644e-10f))",
        "well",
    ),
    "the point after instead of the point of the lowest energy": (
        "BEST[r * DIM + d] = x[d]",
        "BEST[r * DIM + d] = x[d] + dx[d]",
        "well",
    ),
    "carry forgotten": ("real m = carry * dx[d]", "real m = dx[d]", "well"),
    "no bounds on replicas": ("r < count; r +=", "r < (count + 31) / 32 * 32; r +=", "well"),
    "no bounds on sites": ("if (WHOLE || i + k < DIM) into", "into", "chain"),
    "sums of sites that are not there": ("if (!WHOLE && i + k >= DIM) break;", "", "chain"),
    "half kick of the step before of another step": (
        "stream.fill(number - DIM, noise)",
        "stream.fill(number, noise)",
        "rows",
    ),
    "the quad of the number before": ("skipped + N <= 4 * q", "true", "chain"),
    "a number of a quad too early": ("skipped & 1 ? all[k + 1]", "skipped & 1 ? all[k]", "chain"),
    "a pair of numbers too early": ("skipped & 2 ? all[k + 2]", "skipped & 2 ? all[k]", "chain"),
    "every vector of a unit the first": ("(const Some*)(from + k)", "(const Some*)(from)", "rows"),
    "bond of the next site": ("p[0 + 0*DIM + i + 1]", "p[0 + 0*DIM + i + 2]", "rows"),
    "upper end of a row within it": ("(i + 3) / 1 == 131", "(i + 3) / 1 == 127", "rows"),
    "lower row's parameters": ("p[0 + 0*DIM + k + 2]", "p[0 + 0*DIM + i + 2]", "planes"),
    "barrier forgotten": (
        "sums[1][threadIdx.x] = q;\n            add_up(sums);",
        "sums[1][threadIdx.x] = q;",
        "chain",
    ),
    "lower neighbour's parameter": ("p[0 + 0*DIM + k]", "p[0 + 0*DIM + i]", "chain"),
    "a particle with itself": ("if (first + j != unit)", "", "pairs"),
    "a link too few": ("unit + 1 < UNITS", "unit + 2 < UNITS", "ring"),
    "a ring that is open": ("if (unit == 0) link(", "if (false) link(", "ring"),
    "the wrong end of a step": ("if (m == 1) g[0] -=", "if (m == 1) g[0] +=", "ring"),
    "an entry counted thrice": ("if (m == 0) e += u;", "e += u;", "ring"),
    "another particle's entries": ("j = lists[0 + unit]", "j = lists[0]", "ring"),
    "last tile not cut": (
        "UNITS - first < blockDim.x ? int(UNITS - first) :",
        "false ? 0 :",
        "pairs",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_is_noticed(gpu, monkeypatch, name):
    right, wrong, which = MUTATIONS[name]
    U = POTENTIALS[which]()
    backend = gpu.backend_of(U)
    code = backend.code(U, False)
    assert right in code
    monkeypatch.setattr(
        backend, "code", staticmethod(lambda potential, single: code.replace(right, wrong))
    )
    try:
        step, whole, numba, other = compare(U, "gjf", np.float64, replicas=5, n=20)
    except (ArithmeticError, AssertionError, RuntimeError):
        return
    sums = all(
        np.allclose(getattr(numba, key), getattr(other, key), rtol=1e-12)
        for key in ("energy", "kinetic", "best_energy", "best_x")
    )
    assert step > 4 or whole > 80 or not sums
