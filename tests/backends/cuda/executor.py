"""Layer 3: the CUDA string that CuPy would compile, compiled by g++ and run over all threads."""

import ctypes
import functools
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import nvrtc
import ptx

HERE = Path(__file__).parent
GXX = shutil.which("g++")
C_TYPES = {
    "float": "f4",
    "double": "f8",
    "int": "i4",
    "unsigned int": "u4",
    "long long": "i8",
    "unsigned long long": "u8",
}
KERNEL = re.compile(r'extern "C" __global__ void __launch_bounds__\([^)]*\) (\w+)\(([^)]*)\)')


class CompileException(Exception):
    """What CuPy raises of a text that does not compile."""


def parameters(code):
    """For each kernel of a module its parameters: (name, dtype, is a pointer)."""
    names = {name: kind for kind, name in re.findall(r"typedef ([\w ]+) (\w+);", code)}

    def one(text):
        kind, name = re.sub(r"const|__restrict__|\*", " ", text).split()
        while kind in names:
            kind = names[kind]
        return name, np.dtype(C_TYPES[kind]), "*" in text

    return {
        name: [one(text) for text in listed.split(",")] for name, listed in KERNEL.findall(code)
    }


@functools.cache
def library(source, flags=()):
    """A shared library from C++ text, compiled once a session (and kept in the temporary folder
    between sessions).
    """
    flags = (
        *(() if "-O0" in flags else ("-O1",)),
        "-std=c++17",
        "-march=native",
        "-fPIC",
        "-shared",
        "-fno-gnu-unique",  # or texts of one name share their __shared__ memory, of any size
        "-Wall",
        "-Werror",
        "-Wno-unknown-pragmas",
        "-Wno-unused",
        *flags,
    )
    key = hashlib.sha256(
        (source + str(flags) + (HERE / "cuda_on_cpu.h").read_text()).encode()
    ).hexdigest()[:24]
    folder = Path(tempfile.gettempdir()) / "langevin_sa_tests"
    folder.mkdir(exist_ok=True)
    path = folder / f"{key}.so"
    if not path.exists():
        text, building = folder / f"{key}.cc", folder / f"{key}.building"
        text.write_text(source)
        done = subprocess.run(
            [GXX, *flags, f"-I{HERE}", str(text), "-o", str(building)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise CompileException(done.stderr[:3000])
        building.rename(path)
    return ctypes.CDLL(str(path))


def by_gxx(codes, fused=False):
    """The modules of CUDA texts, compiled together: each in a namespace of its own, with a C
    function for each kernel.
    """
    parts = ['#include "cuda_on_cpu.h"']
    for k, code in enumerate(codes):
        launchers = []
        for name, listed in KERNEL.findall(code):
            types = [
                re.sub(r"\w+\s*$|__restrict__", "", parameter) for parameter in listed.split(",")
            ]
            passed = ", ".join(f"*({kind}*)a[{i}]" for i, kind in enumerate(types))
            barriers = int("__syncthreads" in code)
            launchers.append(
                f"namespace langevin_sa {{\n"
                f"static void call_{name}(void** a) {{ {name}({passed}); }} }}\n"
                f'extern "C" int launch_{k}_{name}'
                f"(void** a, unsigned x, unsigned y, unsigned block) {{\n"
                f"return launch(langevin_sa::call_{name}, a, x, y, block, {barriers}); }}"
            )
        static = code.replace('extern "C" __global__', "static")
        forgotten = [f"#undef {name}" for name in re.findall(r"#define (\w+)", code)]
        parts += [f"namespace module_{k} {{", static, *launchers, "}", *forgotten]
    built = library("\n".join(parts), ("-ffp-contract=fast",) if fused else ("-ffp-contract=off",))
    return [Module(code, built, k) for k, code in enumerate(codes)]


def by_nvrtc(codes, options, release=12):
    """The same from the PTX that NVIDIA's compiler makes of them."""
    made = [nvrtc.compile(code, "compute_80", options, release)[1] for code in codes]
    texts = [text.rstrip(b"\0").decode() for text in made]
    built = library(ptx.translation_unit(texts), ("-O0", "-ffp-contract=off", "-frounding-math"))
    return [Module(code, built, k) for k, code in enumerate(codes)]


class Module:
    """One module of a library; its kernels are called with NumPy arrays, and types are looked at,
    which CuPy does not do.
    """

    def __init__(self, code, built, number):
        self.code, self.params, self.library, self.number = code, parameters(code), built, number

    def launch(self, name, grid, block, args):
        params, pointers, kept = self.params[name], (ctypes.c_void_p * len(args))(), []
        if len(args) != len(params):
            raise TypeError(f"{name} has {len(params)} parameters and was given {len(args)}")
        for i, (value, (parameter, dtype, pointer)) in enumerate(zip(args, params, strict=True)):
            if pointer:
                if (
                    not isinstance(value, np.ndarray)
                    or value.dtype != dtype
                    or not value.flags.c_contiguous
                ):
                    raise TypeError(
                        f"{name}: {parameter} must be a contiguous array of {dtype}, not {value!r}"
                    )
                box = np.array([value.ctypes.data], dtype=np.uint64)
            else:
                given = getattr(value, "dtype", None)
                if given != dtype:  # CuPy passes the bytes on without a look
                    raise TypeError(f"{name}: {parameter} must be {dtype}, not {given}")
                box = np.array([value], dtype=dtype)
            kept.append(box)
            pointers[i] = box.ctypes.data
        columns, rows = (*grid, 1)[:2]
        if not (0 < block[0] <= 1024 and 0 < columns < 2**31 and 0 < rows < 2**16):
            raise ValueError(f"launch shape {grid} x {block}")
        if getattr(self.library, f"launch_{self.number}_{name}")(
            pointers, *map(ctypes.c_uint, (columns, rows, *block))
        ):
            raise RuntimeError(
                f"{name}: some threads of a block left while others waited at a barrier"
            )
