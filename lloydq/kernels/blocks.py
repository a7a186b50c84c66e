"""Colours that stand near their neighbours, in blocks: labels are computed only where they may have changed.

A block has a bounding box and a list of the centroids that may be nearest to some point of it. A point has a slack: by
how much its second nearest centroid is farther than its nearest one, less what centroids have moved since that was
measured. All of it is a cache, kept from one pass to the next.
"""

import numpy as np

from .jit import Array, inner, kernel

WIDTH = 64  # points of a block
GROUP = 16  # blocks whose lists are chosen from one list
UNIT, MOST = 1 << 12, 1 << 28  # slack is counted in 4,096ths of a level (whole numbers: LLVM finds the least of many)
SAFE = 1.0 - 1e-12  # of a distance: less than what rounding leaves of it
FEW = 10  # points of a block up to which they are compared alone, not the whole block


@inner
def _near(low: Array, high: Array, centroids: Array, n: int, reach: float, distance: Array, kept: Array) -> None:
    """Which of n centroids (3, k) may be nearest in the box low..high (3,), though each of them move by `reach`.

    Against the centroid nearest to the box's middle, each one is tried at the corner that suits it best (Kanungo et
    al., IEEE TPAMI 24, 2002): a difference of squared distances, which is that of the distances times their sum. The
    margin covers rounding. The answers are put into kept (n,).
    """
    x0, y0, z0, x1, y1, z1 = low[0], low[1], low[2], high[0], high[1], high[2]
    mx, my, mz = 0.5 * (x0 + x1), 0.5 * (y0 + y1), 0.5 * (z0 + z1)
    for q in range(n):
        a, b, c = mx - centroids[0, q], my - centroids[1, q], mz - centroids[2, q]
        distance[q] = a * a + b * b + c * c
    least, best = np.inf, 0
    for q in range(n):
        if distance[q] < least:
            least, best = distance[q], q
    bx, by, bz = centroids[0, best], centroids[1, best], centroids[2, best]
    square = (x1 - mx) * (x1 - mx) + (y1 - my) * (y1 - my) + (z1 - mz) * (z1 - mz)
    least = np.sqrt(least) + 2.0 * np.sqrt(square)
    for q in range(n):
        cx, cy, cz = centroids[0, q], centroids[1, q], centroids[2, q]
        x, y, z = x1 if cx > bx else x0, y1 if cy > by else y0, z1 if cz > bz else z0
        mine = (x - cx) * (x - cx) + (y - cy) * (y - cy) + (z - cz) * (z - cz)
        its = (x - bx) * (x - bx) + (y - by) * (y - by) + (z - bz) * (z - bz)
        kept[q] = mine - its <= 2.0 * reach * (np.sqrt(distance[q]) + least) + 1e-12 * (mine + its + square)


@kernel
def list_all(low: Array, high: Array, centroids: Array, reach: float, stops: Array, store: Array) -> Array:
    """The lists of all blocks of boxes low, high (3, blocks), one after the other in store; where each stops (blocks,).

    The centroids are (3, k). The store comes back, or a larger one where it was too small.
    """
    k, blocks, used = centroids.shape[1], low.shape[1], 0
    group, columns, distance, kept = np.empty(k, np.int32), np.empty((3, k)), np.empty(k), np.empty(k, np.bool_)
    lowest, highest = np.empty(3), np.empty(3)
    for first in range(0, blocks, GROUP):
        last = min(first + GROUP, blocks)
        for t in range(3):
            lowest[t], highest[t] = low[t, first], high[t, first]
            for b in range(first + 1, last):
                lowest[t], highest[t] = min(lowest[t], low[t, b]), max(highest[t], high[t, b])
        _near(lowest, highest, centroids, k, reach, distance, kept)
        many = 0
        for j in range(k):
            if kept[j]:
                group[many] = j
                for t in range(3):
                    columns[t, many] = centroids[t, j]
                many += 1
        if used + GROUP * many > store.shape[0]:
            larger = np.empty(2 * store.shape[0] + GROUP * many, np.int32)
            for q in range(used):
                larger[q] = store[q]
            store = larger
        for b in range(first, last):
            for t in range(3):
                lowest[t], highest[t] = low[t, b], high[t, b]
            _near(lowest, highest, columns, many, reach, distance, kept)
            for q in range(many):
                store[used] = group[q]
                used += kept[q]
            stops[b] = used
    return store


@inner
def _two_nearest(
    block: Array, centroids: Array, listed: Array, start: int, stop: int, nearest: Array, second: Array,
    found: Array,
) -> None:  # fmt: skip
    """The nearest of the centroids listed[start:stop] for each point of block (3, WIDTH), the distances to two."""
    for i in range(WIDTH):
        nearest[i], second[i], found[i] = np.inf, np.inf, 0.0
    for q in range(start, stop):
        j = listed[q]
        label, x, y, z = float(j), centroids[0, j], centroids[1, j], centroids[2, j]
        for i in range(WIDTH):
            a, b, c = block[0, i] - x, block[1, i] - y, block[2, i] - z
            distance = (a * a + b * b) + c * c
            closer = distance < nearest[i]
            further = nearest[i] if closer else distance
            second[i] = further if further < second[i] else second[i]
            found[i] = label if closer else found[i]
            nearest[i] = distance if closer else nearest[i]
    for i in range(WIDTH):
        second[i] = min(UNIT * (SAFE * np.sqrt(second[i]) - np.sqrt(nearest[i])), MOST)


@inner
def _one_nearest(
    x: float, y: float, z: float, centroids: Array, listed: Array, start: int, stop: int
) -> tuple[int, float]:
    """The same for one point."""
    nearest, second, label = np.inf, np.inf, 0
    for q in range(start, stop):
        j = listed[q]
        a, b, c = x - centroids[0, j], y - centroids[1, j], z - centroids[2, j]
        distance = (a * a + b * b) + c * c
        further = nearest if distance < nearest else distance
        second = further if further < second else second
        label = j if distance < nearest else label
        nearest = distance if distance < nearest else nearest
    return label, min(UNIT * (SAFE * np.sqrt(second) - np.sqrt(nearest)), MOST)


@kernel
def visit_blocks(
    colors: Array, centroids: Array, moved: Array, stops: Array, store: Array, debt: Array, least: Array,
    slack: Array, labels: Array, changed: Array, before: Array,
) -> tuple[int, int]:  # fmt: skip
    """Labels (n,) of colors (3, n) where they may change.

    The centroids (3, k) have moved (k,) since the last pass, in units, rounded up. A block's debt is what the slack
    (n,) of its points is still to be lowered by, `least` is the least of them. Returns how many points changed label,
    which (and what it was before) stand in changed and before (n,), and the number of distances computed.
    """
    n, start, stop, many_changed, computed = colors.shape[1], 0, 0, 0, 0
    block, nearest, second, found = np.zeros((3, WIDTH)), np.empty(WIDTH), np.empty(WIDTH), np.empty(WIDTH)
    due = np.empty(WIDTH + 1, np.int64)
    for b in range(stops.shape[0]):
        start, stop = stop, stops[b]
        one, two = np.int32(0), np.int32(0)  # the two largest movements
        for q in range(start, stop):
            m = moved[store[q]]
            two = max(two, min(one, m))
            one = max(one, m)
        debt[b] = min(debt[b] + one + two, 2 * MOST)
        if debt[b] < least[b]:
            continue
        first = b * WIDTH
        many, n_due, owed = min(WIDTH, n - first), 0, debt[b]
        for i in range(many):
            due[n_due] = i
            n_due += slack[first + i] <= owed
        computed += n_due * (stop - start)
        if n_due > FEW:
            for t in range(3):
                for i in range(many):
                    block[t, i] = colors[t, first + i]
            _two_nearest(block, centroids, store, start, stop, nearest, second, found)
            debt[b] = 0
            for i in range(many):
                slack[first + i], due[i] = second[i], i
            n_due = many
        else:
            for p in range(n_due):
                i = first + due[p]
                label, gap = _one_nearest(
                    float(colors[0, i]), float(colors[1, i]), float(colors[2, i]), centroids, store, start, stop
                )
                found[p], slack[i] = label, np.int32(gap) + owed
        for p in range(n_due):
            i = first + due[p]
            new = np.int32(found[p])
            if new != labels[i]:
                changed[many_changed], before[many_changed] = i, labels[i]
                labels[i], many_changed = new, many_changed + 1
        smallest = slack[first]
        for i in range(first, first + many):
            smallest = min(smallest, slack[i])
        least[b] = smallest
    return many_changed, computed


@kernel
def lower(slack: Array, debt: Array, least: Array, moved: int, gap: int) -> None:
    """Add 2 · moved to the debts; then leave the points a slack of at most this gap."""
    n = slack.shape[0]
    for b in range(debt.shape[0]):
        debt[b] = min(debt[b] + 2 * moved, 2 * MOST)
        most = np.int32(debt[b] + gap)
        for i in range(b * WIDTH, min((b + 1) * WIDTH, n)):
            slack[i] = min(slack[i], most)
        least[b] = min(least[b], most)
