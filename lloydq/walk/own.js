/* A picture of the reader's own: the algorithm runs here, in a worker. */

let worker = null, own = null;

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

async function open(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    at("progress").textContent = TEXT.not_read;
    return;
  }
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height)), canvas = element("canvas", {});
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  own = { rgba: pixelsOf(canvas, bitmap).data, ...placed(preview(bitmap, bitmap.width, bitmap.height)) };
  at("progress").textContent = "";
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
  if (k > pixels) {
    at("progress").textContent = TEXT.too_few(number(pixels));
    return;
  }
  stop();
  worker?.terminate();
  const still = { centroids: new Float64Array(3 * k), counts: new Float64Array(k), changed: 0, inertia: 0, after: 0 };
  walk = walkOf("colours", own.points, [still], pixels, { image: own.image, waiting: true });
  position = 0;
  before = false;
  if (at("init").value === "clicked") {
    clicks = [];
    at("progress").textContent = "";
    at("picture").scrollIntoView({ block: "nearest" });
    show();
  } else fit({ init: at("init").value, k, seed: Number(at("seed").value) });
}

function onClick(event) {
  if (!clicks) return;
  const box = at("picture").getBoundingClientRect(), { width, height, rgba } = walk.image;
  const x = Math.min(width - 1, Math.floor(((event.clientX - box.left) / box.width) * width));
  const y = Math.min(height - 1, Math.floor(((event.clientY - box.top) / box.height) * height));
  clicks.push([x, y]);
  if (clicks.length < Number(at("k").value)) show();
  else {
    const start = Float64Array.from(clicks.flatMap(([a, b]) => Array.from(rgba.slice(4 * (b * width + a), 4 * (b * width + a) + 3))));
    fit({ start });
  }
}

/** What the worker does: frames come back one by one. */
function working(event) {
  const { rgba, start, init, k, seed } = event.data, tools = lloyd(), points = tools.distinctColours(rgba);
  for (const { labels, ...frame } of tools.steps(points, start ?? tools.chooseStart(points, k, init, seed))) postMessage(frame);
}

function fit(how) {
  clicks = null;
  at("progress").textContent = TEXT.running(number(1));
  const code = `${lloyd}\nonmessage = ${working};`;
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  worker = new Worker(address);
  URL.revokeObjectURL(address);
  const frames = [];
  worker.onmessage = ({ data: frame }) => {
    frames.push(frame);
    at("progress").textContent = frame.reason ? TEXT.done(number(frames.length)) : TEXT.running(number(frames.length));
    if (frames.length === 1 || frame.reason) {
      walk.frames = frames;
      walk.waiting = false;
      at("recorded").hidden = false;
      about();
      show();
    } else if (frames.length % 8 === 0) showControls();
  };
  worker.postMessage({ rgba: own.rgba, ...how });
}
