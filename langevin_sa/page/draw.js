// Pictures: each Plot is a canvas with margins, two scales and axes.

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
const LETTERS = "ABCDE"; // of the wells that are shown one by one; the others are grey

// Colours of the style sheet as rgb(...), which change with light and dark.
function palette() {
  const probe = document.body.appendChild(document.createElement("i"));
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = named(colour);
  probe.remove();
  return colours;
}
function named(colour) {
  return {
    ink: colour("ink"), soft: colour("soft"), grid: colour("grid"), paper: colour("card"), rim: colour("rim"),
    deep: colour("deep"), high: colour("high"), measured: colour("measured"), bars: colour("bars"), other: colour("other"),
    wells: [...LETTERS].map((_, k) => colour(`well-${k}`)),
  };
}
const wellColour = (colours, well) => colours.wells[well] ?? colours.other;

class Plot {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.x = this.y = { low: 0, high: 1, log: false };
  }

  // Fit the canvas to its box and the screen's pixels; margins leave room for tick labels.
  fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.ratio = ratio;
    this.size = parseFloat(getComputedStyle(this.canvas).fontSize);
    const left = 4.1 * this.size, bottom = height - 2.9 * this.size;
    this.box = { left, right: width - 0.9 * this.size, top: 0.9 * this.size, bottom, width, height };
  }

  scales(x, y) {
    this.x = { log: false, ...x };
    this.y = { log: false, ...y };
  }

  px(value) {
    return this.box.left + part(this.x, value) * (this.box.right - this.box.left);
  }

  py(value) {
    return this.box.bottom - part(this.y, value) * (this.box.bottom - this.box.top);
  }

  clear() {
    this.context.clearRect(0, 0, this.box.width, this.box.height);
  }

  // Keep what is drawn until the next `unclip` inside the axes.
  clip() {
    const { left, right, top, bottom } = this.box;
    this.context.save();
    this.context.beginPath();
    this.context.rect(left, top, right - left, bottom - top);
    this.context.clip();
  }

  unclip() {
    this.context.restore();
  }

  text(string, x, y, colour, align = "center", weight = 400) {
    this.context.font = `${weight} ${this.size}px ${FONT}`;
    this.context.fillStyle = colour;
    this.context.textAlign = align;
    this.context.textBaseline = "middle";
    this.context.fillText(string, x, y);
  }

  line(points, colour, width, dash = []) {
    const pen = this.context;
    pen.beginPath();
    points.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.setLineDash(dash);
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.stroke();
    pen.setLineDash([]);
  }

  // Ticks, grid lines and labels.
  axes(colours, xLabel, yLabel, grid = true) {
    const { left, right, top, bottom, height } = this.box;
    const room = (right - left) / this.size / 5, tall = (bottom - top) / this.size / 2.2;
    for (const tick of ticks(this.x, room)) {
      const x = this.px(tick);
      if (grid) this.line([[x, top], [x, bottom]], colours.grid, 1);
      this.text(short(tick), x, bottom + 0.9 * this.size, colours.soft);
    }
    for (const tick of ticks(this.y, tall)) {
      const y = this.py(tick);
      if (grid) this.line([[left, y], [right, y]], colours.grid, 1);
      this.text(short(tick), left - 0.5 * this.size, y, colours.soft, "right");
    }
    this.line([[left, top], [left, bottom], [right, bottom]], colours.soft, 1);
    this.text(xLabel, (left + right) / 2, height - 0.7 * this.size, colours.ink);
    this.context.save();
    this.context.translate(0.75 * this.size, (top + bottom) / 2);
    this.context.rotate(-Math.PI / 2);
    this.text(yLabel, 0, 0, colours.ink);
    this.context.restore();
  }
}

// Where a value lies between the ends of a scale, 0 to 1.
function part({ low, high, log }, value) {
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

// Round numbers between the ends of a scale, about `count` of them.
function ticks({ low, high, log }, count) {
  if (log) {
    const all = [];
    for (let p = Math.floor(Math.log10(low)); p <= Math.log10(high); p++) all.push(10 ** p, 2 * 10 ** p, 5 * 10 ** p);
    const inside = all.filter((t) => t >= low && t <= high);
    return inside.length <= count + 1 ? inside : inside.filter((t) => /^1/.test(t.toExponential()));
  }
  const rough = (high - low) / Math.max(2, count), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) out.push(k * step);
  return out;
}

// A number for people: three digits, no exponent where it can be avoided.
function short(value) {
  if (value === 0) return "0";
  const text = Number(value.toPrecision(3));
  const size = Math.abs(text);
  return (size >= 1e5 || size < 1e-4 ? text.toExponential().replace("e+", "e") : String(text)).replace("-", "−");
}

// A ball of one colour, drawn once and stamped many times.
function stamp(radius, fill, rim, ratio) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil(2 * (radius + 1) * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.arc(radius + 1, radius + 1, radius, 0, 2 * Math.PI);
  pen.fillStyle = fill;
  pen.fill();
  pen.strokeStyle = rim;
  pen.lineWidth = 0.8;
  pen.stroke();
  return canvas;
}

// The stage: the landscape with the balls in it. What does not move is drawn once.
class Stage extends Plot {
  prepare(colours, topEnergy) {
    this.fit();
    const [x] = DATA.window;
    const range = topEnergy - LOWEST;
    const y = DIM === 1 ? [LOWEST - 0.17 * range, topEnergy] : DATA.window[1];
    this.scales({ low: x[0], high: x[1] }, { low: y[0], high: y[1] });
    this.top = topEnergy;
    this.radius = Math.min(5, Math.max(2.6, this.box.width / 170));
    this.stamps = [...colours.wells, colours.other].map((colour) => stamp(this.radius, colour, colours.rim, this.ratio));
    this.hero = [...colours.wells, colours.other].map((colour) => stamp(1.9 * this.radius, colour, colours.ink, this.ratio));
    this.trail = [];
    this.colours = colours;
    this.clear();
    if (DIM === 1) this.curve();
    else this.contours();
    this.background = document.createElement("canvas");
    this.background.width = this.canvas.width;
    this.background.height = this.canvas.height;
    this.background.getContext("2d").drawImage(this.canvas, 0, 0);
  }

  curve() {
    this.axes(this.colours, `position ${DATA.axes[0]} (length)`, "energy U (energy)");
    const points = [];
    for (let c = 0; c < CELLS; c++) if (ENERGY[c] < Infinity) points.push([this.px(centre(0, c)), this.py(ENERGY[c])]);
    this.clip();
    this.line(points, this.colours.ink, 2.5);
    this.unclip();
  }

  contours() {
    const { left, right, top, bottom } = this.box, pen = this.context;
    pen.imageSmoothingEnabled = true;
    pen.drawImage(energyImage(this.colours, this.top), left, top, right - left, bottom - top);
    for (let k = 1; k < 14; k++) this.contour(LOWEST + (this.top - LOWEST) * (k / 14) ** 1.5);
    this.axes(this.colours, `${DATA.axes[0]} (length)`, `${DATA.axes[1]} (length)`, false);
  }

  // The line U = level, cell by cell: it enters and leaves each square of four centres where the energy passes the level.
  contour(level) {
    const pen = this.context;
    pen.beginPath();
    for (let i = 0; i + 1 < CELLS; i++) {
      for (let j = 0; j + 1 < CELLS; j++) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        let down = false;
        for (let k = 0; k < 4; k++) {
          const [a, b] = [corners[k], corners[(k + 1) % 4]];
          const ea = ENERGY[a[0] * CELLS + a[1]], eb = ENERGY[b[0] * CELLS + b[1]];
          if (ea < level === eb < level) continue;
          const t = (level - ea) / (eb - ea);
          const x = this.px(centre(0, a[0] + t * (b[0] - a[0]))), y = this.py(centre(1, a[1] + t * (b[1] - a[1])));
          if (down) pen.lineTo(x, y);
          else pen.moveTo(x, y);
          down = !down;
        }
      }
    }
    pen.strokeStyle = this.colours.soft;
    pen.globalAlpha = 0.45;
    pen.lineWidth = 0.8;
    pen.stroke();
    pen.globalAlpha = 1;
  }

  // A letter below each well that is shown by name; in two dimensions above it.
  badges() {
    const pen = this.context, size = 0.85 * this.size;
    DATA.wells.slice(0, LETTERS.length).forEach((well, k) => {
      const x = this.px(well.x[0]), y = DIM === 1 ? this.py(well.energy) + 1.6 * size : this.py(well.x[1]) - 2.2 * size;
      pen.beginPath();
      pen.arc(x, y, size, 0, 2 * Math.PI);
      pen.fillStyle = this.colours.paper;
      pen.fill();
      pen.strokeStyle = wellColour(this.colours, k);
      pen.lineWidth = 3;
      pen.stroke();
      this.text(LETTERS[k], x, y + 0.5, this.colours.ink, "center", 700);
    });
  }

  draw(walk) {
    const pen = this.context, { left, right, top, bottom, width, height } = this.box;
    this.clear();
    pen.drawImage(this.background, 0, 0, width, height);
    this.clip();
    const half = this.radius + 1, lanes = 7 * this.radius;
    for (let r = walk.count - 1; r >= 0; r--) {
      const x = walk.x[r * DIM], y = walk.x[r * DIM + 1], cell = cellOf(x, y);
      const kind = cell < 0 ? LETTERS.length : Math.min(WELL[cell], LETTERS.length);
      const px = this.px(x);
      // in one dimension the balls are stacked in lanes above the curve, so that a crowd looks like one
      const py = DIM === 2 ? this.py(y) : Math.max(top + half, this.py(walk.energy[r]) - half - ((r * 0.618034) % 1) * lanes);
      if (!(px > left - half && px < right + half && py > top - half && py < bottom + half)) continue;
      if (r > 0) pen.drawImage(this.stamps[kind], px - half, py - half, 2 * half, 2 * half);
      else this.drawHero(px, py, kind);
    }
    this.unclip();
    this.badges();
  }

  // The one ball that can be followed, with its path in two dimensions.
  drawHero(x, y, kind) {
    const size = 1.9 * this.radius + 1;
    if (DIM === 2) {
      this.trail.push([x, y]);
      if (this.trail.length > 40) this.trail.shift();
      this.context.globalAlpha = 0.45;
      this.line(this.trail, this.colours.ink, 1.2);
      this.context.globalAlpha = 1;
    }
    this.context.drawImage(this.hero[kind], x - size, y - size, 2 * size, 2 * size);
  }

  // The point of the landscape at a place of the screen; null outside the axes.
  pointAt(event) {
    const frame = this.canvas.getBoundingClientRect(), { left, right, top, bottom } = this.box;
    const u = (event.clientX - frame.left - left) / (right - left), v = (bottom - event.clientY + frame.top) / (bottom - top);
    if (u < 0 || u > 1 || v < 0 || v > 1) return null;
    const at = [u, v].map((w, k) => (DATA.window[k] ? DATA.window[k][0] + w * (DATA.window[k][1] - DATA.window[k][0]) : 0));
    return at.slice(0, DIM);
  }
}

// The energies as an image, one pixel a cell: deep colour in the wells, pale above.
function energyImage(colours, top) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = CELLS;
  const pen = canvas.getContext("2d"), image = pen.createImageData(CELLS, CELLS);
  const [deep, high] = [colours.deep, colours.high].map((c) => c.match(/\d+/g).map(Number));
  for (let i = 0; i < CELLS; i++) {
    for (let j = 0; j < CELLS; j++) {
      const height = Math.min(1, Math.sqrt(Math.max(0, ENERGY[i * CELLS + j] - LOWEST) / (top - LOWEST)));
      const at = 4 * ((CELLS - 1 - j) * CELLS + i);
      for (let k = 0; k < 3; k++) image.data[at + k] = deep[k] + height * (high[k] - deep[k]);
      image.data[at + 3] = 255;
    }
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

// Where the balls have been along an axis, against Boltzmann's law in the same bins.
class Histogram extends Plot {
  draw(colours, axis, counts, law) {
    const [low, high] = DATA.window[axis], bins = counts.length, width = (high - low) / bins;
    const total = counts.reduce((a, b) => a + b, 0) || 1;
    const peak = Math.max(...law, ...counts.map((n) => n / total)) / width;
    this.peak = this.peak > 0 ? this.peak + 0.3 * (1.12 * peak - this.peak) : 1.12 * peak;
    this.scales({ low, high }, { low: 0, high: this.peak });
    this.clear();
    this.axes(colours, `position ${DATA.axes[axis]} (length)`, "density");
    this.clip();
    const steps = [[this.px(low), this.py(0)]];
    for (let k = 0; k < bins; k++) {
      const x = this.px(low + k * width), next = this.px(low + (k + 1) * width), y = this.py(counts[k] / total / width);
      this.context.fillStyle = colours.bars;
      this.context.fillRect(x, y, next - x - 0.5, this.box.bottom - y);
      const level = this.py(law[k] / width);
      steps.push([x, level], [next, level]);
    }
    steps.push([this.px(high), this.py(0)]);
    this.line(steps, colours.ink, 2);
    this.unclip();
  }
}

// Set and measured temperature since the last reset.
class Chart extends Plot {
  draw(colours, series, range) {
    const last = series.length ? series[series.length - 1].time : 0;
    this.scales({ low: 0, high: Math.max(last, 1e-9) }, { low: range[0], high: range[1], log: true });
    this.clear();
    this.axes(colours, "time", "T (energy)");
    this.clip();
    const path = (key) => series.filter((p) => p[key] > 0).map((p) => [this.px(p.time), this.py(Math.max(p[key], range[0] / 10))]);
    this.line(path("measured"), colours.measured, 2.5);
    this.line(path("set"), colours.ink, 2, [6, 4]);
    this.unclip();
  }
}
