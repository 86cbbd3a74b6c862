// The page: one situation (settings), one experiment under way, the loop that moves and draws it, and what the user can do.

const BUDGET = 11, SHOW_EVERY = 50; // milliseconds: for steps in a frame; between updates of all but the balls

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
  histogram.draw(colours, axis, experiment.counts[axis], total(), law.along?.[axis]);
  chart.draw(colours, experiment.series, [DATA.cold / 2, RANGES.T[1]]);
  showNumbers();
}

// ----------------------------------------------------------------------------------------------------- set up

function pretty(formula) {
  return formula.replace(/\*\*(\d+)/g, "<sup>$1</sup>").replace(/\*\*/g, "^").replace(/\*/g, "·").replace(/-/g, "−").replace(/\bpi\b/g, "π");
}

function fillHeader() {
  document.body.classList.toggle("unheld", !DATA.held);
  const own = DATA.name === DATA.formula;
  const numbers = Object.entries(DATA.parameters).map(([name, value]) => `${name} = ${short(value)}`);
  const holder = document.createElement("span");
  holder.textContent = DATA.formula.length > 90 ? `${DATA.formula.slice(0, 87)}…` : DATA.formula;
  const formula = `U = ${pretty(holder.innerHTML)}`, values = numbers.length < 5 ? numbers.join(", ") : "";
  if (own) byId("title").innerHTML = formula;
  else byId("title").textContent = DATA.name.replace(/_/g, " ");
  byId("formula").innerHTML = own ? values : [formula, values].filter(Boolean).join(", with ");
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
  byId("balls").max = DATA.mostBalls;
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
  const valid = { balls: value >= 1 && value <= DATA.mostBalls, seed: validSeed(value) }[name] ?? true;
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
