"""KMeans in scikit-learn's tools, and in joblib's and cloudpickle's."""

import copy
import inspect
import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn's tools (extra: test)")
cloudpickle = pytest.importorskip("cloudpickle", reason="round trips (extra: test)")

import joblib
import sklearn
from sklearn.base import clone, is_clusterer
from sklearn.cluster import KMeans as Theirs
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning as TheirWarning
from sklearn.exceptions import NotFittedError as TheirError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

import lloydq
from lloydq import KMeans


@pytest.fixture
def X(rng):
    return np.concatenate([rng.normal(center, 1, (60, 3)) for center in (0, 8, 16)])


def test_the_signatures_are_theirs():
    for ours, theirs in (
        (KMeans, Theirs),
        (lloydq.k_means, sklearn.cluster.k_means),
        (lloydq.kmeans_plusplus, sklearn.cluster.kmeans_plusplus),
    ):
        mine = inspect.signature(ours).parameters
        for name, parameter in inspect.signature(theirs).parameters.items():
            assert mine[name].kind == parameter.kind
            assert mine[name].default == parameter.default or name == "verbose"
    for name, method in inspect.getmembers(Theirs, callable):
        if not name.startswith("_") and name != "get_metadata_routing":
            parameters = list(inspect.signature(method).parameters)
            assert list(inspect.signature(getattr(KMeans, name)).parameters)[: len(parameters)] == parameters, name


def test_their_attributes_are_there(X):
    theirs, ours = Theirs(3, random_state=0).fit(X), KMeans(3, random_state=0).fit(X)
    for name, value in vars(theirs).items():
        if name.endswith("_") and not name.startswith("_"):
            mine = getattr(ours, name)
            assert isinstance(mine, type(value)), name
            assert getattr(mine, "shape", None) == getattr(value, "shape", None)
            assert getattr(mine, "dtype", None) == getattr(value, "dtype", None)


def round_trips(model):
    yield copy.deepcopy(model)
    for tool in (pickle, cloudpickle):
        yield pickle.loads(tool.dumps(model))


def test_round_trips(X):
    model = KMeans(3, random_state=0).fit(X)
    for twin in round_trips(model):
        np.testing.assert_array_equal(twin.predict(X), model.labels_)
        assert twin.get_params() == model.get_params()
        assert twin.history_ == model.history_
    seen = []
    model = KMeans(3, callback=lambda step: seen.append(step.n_iter))  # only cloudpickle takes functions without a name
    pickle.loads(cloudpickle.dumps(model)).fit(X)
    assert not seen


def test_clone(X):
    model = KMeans(3, init=X[:3], random_state=np.random.default_rng(0), callback=print).set_output(transform="pandas")
    assert model.set_fit_request() is model  # nothing is asked for
    twin = clone(model.set_fit_request(sample_weight=True))
    assert not hasattr(twin, "labels_")
    assert twin.init is not model.init
    np.testing.assert_array_equal(twin.init, model.init)
    assert twin.callback is print
    assert twin._container == "pandas"
    assert twin.get_metadata_routing().fit.requests == {"sample_weight": True}


def test_it_is_a_clusterer(X):
    model = KMeans(3)
    assert is_clusterer(model)
    assert not get_tags(model).target_tags.required
    assert get_tags(model).transformer_tags.preserves_dtype == ["float64", "float32"]
    with pytest.raises(TheirError):
        check_is_fitted(model)
    check_is_fitted(model.fit(X))


def test_their_classes_catch_ours(X):
    with pytest.raises(TheirError) as error:
        KMeans().predict(X)
    assert isinstance(error.value, lloydq.NotFittedError)
    for kind in (TheirWarning, lloydq.ConvergenceWarning):
        with pytest.warns(kind, match="max_iter=1") as seen:
            KMeans(5, max_iter=1, tol=0, n_init=4).fit(X)
        assert len(seen) == 1
    assert type(seen[0].message) is type(pickle.loads(pickle.dumps(seen[0].message)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", TheirWarning)
        KMeans(5, max_iter=1, tol=0).fit(X)


def test_in_pipelines(X):
    pipeline = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    assert sorted(np.bincount(pipeline.predict(X))) == [60, 60, 60]
    assert pipeline.transform(X).shape == (180, 3)
    assert pipeline.score(X) < 0
    assert pipeline.set_params(kmeans__n_clusters=2).fit(X).get_feature_names_out().tolist() == ["kmeans0", "kmeans1"]
    assert "KMeans" in repr(pipeline)
    assert "KMeans" in pipeline._repr_html_()
    union = FeatureUnion([("a", KMeans(2, random_state=0)), ("b", StandardScaler())]).fit(X)
    assert union.transform(X).shape == (180, 5)
    assert union.get_feature_names_out().tolist() == ["a__kmeans0", "a__kmeans1", "b__x0", "b__x1", "b__x2"]
    columns = ColumnTransformer([("near", KMeans(2, random_state=0), [0, 1])], remainder="passthrough")
    assert columns.fit_transform(X).shape == (180, 3)


def test_output_set_for_all(X):
    pandas = pytest.importorskip("pandas", reason="data frames (extra: test)")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    pipeline = make_pipeline(StandardScaler(), KMeans(2, random_state=0)).set_output(transform="pandas")
    assert pipeline.fit_transform(frame).columns.tolist() == ["kmeans0", "kmeans1"]
    with sklearn.config_context(transform_output="pandas"):
        assert type(KMeans(2).fit_transform(X)) is pandas.DataFrame
        assert type(KMeans(2).set_output(transform="default").fit_transform(X)) is np.ndarray


def test_searches(X):
    search = GridSearchCV(KMeans(random_state=0), {"n_clusters": [2, 3], "init": ["random", "k-means++"]}, cv=3)
    assert search.fit(X).best_params_["n_clusters"] == 3
    search = GridSearchCV(Pipeline([("k", KMeans(random_state=0))]), {"k__n_clusters": [2, 3]}, n_jobs=2).fit(X)
    assert search.best_params_ == {"k__n_clusters": 3}
    assert len(cross_val_score(KMeans(3, random_state=0), X, cv=4)) == 4


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib(X, backend):
    fits = joblib.Parallel(2, backend)(joblib.delayed(KMeans(3, random_state=seed).fit)(X) for seed in range(4))
    for seed, fit in enumerate(fits):
        np.testing.assert_array_equal(fit.labels_, KMeans(3, random_state=seed).fit(X).labels_)


def test_weights_are_routed(X, rng):
    weight = rng.integers(0, 3, len(X)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        model = KMeans(3, random_state=0)
        assert model.get_metadata_routing().fit.requests == {"sample_weight": None}
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight="other")
        assert model.get_metadata_routing().score.requests == {"sample_weight": "other"}
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), model)
        pipeline.fit(X, sample_weight=weight)
        scaled = pipeline[0].transform(X)
        expected = KMeans(3, random_state=0).fit(scaled, sample_weight=weight)
        np.testing.assert_array_equal(pipeline[1].cluster_centers_, expected.cluster_centers_)
        search = GridSearchCV(model.set_score_request(sample_weight=False), {"n_clusters": [2, 3]}, cv=3)
        assert search.fit(X, sample_weight=weight).best_params_ == {"n_clusters": 3}
