"""Dithering: pixels that do not have their nearest colour, so that an area has its own on average."""

from functools import cache

import numpy as np

from . import pool
from .colors import DistinctColors
from .lloyd import Array
from .spaces import points_of

KINDS = ("none", "floyd-steinberg", "bayer", "blue-noise")
NEIGHBOURS = 255  # of each colour that are known
LEVELS, COARSE = 64, 4  # colours that an ordered dither mixes; that part of them for more than MANY distinct ones
MANY = 1 << 20
SIDE = 64  # of the blue noise
ROWS = 64  # of a picture that are diffused at a time


def dithered(
    pixels: Array, distinct: DistinctColors, nearest: Array, palette: Array, *, space: str, kind: str, strength: float
) -> Array:
    """The palette positions (H, W) of pixels (H, W, c) dithered.

    distinct: their colours, nearest (m,): the nearest colour of the palette (k, c) for each.
    """
    if kind == "floyd-steinberg":
        return _diffused(pixels, distinct, nearest, palette, space, strength)
    return _ordered(pixels, distinct, nearest, palette, space, strength, bayer() if kind == "bayer" else blue_noise())


def _diffused(
    pixels: Array, distinct: DistinctColors, nearest: Array, palette: Array, space: str, strength: float
) -> Array:
    """R. W. Floyd, L. Steinberg, "An adaptive algorithm for spatial greyscale", Proc. SID 17 (1976)."""
    from . import kernels

    height, width, channels = pixels.shape
    points = points_of(palette, space).astype(np.float64)
    order, spacing = _neighbours(points)
    start = distinct.spread(pixels.reshape(-1, channels), nearest).reshape(height, width)
    errors, leftward = np.zeros((2, width + 2, points.shape[1])), False
    labels = np.empty((height, width), nearest.dtype)
    for rows in (slice(i, i + ROWS) for i in range(0, height, ROWS)):
        X = points_of(pixels[rows].reshape(-1, channels), space)
        X = kernels.block_of(X.reshape(-1, width, X.shape[1]), slice(None))
        what = points, order, spacing, strength, leftward, errors, labels[rows]
        leftward = kernels.diffuse(X, start[rows], *what)
    return labels


def _ordered(
    pixels: Array, distinct: DistinctColors, nearest: Array, palette: Array, space: str, strength: float,
    thresholds: Array,
) -> Array:  # fmt: skip
    """T. Knoll, "Pattern dithering for a color palette", US patent 6,606,166 (1999, expired)."""
    from . import kernels

    height, width, channels = pixels.shape
    points, X = points_of(palette, space).astype(np.float64), points_of(distinct.colors, space)
    order, spacing = _neighbours(points)
    rank = np.empty(len(palette), np.int64)
    rank[np.argsort(points_of(palette[:, :3], "oklab")[:, 0], kind="stable")] = np.arange(len(palette))
    coarse = COARSE if len(X) > MANY else 1  # which keeps the table of mixtures within 64 MiB, or 128 for k > 256
    mixed, thresholds = np.empty((len(X), LEVELS // coarse), nearest.dtype), thresholds // coarse

    def mix(rows: slice) -> None:
        what = points, order, spacing, strength, rank, mixed[rows]
        kernels.mixtures(kernels.block_of(X, rows), nearest[rows], *what)

    pool.run(mix, pool.split(len(X), distinct.n_threads, each=4), distinct.n_threads)
    of_pixel = distinct.spread(pixels.reshape(-1, channels), np.arange(len(X), dtype=np.uint32)).reshape(height, width)
    labels = np.empty((height, width), nearest.dtype)
    side = len(thresholds)
    turn = np.tile(thresholds, (1, -(-width // side)))[:, :width]

    def choose(rows: slice) -> None:
        labels[rows] = mixed[of_pixel[rows], turn[np.arange(rows.start, rows.stop) % side]]

    pool.run(choose, [slice(i, min(i + ROWS, height)) for i in range(0, height, ROWS)], distinct.n_threads)
    return labels


def _neighbours(points: Array) -> tuple[Array, Array]:
    """Of each of the points (k, d) the others in the order of their distance, (k, m) int32, and how far they are.

    At least one: a single point is its own neighbour. One that is equal is no neighbour, but infinitely far.
    """
    k = len(points)
    m = min(max(1, k - 1), NEIGHBOURS)
    order, spacing = np.empty((k, m), np.int32), np.empty((k, m))
    for i in range(k):
        square = ((points - points[i]) ** 2).sum(axis=1)
        square[square == 0] = np.inf if k > 1 else 0
        found = np.argsort(square, kind="stable")[:m]
        order[i], spacing[i] = found, np.sqrt(square[found])
    return order, spacing


@cache
def bayer() -> Array:
    """Which of the mixture's colours a pixel takes, (8, 8): B. E. Bayer, IEEE Int. Conf. on Communications (1973)."""
    found = two = np.array([[0, 2], [3, 1]])
    for _ in range(2):
        found = np.kron(np.ones((2, 2), int), 4 * found) + np.kron(two, np.ones(found.shape, int))
    return found


@cache
def blue_noise() -> Array:
    """The same, (64, 64), without a pattern: R. Ulichney, "The void-and-cluster method", Proc. SPIE 1913 (1993)."""
    return _void_and_cluster(SIDE) * LEVELS // SIDE**2


def _void_and_cluster(side: int) -> Array:
    """0 to side² − 1, (side, side): wherever they are cut, those below stand far from each other.

    The crowding at a place is a sum of whole numbers, the same on every machine.
    """
    steps = np.minimum(np.arange(side), side - np.arange(side))
    bell = np.rint(np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * 1.5**2)) * 2**40).astype(np.int64)
    twice = np.tile(bell, (2, 2))
    set_, crowding = np.zeros((side, side), bool), np.zeros((side, side), np.int64)

    def put(place: int, sign: int) -> None:
        y, x = divmod(place, side)
        set_.flat[place] = sign > 0
        np.add(crowding, sign * twice[side - y : 2 * side - y, side - x : 2 * side - x], out=crowding)

    def tightest() -> int:
        return int(np.where(set_, crowding, -1).argmax())

    def emptiest() -> int:
        return int(np.where(set_, np.iinfo(np.int64).max, crowding).argmin())

    first = side * side // 10
    for place in np.random.Generator(np.random.PCG64(0)).permutation(side * side)[:first]:
        put(int(place), 1)
    while True:
        cluster = tightest()
        put(cluster, -1)
        void = emptiest()
        put(void, 1)
        if void == cluster:
            break
    ranks, start = np.empty(side * side, np.int64), (set_.copy(), crowding.copy())
    for rank in range(first - 1, -1, -1):
        ranks[cluster := tightest()] = rank
        put(cluster, -1)
    set_, crowding[:] = start
    for rank in range(first, side * side):
        ranks[void := emptiest()] = rank
        put(void, 1)
    return ranks.reshape(side, side)
