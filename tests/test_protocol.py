"""What scikit-learn asks of an estimator, without scikit-learn."""

import copy
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from lloydq import ConvergenceWarning, KMeans, NotFittedError
from lloydq.protocol import column_names


@pytest.fixture
def X(rng):
    return rng.normal(size=(60, 3))


def test_parameters_in_and_out():
    model = KMeans(3, tol=0.1)
    parameters = model.get_params()
    assert parameters["n_clusters"] == 3
    assert parameters["tol"] == 0.1
    assert set(parameters) == {
        "n_clusters", "init", "n_init", "max_iter", "tol", "verbose", "random_state", "copy_x", "algorithm",
        "n_threads", "empty_cluster", "callback", "verify",
    }  # fmt: skip
    assert model.set_params(n_clusters=5, init="random") is model
    assert (model.n_clusters, model.init) == (5, "random")
    assert KMeans(**parameters).get_params() == parameters
    with pytest.raises(ValueError, match=r"Invalid parameter 'k' for estimator KMeans\(n_clusters=5.*Valid .*'n_init'"):
        model.set_params(k=3, tol=7)
    assert model.tol == 0.1


def test_parameters_of_a_subclass(X):
    class Mine(KMeans):
        def __init__(self, n_clusters=2, *, extra=1):
            super().__init__(n_clusters)
            self.extra = extra

        def fit(self, X, y=None, sample_weight=None):
            self.seen = len(X)
            return super().fit(X, y, sample_weight)

    model = Mine()
    assert model.fit_predict(X).shape == (60,)
    assert model.seen == 60
    assert repr(Mine(extra=4)) == "Mine(extra=4)"
    assert Mine().fit(X).get_feature_names_out().tolist() == ["mine0", "mine1"]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, "KMeans()"),
        ({"n_clusters": 8}, "KMeans()"),
        ({"n_clusters": 3, "random_state": 0, "tol": 0}, "KMeans(n_clusters=3, tol=0, random_state=0)"),
        ({"init": np.zeros((2, 2))}, "KMeans(init=array([[0., 0.],\n       [0., 0.]]))"),
        ({"init": np.zeros((500, 90)), "callback": print}, None),
        ({"init": [[1, 2]]}, "KMeans(init=[[1, 2]])"),
        ({"n_clusters": None, "tol": np.nan}, "KMeans(n_clusters=None, tol=nan)"),
    ],
)
def test_repr_names_what_is_not_as_usual(parameters, text):
    found = repr(KMeans(**parameters))
    assert found == text or (text is None and len(found) < 400)


def test_a_subclass_that_passes_parameters_on(X):
    class Mine(KMeans):
        def __init__(self, n_clusters=3, **others):
            super().__init__(n_clusters, **others)

    assert Mine(4, tol=0).get_params() == {"n_clusters": 4}
    assert repr(Mine(4)) == "Mine(n_clusters=4)"
    assert Mine(2, tol=0).fit(X).n_iter_


def test_before_a_fit(X):
    model = KMeans(2)
    assert not model.__sklearn_is_fitted__()
    for call in (model.predict, model.transform, model.score):
        with pytest.raises(NotFittedError, match="This KMeans instance is not fitted yet"):
            call(X)
    with pytest.raises(NotFittedError):
        model.get_feature_names_out()
    assert model.fit(X).__sklearn_is_fitted__()


def test_names_of_the_output(X):
    model = KMeans(2, random_state=0).fit(X)
    assert model.get_feature_names_out().tolist() == ["kmeans0", "kmeans1"]
    assert model.get_feature_names_out(["a", "b", "c"]).dtype == object
    with pytest.raises(ValueError, match=r"input_features should have length equal to number of features \(3\), got 2"):
        model.get_feature_names_out(["a", "b"])
    with pytest.raises(ValueError, match="transform must be one of"):
        model.set_output(transform="xarray")
    assert type(model.set_output(transform=None).transform(X)) is np.ndarray


def test_the_names_of_a_table_with_columns(X):
    class Table:
        def __init__(self, columns):
            self.columns = columns

        def __array__(self, dtype=None, copy=None):
            return X.astype(dtype or float)

    assert column_names(Table(["a", "b", "c"])).tolist() == ["a", "b", "c"]
    assert column_names(Table([0, 1, 2])) is None
    assert column_names(Table(lambda: 3)) is None
    with pytest.raises(TypeError, match=r"names are only supported if all.*\['int', 'str'\]"):
        column_names(Table(["a", 1, "c"]))
    model = KMeans(2, random_state=0).fit(Table(["a", "b", "c"]))
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    model.predict(Table(["a", "b", "c"]))
    with pytest.warns(UserWarning, match="X does not have valid feature names, but KMeans was fitted with") as seen:
        model.predict(X)
    assert seen[0].filename == __file__
    for names, message in (
        (["a", "c", "b"], "must be in the same order as they were in fit"),
        (["a", "b", "x"], "unseen at fit time:\n- x\nFeature names seen at fit time, yet now missing:\n- c\n"),
        ([f"x{i}" for i in range(8)], "- x4\n- ...\n"),
    ):
        with pytest.raises(ValueError, match="should match those that were passed during fit") as error:
            model.transform(Table(names))
        assert message in str(error.value)
    assert not hasattr(model.fit(X), "feature_names_in_")
    with pytest.warns(UserWarning, match="X has feature names, but KMeans was fitted without feature names"):
        model.predict(Table(["a", "b", "c"]))


def test_a_fit_that_fails_leaves_the_model_as_it_was(X):
    model = KMeans(2, random_state=0).fit(X)
    before = copy.deepcopy(model.__dict__)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((9, 2), np.nan))
    with pytest.raises(ValueError, match="empty_cluster='error'"):
        model.set_params(init=[[0.0], [99.0]], empty_cluster="error").fit(np.arange(9.0)[:, None])
    model.set_params(init="k-means++", empty_cluster="farthest")
    assert set(before) == set(model.__dict__)
    np.testing.assert_array_equal(model.labels_, before["labels_"])
    assert model.n_features_in_ == 3


def python(code):
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_warnings_and_errors_are_plain_where_scikit_learn_is_not_loaded():
    code = """
        import sys, warnings, lloydq
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            lloydq.KMeans(3).fit([[1.0], [1.0], [2.0]]).transform([[1.0]])
        assert [w.category for w in seen] == [lloydq.ConvergenceWarning], seen
        try:
            lloydq.KMeans(3).predict([[1.0]])
        except lloydq.NotFittedError as error:
            assert type(error) is lloydq.NotFittedError
        assert not {"sklearn", "pandas", "polars", "scipy"} & set(sys.modules)
        print("fine")
    """
    assert python(code) == "fine\n"


def test_a_warning_can_be_pickled():
    for kind in (ConvergenceWarning, NotFittedError):
        assert pickle.loads(pickle.dumps(kind("text"))).args == ("text",)
