"""NVIDIA's tools around a kernel of ours: compute-sanitizer, and ncu for `counters` of gpu.py.

python benchmarks/gpu_tools.py DTYPE tiny|whole CASE...      is what they look at: some steps
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from gpu_cases import CASES, DTYPES, LeftOut, mover  # noqa: E402

TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")
SECTIONS = (
    "SpeedOfLight ComputeWorkloadAnalysis MemoryWorkloadAnalysis InstructionStats SchedulerStats "
    "WarpStateStats LaunchStats Occupancy"
).split()
PIPE = re.compile(
    r"sm__(?:inst_executed_)?pipe_(\w+?)(?:_cycles_active)?\.avg\.pct_of_peak_sustained_active"
)
STALL = re.compile(r"smsp__average_warps_issue_stalled_(\w+)_per_issue_active\.ratio")


def sanitize(tool: str) -> dict[str, Any]:
    """What a tool of compute-sanitizer finds in the tiny cases, all kernels and dtypes."""
    command = [program("compute-sanitizer"), "--tool", tool, "--error-exitcode", "9"]
    errors = 0
    for dtype in DTYPES:
        done = run([*command, *ours(dtype, "tiny", *CASES)])
        said = re.findall(r"(?:ERROR SUMMARY|RACECHECK SUMMARY): (\d+)", done.stdout)
        if not said or done.returncode not in (0, 9):
            raise RuntimeError(f"{tool} broke off: {(done.stdout + done.stderr)[-250:]}")
        errors += sum(map(int, said))
    return {"errors": errors, "ok": errors == 0}


def counters(tiny: bool) -> Iterator[tuple[str, str, Callable[[], dict[str, Any]]]]:
    """What ncu says of each kernel."""
    for name in CASES:
        for dtype in DTYPES:
            yield "ncu", f"{name}, {dtype}", partial(profile, name, dtype, tiny)


def profile(name: str, dtype: str, tiny: bool) -> dict[str, Any]:
    """The busiest pipe, the chief reason of waiting, memory, and instructions a coordinate-step."""
    from gpu_floor import instructions, this_card, warps

    case = CASES[name].scaled(tiny)
    command = [program("ncu"), "--csv", "--page", "raw", "--kernel-name", "regex:replicas|sweep"]
    command += ["--launch-skip", str(case.launches), "--launch-count", "1"]
    command += [word for section in SECTIONS for word in ("--section", section)]
    done = run([*command, *ours(dtype, "tiny" if tiny else "whole", name)])
    found = numbers(done.stdout)
    if not found:
        raise RuntimeError(f"ncu gave no numbers: {(done.stdout + done.stderr)[-250:]}")
    pipes: dict[str, float] = {}
    for key, value in found.items():
        if pipe := PIPE.fullmatch(key):  # by cycles, by instructions or both
            pipes[pipe[1]] = max(value, pipes.get(pipe[1], 0.0))
    pipes["issue"] = 100 * found.get("smsp__issue_active.avg.per_cycle_active", 0.0)
    pipes["memory"] = found.get("gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed", 0.0)
    stalls = {m[1]: v for k, v in found.items() if (m := STALL.fullmatch(k))}
    stalls = {k: v for k, v in stalls.items() if k != "selected" and "not_issued" not in k}
    busiest, waits = max(pipes, key=pipes.__getitem__), max(stalls, key=stalls.get, default="")
    whole = case.launches == 2  # all steps are one launch
    done_steps = case.replicas * case.potential().dim * (case.steps if whole else 1)
    cells = {"limiter": busiest, "% of its peak": pipes[busiest], "waits for": waits}
    cells |= {f"% {what}": pipes[what] for what in ("issue", "memory")}
    cells |= {"registers": int(found.get("launch__registers_per_thread", 0))}
    lanes = 32 * found.get("smsp__inst_executed.sum", 0.0)
    cells["instructions a coordinate-step"] = lanes / done_steps
    if case.counted:
        cells["counted"] = instructions(case, dtype, this_card().target)[0] * warps(case)[1]
    return cells | {"_all": {**pipes, **{f"stall {k}": v for k, v in stalls.items()}}}


def numbers(text: str) -> dict[str, float]:
    """The metrics of ncu's page of raw numbers: a row of names, one of units, one of values."""
    lines = [line for line in text.splitlines() if line.startswith('"')]
    rows = list(csv.reader(io.StringIO("\n".join(lines))))
    found = {}
    for name, value in zip(rows[0], rows[-1], strict=True) if len(rows) > 2 else ():
        try:
            found[name] = float(value.replace(",", ""))
        except ValueError:  # a word
            continue
    return found


def program(name: str) -> str:
    """Where a tool is."""
    found = shutil.which(name) or shutil.which(f"/usr/local/cuda/bin/{name}")
    if found is None:
        raise LeftOut(f"no {name} on PATH or in /usr/local/cuda/bin")
    return found


def ours(*words: str) -> list[str]:
    """The command that is looked at."""
    return [sys.executable, str(Path(__file__)), *words]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run it to its end, or for two minutes."""
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def main(dtype: str, size: str, *names: str) -> None:
    """Begin, and two rounds of a few steps."""
    import cupy

    if size == "tiny":
        cupy.cuda.set_allocator(None)  # no pool, in which an array has no ends
    for name in names:
        case = CASES[name].scaled(size == "tiny")
        one = mover(case, case.potential(), dtype, "cupy")
        for _ in range(2):
            one.advance(case.coefficients(case.steps))


if __name__ == "__main__":
    main(*sys.argv[1:])
