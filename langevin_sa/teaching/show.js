// What is shown beside the pictures: numbers, shares, thermometers, and all of it in words.

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
  byId("stability").textContent = `ω dt = ${omega.toFixed(2)}, limit 2`;
  byId("stability").classList.toggle("alarm", omega >= 2);
  showStatus(omega);
  showShares();
  showThermometers();
  describePictures();
}

const UNHELD = DATA.falls
  ? "U falls for ever outside the window: no equilibrium. Bounds would be walls."
  : "Nothing holds the balls outside the window: no equilibrium. Bounds would be walls.";

function showStatus(omega) {
  const { phase, T, run, failed } = experiment, seconds = (steps) => `${Math.ceil(steps / settings.speed)} s left`;
  const left = Math.log(T / DATA.cold) / (settings.rate * settings.dt);
  let text = {
    hold: T <= DATA.cold ? `Cold, T = ${short(T)}: balls stay in their wells` : `Holding T = ${short(T)}`,
    heat: `Heating at T = ${short(T)}, then ${run?.kind}`,
    cool: `Annealing: T = ${short(T)}, ${seconds(left)}`,
    settle: `${run?.kind === "quench" ? "Quenched" : "Annealed"} to T = ${short(T)}: settling`,
  }[phase];
  if (!DATA.held && !failed) text += `. ${UNHELD}`;
  if (failed && DATA.falls) text = `${UNHELD} The balls have fallen out of all numbers: Reset.`;
  else if (failed) text = `The balls flew off: ω dt = ${omega.toFixed(2)} is too long a step. Lower dt, then Reset.`;
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
    const place = row.place ?? (row.well.edge ? (DATA.kinds.includes("walls") ? "at the wall" : "slopes out") : `U = ${short(row.well.energy)}`);
    line.innerHTML = `<b>${row.letter}</b><span class="place">${place}</span>
      <span class="track"><span class="bar"></span><span class="mark"></span></span><span class="number"></span>`;
    byId("shares").append(line);
  }
}

function showShares() {
  const now = sharesOf(experiment.walk);
  for (const [k, row] of shareRows().entries()) {
    const line = byId("shares").children[k], share = row.of(now), equilibrium = DATA.held ? row.of(law.wells) : 0;
    line.querySelector(".bar").style.width = percent(share).replace(" ", "");
    line.querySelector(".mark").style.left = `${100 * equilibrium}%`;
    line.querySelector(".mark").hidden = !DATA.held;
    line.querySelector(".number").textContent = percent(share);
    line.hidden = row.outside && share < 0.005 && equilibrium < 0.005;
    line.title = `${percent(share)} of the balls; ${DATA.held ? `in equilibrium ${percent(equilibrium)}` : "there is no equilibrium"}`;
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
  const apart = (law) => law.along[axis].reduce((sum, p, k) => sum + Math.abs(p - experiment.counts[axis][k] / total()), 0) / 2;
  const against = DATA.held ? `it differs from Boltzmann's law by ${percent(apart(law))}` : "there is no equilibrium";
  byId("histogram").setAttribute("aria-label", `Histogram of ${DATA.axes[axis]}; ${against}`);
  byId("chart").setAttribute("aria-label", `Set temperature ${short(experiment.T)}, measured ${short(experiment.recent?.measured ?? 0)}`);
}
const total = () => experiment.counted || 1;
