// The page of the race: settings, the loop that runs and draws, and what the user can do.

const BUDGET = 11, HURRIED = 30, SHOW_EVERY = 80; // milliseconds: for steps in a frame, while rates are tried; between updates of all but the dots
const FACTORS = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16]; // on all learning rates, that are tried
const element = (id) => document.getElementById(id);
const rounded = (value) => Number(value.toPrecision(3));

// -------------------------------------------------------------------------------------------------- settings

const DEFAULTS = { ...DATA.rates, factor: 1, noise: DATA.noise, rho0: DATA.rho0, steps: DATA.steps, speed: rounded(DATA.steps / 10), ...DATA.opening };
const around = (value, by) => [rounded(value / by), rounded(value * by)];
const RANGES = { // ends of the logarithmic sliders
  ...Object.fromEntries(NAMES.map((name) => [name, around(DEFAULTS[name], 100)])),
  factor: [1 / 64, 64], noise: around(DEFAULTS.noise, 10), steps: around(DEFAULTS.steps, 20).map(Math.ceil), speed: around(DEFAULTS.speed, 20),
};
const SLIDERS = {
  factor: "All rates ×", noise: "Noise <i>R</i>", rho0: "First <i>ρ</i>", steps: "Steps", speed: "Speed",
};
const HIGHEST_RHO = 0.999;

const clamp = (value, [low, high]) => Math.min(Math.max(value, low), high);
const validSeed = (text) => /^\d{1,20}$/.test(text ?? "") && BigInt(text) < 2n ** 64n;
const validStart = (text) => text === "spread" || (text?.trim() && Number.isFinite(Number(text)));

// Settings from the address, each as given if it makes sense and else the default.
function readAddress(hash) {
  const given = Object.fromEntries(new URLSearchParams(hash.replace(/^#/, ""))), found = { ...DEFAULTS };
  for (const [name, ends] of Object.entries(RANGES)) {
    const value = Number(given[name]);
    if (name in given && value > 0 && value < Infinity) found[name] = clamp(value, ends);
  }
  found.steps = Math.round(found.steps);
  if (given.rho0?.trim() && given.rho0 >= 0) found.rho0 = Math.min(HIGHEST_RHO, Number(given.rho0));
  if (given.replicas >= 1) found.replicas = Math.min(DATA.mostReplicas, Math.floor(given.replicas));
  if (validSeed(given.seed)) found.seed = given.seed;
  if (validStart(given.start)) found.start = given.start;
  return found;
}

// What differs from the page as it comes, as the part of the address after #.
function writeAddress(settings) {
  return new URLSearchParams(Object.entries(settings).filter(([name, value]) => value !== DEFAULTS[name])).toString();
}

// ----------------------------------------------------------------------------------------------------- state

let settings = readAddress(location.hash);
let race = new Race(settings);
let paused = matchMedia("(prefers-reduced-motion: reduce)").matches;
let queue = []; // factors that are still to be tried
let tried = { key: "", runs: [] };
let colours = null, last = null, debt = 0, shown = 0;
const hidden = new Set();
const stage = new Lanes(element("stage")), comparison = new Tried(element("tried"));
const panels = Object.entries(SHOWN).map(([id, shown]) => new Panel(element(id), shown));

// --------------------------------------------------------------------------------------------------- actions

function restart() {
  race = new Race(settings);
  const key = writeAddress({ ...settings, factor: 1, speed: DEFAULTS.speed });
  if (key !== tried.key) tried = { key, runs: [] };
  debt = 0;
}

function change(name, value) {
  settings[name] = name === "steps" ? Math.round(value) : value;
  if (name !== "speed") {
    queue = [];
    restart();
  }
  remember();
}

function pause(on) {
  paused = on;
  element("pause").textContent = paused ? "Go on" : "Pause";
}

// Run with every factor, the present one last; or stop doing so.
// The user's own factor, which is the last that is tried, comes back where trying is broken off.
function dropQueue() {
  if (queue.length) settings.factor = queue[queue.length - 1];
  queue = [];
}

function tryRates() {
  if (queue.length) {
    dropQueue();
    restart();
  } else {
    queue = [...FACTORS.filter((factor) => factor !== settings.factor), settings.factor];
    pause(false);
    next();
  }
}

function next() {
  settings.factor = queue[0];
  restart();
}

function finish() {
  const ends = race.lanes.map((lane) => {
    if (lane.diverged !== null) return { left: null };
    const away = Array.from(lane.x, (x) => DATA.wells[wellOf(x)].energy - DATA.lowest), { left, share } = lane.last;
    const variance = away.reduce((sum, v) => sum + (v - left) ** 2, 0) / away.length;
    return { left, share, error: 1.96 * Math.sqrt(variance / away.length) };
  });
  tried.runs = [...tried.runs.filter((run) => run.factor !== settings.factor), { factor: settings.factor, ends }];
  queue.shift();
  if (queue.length) next();
}

let writing = 0;
function remember() {
  clearTimeout(writing);
  if (location.protocol !== "about:") writing = setTimeout(() => history.replaceState(null, "", `#${writeAddress(settings)}`), 300);
}

// -------------------------------------------------------------------------------------------------- the loop

function frame(now) {
  requestAnimationFrame(frame);
  const began = performance.now(), elapsed = last === null ? 0 : Math.min(now - last, 50) / 1000;
  last = now;
  if (!paused && !race.done) advance(elapsed, began);
  stage.draw(race);
  if (now - shown < SHOW_EVERY) return;
  shown = now;
  showNumbers();
}

function advance(elapsed, began) {
  const hurried = queue.length > 0, budget = hurried ? HURRIED : BUDGET;
  debt = hurried ? Infinity : debt + settings.speed * elapsed;
  for (; debt >= 1 && !race.done; debt--) {
    race.step();
    if (race.n % 8 === 0 && performance.now() - began > budget) break;
  }
  if (debt >= 1) debt = 0; // this machine is slower than that: take fewer steps
  if (race.done) finish();
}

function showNumbers() {
  for (const panel of panels) panel.draw(colours, race);
  comparison.draw(colours, tried.runs, FACTORS);
  race.lanes.forEach((lane, k) => {
    const [share, left] = element("lanes").children[k + 1].querySelectorAll("output.end");
    const gone = lane.diverged !== null;
    share.textContent = gone ? "div" : percent(lane.last.share);
    left.textContent = gone ? "div" : lane.last.left.toPrecision(2);
  });
  for (const name of [...NAMES, ...Object.keys(SLIDERS)]) showSlider(name);
  element("status").textContent = saying();
  element("try").textContent = queue.length ? "Stop" : "Try other rates";
}

function saying() {
  const { steps, rho0 } = race.settings, count = (n) => n.toLocaleString("en"), s = race.n / steps;
  if (queue.length) return `Trying learning rates × ${short(settings.factor)}, ${FACTORS.length - queue.length + 1} of ${FACTORS.length}`;
  if (race.done) {
    return `Finished. ${tried.runs.length < 3 ? "Were the learning rates lucky? Try others." : "Change a setting to start over."}`;
  }
  return `Step ${count(race.n)}: rates ÷ ${count(Math.round(1 / decayed(1, s)))}, CoolMomentum ρ ${coolRho(s, rho0).toFixed(2)}`;
}

// -------------------------------------------------------------------------------------------------- controls

const parts = {};

// Value at a place of the slider, 0 to 1: logarithmic; for rho0, logarithmic in 1 - rho0.
function valueAt(name, place) {
  if (name === "rho0") return rounded(1 - 10 ** (-3 * place));
  const [low, high] = RANGES[name];
  return place <= 0 ? low : place >= 1 ? high : rounded(low * (high / low) ** place);
}

function placeOf(name, value) {
  return name === "rho0" ? -Math.log10(1 - value) / 3 : part({ low: RANGES[name][0], high: RANGES[name][1], log: true }, value);
}

function wire(name, row) {
  const [input, output] = [row.querySelector("input"), row.querySelector("output")];
  Object.assign(input, { min: 0, max: 1, step: 0.005, id: `slide-${name}` });
  row.querySelector("label").htmlFor = output.htmlFor = input.id;
  input.addEventListener("input", () => change(name, valueAt(name, Number(input.value))));
  parts[name] = { input, output };
}

function showSlider(name) {
  const { input, output } = parts[name], place = String(placeOf(name, settings[name]));
  if (document.activeElement !== input || Math.abs(place - input.value) > 0.006) input.value = place;
  const text = { steps: settings.steps.toLocaleString("en"), speed: `${settings.speed.toLocaleString("en")}/s` }[name] ?? short(settings[name]);
  output.textContent = text;
  input.setAttribute("aria-valuetext", text);
}

function buildControls() {
  for (const [name, label] of Object.entries(SLIDERS)) {
    const row = element("slider").content.cloneNode(true).firstElementChild, why = row.querySelector("button");
    row.querySelector("label").innerHTML = label;
    why.setAttribute("popovertarget", `why-${name}`);
    why.setAttribute("aria-label", `Why: ${row.querySelector("label").textContent}`);
    wire(name, row);
    element("sliders").append(row);
  }
  for (const name of NAMES) {
    const row = element("lane").content.cloneNode(true).firstElementChild, swatch = row.querySelector("button");
    row.style.setProperty("--lane", `var(--${name.toLowerCase()})`);
    row.querySelector("label").textContent = name;
    swatch.setAttribute("aria-label", `Show ${name}`);
    swatch.addEventListener("click", () => {
      if (!hidden.delete(name)) hidden.add(name);
      swatch.setAttribute("aria-pressed", String(!hidden.has(name)));
      showNumbers();
    });
    wire(name, row);
    element("lanes").append(row);
  }
}

function fillMore() {
  for (const name of ["replicas", "seed", "start"]) element(name).value = settings[name];
}

// A change under "More settings" starts over.
function changeMore(name, value) {
  const valid = { replicas: value >= 1 && value <= DATA.mostReplicas, seed: validSeed(value), start: validStart(value) }[name];
  if (valid) change(name, name === "replicas" ? Math.floor(value) : value);
  fillMore();
}

function refit() {
  colours = laneColours();
  stage.prepare(colours);
  for (const plot of [...panels, comparison]) plot.fit();
}

function toggleTheme() {
  const set = getComputedStyle(document.documentElement).colorScheme;
  const now = set === "light dark" ? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light") : set;
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  refit();
}

function restartNow() {
  dropQueue();
  restart();
  pause(false);
}

const KEYS = { r: restartNow, t: tryRates, " ": () => pause(!paused), "?": () => element("why-page").togglePopover() };

function onKey(event) {
  const typing = event.target.matches("input:not([type=range])") || (event.key === " " && event.target.matches("button, summary"));
  const action = KEYS[event.key.toLowerCase()];
  if (!action || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
}

function openSituation() {
  settings = readAddress(location.hash);
  queue = [];
  fillMore();
  restart();
}

function listen() {
  element("restart").addEventListener("click", restartNow);
  element("try").addEventListener("click", tryRates);
  element("pause").addEventListener("click", () => pause(!paused));
  element("theme").addEventListener("click", toggleTheme);
  for (const name of ["replicas", "seed", "start"]) element(name).addEventListener("change", (event) => changeMore(name, event.target.value));
  element("stage").addEventListener("click", (event) => {
    const point = stage.pointAt(event);
    if (point !== null) changeMore("start", String(rounded(point)));
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", () => (last = null)); // frames stop while hidden: do not make up for them
  window.addEventListener("hashchange", openSituation);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refit);
  new ResizeObserver(refit).observe(element("stage"));
}

element("title").textContent = "The optimizers' race";
element("formula").textContent = element("formula").title = `${DATA.name.replace(/_/g, " ")}: U = ${DATA.formula}`;
buildControls();
refit();
listen();
openSituation();
pause(paused);
requestAnimationFrame(frame);
