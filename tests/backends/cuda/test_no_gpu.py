"""Without a driver, a card, or one that this CUDA knows: one sentence, from every entry."""

import subprocess
import sys
from pathlib import Path

import fake_cupy
import numpy as np
import pytest
from click.testing import CliRunner

import langevin_sa as lsa
from langevin_sa.cli import main

SCHEDULE = lsa.Schedule(1.0, 1.0, 0.05)
U = lsa.potentials.himmelblau()
X = np.ones((3, 2))


def never():
    """A potential that nobody may evaluate."""

    def asked(x):
        raise AssertionError("something was computed")

    return lsa.Potential(asked, asked, dim=2, start=lambda n, rng: rng.normal(size=(n, 2)))


CALLS = {
    "anneal": lambda: lsa.anneal(U, X, SCHEDULE, 10, backend="cupy"),
    "simulate": lambda: next(lsa.simulate(U, X, SCHEDULE, 10, backend="cupy")),
    "compare": lambda: lsa.compare(U, {"a": SCHEDULE}, replicas=4, n_steps=10, backend="cupy"),
    "cooling_rates": lambda: lsa.cooling_rates(
        U, SCHEDULE, [10, 20], replicas=4, backend="cupy", rng=1
    ),
    "anneal without a schedule": lambda: lsa.anneal(never(), n_steps=100, backend="cupy"),
    "exchange": lambda: lsa.exchange(never(), [1.0, 2.0], 100, backend="cupy"),
    "compare without bounds": lambda: lsa.compare(never(), {"a": SCHEDULE}, x0=X, backend="cupy"),
    "minimize": lambda: lsa.minimize(never(), backend="cupy"),
    "validate": lambda: lsa.validate("cupy", families=["masses"]),
}


def no_driver():
    raise fake_cupy.CUDARuntimeError(
        "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version"
    )


@pytest.fixture(params=["no driver", "no card"])
def bare(gpu, monkeypatch, request):
    """Without; what is said of it."""
    runtime = gpu.cupy.cuda.runtime
    monkeypatch.setattr(
        runtime, "getDeviceCount", no_driver if request.param == "no driver" else lambda: 0
    )
    return "cudaErrorInsufficientDriver" if request.param == "no driver" else "none that may be"


@pytest.mark.parametrize("call", CALLS)
def test_every_call_says_so(bare, call):
    with pytest.raises(RuntimeError, match=rf"finds no GPU .*{bare}.*nvidia-smi.*numba") as raised:
        CALLS[call]()
    assert type(raised.value) is RuntimeError


def test_commands_say_so_in_a_line(bare):
    anneal = CliRunner().invoke(main, "anneal himmelblau --steps 10 --backend cupy".split())
    assert anneal.exit_code == 1 and isinstance(anneal.exception, SystemExit)
    assert anneal.output.splitlines()[-1].startswith("Error: backend 'cupy' finds no GPU")
    info = CliRunner().invoke(main, ["info"])
    assert info.exit_code == 0 and "none: 'cupy' finds no GPU" in info.output


def test_a_card_older_than_cuda_13_knows(gpu, monkeypatch):
    for card, cuda, fits in (("61", 12_090, True), ("70", 13_000, False), ("75", 13_000, True)):
        monkeypatch.setattr(fake_cupy.Device, "compute_capability", card)
        monkeypatch.setattr(gpu.cupy.cuda.runtime, "runtimeGetVersion", lambda cuda=cuda: cuda)
        if fits:
            CALLS["anneal"]()
        else:
            with pytest.raises(
                RuntimeError, match=r"Turing.*has 7\.0: install 'langevin_sa\[gpu\]"
            ):
                CALLS["anneal"]()


def test_a_cupy_that_does_not_load_is_not_called_missing(gpu, monkeypatch):
    class Broken:
        """Finds CuPy, whose libraries are not there."""

        def find_spec(self, name, *_):
            if name == "cupy":
                raise ImportError("libcudart.so.12: cannot open shared object file")

    for name in ("cupy", "device", "points"):
        monkeypatch.delitem(sys.modules, f"langevin_sa.backends.cuda.{name}", raising=False)
    monkeypatch.delitem(sys.modules, "cupy")
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ImportError, match=r"cannot load CuPy: libcudart\.so\.12"):
        CALLS["anneal"]()


def test_the_check_of_a_card_exits_with_2():
    """Having checked nothing: there is no CuPy in the process."""
    check = Path(__file__).parents[3] / "benchmarks" / "gpu.py"
    code = (
        "import sys, runpy; sys.modules['cupy'] = None; sys.argv[1:] = ['smoke']; "
        f"runpy.run_path({str(check)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout.startswith("Nothing was checked"), done
    assert "pip install 'langevin_sa[gpu]'" in done.stdout


def test_describe_says_what_is_there(gpu):
    assert gpu.describe().startswith("stand-in, ") and "capability 9.0" in gpu.describe()
