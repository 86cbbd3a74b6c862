// A lattice of two axes: where it starts, its order, and its picture.

const COUNT = DATA.count, NOUN = "site";
const [ROWS, COLUMNS] = DATA.shape;

// Sites drawn evenly from the bounds, or as normals without.
function startPoints(seed) {
  const key = keyOf(seed), words = new Uint32Array(4), x = new Float64Array(4 * Math.ceil(COUNT / 4));
  for (let q = 0; 4 * q < COUNT; q++) {
    quadOf(words, q, 0, START, key);
    if (DATA.bounds) {
      const [low, high] = DATA.bounds;
      for (let k = 0; k < 4; k++) x[4 * q + k] = low + (high - low) * (words[k] + 0.5) * 2 ** -32;
    } else {
      boxMuller(x, 4 * q, words[0], words[1]);
      boxMuller(x, 4 * q + 2, words[2], words[3]);
    }
  }
  return x.slice(0, COUNT);
}

// The site to the right and the one below, or -1 beyond an open end.
const rightOf = (i) => ((i + 1) % COLUMNS ? i + 1 : DATA.periodic ? i + 1 - COLUMNS : -1);
const belowOf = (i) => (i + COLUMNS < COUNT ? i + COLUMNS : DATA.periodic ? i + COLUMNS - COUNT : -1);

// What the page measures besides the energy: names, values from 0 to 1.
function orderOf(walk) {
  return DATA.angles ? orderOfAngles(walk.x) : orderOfSigns(walk.x);
}

function orderOfSigns(x) {
  let sum = 0, size = 0, kinks = 0, bonds = 0;
  for (let i = 0; i < COUNT; i++) {
    sum += x[i];
    size += Math.abs(x[i]);
    for (const j of [rightOf(i), belowOf(i)]) {
      if (j < 0) continue;
      bonds++;
      if (x[i] < 0 !== x[j] < 0) kinks++;
    }
  }
  return [{ name: "One domain", value: Math.abs(sum) / size }, { name: "Walls", value: kinks / bonds }];
}

function orderOfAngles(x) {
  let re = 0, im = 0, vortices = 0;
  const step = (a, b) => { const d = (x[b] - x[a]) / (2 * Math.PI); return d - Math.round(d); };
  for (let i = 0; i < COUNT; i++) {
    re += Math.cos(x[i]);
    im += Math.sin(x[i]);
    const right = rightOf(i), below = belowOf(i);
    if (right < 0 || below < 0) continue;
    const corner = belowOf(right);
    if (Math.round(step(i, right) + step(right, corner) + step(corner, below) + step(below, i))) vortices++;
  }
  return [{ name: "Aligned", value: Math.hypot(re, im) / COUNT }, { name: "Vortices", value: vortices / COUNT }];
}

class Stage extends Plot {
  prepare(colours) {
    this.fitWhole();
    this.colours = colours;
    this.image = document.createElement("canvas");
    this.image.width = COLUMNS;
    this.image.height = ROWS;
    this.pen = this.image.getContext("2d");
    this.pixels = this.pen.createImageData(COLUMNS, ROWS);
    this.shades = new Uint32Array(256).map((_, k) => shadeOf(colours, k));
  }

  draw(walk) {
    const pixels = new Uint32Array(this.pixels.data.buffer), x = walk.x, turn = 256 / (2 * Math.PI);
    for (let i = 0; i < COUNT; i++) {
      const k = DATA.angles ? Math.floor(x[i] * turn) & 255 : Math.max(0, Math.min(255, Math.floor(128 + 85 * x[i])));
      pixels[i] = this.shades[k];
    }
    this.pen.putImageData(this.pixels, 0, 0);
    this.clear();
    const scale = Math.min(this.box.height / ROWS, this.box.width / COLUMNS), pen = this.context;
    const width = COLUMNS * scale, height = ROWS * scale, left = (this.box.width - width) / 2, top = (this.box.height - height) / 2;
    const copies = DATA.periodic ? Math.ceil(left / width) : 0;
    pen.imageSmoothingEnabled = scale < 1;
    for (let k = -copies; k <= copies; k++) pen.drawImage(this.image, left + k * width, top, width, height);
    this.veil(left, top, width, height);
  }
}

// Colour number k of 256 as a pixel: of an angle around the wheel; else blue below zero, pale at it, orange above.
function shadeOf(colours, k) {
  const mix = (a, b, t) => a.map((v, c) => Math.round(v + t * (b[c] - v)));
  const rgb = (text) => text.match(/\d+/g).slice(0, 3).map(Number);
  const wheel = [0, 1, 2].map((c) => Math.round(160 + 85 * Math.cos((2 * Math.PI * k) / 256 - (2 * Math.PI * c) / 3)));
  const u = Math.tanh((1.3 * (k - 127.5)) / 85);
  const [r, g, b] = DATA.angles ? wheel : mix(rgb(colours.paper), rgb(u < 0 ? colours.wells[0] : colours.wells[1]), Math.abs(u));
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
