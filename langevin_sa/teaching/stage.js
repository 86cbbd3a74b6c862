// The stage: the landscape with the balls in it.

const wellColour = (colours, well) => colours.wells[well] ?? colours.other;

// What does not move is drawn once, as a background.
class Stage extends Plot {
  prepare(colours, topEnergy) {
    this.fit();
    const [x] = DATA.window;
    const range = topEnergy - LOWEST;
    const y = DIM === 1 ? [LOWEST - 0.17 * range, topEnergy] : DATA.window[1];
    this.scales({ low: x[0], high: x[1] }, { low: y[0], high: y[1] });
    this.top = topEnergy;
    this.radius = Math.min(5, Math.max(2.6, this.box.width / 170));
    this.stamps = [...colours.wells, colours.other].map((colour) => stamp(this.radius, colour, colours.rim, this.ratio));
    this.hero = [...colours.wells, colours.other].map((colour) => stamp(1.9 * this.radius, colour, colours.ink, this.ratio));
    this.trail = [];
    this.colours = colours;
    this.clear();
    if (DIM === 1) this.curve();
    else this.contours();
    this.background = document.createElement("canvas");
    this.background.width = this.canvas.width;
    this.background.height = this.canvas.height;
    this.background.getContext("2d").drawImage(this.canvas, 0, 0);
  }

  curve() {
    this.axes(this.colours, `position ${DATA.axes[0]} (length)`, "potential U (energy)");
    const points = [];
    for (let c = 0; c < CELLS; c++) if (ENERGY[c] < Infinity) points.push([this.px(centre(0, c)), this.py(ENERGY[c])]);
    this.clip();
    this.line(points, this.colours.ink, 2.5);
    this.unclip();
  }

  contours() {
    const { left, right, top, bottom } = this.box, pen = this.context;
    pen.imageSmoothingEnabled = true;
    pen.drawImage(energyImage(this.colours, this.top), left, top, right - left, bottom - top);
    for (let k = 1; k < 14; k++) this.contour(LOWEST + (this.top - LOWEST) * (k / 14) ** 1.5);
    this.axes(this.colours, `${DATA.axes[0]} (length); the darker, the lower U`, `${DATA.axes[1]} (length)`, false);
  }

  // The line U = level, cell by cell: it enters and leaves each square of four centres where the energy passes the level.
  contour(level) {
    const pen = this.context;
    pen.beginPath();
    for (let i = 0; i + 1 < CELLS; i++) {
      for (let j = 0; j + 1 < CELLS; j++) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        let down = false;
        for (let k = 0; k < 4; k++) {
          const [a, b] = [corners[k], corners[(k + 1) % 4]];
          const ea = ENERGY[a[0] * CELLS + a[1]], eb = ENERGY[b[0] * CELLS + b[1]];
          if (ea < level === eb < level) continue;
          const t = (level - ea) / (eb - ea);
          const x = this.px(centre(0, a[0] + t * (b[0] - a[0]))), y = this.py(centre(1, a[1] + t * (b[1] - a[1])));
          if (down) pen.lineTo(x, y);
          else pen.moveTo(x, y);
          down = !down;
        }
      }
    }
    pen.strokeStyle = this.colours.soft;
    pen.globalAlpha = 0.45;
    pen.lineWidth = 0.8;
    pen.stroke();
    pen.globalAlpha = 1;
  }

  // A letter below each well that is shown by name; in two dimensions above it.
  badges() {
    const pen = this.context, size = 0.85 * this.size;
    DATA.wells.slice(0, LETTERS.length).forEach((well, k) => {
      const x = this.px(well.x[0]), above = DIM === 1 ? this.py(well.energy) + 1.6 * size : this.py(well.x[1]) - 2.2 * size;
      const y = Math.max(above, size + 2);
      pen.beginPath();
      pen.arc(x, y, size, 0, 2 * Math.PI);
      pen.fillStyle = this.colours.paper;
      pen.fill();
      pen.strokeStyle = wellColour(this.colours, k);
      pen.lineWidth = 3;
      pen.stroke();
      this.text(LETTERS[k], x, y + 0.5, this.colours.ink, "center", 700);
    });
  }

  draw(walk) {
    const pen = this.context, { left, right, top, bottom, width, height } = this.box;
    this.clear();
    pen.drawImage(this.background, 0, 0, width, height);
    this.clip();
    const half = this.radius + 1, lanes = 7 * this.radius;
    for (let r = walk.count - 1; r >= 0; r--) {
      const x = walk.place[r * DIM], y = walk.place[r * DIM + 1], cell = cellOf(x, y);
      const kind = cell < 0 ? LETTERS.length : Math.min(WELL[cell], LETTERS.length);
      const px = this.px(x);
      // in one dimension the balls are stacked in lanes above the curve, so that a crowd looks like one
      const py = DIM === 2 ? this.py(y) : Math.max(top + half, this.py(walk.energy[r]) - half - ((r * 0.618034) % 1) * lanes);
      if (!(px > left - half && px < right + half && py > top - half && py < bottom + half)) continue;
      if (r > 0) pen.drawImage(this.stamps[kind], px - half, py - half, 2 * half, 2 * half);
      else this.drawHero(px, py, kind);
    }
    this.unclip();
    this.badges();
  }

  // The one ball that can be followed, with its path in two dimensions.
  drawHero(x, y, kind) {
    const size = 1.9 * this.radius + 1;
    if (DIM === 2) {
      const before = this.trail.at(-1) ?? [x, y], { left, right, top, bottom } = this.box;
      const jumped = Math.abs(x - before[0]) > (right - left) / 2 || Math.abs(y - before[1]) > (bottom - top) / 2;
      if (jumped) this.trail = []; // around a ring
      this.trail.push([x, y]);
      if (this.trail.length > 40) this.trail.shift();
      this.context.globalAlpha = 0.45;
      this.line(this.trail, this.colours.ink, 1.2);
      this.context.globalAlpha = 1;
    }
    this.context.drawImage(this.hero[kind], x - size, y - size, 2 * size, 2 * size);
  }

  // The point of the landscape at a place of the screen; null outside the axes.
  pointAt(event) {
    const frame = this.canvas.getBoundingClientRect(), { left, right, top, bottom } = this.box;
    const u = (event.clientX - frame.left - left) / (right - left), v = (bottom - event.clientY + frame.top) / (bottom - top);
    if (u < 0 || u > 1 || v < 0 || v > 1) return null;
    const at = [u, v].map((w, k) => (DATA.window[k] ? DATA.window[k][0] + w * (DATA.window[k][1] - DATA.window[k][0]) : 0));
    return at.slice(0, DIM);
  }
}

// The energies as an image, one pixel a cell: deep colour in the wells, pale above.
function energyImage(colours, top) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = CELLS;
  const pen = canvas.getContext("2d"), image = pen.createImageData(CELLS, CELLS);
  const [deep, high] = [colours.deep, colours.high].map((c) => c.match(/\d+/g).map(Number));
  for (let i = 0; i < CELLS; i++) {
    for (let j = 0; j < CELLS; j++) {
      const height = Math.min(1, Math.sqrt(Math.max(0, ENERGY[i * CELLS + j] - LOWEST) / (top - LOWEST)));
      const at = 4 * ((CELLS - 1 - j) * CELLS + i);
      for (let k = 0; k < 3; k++) image.data[at + k] = deep[k] + height * (high[k] - deep[k]);
      image.data[at + 3] = 255;
    }
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

// Where the balls have been along an axis, against Boltzmann's law in the same bins.
class Histogram extends Plot {
  draw(colours, axis, counts, total, law) {
    const [low, high] = DATA.window[axis], bins = counts.length, width = (high - low) / bins;
    const peak = Math.max(...(law ?? []), ...counts.map((n) => n / total), 0.1 / bins) / width;
    this.peak = this.peak > 0 ? this.peak + 0.3 * (1.12 * peak - this.peak) : 1.12 * peak;
    this.scales({ low, high }, { low: 0, high: this.peak });
    this.clear();
    this.axes(colours, `position ${DATA.axes[axis]} (length)`, "density");
    this.clip();
    const steps = [[this.px(low), this.py(0)]];
    for (let k = 0; k < bins; k++) {
      const x = this.px(low + k * width), next = this.px(low + (k + 1) * width), y = this.py(counts[k] / total / width);
      this.context.fillStyle = colours.bars;
      this.context.fillRect(x, y, next - x - 0.5, this.box.bottom - y);
      if (law) steps.push([x, this.py(law[k] / width)], [next, this.py(law[k] / width)]);
    }
    steps.push([this.px(high), this.py(0)]);
    if (law) this.line(steps, colours.ink, 2);
    this.unclip();
  }
}
