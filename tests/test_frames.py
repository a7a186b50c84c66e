"""Data frames of pandas and polars in, and out."""

import numpy as np
import pytest

from lloydq import KMeans, nearest

pandas = pytest.importorskip("pandas", reason="data frames (extra: test)")
polars = pytest.importorskip("polars", reason="data frames (extra: test)")

NAMES = ["one", "two", "three"]


@pytest.fixture
def X(rng):
    return np.round(rng.normal(size=(80, 3)) * 10)


def frames(X):
    yield pandas.DataFrame(X, columns=NAMES)
    yield pandas.DataFrame(
        {name: x.astype(dtype) for name, x, dtype in zip(NAMES, X.T, ("i2", "f4", "f8"), strict=True)}
    )
    yield pandas.DataFrame(X, columns=NAMES).astype("Int64")
    yield pandas.DataFrame(X, columns=NAMES).astype(object)
    yield polars.DataFrame(X, schema=NAMES)
    yield polars.DataFrame(
        {name: x.astype(dtype) for name, x, dtype in zip(NAMES, X.T, ("i2", "f4", "f8"), strict=True)}
    )


def test_frames_are_fitted_as_arrays_and_their_names_kept(X):
    reference = KMeans(4, random_state=0).fit(X)
    for frame in frames(X):
        model = KMeans(4, random_state=0).fit(frame)
        np.testing.assert_array_equal(model.cluster_centers_, reference.cluster_centers_)
        assert model.feature_names_in_.tolist() == NAMES
        np.testing.assert_array_equal(model.predict(frame), reference.labels_)
        np.testing.assert_array_equal(nearest(frame, model.cluster_centers_), reference.labels_)
        with pytest.raises(ValueError, match="must be in the same order"):
            model.predict(frame[NAMES[::-1]])


def test_weights_from_a_series(X, rng):
    weight = rng.integers(0, 5, len(X))
    reference = KMeans(4, random_state=0).fit(X, sample_weight=weight)
    for series in (pandas.Series(weight), polars.Series(weight), weight.tolist(), pandas.Series(weight, dtype="Int32")):
        model = KMeans(4, random_state=0).fit(X, sample_weight=series)
        np.testing.assert_array_equal(model.labels_, reference.labels_)


def test_missing_values_are_refused(X):
    frame = pandas.DataFrame(X, columns=NAMES).astype("Int64")
    frame.iloc[3, 1] = pandas.NA
    with pytest.raises(ValueError, match="Input X contains NaN"):
        KMeans(2).fit(frame)
    with pytest.raises(ValueError, match="Input sample_weight contains NaN"):
        KMeans(2).fit(X, sample_weight=frame["two"])
    with pytest.raises(ValueError, match="NaN"):
        KMeans(2).fit(polars.DataFrame({"a": [1.0, None, 2.0]}))


def test_names_that_are_no_strings(X):
    assert not hasattr(KMeans(2).fit(pandas.DataFrame(X)), "feature_names_in_")
    with pytest.raises(TypeError, match="all input features have string names"):
        KMeans(2).fit(pandas.DataFrame(X, columns=["a", 1, "c"]))


def test_output_as_frames(X):
    index = [f"row {i}" for i in range(len(X))]
    frame = pandas.DataFrame(X, columns=NAMES, index=index)
    model = KMeans(2, random_state=0).set_output(transform="pandas").fit(frame)
    values = model.transform(frame)
    assert values.index.tolist() == index
    assert values.columns.tolist() == ["kmeans0", "kmeans1"]
    assert KMeans(2, random_state=0).set_output(transform="pandas").fit_transform(frame).equals(values)
    assert model.set_output(transform="polars").transform(frame).columns == ["kmeans0", "kmeans1"]
    array = model.set_output(transform="default").transform(frame)
    np.testing.assert_array_equal(array, values.to_numpy())
    assert model.set_output(transform="pandas").transform(polars.DataFrame(X, schema=NAMES)).index.tolist() == list(
        range(len(X))
    )
