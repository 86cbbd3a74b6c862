// Particles in a periodic rectangle: their forces by a list of near pairs, the order around each, and their picture.

const COUNT = DATA.count, BOX = DATA.box, NOUN = "particle";
const SKIN = 0.15 * DATA.reach, REACH = DATA.reach + SKIN; // how near pairs are that are listed
const WIDTH = DATA.numbers.length / DATA.types ** 2; // parameters, V(cutoff) and the squared cut-off of a pair of species
const NUMBERS = Float64Array.from(DATA.numbers), SPECIES = Int32Array.from(DATA.species);
const near = { pairs: new Int32Array(0), count: 0, at: null };

const nearest = (d, length) => d - length * Math.floor(d / length + 0.5);
const inside = (x, length) => x - length * Math.floor(x / length);

// Energy and gradient at x: the sum over listed pairs nearer than their cut-off.
const pairOut = new Float64Array(2);
function energyGradient(x, g) {
  if (strayed(x)) listPairs(x);
  const [width, height] = BOX;
  let e = 0;
  g.fill(0);
  for (let k = 0; k < near.count; k += 2) {
    const i = near.pairs[k], j = near.pairs[k + 1];
    const dx = nearest(x[2 * j] - x[2 * i], width), dy = nearest(x[2 * j + 1] - x[2 * i + 1], height);
    const square = dx * dx + dy * dy, row = WIDTH * (SPECIES[i] * DATA.types + SPECIES[j]);
    if (square >= NUMBERS[row + WIDTH - 1]) continue;
    pairAt(square, NUMBERS, row, pairOut);
    e += pairOut[0] - NUMBERS[row + WIDTH - 2];
    const fx = 2 * pairOut[1] * dx, fy = 2 * pairOut[1] * dy;
    g[2 * i] -= fx;
    g[2 * i + 1] -= fy;
    g[2 * j] += fx;
    g[2 * j + 1] += fy;
  }
  return e;
}

// Whether a particle has gone half the skin since pairs were listed.
function strayed(x) {
  if (!near.at) return true;
  for (let i = 0; i < COUNT; i++) {
    const dx = x[2 * i] - near.at[2 * i], dy = x[2 * i + 1] - near.at[2 * i + 1];
    if (!(dx * dx + dy * dy < SKIN * SKIN / 4)) return true;
  }
  return false;
}

// All pairs nearer than the cut-off and the skin: those in neighbouring cells, each at least that wide.
function listPairs(x) {
  const [across, down] = BOX.map((length) => Math.max(1, Math.floor(length / REACH)));
  const few = across < 3 || down < 3; // then cells neighbour each other twice: all pairs
  const first = new Int32Array(few ? 1 : across * down).fill(-1), next = new Int32Array(COUNT);
  const found = [];
  const consider = (i, j) => {
    const dx = nearest(x[2 * j] - x[2 * i], BOX[0]), dy = nearest(x[2 * j + 1] - x[2 * i + 1], BOX[1]);
    if (dx * dx + dy * dy < REACH * REACH) found.push(Math.min(i, j), Math.max(i, j));
  };
  for (let i = 0; i < COUNT; i++) {
    const u = Math.min(across - 1, Math.floor((inside(x[2 * i], BOX[0]) / BOX[0]) * across));
    const v = Math.min(down - 1, Math.floor((inside(x[2 * i + 1], BOX[1]) / BOX[1]) * down));
    if (!(u >= 0 && v >= 0)) break; // lost: the walk is not finite
    for (let du = few ? 0 : -1; du <= (few ? 0 : 1); du++) {
      for (let dv = few ? 0 : -1; dv <= (few ? 0 : 1); dv++) {
        const cell = few ? 0 : ((u + du + across) % across) * down + ((v + dv + down) % down);
        for (let j = first[cell]; j >= 0; j = next[j]) consider(i, j);
      }
    }
    const own = few ? 0 : u * down + v;
    next[i] = first[own];
    first[own] = i;
  }
  near.pairs = Int32Array.from(found);
  near.count = found.length;
  near.at = Float64Array.from(x);
}

// psi_6 of each particle, the mean of exp(6 i angle) over its neighbours: its length is 1 and its angle the crystal's where
// six of them form a hexagon.
const psi = new Float64Array(2 * COUNT), neighbours = new Int32Array(COUNT);
function lookAround(x) {
  psi.fill(0);
  neighbours.fill(0);
  for (let k = 0; k < near.count; k += 2) {
    const i = near.pairs[k], j = near.pairs[k + 1];
    const dx = nearest(x[2 * j] - x[2 * i], BOX[0]), dy = nearest(x[2 * j + 1] - x[2 * i + 1], BOX[1]);
    const square = dx * dx + dy * dy;
    if (square > DATA.near ** 2) continue;
    const c2 = (dx * dx - dy * dy) / square, s2 = (2 * dx * dy) / square; // of twice the angle; then of three times that
    const c6 = c2 * (4 * c2 * c2 - 3), s6 = s2 * (3 - 4 * s2 * s2);
    psi[2 * i] += c6; psi[2 * i + 1] += s6; psi[2 * j] += c6; psi[2 * j + 1] += s6;
    neighbours[i]++; neighbours[j]++;
  }
  for (let i = 0; i < COUNT; i++) {
    const n = Math.max(6, neighbours[i]);
    psi[2 * i] /= n;
    psi[2 * i + 1] /= n;
  }
}

// What the page measures besides the energy: names, values from 0 to 1.
function orderOf(walk) {
  if (strayed(walk.x)) listPairs(walk.x);
  lookAround(walk.x);
  let local = 0, re = 0, im = 0;
  for (let i = 0; i < COUNT; i++) {
    local += Math.hypot(psi[2 * i], psi[2 * i + 1]) / COUNT;
    re += psi[2 * i] / COUNT;
    im += psi[2 * i + 1] / COUNT;
  }
  return [{ name: "One crystal", value: Math.hypot(re, im) }, { name: "Hexagons", value: local }];
}

function startPoints() {
  return DATA.start;
}

const TURNS = 48, SHADES = 6; // stamps: angles, and from no hexagon to a perfect one

class Stage extends Plot {
  prepare(colours) {
    this.fitWhole();
    this.scale = Math.min(this.box.height / BOX[1], this.box.width / BOX[0]);
    this.colours = colours;
    this.stamps = DATA.radii.map((radius) => {
      const size = Math.max(1.5, radius * this.scale * 0.97);
      return { size, images: Array.from({ length: TURNS * SHADES }, (_, k) => this.disk(size, k)) };
    });
  }

  disk(size, k) {
    const turn = (k % TURNS) / TURNS, shade = Math.floor(k / TURNS) / (SHADES - 1), dark = this.colours.paper.match(/\d+/g)[0] < 128;
    const fill = `oklch(${dark ? 0.45 + 0.27 * shade : 0.86 - 0.16 * shade} ${0.02 + 0.13 * shade ** 2} ${360 * turn})`;
    return stamp(size, fill, this.colours.rim, this.ratio);
  }

  draw(walk) {
    this.clear();
    if (strayed(walk.x)) listPairs(walk.x);
    lookAround(walk.x);
    const [width, height] = BOX.map((length) => length * this.scale), pen = this.context;
    const left = (this.box.width - width) / 2, top = (this.box.height - height) / 2;
    const copies = Math.ceil(left / width);
    for (let i = 0; i < COUNT; i++) {
      const { size, images } = this.stamps[SPECIES[i]], half = size + 1;
      const shade = Math.round(Math.min(1, Math.hypot(psi[2 * i], psi[2 * i + 1])) * (SHADES - 1));
      const turn = Math.round((Math.atan2(psi[2 * i + 1], psi[2 * i]) / (2 * Math.PI) + 1) * TURNS) % TURNS;
      const image = images[shade * TURNS + turn];
      const px = inside(walk.x[2 * i], BOX[0]) * this.scale, py = height - inside(walk.x[2 * i + 1], BOX[1]) * this.scale;
      for (const y of [py, py < half ? py + height : py > height - half ? py - height : null]) {
        if (y === null) continue;
        for (let k = -copies - 1; k <= copies + 1; k++) {
          const x = left + px + k * width;
          if (x > -half && x < this.box.width + half) pen.drawImage(image, x - half, top + y - half, 2 * half, 2 * half);
        }
      }
    }
    this.veil(left, top, width, height);
  }
}
