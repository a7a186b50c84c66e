"""`python -m bench`: runs a set with pytest-benchmark, shows a progress bar, prints the table, writes the report."""

import argparse
import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from .rows import moved, read
from .table import show, show_moved

HERE = Path(__file__).parent
RESULTS = HERE / "results"


class Watch:
    """A pytest plugin: the bar. How long each benchmark took the last time tells what is left."""

    def __init__(self, console, expected):
        self.console, self.expected, self.failed = console, expected, []

    def pytest_collection_finish(self, session):
        self.left = {item.nodeid: self.expected.get(item.nodeid, 1.0) for item in session.items}
        self.whole, self.start, self.progress = sum(self.left.values()), perf_counter(), None
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}")
        self.progress = Progress(*columns, console=self.console, transient=True)
        self.task = self.progress.add_task("", total=len(self.left), left="")
        self.progress.start()

    def pytest_runtest_logstart(self, nodeid):
        what = nodeid.partition("[")[2].rstrip("]") or nodeid.rpartition("::")[2]
        self.progress.update(self.task, description=what.encode().decode("unicode_escape")[-60:].ljust(60))

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.append((report.nodeid, report.longreprtext))

    def pytest_runtest_logfinish(self, nodeid):
        self.left.pop(nodeid, None)
        left, spent = sum(self.left.values()), perf_counter() - self.start
        done = self.whole - left
        seconds = spent * left / done if done else 0.0
        self.progress.update(self.task, advance=1, left=f"{seconds // 60:.0f}:{seconds % 60:02.0f} left")

    def pytest_sessionfinish(self):
        if self.progress:
            self.progress.stop()


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="lloydq and every k-means and quantizer that is here, at equal work: a quick set, 3 minutes.",
        epilog="Everything else is for pytest and pytest-benchmark: -k faiss, --benchmark-compare, --benchmark-save=…",
    )
    parser.add_argument("--full", dest="set", action="store_const", const="full", help="all of it, about an hour")
    parser.add_argument(
        "--smoke", dest="set", action="store_const", const="smoke", help="all, tiny: does it still run?"
    )
    parser.add_argument("--report", metavar="DIR", type=Path, help="write index.html with plots, and the JSON")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write pytest-benchmark's JSON, with every round")
    parser.add_argument(
        "--from", dest="record", metavar="FILE", type=Path, help="no run: tables, report from this JSON"
    )
    parser.add_argument(
        "--against", metavar="FILE", type=Path, help="an earlier JSON: which ratios differ by over 15 %%"
    )
    parser.set_defaults(set="quick")
    return parser.parse_known_args()


def run(which, path, others, console):
    """Runs a set; the exit code."""
    recorded = RESULTS / f"{which}.json"
    expected = json.loads(recorded.read_text()).get("took", {}) if recorded.exists() else {}
    watch, told = Watch(console, expected), io.StringIO()
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        f"--rootdir={HERE.parent}",
        "--benchmark-quiet",
        "-m",
        "",
    ]
    with contextlib.redirect_stdout(told):
        code = pytest.main(
            [*options, str(HERE), f"--set={which}", f"--benchmark-json={path}", *others], plugins=[watch]
        )
    for nodeid, text in watch.failed:
        console.print(f"[red]{nodeid}[/red]\n{text}", highlight=False)
    if code and not watch.failed:
        console.print(told.getvalue(), highlight=False)
    return code


def keep(record, path):
    """Writes the record on one line, with what each benchmark took in all."""
    path.write_text(json.dumps(record, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")


def main():
    options, others = arguments()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        path, code = options.record or Path(folder, "run.json"), 0
        if not options.record:
            code = run(options.set, path, others, console)
        if not path.exists() or not path.stat().st_size:
            return code or 1
        record, rows = read(path)
        show(rows, record.get("left_out", []), console)
        if options.against:
            show_moved(*moved(rows, read(options.against)[1]), console)
        if options.report:
            from .report import page  # with matplotlib

            options.report.mkdir(parents=True, exist_ok=True)
            (options.report / "index.html").write_text(page(record, rows), encoding="utf-8")
            keep(record, options.report / "benchmarks.json")
            console.print(f"[bold]{options.report / 'index.html'}")
        if options.json:
            keep(record, options.json)
    return code


if __name__ == "__main__":
    sys.exit(main())
