"""Layers 1 and 4: a stand-in for CuPy. Device arrays are NumPy arrays that refuse what CuPy
refuses, kernels run by layer 3.

Copies between host and device and launches are counted. Arrays lie between guards, which are looked
at after each launch.
"""

import functools
import threading
import types
import weakref

import executor
import numpy as np
from fake_device import CUDARuntimeError, Device, Stream, counts, launched
from numpy.lib.mixins import NDArrayOperatorsMixin

one_at_a_time = threading.Lock()
GUARD = 16384  # bytes on either side of an array, filled with NaN


class ndarray(NDArrayOperatorsMixin):
    """What CuPy's array allows, by NumPy."""

    def __init__(self, array, room=None, device=None):
        self._array, self._room, self.device = array, room, Device(device)

    __cuda_array_interface__ = None  # that it has one says where it is

    def __array__(self, *args, **kwargs):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to "
            "construct a NumPy array explicitly."
        )

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        _refuse_host(inputs)
        _refuse_others((*inputs, *kwargs.get("out", ())))
        if "out" in kwargs:
            kwargs["out"] = tuple(map(_inner, kwargs["out"]))
        out = _outer(
            getattr(ufunc, method)(
                *map(_inner, inputs), **{key: _inner(value) for key, value in kwargs.items()}
            )
        )
        # of the class of the first that is of another one; all else that makes arrays forgets it
        kinds = [type(value) for value in inputs if isinstance(value, ndarray)]
        kind = next((kind for kind in kinds if kind is not ndarray), ndarray)
        alike = method == "__call__" and ufunc is not np.matmul and kind is not ndarray
        return out.view(type=kind) if alike and isinstance(out, ndarray) else out

    def view(self, dtype=None, type=None):
        there = self._array if dtype is None else self._array.view(dtype)
        return (type or self.__class__)(there, self._room, self.device.id)

    def __array_function__(self, function, kinds, args, kwargs):
        return _call(function, args, kwargs)

    def __getattr__(self, name):
        if name.startswith("__"):  # no __array_interface__: that would be an implicit copy
            raise AttributeError(name)
        value = getattr(self._array, name)
        return _on_device(value, self) if callable(value) else _outer(value, self.device.id)

    @property
    def data(self):
        return types.SimpleNamespace(ptr=self._array.ctypes.data)

    def __getitem__(self, index):
        return _outer(self._array[_inner(index)], self.device.id)

    def __setitem__(self, index, value):
        _refuse_host([value])
        _refuse_others([self, value])
        self._array[_inner(index)] = _inner(value)

    def __len__(self):
        return len(self._array)

    def __iter__(self):
        return (_outer(row, self.device.id) for row in self._array)

    def get(self, out=None):
        Stream.refuse("a copy to the host")
        counts["to host"] += 1
        if out is None:
            return self._array.copy()
        assert (
            isinstance(out, np.ndarray)
            and out.flags.c_contiguous
            and out.dtype == self.dtype
            and out.shape == self.shape
        )
        out[...] = self._array
        return out

    def set(self, array):
        assert (
            isinstance(array, np.ndarray)
            and array.dtype == self.dtype
            and array.shape == self.shape
        )
        Stream.refuse("a copy to the device")
        counts["to device"] += 1
        self._array[...] = array

    def item(self):
        Stream.refuse("a copy to the host")
        counts["to host"] += 1
        return self._array.item()

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __bool__(self):
        return bool(self.item())

    def __index__(self):
        return self.item().__index__()

    def __repr__(self):
        return f"fake_cupy({self._array!r})"


def _method(name):
    """An array's method as CuPy's class has it."""

    def method(self, *args, **kwargs):
        if name == "copy":  # to the current device
            return ndarray(self._array.copy())
        return _call(getattr(np.ndarray, name), (self, *args), kwargs)

    return method


for _name in (
    *("all", "any", "argmax", "argmin", "astype", "clip", "copy", "cumprod", "cumsum", "diagonal"),
    *("dot", "flatten", "max", "mean", "min", "prod", "ravel", "repeat", "reshape", "round", "std"),
    *("sum", "take", "trace", "var"),
):
    setattr(ndarray, _name, _method(_name))


def _inner(value):
    if isinstance(value, ndarray):
        return value._array
    return type(value)(map(_inner, value)) if type(value) in (tuple, list) else value


def _outer(value, device=None):
    # CuPy returns arrays of no dimension, not numbers
    if isinstance(value, (np.ndarray, np.generic)):
        return ndarray(np.asarray(value), device=device)
    return (
        tuple(_outer(v, device) for v in value)
        if type(value) is tuple and any(isinstance(v, np.ndarray) for v in value)
        else value
    )


def _refuse_host(values):
    for value in values:
        if type(value) in (tuple, list):
            _refuse_host(value)
        elif isinstance(value, np.ndarray) and value.ndim:
            raise TypeError(f"Unsupported type {type(value)}")


def _refuse_others(values):
    for value in values:
        if type(value) in (tuple, list):
            _refuse_others(value)
        elif isinstance(value, ndarray) and value.device.id != Device.current():
            raise ValueError(
                "Array device must be same as the current device: array device = "
                f"{value.device.id} while current = {Device.current()}"
            )


def _call(function, args, kwargs):
    if function is np.asarray:  # with like=
        return asarray(*args, **kwargs)
    if kwargs.keys() & {"where", "initial"}:  # which CuPy's reductions do not know
        raise TypeError(f"{function.__name__}() got an unexpected keyword argument")
    _refuse_host([*args, *kwargs.values()])
    _refuse_others([*args, *kwargs.values()])
    return _outer(
        function(
            *map(_inner, args),
            **{key: _inner(value) for key, value in kwargs.items() if key != "like"},
        )
    )


def _on_device(function, owner=None):
    def call(*args, **kwargs):
        _refuse_others([owner])
        return _call(function, args, kwargs)

    return call


def _allocate(array):
    """A copy of an array between guards."""
    array = np.asarray(array)
    room = np.full(array.nbytes + 2 * GUARD, 0xFF, dtype=np.uint8)
    copy = room[GUARD : GUARD + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return ndarray(copy, room)


def _check_guards(arrays):
    for array in arrays:
        if isinstance(array, ndarray) and array._room is not None:
            ends = array._room[:GUARD], array._room[GUARD + array._array.nbytes :]
            assert all((end == 0xFF).all() for end in ends), "a kernel wrote outside an array"


def asarray(value, dtype=None, **_):
    if hasattr(value, "__cuda_array_interface__") and not isinstance(value, ndarray):
        there = types.SimpleNamespace(__array_interface__=value.__cuda_array_interface__)
        device = Device.places.get(there.__array_interface__["data"][0], 0)
        value = ndarray(np.asarray(there), device=device)
    if isinstance(value, ndarray):
        if value.device.id != Device.current():  # CuPy copies to the current device
            return _allocate(value._array if dtype is None else value._array.astype(dtype))
        return value if dtype in (None, value.dtype) else ndarray(value._array.astype(dtype))
    counts["to device"] += 1
    return _allocate(np.asarray(value, dtype=dtype))


def from_dlpack(value):
    kind, device = value.__dlpack_device__()
    assert kind == 2
    host = types.SimpleNamespace(__dlpack__=value.__dlpack__, __dlpack_device__=lambda: (1, 0))
    return ndarray(np.from_dlpack(host), device=device)


def pointer_attributes(address):
    """Of what lies on a device."""
    return types.SimpleNamespace(device=Device.places.get(address, 0))


class RawModule:
    """Compiled by g++, or executed from PTX; `ready` holds modules by (code, options) that were
    compiled together before.
    """

    ready = {}  # noqa: RUF012
    from_ptx = 0  # of this release of CUDA
    reversed = False  # the order of threads

    def __init__(self, *, code, options=()):
        key = code, options, self.from_ptx
        if key not in self.ready:
            build = (
                functools.partial(executor.by_nvrtc, options=options, release=self.from_ptx)
                if self.from_ptx
                else functools.partial(executor.by_gxx, fused="--fmad=true" in options)
            )
            self.ready[key] = build([code])[0]
        self.module = self.ready[key]

    def get_function(self, name):
        loaded = []

        def run(grid, block, args):
            launched[Device.current()] += 1
            with one_at_a_time:  # threads of a grid are fibers of one thread
                self.module.library.set_reversed(int(self.reversed))
                self.module.launch(name, grid, block, [_inner(value) for value in args])
            _check_guards(args)

        def launch(grid, block, args, *, shared_mem=0, stream=None):
            for value in args:
                if isinstance(value, np.ndarray):
                    raise TypeError("a numpy.ndarray as a kernel parameter")
            _refuse_others(args)
            recorded = Stream.recording()
            if recorded is None:
                loaded.append(name)
                counts["launches"] += 1
                return run(grid, block, args)
            assert loaded, f"{name} would be loaded while recording"
            weak = [weakref.ref(a) if isinstance(a, ndarray) else a for a in args]
            recorded.append((functools.partial(run, grid, block), weak))

        return launch


FREE = 2**40


def module():
    """The module to put in ``sys.modules["cupy"]``."""
    cupy = types.ModuleType("cupy")

    def lookup(name):
        value = getattr(np, name)
        return _on_device(value) if callable(value) and not isinstance(value, type) else value

    def full(shape, value, dtype=None):
        return _allocate(np.full(shape, value, dtype=dtype))

    pool = types.SimpleNamespace(free_bytes=lambda: 0)
    runtime = types.SimpleNamespace(
        memGetInfo=lambda: (FREE, FREE),
        getDeviceCount=lambda: Device.count,
        getDevice=Device.current,
        pointerGetAttributes=pointer_attributes,
        getDeviceProperties=lambda number: {"name": b"stand-in", "major": 9, "minor": 0},
        runtimeGetVersion=lambda: 12_090,
        CUDARuntimeError=CUDARuntimeError,
    )
    cupy.__getattr__ = lookup
    compiler = types.SimpleNamespace(CompileException=executor.CompileException)
    cupy.cuda = types.SimpleNamespace(
        Device=Device, Stream=Stream, runtime=runtime, compiler=compiler, is_available=lambda: True
    )
    members = {
        "ndarray": ndarray,
        "asarray": asarray,
        "array": asarray,
        "from_dlpack": from_dlpack,
        "RawModule": RawModule,
        "get_default_memory_pool": lambda: pool,
    }
    creators = {
        "full": full,
        "zeros": lambda shape, dtype=float: full(shape, 0, dtype),
        "empty": lambda shape, dtype=float: full(
            shape, np.nan if np.dtype(dtype).kind == "f" else 0, dtype
        ),
    }
    copiers = {
        "empty_like": lambda a: full(a.shape, np.nan if a.dtype.kind == "f" else 0, a.dtype),
        "zeros_like": lambda a, dtype=None: full(a.shape, 0, dtype or a.dtype),
    }
    for name, value in {**members, **creators, **copiers}.items():
        setattr(cupy, name, value)
    return cupy
