"""What runs of solvers show: hits at budgets, expected running time, tables and data profiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from solvers import PEERS, Run

BUDGETS = (100, 1000, 5000)  # evaluations a dimension


def _by_solver(runs: list[Run]) -> dict[str, list[Run]]:
    names = dict.fromkeys(r.solver for r in runs)
    return {name: [r for r in runs if r.solver == name] for name in names}


def running_time(runs: list[Run]) -> float:
    """Expected evaluations until a hit, ERT: those of all runs, up to their hits, a success."""
    spent = sum(min(r.first, r.evaluations) for r in runs)
    hits = sum(np.isfinite(r.first) for r in runs)
    return spent / hits if hits else np.inf


def summary(runs: list[Run]) -> str:
    """Markdown, a solver a line: successes, hits within budgets, median evaluations to the first
    hit and until it stopped, ERT, processor time an evaluation with the function's own.
    """
    lines = [
        "| solver | runs | success | "
        + " | ".join(f"hits at {b:,} dim" for b in BUDGETS)
        + " | median first | median stop | stop/first, most | ERT | us/evaluation |",
        "|---|---|---|" + "---|" * (len(BUDGETS) + 5),
    ]
    for name, mine in _by_solver(runs).items():
        hits = [sum(r.first <= b * r.dim for r in mine) for b in BUDGETS]
        cells = [name, len(mine), sum(r.success for r in mine), *hits]
        cells += [f"{np.median([r.first for r in mine]):.0f}"]
        after = [r.evaluations / r.first for r in mine if np.isfinite(r.first)] or [np.nan]
        cells += [f"{np.median([r.evaluations for r in mine]):.0f}"]
        cells += [f"{np.median(after):.1f}, {max(after):.1f}", f"{running_time(mine):.0f}"]
        cells += [f"{1e6 * sum(r.seconds for r in mine) / sum(r.evaluations for r in mine):.0f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def table(runs: list[Run]) -> str:
    """Markdown: a row for each function and dimension; of each solver successes and ERT."""
    solvers = _by_solver(runs)
    head = ["function", "dim", *solvers]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for function, dim in dict.fromkeys((r.function, r.dim) for r in runs):
        cells = []
        for mine in solvers.values():
            chosen = [r for r in mine if (r.function, r.dim) == (function, dim)]
            hits = sum(r.success for r in chosen)
            cells.append(f"{hits}/{len(chosen)} {running_time(chosen):.0f}" if chosen else "")
        lines.append(f"| {function} | {dim} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def partial(runs: list[Run]) -> list[str]:
    """Solvers that lack problems which another ran: their shares are of something else."""
    problems = {r.key[1:] for r in runs}
    return [n for n, mine in _by_solver(runs).items() if {r.key[1:] for r in mine} != problems]


def relative(runs: list[Run], name: str, to: str) -> float:
    """Evaluations of one solver to its first hit over those of another, in the median of the
    problems that both hit: the cost of a descent, where one is enough.
    """
    first = {r.key: r.first for r in runs}
    others = [(first[key], first.get((to, *key[1:]), np.inf)) for key in first if key[0] == name]
    return float(np.median([a / b for a, b in others if np.isfinite([a, b]).all()] or [np.nan]))


def profile(runs: list[Run], path: Path) -> None:
    """Share of all problems hit after so many evaluations a dimension (a data profile)."""
    import matplotlib.pyplot as plt

    from langevin_sa import plots

    colours = (plots.BLUE, plots.ORANGE, plots.GREEN, plots.RED, plots.PURPLE, plots.SKY)
    peers = [f.__name__ for f in PEERS]  # which keep their lines from figure to figure
    solvers = _by_solver(runs)
    hits = {n: np.sort([r.first / r.dim for r in mine]) for n, mine in solvers.items()}
    last = max(r.evaluations / r.dim for r in runs)
    with plt.rc_context(plots.STYLE):
        figure, ax = plt.subplots(
            figsize=(1.5 * plots.SIZE[0], plots.SIZE[1]), layout="constrained"
        )
        for name in sorted(hits, key=lambda n: -np.isfinite(hits[n]).mean()):  # as the curves end
            seen = hits[name][np.isfinite(hits[name])]
            share = 100 * np.arange(len(seen) + 1) / len(hits[name])
            k = peers.index(name) if name in peers else None
            ax.step(
                [1, *seen, last],
                [*share, share[-1]],
                "--" if (k or 0) >= len(colours) or (k is None and name != "langevin_sa") else "-",
                where="post",
                color=plots.BLACK if k is None else colours[k % len(colours)],
                linewidth=2.4 if k is None else 1.4,
                label=f"{name}: {share[-1]:.0f} %",
            )
        ax.set(
            xscale="log",
            xlabel="evaluations / dimension",
            ylabel="problems solved (%)",
            ylim=(0, 101),
            xlim=(1, last),
        )
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        figure.savefig(path)
        plt.close(figure)
