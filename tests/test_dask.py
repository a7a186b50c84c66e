"""On a cluster of real processes: the numbers of one machine, whatever the partitions, and whoever dies."""

import gc
import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest

for needed in ("dask.array", "distributed"):
    pytest.importorskip(needed, reason="Dask (extra: dask)")

import dask
import dask.array as da
import dask.dataframe as dd
import pandas as pd
from dask.distributed import Client, LocalCluster

import lloydq
from lloydq import dask as lloydq_dask
from lloydq.dask import KMeans

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("client")]


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        yield client


def points(rng, dtype, n=3_000, d=4):
    X = rng.integers(0, 256, (n, d)).astype(dtype)
    return X if np.dtype(dtype).kind in "iu" else (X + rng.random((n, d))).astype(dtype)


def same(one, other):
    assert (one.cluster_centers_ == other.cluster_centers_).all()
    assert one.cluster_centers_.dtype == other.cluster_centers_.dtype
    assert one.n_iter_ == other.n_iter_
    assert one.stop_reason_ == other.stop_reason_
    assert (np.asarray(one.labels_) == other.labels_).all()
    assert one.inertia_ == other.inertia_
    assert [r.changed for r in one.history_] == [r.changed for r in other.history_]


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_the_result_is_that_of_one_machine_for_any_chunks(dtype, rng):
    X, weight = points(rng, dtype), rng.integers(0, 4, 3_000).astype(float)
    X[1_500:] = X[:1_500]  # one machine folds equal rows of bytes
    options = {"n_clusters": 30, "init": X[:30].astype(float), "tol": 0, "max_iter": None}
    whole = lloydq.KMeans(**options).fit(X, sample_weight=weight)
    for chunks in (3_000, 1_000, (1, 999, 0, 1_998, 2), 17 * 30):
        rows = da.from_array(X, chunks=(chunks, 4))
        same(KMeans(**options).fit(rows, sample_weight=da.from_array(weight, chunks=chunks)), whole)


def test_columns_may_be_parted_and_weights_come_in_other_chunks(rng):
    X, weight = points(rng, np.float64), rng.random(3_000)
    options = {"n_clusters": 5, "init": X[:5], "tol": 0}
    same(
        KMeans(**options).fit(da.from_array(X, chunks=(700, 2)), sample_weight=da.from_array(weight, chunks=450)),
        lloydq.KMeans(**options).fit(X, sample_weight=weight),
    )


@pytest.mark.parametrize("init", ["k-means||", "random"])
def test_threads_of_a_task_change_nothing(init, rng):
    X = da.from_array(points(rng, np.float32, 9_000), chunks=(2_000, 4))
    options = {"init": init, "max_iter": 9, "random_state": 0}
    same(*(KMeans(20, n_threads=n_threads, **options).fit(X) for n_threads in (1, 3)))


def test_a_pickled_model_is_without_its_data(rng):
    X = points(rng, np.float64)
    model = KMeans(5, random_state=0).fit(da.from_array(X, chunks=(500, 4)))
    data = pickle.dumps(model)
    assert len(data) < 10_000
    again = pickle.loads(data)
    assert not hasattr(again, "labels_")
    assert (again.predict(X) == model.labels_).all()


def test_verify_compares_with_plain_numpy(rng):
    X = points(rng, np.float32)
    found = KMeans(9, verify=True, random_state=0).fit(da.from_array(X, chunks=(1_100, 4)))
    assert (found.labels_.compute() == lloydq.nearest(X, found.cluster_centers_)).all()
    assert found.score(da.from_array(X, chunks=(500, 4))) == -found.inertia_
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        found.score(da.from_array(X[:0], chunks=(500, 4)))


def test_a_data_frame_of_unknown_sizes(rng):
    frame = pd.DataFrame(points(rng, np.float64), columns=list("abcd"))
    lazy = dd.from_pandas(frame, npartitions=7)
    lazy = lazy[lazy.a < 200]
    few = frame[frame.a < 200]
    start = few.to_numpy()[:9]
    one, other = KMeans(9, init=start, tol=0).fit(lazy), lloydq.KMeans(9, init=start, tol=0).fit(few)
    same(one, other)
    assert one.feature_names_in_.tolist() == list("abcd")
    assert one.score(lazy) == pytest.approx(-one.inertia_)
    assert one.transform(lazy).compute().shape == (len(few), 9)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_starts_are_drawn_from_the_seed(init, rng):
    X = da.from_array(points(rng, np.float32), chunks=(400, 4))
    one, other = (KMeans(12, init=init, random_state=3, n_init=1).fit(X) for _ in range(2))
    assert (one.cluster_centers_ == other.cluster_centers_).all()
    assert len(np.unique(one.cluster_centers_, axis=0)) == 12
    best = lloydq.KMeans(12, random_state=0, n_init=5).fit(X.compute()).inertia_
    assert one.inertia_ < 1.5 * best


def test_starts_find_clusters_far_apart(rng):
    centers = rng.normal(size=(20, 3)) * 1e3
    X = np.repeat(centers, 200, axis=0) + rng.normal(size=(4_000, 3))
    found = KMeans(20, random_state=0).fit(da.from_array(X, chunks=(500, 3)))
    assert found.inertia_ < 1.01 * 3 * 4_000


def test_weights_of_zero_are_never_drawn(rng):
    X = points(rng, np.float64, 600)
    weight = np.zeros(600)
    weight[::60] = 1
    for init in ("random", "k-means||"):
        found = KMeans(10, init=init, n_init=1, random_state=0).fit(
            da.from_array(X, chunks=(50, 4)), sample_weight=weight
        )
        assert sorted(map(tuple, found.cluster_centers_)) == sorted(map(tuple, X[::60]))


def test_fewer_positions_than_clusters(rng):
    X = np.repeat([[1.0], [5.0], [9.0]], 40, axis=0)
    found = KMeans(6, random_state=0).fit(da.from_array(X, chunks=(7, 1)))
    assert found.inertia_ == 0


def test_bad_data_name_their_partition(rng):
    X = points(rng, np.float64)
    X[2_500, 1] = np.nan
    with pytest.raises(ValueError, match="partition 5: Input X contains NaN"):
        KMeans(3).fit(da.from_array(X, chunks=(500, 4)))
    fitted = KMeans(3, random_state=0).fit(da.from_array(X[:2_000], chunks=(500, 4)))
    for found in (fitted.predict(da.from_array(X, chunks=(500, 4))), fitted.transform(da.from_array(X, chunks=500))):
        with pytest.raises(ValueError, match="partition 5: Input X contains NaN"):
            found.compute()
    weight = np.ones(3_000)
    weight[100] = -1
    rows = da.from_array(points(rng, np.float64), chunks=(500, 4))
    with pytest.raises(ValueError, match="must not be negative"):
        KMeans(3).fit(rows, sample_weight=weight)
    with pytest.raises(ValueError, match="partition 0: sample_weight must not be negative"):
        KMeans(3).fit(rows, sample_weight=da.from_array(weight, chunks=500))
    with pytest.raises(ValueError, match="n_clusters"):
        KMeans(3_001).fit(rows)
    with pytest.raises(TypeError, match=r"lloydq\.KMeans takes arrays"):
        KMeans(3).fit(np.zeros((9, 2)))


def fails(block):
    if block.shape[0] and block[0, 0] == 7:
        raise OSError("the disk is gone")
    return block


def ends(block):
    if block.shape[0] and block[0, 0] == 7:
        os._exit(1)
    return block


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (fails, OSError, "the disk is gone"),
        (ends, RuntimeError, "partition 1, or what waited on the same worker: every worker that had it died"),
    ],
)
def test_a_partition_that_cannot_be_made_is_told(made, error, message):
    X = np.zeros((900, 2))
    X[300:600, 0] = 7
    with pytest.raises(error, match=message):
        KMeans(3).fit(da.from_array(X, chunks=(300, 2)).map_blocks(made, dtype=float, meta=np.empty((0, 2))))


def grows(block, block_info=None):
    """Too much for a worker of 400 MiB."""
    if block_info[None]["chunk-location"][0] == 2:
        block = np.ones((100_000_000, 2))
        time.sleep(2)  # the nanny looks every 0.1 s
    return block


def test_a_partition_that_is_too_large_for_a_worker_is_named():
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(memory_limit="400 MiB", **options) as small,
        Client(small),
    ):
        X = da.zeros((400, 2), chunks=(100, 2)).map_blocks(grows, dtype=float, meta=np.empty((0, 2)))
        with pytest.raises(RuntimeError, match=r"partition [23], .* every worker that had it died, .* memory"):
            KMeans(3).fit(X)


def test_workers_that_die_of_what_the_data_are_made_of():
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    X = np.zeros((1_000, 2))
    X[700:800, 0] = 7
    lazy = da.from_array(X, chunks=(100, 2)).map_blocks(ends, dtype=float, meta=np.empty((0, 2)))
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(**options) as own,
        Client(own),
    ):
        with pytest.raises(RuntimeError, match=r"every worker that had it died") as told:
            KMeans(3).fit(lazy)
        assert "partition 7" in str(told.value)
        with pytest.raises(RuntimeError, match=r"every worker that had it died"):
            KMeans(3).fit(lazy.rechunk((500, 2)))


def test_a_task_is_known_by_its_key():
    parts = [f"partition {i}" for i in range(70)]
    for key, told in (
        ("('zeros-1f', 3, 0)", "what the data are made of"),
        ("lloydq-visit-1f-12", "partition 12"),
        ("lloydq-visit-1f-add-1-2", "one of partition 16 to partition 23"),
        ("lloydq-visit-1f-add-2-1", "one of partition 64 to partition 69"),
        ("lloydq-visit-1f-asked", "what the data are made of"),
    ):
        assert lloydq_dask._blamed(key, parts) == told


def test_a_replaced_worker_changes_nothing(rng):
    X = da.from_array(points(rng, np.float32, 20_000), chunks=(1_000, 4))
    options = {"n_clusters": 40, "random_state": 1, "tol": 0, "max_iter": 12}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as own,
        Client(own) as client,
    ):
        whole, known = KMeans(**options).fit(X), set(client.scheduler_info()["workers"])

        def replace(step):
            if step.n_iter == 4:
                own.scale(3)
                client.wait_for_workers(3)
                client.retire_workers([next(iter(known))])

        found = KMeans(**options, callback=replace).fit(X)
        assert not known <= set(client.scheduler_info()["workers"])
    assert (found.cluster_centers_ == whole.cluster_centers_).all()
    assert found.inertia_ == whole.inertia_
    assert [r.changed for r in found.history_] == [r.changed for r in whole.history_]


def test_a_client_that_disconnects_ends_its_fit_alone(cluster, client, rng):
    X = da.from_array(points(rng, np.float32, 20_000), chunks=(1_000, 4))
    options = {"n_clusters": 40, "random_state": 1, "tol": 0, "max_iter": 12}
    whole = KMeans(**options).fit(X)
    with Client(cluster) as other, other.as_current():
        fit = KMeans(**options, callback=lambda step: step.n_iter == 3 and other.close() and False)
        with pytest.raises(RuntimeError, match="the connection to the cluster was lost"):
            fit.fit(X)
    assert KMeans(**options).fit(X).inertia_ == whole.inertia_


def kill(cluster):
    """A worker's process, while questions are on their way."""
    time.sleep(0.01)
    worker = next(iter(cluster.workers.values()))
    os.kill(worker.process.process.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    "asked",
    [pytest.param("extents", marks=pytest.mark.slow), pytest.param("draw", marks=pytest.mark.slow), "visit", "scatter"],
)
def test_a_killed_worker_changes_nothing(cluster, rng, asked, monkeypatch):
    X = da.from_array(points(rng, np.float32, 20_000), chunks=(1_000, 4))
    options = {"n_clusters": 40, "random_state": 1, "tol": 0, "max_iter": 25}
    whole = KMeans(**options).fit(X)
    ask, killers = lloydq_dask.Partitions.__call__, []

    def in_danger(self, question, **options):
        if question.__name__ == asked:
            killers.append(threading.Thread(target=kill, args=(cluster,)))
            if len(killers) == {"extents": 1, "scatter": 1}.get(asked, 3):
                killers[-1].start()
        return ask(self, question, **options)

    monkeypatch.setattr(lloydq_dask.Partitions, "__call__", in_danger)
    found = KMeans(**options).fit(X)
    killers = [killer for killer in killers if killer.ident]
    assert len(killers) == 1
    killers[0].join()
    assert (found.cluster_centers_ == whole.cluster_centers_).all()
    assert found.inertia_ == whole.inertia_
    assert [r.changed for r in found.history_] == [r.changed for r in whole.history_]
    assert (found.labels_.compute() == whole.labels_.compute()).all()


def test_a_fit_that_failed_lets_its_data_go(client, rng):
    X = points(rng, np.float64)
    X[2_500, 1] = np.nan
    with pytest.raises(ValueError, match="partition 5"):
        KMeans(3).fit(da.from_array(X, chunks=(500, 4)))
    deadline = time.monotonic() + 20
    while any(client.has_what().values()) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.1)
    assert not any(client.has_what().values())


@pytest.mark.parametrize(
    "made",
    [
        lambda X: X + 1j,
        lambda X: X.astype("M8[s]"),
        lambda X: X.astype("U9"),
        lambda X: da.ma.masked_greater(X, 100),
    ],
)
def test_what_is_no_number_is_refused(made, rng):
    with pytest.raises(ValueError, match=r"real numbers|masked"):
        KMeans(3).fit(made(da.from_array(points(rng, np.float64), chunks=(500, 4))))


def test_weights_in_memory_and_one_for_all(rng):
    X, weight = points(rng, np.float64), rng.random(3_000)
    options = {"n_clusters": 5, "init": X[:5], "tol": 0}
    frame = dd.from_pandas(pd.DataFrame(X), npartitions=4)
    same(KMeans(**options).fit(frame, sample_weight=weight), lloydq.KMeans(**options).fit(X, sample_weight=weight))
    same(KMeans(**options).fit(frame, sample_weight=2.0), lloydq.KMeans(**options).fit(X, sample_weight=2.0))


def test_a_fast_way_that_errs_is_told_as_such(rng, monkeypatch):
    X = da.from_array(points(rng, np.float64), chunks=(500, 4))

    def wrong(part, **_):
        raise lloydq.VerificationError("point 3: label 1")

    with (
        lloydq_dask.Partitions(X, None) as ask,
        pytest.raises(lloydq.VerificationError, match=r"partition \d: point 3"),
    ):
        ask(wrong)


def test_a_fit_in_a_task_lends_its_thread(rng):
    X = points(rng, np.float64)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as own,
        Client(own) as client,
    ):
        fit = client.submit(lambda: KMeans(3, random_state=0).fit(da.from_array(X, chunks=(500, 4))).inertia_)
        assert fit.result(timeout=60) > 0


def test_nothing_is_remembered_after_a_fit(client, rng):
    before = client.run(lambda: set(lloydq_dask._memory))
    KMeans(3, random_state=0).fit(da.from_array(points(rng, np.float64), chunks=(500, 4)))
    after = client.run(lambda: set(lloydq_dask._memory))
    assert all(after[worker] <= before.get(worker, set()) for worker in after)  # a worker may be new
