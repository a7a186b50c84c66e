"""KMeans, shaped as scikit-learn's, `k_means` and `nearest`."""

from collections.abc import Callable
from functools import reduce
from typing import Any, Self

import numpy as np

from . import checks
from .fitting import EMPTY_RULES, Fit, History, Record, fit, inertia
from .lloyd import Array, Step
from .passes import ALGORITHMS, assign, distances, same_labels, suited, verified, wanted
from .protocol import Clusterer, ConvergenceWarning, also_theirs, warn
from .seeding import ROUNDING, Init, Starts


def nearest(X: Any, centroids: Any, *, n_threads: int | None = None, verify: bool = False) -> Array:
    """The label of the nearest centroid for every row.

    Nearest is the smallest Σ (x − c)², computed in float64 in the order of the columns; of equally near centroids the
    first. The labels are exact for every dtype and on any number of threads.

    Parameters
    ----------
    X : (n, d) array-like of real numbers
    centroids : (k, d) array-like of real numbers
    n_threads : int, optional
        The processors that this process may use, if left out.
    verify : bool, default False
        Compare every label with plain NumPy; the first difference raises VerificationError, which names the row, both
        labels and both distances. So does LLOYDQ_VERIFY=1.

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
    centroids, n_threads = centroids.astype(np.float64, order="C"), checks.threads(n_threads)
    labels = assign(X, centroids, n_threads)
    if wanted(verify):
        same_labels(X, centroids, labels)
    return labels


def better(one: Fit, other: Fit) -> Fit:
    """The first, unless the other is better by more than rounding."""
    return other if other.inertia < one.inertia * (1 - ROUNDING) else one


class KMeans(Clusterer):
    """Lloyd's k-means with scikit-learn's interface.

    Parameters
    ----------
    n_clusters : int, default 8
    init : "k-means++", "random", (n_clusters, d) array or function, default "k-means++"
        "k-means++" is the greedy kind of Arthur and Vassilvitskii (2007); "random" takes points at random, as the
        textbook does, but none where one has been taken. Both draw by value: the order of the rows makes no
        difference, nor the dtype of the same numbers, nor whether a point stands there three times or has weight 3. A
        function is called as ``init(X, n_clusters, random_state=)`` with a RandomState and returns centroids.
    n_init : int or "auto", default "auto"
        Fits from different starts, of which the one of least inertia is kept. "auto" is 10 for "random" and for
        functions, 1 otherwise. The first starts of a longer series are those of a shorter one.
    max_iter : int or None, default 300
        Iterations at most; None for no limit.
    tol : float, default 1e-4
        Stop when Σ shift² ≤ tol × the mean (weighted) variance of the columns. With 0, when no label changes.
    verbose : int, default 0
        1 prints a line for each step.
    random_state : int, Generator, RandomState or None
        An int gives the same result at every call.
    copy_x : bool, default True
        Accepted, and not used: X is never changed.
    algorithm : "auto", "lloyd", "elkan", "plain", "dense", "bounds", "groups" or "blocks", default "lloyd"
        The first three are the fastest way that is exact. "plain" forces NumPy's loop, "dense" the compiled one that
        compares every point, "bounds" the one that compares those points alone whose label may have changed (Hamerly
        2010), "groups" the one that compares them with those groups of centroids alone that may have come nearer (Ding
        and others 2015), "blocks" the one for pixels, (n, 3) uint8, on blocks of near colours. The result is the
        same.
    n_threads : int, optional
        The processors that this process may use, if left out. The result does not depend on it.
    empty_cluster : "farthest", "keep" or "error", default "farthest"
        A cluster without members takes the position that is farthest from its centroid, or keeps its centroid, or
        raises ValueError.
    callback : function, optional
        Called with each `Step`. If it returns True, the fit from that start ends with that step's centroids and labels.
    verify : bool, default False
        Make the pass in plain NumPy beside the fast one at every step, and compare; compare what `predict` and `score`
        find too. The first difference raises VerificationError, which names the point, both labels and both distances.
        So does LLOYDQ_VERIFY=1.

    Attributes
    ----------
    cluster_centers_ : (n_clusters, d) array
        float32 for float32 points, otherwise float64.
    labels_ : (n,) int32 array
        The nearest of `cluster_centers_` for each point of the fit.
    inertia_ : float
        Σ weight · distance² from the points to their centroids: the exact sum, rounded once.
    n_iter_ : int
        Pairs of assignment and update.
    converged_ : bool
        Whether the fit ended because no label changed.
    stop_reason_ : str
        "converged", "tol", "max_iter", "cycle" or "callback".
    history_ : list of Record
        A named tuple for each step: n_iter, inertia, changed, shift, computed, skipped, relocated, seconds. After a
        stop by tol or max_iter the last one, with the same n_iter, is the assignment to the last centroids. Its inertia
        comes from sums and is good to 1e-14 of the inertia about the mean of all points.
    n_features_in_ : int
    feature_names_in_ : (d,) array of str
        Only where X was a data frame whose columns have names.

    Notes
    -----
    X is never copied, unless it is a list or an array of objects, bools or long doubles: a `numpy.memmap` larger than
    memory is read in passes. At the peak a fit takes 24 bytes a row (32 with weights that are not float64), from k = 64
    and k·d = 3,000 on 8 + k/4 bytes more, 16 MiB, and for each thread 16 MiB and 256·k·d bytes. Rows of bytes in up to
    four columns, with no weights or whole ones, are folded: 24 bytes for each distinct row (48 with weights), 4 a row
    (12 with weights that are not float64), and 80 MiB. So many MiB more are taken too where three columns of another
    dtype hold whole numbers from 0 to 255 alone.

    Examples
    --------
    >>> model = KMeans(2, random_state=0).fit([[1.0], [2.0], [9.0], [10.0]])
    >>> sorted(model.cluster_centers_.ravel().tolist()), model.inertia_, model.stop_reason_
    ([1.5, 9.5], 1.0, 'converged')

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28 (1982).
    G. Hamerly, "Making k-means even faster", SDM (2010).
    Y. Ding, Y. Zhao, X. Shen, M. Musuvathi, T. Mytkowicz, "Yinyang k-means", ICML (2015).
    """

    labels_: Array
    inertia_: float
    n_iter_: int
    converged_: bool
    stop_reason_: str
    history_: list[Record]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Init = "k-means++",
        n_init: int | str = "auto",
        max_iter: int | None = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
        n_threads: int | None = None,
        empty_cluster: str = "farthest",
        callback: Callable[[Step], object] | None = None,
        verify: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.n_threads = n_threads
        self.empty_cluster = empty_cluster
        self.callback = callback
        self.verify = verify

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the centroids of X (n, d); each row counts sample_weight (n,) times. y is not used.

        Products of a weight and a coordinate lose digits below 2e-308, and so do means that come of no larger ones.

        Raises
        ------
        ValueError, TypeError
            For parameters out of range, wrong shapes, NaN, infinity, fewer points than clusters.
        """
        frame, X = X, checks.points(X)
        weight = checks.weights(sample_weight, len(X))
        checks.reach(X, weight)
        k = checks.clusters(self.n_clusters, len(X))
        init, n_threads = checks.init(self.init, k, X.shape[1]), checks.threads(self.n_threads)
        algorithm, options = checks.one_of(self.algorithm, "algorithm", ALGORITHMS), self._options()
        seeds = self._seeds(init)
        with np.errstate(under="ignore"):  # of the squares of small differences, even where the caller asks for errors
            visit = verified(suited(X, weight, k, n_threads, algorithm), self.verify)
            starts = Starts(visit.X, weight if visit.X is X else visit.weight, k, init, n_threads, given=X)

            def fit_from(start: Array) -> Fit:
                return fit(visit, start, self._history(), n_threads=n_threads, **options)

            self._keep(self._best(seeds, starts.draw, fit_from), frame)
        return self

    def _options(self) -> dict[str, Any]:
        """Of the loop."""
        checks.switch(self.verbose, "verbose")
        checks.switch(self.copy_x, "copy_x")
        return {
            "tol": checks.tolerance(self.tol),
            "max_iter": checks.iterations(self.max_iter),
            "fill": EMPTY_RULES[checks.one_of(self.empty_cluster, "empty_cluster", EMPTY_RULES)],
        }

    def _history(self) -> History:
        """That listens to a fit."""
        verbose = checks.switch(self.verbose, "verbose")
        if verbose:
            print("Initialization complete")
        return History(verbose, self.callback, checks.tolerance(self.tol))

    def _keep(self, best: Fit, frame: Any) -> None:
        """The attributes of a fit of these points."""
        self._keep_columns(frame)
        self.n_features_in_ = best.centers.shape[1]
        self.cluster_centers_, self.labels_, self.inertia_ = best.centers, best.labels, best.inertia
        self.n_iter_, self.stop_reason_, self.history_ = best.n_iter, best.stop_reason, best.history
        self.converged_ = best.stop_reason == "converged"
        self._warn_of(best)

    def _best(
        self, seeds: list[int], draw: Callable[[np.random.Generator], Array], fit_from: Callable[[Array], Fit]
    ) -> Fit:
        """Of the fits from starts drawn by these seeds."""
        return reduce(better, (fit_from(draw(np.random.default_rng(seed))) for seed in seeds))

    def _seeds(self, init: Init) -> list[int]:
        """One for each start; a longer series begins with the shorter one."""
        self._n_init = self._number_of_starts(init)
        found: list[int] = (
            checks.generator(self.random_state, "random_state").integers(2**63, size=self._n_init).tolist()
        )
        return found

    def _number_of_starts(self, init: Init) -> int:
        n_init = checks.number_of_starts(self.n_init)
        if not isinstance(init, str) and not callable(init):
            if n_init is not None and n_init > 1:
                message = "Explicit initial center position passed: performing only one init in "
                warn(f"{message}{type(self).__name__} instead of n_init={n_init}.", RuntimeWarning)
            return 1
        return n_init or (1 if init == "k-means++" else 10)

    def _warn_of(self, fit: Fit) -> None:
        """At most one warning that the fit is not what was asked for."""
        k = len(fit.centers)
        if self.algorithm == "elkan" and k == 1:
            message = "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead."
            warn(message, RuntimeWarning)
        if fit.spare and fit.stop_reason != "callback" and self.empty_cluster != "keep":
            warn(
                f"Number of distinct clusters ({k - fit.spare}) found smaller than n_clusters ({k}). "
                "Possibly due to duplicate points in X.",
                also_theirs(ConvergenceWarning),
            )
        elif fit.stop_reason == "max_iter":
            message = f"the fit stopped at max_iter={self.max_iter} while labels still changed; raise max_iter, or tol"
            warn(message, also_theirs(ConvergenceWarning))

    def _points(self, X: Any) -> Array:
        """Checked points for a fitted model."""
        self._check_fitted()
        self._check_columns(X)
        return checks.same_columns(checks.points(X), np.shape(self.cluster_centers_)[1], type(self).__name__)

    def predict(self, X: Any) -> Array:
        """The label of the nearest of `cluster_centers_` for each row of X (n, d): (n,) int32."""
        return nearest(self._points(X), self.cluster_centers_, n_threads=self.n_threads, verify=self.verify)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """`fit`, then `labels_`."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """`fit`, then `transform` of the same X."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def transform(self, X: Any) -> Any:
        """The distance from each row of X (n, d) to each centroid, (n, n_clusters): float32 for float32, or float64.

        An array, or what `set_output` asks for.
        """
        frame, X = X, self._points(X)
        centers = np.ascontiguousarray(self.cluster_centers_, np.float64)
        return self._contained(distances(X, centers, self.n_threads), frame)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Minus the inertia of X (n, d) against the fitted centroids."""
        X = self._points(X)
        weight = checks.weights(sample_weight, len(X))
        labels = nearest(X, self.cluster_centers_, n_threads=self.n_threads, verify=self.verify)
        return -inertia(X, self.cluster_centers_, labels, weight, self.n_threads, verify=self.verify)


def k_means(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: Any = None,
    init: Init = "k-means++",
    n_init: int | str = "auto",
    max_iter: int | None = 300,
    verbose: int = 0,
    tol: float = 1e-4,
    random_state: Any = None,
    copy_x: bool = True,
    algorithm: str = "lloyd",
    return_n_iter: bool = False,
) -> tuple[Any, ...]:
    """The centroids, labels and inertia of `KMeans`, as a function with scikit-learn's interface.

    The parameters are those of `KMeans` and of its `fit`, and
    return_n_iter : bool, default False
        Whether the number of iterations comes too.

    Returns
    -------
    centroids : (n_clusters, d) array
    labels : (n,) int32 array
    inertia : float
    n_iter : int
        Only with return_n_iter.

    Raises
    ------
    ValueError, TypeError
        As `KMeans.fit`.

    Examples
    --------
    >>> centroids, labels, inertia = k_means([[1.0], [2.0], [9.0], [10.0]], 2, random_state=0)
    >>> sorted(centroids.ravel().tolist()), inertia
    ([1.5, 9.5], 1.0)
    """
    model = KMeans(
        n_clusters, init=init, n_init=n_init, max_iter=max_iter, verbose=verbose, tol=tol,
        random_state=random_state, copy_x=copy_x, algorithm=algorithm,
    ).fit(X, sample_weight=sample_weight)  # fmt: skip
    result = model.cluster_centers_, model.labels_, model.inertia_
    return (*result, model.n_iter_) if return_n_iter else result
