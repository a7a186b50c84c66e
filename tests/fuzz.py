"""Mutated pictures, palette files and command lines: each gives a result, or an error that is told.

`python tests/fuzz.py [EXECUTIONS] [SEED]`. What breaks is left in tests/found, where `test_fuzz` tries it again from
then on. A fuzzer of one's own: atheris watches which branches a mutation reaches, but those that matter here are in
Pillow's readers, which are compiled; and it does not come for every Python.
"""

import contextlib
import faulthandler
import io
import os
import random
import resource
import sys
import tempfile
import traceback
import warnings
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image, features
from PIL.PngImagePlugin import PngInfo
from rare_pictures import rare_pictures

import lloydq
from lloydq import Palette, cli
from lloydq.walk import read_points

FOUND = Path(__file__).parent / "found"
TOLD = OSError, ValueError, TypeError  # errors that say what is wrong with the input
UNFINISHED = f"unfinished-{os.getpid()}"
PATIENCE = 20  # s for one execution
LARGEST = 1 << 23  # pixels of a picture: damaged sizes ask for more, which takes time and shows nothing
GROWTH = 256 << 20  # bytes that the process may gain, once warm


def pictures():
    """A small file of every format that Pillow writes, in the modes that it takes."""
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (9, 13, 4), np.uint8))
    grey16 = Image.fromarray(rng.integers(0, 65536, (9, 13)).astype(np.uint16))
    Image.init()
    for name in sorted(Image.SAVE):
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"):
            image = (
                grey16 if mode == "I;16" else noise.convert("L").convert("F") if mode == "F" else noise.convert(mode)
            )
            file = io.BytesIO()
            with contextlib.suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image.save(file, name)
                Image.open(io.BytesIO(file.getvalue())).load()
                yield file.getvalue()
    for name in ("GIF", "PNG", "TIFF", *(["WEBP"] if features.check("webp") else [])):
        file = io.BytesIO()
        noise.save(file, name, save_all=True, append_images=[noise.rotate(90)])
        yield file.getvalue()
    exif = Image.Exif()
    exif[0x0112] = 6
    noise.convert("RGB").save(file := io.BytesIO(), "JPEG", exif=exif, icc_profile=b"none", comment=b"hello")
    yield file.getvalue()
    chunks = PngInfo()
    chunks.add_itxt("Author", "José 蒲公英", zip=True)
    chunks.add_text("Comment", "naïve", zip=True)
    chunks.add_itxt("XML:com.adobe.xmp", "<x/>")
    noise.save(file := io.BytesIO(), "PNG", pnginfo=chunks, exif=exif, dpi=(72, 72))
    yield file.getvalue()
    yield from rare_pictures()


def kind_of(data):
    """Format and mode of a picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of formats that Pillow will leave out
        with Image.open(io.BytesIO(data)) as image:
            return image.format.upper(), image.mode


PALETTES = {
    ".gpl": b"GIMP Palette\nName: a\nColumns: 4\n# c\n255 0 0\tRed\n  0 255   0 Green\n",
    ".hex": b"ff0000\n00ff00\n0000ff80\n",
    ".pal": b"JASC-PAL\r\n0100\r\n2\r\n255 0 0\r\n0 255 0\r\n",
    ".json": b'["#ff0000", [0, 255, 0], {"hex": "#0000ff"}]',
    ".css": b":root { --a: #ff0000; --b: rgb(0 255 0 / 50%); }\n",
}
KINDS = [*PALETTES, ".png"]  # the last are indexed pictures of any format
POINTS = b"x,y\n0, 1\n-2.5e3, 4\n5, 6\n", b"1\t2\n3\t4\n", b"# c\n1 2\n3 4\n"
WORDS = [
    "-k", "1", "4", "256", "257", "0", "-1", "auto", "--psnr", "30", "nan", "inf", "1e309", "--mse", "--delta-e", "2",
    "--max-bytes", "200", "--lock", "#ff0000", "#f00", "red", "--dither", "floyd-steinberg", "bayer", "blue-noise",
    "none", "--alpha", "drop", "keep", "#ffffff", "--frame", "9", "--palette", "p.gpl", "a.png", "b.gif", "-",
    "missing",
    "-o", "out.png", "out.gif", "out.gpl", "--output-dir", "folder", "--force", "--shared", "--seed", "--threads", "2",
    "--init", "random", "k-means++", "--tol", "0.1", "--max-iter", "3", "-q", "--json", "--space", "oklab", "rgb",
    "--strip", "--debug", "--verify", "--strength", "0.5", "palette", "compare", "steps", "info", "--sort", "luminance",
    "--with", "octree", "--sample", "100", "", "\0", "ü", "*.png", "--",
    "--weights", "-h", "--version", "--ext", "-x.png",
    "--format", "png", "gif", "--jobs", "--max-pixels", "50", "9" * 400, "--restarts", "--skip-if-larger", "-v", ".",
]  # fmt: skip


def mutated(rng, seeds):
    """Some bytes of one of them changed, left out, repeated, or taken from another."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1)
        much = rng.choice((1, 2, 4, 16, 64))
        kind = rng.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at : at + 1] = bytes([rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))])
        elif kind == 2:
            number = rng.choice((0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1))
            data[at : at + 4] = number.to_bytes(4, rng.choice(("big", "little")))
        elif kind == 3:
            del data[at : at + much]
        elif kind == 4:
            data[at:at] = data[at : at + much]
        else:
            other = rng.choice(seeds)
            start = rng.randrange(len(other))
            data[at : at + much] = other[start : start + much]
    return bytes(data)


def picture(data):
    """Read, fitted and written again, with what it says of itself."""
    coin = crc32(data)
    q = lloydq.quantize(data, 4, max_iter=3, n_threads=1, frame=1 if coin % 4 == 0 else None)
    q.encode("GIF" if coin % 8 > 5 else "PNG")


def palette(data):
    """The first byte says of what kind."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"palette{KINDS[data[0] % len(KINDS)] if data else '.gpl'}")
        path.write_bytes(data[1:])
        Palette.read(path)


def points(data):
    """As `lloydq steps` reads them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "points.csv")
        path.write_bytes(data)
        read_points(path)


def command(words):
    """No traceback, whatever it is; 0, 1 or 2."""
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())), contextlib.redirect_stderr(told):
            code = cli.main(words)
    except SystemExit as end:
        code = end.code
    assert code in (0, 1, 2, None), code
    if "Traceback" in told.getvalue() and "--debug" not in words:
        raise AssertionError(told.getvalue())


class Fuzzer:
    """Executions, what broke, and how memory grew."""

    def __init__(self, seed):
        self.rng, self.seed, self.count, self.broken, self.warm = random.Random(seed), seed, 0, [], None
        self.pictures = list(pictures())
        self.palettes = [bytes([i]) + text for i, text in enumerate(PALETTES.values())]
        last = bytes([len(PALETTES)])
        self.palettes += [last + data for data in self.pictures if kind_of(data)[1] in "1LP"]

    def once(self):
        """An execution; what it was given, if it broke."""
        kind = self.rng.randrange(20)
        if kind < 11:
            run, given = picture, mutated(self.rng, self.pictures)
        elif kind < 15:
            run, given = palette, mutated(self.rng, self.palettes)
        elif kind < 16:
            run, given = points, mutated(self.rng, POINTS)
        else:
            run, given = command, self.rng.choices(WORDS, k=self.rng.randrange(1, 7))
        self.count += 1
        keep(run, given, name=UNFINISHED)
        return attempt(run, given)

    def run(self, executions):
        """What ends the process leaves what it was given in tests/found, too."""
        faulthandler.enable()
        most, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, LARGEST // 2
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            Image.fromarray(np.random.default_rng(1).integers(0, 256, (9, 13, 3), np.uint8)).save("a.png")
            Image.new("P", (5, 5)).save("b.gif")
            Path("p.gpl").write_bytes(PALETTES[".gpl"])
            for i in range(executions):
                faulthandler.dump_traceback_later(PATIENCE, exit=True)
                if broken := self.once():
                    self.broken.append(broken)
                faulthandler.cancel_dump_traceback_later()
                if i == min(2000, executions // 2):
                    self.warm = resident()
        Image.MAX_IMAGE_PIXELS = most
        (FOUND / UNFINISHED).unlink(missing_ok=True)
        return self

    @property
    def growth(self):
        return resident() - self.warm


def attempt(run, given):
    """What it was given and the traceback, if it broke."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            run(given)
        except TOLD:
            return None
        except Exception:
            return run, given, traceback.format_exc()
    return None


def resident():
    """Bytes in memory now, or, where they are not told, at the peak."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmRSS:")[1].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def keep(run, given, name=None):
    """The input that broke something, as a file."""
    data = given if isinstance(given, bytes) else "\n".join(given).encode()
    FOUND.mkdir(exist_ok=True)
    path = FOUND / (name or f"{run.__name__}-{sha256(data).hexdigest()[:12]}")
    path.write_bytes(data if name is None else f"{run.__name__}\n".encode() + data)
    return path


def kept(path):
    """What such a file is for, and what it holds."""
    run = {one.__name__: one for one in (picture, palette, points, command)}[path.name.split("-")[0]]
    return run, path.read_text().split("\n") if run is command else path.read_bytes()


if __name__ == "__main__":
    executions, seed = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((1, 100_000), (2, 0)))
    fuzzer = Fuzzer(seed).run(executions)
    for run, given, told in fuzzer.broken:
        print(keep(run, given), told, sep="\n")
    print(f"{fuzzer.count:,} executions, {len(fuzzer.broken)} broke, {fuzzer.growth / 2**20:.0f} MiB more in memory")
    sys.exit(bool(fuzzer.broken) or fuzzer.growth > GROWTH)
