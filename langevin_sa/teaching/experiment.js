// The balls' experiment: where they start, and where they are seen at a temperature.

const WARM = LOWEST + 3.5 * DATA.hot; // most balls are below it when the page opens
const TOP = Math.max(DATA.top, WARM); // of the energy axis
const HIGHEST = Math.max(WARM, ...DATA.wells.map((well) => well.energy + (well.depth ?? 0))); // where balls start, at most
const BINS = DIM === 1 ? 50 : 40; // divides the cells
const FORGET = { cooling: 60, holding: 20000 }; // memory of the histogram, in steps

class Experiment extends Cooling {
  constructor(settings) {
    const point = startOf(settings.start)();
    const low = (cell) => ENERGY[cell] < HIGHEST;
    const x = point ? Array(settings.balls).fill(point).flat() : scatter(settings.balls, settings.seed, low);
    super(settings, new Walk(x, DIM, settings.seed));
    this.counts = DATA.window.map(() => new Float64Array(BINS));
    this.counted = 0; // balls, in and out of the window
  }

  forget() {
    this.counts.forEach((c) => c.fill(0));
    this.counted = 0;
  }

  outcome() {
    return { shares: sharesOf(this.walk) };
  }

  // Count where the balls are; what is older than the memory fades, and what came before they first settled does not count.
  count(steps, settings) {
    if (this.walk.stepNumber - steps < this.settleSteps(settings)) this.forget();
    const fade = Math.exp(-steps / (this.phase === "cool" || this.phase === "settle" ? FORGET.cooling : FORGET.holding));
    for (const counts of this.counts) for (let k = 0; k < BINS; k++) counts[k] *= fade;
    this.counted = this.counted * fade + this.walk.count;
    for (let r = 0; r < this.walk.count; r++) {
      const cell = cellOf(this.walk.place[r * DIM], this.walk.place[r * DIM + 1]);
      if (cell < 0) continue;
      const of = DIM === 1 ? [cell] : [Math.floor(cell / CELLS), cell % CELLS];
      this.counts.forEach((counts, axis) => counts[Math.floor((of[axis] * BINS) / CELLS)]++);
    }
  }
}

// Where the balls start: null for "spread", else the point that a well's letter or "x,y" names; undefined for nonsense.
function startOf(text) {
  if (text === "spread") return () => null;
  const well = DATA.wells[LETTERS.indexOf(text)];
  const point = text.length === 1 && well ? well.x : text.split(",").map(Number);
  return point.length === DIM && point.every(Number.isFinite) ? () => point : undefined;
}

// The settings that only this page has, and those of them that an address gives.
const OWN = { balls: DATA.balls, start: "spread" };
function readOwn(given, settings) {
  if (given.balls >= 1) settings.balls = Math.min(DATA.mostBalls, Math.floor(given.balls));
  if (given.start && startOf(given.start)) settings.start = given.start;
}
