"""Indexed pictures as the bytes of a file."""

import io
from typing import TYPE_CHECKING, Any

from ..lloyd import Array

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = {".png": "PNG", ".gif": "GIF"}
MOST = 256  # colours that an indexed file holds


def indexed(indices: Array, palette: Array) -> "Image":
    """A Pillow image in mode "P" from indices (H, W) uint8 and exactly k colours, (k, 3) or (k, 4) uint8."""
    from PIL import Image

    if len(palette) > MOST:
        raise ValueError(f"an indexed picture has at most {MOST} colours; these are {len(palette):,}")
    image = Image.frombytes("P", indices.shape[::-1], indices.tobytes())
    image.putpalette(palette[:, :3].tobytes())
    if palette.shape[1] == 4:
        image.info["transparency"] = palette[:, 3].tobytes()
    return image


def encode(indices: Array, palette: Array, kind: str, metadata: dict[str, Any]) -> bytes:
    """The bytes of a PNG (of 1, 2, 4 or 8 bits a pixel, as the palette needs) or a GIF file, with what it may say.

    Of opaque colours at the end a PNG keeps no alpha. A GIF knows only pixels that are seen and pixels that are not.
    """
    if kind == "PNG":
        image = indexed(indices, palette[:, :3])
        if palette.shape[1] == 4:
            opaque_from = int((palette[:, 3] < 255).nonzero()[0].max(initial=-1)) + 1
            image.info["transparency"] = palette[:opaque_from, 3].tobytes()
        return png(image, **_for_png(metadata))
    options: dict[str, Any] = {"comment": metadata["text"]["Comment"]} if "Comment" in metadata.get("text", {}) else {}
    if palette.shape[1] == 4:
        unseen = (palette[:, 3] == 0).nonzero()[0]
        if ((palette[:, 3] > 0) & (palette[:, 3] < 255)).any():
            raise ValueError("GIF has no translucent colours: write PNG, or put the picture on a colour with alpha=")
        if len(unseen):
            options["transparency"] = int(unseen[0])
    file = io.BytesIO()
    indexed(indices, palette[:, :3]).save(file, "GIF", optimize=False, **options)
    return file.getvalue()


def png(image: "Image", effort: int = 6, **options: Any) -> bytes:
    """A Pillow image as a PNG file's bytes, compressed with an effort from 0 to 9."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=effort, **options)
    return file.getvalue()


def _for_png(metadata: dict[str, Any]) -> dict[str, Any]:
    """What Pillow's writer takes. An sRGB chunk goes with it, which says what the colours are."""
    from PIL.PngImagePlugin import PngInfo

    if not metadata:
        return {}
    chunks = PngInfo()
    for key, value in metadata.get("text", {}).items():
        chunks.add_itxt(key[:79], value) if not value.isascii() else chunks.add_text(key[:79], value)
    if "xmp" in metadata:
        chunks.add_itxt("XML:com.adobe.xmp", metadata["xmp"].decode("utf-8", "replace"))
    return {"pnginfo": chunks} | {key: metadata[key] for key in ("exif", "dpi") if key in metadata}
