// The landscape: space, the window cut into cells, which cell belongs to which well, and Boltzmann's law over all of it.

const DIM = DATA.window.length, CELLS = DATA.cells;
const LETTERS = "ABCDE"; // of the wells that are shown one by one; the others are grey

// How far a coordinate is from the lower end of its ring, or between walls from the lower one, there and back.
function lap(axis, x) {
  const [low, high] = DATA.ends[axis], round = DATA.kinds[axis] === "ring" ? high - low : 2 * (high - low);
  return x - low - round * Math.floor((x - low) / round);
}

// Where a coordinate is in space, see langevin_sa/teaching/space.py.
function fold(axis, x) {
  if (DATA.kinds[axis] === "open") return x;
  const [low, high] = DATA.ends[axis];
  return low + (mirrored(axis, x) ? 2 * (high - low) - lap(axis, x) : lap(axis, x));
}

// Whether a wall mirrors there.
function mirrored(axis, x) {
  return DATA.kinds[axis] === "walls" && lap(axis, x) > DATA.ends[axis][1] - DATA.ends[axis][0];
}

// Number of the cell at a point, -1 outside the window.
function cellOf(x, y) {
  const [[low, high]] = DATA.window;
  const i = Math.floor(((x - low) / (high - low)) * CELLS);
  if (!(i >= 0 && i < CELLS)) return -1;
  if (DIM === 1) return i;
  const [bottom, top] = DATA.window[1];
  const j = Math.floor(((y - bottom) / (top - bottom)) * CELLS);
  return j >= 0 && j < CELLS ? i * CELLS + j : -1;
}

// Middle of cell number i along an axis.
function centre(axis, i) {
  const [low, high] = DATA.window[axis];
  return low + ((high - low) * (i + 0.5)) / CELLS;
}

// Energy of every cell.
function cellEnergies() {
  const energy = new Float64Array(CELLS ** DIM), at = [0, 0], g = [0, 0];
  for (let c = 0; c < energy.length; c++) {
    at[0] = centre(0, DIM === 1 ? c : Math.floor(c / CELLS));
    if (DIM === 2) at[1] = centre(1, c % CELLS);
    const e = energyGradient(at, g, DATA.numbers);
    energy[c] = Number.isFinite(e) ? e : Infinity;
  }
  return energy;
}

// Well of every cell, from its run-length code.
function cellWells() {
  const wells = new Int16Array(CELLS ** DIM);
  for (let k = 0, at = 0; k < DATA.labels.length; k += 2) {
    wells.fill(DATA.labels[k], at, (at += DATA.labels[k + 1]));
  }
  return wells;
}

const ENERGY = cellEnergies(), WELL = cellWells();
const LOWEST = ENERGY.reduce((a, b) => Math.min(a, b));

// Logarithm of exp((LOWEST - U)/T) summed over all space outside the window, in cells: between the tabulated temperatures.
function logOutside(T) {
  const most = DATA.outside.length - 1;
  const at = clampTo((most * Math.log(T / DATA.cold)) / Math.log(DATA.hottest / DATA.cold), 0, most);
  const k = Math.min(Math.floor(at), most - 1);
  return DATA.outside[k] + (at - k) * (DATA.outside[k + 1] - DATA.outside[k]);
}
const clampTo = (value, low, high) => Math.min(Math.max(value, low), high);

// exp(-U/T)/Z summed over the wells and, last, outside the window; and over bins of the window along each axis. Z is that of
// all space; null where nothing holds the balls, so that there is no such law.
function boltzmann(T, bins) {
  if (!DATA.held) return null;
  const wells = new Float64Array(DATA.wells.length + 1), along = DATA.window.map(() => new Float64Array(bins));
  const group = CELLS / bins, beyond = logOutside(T), unit = Math.max(0, beyond);
  let sum = (wells[DATA.wells.length] = Math.exp(beyond - unit));
  for (let c = 0; c < ENERGY.length; c++) {
    const weight = Math.exp((LOWEST - ENERGY[c]) / T - unit);
    sum += weight;
    wells[WELL[c]] += weight;
    if (DIM === 1) along[0][Math.floor(c / group)] += weight;
    else {
      along[0][Math.floor(Math.floor(c / CELLS) / group)] += weight;
      along[1][Math.floor((c % CELLS) / group)] += weight;
    }
  }
  for (const part of [wells, ...along]) for (let k = 0; k < part.length; k++) part[k] /= sum;
  return { wells, along };
}

// The well that a ball is in; outside the window one more.
function partOf(walk, r) {
  const cell = cellOf(walk.place[r * DIM], walk.place[r * DIM + 1]);
  return cell < 0 ? DATA.wells.length : WELL[cell];
}

// Share of a walk's balls in each well; the last entry is the share outside the window.
function sharesOf(walk) {
  const shares = new Float64Array(DATA.wells.length + 1);
  for (let r = 0; r < walk.count; r++) shares[partOf(walk, r)] += 1 / walk.count;
  return shares;
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
