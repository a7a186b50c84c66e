"""Colours to sRGB: by the profile that a picture brings along, or by its gamma."""

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..lloyd import Array
from ..spaces import encoded

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}  # of the colour spaces that profiles have
USUAL_GAMMA = 1 / 2.2  # written for sRGB by programs that do not know its curve
KEPT = 1 << 16  # bytes of a profile up to which it is kept whether it is sRGB's
NEAR = 1  # levels by which a transform may differ from none and be the profile of sRGB itself


def gamma_of(info: dict[Any, Any]) -> float | None:
    """By what a file's levels are to be made sRGB; None where it does not say, or says better. `info` is Pillow's."""
    gamma = info.get("gamma")
    if not gamma or "srgb" in info or info.get("icc_profile") or abs(gamma - USUAL_GAMMA) <= 0.005:
        return None
    return float(gamma)


def in_srgb(image: "Image", profile: bytes | None, gamma: float | None, notes: list[str]) -> "Image":
    """An image of 8 bits a channel in sRGB, mode "RGB" or "RGBA", by its profile or else its gamma."""
    alpha = None
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
    found = _by_profile(image, profile, notes) if profile else None
    if found is None and image.mode == "LAB":
        found = _converted(image, _lab(), "LAB")
    if found is None:
        if image.mode == "CMYK":
            notes.append("CMYK without a usable profile was converted by the plain formula")
        found = image.convert("RGBA") if image.mode in ("P", "PA") and alpha else image
        if found.mode != "RGB" or alpha is not None:  # else it stays what it is: a copy would be 4 bytes a pixel
            found = found.convert("RGB")
        if gamma is not None:
            found = found.point(curve(gamma, 256).tolist() * 3)
    if alpha is not None:
        found.putalpha(alpha)
    return found


def curve(gamma: float, count: int) -> Array:
    """What a channel's `count` levels, light to the power of gamma, are in sRGB: (count,) uint8."""
    light = (np.arange(count) / (count - 1)) ** (1 / gamma)
    return np.asarray(np.rint(encoded(light) * 255).astype(np.uint8))


def _by_profile(image: "Image", data: bytes, notes: list[str]) -> "Image | None":
    """By its ICC profile; None where that does not fit, or is sRGB's."""
    from PIL import ImageCms

    try:
        profile = ImageCms.getOpenProfile(io.BytesIO(data))
        mode = MODES.get(profile.profile.xcolor_space.strip(), "")
        name = ImageCms.getProfileDescription(profile).strip()
        fits = {"L": image.mode in ("1", "L", "LA"), "CMYK": image.mode == "CMYK", "LAB": image.mode == "LAB"}
        if not fits.get(mode, mode == "RGB" and image.mode not in ("CMYK", "LAB")):
            notes.append(f"its profile {name!r} is not for pictures of its kind ({image.mode}), and was ignored")
            return None
        if (_is_srgb if len(data) <= KEPT else _is_srgb.__wrapped__)(data, mode):
            return None
        found = _converted(image, profile, mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        notes.append(f"its colour profile is damaged, and was ignored ({str(error) or type(error).__name__})")
        return None
    notes.append(f"colour profile {name!r} was converted to sRGB")
    return found


def _converted(image: "Image", profile: Any, mode: str) -> "Image":
    """The colours by a profile for pictures of a mode: relative to its white, its black to black."""
    from PIL import ImageCms

    if image.mode != mode:
        image = image.convert("RGBA" if image.mode in ("P", "PA") else mode).convert(mode)
    found = ImageCms.profileToProfile(
        image, profile, ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC, "RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )  # fmt: skip
    assert found is not None  # as it is only where it was asked to be in place
    return found


@lru_cache(16)
def _is_srgb(data: bytes, mode: str) -> bool:
    """Whether a profile changes no colour by more than rounding does."""
    from PIL import Image, ImageCms

    if mode not in ("RGB", "L"):
        return False
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    grid = np.stack(np.meshgrid(*[levels] * len(mode), indexing="ij"), axis=-1).reshape(len(levels), -1, len(mode))
    before = Image.fromarray(grid if mode == "RGB" else grid[:, :, 0])
    after = _converted(before, ImageCms.getOpenProfile(io.BytesIO(data)), mode)
    difference = np.asarray(after, int) - np.asarray(before.convert("RGB"), int)
    return bool(abs(difference).max() <= NEAR)


def _lab() -> Any:
    from PIL import ImageCms

    return ImageCms.createProfile("LAB")
