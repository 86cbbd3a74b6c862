"""A phi^4 chain of 10^7 sites on a GPU
====================================

It is annealed on the GPU, where its arrays stay; without one, the CPU does the same steps on the
same noise.
"""

import time

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.schedules import linear

STEPS = 400


def gpu() -> str | None:
    """The GPU's name, or None and a sentence why there is none."""
    try:
        from langevin_sa.backends.cuda.cupy import describe

        return describe()
    except (ImportError, RuntimeError) as error:
        print(f"On the CPU, with numba, because: {error}")
        return None


def main(quick: bool = False) -> dict[str, float]:
    """Sites, kinks a site at the end, and nanoseconds a site and step."""
    sites, device = 20_000 if quick else 10_000_000, gpu()
    U = lsa.potentials.phi4_chain(sites)
    schedule = lsa.Schedule(linear(0.5, 0.0), gamma=0.5, dt=0.2)
    begun = time.perf_counter()
    run = lsa.anneal(
        U,
        None,
        schedule,
        STEPS,
        replicas=1,
        rng=1,
        record_every=10,
        backend="cupy" if device else "numba",
        dtype="float32",
    )
    seconds = time.perf_counter() - begun
    x = run.state.x[0]
    with plt.rc_context(plots.STYLE):
        _, (top, bottom) = plt.subplots(2, 1, figsize=(4.8, 6.0), layout="constrained")
        top.plot(run.history.step, run.history.target, color=plots.RED, label="set")
        top.plot(
            run.history.step,
            run.history.temperature,
            color=plots.BLUE,
            ls="--",
            label="measured, kinetic",
        )
        top.set(xlabel="step", ylabel="temperature (energy)")
        top.legend()
        bottom.plot(x[:300], color=plots.BLUE)
        bottom.set(xlabel=f"site (the first 300 of {sites:,})", ylabel="$x_i$ (length)")
    return {
        "sites": sites,
        "kinks": float(np.mean(np.diff(np.sign(x)) != 0)),
        "ns": seconds * 1e9 / (sites * STEPS),
    }


if __name__ == "__main__":
    found = main()
    print(
        f"{found['sites']:,} sites, {found['kinks']:.5f} kinks a site, {found['ns']:.2f} ns a "
        "site and step"
    )
    plt.show()
