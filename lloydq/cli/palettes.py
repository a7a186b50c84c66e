"""lloydq palette: the colours of a picture or of a palette file."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import checked, sourced
from .progress import Progress
from .quantizing import notice_compilation
from .words import curve, named, say, tell_notes

if TYPE_CHECKING:
    from ..palette import Palette
FEW = 8  # colours that are shown


def show_palette(options: argparse.Namespace) -> None:
    """Print swatches, and write a palette file."""
    from .. import palettefiles

    target = None if options.output is None else checked(Path(options.output), palettefiles.KINDS, options.force)
    from_file = Path(options.picture).suffix.lower() in palettefiles.KINDS
    palette = _read(options) if from_file else _found(options)
    if options.sort:
        palette = palette.sorted(options.sort)
    if options.json:
        print(json.dumps(_facts(options.picture, palette), indent=2))
    else:
        from ..swatches import lines

        print("\n".join(lines(palette.colors, palette.hex, palette.shares, in_colour=_in_colour())))
    if target is not None:
        palette.save(target, overwrite=options.force)
        if not options.quiet:
            say(f"wrote {target}")


def _read(options: argparse.Namespace) -> "Palette":
    from ..palette import Palette

    return Palette.read(options.picture)


def _found(options: argparse.Namespace) -> "Palette":
    from ..image import load
    from ..quantizer import quantize

    picture = load(sourced(options.picture), alpha=options.alpha, frame=options.frame)
    k = options.k or min(FEW, picture.pixels.shape[0] * picture.pixels.shape[1])
    notice_compilation(options.quiet)
    progress = Progress(options.quiet)
    try:
        q = quantize(
            picture, k, target=options.target, lock=options.lock, space=options.space, weights=options.weights,
            sample=options.sample, init=options.init, n_init=options.restarts, tol=options.tol,
            max_iter=options.max_iter, rng=options.seed, n_threads=options.threads, callback=progress,
            verify=options.verify,
        )  # fmt: skip
    except ValueError as error:
        raise named(options.picture, error) from error
    finally:
        progress.clear()
    tell_notes(options, picture)
    if q.curve and not options.quiet:
        say(curve(options.picture, options.target, q))
    return q.palette.sorted("frequency")


def _facts(name: str, palette: "Palette") -> dict[str, Any]:
    shares = palette.shares
    return {
        "input": name,
        "n_colors": len(palette),
        "palette": palette.hex,
        "shares": None if shares is None else shares.tolist(),
    }


def _in_colour() -> bool:
    """Whether stdout is a terminal that shows 24-bit colours, and may (https://no-color.org)."""
    if sys.stdout is None or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return False
    return os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
