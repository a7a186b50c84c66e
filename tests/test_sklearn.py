"""Against scikit-learn, where it is installed."""

import warnings

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="cross-check with scikit-learn (extra: test)")

from sklearn import datasets
from sklearn.cluster import KMeans as Theirs
from sklearn.metrics import pairwise_distances_argmin

from lloydq import KMeans, kmeans_plusplus, nearest, random_points, steps
from lloydq.passes import DensePass


def test_the_same_inertia_on_the_photograph(photo_colors):
    X, weight = photo_colors
    start = random_points(X, 16, 0, weight).astype(float)
    ours = KMeans(16, init=start, tol=0, max_iter=None).fit(X, sample_weight=weight)
    theirs = Theirs(16, init=start, n_init=1, tol=0, max_iter=10_000).fit(X.astype(float), sample_weight=weight)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)
    assert ours.converged_


def decided_by_rounding(X, centroids):
    """Whether some points have another label there, and all of these are as near to the one centroid as to the other.

    Their `fit` compares in dot-product form, about the mean of X: so does their `predict` of what has been moved there.
    """
    mean = X.mean(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Theirs(len(centroids), init=centroids, n_init=1, max_iter=1).fit(X)
    model.cluster_centers_ = centroids - mean
    theirs, ours = model.predict(X - mean), nearest(X, centroids)
    rows = np.flatnonzero(theirs != ours)
    theirs, ours = (((X[rows] - centroids[labels[rows]]) ** 2).sum(axis=1) for labels in (theirs, ours))
    rounding = 1e-14 * (((X[rows] - mean) ** 2).sum(axis=1) + ((centroids - mean) ** 2).sum(axis=1).max())
    return len(rows) > 0 and bool((np.abs(theirs - ours) <= rounding).all())


def test_one_of_their_iterations_from_each_of_our_steps(photo_colors):
    X, weight = photo_colors
    floats = X.astype(float)
    walk = steps(X, kmeans_plusplus(X, 64, sample_weight=weight, random_state=0)[0], weight, make_pass=DensePass)
    equal = unequal = 0
    for step in walk:
        theirs = Theirs(64, init=step.centroids, n_init=1, max_iter=1, tol=0).fit(floats, sample_weight=weight)
        if np.allclose(theirs.cluster_centers_, step.moved, rtol=1e-9, atol=1e-9):
            same = np.array_equal(theirs.labels_, nearest(X, theirs.cluster_centers_))
            assert same or decided_by_rounding(floats, theirs.cluster_centers_)
            equal += 1
        else:  # rounding decided a tie the other way
            assert decided_by_rounding(floats, step.centroids)
            unequal += 1
    assert equal > 50
    assert unequal < equal / 10


def test_nearest_is_their_argmin(rng):
    X, centroids = rng.normal(size=(5000, 4)), rng.normal(size=(30, 4))
    np.testing.assert_array_equal(nearest(X, centroids), pairwise_distances_argmin(X, centroids))


def data_of(name):
    if name == "blobs":
        return datasets.make_blobs(1500, 4, centers=12, random_state=0)[0]
    return getattr(datasets, f"load_{name}")(return_X_y=True)[0]


def where_rounding_decided(X, start):
    """The first of our steps from which one of their iterations goes elsewhere; whether rounding alone sent it."""
    for step in steps(X, start):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = Theirs(len(start), init=step.centroids, n_init=1, max_iter=1, tol=0).fit(X)
        if not np.allclose(theirs.cluster_centers_, step.moved, rtol=1e-9, atol=1e-9 * np.abs(X).max()):
            return step.n_iter, decided_by_rounding(X, step.centroids)
        if not np.array_equal(theirs.labels_, nearest(X, theirs.cluster_centers_)):
            return step.n_iter, decided_by_rounding(X, theirs.cluster_centers_)
    return None, False


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("data", ["iris", "wine", "digits", "breast_cancer", "blobs"])
def test_the_same_fit_from_the_same_start(data, init):
    X, equal = data_of(data), 0
    distinct = np.unique(X, axis=0)
    for k in range(2, 31):
        plus_plus = init == "k-means++"
        start = kmeans_plusplus(X, k, random_state=k)[0] if plus_plus else random_points(distinct, k, k)
        ours = KMeans(k, init=start, tol=0, max_iter=None).fit(X)
        theirs = Theirs(k, init=start, n_init=1, tol=0, max_iter=10_000).fit(X)
        if np.array_equal(ours.labels_, theirs.labels_):
            assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)
            np.testing.assert_allclose(ours.transform(X), theirs.transform(X), rtol=1e-7, atol=1e-7 * np.abs(X).max())
            equal += 1
        else:
            n_iter, rounding = where_rounding_decided(X, start)
            assert n_iter is not None, k
            assert rounding, k
    assert equal >= (15 if data in ("iris", "digits") else 29)  # those two are whole numbers or tenths: full of ties


def test_seeding_as_good_as_theirs(photo_colors):
    X, weight = photo_colors
    X, weight = X[::40].astype(float), weight[::40]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = (
            np.mean(
                [
                    Model(32, n_init=1, max_iter=1, random_state=seed).fit(X, sample_weight=weight).inertia_
                    for seed in range(12)
                ]
            )
            for Model in (KMeans, Theirs)
        )
    assert ours <= 1.05 * theirs


def test_one_start_finds_the_best_optimum_as_often_as_theirs():
    X = datasets.make_blobs(100, centers=[[0, 5, 0, 0, 0], [1, 1, 4, 0, 0], [1, 0, 0, 5, 1]], random_state=42)[0]
    inertia = np.array(
        [[Model(3, n_init=1, random_state=s).fit(X).inertia_ for s in range(300)] for Model in (KMeans, Theirs)]
    )
    ours, theirs = np.mean(inertia > 1.05 * inertia.min(), axis=1)
    assert theirs < 0.03
    assert ours < theirs + 0.02  # three standard deviations
