// The walk: dx = rho*dx + lr*force + s*xi; x = x + dx, as in langevin_sa/backends/numpy.py.

// Each integrator turns (gamma, dt, T) into (rho, lr, s), as in langevin_sa/integrators/table.py;
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

// (1 - exp(-c))/c.
const decay = (c) => (c > 0 ? -Math.expm1(-c) / c : 1);
// The family of Gronbech-Jensen: `attenuation` turns gamma*dt into c2 and c3.
function gj(attenuation) {
  return (gamma, dt, T) => {
    const [rho, c3] = attenuation(gamma * dt), lr = c3 * dt ** 2;
    return { rho, lr, s: lr * Math.sqrt((2 * gamma * T) / dt) };
  };
}
function gjIV(c) {
  const c2 = 2 / (1 + Math.sqrt(1 + 4 * c));
  return [c2, c2 ** 2];
}
function gjVI(c) {
  const c2 = (1 + c / 2) ** -2;
  return [c2, (1 + c / 4) * c2];
}
function gjVII(c) {
  const coth = (u) => (1 + Math.exp(-u)) / 2 / decay(u);
  let u = c;
  for (let n = 0; n < 60; n++) u = Math.sqrt((c * u) / coth(u));
  return [Math.exp(-u), decay(u) / coth(u)];
}
function gjVIII(c) {
  const root = Math.sqrt(1 + c ** 2);
  return [1 / (root + c), 2 / (1 + c + root)];
}

// Kick, drift and kick, as in langevin_sa/integrators/taps.py: `own`, `mixed` and `later` are the covariances of what
// the noises of a step do in its own dx and in the next one.
function reduced(T, [A, B, C, A2, B2, noise]) {
  const now = [C, 1, 0], later = [0, -A * A2, C * A];
  const covariance = (p, q) => {
    let sum = 0;
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) sum += p[i] * q[j] * noise[i][j];
    return sum;
  };
  const unit = [covariance(now, now), covariance(now, later), covariance(later, later)];
  const [own, mixed, after] = unit.map((v) => v * T);
  return { rho: A * A2, lr: C * (A * B2 + B), unit, own, mixed, later: after };
}
function boaob(gamma, dt, T) {
  const keep = Math.exp((-gamma * dt) / 2), heat = -Math.expm1(-gamma * dt);
  return reduced(T, [keep, keep * dt, dt, keep, 0, [[heat, 0, 0], [0, 0, 0], [0, 0, heat]]]);
}
function vec(gamma, dt, T) {
  const c = gamma * dt, a = 1 - c / 2 + c ** 2 / 8, b = dt / 2 - (c * dt) / 8;
  const kick = [1 / 2 - c / 8, -c / 4 / Math.sqrt(3)], all = [kick, [0, dt / 2 / Math.sqrt(3)], kick];
  return reduced(T, [a, b, dt, a, b, all.map((p) => all.map((q) => 2 * c * (p[0] * q[0] + p[1] * q[1])))]);
}
function impulse(gamma, dt) {
  const c = gamma * dt, lost = -Math.expm1(-c), xv = dt * c * decay(c) ** 2;
  let xx = (2 * c - 2 * lost - lost ** 2) / c ** 2;
  if (c < 1) {
    xx = 0;
    for (let n = 3, factorial = 6; n < 28; factorial *= ++n) xx += ((4 - 2 ** n) * (-1) ** n * c ** (n - 2)) / factorial;
  }
  return [1, dt / 2, dt * decay(c), Math.exp(-c), dt / 2, [[0, 0, 0], [0, dt ** 2 * xx, xv], [0, xv, -Math.expm1(-2 * c)]]];
}
function leap(gamma, dt) {
  const [a, , drift, keep, , noise] = impulse(gamma, dt), c = gamma * dt;
  return [a, dt * Math.exp(c / 2) * decay(c), drift, keep, 0, noise];
}

// The friction of a row for which its momentum is rho, by bisection.
const inverse = (rule) => (rho, dt) => {
  let low = 0, high = 1 / dt;
  while (rule(high, dt, 0).rho > rho && high < 1e3 / dt) high *= 2;
  for (let n = 0; n < 60; n++) {
    const middle = (low + high) / 2;
    if (rule(middle, dt, 0).rho > rho) low = middle;
    else high = middle;
  }
  return high;
};
const bbkFriction = (rho, dt) => ((2 / dt) * (1 - rho)) / (1 + rho);
const baoabFriction = (rho, dt) => -Math.log(rho) / dt;
const verlet = (gamma, dt) => ({ rho: 1, lr: dt ** 2, s: 0 });
const RULES = {
  bbk: { rule: bbk, friction: bbkFriction },
  obabo: { rule: baoab, friction: baoabFriction },
  gjf: { rule: bbk, friction: bbkFriction },
  gj_i: { rule: bbk, friction: bbkFriction },
  gj_ii: { rule: gj((c) => [Math.exp(-c), decay(c)]), friction: baoabFriction },
  gj_iii: { rule: gj((c) => [1 - c, 1]) },
  gj_iv: { rule: gj(gjIV) },
  gj_v: { rule: gj((c) => [1 / (1 + c), 1 / (1 + c)]) },
  gj_vi: { rule: gj(gjVI) },
  gj_vii: { rule: gj(gjVII) },
  gj_viii: { rule: gj(gjVIII) },
  baoab: { rule: baoab, friction: baoabFriction },
  boaob: { rule: boaob },
  vec: { rule: vec },
  van_gunsteren_berendsen: { rule: (gamma, dt, T) => reduced(T, leap(gamma, dt)) },
  langevin_impulse: { rule: (gamma, dt, T) => reduced(T, impulse(gamma, dt)) },
  ermak_mccammon: { rule: overdamped },
  leimkuhler_matthews: { rule: overdamped },
  verlet: { rule: verlet },
  velocity_verlet: { rule: verlet },
  heavy_ball: { rule: (gamma, dt) => bbk(gamma, dt, 0), friction: bbkFriction },
};
for (const [name, row] of Object.entries(RULES)) {
  const { thermal, overdamped: rests } = DATA.integrators[name];
  if (thermal && !rests && !row.friction) row.friction = inverse(row.rule);
}

// The numbers of one step, after the step `before` or as of many like it; `scale` turns dx into the velocity whose
// mean square is the temperature.
function coefficients(integrator, gamma, dt, T, before = null) {
  const row = DATA.integrators[integrator];
  const c = RULES[integrator].rule(gamma, dt, T);
  c.dt = Math.sqrt((2 * c.lr) / (1 + c.rho)); // Eq. (16)
  c.paired = row.paired;
  c.physical = row.physical;
  return follow(c, before);
}

// What of a step's normal is in its own dx (kick) and in the next one (tail), see langevin_sa/integrators/taps.py.
function follow(c, before) {
  if (c.unit) {
    const still = stationary(...c.unit);
    c.kick2 = still * (c.own / (c.unit[0] || 1));
    if (before?.unit) c.kick2 = c.own + before.later - (before.kick2 > 0 ? before.mixed ** 2 / before.kick2 : 0);
    c.kick = Math.sqrt(c.kick2);
    c.tail = c.kick > 0 ? c.mixed / c.kick : 0;
    c.s = c.kick + c.tail;
    c.share = c.s > 0 ? c.tail / c.s : still > 0 ? c.unit[1] / (still + c.unit[1]) : 0;
  } else {
    c.share = c.paired ? 0.5 : 0;
    c.kick = c.s * (1 - c.share);
    c.tail = c.s * c.share;
  }
  const unequal = (1 - 2 * c.share) ** 2;
  c.scale = c.paired ? Math.sqrt(c.lr * (1 + unequal * ((1 - c.rho) / (1 + c.rho)))) : c.dt;
  return c;
}
function stationary(own, mixed, later) {
  const free = own * later - mixed ** 2;
  return (own + later + Math.sqrt((own - later) ** 2 + 4 * (free > 1e-14 * own * later ? free : 0))) / 2;
}

// Many replicas under way; all arrays are flat, `dim` numbers a replica.
class Walk {
  constructor(x, dim, seed) {
    this.dim = dim;
    this.count = x.length / dim;
    this.key = keyOf(seed);
    this.x = Float64Array.from(x);
    this.place = new Float64Array(x.length); // where x is in space, which may be a ring or have walls
    this.dx = new Float64Array(x.length);
    this.noise = new Float64Array(x.length); // what paired noise carries to the next step
    this.gradient = new Float64Array(x.length);
    this.energy = new Float64Array(this.count);
    this.quads = 4 % dim ? Math.ceil((dim + 3) / 4) : 1; // that a step of one replica may touch
    this.normals = new Float64Array(4 * this.quads * this.count);
    this.quad = -1; // the first quad of each stream in `normals`
    this.scratch = [new Float64Array(dim), new Float64Array(dim)];
    this.words = new Uint32Array(4);
    this.stepNumber = 0;
    this.last = null; // numbers of the step before
    this.squares = 0; // sum of dx^2 of the last step
    this.look();
  }

  // Energy and gradient at x; where a wall mirrors, the slope is the other way.
  look() {
    const [at, g] = this.scratch;
    for (let r = 0; r < this.count; r++) {
      for (let d = 0; d < this.dim; d++) this.place[r * this.dim + d] = at[d] = fold(d, this.x[r * this.dim + d]);
      this.energy[r] = energyGradient(at, g, DATA.numbers);
      for (let d = 0; d < this.dim; d++) this.gradient[r * this.dim + d] = mirrored(d, this.x[r * this.dim + d]) ? -g[d] : g[d];
    }
  }

  // Make sure that the normals of this step are at hand; returns where in each replica's they begin.
  draw() {
    const first = this.stepNumber * this.dim, quad = Math.floor(first / 4);
    if (quad !== this.quad) {
      for (let r = 0; r < this.count; r++) {
        for (let k = 0; k < this.quads; k++) {
          const at = 4 * (r * this.quads + k);
          quadOf(this.words, quad + k, r, THERMAL, this.key);
          boxMuller(this.normals, at, this.words[0], this.words[1]);
          boxMuller(this.normals, at + 2, this.words[2], this.words[3]);
        }
      }
      this.quad = quad;
    }
    return first - 4 * quad;
  }

  // One step with the given coefficients.
  step(c) {
    const carry = c.physical && this.last ? c.rho * (c.dt / this.last.dt) : c.rho;
    if (this.last) follow(c, this.last);
    const from = c.s > 0 ? this.draw() : 0;
    let squares = 0;
    for (let r = 0; r < this.count; r++) {
      for (let d = 0; d < this.dim; d++) {
        const i = r * this.dim + d;
        const normal = c.s > 0 ? this.normals[4 * this.quads * r + from + d] : 0;
        let kick = c.kick * normal;
        if (c.paired) {
          kick += this.noise[i];
          this.noise[i] = c.tail * normal;
        }
        const dx = carry * this.dx[i] - c.lr * this.gradient[i] + kick;
        this.dx[i] = dx;
        this.x[i] += dx;
        squares += dx * dx;
      }
    }
    this.squares = squares;
    this.last = c;
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
