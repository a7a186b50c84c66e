"""8-bit colours: how often each occurs, and which of some centroids is the nearest.

A colour's code is the five high bits of R, G and B, which name its cell of 8 × 8 × 8 levels, then the three low bits of
B, R and G. So the colours of a cell stand together.
"""

import numpy as np

from .jit import Array, inner, kernel

CELLS, CELL = 1 << 15, 512  # how many there are, and the colours of each
CODES = CELLS * CELL
FULL = (1 << 16) - 2
SPAN = 128  # pixels that are looked up before the unknown ones among them are seen to
_LEVELS = np.arange(256, dtype=np.uint32)
RED, GREEN, BLUE = (
    (_LEVELS >> 3) << high | (_LEVELS & 7) << low for high, low in ((19, 3), (14, 0), (9, 6))
)  # looking a level up takes half the time of shifting it


@kernel
def mark(pixels: Array, cells: Array) -> None:
    """cells[c] = 1 for the cell of each of the pixels (n, 3) uint8."""
    for i in range(pixels.shape[0]):
        cells[(RED[pixels[i, 0]] | GREEN[pixels[i, 1]] | BLUE[pixels[i, 2]]) >> 9] = 1


@kernel
def tally(pixels: Array, places: Array, counts: Array) -> Array:
    """Count each of the pixels (n, 3) in counts (m,) uint16, from places[c] on for the colours of cell c.

    Returns a code each time that FULL counts of it were taken off, because there is no room for more.
    """
    over = np.empty(pixels.shape[0] // FULL + 1, np.int64)
    n_over = 0
    for i in range(pixels.shape[0]):
        code = RED[pixels[i, 0]] | GREEN[pixels[i, 1]] | BLUE[pixels[i, 2]]
        at = places[code >> 9] + (code & 511)
        number = counts[at] + 1
        counts[at] = number
        if number > FULL:
            counts[at] = number - FULL
            over[n_over] = code
            n_over += 1
    return over[:n_over]


@kernel
def collect(cells: Array, counts: Array, others: Array) -> tuple[Array, Array]:
    """The colours (m, 3) uint8 of some cells (c,), in the order of their codes, and their counts (m,).

    Each cell has CELL counts and CELL others, to be added to them.
    """
    m = 0
    for i in range(counts.shape[0]):
        m += (counts[i] | others[i]) != 0
    places = np.empty(m + 1, np.int64)
    m = 0
    for i in range(counts.shape[0]):
        places[m] = i
        m += (counts[i] | others[i]) != 0
    colors, total = np.empty((m, 3), np.uint8), np.empty(m, np.int64)
    for i in range(m):
        at = places[i]
        cell, low = cells[at >> 9], at & 511
        colors[i, 0] = (cell >> 10) << 3 | (low >> 3 & 7)
        colors[i, 1] = (cell >> 5 & 31) << 3 | (low & 7)
        colors[i, 2] = (cell & 31) << 3 | low >> 6
        total[i] = np.int64(counts[at]) + np.int64(others[at])
    return colors, total


@inner
def _narrow(
    low: Array, side: float, centroids: Array, among: Array, start: int, stop: int, kept: Array, end: int
) -> int:
    """Which of the centroids among[start:stop] may be nearest somewhere in the cube that begins at low (3,).

    They are put into kept from `end` on, in order; the new end comes back. Against the centroid nearest to the cube's
    middle, each other one is tried at the corner that suits it best (Kanungo et al., IEEE TPAMI 24, 2002). The margin
    covers rounding anywhere in the cube. The centroids are (3, k): coordinates side by side.
    """
    x0, y0, z0 = low[0], low[1], low[2]
    least, best = np.inf, 0
    for q in range(start, stop):
        j = among[q]
        a = x0 + 0.5 * side - centroids[0, j]
        b = y0 + 0.5 * side - centroids[1, j]
        c = z0 + 0.5 * side - centroids[2, j]
        distance = a * a + b * b + c * c
        best = j if distance < least else best
        least = distance if distance < least else least
    bx, by, bz = centroids[0, best], centroids[1, best], centroids[2, best]
    for q in range(start, stop):
        j = among[q]
        cx, cy, cz = centroids[0, j], centroids[1, j], centroids[2, j]
        x = x0 + side if cx > bx else x0
        y = y0 + side if cy > by else y0
        z = z0 + side if cz > bz else z0
        mine = (x - cx) * (x - cx) + (y - cy) * (y - cy) + (z - cz) * (z - cz)
        its = (x - bx) * (x - bx) + (y - by) * (y - by) + (z - bz) * (z - bz)
        kept[end] = j
        end += mine - its <= 1e-14 * (mine + its + 3 * side * side)
    return end


@inner
def _fill(
    low: Array, centroids: Array, kept: Array, n: int, table: Array, first: int, red_green: Array, least: Array,
    found: Array,
) -> None:  # fmt: skip
    """The labels of all colours of the cell that begins at low (3,), nearest of the n centroids kept, into the table.

    The squares of a coordinate are the same for many colours, so that a distance is one addition: 0.4 ns a centroid.
    """
    if n == 1:
        for i in range(CELL):
            table[first + i] = kept[0]
        return
    for i in range(CELL):
        least[i], found[i] = np.inf, 0.0
    for q in range(n):
        j = kept[q]
        for i in range(8):
            a = low[0] + i - centroids[0, j]
            for u in range(8):
                b = low[1] + u - centroids[1, j]
                red_green[8 * i + u] = a * a + b * b
        _nearer(red_green, low[2] - centroids[2, j], float(j), least, found)
    for i in range(CELL):
        table[first + i] = int(found[i])


@inner
def _nearer(red_green: Array, blue: float, label: float, least: Array, found: Array) -> None:
    """One more centroid for the colours of a cell. Apart from `_fill`, so that LLVM compares eight at once."""
    for u in range(8):
        square = (blue + u) * (blue + u)
        for i in range(64):
            distance, at = red_green[i] + square, 64 * u + i
            closer = distance < least[at]
            found[at] = label if closer else found[at]
            least[at] = distance if closer else least[at]


@inner
def _room(store: Array, used: int, more: int) -> Array:
    """The store, or a larger copy of it where it has no room for so many more."""
    if used + more <= store.shape[0]:
        return store
    larger = np.empty(2 * store.shape[0] + more, np.int32)
    for i in range(used):
        larger[i] = store[i]
    return larger


@kernel
def label_pixels(pixels: Array, centroids: Array, table: Array, labels: Array) -> int:
    """The nearest of the centroids (3, k) for each of the pixels (n, 3) uint8, into labels (n,).

    A pixel's label is looked up in the table (CODES,), whatever it held before: the labels of a cell are put there when
    its first pixel comes. Which centroids are near to a cell is found among those near to the cube of 2 × 2 × 2 cells
    around it. Returns the number of distances computed.
    """
    k = centroids.shape[1]
    known, everything, near = np.zeros(CELLS, np.uint8), np.empty(k, np.int32), np.empty(k, np.int32)
    for j in range(k):
        everything[j] = j
    begins, ends, used = np.zeros(CELLS >> 3, np.int64), np.zeros(CELLS >> 3, np.int64), 0
    near_cubes = np.empty(8 * k, np.int32)
    low, red_green, least, found, computed = np.empty(3), np.empty(64), np.empty(CELL), np.empty(CELL), 0
    for start in range(0, pixels.shape[0], SPAN):
        stop = min(start + SPAN, pixels.shape[0])
        all_known = np.uint8(1)
        for i in range(start, stop):
            code = RED[pixels[i, 0]] | GREEN[pixels[i, 1]] | BLUE[pixels[i, 2]]
            labels[i] = table[code]
            all_known &= known[code >> 9]
        if all_known:
            continue
        for i in range(start, stop):
            code = np.int64(RED[pixels[i, 0]] | GREEN[pixels[i, 1]] | BLUE[pixels[i, 2]])
            cell = code >> 9
            if not known[cell]:
                known[cell] = 1
                r, g, b = cell >> 10, cell >> 5 & 31, cell & 31
                cube = (r >> 1) << 8 | (g >> 1) << 4 | b >> 1
                if ends[cube] == 0:
                    low[0], low[1], low[2] = (r >> 1) << 4, (g >> 1) << 4, (b >> 1) << 4
                    near_cubes, begins[cube] = _room(near_cubes, used, k), used
                    used = _narrow(low, 15.0, centroids, everything, 0, k, near_cubes, used)
                    ends[cube] = used
                low[0], low[1], low[2] = r << 3, g << 3, b << 3
                n = _narrow(low, 7.0, centroids, near_cubes, begins[cube], ends[cube], near, 0)
                _fill(low, centroids, near, n, table, int(cell) << 9, red_green, least, found)
                computed += CELL * n if n > 1 else 0
            labels[i] = table[code]
    return computed


@kernel
def look_up(pixels: Array, table: Array, labels: Array) -> None:
    """What stands in the table (CODES,) for each of the pixels (n, 3) uint8, into labels (n,)."""
    for i in range(pixels.shape[0]):
        labels[i] = table[RED[pixels[i, 0]] | GREEN[pixels[i, 1]] | BLUE[pixels[i, 2]]]
