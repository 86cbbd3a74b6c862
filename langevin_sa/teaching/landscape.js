// The landscape: the window cut into cells, which cell belongs to which well, and Boltzmann's law on it.

const DIM = DATA.window.length, CELLS = DATA.cells;

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

// exp(-U/T)/Z summed over the wells, and over bins along each axis; Z is that of the window.
function boltzmann(T, bins) {
  const wells = new Float64Array(DATA.wells.length), along = DATA.window.map(() => new Float64Array(bins));
  const group = CELLS / bins;
  let sum = 0;
  for (let c = 0; c < ENERGY.length; c++) {
    const weight = Math.exp((LOWEST - ENERGY[c]) / T);
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

// Share of a walk's balls in each well; the last entry is the share outside the window.
function sharesOf(walk) {
  const shares = new Float64Array(DATA.wells.length + 1);
  for (let r = 0; r < walk.count; r++) {
    const cell = cellOf(walk.x[r * DIM], walk.x[r * DIM + 1]);
    shares[cell < 0 ? DATA.wells.length : WELL[cell]] += 1 / walk.count;
  }
  return shares;
}
