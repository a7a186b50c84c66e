"""The command line: arguments, progress, files, exit codes."""

import gc
import io
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import NoReturn

from ..pool import interruption
from .arguments import parse
from .files import limited
from .others import compare, demo, info, steps, warmup
from .palettes import show_palette
from .quantizing import quantize
from .words import ERRORS, note, reason, say

RUN = {
    "": quantize, "palette": show_palette, "compare": compare, "steps": steps, "demo": demo, "info": info,
    "warmup": warmup,
}  # fmt: skip
SOON, SELDOM = 1e-4, 200_000  # seconds; new objects


def run() -> NoReturn:
    """The program: `main`, begun and ended in haste.

    Nothing that is imported is garbage: looking for it takes 0.1 of the 0.7 s in which Numba is loaded. Meanwhile a
    file is read, and the thread that waits gets its turn soon. Taking the process apart at its end would take 0.2 s.
    """
    gc.set_threshold(SELDOM)
    sys.setswitchinterval(SOON)
    try:
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores the second
                signal.signal(number, terminate)
        code = main()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except KeyboardInterrupt as error:
        code = ended(error)
    except OSError:  # what was printed did not arrive
        code = 1
    if (writing := sys.modules.get("lloydq.image.writing")) is not None:
        writing.remove_parts()  # of threads that were not waited for, since Ctrl-C was pressed again
    os._exit(code)


class Terminated(KeyboardInterrupt):
    """Another process asks this one to end: it does so as by Ctrl-C, and leaves no half of a file."""


def terminate(number: int, _: object) -> NoReturn:
    """Answers SIGTERM, and SIGHUP of a terminal that is closed."""
    raise Terminated(number)


def ended(error: KeyboardInterrupt) -> int:
    """The exit code that shells give to what a signal ends."""
    return 128 + int(error.args[0]) if isinstance(error, Terminated) else 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 for a file or data that cannot be handled, 2 for usage."""
    try:
        return _main(arguments)
    except (KeyboardInterrupt, SystemError) as error:
        if not isinstance(stop := interruption(error), KeyboardInterrupt):
            raise
        say("stopped")
        return ended(stop)


def _main(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal of few characters is no reason to lose a result
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = words[0] if words and words[0] in RUN else ""
    options = parse(command, words[1:] if command else words)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore" if getattr(options, "quiet", False) else "always", category=UserWarning)
            warnings.filterwarnings("ignore", message=".*max_iter")  # the summary says so
            warnings.filterwarnings("ignore", message="Image size .* exceeds limit")  # there is --max-pixels
            warnings.showwarning = lambda message, *_, **__: note(message)
            with limited(getattr(options, "max_pixels", None)):
                return RUN[command](options) or 0
    except BrokenPipeError:
        return 1
    except ERRORS as error:
        if isinstance(stop := interruption(error), KeyboardInterrupt):
            raise stop from None
        if options.debug:
            traceback.print_exc()
        say(f"error: {reason(error)}")
        return 1
