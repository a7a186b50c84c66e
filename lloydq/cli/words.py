"""What is said on stderr, and how errors are put."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..quantized import Quantized

STOPPED = {
    "converged": "no label changed",
    "tol": "centroids moved less than --tol",
    "max_iter": "--max-iter reached",
    "cycle": "rounding made it go in circles",
    "few colors": "all colours kept exactly",
    "given": "the palette was given",
}


class Failure(Exception):
    """Something a user can mend: said in one line, with exit code 1."""


def say(line: str) -> None:
    """A line on stderr."""
    if sys.stderr is not None:
        print(f"lloydq: {line}", file=sys.stderr, flush=True)


def reason(error: BaseException) -> str:
    """One line that names the file, what is wrong and, where it helps, what to do."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename!r}: {error.strerror.lower()}" if error.filename else error.strerror
    if isinstance(error, FileExistsError):
        return f"{error}; add --force to replace it, or name another with -o"
    if isinstance(error, MemoryError):
        return "not enough memory"
    return str(error)


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
    return "\n".join([f"{name}: tried for {goal}", *(f"  {line}" for line in lines)])
