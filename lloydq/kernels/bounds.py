"""Points of any kind, each with a slack: by how much its second nearest centroid is farther than its nearest one.

A point is compared again only when the centroids have moved by more than that (G. Hamerly, "Making k-means even
faster", SDM 2010).
"""

import numpy as np

from .jit import BLOCK, Array, inner, kernel

SAFE, TINY = 1e-12, 1e-290  # more than a distance loses by rounding; squares below this may have lost any digits


@inner
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
def visit_due(
    X: Array, centroids: Array, owed: Array, limit: Array, labels: Array, slack: Array, changed: Array, before: Array
) -> tuple[int, int]:
    """Labels (n,) of the rows of X (n, d) whose slack (n,) does not exceed the limit (k,): what is owed (k,).

    Such rows are brought together in blocks and compared with all centroids. Returns how many rows changed label, which
    (and what it was before) stand in changed and before (n,), and the number of distances computed.
    """
    (n, d), k, moved, computed, filled = X.shape, centroids.shape[0], 0, 0, 0
    block, rows = np.zeros((d, BLOCK)), np.empty(2 * BLOCK, np.int64)
    distance, nearest, second, found = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        for i in range(start, stop):  # without a branch: which rows are due cannot be foreseen
            rows[filled] = i
            filled += not slack[i] > limit[labels[i]]  # NaN, of distances that overflow, is due
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
                slack[row] = second[p] + owed[new]
                if new != labels[row]:
                    changed[moved], before[moved] = row, labels[row]
                    labels[row], moved = new, moved + 1
            computed += many * k
            for p in range(many, filled):
                rows[p - many] = rows[p]
            filled -= many
            if stop < n:
                break
    return moved, computed
