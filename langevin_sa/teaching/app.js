// The page: one situation (settings), one experiment under way, the loop that moves and draws it, and what the user can do.

const BUDGET = 11, SHOW_EVERY = 50; // milliseconds: for steps in a frame; between updates of all but the balls

// ------------------------------------------------------------------------------------------------------ state

let settings = readAddress(location.hash);
let experiment = new Experiment(settings);
let paused = matchMedia("(prefers-reduced-motion: reduce)").matches;
let colours = null, last = null, debt = 0, shown = 0;
const frames = { n: 0, work: 0, since: 0 };
const stage = new Stage(byId("stage")), chart = new Chart(byId("chart"));
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
  debt = 0;
  restarted();
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
  const how = run.kind === "quench" ? "Quench" : `Anneal, rate ${short(run.rate)}`;
  const item = document.createElement("li");
  item.innerHTML = `<span>${how}, from T = ${short(run.from)}</span> <b>${runWords(run)}</b>`;
  byId("runs").prepend(item);
  while (byId("runs").children.length > 5) byId("runs").lastElementChild.remove();
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
  drawOwn();
  chart.draw(colours, experiment.series, [DATA.cold / 2, RANGES.T[1]]);
  showNumbers();
}

// ----------------------------------------------------------------------------------------------------- set up

function pretty(formula) {
  return formula.replace(/\*\*(\d+)/g, "<sup>$1</sup>").replace(/\*\*/g, "^").replace(/\*/g, "·").replace(/-/g, "−").replace(/\bpi\b/g, "π");
}

function fillHeader() {
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

function fillMore() {
  byId("integrator").replaceChildren(...Object.keys(DATA.integrators).map((name) => new Option(name, name)));
  fillOwn();
  for (const name of ["integrator", "seed", "run", ...Object.keys(OWN)]) byId(name).value = settings[name];
}

// A change under "More settings" starts over, except for what the page does on opening.
function changeMore(name, value) {
  const valid = { seed: validSeed(value) }[name] ?? validOwn(name, value);
  if (valid) settings[name] = name in OWN && typeof OWN[name] === "number" ? Math.floor(value) : value;
  else byId(name).value = settings[name];
  if (valid && name !== "run") reset();
  remember();
}

function refit() {
  colours = palette();
  chart.fit();
  refitOwn();
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
  for (const name of ["integrator", "seed", "run", ...Object.keys(OWN)]) byId(name).addEventListener("change", (e) => changeMore(name, e.target.value));
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", () => (last = null)); // frames stop while hidden: do not make up for them
  window.addEventListener("hashchange", openSituation);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refit);
  new ResizeObserver(refit).observe(byId("stage"));
}

fillHeader();
buildOwn();
refit();
listen();
openSituation();
pause(paused);
requestAnimationFrame(frame);
