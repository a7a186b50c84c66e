"""Against scikit-learn, where it is installed."""

import warnings

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="cross-check with scikit-learn (extra: test)")

from sklearn.cluster import KMeans as Theirs  # noqa: E402
from sklearn.metrics import pairwise_distances_argmin  # noqa: E402

from lloydq import KMeans, nearest, random_points, steps  # noqa: E402
from lloydq.passes import WholePass  # noqa: E402


def test_the_same_inertia_on_the_photograph(photo_colors):
    X, weight = photo_colors
    start = random_points(X, 16, 0, weight).astype(float)
    ours = KMeans(16, init=start, tol=0, max_iter=None).fit(X, sample_weight=weight)
    theirs = Theirs(16, init=start, n_init=1, tol=0, max_iter=10_000).fit(X.astype(float), sample_weight=weight)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)
    assert ours.converged_


def test_one_of_their_iterations_from_each_of_our_steps(photo_colors):
    X, weight = photo_colors
    floats = X.astype(float)
    seen = 0
    for step in steps(X, random_points(X, 64, 0, weight), weight, make_pass=WholePass):
        if step.n_iter % 40 == 1:
            model = Theirs(64, init=step.centroids, n_init=1, max_iter=1, tol=0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(floats[:64], sample_weight=np.ones(64))
            model.cluster_centers_ = step.centroids
            theirs, mine = model.predict(floats), step.labels
            differ = np.flatnonzero(theirs != mine)
            a = ((floats[differ] - step.centroids[mine[differ]]) ** 2).sum(axis=1)
            b = ((floats[differ] - step.centroids[theirs[differ]]) ** 2).sum(axis=1)
            assert len(differ) < 100
            assert (a <= b).all()
            assert (b - a <= 1e-9 * np.maximum(1, a)).all()
            seen += 1
    assert seen >= 5


def test_nearest_is_their_argmin(rng):
    X, centroids = rng.normal(size=(5000, 4)), rng.normal(size=(30, 4))
    np.testing.assert_array_equal(nearest(X, centroids), pairwise_distances_argmin(X, centroids))


@pytest.mark.parametrize("data", ["iris", "wine", "digits", "breast_cancer"])
def test_the_same_fit_from_the_same_start(data):
    from sklearn import datasets

    X = getattr(datasets, f"load_{data}")(return_X_y=True)[0]
    for k in (2, 3, 5):
        start = random_points(X, k, 0)
        ours = KMeans(k, init=start, tol=0, max_iter=None).fit(X)
        theirs = Theirs(k, init=start, n_init=1, tol=0, max_iter=10_000).fit(X)
        np.testing.assert_array_equal(ours.labels_, theirs.labels_)
        assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)
        np.testing.assert_allclose(ours.transform(X), theirs.transform(X), rtol=1e-7, atol=1e-6)


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
