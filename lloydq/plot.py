"""Figures of Lloyd's algorithm, with matplotlib (extra `plot`): steps, Voronoi cells, inertia, cube, palettes.

Every function draws on the axes that it is given, or on new ones, and returns them. Clusters differ by colour and by
marker; the colours are those of Okabe and Ito, which any kind of colour vision tells apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from . import checks
from .cells import cells
from .image import PAPER, load
from .lloyd import Array, assign
from .palette import Palette
from .quantized import Quantized
from .walk import HUES, Walk

try:
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError("lloydq.plot needs matplotlib: pip install 'lloydq[plot]'") from error


MARKERS = "os^DvP*X"
TEXT, QUIET = "#1b1b1b", "#767676"
SHOWN = 5000  # points of a cube


def hue(label: int) -> str:
    """The colour of a cluster."""
    return HUES[label % len(HUES)]


def marker(label: int) -> str:
    """The marker of a cluster: of 64, no two have both the same colour and the same marker."""
    return MARKERS[(label + label // len(HUES)) % len(MARKERS)]


def _axes(ax: Axes | None, **size: Any) -> Axes:
    return plt.figure(layout="constrained", **size).add_subplot() if ax is None else ax


def voronoi(X: Any, centroids: Any, labels: Any = None, ax: Axes | None = None, *, trails: Any = None) -> Axes:
    """Points in the plane, each in the marker and colour of its label, with the centroids and their cells.

    Parameters
    ----------
    X : (n, 2) array-like
    centroids : (k, 2) array-like
    labels : (n,) array-like, optional
        Grey dots, if left out.
    ax : matplotlib Axes, optional
    trails : sequence of (k, 2) arrays, optional
        Where the centroids have been, the oldest first.
    """
    X, centroids = (
        checks.same_columns(checks.points(a, name), 2, "voronoi") for a, name in ((X, "X"), (centroids, "c"))
    )
    if labels is not None and np.shape(labels) != (len(X),):
        raise ValueError(f"labels must have shape ({len(X)},), one for each point; got {np.shape(labels)}")
    ax, size = _axes(ax, figsize=(5, 5)), 26 if len(X) <= 500 else 8
    everything = np.concatenate([X, centroids], dtype=np.float64)
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = 0.07 * float((high - low).max()) or 1.0
    low, high = low - margin, high + margin
    corners = [cell for cell in cells(centroids, low, high) if len(cell)]
    ax.add_collection(PolyCollection(corners, facecolors="none", edgecolors=QUIET, linewidths=1))
    for label in range(len(centroids)) if labels is not None else ():
        members = X[np.asarray(labels) == label]
        ax.scatter(members[:, 0], members[:, 1], size, color=hue(label), marker=marker(label), alpha=0.8, linewidths=0)
    if labels is None:
        ax.scatter(X[:, 0], X[:, 1], size, color=QUIET, linewidths=0)
    if trails is not None and len(trails) > 1:
        ax.add_collection(LineCollection(list(np.stack(trails, axis=1)), colors=TEXT, linewidths=1.5, zorder=3))
    for label, centroid in enumerate(centroids):
        look: dict[str, Any] = {"color": hue(label), "marker": marker(label), "edgecolors": TEXT, "linewidths": 2}
        ax.scatter(centroid[0], centroid[1], 190, zorder=4, **look)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    return ax


def step(walk: Walk, half_step: int, ax: Axes | None = None) -> Axes:
    """A half-step of a walk over points in the plane: `lloydq.walk.record` makes one."""
    if walk.picture is not None:
        raise ValueError("these steps are drawn in the plane; for a walk over a picture see walk.contact_sheet")
    if not 0 <= half_step <= walk.last:
        raise ValueError(f"half_step must be from 0 to {walk.last}; got {half_step}")
    of = walk.labelled_by(half_step)
    labels = None if of is None else assign(walk.X, of)
    trails = [walk.centroids(p) for p in range(0, half_step + 1, 2)]
    ax = voronoi(walk.X, walk.centroids(half_step), labels, ax, trails=trails)
    name = ("Update" if half_step % 2 == 0 else "Assign") + f" {(half_step + 1) // 2}"
    inertia = walk.inertia(half_step)
    ax.set_title("Start" if inertia is None else f"{name}: inertia {inertia:.4g}", fontsize=13)
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def steps(walk: Walk, half_steps: Iterable[int] | None = None, *, columns: int = 3) -> Figure:
    """Half-steps side by side; all of them, if none are named."""
    shown = list(range(walk.last + 1) if half_steps is None else half_steps)
    if not shown:
        raise ValueError("no half-steps to draw")
    rows = -(-len(shown) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(4 * columns, 4.2 * rows), layout="constrained", squeeze=False)
    for ax, half_step in zip(grid.flat, shown, strict=False):
        step(walk, half_step, ax)
    for ax in grid.flat[len(shown) :]:
        ax.remove()
    return figure


def inertia(walk: Walk, ax: Axes | None = None) -> Axes:
    """The inertia after each half-step; both lower it, or leave it."""
    ax = _axes(ax, figsize=(7, 4))
    half_steps = range(1, walk.last + 1)
    values = np.array([walk.inertia(p) for p in half_steps], np.float64)
    ax.plot(half_steps, values, color=TEXT, linewidth=1, zorder=1)
    for name, first, label in (("assign", 0, 0), ("update", 1, 1)):
        look: dict[str, Any] = {"color": hue(label), "marker": marker(label), "label": f"after {name}"}
        ax.scatter(half_steps[first::2], values[first::2], 42, **look)
    ax.set(xlabel="half-step", ylabel="inertia: Σ distance²")
    ax.legend(frameon=False)
    ax.grid(alpha=0.3)
    return ax


def cube(image: Any, palette: Any = None, ax: Any = None, *, clusters: bool = False, rng: Any = 0) -> Any:
    """The colours of a picture in the cube of red, green and blue, and a palette in larger outlined dots.

    Parameters
    ----------
    image : picture as `lloydq.quantize` takes it
        Of its pixels SHOWN are drawn, at random.
    palette : Palette or (k, 3) array-like from 0 to 255, optional
    ax : matplotlib Axes with projection="3d", optional
    clusters : bool, default False
        Draw each pixel in the colour and marker of its cluster, not in its own colour.
    rng : seed or Generator, default 0
    """
    if ax is None:
        ax = plt.figure(figsize=(6, 6), layout="constrained").add_subplot(projection="3d")
    pixels = load(image, alpha=PAPER).pixels.reshape(-1, 3)
    shown = pixels[np.random.default_rng(rng).choice(len(pixels), min(SHOWN, len(pixels)), replace=False)]
    if palette is not None:
        palette = np.asarray(Palette(palette))
        ax.scatter(*palette.T, s=90, c=palette / 255, edgecolors=TEXT, linewidths=1.5, depthshade=False, zorder=5)
    if palette is None or not clusters:
        ax.scatter(*shown.T, s=4, c=shown / 255, depthshade=False, linewidths=0)
    else:
        labels = assign(shown, palette)
        for label in np.unique(labels):
            look = {"color": hue(label), "marker": marker(label)}
            ax.scatter(*shown[labels == label].T, s=12, depthshade=False, linewidths=0.5, **look)
    for axis, name in zip("xyz", ("red", "green", "blue"), strict=True):
        ax.set(**{f"{axis}lim": (0, 255), f"{axis}ticks": (64, 128, 192)})
        getattr(ax, f"set_{axis}label")(name, labelpad=10)
    ax.set_box_aspect((1, 1, 1), zoom=0.9)
    ax.computed_zorder = False  # the palette is drawn over the pixels
    ax.view_init(22, -60)
    return ax


def palette(colors: Any, weights: Any = None, ax: Axes | None = None) -> Axes:
    """Swatches of a palette, as wide as their weights, if there are any; up to 16 with their names."""
    colors = Palette(colors)
    ax = _axes(ax, figsize=(9, 1.4))
    widths = np.ones(len(colors)) if weights is None else np.asarray(weights, np.float64)
    if widths.shape != (len(colors),) or not (widths >= 0).all() or not widths.sum() > 0:
        raise ValueError(f"weights must be {len(colors)} numbers, none below 0 and not all 0")
    widths = widths / widths.sum()
    ends = np.cumsum(widths)
    ax.bar(ends - widths, 1, widths, align="edge", color=np.asarray(colors) / 255)
    for name, rgb, end, width in zip(colors.hex, colors, ends, widths, strict=True):
        if len(colors) <= 16 and width > 0.035:
            dark = np.dot(rgb, (0.299, 0.587, 0.114)) < 140
            color = "white" if dark else "black"
            ax.text(end - width / 2, 0.5, name, rotation=90, ha="center", va="center", color=color, family="monospace")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_axis_off()
    return ax


def comparison(image: Any, results: Mapping[str, Quantized], *, columns: int = 2) -> Figure:
    """A picture beside what it became, each with its error.

    Parameters
    ----------
    image : picture as `lloydq.quantize` takes it
    results : dict of title to Quantized
    columns : int, default 2
    """
    original = load(image, alpha=PAPER).pixels
    shown: list[tuple[str, Array]] = [("original", original)]
    for title, q in results.items():
        error = f"MSE {q.mse:.1f}, PSNR {q.psnr:.1f} dB" if q.mse else "no error"
        shown.append((f"{title}\n{error}", np.asarray(q.palette)[q.indices]))
    return pictures(shown, columns=columns)


def pictures(shown: Sequence[tuple[str, Array]], *, columns: int = 2) -> Figure:
    """Arrays (H, W, 3) side by side, each under its title."""
    if not shown:
        raise ValueError("no pictures to show")
    rows, (height, width) = -(-len(shown) // columns), shown[0][1].shape[:2]
    size = 5 * columns, rows * (5 * height / width + 0.75)
    figure, grid = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for ax, (title, pixels) in zip(grid.flat, shown, strict=False):
        ax.imshow(pixels)
        ax.set_title(title, fontsize=13)
    for ax in grid.flat:
        ax.set_axis_off()
    return figure
