// The optimizers: the update rules of langevin_sa/optimizers/first_order.py and of langevin_sa.CoolMomentum, for replicas
// of one coordinate that all get the same noise in their gradient.

const POINTS = 400; // that a run records, at most

// A learning rate that falls in steps, at progress s.
function decayed(lr, s) {
  let divisor = 1;
  for (const [from, by] of DATA.decay) if (s >= from) divisor = by;
  return lr / divisor;
}

// CoolMomentum's momentum at progress s, Eqs. (20)-(21).
const coolRho = (s, rho0) => Math.max(0, 1 - (1 - rho0) ** (1 - s));

// dx = rho*dx - lr*g.
function recursion(lane, rho, lr) {
  const { dx, g } = lane;
  for (let r = 0; r < dx.length; r++) dx[r] = rho * dx[r] - lr * g[r];
}

// Each fills the dx of a lane from its noisy gradients g, in step number n = 1, 2, ..., which begins at progress s.
const RULES = {
  SGD: (lane, n, s, lr) => recursion(lane, 0, decayed(lr, s)),
  Momentum: (lane, n, s, lr) => recursion(lane, DATA.momentum, decayed(lr, s)),
  Adam(lane, n, s, lr) {
    const { dx, g, m, v } = lane, { beta1, beta2, epsilon } = DATA.adam, now = decayed(lr, s);
    const seen1 = 1 - beta1 ** n, seen2 = 1 - beta2 ** n;
    for (let r = 0; r < dx.length; r++) {
      m[r] += (1 - beta1) * (g[r] - m[r]);
      v[r] += (1 - beta2) * (g[r] ** 2 - v[r]);
      dx[r] = (-now * (m[r] / seen1)) / (Math.sqrt(v[r] / seen2) + epsilon);
    }
  },
  RMSprop(lane, n, s, lr) {
    const { dx, g, v } = lane, { decay, epsilon } = DATA.rmsprop, now = decayed(lr, s);
    for (let r = 0; r < dx.length; r++) {
      v[r] += (1 - decay) * (g[r] ** 2 - v[r]);
      dx[r] = (-now * g[r]) / (Math.sqrt(v[r]) + epsilon);
    }
  },
  CoolMomentum(lane, n, s, lr, rho0) {
    const rho = coolRho(s, rho0);
    recursion(lane, rho, ((1 + rho) / 2) * lr);
  },
};
const NAMES = Object.keys(RULES);

// Number of the well that a place belongs to.
function wellOf(x) {
  let k = 0;
  while (k + 1 < DATA.wells.length && x >= DATA.wells[k].high) k++;
  return k;
}

// One optimizer's replicas, and what was recorded of them.
class Lane {
  constructor(name, x, lr) {
    this.name = name;
    this.lr = lr;
    this.x = Float64Array.from(x);
    [this.dx, this.g, this.m, this.v, this.energy] = Array.from({ length: 5 }, () => new Float64Array(x.length));
    this.squares = this.moves = 0; // sums since the last record
    this.series = []; // { n, loss, share, left, square }
    this.diverged = null; // at which step
    this.look();
  }

  // Energies and gradients at x; the noise comes later.
  look() {
    const at = [0], slope = [0];
    for (let r = 0; r < this.x.length; r++) {
      at[0] = this.x[r];
      this.energy[r] = energyGradient(at, slope, DATA.numbers);
      this.g[r] = slope[0];
    }
  }

  step(n, s, noise, normals, rho0) {
    for (let r = 0; r < this.x.length; r++) this.g[r] -= noise * normals[r];
    RULES[this.name](this, n, s, this.lr, rho0);
    for (let r = 0; r < this.x.length; r++) {
      this.x[r] += this.dx[r];
      this.squares += this.dx[r] ** 2;
    }
    this.moves += this.x.length;
    this.look();
  }

  // Mean energy above the lowest, share in the best well, mean energy that a descent from here would leave, <dx^2>.
  record(n) {
    const found = { n, loss: 0, share: 0, left: 0, square: this.moves ? this.squares / this.moves : null };
    for (let r = 0; r < this.x.length; r++) {
      const well = DATA.wells[wellOf(this.x[r])];
      found.loss += (this.energy[r] - DATA.lowest) / this.x.length;
      found.share += well.best / this.x.length;
      found.left += (well.energy - DATA.lowest) / this.x.length;
    }
    this.squares = this.moves = 0;
    if (Number.isFinite(found.loss)) this.series.push(found);
    else this.diverged = n;
  }

  get last() {
    return this.series[this.series.length - 1];
  }
}

// All optimizers under way, from the same points, with the same noise.
class Race {
  constructor(settings) {
    this.settings = { ...settings };
    this.n = 0;
    this.every = Math.ceil(settings.steps / POINTS);
    this.key = keyOf(settings.seed);
    this.normals = new Float64Array(settings.replicas);
    this.quads = new Float64Array(4 * settings.replicas);
    const x = startsOf(settings);
    this.lanes = NAMES.map((name) => new Lane(name, x, settings.factor * settings[name]));
    this.lanes.forEach((lane) => lane.record(0));
  }

  get done() {
    return this.n >= this.settings.steps;
  }

  // The normals of this step: those of langevin_sa.noise, of which a quad serves four steps.
  draw() {
    const at = this.n % 4, words = new Uint32Array(4), { normals, quads } = this;
    for (let r = 0; r < normals.length; r++) {
      if (at === 0) {
        quadOf(words, this.n / 4, r, THERMAL, this.key);
        boxMuller(quads, 4 * r, words[0], words[1]);
        boxMuller(quads, 4 * r + 2, words[2], words[3]);
      }
      normals[r] = quads[4 * r + at];
    }
  }

  step() {
    const { noise, steps, rho0 } = this.settings, s = this.n / steps;
    this.draw();
    this.n++;
    for (const lane of this.lanes) {
      if (lane.diverged !== null) continue;
      lane.step(this.n, s, noise, this.normals, rho0);
      if (this.n % this.every === 0 || this.done) lane.record(this.n);
    }
  }
}

// Where the replicas start: all at one point, or evenly spread over the window.
function startsOf({ start, replicas, seed }) {
  if (start !== "spread") return Array(replicas).fill(Number(start));
  const key = keyOf(seed), words = new Uint32Array(4), [low, high] = DATA.window;
  return Array.from({ length: replicas }, (_, r) => {
    quadOf(words, 0, r, START, key);
    return low + (high - low) * (words[0] + 0.5) * 2 ** -32;
  });
}
