// What pages of many bodies share: their experiment, its energy against temperature, and the order in them.

function fold(axis, x) {
  return x;
}
function mirrored() {
  return false;
}

const OWN = {};
function readOwn() {}
const COLD = "downhill from here";

class Experiment extends Cooling {
  constructor(settings) {
    const x = startPoints(settings.seed);
    super(settings, new Walk(x, x.length, settings.seed));
    this.path = []; // [T, energy a body] on the way down
  }

  outcome() {
    return { energy: this.energy(), order: orderOf(this.walk), path: this.path };
  }

  energy() {
    return this.walk.energy[0] / COUNT;
  }

  count() {
    if (this.phase === "cool" || this.phase === "settle") this.path.push([this.T, this.energy()]);
  }
}

// Energy against temperature: the paths of the runs so far, and of the one under way.
class Paths extends Plot {
  draw(colours, runs, now) {
    const all = [...runs.flatMap((run) => run.path), ...now.path, [now.T, now.energy()], [DATA.cold, DATA.relaxed]];
    const [low, high] = [Math.min, Math.max].map((end) => all.reduce((a, [, e]) => end(a, e), all[0][1]));
    const margin = Math.max(0.08 * (high - low), 1e-3 * Math.abs(high), 1e-9);
    this.scales({ low: DATA.cold / 1.3, high: RANGES.T[1], log: true }, { low: low - margin, high: high + margin });
    this.clear();
    this.axes(colours, "temperature T (energy)", `energy a ${NOUN}`);
    this.clip();
    const line = (path, colour, width) => this.line(path.map(([T, e]) => [this.px(T), this.py(e)]), colour, width);
    for (const run of runs) line(run.path, run.kind === "quench" ? colours.measured : colours.wells[0], 2);
    line(now.path, colours.ink, 2);
    for (const run of runs) this.dot(run.T, run.energy, run.kind === "quench" ? colours.measured : colours.wells[0]);
    this.dot(now.T, now.energy(), colours.ink);
    this.unclip();
  }

  dot(T, energy, colour) {
    this.context.beginPath();
    this.context.arc(this.px(T), this.py(energy), 5, 0, 2 * Math.PI);
    this.context.fillStyle = colour;
    this.context.fill();
  }
}

const paths = new Paths(byId("paths")), runs = [];

function restarted() {}

function refitOwn() {
  stage.prepare(colours);
  paths.fit();
}

function drawOwn() {
  if (Number.isFinite(experiment.energy())) paths.draw(colours, runs, experiment);
}

function showOwn() {
  const order = orderOf(experiment.walk);
  order.forEach(({ value }, k) => {
    const line = byId("order").children[k];
    line.querySelector(".bar").style.width = `${Math.min(100, 100 * value)}%`;
    line.querySelector(".number").textContent = value.toFixed(2);
  });
  byId("energy").textContent = digits(experiment.energy());
  const words = order.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(", ");
  byId("stage").setAttribute("aria-label", `${COUNT} ${NOUN}s; ${words}`);
  byId("paths").setAttribute("aria-label", `Energy a ${NOUN} ${short(experiment.energy())} at temperature ${short(experiment.T)}`);
  byId("chart").setAttribute("aria-label", `Set temperature ${short(experiment.T)}, measured ${short(experiment.recent?.measured ?? 0)}`);
}

// Energies differ in the digits behind the first ones.
function digits(value) {
  return value.toPrecision(4).replace("-", "−");
}

function runWords(run) {
  runs.unshift(run);
  runs.length = Math.min(runs.length, 5);
  experiment.path = [];
  return `${digits(run.energy)}, order ${run.order[0].value.toFixed(2)}`;
}

function remark(text) {
  return text;
}
function failure(omega) {
  return `Everything flew apart: ω dt = ${omega.toFixed(2)} is too long a step. Lower dt, then Reset.`;
}

function fillOwn() {}
function validOwn() {
  return true;
}

function buildOwn() {
  for (const [k, { name }] of orderOf(experiment.walk).entries()) {
    const line = document.createElement("div");
    line.className = "share order";
    line.style.setProperty("--well", `var(--well-${k ? 2 : 0})`);
    line.innerHTML = `<span class="place">${name}</span><span class="track"><span class="bar"></span></span><span class="number"></span>`;
    byId("order").append(line);
  }
}
