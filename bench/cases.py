"""The work: what is fitted, from where, for how long, and which of it belongs to the quick set."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from . import data
from .contenders import CONTENDERS, MAPPERS

LONG = "scikit-learn MiniBatch", "Dask-ML"  # who would take a third of the run; they are in the other groups
LARGEST = 60.0  # s that a fit of 100 million points may take
OURS = ("lloydq", "lloydq plain", "lloydq dense", "lloydq bounds", "lloydq groups", "lloydq blocks")


@dataclass(frozen=True)
class Case:
    """Points, k, and when to stop."""

    group: str
    name: str  # within the group
    points: Callable  # X (n, d), or that and the weights
    k: int
    n_iter: int | None = None  # None: until no label changes
    quick: bool = False
    size: float | None = None  # along the axis of a scaling group
    axis: str | None = None
    names: tuple = tuple(name for name, who in CONTENDERS.items() if not who.extra)
    threads: int | None = None  # all
    weighted: bool = False
    limit: float | None = None  # seconds that a fit may take; None: the set's

    @property
    def facts(self):
        """For the JSON."""
        return {"group": self.group, "name": self.name, "axis": self.axis, "size": self.size, "limit": self.limit}

    @property
    def id(self):
        return f"{self.group}: {self.name}"


@dataclass(frozen=True)
class Mapping:
    """Points, and the centroids of which each gets its nearest."""

    group: str
    name: str
    points: Callable
    centroids: Callable  # of the points
    quick: bool = False
    names: tuple = tuple(MAPPERS)
    size = axis = limit = None

    facts, id = Case.facts, Case.id


def different_rows(X, k, seed):
    """(k,) rows of X drawn at random, no two of which are alike."""
    rows = np.random.default_rng(seed).choice(len(X), min(len(X), 8 * k), replace=False)
    rows = rows[np.sort(np.unique(X[rows], axis=0, return_index=True)[1])]
    if len(rows) < k:
        raise ValueError(f"among {8 * k} rows drawn there are only {len(rows)} different ones; k = {k}")
    return rows[:k]


def drawn(k, among=None):
    """k different rows at random as a codebook, of the first so many."""
    return lambda X: X[different_rows(X[:among], min(k, data.most_rows // 4), seed=0)].astype(float)


def fitted(k):
    """What a fit to 2,000 of the rows gives, as in the recipe."""

    def centroids(X):
        from lloydq import KMeans

        few = X[np.random.default_rng(0).choice(len(X), min(2000, len(X)), replace=False)]
        return KMeans(k, init=few[:k].astype(float), tol=0, max_iter=None).fit(few).cluster_centers_

    return centroids


def _recipe():
    fit, nearest = "recipe, fit", "recipe, nearest of 64 colours for every pixel"
    yield Case(fit, "2,000 pixels, k = 64", data.sample, 64, quick=True)
    yield Mapping(nearest, "fitted to 2,000 pixels", data.photograph, fitted(64), quick=True)
    yield Mapping(nearest, "64 of the first 1,000 pixels", data.photograph, drawn(64, 1000))
    yield Mapping(nearest, "64 of all pixels", data.photograph, drawn(64), quick=True)


def _photograph():
    group = "photograph, until no label changes"
    for k in (16, 64, 256):
        name = f"distinct colours with counts, k = {k}"
        yield Case(group, name, data.colours, k, quick=k == 16, weighted=True)
    names = (*(name for name in Case.names if name not in LONG), "scikit-learn folded")
    for k in (16, 64, 256):
        yield Case(group, f"all 2,073,600 pixels, k = {k}", data.photograph, k, names=names)


def _to_the_end():
    group = "until no label changes"
    for n, d, k, quick in (
        (1_000, 8, 8, True), (200_000, 2, 8, False), (200_000, 2, 64, False), (200_000, 3, 64, False),
        (50_000, 8, 16, True), (200_000, 8, 8, False), (200_000, 8, 64, False), (200_000, 8, 256, False),
        (200_000, 16, 64, False), (50_000, 64, 64, False),
    ):  # fmt: skip
        yield Case(group, f"mixture {n:,} × {d}, k = {k}", partial(data.mixture, n, d), k, quick=quick)
    yield Case(group, "digits 1,797 × 64, k = 10", partial(data.shipped, "digits"), 10, quick=True)
    for name in ("china.jpg", "flower.jpg"):
        points = partial(data.shipped, name)
        yield Case(group, f"{name} 273,280 × 3, k = 16", points, 16)
    yield Case(group, "patches 100,000 × 48, k = 64", partial(data.patches, 4), 64)
    yield Case(group, "patches 100,000 × 192, k = 64", partial(data.patches, 8), 64)


def _grid():
    group, names = "grid, 20 iterations", tuple(name for name in Case.names if name not in LONG)
    for n in (20_000, 200_000):
        for d in (2, 8, 64):
            for k in (8, 64, 256):
                quick = n == 20_000 and k == 64 and d == 8
                yield Case(
                    group, f"mixture {n:,} × {d}, k = {k}", partial(data.mixture, n, d), k, 20, quick, names=names
                )
    for name, points in (
        ("digits 1,797 × 64", partial(data.shipped, "digits")),
        ("china.jpg 273,280 × 3", partial(data.shipped, "china.jpg")),
        ("flower.jpg 273,280 × 3", partial(data.shipped, "flower.jpg")),
        ("patches 100,000 × 12", partial(data.patches, 2)),
        ("patches 100,000 × 192", partial(data.patches, 8)),
    ):
        for k in (8, 64, 256):
            yield Case(group, f"{name}, k = {k}", points, k, 20, name[0] == "c" and k == 8, names=names)


def _scaling():
    for n in (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000):
        points = partial(data.mixture, n, 4)
        limit = LARGEST if n == 100_000_000 else None
        name = f"{n:,} × 4, k = 16"
        yield Case("scaling in n, 10 iterations", name, points, 16, 10, size=n, axis="points n", limit=limit)
    for k in (2, 8, 32, 128, 512, 2048, 4096):
        points = partial(data.mixture, 50_000, 8)
        yield Case("scaling in k, 10 iterations", f"50,000 × 8, k = {k:,}", points, k, 10, size=k, axis="clusters k")
    for d in (1, 3, 8, 32, 128, 784):
        points = partial(data.mixture, 50_000, d)
        yield Case("scaling in d, 10 iterations", f"50,000 × {d}, k = 32", points, 32, 10, size=d, axis="columns d")


def _threads(most):
    """One, two, four … up to what there is."""
    counts = sorted({1 << i for i in range(most.bit_length())} | {most})
    for threads in (count for count in counts if count <= most):
        name, points = f"{threads} of {most}", partial(data.mixture, 400_000, 8)
        yield Case(
            "threads, 400,000 × 8, k = 64, 10 iterations", name, points, 64, 10,
            size=threads, axis="threads", threads=threads,
        )  # fmt: skip


def _algorithms():
    group = "algorithms of lloydq, until no label changes"
    for name, points, k, quick in (
        ("sample 2,000 × 3, k = 64", data.sample, 64, True),
        ("mixture 20,000 × 8, k = 16", partial(data.mixture, 20_000, 8), 16, False),
        ("mixture 20,000 × 8, k = 256", partial(data.mixture, 20_000, 8), 256, False),
        ("mixture 5,000 × 128, k = 64", partial(data.mixture, 5_000, 128), 64, False),
        ("china.jpg 273,280 × 3, k = 16", partial(data.shipped, "china.jpg"), 16, False),
    ):
        chosen = OURS if "× 3" in name else OURS[:-1]  # "blocks" is for three columns of bytes
        yield Case(group, name, points, k, quick=quick, names=chosen)


def _nearest():
    group = "nearest"
    for name, points, k in (
        ("photograph 2,073,600 × 3, k = 16", data.photograph, 16),
        ("photograph 2,073,600 × 3, k = 256", data.photograph, 256),
        ("mixture 200,000 × 16, k = 64", partial(data.mixture, 200_000, 16), 64),
        ("mixture 100,000 × 128, k = 256", partial(data.mixture, 100_000, 128), 256),
        ("patches 100,000 × 192, k = 256", partial(data.patches, 8), 256),
    ):
        yield Mapping(group, name, points, drawn(k), quick=name.startswith("mixture 200"))


def _quality():
    """What is reached after how long: the same fit, ended sooner or later."""
    group, points = "error against time: china.jpg 273,280 × 3, k = 64", partial(data.shipped, "china.jpg")
    for n_iter in (1, 2, 5, 10, 20, 50):
        yield Case(group, f"{n_iter} iterations", points, 64, n_iter, axis="error")
    yield Case(group, "until no label changes", points, 64, axis="error")


def cases(most_threads):
    """All of them, in the order of the report."""
    for part in (_recipe, _photograph, _to_the_end, _grid, _nearest, _scaling, partial(_threads, most_threads)):
        yield from part()
    yield from _quality()
    yield from _algorithms()
