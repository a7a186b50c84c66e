/* A picture of the reader's own: the algorithm runs here, in a worker. */

let own = null; // the picture that is open: the `rgba` of all its pixels, `points` and `image` of its preview
let worker = null, turn = 0; // what was begun before the latest turn is not heard any more
let clicks = null; // while first centroids are chosen in the picture: their `places`, how many (`k`), the keyboard's `cursor`

/** An image as pixels of the page: its bytes, and where each colour stands among the distinct ones. */
function preview(source, width, height) {
  const canvas = element("canvas", {}), scale = Math.min(1, PREVIEW / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  return pixelsOf(canvas, source);
}

function pixelsOf(canvas, source) {
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#fff"; // behind what is transparent
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

function placed({ width, height, data }) {
  const points = distinctColours(data), places = new Map();
  for (let i = 0; i < points.n; i++) places.set((points.x[3 * i] << 16) | (points.x[3 * i + 1] << 8) | points.x[3 * i + 2], i);
  const place = Uint32Array.from({ length: width * height }, (_, i) =>
    places.get((data[4 * i] << 16) | (data[4 * i + 1] << 8) | data[4 * i + 2]));
  return { points, image: { width, height, place, rgba: data } };
}

/** Ends what runs or is being chosen. */
function leave() {
  turn++;
  worker?.terminate();
  worker = clicks = null;
  at("progress").textContent = "";
}

async function open(file) {
  leave();
  const mine = turn;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    if (mine === turn) at("progress").textContent = TEXT.not_read;
    return;
  }
  if (mine !== turn) return;
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height)), canvas = element("canvas", {});
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const reduced = scale < 1 ? [canvas.width, canvas.height] : null;
  own = { rgba: pixelsOf(canvas, bitmap).data, reduced, ...placed(preview(bitmap, bitmap.width, bitmap.height)) };
  begin();
}

/** Starts the fit of the picture that is open: at once, or when enough has been clicked. */
function begin() {
  if (!own) {
    at("file").click();
    return;
  }
  if (!at("own").reportValidity()) return;
  const k = Number(at("k").value), pixels = own.rgba.length / 4;
  leave();
  stop();
  if (k > pixels) at("progress").textContent = TEXT.too_few(pixels);
  else if (at("init").value === "clicked") {
    clicks = { places: [], k, cursor: [own.image.width >> 1, own.image.height >> 1] };
    show();
    at("picture").focus();
  } else fit({ init: at("init").value, k, seed: Number(at("seed").value) });
}

/** One more pixel of the preview is a first centroid. */
function choose(x, y) {
  const { width, height, rgba } = own.image, within = (z, size) => Math.max(0, Math.min(size - 1, Math.floor(z)));
  clicks.places.push([within(x, width), within(y, height)]);
  if (clicks.places.length < clicks.k) show();
  else fit({ start: Float64Array.from(clicks.places.flatMap(([a, b]) => [0, 1, 2].map((t) => rgba[4 * (b * width + a) + t]))) });
}

function onClick(event) {
  if (!clicks) return;
  const box = at("picture").getBoundingClientRect(), { width, height } = own.image;
  choose(((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height);
}

/** The same without a mouse: arrows move a cross (with Shift by one pixel), Enter or space chooses, Escape leaves. */
function onPictureKey(event) {
  if (!clicks) return;
  const { width, height } = own.image, step = event.shiftKey ? 1 : Math.max(1, Math.round(width / 40));
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (by) {
    const moved = clicks.cursor.map((z, t) => z + step * by[t]);
    clicks.cursor = [Math.max(0, Math.min(width - 1, moved[0])), Math.max(0, Math.min(height - 1, moved[1]))];
    show();
  } else if (event.key === "Enter" || event.key === " ") choose(...clicks.cursor);
  else if (event.key === "Escape") back();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** What the worker does: frames come back one by one. */
function working(event) {
  const { rgba, start, init, k, seed } = event.data, tools = lloyd(), points = tools.distinctColours(rgba);
  for (const { labels, ...frame } of tools.steps(points, start ?? tools.chooseStart(points, k, init, seed))) {
    postMessage({ ...frame, distinct: points.n });
  }
}

function fit(how) {
  leave();
  const { rgba, points, image, reduced } = own, heard = turn;
  const mine = walkOf("colours", points, [], rgba.length / 4, { image, reduced });
  at("progress").textContent = TEXT.running(number(1));
  const code = `${lloyd}\nonmessage = ${working};`;
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  worker = new Worker(address);
  URL.revokeObjectURL(address);
  worker.onerror = () => {
    if (heard !== turn) return;
    leave();
    at("progress").textContent = TEXT.failed;
    show();
  };
  worker.onmessage = ({ data: { distinct, ...frame } }) => {
    if (heard !== turn) return;
    const many = mine.frames.push(frame);
    at("progress").textContent = frame.reason ? TEXT.done(number(many)) : TEXT.running(number(many));
    if (many === 1) {
      [walk, position, before] = [Object.assign(mine, { distinct }), 0, false];
      about();
    }
    if (many === 1 || frame.reason || many % 8 === 0) show();
  };
  worker.postMessage({ rgba, ...how });
  show();
}

/** To the walk that came with the page. */
function back() {
  leave();
  stop();
  walk = recorded;
  about();
  go(0);
}
