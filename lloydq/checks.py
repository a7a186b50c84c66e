"""What counts as points, weights, a number of clusters, a palette; and every message that says what does not."""

import numbers
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from .lloyd import Array

SMALLEST = 1e-290  # of all weights together: below, products with them may have lost any digits


class InvalidTypeError(TypeError, ValueError):
    """Something of the wrong kind. scikit-learn raises now the one, now the other: whoever catches either is right."""


def points(X: Any, name: str = "X") -> Array:
    """X as an array (n, d) of finite numbers, at least one of each; no copy where it is one already."""
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise InvalidTypeError(
            f"{name} is sparse. Sparse data was passed, but dense data is required: pass {name}.toarray()"
        )
    unmasked(X, name)
    X = np.asarray(X)
    if X.dtype == object:
        X = _numbers(X, name)
    if X.dtype == bool:
        X = X.astype(np.uint8)
    if X.dtype == np.longdouble and X.dtype.itemsize > 8:
        with np.errstate(over="ignore"):  # to infinity, which is refused
            X = X.astype(np.float64)
    if X.dtype.kind == "c":
        raise InvalidTypeError(f"Complex data not supported: {name} must hold real numbers; got dtype {X.dtype}")
    if X.dtype.kind not in "iuf":
        raise InvalidTypeError(f"{name} must hold real numbers; got dtype {X.dtype}")
    _two_dimensions(X, name)
    if X.dtype.kind == "f":
        _finite(X, name)
    return np.asarray(X)


def unmasked(X: Any, name: str) -> None:
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise ValueError(f"{name} has masked values; k-means needs them all: fill them, or drop their rows")


def _numbers(X: Array, name: str) -> Array:
    """An array of objects as float64; pandas' missing values as NaN."""
    if any(isinstance(value, str | bytes) for value in X.flat):
        raise InvalidTypeError(f"{name} must hold real numbers; it holds strings")
    if (missing := getattr(sys.modules.get("pandas"), "NA", None)) is not None:
        filled = [np.nan if value is missing else value for value in X.flat]
        X = np.fromiter(filled, object, len(filled)).reshape(X.shape)
    try:
        return X.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidTypeError(f"{name} must hold real numbers; {error}") from None


def _two_dimensions(X: Array, name: str) -> None:
    if X.ndim != 2:
        raise ValueError(
            f"{name} must have shape (n, d). Expected 2D array, got {X.ndim}D array instead, of shape {X.shape}. "
            "Reshape your data: array.reshape(-1, 1) if it has a single feature, array.reshape(1, -1) if it is a "
            "single sample"
        )
    for count, what in zip(X.shape, ("sample", "feature"), strict=True):
        if count == 0:
            raise ValueError(
                f"{name} must have shape (n, d), with at least one row and one column: found array with 0 {what}(s) "
                f"(shape={X.shape}) while a minimum of 1 is required."
            )


def _finite(X: Array, name: str) -> None:
    """Refuse NaN, infinity, and numbers whose squared distances overflow."""
    reach = max(-float(X.min()), float(X.max()))  # NaN if any is
    if not np.isfinite(reach):
        what = "NaN" if np.isnan(reach) else "infinity"
        raise ValueError(f"Input {name} contains {what}; all its numbers must be finite")
    if reach > (limit := np.sqrt(np.finfo(np.float64).max / 4 / X.size)):
        raise ValueError(f"{name} reaches {reach:.3g}; above {limit:.3g} squared distances overflow: scale it down")


def weights(weight: Any, n: int, name: str = "sample_weight") -> Array | None:
    """None, or (n,) float64, finite, none below zero, not all zero; one number is that number for all."""
    if weight is None:
        return None
    unmasked(weight, name)
    array = np.asarray(weight)
    if array.dtype == object:
        array = _numbers(array, name)
    if array.dtype.kind not in "biuf":
        raise InvalidTypeError(f"{name} must hold real numbers; got dtype {array.dtype}")
    if array.shape not in ((), (n,)):
        raise ValueError(f"{name} must have shape ({n},), one weight for each point; got {array.shape}")
    with np.errstate(over="ignore"):
        array = np.broadcast_to(np.asarray(array, np.float64), n)
    if np.isnan(array).any():
        raise ValueError(f"Input {name} contains NaN; all weights must be finite")
    if array.min() < 0:
        raise ValueError(f"{name} must not be negative; the smallest is {array.min()}")
    with np.errstate(over="ignore"):
        total = array.sum()
    if not np.isfinite(total):
        raise ValueError(f"{name} must be finite, and its sum too; the largest is {array.max()}")
    if total == 0:
        raise ValueError(f"{name} must not be all zero")
    if total < SMALLEST:
        raise ValueError(f"{name} is so small, {array.max():.3g} at most, that its products lose digits: scale it up")
    return array


def reach(X: Array, weight: Array | None) -> None:
    """Refuse weights that make the sum of squared distances overflow, or the grids that cut w·x for exact sums."""
    if weight is not None:
        limit, largest = float(np.finfo(np.float64).max) / 4, max(-float(X.min()), float(X.max()), 1.0)
        if weight.sum() > limit / X.shape[1] / largest / largest or weight.max() > limit / len(X) / largest:
            raise ValueError("sample_weight times the squares of X overflows: scale one of them down")


def integer(value: Any, name: str, least: int = 1, most: int | None = None, what: str = "") -> int:
    """A whole number from least to most."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise InvalidTypeError(f"{name} must be a whole number; got {value!r}")
    number = int(value)
    if number < least or (most is not None and number > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}{what and ', ' + what}"
        raise ValueError(f"{name} must be {bounds}; got {value}")
    return number


def tolerance(tol: Any) -> float:
    """A finite number, not negative."""
    if isinstance(tol, bool) or not isinstance(tol, numbers.Real):
        raise InvalidTypeError(f"tol must be a number; got {tol!r}")
    if not 0 <= as_float(tol) < np.inf:
        raise ValueError(f"tol must be finite and not negative; got {tol}")
    return float(tol)


def as_float(value: Any) -> float:
    """A number, infinite where it is too large."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def fraction(value: Any, name: str) -> float:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= as_float(value) <= 1:
        raise InvalidTypeError(f"{name} must be a number from 0 to 1; got {value!r}")
    return float(value)


def clusters(n_clusters: Any, n: int) -> int:
    """A number of clusters for n points."""
    k = integer(n_clusters, "n_clusters")
    if k > n:
        raise ValueError(f"n_samples={n} should be >= n_clusters={k}.")
    return k


def switch(value: Any, name: str) -> int:
    """True, False, or a whole number from 0."""
    if not isinstance(value, bool | np.bool_ | numbers.Integral) or value < 0:
        raise InvalidTypeError(f"{name} must be True, False or a whole number from 0; got {value!r}")
    return int(value)


def iterations(max_iter: Any) -> int | None:
    """None (no limit) or a whole number from 1."""
    return None if max_iter is None else integer(max_iter, "max_iter")


def number_of_starts(n_init: Any) -> int | None:
    """None for "auto", or a whole number from 1."""
    if isinstance(n_init, str):
        if n_init != "auto":
            raise InvalidTypeError(f"n_init must be 'auto' or a whole number; got {n_init!r}")
        return None
    return integer(n_init, "n_init")


def one_of(value: Any, name: str, choices: Iterable[str]) -> str:
    """One of the names."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidTypeError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}")
    return value


def threads(n_threads: Any) -> int | None:
    """None (the available processors) or a whole number from 1."""
    return None if n_threads is None else integer(n_threads, "n_threads")


def same_columns(X: Array, d: int, owner: str) -> Array:
    """X, if it has d columns."""
    if X.shape[1] != d:
        raise ValueError(f"X has {X.shape[1]} features, but {owner} is expecting {d} features as input.")
    return X


def init(value: Any, k: int, d: int) -> Any:
    """A known name, a function, or an array (k, d) of starting centroids."""
    if isinstance(value, str):
        if value not in ("k-means++", "random"):
            raise ValueError(f"init must be 'k-means++', 'random', an array or a function; got {value!r}")
        return str(value)
    if value is None:
        raise InvalidTypeError("init must be 'k-means++', 'random', an array or a function; got None")
    return value if callable(value) else starts(value, k, d)


def starts(centroids: Any, k: int, d: int) -> Array:
    """Starting centroids (k, d), a copy in float64, row by row: kernels are compiled for that order."""
    array = points(centroids, "init")
    for found, wanted, what in zip(array.shape, (k, d), ("clusters", "features of the data"), strict=True):
        if found != wanted:
            raise ValueError(
                f"The shape of the initial centers {array.shape} does not match the number of {what} {wanted}."
            )
    return array.astype(np.float64, order="C")


def palette(colors: Any, most: int = 1 << 16) -> Array:
    """(k, 3) or (k, 4) uint8 colours; other numbers from 0 to 255 are rounded; strings are "#rrggbb"."""
    if isinstance(colors, str):
        colors = [colors]
    if not hasattr(colors, "__array__"):
        colors = list(colors)
        if any(isinstance(one, str) for one in colors):
            colors = _equally_wide([color(one) if isinstance(one, str) else np.asarray(one) for one in colors])
    if np.ndim(colors) == 1 and np.size(colors) in (3, 4):
        raise ValueError(f"a palette is a list of colours; for one colour write [{tuple(np.asarray(colors).tolist())}]")
    array = points(colors, "the palette")
    if array.shape[1] not in (3, 4) or len(array) > most:
        raise ValueError(
            f"a palette has shape (k, 3) or (k, 4), 1 to {most:,} colours of R, G, B and perhaps alpha; "
            f"got {array.shape}"
        )
    if array.min() < 0 or array.max() > 255:
        raise ValueError(f"the palette's values must be from 0 to 255; they go from {array.min()} to {array.max()}")
    return np.rint(array).astype(np.uint8)


def counts(value: Any, k: int) -> Array:
    """(k,) int64, none below zero: a copy."""
    array = np.asarray(value)
    if array.shape != (k,):
        raise ValueError(f"counts must have shape ({k},), one for each colour; got {array.shape}")
    if array.dtype.kind not in "iuf" or not ((array >= 0) & (array < 2.0**63) & (array == np.floor(array))).all():
        raise InvalidTypeError("counts must be whole numbers from 0 on")
    return array.astype(np.int64)


def _equally_wide(colors: list[Array]) -> Array:
    """Colours of three and four numbers as (k, 4), if there are any of four: the others are opaque."""
    for i, one in enumerate(colors):
        if one.shape not in ((3,), (4,)):
            raise InvalidTypeError(f"colour {i} must be a string or three or four numbers; got {one.tolist()!r}")
    width = max(map(len, colors))
    return np.array([[*one, *[255] * (width - len(one))] for one in colors])


def color(text: Any) -> Array:
    """(3,) or (4,) int from "#rgb", "#rrggbb" or "#rrggbbaa", the # may be left out."""
    digits = text.removeprefix("#") if isinstance(text, str) else ""
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) not in (6, 8) or not set(digits.lower()) <= set("0123456789abcdef"):
        raise InvalidTypeError(f"a colour is written '#rrggbb', '#rgb' or, with alpha, '#rrggbbaa'; got {text!r}")
    return np.array([int(digits[i : i + 2], 16) for i in range(0, len(digits), 2)])


def alpha(value: Any) -> str:
    """ "keep", "drop" or a colour without alpha."""
    if isinstance(value, str) and value in ("keep", "drop"):
        return value
    try:
        if len(color(value)) == 3:
            return str(value)
    except InvalidTypeError:
        pass
    raise InvalidTypeError(f"alpha must be 'keep', 'drop' or a colour like '#ffffff' to put behind; got {value!r}")


def generator(seed: Any, name: str) -> np.random.Generator:
    """A Generator: a given one, from a seed, from a RandomState's next numbers, or (None) from the system."""
    if isinstance(seed, np.random.RandomState):
        seed = seed.randint(0, 2**32, 4, dtype=np.uint32)
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise InvalidTypeError(f"{name} must be None, a seed ≥ 0 or a NumPy generator; got {seed!r}") from None
