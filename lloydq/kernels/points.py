"""Points of any kind: which centroid is the nearest, what moves from one sum to another."""

import math
from typing import Any

import numpy as np

from .jit import BLOCK, Array, inner, kernel

UNROLL = 4  # centroids compared while a block's points are in registers
SCATTERED, SLICES = 1024, 60  # squared distances that are added together; numbers that take their sum, of any exponents
LANES = 8  # numbers that are added side by side
PAUSE = 8  # blocks that are compared with all centroids after one whose box excluded hardly any


@inner
def _compare(block: Array, centroids: Array, distance: Array, nearest: Array, found: Array) -> None:
    """Two columns or more: one centroid and one coordinate at a time, the last one as it is compared."""
    k, d = centroids.shape
    for j in range(k):
        c = centroids[j, 0]
        for i in range(BLOCK):
            distance[i] = (block[0, i] - c) * (block[0, i] - c)
        for t in range(1, d - 1):
            c = centroids[j, t]
            for i in range(BLOCK):
                difference = block[t, i] - c
                distance[i] += difference * difference
        c = centroids[j, d - 1]
        for i in range(BLOCK):
            difference = block[d - 1, i] - c
            square = distance[i] + difference * difference
            closer = square < nearest[i]
            found[i] = j if closer else found[i]
            nearest[i] = square if closer else nearest[i]


@inner
def _box(block: Array, n: int, low: Array, high: Array) -> None:
    """The least and the largest of the first n coordinates in each array of the block (d, BLOCK): low and high (d,)."""
    for t in range(block.shape[0]):
        least, most = block[t, 0], block[t, 0]
        for i in range(1, n):
            x = block[t, i]
            least = x if x < least else least
            most = x if x > most else most
        low[t], high[t] = least, most


@inner
def _candidates(low: Array, high: Array, centroids: Array, kept: Array) -> int:
    """How many centroids (k, d) may be nearest to some point of the box low..high (d,); which, in order, into kept.

    Against the centroid nearest to the box's middle, each other one is tried at the corner that suits it best
    (Kanungo et al., IEEE TPAMI 24, 2002). The margin covers rounding anywhere in the box, and underflow.
    """
    k, d = centroids.shape
    least, best = np.inf, 0
    for j in range(k):
        distance = 0.0
        for t in range(d):
            difference = 0.5 * (low[t] + high[t]) - centroids[j, t]
            distance += difference * difference
        if distance < least:
            least, best = distance, j
    diagonal = 0.0
    for t in range(d):
        diagonal += (high[t] - low[t]) * (high[t] - low[t])
    count = 0
    for j in range(k):
        mine, its = 0.0, 0.0
        for t in range(d):
            corner = high[t] if centroids[j, t] > centroids[best, t] else low[t]
            mine += (corner - centroids[j, t]) * (corner - centroids[j, t])
            its += (corner - centroids[best, t]) * (corner - centroids[best, t])
        kept[count] = j
        if mine - its <= 1e-14 * (mine + its + diagonal) + 1e-300:
            count += 1
    return count


def _assigner(d: int) -> Any:
    """`assign` for so few columns: each block is compared with those centroids alone that its bounding box allows.

    Where neighbours stand together, as distinct colours do, boxes are small: of 64 centroids about 7 are left. Where
    nearly all are left, the next PAUSE boxes are not asked: they would take a tenth of the time.

    UNROLL centroids a sweep, those after the last infinitely far and never nearest, take half the time of `assign`:
    0.31 ns a distance of three columns on one AVX2 core; float32 in dot-product form takes as long once it also keeps
    the runner-up that proves its answer.
    """

    def assign(X: Array, centroids: Array, labels: Array) -> int:
        n, k = X.shape[0], centroids.shape[0]
        block, low, high = np.zeros((d, BLOCK)), np.empty(d), np.empty(d)
        everything = np.arange(k)
        few, near = everything.copy(), np.empty((k + UNROLL, d))
        nearest, found = np.empty(BLOCK), np.empty(BLOCK, np.int64)
        computed, count, pause = 0, k, 0
        for start in range(0, n, BLOCK):
            stop = min(start + BLOCK, n)
            for i in range(start, stop):
                for t in range(d):
                    block[t, i - start] = X[i, t]
            pause -= 1
            if pause < 0:
                _box(block, stop - start, low, high)
                count = _candidates(low, high, centroids, few)
                if 10 * count > 9 * k:
                    few[:], count, pause = everything, k, PAUSE
            computed += count * (stop - start)
            for j in range(count + UNROLL):
                for t in range(d):
                    near[j, t] = centroids[few[j], t] if j < count else np.inf
            for i in range(BLOCK):
                nearest[i], found[i] = np.inf, 0
            for first in range(0, count, UNROLL):
                for i in range(BLOCK):
                    least, label = nearest[i], found[i]
                    for j in range(first, first + UNROLL):
                        distance = (block[0, i] - near[j, 0]) * (block[0, i] - near[j, 0])
                        for t in range(1, d):  # known to LLVM, which leaves no loop but that over i
                            distance += (block[t, i] - near[j, t]) * (block[t, i] - near[j, t])
                        label = j if distance < least else label
                        least = distance if distance < least else least
                    nearest[i], found[i] = least, label
            for i in range(start, stop):
                labels[i] = few[found[i - start]]
        return computed

    assign.__name__ = assign.__qualname__ = f"assign_{d}"  # each in a file of its own in Numba's cache
    return kernel(assign)


assign_few = {d: _assigner(d) for d in range(1, 5)}


@kernel
def assign(X: Array, centroids: Array, labels: Array) -> int:
    """The nearest centroid (k, d) of each row of X (n, d > 1), by the definition, into labels (n,) int32.

    Centroids outside, a block of points inside, coordinates in separate arrays: so LLVM compares four or eight points
    at once. Returns the number of distances computed.
    """
    n, d = X.shape
    block = np.zeros((d, BLOCK))
    distance, nearest, found = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.int64)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        for i in range(start, stop):
            for t in range(d):
                block[t, i - start] = X[i, t]
        for i in range(BLOCK):
            nearest[i], found[i] = np.inf, 0
        _compare(block, centroids, distance, nearest, found)
        for i in range(start, stop):
            labels[i] = found[i - start]
    return int(n * centroids.shape[0])


@kernel
def distances(X: Array, centroids: Array, lengths: Array) -> None:
    """The distance of each row of X (n, d) to each centroid (k, d), into lengths (n, k).

    A block of points at a time, as in `assign`: a point at a time takes twice as long.
    """
    n, d = X.shape
    block, distance = np.zeros((d, BLOCK)), np.empty(BLOCK)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        for i in range(start, stop):
            for t in range(d):
                block[t, i - start] = X[i, t]
        for j in range(centroids.shape[0]):
            for i in range(BLOCK):
                distance[i] = 0.0
            for t in range(d):
                c = centroids[j, t]
                for i in range(BLOCK):
                    difference = block[t, i] - c
                    distance[i] += difference * difference
            for i in range(stop - start):
                lengths[start + i, j] = np.sqrt(distance[i])


@kernel
def transfer(X: Array, weight: Array, rows: Array, before: Array, labels: Array, cuts: Array, slices: Array) -> int:
    """Move these rows of X (n, d) from the sums of the labels before (of each of them) to those of labels (n,).

    The sums are slices (s, k, d + 1), the weight's last, cut by `lloyd.grids` (s,) and so exact in any order. A label
    of −1 before: not in any sum yet. Returns how many of them have a weight.
    """
    moved, d, weighted = 0, X.shape[1], weight.shape[0] > 1
    for p in range(rows.shape[0]):
        i = rows[p]
        old, new, w = before[p], labels[i], weight[i * weighted]
        if w > 0:
            moved += 1
            for t in range(d + 1):
                left = w * X[i, t] if t < d else w
                for s in range(cuts.shape[0]):  # pragma: no branch - the last one takes all that is left
                    part = (left + cuts[s]) - cuts[s]
                    slices[s, new, t] += part
                    if old >= 0:
                        slices[s, old, t] -= part
                    left -= part
                    if left == 0:
                        break
    return moved


@kernel
def extent(X: Array, weight: Array) -> tuple[float, float]:
    """The largest of all |w·x| and w of the rows of X (n, d); a number of whose 2⁻⁵² all are multiples.

    Each column by itself, so that LLVM compares four or eight at once.
    """
    (n, d), weighted = X.shape, weight.shape[0] > 1
    largest, smallest, broken = np.zeros(d), np.full(d, np.inf), np.zeros(d)
    most, least, whole = 0.0, np.inf, True
    for i in range(n):
        w = weight[i * weighted]
        most, least, whole = max(most, w), min(least, w if w > 0 else np.inf), whole and w == np.floor(w)
        for t in range(d):
            number = abs(w * X[i, t])
            above = number if number > 0 else np.inf
            largest[t] = number if number > largest[t] else largest[t]
            smallest[t] = above if above < smallest[t] else smallest[t]
            broken[t] = broken[t] if number == np.floor(number) else 1.0
    whole = whole and not broken.any()
    return max(most, largest.max()), 2.0**52 if whole else min(least, smallest.min())


@kernel
def spread(X: Array, weight: Array, origin: Array) -> float:
    """Σ w‖x − origin‖² over the rows of X (n, d), row by row."""
    total, weighted = 0.0, weight.shape[0] > 1
    for i in range(X.shape[0]):
        distance = 0.0
        for t in range(X.shape[1]):
            difference = X[i, t] - origin[t]
            distance += difference * difference
        total += weight[i * weighted] * distance
    return total


@inner
def _halves(x: float) -> tuple[float, float]:
    """Two numbers of 26 bits that are x together (G. W. Veltkamp; T. J. Dekker, Numer. Math. 18, 1971)."""
    c = 134217729.0 * x
    high = c - (c - x) if c < np.inf else x
    return high, x - high


@inner
def _cut(terms: Array, m: int, found: Array) -> None:
    """Numbers whose sum is exactly that of the m terms, into found.

    Adding 1.5 · 2ᵉ to a term and taking it off again rounds it to a multiple of 2ᵉ⁻⁵², which is chosen so that these
    multiples have a sum of 53 bits; what is left over is cut again, until nothing is. Mostly that is three times.
    """
    bits, total, most = 2, np.empty(LANES), np.empty(LANES)
    while 1 << bits <= m:
        bits += 1
    for i in range(m, -(-m // LANES) * LANES):
        terms[i] = 0.0
    largest = terms[:m].max()
    for s in range(found.shape[0]):  # pragma: no branch - so many take any numbers
        if largest == 0:
            return
        g = math.ldexp(1.5, min(math.frexp(largest)[1] + bits - 1, 1023))
        total[:], most[:] = 0.0, 0.0
        for i in range(0, m, LANES):
            for lane in range(LANES):
                part = (terms[i + lane] + g) - g
                left = terms[i + lane] - part
                terms[i + lane] = left
                total[lane] += part
                most[lane] = max(most[lane], abs(left))
        found[s], largest = total.sum(), most.max()


@kernel
def scatter(X: Array, weight: Array, centroids: Array, labels: Array, found: Array) -> None:
    """Numbers whose sum is exactly Σ w‖x − c‖² of the rows of X (n, d), c the centroid (k, d) of the row's label (n,).

    They are written to found (n / SCATTERED, SLICES), which is 0. Weights that are not 1 and squared distances are
    halved, so that their products are exact.
    """
    n, d, weighted = X.shape[0], X.shape[1], weight.shape[0] > 1
    terms = np.empty(4 * SCATTERED)
    for start in range(0, n, SCATTERED):
        m = 0
        for i in range(start, min(start + SCATTERED, n)):
            distance, w = 0.0, weight[i * weighted]
            for t in range(d):
                difference = X[i, t] - centroids[labels[i], t]
                distance += difference * difference
            if w == 1:
                terms[m] = distance
                m += 1
            elif w > 0:
                (a, b), (high, low) = _halves(distance), _halves(w)
                terms[m], terms[m + 1] = a * high, b * high
                m += 2
                if low != 0:  # small whole numbers have none
                    terms[m], terms[m + 1] = a * low, b * low
                    m += 2
        if m:
            _cut(terms, m, found[start // SCATTERED])
