"""Palettes and pictures as notebooks show them: small, valid, with words for those who do not see them."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from lloydq import Palette, quantize
from lloydq.swatches import MOST, svg

SVG = "{http://www.w3.org/2000/svg}"
LIMIT = 4096


def drawn(html):
    """The colours that an SVG shows, in order, as "#rrggbb" or "#rrggbbaa"."""
    root = ET.fromstring(html)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    width, height = int(root.get("width")), int(root.get("height"))
    cells = root.findall(f"{SVG}rect")
    if cells:
        assert [int(cell.get("x")) for cell in cells] == list(range(0, width, height))
        assert all(cell.get("fill") == cell.find(f"{SVG}title").text for cell in cells)
        return [cell.get("fill") for cell in cells]
    (image,) = root.findall(f"{SVG}image")
    data = base64.b64decode(image.get("href").removeprefix("data:image/png;base64,"), validate=True)
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).reshape(-1, 4)
    assert int(image.get("width")) * 4 == width * 4 == pixels.shape[0] // (height // 10) * 10 * 4
    return pixels


@pytest.mark.parametrize("channels", [3, 4])
def test_swatches_are_small_and_valid_and_named(channels, rng):
    for k in (*range(1, 257, 1 if channels == 4 else 5), 256, 257, 300, MOST, MOST + 1, 1024, 65_536):
        palette = Palette(rng.integers(0, 255, (k, channels)))
        html = palette._repr_mimebundle_()["text/html"]
        assert len(html.encode()) < LIMIT
        shown, label = drawn(html), ET.fromstring(html).get("aria-label")
        if isinstance(shown, list):
            assert shown == palette.hex
        else:
            colors = np.pad(palette.colors, ((0, 0), (0, 4 - channels)), constant_values=255)[:MOST]
            np.testing.assert_array_equal(shown[: len(colors)], colors)
            assert (shown[len(colors) :] == 0).all()
        assert label.startswith(f"Palette of {k:,} colour")
        named = re.findall("#[0-9a-f]{6,8}", label)
        assert named == palette.hex[: len(named)]
        assert len(named) == k or (label.endswith(" …") and len(named) >= 16)


def test_one_colour_is_one():
    assert 'aria-label="Palette of 1 colour: #ff0000"' in svg(np.array([[255, 0, 0]], np.uint8), ["#ff0000"])


def test_the_text_of_a_palette():
    bundle = Palette(["#f00", "#00ff0080"])._repr_mimebundle_(include=None, exclude=None)
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == "<Palette of 2: #ff0000 #00ff0080>"


class Tags(HTMLParser):
    """Every tag is closed that was opened."""

    def __init__(self):
        super().__init__()
        self.open, self.images = [], []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))
        else:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("k", [2, 20, 24, 25, 256, 1024, 4096])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_picture_for_notebooks(channels, k, rng):
    picture = rng.integers(0, 256, (70, 80, channels)).astype(np.uint8)
    q = quantize(picture, k, max_iter=None, tol=0.1)
    bundle = q._repr_mimebundle_()
    assert bundle["text/plain"] == repr(q)
    html, tags = bundle["text/html"], Tags()
    tags.feed(html)
    assert not tags.open
    (image,) = tags.images
    assert image["alt"] == f"The picture in {k:,} colours"
    data = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
    shown = Image.open(io.BytesIO(data)).convert("RGB" if q.pixels.shape[2] == 3 else "RGBA")
    np.testing.assert_array_equal(np.asarray(shown), q.pixels)
    html = html.replace(image["src"], "")
    if k <= 256:
        assert data == q.png
        assert f"{q.n_bytes:,} bytes" in html
    assert len(html.encode()) < LIMIT
    for words in ("80 × 70", f"→ {k:,}", f"{q.mse:.2f}", f"{q.psnr:.2f} dB", q.stop_reason):
        assert words in html
    drawn(re.search("<svg.*</svg>", html).group())


def test_no_error_for_a_picture_that_is_kept_exactly():
    q = quantize(np.arange(100, dtype=np.uint8).reshape(10, 10), 100)
    assert "few colors" in q._repr_mimebundle_()["text/html"]
    assert "inf dB" in repr(q)
