"""Where annealing freezes
=======================

Why slow cooling ends lower. Replicas leave the upper well in Kramers' time, which grows like
exp(B/T) as T falls (B is the barrier). The run gives them the time in which Boltzmann's share falls
by a factor of e. Where the two meet (dots) the replicas freeze: from there on the share in the
upper well stays near what it was. A longer run freezes colder, and so leaves less behind.
"""

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots, thermometers

HOT, COLD, GAMMA, DT = 1.0, 0.02, 1.0, 0.1
RUNS = {3_000: plots.RED, 100_000: plots.BLUE}  # steps
FALL = np.log(HOT / COLD)


def escape(U: lsa.Potential) -> tuple[float, float, float]:
    """The top of the barrier, its height above the upper well, and Kramers' time without
    exp(B/T).
    """
    places = np.roots([4, 0, -4, 0.3]).real  # where dU/dx = 0: lower well, upper well, top
    _, top, upper = sorted(places)
    well, barrier = np.sqrt(np.abs(U.laplacian(np.array([[upper], [top]]))))
    slowed = np.sqrt(GAMMA**2 / 4 + barrier**2) - GAMMA / 2
    return top, float(U.energy([top]) - U.energy([upper])), 2 * np.pi * barrier / (well * slowed)


def main(quick: bool = False) -> dict[int, tuple[float, float, float]]:
    """For each number of steps: where it freezes, Boltzmann's share in the upper well there, and
    the share at the end.
    """
    U, replicas = lsa.potentials.double_well(tilt=0.3), 500 if quick else 4000
    top, height, prefactor = escape(U)
    T = np.geomspace(HOT, COLD, 80)
    grid, found = np.linspace(-4, 4, 8001), {}
    upper = [
        thermometers.boltzmann_average(U, t, lambda x: 1.0 * (x[:, 0] > top), [grid]) for t in T
    ]
    with plt.rc_context(plots.STYLE):
        _, (time, share) = plt.subplots(2, 1, figsize=(5.2, 6.4), layout="constrained", sharex=True)
        time.plot(T, prefactor * np.exp(height / T), color=plots.BLACK, label="Kramers' time")
        share.plot(T, 100 * np.array(upper), color=plots.BLACK, label="Boltzmann")
        for n, colour in RUNS.items():
            cooling = lsa.Schedule(lsa.schedules.exponential(HOT, COLD), GAMMA, DT)
            how = {"replicas": replicas, "rng": 1, "record_every": n // 100, "samples": True}
            run = lsa.anneal(U, None, cooling, n, **how)
            stays = 100 * (run.samples[..., 0] > top).mean(1)
            given = n * DT / FALL / np.gradient(np.log(upper), np.log(T))
            late = np.log(given) - np.log(prefactor) - height / T  # falls through 0 as T falls
            meet = float(np.interp(0, late[::-1], T[::-1]))
            time.plot(T, given, color=colour, label=f"time given by {n:,} steps")
            time.plot(meet, prefactor * np.exp(height / meet), "o", color=colour)
            now = HOT * (COLD / HOT) ** (run.history.step / n)
            share.plot(now, stays, color=colour, label=f"{n:,} steps")
            there = float(np.interp(meet, T[::-1], upper[::-1]))
            share.plot(meet, 100 * there, "o", color=colour)
            found[n] = meet, there, float(stays[-1] / 100)
        time.set(yscale="log", ylim=(1, 1e6), ylabel="time")
        share.set(xlabel="temperature $T$ (energy): cooling goes to the right", xscale="log")
        share.set(xlim=(HOT, COLD), ylim=(0, 60), ylabel="in the upper well (%)")
        share.set_xticks([1, 0.5, 0.2, 0.1, 0.05, 0.02], ["1", "0.5", "0.2", "0.1", "0.05", "0.02"])
        share.minorticks_off()
        time.legend(loc="upper left")
        share.legend(loc="upper right")
    return found


if __name__ == "__main__":
    for n, (T, there, end) in main().items():
        print(f"{n:,} steps: freezes at T = {T:.3f}, {there:.1%} there, {end:.1%} at the end")
    plt.show()
