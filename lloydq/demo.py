"""The story of `lloydq demo`: one photograph, 64 colours, five palettes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import as_file, files
from pathlib import Path

from . import compare
from .image import load, png, write
from .lloyd import Step

PHOTO = files(__package__) / "data" / "dandelion.jpg"
K = 64


def tell(
    folder: Path,
    *,
    rng: int = 0,
    n_threads: int | None = None,
    callback: Callable[[Step], object] | None = None,
    verify: bool = False,
) -> Iterator[str]:
    """Lines to print, while pictures are made and written into the folder, over those of an earlier demo."""
    from PIL import Image

    folder.mkdir(exist_ok=True)
    with as_file(PHOTO) as path:  # also where this package is a zip
        photo = load(path)
    height, width, _ = photo.pixels.shape
    with ThreadPoolExecutor(2) as aside:  # encoding a PNG takes longer than most fits
        whole = aside.submit(png, Image.fromarray(photo.pixels))
        yield f"{PHOTO.name}, a photograph by Clemens Engelhardt (CC0)"
        yield f"  shape            {photo.pixels.shape}: rows, columns, channels; uint8"
        yield f"  pixels           {height * width:,}"
        yield f"  in memory        {photo.pixels.nbytes:,} bytes ({photo.pixels.nbytes / 1e6:.2f} MB)"
        yield f"  as JPEG          {photo.n_bytes:,} bytes"
        panels, encoded = [], []
        for panel in compare.ways(photo, K, rng=rng, n_threads=n_threads, callback=callback, verify=verify):
            panels.append(panel)
            encoded.append(aside.submit(lambda panel: panel.png, panel))
        sheet = aside.submit(lambda: png(compare.picture(photo, panels), effort=1))
        yield f"  as 24-bit PNG    {len(whole.result()):,} bytes"
        yield f"  distinct colours {len(panels[0].original.distinct.colors):,}"
        yield f"\nThe same picture in {K} colours, the palette found in five ways:\n"
        files = {f"{panel.name}.png": future.result() for panel, future in zip(panels, encoded, strict=True)}
        yield compare.table([compare.row(panel) for panel in panels])
        yield (
            "\nfind: time to find the palette. map: time to give every pixel its nearest colour. all: both, and to\n"
            "count the distinct colours first. MSE: mean over the pixels of the squared distance, summed over R, G\n"
            "and B. PSNR: from the mean over pixels and channels. colours: distinct ones in the palette.\n"
            "iterations: until no pixel changed its colour."
        )
        files |= {"original.png": whole.result(), "comparison.png": sheet.result()}
    for name, data in files.items():
        write(folder / name, data, overwrite=True)
    yield f"\nWrote {len(files)} pictures to {folder}/. Look at {folder / 'comparison.png'} first."
