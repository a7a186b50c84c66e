"""How many colours: the fewest that are good enough, or the most that fit into a file."""

import numbers
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from . import checks
from .quantized import Quantized, Tried

NAMES = ("psnr", "mse", "delta_e", "max_bytes")


@dataclass(frozen=True)
class Target:
    """What is to be met; None for what is not asked for."""

    psnr: float | None = None
    mse: float | None = None
    delta_e: float | None = None
    max_bytes: int | None = None

    @classmethod
    def of(cls, n_colors: Any, target: Any) -> Self | None:
        """That of n_colors="auto"; None for a number."""
        if not isinstance(n_colors, str):
            if target is not None:
                raise ValueError("target is for n_colors='auto'; got both a number of colours and a target")
            return None
        checks.one_of(n_colors, "n_colors", ("auto",))
        if not isinstance(target, dict) or not target or set(target) - set(NAMES):
            raise checks.InvalidTypeError(
                f"n_colors='auto' needs a target, a dict with one or more of {', '.join(NAMES)}; got {target!r}"
            )
        for name, value in target.items():
            if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= float(value) < float("inf"):
                raise checks.InvalidTypeError(f"the target's {name} must be a number from 0 on; got {value!r}")
        return cls(**target)

    @property
    def bounds_quality(self) -> bool:
        """Whether it asks for more than a small file."""
        return (self.psnr, self.mse, self.delta_e) != (None, None, None)

    def good(self, q: Quantized) -> bool:
        """Whether a result is as near to its picture as is asked for."""
        return (
            (self.psnr is None or q.psnr >= self.psnr)
            and (self.mse is None or q.mse <= self.mse)
            and (self.delta_e is None or q.delta_e.mean <= self.delta_e)
        )

    def small(self, q: Quantized) -> bool:
        """Whether its file is as small as is asked for."""
        return self.max_bytes is None or q.n_bytes <= self.max_bytes

    def tried(self, q: Quantized) -> Tried:
        """A line of the curve."""
        delta_e = q.delta_e.mean if self.delta_e is not None else None
        n_bytes = q.n_bytes if self.max_bytes is not None else None
        return Tried(len(q.palette), q.mse, q.psnr, delta_e, n_bytes, self.good(q) and self.small(q))

    def __str__(self) -> str:
        return ", ".join(f"{name}={value:,}" for name in NAMES if (value := getattr(self, name)) is not None)


def smallest(attempt: Callable[[int], Quantized], goal: Target, least: int, most: int) -> Quantized:
    """The fewest colours from `least` to `most` that are good; where only the file's size is bounded, the most.

    Numbers are doubled until one crosses the border, then halved between: the answer's neighbour was tried too.
    """
    results, curve = dict[int, Quantized](), dict[int, Tried]()

    def crosses(k: int) -> bool:
        """Whether k is good enough, or its file too large."""
        q = results[k] = attempt(k)
        curve[len(q.palette)] = goal.tried(q)
        return goal.good(q) if goal.bounds_quality else not goal.small(q)

    below, above, k = least - 1, most + 1, least  # of the border; neither is known yet
    while above - below > 1:
        if crosses(k):
            results.pop(above, None)
            above = k
        else:
            results.pop(below, None)
            below = k
        k = min(2 * below, most) if above > most else (below + above) // 2
    k = above if goal.bounds_quality else below
    if k not in results:
        nearest = goal.tried(results[below if goal.bounds_quality else above])
        raise ValueError(f"no number of colours from {least} to {most} meets {goal}; nearest is {_words(nearest)}")
    if not goal.small(results[k]):
        fewest = _words(goal.tried(results[k]))
        raise ValueError(f"no number of colours meets {goal}; the fewest that are good enough: {fewest}")
    return replace(results[k], curve=tuple(curve[k] for k in sorted(curve)))


def _words(tried: Tried) -> str:
    """A line of the curve to be read."""
    colors = f"{tried.n_colors} colour{'s' * (tried.n_colors != 1)}"
    parts = [colors, f"PSNR {tried.psnr:.2f} dB", f"MSE {tried.mse:.2f}"]
    if tried.delta_e is not None:
        parts.append(f"ΔE2000 {tried.delta_e:.2f}")
    if tried.n_bytes is not None:
        parts.append(f"{tried.n_bytes:,} bytes")
    return ", ".join(parts)
