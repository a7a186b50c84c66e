"""Every way to make a pass gives the labels, sums and centroids of plain NumPy, at every step."""

import os
import sys
import time
from functools import partial

import naive
import numba
import numpy as np
import pytest

from lloydq import KMeans, colors, kernels, kmeans_plusplus, lloyd, nearest, passes, random_points, steps
from lloydq.passes import BlockPass, BoundsPass, DensePass, FoldedBlocks, FoldedBounds, GroupsPass, exact
from lloydq.passes.dense import SHARED, found_in

LONG = os.environ.get("LLOYDQ_LONG", "") == "1"  # as in .ci/nightly: three times as many steps


def same_steps(X, start, weight, *make_passes, limit=None):
    """Compare runs with plain NumPy's step by step, bit for bit; how many steps there were."""
    limit = limit if limit is None or LONG else max(8, limit // 3)
    runs = [steps(X, start, weight, max_iter=limit, make_pass=make) for make in (lloyd.PlainPass, *make_passes)]
    count = 0
    for plain, *others in zip(*runs, strict=True):
        for step in others:
            np.testing.assert_array_equal(step.labels, plain.labels)
            np.testing.assert_array_equal(step.moved, plain.moved)
            assert (step.n_iter, step.changed, step.relocated) == (plain.n_iter, plain.changed, plain.relocated)
            assert (step.inertia, step.inertia_after_update) == (plain.inertia, plain.inertia_after_update)
            assert step.stop_reason == plain.stop_reason
            assert step.sums.computed + step.sums.skipped == plain.sums.computed
        count += 1
    return count


def on_threads(kind, *numbers):
    return [partial(kind, n_threads=n_threads) for n_threads in numbers]


@pytest.mark.slow
def test_the_photograph_to_the_end(photo_colors):
    X, weight = photo_colors
    start = kmeans_plusplus(X, 64, sample_weight=weight, random_state=0)[0]
    assert same_steps(X, start, weight, *on_threads(DensePass, 2), *on_threads(BlockPass, 1, 2, 3, 8)) > 50
    start = random_points(X, 16, 0, weight)
    assert same_steps(X, start, weight, *on_threads(DensePass, 2), *on_threads(BlockPass, 2)) > 50


def test_the_photograph_from_random_colours(photo_colors):
    X, weight = photo_colors
    start = random_points(X, 64, 0, weight)
    same_steps(X, start, weight, *on_threads(DensePass, 1, 5), *on_threads(BlockPass, 2), limit=40)


@pytest.mark.slow
def test_the_photograph_from_random_colours_to_the_end(photo_colors):
    X, weight = photo_colors
    for seed in range(3):
        assert (
            same_steps(
                X, random_points(X, 64, seed, weight), weight, *on_threads(DensePass, 5), *on_threads(BlockPass, 1, 2)
            )
            > 200
        )


def ties(rng):
    return rng.integers(0, 6, (20_011, 3)).astype(np.uint8) * 2


DATA = {
    "noise": lambda rng: rng.integers(0, 256, (30_001, 3)).astype(np.uint8),
    "ties": ties,
    "duplicates": lambda rng: np.repeat(rng.normal(size=(50, 3)), 401, axis=0),
    "far from the origin": lambda rng: rng.normal(size=(20_011, 3)) + 1e6,
    "float32": lambda rng: rng.normal(size=(20_011, 3)).astype(np.float32),
    "one column": lambda rng: rng.normal(size=(20_011, 1)),
    "two columns": lambda rng: rng.integers(0, 1000, (20_011, 2)),
    "many columns": lambda rng: rng.normal(size=(9_001, 17)),
    "float16": lambda rng: rng.normal(size=(20_011, 3)).astype(np.float16),
    "big-endian": lambda rng: rng.normal(size=(20_011, 3)).astype(">f4"),
    "Fortran order": lambda rng: np.asfortranarray(rng.normal(size=(20_011, 3))),
    "every other row": lambda rng: rng.normal(size=(40_022, 3))[::2],
}


@pytest.mark.parametrize("kind", DATA)
def test_other_data(kind, rng):
    X = DATA[kind](rng)
    start = lloyd.random_points(np.unique(X, axis=0), 13, 0).astype(np.float64)
    bounds = *on_threads(BoundsPass, 1, 2, 8), *on_threads(GroupsPass, 1, 3)
    same_steps(X, start, None, *on_threads(DensePass, 1, 3), *bounds, limit=60)
    weight = rng.random(len(X)) if X.dtype.kind == "f" else rng.integers(0, 4, len(X)).astype(np.float64)
    same_steps(
        X, start, weight, *on_threads(DensePass, 3), *on_threads(BoundsPass, 1), *on_threads(GroupsPass, 2), limit=25
    )
    start = lloyd.random_points(X, 150, 0).astype(np.float64)  # many groups
    same_steps(X, start, None, *on_threads(BoundsPass, 1), *on_threads(GroupsPass, 1, 2, 8), limit=25)


class Unlocked:
    """A cached property as Python has it since 3.12, where threads change at the worst moment."""

    def __get__(self, visit, kind):
        made = np.full(len(visit.X), -1, np.int32)
        time.sleep(0.02)
        visit.__dict__["labels"] = made
        return made


@pytest.mark.parametrize("kind", [DensePass, BoundsPass, GroupsPass, BlockPass])
def test_all_threads_write_to_the_same_labels(kind, rng, monkeypatch):
    X = colors.DistinctColors(rng.integers(0, 256, (200_000, 3)).astype(np.uint8)).colors
    start = random_points(X, 40, 0)
    with monkeypatch.context() as patch:
        patch.setattr(lloyd.PlainPass, "labels", Unlocked())
        visit = kind(X, None, n_threads=3)
        visit(start)
    np.testing.assert_array_equal(visit.labels, nearest(X, start))


WIDE = {
    "patches": lambda rng, photo: np.stack([photo[y : y + 4, 99:103].ravel() for y in rng.integers(0, 266, 9_001)]),
    "bytes with ties": lambda rng, _: rng.integers(0, 3, (9_001, 20)).astype(np.uint8),
    "float32, near ties": lambda rng, _: (rng.integers(0, 2, (9_001, 21)) + rng.normal(0, 1e-6, (9_001, 21))).astype(
        "f4"
    ),
    "far from the origin": lambda rng, _: rng.normal(size=(9_001, 40)) + 1e6,
    "duplicates": lambda rng, _: np.repeat(rng.normal(size=(90, 33)), 101, axis=0),
    "one that is far": lambda rng, _: np.vstack([rng.normal(size=(9_000, 18)), np.full(18, 1e12)]),
    "large": lambda rng, _: rng.normal(size=(5_001, 24)) * 1e30,
    "where float32 ends": lambda rng, _: rng.normal(size=(5_001, 24)) * 5e18,
    "huge": lambda rng, _: rng.normal(size=(5_001, 24)) * 1e140,
    "small": lambda rng, _: rng.normal(size=(5_001, 24)) * 1e-21,
    "below float32": lambda rng, _: rng.normal(size=(5_001, 24)) * 1e-44,
    "tiny": lambda rng, _: rng.normal(size=(5_001, 24)) * 1e-160,
    "int64": lambda rng, _: rng.integers(-(10**6), 10**6, (5_001, 19)),
}


@pytest.mark.parametrize("kind", [BoundsPass, GroupsPass])
def test_a_centroid_that_came_from_far_to_points_that_are_near(kind, rng):
    """What it has moved is 1e15 times what tells its points apart."""
    for _ in range(20):
        X = np.concatenate([rng.normal(size=(400, 2)) * 1e-12, rng.normal(size=(400, 2)) * 1e3])
        near, far = rng.normal(size=(16, 2)) * 1e-12, rng.normal(size=(16, 2)) * 10 + [1000, 0]
        visit, centroids = kind(X), np.concatenate([near, far])
        for call in range(8):
            visit(centroids)
            np.testing.assert_array_equal(visit.labels, lloyd.assign(X, centroids))
            centroids = centroids.copy()
            centroids[20] += 1
            centroids[16] = rng.normal(size=2) * 1e-12 if call == 0 else centroids[16] + rng.normal(size=2) * 3e-13


def test_distances_that_overflow(rng):
    """`KMeans` refuses such points; the loop itself need not."""
    X = rng.normal(size=(3_001, 20)) * 10.0 ** rng.integers(0, 160, (3_001, 1))
    with np.errstate(all="ignore"):
        same_steps(X, X[:17], None, DensePass, BoundsPass, GroupsPass, limit=10)


@pytest.mark.parametrize("kind", WIDE)
def test_many_columns(kind, rng, photo):
    """Products in float32 that decide nothing, or not enough, leave it to the definition."""
    X = WIDE[kind](rng, photo.reshape(1080, 1920, 3)[::4, ::4])
    for k in (3, 16, 50):
        start = X[rng.choice(len(X), k, replace=False)].astype(np.float64)
        start[2] = start[1]  # two in one place
        same_steps(X, start, None, *on_threads(DensePass, 2), *on_threads(GroupsPass, 1, 2, 3, 8), limit=30)
        assert nearest(X, start).tolist() == lloyd.assign(X, start).tolist()
    weight = rng.random(len(X)) * (rng.random(len(X)) < 0.9)
    start = np.concatenate([start, np.full((2, X.shape[1]), 1e8 * np.abs(X).max(), float)])  # empty
    same_steps(X, start, weight, *on_threads(GroupsPass, 2), limit=20)


BYTES = {
    "noise": lambda rng: rng.integers(0, 256, (20_011, 3)),
    "ties": lambda rng: rng.integers(0, 6, (20_011, 3)) * 2,
    "duplicates": lambda rng: np.repeat(rng.integers(0, 256, (50, 3)), 401, axis=0),
    "sorted": lambda rng: np.sort(rng.integers(0, 256, (20_011, 3)), axis=0),
    "grey": lambda rng: np.repeat(rng.integers(0, 256, (20_011, 1)), 3, axis=1),
    "few": lambda rng: rng.integers(0, 256, (63, 3)),
}


@pytest.mark.parametrize("kind", BYTES)
def test_blocks_of_colours(kind, rng):
    X = BYTES[kind](rng).astype(np.uint8)
    weight = rng.integers(0, 4, len(X)).astype(np.float64)
    for start in (
        lloyd.random_points(np.unique(X, axis=0), 13, 0).astype(np.float64),
        rng.normal(100, 30, (40, 3)),
        np.concatenate([X[:2], rng.normal(0, 1e9, (3, 3)), np.full((2, 3), 1e150)]),
    ):
        same_steps(X, start, weight, *on_threads(BlockPass, 1, 3), *on_threads(FoldedBlocks, 2), limit=60)
        same_steps(X, start, weight * 0.37, *on_threads(BlockPass, 2), limit=20)
        same_steps(X, start, None, *on_threads(BlockPass, 2), *on_threads(FoldedBlocks, 2), limit=60)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_rows_of_bytes_are_folded(d, rng, monkeypatch):
    monkeypatch.setattr(colors, "PIECE", 7_000)
    X = rng.integers(0, 9, (20_011, d)).astype(np.uint8) ** 2
    start = X[rng.choice(len(X), 7, replace=False)] + 0.25
    weight = rng.integers(0, 4, len(X)).astype(np.float64)
    for w in (None, weight):
        assert type(passes.suited(X, w, 7)) is FoldedBounds
        assert len(passes.suited(X, w, 7).X) == len(np.unique(X if w is None else X[w > 0], axis=0))
        same_steps(X, start, w, lambda X, w: passes.suited(X, w, 7), *on_threads(FoldedBounds, 1), limit=60)
    assert type(passes.suited(X, weight / 3, 7)) is BoundsPass  # sums of such weights would hang on their order
    folded = KMeans(7, init=start, tol=0).fit(X, sample_weight=weight)
    visited = KMeans(7, init=start, tol=0, algorithm="dense").fit(X, sample_weight=weight)
    np.testing.assert_array_equal(folded.labels_, visited.labels_)
    np.testing.assert_array_equal(folded.cluster_centers_, visited.cluster_centers_)
    assert [record.changed for record in folded.history_] == [record.changed for record in visited.history_]


@pytest.mark.parametrize("scale", [1e-160, 1e-148, 1e-9, 1e9, 1e140])
def test_bounds_at_any_scale_and_after_a_far_start(scale, rng):
    X = np.concatenate([rng.normal(size=(4_000, 3)), rng.normal(4, 1, (4_000, 3))]) * scale
    same_steps(X, X[:9], None, *on_threads(BoundsPass, 2), *on_threads(GroupsPass, 2), limit=80)
    far = np.concatenate([X[:6], X[:3] * 1e9])
    same_steps(X, far, None, *on_threads(BoundsPass, 2), *on_threads(GroupsPass, 2), limit=80)
    same_steps(X, X[:150], None, *on_threads(BoundsPass, 2), *on_threads(GroupsPass, 2), limit=40)


def test_one_pass_serves_several_starts(rng):
    X = rng.integers(0, 256, (20_011, 3)).astype(np.uint8)
    for visit in (lloyd.PlainPass(X), DensePass(X), BoundsPass(X), GroupsPass(X), BlockPass(X), FoldedBlocks(X)):
        for seed in range(2):
            start = random_points(X, 9, seed).astype(float)
            *_, last = steps(visit.X, start, visit.weight, max_iter=20, make_pass=lambda *_, visit=visit: visit.again())
            *_, plain = steps(X, start, max_iter=20)
            np.testing.assert_array_equal(last.labels, plain.labels)
            np.testing.assert_array_equal(last.centroids, plain.centroids)


def test_empty_clusters_are_filled_alike(rng):
    X = rng.integers(0, 256, (20_011, 3)).astype(np.uint8)
    start = np.concatenate([X[:5].astype(float), np.full((4, 3), 9999.0)])
    assert next(steps(X, start)).relocated == 4
    same_steps(X, start, None, *on_threads(DensePass, 2), *on_threads(BlockPass, 2), limit=30)
    same_steps(X * 0.37, start, None, *on_threads(DensePass, 2), *on_threads(BoundsPass, 2), limit=30)
    start = np.concatenate([X[:200].astype(float), np.full((4, 3), 9999.0)])
    same_steps(X * 0.37, start, None, *on_threads(GroupsPass, 2), limit=30)


def test_empty_clusters_among_many_equal_points(rng):
    few = rng.normal(size=(40, 3))
    X = np.concatenate([few[rng.integers(0, 40, 30_000)], rng.normal(size=(20, 3)) * 50])
    weight = rng.random(len(X)) * (rng.random(len(X)) < 0.9)
    for k in (12, 50, 70):  # 70 are more than there are positions
        start = np.concatenate([X[:3], np.full((k - 3, 3), 9999.0)])
        assert next(steps(X, start, weight)).relocated >= min(k - 3, 40)
        same_steps(X, start, weight, *on_threads(DensePass, 1, 2), *on_threads(BoundsPass, 2), limit=30)
        same_steps(X, start, weight, *on_threads(GroupsPass, 2), limit=30)
        whole = np.rint(X).astype(np.int64)
        same_steps(whole, start, np.rint(weight * 3), *on_threads(DensePass, 1, 2), limit=30)


def test_distances_that_a_box_excludes_are_counted(photo_colors):
    X, weight = photo_colors
    step = next(steps(X, random_points(X, 64, 0, weight), weight, make_pass=DensePass))
    assert step.sums.computed + step.sums.skipped == len(X) * 64
    assert step.sums.skipped > 0.7 * len(X) * 64


def test_which_pass_suits(monkeypatch):
    few, bytes_, floats = np.zeros((10, 3)), np.zeros((9999, 3), np.uint8), np.zeros((9999, 3))
    assert kernels.ALL  # they are loaded
    assert type(passes.suited(few, None, 2)) is DensePass
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "lloydq.kernels")
        assert type(passes.suited(few, None, 2)) is lloyd.PlainPass
    assert type(passes.suited(bytes_, None, 64)) is FoldedBlocks
    assert type(passes.suited(bytes_, np.ones(9999), 64)) is FoldedBlocks
    assert type(passes.suited(bytes_, np.ones(9999), 64, distinct=True)) is BlockPass
    assert type(passes.suited(bytes_, np.full(9999, 0.3), 64)) is BlockPass
    assert type(passes.suited(bytes_[:, :2], None, 64)) is FoldedBounds
    assert type(passes.suited(bytes_, None, 8, None, "dense")) is DensePass
    assert type(passes.suited(floats[:1000], None, 8)) is DensePass
    assert type(passes.suited(floats, None, 8)) is BoundsPass
    assert type(passes.suited(floats, None, 8, None, "dense")) is DensePass
    assert type(passes.suited(few, None, 2, None, "bounds")) is BoundsPass
    assert type(passes.suited(few, None, 2, None, "groups")) is GroupsPass
    assert type(passes.suited(np.zeros((9999, 50)), None, 64)) is GroupsPass
    assert type(passes.suited(np.zeros((9999, 40)), None, 64)) is BoundsPass
    assert type(passes.suited(np.zeros((9999, 100)), None, 32)) is BoundsPass
    assert type(passes.suited(np.zeros((100, 5000)), None, 8)) is DensePass
    with pytest.raises(ValueError, match="algorithm='blocks' is for uint8 points of three columns"):
        KMeans(2, algorithm="blocks").fit(floats)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (257, 3, 5), (5_000, 3, 64), (3_001, 9, 30)])
def test_nearest_is_the_brute_force(shape, dtype, rng):
    n, d, k = shape
    X, centroids = (
        rng.integers(0, 20, (n, d)).astype(dtype),
        rng.integers(0, 20, (k, d)) + rng.integers(0, 2, (k, d)) / 2,
    )
    labels = nearest(X, centroids)
    assert labels.dtype == np.int32
    rows = rng.integers(0, n, 300)
    assert labels[rows].tolist() == naive.assign(X[rows], centroids)


@pytest.mark.parametrize("scale", [1e-170, 1e-162, 1e-155, 1e-9, 1.0, 1e9, 1e140])
def test_nearest_at_any_scale_and_in_narrow_boxes(scale, rng):
    X = np.sort(rng.integers(0, 200, (20_011, 3)), axis=0) * scale
    centroids = X[rng.integers(0, len(X), 60)] + rng.integers(0, 2, (60, 3)) * scale / 2
    np.testing.assert_array_equal(nearest(X, centroids), lloyd.assign(X, centroids))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
def test_numpy_and_kernels_give_the_same_bits_for_few_points(dtype, rng, monkeypatch):
    X, centroids, weight = (rng.random((300, 3)) * 200).astype(dtype), rng.random((7, 3)) * 200, rng.random(300)
    results = []
    for plain in (True, False):
        monkeypatch.setattr(passes.nearest, "tiny", lambda X, k, plain=plain: plain)
        labels = passes.assign(X, centroids)
        spread = passes.scatter(X, centroids, labels, weight)
        results.append((labels.tobytes(), passes.distances(X, centroids).tobytes(), spread))
    assert results[0] == results[1]


@pytest.mark.parametrize("k", [2, 64, 300, 1000])
def test_nearest_on_many_pixels_goes_by_distinct_colours(photo, k, rng):
    centroids = rng.random((k, 3)) * 255
    pixels = photo if k < 100 else photo[: (1 << 24) // k + 1]
    labels = nearest(pixels, centroids)
    some = rng.integers(0, len(pixels), 20_000)
    np.testing.assert_array_equal(labels[some], lloyd.assign(pixels[some], centroids))
    np.testing.assert_array_equal(labels, nearest(pixels, centroids, n_threads=1))


def test_a_fit_is_the_same_on_any_number_of_threads(rng):
    for X in (rng.normal(size=(30_000, 4)), rng.integers(0, 256, (30_000, 3)).astype(np.uint8)):
        models = [KMeans(9, n_threads=t, random_state=3, tol=0).fit(X) for t in (1, 2, 5, None)]
        for model in models[1:]:
            np.testing.assert_array_equal(model.cluster_centers_, models[0].cluster_centers_)
            np.testing.assert_array_equal(model.labels_, models[0].labels_)
            assert (model.inertia_, model.n_iter_) == (models[0].inertia_, models[0].n_iter_)


@pytest.mark.parametrize("algorithm", ["dense", "bounds", "groups"])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_few_rows_shared_by_threads(rng, algorithm, dtype):
    X = (rng.normal(size=(3000, 20)) * 40 + 128).clip(0, 255).astype(dtype)
    assert X.size * 40 > SHARED
    start, fits = X[:40].astype(float), []
    for n_threads in (1, 2, 5):
        model = KMeans(40, init=start, tol=0, max_iter=None, algorithm=algorithm, n_threads=n_threads).fit(X)
        fits.append((model.cluster_centers_.tobytes(), model.labels_.tobytes(), model.inertia_, model.n_iter_))
    assert fits[0] == fits[1] == fits[2]
    plain = KMeans(40, init=start, tol=0, max_iter=None, algorithm="plain").fit(X)
    assert plain.labels_.tobytes() == fits[0][1]


def test_sums_that_float64_cannot_hold_are_infinite():
    assert exact([[1.7e308, 1.7e308], [1.0]])[0] == np.inf
    assert exact([[1e16, 1.0], [-1e16]]) == [1.0]
    assert exact([[]]) == [0.0]


def test_scores_that_float64_cannot_hold_are_infinite(rng):
    X = rng.normal(size=(60, 3))
    model = KMeans(3, random_state=0).fit(X)
    for factor, weight in ((1e150, 1e10), (1e150, 1e100), (1e100, 1e150)):
        assert model.score(X * factor, sample_weight=np.full(60, weight)) == -np.inf
        assert model.score(X[:3] * factor, sample_weight=np.full(3, weight)) == -np.inf
    far = model.transform(np.full((2, 3), 3e38, np.float32))
    assert np.isinf(far).all()


@pytest.mark.parametrize("d", [1, 7, 784])
def test_products_in_registers(d, rng):
    """Compiled anew, whatever machine code there is on disk."""
    from lloydq.kernels.wide import GROUP, TILE, _products

    @numba.njit
    def compiled(points, table, halves, product):
        for g in range(len(table)):
            _products(points, table, halves, g, product[g])

    points, table = (rng.normal(size=shape).astype(np.float32) for shape in ((TILE, d), (3, d, GROUP)))
    halves, product = (table**2).sum(axis=1) / 2, np.empty((3, GROUP, TILE), np.float32)
    compiled(points, table, halves, product)
    added = [halves[:, :, None], *np.einsum("gdc,pd->dgcp", table.astype(np.float64), -points)]
    wrong, size = abs(product - sum(added)), sum(map(abs, added))
    assert (wrong <= (d + 8) * 2.0**-24 * size).all()


def test_rows_are_found_among_others(rng):
    for d in (1, 2, 5):
        rows = rng.integers(-1, 3, (300, d)) / 2.0
        X = np.unique(rows[:40], axis=0)[rng.permutation(len(np.unique(rows[:40], axis=0)))]
        expected = [next((j for j, x in enumerate(X) if (x == row).all()), -1) for row in rows]
        assert found_in(X, rows).tolist() == expected
