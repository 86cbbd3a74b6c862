"""Layer 2: NVIDIA's compiler, from the wheels of CUDA 12 and 13, which need no GPU."""

import ctypes
import functools
import re
from importlib.util import find_spec
from pathlib import Path
from unittest import SkipTest

# what CuPy adds to a module's own options (`_compile_with_cache_cuda` and
# `_compile_using_nvrtc_no_warning` of cupy/cuda/compiler.py)
CUPYS = ("-ftz=true", "--device-as-default-execution-space")
WHEELS = {12: "nvidia-cuda-nvrtc-cu12", 13: "nvidia-cuda-nvrtc"}  # of CUDA's releases


@functools.cache
def library(release):
    """libnvrtc of CUDA 12 or 13, or None."""
    spec = find_spec("nvidia")
    for folder in spec.submodule_search_locations if spec else ():
        for found in sorted(Path(folder).rglob(f"libnvrtc.so.{release}")):
            return ctypes.CDLL(str(found))
    return None


@functools.cache
def compile(code, target, options, release=12):
    """What the compiler makes of a text for ``sm_80`` or ``compute_80``, with CuPy's options: its
    log, and machine code or PTX. Any error is raised; a test without that compiler is skipped.
    """
    if library(release) is None:
        raise SkipTest(f"CUDA texts were NOT compiled: the wheel {WHEELS[release]} is missing")
    nvrtc, program, size = library(release), ctypes.c_void_p(), ctypes.c_size_t()
    options = [*options, *CUPYS, f"-arch={target}"]
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), code.encode(), b"module.cu", 0, None, None)
    failed = nvrtc.nvrtcCompileProgram(
        program, len(options), (ctypes.c_char_p * len(options))(*map(str.encode, options))
    )

    def get(what):
        getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        getattr(nvrtc, f"nvrtcGet{what}")(program, buffer)
        return buffer.raw

    log = get("ProgramLog").rstrip(b"\0").decode()
    if failed:
        raise AssertionError(log)
    out = get("CUBIN" if target.startswith("sm") else "PTX")
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return log, out


def resources(code, target, options, release=12):
    """For each kernel (registers, bytes of stack, bytes spilled), and what the compiler had to say
    besides.
    """
    log, _ = compile(code, target, (*options, "--ptxas-options=-v"), release)
    pattern = (
        r"entry function '(\w+)'.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes "
        r"spill loads.*?Used (\d+) registers"
    )
    found = re.findall(pattern, log, re.DOTALL)
    remarks = [line for line in log.splitlines() if line.strip() and not line.startswith("ptxas")]
    return {
        name: (int(registers), int(stack), int(out) + int(back))
        for name, stack, out, back, registers in found
    }, remarks
