"""Starting centroids: what k-means++ measures, and draws by value."""

import numpy as np

from .jit import BLOCK, Array, kernel


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
def _potential(columns: Array, weight: Array, nearest: Array, row: int, reached: Array) -> float:
    """Σ w·reached, where reached (n,) is the least of nearest and the squared distance to one row, in eight sums."""
    d, n = columns.shape
    for i in range(n):
        reached[i] = 0.0
    for t in range(d):
        c = columns[t, row]
        for i in range(n):
            difference = columns[t, i] - c
            reached[i] += difference * difference
    for i in range(n):
        reached[i] = nearest[i] if nearest[i] < reached[i] else reached[i]
    sums = np.zeros(8)
    for i in range(0, n - 7, 8):
        for q in range(8):
            sums[q] += weight[i + q] * reached[i + q]
    for i in range(n - n % 8, n):
        sums[0] += weight[i] * reached[i]
    return float(sums.sum())


@kernel
def plus_plus(columns: Array, weight: Array, trials: int, uniform: Array, rounding: float, drawn: Array) -> None:
    """The whole of greedy k-means++ for few points, columns (d, n): which are drawn (k,), by numbers from 0 to 1."""
    n = columns.shape[1]
    nearest, reached = np.full(n, np.inf), np.empty(n)
    ends, found, potentials, used = np.empty(n), np.empty(trials, np.int64), np.empty(trials), 0
    for j in range(drawn.shape[0]):
        many = trials if j else 1
        total = 0.0
        for i in range(n):
            total += weight[i] * nearest[i] if j else weight[i]
            ends[i] = total
        if total == 0:  # every position is taken
            used, many = used + trials, 1
            for i in range(n):
                total += weight[i]
                ends[i] = total
        for q in range(many):
            target = min(uniform[used] * total, np.nextafter(total, 0.0))
            found[q] = np.searchsorted(ends, target, side="right")
            used += 1
        least, best = np.inf, 0
        for q in range(many):
            potentials[q] = _potential(columns, weight, nearest, found[q], reached)
            least = min(least, potentials[q])
        while potentials[best] > least * (1.0 + rounding):  # the first of equally good ones
            best += 1
        _potential(columns, weight, nearest, found[best], reached)
        nearest, reached = reached, nearest
        drawn[j] = found[best]


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
