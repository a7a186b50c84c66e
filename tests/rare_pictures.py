"""Small files of the formats that Pillow reads and does not write."""

import io
import struct

import numpy as np
from PIL import Image

SIDE = 4
GREY = bytes(range(0, 256, 16))
COLORED = bytes(range(0, 240, 5))


def cursor():
    Image.new("RGBA", (16, 16), "red").save(file := io.BytesIO(), "ICO", bitmap_format="bmp")
    data = bytearray(file.getvalue())
    data[2] = 2
    return data


def dcx():
    Image.new("P", (SIDE, SIDE)).save(file := io.BytesIO(), "PCX")
    return struct.pack("<III", 0x3ADE68B1, 12, 0) + file.getvalue()


def fits(bits, numbers):
    cards = "SIMPLE  =                    T", f"BITPIX  = {bits:20}", "NAXIS   =                    2"
    cards += f"NAXIS1  = {SIDE:20}", f"NAXIS2  = {SIDE:20}", "END"
    return "".join(card.ljust(80) for card in cards).ljust(2880).encode() + numbers.ljust(2880, b"\0")


def fli():
    chunk = struct.pack("<IH", 6 + SIDE * SIDE, 16) + GREY
    frame = struct.pack("<IHH8x", 16 + len(chunk), 0xF1FA, 1) + chunk
    head = struct.pack("<IHHHHHHI", 128 + len(frame), 0xAF11, 1, SIDE, SIDE, 8, 3, 5)
    return head.ljust(128, b"\0") + frame


def ftex():
    head = b"FTEX" + struct.pack("<9i", 0, SIDE, SIDE, 1, 1, 1, 40, 40, len(COLORED))
    return head[:40] + struct.pack("<I", len(COLORED)) + COLORED


def gimp_brush(channels):
    name = b"brush\0"
    head = struct.pack(">IIIII4sI", 28 + len(name), 2, SIDE, SIDE, channels, b"GIMP", 10)
    return head + name + (GREY * channels)


def imt():
    return b"*comment\npixel n8\nwidth 4\nheight 4\n\f" + GREY


def iptc():
    def field(record, tag, value):
        return bytes([0x1C, record, tag]) + struct.pack(">H", len(value)) + value

    size = [field(3, tag, bytes([SIDE])) for tag in (20, 30)]
    return b"".join([field(3, 60, b"\1\0"), *size, field(3, 120, b"\1"), field(8, 10, b"P5 4 4 255\n" + GREY)])


def mcidas():
    words = dict.fromkeys(range(1, 65), 0) | {2: 4, 9: SIDE, 10: SIDE, 11: 1, 14: 1, 34: 256}
    return struct.pack(">64i", *words.values()) + GREY


def mpeg():
    return b"\0\0\1\xb3" + bytes([0, SIDE << 4, SIDE, 0]) + bytes(8)


def photo_cd():
    return b"".join([bytes(2048), b"PCD_IPI".ljust(1539, b"\0"), bytes(100)])


def pixar():
    data = bytearray(b"\x80\xe8\0\0".ljust(1024, b"\0")) + COLORED
    struct.pack_into("<HH", data, 416, SIDE, SIDE)
    struct.pack_into("<HH", data, 424, 14, 2)
    return data


def photoshop(mode, channels, palette=b""):
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, channels, SIDE, SIDE, 8, mode)
    return head + struct.pack(">I", len(palette)) + palette + bytes(10) + GREY * channels


def sun(kind):
    if kind == "rgb":
        return struct.pack(">8I", 0x59A66A95, SIDE, SIDE, 24, len(COLORED), 1, 0, 0) + COLORED
    packed = b"".join(bytes([0x80, 3, level]) for level in range(4))
    return struct.pack(">8I", 0x59A66A95, SIDE, SIDE, 8, len(packed), 2, 1, 12) + bytes(range(12)) + packed


def xpm():
    rows = ",\n".join(f'"{row}"' for row in ("4 4 2 1", "a c #ff0000", "b c #00ff00", *("abab", "baba") * 2))
    return f"/* XPM */\nstatic char *x[] = {{\n{rows}\n}};\n".encode()


def xv_thumbnail():
    return b"P7 332\n#XVVERSION: 3\n#END_OF_COMMENTS\n4 4 255\n" + GREY


def rare_pictures():
    found = [
        cursor(), dcx(), fits(8, GREY), fits(-32, np.arange(16, dtype=">f4").tobytes()), fli(), ftex(), gimp_brush(1),
        gimp_brush(4), imt(), iptc(), mcidas(), mpeg(), photo_cd(), pixar(), photoshop(1, 1), photoshop(3, 3),
        photoshop(2, 1, bytes(768)), photoshop(4, 4), sun("rgb"), sun("packed"), xpm(), xv_thumbnail(),
    ]  # fmt: skip
    return list(map(bytes, found))
