"""How far a picture in few colours is from its original: MSE, PSNR, ΔE2000, each with its definition."""

from typing import Any, NamedTuple

import numpy as np

from .lloyd import Array
from .spaces import points_of, with_alpha

PIECE = 1 << 18  # rows that are compared at a time
DEFINITIONS = {
    "mse": "mean over pixels of the squared distance summed over R, G and B, levels from 0 to 255 (M. E. Celebi, JOSA "
    "A 26, 2009); with alpha the mean of that on black and that on white",
    "psnr": "dB, 10 log10(255² / (mse / 3)), from the mean over pixels and channels; null where nothing changed",
    "delta_e": "CIEDE2000 (ISO/CIE 11664-6) under D65: mean over pixels, and what 95 % of them do not exceed; with "
    "alpha on white",
}


class DeltaE(NamedTuple):
    """Of all pixels."""

    mean: float
    p95: float


def mse(original: Array, result: Array, counts: Array | None = None) -> float:
    """Mean over pixels of the squared distance summed over R, G and B (M. E. Celebi, JOSA A 26, 2009).

    Parameters
    ----------
    original, result : (n, 3) or (n, 4) uint8
        Colours in sRGB. With alpha: the mean of the error on black and of that on white.
    counts : (n,) array, optional
        How many pixels each row stands for.

    Examples
    --------
    >>> mse(np.array([[0, 0, 0], [9, 9, 9]], np.uint8), np.array([[1, 1, 1], [9, 9, 9]], np.uint8))
    1.5
    """
    total, weight = 0.0, np.broadcast_to(1, len(original)) if counts is None else counts
    for rows in _pieces(original):
        a, b = (points_of(colors, "srgb").astype(np.float64) for colors in _alike(original[rows], result[rows]))
        total += float(weight[rows] @ ((a - b) ** 2).sum(axis=1))
    return total / float(weight.sum())


def psnr(mse: float) -> float:
    """In dB, from the mean over pixels and channels: 10 log₁₀(255² / (mse / 3)); infinite for 0."""
    return float(10 * np.log10(255**2 / (mse / 3))) if mse else float("inf")


def delta_e(original: Array, result: Array, counts: Array | None = None) -> DeltaE:
    """ΔE2000 under D65, computed by scikit-image: the mean over pixels, and what 95 % of them do not exceed.

    Parameters
    ----------
    original, result : (n, 3) or (n, 4) uint8
        Colours in sRGB; with alpha they are put on white.
    counts : (n,) array, optional
        How many pixels each row stands for.

    Raises
    ------
    ImportError
        Without scikit-image: pip install 'lloydq[metrics]'.
    """
    try:
        from skimage.color import deltaE_ciede2000, rgb2lab
    except ImportError:
        raise ImportError("ΔE2000 needs scikit-image: pip install 'lloydq[metrics]'") from None
    found = []
    for rows in _pieces(original):
        a, b = (rgb2lab(_on_white(colors) / 255) for colors in _alike(original[rows], result[rows]))
        found.append(np.asarray(deltaE_ciede2000(a, b)))  # type: ignore[no-untyped-call]
    distance = np.concatenate(found)
    weight = np.ones(len(distance), np.int64) if counts is None else counts
    order = np.argsort(distance)
    passed = np.cumsum(weight[order])
    p95 = distance[order[np.searchsorted(passed, 0.95 * passed[-1])]]
    return DeltaE(float(weight @ distance / passed[-1]), float(p95))


def _pieces(colors: Array) -> list[slice]:
    """Of rows, so that their floats do not fill the memory."""
    return [slice(start, start + PIECE) for start in range(0, len(colors), PIECE)]


def _alike(*colors: Array) -> list[Array]:
    """With alpha, if one of them has it."""
    d = max(one.shape[1] for one in colors)
    return [with_alpha(one, d) for one in colors]


def _on_white(colors: Array) -> Array:
    if colors.shape[1] == 3:
        return colors.astype(np.float64)
    return np.asarray(255 + (colors[:, :3] - 255.0) * (colors[:, 3:] / 255))


def pairs(original: Array, result: Array) -> tuple[Array, Array, Array]:
    """The different pairs of colours of two pictures' pixels (n, c), and how often each occurs."""

    def numbers(colors: Array) -> Any:
        return np.pad(colors, ((0, 0), (0, 4 - colors.shape[1]))).view(np.uint32)[:, 0].astype(np.uint64)

    both = numbers(original) << np.uint64(32) | numbers(result)
    _, at, counts = np.unique(both, return_index=True, return_counts=True)
    return original[at], result[at], counts
