"""The same steps for slides: an animation and a contact sheet, made with Pillow."""

import io
from typing import TYPE_CHECKING

import numpy as np

from ..cells import cells
from ..lloyd import Array, assign
from .record import Walk

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

MOST = 40  # half-steps of an animation
SHEET, ACROSS = 12, 3  # half-steps of a contact sheet, side by side
STRIP, CAPTION, GAP, NARROW = 24, 52, 12, 320  # panels are at least so wide, for their captions
PLANE, MARGIN, FINER = 480, 24, 3  # pixels of a side; drawn so much larger and reduced
# Okabe and Ito's colours, without the yellow, and three more: told apart with any kind of colour vision
HUES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#999933", "#aa4499")
TEXT, QUIET, LINE = "#1b1b1b", "#595959", "#8a8a86"
SHAPES: tuple[tuple[tuple[float, float], ...], ...] = (
    (),  # a circle
    ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
)


def animation(walk: Walk, seconds: float = 0.8) -> bytes:
    """A GIF file's bytes: one half-step after another, at most MOST of them, for so many seconds each."""
    from PIL import Image

    panels = [_panel(walk, p) for p in chosen(walk, MOST)]
    frames = [panel.quantize(256, dither=Image.Dither.NONE) for panel in panels]
    file = io.BytesIO()
    times = [round(1000 * seconds)] * (len(frames) - 1) + [3000]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
    return file.getvalue()


def contact_sheet(walk: Walk) -> "Image":
    """A Pillow image in mode "RGB" of SHEET half-steps side by side."""
    from PIL import Image

    panels = [_panel(walk, p) for p in chosen(walk, SHEET)]
    width, height = panels[0].size
    across = min(ACROSS, len(panels))
    down = -(-len(panels) // across)
    sheet = Image.new("RGB", (across * (width + GAP) + GAP, down * (height + GAP) + GAP), "white")
    for i, panel in enumerate(panels):
        sheet.paste(panel, (GAP + i % across * (width + GAP), GAP + i // across * (height + GAP)))
    return sheet


def chosen(walk: Walk, most: int) -> list[int]:
    """Half-steps to show: all, or the first ones, ever fewer of the later ones, and the last."""
    if walk.last < most:
        return list(range(walk.last + 1))
    wanted = np.unique(np.rint(np.geomspace(1, walk.last + 1, most)).astype(int) - 1).tolist()
    missing = [p for p in range(walk.last + 1) if p not in set(wanted)]
    return sorted(wanted + missing[: most - len(wanted)])


def _panel(walk: Walk, p: int) -> "Image":
    """One half-step: the picture or the plane, the palette, and what happened."""
    from PIL import Image, ImageDraw, ImageFont

    shown = _plane(walk, p) if walk.picture is None else _painted(walk, p)
    larger = max(1, NARROW // max(shown.size))
    shown = shown.resize((larger * shown.width, larger * shown.height), Image.Resampling.NEAREST)
    strip = STRIP if walk.picture is not None else 0
    panel = Image.new("RGB", (max(shown.width, NARROW), shown.height + strip + CAPTION), "white")
    panel.paste(shown, (0, 0))
    if strip:
        colors = Image.fromarray(_bytes(walk.centroids(p))[None])
        panel.paste(colors.resize((panel.width, strip - 4), Image.Resampling.NEAREST), (0, shown.height + 4))
    draw, top = ImageDraw.Draw(panel), shown.height + strip
    for i, line in enumerate(_said(walk, p)):
        draw.text((2, top + 4 + 23 * i), line, fill=QUIET if i else TEXT, font=ImageFont.load_default(16))
    return panel


def _said(walk: Walk, p: int) -> tuple[str, str]:
    if not p:
        return f"Start: {len(walk.centroids(0))} centroids", f"{len(walk.X):,} " + ("points", "pixels")[
            bool(walk.picture)
        ]
    frame, iteration, inertia = walk.frames[(p - 1) // 2], (p + 1) // 2, f"inertia {walk.inertia(p):.4g}"
    if p % 2:
        reason = {None: "", "converged": ": converged"}.get(frame.stop_reason, ": stopped")
        return f"Assign, iteration {iteration}{reason}", f"{frame.changed:,} changed, {inertia}"
    shift = np.sqrt(((walk.centroids(p) - frame.centroids) ** 2).sum(axis=1))
    return f"Update, iteration {iteration}", f"moved by up to {shift.max():.3g}, {inertia}"


def _bytes(centroids: Array) -> Array:
    return np.asarray(np.rint(np.clip(centroids, 0, 255)).astype(np.uint8))


def _painted(walk: Walk, p: int) -> "Image":
    """The preview in the colours of the half-step."""
    from PIL import Image

    pixels, of = walk.preview, walk.labelled_by(p)
    if of is None:
        return Image.fromarray(pixels)
    colors, place = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    palette = _bytes(walk.centroids(p))
    return Image.fromarray(palette[assign(colors, of)][place.ravel()].reshape(pixels.shape))


def _plane(walk: Walk, p: int) -> "Image":
    """The points, the cells of the centroids, and where these have been."""
    from PIL import Image, ImageDraw

    low, high = walk.X.min(axis=0).astype(float), walk.X.max(axis=0).astype(float)
    scale = FINER * (PLANE - 2 * MARGIN) / (float((high - low).max()) or 1.0)
    middle, side = (low + high) / 2, FINER * PLANE
    image = Image.new("RGB", (side, side), "white")
    draw, reach = ImageDraw.Draw(image), side / 2 / scale

    def place(points: Array) -> list[tuple[float, float]]:
        return [(side / 2 + scale * (x - middle[0]), side / 2 - scale * (y - middle[1])) for x, y in points]

    for corners in cells(walk.centroids(p), middle - reach, middle + reach):
        if len(corners):
            draw.polygon(place(corners), outline=LINE, width=FINER)
    of = walk.labelled_by(p)
    labels = np.full(len(walk.X), -1) if of is None else assign(walk.X, of)
    for point, label in zip(place(walk.X), labels.tolist(), strict=True):
        _marker(draw, point, label, 3.5 if len(walk.X) < 2000 else 2, False)
    for trail in np.stack([walk.centroids(q) for q in range(0, p + 1, 2)], axis=1):
        draw.line(place(trail), fill=TEXT, width=2 * FINER, joint="curve")
    for j, point in enumerate(place(walk.centroids(p))):
        _marker(draw, point, j, 9, True)
    return image.resize((PLANE, PLANE), Image.Resampling.BOX)


def _marker(draw: "ImageDraw", at: tuple[float, float], label: int, radius: float, outlined: bool) -> None:
    """One of four shapes in one of eight colours; a grey dot for no label."""
    (x, y), r, color = at, radius * FINER, QUIET if label < 0 else HUES[label % len(HUES)]
    line, width = (TEXT, 2 * FINER) if outlined else (None, 0)
    if corners := SHAPES[(label + label // len(HUES)) % len(SHAPES) if label >= 0 else 0]:
        draw.polygon([(x + r * a, y + r * b) for a, b in corners], color, line, width)
    else:
        draw.ellipse((x - r, y - r, x + r, y + r), color, line, width)
