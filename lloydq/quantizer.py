"""Colour quantization: a picture in k colours."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from . import checks
from .colors import DistinctColors
from .fitting import run
from .image import Picture, indexed, load, png, write
from .lloyd import Array, Step, random_points, squared_distances
from .palette import Palette
from .passes import assign, same_counts, same_labels, suited, verified, wanted
from .protocol import ConvergenceWarning, also_theirs, warn
from .seeding import Init, Starts

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, eq=False)
class Quantized:
    """A picture in the colours of a palette.

    Attributes
    ----------
    indices : (H, W) uint8 array
        The position in the palette of each pixel's nearest colour.
    palette : Palette
    mse : float
        Mean over the pixels of the squared distance to the original, summed over R, G and B (M. E. Celebi, 2009).
    psnr : float
        10 log₁₀(255² / mean over pixels and channels) in dB; infinite where nothing changed.
    n_iter : int
        Iterations of Lloyd's algorithm; 0 where the palette was given or holds every colour.
    converged : bool
        Whether the fit ended because no label changed, or there was nothing to fit.
    stop_reason : str
        "converged", "tol", "max_iter", "cycle", "callback"; "few colors" where the picture has no more than asked for
        and all are kept exactly; "given" for a given palette.
    n_distinct : int
        Distinct colours of the original.
    timings : dict of str to float
        Seconds: "read", "count" (distinct colours), "seed", "fit", "map" (nearest colour of every pixel). The first
        call of a process also loads or compiles the kernels in them.
    """

    indices: Array
    palette: Palette
    mse: float
    n_iter: int
    converged: bool
    stop_reason: str
    n_distinct: int
    timings: dict[str, float]

    @property
    def psnr(self) -> float:
        """In dB, from the mean over pixels and channels."""
        return float(10 * np.log10(255**2 / (self.mse / 3))) if self.mse else float("inf")

    @property
    def image(self) -> "Image":
        """A Pillow image in mode "P" whose palette has exactly these colours."""
        return indexed(self.indices, self.palette.colors)

    @cached_property
    def png(self) -> bytes:
        """The picture as an indexed PNG file, of 1, 2, 4 or 8 bits a pixel as the palette needs."""
        return png(self.image)

    def save(self, file: str | os.PathLike[str] | BinaryIO, *, overwrite: bool = True) -> None:
        """Write an indexed PNG. At a path it appears whole or not at all.

        Raises
        ------
        ValueError
            If the path does not end in ".png".
        FileExistsError
            If the file is there and `overwrite` is False.
        """
        if not isinstance(file, str | os.PathLike):
            file.write(self.png)
            return
        if not os.fspath(file).lower().endswith(".png"):
            raise ValueError(f"the picture is written as PNG, to a name that ends in .png; got {os.fspath(file)!r}")
        write(file, self.png, overwrite=overwrite)

    def __repr__(self) -> str:
        height, width = self.indices.shape
        return (
            f"<Quantized {width}×{height}, {self.n_distinct:,} → {len(self.palette)} colours, MSE {self.mse:.2f}, "
            f"PSNR {self.psnr:.2f} dB, {self.n_iter} iterations, {self.stop_reason}>"
        )


class Stopwatch(dict[str, float]):
    """Seconds by name."""

    def __init__(self) -> None:
        self._last = perf_counter()

    def stop(self, name: str) -> None:
        now = perf_counter()
        self[name], self._last = now - self._last, now


@dataclass(frozen=True)
class Counted:
    """A picture with its distinct colours counted, for several quantizations to share."""

    picture: Picture
    distinct: DistinctColors


def distinct_colors(pixels: Array, n_threads: int | None, verify: bool) -> DistinctColors:
    """The distinct colours of pixels (n, 3), checked where that is wanted."""
    found = DistinctColors(pixels, n_threads)
    if wanted(verify):
        same_counts(pixels, found.colors, found.counts)
    return found


def counted(image: Any, n_threads: int | None, watch: Stopwatch, verify: bool = False) -> Counted:
    """Any picture, loaded and counted if it is not yet."""
    if isinstance(image, Counted):
        return image
    picture = load(image)
    watch.stop("read")
    distinct = distinct_colors(picture.pixels.reshape(-1, 3), n_threads, verify)
    watch.stop("count")
    return Counted(picture, distinct)


def quantize(
    image: Any,
    n_colors: int,
    *,
    sample: int | None = None,
    init: Init = "k-means++",
    tol: float = 0.0,
    max_iter: int | None = None,
    rng: Any = 0,
    n_threads: int | None = None,
    callback: Callable[[Step], object] | None = None,
    verify: bool = False,
) -> Quantized:
    """A picture in n_colors colours, found by Lloyd's algorithm.

    The centroids are fitted to the distinct colours with their counts, which is the same as to all pixels. They are
    rounded to bytes once and ordered by how much of the fit they stand for, the most first; then every pixel gets the
    nearest of the rounded colours. Where two centroids round to one colour, the entry that is freed takes the colour of
    the picture that fits worst, so that n_colors distinct ones come out.

    Parameters
    ----------
    image : path, open binary file, bytes, Pillow image, or uint8 array (H, W) or (H, W, 3)
    n_colors : int
        1 to 256, and no more than there are pixels. A picture of no more distinct colours keeps them all exactly.
    sample : int, optional
        Fit on so many pixels, drawn at random, instead of on all.
    init : "k-means++", "random", (n_colors, 3) array or function, default "k-means++"
        How the fit begins; see `KMeans`. "random" is the textbook's: colours of random pixels.
    tol : float, default 0
        Stop when Σ shift² ≤ tol × the mean variance of the channels. 0: when no label changes.
    max_iter : int, optional
        Iterations at most. No limit, if left out.
    rng : seed, Generator or None, default 0
        The same picture with the same seed gives the same file, on any number of threads.
    n_threads : int, optional
        The processors that this process may use, if left out.
    callback : function, optional
        Called with each `Step`. If it returns True, the fit ends.
    verify : bool, default False
        Compare every step of the fit and the colour of every pixel with plain NumPy; the first difference raises
        VerificationError. So does LLOYDQ_VERIFY=1.

    Raises
    ------
    OSError
        If a file cannot be read or is not a whole picture.
    ValueError, TypeError
        For parameters out of range and for pictures of other kinds.

    Examples
    --------
    >>> grey = np.repeat(np.arange(0, 200, 10, dtype=np.uint8), 5).reshape(10, 10)
    >>> quantize(grey, 2).palette.hex
    ['#8c8c8c', '#282828']

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28 (1982).
    M. E. Celebi, "Fast color quantization using weighted sort-means clustering", JOSA A 26 (2009): distinct colours
    with counts.
    """
    k = checks.integer(n_colors, "n_colors", most=256)
    init, tol, max_iter = checks.init(init, k, 3), checks.tolerance(tol), checks.iterations(max_iter)
    generator, n_threads = checks.generator(rng, "rng"), checks.threads(n_threads)
    watch = Stopwatch()
    image = counted(image, n_threads, watch, verify)
    pixels, distinct = image.picture.pixels.reshape(-1, 3), image.distinct
    checks.integer(n_colors, "n_colors", most=len(pixels), what="the number of pixels")
    if sample is not None:
        sample = checks.integer(sample, "sample", least=k, most=len(pixels), what="n_colors to the number of pixels")
    if len(distinct.colors) <= k:
        palette = _ordered(distinct.colors, distinct.counts)
        watch.stop("fit")
        return _mapped(image, palette, watch, verify, n_iter=0, converged=True, stop_reason="few colors")
    fitted = distinct
    if sample is not None:
        fitted = distinct_colors(random_points(pixels, sample, generator), n_threads, verify)
    weight = fitted.weight
    start = Starts(fitted.colors, weight, k, init, n_threads, given=fitted.colors).draw(generator)
    watch.stop("seed")
    visit = verified(suited(fitted.colors, weight, k, n_threads, distinct=True), verify)
    step, reason = run(visit, start, tol=tol, max_iter=max_iter, callback=callback)
    if reason == "max_iter":
        warn(f"stopped at max_iter={max_iter} while labels still changed", also_theirs(ConvergenceWarning))
    palette = _palette(step.centroids, np.bincount(step.labels, weight, k), distinct)
    watch.stop("fit")
    converged = reason == "converged"
    return _mapped(image, palette, watch, verify, n_iter=step.n_iter, converged=converged, stop_reason=reason)


def apply_palette(image: Any, palette: Any, *, n_threads: int | None = None, verify: bool = False) -> Quantized:
    """A picture in the colours of a given palette (rounded to bytes), the nearest for every pixel, exactly.

    Parameters
    ----------
    image : path, open binary file, bytes, Pillow image, or uint8 array (H, W) or (H, W, 3)
    palette : Palette or (k, 3) array-like from 0 to 255
        1 to 256 colours, kept in their order; of equal ones the first is used.
    n_threads : int, optional
        The processors that this process may use, if left out.
    verify : bool, default False
        Compare the colour of every pixel with plain NumPy; the first difference raises VerificationError. So does
        LLOYDQ_VERIFY=1.

    Raises
    ------
    OSError
        If a file cannot be read or is not a whole picture.
    ValueError, TypeError
        For palettes and pictures of other kinds.

    Examples
    --------
    >>> grey = np.array([[0, 100, 255]], np.uint8)
    >>> apply_palette(grey, [[0, 0, 0], [255, 255, 255]]).indices.tolist()
    [[0, 0, 1]]
    """
    colors, n_threads = Palette(palette), checks.threads(n_threads)
    watch = Stopwatch()
    image = counted(image, n_threads, watch, verify)
    return _mapped(image, colors, watch, verify, n_iter=0, converged=False, stop_reason="given")


def _mapped(image: Counted, palette: Palette, watch: Stopwatch, verify: bool, **fit: Any) -> Quantized:
    """The picture in these colours, measured."""
    pixels, distinct = image.picture.pixels, image.distinct
    centroids = palette.colors.astype(np.float64)
    nearest = assign(distinct.colors, centroids, distinct.n_threads, np.uint8)
    indices = assign(pixels.reshape(-1, 3), centroids, distinct.n_threads, np.uint8).reshape(pixels.shape[:2])
    if wanted(verify):
        same_labels(distinct.colors, centroids, nearest)
        same_labels(pixels.reshape(-1, 3), centroids, indices.ravel())
    mse = float(distinct.counts @ squared_distances(distinct.colors, centroids, nearest)) / indices.size
    watch.stop("map")
    return Quantized(indices, palette, mse, n_distinct=len(distinct.colors), timings=dict(watch), **fit)


def _ordered(colors: Array, weights: Array) -> Palette:
    """The heaviest first, equal ones by colour."""
    return Palette(colors[np.lexsort((*colors.T[::-1], -weights))])


def _palette(centroids: Array, weights: Array, distinct: DistinctColors) -> Palette:
    """The centroids as bytes, all distinct: entries that two share or that stand for nothing take what fits worst."""
    k, used = len(centroids), weights > 0
    colors, entry = np.unique(np.rint(centroids[used]).astype(np.uint8), axis=0, return_inverse=True)
    weights = np.bincount(entry.ravel(), weights[used])
    if len(colors) < k:
        order = np.lexsort(distinct.colors.T[::-1])
        X, counts, palette = distinct.colors[order] * 1.0, distinct.counts[order], colors * 1.0
        error = squared_distances(X, palette, assign(X, palette, distinct.n_threads))
        while len(colors) < k:
            worst = int(np.argmax(error))  # of equal ones the first, which is the smallest colour
            colors, weights = np.vstack([colors, X[worst].astype(np.uint8)]), np.append(weights, counts[worst])
            error = np.minimum(error, ((X - X[worst]) ** 2).sum(axis=1))
    return _ordered(colors, weights)
