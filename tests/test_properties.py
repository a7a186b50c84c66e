"""What must hold for any data."""

import warnings

import naive
import numpy as np
import pytest

pytest.importorskip("hypothesis", reason="property tests (extra: test)")

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lloydq
from lloydq.passes import BoundsPass, DensePass, GroupsPass

numbers = st.floats(-1e6, 1e6) | st.integers(-3, 3).map(float)


@st.composite
def problems(draw):
    """Points with a tendency to ties, weights, starting centroids."""
    n, d = draw(st.integers(1, 25)), draw(st.integers(1, 4))
    elements = draw(st.sampled_from([numbers, st.integers(0, 3).map(float)]))
    X = draw(hnp.arrays(np.float64, (n, d), elements=elements))
    if draw(st.booleans()):
        X = np.clip(np.rint(X), 0, 255).astype(np.uint8)
    weight = draw(st.none() | hnp.arrays(np.float64, n, elements=st.integers(0, 4).map(float) | st.floats(0, 10)))
    if weight is not None and not weight.sum() > 1e-3:
        weight = None
    k = draw(st.integers(1, n))
    return X, X[draw(st.permutations(range(n)))[:k]].astype(float), weight


@given(problems())
def test_every_step_is_right_in_every_pass(problem):
    X, start, weight = problem
    w = np.ones(len(X)) if weight is None else weight
    scale = float(max((w * (X.astype(float) ** 2).sum(axis=1)).sum(), 1e-300))
    runs = [lloydq.lloyd.PlainPass, DensePass, BoundsPass, GroupsPass]
    before = np.inf
    for a, b, c, e in zip(*(lloydq.steps(X, start, weight, make_pass=kind, max_iter=30) for kind in runs), strict=True):
        assert a.labels.tolist() == naive.assign(X, a.centroids) == b.labels.tolist()
        np.testing.assert_array_equal(a.labels, c.labels)
        np.testing.assert_array_equal(a.labels, e.labels)
        np.testing.assert_array_equal(a.moved, b.moved)
        np.testing.assert_array_equal(a.moved, e.moved)
        np.testing.assert_array_equal(a.moved, c.moved)
        assert a.inertia == pytest.approx(naive.inertia(X, a.labels, w, a.centroids), rel=1e-9, abs=1e-9 * scale)
        assert a.inertia <= before + 1e-9 * scale
        assert a.inertia_after_update <= a.inertia + 1e-9 * scale
        before = a.inertia_after_update


SCALES = 1.0, 1e-320, 1e-160, 1e-30, 1e30, 1e140


@st.composite
def strange(draw):
    """Points of any dtype, layout, offset and scale, with repetitions; weights; k up to the number of rows."""
    n, d = draw(st.integers(1, 30)), draw(st.integers(1, 6))
    dtype = draw(st.sampled_from(["u1", "i1", "i2", "u2", "i4", "i8", "f2", "f4", "f8", ">f8"]))
    X = draw(hnp.arrays(np.float64, (n, d), elements=st.integers(-100, 100).map(float) | st.floats(-100, 100)))
    if np.dtype(dtype).kind == "f" and np.dtype(dtype).itemsize == 8:
        X = X * draw(st.sampled_from(SCALES)) + draw(st.sampled_from([0.0, 0.0, 1e6, -1e12]))
    elif np.dtype(dtype).kind != "f":
        X = np.abs(X) if np.dtype(dtype).kind == "u" else X
    X = X[draw(hnp.arrays(np.intp, n, elements=st.integers(0, n - 1)))] if draw(st.booleans()) else X
    X = X.astype(dtype)
    layout = draw(st.sampled_from(["C", "F", "strided", "reversed"]))
    X = {"C": X, "F": np.asfortranarray(X), "strided": np.repeat(X, 2, axis=0)[::2], "reversed": X[::-1]}[layout]
    weight = draw(st.none() | hnp.arrays(np.float64, n, elements=st.integers(0, 4).map(float) | st.floats(0.5, 10)))
    return X, draw(st.integers(1, n)), None if weight is None or not weight.any() else weight


@given(strange(), st.data())
def test_a_fit_of_any_points(problem, data):
    """Labels are nearest, centroids are means, the inertia is that of both; and nothing is warned of."""
    X, k, weight = problem
    w = np.ones(len(X)) if weight is None else weight
    options = {
        "init": data.draw(st.sampled_from(["k-means++", "random"])),
        "random_state": data.draw(st.integers(0, 9)),
        "tol": 0,
        "max_iter": None,
        "n_init": 1,
        "algorithm": data.draw(st.sampled_from(["auto", "plain", "dense", "bounds", "groups"])),
        "n_threads": data.draw(st.sampled_from([1, 2, 5])),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", lloydq.ConvergenceWarning)  # of fewer positions than clusters
        model = lloydq.KMeans(k, **options).fit(X, sample_weight=weight)
    exact = X.astype(float)
    assert model.labels_.tolist() == naive.assign(exact, model.cluster_centers_)
    assert model.predict(X).tolist() == model.labels_.tolist()
    assert np.isfinite(model.cluster_centers_).all()
    expected = naive.inertia(exact, model.labels_, w, model.cluster_centers_.astype(float))
    assert model.inertia_ == pytest.approx(expected, rel=1e-12, abs=1e-320)
    means = np.array(naive.update(exact, model.labels_, w, model.cluster_centers_.astype(float)))
    reach, digits = np.abs(exact).max(), 1e-6 if X.dtype == np.float32 else 1e-13
    assert model.stop_reason_ in ("converged", "cycle")
    np.testing.assert_allclose(model.cluster_centers_, means, rtol=digits, atol=digits * reach + 1e-320)


@given(hnp.arrays(np.int16, st.tuples(st.integers(1, 20), st.integers(1, 3)), elements=st.integers(-4, 4)), st.data())
def test_weights_are_repetitions(X, data):
    """Whole numbers have exact sums, so the two fits are the same bits."""
    weight = data.draw(hnp.arrays(np.int64, len(X), elements=st.integers(0, 4)))
    if not weight.any():
        weight[0] = 1
    rows = np.array(data.draw(st.permutations(np.repeat(np.arange(len(X)), weight).tolist())))
    options = {
        "n_clusters": data.draw(st.integers(1, min(len(X), len(rows)))),
        "init": data.draw(st.sampled_from(["k-means++", "random"])),
        "n_init": data.draw(st.integers(1, 3)),
        "tol": data.draw(st.sampled_from([0, 1e-4, 0.5])),
        "max_iter": data.draw(st.sampled_from([1, 2, 300])),
        "empty_cluster": data.draw(st.sampled_from(["farthest", "keep"])),
        "random_state": data.draw(st.integers(0, 99)),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lloydq.ConvergenceWarning)
        weighted = lloydq.KMeans(**options).fit(X, sample_weight=weight)
        repeated = lloydq.KMeans(**options, algorithm=data.draw(st.sampled_from(["plain", "dense"]))).fit(X[rows])
    np.testing.assert_array_equal(weighted.cluster_centers_, repeated.cluster_centers_)
    np.testing.assert_array_equal(weighted.labels_[rows], repeated.labels_)
    assert (weighted.n_iter_, weighted.stop_reason_) == (repeated.n_iter_, repeated.stop_reason_)
    assert weighted.inertia_ == repeated.inertia_


@given(
    hnp.arrays(
        np.uint8,
        st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)),
        elements=st.sampled_from([0, 1, 2, 100, 255]),
    ),
    st.data(),
)
def test_any_picture_in_any_number_of_colours(picture, data):
    k = data.draw(st.integers(1, min(256, picture.shape[0] * picture.shape[1])))
    q = lloydq.quantize(
        picture, k, rng=data.draw(st.integers(0, 3)), init=data.draw(st.sampled_from(["random", "k-means++"]))
    )
    flat = picture.reshape(-1, 3)
    assert q.indices.ravel().tolist() == naive.assign(flat, q.palette.colors)
    assert len(q.palette) == q.palette.n_distinct == min(k, len(np.unique(flat, axis=0)))
    again = lloydq.quantize(q.image, k)
    assert again.mse == 0
