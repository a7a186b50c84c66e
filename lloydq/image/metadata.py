"""What a picture says about itself, and what of that its copy in other colours may say too."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

ORIENTATION, EXIF, GPS, COLOR_SPACE, SRGB = 0x0112, 0x8769, 0x8825, 0xA001, 1
# By orientation, what makes the picture upright, in Pillow's words; 1 is upright, other numbers mean nothing
UPRIGHT = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270", 7: "TRANSVERSE",
    8: "ROTATE_90",
}  # fmt: skip
# What EXIF says of the picture, not of its file: description, maker, model, resolution, software, date, artist, host,
# copyright, title and the like
SPOKEN = (270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 33432, *range(40091, 40096))
XMP = "XML:com.adobe.xmp"  # the keyword by which PNG knows it


def upright(image: "Image") -> str | None:
    """What would make the image upright; None where it is, or where its EXIF data cannot be read."""
    try:
        return UPRIGHT.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # Pillow raises all sorts on garbage
        return None


def metadata_of(image: "Image", notes: list[str], *, recolored: bool) -> dict[str, Any]:
    """EXIF and XMP as bytes, dots per inch, texts: without the orientation, which is applied, and the profile.

    Nor the small picture that EXIF may hold, which shows the old colours.
    """
    found = dict[str, Any]()
    try:
        if exif := _exif(image, recolored):
            found["exif"] = exif
    except Exception:
        notes.append("its EXIF data are damaged, and were left out")
    info = image.info
    text = {str(key): str(value) for key, value in getattr(image, "text", {}).items() if key != XMP}
    comment = info.get("comment")
    if comment:
        text["Comment"] = _text(comment) if isinstance(comment, bytes) else str(comment)
    if text:
        found["text"] = text
    xmp = info.get("xmp") or info.get(XMP)
    if xmp:
        xmp = xmp if isinstance(xmp, bytes) else str(xmp).encode()
        found["xmp"] = re.sub(rb"(tiff:Orientation(?:=[\"']|>))[0-9]", rb"\g<1>1", xmp)
    if (dpi := info.get("dpi")) and all(1 < float(number) < 1e6 for number in dpi):
        found["dpi"] = tuple(float(number) for number in dpi)
    return found


def _exif(image: "Image", recolored: bool) -> bytes:
    from PIL.Image import Exif

    old, exif = image.getexif(), Exif()
    exif.update({tag: _in_bytes(old[tag]) for tag in SPOKEN if tag in old})
    for folder in (EXIF, GPS):
        if details := {tag: _in_bytes(value) for tag, value in old.get_ifd(folder).items()}:
            if recolored and COLOR_SPACE in details:
                details[COLOR_SPACE] = SRGB
            exif.get_ifd(folder).update(details)
            exif[folder] = exif.get_ifd(folder)
    return exif.tobytes() if len(exif) else b""


def _in_bytes(value: Any) -> Any:
    """Text as the bytes that Pillow read it from: it would write ? for all that is not ASCII."""
    return value if not isinstance(value, str) or value.isascii() else value.encode("latin-1", "replace")


def _text(data: bytes) -> str:
    """Of what says nothing of its encoding."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
