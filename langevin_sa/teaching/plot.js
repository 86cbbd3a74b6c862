// Pictures: each Plot is a canvas with margins, two scales and axes.

const byId = (id) => document.getElementById(id);
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

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
    wells: [0, 1, 2, 3, 4].map((k) => colour(`well-${k}`)),
  };
}
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

  // The same without margins.
  fitWhole() {
    this.fit();
    Object.assign(this.box, { left: 0, top: 0, right: this.box.width, bottom: this.box.height });
  }

  // Pale what is beside a rectangle, which gets a frame.
  veil(left, top, width, height) {
    const pen = this.context;
    pen.fillStyle = this.colours.paper;
    pen.globalAlpha = 0.62;
    pen.fillRect(0, 0, left, this.box.height);
    pen.fillRect(left + width, 0, this.box.width - left - width, this.box.height);
    pen.globalAlpha = 1;
    pen.strokeStyle = this.colours.soft;
    pen.lineWidth = 1;
    pen.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
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

// A disk of one colour, drawn once and stamped many times.
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

// Set and measured temperature since the last reset.
class Chart extends Plot {
  draw(colours, series, range) {
    const last = series.length ? series[series.length - 1].time : 0;
    this.scales({ low: 0, high: last || 1 }, { low: range[0], high: range[1], log: true });
    this.clear();
    this.axes(colours, "time", "T (energy)");
    this.clip();
    const path = (key) => series.filter((p) => p[key] > 0).map((p) => [this.px(p.time), this.py(Math.max(p[key], range[0] / 10))]);
    this.line(path("measured"), colours.measured, 2.5);
    this.line(path("set"), colours.ink, 2, [6, 4]);
    this.unclip();
  }
}
