"""From pytest-benchmark's JSON to the rows of a table: ratios with their spread, the best first."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

# Marks of work that is not the same. Float32 and one thread are a contender's own ways to do the same work.
OTHER = "subsampled", "own stop", "not converged", "other result", "other algorithm", "own start", "whole process"
WINS = 0.95  # a median ratio from which on lloydq is not called slower: less is within the noise


@dataclass(frozen=True)
class Row:
    """One contender at one piece of work."""

    group: str
    case: str
    name: str
    seconds: float  # median
    low: float  # the quartiles of the rounds, or the range where there are fewer than four
    high: float
    ratio: float | None  # to lloydq, median over the rounds; above 1 it took longer
    ratio_low: float | None
    ratio_high: float | None
    info: dict  # what the test said besides

    @property
    def equal(self):
        """Whether it did the same work."""
        return not set(self.info.get("marks", ())) & set(OTHER)

    @property
    def faster(self):
        """Whether lloydq lost at equal work."""
        return self.equal and self.ratio is not None and self.ratio < WINS


def read(path):
    """The record, and its rows."""
    record = json.loads(Path(path).read_text())
    return record, [row(benchmark) for benchmark in record["benchmarks"]]


def row(benchmark):
    info, times = benchmark["extra_info"], benchmark["stats"]["data"]
    low, high = spread(times)
    ratios = [time / beside for time, beside in zip(times, info.get("beside", ()), strict=False)]
    ratio = (
        (median(ratios), *spread(ratios)) if ratios else (1.0, None, None) if info["name"] == "lloydq" else (None,) * 3
    )
    return Row(info["case"]["group"], info["case"]["name"], info["name"], median(times), low, high, *ratio, info)


def spread(values):
    """The quartiles, or the range of few."""
    if len(values) < 4:
        return min(values), max(values)
    low, _, high = quantiles(values, n=4)
    return low, high


def groups(rows):
    """Each group with its cases, {name: rows}, in the order in which they first ran; of the rows the fastest first."""
    found = {}
    for row in rows:
        found.setdefault(row.group, {}).setdefault(row.case, []).append(row)
    for group, cases in found.items():
        yield group, {case: sorted(of_case, key=lambda row: row.seconds) for case, of_case in cases.items()}


def moved(rows, before, by=0.15):
    """What differs from an earlier run: pairs of rows whose median ratios are more than this part apart."""
    earlier = {(row.group, row.case, row.name): row for row in before if row.ratio_low is not None}
    pairs = [(row, earlier.get((row.group, row.case, row.name))) for row in rows if row.ratio_low is not None]
    common = [(row, then) for row, then in pairs if then]
    return common, [(row, then) for row, then in common if max(row.ratio / then.ratio, then.ratio / row.ratio) > 1 + by]


def time(seconds):
    """With three digits and a unit."""
    unit, factor = next(((unit, by) for unit, by in (("s", 1), ("ms", 1e3)) if seconds * by >= 1), ("µs", 1e6))
    return f"{digits(seconds * factor)} {unit}"


def times(row):
    """The ratio and its spread, in brackets where the work was not the same."""
    if row.ratio is None:
        return "–"
    if row.ratio_low is None:
        return "1"
    text = f"{digits(row.ratio)}× ({digits(row.ratio_low)}–{digits(row.ratio_high)})"
    return text if row.equal else f"[{text}]"


def digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def quality(row):
    """How far the error is above the reference's."""
    excess, info = row.info.get("excess"), row.info
    if "mse" in info:
        return f"MSE {info['mse']:.2f}"
    if excess is None:
        return info.get("told", "")
    wrong = f", {info['wrong']:,} wrong labels" if info.get("wrong") else ""
    return ("the same" if abs(excess) < 1e-6 else f"{excess:+.4%}" if abs(excess) < 1e-3 else f"{excess:+.1%}") + wrong
