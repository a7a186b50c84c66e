"""The loops that are compiled: arrays in, arrays out. The callers check, choose, draw and decide."""

import numpy as np

from . import blocks, wide
from .blocks import list_all, lower, visit_blocks
from .bounds import visit_due
from .cache import kept
from .colors import CELL, CELLS, CODES, FULL, collect, label_pixels, look_up, mark, tally
from .dither import diffuse, mixtures
from .jit import COMPILED, Array, block_of, readonly, weights_of
from .points import SCATTERED, SLICES, assign, assign_few, distances, extent, scatter, spread, transfer
from .seeds import approach, pick, place, plus_plus, potentials, weigh
from .wide import assign_wide, visit_groups, visit_near

__all__ = [
    "ALL", "CELL", "CELLS", "CODES", "COMPILED", "FULL", "SCATTERED", "SLICES", "Array", "block_of", "blocks",
    "cache_folder", "cached", "compile_all", "readonly", "weights_of", "wide",
    "approach", "assign", "assign_few", "assign_wide", "collect", "diffuse", "distances", "extent", "label_pixels",
    "list_all", "load_for_colors", "load_for_fits", "look_up", "lower", "mark", "mixtures", "pick", "place",
    "plus_plus", "potentials", "scatter", "spread", "tally", "transfer",
    "visit_blocks", "visit_due", "visit_groups", "visit_near", "weigh",
]  # fmt: skip

ALL = (
    *assign_few.values(), assign, distances, transfer, extent, spread, scatter,
    potentials, approach, plus_plus, place, weigh, pick,
    mark, tally, collect, label_pixels, look_up, diffuse, mixtures,
    list_all, lower, visit_blocks, visit_due, visit_near, assign_wide, visit_groups,
)  # fmt: skip

EVERYTHING = slice(None)


def compile_all() -> None:
    """Compile every kernel for every kind of input, and leave the machine code in the cache."""
    one, labels = block_of(np.ones(1), EVERYTHING), np.zeros(1, np.int32)
    for dtype in COMPILED:
        for d, kernel in (*assign_few.items(), (5, assign)):
            X = block_of(np.zeros((1, d), dtype), EVERYTHING)
            kernel(X, readonly(np.zeros((1, d))), labels)
        _call_for_sums(X, one, labels)
        distances(X, readonly(np.zeros((1, d))), np.zeros((1, 1), np.float32 if dtype == np.float32 else np.float64))
        scatter(X, one, readonly(np.zeros((1, d))), labels, np.zeros((1, SLICES)))
        potentials(X, one, one, np.zeros((1, d)))
        approach(X, np.zeros(d), np.zeros(1))
        place(X, np.zeros(d), np.array([np.inf]), np.zeros(1, np.uint16))
        pick(X, np.ones(1), np.zeros(d), 0.0)
        state = labels.copy(), np.zeros(1), labels.copy(), labels.copy()
        centroids, due = readonly(np.zeros((1, d))), (one.copy(), one.copy(), *state)
        visit_due(X, centroids, *due)
        group, single = np.zeros((1, wide.GROUP), np.int64), np.zeros((1, 1), np.float32)
        near = np.zeros((1, d, wide.GROUP), np.float32), np.zeros((1, wide.GROUP), np.float32)
        products = np.zeros(d), *near, group, 1.0
        visit_near(X, centroids, products, *due)
        assign_wide(X, centroids, products, labels.copy(), np.zeros(1), single)
        debts = np.zeros(1, np.int64), np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1)
        bounds = labels.copy(), np.zeros(1), np.zeros(1), single, labels.copy(), labels.copy()
        visit_groups(X, centroids, products, np.zeros((1, d, wide.GROUP)), *debts, *bounds)
    for factor in (np.zeros(1), np.zeros(1, np.uint8)):
        weigh(one, factor, np.zeros(1, np.uint16), np.zeros(1))
    _call_plus_plus(one, np.zeros((1, 1)))
    load_for_colors()
    load_for_fits()
    pixel = block_of(np.zeros((1, 3), np.uint8), EVERYTHING)
    for table, values in (("u1", "i4"), ("u2", "i4"), ("u2", "u2")):
        label_pixels(pixel, np.zeros((3, 1)), np.empty(CODES, table), np.zeros(1, values))
    for more in map(np.dtype, (np.uint16, np.uint32)):
        look_up(pixel, np.empty(CODES, more), np.zeros(1, more))
    neighbour, away, palette = np.zeros((1, 1), np.int32), np.zeros((1, 1)), np.zeros((1, 3))
    for X in (np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1, 3))):
        for label in (np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint16)):
            block = block_of(X, EVERYTHING)
            diffuse(block, label, palette, neighbour, away, 1.0, False, np.zeros((2, 3, 3)), label.copy())
            mixtures(block[0], label[0], palette, neighbour, away, 1.0, np.zeros(1, np.int64), label.copy())


def load_for_colors() -> None:
    """Load or compile what counts the colours of a picture without alpha, and draws from them."""
    pixel, counts = block_of(np.zeros((1, 3), np.uint8), EVERYTHING), np.zeros(CELL, np.uint16)
    mark(pixel, np.zeros(CELLS, np.uint8))
    tally(pixel, np.zeros(CELLS, np.uint32), counts)
    collect(np.zeros(1, np.int64), counts, counts)
    _call_plus_plus(block_of(np.ones(1), EVERYTHING), np.zeros((1, 1), np.uint8))


def load_for_fits() -> None:
    """The same of what fits a palette to them, and gives pixels its colours."""
    one, labels, number = block_of(np.ones(1), EVERYTHING), np.zeros(1, np.int32), np.zeros(1, np.int32)
    pixel = block_of(np.zeros((1, 3), np.uint8), EVERYTHING)
    _call_for_sums(pixel, one, labels)
    byte = np.zeros((3, 1), np.uint8)
    store, stops = list_all(byte, byte, np.zeros((3, 1)), 1.0, np.zeros(1, np.int64), number), np.ones(1, np.int64)
    lower(number, number, number, 1, 1)
    known = number.copy(), number.copy(), number.copy(), labels, labels.copy(), labels.copy()
    visit_blocks(byte, np.zeros((3, 1)), number, stops, store, *known)
    label_pixels(pixel, np.zeros((3, 1)), np.empty(CODES, np.uint8), np.zeros(1, np.uint8))
    look_up(pixel, np.empty(CODES, np.uint8), np.zeros(1, np.uint8))


def _call_for_sums(X: Array, one: Array, labels: Array) -> None:
    transfer(X, one, labels, labels, labels, np.zeros(1), np.zeros((1, 1, X.shape[1] + 1)))
    extent(X, one)
    spread(X, one, np.zeros(X.shape[1]))


def _call_plus_plus(one: Array, columns: Array) -> None:
    known = np.zeros(1), np.zeros((4, 1)), np.zeros(1, np.intp)
    plus_plus(readonly(columns), one, one, 1.0, 1, np.zeros(2), 0, 1e-10, *known)


def cache_folder() -> str | None:
    """Where the machine code is kept; None where no folder can be written."""
    folder = getattr(getattr(assign, "stats", None), "cache_path", None)
    return folder or None


def cached() -> int:
    """How many of the kernels have machine code in the cache."""
    names = kept(folder) if (folder := cache_folder()) else set()
    return sum(kernel.__name__ in names for kernel in ALL)
