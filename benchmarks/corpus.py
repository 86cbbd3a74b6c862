"""How often `anneal(U)` with nothing chosen finds the lowest minimum of potentials as users write
them: `corpus_first` (on which the pilot was tuned) and `corpus_more`.

    python benchmarks/corpus.py run FILE --steps 5000 --seeds 2  # any version of the package
    python benchmarks/corpus.py multistart FILE --steps 5000 --seeds 2
    python benchmarks/corpus.py table FILE ...

`run` anneals 64 replicas and keeps where they end; `multistart` makes descents (L-BFGS) from
random starts, in all as many evaluations; `table` lets the ends go down and says in how many
potentials the known minimum was found by any replica or the pilot, by a replica at the end of its
run, and what share of the replicas ended there. Files are pickles: open your own only.
"""

from __future__ import annotations

import argparse
import pickle
import time
import warnings
from pathlib import Path

import numpy as np
from corpus_first import CORPUS
from corpus_more import MORE

import langevin_sa as lsa

BOTH = {**CORPUS, **MORE}
REPLICAS, FIRST_SEED = 64, 7001
KNOWN: dict[str, float] = {  # lowest energies seen, by any method; `table` prints lower ones
    "AB polymer 8": -1.5216269404216733,
    "Born ions 8": -4.7652155098037925,
    "Frenkel Kontorova 40": 3.9871278950411746,
    "Gupta 13": -24.69848079100582,
    "QUBO 30": -275.49314967557325,
    "XOR network": 0.012264856071141987,
    "XY glass 24": -18.2825823538677,
    "Yukawa 2d 15": 30.46147672617716,
    "copper13 eV": -34.77579430555411,
    "disks 11": 0.04237001165924885,
    "double funnel": 2.0053868803029719e-13,
    "fene chain": 152.52655725543053,
    "gaussian wells": -1.540388202673496,
    "gaussian wells box 50": -1.5,
    "harmonic chain": -20.077279836325612,
    "ions in trap": 115.0418247401285,
    "log NaN": -4.209559611826117,
    "mixture": 0.4485019057824156,
    "phi4 chain": -3.2099382686709608,
    "ring polymer 8": -19.774455684740644,
    "spin glass 40": -32.02768899085382,
    "torsions": -9.605134110528004,
    "vortices 12": -39.85243534772367,
    "washboard": -4.932941825888805,
}


TOGETHER = 256  # descents of multistart between two looks whether it is done


def known(name: str, seen: float = np.inf) -> float:
    value = BOTH[name][2]
    return min(seen, KNOWN.get(name, np.inf)) if value is None else value


def run(name: str, steps: int, seed: int) -> dict:
    make, x0, _, _ = BOTH[name]
    U, began = make(), time.perf_counter()
    out = {"kind": "run", "name": name, "steps": steps, "seed": seed}
    x0 = None if x0 is None else np.tile(x0, (REPLICAS, 1))
    try:
        r = lsa.anneal(U, x0, None, steps, replicas=REPLICAS, rng=seed, threads=1)
    except Exception as error:
        return out | {"error": repr(error), "x": np.empty((0, U.dim)), "pilot": np.inf, "share": 0}
    pilot = r.get("pilot")
    return out | {
        "status": r.status,
        "x": r.state.x,
        "pilot": np.inf if pilot is None else pilot.fun,
        "share": 0.0 if pilot is None else pilot.nfev / (steps * REPLICAS),
        "schedule": str(r.schedule),
        "best": r.x,
        "seconds": time.perf_counter() - began,
        "pilot seconds": 0.0 if pilot is None else pilot.seconds,
    }


def relaxed(U, x, room=np.inf, sigma=None):
    """Energies to which points go down."""
    from langevin_sa.descents.batched import relax
    from langevin_sa.tuning.sight import Sight
    from langevin_sa.tuning.spread import low_spread

    if sigma is None:
        drawn = U.draw_start(64, np.random.default_rng(0)) if U.has_domain else x
        sigma = drawn.std(0)
        sigma = np.where(sigma > 0, sigma, 1.0)
    sight = Sight(U, sigma, room)
    return relax(sight, x / sigma, 1e-9, 0.2, low_spread, sight.within(room))[1], sight.calls


def multistart(name: str, steps: int, seed: int) -> dict:
    make, x0, _, _ = BOTH[name]
    U, room, generator = make(), steps * REPLICAS, np.random.default_rng(seed)
    found, calls = [], 0
    sigma = U.draw_start(64, generator).std(0)
    while calls < room:
        if x0 is None:
            x = U.draw_start(TOGETHER, generator)
        else:  # one point, jittered by a tenth of its spread
            x = x0 + generator.normal(0, 0.1 * np.std(x0), (TOGETHER, U.dim))
        e, n = relaxed(U, x, room - calls, sigma if x0 is None else None)
        found.append(e)
        calls += max(n, 1)
        if e.min() <= known(name) + BOTH[name][3]:
            break
    e = np.concatenate(found)
    return {"kind": "multistart", "name": name, "steps": steps, "seed": seed, "ends": e}


def score(one: dict, seen: float) -> tuple[float, float, float]:
    """Found at all, found by the run itself, share."""
    bar = known(one["name"], seen) + BOTH[one["name"]][3]
    ends = one["ends"]
    share = float((ends <= bar).mean()) if len(ends) else 0.0
    return float(share > 0 or one.get("pilot", np.inf) <= bar), float(share > 0), share


def ends_of(one: dict) -> np.ndarray:
    if "ends" not in one:
        x = np.vstack([one["x"], one["best"]]) if len(one["x"]) else one["x"]
        e = relaxed(BOTH[one["name"]][0](), x, 2000 * REPLICAS)[0] if len(x) else np.empty(0)
        one["ends"] = np.where(np.isfinite(e), e, np.inf)[: len(one["x"])]
        one["pilot"] = min(one["pilot"], *e[len(one["x"]) :], np.inf)
    return one["ends"]


def interval(hits: float, of: int) -> str:
    """Wilson's, 95 %."""
    from langevin_sa.statistics import wilson

    found = wilson(round(hits), of)
    low, high = found.low, found.high
    return f"{100 * hits / of:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def table(files: list[str], verbose: bool) -> None:
    runs: dict[tuple, dict[str, list[dict]]] = {}
    lowest: dict[str, float] = {}
    for file in files:
        path = Path(file)
        ones = pickle.loads(path.read_bytes())
        for one in ones:
            e = ends_of(one)
            low = min(float(e.min(initial=np.inf)), one.get("pilot", np.inf))
            lowest[one["name"]] = min(lowest.get(one["name"], np.inf), low)
            runs.setdefault((path.stem, one["steps"]), {}).setdefault(one["name"], []).append(one)
        path.write_bytes(pickle.dumps(ones))
    for name, low in lowest.items():
        if BOTH[name][2] is None and low < KNOWN.get(name, np.inf) - 1e-9 * abs(low):
            print(f"known {name!r}: {low!r},")
    for (stem, steps), by_name in runs.items():
        rows = {}
        for name, ones in by_name.items():
            rows[name] = np.mean([score(one, lowest[name]) for one in ones], axis=0)
            if verbose:
                shares = [one.get("share", 0) for one in ones]
                low = min(min(o["ends"].min(initial=np.inf), o.get("pilot", np.inf)) for o in ones)
                print(f"  {name:24s} {rows[name].round(2)} pilot {np.max(shares):.3f} "
                      f"best {low:.6g} known {known(name, lowest[name]):.6g} "
                      f"{ones[0].get('seconds', 0):.1f}s {ones[0].get('pilot seconds', 0):.1f}s "
                      f"{ones[0].get('error', '')}{ones[0].get('schedule', '')}")  # fmt: skip
        values, count = np.array(list(rows.values())), sum(map(len, by_name.values()))
        hits = np.array([score(o, lowest[o["name"]]) for ones in by_name.values() for o in ones])
        shares = [o.get("share", 0) for ones in by_name.values() for o in ones]
        error = values[:, 2].std() / len(values) ** 0.5
        print(
            f"{stem} n={steps}: {len(rows)} potentials, found {interval(hits[:, 0].sum(), count)}, "
            f"by the run {interval(hits[:, 1].sum(), count)}, "
            f"share {100 * values[:, 2].mean():.1f} % (+- {100 * error:.1f}); "
            f"pilot's share of evaluations median {np.median(shares):.3f} most {np.max(shares):.3f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["run", "multistart", "table"])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--names", nargs="*")
    parser.add_argument("--which", choices=["first", "more", "both"], default="both")
    parser.add_argument("-v", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    if given.what == "table":
        table(given.files, given.v)
    else:
        chosen = {"first": CORPUS, "more": MORE, "both": BOTH}[given.which]
        out = []
        for name in given.names or chosen:
            for seed in range(given.first, given.first + given.seeds):
                out.append(globals()[given.what](name, given.steps, seed))
            Path(given.files[0]).write_bytes(pickle.dumps(out))
