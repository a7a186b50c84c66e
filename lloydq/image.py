"""A picture from anywhere to pixels, and a picture to a file that is whole or not there."""

import contextlib
import io
import os
import secrets
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .lloyd import Array

if TYPE_CHECKING:
    from PIL.Image import Image

# What Pillow's readers raise on files that are cut short or garbled.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error, zlib.error)


@dataclass(frozen=True)
class Picture:
    """Pixels, and the file that they came from."""

    pixels: Array  # (H, W, 3) uint8
    name: str  # for messages
    n_bytes: int | None = None  # size of the file


def load(image: Any) -> Picture:
    """A path, an open binary file, bytes, a Pillow image, or a uint8 array (H, W) or (H, W, 3) as a `Picture`.

    EXIF orientation is applied. Transparent pixels and more than 8 bits a channel are refused, not silently dropped.
    """
    if isinstance(image, Picture):
        return image
    if isinstance(image, str | os.PathLike):
        return _decoded(Path(image).read_bytes(), f"{os.fspath(image)!r}")
    if isinstance(image, bytes | bytearray | memoryview):
        return _decoded(bytes(image), "the picture in memory")
    if hasattr(image, "read"):
        data = image.read()
        if not isinstance(data, bytes):
            raise TypeError("the picture's file must be open in binary mode, as by open(path, 'rb')")
        return _decoded(data, repr(getattr(image, "name", "the open file")))
    if hasattr(image, "getbands") and hasattr(image, "convert"):
        return Picture(_converted(image, "the Pillow image"), "the Pillow image")
    if hasattr(image, "__array__") or hasattr(image, "__array_interface__"):
        return Picture(_checked(np.asarray(image)), "the array")
    raise TypeError(
        "a picture is a path, an open binary file, bytes, a Pillow image or a uint8 array (H, W) or (H, W, 3); "
        f"got {type(image).__name__}"
    )


def pixels(image: Any) -> Array:
    """The pixels of a picture in rows: (n, 3) uint8, from left to right and from top to bottom.

    Parameters
    ----------
    image : path, open binary file, bytes, Pillow image, or uint8 array (H, W) or (H, W, 3)

    Raises
    ------
    OSError
        If the file cannot be read, or is not a whole picture.
    TypeError, ValueError
        For other objects, dtypes and shapes, and for pictures with transparency or more than 8 bits a channel.

    Examples
    --------
    >>> pixels(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)).tolist()
    [[255, 0, 0], [0, 0, 255]]
    """
    return load(image).pixels.reshape(-1, 3)


def _checked(array: Array) -> Array:
    """A uint8 array (H, W, 3) from one that may be (H, W)."""
    if array.dtype != np.uint8:
        raise TypeError(f"a picture's array must be uint8, 0 to 255; got {array.dtype}")
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3 or array.size == 0:
        raise ValueError(f"a picture's array must have shape (H, W) or (H, W, 3), none of them 0; got {array.shape}")
    return array


def _decoded(data: bytes, name: str) -> Picture:
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise OSError(f"{name} is empty")
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return Picture(_converted(image, name), name, len(data))
    except UnidentifiedImageError:
        raise OSError(f"{name} is not a picture in a format that Pillow can read") from None
    except Refused:
        raise
    except (*BROKEN, Image.DecompressionBombError) as error:
        raise OSError(f"{name} is damaged or not supported: {error}") from error


class Refused(ValueError):
    """A picture whose conversion would lose something."""


def _converted(image: "Image", name: str) -> Array:
    """The pixels of a Pillow image, upright: (H, W, 3) uint8."""
    from PIL import ImageOps

    if image.mode.startswith(("I", "F")):
        raise Refused(f"{name} has more than 8 bits a channel (mode {image.mode}): reduce it to 8 bits first")
    upright: Image = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        if upright.getchannel("A").getextrema()[0] != 255:
            raise Refused(f"{name} has transparent pixels: put it on a background first")
    return _checked(np.asarray(upright.convert("RGB")))


def indexed(indices: Array, palette: Array) -> "Image":
    """A Pillow image in mode "P" from indices (H, W) uint8 and a palette (k, 3) uint8 of exactly k entries."""
    from PIL import Image

    image = Image.frombytes("P", indices.shape[::-1], indices.tobytes())
    image.putpalette(palette.tobytes())
    return image


def png(image: "Image", effort: int = 6) -> bytes:
    """A Pillow image as a PNG file's bytes, compressed with an effort from 0 to 9."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=effort)
    return file.getvalue()


def write(path: str | os.PathLike[str], data: bytes, *, overwrite: bool) -> None:
    """Write a file that appears whole or not at all; FileExistsError if it is there and may not be replaced."""
    target = Path(os.path.realpath(path))
    if not overwrite and target.exists():
        raise FileExistsError(f"{os.fspath(path)!r} exists")
    part = target.with_name(f".lloydq-{secrets.token_hex(8)}")
    try:
        with part.open("xb") as file:
            file.write(data)
        if overwrite:
            if target.exists():
                part.chmod(stat.S_IMODE(target.stat().st_mode))
            part.replace(target)
        else:
            _move_to_free_name(part, target)
    except FileExistsError:
        raise FileExistsError(f"{os.fspath(path)!r} exists") from None
    except OSError as error:  # in the user's words, not with the name of the part
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _move_to_free_name(part: Path, target: Path) -> None:
    """Unlike a rename, never over a file that has appeared meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        target.touch(exist_ok=False)
        try:
            part.replace(target)
        except BaseException:
            target.unlink()
            raise
