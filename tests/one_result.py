"""Fits and pictures of every kind, as one hash: `python tests/one_result.py [THREADS]` prints it."""

import hashlib
import sys
import warnings

import numpy as np

import lloydq


def problems():
    """Points for every way to make a pass, with k and weights."""
    rng = np.random.default_rng(5)
    clouds = rng.normal(size=(20, 8))[rng.integers(0, 20, 30_000)] * 3 + rng.normal(size=(30_000, 8))
    weight = rng.random(30_000)
    yield clouds, 16, None
    yield clouds.astype(np.float32), 16, weight
    yield clouds[:, :2], 40, weight
    yield np.rint(clouds * 9).astype(np.int16), 33, None
    yield rng.normal(size=(2_000, 64)).astype(np.float32), 64, None
    yield (clouds[:, :3] * 20 + 128).clip(0, 255).astype(np.uint8), 24, None
    yield (clouds[:, :2] * 20 + 128).clip(0, 255).astype(np.uint8), 24, np.arange(30_000) % 4
    yield clouds[:300] + 1e12, 7, None


def digest(n_threads=None):
    """Of all of them, and of a picture."""
    found = hashlib.sha256()
    for X, k, weight in problems():
        model = lloydq.KMeans(k, random_state=1, n_threads=n_threads, tol=0, max_iter=12).fit(X, sample_weight=weight)
        for what in (model.cluster_centers_, model.labels_, model.predict(X[:99]), model.transform(X[:99])):
            found.update(what.tobytes())
        found.update(repr((model.inertia_, model.n_iter_, model.score(X, sample_weight=weight))).encode())
    rng = np.random.default_rng(6)
    picture = rng.integers(0, 256, (120, 90, 3)).astype(np.uint8) // 3 + np.arange(90, dtype=np.uint8)[:, None]
    for options in ({}, {"dither": "floyd-steinberg"}, {"space": "oklab", "init": "random"}):
        found.update(lloydq.quantize(picture, 20, n_threads=n_threads, rng=2, **options).png)
    return found.hexdigest()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(digest(*map(int, sys.argv[1:])))
