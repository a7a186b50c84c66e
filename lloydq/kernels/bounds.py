"""Points of any kind, each with a slack: by how much its second nearest centroid is farther than its nearest one.

A point is compared again only when the centroids have moved by more than that (G. Hamerly, "Making k-means even
faster", SDM 2010), and only with centroids that stand near to its own (J. Newling, F. Fleuret, "Fast k-means with
accurate bounds", ICML 2016).
"""

import numpy as np

from .jit import BLOCK, Array, kernel

LANES = 8  # neighbours that are compared at a time
SAFE, TINY = 1e-12, 1e-290  # more than a distance loses by rounding; squares below this may have lost any digits


@kernel
def _gap(nearest: float, second: float) -> float:
    """The difference of two distances from their squares, less what rounding may hide."""
    if second < TINY:
        return -np.inf
    return float((1.0 - SAFE) * np.sqrt(second) - (1.0 + SAFE) * np.sqrt(nearest))


@kernel
def _two_nearest(block: Array, centroids: Array, distance: Array, nearest: Array, second: Array, found: Array) -> None:
    """The nearest centroid found for each point of a block (d, BLOCK), and the gap to the second nearest in second."""
    k, d = centroids.shape
    for i in range(BLOCK):
        nearest[i], second[i], found[i] = np.inf, np.inf, 0.0
    for j in range(k):
        label, c = float(j), centroids[j, 0]
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
            square = distance[i] + difference * difference if d > 1 else distance[i]
            closer = square < nearest[i]
            further = nearest[i] if closer else square
            second[i] = further if further < second[i] else second[i]
            found[i] = label if closer else found[i]
            nearest[i] = square if closer else nearest[i]
    for i in range(BLOCK):
        gap = (1.0 - SAFE) * np.sqrt(second[i]) - (1.0 + SAFE) * np.sqrt(nearest[i])
        second[i] = gap if second[i] >= TINY else -np.inf


@kernel
def _move(X: Array, i: int, w: float, old: int, new: int, cuts: Array, slices: Array) -> None:
    """Take a row of X (n, d) from one of the sums, slices (s, k, d + 1), to the other; −1: it was in none."""
    d = X.shape[1]
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


@kernel
def visit_due(
    X: Array, weight: Array, centroids: Array, owed: Array, limit: Array, labels: Array, slack: Array, cuts: Array,
    slices: Array,
) -> tuple[int, int]:  # fmt: skip
    """Labels (n,) of the rows of X (n, d) whose slack (n,) does not exceed the limit (k,): what is owed (k,).

    Such rows are brought together in blocks and compared with all centroids. Returns how many rows (with weight)
    changed label, and the number of distances computed.
    """
    (n, d), k, weighted, changed, computed, filled = X.shape, centroids.shape[0], weight.shape[0] > 1, 0, 0, 0
    block, rows = np.zeros((d, BLOCK)), np.empty(2 * BLOCK, np.int64)
    distance, nearest, second, found = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        for i in range(start, stop):  # without a branch: which rows are due cannot be foreseen
            rows[filled] = i
            filled += slack[i] <= limit[labels[i]]
        if filled < BLOCK and stop < n:
            continue
        while filled > 0:
            many = min(filled, BLOCK)
            for p in range(many):
                for t in range(d):
                    block[t, p] = X[rows[p], t]
            _two_nearest(block, centroids, distance, nearest, second, found)
            for p in range(many):
                row, new = rows[p], int(found[p])
                old, w = labels[row], weight[row * weighted]
                slack[row] = second[p] + owed[new]
                if new != old:
                    labels[row] = new
                    if w > 0:
                        changed += 1
                        _move(X, row, w, old, new, cuts, slices)
            computed += many * k
            for p in range(many, filled):
                rows[p - many] = rows[p]
            filled -= many
            if stop < n:
                break
    return changed, computed


@kernel
def visit_near(
    X: Array, weight: Array, centroids: Array, neighbours: Array, apart: Array, columns: Array, drift: float,
    owed: Array, limit: Array, labels: Array, slack: Array, cuts: Array, slices: Array,
) -> tuple[int, int]:  # fmt: skip
    """The same, each row by itself and compared with the neighbours of its centroid, as far as they may be nearer.

    Of each centroid the neighbours (k, m), itself the first, stood apart (k, m + 1) by these distances in ascending
    order (infinite where there are no more), and since then two may have come nearer by `drift`. The neighbours'
    coordinates are columns (k, d, m). Every row has a label.
    """
    (n, d), (k, m), weighted, changed, computed = X.shape, neighbours.shape, weight.shape[0] > 1, 0, 0
    distance = np.empty(LANES)
    for i in range(n):
        old = labels[i]
        if slack[i] > limit[old]:
            continue
        nearest, second, new, own, beyond, first = np.inf, np.inf, k, 0.0, 0.0, 0
        while first < m:
            for q in range(LANES):
                distance[q] = 0.0
            for t in range(d):
                x = float(X[i, t])
                for q in range(LANES):
                    difference = x - columns[old, t, first + q]
                    distance[q] += difference * difference
            for q in range(LANES):
                j, square = neighbours[old, first + q], distance[q]
                if square < nearest or (square == nearest and j < new):
                    nearest, second, new = square, nearest, j
                elif square < second:
                    second = square
            if first == 0:
                own = np.sqrt(distance[0]) * (1.0 + SAFE)
            first += LANES
            computed += LANES
            beyond = apart[old, first] * (1.0 - SAFE) - drift - own
            if beyond > 0 and beyond * beyond * (1.0 - SAFE) > second:
                break
        else:
            if m < k:  # none of them may be left out
                nearest, second, new, beyond = np.inf, np.inf, 0, np.inf
                for j in range(k):
                    square = 0.0
                    for t in range(d):
                        difference = X[i, t] - centroids[j, t]
                        square += difference * difference
                    if square < nearest:
                        nearest, second, new = square, nearest, j
                    elif square < second:
                        second = square
                computed += k
        slack[i] = min(_gap(nearest, second), beyond - np.sqrt(nearest) * (1.0 + SAFE)) + owed[new]
        if new != old:
            labels[i] = new
            w = weight[i * weighted]
            if w > 0:
                changed += 1
                _move(X, i, w, old, new, cuts, slices)
    return changed, computed
