"""Layer 2, counted: the machine instructions that NVIDIA's compiler makes of the catalogue's
kernels, their registers and spills, as a table.

python tests/backends/cuda/instructions.py     writes instructions.csv anew

The text is compiled with line numbers, which change no instruction, and disassembled. A basic
block is executed in a step as often as the lines that most of its instructions come from: the step
is gjf's, and what is rare in it (a wall, a new lowest point) counts as never. A step's count is
that of the longest way through it.
"""

import csv
import ctypes
import re
import subprocess
import sys
import tempfile
from collections import Counter
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median_low

import nvrtc

from langevin_sa import potentials
from langevin_sa.backends.cuda import source

TABLE = Path(__file__).with_suffix(".csv")
RELEASE = 12  # of CUDA: its compiler changes no more
TARGETS = ("sm_80", "sm_90", "sm_120")
SIZES = {
    "phi4_chain of 10^7": lambda: potentials.phi4_chain(10**7),
    "lennard_jones of 38": lambda: potentials.lennard_jones(38),
    "lennard_jones_fluid of 8000": lambda: potentials.lennard_jones_fluid(8000),
}
MINI_BATCHES = ("logistic_regression", "one_hidden_layer")  # they stay on the CPU
COLUMNS = (
    "potential dtype target registers stack spilled instructions "
    "step step_float64 step_special pair pair_float64 pair_special"
).split()
LOOPS = {  # what a coordinate-step executes again and again, of each kernel
    "replicas": "for (int t = 0;; ++t) {",
    "sweep": "for (Place first = block * blockDim.x;",
}
PAIRS = "for (int j = 0; there && j < n; ++j)"
APART = "real r0 = v[0] - w[0];"  # one subtraction for each copy of the loop over pairs
A_PAIR = "__device__ inline real pair(const real* v,"
MAKE = "__device__ void make(u64 quad) {"
RARE = (  # blocks and lines that a step of gjf with normal noise leaves out
    "if (turns && t == turn) {",
    "} else if (!(finite(sound) & (!SINGLE || finite(e)))) {",
    "if (e < lowest) {",
    "a = uniform(c0, c1);",
    "b = uniform(c2, c3);",
    "a = three_point(c0, c1);",
    "b = three_point(c2, c3);",
    "m += weighed(kick * normal, inertia + DIM,",
    "if (saves && unit < UNITS) {",
    "if (!FOLDED && t == 0 && paired) {",
    "if (FOLDED && moves && t == 0) fold(",
    "if (t == steps - 1 && paired) {",
)
# quads of noise that a pass through a unit of the lattice makes, of those written out
QUADS = {4: 1.0, 2: 0.75, 1: 0.875}
KINDS = {
    "all": re.compile(""),
    "float64": re.compile(r"D(ADD|MUL|FMA|SETP|MNMX)|MUFU\.\w+64|(I2F|F2F|F2I|FRND)\.\S*F64"),
    "special": re.compile(r"MUFU|I2F\b|F2F|F2I|FRND"),  # an eighth of the lanes, or fewer
}
INSTRUCTION = re.compile(r"\s*/\*[0-9a-f]+\*/\s+(?:\{ *)?(@!?U?P\w+ +)?([A-Z]\S*)")
LINE = re.compile(r'line (\d+)(?: inlined at "[^"]*", line (\d+))?')
ENDS = ("BRA", "BRX", "JMP", "EXIT", "RET", "CALL")


@cache
def disassembler():
    """nvdisasm, or None."""
    spec = find_spec("nvidia")
    for folder in spec.submodule_search_locations if spec else ():
        for found in sorted(Path(folder).rglob("bin/nvdisasm")):
            return str(found)
    return None


def disassemble(cubin):
    """The machine code as text, with the lines it comes from."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        done = subprocess.run(
            [disassembler(), "-c", "-gi", file.name], capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Block:
    """Instructions one after the other, for each the lines of the text it comes from, the kernel's
    last; and the blocks that may follow.
    """

    def __init__(self):
        self.names, self.lines, self.next = [], [], []


def blocks(text, kernel):
    """The basic blocks of a kernel, from its first."""
    start = text.index(f"\n.text.{kernel}:")
    whole, labels, lines, fresh = [Block()], {}, [], True
    for row in text[start + 1 :].splitlines()[1:]:
        if row.startswith((".text.", "//-----", "$")):  # the next section, or a subroutine
            break
        if row.startswith(".L"):
            whole[-1].next.append(len(whole))
            labels[row.strip().rstrip(":")] = len(whole)
            whole.append(Block())
        elif "//## File" in row:
            lines = lines if not fresh else []
            fresh = False
            lines += [int(n) for n in LINE.search(row).groups() if n]
        elif instruction := INSTRUCTION.match(row):
            fresh, name = True, instruction[2].rstrip(";")
            target = re.search(r"`\((\.L\w+)\)", row)
            if target and name.startswith("CALL"):  # of a place in the kernel: a jump
                name = "JMP"
            if name != "NOP":
                whole[-1].names.append(name)
                whole[-1].lines.append(tuple(lines))
            if name.split(".")[0] in ENDS:
                always = not instruction[1] and not re.search(r"\bU?P\d", row)
                if target:
                    whole[-1].next.append(target[1])
                if not always or "CALL" in name:
                    whole[-1].next.append(len(whole))
                whole.append(Block())
    for block in whole:
        targets = [labels.get(n, n) for n in block.next]
        block.next = [whole[n] for n in targets if isinstance(n, int) and n < len(whole)]
    return whole


def reached(block, inside):
    """The blocks that may come after one, without leaving some."""
    found, todo = set(), [block]
    while todo:
        fresh = {n for n in todo.pop().next if n in inside} - found
        found |= fresh
        todo += fresh
    return found


def innermost(whole, block):
    """The blocks of the innermost loop that a block is in, from that where it is entered."""
    found, inside = [], set(whole)
    while loop := {b for b in reached(block, inside) if block in reached(b, inside)}:
        entries = (n for b in whole if b not in loop for n in b.next if n in loop)
        first = next(entries, whole[0])
        found, inside = [first, *(loop - {first})], loop - {first}
    return found


def longest(whole, weight):
    """The blocks of the way from the first, without going back, whose sum of weights is largest."""
    best, going, todo, inside = {}, set(), [whole[0]], set(whole)
    while todo:  # depth first; a way back leads to a block that is gone through
        block = todo[-1]
        if block in best:
            todo.pop()
        elif block not in going:
            going.add(block)
            todo += [n for n in block.next if n in inside - going and n not in best]
        else:
            ways = [best[n] for n in block.next if n in best]
            most, way = max(ways, key=lambda found: found[0], default=(0.0, ()))
            best[block] = most + weight(block), (block, way)
            going.discard(block)
            todo.pop()
    way, found = best[whole[0]][1], []
    while way:
        found.append(way[0])
        way = way[1]
    return found


def region(rows, pattern):
    """The numbers of the lines that begin with a pattern, or of those in the braces it opens."""
    numbers = set()
    for first, row in enumerate(rows):
        if not row.strip().startswith(pattern):
            continue
        if not row.rstrip().endswith("{"):
            numbers.add(first + 1)
            continue
        depth, last = 1, first
        while depth:
            last += 1
            for letter in rows[last]:
                depth += (letter == "{") - (letter == "}")
                if not depth:
                    break
        numbers |= set(range(first + 2, last + 1))
    return numbers


def executed(code, text, kernel):
    """Instructions of a step of one coordinate and, where there are pairs, of one pair: all, those
    in float64, those of the special units.
    """
    rows = code.splitlines()
    defined = dict(re.findall(r"#define (\w+) (\S+)", code))
    aligned, unit = int(defined["ALIGNED"]), int(defined.get("UNIT", defined["DIM"].rstrip("L")))
    loop, make = region(rows, LOOPS[kernel]), region(rows, MAKE)
    rare = set().union(*(region(rows, pattern) for pattern in RARE))
    pairs = {n for k in region(rows, PAIRS) for n in (k, k + 1)}  # its body is the next line
    near = sorted(region(rows, A_PAIR))
    apart = {n for n in near if rows[n - 1].strip() == APART}
    cut = [n for n in near if rows[n - 1].strip().endswith("return 0;")]
    if "LISTS" not in defined:
        rare |= {n for n in near if cut and n > cut[0]}  # most pairs are apart
    # particles of a warp are at different places of their quads: some lane makes one each time
    quads = aligned / 4 if kernel == "replicas" else 1.0 if pairs else QUADS[aligned]

    def often(lines):
        if lines[-1] not in loop or rare & set(lines):
            return 0.0
        return quads if make & set(lines) else 1.0

    def is_root(name, lines):
        return name.startswith("MUFU.RSQ") and bool(make & set(lines))

    def weight(block):
        if not block.names or any(name.startswith("CALL") for name in block.names):
            return 0.0  # a root of a subnormal number
        return len(block.names) * median_low(map(often, block.lines))

    whole = blocks(text, kernel)
    if kernel == "replicas":  # what comes before its loop may have a part of the first step
        whole = innermost(whole, next(b for b in whole if any(map(is_root, b.names, b.lines))))
    sums, roots, subtractions = {kernel: Counter(), "pair": Counter()}, 0, 0
    for block in longest(whole, weight):
        for name, lines in zip(block.names, block.lines, strict=True):
            roots += is_root(name, lines)
            subtractions += name[1:4] == "ADD" and lines[0] in apart
        inner = sum(bool(pairs & set(lines)) for lines in block.lines) > len(block.names) / 2
        into, size = sums["pair" if inner else kernel], max(1, len(block.names))
        for kind, pattern in KINDS.items():
            into[kind] += weight(block) / size * sum(map(bool, map(pattern.match, block.names)))
    # loops may be unrolled: a step makes noise once, or also that of the step before, by a root for
    # each two numbers that it may need
    again = kernel == "sweep" and "typedef double real;" in rows
    made = 2 * unit // aligned if kernel == "replicas" else (unit + 3 - aligned) // 2 + 1
    copies, rest = divmod(roots, made * (1 + again))
    assert copies and not rest, f"{roots} roots are not those of whole steps"
    step = [sums[kernel][kind] / unit / copies for kind in KINDS]
    return step, [sums["pair"][kind] / subtractions for kind in KINDS] if near else []


def count(name, potential, single, target):
    """A row of the table."""
    backend = import_module("langevin_sa.backends.cuda.cupy").backend_of(potential)
    code = backend.code(potential, single)
    options = ("-lineinfo", *source.options(single))
    kernel = "replicas" if "replicas(\n" in code else "sweep"
    registers, stack, spilled = nvrtc.resources(code, target, options, RELEASE)[0][kernel]
    options = (*options, "--ptxas-options=-v")  # as it was compiled a line before
    text = disassemble(nvrtc.compile(code, target, options, RELEASE)[1])
    whole = sum(len(block.names) for block in blocks(text, kernel))
    step, pair = [], []
    lists = potential.formula is not None and potential.formula.source.spec.listed
    unrolled = kernel == "sweep" or potential.dim <= source.IN_REGISTERS
    if unrolled and not (lists and kernel == "sweep"):  # else in loops of any length
        step, pair = executed(code, text, kernel)
    numbers = [f"{n:.1f}" for n in step] or [""] * 3
    numbers += [f"{n:.1f}" for n in pair] or [""] * 3
    kind = "float32" if single else "float64"
    return [name, kind, target, *map(str, (registers, stack, spilled, whole)), *numbers]


def cases():
    """What is counted, by name."""
    known = potentials.catalogue().items()
    return {name: make for name, make in known if name not in MINI_BATCHES} | SIZES


def rows_of(name):
    """All rows of a potential."""
    U = cases()[name]()
    return [count(name, U, single, t) for single in (False, True) for t in TARGETS]


def version():
    """Of the compiler, such as 12.9."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    nvrtc.library(RELEASE).nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return f"{major.value}.{minor.value}"


def read():
    """The version of the compiler that the table was made with, and rows by potential."""
    version, header, *rows = csv.reader(TABLE.read_text().splitlines())
    assert header == COLUMNS
    return version[0], {name: [row for row in rows if row[0] == name] for name, *_ in rows}


def main():
    """Write the table anew."""
    rows = []
    for name in cases():
        print(name, flush=True)
        rows += rows_of(name)
    with TABLE.open("w") as file:
        csv.writer(file, lineterminator="\n").writerows([[version()], COLUMNS, *rows])


if __name__ == "__main__":
    import fake_cupy

    sys.modules["cupy"] = fake_cupy.module()
    main()
