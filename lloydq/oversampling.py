"""Starting centroids of points in parts: k-means||, and positions at random.

B. Bahmani, B. Moseley, A. Vattani, R. Kumar, S. Vassilvitskii, "Scalable k-means++", PVLDB 5 (2012). In each round
exactly 2k rows are drawn with odds w·D²: those of the least keys, exponentially distributed numbers divided by the odds
(P. S. Efraimidis, P. G. Spirakis, "Weighted random sampling with a reservoir", Inf. Process. Lett. 97, 2006). The least
keys of several parts are among those of each, and no round has to know Σ w·D² before it draws.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .lloyd import Array, squared_distances
from .parts import Part, PartedPass, scatter
from .passes import assign
from .positions import SortedPositions
from .seeding import plus_plus

ROUNDS, FACTOR = 5, 2  # of draws; of k rows in each


@dataclass
class Drawn:
    """Distinct rows of the least keys, those first."""

    many: int
    keys: Array
    X: Array

    def __add__(self, other: "Drawn") -> "Drawn":
        return least(self.many, np.append(self.keys, other.keys), np.concatenate([self.X, other.X]))


def least(many: int, keys: Array, X: Array) -> Drawn:
    """So many, of equal rows the first; fewer where there are no more."""
    order = np.argsort(keys, kind="stable")
    _, first = np.unique(X[order] + 0, axis=0, return_index=True)  # −0 and 0 are equal
    kept = order[np.sort(first)][:many]
    return Drawn(many, keys[kept], X[kept])


def draw(part: Part, *, candidates: Array | None, many: int, seed: tuple[int, ...], n_threads: int = 1) -> Drawn:
    """So many distinct rows: with odds by weight, or by w·D² where there are candidates (m, d), none of them."""
    X, weight = part.X, np.ones(len(part.X)) if part.weight is None else part.weight
    odds = weight if candidates is None or len(X) == 0 else weight * nearest(part, candidates, n_threads)
    keys = np.random.default_rng([*seed, part.index]).standard_exponential(len(X))
    rows = np.flatnonzero(odds)
    keys = keys[rows] / odds[rows]
    few = 2 * many
    while True:
        among = np.argpartition(keys, few)[:few] if few < len(rows) else np.arange(len(rows))
        found = least(many, keys[among], X[rows[among]].astype(np.float64))
        if len(found.X) == many or few >= len(rows):
            return found
        few *= 8


def nearest(part: Part, candidates: Array, n_threads: int) -> Array:
    """D² of each row to the nearest candidate: from those that the part has seen only the new ones are compared."""
    memory = {} if part.memory is None else part.memory
    seen, found = memory.pop("nearest", (candidates[:0], np.full(len(part.X), np.inf)))
    if not np.array_equal(seen, candidates[: len(seen)]):
        seen, found = candidates[:0], np.full(len(part.X), np.inf)
    if len(new := candidates[len(seen) :]):
        found = np.minimum(found, squared_distances(part.X, new, assign(part.X, new, n_threads)))
    memory["nearest"] = candidates, found
    return np.asarray(found)


def starts(visit: PartedPass, k: int, init: str, rng: np.random.Generator) -> Array:
    """(k, d) float64."""
    number, n_threads = int(rng.integers(2**63)), visit.options["n_threads"]

    def drawn(turn: int, many: int, candidates: Array | None) -> Array:
        return visit.ask(draw, candidates=candidates, many=many, seed=(number, turn), n_threads=n_threads).X

    if init == "random":
        found = drawn(0, k, None)
        return np.resize(found, (k, found.shape[1]))
    candidates = drawn(0, 1, None)
    for turn in range(1, ROUNDS + 1):
        candidates = np.concatenate([candidates, drawn(turn, FACTOR * k, candidates)])
    weight = visit.ask(scatter, centroids=candidates, n_threads=n_threads).weight
    positions: Any = SortedPositions(candidates, weight, None)
    return np.asarray(positions.X[plus_plus(positions, k, rng)], np.float64)
