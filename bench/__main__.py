"""`python -m bench`: runs a set with pytest-benchmark, shows a progress bar, prints the table, writes the report."""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from . import RESULTS
from .rows import moved, read, renewed
from .table import show, show_moved

HERE = Path(__file__).parent


class Watch:
    """A pytest plugin: the bar. How long each benchmark took the last time tells what is left."""

    def __init__(self, console, expected):
        self.console, self.expected, self.failed, self.progress = console, expected, [], None

    def pytest_collection_finish(self, session):
        self.left = {item.nodeid: self.expected.get(item.nodeid, 1.0) for item in session.items}
        self.whole, self.start = sum(self.left.values()), perf_counter()
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}")
        # drawn between benchmarks, not by a thread of its own beside them
        self.progress = Progress(*columns, console=self.console, transient=True, auto_refresh=False)
        self.task = self.progress.add_task("", total=len(self.left), left="")
        self.progress.start()

    def pytest_runtest_logstart(self, nodeid):
        what = nodeid.partition("[")[2].rstrip("]") or nodeid.rpartition("::")[2]
        self.progress.update(
            self.task, description=what.encode().decode("unicode_escape")[-60:].ljust(60), refresh=True
        )

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.append((report.nodeid, report.longreprtext))

    def pytest_runtest_logfinish(self, nodeid):
        self.left.pop(nodeid, None)
        left, spent = sum(self.left.values()), perf_counter() - self.start
        done = self.whole - left
        seconds = spent * left / done if done else 0.0
        self.progress.update(self.task, advance=1, left=f"{seconds // 60:.0f}:{seconds % 60:02.0f} left", refresh=True)

    def pytest_sessionfinish(self):
        if self.progress:
            self.progress.stop()


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        allow_abbrev=False,
        description="lloydq and every k-means and quantizer that is here, at equal work: a quick set, 2 minutes.",
        epilog="Everything else is for pytest and pytest-benchmark: -k faiss, --limit 60 (seconds that one fit may "
        "take), --benchmark-compare, --benchmark-save=…",
    )
    parser.add_argument("--full", dest="set", action="store_const", const="full", help="all of it, an hour")
    parser.add_argument(
        "--smoke", dest="set", action="store_const", const="smoke", help="all, tiny: does it still run?"
    )
    parser.add_argument("--report", metavar="DIR", type=Path, help="write index.html with plots, and the JSON")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write pytest-benchmark's JSON, with every round")
    parser.add_argument(
        "--into", metavar="FILE", type=Path, help="put what is measured into this JSON, in the place of what it had"
    )
    parser.add_argument(
        "--from", dest="record", metavar="FILE", type=Path, help="no run: tables, report from this JSON"
    )
    parser.add_argument(
        "--against", metavar="FILE", type=Path, help="an earlier JSON: which ratios differ by over 15 %%"
    )
    parser.set_defaults(set="quick")
    options, others = parser.parse_known_args()
    for file in filter(None, (options.record, options.against, options.into)):
        try:
            json.loads(file.read_text(encoding="utf-8"))["benchmarks"]
        except (OSError, ValueError, TypeError, KeyError) as error:
            parser.error(f"{file} is no record of a run: {error!r}")
    if options.record and options.into:
        parser.error("--from makes no run, so there is nothing to put --into a record")
    if options.record and others:
        parser.error(f"--from makes no run, so these say nothing: {' '.join(others)}")
    return parser, options, others


def run(which, path, others, console):
    """Runs a set; the exit code."""
    recorded = next((file for name in (which, "full") if (file := RESULTS / f"{name}.json").exists()), None)
    expected = json.loads(recorded.read_text(encoding="utf-8"))["took"] if recorded else {}
    watch, told, asked = Watch(console, expected), io.StringIO(), any(one.startswith("--") for one in others)
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore", f"--rootdir={HERE.parent}", "-m", ""]
    options += [] if asked else ["--benchmark-quiet"]
    with contextlib.redirect_stdout(told):
        code = pytest.main(
            [*options, str(HERE), f"--set={which}", f"--benchmark-json={path}", *others], plugins=[watch]
        )
    for nodeid, text in watch.failed:
        console.print(f"{nodeid}\n{text}", highlight=False, markup=False)
    if asked or (code and not watch.failed):
        console.print(told.getvalue(), highlight=False, markup=False)
    return code


def keep(record, path):
    """Writes the record, on one line."""
    path.write_text(json.dumps(record, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")


def main():
    parser, options, others = arguments()
    console = Console(file=os.fdopen(os.dup(1), "w", encoding="utf-8"))  # pytest keeps what is written to sys.stdout
    with tempfile.TemporaryDirectory() as folder:
        path, code = options.record or Path(folder, "run.json"), 0
        if not options.record:
            code = run(options.set, path, others, console)
        if not path.exists() or not path.stat().st_size:
            return code or 1
        record = json.loads(path.read_text(encoding="utf-8"))
        if options.into:
            try:
                record = renewed(json.loads(options.into.read_text(encoding="utf-8")), record)
            except ValueError as error:
                keep(record, options.into.with_suffix(".new.json"))
                parser.error(f"{error}; the run is in {options.into.with_suffix('.new.json')}")
            keep(record, path)
        if options.report:
            options.report.mkdir(parents=True, exist_ok=True)
        for kept in (options.into, options.json, options.report and options.report / "benchmarks.json"):
            if kept:
                keep(record, kept)
        record, rows = read(path)
        show(record, rows, console)
        if options.against:
            show_moved(*moved(rows, read(options.against)[1]), console)
        if options.report:
            from .report import page  # with matplotlib

            (options.report / "index.html").write_text(page(record, rows), encoding="utf-8")
            console.print(f"[bold]{options.report / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
