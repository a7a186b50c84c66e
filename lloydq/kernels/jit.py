"""How kernels are compiled, and what they are given."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

import numba
import numpy as np

from .cache import KernelCache

Array = np.ndarray[Any, Any]
F = TypeVar("F", bound=Callable[..., Any])

BLOCK = 256  # points whose coordinates, distances and labels stay together in the first-level cache
COMPILED = tuple(map(np.dtype, (np.uint8, np.float32, np.float64)))


def kernel(function: F, **options: Any) -> F:
    """Compile on the first call.

    nogil: the threads of `pool` run kernels side by side. KernelCache: later processes load the machine code. Without
    fastmath: operations are rounded one by one and never fused, as the definition of nearest asks. Serial: Numba's own
    threads abort under concurrent use or after fork.
    """
    compiled = numba.njit(nogil=True, **options)(function)
    with suppress(RuntimeError, ValueError, LookupError):  # there is no folder for the cache; a zip that is none
        if hasattr(compiled, "enable_caching"):  # not so without the compiler
            compiled._cache = KernelCache(function)
    return cast(F, compiled)


def inner(function: F, **options: Any) -> F:
    """Compile what only kernels call, which spares the wrappers for Python and C: a tenth of the time to compile."""
    spared: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(F, numba.njit(nogil=True, **spared, **options)(function))


def rough(function: F) -> F:
    """The same, added in any order and with fused operations: for what is only a bound."""
    return inner(function, fastmath={"reassoc", "contract"})


def readonly(X: Array) -> Array:
    """A read-only view: Numba would compile a kernel once more for inputs that may be written."""
    view = X.view()
    view.flags.writeable = False
    return view


def block_of(X: Array, rows: slice) -> Array:
    """Some rows of X in a layout and a dtype that kernels are compiled for; only where they are not yet, a copy."""
    return readonly(np.ascontiguousarray(X[rows], dtype=None if X.dtype in COMPILED else np.float64))


def weights_of(weight: Array, rows: slice) -> Array:
    """Some weights (n,) as kernels take them: one alone where one number stands for all."""
    return block_of(weight, slice(0, 1) if weight.strides == (0,) else rows)
