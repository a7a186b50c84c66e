"""KMeans and nearest: attributes that belong together, parameters, bad input."""

import copy
import pickle
import warnings

import naive
import numpy as np
import pytest

import lloydq
from lloydq import ConvergenceWarning, KMeans, NotFittedError, nearest


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


def test_a_seed_gives_one_result_and_more_starts_never_a_worse_one(blobs):
    worst = np.inf
    for n_init in (1, 3, 10):
        a, b = (KMeans(6, init="random", n_init=n_init, random_state=7).fit(blobs) for _ in range(2))
        np.testing.assert_array_equal(a.cluster_centers_, b.cluster_centers_)
        assert a.inertia_ <= worst
        worst = a.inertia_


def test_other_sources_of_randomness(blobs):
    for state in (None, np.random.default_rng(1), np.random.RandomState(1)):
        assert KMeans(3, random_state=state).fit(blobs).cluster_centers_.shape == (3, 2)


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


def test_fewer_positions_than_clusters_warns_and_puts_spare_centroids_last():
    X = np.array([[1.0], [2.0], [1.0], [3.0], [2.0]])
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\) found smaller than n_clusters \(5\)"):
        model = KMeans(5, random_state=0).fit(X)
    assert set(model.labels_) == {0, 1, 2}
    assert model.inertia_ == 0
    belong_together(model, X)


def test_inertia_far_from_the_origin(blobs):
    model = KMeans(3, random_state=0).fit(blobs + 1e8)
    belong_together(model, blobs + 1e8)


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
        (np.array([[1j], [2j]]), TypeError, "real numbers"),
        (np.array([[{}], [2]], dtype=object), TypeError, "numbers"),
    ],
)
def test_bad_points(X, error, message):
    with pytest.raises(error, match=message):
        KMeans(1).fit(X)
    with pytest.raises(error, match=message):
        nearest(X, np.zeros((1, 1)))


@pytest.mark.parametrize(
    ("weight", "error"),
    [
        ([1, 2], ValueError),
        ([1, -1, 1], ValueError),
        ([0, 0, 0], ValueError),
        ([1, np.nan, 1], ValueError),
        ([np.inf, -np.inf, 1], ValueError),
        (["a"] * 3, TypeError),
    ],
)
def test_bad_weights(weight, error):
    with pytest.raises(error, match="sample_weight"):
        KMeans(1).fit(np.zeros((3, 2)), sample_weight=weight)


def test_weights_that_overflow():
    for weight in (1e300, 1e308):
        with pytest.raises(ValueError, match="sample_weight"):
            KMeans(1).fit(np.array([[1e10], [2e10]]), sample_weight=[weight, weight])


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
