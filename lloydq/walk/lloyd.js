/* Lloyd's algorithm on distinct points with weights: lloydq/lloyd.py once more, for the browser. From the same start,
   whole numbers get the same labels and centroids as there, bit for bit. It knows nothing of the page: the page and
   its worker each make one with lloyd(). */
function lloyd() {
  "use strict";

  /** The distinct colours of RGBA bytes, in order: their coordinates (n × 3), and how often each occurs. */
  function distinctColours(rgba) {
    const codes = new Uint32Array(rgba.length / 4);
    for (let i = 0; i < codes.length; i++) {
      codes[i] = (rgba[4 * i] << 16) | (rgba[4 * i + 1] << 8) | rgba[4 * i + 2];
    }
    codes.sort();
    const x = [], weight = [];
    for (let i = 0; i < codes.length; i++) {
      if (i === 0 || codes[i] !== codes[i - 1]) {
        x.push(codes[i] >> 16, (codes[i] >> 8) & 255, codes[i] & 255);
        weight.push(0);
      }
      weight[weight.length - 1]++;
    }
    return { d: 3, n: weight.length, x: Float64Array.from(x), weight: Float64Array.from(weight) };
  }

  /** Σ (x − c)² of point i and centroid j, added in the order of the coordinates. */
  function squaredDistance(points, i, centroids, j) {
    const { d, x } = points;
    let sum = 0;
    for (let t = 0; t < d; t++) {
      const difference = x[i * d + t] - centroids[j * d + t];
      sum += difference * difference;
    }
    return sum;
  }

  /** Gives each point the label of its nearest centroid, the lowest of equally near ones. Returns how many changed. */
  function assign(points, centroids, labels) {
    const k = centroids.length / points.d;
    let changed = 0;
    for (let i = 0; i < points.n; i++) {
      let nearest = 0, least = Infinity;
      for (let j = 0; j < k; j++) {
        const distance = squaredDistance(points, i, centroids, j);
        if (distance < least) {
          nearest = j;
          least = distance;
        }
      }
      if (labels[i] !== nearest) {
        changed += points.weight[i];
        labels[i] = nearest;
      }
    }
    return changed;
  }

  /** The sums over the members of each cluster, Σ w·x (k × d) and Σ w (k). */
  function addUp(points, labels, k) {
    const { d, n, x, weight } = points;
    const sums = { points: new Float64Array(k * d), weight: new Float64Array(k) };
    for (let i = 0; i < n; i++) {
      for (let t = 0; t < d; t++) sums.points[labels[i] * d + t] += weight[i] * x[i * d + t];
      sums.weight[labels[i]] += weight[i];
    }
    return sums;
  }

  /** The means of the members; a centroid without members stays where it is. */
  function update(sums, centroids) {
    const d = centroids.length / sums.weight.length;
    return centroids.map((c, at) => {
      const weight = sums.weight[Math.floor(at / d)];
      return weight > 0 ? sums.points[at] / weight : c;
    });
  }

  /** Each empty cluster takes the point farthest from its centroid that is left; no cluster's last one is taken. */
  function fillEmpty(points, labels, centroids, sums, moved) {
    const { d, x, weight } = points, k = sums.weight.length;
    const empty = [...Array(k).keys()].filter((j) => sums.weight[j] === 0);
    if (!empty.length) return { moved, owners: labels, relocated: 0 };
    const distance = Float64Array.from({ length: points.n }, (_, i) => squaredDistance(points, i, centroids, labels[i]));
    const order = [...Array(points.n).keys()].sort((a, b) => distance[b] - distance[a] || a - b);
    const last = new Map(order.map((i) => [labels[i], i]));
    const free = order.filter((i) => distance[i] > 0 && last.get(labels[i]) !== i);
    const after = { points: sums.points.slice(), weight: sums.weight.slice() };
    const taken = free.slice(0, empty.length), owners = labels.slice();
    taken.forEach((i, at) => {
      const [from, to] = [labels[i], empty[at]];
      owners[i] = to;
      for (let t = 0; t < d; t++) {
        after.points[from * d + t] -= weight[i] * x[i * d + t];
        after.points[to * d + t] = weight[i] * x[i * d + t];
      }
      after.weight[from] -= weight[i];
      after.weight[to] = weight[i];
    });
    moved = update(after, moved);
    taken.forEach((i, at) => moved.set(x.subarray(i * d, i * d + d), empty[at] * d));
    return { moved, owners, relocated: taken.length };
  }

  /** Σ w·distance² of the labels against the centroids. */
  function inertia(points, labels, centroids) {
    let sum = 0;
    for (let i = 0; i < points.n; i++) sum += points.weight[i] * squaredDistance(points, i, centroids, labels[i]);
    return sum;
  }

  const same = (a, b) => a.every((value, i) => value === b[i]);

  /** The loop, a step at a time, until no label changes. */
  function* steps(points, start) {
    const k = start.length / points.d, labels = new Int32Array(points.n).fill(-1);
    let centroids = Float64Array.from(start), landmark = centroids, ending = null;
    for (let iteration = 1; ; iteration++) {
      const changed = assign(points, centroids, labels);
      const sums = addUp(points, labels, k);
      const filled = fillEmpty(points, labels, centroids, sums, update(sums, centroids));
      const reason = ending ?? (changed === 0 && filled.relocated === 0 ? "converged" : null);
      yield {
        centroids, labels, changed, reason,
        counts: sums.weight,
        relocated: filled.relocated,
        inertia: inertia(points, labels, centroids),
        after: inertia(points, filled.owners, filled.moved),
      };
      if (reason) return;
      if (same(filled.moved, landmark) && !same(filled.moved, centroids)) ending = "cycle"; // only by rounding
      else if ((iteration & (iteration - 1)) === 0) landmark = filled.moved;
      centroids = filled.moved;
    }
  }

  /** Numbers from 0 to 1 that the seed decides (mulberry32, by Tommy Ettinger, public domain). */
  function random(seed) {
    return () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  /** The point at which masses, added up, pass a part of their total. */
  function draw(masses, part) {
    const target = part * masses.reduce((sum, mass) => sum + mass, 0);
    let running = 0, found = 0;
    for (let i = 0; i < masses.length; i++) {
      if (masses[i] > 0) found = i;
      running += masses[i];
      if (running > target) break;
    }
    return found;
  }

  /** k centroids: points drawn by weight, none more often than it occurs; or, k-means++, by weight · distance². */
  function chooseStart(points, k, init, seed) {
    const next = random(seed), start = new Float64Array(k * points.d), mass = points.weight.slice();
    const nearest = new Float64Array(points.n).fill(Infinity);
    for (let j = 0; j < k; j++) {
      const i = draw(mass, next());
      start.set(points.x.subarray(i * points.d, (i + 1) * points.d), j * points.d);
      if (init === "random") {
        mass[i] = Math.max(0, mass[i] - 1);
        continue;
      }
      for (let p = 0; p < points.n; p++) {
        nearest[p] = Math.min(nearest[p], squaredDistance(points, p, start, j));
        mass[p] = points.weight[p] * nearest[p];
      }
    }
    return start;
  }

  return { distinctColours, assign, steps, chooseStart };
}
