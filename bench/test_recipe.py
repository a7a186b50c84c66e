"""The recipe: fit 2,000 random pixels of the photograph, predict all, draw two codebooks, fit all pixels.

    python -m pytest bench --benchmark-group-by=group --benchmark-columns=min,median,stddev,rounds

Within a group all do equal work: the same start, the same stop (no label changes), every processor; scikit-learn on
either dtype. Compilation is done before. The `mse` that is saved with each result, summed over the channels, is the
quality reached.
"""

from pathlib import Path

import numpy as np
import pytest

import lloydq
from lloydq.colors import DistinctColors

pytest.importorskip("pytest_benchmark", reason="benchmarks (extra: bench)")
sklearn_cluster = pytest.importorskip("sklearn.cluster", reason="the contender (extra: bench)")

K = 64
PIXELS = lloydq.pixels(Path(lloydq.__file__).parent / "data" / "dandelion.jpg")
SAMPLE = lloydq.random_points(PIXELS, 2000, rng=0)
START = lloydq.random_points(SAMPLE, K, rng=0).astype(float)
CONTENDERS = {"lloydq": np.uint8, "scikit-learn float32": np.float32, "scikit-learn float64": np.float64}


def fit(name, X, weight=None):
    """Lloyd from START until no label changes."""
    if name == "lloydq":
        return lloydq.KMeans(K, init=START, tol=0, max_iter=None).fit(X, sample_weight=weight)
    return sklearn_cluster.KMeans(K, init=START, n_init=1, tol=0, max_iter=100_000).fit(X, sample_weight=weight)


def mse(X, centroids, weight=None):
    squared = ((X.astype(float) - centroids[lloydq.nearest(X, centroids)]) ** 2).sum(axis=1)
    return round(float(np.average(squared, weights=weight)), 3)


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.benchmark(group="1 fit 2,000 pixels")
def test_fit_sample(benchmark, name):
    X = SAMPLE.astype(CONTENDERS[name])
    model = benchmark.pedantic(fit, (name, X), rounds=15, warmup_rounds=2)
    benchmark.extra_info.update(mse=mse(SAMPLE, model.cluster_centers_), n_iter=model.n_iter_)


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.benchmark(group="1 fit 2,000 pixels, ten seeds, each its own seeding by name")
def test_fit_sample_by_name(benchmark, name, init):
    X = SAMPLE.astype(CONTENDERS[name])
    Model = lloydq.KMeans if name == "lloydq" else sklearn_cluster.KMeans

    def ten():
        return [Model(K, init=init, n_init=1, random_state=seed).fit(X) for seed in range(10)]

    models = benchmark.pedantic(ten, rounds=9, warmup_rounds=1)
    benchmark.extra_info["mse"] = round(float(np.mean([mse(SAMPLE, model.cluster_centers_) for model in models])), 3)


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.benchmark(group="2 predict 2,073,600 pixels")
def test_predict_all(benchmark, name):
    X = PIXELS.astype(CONTENDERS[name])
    model = fit(name, SAMPLE.astype(CONTENDERS[name]))
    benchmark.pedantic(model.predict, (X,), rounds=15, warmup_rounds=2)
    benchmark.extra_info["mse"] = mse(PIXELS, model.cluster_centers_)


@pytest.mark.parametrize("among", [1000, None], ids=["of the first 1,000", "of all"])
@pytest.mark.benchmark(group="3 random codebook, and the nearest for every pixel")
def test_codebook(benchmark, among):
    def draw_and_map():
        codebook = lloydq.random_points(PIXELS[:among], K, rng=0)
        return codebook, lloydq.nearest(PIXELS, codebook)

    codebook, _ = benchmark.pedantic(draw_and_map, rounds=15, warmup_rounds=2)
    benchmark.extra_info["mse"] = mse(PIXELS, codebook.astype(float))


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.benchmark(group="4 fit all pixels, as distinct colours with counts, until no label changes")
def test_fit_all(benchmark, name):
    distinct = DistinctColors(PIXELS)
    X, weight = distinct.colors.astype(CONTENDERS[name]), distinct.counts.astype(float)
    model = benchmark.pedantic(fit, (name, X, weight), rounds=3, warmup_rounds=1 if name == "lloydq" else 0)
    benchmark.extra_info.update(mse=mse(distinct.colors, model.cluster_centers_, weight), n_iter=model.n_iter_)
