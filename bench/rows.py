"""From pytest-benchmark's JSON to the rows of a table: ratios with their spread, the best first."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

# Marks of work that is not the same; the others are a contender's own ways to do the same work
OTHER = (
    "subsampled", "own stop", "not converged", "other optimum", "other result", "other algorithm",
)  # fmt: skip
SLOWER = 0.95  # the median ratio below which lloydq is called slower: 5 % is within the noise


@dataclass(frozen=True)
class Row:
    """One contender at one piece of work."""

    group: str
    case: str
    name: str
    seconds: float  # median
    low: float  # the quartiles of the rounds, or the range where there are fewer than four
    high: float
    rounds: int
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
        return self.equal and self.ratio is not None and self.ratio < SLOWER


def read(path):
    """The record, and its rows; what broke off before it was judged has none."""
    record = json.loads(Path(path).read_text(encoding="utf-8"))
    told = [benchmark for benchmark in record["benchmarks"] if "case" in benchmark["extra_info"]]
    ours = {}  # all rounds of lloydq, those beside others too
    for benchmark in told:
        info = benchmark["extra_info"]
        times = benchmark["stats"]["data"] if info["name"] == "lloydq" else info.get("beside", [])
        ours.setdefault((info["case"]["group"], info["case"]["name"]), []).extend(times)
    rows = [row(benchmark, ours) for benchmark in told]
    there = {(one.group, one.case) for one in rows if one.name == "lloydq"}
    for benchmark in told:
        case = benchmark["extra_info"]["case"]
        at = case["group"], case["name"]
        if ours[at] and at not in there:  # it has no line of its own, but was measured beside others
            there.add(at)
            seconds, info = median(ours[at]), {"case": case, "name": "lloydq", "told": "only beside others"}
            rows.append(Row(*at, "lloydq", seconds, *spread(ours[at]), len(ours[at]), 1.0, None, None, info))
    return record, rows


def renewed(earlier, record):
    """An earlier record of the same machine, with what was measured again in its place; it tells when, and of what."""
    here, there = (
        (one["machine_info"]["cpu"].get("brand_raw"), one["machine_info"]["versions"]) for one in (record, earlier)
    )
    if here != there:
        raise ValueError(f"the records are of different machines or packages: {here} and {there}")
    for one in record["benchmarks"]:
        one["extra_info"]["again"] = record["datetime"], record["commit_info"]["id"]
    again = {one["fullname"]: one for one in record["benchmarks"]}
    place = [again.pop(one["fullname"], one) for one in earlier["benchmarks"]]
    measured = {place_of(one["extra_info"]) for one in record["benchmarks"] if "case" in one["extra_info"]}
    measured |= {(one["group"], one["case"], one["name"]) for one in record["left_out"]}
    left = [one for one in earlier["left_out"] if (one["group"], one["case"], one["name"]) not in measured]
    return earlier | {
        "benchmarks": [*place, *again.values()],
        "left_out": [*left, *record["left_out"]],
        "took": earlier["took"] | record["took"],
    }


def place_of(info):
    """Group, case and name of a row."""
    return info["case"]["group"], info["case"]["name"], info["name"]


def row(benchmark, ours=None):
    info, times = benchmark["extra_info"], benchmark["stats"]["data"]
    group, case, name = info["case"]["group"], info["case"]["name"], info["name"]
    if name == "lloydq" and ours:
        times = ours[group, case]
    ratios = [time / beside for time, beside in zip(times, info.get("beside", ()), strict=False)]
    ratio = (median(ratios), *spread(ratios)) if ratios else (1.0 if name == "lloydq" else None, None, None)
    return Row(group, case, name, median(times), *spread(times), len(times), *ratio, info)


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
        yield group, {case: sorted(of_case, key=size) for case, of_case in cases.items()}


def size(row):
    """By what the rows of a case are in order: time, or memory."""
    return row.info["bytes"] if row.group.startswith("memory") else row.seconds


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


def times(row, around=True):
    """The ratio and its spread, in brackets where the work was not the same."""
    if row.ratio is None:
        return "–"
    if row.ratio_low is None:
        return "1"
    text = f"{digits(row.ratio)}×"
    if around and row.rounds > 2:
        text += f" ({digits(row.ratio_low)}–{digits(row.ratio_high)})"
    return text if row.equal else f"[{text}]"


def digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def quality(row):
    """How far the error is above the reference's, and what else is told."""
    info = row.info
    excess, told = info.get("excess"), "" if row.group.startswith("memory") else info.get("told", "")
    if "mse" in info:
        return f"MSE {info['mse']:.2f}"
    if excess is None:
        return told
    wrong = f", {info['wrong']:,} wrong labels" if info.get("wrong") else ""
    error = "the same" if abs(excess) < 1e-6 else f"{excess:+.4%}" if abs(excess) < 1e-3 else f"{excess:+.1%}"
    return error + wrong + (f"; {told}" if told else "")
