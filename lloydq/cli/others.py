"""The other commands: compare, steps, demo, info, warmup."""

import argparse
import time
from pathlib import Path
from typing import Any

from .. import __version__
from .files import beside, sourced
from .progress import Progress
from .quantizing import notice_compilation
from .words import STOPPED, named, say, tell_notes

COMPARED, WALKED = 64, 8  # colours or clusters, if there are as many pixels or points


def compare(options: argparse.Namespace) -> None:
    from .. import compare as rows
    from ..image import load, png, write

    photo = load(sourced(options.picture), frame=options.frame)
    k = options.k or min(COMPARED, photo.pixels[..., 0].size)
    target = beside(options.picture, options.output, f"compare-{k}", (".png",), options.force)
    tell_notes(options, photo)
    notice_compilation(options.quiet)
    others = rows.theirs(photo, options.rivals, k)
    progress = Progress(options.quiet)
    try:
        how = {
            "rng": options.seed, "n_threads": options.threads, "callback": progress, "verify": options.verify,
        }  # fmt: skip
        panels = list(rows.ways(photo, k, **how))
    except ValueError as error:
        raise named(options.picture, error) from error
    finally:
        progress.clear()
    if options.rivals and not options.quiet:
        say(f"comparing with {', '.join(options.rivals)}: this may take some seconds")
    panels += others
    write(target, png(rows.picture(photo, panels)), overwrite=options.force)
    print(rows.table([rows.row(panel, delta_e=bool(options.rivals)) for panel in panels]))
    if not options.quiet:
        say(f"wrote {target}")


def steps(options: argparse.Namespace) -> None:
    from .. import walk
    from ..image import load, png, write

    source = Path(options.picture)
    target = beside(options.picture, options.output, "steps", (".html", ".gif", ".png"), options.force)
    data: Any
    if source.suffix.lower() in (".csv", ".tsv", ".txt"):
        data = walk.read_points(source)
        many = len(data)
    else:
        data = load(sourced(options.picture), frame=options.frame)
        many = data.pixels[..., 0].size
        tell_notes(options, data)
    notice_compilation(options.quiet)
    progress = Progress(options.quiet)
    try:
        found = walk.record(
            data, options.k or min(WALKED, many), init=options.init, rng=options.seed, tol=options.tol,
            max_iter=options.max_iter, n_threads=options.threads, callback=progress, verify=options.verify,
        )  # fmt: skip
    except ValueError as error:
        raise named(options.picture, error) from error
    finally:
        progress.clear()
    kind = target.suffix.lower()
    if kind == ".html":
        made = walk.Page(found).html.encode()
    else:
        made = walk.animation(found) if kind == ".gif" else png(walk.contact_sheet(found))
    write(target, made, overwrite=options.force)
    if not options.quiet:
        reason = STOPPED[found.frames[-1].stop_reason or ""]
        say(f"{target}: {len(found.frames):,} iterations ({reason}), {len(made):,} bytes")


def demo(options: argparse.Namespace) -> None:
    from ..demo import tell

    progress = Progress(options.quiet)
    try:
        for i, line in enumerate(
            tell(
                Path("lloydq-demo"),
                rng=options.seed,
                n_threads=options.threads,
                callback=progress,
                verify=options.verify,
            )
        ):
            progress.clear()
            print(line, flush=True)
            if i == 0:  # a picture is being encoded meanwhile
                notice_compilation(options.quiet)
    finally:
        progress.clear()


def info(_: argparse.Namespace) -> None:
    import platform

    import numba
    import numpy as np
    import PIL

    from .. import kernels, pool

    print(f"lloydq     {__version__}")
    print(f"Python     {platform.python_version()} on {platform.system()} {platform.machine()}")
    print(f"NumPy      {np.__version__}")
    print(f"Numba      {numba.__version__}")
    print(f"Pillow     {PIL.__version__}")
    print(f"threads    {pool.available()} (processors that this process may use)")
    print(f"cache      {kernels.cache_folder() or 'none: no folder can be written'}")
    print(f"compiled   {kernels.cached()} of {len(kernels.ALL)} kernels")


def warmup(_: argparse.Namespace) -> None:
    from .. import kernels

    start = time.perf_counter()
    kernels.compile_all()
    say(f"{len(kernels.ALL)} kernels ready after {time.perf_counter() - start:.1f} s")
