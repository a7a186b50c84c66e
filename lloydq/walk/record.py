"""What happened at every step of a fit, kept to be shown."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import checks
from ..image import PAPER, Picture, load
from ..lloyd import Array, Step, steps
from ..passes import suited, verified
from ..seeding import Init, Starts

PREVIEW = 320  # pixels of the longer side


class Frame(NamedTuple):
    """One iteration: the assignment to some centroids, and what the update made of it."""

    centroids: Array  # (k, d) float64: the labels are nearest to these; the next frame has them after the update
    counts: Array  # (k,) points of each
    changed: int  # points whose label changed
    inertia: float  # of these labels against these centroids
    inertia_after_update: float  # of the same labels against the moved centroids
    relocated: int  # empty clusters that took a far position
    stop_reason: str | None  # in the last frame: "converged", "tol", "max_iter" or "cycle"


@dataclass(frozen=True)
class Walk:
    """The frames of a fit, and what it was made of: a picture, or points in the plane.

    After half-step 2i the centroids are those of frame i (0: the start), after half-step 2i + 1 the labels are too.
    """

    X: Array  # (n, d): pixels or points
    picture: Picture | None
    frames: list[Frame]

    @cached_property
    def preview(self) -> Array:
        """The picture, (h, w, 3) uint8, no side longer than PREVIEW."""
        from PIL import Image

        assert self.picture is not None
        image = Image.fromarray(self.picture.pixels)
        scale = max(image.size) / PREVIEW
        if scale > 1:
            size = max(1, round(image.width / scale)), max(1, round(image.height / scale))
            image = image.resize(size, Image.Resampling.BOX)
        return np.asarray(image)

    @property
    def last(self) -> int:
        """The number of the last half-step, which is an assignment."""
        return 2 * len(self.frames) - 1

    def centroids(self, half_step: int) -> Array:
        """(k, d) after a half-step."""
        return self.frames[half_step // 2].centroids

    def labelled_by(self, half_step: int) -> Array | None:
        """The centroids (k, d) that the labels after a half-step are nearest to; None before the first assignment."""
        return self.frames[(half_step - 1) // 2].centroids if half_step else None

    def inertia(self, half_step: int) -> float | None:
        """Σ distance² after a half-step; None before the first assignment."""
        if not half_step:
            return None
        frame = self.frames[(half_step - 1) // 2]
        return frame.inertia if half_step % 2 else frame.inertia_after_update


def record(
    data: Any,
    k: int = 8,
    *,
    init: Init = "random",
    rng: Any = 0,
    tol: float = 0.0,
    max_iter: int | None = None,
    n_threads: int | None = None,
    callback: Callable[[Step], object] | None = None,
    verify: bool = False,
) -> Walk:
    """Fit, and keep every step.

    Parameters
    ----------
    data : picture as `lloydq.quantize` takes it, or (n, 2) array of numbers that are not uint8
        All pixels of the picture, or points in the plane.
    k : int, default 8
        Clusters.
    init : "random", "k-means++", (k, d) array or function, default "random"
        The first centroids; see `lloydq.KMeans`.
    rng : seed, Generator or None, default 0
    tol : float, default 0
        Stop when Σ shift² ≤ tol × the mean variance of the coordinates. 0: when no label changes.
    max_iter : int, optional
        Iterations at most. No limit, if left out.
    n_threads : int, optional
        The processors that this process may use, if left out.
    callback : function, optional
        Called with each `Step`.
    verify : bool, default False
        Compare every step with plain NumPy; the first difference raises VerificationError. So does LLOYDQ_VERIFY=1.

    Raises
    ------
    OSError, ValueError, TypeError
        As `lloydq.quantize`, and for points that are not finite or not in the plane.

    Examples
    --------
    >>> walk = record([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]], 2, init=[[0.0, 0.0], [1.0, 0.0]])
    >>> [frame.centroids.tolist() for frame in walk.frames][-1], walk.frames[-1].stop_reason
    ([[0.5, 0.0], [9.0, 9.0]], 'converged')
    """
    picture = None if in_the_plane(data) else load(data, alpha=PAPER)
    X = checks.points(data) if picture is None else picture.pixels.reshape(-1, 3)
    checks.reach(X, None)
    k = checks.integer(k, "k", most=len(X), what="the number of points" if picture is None else "the number of pixels")
    tol, max_iter = checks.tolerance(tol), checks.iterations(max_iter)
    init, n_threads = checks.init(init, k, X.shape[1]), checks.threads(n_threads)
    visit = verified(suited(X, None, k, n_threads), verify)
    starts = Starts(visit.X, None if visit.X is X else visit.weight, k, init, n_threads, given=X)
    start = starts.draw(checks.generator(rng, "rng"))
    frames = []
    for step in steps(visit.X, start, tol=tol, max_iter=max_iter, make_pass=lambda *_: visit):
        counts, inertias = step.sums.weight.copy(), (step.inertia, step.inertia_after_update)
        frames.append(Frame(step.centroids, counts, step.changed, *inertias, step.relocated, step.stop_reason))
        if callback is not None:
            callback(step)
    return Walk(X, picture, frames)


def in_the_plane(data: Any) -> bool:
    """Whether these are points, not a picture."""
    if isinstance(data, Picture) or hasattr(data, "getbands"):
        return False
    if isinstance(data, list | tuple):
        data = np.asarray(data)
    return len(np.shape(data)) == 2 and np.shape(data)[1] == 2 and getattr(data, "dtype", None) != np.uint8


def read_points(path: str | os.PathLike[str]) -> Array:
    """Points in the plane, (n, 2), from a text file: x and y on each line, with a comma, semicolon, tab or space.

    Empty lines and those that begin with # are left out, and so is a first line with no number in it, names of columns.
    ValueError names the line that is wrong.
    """
    name, points, first = os.fspath(path), list[tuple[float, float]](), True
    for number, line in enumerate(_text(Path(path).read_bytes()).splitlines(), 1):
        line = line.strip().rstrip(",;")
        if not line or line.startswith("#"):
            continue
        words = [_number(word.strip("\"' ")) for word in re.split(r"\s*[,;\s]\s*", line)]
        heading, first = first and all(word is None for word in words), False
        if heading:
            continue
        padded: list[float | None] = [*words, None, None]
        x, y, *more = padded
        if x is None or y is None or len(more) > 2:
            raise ValueError(f"{name!r}, line {number}: two numbers are needed, x and y; got {line!r}")
        points.append((x, y))
    if not points:
        raise ValueError(f"{name!r} has no points: lines of two numbers are needed")
    return np.array(points)


def _text(data: bytes) -> str:
    """Numbers look the same in all of these."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
