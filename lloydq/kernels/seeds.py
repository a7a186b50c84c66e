"""Starting centroids: what k-means++ measures, and draws by value."""

import numpy as np

from .jit import BLOCK, Array, inner, kernel

PART = 64  # points of which k-means++ knows the sum


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


@inner
def _reach(columns: Array, row: int, first: int, n: int, nearest: Array, reached: Array) -> None:
    """Of n points, the least of nearest and the squared distance to one row, into reached."""
    for i in range(n):
        reached[i] = 0.0
    for t in range(columns.shape[0]):
        c = float(columns[t, row])
        for i in range(n):
            difference = columns[t, first + i] - c
            reached[i] += difference * difference
    for i in range(n):
        reached[i] = nearest[first + i] if nearest[first + i] < reached[i] else reached[i]


@inner
def _mass(weight: Array, first: int, n: int, reached: Array) -> float:
    """Σ weight · reached of the n points from the first on, in four sums side by side."""
    a = b = c = d = 0.0
    for i in range(0, n - 3, 4):
        a += weight[first + i] * reached[i]
        b += weight[first + i + 1] * reached[i + 1]
        c += weight[first + i + 2] * reached[i + 2]
        d += weight[first + i + 3] * reached[i + 3]
    for i in range(n - n % 4, n):
        a += weight[first + i] * reached[i]
    return (a + b) + (c + d)


@inner
def _apart(columns: Array, sums: Array, square: float, low: Array, high: Array, row: int, apart: Array) -> None:
    """The squared distances of a row to the points of each part, at least, into apart (parts,).

    By their sums, where there are any: they ascend (Cauchy and Schwarz). Otherwise by the boxes low to high. All parts
    in one loop, which LLVM makes eight at a time: apart from the choice of parts, that is a third of the time.
    """
    n, parts = columns.shape[1], apart.shape[0]
    if sums.shape[0] > 0:
        for part in range(parts):
            first, last = part * PART, min((part + 1) * PART, n) - 1
            gap = max(sums[first] - sums[row], sums[row] - sums[last], 0.0)
            apart[part] = gap * gap / square * (1.0 - 1e-6)
        return
    for part in range(parts):
        apart[part] = 0.0
    for t in range(columns.shape[0]):
        x = float(columns[t, row])
        for part in range(parts):
            gap = max(low[t, part] - x, x - high[t, part], 0.0)
            apart[part] += gap * gap


@inner
def _drawn(weight: Array, nearest: Array, mass: Array, target: float) -> int:
    """The point at which weight · nearest, added up, first passes the target; mass (parts,) has the sums of parts."""
    part, running, found = 0, 0.0, 0
    while part < mass.shape[0] - 1 and running + mass[part] <= target:
        running += mass[part]
        part += 1
    for i in range(part * PART, min((part + 1) * PART, weight.shape[0])):  # pragma: no branch - but for rounding
        step = weight[i] * nearest[i]
        running += step
        found = i if step > 0 else found
        if running > target:
            break
    return found


@inner
def _drawn_by_weight(weight: Array, part_of_all: float) -> int:
    """The point at which weight, added up, first passes a part of its total."""
    total, running = 0.0, 0.0
    for i in range(weight.shape[0]):
        total += weight[i]
    for i in range(weight.shape[0]):
        running += weight[i]
        if running > part_of_all * total:
            return i
    return int(weight.shape[0] - 1)


@kernel
def plus_plus(
    columns: Array, weight: Array, sums: Array, square: float, trials: int, uniform: Array, used: int, rounding: float,
    nearest: Array, known: Array, drawn: Array,
) -> int:  # fmt: skip
    """Some draws of greedy k-means++: which points, columns (d, n), are drawn (m,), by numbers between 0 and 1.

    nearest (n,): their squared distances to what is fixed or was drawn before, infinite if nothing is. known
    (2 + 2d, parts): what is remembered from draw to draw. used: how many of the numbers were used; returned, too.

    They stand in the order of their sums (n,), Σ factor · x, and Σ factor² is the square; or, with no sums, so that
    whole numbers that are near to each other stand together. Parts of PART points are left as they are where by their
    sums, or by their boxes, a draw is farther than what was drawn before.
    """
    n, parts = columns.shape[1], (columns.shape[1] + PART - 1) // PART
    reached, found, apart, potentials = np.empty(PART), np.empty(trials, np.int64), np.empty(parts), np.empty(trials)
    mass, most, low, high = known[0], known[1], known[2 : 2 + columns.shape[0]], known[2 + columns.shape[0] :]
    for part in range(parts if used == 0 else 0):
        first, size = part * PART, min(PART, n - part * PART)
        most[part] = nearest[first : first + size].max()
        mass[part] = 0.0 if np.isinf(most[part]) else _mass(weight, first, size, nearest[first : first + size])
        for t in range(columns.shape[0]):
            low[t, part], high[t, part] = np.inf, -np.inf
            for i in range(part * PART, min((part + 1) * PART, n)):
                low[t, part], high[t, part] = min(low[t, part], columns[t, i]), max(high[t, part], columns[t, i])
    for j in range(drawn.shape[0]):
        total, many, best, least = 0.0, trials, 0, np.inf
        for part in range(parts):
            total += mass[part]
        if total > 0:
            for q in range(trials):
                found[q] = _drawn(weight, nearest, mass, min(uniform[used + q] * total, np.nextafter(total, 0.0)))
            used += trials
        else:  # the first one; or every position is taken
            used += trials if used else 0
            found[0], many = _drawn_by_weight(weight, uniform[used]), 1
            used += 1
        for q in range(many if many > 1 else 0):
            potentials[q] = 0.0
            _apart(columns, sums, square, low, high, found[q], apart)
            for part in range(parts):
                if apart[part] >= most[part]:
                    potentials[q] += mass[part]
                else:
                    first, size = part * PART, min(PART, n - part * PART)
                    _reach(columns, found[q], first, size, nearest, reached)
                    potentials[q] += _mass(weight, first, size, reached)
            least = min(least, potentials[q])
        while many > 1 and potentials[best] > least * (1.0 + rounding):  # the first of equally good ones
            best += 1
        drawn[j] = found[best]
        _apart(columns, sums, square, low, high, found[best], apart)
        for part in range(parts):
            if apart[part] < most[part]:
                first, size = part * PART, min(PART, n - part * PART)
                _reach(columns, found[best], first, size, nearest, reached)
                mass[part], most[part] = _mass(weight, first, size, reached), 0.0
                for i in range(size):
                    nearest[first + i] = reached[i]
                    most[part] = max(most[part], reached[i])
    return used


@kernel
def place(X: Array, factors: Array, limits: Array, parts: Array) -> None:
    """parts[i]: 2j where limits j − 1 < Σ factor·x < limits j for row i of X (n, d), 2j + 1 where it is limits j.

    There are as many limits (p,) as a power of two, ascending, the last infinite. The halvings of a block of rows go
    side by side: 8 ns a row, a search of one row after the other takes 40.
    """
    sums, found = np.zeros(BLOCK), np.zeros(BLOCK, np.int64)
    for start in range(0, X.shape[0], BLOCK):
        stop = min(start + BLOCK, X.shape[0])
        found[:] = 0
        for i in range(start, stop):
            total = 0.0
            for t in range(X.shape[1]):
                total += factors[t] * X[i, t]
            sums[i - start] = total
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


@inner
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
    sums, rows = np.zeros(n), np.empty(n, np.int64)
    for i in range(n):
        rows[i] = i
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
