/* What is drawn: the picture, the cube or the plane, the curve. */

const MARKERS = ["●", "■", "▲", "◆", "▼", "✚", "★", "✖"];
const looks = (j) => (j + Math.floor(j / 8)) % 8; // of 64 clusters no two have the same colour and the same marker
const HUES = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#999933", "#aa4499"];

/** A canvas ready to draw on, in CSS pixels. */
function sheet(canvas) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return { pen, width, height };
}

function drawPicture() {
  at("picture-panel").hidden = !isPicture();
  document.body.classList.toggle("points", !isPicture());
  if (!isPicture()) return;
  const canvas = at("picture"), { width, height, place, rgba } = clicks ? own.image : walk.image, labels = labelsAt(position);
  canvas.width = width;
  canvas.height = height;
  canvas.style.width = `min(100%, ${(55 * width) / height}vh)`; // so that the whole of it is seen beside the rest
  const pen = canvas.getContext("2d"), painted = pen.createImageData(width, height);
  const original = before || !labels || clicks;
  if (original) painted.data.set(rgba);
  else {
    const centroids = centroidsAt(position);
    const colours = Array.from(walk.frames[0].counts, (_, j) => rgb(centroids, j));
    for (let i = 0; i < place.length; i++) {
      const [r, g, b] = colours[labels[place[i]]];
      painted.data[4 * i] = r;
      painted.data[4 * i + 1] = g;
      painted.data[4 * i + 2] = b;
      painted.data[4 * i + 3] = 255;
    }
  }
  pen.putImageData(painted, 0, 0);
  for (const [x, y] of clicks?.places ?? []) ring(pen, x + 0.5, y + 0.5, Math.max(2, width / 60));
  if (clicks) cross(pen, clicks.cursor[0] + 0.5, clicks.cursor[1] + 0.5, Math.max(3, width / 30));
  canvas.setAttribute("aria-label", clicks ? TEXT.picture_choose : original ? TEXT.picture_before : TEXT.picture_now(walk.frames[0].counts.length));
  canvas.tabIndex = clicks ? 0 : -1;
  at("picture-title").textContent = original ? TEXT.picture_before : TEXT.picture;
  canvas.classList.toggle("clickable", clicks !== null);
  at("before").setAttribute("aria-pressed", before);
}

/** Where the keyboard would choose. */
function cross(pen, x, y, size) {
  for (const [width, colour] of [[3, "#000"], [1, "#fff"]]) {
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.beginPath();
    pen.moveTo(x - size, y);
    pen.lineTo(x + size, y);
    pen.moveTo(x, y - size);
    pen.lineTo(x, y + size);
    pen.stroke();
  }
}

/** A ring that is seen on any colour. */
function ring(pen, x, y, radius, fill) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  if (fill) {
    pen.fillStyle = fill;
    pen.fill();
  }
  for (const [width, colour] of [[4, "#000"], [2, "#fff"]]) {
    pen.lineWidth = (width * radius) / 7;
    pen.strokeStyle = colour;
    pen.stroke();
  }
}

function drawSpace() {
  const canvas = at("space"), k = walk.frames[0].counts.length;
  const title = isPicture() ? TEXT.space_colours : TEXT.space_points;
  at("space-title").textContent = title;
  at("turning").hidden = !isPicture();
  canvas.tabIndex = isPicture() ? 0 : -1;
  canvas.setAttribute("aria-label", isPicture() ? TEXT.space_colours_now(k) : TEXT.space_points_now(k));
  (isPicture() ? drawCube : drawPlane)(sheet(canvas));
}

/** Where each centroid has been up to now: a line for each. */
function drawTrails(pen, project) {
  const k = walk.frames[0].counts.length, { d } = walk.points, frames = walk.frames.slice(0, (position >> 1) + 1);
  pen.lineJoin = "round";
  for (const [width, colour] of [[3.5, ink("panel")], [1.5, ink("text")]]) {
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    for (let j = 0; j < k; j++) {
      pen.beginPath();
      for (const { centroids } of frames) pen.lineTo(...project(centroids.subarray(j * d, j * d + d)));
      pen.stroke();
    }
  }
}

function drawCube({ pen, width, height }) {
  const size = Math.min(width, height) * 0.285, [sin, cos] = [Math.sin(view.yaw), Math.cos(view.yaw)];
  const [rise, run] = [Math.sin(view.pitch), Math.cos(view.pitch)];
  const project = ([r, g, b]) => {
    const [x, y, z] = [r / 127.5 - 1, b / 127.5 - 1, g / 127.5 - 1];
    const across = x * cos + y * sin, deep = y * cos - x * sin;
    return [width / 2 + size * across, height / 2 - size * (z * run + deep * rise), deep * run - z * rise];
  };
  const corners = [0, 255].flatMap((r) => [0, 255].flatMap((g) => [0, 255].map((b) => [r, g, b])));
  pen.strokeStyle = ink("line");
  pen.lineWidth = 1;
  for (const a of corners) {
    for (const b of corners) {
      if (a.filter((x, t) => x < b[t]).length === 1 && a.every((x, t) => x <= b[t])) {
        pen.beginPath();
        pen.moveTo(...project(a).slice(0, 2));
        pen.lineTo(...project(b).slice(0, 2));
        pen.stroke();
      }
    }
  }
  const { x, n } = walk.points, every = Math.ceil(n / SHOWN), labels = labelsAt(position), centroids = centroidsAt(position);
  const dots = [];
  for (let i = 0; i < n; i += every) dots.push([project(x.subarray(3 * i, 3 * i + 3)), i]);
  dots.sort((a, b) => b[0][2] - a[0][2]);
  for (const [[across, down], i] of dots) {
    pen.fillStyle = labels && !before ? hex(centroids, labels[i]) : hex(x, i);
    pen.fillRect(across - 1.5, down - 1.5, 3, 3);
  }
  drawTrails(pen, (c) => project(c).slice(0, 2));
  const depth = (j) => project(centroids.subarray(3 * j, 3 * j + 3))[2];
  for (const j of Array.from(walk.frames[0].counts.keys()).sort((a, b) => depth(b) - depth(a))) {
    const [across, down] = project(centroids.subarray(3 * j, 3 * j + 3));
    ring(pen, across, down, walk.frames[0].counts.length > 32 ? 4 : 7, hex(centroids, j));
  }
  pen.fillStyle = ink("text");
  pen.strokeStyle = ink("panel");
  pen.lineWidth = 4;
  pen.font = "bold 15px system-ui, sans-serif";
  pen.textAlign = "center";
  for (const [name, corner] of [[TEXT.axes[0], [285, 0, 0]], [TEXT.axes[1], [0, 285, 0]], [TEXT.axes[2], [0, 0, 285]]]) {
    const [across, down] = project(corner);
    pen.strokeText(name, across, down + 5);
    pen.fillText(name, across, down + 5);
  }
}

function drawPlane({ pen, width, height }) {
  const { x, n } = walk.points, { low, high } = walk, margin = 18, labels = labelsAt(position), centroids = centroidsAt(position);
  const scale = Math.min((width - 2 * margin) / (high[0] - low[0] || 1), (height - 2 * margin) / (high[1] - low[1] || 1));
  const middle = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
  const project = ([a, b]) => [width / 2 + scale * (a - middle[0]), height / 2 - scale * (b - middle[1])];
  const back = (a, b) => [middle[0] + (a - width / 2) / scale, middle[1] - (b - height / 2) / scale];
  const frame = [back(0, 0), back(width, 0), back(width, height), back(0, height)];
  const k = centroids.length / 2, of = (j) => [centroids[2 * j], centroids[2 * j + 1]];
  pen.strokeStyle = ink("quiet");
  pen.lineWidth = 1;
  for (let j = 0; j < k; j++) {
    const cell = cellOf(of(j), Array.from({ length: k }, (_, i) => of(i)), frame);
    pen.beginPath();
    cell.forEach((corner) => pen.lineTo(...project(corner)));
    pen.closePath();
    pen.stroke();
  }
  for (let i = 0; i < n; i++) {
    const [across, down] = project(x.subarray(2 * i, 2 * i + 2)), label = labels ? labels[i] : -1;
    marker(pen, label < 0 ? -1 : looks(label), across, down, n > 2000 ? 2 : 4, label < 0 ? ink("quiet") : HUES[label % 8]);
  }
  drawTrails(pen, project);
  for (let j = 0; j < k; j++) {
    const [across, down] = project(of(j));
    marker(pen, looks(j), across, down, 10, HUES[j % 8], true);
  }
}

/** The corners of what is nearer to one centroid than to any other, within a frame: half-planes, one after another. */
function cellOf(centroid, others, frame) {
  let cell = frame;
  for (const other of others) {
    const [a, b] = [other[0] - centroid[0], other[1] - centroid[1]];
    if (a === 0 && b === 0) continue;
    const middle = (a * (other[0] + centroid[0]) + b * (other[1] + centroid[1])) / 2;
    const beyond = ([x, y]) => a * x + b * y - middle, cut = [];
    cell.forEach((corner, i) => {
      const previous = cell[(i + cell.length - 1) % cell.length], [from, to] = [beyond(previous), beyond(corner)];
      if (from <= 0 !== to <= 0) {
        const part = from / (from - to);
        cut.push(corner.map((x, t) => previous[t] + part * (x - previous[t])));
      }
      if (to <= 0) cut.push(corner);
    });
    cell = cut;
  }
  return cell;
}

/** One of eight shapes, so that clusters differ not by colour alone; −1 is a plain dot. */
function marker(pen, shape, x, y, r, fill, outlined = false) {
  const corners = {
    1: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
    2: [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
    3: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
    4: [[0, 1.2], [1.1, -0.8], [-1.1, -0.8]],
    5: [[-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]],
    6: Array.from({ length: 10 }, (_, i) => [1, -1].map((s, t) => (i % 2 ? 0.6 : 1.4) * s * (t ? Math.cos : Math.sin)((i * Math.PI) / 5))),
  };
  corners[7] = corners[5].map(([a, b]) => [(a - b) * Math.SQRT1_2, (a + b) * Math.SQRT1_2]);
  pen.beginPath();
  if (corners[shape]) for (const [a, b] of corners[shape]) pen.lineTo(x + r * a, y + r * b);
  else pen.arc(x, y, r, 0, 2 * Math.PI);
  pen.closePath();
  if (outlined) {
    for (const [width, colour] of [[5, ink("panel")], [2.5, ink("text")]]) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.stroke();
    }
  }
  pen.fillStyle = fill;
  pen.fill();
  if (!outlined && shape >= 0) {
    pen.lineWidth = 0.6;
    pen.strokeStyle = ink("text");
    pen.stroke();
  }
}

function drawCurve() {
  const canvas = at("curve"), { pen, width, height } = sheet(canvas);
  const values = Array.from({ length: last() }, (_, i) => inertiaAt(i + 1));
  const [least, most] = [Math.min(...values), Math.max(...values)], left = 10, top = 22, bottom = height - 28;
  const x = (p) => left + ((width - 2 * left) * p) / Math.max(1, last());
  const y = (value) => bottom - ((bottom - top) * (value - least)) / (most - least || 1);
  const line = (until) => {
    pen.beginPath();
    for (let p = 1; p <= until; p++) pen.lineTo(x(p), y(values[p - 1]));
    pen.stroke();
  };
  pen.lineJoin = "round";
  pen.strokeStyle = ink("quiet");
  pen.lineWidth = 1;
  line(last());
  pen.strokeStyle = ink("strong");
  pen.lineWidth = 3;
  line(position);
  if (last() <= 60) {
    values.forEach((value, i) => marker(pen, i % 2, x(i + 1), y(value), 3.5, ink(i < position ? "strong" : "quiet")));
  }
  if (position) ring(pen, x(position), y(values[position - 1]), 6, ink("strong"));
  pen.fillStyle = ink("quiet");
  pen.font = "13px system-ui, sans-serif";
  pen.fillText(large(most), left, 14);
  pen.textAlign = "right";
  if (last() <= 60) pen.fillText(TEXT.legend, width - left, 14);
  pen.fillText(large(least), width - left, height - 4);
  canvas.setAttribute("aria-label", TEXT.curve_now(position ? large(values[position - 1]) : TEXT.none, large(values[0])));
}
