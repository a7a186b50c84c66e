"""Palette."""

import pickle
from copy import deepcopy

import numpy as np
import pytest

from lloydq import Palette, quantize


def test_a_palette_is_a_sequence_and_an_array():
    palette = Palette([[255, 0, 16], [1.4, 2.6, 3.0], [255, 0, 16]])
    assert (len(palette), palette.n_distinct) == (3, 2)
    assert list(palette) == [(255, 0, 16), (1, 3, 3), (255, 0, 16)]
    assert palette.hex == ["#ff0010", "#010303", "#ff0010"]
    assert np.asarray(palette).dtype == np.uint8
    assert np.asarray(palette, dtype=float).tolist() == [[255, 0, 16], [1, 3, 3], [255, 0, 16]]
    assert palette == Palette(palette)
    assert hash(palette) == hash(Palette(palette))
    assert palette != Palette([[0, 0, 0]])
    assert repr(palette) == "<Palette of 3: #ff0010 #010303 #ff0010>"
    assert repr(Palette(np.zeros((20, 3)))).endswith("…>")


def test_its_colours_cannot_be_changed():
    source = np.array([[1, 2, 3]], np.uint8)
    palette = Palette(source)
    with pytest.raises(ValueError, match="read-only"):
        palette.colors[0, 0] = 9
    source[0, 0] = 9
    assert palette[0] == (1, 2, 3)


@pytest.mark.parametrize(
    "colors",
    [
        np.zeros((0, 3)), np.zeros((65_537, 3)), np.zeros((4, 2)), np.zeros((4, 5)), np.zeros(3), [[0, 0, 256]],
        [[-1, 0, 0]], [[0, 0, 0, 300]], [[np.nan] * 3], [],
    ],
)  # fmt: skip
def test_what_is_not_a_palette(colors):
    with pytest.raises(ValueError, match="palette"):
        Palette(colors)


def test_colours_as_strings():
    assert list(Palette(["#ff0010", "0F0", "#abc", "ABCDEF"])) == [
        (255, 0, 16), (0, 255, 0), (170, 187, 204), (171, 205, 239),
    ]  # fmt: skip
    assert list(Palette("#fff")) == [(255, 255, 255)]
    assert list(Palette(["#ff0010", (1, 2, 3)])) == [(255, 0, 16), (1, 2, 3)]
    assert list(Palette(["#ff001080", (1, 2, 3), "#fff"])) == [(255, 0, 16, 128), (1, 2, 3, 255), (255, 255, 255, 255)]
    for wrong in (["red"], ["#ff"], ["#ff00100"], ["#gg0000"], [""], [None]):
        with pytest.raises((TypeError, ValueError)):
            Palette(wrong)


def test_alpha_is_kept_where_there_is_any():
    palette = Palette([[1, 2, 3, 255], [4, 5, 6, 7]])
    assert palette.hex == ["#010203", "#04050607"]
    assert list(palette) == [(1, 2, 3, 255), (4, 5, 6, 7)]
    assert Palette(palette.hex) == palette
    opaque = Palette([[1, 2, 3, 255]])
    assert opaque.colors.shape == (1, 3)
    assert opaque == Palette([[1, 2, 3]])
    assert opaque.colors.flags.c_contiguous
    assert len(Palette(np.zeros((65_536, 3)))) == 65_536


def test_counts_and_shares(rng):
    assert (Palette([[1, 2, 3]]).counts, Palette([[1, 2, 3]]).shares) == (None, None)
    palette = Palette([[1, 2, 3], [4, 5, 6]], [30, 10])
    assert palette.counts.tolist() == [30, 10]
    assert palette.shares.tolist() == [0.75, 0.25]
    assert Palette(palette).counts.tolist() == [30, 10]
    assert Palette([[1, 2, 3]], [0]).shares.tolist() == [0]
    with pytest.raises(ValueError, match=r"counts must have shape \(2,\), one for each colour; got \(3,\)"):
        Palette([[1, 2, 3], [4, 5, 6]], [1, 2, 3])
    q = quantize(rng.integers(0, 256, (20, 30, 3)).astype(np.uint8), 9)
    assert q.palette.counts.sum() == 600
    assert q.palette.shares.sum() == pytest.approx(1)


def test_sorted():
    names = {"white": "#ffffff", "blue": "#0000ff", "yellow": "#ffff00", "black": "#000000", "green": "#00ff00",
             "magenta": "#ff00ff", "grey": "#808080", "red": "#ff0000", "cyan": "#00ffff"}  # fmt: skip
    palette = Palette(list(names.values()), [5, 1, 9, 2, 9, 3, 4, 7, 6])
    assert palette.sorted().counts.tolist() == [9, 9, 7, 6, 5, 4, 3, 2, 1]
    assert palette.sorted("frequency").hex[:2] == [names["yellow"], names["green"]]  # equal ones as they were
    word = {color: name for name, color in names.items()}
    assert [word[color] for color in palette.sorted("luminance").hex] == [
        "black", "blue", "grey", "red", "magenta", "green", "cyan", "yellow", "white",
    ]  # fmt: skip
    assert [word[color] for color in palette.sorted("hue").hex] == [
        "black", "grey", "white", "red", "yellow", "green", "cyan", "blue", "magenta",
    ]  # fmt: skip
    for by in ("luminance", "hue"):
        found = palette.sorted(by)
        counts = dict(zip(palette.hex, palette.counts.tolist(), strict=True))
        assert [counts[color] for color in found.hex] == found.counts.tolist()
        assert found.sorted().counts.tolist() == palette.sorted().counts.tolist()
        assert Palette(["#00000080", "#ff000080"]).sorted(by).hex == ["#00000080", "#ff000080"]
    assert palette.hex[0] == "#ffffff"
    with pytest.raises(ValueError, match="how often each colour occurs is not known of this palette"):
        Palette(["#fff"]).sorted()
    with pytest.raises(TypeError, match="by must be one of 'frequency', 'luminance', 'hue'; got 'size'"):
        palette.sorted("size")


def test_copies_are_read_only_too():
    palette = Palette([[1, 2, 3], [4, 5, 6]], [7, 8])
    for copy in (pickle.loads(pickle.dumps(palette)), deepcopy(palette), Palette(palette)):
        assert copy == palette
        assert copy.counts.tolist() == [7, 8]
        with pytest.raises(ValueError, match="read-only"):
            copy.colors[0] = 9


def test_counts_stay_what_they_were():
    counts = np.array([3, 4])
    palette = Palette([[1, 2, 3], [4, 5, 6]], counts)
    counts[0] = 9
    assert palette.counts.tolist() == [3, 4]
    assert Palette([[1, 2, 3]], [2.0]).counts.tolist() == [2]


@pytest.mark.parametrize("counts", [[-1, 2], [0.9, 2], [np.nan, 1], [2.0**63, 1], ["1", "2"]])
def test_counts_are_whole_numbers(counts):
    with pytest.raises(TypeError, match="counts must be whole numbers from 0 on"):
        Palette([[1, 2, 3], [4, 5, 6]], counts)


@pytest.mark.parametrize(
    "colors", [["#fff", (1, 2)], ["#fff", ()], ["#fff", 7], ["#fff", (1, 2, 3, 4, 5)], [(1, 2), "#fff"]]
)
def test_a_colour_has_three_or_four_numbers(colors):
    i = 1 - colors.index("#fff")
    with pytest.raises(TypeError, match=f"colour {i} must be a string or three or four numbers; got "):
        Palette(colors)
