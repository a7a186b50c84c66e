"""Palettes in the files of other programs: GIMP's, JASC's, hex lists, JSON, CSS; and read from indexed pictures."""

import colorsys
import json
import math
import os
import re
from pathlib import Path
from typing import Any

from . import checks
from .image import load_palette
from .lloyd import Array
from .protocol import warn

KINDS = (".gpl", ".hex", ".pal", ".json", ".css")
# Each takes time in proportion to the text: no two neighbours match the same characters
CSS_COMMENT = re.compile(r"/\*.*?(\*/|\Z)", re.DOTALL)
CSS_PROPERTY = re.compile(r"(?<![\w-])(--[\w-]+)\s*:([^;{}]*)")
CSS_FUNCTION = re.compile(r"(rgb|hsl)a?\(([^()]*)\)")
CSS_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)(%|deg|grad|rad|turn|)")
CSS_TURN = {"": 360.0, "deg": 360.0, "grad": 400.0, "rad": 2 * math.pi, "turn": 1.0}
# How values begin that are colours, read or not
CSS_COLORED = re.compile(r"#|(rgba?|hsla?|hwb|(ok)?(lab|lch)|color|color-mix|device-cmyk|light-dark)\(|currentcolor$")
MOST_NAMED = 5  # properties that a warning lists


def read(path: str | os.PathLike[str]) -> Array:
    """The colours (k, 3) or (k, 4) of a palette file or an indexed picture."""
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in KINDS:
        return load_palette(path)
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    try:
        colors = {".gpl": _gimp, ".hex": _hex, ".pal": _jasc, ".json": _json, ".css": _css}[kind](text)
        if not len(colors):
            raise ValueError("there is no colour in it")
        return checks.palette(colors)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)!r} is not a palette of its kind ({kind}): {error}") from None


def names(colors: Array) -> list[str]:
    """The colours (k, 3) or (k, 4) uint8 as "#rrggbb", translucent ones as "#rrggbbaa"."""
    return ["#" + bytes(color[: 3 + (color[3:] < 255).any()]).hex() for color in colors]


def text(colors: Array, path: Path) -> str:
    """The text of a palette file of the kind that its name says."""
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise ValueError(f"a palette is written to a name that ends in {', '.join(KINDS)}; got {path.name!r}")
    if colors.shape[1] == 4 and kind in (".gpl", ".pal"):
        raise ValueError(f"{kind} files have no alpha; .hex, .json and .css have")
    words = names(colors)
    rows = [" ".join(map(str, color)) for color in colors.tolist()]
    if kind == ".gpl":
        columns = [" ".join(f"{level:3}" for level in color) for color in colors.tolist()]
        body = [f"{column}\t{word}" for column, word in zip(columns, words, strict=True)]
        lines = ["GIMP Palette", f"Name: {_one_line(path.stem)}", "Columns: 16", "#", *body]
    elif kind == ".pal":
        return "".join(f"{line}\r\n" for line in ("JASC-PAL", "0100", len(colors), *rows))
    elif kind == ".hex":
        lines = [word.removeprefix("#") for word in words]
    elif kind == ".json":
        lines = ["[", ",\n".join(f'  "{word}"' for word in words), "]"]
    else:
        lines = [":root {", *(f"  --color-{i}: {word};" for i, word in enumerate(words)), "}"]
    return "\n".join(lines) + "\n"


def _one_line(name: str) -> str:
    """As text that files can hold, whatever bytes and breaks are in it."""
    return " ".join(name.encode(errors="replace").decode().split())


def _lines(text: str) -> list[tuple[int, str]]:
    """Those that are not empty, with their numbers."""
    return [(i, line.strip()) for i, line in enumerate(text.splitlines(), 1) if line.strip()]


def _levels(line: str, number: int, most: int = 3) -> list[int]:
    """The three numbers from 0 to 255 that a line begins with; up to `most` where it has more."""
    found = re.match(r"(\d+)[\s,]+(\d+)[\s,]+(\d+)(?=[\s,]|$)(?:[\s,]+(\d+)(?=\s|$))?", line)
    levels = [int(word) for word in found.groups() if word is not None][:most] if found else []
    if not levels or max(levels) > 255:
        raise ValueError(f"line {number} must begin with three numbers from 0 to 255; it is {line[:40]!r}")
    return levels


def _equally_wide(colors: list[list[int]]) -> list[list[int]]:
    """With alpha, if one has it."""
    width = max(map(len, colors), default=3)
    return [color + [255] * (width - len(color)) for color in colors]


def _gimp(text: str) -> Any:
    """With alpha where it says so, as Aseprite does."""
    lines = _lines(text)
    if not lines or lines[0][1] != "GIMP Palette":
        raise ValueError("its first line must be 'GIMP Palette'")
    most = 4 if any(re.match(r"Channels\s*:\s*RGBA", line) for _, line in lines) else 3
    head = re.compile(r"#|(Name|Columns|Channels)\s*:")
    return _equally_wide([_levels(line, number, most) for number, line in lines[1:] if not head.match(line)])


def _jasc(text: str) -> Any:
    lines = _lines(text)
    if len(lines) < 3 or lines[0][1] != "JASC-PAL" or lines[1][1] != "0100":
        raise ValueError("it must begin with the lines 'JASC-PAL' and '0100'")
    count = int(lines[2][1]) if lines[2][1].isdecimal() else -1
    if count != len(lines) - 3:
        raise ValueError(f"its third line says how many colours follow, {len(lines) - 3}; it is {lines[2][1][:40]!r}")
    return _equally_wide([_levels(line, number, most=4) for number, line in lines[3:]])


def _hex(text: str) -> Any:
    return [_color(line, f"line {number}") for number, line in _lines(text) if not line.startswith((";", "//"))]


def _color(text: str, where: str) -> str:
    try:
        checks.color(text)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return text


def _json(text: str) -> Any:
    """A list of colours, each a string or a list of levels; or that list as "palette" or "colors" of an object."""
    found = json.loads(text)
    if isinstance(found, dict):
        found = found.get("palette", found.get("colors"))
    if not isinstance(found, list):
        raise ValueError('it must be a list of colours, or have one named "palette" or "colors"')
    colors = []
    for i, one in enumerate(found):
        if isinstance(one, str):
            colors.append(checks.color(_color(one, f"colour {i}")).tolist())
        elif isinstance(one, list) and len(one) in (3, 4) and all(type(level) in (int, float) for level in one):
            colors.append(one)
        else:
            raise ValueError(f"colour {i} must be a string or a list of three or four levels; it is {one!r}")
    return _equally_wide(colors)


def _css(text: str) -> Any:
    """The custom properties that are colours: #rrggbb, names, rgb() and hsl(). Of other colours a warning tells."""
    found, unread = list[str](), list[str]()
    for name, value in CSS_PROPERTY.findall(CSS_COMMENT.sub("", text)):
        head, mark, tail = value.rpartition("!")
        value = (head if mark and tail.strip().lower() == "important" else value).strip()
        if color := _css_color(value.lower()):
            found.append(color)
        elif CSS_COLORED.match(value.lower()):
            unread.append(f"{name}: {value}")
    if unread:
        more = f" and {len(unread) - MOST_NAMED:,} more" if len(unread) > MOST_NAMED else ""
        warn(f"left out, as colours that are not understood: {'; '.join(unread[:MOST_NAMED])}{more}")
    return found


def _css_color(value: str) -> str | None:
    """A value as "#rrggbb" or "#rrggbbaa"; None where it is none, or in another notation."""
    from PIL.ImageColor import colormap

    if value == "transparent":
        return "#00000000"
    named = colormap.get(value, value)
    if isinstance(named, str) and named.startswith("#"):
        digits = _doubled(named)
        return digits if re.fullmatch("#([0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})", digits) else None
    if isinstance(named, tuple):
        return "#" + bytes(named).hex()
    function = CSS_FUNCTION.fullmatch(value)
    parts = re.split(r"\s*[\s,/]\s*", function[2].strip()) if function else []
    numbers = [CSS_NUMBER.fullmatch("0" if part == "none" else part) for part in parts]
    if function is None or len(numbers) not in (3, 4) or None in numbers:
        return None
    words = [(float(number[1]), number[2]) for number in numbers if number]
    if not all(math.isfinite(value) for value, _ in words):
        return None
    color = _rgb(words[:3]) if function[1] == "rgb" else _hsl(words[:3])
    if color is None or not {unit for _, unit in words[3:]} <= {"", "%"}:
        return None
    return "#" + bytes(map(_level, (*color, *(_share(*word, whole=1) for word in words[3:])))).hex()


def _rgb(words: list[tuple[float, str]]) -> list[float] | None:
    """Levels from 0 to 1; None for other units."""
    return [_share(*word, whole=255) for word in words] if {unit for _, unit in words} <= {"", "%"} else None


def _hsl(words: list[tuple[float, str]]) -> tuple[float, ...] | None:
    (hue, turn), *others = words
    if turn not in CSS_TURN or not {unit for _, unit in others} <= {"", "%"}:
        return None
    saturation, light = (_share(*word, whole=100) for word in others)
    return colorsys.hls_to_rgb(hue / CSS_TURN[turn] % 1, light, saturation)


def _share(number: float, unit: str, *, whole: float) -> float:
    """From 0 to 1, to which CSS brings what is beyond."""
    return min(max(number / (100 if unit else whole), 0.0), 1.0)


def _level(share: float) -> int:
    return math.floor(share * 255 + 0.5 + 1e-9)  # 30 % of 255 is 76.5, and a little less in floats


def _doubled(digits: str) -> str:
    """#rgba as #rrggbbaa."""
    return "#" + "".join(digit * 2 for digit in digits[1:]) if len(digits) == 5 else digits
