"""Progress on stderr: a line that renews itself, on a terminal only, after a second."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .words import put, say

if TYPE_CHECKING:
    from ..lloyd import Step

WIDTH = 72


class _Line:
    """The last line of the terminal."""

    def __init__(self, live: bool) -> None:
        self.live = live and sys.stderr is not None and sys.stderr.isatty()
        self.shown, self.next = False, time.monotonic() + 1

    def renew(self, text: str) -> None:
        """Show this, if it is time to."""
        if self.live and time.monotonic() >= self.next:
            put(f"\rlloydq: {text[:WIDTH]:<{WIDTH}}", "")
            self.shown, self.next = True, time.monotonic() + 0.1

    def clear(self) -> None:
        """Leave the terminal's line empty."""
        if self.shown:
            put("\r" + " " * (WIDTH + 8), "\r")
            self.shown = False


class Progress(_Line):
    """Iterations: the latest; every one if verbose."""

    def __init__(self, quiet: bool, verbose: bool = False) -> None:
        super().__init__(not quiet and not verbose)
        self.verbose = verbose

    def __call__(self, step: "Step") -> None:
        line = f"iteration {step.n_iter:,}: {step.changed:,} labels changed, inertia {step.inertia:.6g}"
        if self.verbose:
            say(line)
        else:
            self.renew(line)


class Batch(_Line):
    """Pictures of several: how many are done, which are under way, how long the rest will take."""

    def __init__(self, quiet: bool, total: int, done: str = "done") -> None:
        super().__init__(not quiet)
        self.quiet, self.total, self.done, self.word = quiet, total, 0, done
        self.begun, self.names = time.monotonic(), list[str]()
        self.lock, self.ended = threading.Lock(), threading.Event()
        if self.live:
            threading.Thread(target=self._refresh, daemon=True).start()

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """While a picture is worked on."""
        with self.lock:
            self.names.append(name)
        try:
            yield
        finally:
            with self.lock:
                self.names.remove(name)
                self.done += 1

    def say(self, line: str) -> None:
        """A line that stays."""
        with self.lock:
            super().clear()
            say(line)

    def clear(self) -> None:
        """Leave the terminal's line empty, for good."""
        self.ended.set()
        with self.lock:
            super().clear()

    def _refresh(self) -> None:
        while not self.ended.wait(0.2):
            with self.lock:
                if self.names and not self.ended.is_set():
                    self.renew(self.text())

    def text(self) -> str:
        """The line."""
        left = ""
        if self.done:
            seconds = (time.monotonic() - self.begun) / self.done * (self.total - self.done)
            left = f", about {seconds:.0f} s left"
        return f"{self.done} of {self.total} {self.word}{left}: {', '.join(self.names)}"
