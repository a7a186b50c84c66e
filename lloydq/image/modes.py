"""Pillow's modes: every one of them to 8 bits a channel."""

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from ..lloyd import Array
from .profiles import curve

if TYPE_CHECKING:
    from PIL.Image import Image


BITS, PHOTOMETRIC, WHITE_IS_ZERO = 258, 262, 0  # of TIFF
ROUNDED = "16 bits a channel were rounded to 8"  # a note
FEW_BITS = {"L;2": 85, "L;4": 17}  # how far the levels of grey PNGs of 2 and 4 bits stand apart


class Refused(ValueError):
    """A picture whose numbers do not say what they mean."""


def reduced(array: Array) -> Array:
    """uint16 as uint8: 65,535 is 255, the nearest for every number between."""
    return np.asarray(((array.astype(np.uint32) + 128) // 257).astype(np.uint8))


def eight_bits(
    image: "Image", raw: str, name: str, data: bytes | None, notes: list[str], gamma: float | None = None
) -> "Image":
    """The image in a mode of 8 bits a channel, from how its file holds it. `data` is the file, if it has one.

    By `gamma` 16 bits are made sRGB while they are rounded (then it is noted that they were): 8 bits would not hold
    the shadows. Others are left as they are.
    """
    from PIL import Image

    tags: Any = getattr(image, "tag_v2", {})
    if raw in ("R", "G", "B", "A") and max(tags.get(BITS, (8,))) > 8:  # of which Pillow makes noise
        raise Refused(f"{name} has its channels of 16 bits one after the other, which is not supported")
    if raw[:-1].endswith(";16") and data is not None and not image.mode.startswith("I"):
        deep = _sixteen(data, image.tell(), raw)
        mode, key = "LA" if deep.shape[2] == 2 else image.mode, image.info.get("transparency")
        image.load()
        color = _rounded(deep, gamma, notes)
        if isinstance(key, tuple):
            return Image.fromarray(_keyed(deep, np.array(key), color))
        return Image.frombytes(mode, image.size, color.tobytes())
    if raw[:-1].endswith(";16") and not image.mode.startswith("I"):
        notes.append("16 bits a channel were cut to 8 by Pillow; from the file itself they would be rounded")
    if _is_deep_ppm(image):
        if image.mode == "RGB":  # of which Pillow makes the nearest of 8 bits
            notes.append(ROUNDED)
        else:  # and of greys 16 bits, whatever their most
            raw = "I;16"
    image.load()
    if image.mode.startswith(("I", "F")):
        grey = _grey(np.asarray(image), image.mode, raw, name, notes, gamma)
        if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:  # which Pillow heeds for 8 bits alone
            grey = 255 - grey
        key = image.info.get("transparency")
        return Image.fromarray(grey if key is None else _keyed(np.asarray(image), key, grey))
    key = image.info.get("transparency")
    if isinstance(key, int) and raw in FEW_BITS and image.format == "PNG":  # the levels are spread, the key is not
        image = image.copy()
        image.info["transparency"] = key * FEW_BITS[raw]
    if image.mode == "RGB":  # of which a copy would be 4 bytes a pixel; a copy of a damaged "P" has a palette at least
        return image
    return image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode))


def raw_mode(image: "Image") -> str:
    """How the file holds its pixels, by Pillow's name; "" once they are loaded."""
    tiles = getattr(image, "tile", None)
    if not tiles:
        return ""
    args: Any = tiles[0][3]
    return str(args if isinstance(args, str) else args[0]) if args else ""


def _is_deep_ppm(image: "Image") -> bool:
    """Whether it is a PPM or PGM whose numbers go beyond 255; False once it is loaded."""
    tiles: Any = getattr(image, "tile", None)
    args: Any = tiles[0][3] if image.format == "PPM" and tiles else ()
    return len(args) == 2 and isinstance(args[1], int) and args[1] > 255


def _sixteen(data: bytes, frame: int, raw: str) -> Array:
    """(H, W, channels) uint16 of pictures of which Pillow keeps the high bytes: read twice, the second time the low."""
    if raw == "LA;16B":  # of which Pillow cannot keep the low bytes: as 8-bit RGBA, which a header can say, it has both
        both = _read(_as_rgba(data), frame, raw, raw)
        return np.asarray(both.reshape(*both.shape[:2], 2, 2) @ np.array([256, 1], np.uint16))
    plain = raw.replace("RGBa", "RGBA")
    other = plain[:-1] + ("L" if raw.endswith("B") else "B")
    high, low = (_read(data, frame, raw, wanted).astype(np.uint16) for wanted in (plain, other))
    deep = high << 8 | low
    if plain != raw:  # premultiplied
        color, alpha = deep[:, :, :3].astype(np.uint64), np.maximum(deep[:, :, 3:], 1).astype(np.uint64)
        deep[:, :, :3] = np.minimum((color * 65535 + alpha // 2) // alpha, 65535)
    return deep


def _read(data: bytes, frame: int, raw: str, wanted: str) -> Array:
    """The pixels (H, W, channels) of a file, unpacked in another way."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        image.seek(frame)
        tiles: list[Any] = image.tile
        for i, tile in enumerate(tiles):
            args = wanted if isinstance(tile[3], str) else (wanted, *tile[3][1:])
            if raw != wanted:
                tiles[i] = tile._replace(args=args) if hasattr(tile, "_replace") else (*tile[:3], args)
        image.load()
        return np.asarray(image)


def _as_rgba(data: bytes) -> bytes:
    """A PNG of 16-bit grey and alpha as one of 8-bit RGBA, which has as many bytes a pixel."""
    import zlib

    header = bytearray(data[12:29])  # IHDR and its fields: width, height, depth, colour type
    header[12:14] = 8, 6
    return data[:12] + bytes(header) + zlib.crc32(header).to_bytes(4, "big") + data[33:]


def _rounded(deep: Array, gamma: float | None, notes: list[str]) -> Array:
    """(H, W, channels) uint16 as uint8, the colours, not the alpha, by a gamma."""
    notes.append(ROUNDED)
    found = reduced(deep)
    if gamma is not None:
        channels = slice(0, 1 if deep.shape[2] < 3 else 3)
        found[:, :, channels] = curve(gamma, 1 << 16)[deep[:, :, channels]]
    return found


def _keyed(deep: Array, key: Any, color: Array) -> Array:
    """The colours (8 bits) of 16-bit pixels as RGBA, those that are `key` transparent."""
    deep, color = (array.reshape(*array.shape[:2], -1) for array in (deep, color))
    alpha = np.where((deep == key).all(axis=2, keepdims=True), np.uint8(0), np.uint8(255))
    return np.concatenate([np.repeat(color, 3 // color.shape[2], axis=2), alpha], axis=2)


def _grey(array: Array, mode: str, raw: str, name: str, notes: list[str], gamma: float | None) -> Array:
    """(H, W) uint8 of the modes that have one channel of more bits."""
    least, most = array.min(), array.max()
    if mode == "F":
        if not (least >= 0 and most <= 255):
            raise Refused(f"{name} has numbers from {least} to {most}; floats must be from 0 to 1, or from 0 to 255")
        notes.append(f"floats from 0 to {1 if most <= 1 else 255} were rounded to 8 bits")
        return np.asarray(np.rint(array * np.float32(255 if most <= 1 else 1)).astype(np.uint8))
    if not (least >= 0 and most <= 65535):
        raise Refused(f"{name} has whole numbers from {least} to {most}; 8 bits or 16 bits a channel are understood")
    if mode == "I" and most <= 255 and ";16" not in raw:  # as Pillow makes it of 8 bits
        notes.append("whole numbers up to 255 were taken as 8 bits")
        return np.asarray(array.astype(np.uint8))
    if raw == "I;12":
        notes.append("12 bits a channel were rounded to 8")
        return np.asarray(((array.astype(np.uint32) * 510 + 4095) // 8190).astype(np.uint8))
    return _rounded(array[:, :, None], gamma, notes)[:, :, 0]
