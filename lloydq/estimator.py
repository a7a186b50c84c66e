"""KMeans, shaped as scikit-learn's, and `nearest`."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from . import checks, pool
from .colors import DistinctColors
from .lloyd import Array, PlainPass, Step, chunks, squared_distances, steps
from .passes import assign, suited
from .seeding import Init, starting_centroids

FOLD = 1 << 24  # n·k from which finding the distinct colours (8 ms) is cheaper than comparing every pixel


class ConvergenceWarning(UserWarning):
    """A fit stopped at `max_iter`, or found fewer distinct points than clusters."""


class NotFittedError(ValueError, AttributeError):
    """`fit` has to come before."""


def nearest(X: Any, centroids: Any, *, n_threads: int | None = None) -> Array:
    """The label of the nearest centroid for every row.

    Nearest is the smallest Σ (x − c)², computed in float64 in the order of the columns; of equally near centroids the
    first. The labels are exact for every dtype and on any number of threads.

    Parameters
    ----------
    X : (n, d) array-like of real numbers
    centroids : (k, d) array-like of real numbers
    n_threads : int, optional
        The processors that this process may use, if left out.

    Returns
    -------
    labels : (n,) int32 array

    Raises
    ------
    ValueError
        For other shapes, different numbers of columns, NaN, infinity, or numbers whose squares overflow.
    TypeError
        For what is not made of real numbers.

    Examples
    --------
    >>> nearest([[1.0, 2.0], [8.0, 9.0]], [[0.0, 0.0], [10.0, 10.0]])
    array([0, 1], dtype=int32)
    """
    X, centroids = checks.points(X), checks.points(centroids, "centroids")
    if X.shape[1] != centroids.shape[1]:
        raise ValueError(f"X has {X.shape[1]} columns and the centroids have {centroids.shape[1]}")
    centroids, n_threads = centroids.astype(np.float64), checks.threads(n_threads)
    if X.dtype == np.uint8 and X.shape[1] == 3 and len(X) * len(centroids) >= FOLD:
        distinct = DistinctColors(X, n_threads)
        return distinct.spread(assign(distinct.colors, centroids, n_threads))
    return assign(X, centroids, n_threads)


class KMeans:
    """Lloyd's k-means with scikit-learn's interface.

    Parameters
    ----------
    n_clusters : int, default 8
    init : "k-means++", "random", (n_clusters, d) array or function, default "k-means++"
        "k-means++" is the greedy kind of Arthur and Vassilvitskii (2007); "random" takes points at random, as the
        textbook does. A function is called as ``init(X, n_clusters, random_state=)`` and returns centroids.
    n_init : int or "auto", default "auto"
        Fits from different starts, of which the one of least inertia is kept. "auto" is 10 for "random" and for
        functions, 1 otherwise.
    max_iter : int or None, default 300
        Iterations at most; None for no limit.
    tol : float, default 1e-4
        Stop when Σ shift² ≤ tol × the mean variance of the columns. With 0, when no label changes.
    random_state : int, Generator, RandomState or None
        An int gives the same result at every call.
    n_threads : int, optional
        The processors that this process may use, if left out. The result does not depend on it.
    callback : function, optional
        Called with each `Step`. If it returns True, the fit ends with that step's centroids and labels.

    Attributes
    ----------
    cluster_centers_ : (n_clusters, d) array
        float32 for float32 points, otherwise float64.
    labels_ : (n,) int32 array
        The nearest of `cluster_centers_` for each point of the fit.
    inertia_ : float
        Σ weight · distance² from the points to their centroids.
    n_iter_ : int
        Pairs of assignment and update.
    converged_ : bool
        Whether the fit ended because no label changed.
    stop_reason_ : str
        "converged", "tol", "max_iter", "cycle" or "callback".
    n_features_in_ : int

    Examples
    --------
    >>> model = KMeans(2, random_state=0).fit([[1.0], [2.0], [9.0], [10.0]])
    >>> sorted(model.cluster_centers_.ravel().tolist()), model.inertia_, model.stop_reason_
    ([1.5, 9.5], 1.0, 'converged')

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28 (1982).
    """

    cluster_centers_: Array
    labels_: Array
    inertia_: float
    n_iter_: int
    converged_: bool
    stop_reason_: str
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Init = "k-means++",
        n_init: int | str = "auto",
        max_iter: int | None = 300,
        tol: float = 1e-4,
        random_state: Any = None,
        n_threads: int | None = None,
        callback: Callable[[Step], object] | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.n_threads = n_threads
        self.callback = callback

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the centroids of X (n, d); each row counts sample_weight (n,) times. y is not used.

        Raises
        ------
        ValueError, TypeError
            For parameters out of range, wrong shapes, NaN, infinity, fewer points than clusters.
        """
        return self._fit(X, sample_weight)

    def _fit(self, X: Any, sample_weight: Any) -> Self:
        X = checks.points(X)
        weight = checks.weights(sample_weight, len(X))
        checks.reach(X, weight)
        k = checks.integer(self.n_clusters, "n_clusters", most=len(X), what="the number of points")
        init, n_threads = checks.init(self.init, k, X.shape[1]), checks.threads(self.n_threads)
        tol, max_iter = checks.tolerance(self.tol), checks.iterations(self.max_iter)
        seeds = checks.generator(self.random_state, "random_state").integers(2**63, size=self._starts(init))

        def fits() -> Iterator[tuple[Step, str]]:
            for seed in seeds:  # a longer series of starts begins with the shorter one
                start = starting_centroids(X, k, init, np.random.default_rng(seed), weight, n_threads)
                yield run(X, start, weight, tol=tol, max_iter=max_iter, n_threads=n_threads, callback=self.callback)

        self._keep(X, weight, *min(fits(), key=lambda fit: fit[0].inertia))
        return self

    def _starts(self, init: Init) -> int:
        if isinstance(self.n_init, str):
            if self.n_init != "auto":
                raise ValueError(f"n_init must be 'auto' or a whole number; got {self.n_init!r}")
            return 10 if callable(init) or (isinstance(init, str) and init == "random") else 1
        n_init = checks.integer(self.n_init, "n_init")
        return n_init if isinstance(init, str) or callable(init) else 1

    def _keep(self, X: Array, weight: Array | None, step: Step, stop_reason: str) -> None:
        """Attributes that belong together: centroids in the dtype of X, labels nearest to them, the inertia of both."""
        k = len(step.centroids)
        centers, labels = step.centroids, step.labels
        if X.dtype == np.float32:
            centers = centers.astype(np.float32)
            labels = assign(X, centers.astype(np.float64), self.n_threads)
        spare = np.bincount(labels, weight, k) == 0
        order = np.argsort(spare, kind="stable")  # spare centroids come last
        self.cluster_centers_ = centers[order]
        self.labels_ = np.argsort(order).astype(np.int32)[labels]
        self.inertia_ = self._inertia(X, self.labels_, weight)
        self.n_iter_, self.n_features_in_ = step.n_iter, X.shape[1]
        self.converged_, self.stop_reason_ = stop_reason == "converged", stop_reason
        message = None
        if spare.any() and stop_reason != "callback":
            message = (
                f"Number of distinct clusters ({k - spare.sum()}) found smaller than n_clusters ({k}). "
                "Possibly due to duplicate points in X."
            )
        elif stop_reason == "max_iter":
            message = f"the fit stopped at max_iter={self.max_iter} before it converged; raise max_iter, or tol"
        if message:
            warnings.warn(message, ConvergenceWarning, stacklevel=4)

    def _inertia(self, X: Array, labels: Array, weight: Array | None) -> float:
        centers = self.cluster_centers_.astype(np.float64)

        def visit(rows: slice) -> float:
            distances = squared_distances(X[rows], centers, labels[rows])
            return float((distances if weight is None else weight[rows] * distances).sum())

        return sum(pool.run(visit, chunks(len(X), 1), self.n_threads))

    def _points(self, X: Any) -> Array:
        """Checked points for a fitted model."""
        if not hasattr(self, "cluster_centers_"):
            raise NotFittedError(
                "This KMeans instance is not fitted yet. Call 'fit' with appropriate arguments before using this "
                "estimator."
            )
        return checks.same_columns(checks.points(X), self.n_features_in_, "KMeans")

    def predict(self, X: Any) -> Array:
        """The label of the nearest of `cluster_centers_` for each row of X (n, d): (n,) int32."""
        return nearest(self._points(X), self.cluster_centers_, n_threads=self.n_threads)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """`fit`, then `labels_`."""
        return self._fit(X, sample_weight).labels_

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """`fit`, then `transform` of the same X."""
        return self._fit(X, sample_weight).transform(X)

    def transform(self, X: Any) -> Array:
        """The distance from each row of X (n, d) to each centroid, (n, n_clusters): float32 for float32, or float64."""
        X = self._points(X)
        centers = self.cluster_centers_.astype(np.float64)
        distances = np.empty((len(X), len(centers)), np.float32 if X.dtype == np.float32 else np.float64)

        def visit(rows: slice) -> None:
            for label in range(len(centers)):
                labels = np.broadcast_to(label, rows.stop - rows.start)
                distances[rows, label] = np.sqrt(squared_distances(X[rows], centers, labels))

        pool.run(visit, chunks(len(X), len(centers)), self.n_threads)
        return distances

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Minus the inertia of X (n, d) against the fitted centroids."""
        X = self._points(X)
        return -self._inertia(X, self.predict(X), checks.weights(sample_weight, len(X)))


def run(
    X: Array,
    start: Array,
    weight: Array | None,
    *,
    tol: float,
    max_iter: int | None,
    n_threads: int | None,
    callback: Callable[[Step], object] | None,
) -> tuple[Step, str]:
    """The last step from one start, by the pass that suits, and why it was the last."""

    def make_pass(X: Array, weight: Array | None) -> PlainPass:
        return suited(X, weight, len(start), n_threads)

    for step in steps(X, start, weight, tol=tol, max_iter=max_iter, make_pass=make_pass):
        if callback is not None and callback(step) is True:
            return step, "callback"
    return step, str(step.stop_reason)
