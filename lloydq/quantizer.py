"""Colour quantization: a picture in k colours."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import checks, metrics
from .codebook import UNSEEN, Codebook, Recipe, Stopwatch, find, nearest_of, recipe
from .colors import DistinctColors
from .dither import KINDS, dithered
from .image import MOST, Picture, load
from .lloyd import Array, Step, random_points
from .palette import Palette
from .passes import same_counts, same_labels, wanted
from .protocol import warn
from .quantized import Quantized
from .seeding import Init
from .spaces import points_of, with_alpha
from .target import Target, smallest

LARGEST = 1e100  # of weights
SHARED = ("lock", "space", "init", "n_init", "tol", "max_iter", "n_threads", "callback", "verify")
HALF = 128  # alpha from which a pixel is more there than not
CHEAP = 4096  # distinct colours up to which all numbers of colours may be tried for a target: 5 ms each


@dataclass(frozen=True)
class Counted:
    """A picture with its distinct colours counted, for several quantizations to share."""

    picture: Picture
    distinct: DistinctColors

    @property
    def pixels(self) -> Array:
        """In rows: (n, 3) or (n, 4)."""
        return self.picture.pixels.reshape(-1, self.picture.pixels.shape[2])


def counted(
    image: Any,
    n_threads: int | None,
    watch: Stopwatch,
    verify: bool = False,
    *,
    alpha: str = "keep",
    frame: int | None = None,
    channels: int = 3,
) -> Counted:
    """Any picture, loaded and counted if it is not yet; with alpha if so many channels are needed."""
    if isinstance(image, Counted) and image.pixels.shape[1] >= channels and alpha == "keep":
        return image
    picture = load(image.picture if isinstance(image, Counted) else image, alpha=alpha, frame=frame)
    if picture.pixels.shape[2] < channels:
        picture = replace(picture, pixels=with_alpha(picture.pixels, channels))
    watch.stop("read")
    found = Counted(picture, DistinctColors(picture.pixels.reshape(-1, picture.pixels.shape[2]), n_threads))
    if wanted(verify):
        same_counts(found.pixels, found.distinct.colors, found.distinct.counts)
    watch.stop("count")
    return found


def quantize(
    image: Any,
    n_colors: int | str,
    *,
    target: dict[str, float] | None = None,
    lock: Any = None,
    space: str = "srgb",
    alpha: str = "keep",
    dither: str = "none",
    strength: float = 1.0,
    weights: Any = None,
    sample: int | None = None,
    init: Init = "k-means++",
    n_init: int = 1,
    tol: float = 0.0,
    max_iter: int | None = None,
    rng: Any = 0,
    frame: int | None = None,
    n_threads: int | None = None,
    callback: Callable[[Step], object] | None = None,
    verify: bool = False,
) -> Quantized:
    """A picture in n_colors colours, found by Lloyd's algorithm.

    The centroids are fitted to the distinct colours with their counts, which is the same as to all pixels. They are
    rounded to bytes once and ordered by how much of the fit they stand for, the most first (translucent ones before
    opaque ones); then every pixel gets the nearest of the rounded colours. An entry that two centroids share after
    rounding, or that no pixel needs, takes the colour of the picture that fits worst, so that n_colors distinct ones
    come out.

    Parameters
    ----------
    image : path, open binary file, bytes, Pillow image, or array
        (H, W), (H, W, 3) or (H, W, 4): uint8, uint16, float from 0 to 1, or bool. EXIF orientation is applied, an
        embedded colour profile converted to sRGB; `Quantized.picture.notes` say so.
    n_colors : int or "auto"
        1 to 65,536 (files hold 256), and no more than there are pixels. A picture of no more distinct colours keeps
        them all exactly. "auto": the fewest that meet `target`, up to 256.
    target : dict, optional
        For "auto", one or more of "psnr" (dB, at least), "mse", "delta_e" (ΔE2000, mean; at most) and "max_bytes" (of
        the file, at most; alone: the most colours that it leaves room for). The file is what `save` writes; "format"
        and "strip" say it otherwise.
    lock : (m, 3) or (m, 4) array-like, Palette, or list of "#rrggbb", optional
        Colours that the palette has to the byte and that do not move; the others are fitted around them.
    space : "srgb" or "oklab", default "srgb"
        Where distances are measured, in the fit and when pixels get their colours: sRGB's levels, or Oklab with its a
        and b doubled, whose distances are more like those that are seen (B. Ottosson, 2020; ΔEOK2 of CSS Color 4).
    alpha : "keep", "drop" or a colour "#rrggbb", default "keep"
        Transparent pixels: kept, made opaque as they are, or put on a colour. Kept ones are compared as they look: the
        error is the mean of that on black and that on white, so invisible colours cost nothing, and all fully
        transparent pixels share one entry.
    dither : "none", "floyd-steinberg", "bayer" or "blue-noise", default "none"
        Make good the error of a pixel in its neighbours (serpentine), or mix colours in a pattern.
    strength : float from 0 to 1, default 1
        Of the dithering.
    weights : (H, W) array of numbers from 0 on, or picture, optional
        How much each pixel counts in the fit: an importance map. Of a picture the lightness (0 to 255) is taken.
    sample : int, optional
        Fit on so many pixels, drawn at random, instead of on all.
    init : "k-means++", "random", (n_colors, 3) array or function, default "k-means++"
        How the fit begins; see `KMeans`. "random" is the textbook's: colours of random pixels. Where colours are
        locked, starts are for the others alone.
    n_init : int, default 1
        Starts of which the best is taken.
    tol : float, default 0
        Stop when Σ shift² ≤ tol × the mean variance of the channels. 0: when no label changes.
    max_iter : int, optional
        Iterations at most. No limit, if left out.
    rng : seed, Generator or None, default 0
        The same picture with the same seed gives the same file, on any number of threads.
    frame : int, optional
        Of an animation, from 0; the first if left out.
    n_threads : int, optional
        The processors that this process may use, if left out.
    callback : function, optional
        Called with each `Step`. If it returns True, the fit ends.
    verify : bool, default False
        Compare every step of the fit, and each colour that is said to be the nearest, with plain NumPy; the first
        difference raises VerificationError. So does LLOYDQ_VERIFY=1.

    Raises
    ------
    OSError
        If a file cannot be read, is not a whole picture, or has more pixels than twice `PIL.Image.MAX_IMAGE_PIXELS`.
    ValueError, TypeError
        For parameters out of range, for pictures of other kinds, and where no number of colours meets the target.

    Notes
    -----
    Memory at the peak, for a picture of 8 bits without alpha, not dithered: the file, 12 bytes for each pixel, 60 for
    each distinct colour, and 120 MiB.

    Examples
    --------
    >>> grey = np.repeat(np.arange(0, 200, 10, dtype=np.uint8), 5).reshape(10, 10)
    >>> quantize(grey, 2).palette.hex
    ['#8c8c8c', '#282828']
    >>> quantize(grey, 3, lock=["#e30613"]).palette.hex
    ['#8c8c8c', '#282828', '#e30613']

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28 (1982).
    M. E. Celebi, "Fast color quantization using weighted sort-means clustering", JOSA A 26 (2009): distinct colours
    with counts.
    """
    how = recipe(
        space=space, lock=lock, init=init, n_init=n_init, tol=tol, max_iter=max_iter, n_threads=n_threads,
        callback=callback, verify=verify,
    )  # fmt: skip
    goal, generator = Target.of(n_colors, target), checks.generator(rng, "rng")
    finish = Finish(checks.one_of(dither, "dither", KINDS), checks.fraction(strength, "strength"), how.space, verify)
    if goal is None and not isinstance(init, str) and not callable(init):
        checks.init(init, checks.integer(n_colors, "n_colors", most=1 << 16) - len(how.lock), np.shape(init)[-1])
    watch = Stopwatch()
    channels = how.lock.shape[1]
    found = counted(image, how.n_threads, watch, verify, alpha=alpha, frame=frame, channels=channels)
    if goal is not None:
        least = max(1, len(how.lock))
        if least > MOST:
            raise ValueError(f"lock has {least} colours; n_colors='auto' goes up to {MOST}")
        most = len(found.pixels) if sample is None else checks.integer(sample, "sample")
        state = generator.bit_generator.state

        def attempt(k: int) -> Quantized:
            generator.bit_generator.state = state
            laps = Stopwatch()
            laps.update(watch)
            fitted = _fitted(found, k, weights, sample, generator, verify)
            return finish(found, find(k, found.distinct, fitted, how, generator, laps), laps)

        n_distinct = len(found.distinct.colors)
        most = min(MOST, max(least, min(most, n_distinct + len(how.lock) + 1)))
        return smallest(attempt, goal, least, most, thorough=n_distinct <= CHEAP)
    k = checks.integer(n_colors, "n_colors", most=1 << 16)
    checks.integer(k, "n_colors", most=len(found.pixels), what="the number of pixels")
    fitted = _fitted(found, k, weights, sample, generator, verify)
    return finish(found, find(k, found.distinct, fitted, how, generator, watch), watch)


def _fitted(
    image: Counted, k: int, weights: Any, sample: int | None, rng: np.random.Generator, verify: bool
) -> DistinctColors:
    """The colours that the palette is fitted to: all, or those of some pixels, or with weights."""
    weight = None if weights is None else importance(weights, image.picture)
    if sample is None and weight is None:
        return image.distinct
    pixels, n_threads = image.pixels, image.distinct.n_threads
    if sample is not None:
        sample = checks.integer(sample, "sample", least=k, most=len(pixels), what="n_colors to the number of pixels")
        if weight is None:
            pixels = random_points(pixels, sample, rng)
        else:
            rows = random_points(np.flatnonzero(weight)[:, None], min(sample, int(np.count_nonzero(weight))), rng)[:, 0]
            pixels, weight = pixels[rows], weight[rows]
    found = DistinctColors(pixels, n_threads, weight)
    if wanted(verify) and weight is None:
        same_counts(pixels, found.colors, found.counts)
    return found


def importance(weights: Any, picture: Picture) -> Array:
    """(n,) float64: how much each pixel counts, from an array (H, W) or any picture of that size."""
    shape = picture.pixels.shape[:2]
    if hasattr(weights, "__array__") and not hasattr(weights, "getbands") and np.ndim(weights) == 2:
        checks.unmasked(weights, "weights")
        found = np.asarray(weights)
    else:
        from PIL import Image

        found = np.asarray(Image.fromarray(load(weights, alpha="#000000").pixels).convert("L"))
    if found.shape != shape:
        given = "×".join(map(str, found.shape[::-1]))
        raise ValueError(f"weights must be as large as the picture, {shape[1]}×{shape[0]}; got {given}")
    weight = np.asarray(checks.weights(found.ravel(), found.size, "weights"))
    if weight.max() > LARGEST:
        raise ValueError(f"weights must be at most {LARGEST:g}, or sums overflow; the largest is {weight.max():g}")
    return weight


def shared_palette(images: Iterable[Any], n_colors: int, *, rng: Any = 0, **options: Any) -> Palette:
    """One palette for several pictures, fitted to the pixels of all of them, whatever their order.

    One picture at a time is in memory, and the distinct colours so far with their counts.

    Parameters
    ----------
    images : iterable of pictures, as `quantize` takes them
    n_colors : int
        1 to 65,536.
    rng : seed, Generator or None, default 0
    **options
        Of `quantize`: lock, space, alpha, init, n_init, tol, max_iter, frame, n_threads, callback, verify.

    Returns
    -------
    Palette
        For `apply_palette`. Its `counts` are those of all pictures together.

    Examples
    --------
    >>> dark, light = np.full((2, 2, 3), 10, np.uint8), np.full((2, 2, 3), 200, np.uint8)
    >>> shared_palette([dark, light], 2).hex
    ['#0a0a0a', '#c8c8c8']
    """
    if _is_one(images):
        raise TypeError("images are several pictures; for one, give a list of one")
    shared = Shared.of(n_colors, rng, options)
    merged: DistinctColors | None = None
    for image in images:
        one = shared.count(image)
        merged = one if merged is None else DistinctColors.merged([merged, one], shared.how.n_threads)
    if merged is None:
        raise ValueError("there are no pictures to find a palette for")
    return shared.palette(merged)


@dataclass(frozen=True)
class Shared:
    """How a palette for several pictures is found: each is counted, wherever that is, and one fit is made to all."""

    k: int
    how: Recipe
    rng: np.random.Generator
    alpha: str
    frame: int | None

    @classmethod
    def of(cls, n_colors: Any, rng: Any, options: dict[str, Any]) -> "Shared":
        if unknown := set(options) - {*SHARED, "alpha", "frame"}:
            names = f"{', '.join(SHARED)}, alpha and frame"
            raise TypeError(f"shared_palette takes {names}; got {', '.join(sorted(unknown))}")
        options = dict(options)
        alpha, frame = options.pop("alpha", "keep"), options.pop("frame", None)
        k, generator = checks.integer(n_colors, "n_colors", most=1 << 16), checks.generator(rng, "rng")
        return cls(k, recipe(**options), generator, alpha, frame)

    def count(self, image: Any) -> DistinctColors:
        """The distinct colours of a picture."""
        how, channels = self.how, self.how.lock.shape[1]
        options: dict[str, Any] = {"alpha": self.alpha, "frame": self.frame, "channels": channels}
        return counted(image, how.n_threads, Stopwatch(), how.verify, **options).distinct

    def palette(self, merged: DistinctColors) -> Palette:
        """Fitted to the colours of all."""
        found = find(self.k, merged, merged, self.how, self.rng, Stopwatch())
        return Palette(found.colors, np.bincount(found.nearest, merged.counts, len(found.colors)))


def _is_one(images: Any) -> bool:
    """Whether it is a picture, and not several."""
    shape: tuple[int, ...] = np.shape(images) if hasattr(images, "__array__") else ()
    return isinstance(images, str | bytes | os.PathLike) or len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))


def apply_palette(
    image: Any,
    palette: Any,
    *,
    space: str = "srgb",
    alpha: str = "keep",
    dither: str = "none",
    strength: float = 1.0,
    frame: int | None = None,
    n_threads: int | None = None,
    verify: bool = False,
) -> Quantized:
    """A picture in the colours of a given palette (rounded to bytes), the nearest for every pixel, exactly.

    Parameters
    ----------
    image : path, open binary file, bytes, Pillow image, or array
    palette : (k, 3) or (k, 4) array-like from 0 to 255, "#rrggbb" strings, or Palette
        1 to 65,536 colours. Of equal ones the first is used; of equally near ones, too. Where a
        palette is opaque and a picture is not, what is less than half there gets a last entry that is not seen.
    space, alpha, dither, strength, frame
        As for `quantize`.
    n_threads : int, optional
        The processors that this process may use, if left out.
    verify : bool, default False
        Compare each colour that is said to be the nearest with plain NumPy; the first difference raises
        VerificationError. So does LLOYDQ_VERIFY=1.

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
    how, colors = recipe(space=space, n_threads=n_threads, verify=verify), Palette(palette).colors
    finish = Finish(checks.one_of(dither, "dither", KINDS), checks.fraction(strength, "strength"), how.space, verify)
    watch, channels = Stopwatch(), colors.shape[1]
    found = counted(image, how.n_threads, watch, verify, alpha=alpha, frame=frame, channels=channels)
    if found.pixels.shape[1] > colors.shape[1]:
        return _cut_out(found, colors, how, finish, watch)
    return finish(found, Codebook(colors, nearest_of(found.distinct, colors, how), 0, False, "given"), watch)


def _cut_out(image: Counted, colors: Array, how: Recipe, finish: "Finish", watch: Stopwatch) -> Quantized:
    """A picture with alpha in opaque colours: what is less than half there is not seen, and has an entry of its own.

    It is the last one; it is not made where it would be one too many.
    """
    pixels, k = image.picture.pixels, len(colors)
    alpha, room = pixels[:, :, 3], k not in (MOST, 1 << 16)
    gone = (alpha < HALF) & room
    if not room:
        warn(f"{k:,} opaque colours leave no room for one that is not seen: what is transparent becomes opaque")
    elif ((alpha > 0) & (alpha < 255)).any():
        warn("the palette has no translucent colours: what is half there becomes opaque, what is less is not seen")
    flat = replace(image.picture, pixels=np.where(gone[:, :, None], colors[0], pixels[:, :, :3]))
    found = counted(flat, how.n_threads, watch, how.verify)
    q = finish(found, Codebook(colors, nearest_of(found.distinct, colors, how), 0, False, "given"), watch)
    if gone.any():
        colors = np.vstack([with_alpha(colors, 4), UNSEEN])
    indices = np.where(gone, np.asarray(k).astype(q.indices.dtype), q.indices)
    palette = Palette(colors, np.bincount(indices.ravel(), minlength=len(colors)))
    mse = metrics.mse(image.pixels, colors[indices.ravel()])
    return replace(
        q, indices=indices, palette=palette, mse=mse, picture=image.picture, n_distinct=len(image.distinct.colors)
    )


@dataclass(frozen=True)
class Finish:
    """From a codebook to the picture."""

    dither: str
    strength: float
    space: str
    verify: bool

    def __call__(self, image: Counted, book: Codebook, watch: Stopwatch) -> Quantized:
        """The picture in these colours, measured."""
        pixels, distinct, colors = image.picture.pixels, image.distinct, book.colors
        if self.dither == "none" or self.strength == 0:
            indices = distinct.spread(image.pixels, book.nearest).reshape(pixels.shape[:2])
            mse = metrics.mse(distinct.colors, colors[book.nearest], distinct.counts)
            if wanted(self.verify):
                points = points_of(colors, self.space).astype(np.float64)
                same_labels(points_of(image.pixels, self.space), points, indices.ravel())
        else:
            indices = dithered(
                pixels, distinct, book.nearest, colors, space=self.space, kind=self.dither, strength=self.strength
            )
            mse = metrics.mse(image.pixels, colors[indices.ravel()])
        counts = np.bincount(indices.ravel(), minlength=len(colors))
        watch.stop("map")
        return Quantized(
            indices, Palette(colors, counts), mse, book.n_iter, book.converged, book.stop_reason, len(distinct.colors),
            dict(watch), image.picture,
        )  # fmt: skip
