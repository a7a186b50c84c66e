"""A picture from anywhere to pixels, and a picture to a file that is whole or not there."""

from .encoding import FORMATS, MOST, encode, indexed, png
from .reading import PAPER, Picture, flattened, load, load_palette, pixels
from .writing import write

__all__ = [
    "FORMATS", "MOST", "PAPER", "Picture", "encode", "flattened", "indexed", "load", "load_palette",
    "pixels", "png", "write",
]  # fmt: skip
