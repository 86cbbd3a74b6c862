// Controls: the sliders, and the situation they set, which the address of the page carries.

const DEFAULTS = {
  T: DATA.hot, gamma: DATA.gamma, dt: DATA.dt, rate: DATA.rate, speed: DATA.speed, integrator: DATA.integrator, seed: DATA.seed, run: "", ...OWN,
};
const HIGHEST_DT = rounded(2.2 / Math.sqrt(DATA.curvature)); // a little beyond what is stable

// Ends of the logarithmic sliders; a given value that lies beyond is let in.
const RANGES = Object.fromEntries(
  Object.entries({
    T: [DATA.cold, DATA.hottest],
    gamma: [DATA.gamma / 50, Math.max(2 / DATA.dt, 2 * DATA.gamma)],
    dt: [DATA.dt / 10, Math.max(HIGHEST_DT, DATA.dt)],
    rate: [DATA.rate / 10, 30 * DATA.rate],
    speed: [DATA.speed / 16, 10 * DATA.speed],
  }).map(([name, ends]) => [name, ends.map(rounded)]),
);

const SLIDERS = {
  T: "Temperature <i>T</i>", rate: "Cooling rate", gamma: "Friction <i>γ</i>", rho: "Momentum <i>ρ</i>", dt: "Time step <i>dt</i>", speed: "Speed",
};

function rounded(value) {
  return Number(value.toPrecision(3));
}

// Settings from the address, each as given if it makes sense and else the default.
function readAddress(hash) {
  const given = Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
  const settings = { ...DEFAULTS };
  for (const name of Object.keys(RANGES)) {
    const value = Number(given[name]);
    if (name in given && value > 0 && value < Infinity) settings[name] = Math.min(Math.max(value, RANGES[name][0]), RANGES[name][1]);
  }
  if (Object.hasOwn(RULES, given.integrator)) settings.integrator = given.integrator;
  if (validSeed(given.seed)) settings.seed = given.seed;
  if (["anneal", "quench"].includes(given.run)) settings.run = given.run;
  readOwn(given, settings);
  return settings;
}

function validSeed(text) {
  return /^\d{1,20}$/.test(text ?? "") && BigInt(text) < 2n ** 64n;
}

// What differs from the page as it comes, as the part of the address after #.
function writeAddress(settings) {
  const changed = Object.entries(settings).filter(([name, value]) => value !== DEFAULTS[name]);
  return new URLSearchParams(changed).toString();
}

// The sliders; `change(name, value)` is called when one is moved.
class Sliders {
  constructor(change) {
    this.change = change;
    this.parts = Object.fromEntries(Object.entries(SLIDERS).map(([name, label]) => [name, this.build(name, label)]));
  }

  build(name, label) {
    const row = byId("slider").content.cloneNode(true).firstElementChild;
    const [text, why, output, input] = ["label", "button", "output", "input"].map((tag) => row.querySelector(tag));
    text.innerHTML = label;
    text.htmlFor = input.id = `slide-${name}`;
    why.setAttribute("popovertarget", `why-${name}`);
    why.setAttribute("aria-label", `Why: ${text.textContent}`);
    output.htmlFor = input.id;
    input.min = 0;
    input.max = 1;
    input.step = 0.005;
    input.addEventListener("input", () => this.change(name, this.valueAt(name, Number(input.value))));
    byId("sliders").append(row);
    return { input, output };
  }

  // Value at a place of the slider, 0 to 1: logarithmic; for rho, logarithmic in 1 - rho.
  valueAt(name, place) {
    if (name === "rho") return rounded(1 - 10 ** (-3 * place));
    const [low, high] = RANGES[name];
    return place <= 0 ? low : place >= 1 ? high : rounded(low * (high / low) ** place);
  }

  placeOf(name, value) {
    if (name === "rho") return -Math.log10(Math.max(1 - value, 1e-3)) / 3;
    const [low, high] = RANGES[name];
    return Math.log(value / low) / Math.log(high / low);
  }

  show(name, value, text) {
    const { input, output } = this.parts[name];
    const place = String(this.placeOf(name, value));
    if (document.activeElement !== input || Math.abs(place - input.value) > 0.006) input.value = place;
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  }

  enable(name, on) {
    this.parts[name].input.disabled = !on;
  }
}
