"""A function in CUDA C, which is compiled into the kernels of backend "cupy"."""

from __future__ import annotations

import re
from typing import Any

from ..arguments import real_array, shown

HEAD = "__device__ real energy_gradient(const real* x, real* g)"
WITH_PARAMETERS = HEAD.replace(")", ", const real* p)")
DEFINED = re.compile(r"\benergy_gradient\s*\(([^)]*)\)\s*\{")


class CudaFunction:
    """The text, and what its last argument points to.

    Attributes
    ----------
    text : str
        What was given.
    dim : int
        Number of coordinates.
    numbers : ndarray
        Parameters, none if the function takes two arguments.
    """

    def __init__(self, text: Any, dim: int, parameters: Any) -> None:
        head = HEAD if parameters is None else WITH_PARAMETERS
        if not isinstance(text, str):
            raise TypeError(f"text must be CUDA C that defines {head}, not {shown(text)}")
        found = DEFINED.search(re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL))
        if found is None:
            raise ValueError(f"the text defines no energy_gradient: write {head} {{ ... }}")
        count, wanted = found[1].count(",") + bool(found[1].strip()), head.count(",") + 1
        if count != wanted:
            why = "without parameters=" if parameters is None else "with parameters="
            raise ValueError(
                f"energy_gradient({found[1]}) takes {count} arguments; expected {why} {head}"
            )
        self.text, self.dim = text, dim
        given = [] if parameters is None else parameters
        self.numbers = real_array(given, "parameters").ravel()

    @property
    def force(self) -> str:
        """The text as kernels have it: ``force(x, g, p)``; errors in it are told by its own
        lines.
        """
        call = "x, g, p" if self.numbers.size else "x, g"
        return "\n".join(
            [
                'namespace user {\n#line 1 "energy_gradient"',
                self.text,
                '#line 1 "langevin_sa"\n}',
                "__device__ inline double force(const real* x, real* g, const real* p) {",
                f"    return user::energy_gradient({call});\n}}",
            ]
        )

    def energy_gradient(self, x: Any) -> tuple[Any, Any]:
        """Energies (replicas,) and gradients (replicas, dim) at x (replicas, dim), by the GPU."""
        from ..backends.cuda.evaluate import of_function

        return of_function(self, x)
