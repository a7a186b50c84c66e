"""Problems that take every kernel through all its branches: `python tests/every_kernel.py` prints a hash of each.

They are small, since it runs without the compiler too, which is a thousand times slower.
"""

import hashlib
import warnings
from itertools import product

import numpy as np

import lloydq
from lloydq import kernels
from lloydq.positions import PartedPositions, SortedPositions
from lloydq.seeding import _drawn, plus_plus


def fits():
    """Name, points, k and options of KMeans."""
    rng = np.random.default_rng(3)
    clouds = rng.normal(size=(9, 8))[rng.integers(0, 9, 700)] * 3 + rng.normal(size=(700, 8))
    weight = rng.integers(0, 3, 700) / 3
    for algorithm in ("plain", "dense", "bounds", "groups"):
        yield f"{algorithm}, 8 columns", clouds, 9, {"algorithm": algorithm}, None
    for d, algorithm in product(range(1, 5), ("dense", "bounds", "groups")):
        yield f"{algorithm}, {d} columns", clouds[:, :d], 7, {"algorithm": algorithm}, weight
    uniform = rng.random((5_000, 2)).astype(np.float32)[np.argsort(rng.random(5_000))]
    yield "boxes that exclude nothing", uniform, 5, {"algorithm": "dense", "max_iter": 2}, None
    patches = rng.normal(size=(12, 40))[rng.integers(0, 12, 250)] + rng.normal(size=(250, 40)) / 3
    for algorithm in ("bounds", "groups"):
        yield f"{algorithm}, 40 columns", patches.astype(np.float32), 70, {"algorithm": algorithm}, None
    yield "groups, ties", np.rint(clouds[:, :6]), 50, {"algorithm": "groups"}, weight
    many = {"algorithm": "groups", "init": "random", "max_iter": 3}
    yield "groups, many", rng.random((520, 3)), 260, many, None
    line = np.stack([np.arange(-2.0, 520, 2), np.zeros(261)], axis=1)  # every other one halfway between two centroids
    starts = np.append(line[1::4], line[3::4], axis=0)
    yield "groups, ties that stay", line, len(starts), {"algorithm": "groups", "init": starts}, None
    yield "huge", clouds * 1e140, 5, {"algorithm": "bounds"}, None
    yield "more than products can hold", clouds * 1e20, 20, {"algorithm": "groups", "max_iter": 3}, None
    yield "hardly any weights", np.repeat(clouds[:30], 80, axis=0), 4, {"algorithm": "bounds"}, np.arange(2_400) < 9
    yield "tiny", clouds * 1e-160, 5, {"algorithm": "groups"}, None
    yield "far away", clouds + 1e9, 5, {"algorithm": "groups"}, None
    levels = (clouds[:, :3] * 20 + 128).clip(0, 255).astype(np.uint8)
    yield "blocks", levels, 24, {"algorithm": "blocks"}, None
    yield "blocks, folded", np.repeat(levels[:300], 3, axis=0), 20, {"algorithm": "blocks"}, None
    yield "blocks, many centroids", np.unique(rng.integers(0, 256, (2_200, 3)), axis=0).astype(np.uint8), 40, {
        "algorithm": "blocks", "init": "random", "max_iter": 1
    }, None  # fmt: skip
    yield "random", clouds, 9, {"init": "random", "max_iter": 5}, weight
    yield "equal positions", np.repeat(clouds[:4], 9, axis=0), 4, {}, None


def pictures():
    """Name, picture, number of colours and options of quantize."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:24, :30]
    smooth = np.stack([40 + 3 * x, 60 + 2 * y, 90 + x + y], axis=2).astype(np.uint8)
    yield "smooth", smooth, 20, {}
    yield "smooth, in Oklab", smooth, 12, {"space": "oklab"}
    yield "one colour that is frequent", np.full((300, 400, 3), (3, 5, 7), np.uint8), 1, {"n_threads": 1}
    for dither in ("floyd-steinberg", "bayer", "blue-noise"):
        yield dither, smooth, 9, {"dither": dither}
        yield f"{dither}, all channels", np.dstack([smooth, 8 * x.astype(np.uint8)]), 9, {"dither": dither}
    noise = rng.integers(0, 256, (20, 20, 3)).astype(np.uint8)
    yield "noise", noise, 40, {"init": "random"}
    yield "noise, dithered", noise, 40, {"dither": "floyd-steinberg"}
    yield "more colours than a byte names", smooth, 300, {"init": "random", "max_iter": 1}
    yield "two colours far apart, diffused", np.where(x[:, :, None] % 7, 20, smooth).astype(np.uint8), 2, {
        "lock": ["#000000", "#ffffff"], "dither": "floyd-steinberg",
    }  # fmt: skip


def others():
    """Name and an array: what is drawn, or asked, where there are many points."""
    rng = np.random.default_rng(5)
    few = rng.integers(0, 4, (3_000, 3)).astype(np.float64)  # rows that are equal, and unlike ones of the same sum
    for X, name in ((few, "equal rows"), (rng.random((1_500, 2)), "unlike rows")):
        for weight in (None, rng.integers(0, 3, len(X)) / 3):
            for make in (PartedPositions, SortedPositions):
                positions = make(X, weight, None)
                generator = np.random.default_rng(0)
                yield (
                    f"{name} drawn by {make.__name__}",
                    positions.rows(plus_plus(positions, 5, generator, fixed=X[:1])),
                )
    positions = SortedPositions(few[:3], None, None)
    yield "drawn though all positions are taken", positions.rows(plus_plus(positions, 5, np.random.default_rng(0)))
    everywhere = np.full(3, np.inf)
    yield "drawn by ones, which no generator gives", _drawn(positions, 3, 2, np.ones(9), everywhere)
    factors = np.zeros(3)  # which make the sums of unlike rows equal
    yield (
        "picked",
        np.array([kernels.pick(few[:50], np.ones(50), factors, target) for target in (0.0, 7.5, 33.0, 99.0)]),
    )
    line = np.arange(70_000) % 30
    pixels = np.stack([line, line // 2, 255 - line], axis=1).astype(np.uint8)
    for k in (1, 5, 300):
        yield f"pixels by a table, k = {k}", lloydq.nearest(pixels, rng.random((k, 3)) * 60)
    far = rng.integers(0, 256, (200, 3)).astype(np.uint8)
    yield "pixels by a table, of many cells", lloydq.nearest(np.repeat(far, 330, axis=0), rng.random((9, 3)) * 255)
    order, spacing = np.zeros((9, 1), np.int32), np.zeros((9, 1))  # fewer neighbours than there are
    picture, labels = rng.random((5, 6, 2)), np.zeros((5, 6), np.uint8)
    errors, found = np.zeros((2, 8, 2)), labels.copy()
    kernels.diffuse(picture, labels, rng.random((9, 2)), order, spacing, 1.0, False, errors, found)
    yield "diffused with few neighbours", found


def results():
    """Name and hash of each."""
    for name, X, k, options, weight in fits():
        model = lloydq.KMeans(k, **({"random_state": 1, "tol": 0} | options)).fit(X, sample_weight=weight)
        arrays = model.cluster_centers_, model.labels_, model.predict(X[:50]), model.transform(X[:20])
        yield name, hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:12]
    for name, picture, k, options in pictures():
        q = lloydq.quantize(picture, k, **options)
        yield name, hashlib.sha256(q.indices.tobytes() + q.palette.colors.tobytes()).hexdigest()[:12]
    for name, array in others():
        yield name, hashlib.sha256(array.tobytes()).hexdigest()[:12]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name, found in results():
        print(found, name, flush=True)
