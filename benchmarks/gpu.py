"""What only a card can show: that the kernels run there, are right, and how fast they are.

python benchmarks/gpu.py smoke|validate|speed|peers|counters [--out DIR]

smoke       every kernel, some steps, against numba: begin with it
validate    parity in ulps, the validation suite in both dtypes, compute-sanitizer's four tools
speed       each kernel beside its prediction, the card's own copy and the CPU's threads
peers       the same work by JAX, torch, CuPy, numba.cuda and OpenMM, where they are installed
counters    what ncu says limits each kernel, and the instructions that it counts

Runs from the source tree, installed or not, without a network. Each part writes DIR/PART.json and
DIR/PART.md, tables for docs/gpu.md, after every row; a row that is there is not measured again, so
that an interrupted part goes on. After --seconds no row is begun. Exit codes: 0 done; 1 something
failed; 2 no card, nothing checked and nothing claimed; 3 rows are left, give the command again.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from gpu_cases import LeftOut  # noqa: E402

MODULES = {"peers": "gpu_peers", "speed": "gpu_speed", "counters": "gpu_tools"}
PARTS = ("smoke", "validate", "speed", "peers", "counters")


@dataclass(frozen=True)
class Row:
    """A row of a table, and the function that finds its cells; a cell "ok" is a verdict."""

    table: str
    name: str
    find: Callable[[], dict[str, Any]]


class Book:
    """The rows of a part that were found, on disk after every change."""

    def __init__(self, folder: Path, part: str, about: dict[str, Any]) -> None:
        self.path, self.page = folder / f"{part}.json", folder / f"{part}.md"
        folder.mkdir(parents=True, exist_ok=True)
        self.kept: dict[str, Any] = {**about, "date": time.strftime("%Y-%m-%d"), "tables": {}}
        if self.path.exists():
            self.kept = json.loads(self.path.read_text())
            for name, value in about.items():
                if self.kept[name] != value:
                    raise SystemExit(
                        f"{self.path} was made with {name} {self.kept[name]!r}, and this is "
                        f"{value!r}: give another folder as --out"
                    )
        # a row that ended the process is not tried again
        for table in self.kept["tables"].values():
            for cells in table.values():
                if cells.pop("begun", None):
                    cells |= {"failed": "it ended the process", "ok": False}

    def has(self, row: Row) -> bool:
        """Whether a row was found or failed; one that was left out may be tried again."""
        cells = self.kept["tables"].get(row.table, {}).get(row.name)
        return cells is not None and "left out" not in cells

    def put(self, row: Row, cells: dict[str, Any]) -> None:
        """Write a row down."""
        self.kept["tables"].setdefault(row.table, {})[row.name] = cells
        for path, text in ((self.path, json.dumps(self.kept, indent=1)), (self.page, self.text())):
            new = path.with_suffix(".new")
            new.write_text(text + "\n")
            new.replace(path)

    @property
    def sound(self) -> bool:
        """Whether no row failed."""
        rows = [cells for table in self.kept["tables"].values() for cells in table.values()]
        return all(cells.get("ok", True) for cells in rows)

    def text(self) -> str:
        """Tables in Markdown."""
        parts = [f"{self.kept['device']}, {self.kept['date']}"]
        for title, table in self.kept["tables"].items():
            for cells in table.values():
                beside = table.get(cells.get("_beside"), {})
                if "ps" in cells and "ps" in beside:
                    cells["times"] = cells["ps"] / beside["ps"]
            found = [name for cells in table.values() for name in cells]
            columns = [name for name in dict.fromkeys(found) if not name.startswith("_")]
            columns.sort(key=lambda name: name in ("failed", "left out", "ok"))
            lines = [
                f"| {title} | " + " | ".join(columns) + " |",
                "|---" * (len(columns) + 1) + "|",
            ]
            for name, cells in table.items():
                shown = [show(cells.get(column, "")) for column in columns]
                lines.append(f"| {name} | " + " | ".join(shown) + " |")
            parts.append("\n".join(lines))
        return "\n\n".join(parts)


def code() -> str:
    """What the numbers are of: a word for the text of backends and benchmarks."""
    folders = (ROOT / "langevin_sa" / "backends").rglob("*"), ROOT.glob("benchmarks/gpu*.py")
    files = [path for folder in folders for path in folder if path.suffix in (".py", ".cu")]
    return sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()[:12]


def show(value: Any) -> str:
    """A cell."""
    if isinstance(value, bool):
        return "PASS" if value else "FAIL"
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("|", "/")


def responds() -> bool:
    """Whether the card still takes work: an error in a kernel ends all that this process does."""
    import cupy

    try:
        return float(cupy.zeros(1).sum()) == 0
    except Exception:
        return False


def work(book: Book, rows: list[Row], until: float) -> int:
    """Find the rows that are not in the book."""
    for row in rows:
        if book.has(row):
            continue
        if time.time() > until:
            print("Rows are left and the time is up: give the same command again")
            return 3
        book.put(row, {"begun": True})
        try:
            cells = row.find()
        except LeftOut as error:
            cells = {"left out": str(error)[:200]}
        except Exception as error:
            cells = {"failed": f"{type(error).__name__}: {error}"[:300], "ok": False}
        book.put(row, cells)
        print(f"{row.table} | {row.name} | " + " | ".join(map(show, cells.values())), flush=True)
        if "failed" in cells and not responds():
            again = [sys.executable, *sys.argv, "--until", str(until)]
            os.execv(sys.executable, again)  # a process of its own for what is left
    return 0 if book.sound else 1


def main() -> int:
    """Run one part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--out", default="gpu_results", type=Path, metavar="DIR")
    parser.add_argument("--seconds", default=300.0, type=float, help="after which no row is begun")
    parser.add_argument("--only", default="", help="rows that have this in their table or name")
    parser.add_argument("--tiny", action="store_true", help="sizes that show no speed")
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    try:
        from langevin_sa.backends.cuda.device import describe

        device = describe().split(",")[0]
    except (ImportError, RuntimeError) as error:
        print(f"Nothing was checked and nothing is claimed: {error}")
        return 2
    book = Book(given.out, given.part, {"device": device, "tiny": given.tiny, "code": code()})
    module = importlib.import_module(MODULES.get(given.part, "gpu_checks"))
    rows = [Row(*row) for row in getattr(module, given.part)(given.tiny)]
    chosen = [row for row in rows if given.only in f"{row.table} | {row.name}"]
    if not chosen:
        raise SystemExit(f"{given.part} has no row with {given.only!r} in its table or name")
    status = work(book, chosen, given.until or time.time() + given.seconds)
    print(f"\n{book.text()}\n\nwritten to {book.page} and {book.path}")
    return status


if __name__ == "__main__":
    sys.exit(main())
