// Cooling: a walk at a temperature, held or cooled, and the temperature measured on the way. What else is measured, and where
// the walk starts, a page's own Experiment says, which extends it.

const SAMPLE_STEPS = 8, SERIES = 400; // steps in a point of the chart; points before neighbours are joined
const SETTLE = 10, MOST_SETTLE = 1500; // how long a walk settles after cooling: in 1/gamma, and in steps at most

class Cooling {
  constructor(settings, walk) {
    this.T = settings.T;
    this.phase = "hold"; // hold, heat (until a run may start), cool, settle
    this.run = null; // { kind: "anneal" or "quench", from, rate } while under way
    this.walk = walk;
    this.wait = 0; // steps left in heat or settle
    this.time = 0;
    this.series = [];
    this.joined = 1;
    this.sums = { n: 0, kinetic: 0, eq22: 0, square: 0 };
    this.recent = null;
    this.failed = false;
  }

  settleSteps(settings) {
    return Math.ceil(Math.min(SETTLE / settings.gamma / settings.dt, MOST_SETTLE));
  }

  // Begin to cool from where the walk is, once it has settled at T.
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

  // What a run ended with, and what is counted at one temperature only: none, unless a page says otherwise.
  outcome() {
    return {};
  }
  forget() {}

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
      const done = { ...this.run, ...this.outcome(), T: this.T };
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
}
