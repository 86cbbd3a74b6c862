"""NumPy text of what particles have besides pairs: terms over lists, and embedded atoms."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent

from .cell import nearest
from .spec import Body, Listed, Spec


def over_lists(spec: Spec, bodies: Mapping[str, Body], forces: bool) -> list[str]:
    """Energies and forces, or Laplacians, of the terms over lists."""
    if not spec.listed:
        return []
    first = f"{spec.first_of_lists} + {len(spec.arrays)}*x.shape[1]"
    parts = [f"at, own = {1 + spec.lattice}, {first}"]
    for k, term in enumerate(spec.listed):
        body = bodies[f"{term.kind} {k}"]
        parts += [*_entries(spec, term), *(body.lines if forces else body.laplacian_lines)]
        total = body.value if forces else body.laplacian
        parts.append(f"e += (zeros_like(v0, dtype=float) + {total}).sum(1)")
        for n, derivative in enumerate(body.derivatives if forces else ()):
            step, axis = divmod(n, spec.space)
            parts += [
                f"f = zeros_like(v0, dtype=float) + {derivative}",
                f"add_at(g, entry[:, {step + 1}] + {axis}, f)",
                f"add_at(g, entry[:, {step}] + {axis}, -f)",
            ]
    return parts


def _entries(spec: Spec, term: Listed) -> list[str]:
    """The next list, its parameters, and the steps between its particles, (replicas, entries)."""
    names = spec.printed_names()
    lines = [f"count = size[at]\nentry = size[at + 1:][:{term.count}*count].reshape(count, -1)"]
    lines += [f"{names[n]} = p[own + {k}*count:][:count]" for k, n in enumerate(term.arrays)]
    lines += [f"at, own = at + 1 + {term.count}*count, own + {len(term.arrays)}*count"]
    for n in range(spec.space * (term.count - 1)):
        step, axis = divmod(n, spec.space)
        ends = (f"x[:, entry[:, {step + end}] + {axis}]" for end in (1, 0))
        lines.append(f"v{n} = {' - '.join(ends)}")
    return lines + (nearest(spec, term.count - 1) if spec.cell else [])


def embedded(spec: Spec, density: Body, embedding: Body) -> str:
    """Energies and forces of particles in the density of the others."""
    return "\n".join(
        [
            *_densities(
                spec, [*density.lines, f"f = zeros_like(v0, dtype=float) + {density.value}"]
            ),
            "v0 = rho",
            *embedding.lines,
            f"e += (zeros_like(rho) + {embedding.value}).sum(1)",
            f"slope = zeros_like(rho) + {embedding.derivatives[0]}",
            "gv = g.reshape(v.shape)",
            _pairs(
                *density.lines,
                f"f = 2*({density.derivatives[0]})*(slope[:, i + 1:] + slope[:, i:i + 1])",
                "f = f[..., None]*d",
                "gv[:, i + 1:] += f\ngv[:, i] -= f.sum(1)",
            ),
        ]
    )


def embedded_laplacian(spec: Spec, density: Body, embedding: Body) -> str:
    """The sum over particles of F'' |grad rho|^2 + F' lap rho, by all coordinates."""
    return "\n".join(
        [
            *_densities(
                spec, [*density.lines, f"f = zeros_like(v0, dtype=float) + {density.value}"]
            ),
            "square, bend, pull = zeros_like(rho), zeros_like(rho), zeros_like(v, dtype=float)",
            _pairs(
                *density.lines,
                f"f = (zeros_like(v0, dtype=float) + 2*({density.derivatives[0]}))[..., None]*d",
                "pull[:, i + 1:] += f\npull[:, i] -= f.sum(1)",
                "f = (f*f).sum(2)\nsquare[:, i + 1:] += f\nsquare[:, i] += f.sum(1)",
                *density.laplacian_lines,
                f"f = zeros_like(v0, dtype=float) + {density.laplacian}",
                "bend[:, i + 1:] += f\nbend[:, i] += f.sum(1)",
            ),
            "v0 = rho",
            *embedding.lines,
            f"bend *= {embedding.derivatives[0]}",
            *embedding.laplacian_lines,
            f"e += (bend + ({embedding.laplacian})*(square + (pull*pull).sum(2))).sum(1)",
        ]
    )


def _densities(spec: Spec, lines: list[str]) -> list[str]:
    """rho (replicas, particles), the sum over the others of f."""
    return [
        f"v = x.reshape(len(x), -1, {spec.space})",
        "rho = zeros_like(v[..., 0], dtype=float)",
        _pairs(*lines, "rho[:, i + 1:] += f\nrho[:, i] += f.sum(1)"),
    ]


def _pairs(*lines: str) -> str:
    """Each particle with all after it, d apart."""
    apart = "d = v[:, i + 1:] - v[:, i:i + 1]\nv0 = (d*d).sum(2)\n"
    return "for i in range(v.shape[1] - 1):\n" + indent(apart + "\n".join(lines), "    ")
