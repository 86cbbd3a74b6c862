// An experiment: balls at a temperature, held or cooled, and what is measured on the way.

const WARM = LOWEST + 3.5 * DATA.hot; // most balls are below it when the page opens
const TOP = Math.max(DATA.top, WARM); // of the energy axis
const HIGHEST = Math.max(WARM, ...DATA.wells.map((well) => well.energy + (well.depth ?? 0))); // where balls start, at most
const BINS = DIM === 1 ? 50 : 40; // divides the cells
const SAMPLE_STEPS = 8, SERIES = 400; // steps in a point of the chart; points before neighbours are joined
const SETTLE = 10, MOST_SETTLE = 1500; // how long balls settle after cooling: in 1/gamma, and in steps at most
const FORGET = { cooling: 60, holding: 20000 }; // memory of the histogram, in steps

class Experiment {
  constructor(settings) {
    this.T = settings.T;
    this.phase = "hold"; // hold, heat (until a run may start), cool, settle
    this.run = null; // { kind: "anneal" or "quench", from, rate } while under way
    const point = startOf(settings.start)();
    const low = (cell) => ENERGY[cell] < HIGHEST;
    const x = point ? Array(settings.balls).fill(point).flat() : scatter(settings.balls, settings.seed, low);
    this.walk = new Walk(x, DIM, settings.seed);
    this.wait = 0; // steps left in heat or settle
    this.time = 0;
    this.counts = DATA.window.map(() => new Float64Array(BINS));
    this.counted = 0; // balls, in and out of the window
    this.series = [];
    this.joined = 1;
    this.sums = { n: 0, kinetic: 0, eq22: 0, square: 0 };
    this.recent = null;
    this.failed = false;
  }

  settleSteps(settings) {
    return Math.ceil(Math.min(SETTLE / settings.gamma / settings.dt, MOST_SETTLE));
  }

  // Begin to cool from where the balls are, once they have settled at T.
  cool(kind, settings) {
    this.run = { kind, from: this.T, rate: settings.rate };
    this.wait = this.settleSteps(settings) - this.walk.stepNumber;
    this.phase = this.wait > 0 ? "heat" : "cool";
    this.forget();
  }

  // Keep the temperature where it is.
  hold(T) {
    this.T = T;
    this.phase = "hold";
    this.run = null;
    this.forget();
  }

  forget() {
    this.counts.forEach((c) => c.fill(0));
    this.counted = 0;
  }

  // One step; returns a finished run or null.
  step(settings) {
    if (this.phase === "heat" && --this.wait <= 0) this.phase = "cool";
    else if (this.phase === "cool") {
      this.T = this.run.kind === "quench" ? DATA.cold : Math.max(DATA.cold, this.T * Math.exp(-settings.rate * settings.dt));
      if (this.T <= DATA.cold) {
        this.phase = "settle";
        this.wait = this.settleSteps(settings);
      }
    }
    const c = coefficients(settings.integrator, settings.gamma, settings.dt, this.T);
    this.walk.step(c);
    this.time += settings.dt;
    this.measure(c);
    if (this.phase === "settle" && --this.wait <= 0) {
      const done = { ...this.run, shares: sharesOf(this.walk), T: this.T };
      this.hold(this.T);
      return done;
    }
    return null;
  }

  measure(c) {
    const square = this.walk.meanSquare(), s = this.sums;
    s.n++;
    s.square += square;
    s.kinetic += square / c.scale ** 2;
    s.eq22 += square / c.dt ** 2;
    if (s.n < SAMPLE_STEPS * this.joined) return;
    this.recent = { measured: s.kinetic / s.n, eq22: s.eq22 / s.n, square: s.square / s.n };
    this.series.push({ time: this.time, set: this.T, measured: this.recent.measured });
    this.sums = { n: 0, kinetic: 0, eq22: 0, square: 0 };
    if (this.series.length >= SERIES) this.halve();
  }

  // Join neighbouring points of the series, so that it holds the whole run.
  halve() {
    const pairs = [];
    for (let k = 0; k + 1 < this.series.length; k += 2) {
      const [a, b] = [this.series[k], this.series[k + 1]];
      pairs.push({ time: b.time, set: b.set, measured: (a.measured + b.measured) / 2 });
    }
    this.series = pairs;
    this.joined = Math.min(2 * this.joined, 32);
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
