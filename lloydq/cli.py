"""The command line: arguments, progress, files, exit codes."""

import argparse
import io
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__

if TYPE_CHECKING:
    from .lloyd import Step
    from .quantized import Quantized

STOPPED = {
    "converged": "no label changed",
    "tol": "centroids moved less than --tol",
    "max_iter": "--max-iter reached",
    "cycle": "rounding made it go in circles",
    "few colors": "all colours kept exactly",
}

COMMANDS = """\
commands:
  lloydq PICTURE      write the picture in fewer colours, as described above
  lloydq compare      k-means beside random palettes: a table and a picture
  lloydq steps        a page that walks through the algorithm, on a picture or on points of your own
  lloydq demo         the whole story, on a photograph that comes with the package
  lloydq info         versions, threads, cache folder, compiled kernels
  lloydq warmup       compile now what is otherwise compiled on first use

A picture that is called like a command is reached as ./demo.
"""


class Failure(Exception):
    """Something a user can mend: said in one line, with exit code 1."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 for a file or data that cannot be handled, 2 for usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal of few characters is no reason to lose a result
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = words[0] if words and words[0] in RUN else ""
    options = PARSERS[command]().parse_args(words[1:] if command else words)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*max_iter")  # the summary says so
            warnings.showwarning = lambda message, *_, **__: _say(f"note: {message}")
            RUN[command](options)
    except BrokenPipeError:
        return 1
    except (Failure, OSError, ValueError, TypeError, MemoryError, RuntimeError) as error:
        if options.debug:
            traceback.print_exc()
        _say(f"error: {_reason(error)}")
        return 1
    except KeyboardInterrupt:
        _say("stopped")
        return 130
    return 0


def _say(line: str) -> None:
    if sys.stderr is not None:
        print(f"lloydq: {line}", file=sys.stderr, flush=True)


def _reason(error: BaseException) -> str:
    """One line that names the file, what is wrong and, where it helps, what to do."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename!r}: {error.strerror.lower()}" if error.filename else error.strerror
    if isinstance(error, FileExistsError):
        return f"{error}; add --force to replace it, or name another with -o"
    if isinstance(error, MemoryError):
        return "not enough memory"
    return str(error)


# Arguments


def _whole(least: int, most: int | None = None) -> Any:
    """An argparse type: a whole number in these bounds."""
    bounds = f"from {least} to {most}" if most else f"from {least} on"

    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(f"must be a whole number {bounds}; got {text}")
        return number

    return convert


def _tolerance(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number from 0 on; got {text}")
    return number


def _parser(name: str, description: str, **more: Any) -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(name, description=description, formatter_class=formatter, **more)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _fit_arguments(
    parser: argparse.ArgumentParser, k: int | None, k_help: str, *, what: str = "colours", kinds: str = ".png"
) -> None:
    parser.add_argument("picture", metavar="PICTURE", help="a file that Pillow reads: JPEG, PNG, WebP, TIFF, GIF, …")
    parser.add_argument("-k", type=_whole(1, 256), metavar="N", help=f"{what}, 1 to 256 ({k_help})", default=k)
    parser.add_argument("-o", "--output", metavar="FILE", help=f"where to write, a name that ends in {kinds}")
    parser.add_argument("--force", action="store_true", help="replace the output if it exists")
    _common_arguments(parser)


def _common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_whole(0), default=0, metavar="N", help="of the random numbers (0)")
    parser.add_argument("--threads", type=_whole(1), metavar="N", help="threads (the available processors)")
    parser.add_argument("--verify", action="store_true", help="check every step and every pixel with plain NumPy")
    parser.add_argument("-q", "--quiet", action="store_true", help="no notices, no progress")


def _quantize_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "lloydq",
        "Write a picture in fewer colours, found by Lloyd's k-means on all its pixels, as an indexed PNG beside it.",
        epilog=COMMANDS,
    )
    _fit_arguments(parser, None, "256, or as many as there are pixels")
    parser.add_argument("--sample", type=_whole(1), metavar="N", help="fit on N random pixels instead of on all")
    _loop_arguments(parser, "k-means++")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="say each iteration and the time of each stage")
    parser.add_argument("--version", action="version", version=f"lloydq {__version__}")
    return parser


def _loop_arguments(parser: argparse.ArgumentParser, init: str) -> None:
    parser.add_argument("--init", choices=("k-means++", "random"), default=init, help=f"first centroids ({init})")
    parser.add_argument(
        "--tol", type=_tolerance, default=0.0, help="stop when the centroids move less; 0: when no label changes (0)"
    )
    parser.add_argument("--max-iter", type=_whole(1), metavar="N", help="iterations at most (no limit)")


def _steps_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "lloydq steps",
        "Lloyd's algorithm on all pixels of a picture, step by step: one HTML file to walk through forwards and\n"
        "backwards, or with -o NAME.gif an animation, with -o NAME.png a sheet of chosen steps. A file that ends in\n"
        ".csv, .tsv or .txt has points in the plane, x and y on each line.",
    )
    _fit_arguments(parser, 8, "8", what="clusters", kinds=".html, .gif or .png")
    _loop_arguments(parser, "random")
    return parser


def _compare_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "lloydq compare",
        "k-means on a sample and on all pixels beside two random palettes: a table, and a picture of all of them.",
    )
    _fit_arguments(parser, 64, "64")
    return parser


def _demo_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "lloydq demo",
        "The whole story on a photograph that comes with the package; pictures go to ./lloydq-demo/.",
    )
    _common_arguments(parser)
    return parser


# Progress


class _Progress:
    """Iterations on stderr: one line that renews itself on a terminal, after a second; every one if verbose."""

    def __init__(self, quiet: bool, verbose: bool = False) -> None:
        self.verbose, self.shown = verbose, False
        self.live = not quiet and not verbose and sys.stderr is not None and sys.stderr.isatty()
        self.next = time.monotonic() + 1

    def __call__(self, step: "Step") -> None:
        line = f"iteration {step.n_iter:,}: {step.changed:,} labels changed, inertia {step.inertia:.6g}"
        if self.verbose:
            _say(line)
        elif self.live and time.monotonic() >= self.next:
            print(f"\rlloydq: {line:<72}", end="", file=sys.stderr, flush=True)
            self.shown, self.next = True, time.monotonic() + 0.1

    def clear(self) -> None:
        """Leave the terminal's line empty."""
        if self.shown:
            print("\r" + " " * 80, end="\r", file=sys.stderr, flush=True)
            self.shown = False


def _notice_compilation(quiet: bool) -> None:
    from . import kernels

    if not quiet and not kernels.cached():
        _say("compiling for this machine: about ten seconds, this once")


# Commands


def _target(options: argparse.Namespace, name: str, kinds: Sequence[str] = (".png",)) -> Path:
    """Where to write; refused before the work begins if that could not succeed."""
    source = Path(options.picture)
    target = Path(options.output) if options.output is not None else source.with_name(f"{source.stem}-{name}{kinds[0]}")
    if target.suffix.lower() not in kinds:
        raise Failure(f"'{target}': name the result with {' or '.join(kinds)} at its end")
    if not target.parent.is_dir():
        raise Failure(f"'{target.parent}' is not a folder; make it first, or name another with -o")
    if not os.access(target.parent, os.W_OK):
        raise Failure(f"'{target.parent}' is a folder that cannot be written to; name another with -o")
    if target.is_dir():
        raise Failure(f"'{target}' is a folder; name a file with -o")
    if target.exists() and not options.force:
        raise FileExistsError(f"'{target}' exists")
    return target


def _name_file(name: str, error: ValueError) -> Failure:
    return Failure(str(error) if name in str(error) else f"'{name}': {error}")


def _quantize(options: argparse.Namespace) -> None:
    from .image import load, write
    from .quantizer import quantize

    start = time.perf_counter()
    if options.k or options.output:
        _target(options, str(options.k))
    picture = load(options.picture)
    read = time.perf_counter() - start
    k = options.k or min(256, picture.pixels.shape[0] * picture.pixels.shape[1])
    target = _target(options, str(k))
    _notice_compilation(options.quiet)
    progress = _Progress(options.quiet, options.verbose)
    try:
        q = quantize(
            picture, k, sample=options.sample, init=options.init, tol=options.tol, max_iter=options.max_iter,
            rng=options.seed, n_threads=options.threads, callback=progress, verify=options.verify,
        )  # fmt: skip
    except ValueError as error:
        raise _name_file(options.picture, error) from error
    finally:
        progress.clear()
    q.timings["read"] = read
    write(target, q.png, overwrite=options.force)
    seconds = time.perf_counter() - start
    if not options.quiet:
        _say(_summary(target, picture.n_bytes or 0, q, seconds))
        if picture.n_bytes and len(q.png) > picture.n_bytes:
            _say(
                "hint: larger than the input. A JPEG often is smaller than its indexed PNG; fewer colours (-k) may help"
            )
    if options.verbose:
        _say("seconds: " + ", ".join(f"{stage} {time:.3f}" for stage, time in q.timings.items()))
    if options.json:
        print(json.dumps(_facts(options.picture, target, picture.n_bytes or 0, q, seconds), indent=2))


def _summary(target: Path, n_bytes: int, q: "Quantized", seconds: float) -> str:
    height, width = q.indices.shape
    return (
        f"{target}: {width}×{height}, {q.n_distinct:,} → {len(q.palette)} colours, MSE {q.mse:.2f}, "
        f"PSNR {q.psnr:.2f} dB, {q.n_iter:,} iterations ({STOPPED[q.stop_reason]}), {seconds:.2f} s, "
        f"{n_bytes:,} → {len(q.png):,} bytes"
    )


def _facts(source: str, target: Path, n_bytes: int, q: "Quantized", seconds: float) -> dict[str, object]:
    return {
        "input": source,
        "output": str(target),
        "width": q.indices.shape[1],
        "height": q.indices.shape[0],
        "distinct_colors": q.n_distinct,
        "n_colors": len(q.palette),
        "palette": q.palette.hex,
        "mse": q.mse,
        "mse_definition": "mean over pixels of the squared distance summed over R, G and B",
        "psnr": q.psnr if q.mse else None,
        "psnr_definition": "dB, from the mean over pixels and channels; null where nothing changed",
        "n_iter": q.n_iter,
        "converged": q.converged,
        "stop_reason": q.stop_reason,
        "seconds": seconds,
        "timings": q.timings,
        "input_bytes": n_bytes,
        "output_bytes": len(q.png),
    }


def _compare(options: argparse.Namespace) -> None:
    from . import compare
    from .image import load, png, write

    target = _target(options, f"compare-{options.k}")
    photo = load(options.picture)
    _notice_compilation(options.quiet)
    progress = _Progress(options.quiet)
    try:
        how = {
            "rng": options.seed, "n_threads": options.threads, "callback": progress, "verify": options.verify,
        }  # fmt: skip
        panels = list(compare.ways(photo, options.k, **how))
    except ValueError as error:
        raise _name_file(options.picture, error) from error
    finally:
        progress.clear()
    write(target, png(compare.picture(photo, panels)), overwrite=options.force)
    print(compare.table([compare.row(panel) for panel in panels]))
    if not options.quiet:
        _say(f"wrote {target}")


def _steps(options: argparse.Namespace) -> None:
    from . import walk
    from .image import load, png, write

    target, source = _target(options, "steps", (".html", ".gif", ".png")), Path(options.picture)
    data = walk.read_points(source) if source.suffix.lower() in (".csv", ".tsv", ".txt") else load(source)
    _notice_compilation(options.quiet)
    progress = _Progress(options.quiet)
    try:
        found = walk.record(
            data, options.k, init=options.init, rng=options.seed, tol=options.tol, max_iter=options.max_iter,
            n_threads=options.threads, callback=progress, verify=options.verify,
        )  # fmt: skip
    except ValueError as error:
        raise _name_file(options.picture, error) from error
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
        _say(f"{target}: {len(found.frames):,} iterations ({reason}), {len(made):,} bytes")


def _demo(options: argparse.Namespace) -> None:
    from .demo import tell

    progress = _Progress(options.quiet)
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
                _notice_compilation(options.quiet)
    finally:
        progress.clear()


def _info(_: argparse.Namespace) -> None:
    import platform

    import numba
    import numpy as np
    import PIL

    from . import kernels, pool

    print(f"lloydq     {__version__}")
    print(f"Python     {platform.python_version()} on {platform.system()} {platform.machine()}")
    print(f"NumPy      {np.__version__}")
    print(f"Numba      {numba.__version__}")
    print(f"Pillow     {PIL.__version__}")
    print(f"threads    {pool.available()} (processors that this process may use)")
    print(f"cache      {kernels.cache_folder() or 'none: no folder can be written'}")
    print(f"compiled   {kernels.cached()} of {len(kernels.ALL)} kernels")


def _warmup(_: argparse.Namespace) -> None:
    from . import kernels

    start = time.perf_counter()
    kernels.compile_all()
    _say(f"{len(kernels.ALL)} kernels ready after {time.perf_counter() - start:.1f} s")


PARSERS: dict[str, Callable[[], argparse.ArgumentParser]] = {
    "": _quantize_parser,
    "compare": _compare_parser,
    "steps": _steps_parser,
    "demo": _demo_parser,
    "info": partial(_parser, "lloydq info", "Versions, threads, the cache folder, and whether kernels are compiled."),
    "warmup": partial(_parser, "lloydq warmup", "Compile the kernels now, into the cache."),
}
RUN = {"": _quantize, "compare": _compare, "steps": _steps, "demo": _demo, "info": _info, "warmup": _warmup}

if __name__ == "__main__":
    sys.exit(main())
