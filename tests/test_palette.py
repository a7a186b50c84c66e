"""Palette."""

import numpy as np
import pytest

from lloydq import Palette


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
    "colors", [np.zeros((0, 3)), np.zeros((257, 3)), np.zeros((4, 4)), [[0, 0, 256]], [[-1, 0, 0]], [[np.nan] * 3]]
)
def test_what_is_not_a_palette(colors):
    with pytest.raises(ValueError, match="palette"):
        Palette(colors)
