"""Files made by hand, byte by byte, for what no writer makes; and PNG files taken apart."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of PNG's colour types


def saved(image, kind="PNG", **options):
    """The bytes of a file that Pillow writes, from an image or an array."""
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(rows, color_type, depth, width, chunks=()):
    """A PNG from the bytes of its rows; chunks (name, data) stand before the pixels."""
    header = struct.pack(">IIBBBBB", width, len(rows), depth, color_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def deep_png(array, color_type, chunks=()):
    """A PNG of 16 bits a channel from (H, W, channels) uint16."""
    assert array.shape[2] == CHANNELS[color_type]
    return png([row.astype(">u2").tobytes() for row in array], color_type, 16, array.shape[1], chunks)


def parts_of(data):
    """The chunks of a PNG: a dict of name to data, those of one name joined."""
    found, at = {}, 8
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        found[name.decode()] = found.get(name.decode(), b"") + data[at + 8 : at + 8 + length]
        at += 12 + length
    return found


def folder(entries, at, order="<", after=0):
    """TIFF's list of tags (tag, type, count, bytes), to stand at an offset; `after` is where the next one stands."""
    found, beyond = struct.pack(order + "H", len(entries)), b""
    behind = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, data in sorted(entries):
        if len(data) > 4:
            offset = struct.pack(order + "I", behind + len(beyond))
            data, beyond = offset, beyond + data + bytes(len(data) % 2)
        found += struct.pack(order + "HHI", tag, kind, count) + data.ljust(4, b"\0")
    return found + struct.pack(order + "I", after) + beyond


def tiff(*pages, photometric, extra=None, kind=1, deflated=False, more=()):
    """A TIFF of pages (H, W, channels); the order of its bytes is the array's. kind: 1 whole numbers, 3 floats."""
    order = ">" if pages[0].dtype.str[0] == ">" else "<"

    def tag(number, *values, long=False):
        return number, 4 if long else 3, len(values), struct.pack(order + "HI"[long] * len(values), *values)

    pixels, lists = b"", []
    for array in pages:
        height, width, channels = array.shape
        data = zlib.compress(array.tobytes()) if deflated else array.tobytes()
        entries = [
            tag(256, width), tag(257, height), tag(258, *[array.itemsize * 8] * channels),
            tag(259, 8 if deflated else 1), tag(262, photometric), tag(273, 8 + len(pixels), long=True),
            tag(277, channels), tag(278, height), tag(279, len(data), long=True), tag(339, *[kind] * channels),
        ]  # fmt: skip
        lists.append(entries + [tag(number, value) for number, value in more])
        if extra is not None:
            lists[-1].append(tag(338, extra))
        pixels += data + bytes(len(data) % 2)
    found = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(pixels)) + pixels
    for i, entries in enumerate(lists):
        after = len(found) + len(folder(entries, 0, order)) if i < len(lists) - 1 else 0
        found += folder(entries, len(found), order, after)
    return found


def exif(*entries, details=(), thumbnail=b""):
    """EXIF data from tags (tag, type, count, bytes): of the picture, of how it was taken, and a small picture."""
    length = 2 + 12 * (len(entries) + bool(details)) + 4 + sum(len(data) + len(data) % 2 for *_, data in entries
                                                               if len(data) > 4)  # fmt: skip
    within, entries = folder(list(details), 8 + length), list(entries)
    if details:
        entries.append((0x8769, 4, 1, struct.pack("<I", 8 + length)))
    after = 8 + length + len(within)
    second = [(513, 4, 1, struct.pack("<I", after + 30)), (514, 4, 1, struct.pack("<I", len(thumbnail)))]
    first = folder(entries, 8, after=after if thumbnail else 0)
    assert len(first) == length
    tail = folder(second, after) + thumbnail if thumbnail else b""
    return b"Exif\0\0II*\0\x08\0\0\0" + first + within + tail


def text_tag(tag, text):
    """A tag whose text is UTF-8, as most programs write it."""
    data = text.encode() + b"\0"
    return tag, 2, len(data), data


def short_tag(tag, number):
    return tag, 3, 1, struct.pack("<H", number)


# Profiles (ICC.1:2001)

DISPLAY_P3 = {  # its primaries under D50
    b"rXYZ": (0.515121, 0.241196, -0.001053),
    b"gXYZ": (0.291977, 0.692245, 0.041885),
    b"bXYZ": (0.157104, 0.066574, 0.784073),
}
D50 = (0.9642, 1.0, 0.8249)


def _fixed(*numbers):
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def profile(name, gamma, primaries=None):
    """The profile of an RGB space with these primaries, or of greys, whose light is level ** gamma."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    word = name.encode()
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(word) + 1) + word + bytes(1 + 4 + 4 + 2 + 1 + 67),
        b"cprt": b"text" + bytes(4) + b"CC0\0",
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*D50),
    }
    if primaries is None:
        tags[b"kTRC"] = curve
    else:
        tags |= {tag: b"XYZ " + bytes(4) + _fixed(*xyz) for tag, xyz in primaries.items()}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    at, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    space = b"GRAY" if primaries is None else b"RGB "
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(body), b"lcms", 0x02400000, b"mntr", space, b"XYZ ", bytes(12),
                       b"acsp")  # fmt: skip
    return (head.ljust(68, b"\0") + _fixed(*D50)).ljust(128, b"\0") + table + body


def reduced(array):
    """16 bits as 8 by the definition: the nearest level, of which each stands for 257."""
    return np.array([[[round(int(v) / 257) for v in pixel] for pixel in row] for row in array], np.uint8)
