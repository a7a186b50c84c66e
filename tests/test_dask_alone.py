"""Where there is no cluster: Dask's own threads, in this process. And what is refused before anybody works."""

import subprocess
import sys

import numpy as np
import pytest

for needed in ("dask.array", "distributed"):
    pytest.importorskip(needed, reason="Dask (extra: dask)")

import dask.array as da
import dask.dataframe as dd
import pandas as pd
from PIL import Image

import lloydq
from lloydq import dask as lloydq_dask
from lloydq.dask import KMeans, Partitions, quantize_many, renamed
from lloydq.parts import extents
from lloydq.remote import found


@pytest.fixture
def X(rng):
    return rng.integers(0, 99, (400, 3)).astype(float)


def fitted(model, X, **options):
    return model(5, init=np.asarray(X)[:5], tol=0, max_iter=None).fit(X, **options)


@pytest.mark.parametrize("given", [None, 2.5, "array", "frame", "list"])
def test_the_fit_is_that_of_one_machine(X, given):
    weight = np.arange(400) % 3 + 1.0
    weights = {
        None: None, 2.5: 2.5, "array": da.from_array(weight, chunks=70), "list": weight.tolist(),
        "frame": dd.from_pandas(pd.Series(weight), npartitions=3).repartition(divisions=[0, 100, 200, 300, 399]),
    }  # fmt: skip
    collection = da.from_array(X, chunks=(100, 2))
    one = fitted(lloydq.KMeans, X, sample_weight=weight if isinstance(given, str) else given)
    other = fitted(KMeans, collection, sample_weight=weights[given])
    np.testing.assert_array_equal(other.cluster_centers_, one.cluster_centers_)
    np.testing.assert_array_equal(other.labels_, one.labels_)
    assert other.inertia_ == one.inertia_
    assert other.score(collection, sample_weight=weights[given]) == one.score(
        X, sample_weight=weight if isinstance(given, str) else given
    )


def test_arrays_in_memory_are_answered_at_once(X):
    one, other = fitted(lloydq.KMeans, X), fitted(KMeans, da.from_array(X, chunks=100))
    for name in ("predict", "transform", "score"):
        np.testing.assert_array_equal(getattr(other, name)(X), getattr(one, name)(X))


def test_a_function_draws_from_the_collection(X):
    collection, seen = da.from_array(X, chunks=100), []

    def init(X, k, random_state):
        seen.append(X)
        return X[:k].compute()

    model = KMeans(4, init=init, n_init=2, random_state=1).fit(collection)
    assert seen == [collection] * 2
    assert model.cluster_centers_.shape == (4, 3)


def test_empty_clusters_may_stay(X):
    init = np.vstack([X[:4], [[1e6, 1e6, 1e6]]])
    model = KMeans(5, init=init, empty_cluster="keep").fit(da.from_array(X, chunks=100))
    assert model.cluster_centers_[4].tolist() == [1e6, 1e6, 1e6]


def test_a_question_with_many_numbers(rng):
    """More centroids than are sent with each task."""
    X = rng.random((3_000, 4))
    start = X[:2_100]
    assert start.size > lloydq_dask.MANY
    with pytest.warns(lloydq.ConvergenceWarning):
        model = KMeans(2_100, init=start, max_iter=1).fit(da.from_array(X, chunks=1_000))
    with pytest.warns(lloydq.ConvergenceWarning):
        one = lloydq.KMeans(2_100, init=start, max_iter=1).fit(X)
    np.testing.assert_array_equal(model.cluster_centers_, one.cluster_centers_)


def test_of_many_fits_the_first_are_forgotten(monkeypatch):
    monkeypatch.setattr(lloydq_dask, "_memory", {})
    for fit in range(lloydq_dask.KEPT + 3):
        lloydq_dask._remembered(str(fit), 0)["known"] = fit
    assert len(lloydq_dask._memory) == lloydq_dask.KEPT
    assert lloydq_dask._remembered("5", 0) == {"known": 5}
    assert lloydq_dask._remembered("0", 0) == {}


SIZES = "sample_weight must have shape "


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"X": da.ones(9)}, ValueError, "X must have shape (n, d). Expected 2D array, got 1D array instead"),
        ({"X": np.ones((9, 3))}, TypeError, "X must be a Dask array or DataFrame; got ndarray: lloydq.KMeans takes"),
        ({"sample_weight": da.ones((400, 2))}, ValueError, SIZES + "(n,); got 2 dimensions"),
        ({"sample_weight": da.ones(399, chunks=100)}, ValueError, SIZES + "(400,); got (399,)"),
        ({"sample_weight": np.ones(399)}, ValueError, SIZES + "(400,), one weight for each point; got (399,)"),
        ({"sample_weight": [-1] * 400}, ValueError, "sample_weight must not be negative; the smallest is -1.0"),
    ],
)
def test_what_is_refused(X, wrong, error, message):
    with pytest.raises(error) as told:
        KMeans(3).fit(**{"X": da.from_array(X, chunks=100)} | wrong)
    assert message in str(told.value)


def test_weights_of_other_partitions(X):
    frame = dd.from_pandas(pd.DataFrame(X), npartitions=4)
    with pytest.raises(ValueError, match="X has 4 partitions, sample_weight has 3"):
        KMeans(3).fit(frame, sample_weight=dd.from_pandas(pd.Series(np.ones(400)), npartitions=3))
    with pytest.raises(ValueError, match="unknown size"):
        Partitions(frame.to_dask_array(), lloydq_dask.weights_for(frame.to_dask_array(), np.ones(400)))
    with Partitions(frame.to_dask_array(), None) as ask:
        assert ask(extents).n == 400


def test_errors_of_kinds_that_cannot_be_made_of_a_text():
    for error, kind in ((KeyError("x"), RuntimeError), (OSError("x"), OSError), (FileNotFoundError("x"), OSError)):
        told = renamed(error, "partition 3: x")
        assert type(told) is kind
        assert str(told).startswith("partition 3: x")
    assert "(KeyError)" in str(renamed(KeyError("x"), ""))


def test_pictures(tmp_path, rng, capfd):
    for name in "ab":
        Image.fromarray(rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)).save(tmp_path / f"{name}.png")
    palette = quantize_many(f"{tmp_path}/*.png", 5, tmp_path / "out")
    assert "counting the colours of 2 pictures" in capfd.readouterr().out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]
    assert len(palette) == 5
    with pytest.raises(FileNotFoundError):
        quantize_many(tmp_path / "none-*.png", 5, tmp_path / "out", progress=False)
    with pytest.raises(ValueError, match="there are no pictures"):
        found([], None)


def test_what_cannot_be_written_is_told_after_the_others(tmp_path, rng, monkeypatch):
    for name in "abc":
        Image.fromarray(rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)).save(tmp_path / f"{name}.png")
    results = tmp_path / "out"
    results.mkdir()
    write = lloydq_dask.File.write

    def fail(self, data, **options):
        if self.name.endswith("a.png"):
            raise OSError("no space left")
        write(self, data, **options)

    monkeypatch.setattr(lloydq_dask.File, "write", fail)
    with pytest.raises(OSError, match=r"a\.png: no space left"):
        quantize_many(f"{tmp_path}/*.png", 5, results, progress=False)
    assert sorted(path.name for path in results.iterdir()) == ["b.png", "c.png"]


def test_where_dask_is_not_installed():
    code = "import sys; sys.modules['distributed'] = None; import lloydq.dask"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert "lloydq.dask needs Dask: pip install 'lloydq[dask]'" in done.stderr
