"""Pictures of extreme sizes: a result within a stated memory, or a clear error."""

import io
import os
import struct
import subprocess
import sys
import textwrap
import zlib

import made
import numpy as np
import pytest
from called import call
from PIL import Image

import lloydq

LONG = bool(os.environ.get("LLOYDQ_LONG"))
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak of memory")
MIB = 1 << 20


def empty_png(width, height, depth, color_type, palette=b""):
    """All zeros; rows are packed one by one, so that the file may stand for more than fits into memory."""
    row = bytes(1 + -(-width * depth * made.CHANNELS[color_type] // 8))
    packer, data = zlib.compressobj(9), io.BytesIO()
    for _ in range(height):
        data.write(packer.compress(row))
    data.write(packer.flush())
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    parts = [(b"IHDR", header), *([(b"PLTE", palette)] if palette else []), (b"IDAT", data.getvalue()), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(made.chunk(*part) for part in parts)


def peak_of(path, *words):
    """Bytes that the process took at its peak above what it had when all was loaded, and what it printed."""
    code = """
        import re, sys
        from pathlib import Path
        from PIL import Image
        import numpy as np, lloydq
        Image.MAX_IMAGE_PIXELS = None
        lloydq.quantize(np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8), 9)
        def bytes_of(key):
            return int(re.search(key + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
        Path("/proc/self/clear_refs").write_text("5")
        before = bytes_of("VmRSS")
        q = lloydq.quantize(sys.argv[1], 16, max_iter=3)
        print(bytes_of("VmHWM") - before, len(q.palette), q.indices.shape)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), str(path), *words],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    peak, told = done.stdout.split(maxsplit=1)
    return int(peak), told.strip()


@pytest.mark.parametrize("shape", [(1, 100_000), (100_000, 1)])
def test_long_and_thin(shape, rng, tmp_path):
    pixels = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    q = lloydq.quantize(pixels, 9, dither="floyd-steinberg")
    q.save(tmp_path / "thin.png")
    with Image.open(tmp_path / "thin.png") as saved:
        assert saved.size == shape[::-1]


@pytest.mark.parametrize(("depth", "color_type"), [(1, 0), (1, 3), (8, 3), (8, 2)])
def test_what_is_too_large_is_refused_before_it_is_read(depth, color_type, tmp_path, capsys):
    """30,000 × 30,000 from a file of few bytes."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, depth, color_type, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + made.chunk(b"IHDR", header)
    data += (made.chunk(b"PLTE", bytes(6)) if color_type == 3 else b"") + made.chunk(b"IDAT", zlib.compress(bytes(9)))
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(OSError, match="too large: it has 900,000,000 pixels"):
        lloydq.quantize(tmp_path / "bomb.png", 4)
    assert call(str(tmp_path / "bomb.png"), "-k", "4") == 1
    assert "--max-pixels" in capsys.readouterr().err


def test_the_limit_can_be_lowered_and_raised(tmp_path, rng, capsys):
    path, limit = tmp_path / "a.png", Image.MAX_IMAGE_PIXELS
    Image.fromarray(rng.integers(0, 256, (10, 11, 3)).astype(np.uint8)).save(path)
    assert call(str(path), "-k", "4", "--max-pixels", "109") == 1
    assert "it has 110 pixels, and Pillow reads no more than 109" in capsys.readouterr().err
    assert call(str(path), "-k", "4", "--max-pixels", "110") == 0
    assert limit == Image.MAX_IMAGE_PIXELS


@LINUX
@pytest.mark.parametrize("kind", ["noise", "flat", "one bit", "palette"])
def test_memory_is_what_is_stated(kind, tmp_path, rng):
    """`quantize` says: so many bytes a pixel of the picture, a distinct colour, and at most so many besides."""
    side = 10_000 if LONG else 2_500
    path, n = tmp_path / "large.png", side * side
    if kind == "noise":
        Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).save(path, compress_level=0)
        distinct = min(n, 1 << 24)
    else:
        form = {"flat": (8, 2), "one bit": (1, 0), "palette": (8, 3)}[kind]
        path.write_bytes(empty_png(side, side, *form, palette=bytes(6) if kind == "palette" else b""))
        distinct = 1
    peak, told = peak_of(path)
    assert told == f"{min(distinct, 16)} ({side}, {side})"
    assert peak < path.stat().st_size + 12 * n + 60 * distinct + 120 * MIB, f"{peak / n:.1f} bytes a pixel"
