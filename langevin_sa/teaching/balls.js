// What the page of balls shows besides the stage: the histogram, the shares of the wells, and all of it in words.

const COLD = "balls stay in their wells";
const histogram = new Histogram(byId("histogram"));
let axis = 0, law = null;

function restarted() {
  stage.trail = [];
}

function refitOwn() {
  stage.prepare(colours, TOP);
  histogram.fit();
}

function drawOwn() {
  if (law?.T !== experiment.T) law = { T: experiment.T, ...boltzmann(experiment.T, BINS) };
  histogram.draw(colours, axis, experiment.counts[axis], total(), law.along?.[axis]);
}

function showOwn() {
  showShares();
  describePictures();
}

function runWords(run) {
  const share = run.shares[0], n = experiment.walk.count;
  const error = 1.96 * Math.sqrt(Math.max(share * (1 - share), 1 / n) / n);
  return `${(100 * share).toFixed(0)} ± ${(100 * error).toFixed(0)} % in A`;
}

function placeAll(point) {
  settings.start = point.map((v) => short(v).replace("−", "-")).join(",");
  fillStart();
  reset();
  remember();
}

const UNHELD = DATA.falls
  ? "U falls for ever outside the window: no equilibrium. Bounds would be walls."
  : "Nothing holds the balls outside the window: no equilibrium. Bounds would be walls.";

// The status as it is, or with what has to be said where nothing holds the balls; and what is wrong when they are lost.
function remark(text) {
  return DATA.held || experiment.failed ? text : `${text}. ${UNHELD}`;
}
function failure(omega) {
  if (DATA.falls) return `${UNHELD} The balls have fallen out of all numbers: Reset.`;
  return `The balls flew off: ω dt = ${omega.toFixed(2)} is too long a step. Lower dt, then Reset.`;
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

function fillStart() {
  const options = [["spread", "all over the window"], ...DATA.wells.slice(0, LETTERS.length).map((_, k) => [LETTERS[k], `all in ${LETTERS[k]}`])];
  if (!options.some(([value]) => value === settings.start)) options.push([settings.start, `all at ${settings.start}`]);
  byId("start").replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  byId("start").value = settings.start;
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

function fillOwn() {
  fillStart();
  byId("balls").max = DATA.mostBalls;
}

function validOwn(name, value) {
  return name !== "balls" || (value >= 1 && value <= DATA.mostBalls);
}

function buildOwn() {
  document.body.classList.toggle("unheld", !DATA.held);
  buildShares();
  fillAxes();
  byId("stage").addEventListener("click", (event) => {
    const point = stage.pointAt(event);
    if (point) placeAll(point);
  });
}
