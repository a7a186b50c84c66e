"""lloydq PICTURE …: pictures in fewer colours, one or many."""

import argparse
import io
import json
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..pool import interruption
from .files import checked, from_stdin, renamed, to_stdout
from .progress import Batch, Progress
from .words import ERRORS, Failure, curve, here, named, reason, say, summary

if TYPE_CHECKING:
    from ..image import Picture
    from ..palette import Palette
    from ..quantized import Quantized

KINDS = {".png": "PNG", ".gif": "GIF"}


@dataclass(frozen=True)
class Done:
    """What is kept of a picture that went through: not its pixels, of which a batch may have many."""

    source: str
    n_bytes: int  # of the input
    n_written: int  # of the output, had it been written
    skipped: bool
    facts: dict[str, object]  # for --json


@dataclass(frozen=True)
class Failed:
    """A picture that did not, and why."""

    source: str
    reason: str

    @property
    def facts(self) -> dict[str, object]:
        """For --json."""
        return {"input": self.source, "error": self.reason}


class Stop(Exception):
    """The user wants no more."""


@dataclass
class Work:
    """What all pictures of a call share."""

    options: argparse.Namespace
    batch: Batch
    n_threads: int | None
    ready: Future[None]
    palette: "Palette | None" = None
    original: bytes = b""  # of what comes from stdin, or may go to stdout as it is: a pipe is read once
    stopped: bool = False
    taken: dict[Path, str] = field(default_factory=dict)  # outputs, and which picture they are for

    def __post_init__(self) -> None:
        self.inputs = dict[Path, str]()
        for name in self.options.pictures:
            with suppress(*ERRORS):  # it is told when it is its turn
                self.inputs[Path(name).resolve()] = name

    def __call__(self, source: str) -> Done | Failed:
        """One picture, from its file to its file."""
        here.source = source
        try:
            with self.batch.at(source):
                return self._done(source)
        except ERRORS as error:
            return self.failed(source, error)

    def failed(self, source: str, error: BaseException) -> Failed:
        """The reason on stderr; or it is the user who wants no more."""
        if isinstance(stop := interruption(error), KeyboardInterrupt):
            raise stop from None
        if self.options.debug:
            traceback.print_exception(error)
        self.batch.say(f"error: {reason(error)}")
        return Failed(source, reason(error))

    def load(self, source: str) -> "Picture":
        from ..image import load

        data: Any = self.original if source == "-" else source
        if source != "-" and self.options.skip_if_larger and self._named(source, 1) is None:
            self.original = Path(source).read_bytes()
            data = io.BytesIO(self.original)
            data.name = source
        return load(data, alpha=self.options.alpha, frame=self.options.frame)

    def _done(self, source: str) -> Done:
        start, options = time.perf_counter(), self.options
        if options.k or options.palette or options.output or options.ext:  # else its name is known when it is read
            self._target(source, options.k)
        picture = self.load(source)
        read = time.perf_counter() - start
        self.ready.result()
        height, width = picture.pixels.shape[:2]
        k = options.k or min(256, height * width)
        target = self._target(source, k)
        progress = Progress(options.quiet or self.batch.total > 1, options.verbose)
        kind = KINDS[f".{options.format or 'png'}" if target is None else target.suffix.lower()]
        try:
            q = self._quantized(picture, k, kind, progress)
            data = q.encode(kind, strip=options.strip)
        except ValueError as error:
            raise named(source, error) from error
        finally:
            progress.clear()
        q.timings["read"] = read
        n_bytes = picture.n_bytes or 0
        skipped = options.skip_if_larger and len(data) >= n_bytes
        if not skipped:
            self._write(target, data)
        elif target is None:  # who reads the other end wants a picture in any case
            to_stdout(self.original)
        where, seconds = "-" if target is None else str(target), time.perf_counter() - start
        done = Done(source, n_bytes, len(data), skipped, facts(source, q) if options.json else {})
        self._tell(source, where, q, done, seconds)
        output = None if skipped else where
        done.facts.update(output=output, seconds=seconds, input_bytes=n_bytes, output_bytes=len(data))
        return done

    def _quantized(self, picture: "Picture", k: Any, kind: str, progress: Progress) -> "Quantized":
        from ..quantizer import apply_palette, quantize

        options = self.options

        def callback(step: Any) -> None:
            if self.stopped:
                raise Stop
            progress(step)

        how = {
            "space": options.space, "dither": options.dither, "strength": options.strength,
            "n_threads": self.n_threads, "verify": options.verify,
        }  # fmt: skip
        if self.palette is not None:
            return apply_palette(picture, self.palette, **how)
        target = options.target and {**options.target, "format": kind, "strip": options.strip}
        return quantize(
            picture, k, target=target, lock=options.lock, weights=options.weights, sample=options.sample,
            init=options.init, n_init=options.restarts, tol=options.tol, max_iter=options.max_iter, rng=options.seed,
            callback=callback, **how,
        )  # fmt: skip

    def claim(self, sources: Sequence[str]) -> None:
        """Of pictures that would be written to one file the first one named gets it, whichever is done first."""
        for source in sources:
            with suppress(*ERRORS):
                if (target := self._named(source, self.options.k or 256)) is not None:
                    self.taken.setdefault(target.resolve(), source)

    def _named(self, source: str, k: Any) -> Path | None:
        """Where the result goes; None for stdout."""
        options = self.options
        if options.output == "-" or (source == "-" and not (options.output or options.output_dir)):
            return None
        if options.output:
            return Path(options.output)
        ending = f"-{Path(options.palette).stem if options.palette else k}.{options.format or 'png'}"
        target = renamed(source, options.ext or ending)
        return Path(options.output_dir) / target.name if options.output_dir else target

    def _target(self, source: str, k: Any) -> Path | None:
        """The same, if it can be written, is not another picture's result, and is none of the other pictures."""
        options, target = self.options, self._named(source, k)
        if target is None:
            return None
        ending = f".{options.format or 'png'}"
        if options.format and target.suffix.lower() != ending:
            raise Failure(f"'{target}' is to be a {options.format.upper()}: let its name end in {ending}")
        target = checked(target, tuple(KINDS), options.force)
        owner = self.taken.setdefault(target.resolve(), source)
        if owner != source:
            raise Failure(f"'{source}' would be written to '{target}', as '{owner}' is: choose --ext or --output-dir")
        if self.inputs.get(target.resolve(), source) != source:
            raise Failure(f"'{source}' would be written over '{target}', which is another of the pictures")
        return target

    def _write(self, target: Path | None, data: bytes) -> None:
        from ..image import write

        if target is None:
            to_stdout(data)
        else:
            write(target, data, overwrite=self.options.force)

    def _tell(self, source: str, where: str, q: "Quantized", done: Done, seconds: float) -> None:
        """What was done, unless it is to be quiet."""
        if not self.options.quiet:
            for note in q.picture.notes:
                self.batch.say(f"note: {source}: {note}")
            if q.curve:
                self.batch.say(curve(source, self.options.target, q))
            line = summary(where, done.n_bytes, done.n_written, q, seconds, shared=self.options.shared)
            self.batch.say(f"{line}, not written: not smaller" if done.skipped else line)
            if done.n_written > done.n_bytes and not done.skipped and self.batch.total == 1:
                lossy = source.lower().endswith((".jpg", ".jpeg", ".webp", ".avif"))
                why = "A JPEG often is smaller than its indexed PNG; fewer" if lossy else "Fewer"
                self.batch.say(f"hint: larger than the input. {why} colours (-k) may help")
        if self.options.verbose:
            stages = ", ".join(f"{stage} {seconds:.3f}" for stage, seconds in q.timings.items())
            self.batch.say(f"seconds: {stages}")


def quantize(options: argparse.Namespace) -> int:
    """All pictures of a command line; 1 if one of them could not be done."""
    with ThreadPoolExecutor(1) as aside:
        try:
            ready = aside.submit(prepare, options.quiet)
            aside.submit(prepare_fits)
        except RuntimeError as error:  # no thread is to be had
            if interruption(error) is not error:
                raise
            ready, options.jobs = Future(), 1
            prepare(options.quiet)
            ready.set_result(None)
        return _quantized(options, ready)


def _quantized(options: argparse.Namespace, ready: Future[None]) -> int:
    from ..pool import available

    sources, start = list(options.pictures), time.perf_counter()
    jobs = min(options.jobs or available(), len(sources))
    n_threads = options.threads if jobs == 1 else max(1, (options.threads or available()) // jobs)
    work = Work(options, Batch(options.quiet or len(sources) == 1, len(sources)), n_threads, ready)
    work.claim(sources)
    if options.output_dir:
        Path(options.output_dir).mkdir(parents=True, exist_ok=True)
    if "-" in sources:
        work.original = from_stdin()
    done: list[Done | Failed] = []
    if options.palette:
        from ..palette import Palette

        work.palette = Palette.read(options.palette)
    elif options.shared:
        sources, done = _share(work, sources)
    try:
        done += _all(work, sources, jobs)
    finally:
        work.batch.clear()
    if len(done) > 1 and not options.quiet:
        say(_account(done, time.perf_counter() - start))
    if options.json:
        made = [one.facts for one in sorted(done, key=lambda one: options.pictures.index(one.source))]
        print(json.dumps(made if len(options.pictures) > 1 else made[0], indent=2, allow_nan=False))
    return int(any(isinstance(one, Failed) for one in done))


def _all(work: Work, sources: Sequence[str], jobs: int) -> list[Done | Failed]:
    """Each picture, several at a time; a stop ends the fits that are under way."""
    if jobs == 1:
        return list(map(work, sources))
    with ThreadPoolExecutor(jobs) as executor:
        try:
            return list(executor.map(work, sources))
        except BaseException:
            work.stopped = True
            executor.shutdown(cancel_futures=True)
            raise


def _share(work: Work, sources: Sequence[str]) -> tuple[list[str], list[Done | Failed]]:
    """One palette for all pictures that can be read, which come back, as do those that cannot."""
    from ..quantizer import shared_palette

    options, readable, failed = work.options, list[str](), list[Done | Failed]()
    batch, work.batch = work.batch, Batch(work.batch.quiet, len(sources), "read")

    def pictures() -> Iterator[Any]:
        for source in sources:
            try:
                with work.batch.at(source):
                    path = Path(source)
                    if source != "-" and path.exists() and not path.is_file() and not path.is_dir():
                        raise Failure(f"'{source}' cannot be read twice, as --shared does: put it into a file")
                    picture = work.load(source)
            except ERRORS as error:
                failed.append(work.failed(source, error))
                continue
            readable.append(source)
            yield picture

    progress = Progress(options.quiet, options.verbose)
    try:
        work.palette = shared_palette(
            pictures(), options.k or 256, rng=options.seed, lock=options.lock, space=options.space, init=options.init,
            n_init=options.restarts, tol=options.tol, max_iter=options.max_iter, n_threads=options.threads,
            callback=progress, verify=options.verify,
        )  # fmt: skip
    finally:
        progress.clear()
        work.batch.clear()
        work.batch = batch
    options.k = options.k or 256
    return readable, failed


def _account(done: Sequence[Done | Failed], seconds: float) -> str:
    """All pictures in one line."""
    good = [one for one in done if isinstance(one, Done)]
    written = [one for one in good if not one.skipped]
    parts = [f"{len(done)} pictures: {len(written)} written"]
    if len(written) < len(good):
        parts.append(f"{len(good) - len(written)} not smaller")
    if len(good) < len(done):
        parts.append(f"{len(done) - len(good)} failed")
    before, after = sum(one.n_bytes for one in written), sum(one.n_written for one in written)
    return f"{', '.join(parts)}; {before:,} → {after:,} bytes, {seconds:.1f} s"


def facts(source: str, q: "Quantized") -> dict[str, object]:
    """For --json."""
    from .. import metrics

    try:
        delta_e: dict[str, float] | None = q.delta_e._asdict()
    except ImportError:
        delta_e = None
    return {
        "input": source,
        "output": None,
        "width": q.indices.shape[1],
        "height": q.indices.shape[0],
        "notes": q.picture.notes,
        "distinct_colors": q.n_distinct,
        "n_colors": len(q.palette),
        "palette": q.palette.hex,
        "counts": None if q.palette.counts is None else q.palette.counts.tolist(),
        "mse": q.mse,
        "mse_definition": metrics.DEFINITIONS["mse"],
        "psnr": q.psnr if q.mse else None,  # JSON has no infinity
        "psnr_definition": metrics.DEFINITIONS["psnr"],
        "delta_e": delta_e,
        "delta_e_definition": metrics.DEFINITIONS["delta_e"],
        "curve": [tried._asdict() | {"psnr": tried.psnr if tried.mse else None} for tried in q.curve],
        "n_iter": q.n_iter,
        "converged": q.converged,
        "stop_reason": q.stop_reason,
        "timings": q.timings,
    }


def prepare(quiet: bool) -> None:
    """Load what all pictures need, or say that it is being compiled: aside, since it takes longer than a fit."""
    from .. import kernels, quantizer  # noqa: F401

    if kernels.cached():
        with _no_scipy():
            kernels.load_for_colors()
    else:
        notice_compilation(quiet)


@contextmanager
def _no_scipy() -> Iterator[None]:
    """Where SciPy is installed, Numba imports its BLAS (0.25 s) with the first kernel; these need none."""
    modules: dict[str, Any] = sys.modules
    modules.setdefault("scipy", None)
    try:
        yield
    finally:
        if modules["scipy"] is None:
            del modules["scipy"]


def prepare_fits() -> None:
    """Load the rest, while colours are counted and drawn."""
    from .. import kernels

    if kernels.cached():
        kernels.load_for_fits()


def notice_compilation(quiet: bool) -> None:
    """Say so where kernels are not compiled yet."""
    from .. import kernels

    if not quiet and not kernels.cached():
        say("compiling for this machine: about ten seconds, this once")
