/* The page: what is shown of a walk, and how one moves about in it. */

const PREVIEW = 320, LARGEST = 1600, SHOWN = 4000; // pixels of a side, shown and computed; points drawn in the cube

const { distinctColours, assign, steps, chooseStart } = lloyd();
const at = (id) => document.getElementById(id);
const number = (value, decimals = 0) => value.toLocaleString(TEXT.locale, { maximumFractionDigits: decimals });
const raised = (digits) => Array.from(digits, (digit) => ({ "-": "⁻" })[digit] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");

/** A number of any size, with so many digits or, below a million, all those before the point. */
function large(value, digits = 4) {
  const power = value ? Math.floor(Math.log10(Math.abs(value))) : 0;
  if (power >= -3 && power < 6) {
    return value.toLocaleString(TEXT.locale, { maximumSignificantDigits: Math.max(digits, power + 1) });
  }
  const [front, behind] = value.toExponential(digits - 1).split("e");
  return `${front}\u202f×\u202f10${raised(behind.replace("+", ""))}`;
}

/** Two numbers with as many digits as tell them apart. */
function apart(one, other) {
  for (let digits = 4; digits < 10; digits++) {
    if (large(one, digits) !== large(other, digits)) return [large(one, digits), large(other, digits)];
  }
  return [large(one), large(other)];
}

/** A coordinate of points in the plane, to a thousandth of their extent. */
function coordinate(value) {
  const extent = Math.max(walk.high[0] - walk.low[0], walk.high[1] - walk.low[1]) || 1;
  return number(value, Math.max(0, Math.min(20, 3 - Math.floor(Math.log10(extent)))));
}

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/* A walk: `points` with their labels at some step, `frames` (centroids, counts, changed, inertia, after, relocated,
   reason), and for colours the `image` with the place of each pixel's colour among the points.

   Half-steps are numbered: 0 is the start, 2i + 1 the assignment of frame i, 2i + 2 its update. */
let walk, recorded, position = 0, before = false, timer = null;
const view = { yaw: -0.5, pitch: 0.4 };

const last = () => Math.max(0, 2 * walk.frames.length - 1);
const labelled = (p) => (p === 0 ? -1 : (p - 1) >> 1); // the frame whose labels are shown
const centroidsAt = (p) => walk.frames[Math.min(p >> 1, walk.frames.length - 1)].centroids;
const inertiaAt = (p) => walk.frames[labelled(p)][p % 2 ? "inertia" : "after"];
const noun = (n = 2) => TEXT[walk.kind](n);
const isPicture = () => walk.kind === "colours";

function labelsAt(p) {
  const frame = labelled(p);
  if (frame >= 0 && walk.labelled !== frame) {
    assign(walk.points, walk.frames[frame].centroids, walk.labels);
    walk.labelled = frame;
  }
  return frame < 0 ? null : walk.labels;
}

function shifts(from, to, d) {
  return Array.from({ length: from.length / d }, (_, j) =>
    Math.sqrt([...Array(d).keys()].reduce((sum, t) => sum + (to[j * d + t] - from[j * d + t]) ** 2, 0)));
}

const even = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)); // as NumPy rounds
const byte = (x) => Math.max(0, Math.min(255, even(x)));
const rgb = (c, j) => [byte(c[3 * j]), byte(c[3 * j + 1]), byte(c[3 * j + 2])];
const hex = (c, j) => "#" + rgb(c, j).map((x) => x.toString(16).padStart(2, "0")).join("");

/* Showing */

function show() {
  for (const draw of [drawPicture, drawSpace, drawCurve, showClusters, showNumbers, showLines, showControls]) draw();
  at("sentence").setAttribute("aria-live", timer ? "off" : "polite");
  const said = sentence();
  if (at("sentence").textContent !== said) at("sentence").textContent = said;
}

function sentence() {
  if (clicks) return TEXT.click(number(clicks.k - clicks.places.length));
  if (position === 0) return TEXT.start(walk.frames[0].counts.length, noun(walk.total));
  const i = labelled(position), frame = walk.frames[i];
  if (position % 2) {
    const said = TEXT.assigned(i + 1, number(frame.changed), number(walk.total), noun(walk.total), large(frame.inertia));
    return said + (frame.reason ? TEXT.reasons[frame.reason] : "");
  }
  const shift = shifts(frame.centroids, centroidsAt(position), walk.points.d);
  const moved = shift.filter((s) => s > 0).length;
  if (!moved) return TEXT.stood(i + 1);
  const fell = apart(frame.inertia, frame.after);
  const said = TEXT.updated(i + 1, TEXT.centroids(number(moved)), large(Math.max(...shift), 3), ...fell);
  return said + (frame.relocated ? TEXT.relocated(number(frame.relocated)) : "");
}

function showNumbers() {
  const frame = walk.frames[labelled(position)];
  const rows = {
    step: TEXT.of(number(position), number(last())),
    iteration: frame ? number(labelled(position) + 1) : TEXT.none,
    inertia: frame ? large(inertiaAt(position)) : TEXT.none,
    changed: frame ? TEXT.of(number(frame.changed), number(walk.total)) : TEXT.none,
  };
  at("numbers").replaceChildren(...Object.entries(rows).flatMap(([name, value]) => [
    element("dt", {}, TEXT.numbers[name]), element("dd", {}, value),
  ]));
}

function showLines() {
  const frame = walk.frames[labelled(position)];
  const line = !frame ? 0 : position % 2 === 0 ? 2 : frame.reason === "converged" ? 3 : 1;
  at("algorithm").replaceChildren(...TEXT.lines.map((said, i) =>
    element("li", i === line ? { "aria-current": "step" } : {}, said(noun()))));
}

function element(name, attributes, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

function showClusters() {
  at("clusters-title").textContent = isPicture() ? TEXT.clusters_colours : TEXT.clusters_points;
  const { centroid, members, share, trail, moved } = TEXT.columns, frame = walk.frames[labelled(position)];
  const columns = [centroid, members(noun()), share, ...(isPicture() ? [trail] : []), moved];
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)));
  const { d } = walk.points, centroids = centroidsAt(position);
  const shift = frame && position % 2 === 0 ? shifts(frame.centroids, centroids, d) : null;
  const rows = Array.from(walk.frames[0].counts, (_, j) => {
    const name = isPicture() ? hex(centroids, j) : Array.from(centroids.subarray(2 * j, 2 * j + 2), coordinate).join(", ");
    const cells = [
      frame ? number(frame.counts[j]) : TEXT.none,
      frame ? `${number((100 * frame.counts[j]) / walk.total, 1)} %` : TEXT.none,
      ...(isPicture() ? [trailOf(j)] : []),
      shift ? large(shift[j], 3) : TEXT.none,
    ];
    return element("tr", {}, element("td", {}, swatch(j, centroids), " ", name), ...cells.map((cell) => element("td", {}, cell)));
  });
  at("clusters").firstElementChild.replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

function swatch(j, centroids) {
  const made = element("span", isPicture() ? { class: "swatch" } : { "aria-hidden": "true" }, isPicture() ? "" : MARKERS[looks(j)]);
  made.style[isPicture() ? "background" : "color"] = isPicture() ? hex(centroids, j) : HUES[j % 8];
  return made;
}

/** The colours that a centroid has had, side by side. */
function trailOf(j) {
  const frames = walk.frames.slice(0, (position >> 1) + 1), many = Math.min(frames.length, 24), made = element("span", { class: "trail" });
  const stops = Array.from({ length: many }, (_, i) => {
    const frame = frames[Math.round((i * (frames.length - 1)) / Math.max(1, many - 1))];
    return `${hex(frame.centroids, j)} ${(100 * i) / many}% ${(100 * (i + 1)) / many}%`;
  });
  made.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
  return made;
}

/* Moving about */

function go(to) {
  position = Math.max(0, Math.min(last(), to));
  if (position === last()) stop();
  if (walk === recorded) {
    try {
      history.replaceState(null, "", `#step=${position}`);
    } catch {
      /* a page inside another has no address of its own */
    }
  }
  show();
}

function stop() {
  clearInterval(timer);
  timer = null;
}

function play() {
  if (timer) stop();
  else {
    if (position === last()) position = 0;
    timer = setInterval(() => go(position + 1), 1000 / Number(at("speed").value));
  }
  show();
}

const ACTIONS = {
  first: () => go(0),
  back: () => go(position - 1),
  assign: () => go(position + 1),
  update: () => go(position + 1),
  play,
  last: () => go(last()),
  before: () => {
    before = !before;
    show();
  },
};

const possible = () => ({
  first: position > 0,
  back: position > 0,
  assign: position < last() && position % 2 === 0,
  update: position < last() && position % 2 === 1,
  play: last() > 0,
  last: position < last(),
  before: isPicture(),
});

function act(name) {
  if (clicks || !possible()[name]) return;
  if (name !== "play" && name !== "before") stop();
  ACTIONS[name]();
}

function showControls() {
  const can = possible();
  for (const name of Object.keys(ACTIONS)) at(name).setAttribute("aria-disabled", !can[name] || clicks !== null);
  for (const name of ["assign", "update"]) at(name).classList.toggle("next", can[name] && !clicks);
  at("play").textContent = timer ? TEXT.pause : TEXT.play;
  const slider = at("position");
  slider.max = last();
  slider.value = position;
  slider.setAttribute("aria-valuetext", TEXT.of(number(position), number(last())));
  at("link").href = `#step=${position}`;
  at("link").hidden = walk !== recorded;
  at("run").textContent = own ? TEXT.restart : TEXT.run;
  at("recorded").hidden = walk === recorded && !clicks && !worker;
}

const KEYS = { a: "assign", u: "update", b: "before", Home: "first", End: "last", ArrowLeft: "back", " ": "play" };

function onKey(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input:not([type=range]), select")) return;
  if (key === " " && target.closest("button")) return; // it presses the button
  if (target.id === "space" && turnBy({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key])) {
    event.preventDefault();
    return;
  }
  if (target.closest("#clusters") && key.length > 1) return; // it scrolls
  if (target.id === "position" && key !== " " && key.length > 1) return; // the slider's own
  const name = key === "ArrowRight" ? (position % 2 ? "update" : "assign") : (KEYS[key] ?? KEYS[key.toLowerCase()]);
  if (name) {
    event.preventDefault();
    act(name);
  }
}

function turnBy(by, step = 0.15) {
  if (!by || !isPicture()) return false;
  view.yaw += by[0] * step;
  view.pitch = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, view.pitch + by[1] * step));
  drawSpace();
  return true;
}

/** The half-step that the address names. */
const addressed = () => Number(/^#step=(\d+)$/.exec(location.hash)?.[1] ?? 0);

/* Beginning */

function walkOf(kind, points, frames, total, more) {
  return { kind, points, frames, total, labels: new Int32Array(points.n).fill(-1), labelled: -1, ...more };
}

function about() {
  const k = walk.frames[0].counts.length, { distinct, reduced, total } = walk, few = distinct < k;
  const said = isPicture() ? TEXT.about_colours(total, distinct, k) : TEXT.about_points(total, k);
  at("about").textContent = said + (few ? TEXT.few(distinct) : "") + (reduced ? TEXT.reduced(...reduced) : "");
}

/** Numbers that Python has written: float64 in base 64. */
const numbers = (text) => new Float64Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

async function load() {
  const data = JSON.parse(at("walk").textContent);
  const frames = data.frames.map((frame) => ({ ...frame, centroids: numbers(frame.centroids) }));
  if (data.kind === "points") {
    const x = numbers(data.points), n = x.length / 2, all = (t) => Array.from({ length: n }, (_, i) => x[2 * i + t]);
    const [low, high] = [Math.min, Math.max].map((bound) => [0, 1].map((t) => all(t).reduce((a, b) => bound(a, b))));
    const points = { d: 2, n, x, weight: new Float64Array(n).fill(1) };
    return walkOf("points", points, frames, data.total, { low, high, distinct: data.distinct });
  }
  const image = new Image();
  image.src = data.preview;
  await image.decode();
  const { points, image: pixels } = placed(preview(image, image.width, image.height));
  return walkOf("colours", points, frames, data.total, { image: pixels, distinct: data.distinct });
}

function label() {
  document.title = TEXT.title;
  for (const option of at("speed").options) option.textContent = TEXT.per_second(option.value);
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = TEXT[node.dataset.text];
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", TEXT[node.dataset.label]);
}

function listen() {
  for (const name of Object.keys(ACTIONS)) at(name).addEventListener("click", () => act(name));
  for (const button of document.querySelectorAll("[data-turn]")) {
    button.addEventListener("click", () => turnBy(button.dataset.turn.split(",").map(Number)));
  }
  at("position").addEventListener("input", (event) => {
    stop();
    if (clicks) showControls();
    else go(Number(event.target.value));
  });
  at("speed").addEventListener("change", () => {
    if (timer) {
      stop();
      play();
    }
  });
  at("space").addEventListener("pointerdown", (event) => event.target.setPointerCapture(event.pointerId));
  at("space").addEventListener("pointermove", (event) => {
    if (event.buttons) turnBy([event.movementX, event.movementY], 0.01);
  });
  at("picture").addEventListener("click", onClick);
  at("file").addEventListener("change", (event) => event.target.files[0] && open(event.target.files[0]));
  at("own").addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
  at("picture").addEventListener("keydown", onPictureKey);
  at("recorded").addEventListener("click", back);
  for (const name of ["k", "init"]) {
    at(name).addEventListener("change", () => {
      if (clicks && (Number(at("k").value) !== clicks.k || at("init").value !== "clicked")) leave();
      show();
    });
  }
  document.addEventListener("keydown", onKey);
  for (const [name, dropping] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      if (at("own-panel").hidden) return;
      document.body.classList.toggle("dropping", dropping);
      if (name === "drop" && event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
    });
  }
  window.addEventListener("hashchange", () => walk === recorded && go(addressed()));
  window.addEventListener("resize", () => walk && show());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => walk && show());
}

label();
listen();
load().then((found) => {
  walk = recorded = found;
  at("own-panel").hidden = !isPicture();
  about();
  go(addressed());
});
