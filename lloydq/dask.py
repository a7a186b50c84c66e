"""`KMeans` and `quantize_many` on Dask collections: the same loop, the same numbers.

Each partition is one part of the points (`lloydq.parts`). An iteration is a task for each partition, which runs this
package's kernels where the partition is, and a tree of tasks that add eight sums at a time; the client waits for one
sum. Data stay where they are: they are persisted from their graph, so that what a lost worker held is made again.
Centroids travel as an argument, the new ones and the previous ones, and what a task remembers of the previous
iteration is a cache in its process: a task that finds it missing, on another worker, makes it again, and answers the
same.

How it grows. Measured with a client, a scheduler and two workers of one thread on two processors
(`python -m bench --full -k cluster`): of 50 million × 8 float32 in 64 partitions, k = 64, an iteration is 73 tasks, and
94 % of the workers' time in it goes into kernels; a worker holds its part of the data, 24 bytes a point that the pass
remembers, and 0.2 GiB.

- A point costs one thread 0.15 µs in the first iterations, less later, as bounds hold.
- A task costs 1.8 ms: the client writes it, the scheduler places it, one after the other.
- Adding eight sums of 64 × 9 numbers in two slices costs 0.02 ms, which is nothing beside its task.
- A task carries both codebooks, 16·k·d bytes (8 KiB), and a sum has 8·slices·k·(d + 1) bytes (9 KiB); both go with the
  number of partitions P, and neither with that of the points.

So an iteration of n points on W workers takes about 0.15 µs · n / W + 1.8 ms · 8/7 · P. Of a billion points in four
partitions a worker:

    W      kernels   tasks    bytes sent
    1      150 s     0.01 s   76 KiB
    10     15 s      0.1 s    0.7 MiB
    100    1.5 s     0.8 s    7 MiB
    1,000  0.15 s    8 s      75 MiB

The scheduler becomes the limit at a few hundred partitions, whoever computes them. Then make them larger: one for each
machine, and let its task use all processors (`n_threads=`), which on 1,000 machines takes 2.1 s. Beyond that the sums
should meet in an all-reduce between the machines (MPI, Ray), without a scheduler: `lloydq.parts` drives the loop there.

A LocalCluster sets OMP_NUM_THREADS=1 in the process that starts it, too; `n_threads=` says how many threads
`lloydq.KMeans` takes in that process nevertheless.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any, Self
from uuid import uuid4

import numpy as np

from . import checks, estimator
from .colors import DistinctColors
from .dither import KINDS
from .fitting import Fit, run, spare_last
from .image import MOST
from .lloyd import Array, keep_empty
from .oversampling import starts
from .palette import Palette
from .parts import Part, PartedPass, extents, merge, scatter
from .passes import ALGORITHMS, VerificationError, distances, float_of
from .quantizer import Shared, apply_palette
from .seeding import called

try:
    import dask
    import dask.array as da
    from dask.core import flatten
    from dask.delayed import Delayed
    from dask.diagnostics import ProgressBar
    from dask.highlevelgraph import HighLevelGraph
    from distributed import CancelledError, KilledWorker, futures_of, get_client, get_worker, rejoin, secede
    from distributed import progress as show_progress
    from distributed.client import ClosedClientError
    from distributed.comm import CommClosedError

    from .remote import File, found, targets
except ImportError as error:
    raise ImportError("lloydq.dask needs Dask: pip install 'lloydq[dask]'") from error

FAN_IN = 8
MANY = 1 << 13  # numbers in a question that go to each worker once, not with each task
LOST = CancelledError, ClosedClientError, CommClosedError
KEPT = 64  # fits of which a process remembers what was found

_memory: dict[str, dict[int, dict[str, Any]]] = {}
_changing = Lock()


def _remembered(fit: str, index: int) -> dict[str, Any]:
    """What this process has found of a partition in a fit; of earlier fits it forgets."""
    with _changing:
        while len(_memory) >= KEPT and fit not in _memory:
            del _memory[next(iter(_memory))]
        return _memory.setdefault(fit, {}).setdefault(index, {})


def _forget(fit: str) -> None:
    with _changing:
        _memory.pop(fit, None)


def _answer(question: Callable[..., Any], fit: str, options: dict[str, Any], X: Any, weight: Any, index: int) -> Any:
    """A task: one partition's answer."""
    with _named(f"partition {index}"):
        X = np.asarray(X) if X.shape[0] == 0 or (type(X) is np.ndarray and X.dtype.kind in "iuf") else checks.points(X)
        return question(Part(X, weight, index, _remembered(fit, index)), **options)


@contextlib.contextmanager
def _named(what: str) -> Iterator[None]:
    """Errors name the partition, or the picture."""
    try:
        yield
    except Exception as error:
        raise renamed(error, f"{what}: {error}") from error


def renamed(error: Exception, text: str) -> Exception:
    """An error of the same kind that says more; one of few kinds, since others may not be made of a text."""
    for kind in (VerificationError, checks.InvalidTypeError, TypeError, ValueError, OSError):
        if isinstance(error, kind):
            return kind(text)
    return RuntimeError(f"{text} ({type(error).__name__})")


def _current() -> Any:
    """The cluster's client, if there is a cluster."""
    try:
        return get_client()
    except ValueError:
        return None


@contextlib.contextmanager
def _aside() -> Iterator[None]:
    """A task that waits for other tasks gives them its thread."""
    try:
        get_worker()
    except ValueError:  # this is none
        yield
        return
    secede()
    try:
        yield
    finally:
        rejoin()


class Partitions:
    """The partitions of a collection, persisted, to be asked."""

    def __init__(self, X: Any, weight: Any) -> None:
        self.fit, self.client = uuid4().hex, _current()
        held = [one for one in (X, weight) if one is not None]  # what nobody holds is not made again
        self.held = list(dask.persist(*held) if self.client is None else self.client.persist(held))
        keys = [list(flatten(one.__dask_keys__())) for one in self.held]
        self.blocks, self.weights = keys if len(keys) == 2 else (*keys, [None] * len(keys[0]))
        if len(self.weights) != len(self.blocks):
            raise ValueError(f"X has {len(self.blocks)} partitions, sample_weight has {len(self.weights)}")

    def __call__(self, question: Callable[..., Any], **options: Any) -> Any:
        """The sum of all answers."""
        name, tasks = f"lloydq-{question.__name__}-{uuid4().hex}", dict[Any, Any]()
        asked: tuple[Any, ...] = (partial(_answer, question, self.fit, options),)
        if sum(np.size(what) for what in options.values()) > MANY:
            tasks[f"{name}-asked"] = (partial(dict, options),)
            asked = partial(_answer, question, self.fit), f"{name}-asked"
        for i, (X, weight) in enumerate(zip(self.blocks, self.weights, strict=True)):
            tasks[f"{name}-{i}"] = (*asked, X, weight, i)
        top = tree(merge, [f"{name}-{i}" for i in range(len(self.blocks))], name, tasks)
        with _told([f"partition {i}" for i in range(len(self.blocks))], "make partitions smaller", self._broken):
            return self._answered(Delayed(top, HighLevelGraph.from_collections(name, tasks, self.held), layer=name))

    def _answered(self, task: Any) -> Any:
        if self.client is None:
            return task.compute()
        future = self.client.compute(task)
        try:
            return future.result()
        except (*LOST, KilledWorker):
            raise
        except Exception as error:
            if which := self._broken():  # before a question was asked, when it was made
                raise renamed(error, f"{which}: {error}") from error
            raise
        finally:
            future.release()  # an error's traceback would hold it, and with it the data

    def _broken(self) -> str | None:
        """The partition of the data that could not be made, or several."""
        keys = [future.key for future in futures_of(self.held) if future.status == "error"]
        return ", ".join(f"partition {key[1]}" for key in keys) or None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends what processes remember of the fit, and lets the data go, which an error's traceback would hold."""
        self.held, self.blocks, self.weights = [], [], []
        _forget(self.fit)
        if self.client is not None:
            with contextlib.suppress(Exception):  # a lost one has forgotten
                self.client.run(_forget, self.fit, on_error="ignore")


@contextlib.contextmanager
def _told(parts: Sequence[str], advice: str, broken: Callable[[], str | None] = lambda: None) -> Iterator[None]:
    """Where workers end, or the connection to them, the error says at which of the parts, and what can be done.

    What `broken` says could not be made is known better than by the task that waited for it.
    """
    try:
        yield
    except LOST as error:
        raise RuntimeError(f"the connection to the cluster was lost: {error}") from error
    except KilledWorker as error:
        raise RuntimeError(
            f"{broken() or _blamed(str(error.task), parts)}, or what waited on the same worker: every worker that had "
            f"it died, as a rule because it does not fit into its memory; {advice}, or give workers more memory "
            f"({error})"
        ) from error


def _blamed(key: str, parts: Sequence[str]) -> str:
    """What a task of ours is about: its key is "lloydq-name-part", or "lloydq-name-add-height-group"."""
    found = re.search(r"^lloydq-.*?-(?:add-(\d+)-)?(\d+)$", key)
    if found is None:
        return "what the data are made of"
    size = FAN_IN ** int(found[1] or 0)
    first = int(found[2]) * size
    last = min(first + size, len(parts)) - 1
    return parts[first] if first == last else f"one of {parts[first]} to {parts[last]}"


def tree(add: Callable[[list[Any]], Any], level: list[str], name: str, tasks: dict[Any, Any]) -> str:
    """The key of the sum of a level of tasks; the tasks that add, a few at a time, are entered with the others."""
    height = 0
    while len(level) > 1:
        groups, height = [level[i : i + FAN_IN] for i in range(0, len(level), FAN_IN)], height + 1
        level = [f"{name}-add-{height}-{i}" for i in range(len(groups))]
        tasks |= {key: (add, group) for key, group in zip(level, groups, strict=True)}
    return level[0]


def in_memory(weight: Any) -> bool:
    """Whether there are weights that are to be dealt out to the partitions."""
    return np.ndim(weight) > 0 and not isinstance(weight, da.Array) and not hasattr(weight, "to_dask_array")


def collection(X: Any, *, sized: bool = False) -> Any:
    """A Dask array (n, d) of numbers, each partition with all columns and, if need be, of known size."""
    if hasattr(X, "to_dask_array"):
        X = X.to_dask_array(lengths=sized or None)
    if not isinstance(X, da.Array):
        raise TypeError(f"X must be a Dask array or DataFrame; got {type(X).__name__}: lloydq.KMeans takes arrays")
    if X.ndim != 2:
        raise ValueError(f"X must have shape (n, d). Expected 2D array, got {X.ndim}D array instead")
    if X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    return real(X, "X")


def real(X: Any, name: str) -> Any:
    """Of numbers that the kernels take, or can be made so without a guess; objects are looked at where they are."""
    if X.dtype.kind not in "biufO":
        raise checks.InvalidTypeError(f"{name} must be made of real numbers; got dtype {X.dtype}")
    return X.astype(np.uint8) if X.dtype.kind == "b" else X


def weights_for(X: Any, weight: Any) -> Any:
    """(n,) float64 as a Dask array with the partitions of X; None."""
    if weight is None:
        return None
    if hasattr(weight, "to_dask_array"):
        weight = weight.to_dask_array()
    if np.ndim(weight) == 0:
        w = np.asarray(checks.weights(weight, 1))[0]
        return X.map_blocks(lambda rows: np.full(rows.shape[0], w), drop_axis=1, dtype=np.float64)
    if not isinstance(weight, da.Array):
        weight = np.asarray(weight)
        if np.isnan(sum(X.chunks[0])):
            raise ValueError("X has partitions of unknown size: give sample_weight as a Dask collection, too")
        checks.weights(weight, X.shape[0])
        weight = da.from_array(weight, chunks=(X.chunks[0],))
    if weight.ndim != 1:
        raise ValueError(f"sample_weight must have shape (n,); got {weight.ndim} dimensions")
    if weight.chunks != X.chunks[:1] and not np.isnan([*X.chunks[0], *weight.chunks[0]]).any():
        if weight.shape[0] != X.shape[0]:
            raise ValueError(f"sample_weight must have shape ({X.shape[0]},); got {weight.shape}")
        weight = weight.rechunk((X.chunks[0],))
    return real(weight, "sample_weight").astype(np.float64)


class KMeans(estimator.KMeans):
    """`lloydq.KMeans` on a Dask array or DataFrame (n, d).

    The parameters and attributes are those of `lloydq.KMeans`, with these differences:

    init : "k-means++" and "k-means||" are both k-means|| here (Bahmani and others 2012); what is drawn hangs on
        `random_state` and the partitions, not on the workers.
    n_threads : of each task; 1, if left out.
    labels_ : a lazy Dask array, (n,) int32, which a pickled model does not have: it holds the data. `predict` and
        `transform` return such arrays, too, whatever `set_output` asks for.

    From the same starting centroids the centroids, the labels, the inertia and the number of iterations are those of
    `lloydq.KMeans`, bit for bit, for any partitions, any number of workers, and after the loss of some. For float
    dtypes the inertias of `history_`, and the variance that `tol` is compared with, are so to rounding
    (1e-12), since they are added up in the order of the partitions.

    Examples
    --------
    >>> import dask.array as da
    >>> X = da.from_array(np.array([[1.0], [2.0], [9.0], [10.0]]), chunks=(2, 1))
    >>> model = KMeans(2, random_state=0).fit(X)
    >>> sorted(model.cluster_centers_.ravel().tolist()), model.inertia_, model.labels_.shape
    ([1.5, 9.5], 1.0, (4,))

    References
    ----------
    B. Bahmani, B. Moseley, A. Vattani, R. Kumar, S. Vassilvitskii, "Scalable k-means++", PVLDB 5 (2012).
    """

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the centroids of X (n, d); each row counts sample_weight (n,) times. y is not used.

        Raises
        ------
        ValueError, TypeError
            As `lloydq.KMeans.fit`; what is wrong with the data of one partition names it.
        RuntimeError
            Where a task fails or workers die of it; it names the partition.
        """
        frame, X = X, collection(X, sized=in_memory(sample_weight))
        algorithm, options = checks.one_of(self.algorithm, "algorithm", ALGORITHMS), self._options()
        n_threads = checks.threads(self.n_threads) or 1
        with _aside(), Partitions(X, weights_for(X, sample_weight)) as ask:
            visit = PartedPass(ask, algorithm, n_threads, verify=self.verify)
            k = checks.clusters(self.n_clusters, visit.facts.n)
            name = "k-means++" if isinstance(self.init, str) and self.init == "k-means||" else self.init
            init = checks.init(name, k, X.shape[1])
            seeds = self._seeds(init)

            def draw(rng: np.random.Generator) -> Array:
                if callable(init):
                    return called(init, frame, k, rng)
                return starts(visit, k, init, rng) if isinstance(init, str) else init

            def fit_from(start: Array) -> Fit:
                step, reason = run(visit, start, callback=(history := self._history()), **options)
                centers = step.centroids.astype(float_of(X))
                last = ask(scatter, centroids=centers.astype(np.float64), n_threads=n_threads, verify=self.verify)
                spare = last.weight == 0
                if options["fill"] is not keep_empty:
                    centers = spare_last(centers, spare)
                total, no_labels = last.inertia[0], np.empty(0, np.int32)
                return Fit(centers, no_labels, total, int(spare.sum()), step.n_iter, reason, history.records)

            self._keep(self._best(seeds, draw, fit_from), frame)
        self.labels_ = self.predict(frame)
        return self

    def predict(self, X: Any) -> Any:
        """The label of the nearest of `cluster_centers_` for each row of X (n, d): lazy, (n,) int32."""
        X = self._checked(X)
        if not isinstance(X, da.Array):
            return super().predict(X)
        return X.map_blocks(_labels, self.cluster_centers_, self.n_threads, self.verify, dtype=np.int32, drop_axis=1)

    def transform(self, X: Any) -> Any:
        """The distance from each row of X (n, d) to each centroid: lazy, (n, n_clusters)."""
        X = self._checked(X)
        if not isinstance(X, da.Array):
            return super().transform(X)
        dtype, k = np.dtype(float_of(X)), len(self.cluster_centers_)
        return X.map_blocks(_distances, self.cluster_centers_, self.n_threads, dtype=dtype, chunks=(X.chunks[0], (k,)))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Minus the inertia of X (n, d) against the fitted centroids."""
        X = self._checked(X, sized=in_memory(sample_weight))
        if not isinstance(X, da.Array):
            return super().score(X, y, sample_weight)
        with _aside(), Partitions(X, weights_for(X, sample_weight)) as ask:
            if not ask(extents).heavy:  # numbers that cannot be used are refused by then
                raise ValueError("no partition has a row with weight (0 sample(s))")
            centers = np.asarray(self.cluster_centers_, np.float64)
            total: float = ask(scatter, centroids=centers, verify=self.verify).inertia[0]
        return -total

    def __getstate__(self) -> dict[str, Any]:
        """For pickle: without the labels, which know the data that they are made of."""
        return {name: value for name, value in vars(self).items() if name != "labels_"}

    def _checked(self, X: Any, *, sized: bool = False) -> Any:
        """A Dask array for a fitted model; what is none as it is."""
        self._check_fitted()
        if not hasattr(X, "to_dask_array") and not isinstance(X, da.Array):
            return X
        self._check_columns(X)
        return checks.same_columns(collection(X, sized=sized), np.shape(self.cluster_centers_)[1], type(self).__name__)


def _labels(X: Array, centers: Array, n_threads: int | None, verify: bool, block_id: tuple[int, ...] = (0,)) -> Array:
    if len(X) == 0:
        return np.empty(0, np.int32)
    with _named(f"partition {block_id[0]}"):
        return estimator.nearest(X, centers, n_threads=n_threads or 1, verify=verify)


def _distances(X: Array, centers: Array, n_threads: int | None, block_id: tuple[int, ...] = (0,)) -> Array:
    if len(X) == 0:
        return np.empty((0, len(centers)), float_of(X))
    with _named(f"partition {block_id[0]}"):
        return distances(checks.points(X), centers.astype(np.float64, order="C"), n_threads or 1)


def quantize_many(
    images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    n_colors: int,
    output_dir: str | os.PathLike[str],
    *,
    suffix: str = ".png",
    dither: str = "none",
    strength: float = 1.0,
    strip: bool = False,
    overwrite: bool = False,
    rng: Any = 0,
    progress: bool = True,
    storage_options: dict[str, Any] | None = None,
    **options: Any,
) -> Palette:
    """Any number of pictures in one palette, fitted to the pixels of all of them.

    Their colours are counted where they are read, and the counts added in a tree; the fit, to the distinct colours of
    all, is made here; then each picture gets the nearest colours, and is written, where it is read. The palette is that
    of `lloydq.shared_palette`, to the byte.

    Parameters
    ----------
    images : path, glob, or several
        Local, or of any file system of fsspec ("s3://bucket/*.jpg").
    n_colors : int
        1 to 256.
    output_dir : path
        A folder that is made if there is none, local or of fsspec; every worker must reach it. Each picture keeps its
        name, with another end.
    suffix : ".png" or ".gif", default ".png"
    dither, strength
        As for `quantize`.
    strip : bool, default False
        Leave out metadata.
    overwrite : bool, default False
        Whether pictures that are there may be replaced.
    rng : seed, Generator or None, default 0
    progress : bool, default True
        Show a bar for the counting, and one for the writing.
    storage_options : dict, optional
        For fsspec.
    **options
        Of `shared_palette`: lock, space, alpha, init, n_init, tol, max_iter, frame, n_threads (of the fit), callback,
        verify.

    Raises
    ------
    FileNotFoundError
        Where nothing is found.
    FileExistsError
        Before any picture is read, for the first result that is there; also where two pictures have one name.
    OSError, ValueError, TypeError
        As `quantize`; what is wrong with a picture names it. One that cannot be read ends all, since the palette would
        not be that of all; of what cannot be written the others are done.
    """
    shared = Shared.of(checks.integer(n_colors, "n_colors", most=MOST), rng, options)
    finish = {
        "dither": checks.one_of(dither, "dither", KINDS),
        "strength": checks.fraction(strength, "strength"),
        "space": shared.how.space,
        "alpha": checks.alpha(shared.alpha),
        "frame": shared.frame,
        "verify": shared.how.verify,
    }
    pictures = found(images, storage_options)
    results = targets(pictures, output_dir, suffix, overwrite, storage_options)
    local = replace(shared, how=replace(shared.how, callback=None, n_threads=1))
    name = f"lloydq-count-{uuid4().hex}"
    tasks: dict[Any, Any] = {f"{name}-{i}": (partial(_count, file, local),) for i, file in enumerate(pictures)}
    top = tree(_merged, list(tasks), name, tasks)
    many = f"{len(pictures)} picture{'s' if len(pictures) > 1 else ''}"
    palette = shared.palette(_computed([top], name, tasks, pictures, progress and f"counting the colours of {many}")[0])
    name, kept = f"lloydq-write-{uuid4().hex}", {"strip": strip, "overwrite": overwrite}
    tasks = {
        f"{name}-{i}": (partial(_write, *pair, palette.colors, kept, finish),)
        for i, pair in enumerate(zip(pictures, results, strict=True))
    }
    errors = [error for error in _computed(list(tasks), name, tasks, pictures, progress and "writing them") if error]
    if errors:
        raise errors[0]
    return palette


def _count(file: File, shared: Shared) -> DistinctColors:
    """A task: the colours of a picture."""
    with _named(file.name):
        return shared.count(file.read())


def _merged(parts: list[DistinctColors]) -> DistinctColors:
    """A task: the colours of several."""
    return DistinctColors.merged(parts, 1)


def _write(file: File, target: File, colors: Array, kept: dict[str, Any], options: dict[str, Any]) -> Exception | None:
    """A task: a picture in these colours; the error, if there was one, since the others are to be done."""
    try:
        with _named(file.name):
            result = apply_palette(file.read(), colors, n_threads=1, **options)
            target.write(result.encode(target.format, strip=kept["strip"]), overwrite=kept["overwrite"])
    except Exception as error:
        return error
    return None


def _computed(
    keys: list[str], name: str, tasks: dict[Any, Any], pictures: list[File], progress: str | bool
) -> list[Any]:
    """What the tasks of these keys give; beside it a line that says what they do, and a bar."""
    if progress:
        print(progress, flush=True)
    graph = HighLevelGraph.from_collections(name, tasks)
    asked = [Delayed(key, graph, layer=name) for key in keys]
    if (client := _current()) is None:
        with ProgressBar() if progress else contextlib.nullcontext():
            return list(dask.compute(*asked))
    with _aside(), _told([file.name for file in pictures], "leave it out"):
        futures = client.compute(asked)
        if progress:
            show_progress(futures, notebook=False)
            print()  # its last line has no end
        return list(client.gather(futures))
