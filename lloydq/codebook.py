"""From the colours of a picture to a palette: Lloyd in a space, then bytes, all of them different and in use."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from . import checks
from .colors import DistinctColors
from .fitting import run
from .lloyd import Array, Step, squared_distances
from .passes import assign, same_labels, suited, verified, wanted
from .protocol import ConvergenceWarning, also_theirs, warn
from .seeding import Init, Starts
from .spaces import SPACES, colors_of, points_of, with_alpha

OPAQUE = 248  # an alpha that looks like 255
UNSEEN = np.zeros((1, 4), np.uint8)  # the one colour of all pixels that are fully transparent


class Stopwatch(dict[str, float]):
    """Seconds by name."""

    def __init__(self) -> None:
        self._last = perf_counter()

    def stop(self, name: str) -> None:
        now = perf_counter()
        self[name], self._last = self.get(name, 0.0) + now - self._last, now


@dataclass(frozen=True)
class Recipe:
    """How palettes are found."""

    space: str
    lock: Array  # (m, 3) or (m, 4) uint8
    init: Init
    n_init: int
    tol: float
    max_iter: int | None
    n_threads: int | None
    callback: Callable[[Step], object] | None
    verify: bool


def recipe(
    *, space: str = "srgb", lock: Any = None, init: Init = "k-means++", n_init: int = 1, tol: float = 0.0,
    max_iter: int | None = None, n_threads: int | None = None, callback: Callable[[Step], object] | None = None,
    verify: bool = False,
) -> Recipe:  # fmt: skip
    """Parameters of `quantize`, checked."""
    locked = np.empty((0, 3), np.uint8) if lock is None or len(lock) == 0 else checks.palette(lock)
    if locked.shape[1] == 4:
        locked = np.where(locked[:, 3:] == 0, np.uint8(0), locked)  # what is not seen has no colour
    if len(np.unique(locked, axis=0)) < len(locked):
        raise ValueError("lock names a colour twice")
    if not isinstance(init, str) and not callable(init):
        init = checks.points(init, "init")
    elif isinstance(init, str):
        init = checks.init(init, 1, 3)
    return Recipe(
        checks.one_of(space, "space", SPACES), locked, init, checks.integer(n_init, "n_init"), checks.tolerance(tol),
        checks.iterations(max_iter), checks.threads(n_threads), callback, verify,
    )  # fmt: skip


@dataclass(frozen=True)
class Codebook:
    """A palette, and the nearest of its colours for every colour of the picture."""

    colors: Array  # (k, c) uint8
    nearest: Array  # (m,) uint8, or uint16 for more than 256
    n_iter: int
    converged: bool
    stop_reason: str


def nearest_of(distinct: DistinctColors, colors: Array, recipe: Recipe) -> Array:
    """The nearest of colours (k, c) for each of the distinct ones: (m,) uint8, or uint16 for more than 256."""
    X, points = points_of(distinct.colors, recipe.space), points_of(colors, recipe.space).astype(np.float64)
    nearest = assign(X, points, distinct.n_threads, np.uint8 if len(colors) <= 256 else np.uint16)
    if wanted(recipe.verify):
        same_labels(X, points, nearest)
    return nearest


def find(
    k: int, distinct: DistinctColors, fitted: DistinctColors, recipe: Recipe, rng: np.random.Generator, watch: Stopwatch
) -> Codebook:
    """The palette of k colours, fitted to some colours or to all distinct ones, for all of them."""
    locked = _locked(k, distinct, recipe)
    if len(distinct.colors) <= k and len(few := np.unique(np.vstack([distinct.colors, locked]), axis=0)) <= k:
        weights = np.zeros(len(few), np.int64)
        weights[nearest_of(distinct, few, recipe)] = distinct.counts
        colors = few[_order(few, weights)]
        watch.stop("fit")
        return Codebook(colors, nearest_of(distinct, colors, recipe), 0, True, "few colors")
    fits = _fits(k, fitted, locked, recipe, rng, watch)
    settled = (_settled(k, fit, locked, distinct, fitted, recipe) for fit in fits)
    one = recipe.n_init == 1
    book = next(settled) if one else min(settled, key=lambda book: _error(fitted, book.colors, recipe))
    watch.stop("fit")
    return book


def _error(fitted: DistinctColors, colors: Array, recipe: Recipe) -> float:
    """Σ weight · distance² of what was fitted to the palette as it comes out."""
    X, points = points_of(fitted.colors, recipe.space), points_of(colors, recipe.space).astype(np.float64)
    return float(fitted.weight @ squared_distances(X, points, nearest_of(fitted, colors, recipe)))


def _locked(k: int, distinct: DistinctColors, recipe: Recipe) -> Array:
    """(m, c) uint8: what the caller locks, and the unseen where the picture has such pixels."""
    c = distinct.colors.shape[1]
    locked = with_alpha(recipe.lock, c)
    if len(locked) > k:
        raise ValueError(f"lock has {len(locked)} colours, and n_colors is {k}")
    some_unseen = c == 4 and (distinct.colors == 0).all(axis=1).any() and not (locked == 0).all(axis=1).any()
    return np.vstack([locked, UNSEEN]) if some_unseen and len(locked) < k and k > 1 else locked


class Fit(NamedTuple):
    """Where Lloyd's algorithm ended."""

    centroids: Array  # (k, d), the locked ones first
    members: Array  # (m,): which is the nearest to each of the fitted colours
    n_iter: int
    stop_reason: str


def _fits(
    k: int, fitted: DistinctColors, locked: Array, recipe: Recipe, rng: np.random.Generator, watch: Stopwatch
) -> Iterator[Fit]:
    """One from each start."""
    X, weight, free = points_of(fitted.colors, recipe.space), fitted.weight, k - len(locked)
    fixed = points_of(locked, recipe.space).astype(np.float64)
    if free == 0:
        yield Fit(fixed, assign(X, fixed, fitted.n_threads), 0, "given")
        return
    init = checks.init(_starts(recipe, free, locked), free, fitted.colors.shape[1])
    starts = Starts(X, weight, free, init, recipe.n_threads, given=fitted.colors, fixed=fixed, distinct=True)
    visit = verified(suited(X, weight, k, recipe.n_threads, distinct=True), recipe.verify)
    for _ in range(recipe.n_init):
        start = starts.draw(rng)
        if not isinstance(init, str) and (recipe.space != "srgb" or start.shape[1] == 4):
            start = points_of(checks.palette(start), recipe.space)
        watch.stop("seed")
        step, reason = run(
            visit, np.vstack([fixed, start]), tol=recipe.tol, max_iter=recipe.max_iter, callback=recipe.callback,
            fixed=np.arange(len(fixed)) if len(fixed) else None,
        )  # fmt: skip
        if reason == "max_iter":
            message = f"stopped at max_iter={recipe.max_iter} while labels still changed"
            warn(message, also_theirs(ConvergenceWarning))
        yield Fit(step.centroids, step.labels, step.n_iter, reason)
        watch.stop("fit")


def _clear(levels: Array, members: Array, weights: Array, fitted: DistinctColors) -> None:
    """Make levels (k, 4) opaque again that nearly are, and most of whose members are: a few edges spoil no area."""
    if levels.shape[1] == 4:
        opaque = np.bincount(members, fitted.weight * (fitted.colors[:, 3] == 255), len(levels))
        levels[(levels[:, 3] >= OPAQUE) & (opaque > weights / 2), 3] = 255


def _starts(recipe: Recipe, free: int, locked: Array) -> Init:
    """The caller's starts, with alpha where the picture has it; of a given array without the one that is not needed."""
    init, c = recipe.init, locked.shape[1]
    if isinstance(init, str) or callable(init):
        return init
    if init.shape[1] < c:
        init = with_alpha(init, c)
    if len(init) == free + 1 and len(locked) > len(recipe.lock):  # what is not seen has its own entry
        init = np.delete(init, init[:, 3].argmin(), axis=0)
    return init


def _settled(
    k: int, fit: Fit, locked: Array, distinct: DistinctColors, fitted: DistinctColors, recipe: Recipe
) -> Codebook:
    """The palette of a fit: its centroids as bytes, in order, and each colour's nearest.

    All are distinct, and each that is not locked is the nearest for some colour. Entries that two centroids share, or
    that no colour needs, take the colours that fit worst.
    """
    weights = np.bincount(fit.members, fitted.weight, k)
    levels = colors_of(fit.centroids, recipe.space)
    _clear(levels, fit.members, weights, fitted)
    m = len(locked)
    used = weights[m:] > 0
    colors, entry = np.unique(levels[m:][used], axis=0, return_inverse=True)
    own = np.bincount(entry.ravel(), weights[m:][used], len(colors))
    new = ~(colors[:, None] == locked).all(axis=2).any(axis=1) if m else np.ones(len(colors), bool)
    colors, weights = np.vstack([locked, colors[new]]), np.append(weights[:m], own[new])
    stays = np.arange(len(colors)) < m
    for _ in range(k + 1):  # pragma: no branch - an entry that was filled is the nearest for its own colour, and stays
        if len(colors) < k:
            worst = _worst(k - len(colors), colors, distinct, recipe.space)
            colors, weights = np.vstack([colors, distinct.colors[worst]]), np.append(weights, distinct.counts[worst])
            stays = np.append(stays, np.zeros(len(worst), bool))
        order = _order(colors, weights)
        colors, weights, stays = colors[order], weights[order], stays[order]
        nearest = nearest_of(distinct, colors, recipe)
        needed = stays | (np.bincount(nearest, minlength=k) > 0)
        if needed.all():
            break
        colors, weights, stays = colors[needed], weights[needed], stays[needed]
    return Codebook(colors, nearest, fit.n_iter, fit.stop_reason == "converged", fit.stop_reason)


def _worst(many: int, colors: Array, distinct: DistinctColors, space: str) -> Array:
    """Which of the distinct colours fit worst, one after the other; of equal ones the smallest."""
    order = np.lexsort(distinct.colors.T[::-1])
    X = points_of(distinct.colors, space)[order].astype(np.float64)
    points = points_of(colors, space).astype(np.float64)
    error = squared_distances(X, points, assign(X, points, distinct.n_threads))
    found = np.empty(many, np.int64)
    for i in range(many):
        found[i] = np.argmax(error)
        error = np.minimum(error, ((X - X[found[i]]) ** 2).sum(axis=1))
    return np.asarray(order[found])


def _order(colors: Array, weights: Array) -> Array:
    """The translucent first, so that a PNG need not say of the others that they are opaque; then the heaviest."""
    opaque = colors[:, 3] == 255 if colors.shape[1] == 4 else np.zeros(len(colors), bool)
    return np.lexsort((*colors.T[::-1], -weights, opaque))
