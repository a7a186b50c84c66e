"""What is said on stderr, and how errors are put."""

import argparse
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..image import Picture
    from ..quantized import Quantized

STOPPED = {
    "converged": "no label changed",
    "tol": "centroids moved less than --tol",
    "max_iter": "--max-iter reached",
    "cycle": "rounding made it go in circles",
    "few colors": "all colours kept exactly",
    "given": "the palette was given",
}


here = threading.local()  # what this thread is working on: its source, for notes


LONG = 24  # lines of a curve, of which otherwise those around the answer are shown


class Failure(Exception):
    """Something a user can mend: said in one line, with exit code 1."""


ERRORS = (Failure, OSError, ValueError, TypeError, MemoryError, RuntimeError, ImportError, ArithmeticError)


def say(line: str) -> None:
    """A line on stderr."""
    put(f"lloydq: {line}", "\n")


def put(text: str, end: str) -> None:
    """On stderr, if it can be: a line that is lost is no reason to lose a result."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(text, end=end, file=sys.stderr, flush=True)


def note(message: Warning | str) -> None:
    """A warning, with the picture that it is about."""
    source = getattr(here, "source", None)
    say(f"note: {source}: {message}" if source else f"note: {message}")


def reason(error: BaseException) -> str:
    """One line that names the file, what is wrong and, where it helps, what to do."""
    if isinstance(error, OSError) and error.strerror:
        if error.filename:
            return f"{error.filename!r}: {error.strerror.lower()}"
        return "the folder where this runs is gone" if _nowhere() else error.strerror
    if isinstance(error, FileExistsError):
        return f"{error}; add --force to replace it, or name another with -o"
    if isinstance(error, MemoryError):
        return "not enough memory"
    return str(error)


def _nowhere() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def named(name: str, error: ValueError) -> Failure:
    """An error of the library, with the file's name."""
    return Failure(str(error) if name in str(error) else f"'{name}': {error}")


def summary(where: str, n_bytes: int, n_written: int, q: "Quantized", seconds: float, *, shared: bool) -> str:
    """What was done, in one line."""
    height, width = q.indices.shape
    fit = "the palette is shared" if shared else STOPPED[q.stop_reason]
    if q.n_iter:
        fit = f"{q.n_iter:,} iterations ({fit})"
    colors = f"{q.n_distinct:,} → {len(q.palette)} colour{'s' * (len(q.palette) != 1)}"
    return (
        f"{where}: {width}×{height}, {colors}, MSE {q.mse:.2f}, "
        f"PSNR {q.psnr:.2f} dB, {fit}, {seconds:.2f} s, {n_bytes:,} → {n_written:,} bytes"
    )


def curve(name: str, target: dict[str, float], q: "Quantized") -> str:
    """The numbers of colours that were tried for a target, a line each."""
    rows = [("colours", "MSE", "PSNR", "ΔE2000", "bytes", "", "")]
    for tried in q.curve:
        delta_e = "" if tried.delta_e is None else f"{tried.delta_e:.3f}"
        n_bytes = "" if tried.n_bytes is None else f"{tried.n_bytes:,}"
        taken = "← taken" if tried.n_colors == len(q.palette) else ""
        met = "met" if tried.met else ""
        rows.append((f"{tried.n_colors}", f"{tried.mse:.2f}", f"{tried.psnr:.2f} dB", delta_e, n_bytes, met, taken))
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]
    goal = ", ".join(f"{key}={value:,}" for key, value in target.items())
    if (left_out := len(lines) - LONG) > 0:
        answer = next(i for i, line in enumerate(lines) if line.endswith("taken"))
        near = sorted(range(len(lines)), key=lambda i: (i > 0, abs(i - answer)))[:LONG]
        lines = [*(lines[i] for i in sorted(near)), f"and {left_out} more"]
    return "\n".join([f"{name}: tried for {goal}", *(f"  {line}" for line in lines)])


def tell_notes(options: argparse.Namespace, picture: "Picture") -> None:
    """What reading the picture took, unless it is to be quiet."""
    for line in () if options.quiet else picture.notes:
        say(f"note: {options.picture}: {line}")
