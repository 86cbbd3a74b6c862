"""How fast the teaching page runs: frames a second and work a frame with 400 balls, in a headless
Chromium.

    python benchmarks/page.py                   # the table
    python benchmarks/page.py --picture         # also the README's picture, docs/figures/page.png

"frames" are those that the browser showed in four seconds, "late" those that came more than 25 ms
after the one before. "CPU" is the processor time of all the browser's processes for one of them;
below 16.7 ms one core can show 60 a second. "script" is the page's own work in a frame of four
steps with everything redrawn, "whole" adds the painting, forced by reading a pixel back. There is
no peer. The machine's other load shows up in all columns but CPU, so run it on a quiet one.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

import langevin_sa as lsa

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "teaching"))

from browser import Browser  # noqa: E402

POTENTIALS = (
    lsa.potentials.double_well(),
    lsa.potentials.rastrigin(dim=1),
    lsa.potentials.muller_brown(),
    lsa.potentials.rastrigin(dim=2),
)
SCREENS = {
    "desktop 1280 x 800": (1280, 800),
    "projector 1920 x 1080": (1920, 1080),
    "phone 390 x 844, 2 pixels a point": (390, 844, 2, True),
}

WIDTHS = (15, 5, 8, 11, 10, 9)

FRAMES = """new Promise((done) => {
  const times = [];
  requestAnimationFrame(function look(now) {
    times.push(now);
    if (now - times[0] < 4000) return requestAnimationFrame(look);
    const gaps = times.slice(1).map((t, k) => t - times[k]);
    const late = gaps.filter((gap) => gap > 25).length;
    done([1000 * gaps.length / (now - times[0]), late, gaps.length]);
  });
})"""
WORK = """(() => {
  const time = (paint) => {
    const before = performance.now();
    for (let k = 1; k <= 100; k++) {
      for (let n = 0; n < 4; n++) experiment.step(settings);
      experiment.count(4, settings);
      shown = -1e9;
      draw(k);
      const plots = paint ? [stage, histogram, chart] : [];
      for (const plot of plots) plot.context.getImageData(0, 0, 1, 1);
    }
    return (performance.now() - before) / 100;
  };
  return [time(false), time(true)];
})()"""
TWO_RUNS_AND_A_THIRD = """(() => {
  const until = (stop) => {
    for (let done = null; !done && !stop(); ) {
      if ((done = experiment.step(settings))) finish(done);
    }
  };
  reset();
  for (const kind of ["quench", "anneal"]) { cool(kind); until(() => false); }
  change("rate", RANGES.rate[0]);
  cool("anneal");
  until(() => experiment.T < 0.11);
})()"""


def main() -> None:
    browser = Browser()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        head = ("frames a second", "late", "CPU, ms", "script, ms", "whole, ms", "file, kB")
        print(
            f"{'potential':<16} {'screen':<34} "
            + " ".join(f"{text:>{w}}" for text, w in zip(head, WIDTHS, strict=True))
        )
        for potential in POTENTIALS:
            size = len(lsa.page(potential, path, balls=400).encode()) / 1000
            for screen, numbers in SCREENS.items():
                browser.screen(*numbers)
                browser.open(f"file://{path}")
                before = browser.cpu_seconds()
                rate, late, frames = browser.run(FRAMES)
                cpu = 1000 * (browser.cpu_seconds() - before) / frames
                script, whole = browser.run(WORK)
                name = f"{potential.name} {potential.dim}-D"
                cells = (
                    f"{rate:.1f}",
                    late,
                    f"{cpu:.1f}",
                    f"{script:.2f}",
                    f"{whole:.2f}",
                    f"{size:.0f}",
                )
                print(
                    f"{name:<16} {screen:<34} "
                    + " ".join(f"{cell:>{w}}" for cell, w in zip(cells, WIDTHS, strict=True))
                )
        if "--picture" in sys.argv:
            lsa.page(POTENTIALS[0], path)
            browser.screen(1280, 826)  # ends between two cards
            browser.open(f"file://{path}")
            browser.run(TWO_RUNS_AND_A_THIRD)
            browser.run("new Promise((done) => setTimeout(done, 1500))")
            picture = ROOT / "docs" / "figures" / "page.png"
            browser.picture(picture)
            Image.open(picture).convert("RGB").quantize(200).save(picture, optimize=True)
    browser.close()


if __name__ == "__main__":
    main()
