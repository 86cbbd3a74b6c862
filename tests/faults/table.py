"""What is bad today: ``python tests/faults/table.py [CALL ...]`` prints a table for each call."""

import os
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import random

import pytest
from calls import CALLS
from injector import places, strike, undisturbed
from steady import steady


def main():
    import warnings

    warnings.simplefilter("ignore")
    names = [a for a in sys.argv[1:] if a in CALLS] or list(CALLS)
    share = float(os.environ.get("SHARE", 1))
    hows = os.environ.get("HOW", "interrupt error kill").split()
    with pytest.MonkeyPatch.context() as patch:
        steady(patch)
        for name in names:
            call = CALLS[name]
            whole, counts = undisturbed(call)
            for how in hows:
                began = time.time()
                all_places = [
                    p
                    for p in places(counts[how != "interrupt"])
                    if how != "kill" or "/storage/" in p.line.file
                ]
                some = random.Random(name + how).sample(all_places, int(share * len(all_places)))
                bad, unreached = [], 0
                for place in some:
                    said = strike(call, whole, place, how)
                    if said == "not reached":
                        unreached += 1
                    elif said:
                        bad.append((place, said))
                print(
                    f"{name:22s} {how:10s} lines {len(counts[how != 'interrupt'])} injected {len(some) - unreached} not reached {unreached} bad {len(bad)} ({time.time() - began:.0f} s)",
                    flush=True,
                )
                kinds = Counter(
                    (
                        str(p.line),
                        said.split("\n")[0][:150] if not said.startswith("HARNESS") else said,
                    )
                    for p, said in bad
                )
                for (line, said), k in kinds.most_common():
                    print(f"    {k} {line}  {said}", flush=True)


main()
