"""What a picture says about itself, and what of that its copy in other colours may say too."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

ORIENTATION, EXIF, GPS, COLOR_SPACE, SRGB = 0x0112, 0x8769, 0x8825, 0xA001, 1
# What EXIF says of the picture, not of its file: description, maker, model, resolution, software, date, artist, host,
# copyright, title and the like
SPOKEN = (270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 33432, *range(40091, 40096))
XMP = "XML:com.adobe.xmp"  # the keyword by which PNG knows it


def metadata_of(image: "Image", *, recolored: bool) -> dict[str, Any]:
    """EXIF and XMP as bytes, dots per inch, texts: without the orientation, which is applied, and the profile.

    Nor the small picture that EXIF may hold, which shows the old colours.
    """
    from PIL.Image import Exif

    found = dict[str, Any]()
    old, exif = image.getexif(), Exif()
    turned = old.get(ORIENTATION, 1) != 1
    exif.update({tag: old[tag] for tag in SPOKEN if tag in old})
    for folder in (EXIF, GPS):
        if details := dict(old.get_ifd(folder)):
            if recolored and COLOR_SPACE in details:
                details[COLOR_SPACE] = SRGB
            exif.get_ifd(folder).update(details)
            exif[folder] = exif.get_ifd(folder)
    if len(exif):
        found["exif"] = exif.tobytes()
    info = image.info
    text = {str(key): str(value) for key, value in getattr(image, "text", {}).items() if key != XMP}
    comment = info.get("comment")
    if comment:
        text["Comment"] = comment.decode("utf-8", "replace") if isinstance(comment, bytes) else str(comment)
    if text:
        found["text"] = text
    xmp = info.get("xmp") or info.get(XMP)
    if xmp and not turned:  # it has the orientation too
        found["xmp"] = xmp if isinstance(xmp, bytes) else str(xmp).encode()
    if (dpi := info.get("dpi")) and all(float(number) > 1 for number in dpi):
        found["dpi"] = tuple(float(number) for number in dpi)
    return found
