"""Palettes in files: there and back, as other programs write them, and what is wrong with those that are none."""

import contextlib
import os
import re
import time

import made
import numpy as np
import pytest
from PIL import Image, ImageColor

from lloydq import Palette, quantize
from lloydq.palettefiles import KINDS

COLORS = [(255, 0, 16), (0, 0, 0), (1, 2, 3), (255, 255, 255)]
TRANSLUCENT = [(255, 0, 16, 0), (0, 0, 0, 255), (1, 2, 3, 128)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 4, 256, 1000])
def test_there_and_back(kind, k, tmp_path, rng):
    palette = Palette(rng.integers(0, 256, (k, 3)))
    path = tmp_path / f"palette{kind}"
    palette.save(path)
    assert Palette.read(path) == palette
    assert Palette.read(str(path)).colors.shape == (k, 3)
    path.rename(tmp_path / f"palette{kind.upper()}")
    assert Palette.read(tmp_path / f"palette{kind.upper()}") == palette


@pytest.mark.parametrize("kind", [".hex", ".json", ".css"])
def test_there_and_back_with_alpha(kind, tmp_path):
    Palette(TRANSLUCENT).save(tmp_path / f"palette{kind}")
    assert list(Palette.read(tmp_path / f"palette{kind}")) == TRANSLUCENT


@pytest.mark.parametrize("kind", [".gpl", ".pal"])
def test_kinds_without_alpha(kind, tmp_path):
    with pytest.raises(ValueError, match=rf"\{kind} files have no alpha; \.hex, \.json and \.css have"):
        Palette(TRANSLUCENT).save(tmp_path / f"palette{kind}")
    assert not list(tmp_path.iterdir())


def test_what_is_written(tmp_path):
    expected = {
        ".gpl": "GIMP Palette\nName: two\nColumns: 16\n#\n255   0  16\t#ff0010\n  1   2   3\t#010203\n",
        ".hex": "ff0010\n010203\n",
        ".pal": "JASC-PAL\r\n0100\r\n2\r\n255 0 16\r\n1 2 3\r\n",
        ".json": '[\n  "#ff0010",\n  "#010203"\n]\n',
        ".css": ":root {\n  --color-0: #ff0010;\n  --color-1: #010203;\n}\n",
    }
    assert set(expected) == set(KINDS)
    for kind, text in expected.items():
        Palette([(255, 0, 16), (1, 2, 3)]).save(tmp_path / f"two{kind}")
        assert (tmp_path / f"two{kind}").read_bytes().decode() == text


def test_other_endings_and_files_that_exist(tmp_path):
    palette = Palette(COLORS)
    for name in ("palette.txt", "palette", "palette.png"):
        with pytest.raises(ValueError, match=rf"ends in \.gpl, \.hex, \.pal, \.json, \.css; got '{name}'"):
            palette.save(tmp_path / name)
    palette.save(tmp_path / "palette.hex")
    with pytest.raises(FileExistsError):
        Palette([(9, 9, 9)]).save(tmp_path / "palette.hex", overwrite=False)
    assert Palette.read(tmp_path / "palette.hex") == palette
    Palette([(9, 9, 9)]).save(tmp_path / "palette.hex")
    assert list(Palette.read(tmp_path / "palette.hex")) == [(9, 9, 9)]


# As others write them

GIMP = "GIMP Palette\nName: Test\nColumns: 4\n# a comment\n#\n"
THREE = [(255, 0, 16), (0, 0, 0), (1, 2, 3)]
WRITTEN = {
    "GIMP": ("a.gpl", GIMP + "255   0  16\tRed, nearly\n  0   0   0\tUntitled\n  1   2   3\n", THREE),
    "names that are numbers": ("a.gpl", GIMP + "255 0 16 12\n0 0 0 300\n1 2 3 4 5\n", THREE),
    "without a head, blank lines": ("a.gpl", "GIMP Palette\n\n255 0 16\n\n\t0\t0\t0\tx\n1 2 3\n\n", THREE),
    "GIMP 2.10": ("a.gpl", "GIMP Palette\nName: x\nColumns: 0\n255 0 16\tName: odd\n0 0 0\n1 2 3", THREE),
    "Aseprite's alpha": (
        "a.gpl", "GIMP Palette\nChannels: RGBA\n#\n255 0 16 255 Red\n0 0 0 0\n1 2 3 128 x\n",
        [(255, 0, 16, 255), (0, 0, 0, 0), (1, 2, 3, 128)],
    ),
    "Lospec's hex": ("a.hex", "ff0010\n000000\n010203\n", THREE),
    "hex of others": ("a.hex", "; a comment\n// another\n#FF0010\n#000\n\n #010203 \n", THREE),
    "hex with alpha": ("a.hex", "ff0010\n00000000\n01020380\n", [(255, 0, 16, 255), (0, 0, 0, 0), (1, 2, 3, 128)]),
    "JASC": ("a.pal", "JASC-PAL\n0100\n3\n255 0 16\n0 0 0\n1 2 3\n", THREE),
    "JASC with a fourth column": (
        "a.pal", "JASC-PAL\n0100\n3\n255 0 16 255\n0 0 0 0\n1 2 3\n",
        [(255, 0, 16, 255), (0, 0, 0, 0), (1, 2, 3, 255)],
    ),
    "a list of levels": ("a.json", "[[255, 0, 16], [0, 0, 0], [1, 2.4, 3]]", THREE),
    "a list of both": (
        "a.json", '["#ff0010", [0, 0, 0, 9], "123"]', [(255, 0, 16, 255), (0, 0, 0, 9), (17, 34, 51, 255)],
    ),
    "Lospec's JSON": ("a.json", '{"name": "x", "author": "", "colors": ["ff0010", "000000", "010203"]}', THREE),
    "lloydq --json": ("a.json", '{"mse": 1.5, "palette": ["#ff0010", "#000000", "#010203"]}', THREE),
    "CSS": (
        "a.css",
        "/* --no: #111111; */\n:root {\n--one: #ff0010; --two:#000;\n  --size: 3px;\n--three : rgb(1, 2, 3);}\n"
        "p { color: #123456 }\n", THREE,
    ),
    "newer CSS": (
        "a.css", ":root{--a:rgb(255 0 16);--b:#0000;--c:#01020380}",
        [(255, 0, 16, 255), (0, 0, 0, 0), (1, 2, 3, 128)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRITTEN)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_as_others_write_them(case, ends, encoding, tmp_path):
    name, text, expected = WRITTEN[case]
    (tmp_path / name).write_bytes(text.replace("\n", ends).encode(encoding))
    assert list(Palette.read(tmp_path / name)) == expected


CSS = {
    "#AbC": (170, 187, 204), "#abcd": (170, 187, 204, 221), "#ABCDEF": (171, 205, 239), "tomato": (255, 99, 71),
    "RebeccaPurple": (102, 51, 153), "transparent": (0, 0, 0, 0), "rgb(1, 2, 3)": (1, 2, 3),
    "RGB( 1 2 3 )": (1, 2, 3), "rgb(10% 20% 30%)": (26, 51, 77), "rgb(10.4 20.6 0)": (10, 21, 0),
    "rgb(-1, 2, 256)": (0, 2, 255), "rgb(0 0 0 / 50%)": (0, 0, 0, 128), "rgb(0 0 0/.2)": (0, 0, 0, 51),
    "rgba(1,2,3,.5)": (1, 2, 3, 128), "rgba(1, 2, 3, 1)": (1, 2, 3), "rgb(none 2 3 / 2)": (0, 2, 3),
    "hsl(120 50% 50%)": (64, 191, 64), "hsl(120, 50%, 50%)": (64, 191, 64), "hsl(-240deg 50% 50%)": (64, 191, 64),
    "hsl(.5turn 100% 50%)": (0, 255, 255), "hsl(200grad 100 50)": (0, 255, 255),
    "hsl(0 0% 50% / 0)": (128, 128, 128, 0), "hsla(0, 100%, 25%, 50%)": (128, 0, 0, 128),
    "rgb(1 2 3) !important": (1, 2, 3), "rgb( 1,2,3 )! IMPORTANT ": (1, 2, 3), "/* ; */ red": (255, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("value", CSS)
def test_css_values(value, tmp_path):
    (tmp_path / "a.css").write_text(f":root {{ --size: 3px; --a: {value} }}")
    assert list(Palette.read(tmp_path / "a.css")) == [CSS[value]]


@pytest.mark.parametrize(
    "value", ["oklch(70% 0.1 30)", "lab(50% 1 2)", "color(display-p3 1 0 0)", "hwb(1 2% 3%)", "rgb(from red r g b)",
              "rgb(var(--x), 3)", "hsl(1 2)", "hsl(10px 2% 3%)", "rgb(1deg 2 3)", "hsl(10% 2% 3%)",
              "rgb(1 2 3 / 4deg)", "#fffff", "#xyz",
              "color-mix(in srgb, red, blue)", "currentColor", "rgb(1e999 nan 3)",
              "hsl(1e999 2% 3%)"],
)  # fmt: skip
def test_css_colours_that_are_not_understood_are_named(value, tmp_path):
    path = tmp_path / "a.css"
    message = re.escape(f"left out, as colours that are not understood: --b-1: {value}") + "$"
    path.write_text(f":root {{ --a: red; --b-1: {value}; --c: #010203 }}")
    with pytest.warns(UserWarning, match=message):
        assert list(Palette.read(path)) == [(255, 0, 0), (1, 2, 3)]
    path.write_text(f":root {{ --b-1: {value}; }}")
    with pytest.warns(UserWarning, match=message), pytest.raises(ValueError, match="there is no colour in it"):
        Palette.read(path)


def test_other_css_is_left_out_silently(tmp_path):
    (tmp_path / "a.css").write_text(
        ".x--red:hover { color: blue } .y--tan { --font: 'Red', serif; --gap: calc(1px + 2px); --a: green;\n"
        "--from: var(--a); --shadow: 0 0 3px rgb(0 0 0); --weight: 700; --back: linear-gradient(red, blue); --e:; }"
    )
    assert list(Palette.read(tmp_path / "a.css")) == [(0, 128, 0)]


def test_of_many_that_are_not_understood_the_first_are_named(tmp_path):
    (tmp_path / "a.css").write_text("a { --z: red; " + "".join(f"--n{i}: lab({i} 0 0);" for i in range(9)) + "}")
    with pytest.warns(UserWarning, match=r"--n0: lab\(0 0 0\); .*--n4: lab\(4 0 0\) and 4 more$"):
        Palette.read(tmp_path / "a.css")


LONG = 200_000
ENDLESS = [
    "a { --a: rgb(" + " " * LONG + "x; }", "a { --a: x" + " " * LONG + "y; }", "a { --a: " + "!" * LONG + " }",
    "a { --a: rgb(" + "1" * LONG + "x 2 3) }", "a { --a: rgb(" + "1 " * LONG + ") }", "a { --a" + " " * LONG + " }",
    "a { --a: rgb(" + "/" * LONG + ") }", "a { --a: " + "rgb(" * LONG + " }", "/*" * LONG, "--" * LONG, "{" * LONG,
]  # fmt: skip


@pytest.mark.parametrize("text", ENDLESS)
@pytest.mark.filterwarnings("ignore:left out")
def test_a_file_is_read_in_a_time_that_its_length_tells(text, tmp_path):
    (tmp_path / "a.css").write_text(text)
    start = time.process_time()
    with pytest.raises(ValueError, match=r"^'[^']*' is not a palette of its kind \(.css\): there is no colour in it"):
        Palette.read(tmp_path / "a.css")
    assert time.process_time() - start < 5  # 0.02; minutes to hours where it grows with the square of the length


@pytest.mark.parametrize("kind", [".gpl", ".pal", ".hex"])
@pytest.mark.parametrize("line", ["1" * LONG, "1 " * LONG, "1" + " " * LONG + "x", "1, 2, 3" + "," * LONG, " " * LONG])
def test_so_are_the_other_kinds(kind, line, tmp_path):
    before = {".gpl": "GIMP Palette\n", ".pal": "JASC-PAL\n0100\n1\n", ".hex": ""}[kind]
    (tmp_path / f"a{kind}").write_text(before + line + "\n")
    start = time.process_time()
    with contextlib.suppress(ValueError):
        Palette.read(tmp_path / f"a{kind}")
    assert time.process_time() - start < 5


@pytest.mark.parametrize("name", ["new\nline.gpl", "tab\t.gpl", "\x1f#.gpl", os.fsdecode(b"\xff.gpl"), " .gpl"])
def test_files_of_any_name_can_be_read_again(name, tmp_path):
    Palette(COLORS).save(tmp_path / name)
    assert list(Palette.read(tmp_path / name)) == COLORS


def test_names_in_any_encoding(tmp_path):
    for encoding in ("utf-8", "latin-1", "cp1252"):
        (tmp_path / "a.gpl").write_bytes((GIMP + "1 2 3\tCafé crème\n").encode(encoding))
        assert list(Palette.read(tmp_path / "a.gpl")) == [(1, 2, 3)]


# What is wrong

JASC = "JASC-PAL\n0100\n"
MALFORMED = [
    ("a.gpl", "", "first line must be 'GIMP Palette'"),
    ("a.gpl", "GIMP\n1 2 3\n", "first line must be 'GIMP Palette'"),
    ("a.gpl", GIMP, "there is no colour in it"),
    ("a.gpl", GIMP + "1 2 3\n1 2\n", "line 7 must begin with three numbers from 0 to 255; it is '1 2'"),
    ("a.gpl", GIMP + "1 2 256\n", "line 6 must begin with three numbers from 0 to 255; it is '1 2 256'"),
    ("a.gpl", GIMP + "-1 2 3\n", "line 6 .* '-1 2 3'"),
    ("a.gpl", GIMP + "red\n", "line 6 .* 'red'"),
    ("a.gpl", GIMP + "1 2 3.5\n", "line 6 .* '1 2 3.5'"),
    ("a.gpl", GIMP + "1 2 3x\n", "line 6 .* '1 2 3x'"),
    ("a.hex", "", "there is no colour in it"),
    ("a.hex", "ff0010\n\n00000\n", "line 3: a colour is written"),
    ("a.hex", "ff0010\nred\n", "line 2: .*got 'red'"),
    ("a.hex", "ff0010 Red\n", "line 1: .*got 'ff0010 Red'"),
    ("a.pal", "", "must begin with the lines 'JASC-PAL' and '0100'"),
    ("a.pal", "RIFF....PAL data", "must begin with the lines 'JASC-PAL' and '0100'"),
    ("a.pal", "JASC-PAL\n0200\n1\n1 2 3\n", "must begin with the lines"),
    ("a.pal", JASC + "2\n1 2 3\n", "third line says how many colours follow, 1; it is '2'"),
    ("a.pal", JASC + "many\n1 2 3\n", "third line says how many colours follow, 1; it is 'many'"),
    ("a.pal", JASC + "0\n", "there is no colour in it"),
    ("a.pal", JASC + "1\n1 2\n", "line 4 must begin with three numbers"),
    ("a.pal", JASC + "1\n1 2 3 256\n", "line 4 must begin with three numbers from 0 to 255"),
    ("a.json", "", "Expecting value: line 1"),
    ("a.json", '["#ff0010"', "line 1"),
    ("a.json", "[]", "there is no colour in it"),
    ("a.json", "3", 'must be a list of colours, or have one named "palette" or "colors"'),
    ("a.json", '{"swatches": []}', 'must be a list of colours, or have one named "palette" or "colors"'),
    ("a.json", '["#fff", "blue"]', "colour 1: .*got 'blue'"),
    ("a.json", "[[1, 2, 3], [1, 2]]", r"colour 1 must be a string or a list of three or four levels; it is \[1, 2\]"),
    ("a.json", '[[1, 2, "3"]]', "colour 0 must be"),
    ("a.json", "[[1, 2, true]]", "colour 0 must be"),
    ("a.json", "[" * 100_000, "recursion"),
    ("a.json", "[null]", "colour 0 must be .* it is None"),
    ("a.json", "[[0, 0, 0], [1, 2, 256]]", "from 0 to 255"),
    ("a.json", "[[0, 0, -1]]", "from 0 to 255"),
    ("a.json", "[[0, 0, NaN]]", "NaN"),
    ("a.css", "", "there is no colour in it"),
    ("a.css", "p { color: #fff }", "there is no colour in it"),
    ("a.css", ":root { --a: 3px; --b: var(--c); --c: 'red'; }", "there is no colour in it"),
]


@pytest.mark.parametrize(("name", "text", "message"), MALFORMED)
def test_malformed_files(name, text, message, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    kind = re.escape(f"{str(path)!r} is not a palette of its kind ({path.suffix}): ")
    with pytest.raises(ValueError, match=f"^{kind}.*{message}"):
        Palette.read(path)


def test_too_many_colours(tmp_path):
    (tmp_path / "a.hex").write_text("000000\n" * 65_537)
    with pytest.raises(ValueError, match="1 to 65,536 colours"):
        Palette.read(tmp_path / "a.hex")


def test_files_that_are_not_there(tmp_path):
    for name in ("a.gpl", "a.png", "a"):
        with pytest.raises(FileNotFoundError):
            Palette.read(tmp_path / name)
    (tmp_path / "text.txt").write_text("no palette")
    with pytest.raises(OSError, match=r"text\.txt' is not a picture in a format that Pillow can read"):
        Palette.read(tmp_path / "text.txt")


# Of indexed pictures


@pytest.mark.parametrize("k", [1, 2, 3, 4, 16, 17, 200, 256])
def test_of_an_indexed_png_all_colours_in_their_order(k, tmp_path, rng):
    picture = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    q = quantize(picture, k)
    q.save(tmp_path / "q.png")
    assert Palette.read(tmp_path / "q.png") == q.palette
    q.save(tmp_path / "q.gif")
    assert Palette.read(tmp_path / "q.gif") == q.palette
    for kind in ("bmp", "tif"):
        q.image.save(tmp_path / f"q.{kind}")
        assert Palette.read(tmp_path / f"q.{kind}") == q.palette


@pytest.mark.parametrize("k", [2, 5, 60])
def test_of_one_with_alpha(k, tmp_path, rng):
    picture = rng.integers(0, 256, (20, 30, 4)).astype(np.uint8)
    picture[:4, :, 3] = 0
    q = quantize(picture, k)
    q.save(tmp_path / "q.png")
    assert Palette.read(tmp_path / "q.png") == q.palette
    picture[4:, :, 3] = 255
    q = quantize(picture, k)
    for name in ("q.png", "q.gif"):
        q.save(tmp_path / name)
        assert Palette.read(tmp_path / name) == q.palette


def test_of_a_png_the_entries_too_that_no_pixel_uses(tmp_path):
    image = Image.new("P", (4, 4))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "p.png", transparency=b"\xff\x07")
    assert list(Palette.read(tmp_path / "p.png")) == [(10, 20, 30, 255), (40, 50, 60, 7), (70, 80, 90, 255)]


@pytest.mark.parametrize("kind", ["gif", "bmp"])
def test_of_greys(kind, tmp_path):
    """Which Pillow opens as if they were not indexed."""
    Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20)).save(tmp_path / f"greys.{kind}")
    assert list(Palette.read(tmp_path / f"greys.{kind}")) == [(level,) * 3 for level in range(200)]
    Image.new("1", (3, 3)).save(tmp_path / "black.bmp")
    assert Palette.read(tmp_path / "black.bmp").hex == ["#000000", "#ffffff"]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "1"])
def test_of_pictures_that_have_none(mode, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(made.saved(Image.new(mode, (3, 3))))
    with pytest.raises(ValueError, match=rf"picture\.png' is not indexed \(its mode is {mode}\)"):
        Palette.read(path)


def test_names_that_pillow_has_read_before(tmp_path):
    """It keeps them as numbers."""
    ImageColor.getrgb("tomato")
    (tmp_path / "a.css").write_text(":root { --a: tomato }")
    assert list(Palette.read(tmp_path / "a.css")) == [(255, 99, 71)]


def test_a_transparent_colour_beyond_those_in_use(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8), mode="P")
    image.putpalette([1, 2, 3, 4, 5, 6, 7, 8, 9])
    image.save(tmp_path / "a.gif", transparency=1)
    data = (tmp_path / "a.gif").read_bytes()
    at = data.index(b"\x21\xf9\x04") + 6
    assert data[at] == 1
    (tmp_path / "a.gif").write_bytes(data[:at] + b"\xc8" + data[at + 1 :])
    with Image.open(tmp_path / "a.gif") as saved:
        assert saved.info["transparency"] == 200
    assert list(Palette.read(tmp_path / "a.gif"))[:2] == [(1, 2, 3), (4, 5, 6)]
