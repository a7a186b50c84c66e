"""The loops that are compiled: arrays in, arrays out. The callers check, choose, draw and decide.

Kernels that call each other stand in this one file, because Numba's cache does not notice a change in another file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

Array = np.ndarray[Any, Any]
F = TypeVar("F", bound=Callable[..., Any])

BLOCK = 256  # points whose coordinates, distances and labels stay together in the first-level cache
COMPILED = tuple(map(np.dtype, (np.uint8, np.float32, np.float64)))
UNROLL = 4  # centroids compared while a block's points are in registers


def kernel(function: F) -> F:
    """Compile on the first call.

    nogil: the threads of `pool` run kernels side by side. cache: later processes load the machine code. Without
    fastmath: operations are rounded one by one and never fused, as the definition of nearest asks. Serial: Numba's own
    threads abort under concurrent use or after fork.
    """
    try:
        return cast(F, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no folder for the cache can be written
        return cast(F, numba.njit(nogil=True)(function))


def readonly(X: Array) -> Array:
    """A read-only view: Numba would compile a kernel once more for inputs that may be written."""
    view = X.view()
    view.flags.writeable = False
    return view


def block_of(X: Array, rows: slice) -> Array:
    """Some rows of X in a layout and a dtype that kernels are compiled for; only where they are not yet, a copy."""
    return readonly(np.ascontiguousarray(X[rows], dtype=None if X.dtype in COMPILED else np.float64))


def weights_of(weight: Array, rows: slice) -> Array:
    """Some weights (n,) as kernels take them: one alone where one number stands for all."""
    return block_of(weight, slice(0, 1) if weight.strides == (0,) else rows)


@kernel
def _compare_3(block: Array, centroids: Array, k: int, nearest: Array, found: Array) -> None:
    """Three dimensions, UNROLL centroids a sweep; those after the k-th are infinitely far, and never nearest.

    0.31 ns a distance on one AVX2 core; float32 in dot-product form takes as long once it also keeps the runner-up
    that proves its answer.
    """
    for first in range(0, k, UNROLL):
        for i in range(BLOCK):
            x, y, z = block[0, i], block[1, i], block[2, i]
            least, label = nearest[i], found[i]
            for j in range(first, first + UNROLL):
                a, b, c = x - centroids[j, 0], y - centroids[j, 1], z - centroids[j, 2]
                distance = (a * a + b * b) + c * c
                label = j if distance < least else label
                least = distance if distance < least else least
            nearest[i], found[i] = least, label


@kernel
def _compare(block: Array, centroids: Array, distance: Array, nearest: Array, found: Array) -> None:
    """Any dimension: one centroid and one coordinate at a time."""
    for j in range(centroids.shape[0]):
        for i in range(BLOCK):
            distance[i] = 0.0
        for t in range(centroids.shape[1]):
            c = centroids[j, t]
            for i in range(BLOCK):
                difference = block[t, i] - c
                distance[i] += difference * difference
        for i in range(BLOCK):
            closer = distance[i] < nearest[i]
            found[i] = j if closer else found[i]
            nearest[i] = distance[i] if closer else nearest[i]


@kernel
def _box(block: Array, n: int, low: Array, high: Array) -> None:
    """The least and the largest of the first n coordinates in each array of the block (d, BLOCK): low and high (d,)."""
    for t in range(block.shape[0]):
        least, most = block[t, 0], block[t, 0]
        for i in range(1, n):
            x = block[t, i]
            least = x if x < least else least
            most = x if x > most else most
        low[t], high[t] = least, most


@kernel
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


@kernel
def assign_3(X: Array, centroids: Array, labels: Array) -> int:
    """`assign` for three columns: each block is compared with those centroids alone that its bounding box allows.

    Where neighbours stand together, as distinct colours do, boxes are small: of 64 centroids about 7 are left.
    """
    n, k = X.shape[0], centroids.shape[0]
    block, low, high = np.zeros((3, BLOCK)), np.empty(3), np.empty(3)
    few = np.empty(k, np.int64)
    near = np.empty((k + UNROLL, 3))
    nearest, found = np.empty(BLOCK), np.empty(BLOCK, np.int64)
    computed = 0
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        for i in range(start, stop):
            for t in range(3):
                block[t, i - start] = X[i, t]
        _box(block, stop - start, low, high)
        count = _candidates(low, high, centroids, few)
        computed += count * (stop - start)
        for j in range(count + UNROLL):
            for t in range(3):
                near[j, t] = centroids[few[j], t] if j < count else np.inf
        for i in range(BLOCK):
            nearest[i], found[i] = np.inf, 0
        _compare_3(block, near, count, nearest, found)
        for i in range(start, stop):
            labels[i] = few[found[i - start]]
    return computed


@kernel
def assign(X: Array, centroids: Array, labels: Array) -> int:
    """The nearest centroid (k, d) of each row of X (n, d), by the definition, into labels (n,) int32.

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
def transfer(X: Array, weight: Array, before: Array, labels: Array, cuts: Array, slices: Array) -> int:
    """Move the rows of X (n, d) whose label (n,) is not what it was from one sum to the other; how many that were.

    The sums are slices (s, k, d + 1), the weight's last, cut by `lloyd.grids` (s,) and so exact in any order. A label
    of −1 before: not in any sum yet. Rows without weight stay.
    """
    changed, d, weighted = 0, X.shape[1], weight.shape[0] > 1
    for i in range(X.shape[0]):
        old, new, w = before[i], labels[i], weight[i * weighted]
        if old != new and w > 0:
            changed += 1
            for t in range(d + 1):
                left = w * X[i, t] if t < d else w
                for s in range(cuts.shape[0]):
                    part = (left + cuts[s]) - cuts[s]
                    slices[s, new, t] += part
                    if old >= 0:
                        slices[s, old, t] -= part
                    left -= part
                    if left == 0:
                        break
    return changed


@kernel
def extent(X: Array, weight: Array) -> tuple[float, float]:
    """The largest of all |w·x| and w of the rows of X (n, d); a number of whose 2⁻⁵² all are multiples."""
    largest, smallest, whole, weighted = 0.0, np.inf, True, weight.shape[0] > 1
    for i in range(X.shape[0]):
        w = weight[i * weighted]
        for t in range(X.shape[1] + 1):
            number = abs(w * X[i, t]) if t < X.shape[1] else w
            largest = max(largest, number)
            smallest = min(smallest, number if number > 0 else np.inf)
            whole &= number == np.floor(number)
    return largest, 2.0**52 if whole else smallest


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


@kernel
def potentials(X: Array, weight: Array, nearest: Array, candidates: Array) -> Array:
    """k-means++: Σ w·min(nearest, ‖x − c‖²) over the rows of X (n, d), one by one, for each candidate c (t, d)."""
    sums = np.empty(candidates.shape[0])
    for q in range(candidates.shape[0]):
        potential = 0.0
        for i in range(X.shape[0]):
            distance = 0.0
            for t in range(X.shape[1]):
                difference = X[i, t] - candidates[q, t]
                distance += difference * difference
            potential += weight[i] * min(distance, nearest[i])
        sums[q] = potential
    return sums


@kernel
def approach(X: Array, centroid: Array, nearest: Array) -> None:
    """k-means++: lower nearest (n,), squared distances, where this centroid (d,) is closer to the row of X (n, d)."""
    for i in range(X.shape[0]):
        distance = 0.0
        for t in range(X.shape[1]):
            difference = X[i, t] - centroid[t]
            distance += difference * difference
        nearest[i] = min(distance, nearest[i])


@kernel
def place(X: Array, factors: Array, limits: Array, parts: Array) -> None:
    """parts[i]: 2j where limits j − 1 < Σ factor·x < limits j for row i of X (n, d), 2j + 1 where it is limits j.

    There are as many limits (p,) as a power of two, ascending, the last infinite. The halvings of a block of rows go
    side by side: 8 ns a row, a search of one row after the other takes 40.
    """
    sums, found = np.zeros(BLOCK), np.zeros(BLOCK, np.int64)
    for start in range(0, X.shape[0], BLOCK):
        stop = min(start + BLOCK, X.shape[0])
        for i in range(start, stop):
            total = 0.0
            for t in range(X.shape[1]):
                total += factors[t] * X[i, t]
            sums[i - start], found[i - start] = total, 0
        half = limits.shape[0] >> 1
        while half:
            for i in range(BLOCK):
                found[i] += half * (limits[found[i] + half - 1] < sums[i])
            half >>= 1
        for i in range(start, stop):
            j = found[i - start]
            parts[i] = 2 * j + (limits[j] == sums[i - start])


@kernel
def weigh(weight: Array, factor: Array, parts: Array, masses: Array) -> None:
    """Add weight · factor of each row to masses (p,) at its part."""
    for i in range(weight.shape[0]):
        masses[parts[i]] += weight[i] * factor[i]


@kernel
def _order(X: Array, sums: Array, one: int, other: int) -> int:
    """Below 0 where one row of X (n, d) stands before another, 0 where they are equal: by sum, then by the columns."""
    if sums[one] != sums[other]:
        return -1 if sums[one] < sums[other] else 1
    for t in range(X.shape[1]):
        if X[one, t] != X[other, t]:
            return -1 if X[one, t] < X[other, t] else 1
    return 0


@kernel
def pick(X: Array, mass: Array, factors: Array, target: float) -> int:
    """The row of X (n, d) at which mass (n,), all above 0, added up in the order of the rows, first passes the target.

    The order is that of Σ factor·x, equal sums by the columns. Nothing is sorted: the rows before, equal to and after
    the middle one are told apart, and the search goes on among those that the target falls into (C. A. R. Hoare,
    "Algorithm 65: find", Communications of the ACM 4, 1961). 500 rows take 10 µs.
    """
    n = X.shape[0]
    sums, rows = np.zeros(n), np.arange(n)
    for i in range(n):
        for t in range(X.shape[1]):
            sums[i] += factors[t] * X[i, t]
    start, stop = 0, n
    while True:
        middle = rows[(start + stop) >> 1]
        below = equal = 0.0
        before, i, after = start, start, stop
        while i < after:
            row = rows[i]
            order = _order(X, sums, row, middle)
            if order < 0:
                below += mass[row]
                rows[i], rows[before] = rows[before], row
                before += 1
                i += 1
            elif order > 0:
                after -= 1
                rows[i], rows[after] = rows[after], row
            else:
                equal += mass[row]
                i += 1
        if target < below:
            stop = before
        elif target < below + equal or after == stop:
            return int(middle)
        else:
            target -= below + equal
            start = after


@kernel
def _code(red: int, green: int, blue: int) -> Any:
    """The code of an 8-bit colour: the five high bits of each channel, then the three low bits of each.

    So the colours of a cell of 8 × 8 × 8 levels stand together.
    """
    r, g, b = np.int64(red), np.int64(green), np.int64(blue)
    cell = (r >> 3) << 10 | (g >> 3) << 5 | (b >> 3)
    return cell << 9 | (r & 7) << 6 | (g & 7) << 3 | (b & 7)


@kernel
def mark(pixels: Array, table: Array) -> None:
    """table[code] = 1 for the code of each of the pixels (n, 3) uint8.

    Written only where it is not yet: threads that write to the same cache lines wait for each other.
    """
    for i in range(pixels.shape[0]):
        code = _code(pixels[i, 0], pixels[i, 1], pixels[i, 2])
        if table[code] == 0:
            table[code] = 1


@kernel
def look_up(pixels: Array, table: Array, values: Array) -> None:
    """values[i] = table[code of pixel i]."""
    for i in range(pixels.shape[0]):
        values[i] = table[_code(pixels[i, 0], pixels[i, 1], pixels[i, 2])]


@kernel
def count(pixels: Array, table: Array, counts: Array) -> None:
    """Add one to counts[table[code of pixel i]] for each pixel."""
    for i in range(pixels.shape[0]):
        counts[table[_code(pixels[i, 0], pixels[i, 1], pixels[i, 2])]] += 1


ALL = (
    assign_3,
    assign,
    distances,
    transfer,
    extent,
    spread,
    potentials,
    approach,
    place,
    weigh,
    pick,
    mark,
    look_up,
    count,
)


def compile_all() -> None:
    """Compile every kernel for every kind of input, and leave the machine code in the cache."""
    everything = slice(None)
    one, labels = block_of(np.ones(1), everything), np.zeros(1, np.int32)
    for dtype in (np.uint8, np.float32, np.float64):
        for d, kernel in ((3, assign_3), (2, assign)):
            X = block_of(np.zeros((1, d), dtype), everything)
            kernel(X, readonly(np.zeros((1, d))), labels)
        distances(X, readonly(np.zeros((1, d))), np.zeros((1, 1), np.float32 if dtype == np.float32 else np.float64))
        transfer(X, one, labels, labels, np.zeros(1), np.zeros((1, 1, d + 1)))
        extent(X, one)
        spread(X, one, np.zeros(d))
        potentials(X, one, one, np.zeros((1, d)))
        approach(X, np.zeros(d), np.zeros(1))
        place(X, np.zeros(d), np.array([np.inf]), np.zeros(1, np.uint16))
        pick(X, np.ones(1), np.zeros(d), 0.0)
    for factor in (np.zeros(1), np.zeros(1, np.uint8)):
        weigh(one, factor, np.zeros(1, np.uint16), np.zeros(1))
    pixel, table = block_of(np.zeros((1, 3), np.uint8), everything), np.zeros(1, np.uint8)
    mark(pixel, table)
    count(pixel, readonly(np.zeros(1, np.int32)), np.zeros(1, np.int64))
    for values in (labels, table.copy()):
        look_up(pixel, readonly(table), values)


def cache_folder() -> str | None:
    """Where the machine code is kept; None where no folder can be written."""
    folder = getattr(getattr(assign_3, "stats", None), "cache_path", None)
    return folder or None


def cached() -> int:
    """How many of the kernels have machine code in the cache."""
    files = list(Path(folder).glob("kernels.*.nbi")) if (folder := cache_folder()) else []
    names = {file.name.split(".")[1].rpartition("-")[0] for file in files}
    return sum(kernel.__name__ in names for kernel in ALL)
