"""A picture from anywhere: 8-bit pixels in sRGB, upright, and what was done to make them so."""

import io
import os
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks
from ..lloyd import Array
from .metadata import metadata_of, upright
from .modes import ROUNDED, Refused, eight_bits, raw_mode, reduced
from .profiles import gamma_of, in_srgb

if TYPE_CHECKING:
    from PIL.Image import Image

# What Pillow's readers raise on files that are cut short or garbled.
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, struct.error, zlib.error,
    ArithmeticError, RuntimeError,
)  # fmt: skip
PAPER = "#ffffff"  # what transparent pixels are put on where pictures are compared and explained
INPUTS = "a path, an open binary file, bytes, a Pillow image, or an array (H, W), (H, W, 3) or (H, W, 4)"


@dataclass(frozen=True)
class Picture:
    """Pixels, and the file that they came from."""

    pixels: Array  # (H, W, 3) uint8 in sRGB; (H, W, 4) with alpha, not premultiplied, where some are transparent
    name: str  # for messages
    n_bytes: int | None = None  # size of the file
    notes: tuple[str, ...] = ()  # what was done to the file's own pixels
    metadata: dict[str, Any] = field(default_factory=dict)  # "exif", "xmp" (bytes), "dpi", "text": what a copy may keep


def load(image: Any, *, alpha: str = "keep", frame: int | None = None) -> Picture:
    """A path, an open binary file, bytes, a Pillow image of any mode, or an array as a `Picture`.

    EXIF orientation is applied, an embedded profile converted to sRGB, 16 bits a channel are rounded to 8. Of several
    frames the first is taken, or `frame`. For `alpha` see `flattened`.
    """
    if frame is not None:
        frame = checks.integer(frame, "frame", least=0)
    return flattened(image if isinstance(image, Picture) else _loaded(image, frame), alpha)


def pixels(image: Any, *, alpha: str = "keep", frame: int | None = None) -> Array:
    """The pixels of a picture in rows: (n, 3) uint8 in sRGB, from left to right and from top to bottom.

    Parameters
    ----------
    image : path, open binary file, bytes, Pillow image, or array
        (H, W), (H, W, 3) or (H, W, 4): uint8, uint16, float from 0 to 1, or bool.
    alpha : "keep", "drop" or a colour "#rrggbb"
        "keep": (n, 4) where some pixels are transparent, not premultiplied; "drop": without; a colour: what is behind.
    frame : int, optional
        Of an animation, from 0; the first if left out.

    Raises
    ------
    OSError
        If the file cannot be read, or is not a whole picture.
    TypeError, ValueError
        For other objects, dtypes and shapes, and for numbers out of range.

    Examples
    --------
    >>> pixels(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)).tolist()
    [[255, 0, 0], [0, 0, 255]]
    """
    found = load(image, alpha=alpha, frame=frame).pixels
    return found.reshape(-1, found.shape[2])


def flattened(picture: Picture, alpha: str) -> Picture:
    """The same with its alpha kept ("keep"), left out ("drop"), or over a colour "#rrggbb", mixed in sRGB.

    Where alpha is kept, what is not seen at all is (0, 0, 0, 0).
    """
    alpha = checks.alpha(alpha)
    if picture.pixels.shape[2] == 3:
        return picture
    color, a = picture.pixels[:, :, :3], picture.pixels[:, :, 3:].astype(np.uint16)
    if alpha == "keep":
        return replace(picture, pixels=np.where(a == 0, np.uint8(0), picture.pixels))
    if alpha == "drop":
        return replace(picture, pixels=np.ascontiguousarray(color))
    mixed = (color * a + checks.color(alpha) * (255 - a) + 127) // 255
    return replace(picture, pixels=mixed.astype(np.uint8))


def _loaded(image: Any, frame: int | None) -> Picture:
    if isinstance(image, str | os.PathLike):
        return _of_file(Path(image).read_bytes(), f"{os.fspath(image)!r}", frame)
    if isinstance(image, bytes | bytearray | memoryview):
        return _of_file(bytes(image), "the picture in memory", frame)
    if hasattr(image, "read"):
        data = image.read()
        if not isinstance(data, bytes):
            raise TypeError("the picture's file must be open in binary mode, as by open(path, 'rb')")
        return _of_file(data, repr(getattr(image, "name", "the open file")), frame)
    if hasattr(image, "getbands") and hasattr(image, "convert"):
        with _blamed("the Pillow image"), _where_it_stood(image):
            return _of_pillow(image, "the Pillow image", frame)
    if hasattr(image, "__array__") or hasattr(image, "__array_interface__"):
        if frame:
            raise ValueError(f"an array has 1 frame, counted from 0; there is no {frame}")
        if isinstance(image, np.ma.MaskedArray) and np.ma.is_masked(image):
            raise ValueError("a picture's array must not have masked values; fill them, or give them an alpha of 0")
        array, notes = _of_array(given := np.asarray(image))
        if np.may_share_memory(array, given):  # which the caller may fill with the next picture
            array = array.copy()
        return Picture(array, "the array", notes=notes)
    raise TypeError(f"a picture is {INPUTS}; got {type(image).__name__}")


def _of_array(array: Array) -> tuple[Array, tuple[str, ...]]:
    """(H, W, 3) or (H, W, 4) uint8 from an array of any kind that can be meant as a picture."""
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.size == 0:
        shape = array.shape[:2] if array.ndim == 3 and array.shape[2:] == (1,) else array.shape
        raise ValueError(
            f"a picture's array must have shape (H, W), (H, W, 3) or (H, W, 4), none of them 0; got {shape}"
        )
    notes: tuple[str, ...] = ()
    if array.dtype == bool:
        array = array * np.uint8(255)
    elif array.dtype.kind == "u" and array.dtype.itemsize == 2:  # of either byte order
        array, notes = reduced(array), (ROUNDED,)
    elif array.dtype.kind == "f":
        if not (array.min() >= 0 and array.max() <= 1):
            raise ValueError(f"a picture's array of floats must be from 0 to 1; got {array.min()} to {array.max()}")
        array = np.rint(array * 255).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise TypeError(f"a picture's array must be uint8, uint16, float from 0 to 1, or bool; got {array.dtype}")
    return _tidy(np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array), notes


def _tidy(pixels: Array) -> Array:
    """Without alpha where it says nothing."""
    if pixels.shape[2] == 4 and (pixels[:, :, 3] == 255).all():
        return np.ascontiguousarray(pixels[:, :, :3])
    return pixels


def _of_file(data: bytes, name: str, frame: int | None) -> Picture:
    with _opened(data, name) as image:
        return _of_pillow(image, name, frame, data)


@contextmanager
def _opened(data: bytes, name: str) -> Iterator["Image"]:
    """A file's image, and errors that name it."""
    from PIL import Image

    if not data:
        raise OSError(f"{name} is empty")
    with _blamed(name), Image.open(io.BytesIO(data)) as image:
        yield image


@contextmanager
def _blamed(name: str) -> Iterator[None]:
    """Errors of Pillow's as those of a picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except UnidentifiedImageError:
        raise OSError(f"{name} is not a picture in a format that Pillow can read") from None
    except Refused:
        raise
    except Image.DecompressionBombError as error:
        pixels, most = ([int(number) for number in re.findall(r"\d+", str(error))] + [0, 0])[:2]
        raise OSError(
            f"{name} is too large: it has {pixels:,} pixels, and Pillow reads no more than {most:,}, "
            "which is twice PIL.Image.MAX_IMAGE_PIXELS (in the program: --max-pixels)"
        ) from error
    except BROKEN as error:
        raise OSError(f"{name} is damaged or not supported: {error}") from error


@contextmanager
def _where_it_stood(image: "Image") -> Iterator[None]:
    """An image that somebody else has open shows the same frame afterwards."""
    frame = image.tell()
    try:
        yield
    finally:
        if image.tell() != frame:
            image.seek(frame)


def _of_pillow(image: "Image", name: str, frame: int | None, data: bytes | None = None) -> Picture:
    """The pixels of a Pillow image of any mode."""
    from PIL import Image

    if 0 in image.size:
        raise Refused(f"{name} has no pixels: it is {image.width}×{image.height}")
    notes = list[str]()
    _seek(image, frame, name, notes)
    raw = raw_mode(image)  # before it is loaded
    if image.format == "PNG":  # which EXIF would load, where errors of the pixels go for those of EXIF
        image.load()
    original, own_profile, gamma = image, image.info.get("icc_profile"), gamma_of(image.info)
    turned = upright(image)  # before a TIFF is loaded, which turns it
    image = eight_bits(image, raw, name, data, notes, gamma)
    image = in_srgb(image, own_profile, None if ROUNDED in notes else gamma, notes)
    if gamma is not None:
        notes.append(f"gamma {gamma:g} was converted to sRGB")
    if turned:
        notes.append("turned upright")
    if turn := upright(original):  # else it was turned when it was loaded
        image = image.transpose(Image.Transpose[turn])
    found = metadata_of(original, notes, recolored=own_profile is not None)
    return Picture(_tidy(np.asarray(image)), name, None if data is None else len(data), tuple(notes), found)


def _seek(image: "Image", frame: int | None, name: str, notes: list[str]) -> None:
    if frame is not None:
        try:
            image.seek(frame)
        except EOFError:
            if image.format == "TIFF":  # of which Pillow says then that they are one more than was asked for
                raise Refused(f"{name} has no frame {frame}, counted from 0") from None
            count = getattr(image, "n_frames", 1)
            plural = "s" * (count > 1)
            raise Refused(f"{name} has {count} frame{plural}, counted from 0; there is no {frame}") from None
    if getattr(image, "is_animated", False):
        # Pillow counts those of a TIFF in the square of their number: minutes, of which a stranger's file may have many
        count = "several" if image.format == "TIFF" else image.n_frames  # type: ignore[attr-defined]
        notes.append(f"frame {image.tell()} of {count}, counted from 0")


def load_palette(path: Path) -> Array:
    """The palette (k, 3) or (k, 4) uint8 of an indexed picture: of a PNG the whole, of others what its pixels use.

    The others fill theirs up to 2, 4, 8 or more entries.
    """
    name = repr(os.fspath(path))
    with _opened(path.read_bytes(), name) as image:
        image.load()
        if image.mode in ("1", "L") and image.format in ("GIF", "BMP"):  # indexed, in greys that Pillow knows as levels
            levels = np.asarray(image.convert("L"))
            listed = np.array([0, 255]) if image.mode == "1" else np.arange(int(levels.max()) + 1)
            return np.repeat(listed.astype(np.uint8)[:, None], 3, axis=1)
        if image.mode not in ("P", "PA"):
            raise Refused(f"{name} is not indexed (its mode is {image.mode}): it has no palette to take")
        colors = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        if image.format != "PNG":
            colors = colors[: int(np.asarray(image.getchannel("P")).max()) + 1]
        key = image.info.get("transparency")
    if key is None:
        return colors
    alpha = np.full(len(colors), 255, np.uint8)
    if isinstance(key, bytes):
        alpha[: len(key)] = np.frombuffer(key, np.uint8)[: len(colors)]
    elif key < len(colors):
        alpha[key] = 0
    return np.column_stack([colors, alpha])
