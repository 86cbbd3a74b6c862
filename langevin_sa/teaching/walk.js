// The walk: dx = rho*dx + lr*force + s*xi; x = x + dx, as in langevin_sa/backends/numpy.py.

// Each integrator turns (gamma, dt, T) into (rho, lr, s), as in langevin_sa/integrators.py;
// `friction` is the way back, from rho to gamma.
function bbk(gamma, dt, T) {
  const c = gamma * dt, lr = dt ** 2 / (1 + c / 2);
  return { rho: (1 - c / 2) / (1 + c / 2), lr, s: lr * Math.sqrt((2 * gamma * T) / dt) };
}
function baoab(gamma, dt, T) {
  const rho = Math.exp(-gamma * dt);
  return { rho, lr: ((1 + rho) / 2) * dt ** 2, s: dt * Math.sqrt(T * -Math.expm1(-2 * gamma * dt)) };
}
function overdamped(gamma, dt, T) {
  const h = dt / gamma;
  return { rho: 0, lr: h, s: Math.sqrt(2 * T * h) };
}
const bbkFriction = (rho, dt) => ((2 / dt) * (1 - rho)) / (1 + rho);
const RULES = {
  bbk: { rule: bbk, friction: bbkFriction },
  gjf: { rule: bbk, friction: bbkFriction },
  baoab: { rule: baoab, friction: (rho, dt) => -Math.log(rho) / dt },
  ermak_mccammon: { rule: overdamped },
  leimkuhler_matthews: { rule: overdamped },
  verlet: { rule: (gamma, dt) => ({ rho: 1, lr: dt ** 2, s: 0 }) },
  heavy_ball: { rule: (gamma, dt) => bbk(gamma, dt, 0), friction: bbkFriction },
};

// The numbers of one step; `scale` turns dx into the velocity whose mean square is the temperature.
function coefficients(integrator, gamma, dt, T) {
  const row = DATA.integrators[integrator];
  const c = RULES[integrator].rule(gamma, dt, T);
  c.dt = Math.sqrt((2 * c.lr) / (1 + c.rho)); // Eq. (16)
  c.paired = row.paired;
  c.physical = row.physical;
  c.scale = row.paired ? Math.sqrt(c.lr) : c.dt;
  return c;
}

// Many replicas under way; all arrays are flat, `dim` numbers a replica.
class Walk {
  constructor(x, dim, seed) {
    this.dim = dim;
    this.count = x.length / dim;
    this.key = keyOf(seed);
    this.x = Float64Array.from(x);
    this.dx = new Float64Array(x.length);
    this.half = new Float64Array(x.length); // half kick that paired noise carries to the next step
    this.gradient = new Float64Array(x.length);
    this.energy = new Float64Array(this.count);
    this.normals = new Float64Array(4 * this.count);
    this.quad = -1; // which quad of each stream is in `normals`
    this.words = new Uint32Array(4);
    this.stepNumber = 0;
    this.lastDt = null;
    this.squares = 0; // sum of dx^2 of the last step
    this.look();
  }

  // Energy and gradient at x.
  look() {
    const at = new Float64Array(this.dim), g = new Float64Array(this.dim);
    for (let r = 0; r < this.count; r++) {
      for (let d = 0; d < this.dim; d++) at[d] = this.x[r * this.dim + d];
      this.energy[r] = energyGradient(at, g, DATA.numbers);
      for (let d = 0; d < this.dim; d++) this.gradient[r * this.dim + d] = g[d];
    }
  }

  // Make sure that the normals of this step are at hand; returns where in each quad they begin.
  draw() {
    const first = this.stepNumber * this.dim, quad = Math.floor(first / 4); // dim divides 4
    if (quad !== this.quad) {
      for (let r = 0; r < this.count; r++) {
        quadOf(this.words, quad, r, THERMAL, this.key);
        boxMuller(this.normals, 4 * r, this.words[0], this.words[1]);
        boxMuller(this.normals, 4 * r + 2, this.words[2], this.words[3]);
      }
      this.quad = quad;
    }
    return first - 4 * quad;
  }

  // One step with the given coefficients.
  step(c) {
    const carry = c.physical && this.lastDt !== null ? c.rho * (c.dt / this.lastDt) : c.rho;
    const from = c.s > 0 ? this.draw() : 0;
    let squares = 0;
    for (let r = 0; r < this.count; r++) {
      for (let d = 0; d < this.dim; d++) {
        const i = r * this.dim + d;
        let kick = c.s > 0 ? c.s * this.normals[4 * r + from + d] : 0;
        if (c.paired) {
          const half = kick / 2;
          kick = half + this.half[i];
          this.half[i] = half;
        }
        const dx = carry * this.dx[i] - c.lr * this.gradient[i] + kick;
        this.dx[i] = dx;
        this.x[i] += dx;
        squares += dx * dx;
      }
    }
    this.squares = squares;
    this.lastDt = c.dt;
    this.stepNumber++;
    this.look();
  }

  // <dx^2> of the last step, a coordinate.
  meanSquare() {
    return this.squares / (this.count * this.dim);
  }

  isFinite() {
    return this.energy.every(Number.isFinite);
  }
}

// Points (count * dim) drawn evenly from the cells of the window that `allowed` (cell number -> bool) lets in.
function scatter(count, seed, allowed) {
  const key = keyOf(seed), words = new Uint32Array(4), dim = DATA.window.length, x = [];
  for (let r = 0; r < count; r++) {
    for (let trial = 0; ; trial++) {
      quadOf(words, trial, r, START, key);
      const at = DATA.window.map(([low, high], d) => low + (high - low) * (words[d] + 0.5) * 2 ** -32);
      if (allowed(cellOf(at[0], at[1])) || trial > 1000) {
        x.push(...at.slice(0, dim));
        break;
      }
    }
  }
  return x;
}
