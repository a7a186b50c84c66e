"""How many colours: the fewest that are good enough, or the most that fit into a file."""

import numbers
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from . import checks
from .quantized import Quantized, Tried

NAMES = ("psnr", "mse", "delta_e", "max_bytes")
FILE = ("format", "strip")  # of which file max_bytes speaks


@dataclass(frozen=True)
class Target:
    """What is to be met; None for what is not asked for."""

    psnr: float | None = None
    mse: float | None = None
    delta_e: float | None = None
    max_bytes: int | None = None
    format: str = "PNG"
    strip: bool = False

    @classmethod
    def of(cls, n_colors: Any, target: Any) -> Self | None:
        """That of n_colors="auto"; None for a number."""
        if not isinstance(n_colors, str):
            if target is not None:
                raise ValueError("target is for n_colors='auto'; got both a number of colours and a target")
            return None
        if n_colors != "auto":
            raise checks.InvalidTypeError(f"n_colors must be a whole number or 'auto'; got {n_colors!r}")
        if not isinstance(target, dict) or not set(target) & set(NAMES) or set(target) - {*NAMES, *FILE}:
            raise checks.InvalidTypeError(
                f"n_colors='auto' needs a target, a dict with one or more of {', '.join(NAMES)}; got {target!r}"
            )
        for name, value in target.items():
            if name in FILE:
                continue
            if (
                isinstance(value, bool)
                or not isinstance(value, numbers.Real)
                or not 0 <= checks.as_float(value) < float("inf")
            ):
                raise checks.InvalidTypeError(f"the target's {name} must be a number from 0 on; got {value!r}")
        return cls(**target)

    @property
    def bounds_quality(self) -> bool:
        """Whether it asks for more than a small file."""
        return (self.psnr, self.mse, self.delta_e) != (None, None, None)

    def good(self, tried: Tried) -> bool:
        """Whether a result is as near to its picture as is asked for."""
        return (
            (self.psnr is None or tried.psnr >= self.psnr)
            and (self.mse is None or tried.mse <= self.mse)
            and (self.delta_e is None or (tried.delta_e or 0.0) <= self.delta_e)
        )

    def small(self, tried: Tried) -> bool:
        """Whether its file is as small as is asked for."""
        return self.max_bytes is None or (tried.n_bytes or 0) <= self.max_bytes

    def tried(self, q: Quantized) -> Tried:
        """A line of the curve."""
        delta_e = q.delta_e.mean if self.delta_e is not None else None
        n_bytes = len(q.encode(self.format, strip=self.strip)) if self.max_bytes is not None else None
        tried = Tried(len(q.palette), q.mse, q.psnr, delta_e, n_bytes, False)
        return tried._replace(met=self.good(tried) and self.small(tried))

    def __str__(self) -> str:
        return ", ".join(f"{name}={value:,}" for name in NAMES if (value := getattr(self, name)) is not None)


def smallest(attempt: Callable[[int], Quantized], goal: Target, least: int, most: int, *, thorough: bool) -> Quantized:
    """The fewest colours from `least` to `most` that are good; where only the file's size is bounded, the most.

    Numbers are doubled until one crosses the border, then halved between: the answer's neighbour was tried too. Error
    and size are not quite monotone; if it is to be thorough, all that are better than the answer are tried as well.
    """
    search = _Search(attempt, goal)
    below, above, k = least - 1, most + 1, least  # of the border; neither is known yet
    while above - below > 1:
        if search.crosses(k):
            above = k
        else:
            below = k
        k = min(2 * below, most) if above > most else (below + above) // 2
    if goal.bounds_quality:
        found, better = above, range(least, above)
    else:
        found, better = below, range(most, below, -1)
    if thorough:
        found = next((k for k in better if search.crosses(k) == goal.bounds_quality), found)
    return search.result(found, least, most)


class _Search:
    """What was tried, of which one result is kept: the best so far."""

    def __init__(self, attempt: Callable[[int], Quantized], goal: Target) -> None:
        self.attempt, self.goal, self.tried = attempt, goal, dict[int, Tried]()
        self.latest: dict[bool, tuple[int, Quantized]] = {}  # on either side of the border

    def crosses(self, k: int) -> bool:
        """Whether k is good enough, or its file too large."""
        if k not in self.tried:
            q = self.attempt(k)
            tried = self.tried[k] = self.goal.tried(q)
            self.latest[self._beyond(tried)] = k, q
        return self._beyond(self.tried[k])

    def _beyond(self, tried: Tried) -> bool:
        return self.goal.good(tried) if self.goal.bounds_quality else not self.goal.small(tried)

    def result(self, k: int, least: int, most: int) -> Quantized:
        """That of k; ValueError where no number meets the target."""
        if k not in self.tried:
            nearest = _words(self.tried[most if self.goal.bounds_quality else least])
            raise ValueError(f"no number of colours from {least} to {most} meets {self.goal}; nearest is {nearest}")
        if not self.goal.small(self.tried[k]):
            fewest = _words(self.tried[k])
            raise ValueError(f"no number of colours meets {self.goal}; the fewest that are good enough: {fewest}")
        at, q = self.latest[self.goal.bounds_quality]
        curve = {tried.n_colors: tried for _, tried in sorted(self.tried.items())}
        return replace(q if at == k else self.attempt(k), curve=tuple(curve.values()))


def _words(tried: Tried) -> str:
    """A line of the curve to be read."""
    colors = f"{tried.n_colors} colour{'s' * (tried.n_colors != 1)}"
    parts = [colors, f"PSNR {tried.psnr:.2f} dB", f"MSE {tried.mse:.2f}"]
    if tried.delta_e is not None:
        parts.append(f"ΔE2000 {tried.delta_e:.2f}")
    if tried.n_bytes is not None:
        parts.append(f"{tried.n_bytes:,} bytes")
    return ", ".join(parts)
