"""The page: one file that holds everything and asks no network."""

import base64
import html
import io
import json
import os
import tempfile
import webbrowser
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ..image import write
from ..lloyd import Array
from ..seeding import Init
from .record import Walk, record

FOLDER = files(__package__)
DIGITS = 9  # of an inertia that is only read


class Page:
    """One self-contained HTML file. In a notebook it shows itself.

    Attributes
    ----------
    html : str
    walk : Walk
        What it shows.
    """

    def __init__(self, walk: Walk) -> None:
        self.walk, self.html = walk, _filled("page.html", {"walk": _data(walk)})

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
        """Write the file, which appears whole or not at all."""
        write(path, self.html.encode(), overwrite=overwrite)

    def open(self) -> Path:
        """Show it in the browser, from a new file among the temporary ones; its path."""
        folder = Path(tempfile.mkdtemp(prefix="lloydq-"))
        self.save(path := folder / "steps.html")
        webbrowser.open(path.as_uri())
        return path

    def _repr_html_(self) -> str:
        inside = html.escape(self.html, quote=True)
        return (
            f'<iframe srcdoc="{inside}" sandbox="allow-scripts" title="Lloyd\'s algorithm, step by step" '
            'style="width: 100%; height: 900px; border: 1px solid #c9c9c4"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Page of {len(self.walk.frames)} iterations, {len(self.html):,} characters>"


def page(
    data: Any,
    k: int = 8,
    *,
    init: Init = "random",
    rng: Any = 0,
    tol: float = 0.0,
    max_iter: int | None = None,
    n_threads: int | None = None,
) -> Page:
    """A page to walk through a fit, a half-step at a time; for a picture, or for points in the plane.

    The parameters are those of `record`. The fit is made here, on all pixels; the page replays its centroids and
    assigns the pixels of a preview, of at most 320 × 320, to them.

    Examples
    --------
    >>> page([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]], 2).walk.frames[-1].stop_reason
    'converged'
    """
    return Page(record(data, k, init=init, rng=rng, tol=tol, max_iter=max_iter, n_threads=n_threads))


def _filled(name: str, values: dict[str, str]) -> str:
    """A file of this folder, with values or other files of this folder in the place of @@their names@@."""
    text, *rest = (FOLDER / name).read_text(encoding="utf-8").split("@@")
    for i, part in enumerate(rest):
        text += part if i % 2 else values[part] if part in values else (FOLDER / part).read_text(encoding="utf-8")
    return text


def _numbers(array: Array) -> str:
    """float64 to the last bit, in base 64."""
    return base64.b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()


def _data(walk: Walk) -> str:
    """The walk as JSON that may stand in a page."""
    from PIL import Image

    data: dict[str, Any] = {"total": len(walk.X), "frames": [_frame(walk, i) for i in range(len(walk.frames))]}
    if walk.picture is None:
        data |= {"kind": "points", "points": _numbers(walk.X), "distinct": len(np.unique(walk.X, axis=0))}
    else:
        file = io.BytesIO()
        Image.fromarray(walk.preview).save(file, "PNG", optimize=True)
        colors = walk.X.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
        shown = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
        data |= {"kind": "colours", "preview": shown, "distinct": len(np.unique(colors))}
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _frame(walk: Walk, i: int) -> dict[str, Any]:
    frame = walk.frames[i]
    return {
        "centroids": _numbers(frame.centroids),
        "counts": frame.counts.astype(int).tolist(),
        "changed": frame.changed,
        "inertia": float(f"{frame.inertia:.{DIGITS}g}"),
        "after": float(f"{frame.inertia_after_update:.{DIGITS}g}"),
        "relocated": frame.relocated,
        "reason": frame.stop_reason,
    }
