"""README's section on speed, its table and its chart, from the recorded run: `python -m bench.readme`."""

import re
import sys

import matplotlib as mpl

from . import RESULTS
from .plots import RC, bars
from .rows import SLOWER, digits, groups, read, time
from .table import processor

README, RECORD, CHART = RESULTS.parents[1] / "README.md", RESULTS / "full.json", RESULTS / "measured.png"
BEGIN, END = "<!-- made by `python -m bench.readme` from bench/results/full.json -->\n", "<!-- to here -->\n"
SHOWN = "scikit-learn", "scikit-learn-intelex", "faiss", "OpenCV"
GROUPS = (
    "recipe, fit", "recipe, nearest of 64 colours for every pixel", "photograph, until no label changes",
    "until no label changes", "nearest",
)  # fmt: skip
STARTS = "a process of its own: start, load, fit 2,000 pixels for 20 iterations"
LARGE = "large pictures"
PROGRAMS = "quantizers as whole processes: PNG in, PNG out, not dithered"
CHARTED = {  # the last is small: there lloydq is behind
    "the nearest of 64 colours for 2,073,600 pixels": (GROUPS[1], "fitted to 2,000 pixels"),
    "fit of 104,487 colours with counts, k = 64": (GROUPS[2], "distinct colours with counts, k = 64"),
    "fit of 200,000 × 8, k = 64, until no label changes": (GROUPS[3], "mixture 200,000 × 8, k = 64"),
    "fit of the digits, 1,797 × 64, k = 10": (GROUPS[3], "digits 1,797 × 64, k = 10"),
}


def section(record, rows):
    """What stands between the two marks."""
    machine, found = record["machine_info"], dict(groups(rows))
    packages = "scikit-learn", "scikit-learn-intelex", "faiss-cpu", "opencv-python-headless"
    versions = ", ".join(f"{name} {machine['versions'][name]}" for name in packages)
    yield (
        f"Recorded on {record['datetime'][:10]}: {processor(machine)}; {versions}.\nA time is lloydq's median, × "
        "the contender's by it, round by round: above 1 lloydq is faster, **bold** it is slower.\nAll start at the "
        "same centroids, take their faster dtype and do the same work, or stand in brackets: another optimum, not "
        "converged."
    )
    if later := {
        one["extra_info"]["case"]["group"].split(":")[0] for one in record["benchmarks"] if "again" in one["extra_info"]
    }:
        yield f"Measured again on the same machine, at a later commit: {'; '.join(sorted(later))}."
    yield "\n![The times of everybody at four pieces of work](bench/results/measured.png)\n"
    yield "| work | lloydq | " + " | ".join(SHOWN) + " | the fastest other |"
    yield "|---|---|" + "---|" * (len(SHOWN) + 1)
    for group in GROUPS:
        for case, of_case in found.get(group, {}).items():
            yield line(group, case, {row.name: row for row in of_case})
    yield lost(rows)
    yield from programs(found.get(PROGRAMS, {}))
    for group in (STARTS, LARGE):
        yield from told(group, found.get(group, {}))


def told(group, cases):
    """More facts, each in a line."""
    for case, of_case in cases.items():
        ours = next(row for row in of_case if row.name == "lloydq")
        others = "".join(f"; {row.name} {mark(row)}" for row in of_case if row is not ours)
        yield f"\n{group[0].upper()}{group[1:]}, {case}: {ours.info.get('told', time(ours.seconds))}{others}."


def lost(rows):
    """In how many cases of the record somebody is faster, and the worst; starts are told by themselves."""
    cases = {(row.group, row.case) for row in rows if row.name == "lloydq"}
    faster = [row for row in rows if row.faster and row.group != STARTS and not row.name.startswith("lloydq")]
    worst = min(faster, key=lambda row: row.ratio)
    return (
        f"\nOf {len(cases)} cases in the record somebody is faster in {len({(r.group, r.case) for r in faster})}, the "
        f"furthest {worst.name} at {worst.case} (**{digits(worst.ratio)}×**). "
        "`python -m bench --from bench/results/full.json --report report` lists them all."
    )


def programs(cases):
    """The table of whole processes."""
    yield "\nEach quantizer has an algorithm of its own, so here the error belongs to the time:\n"
    yield "| whole processes, PNG in, PNG out | time | × | MSE | mean ΔE2000 | bytes |"
    yield "|---|---|---|---|---|---|"
    for case, of_case in cases.items():
        for row in of_case:
            ratio = "1" if row.name == "lloydq" else f"{digits(row.ratio)}×"
            ratio = f"**{ratio}**" if row.ratio < SLOWER else ratio
            facts = f"{row.info['mse']:.1f} | {row.info['delta_e']:.2f} | {row.info['bytes']:,}"
            yield f"| {row.name}, {case} | {time(row.seconds)} | {ratio} | {facts} |"


def line(group, case, of_case):
    """A row of the table."""
    others = [row for row in of_case.values() if row.equal and row.ratio and not row.name.startswith("lloydq")]
    fastest = min(others, key=lambda row: row.ratio, default=None)
    cells = [mark(of_case.get(name)) for name in SHOWN]
    last = f"{fastest.name} {mark(fastest)}" if fastest else ""
    work = f"{group.removeprefix('recipe, ')}: {case}" if group.startswith(("recipe", "nearest")) else case
    return f"| {work} | {time(of_case['lloydq'].seconds)} | " + " | ".join([*cells, last]) + " |"


def mark(row):
    """A ratio, bold where lloydq is slower, in brackets where the work was not the same."""
    if row is None or row.ratio is None:
        return ""
    text = f"{digits(row.ratio)}×"
    return f"**{text}**" if row.faster else text if row.equal else f"[{text}]"


def chart(rows):
    """Bars at four pieces of work."""
    found = dict(groups(rows))
    return bars({title: found[group][case] for title, (group, case) in CHARTED.items()}, "")


def written(text, record, rows):
    """README with the section made anew."""
    inside = "\n".join(section(record, rows))
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}{inside}\n{END}", text, flags=re.DOTALL)


def main():
    record, rows = read(RECORD)
    README.write_text(written(README.read_text(encoding="utf-8"), record, rows), encoding="utf-8")
    with mpl.rc_context(RC):
        chart(rows).savefig(CHART, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
