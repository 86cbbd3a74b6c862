"""Layer 2: NVIDIA's compiler, from the wheel nvidia-cuda-nvrtc, which needs no GPU."""

import ctypes
import functools
import re
from importlib.util import find_spec
from pathlib import Path


@functools.cache
def library():
    """libnvrtc, or None."""
    spec = find_spec("nvidia.cuda_nvrtc") if find_spec("nvidia") else None
    found = sorted(Path(spec.submodule_search_locations[0]).rglob("libnvrtc.so.*")) if spec else []
    return ctypes.CDLL(str(found[0])) if found else None


@functools.cache
def compile(code, target, options):
    """What the compiler makes of a text for ``sm_80`` or ``compute_80``: its log, and machine code
    or PTX. Any error is raised.
    """
    nvrtc, program, size = library(), ctypes.c_void_p(), ctypes.c_size_t()
    options = [f"--gpu-architecture={target}", *options]
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


def resources(code, target, options):
    """For each kernel (registers, bytes of stack, bytes spilled), and what the compiler had to say
    besides.
    """
    log, _ = compile(code, target, (*options, "--ptxas-options=-v"))
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
