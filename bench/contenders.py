"""The k-means libraries, each behind an adapter of a few lines. Who is not installed does not take part.

An adapter takes a `Task` and gives back a function of no arguments: that is what the clock runs around. It makes the
whole fit, from the points in the contender's dtype to centroids, and returns those and the number of iterations (None
where the library does not tell). What has to be brought into another form beforehand is outside of the clock, in favour
of the contender.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import numpy as np

import lloydq


@dataclass(frozen=True)
class Task:
    """One fit: from these centroids, so many iterations, or until no label changes."""

    X: np.ndarray  # (n, d) in the contender's dtype
    start: np.ndarray  # (k, d) float64, rows of X
    rows: np.ndarray  # (k,) which rows
    n_iter: int
    until: bool  # go on until no label changes; n_iter is then for those that cannot know
    weight: np.ndarray | None
    threads: int

    @property
    def limit(self):
        """Iterations at most, for those that stop by themselves: more than Lloyd needs, but some never do."""
        return 4 * self.n_iter + 100 if self.until else self.n_iter


@dataclass(frozen=True)
class Contender:
    """A library's way to fit."""

    name: str
    package: str  # whose version is told
    fit: Callable
    module: str  # what has to be there
    dtypes: tuple = ("f4", "f8")  # the faster one takes part
    exact: bool = False  # takes whole numbers as they are, and float32 without computing in it
    stops: bool = False  # by itself when no label changes; others make the reference's number of iterations
    weights: bool = False  # whether points may have weights
    bounds: bool = False  # later iterations take less time than the first ones
    most: int = 1 << 31  # rows that it can be asked for
    iterations: tuple = (1, 1 << 31)  # at least, at most
    marks: tuple = ()  # in what its work differs
    only: str | None = None  # "until": takes part where no label changes at the end; "error": and in fits of any length
    extra: bool = False  # takes part only where it is named

    @property
    def here(self):
        return find_spec(self.module) is not None

    def load(self):
        """What comes with it is there, and can be told how many threads to take."""
        import_module(self.module)

    def takes_part(self, case):
        """Whether such work is meant for it at all."""
        return self.only is None or case.n_iter is None or self.only == case.axis

    def forms(self, dtype):
        """The dtypes to try on such points."""
        return (dtype.str[1:],) if self.exact and dtype.kind in "iu" else self.dtypes

    @property
    def version(self):
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


CONTENDERS: dict[str, Contender] = {}


def contender(name, package, module=None, **what):
    """Enters an adapter into the list."""

    def enter(fit):
        CONTENDERS[name] = Contender(name, package, fit, module or package, **what)
        return fit

    return enter


def _lloydq(task, algorithm="auto"):
    model = lloydq.KMeans(
        len(task.start), init=task.start, tol=0, max_iter=task.limit, algorithm=algorithm, n_threads=task.threads
    )

    def fit():
        model.fit(task.X, sample_weight=task.weight)
        return model.cluster_centers_, model.n_iter_

    return fit


OURS = {"stops": True, "weights": True, "exact": True, "bounds": True}
contender("lloydq", "lloydq", **OURS)(_lloydq)
for algorithm in ("plain", "dense", "bounds", "groups", "blocks"):
    contender(f"lloydq {algorithm}", "lloydq", extra=True, **OURS)(partial(_lloydq, algorithm=algorithm))


def _sklearn(task, algorithm="lloyd"):
    from sklearn.cluster import KMeans

    options = {"init": task.start.astype(task.X.dtype), "n_init": 1, "tol": 0, "max_iter": task.limit}
    model = KMeans(len(task.start), algorithm=algorithm, **options)

    def fit():
        model.fit(task.X, sample_weight=task.weight)
        return model.cluster_centers_, model.n_iter_

    return fit


contender("scikit-learn", "scikit-learn", "sklearn", stops=True, weights=True)(_sklearn)
contender("scikit-learn elkan", "scikit-learn", "sklearn", stops=True, weights=True, bounds=True)(
    partial(_sklearn, algorithm="elkan")
)


@contender("scikit-learn folded", "scikit-learn", "sklearn", stops=True, dtypes=("u1",), extra=True)
def folded(task):
    """Equal colours with counts, as whoever knows of it would write it: NumPy and `sample_weight`, in the clock."""
    from sklearn.cluster import KMeans

    options = {"init": task.start.astype("f4"), "n_init": 1, "tol": 0, "max_iter": task.limit}
    model = KMeans(len(task.start), **options)

    def fit():
        numbers = np.pad(task.X, ((0, 0), (0, 1))).view(np.uint32)[:, 0]
        found, counts = np.unique(numbers, return_counts=True)
        model.fit(found[:, None].view(np.uint8)[:, :3].astype("f4"), sample_weight=counts)
        return model.cluster_centers_, model.n_iter_

    return fit


@contender(
    "scikit-learn MiniBatch", "scikit-learn", "sklearn", dtypes=("f4",), weights=True, only="error",
    marks=("subsampled", "own stop"),
)  # fmt: skip
def minibatch(task):
    """It stops as it likes, or after so many times over the data."""
    from sklearn.cluster import MiniBatchKMeans

    options = {"init": task.start.astype(task.X.dtype), "n_init": 1, "random_state": 0}
    options |= {} if task.until else {"max_iter": task.n_iter, "max_no_improvement": None}
    model = MiniBatchKMeans(len(task.start), **options)

    def fit():
        model.fit(task.X, sample_weight=task.weight)
        return model.cluster_centers_, None

    return fit


@contender("scikit-learn-intelex", "scikit-learn-intelex", "sklearnex", stops=True)
def intelex(task):
    from sklearnex.cluster import KMeans

    options = {"init": task.start.astype(task.X.dtype), "n_init": 1, "tol": 0, "max_iter": task.limit}
    model = KMeans(len(task.start), **options)

    def fit():
        model.fit(task.X)
        return model.cluster_centers_, model.n_iter_

    return fit


@contender("faiss", "faiss-cpu", "faiss", dtypes=("f4",), weights=True)
def faiss(task):
    from faiss import Kmeans

    k, d = task.start.shape
    first, weight = task.start.astype("f4"), None if task.weight is None else task.weight.astype("f4")
    options = {"niter": task.n_iter, "max_points_per_centroid": len(task.X), "min_points_per_centroid": 1}

    def fit():
        model = Kmeans(d, k, **options)
        model.train(task.X, weights=weight, init_centroids=first)
        return model.centroids, len(model.obj)

    return fit


@contender("scipy", "scipy", marks=("one thread",))
def scipy(task):
    from scipy.cluster.vq import kmeans2

    first = task.start.astype(task.X.dtype)

    def fit():
        return kmeans2(task.X, first, iter=task.n_iter, minit="matrix")[0], None

    return fit


@contender("OpenCV", "opencv-python-headless", "cv2", dtypes=("f4",), stops=True, iterations=(2, 100))
def opencv(task):
    """It begins with labels: those of the start, which are made outside of the clock, and makes 2 to 100 iterations."""
    import cv2

    find = lloydq.assign if task.X.size * len(task.start) < 1 << 20 else lloydq.nearest  # in NumPy: loads no kernels
    labels = find(task.X, task.start).reshape(-1, 1)
    stop = cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, task.limit, 0.0

    def fit():
        given = cv2.KMEANS_USE_INITIAL_LABELS
        return cv2.kmeans(task.X, len(task.start), labels.copy(), stop, 1, given)[2], None

    return fit


def _geokmeans(task, algorithm):
    """It draws its own start, by a seed: the rows of ours are put where it will draw."""
    from geokmeans import GeoKMeans

    n, k = len(task.X), len(task.start)
    X = placed(task, drawn_by_geokmeans(n, k))
    model = GeoKMeans(k, algorithm=algorithm, max_iter=task.limit, tol=0.0, random_state=1)

    def fit():
        model.fit(X)
        return model.cluster_centers_, model.n_iter_

    return fit


GEO = {"stops": True, "bounds": True, "marks": ("float32", "one thread"), "dtypes": ("f8",), "most": 10_000_000}
contender("geokmeans", "geokmeans", only="until", **GEO)(partial(_geokmeans, algorithm="geo"))
contender("geokmeans annulus", "geokmeans", **GEO)(partial(_geokmeans, algorithm="annulus"))


@lru_cache
def drawn_by_geokmeans(n, k):
    """(k,) the rows that it takes as its start; from a million on they are the same."""
    from geokmeans import GeoKMeans

    rows = np.arange(min(n, 1_000_000), dtype=float)[:, None]
    return GeoKMeans(k, algorithm="lloyd", max_iter=0, random_state=1).fit(rows).cluster_centers_[:, 0].astype(int)


@contender("superkmeans", "superkmeans", dtypes=("f4",), most=2_000_000)
def superkmeans(task):
    """All points, no early end, one level, no pruning by chance. It draws its own start, as geokmeans does."""
    from superkmeans import SuperKMeans

    k, d = task.start.shape
    X = placed(task, drawn_by_superkmeans(len(task.X))[:k])
    options = {"hierarchical": False, "sampling_fraction": 1.0, "early_termination": False, "tol": 0.0}
    options |= {"use_blas_only": True, "n_threads": task.threads, "iters": task.n_iter}

    def fit():
        model = SuperKMeans(k, d, **options)
        return model.train(X), len(model.iteration_stats)

    return fit


@lru_cache
def drawn_by_superkmeans(n, seed=42):
    """(n,) the order that C++'s `std::shuffle` brings n rows into, with the Mersenne Twister of this seed.

    As libstdc++ does it: numbers below r by Lemire's multiplication ("Fast random integer generation in an interval",
    2019), two at once where the product of both ranges is below 2³².
    """
    bits = np.random.MT19937()
    bits._legacy_seeding(seed)
    raw = iter(bits.random_raw(n + 1000).tolist())

    def below(r):
        product = next(raw) * r
        while product % 2**32 < 2**32 % r:
            product = next(raw) * r
        return product >> 32

    order = list(range(n))

    def swap(i, j):
        order[i], order[j] = order[j], order[i]

    i, pairs = 1, n < 1 << 16
    if pairs and n % 2 == 0:
        swap(1, below(2))
        i = 2
    while i < n:
        if pairs:
            first, second = divmod(below((i + 1) * (i + 2)), i + 2)
            swap(i, first)
            swap(i + 1, second)
            i += 2
        else:
            swap(i, below(i + 1))
            i += 1
    return np.array(order)


@contender("fastkmeans", "fastkmeans", dtypes=("f4",), stops=True)
def fastkmeans(task):
    """PyTorch on the processor. It draws its own start, as geokmeans does."""
    import torch
    from fastkmeans import FastKMeans

    k, d = task.start.shape
    torch.manual_seed(0)
    X = placed(task, torch.randperm(len(task.X))[:k].numpy())
    options = {"niter": task.limit, "tol": 1e-30, "gpu": False, "seed": 0, "max_points_per_centroid": None}

    def fit():
        model = FastKMeans(d, k, **options)
        model.train(X)
        return model.centroids, None

    return fit


@contender("Dask-ML", "dask-ml", "dask_ml", stops=True)
def dask_ml(task):
    """One piece for each thread, in memory."""
    import dask
    import dask.array
    from dask_ml.cluster import KMeans

    n, d = task.X.shape
    X = dask.array.from_array(task.X, chunks=(-(-n // task.threads), d))
    options = {"init": task.start.astype(task.X.dtype), "tol": 1e-30, "max_iter": task.limit}  # stops below tol
    model = KMeans(len(task.start), **options)

    def fit():
        with dask.config.set(scheduler="threads", num_workers=task.threads):
            model.fit(X)
        return model.cluster_centers_, model.n_iter_

    return fit


def placed(task, places):
    """The points in another order: those of the start stand where a library will draw them."""
    order, where = np.arange(len(task.X)), np.arange(len(task.X))
    for place, row in zip(places, task.rows, strict=True):
        other, now = order[place], where[row]
        order[place], order[now] = row, other
        where[row], where[other] = place, now
    return task.X[order]


@dataclass(frozen=True)
class Mapper:
    """A library's way to give every point its nearest centroid."""

    name: str
    package: str
    module: str
    prepare: Callable  # X in its dtype, centroids, threads: a function that returns the labels
    dtypes: tuple = ("f4", "f8")
    exact: bool = False
    marks: tuple = ()

    here, version, forms, load = Contender.here, Contender.version, Contender.forms, Contender.load

    def takes_part(self, case):
        return True


MAPPERS: dict[str, Mapper] = {}


def mapper(name, package, module=None, **what):
    """Enters an adapter into the list."""

    def enter(prepare):
        MAPPERS[name] = Mapper(name, package, module or package, prepare, **what)
        return prepare

    return enter


@mapper("lloydq", "lloydq", exact=True)
def _(X, centroids, threads):
    return lambda: lloydq.nearest(X, centroids, n_threads=threads)


def _predict(X, centroids, _, module="sklearn.cluster"):
    """A model fitted to the centroids themselves, whose means they are.

    That of scikit-learn-intelex cannot predict if it was fitted to few rows or its centroids are set by hand.
    """
    centroids = centroids.astype(X.dtype)
    model = import_module(module).KMeans(len(centroids), init=centroids, n_init=1, max_iter=2)
    model.fit(np.repeat(centroids, 64, axis=0))
    if module == "sklearn.cluster":
        model.cluster_centers_ = centroids  # to the last digit
    return lambda: model.predict(X)


mapper("scikit-learn", "scikit-learn", "sklearn")(_predict)
mapper("scikit-learn-intelex", "scikit-learn-intelex", "sklearnex")(partial(_predict, module="sklearnex.cluster"))


@mapper("faiss", "faiss-cpu", "faiss", dtypes=("f4",))
def _(X, centroids, _):
    from faiss import IndexFlatL2

    index = IndexFlatL2(X.shape[1])
    index.add(centroids.astype("f4"))
    return lambda: index.search(X, 1)[1][:, 0]


@mapper("scipy", "scipy", marks=("one thread",))
def _(X, centroids, _):
    from scipy.cluster.vq import vq

    centroids = centroids.astype(X.dtype)
    return lambda: vq(X, centroids)[0]


@mapper("superkmeans", "superkmeans", dtypes=("f4",))
def _(X, centroids, threads):
    from superkmeans import SuperKMeans

    centroids = centroids.astype("f4")
    model = SuperKMeans(*centroids.shape, n_threads=threads)
    return lambda: model.assign(X, centroids)


@mapper("fastkmeans", "fastkmeans", dtypes=("f4",))
def _(X, centroids, _):
    from fastkmeans import FastKMeans

    model = FastKMeans(X.shape[1], len(centroids), gpu=False)
    model.centroids = centroids.astype("f4")
    return lambda: model.predict(X)


@mapper("Dask-ML", "dask-ml", "dask_ml")
def _(X, centroids, threads):
    import dask
    import dask.array
    from dask_ml.cluster import KMeans

    model = KMeans(len(centroids), init=centroids.astype(X.dtype), max_iter=1)
    model.fit(dask.array.from_array(centroids.astype(X.dtype)))
    pieces = dask.array.from_array(X, chunks=(-(-len(X) // threads), X.shape[1]))

    def predict():
        with dask.config.set(scheduler="threads", num_workers=threads):
            return model.predict(pieces).compute()

    return predict
