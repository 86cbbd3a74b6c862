"""The GPU backend without a GPU: see the docstrings of executor, ptx, nvrtc and fake_cupy for the
layers of the proof.
"""

import sys
from importlib import import_module
from pathlib import Path

import executor
import fake_cupy
import pytest

from langevin_sa.backends.cuda import source


def pytest_collection_modifyitems(items):
    for item in items:
        if not executor.GXX and item.path.parent == Path(__file__).parent:
            item.add_marker(
                pytest.mark.skip(reason="the CUDA kernels were NOT checked: g++ is missing")
            )


@pytest.fixture(autouse=True)
def gpu(monkeypatch):
    """The stand-in as CuPy, counters at zero, and the backend imported with it."""
    stand_in = fake_cupy.module()
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    _forget()
    monkeypatch.setattr(fake_cupy.RawModule, "from_ptx", 0)
    monkeypatch.setattr(fake_cupy.Device, "count", 1)
    monkeypatch.setattr(fake_cupy.Device, "places", {})
    fake_cupy.Device(0).use()
    fake_cupy.counts.clear()
    fake_cupy.launched.clear()
    yield import_module("langevin_sa.backends.cuda.cupy")
    _forget()


def _forget():
    """Whatever was imported with the stand-in."""
    for name in ("cupy", "backend", "device", "evaluate", "graphs", "neighbours", "points"):
        sys.modules.pop(f"langevin_sa.backends.cuda.{name}", None)


@pytest.fixture(scope="session")
def together():
    """``together(codes, single, from_ptx)``: compile many modules in one call of g++, to be found
    by those who ask for one of them.
    """

    def build(codes, single, from_ptx=0):
        options = source.options(single)
        new = [
            code
            for code in dict.fromkeys(codes)
            if (code, options, from_ptx) not in fake_cupy.RawModule.ready
        ]
        modules = (
            executor.by_nvrtc(new, options, release=from_ptx)
            if from_ptx
            else executor.by_gxx(new, fused=single)
        )
        fake_cupy.RawModule.ready |= {
            (code, options, from_ptx): module for code, module in zip(new, modules, strict=True)
        }

    return build
