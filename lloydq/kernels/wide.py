"""Points of many coordinates: products in float32 find which centroids may be nearest, bounds which may be left out.

‖x − c‖² is ‖x‖² + 2 · (‖c‖²/2 − x·c), all about an origin near the mean. In float32 and with fused operations, eight or
sixteen at a time, that costs a fifth of the distance in float64, and it is wrong by no more than a bound that is known
(N. Higham, "Accuracy and stability of numerical algorithms", 2002, section 3.1). What it leaves undecided is settled by
the definition of nearest.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload

from .jit import Array, inner, kernel, rough

TILE = 64  # points that are looked at together, whose float32 coordinates stay in the nearest caches
FEW = 4  # of them whose sums are in registers
GROUP = 16  # centroids of a group; a bound for each group is kept (Y. Ding et al., "Yinyang k-means", ICML 2015)
SEVERAL = 8  # groups of which more than one may have a nearer centroid: all are compared by products, at once
ROWS = 256  # rows that are looked at together
SAFE, TINY = 1e-12, 1e-290  # more than a distance loses by rounding; squares below this may have lost any digits
DOWN = 1 - 2e-7  # more than rounding a bound to float32 adds to it
LEAST_BOUND, MOST_BOUND = 1e-36, 3e38  # what is kept: float32 rounds coarser below, and has no more above
UNIT, LEAST = 2.0**-24, 1e-44  # what rounding to float32 may change of a number, and at least
LARGE = 1e37  # sums in float32 up to which none of their parts overflows


def _products(points: Array, table: Array, halves: Array, g: int, product: Array) -> None:
    """‖c‖²/2 − x·c into (GROUP, TILE), for each centroid c of group g of table (groups, d, GROUP), each x of (TILE, d).

    With the JIT on, `_few_products` takes its place.
    """
    product[:] = halves[g][:, None] - (points @ table[g]).T


@overload(_products, strict=False)
def _compiled_products(points: Any, table: Any, halves: Any, g: Any, product: Any) -> Any:  # noqa: ARG001
    def products(points: Array, table: Array, halves: Array, g: int, product: Array) -> None:  # pragma: no cover
        for i in range(0, TILE, FEW):
            _few_products(points, i, table, halves, g, product)  # type: ignore[call-arg]

    return products


@intrinsic
def _few_products(_: Any, points: Any, i: Any, table: Any, halves: Any, g: Any, product: Any) -> Any:
    """`_products` for FEW points from i on: their sums stay in vector registers while all coordinates go by.

    LLVM does not find this by itself, since for all it knows the arrays may overlap. 0.025 to 0.035 ns for each
    coordinate of each (AVX2, one thread); a loop over arrays takes 0.06 to 0.1, OpenBLAS 0.03 for many coordinates and
    0.2 for few. (K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication", 2008.)
    """

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        number, lanes = ir.FloatType(), ir.VectorType(ir.FloatType(), GROUP)
        index, lane = ir.IntType(64), ir.IntType(32)
        points, table, halves, product = (
            context.make_array(signature.args[p])(context, builder, given[p]) for p in (0, 2, 3, 5)
        )
        d, i, g = builder.extract_value(points.shape, 1), given[1], given[4]

        def at(array: Any, place: Any, kind: Any) -> Any:
            return builder.bitcast(builder.gep(array.data, [place]), kind.as_pointer())

        def scaled(value: Any, by: int) -> Any:
            return builder.mul(value, index(by))

        def mixed(one: Any, other: Any, order: list[int]) -> Any:
            return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(lane, len(order)), order))

        first = [builder.mul(builder.add(i, index(p)), d) for p in range(FEW)]
        group, none = scaled(builder.mul(g, d), GROUP), ir.Constant(lanes, ir.Undefined)
        half = builder.load(at(halves, scaled(g, GROUP), lanes), align=4)
        before, loop, end = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        t, sums = builder.phi(index), [builder.phi(lanes) for _ in range(FEW)]
        c = builder.load(at(table, builder.add(group, scaled(t, GROUP)), lanes), align=4)
        following = builder.add(t, index(1))
        t.add_incoming(index(0), before)
        t.add_incoming(following, loop)
        after = []
        for p in range(FEW):
            x = builder.load(at(points, builder.add(first[p], t), number))
            x = mixed(builder.insert_element(none, x, lane(0)), none, [0] * GROUP)
            after.append(builder.fsub(sums[p], builder.fmul(x, c, flags=["contract"]), flags=["contract"]))
            sums[p].add_incoming(half, before)
            sums[p].add_incoming(after[p], loop)
        builder.cbranch(builder.icmp_signed("<", following, d), loop, end)
        builder.position_at_end(end)
        pairs = [x + GROUP * y for x in range(GROUP) for y in (0, 1)]
        one, other = mixed(after[0], after[1], pairs), mixed(after[2], after[3], pairs)
        for q in range(GROUP):
            four = mixed(one, other, [2 * q, 2 * q + 1, 2 * GROUP + 2 * q, 2 * GROUP + 2 * q + 1])
            builder.store(four, at(product, builder.add(i, index(q * TILE)), four.type), align=4)
        return context.get_dummy_value()

    return types.void(points, i, table, halves, g, product), code


@rough
def _centred(X: Array, rows: Array, origin: Array, points: Array, norm: Array) -> None:
    """These rows of X about the origin, in float32: (TILE, d), and their squares (TILE,)."""
    for i in range(rows.shape[0]):
        square = np.float32(0)
        for t in range(X.shape[1]):
            x = np.float32(X[rows[i], t] - origin[t])
            points[i, t] = x
            square += x * x
        norm[i] = square


@inner
def _best(product: Array, g: int, first: Array, second: Array, which: Array) -> None:
    """The two least products of each point with group g, and which is the least: (groups, TILE).

    The points outside: LLVM unrolls the loop over a group and compares eight points at once, which takes a sixteenth of
    the time of a loop over the points for each centroid.
    """
    for i in range(TILE):
        least, runner, label = np.float32(np.inf), np.float32(np.inf), np.float32(0)
        for q in range(GROUP):
            value = product[q, i]
            closer = value < least
            further = least if closer else value
            runner = further if further < runner else runner
            label = np.float32(q) if closer else label
            least = value if closer else least
        first[g, i], second[g, i], which[g, i] = least, runner, label


@inner
def _best_of_all(first: Array, second: Array, best: Array, runner: Array, own: Array) -> None:
    """The two least of all groups' for each point, and the group of the least: (TILE,)."""
    for i in range(TILE):
        best[i], runner[i], own[i] = np.inf, np.inf, 0
    for g in range(first.shape[0]):
        for i in range(TILE):
            value = first[g, i]
            closer = value < best[i]
            further = min(best[i], second[g, i]) if closer else value
            runner[i] = further if further < runner[i] else runner[i]
            own[i] = np.float32(g) if closer else own[i]
            best[i] = value if closer else best[i]


def _squared_distance(X: Array, i: int, centroids: Array, j: int) -> float:
    """Of a row of X (n, d) and a centroid (k, d)."""
    square = 0.0
    for t in range(X.shape[1]):
        difference = X[i, t] - centroids[j, t]
        square += difference * difference
    return square


@inner
def _four_squares(X: Array, i: int, centroids: Array, members: Array, g: int, q: int) -> tuple[float, ...]:
    """The same by the definition for four members of group g from q on, side by side; −1 gives anything."""
    j, k, l, m = members[g, q], members[g, q + 1], members[g, q + 2], members[g, q + 3]  # noqa: E741
    a, b, c, e = 0.0, 0.0, 0.0, 0.0
    for t in range(X.shape[1]):
        x = float(X[i, t])
        p, r, s, u = x - centroids[j, t], x - centroids[k, t], x - centroids[l, t], x - centroids[m, t]
        a, b, c, e = a + p * p, b + r * r, c + s * s, e + u * u
    return a, b, c, e


_square, _square_roughly = inner(_squared_distance), rough(_squared_distance)  # by the definition; to rounding, faster


@inner
def _kept(bound: float) -> float:
    """A lower bound as it is kept in float32, not above what it is."""
    return np.float32(min(bound, MOST_BOUND) * DOWN if bound > LEAST_BOUND else 0.0)  # type: ignore[return-value]


@inner
def _ahead(most: float, own: float) -> float:
    """An upper bound from which `own` was taken, to be added again: not below what it is, though digits are lost."""
    return most - own + SAFE * own


@inner
def _compare(X: Array, rows: Array, centroids: Array, products: Any, room: Any, error: Array) -> None:
    """The nearest centroid (k, d) of each of these rows (TILE, or fewer) of X (n, d), and what its bounds need.

    The centroids, none of which is farther than `reach` from the origin (d,), stand about it in table (groups, d,
    GROUP) float32, halves of their squares in (groups, GROUP); which ones, members (groups, GROUP) tells, −1 where a
    group has fewer: these are `products`. The products themselves, each wrong by no more than error (TILE,), and what
    is found come into `room`.
    """
    (origin, table, halves, members, reach), (points, norm, product, first, second, which) = products, room[:6]
    best, rest, own, label, most = room[6:]
    d, groups = X.shape[1], table.shape[0]
    loss = (d + 8) * UNIT
    _centred(X, rows, origin, points, norm)
    for g in range(groups):
        _products(points, table, halves, g, product)
        _best(product, g, first, second, which)
    _best_of_all(first, second, best, rest, own)
    for i in range(rows.shape[0]):
        radius = np.sqrt(float(norm[i])) * (1.0 + loss)
        size = reach * (0.5 * reach + radius)  # of what is added up
        error[i] = loss * (size + 1e-8 * (radius + reach) ** 2) + d * LEAST * (1.0 + reach)
        if not size < LARGE:
            error[i] = np.inf
        nearest, doubt = float(best[i]), 2.0 * error[i]
        label[i] = members[int(own[i]), int(which[int(own[i]), i])]
        square = float(norm[i]) + 2.0 * nearest + doubt
        if not float(rest[i]) - nearest > doubt:  # by the definition, where it may matter
            square, found = np.inf, centroids.shape[0]
            for g in range(groups):
                if not first[g, i] > nearest + doubt:
                    for q in range(0, GROUP, 4):
                        four = _four_squares(X, rows[i], centroids, members, g, q)
                        for u in range(4):
                            j, by_definition = members[g, q + u], four[u]
                            if j >= 0 and (by_definition < square or (by_definition == square and j < found)):
                                square, found, own[i] = by_definition, j, np.float32(g)
            rest[i] = rest[i] if found == label[i] else best[i]
            label[i] = found
        most[i] = np.sqrt(max(square, TINY) + 2.0 * loss * radius * radius) * (1.0 + SAFE)


@inner
def _room(d: int, groups: int) -> Any:
    """For `_compare`: points about the origin, their squares, products with a group; for each group the two least and
    which is the least; of all groups the two least, the group of the nearest, its label, a bound on its distance."""
    points, product = np.zeros((TILE, d), np.float32), np.empty((GROUP, TILE), np.float32)
    first, second = np.empty((groups, TILE), np.float32), np.empty((groups, TILE), np.float32)
    which, norm = np.empty((groups, TILE), np.float32), np.empty(TILE, np.float32)
    best, rest, own = np.empty(TILE, np.float32), np.empty(TILE, np.float32), np.empty(TILE, np.float32)
    return points, norm, product, first, second, which, best, rest, own, np.empty(TILE, np.int64), np.empty(TILE)


@inner
def _at_least(norm: float, product: float, error: float, d: int) -> float:
    """A bound on the distance of a point and a centroid whose product this is."""
    square = (1.0 - (d + 8) * UNIT) * norm + 2.0 * (product - error)
    return np.sqrt(square) if square > 0 else 0.0


@inner
def _keep(products: Any, room: Any, error: Array, i: int, d: int, drift: Array, lower: Array) -> float:
    """Into lower (groups,) the bounds on what point i of `_compare` has to each group, its own centroid left out.

    They are kept with the drift (groups,), which is taken off them later. Returns the least of them.
    """
    members, norm, first, second, which, own, label = products[3], room[1], room[3], room[4], room[5], room[8], room[9]
    least = np.inf
    for g in range(members.shape[0]):
        mine = g == own[i] and members[g, int(which[g, i])] == label[i]
        product = second[g, i] if mine else first[g, i]
        lower[g] = _kept(_at_least(norm[i], product, error[i], d) + drift[g])
        least = min(least, lower[g] - drift[g])
    return least


@kernel
def assign_wide(X: Array, centroids: Array, products: Any, labels: Array, upper: Array, lower: Array) -> int:
    """`assign` by products (see `_compare`): labels (n,) int32 of the rows of X (n, d).

    Into upper (n,) and lower (n, groups), if they have rows, go bounds: on the distance to the nearest centroid, and to
    the others of each group. Returns the number of distances computed.
    """
    (n, d), groups = X.shape, products[3].shape[0]
    room, error, rows, drift = _room(d, groups), np.empty(TILE), np.empty(TILE, np.int32), np.zeros(groups)
    label, most = room[9:]
    for start in range(0, n, TILE):
        many = min(TILE, n - start)
        rows[:many] = np.arange(start, start + many)
        _compare(X, rows[:many], centroids, products, room, error)
        for i in range(many):
            labels[start + i] = label[i]
            if lower.shape[0] > 0:
                upper[start + i] = most[i]
                _keep(products, room, error, i, d, drift, lower[start + i])
    return int(n * centroids.shape[0])


@kernel
def visit_near(
    X: Array, centroids: Array, products: Any, owed: Array, limit: Array, labels: Array, slack: Array,
    changed: Array, before: Array,
) -> tuple[int, int]:  # fmt: skip
    """`bounds.visit_due` by products (see `_compare`)."""
    (n, d), many, moved = X.shape, 0, 0
    due, room, error = np.empty(n, np.int32), _room(d, products[3].shape[0]), np.empty(TILE)
    norm, rest, label, most = room[1], room[7], room[9], room[10]
    for i in range(n):
        due[many] = i
        many += not slack[i] > limit[labels[i]]  # NaN, of distances that overflow, is due
    for start in range(0, many, TILE):
        rows = due[start : min(start + TILE, many)]
        _compare(X, rows, centroids, products, room, error)
        for i in range(rows.shape[0]):
            row, new = rows[i], label[i]
            slack[row] = (_at_least(norm[i], rest[i], error[i], d) - most[i]) + owed[new]
            if new != labels[row]:
                changed[moved], before[moved] = row, labels[row]
                labels[row], moved = new, moved + 1
    return moved, many * centroids.shape[0]


@inner
def _two_nearest(X: Array, i: int, columns: Array, g: int, distance: Array) -> tuple[float, float, int]:
    """The squared distances of a row of X (n, d) to the two nearest of group g, by the definition, and the nearest."""
    d = X.shape[1]
    for q in range(GROUP):
        distance[q] = 0.0
    for t in range(0, d - 3, 4):
        x, y, z, v = float(X[i, t]), float(X[i, t + 1]), float(X[i, t + 2]), float(X[i, t + 3])
        for q in range(GROUP):
            a, b = x - columns[g, t, q], y - columns[g, t + 1, q]
            c, e = z - columns[g, t + 2, q], v - columns[g, t + 3, q]
            distance[q] = (((distance[q] + a * a) + b * b) + c * c) + e * e
    for t in range(d - d % 4, d):
        x = float(X[i, t])
        for q in range(GROUP):
            a = x - columns[g, t, q]
            distance[q] += a * a
    first, second, which = np.inf, np.inf, 0
    for q in range(GROUP):
        if distance[q] < first:
            first, second, which = distance[q], first, q
        elif distance[q] < second:
            second = distance[q]
    return first, second, which


@inner
def _visit_some(
    X: Array, i: int, centroids: Array, columns: Array, members: Array, sizes: Array, group: Array, own: Array,
    drift: Array, old: int, upper: Array, lower: Array, distance: Array,
) -> tuple[int, float, int]:  # fmt: skip
    """Row i of X (n, d), whose label is old, and those groups of which a centroid may be nearer.

    Into upper (n,) and lower (n, groups) go its bounds. Returns its label, an upper bound on the distance to that
    centroid, and the number of distances computed.
    """
    k, groups, computed = centroids.shape[0], drift.shape[0], 0
    most, nearest, new, runner, known = upper[i] + own[old], np.inf, k, np.inf, False
    for g in range(groups):
        if lower[i, g] - drift[g] > most:
            continue
        first, second, which = _two_nearest(X, i, columns, g, distance)
        computed += sizes[g]
        lower[i, g] = _kept((np.sqrt(first) if first >= TINY else 0.0) + drift[g])
        j = members[g, which]
        if first < nearest or (first == nearest and j < new):
            nearest, new, runner = first, j, second
        known |= group[old] == g
    if not known and nearest <= most * most * (1.0 + SAFE):
        square = _square(X, i, centroids, old)
        if square < nearest or (square == nearest and old < new):
            new = old
        else:
            g = group[old]
            lower[i, g] = min(lower[i, g], _kept((1.0 - 3.0 * SAFE) * most + drift[g]))
    elif not known:
        new = old
    if known or new != old:
        most, g = np.sqrt(max(nearest, TINY)) * (1.0 + SAFE), group[new]
        lower[i, g] = _kept((np.sqrt(runner) if runner >= TINY else 0.0) + drift[g])
        upper[i] = _ahead(most, own[new])
    return new, most, computed - known


@kernel
def visit_groups(
    X: Array, centroids: Array, products: Any, columns: Array, group: Array, owed: Array, limit: Array, own: Array,
    drift: Array, labels: Array, slack: Array, upper: Array, lower: Array, changed: Array, before: Array,
) -> tuple[int, int]:  # fmt: skip
    """Labels (n,) of the rows of X (n, d) whose slack (n,) does not exceed the limit (k,): what is owed (k,).

    The bounds, upper (n,) and lower (n, groups), are those of `assign_wide`; since then the centroids have moved by
    `own` (k,), the most of each group by drift (groups,). The centroids of a group stand side by side in columns
    (groups, d, GROUP), infinite where there are fewer than GROUP; group (k,) names that of each. Returns how many rows
    changed label, which (and what it was before) stand in changed and before (n,), and the number of distances
    computed.

    All rows are asked the cheap question before any is asked the next one: a branch for each row that cannot be
    foreseen, and the wait for its memory, would take twice as long.
    """
    (n, d), groups, moved, computed = X.shape, drift.shape[0], 0, 0
    members, room, error, distance = products[3], _room(d, groups), np.empty(TILE), np.empty(GROUP)
    label_of, most_of = room[9:]
    sizes = (members >= 0).sum(axis=1)
    due, all_due, least = np.empty(ROWS + 1, np.int64), np.empty(ROWS + 1, np.int32), np.empty(ROWS + 1)
    for start in range(0, n, ROWS):
        asked = 0
        for i in range(start, min(start + ROWS, n)):
            due[asked] = i
            asked += not slack[i] > limit[labels[i]]  # NaN, of distances that overflow, is due
        many = 0
        for p in range(asked):  # do the bounds of all groups together leave a doubt?
            i, label = due[p], labels[due[p]]
            bound, most = np.inf, upper[i] + own[label]
            for g in range(groups):
                bound = min(bound, lower[i, g] - drift[g])
            slack[i] = (bound - most) + owed[label]
            due[many], least[many] = i, bound
            many += not bound > most
        asked, many = many, 0
        for p in range(asked):  # and if it is known how far its own centroid is?
            i, label, bound = due[p], labels[due[p]], least[p]
            most = np.sqrt(max(_square_roughly(X, i, centroids, label), TINY)) * (1.0 + SAFE)
            upper[i], slack[i] = _ahead(most, own[label]), (bound - most) + owed[label]
            due[many] = i
            many += not bound > most
        computed += asked  # and less where it is one of its group's
        asked, many, whole = many, 0, 0
        for p in range(asked):  # and which groups may have a nearer one?
            i, few = due[p], 0
            most = upper[i] + own[labels[i]]
            for g in range(groups):
                few += not lower[i, g] - drift[g] > most
            due[many], all_due[whole] = i, i
            many += few <= 1 or few * SEVERAL <= groups
            whole += few > 1 and few * SEVERAL > groups
        for p in range(many):
            i, old = due[p], labels[due[p]]
            new, most, count = _visit_some(
                X, i, centroids, columns, members, sizes, group, own, drift, old, upper, lower, distance
            )
            bound = np.inf
            for g in range(groups):
                bound = min(bound, lower[i, g] - drift[g])
            slack[i], computed = (bound - most) + owed[new], computed + count
            changed[moved], before[moved] = i, old
            labels[i], moved = new, moved + (new != old)
        for first in range(0, whole, TILE):
            rows = all_due[first : min(first + TILE, whole)]
            _compare(X, rows, centroids, products, room, error)
            computed += (centroids.shape[0] - 1) * rows.shape[0]
            for p in range(rows.shape[0]):
                i, old, new = rows[p], labels[rows[p]], label_of[p]
                bound = _keep(products, room, error, p, d, drift, lower[i])
                upper[i], slack[i] = _ahead(most_of[p], own[new]), (bound - most_of[p]) + owed[new]
                changed[moved], before[moved] = i, old
                labels[i], moved = new, moved + (new != old)
    return moved, computed
