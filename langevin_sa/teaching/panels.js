// Pictures of the race: the landscape with a lane for each optimizer, what was recorded, and learning rates tried.

const CURVE = 0.4; // share of the height that the landscape takes

const DASHES = { Adam: [7, 5], RMSprop: [7, 5] }; // which lie on Momentum and SGD

// Colours of the style sheet and of the lanes.
function laneColours() {
  const colours = palette(), style = document.body.appendChild(document.createElement("i"));
  colours.lanes = NAMES.map((name) => {
    style.style.color = `var(--${name.toLowerCase()})`;
    return getComputedStyle(style).color;
  });
  style.remove();
  return colours;
}

class Lanes extends Plot {
  prepare(colours) {
    this.fit();
    this.context.font = `600 ${this.size}px ${FONT}`;
    this.box.left = Math.max(...NAMES.map((name) => this.context.measureText(name).width)) + this.size;
    this.colours = colours;
    const [low, high] = DATA.window, { left, right } = this.box, count = Math.max(2, Math.round(right - left));
    this.scales({ low, high }, { low: DATA.lowest - 0.06 * (DATA.top - DATA.lowest), high: DATA.top });
    const slope = [0];
    this.curve = Array.from({ length: count + 1 }, (_, k) => {
      const x = low + ((high - low) * k) / count;
      return [x, energyGradient([x], slope, DATA.numbers)];
    }).filter(([, energy]) => Number.isFinite(energy));
    this.radius = Math.max(1.6, this.size / 7);
    this.stamps = colours.lanes.map((colour) => this.stamp(colour));
  }

  // A dot, drawn once.
  stamp(colour) {
    const canvas = document.createElement("canvas"), size = this.radius + 1;
    canvas.width = canvas.height = Math.ceil(2 * size * this.ratio);
    const pen = canvas.getContext("2d");
    pen.scale(this.ratio, this.ratio);
    pen.globalAlpha = 0.45;
    pen.arc(size, size, this.radius, 0, 2 * Math.PI);
    pen.fillStyle = colour;
    pen.fill();
    return canvas;
  }

  // Height of an energy on the screen: the landscape is above the lanes.
  at(energy) {
    const { top, bottom } = this.box;
    return top + CURVE * (bottom - top) * (1 - part(this.y, energy));
  }

  draw(race) {
    const { left, right, top, bottom, height } = this.box, { colours, size } = this, pen = this.context;
    const below = top + CURVE * (bottom - top), tall = (bottom - below) / NAMES.length;
    this.clear();
    this.best(colours, top, bottom);
    this.clip();
    this.line(this.curve.map(([x, energy]) => [this.px(x), this.at(energy)]), colours.ink, 2.5);
    this.unclip();
    this.text("loss U(x)", left - 0.5 * size, (top + below) / 2, colours.ink, "right");
    race.lanes.forEach((lane, k) => {
      const from = below + k * tall, quiet = hidden.has(lane.name);
      this.line([[left, from], [right, from]], colours.grid, 1);
      this.text(lane.name, left - 0.5 * size, from + 0.33 * tall, quiet ? colours.soft : colours.ink, "right", 600);
      const said = lane.diverged === null ? percent(lane.last.share) : "diverged";
      this.text(quiet ? "hidden" : said, left - 0.5 * size, from + 0.72 * tall, colours.soft, "right");
      pen.fillStyle = colours.lanes[k];
      pen.fillRect(left, from + 1, 4, tall - 2);
      if (!quiet && lane.diverged === null) this.dots(lane, this.stamps[k], from, tall);
    });
    for (const tick of ticks(this.x, (right - left) / size / 5)) this.text(short(tick), this.px(tick), bottom + 0.9 * size, colours.soft);
    this.line([[left, bottom], [right, bottom]], colours.soft, 1);
    this.text("parameter x", (left + right) / 2, height - 0.7 * size, colours.ink);
  }

  // Shade over the best well, through all lanes.
  best(colours, top, bottom) {
    const [low, high] = DATA.window, pen = this.context;
    for (const [k, well] of DATA.wells.entries()) {
      if (!well.best) continue;
      const from = this.px(k ? Math.max(low, DATA.wells[k - 1].high) : low), to = this.px(Math.min(high, well.high ?? high));
      pen.fillStyle = colours.bars;
      pen.globalAlpha = 0.28;
      pen.fillRect(from, top, to - from, bottom - top);
      pen.globalAlpha = 1;
      this.text("best", (from + to) / 2, top + 0.7 * this.size, colours.ink);
    }
  }

  // The replicas of a lane, spread over its height so that a crowd looks like one.
  dots(lane, stamp, from, tall) {
    const half = this.radius + 1, { left, right } = this.box;
    for (let r = 0; r < lane.x.length; r++) {
      const x = this.px(lane.x[r]);
      if (!(x > left + 4 && x < right)) continue;
      const y = from + half + (((r + 0.5) * 0.618034) % 1) * (tall - 2 * half);
      this.context.drawImage(stamp, x - half, y - half, 2 * half, 2 * half);
    }
  }

  // The coordinate at a place of the screen; null outside the axes.
  pointAt(event) {
    const frame = this.canvas.getBoundingClientRect(), { left, right } = this.box;
    const u = (event.clientX - frame.left - left) / (right - left);
    return u < 0 || u > 1 ? null : DATA.window[0] + u * (DATA.window[1] - DATA.window[0]);
  }
}

// What the panels show of a record, and the ends of their axes.
const SHOWN = {
  loss: {
    label: "loss above the lowest",
    of: (point) => (point.loss > 0 ? point.loss : null),
    range: (values) => ({ low: 0.8 * Math.min(...values, DATA.scale / 10), high: 1.25 * Math.max(...values, DATA.scale), log: true }),
  },
  share: { label: "% in the best well", of: (point) => 100 * point.share, range: () => ({ low: 0, high: 100 }) },
  square: {
    label: "log₁₀ ⟨dx²⟩",
    of: (point) => (point.square > 0 ? Math.log10(point.square) : null),
    range: (values) => ({ low: Math.floor(Math.min(...values, 0)), high: Math.ceil(Math.max(...values, -20)) }),
  },
};

// One recorded number of every lane against the step.
class Panel extends Plot {
  constructor(canvas, { label, of, range }) {
    super(canvas);
    Object.assign(this, { label, of, range });
  }

  fit() {
    super.fit();
    this.box.right -= this.size; // for the last tick's label
  }

  draw(colours, race) {
    const shown = race.lanes.filter((lane) => !hidden.has(lane.name)), values = shown.flatMap((lane) => this.values(lane).map(([, v]) => v));
    this.scales({ low: 0, high: race.settings.steps }, this.range(values));
    this.clear();
    this.axes(colours, "step", this.label);
    this.clip();
    const { top, bottom } = this.box;
    for (const [s] of DATA.decay.slice(1)) {
      const x = this.px(s * race.settings.steps);
      this.line([[x, top], [x, bottom]], colours.soft, 1, [2, 4]);
    }
    for (const lane of shown) {
      const points = this.values(lane).map(([n, v]) => [this.px(n), this.py(v)]);
      this.line(points, colours.lanes[NAMES.indexOf(lane.name)], lane.name === "CoolMomentum" ? 3.5 : 2.2, DASHES[lane.name]);
    }
    this.unclip();
  }

  // Points (step, value) that the scale can show.
  values(lane) {
    return lane.series.map((point) => [point.n, this.of(point)]).filter(([, v]) => v !== null);
  }
}

// What runs with other factors on all learning rates left.
class Tried extends Plot {
  draw(colours, runs, factors) {
    const all = runs.flatMap((run) => run.ends.map((end) => end.left)).filter((left) => left !== null);
    const high = 1.15 * Math.max(...all, DATA.scale);
    this.scales({ low: factors[0] / 1.3, high: factors.at(-1) * 1.3, log: true }, { low: 0, high });
    this.clear();
    this.axes(colours, "all learning rates times", "loss left");
    const { left, right, top, bottom } = this.box;
    if (runs.length < 2) this.text("Press Try other rates.", (left + right) / 2, (top + bottom) / 2, colours.soft);
    NAMES.forEach((name, k) => {
      if (hidden.has(name)) return;
      const ends = runs.map((run) => ({ factor: run.factor, ...run.ends[k] })).sort((a, b) => a.factor - b.factor);
      const kept = ends.filter((end) => end.left !== null).map((end) => [this.px(end.factor), this.py(end.left), end]);
      this.line(kept, colours.lanes[k], name === "CoolMomentum" ? 3 : 1.6, DASHES[name]);
      this.context.fillStyle = colours.lanes[k];
      for (const [x, y, end] of kept) {
        this.line([[x, this.py(end.left - end.error)], [x, this.py(end.left + end.error)]], colours.lanes[k], 1.6);
        this.context.fillRect(x - 3, y - 3, 6, 6);
      }
      for (const end of ends) if (end.left === null) this.text("×", this.px(end.factor), this.box.top + (0.6 + 0.7 * k) * this.size, colours.lanes[k], "center", 700);
    });
  }
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;
