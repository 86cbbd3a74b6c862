"""The 24 noiseless functions of COCO's bbob suite: Hansen, Finck, Ros, Auger, INRIA RR-6829 (2009);
no gradient.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from solvers import Problem

CLOSE = 1e-5


def bbob(dims: tuple[int, ...], instances: str) -> Iterator[Problem]:
    """Ordered by dimension, function and instance, like ``"1-3"``; a hit is within 1e-5."""
    import cocoex

    chosen = f"dimensions:{','.join(map(str, dims))}"
    for coco in cocoex.Suite("bbob", f"instances:{instances}", chosen):
        dim, number, instance = coco.dimension, coco.id_function, coco.id_instance
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            coco._best_parameter("print")  # writes a file, the only way that tells
            best = np.loadtxt(Path("._bbob_problem_best_parameter.txt"))
        minimum = float(coco(best))
        problem = Problem(
            f"f{number}", dim, instance, coco, None, [(-5.0, 5.0)] * dim, minimum + CLOSE
        )
        problem.x0 = problem.start(100 * number + instance)
        yield problem
