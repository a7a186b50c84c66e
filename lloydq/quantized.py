"""Quantized: a picture in the colours of a palette, what that cost, and its files."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from . import checks, metrics, swatches
from .image import FORMATS, MOST, Picture, encode, indexed, png, write
from .lloyd import Array
from .palette import Palette

if TYPE_CHECKING:
    from PIL.Image import Image


class Tried(NamedTuple):
    """One number of colours that was tried for a target, and what it gave: None for what was not asked for."""

    n_colors: int
    mse: float
    psnr: float
    delta_e: float | None
    n_bytes: int | None
    met: bool


@dataclass(frozen=True, eq=False)
class Quantized:
    """A picture in the colours of a palette.

    Attributes
    ----------
    indices : (H, W) uint8 array, or uint16 for more than 256 colours
        The position in the palette of each pixel's nearest colour, or of the one that dithering gave it.
    palette : Palette
        Its `counts` say how many pixels have each colour.
    mse : float
        Mean over the pixels of the squared distance to the original, summed over R, G and B (M. E. Celebi, 2009); of
        pictures with alpha the mean of that on black and that on white.
    psnr : float
        10 log₁₀(255² / mean over pixels and channels) in dB; infinite where nothing changed.
    delta_e : DeltaE
        ΔE2000: mean and 95th percentile (needs scikit-image, the extra `metrics`; computed when first read).
    n_bytes : int
        Size of the PNG file without metadata (made when first read).
    n_iter : int
        Iterations of Lloyd's algorithm; 0 where the palette was given or holds every colour.
    converged : bool
        Whether the fit ended because no label changed, or the picture has so few colours that all are kept. False for a
        given palette.
    stop_reason : str
        "converged", "tol", "max_iter", "cycle", "callback"; "few colors" where the picture has no more than asked for
        and all are kept exactly; "given" for a given palette.
    n_distinct : int
        Distinct colours of the original.
    curve : tuple of Tried
        For n_colors="auto": every number of colours that was tried, fewest first.
    picture : Picture
        The original: its `pixels` (H, W, 3) or (H, W, 4) in sRGB, and `notes` on what reading it took.
    timings : dict of str to float
        Seconds: "read", "count" (distinct colours), "seed", "fit", "map" (nearest colour of every pixel). The first
        call of a process also loads or compiles the kernels in them.
    """

    indices: Array
    palette: Palette
    mse: float
    n_iter: int
    converged: bool
    stop_reason: str
    n_distinct: int
    timings: dict[str, float]
    picture: Picture
    curve: Sequence[Tried] = ()

    @property
    def psnr(self) -> float:
        """In dB, from the mean over pixels and channels."""
        return metrics.psnr(self.mse)

    @cached_property
    def delta_e(self) -> metrics.DeltaE:
        """ΔE2000: the mean over pixels and the 95th percentile."""
        original = self.picture.pixels.reshape(-1, self.picture.pixels.shape[2])
        return metrics.delta_e(*metrics.pairs(original, self.palette.colors[self.indices.ravel()]))

    @property
    def pixels(self) -> Array:
        """The picture's pixels: (H, W, 3) uint8, or (H, W, 4) with alpha."""
        return np.asarray(self.palette.colors[self.indices])

    @property
    def image(self) -> "Image":
        """A Pillow image in mode "P" whose palette has exactly these colours; ValueError for more than 256."""
        return indexed(self.indices, self.palette.colors)

    @cached_property
    def png(self) -> bytes:
        """The picture as an indexed PNG file without metadata, of 1, 2, 4 or 8 bits a pixel as the palette needs."""
        return self.encode("PNG", strip=True)

    @property
    def n_bytes(self) -> int:
        """Size of the PNG file without metadata."""
        return len(self.png)

    def encode(self, format: str = "PNG", *, strip: bool = False) -> bytes:  # noqa: A002 - Pillow's word
        """The bytes of a file: "PNG" or "GIF". Its metadata go with it, unless `strip`; its profile never does.

        Raises
        ------
        ValueError
            For more than 256 colours, and other formats.

        Warns
        -----
        UserWarning
            For translucent colours in a GIF, which has none: alpha is cut at one half.
        """
        given: Any = format
        kind = checks.one_of(given.upper() if isinstance(given, str) else given, "format", FORMATS.values())
        if strip and kind == "PNG" and "png" in self.__dict__:
            return self.png
        return encode(self.indices, self.palette.colors, kind, {} if strip else self.picture.metadata)

    def save(
        self,
        file: str | os.PathLike[str] | BinaryIO,
        *,
        format: str | None = None,  # noqa: A002
        strip: bool = False,
        overwrite: bool = True,
    ) -> None:
        """Write an indexed PNG or GIF. At a path it appears whole or not at all.

        Parameters
        ----------
        file : path, or file open for writing bytes
        format : "PNG" or "GIF", optional
            By the end of the path, or PNG, if left out.
        strip : bool, default False
            Leave out EXIF, XMP, resolution and texts. The orientation was applied, and the profile is never written:
            the colours are sRGB.
        overwrite : bool, default True

        Raises
        ------
        ValueError
            If the path ends neither in ".png" nor in ".gif" and there is no `format`; for more than 256 colours.
        FileExistsError
            If the file is there and `overwrite` is False.
        """
        if not isinstance(file, str | os.PathLike):
            file.write(self.encode(format or "PNG", strip=strip))
            return
        if format is None and (format := FORMATS.get(Path(file).suffix.lower())) is None:  # noqa: A001
            kinds = " or ".join(FORMATS)
            raise ValueError(f"the picture is written to a name that ends in {kinds}; got {os.fspath(file)!r}")
        write(file, self.encode(format, strip=strip), overwrite=overwrite)

    def __repr__(self) -> str:
        height, width = self.indices.shape
        return (
            f"<Quantized {width}×{height}, {self.n_distinct:,} → {_colors(len(self.palette))}, MSE {self.mse:.2f}, "
            f"PSNR {self.psnr:.2f} dB, {self.n_iter} iterations, {self.stop_reason}>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """For notebooks."""
        return {"text/plain": repr(self), "text/html": self._html()}

    def _html(self) -> str:
        """The picture, its palette, and a table of numbers."""
        height, width = self.indices.shape
        rows = {
            "size": f"{width} × {height}",
            "colours": f"{self.n_distinct:,} → {len(self.palette):,}",
            "MSE": f"{self.mse:.2f}",
            "PSNR": f"{self.psnr:.2f} dB",
            "iterations": f"{self.n_iter:,} ({self.stop_reason})",
        }
        if len(self.palette) <= MOST:
            rows["PNG"], data = f"{self.n_bytes:,} bytes", self.png
        else:
            from PIL import Image

            data = png(Image.fromarray(self.pixels))
        alt = f"The picture in {_colors(len(self.palette))}"
        source = f"data:image/png;base64,{base64.b64encode(data).decode()}"
        picture = f'<img alt="{alt}" style="max-width:100%" src="{source}"/>'
        cells = "".join(f'<tr><th scope="row">{name}</th><td>{text}</td></tr>' for name, text in rows.items())
        palette = swatches.svg(self.palette.colors, self.palette.hex)
        return f"<div>{picture}<div>{palette}</div><table>{cells}</table></div>"


def _colors(k: int) -> str:
    return f"{k:,} colour{'s' * (k != 1)}"
