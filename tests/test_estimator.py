"""KMeans and nearest: attributes that belong together, parameters, bad input."""

import copy
import math
import pickle
import re
import warnings

import naive
import numpy as np
import pytest

import lloydq
from lloydq import ConvergenceWarning, KMeans, NotFittedError, k_means, nearest, passes, seeding
from lloydq.estimator import better
from lloydq.fitting import Fit
from lloydq.lloyd import squared_distances


@pytest.fixture
def blobs(rng):
    return np.concatenate([rng.normal(center, 1, (150, 2)) for center in (0, 10, 20)])


def belong_together(model, X, weight=None):
    w = np.ones(len(X)) if weight is None else weight
    assert model.labels_.tolist() == naive.assign(X, model.cluster_centers_)
    direct = naive.inertia(X, model.labels_, w, model.cluster_centers_)
    assert model.inertia_ == pytest.approx(direct, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32, np.uint8, np.float16])
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_attributes_belong_together(blobs, init, dtype):
    X = np.clip(blobs * 5 + 20, 0, 255).astype(dtype)
    for options in ({}, {"tol": 0}, {"tol": 0.5}, {"max_iter": 2}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = KMeans(5, init=init, random_state=0, **options).fit(X)
        belong_together(model, X)
        assert model.cluster_centers_.dtype == (np.float32 if dtype == np.float32 else np.float64)
        assert model.labels_.dtype == np.int32
        assert model.predict(X).tolist() == model.labels_.tolist()
        assert model.converged_ == (model.stop_reason_ == "converged")
        assert model.n_features_in_ == 2


def test_with_weights(blobs, rng):
    weight = rng.random(len(blobs))
    model = KMeans(4, random_state=0).fit(blobs, sample_weight=weight)
    belong_together(model, blobs, weight)
    assert model.score(blobs, sample_weight=weight) == pytest.approx(-model.inertia_, rel=1e-12)


def test_transform_holds_the_distances(blobs):
    for X in (blobs, blobs.astype(np.float32)):
        model = KMeans(3, random_state=0).fit(X)
        distances = model.transform(X)
        assert distances.shape == (len(X), 3)
        assert distances.dtype == X.dtype
        assert distances.argmin(axis=1).tolist() == model.labels_.tolist()
        expected = [[naive.squared_distance(x, c) ** 0.5 for c in model.cluster_centers_] for x in X[:20]]
        np.testing.assert_allclose(distances[:20], expected, rtol=1e-6)
        np.testing.assert_array_equal(KMeans(3, random_state=0).fit_transform(X), distances)
        np.testing.assert_array_equal(KMeans(3, random_state=0).fit_predict(X), model.labels_)


def test_floats_of_the_other_byte_order(blobs):
    for dtype in ("f4", "f8"):
        native, other = (KMeans(4, random_state=0).fit(blobs.astype(order + dtype)) for order in "<>")
        assert other.cluster_centers_.dtype == native.cluster_centers_.dtype == dtype
        np.testing.assert_array_equal(other.cluster_centers_, native.cluster_centers_)
        np.testing.assert_array_equal(other.labels_, native.labels_)
        drawn, _ = lloydq.kmeans_plusplus(blobs.astype(">" + dtype), 4, random_state=0)
        assert drawn.dtype == dtype


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", "i4", ">f4", ">f8", "f2"])
def test_transform_of_many_rows_is_the_root_of_the_squared_distance(dtype, rng):
    X, centers = (rng.random((5001, 5)) * 200).astype(dtype), rng.random((7, 5)) * 200
    model = KMeans(7)
    model.cluster_centers_, model.n_threads = np.asfortranarray(centers), 3
    expected = [np.sqrt(squared_distances(X, centers, np.full(len(X), j))) for j in range(7)]
    np.testing.assert_array_equal(
        model.transform(X), np.stack(expected, axis=1).astype("f4" if dtype.endswith("f4") else "f8")
    )


def test_a_seed_gives_one_result_and_more_starts_never_a_worse_one(blobs):
    worst = np.inf
    for n_init in (1, 3, 10):
        a, b = (KMeans(6, init="random", n_init=n_init, random_state=7).fit(blobs) for _ in range(2))
        np.testing.assert_array_equal(a.cluster_centers_, b.cluster_centers_)
        assert a.inertia_ <= worst
        worst = a.inertia_


@pytest.mark.parametrize(
    "init", ["k-means++", "random", lambda X, k, random_state: X[random_state.permutation(len(X))[:k]]]
)
def test_a_longer_series_of_starts_begins_with_the_shorter_one(blobs, init):
    def starts(n_init):
        seen = []
        KMeans(
            4, init=init, n_init=n_init, random_state=3,
            callback=lambda step: seen.append(step.centroids.tolist()) if step.n_iter == 1 else None,
        ).fit(blobs)  # fmt: skip
        return seen

    long = starts(5)
    assert len(long) == 5
    assert len({str(start) for start in long}) > 1
    assert starts(2) == long[:2]


def test_other_sources_of_randomness(blobs):
    def first(state):
        return KMeans(9, max_iter=1, tol=9, random_state=state).fit(blobs).cluster_centers_.tolist()

    for kind in (np.random.default_rng, np.random.RandomState):
        state = kind(1)
        assert first(kind(1)) == first(state)
        assert first(state) != first(kind(1))  # it goes on
        assert first(kind(2)) != first(kind(1))
    assert first(None) != first(None)


def test_given_starts_and_functions(blobs):
    model = KMeans(3, init=blobs[[0, 150, 300]].tolist()).fit(blobs)
    assert sorted(np.bincount(model.labels_)) == [150, 150, 150]
    model = KMeans(3, init=lambda X, k, random_state: X[:k], n_init=1).fit(blobs)
    belong_together(model, blobs)


def test_stop_reasons(blobs):
    assert KMeans(3, tol=0, random_state=0).fit(blobs).stop_reason_ == "converged"
    assert KMeans(3, init="random", n_init=1, tol=1.0, random_state=0).fit(blobs).stop_reason_ == "tol"
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        model = KMeans(9, max_iter=1, tol=0, random_state=0).fit(blobs)
    assert (model.stop_reason_, model.n_iter_, model.converged_) == ("max_iter", 1, False)
    seen = []
    model = KMeans(
        9, tol=0, max_iter=None, random_state=0, callback=lambda step: seen.append(step.n_iter) or len(seen) == 2
    )
    assert model.fit(blobs).stop_reason_ == "callback"
    assert seen == [1, 2]
    belong_together(model, blobs)


def test_a_callback_ends_the_fit_of_its_start_only(blobs):
    seen = []
    model = KMeans(3, init="random", n_init=4, random_state=0, callback=lambda step: seen.append(step) or True)
    assert model.fit(blobs).n_iter_ == 1
    assert len(seen) == 4
    assert model.inertia_ == pytest.approx(min(step.inertia for step in seen), rel=1e-9)
    belong_together(model, blobs)
    assert KMeans(3, random_state=0, callback=lambda step: "go on").fit(blobs).stop_reason_ == "converged"


@pytest.mark.parametrize("options", [{"tol": 0}, {"tol": 0.1}, {"tol": 0, "max_iter": 3}, {"n_init": 3, "tol": 0}])
@pytest.mark.filterwarnings("ignore:the fit stopped")
def test_history_has_a_record_of_each_step(blobs, options):
    steps = []
    model = KMeans(5, random_state=2, callback=lambda step: steps.append(step), **options).fit(blobs)
    last = steps[-len(model.history_) :] if options.get("n_init") is None else None
    uncounted = model.stop_reason_ in ("tol", "max_iter")
    assert [record.n_iter for record in model.history_] == [*range(1, model.n_iter_ + 1), *[model.n_iter_] * uncounted]
    for record, step in zip(model.history_, last or [], strict=last is not None):
        assert record[:3] == (step.n_iter, step.inertia, step.changed)
        assert record.shift == pytest.approx(np.linalg.norm(step.moved - step.centroids))
        assert record[4:7] == (step.sums.computed, step.sums.skipped, step.relocated)
    assert all(record.seconds > 0 for record in model.history_)
    assert model.history_[-1].inertia == pytest.approx(model.inertia_, rel=1e-9)
    assert all(a.inertia >= b.inertia for a, b in zip(model.history_, model.history_[1:], strict=False))


def test_verbose_speaks_as_scikit_learn(blobs, capsys):
    KMeans(3, tol=0, random_state=0, verbose=1).fit(blobs)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Initialization complete"
    assert lines[1].startswith("Iteration 0, inertia ")
    assert lines[-1] == f"Converged at iteration {len(lines) - 3}: strict convergence."
    KMeans(3, tol=0.5, random_state=0, verbose=1).fit(blobs)
    last = capsys.readouterr().out.splitlines()[-1]
    shift, within = re.search(r"center shift (\S+) within tolerance (\S+)\.$", last).groups()
    assert float(shift) <= float(within) == pytest.approx(0.5 * blobs.var(axis=0).mean())
    with pytest.warns(ConvergenceWarning):
        KMeans(3, tol=0, max_iter=1, random_state=0, verbose=1).fit(blobs)
    assert capsys.readouterr().out.splitlines()[-1] == "Stopped at iteration 0: max_iter."
    KMeans(3, random_state=0).fit(blobs)
    assert not capsys.readouterr().out


@pytest.mark.parametrize("name", passes.ALGORITHMS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
def test_every_algorithm_gives_the_same(name, dtype, rng):
    X = rng.integers(0, 256, (5_000, 3)).astype(dtype)
    if name == "blocks" and dtype != np.uint8:
        with pytest.raises(ValueError, match="is for uint8 points of three columns"):
            KMeans(20, algorithm=name).fit(X)
        return
    reference = KMeans(20, random_state=0, tol=0, algorithm="plain").fit(X)
    model = KMeans(20, random_state=0, tol=0, algorithm=name).fit(X)
    np.testing.assert_array_equal(model.labels_, reference.labels_)
    np.testing.assert_array_equal(model.cluster_centers_, reference.cluster_centers_)
    folded = dtype == np.uint8 and name in ("auto", "lloyd", "elkan", "blocks")
    if folded:  # distinct colours are added in their order
        assert model.inertia_ == pytest.approx(reference.inertia_, rel=1e-13)
    else:
        assert model.inertia_ == reference.inertia_
    assert model.n_iter_ == reference.n_iter_


def test_the_names_of_scikit_learn_and_ours():
    assert type(passes.suited(np.zeros((9999, 3)), None, 8, algorithm="plain")) is lloydq.lloyd.PlainPass
    assert type(passes.suited(np.zeros((9, 3)), None, 2, algorithm="dense")) is passes.DensePass
    for name in ("auto", "lloyd", "elkan"):
        assert type(passes.suited(np.zeros((99_999, 3)), None, 8, algorithm=name)) is passes.BoundsPass
    with pytest.warns(RuntimeWarning, match="doesn't make sense for a single cluster"):
        KMeans(1, algorithm="elkan").fit([[1.0], [2.0]])


def test_rules_for_empty_clusters(blobs):
    start = np.concatenate([blobs[[0, 150, 300]], [[900.0, 900.0]]])[[0, 3, 1, 2]]
    model = KMeans(4, init=start).fit(blobs)
    assert set(model.labels_) == {0, 1, 2, 3}
    assert sum(record.relocated for record in model.history_) == 1
    belong_together(model, blobs)
    model = KMeans(4, init=start, empty_cluster="keep").fit(blobs)  # without a warning
    assert set(model.labels_) == {0, 2, 3}
    np.testing.assert_array_equal(model.cluster_centers_[1], [900, 900])
    belong_together(model, blobs)
    with pytest.raises(ValueError, match=r"no point is nearest to the centroid of clusters \[1\]"):
        KMeans(4, init=start, empty_cluster="error").fit(blobs)
    KMeans(3, init=start[[0, 2, 3]], empty_cluster="error").fit(blobs)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
@pytest.mark.parametrize("max_iter", [1, 2, 3, 50])
@pytest.mark.filterwarnings("ignore:the fit stopped")
def test_attributes_belong_together_after_relocation(dtype, max_iter, rng):
    X = rng.integers(0, 200, (400, 2)).astype(dtype)
    start = np.concatenate([X[:4].astype(float), np.full((6, 2), 250.0)])
    for algorithm in ("plain", "dense"):
        model = KMeans(10, init=start, max_iter=max_iter, tol=0, algorithm=algorithm).fit(X)
        assert sum(record.relocated for record in model.history_) >= 5
        belong_together(model, X)
        np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_starts_that_differ_in_rounding_are_one(rng):
    """So the first of equally good ones is kept, whatever the order of the rows."""
    X = rng.normal(size=(300, 2)) + rng.integers(0, 3, (300, 1)) * 40
    models = [
        KMeans(3, n_init=8, tol=0, random_state=1).fit(X[order]) for order in (np.arange(300), rng.permutation(300))
    ]
    np.testing.assert_allclose(models[0].cluster_centers_, models[1].cluster_centers_, rtol=1e-12)


def test_fewer_positions_than_clusters_warns_and_puts_spare_centroids_last():
    X = np.array([[1.0], [2.0], [1.0], [3.0], [2.0]])
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\) found smaller than n_clusters \(5\)"):
        model = KMeans(5, random_state=0).fit(X)
    assert set(model.labels_) == {0, 1, 2}
    assert model.inertia_ == 0
    belong_together(model, X)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\)"):
        model = KMeans(3, init=[[1.0], [1.0], [2.0]]).fit([[1.0], [2.0], [1.0]])
    assert model.labels_.tolist() == [0, 1, 0]
    assert model.cluster_centers_.ravel().tolist() == [1, 2, 1]


@pytest.mark.parametrize("offset", [0, 1e3, 1e6, 1e8, -1e12])
@pytest.mark.parametrize("n", [450, 30_000])
def test_inertia_is_its_recomputation(offset, n, rng):
    X = rng.normal(size=(n, 3)) + rng.integers(0, 5, (n, 1)) * 9 + offset
    weight = rng.random(n)
    for options in ({}, {"max_iter": 2, "tol": 1}):
        model = KMeans(5, random_state=0, **options).fit(X, sample_weight=weight)
        terms = weight * np.array(
            [((x - model.cluster_centers_[j]) ** 2).sum() for x, j in zip(X, model.labels_, strict=True)]
        )
        assert model.inertia_ == pytest.approx(math.fsum(terms), rel=1e-12)


def test_lists_read_only_views_and_odd_dtypes(blobs):
    reference = KMeans(3, random_state=0).fit(blobs)
    frozen = blobs.copy()
    frozen.flags.writeable = False
    kinds = [
        blobs.tolist(),
        frozen,
        np.asfortranarray(blobs),
        np.repeat(blobs, 2, axis=0)[::2],
        blobs.astype(">f8"),
        blobs.astype(object),
    ]
    for X in kinds:
        model = KMeans(3, random_state=0).fit(X)
        np.testing.assert_array_equal(model.cluster_centers_, reference.cluster_centers_)


def test_pickle_and_copy(blobs):
    model = KMeans(3, random_state=0).fit(blobs)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(twin.predict(blobs), model.labels_)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_clusters": 0}, ValueError, "n_clusters must be at least 1; got 0"),
        ({"n_clusters": -1}, ValueError, "n_clusters"),
        ({"n_clusters": 451}, ValueError, "n_samples=450 should be >= n_clusters=451"),
        ({"n_clusters": 1.5}, TypeError, "n_clusters must be a whole number; got 1.5"),
        ({"n_clusters": True}, TypeError, "n_clusters"),
        ({"init": "best"}, ValueError, "'k-means\\+\\+', 'random'"),
        ({"init": np.zeros((2, 2))}, ValueError, r"initial centers \(2, 2\) does not match the number of clusters 8"),
        ({"init": np.zeros((8, 3))}, ValueError, r"\(8, 3\) does not match the number of features of the data 2"),
        ({"n_init": 0}, ValueError, "n_init"),
        ({"n_init": "many"}, ValueError, "n_init must be 'auto'"),
        ({"max_iter": 0}, ValueError, "max_iter"),
        ({"tol": -1e-9}, ValueError, "tol"),
        ({"tol": float("nan")}, ValueError, "tol"),
        ({"tol": "small"}, TypeError, "tol"),
        ({"random_state": "seed"}, TypeError, "random_state"),
        ({"random_state": -1}, TypeError, "random_state"),
        ({"n_threads": 0}, ValueError, "n_threads"),
        ({"algorithm": "full"}, ValueError, "algorithm must be one of 'auto', 'lloyd'"),
        ({"algorithm": 3}, TypeError, "algorithm"),
        ({"empty_cluster": "drop"}, ValueError, "empty_cluster must be one of 'farthest', 'keep', 'error'; got 'drop'"),
        ({"init": None}, TypeError, "or a function; got None"),
        ({"verbose": "a"}, TypeError, "verbose must be True, False or a whole number from 0; got 'a'"),
        ({"verbose": -1}, ValueError, "verbose"),
        ({"copy_x": "a"}, TypeError, "copy_x must be True"),
        ({"n_clusters": "3"}, ValueError, "n_clusters must be a whole number; got '3'"),
    ],
)
def test_bad_parameters(blobs, options, error, message):
    with pytest.raises(error, match=message):
        KMeans(**options).fit(blobs)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros(5), ValueError, "shape"),
        (np.zeros((0, 3)), ValueError, "at least one row"),
        (np.zeros((3, 0)), ValueError, "one column"),
        (np.array([[1.0], [np.nan]]), ValueError, "NaN"),
        (np.array([[1.0], [np.inf]]), ValueError, "infinity"),
        (np.array([[1.0], [-np.inf]]), ValueError, "infinity"),
        (np.array([[1e200], [0]]), ValueError, "overflow"),
        (np.array([["a"], ["b"]]), TypeError, "real numbers"),
        (np.array([["1"], ["2"]]), ValueError, "real numbers"),
        (np.array([["1"], [2.0]], dtype=object), TypeError, "strings"),
        (np.array([[1j], [2j]]), TypeError, "Complex data not supported.*real numbers"),
        (np.array([[1j], [2j]]), ValueError, "Complex"),
        (np.array([[{}], [2]], dtype=object), TypeError, "argument must be a string or a real number, not 'dict'"),
        (np.array([[None], [2]], dtype=object), ValueError, "NaN"),
        (np.array([["2020-01-01"], ["2021-01-01"]], dtype="M8[D]"), TypeError, "datetime64"),
        (np.ma.masked_equal([[1.0], [2.0]], 2), ValueError, "masked"),
        (np.zeros((2, 2, 2)), ValueError, "Expected 2D array, got 3D array instead"),
        (np.zeros(5), ValueError, "Reshape your data"),
        (np.float64(3), ValueError, "got 0D array"),
        ([[1.0], [1.0, 2.0]], ValueError, "inhomogeneous"),
    ],
)
def test_bad_points(X, error, message):
    with pytest.raises(error, match=message):
        KMeans(1).fit(X)
    with pytest.raises(error, match=message):
        nearest(X, np.zeros((1, 1)))


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        ([1, 2], ValueError, r"shape \(3,\), one weight for each point; got \(2,\)"),
        ([1, -1, 1], ValueError, "must not be negative; the smallest is -1"),
        ([0, 0, 0], ValueError, "must not be all zero"),
        ([1, np.nan, 1], ValueError, "Input sample_weight contains NaN"),
        ([np.inf, 1, 1], ValueError, "must be finite, and its sum too; the largest is inf"),
        ([1e308, 1e308, 1e308], ValueError, "must be finite, and its sum too"),
        ([np.inf, -np.inf, 1], ValueError, "must not be negative"),
        (["a"] * 3, TypeError, "real numbers"),
        (["a"] * 3, ValueError, "real numbers"),
        (np.ones((3, 1)), ValueError, "shape"),
        (0, ValueError, "must not be all zero"),
        ([None, 1, 1], ValueError, "NaN"),
    ],
)
def test_bad_weights(weight, error, message):
    with pytest.raises(error, match=f"sample_weight.*{message}|{message}"):
        KMeans(1).fit(np.zeros((3, 2)), sample_weight=weight)


def test_weights_that_overflow():
    for weight in (1e300, 1e308):
        with pytest.raises(ValueError, match="sample_weight"):
            KMeans(1).fit(np.array([[1e10], [2e10]]), sample_weight=[weight, weight])
    X = np.tile([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]], (2, 1)) / 12
    for n, weight, fits in ((12, 4e306, False), (12, 2e306, True), (6000, 1e304, False), (6000, 5e303, True)):
        data, weights = np.tile(X, (n // 12, 1)), np.ones(n)  # grids that cut so large numbers must be finite
        weights[0] = weight
        if fits:
            model = KMeans(2, init=[[0.0], [1.0]], tol=0, verify=True).fit(data, sample_weight=weights)
            np.testing.assert_allclose(model.cluster_centers_, [[0], [11 / 12]], atol=1e-15)
        else:
            with pytest.raises(ValueError, match="sample_weight"):
                KMeans(2).fit(data, sample_weight=weights)


def test_weights_of_every_kind(blobs, rng):
    weight = rng.integers(1, 5, len(blobs))
    reference = KMeans(4, random_state=0).fit(blobs, sample_weight=weight.astype(float))
    for same in (weight, weight.tolist(), weight.astype(np.float32), weight.astype(object), weight * 2.0**-900):
        model = KMeans(4, random_state=0).fit(blobs, sample_weight=same)
        np.testing.assert_array_equal(model.cluster_centers_, reference.cluster_centers_)
    one = KMeans(4, random_state=0).fit(blobs, sample_weight=3)
    np.testing.assert_allclose(one.cluster_centers_, KMeans(4, random_state=0).fit(blobs).cluster_centers_, rtol=1e-12)
    assert one.score(blobs, sample_weight=3) == pytest.approx(-one.inertia_)


def test_points_without_weight_are_labelled_and_count_for_nothing(blobs):
    weight = np.ones(len(blobs))
    weight[::3] = 0
    for algorithm in ("plain", "dense"):
        weighted = KMeans(5, tol=0, random_state=0, algorithm=algorithm).fit(blobs, sample_weight=weight)
        dropped = KMeans(5, tol=0, random_state=0, algorithm=algorithm).fit(blobs[weight > 0])
        np.testing.assert_allclose(weighted.cluster_centers_, dropped.cluster_centers_, rtol=1e-12)
        assert weighted.n_iter_ == dropped.n_iter_
        np.testing.assert_array_equal(weighted.labels_, dropped.predict(blobs))


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("n", [300, 60_000])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_weights_are_repetitions_in_any_order(init, n, dtype, rng):
    X = (rng.normal(size=(n, 3)) + rng.integers(0, 4, (n, 1)) * 3).astype(dtype)
    weight = rng.integers(0, 6, n)
    rows = rng.permutation(np.repeat(np.arange(n), weight))
    assert n == 300 or len(rows) > seeding.FEW > n  # one sorted, one in parts
    options = {"init": init, "n_init": 2, "random_state": 4, "max_iter": 30}
    weighted = KMeans(7, **options).fit(X, sample_weight=weight)
    repeated = KMeans(7, **options).fit(X[rows])
    np.testing.assert_allclose(
        weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-6 if dtype == np.float32 else 1e-9
    )
    np.testing.assert_array_equal(weighted.labels_[rows], repeated.labels_)
    assert weighted.n_iter_ == repeated.n_iter_
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-6 if dtype == np.float32 else 1e-12)


def test_a_fit_is_better_only_by_more_than_rounding():
    one, same, less = (Fit(None, None, inertia, 0, 1, "tol", []) for inertia in (1.0, 1 - 1e-13, 1 - 1e-6))
    assert better(one, same) is one
    assert better(one, less) is less
    assert better(less, one) is less


def test_labels_are_those_of_the_rounded_centroids(rng):
    X = (rng.normal(size=(3000, 2)) + rng.integers(0, 3, (3000, 1)) * 4 + 1e7).astype(np.float32)
    exact = KMeans(20, random_state=0).fit(X.astype(np.float64))
    model = KMeans(20, random_state=0).fit(X)
    assert (model.labels_ != exact.labels_).any()
    belong_together(model, X)


def test_a_cluster_of_weightless_points_alone_is_spare():
    X, weight = np.array([[0.0], [1.0], [50.0], [9.0], [10.0]]), np.array([1.0, 1, 0, 1, 1])
    start = [[0.5], [50.0], [9.0], [10.0]]
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\)"):
        model = KMeans(4, init=[[1.0], [50.0], [1.0], [9.5]]).fit(X[:4], sample_weight=weight[:4])
    belong_together(model, X[:4], weight[:4])
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\)"):
        KMeans(3, init=X[:3]).fit(X[:3], sample_weight=weight[:3])
    model = KMeans(4, init=start, empty_cluster="keep").fit(X, sample_weight=weight)
    np.testing.assert_array_equal(model.cluster_centers_, start)


def test_the_answer_of_a_callback(blobs):
    def fit(answer):
        return KMeans(9, tol=0, random_state=0, callback=lambda step: answer).fit(blobs).stop_reason_

    assert fit(True) == fit(np.True_) == "callback"
    assert {fit(answer) for answer in (False, np.False_, None, 1, "stop", np.ones(3))} == {"converged"}
    X = [[1.0], [1.0], [2.0]]
    KMeans(3, random_state=0, callback=lambda step: True).fit(X)  # asked for: without a warning


def test_a_function_that_would_change_the_points(blobs):
    def init(X, k, random_state):
        X -= X.mean(axis=0)

    before = blobs.copy()
    with pytest.raises(ValueError, match="read-only"):
        KMeans(3, init=init).fit(blobs)
    np.testing.assert_array_equal(blobs, before)


def test_centroids_that_were_set_by_hand(blobs):
    model = KMeans(2)
    model.cluster_centers_ = [[0.0, 0.0], [20.0, 20.0]]
    assert set(model.predict(blobs)) == {0, 1}
    assert model.transform(blobs).shape == (450, 2)
    assert model.score(blobs) < 0


def test_k_means_as_a_function(blobs):
    model = KMeans(3, init="random", n_init=2, tol=0, random_state=5).fit(blobs)
    centroids, labels, inertia, n_iter = k_means(
        blobs, 3, init="random", n_init=2, tol=0, random_state=5, return_n_iter=True
    )
    np.testing.assert_array_equal(centroids, model.cluster_centers_)
    np.testing.assert_array_equal(labels, model.labels_)
    assert (inertia, n_iter) == (model.inertia_, model.n_iter_)
    assert len(k_means(blobs, 2, sample_weight=np.ones(len(blobs)))) == 3


def test_long_doubles(blobs):
    np.testing.assert_array_equal(
        KMeans(3, random_state=0).fit(blobs.astype(np.longdouble)).labels_, KMeans(3, random_state=0).fit(blobs).labels_
    )


def test_warnings_point_at_the_caller():
    X = [[1.0], [1.0], [2.0]]
    for method in ("fit", "fit_predict", "fit_transform"):
        with pytest.warns(ConvergenceWarning) as seen:
            getattr(KMeans(3, random_state=0), method)(X)
        assert [warning.filename for warning in seen] == [__file__]


def test_unfitted_and_other_columns(blobs):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        KMeans(2).predict(blobs)
    model = KMeans(2, random_state=0).fit(blobs)
    for method in (model.predict, model.transform, model.score):
        with pytest.raises(ValueError, match="X has 3 features, but KMeans is expecting 2 features as input"):
            method(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="X has 3 columns and the centroids have 2"):
        nearest(np.zeros((4, 3)), np.zeros((2, 2)))


def test_fewer_weighted_points_than_clusters(blobs):
    weight = np.zeros(len(blobs))
    weight[:4] = 1
    for init in ("k-means++", "random"):
        with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(4\)"):
            model = KMeans(6, init=init, random_state=0).fit(blobs, sample_weight=weight)
        assert model.inertia_ == pytest.approx(0, abs=1e-12)


def test_version():
    assert lloydq.__version__.count(".") == 2


@pytest.mark.parametrize("n_threads", [1, 3])
def test_where_the_caller_wants_to_hear_of_underflow(rng, n_threads):
    Z = rng.normal(size=(5000, 64)) * 60
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = np.maximum(P / P.sum(axis=1, keepdims=True), 1e-300)  # as softmax gives them
    for X in (P, [[0.0], [1e-170], [1.0], [2.0], [3.0]], rng.normal(size=(300, 2)) * 1e-160):
        expected = KMeans(3, random_state=0, max_iter=5, tol=10, n_threads=n_threads).fit(X)
        with np.errstate(all="raise"):
            found = KMeans(3, random_state=0, max_iter=5, tol=10, n_threads=n_threads).fit(X)
            np.testing.assert_array_equal(found.predict(X), expected.predict(X))
        np.testing.assert_array_equal(found.cluster_centers_, expected.cluster_centers_)
