// The page: one situation (settings), one experiment under way, and what of it is shown.

const BINS = DIM === 1 ? 50 : 40; // divides the cells
const SAMPLE_STEPS = 8, SERIES = 400; // steps in a point of the chart; points before neighbours are joined
const SETTLE = 10, MOST_SETTLE = 1500; // how long balls settle after cooling: in 1/gamma, and in steps at most
const FORGET = { cooling: 60, holding: 20000 }; // memory of the histogram, in steps
const BUDGET = 11, SHOW_EVERY = 50; // milliseconds: for steps in a frame; between updates of all but the balls

// An experiment: balls at T, held, or cooled by an anneal or a quench.
class Experiment {
  constructor(settings) {
    this.T = settings.T;
    this.phase = "hold"; // hold, heat (until a run may start), anneal, settle
    this.run = null; // "anneal" or "quench" while under way
    const point = startOf(settings.start)();
    const low = DIM === 1 ? (c) => c >= 0 && ENERGY[c] < TOP : (c) => c >= 0 && ENERGY[c] < DATA.top;
    const x = point ? Array(settings.balls).fill(point).flat() : scatter(settings.balls, settings.seed, low);
    this.walk = new Walk(x, DIM, settings.seed);
    this.wait = 0; // steps left in heat or settle
    this.time = 0;
    this.counts = DATA.window.map(() => new Float64Array(BINS));
    this.series = [];
    this.joined = 1;
    this.sums = { n: 0, kinetic: 0, eq22: 0, square: 0 };
    this.recent = null;
    this.failed = false;
  }

  settleSteps(settings) {
    return Math.ceil(Math.min(SETTLE / settings.gamma / settings.dt, MOST_SETTLE));
  }

  // Begin to cool from where the balls are, once they have settled at T.
  cool(kind, settings) {
    this.run = { kind, from: this.T, rate: settings.rate };
    this.wait = this.settleSteps(settings) - this.walk.stepNumber;
    this.phase = this.wait > 0 ? "heat" : "anneal";
    this.forget();
  }

  // Keep the temperature where it is.
  hold(T) {
    this.T = T;
    this.phase = "hold";
    this.run = null;
    this.forget();
  }

  forget() {
    this.counts.forEach((c) => c.fill(0));
  }

  // One step; returns a finished run or null.
  step(settings) {
    if (this.phase === "heat" && --this.wait <= 0) this.phase = "anneal";
    else if (this.phase === "anneal") {
      this.T = this.run.kind === "quench" ? DATA.cold : Math.max(DATA.cold, this.T * Math.exp(-settings.rate * settings.dt));
      if (this.T <= DATA.cold) {
        this.phase = "settle";
        this.wait = this.settleSteps(settings);
      }
    }
    const c = coefficients(settings.integrator, settings.gamma, settings.dt, this.T);
    this.walk.step(c);
    this.time += settings.dt;
    this.measure(c);
    if (this.phase === "settle" && --this.wait <= 0) {
      const done = { ...this.run, shares: sharesOf(this.walk), T: this.T };
      this.hold(this.T);
      return done;
    }
    return null;
  }

  measure(c) {
    const square = this.walk.meanSquare(), s = this.sums;
    s.n++;
    s.square += square;
    s.kinetic += square / c.scale ** 2;
    s.eq22 += square / c.dt ** 2;
    if (s.n < SAMPLE_STEPS * this.joined) return;
    this.recent = { measured: s.kinetic / s.n, eq22: s.eq22 / s.n, square: s.square / s.n };
    this.series.push({ time: this.time, set: this.T, measured: this.recent.measured });
    this.sums = { n: 0, kinetic: 0, eq22: 0, square: 0 };
    if (this.series.length >= SERIES) this.halve();
  }

  // Join neighbouring points of the series, so that it holds the whole run.
  halve() {
    const pairs = [];
    for (let k = 0; k + 1 < this.series.length; k += 2) {
      const [a, b] = [this.series[k], this.series[k + 1]];
      pairs.push({ time: b.time, set: b.set, measured: (a.measured + b.measured) / 2 });
    }
    this.series = pairs;
    this.joined = Math.min(2 * this.joined, 32);
  }

  // Count where the balls are; what is older than the memory fades, and what came before they first settled does not count.
  count(steps, settings) {
    if (this.walk.stepNumber - steps < this.settleSteps(settings)) this.forget();
    const fade = Math.exp(-steps / (this.phase === "anneal" || this.phase === "settle" ? FORGET.cooling : FORGET.holding));
    this.counts.forEach((counts, axis) => {
      const [low, high] = DATA.window[axis];
      for (let k = 0; k < BINS; k++) counts[k] *= fade;
      for (let r = 0; r < this.walk.count; r++) {
        const k = Math.floor(((this.walk.x[r * DIM + axis] - low) / (high - low)) * BINS);
        if (k >= 0 && k < BINS) counts[k]++;
      }
    });
  }
}

const TOP = Math.max(DATA.top, LOWEST + 3.5 * DATA.hot); // of the energy axis

// ------------------------------------------------------------------------------------------------------ state

let settings = readAddress(location.hash);
let experiment = new Experiment(settings);
let paused = matchMedia("(prefers-reduced-motion: reduce)").matches;
let axis = 0, colours = null, last = null, debt = 0, shown = 0, law = null;
const frames = { n: 0, work: 0, since: 0 };
const stage = new Stage(byId("stage")), histogram = new Histogram(byId("histogram")), chart = new Chart(byId("chart"));
const sliders = new Sliders(change);

// ---------------------------------------------------------------------------------------------------- actions

function change(name, value) {
  const row = RULES[settings.integrator];
  if (name === "rho") settings.gamma = clamp("gamma", rounded(row.friction(Math.max(value, 1e-6), settings.dt)));
  else settings[name] = value;
  if (name === "T") experiment.hold(value);
  else if (name !== "rate" && name !== "speed") experiment.forget();
  remember();
}

function clamp(name, value) {
  return Math.min(Math.max(value, RANGES[name][0]), RANGES[name][1]);
}

function reset() {
  experiment = new Experiment(settings);
  stage.trail = [];
  debt = 0;
}

// Cool from here if the balls are hot, else start over: the same balls, heated for a while.
function cool(kind) {
  if (experiment.run !== null || experiment.failed || experiment.T < settings.T) reset();
  experiment.cool(kind, settings);
  pause(false);
}

function pause(on) {
  paused = on;
  byId("pause").textContent = paused ? "Go on" : "Pause";
}

function finish(run) {
  const share = run.shares[0], n = experiment.walk.count;
  const error = 1.96 * Math.sqrt(Math.max(share * (1 - share), 1 / n) / n);
  const how = run.kind === "quench" ? "Quench" : `Anneal, rate ${short(run.rate)}`;
  const item = document.createElement("li");
  item.innerHTML = `<span>${how}, from T = ${short(run.from)}</span> <b>${(100 * share).toFixed(0)} ± ${(100 * error).toFixed(0)} % in A</b>`;
  byId("runs").prepend(item);
  while (byId("runs").children.length > 5) byId("runs").lastElementChild.remove();
}

function placeAll(point) {
  settings.start = point.map((v) => short(v).replace("−", "-")).join(",");
  fillStart();
  reset();
  remember();
}

let writing = 0;
function remember() {
  clearTimeout(writing);
  writing = setTimeout(() => history.replaceState(null, "", `#${writeAddress(settings)}`), 300);
}

// --------------------------------------------------------------------------------------------------- the loop

function frame(now) {
  requestAnimationFrame(frame);
  const began = performance.now();
  const elapsed = last === null ? 0 : Math.min(now - last, 50) / 1000;
  last = now;
  if (!paused) advance(elapsed, began);
  draw(now);
  countFrame(now, performance.now() - began);
}

function advance(elapsed, began) {
  debt += settings.speed * elapsed;
  let steps = 0;
  while (debt >= 1 && !experiment.failed && performance.now() - began < BUDGET) {
    const done = experiment.step(settings);
    debt--;
    steps++;
    if (done) finish(done);
  }
  if (debt >= 1) debt = 0; // this machine is slower than that: take fewer steps
  if (steps && !experiment.walk.isFinite()) experiment.failed = true;
  else if (steps) experiment.count(steps, settings);
}

function countFrame(now, work) {
  frames.n++;
  frames.work += work;
  if (now - frames.since < 1000) return;
  const rate = (1000 * frames.n) / (now - frames.since);
  byId("rate-of-frames").textContent =
    `${rate.toFixed(0)} frames a second, ${(frames.work / frames.n).toFixed(1)} ms of work each; step ${experiment.walk.stepNumber}`;
  frames.n = frames.work = 0;
  frames.since = now;
}

function draw(now) {
  stage.draw(experiment.walk);
  if (now - shown < SHOW_EVERY) return;
  shown = now;
  if (law?.T !== experiment.T) law = { T: experiment.T, ...boltzmann(experiment.T, BINS) };
  histogram.draw(colours, axis, experiment.counts[axis], law.along[axis]);
  chart.draw(colours, experiment.series, [DATA.cold / 2, RANGES.T[1]]);
  showNumbers();
}

// ----------------------------------------------------------------------------------------------- what is shown

const percent = (share) => `${(100 * share).toFixed(0)} %`;

function showNumbers() {
  const c = coefficients(settings.integrator, settings.gamma, settings.dt, experiment.T);
  const omega = Math.sqrt(DATA.curvature) * c.dt;
  sliders.show("T", Math.max(experiment.T, RANGES.T[0]), short(experiment.T));
  sliders.show("gamma", settings.gamma, short(settings.gamma));
  sliders.show("rho", c.rho, c.rho.toFixed(3).replace("-", "−"));
  sliders.show("dt", settings.dt, short(settings.dt));
  sliders.show("speed", settings.speed, `${short(settings.speed)} /s`);
  sliders.show("rate", settings.rate, short(settings.rate));
  sliders.enable("rho", Boolean(RULES[settings.integrator].friction));
  byId("step").querySelector("output").textContent = `dx ← ${c.rho.toFixed(3)} dx + ${short(c.lr)} f + ${short(c.s)} ξ`;
  byId("stability").textContent = `ω dt = ${omega.toFixed(2)}, stable below 2`;
  byId("stability").classList.toggle("alarm", omega >= 2);
  showStatus(omega);
  showShares();
  showThermometers();
  describePictures();
}

function showStatus(omega) {
  const { phase, T, run, failed } = experiment, seconds = (steps) => `${Math.ceil(steps / settings.speed)} s left`;
  const left = Math.log(T / DATA.cold) / (settings.rate * settings.dt);
  let text = {
    hold: T <= DATA.cold ? `Cold, T = ${short(T)}: balls stay in their wells` : `Holding T = ${short(T)}`,
    heat: `Heating at T = ${short(T)}, then ${run?.kind}`,
    anneal: `Annealing: T = ${short(T)}, ${seconds(left)}`,
    settle: `${run?.kind === "quench" ? "Quenched" : "Annealed"} to T = ${short(T)}: settling`,
  }[phase];
  if (failed) text = `The balls flew off: ω dt = ${omega.toFixed(2)} is too long a step. Lower dt, then Reset.`;
  else if (paused) text = `Paused. ${text}`;
  byId("status").textContent = text;
  byId("status").classList.toggle("alarm", failed);
  for (const kind of ["anneal", "quench"]) byId(kind).setAttribute("aria-pressed", String(run?.kind === kind));
}

// One row a well that has a letter, one for all others, one for balls outside.
function shareRows() {
  const named = DATA.wells.slice(0, LETTERS.length).map((well, k) => ({ letter: LETTERS[k], well, of: (s) => s[k] }));
  const n = DATA.wells.length, rest = { letter: "…", place: `${n - LETTERS.length} others` };
  if (n > LETTERS.length) named.push({ ...rest, of: (s) => s.slice(LETTERS.length, n).reduce((a, b) => a + b, 0) });
  named.push({ letter: "–", place: "outside", of: (s) => s[n] ?? 0, outside: true });
  return named;
}

function buildShares() {
  for (const [k, row] of shareRows().entries()) {
    const line = document.createElement("div");
    line.className = "share";
    line.style.setProperty("--well", `var(--${LETTERS.includes(row.letter) ? `well-${k}` : "other"})`);
    const place = row.place ?? (row.well.edge ? "slopes out" : `U = ${short(row.well.energy)}`);
    line.innerHTML = `<b>${row.letter}</b><span class="place">${place}</span>
      <span class="track"><span class="bar"></span><span class="mark"></span></span><span class="number"></span>`;
    byId("shares").append(line);
  }
}

function showShares() {
  const now = sharesOf(experiment.walk);
  for (const [k, row] of shareRows().entries()) {
    const line = byId("shares").children[k], share = row.of(now), equilibrium = row.of(law.wells);
    line.querySelector(".bar").style.width = percent(share).replace(" ", "");
    line.querySelector(".mark").style.left = `${100 * equilibrium}%`;
    line.querySelector(".number").textContent = percent(share);
    line.hidden = row.outside && share < 0.005;
    line.title = `${percent(share)} of the balls; in equilibrium ${percent(equilibrium)}`;
  }
}

function showThermometers() {
  const r = experiment.recent;
  const texts = [`set <b>${short(experiment.T)}</b>`];
  if (r) texts.push(`measured <b>${short(r.measured)}</b>`, `Eq. (22) ${short(r.eq22)}`, `T dt² ${short(r.square)}`);
  byId("thermometers").innerHTML = texts.map((t) => `<span>${t}</span>`).join("");
}

// The same in words, for those who do not see the pictures.
function describePictures() {
  const shares = sharesOf(experiment.walk), n = experiment.walk.count;
  const wells = shareRows().map((row) => `${row.letter} ${percent(row.of(shares))}`).join(", ");
  byId("stage").setAttribute("aria-label", `${n} balls in the landscape; in the wells: ${wells}`);
  const off = law.along[axis].reduce((sum, p, k) => sum + Math.abs(p - experiment.counts[axis][k] / total()), 0) / 2;
  byId("histogram").setAttribute("aria-label", `Histogram of ${DATA.axes[axis]}; it differs from Boltzmann's law by ${percent(off)}`);
  byId("chart").setAttribute("aria-label", `Set temperature ${short(experiment.T)}, measured ${short(experiment.recent?.measured ?? 0)}`);
}
const total = () => experiment.counts[axis].reduce((a, b) => a + b, 0) || 1;

// ----------------------------------------------------------------------------------------------------- set up

function pretty(formula) {
  return formula.replace(/\*\*(\d+)/g, "<sup>$1</sup>").replace(/\*\*/g, "^").replace(/\*/g, "·").replace(/-/g, "−");
}

function fillHeader() {
  const own = DATA.name === DATA.formula;
  byId("title").textContent = own ? "Annealing" : DATA.name.replace(/_/g, " ");
  const numbers = Object.entries(DATA.parameters).map(([name, value]) => `${name} = ${short(value)}`);
  const holder = document.createElement("span");
  holder.textContent = DATA.formula.length > 90 ? `${DATA.formula.slice(0, 87)}…` : DATA.formula;
  byId("formula").innerHTML = `U = ${pretty(holder.innerHTML)}${numbers.length && numbers.length < 5 ? `, with ${numbers.join(", ")}` : ""}`;
  byId("formula").title = DATA.formula;
}

function fillStart() {
  const options = [["spread", "all over the window"], ...DATA.wells.slice(0, LETTERS.length).map((_, k) => [LETTERS[k], `all in ${LETTERS[k]}`])];
  if (!options.some(([value]) => value === settings.start)) options.push([settings.start, `all at ${settings.start}`]);
  byId("start").replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  byId("start").value = settings.start;
}

function fillMore() {
  byId("integrator").replaceChildren(...Object.keys(DATA.integrators).map((name) => new Option(name, name)));
  fillStart();
  for (const name of ["integrator", "balls", "seed", "run"]) byId(name).value = settings[name];
}

function fillAxes() {
  if (DIM === 1) return;
  DATA.axes.forEach((name, k) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => chooseAxis(k));
    byId("axis").append(button);
  });
  chooseAxis(0);
}

function chooseAxis(k) {
  axis = k;
  histogram.peak = 0;
  [...byId("axis").children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === k)));
}

// A change under "More settings" starts over, except for what the page does on opening.
function changeMore(name, value) {
  const valid = { balls: value >= 1 && value <= 5000, seed: validSeed(value) }[name] ?? true;
  if (valid) settings[name] = name === "balls" ? Math.floor(value) : value;
  else byId(name).value = settings[name];
  if (valid && name !== "run") reset();
  remember();
}

function refit() {
  colours = palette();
  stage.prepare(colours, TOP);
  histogram.fit();
  chart.fit();
}

function toggleTheme() {
  const dark = getComputedStyle(document.documentElement).colorScheme;
  const now = dark === "light dark" ? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light") : dark;
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  refit();
}

async function copyLink() {
  history.replaceState(null, "", `#${writeAddress(settings)}`);
  try {
    await navigator.clipboard.writeText(location.href);
    byId("copy").textContent = "Copied";
  } catch {
    byId("copy").textContent = "Copy it from the address bar";
  }
  setTimeout(() => (byId("copy").textContent = "Copy link to this situation"), 2000);
}

const KEYS = { a: () => cool("anneal"), q: () => cool("quench"), r: reset, " ": () => pause(!paused), "?": () => byId("why-page").togglePopover() };

function onKey(event) {
  const typing = event.target.matches("select, input:not([type=range])") || (event.key === " " && event.target.matches("button, summary"));
  const action = KEYS[event.key.toLowerCase()];
  if (!action || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
}

function openSituation() {
  settings = readAddress(location.hash);
  fillMore();
  reset();
  if (settings.run) cool(settings.run);
}

function listen() {
  byId("anneal").addEventListener("click", () => cool("anneal"));
  byId("quench").addEventListener("click", () => cool("quench"));
  byId("reset").addEventListener("click", reset);
  byId("pause").addEventListener("click", () => pause(!paused));
  byId("theme").addEventListener("click", toggleTheme);
  byId("copy").addEventListener("click", copyLink);
  for (const name of ["integrator", "start", "balls", "seed", "run"]) byId(name).addEventListener("change", (e) => changeMore(name, e.target.value));
  byId("stage").addEventListener("click", (event) => {
    const point = stage.pointAt(event);
    if (point) placeAll(point);
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", () => (last = null)); // frames stop while hidden: do not make up for them
  window.addEventListener("hashchange", openSituation);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refit);
  new ResizeObserver(refit).observe(byId("stage"));
}

fillHeader();
buildShares();
fillAxes();
refit();
listen();
openSituation();
pause(paused);
requestAnimationFrame(frame);
