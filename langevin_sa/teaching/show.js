// What is shown beside the pictures: the numbers of the sliders, of a step, of the thermometers.

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
  showThermometers();
  showOwn();
}

function showStatus(omega) {
  const { phase, T, run, failed } = experiment, seconds = (steps) => `${Math.ceil(steps / settings.speed)} s left`;
  const left = Math.log(T / DATA.cold) / (settings.rate * settings.dt);
  let text = {
    hold: `${T <= DATA.cold ? "Cold" : "Holding"}, T = ${short(T)}${T <= DATA.cold ? `: ${COLD}` : ""}`,
    heat: `Heating at T = ${short(T)}, then ${run?.kind}`,
    cool: `Annealing: T = ${short(T)}, ${seconds(left)}`,
    settle: `${run?.kind === "quench" ? "Quenched" : "Annealed"} to T = ${short(T)}: settling`,
  }[phase];
  if (failed) text = failure(omega);
  else if (paused) text = `Paused. ${text}`;
  byId("status").textContent = remark(text);
  byId("status").classList.toggle("alarm", failed);
  for (const kind of ["anneal", "quench"]) byId(kind).setAttribute("aria-pressed", String(run?.kind === kind));
}

function showThermometers() {
  const r = experiment.recent;
  const texts = [`set <b>${short(experiment.T)}</b>`];
  if (r) texts.push(`measured <b>${short(r.measured)}</b>`, `Eq. (22) ${short(r.eq22)}`, `T dt² ${short(r.square)}`);
  byId("thermometers").innerHTML = texts.map((t) => `<span>${t}</span>`).join("");
}

