"""Indexed pictures as the bytes of a file."""

import io
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ..lloyd import Array
from ..protocol import warn

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = {".png": "PNG", ".gif": "GIF"}
MOST = 256  # colours that an indexed file holds
LONGEST_OF_GIF = 65_535  # pixels of a side
FEW = 16  # colours up to which pixels share a byte of a PNG
QUICK = 100_000  # bytes of a PNG up to which it is compressed with all effort


def indexed(indices: Array, palette: Array) -> "Image":
    """A Pillow image in mode "P" from indices (H, W) uint8 and exactly k colours, (k, 3) or (k, 4) uint8."""
    from PIL import Image

    _fits(palette)
    image = Image.frombytes("P", indices.shape[::-1], indices.tobytes())
    image.putpalette(palette[:, :3].tobytes())
    if palette.shape[1] == 4:
        image.info["transparency"] = palette[:, 3].tobytes()
    return image


def _fits(palette: Array) -> None:
    if len(palette) > MOST:
        raise ValueError(f"an indexed picture has at most {MOST} colours; these are {len(palette):,}")


def encode(indices: Array, palette: Array, kind: str, metadata: dict[str, Any]) -> bytes:
    """The bytes of a PNG (of 1, 2, 4 or 8 bits a pixel, as the palette needs) or a GIF file, with what it may say.

    Of opaque colours at the end a PNG keeps no alpha. A GIF knows only pixels that are seen and pixels that are not.
    What is seen by half is neither: a warning says that it was cut.
    """
    _fits(palette)
    if kind == "PNG":
        image = indexed(indices, palette[:, :3])
        if palette.shape[1] == 4:
            opaque_from = int((palette[:, 3] < 255).nonzero()[0].max(initial=-1)) + 1
            image.info["transparency"] = palette[:opaque_from, 3].tobytes()
        return _smallest(image, len(palette) <= FEW, _for_png(metadata))
    if max(indices.shape) > LONGEST_OF_GIF:
        height, width = indices.shape
        raise ValueError(
            f"a GIF is at most {LONGEST_OF_GIF:,} pixels wide and high; this one would be {width:,} × {height:,}"
        )
    options: dict[str, Any] = {"comment": metadata["text"]["Comment"]} if "Comment" in metadata.get("text", {}) else {}
    if palette.shape[1] == 4:
        if ((palette[:, 3] > 0) & (palette[:, 3] < 255)).any():
            warn("GIF has no translucent colours: alpha was cut at one half")
        is_unseen = palette[:, 3] < 128
        if is_unseen.any():
            options["transparency"] = one = int(is_unseen.argmax())
            indices = np.where(is_unseen, one, np.arange(len(palette))).astype(np.uint8)[indices]
    file = io.BytesIO()
    indexed(indices, palette[:, :3]).save(file, "GIF", optimize=False, **options)
    return file.getvalue()


def png(image: "Image", effort: int = 6, **options: Any) -> bytes:
    """A Pillow image as a PNG file's bytes, compressed with an effort from 0 to 9."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=effort, **options)
    return file.getvalue()


def _smallest(image: "Image", is_few: bool, options: dict[str, Any]) -> bytes:
    """An indexed image as the smallest PNG that Pillow makes in fair time; `is_few`: of at most 16 colours."""
    # KB, and ms in brackets, by colours, with Pillow's zlib-ng. The photograph has 2 megapixels, as have the window and
    # the page of text; the chart has one, the logo with alpha and a shadow 0.6.
    #
    #            photograph                        window                  page        chart      logo
    #            8          64         256         8           64          8           8          64
    # level 6    117 (51)   408 (86)   703 (106)   33.0 (14)   59.0 (14)   62.3 (17)   34.6 (10)  14.2 (3)
    # runs       103 (15)   526 (14)   995 (24)    82.4 (10)   148 (5)     150 (8)     30.7 (4)   36.5 (2)
    # level 9    111 (368)  391 (464)  698 (249)   29.8 (75)   51.6 (84)   57.5 (99)   31.4 (100) 13.1 (12)
    #
    # Runs were never the best of more than 16 colours, with which every pixel has a byte; level 9 takes up to 4 ms for
    # each KB that it finds, and where runs were better than level 6 and left more than some KB, they are better than
    # level 9 as well. At level 9 Pillow's own choice of strategy for few colours, Z_FILTERED, is at most 1 %
    # smaller on graphics, and 7 % larger on text; Huffman alone is at most 1 % smaller, on noise.
    tries = [png(image, **options)]
    if is_few:
        tries.append(png(image, compress_type=zlib.Z_RLE, **options))
    best = min(tries, key=len)
    if len(best) < (QUICK if best is tries[0] else QUICK // 8):
        tries.append(png(image, 9, compress_type=zlib.Z_DEFAULT_STRATEGY, **options))
    return min(tries, key=len)


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
