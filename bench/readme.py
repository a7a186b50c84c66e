"""README's section on speed, its table and its chart, from the recorded run: `python -m bench.readme`."""

import re
import sys

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from .__main__ import HERE, RESULTS
from .plots import EQUAL, OTHER, OURS, RC
from .rows import digits, groups, read, time

README, CHART = HERE.parent / "README.md", RESULTS / "measured.png"
BEGIN, END = "<!-- made by `python -m bench.readme` from bench/results/full.json -->\n", "<!-- to here -->\n"
SHOWN = "scikit-learn", "scikit-learn-intelex", "faiss", "OpenCV"
GROUPS = (
    "recipe, fit", "recipe, nearest of 64 colours for every pixel", "photograph, until no label changes",
    "until no label changes", "nearest",
)  # fmt: skip
PROGRAMS = "quantizers as whole processes: PNG in, PNG out, not dithered"
CHARTED = {
    "recipe, nearest of 64 colours for every pixel": ("fitted to 2,000 pixels",),
    "photograph, until no label changes": ("distinct colours with counts, k = 64",),
    "until no label changes": ("mixture 200,000 × 8, k = 64", "digits 1,797 × 64, k = 10"),
}


def section(record, rows):
    """What stands between the two marks."""
    machine, found = record["machine_info"], dict(groups(rows))
    cpu = machine["cpu"].get("brand_raw", machine["processor"])
    packages = "scikit-learn", "scikit-learn-intelex", "faiss-cpu", "opencv-python-headless"
    versions = ", ".join(f"{name} {machine['versions'][name]}" for name in packages)
    yield (
        f"Recorded on {record['datetime'][:10]}: {cpu}, {machine['threads']} threads, {', '.join(machine['vectors'])}; "
        f"{versions}.\nA time is lloydq's median; × is the contender's time by it, round by round: above 1 lloydq is "
        "faster, **bold** it is slower.\nAll start at the same centroids, take their faster dtype and do the same work."
    )
    yield "\n![The times of everybody at four pieces of work](bench/results/measured.png)\n"
    yield "| work | lloydq | " + " | ".join(SHOWN) + " | the fastest other |"
    yield "|---|---|" + "---|" * (len(SHOWN) + 1)
    for group in GROUPS:
        for case, of_case in found.get(group, {}).items():
            yield line(group, case, {row.name: row for row in of_case})
    yield "\n¹ another optimum, from the same start: ties lie on the way, and rounding decides them."
    yield "\n| whole processes, PNG in, PNG out | time | × | MSE | mean ΔE2000 | bytes |"
    yield "|---|---|---|---|---|---|"
    for case, of_case in found.get(PROGRAMS, {}).items():
        for row in of_case:
            ratio = "1" if row.name == "lloydq" else mark(row)
            facts = f"{row.info['mse']:.1f} | {row.info['delta_e']:.2f} | {row.info['bytes']:,}"
            yield f"| {row.name}, {case} | {time(row.seconds)} | {ratio} | {facts} |"


def line(group, case, of_case):
    """A row of the table."""
    others = [row for row in of_case.values() if row.equal and row.ratio and not row.name.startswith("lloydq")]
    fastest = min(others, key=lambda row: row.ratio, default=None)
    cells = [mark(of_case.get(name)) for name in SHOWN]
    last = f"{fastest.name} {mark(fastest)}" if fastest else ""
    work = f"{group.removeprefix('recipe, ')}: {case}" if group.startswith(("recipe", "nearest")) else case
    ours = of_case.get("lloydq")
    return f"| {work} | {time(ours.seconds) if ours else 'left out'} | " + " | ".join([*cells, last]) + " |"


def mark(row):
    """A ratio, bold where lloydq is slower."""
    if row is None or row.ratio is None:
        return ""
    text = f"{digits(row.ratio)}×"
    note = "¹" if "other optimum" in row.info.get("marks", ()) else ""
    return (f"**{text}**" if row.ratio < 0.95 else text) + note


def chart(rows):
    """Bars at four pieces of work, one of which lloydq loses."""
    found = dict(groups(rows))
    panels = [(case, found[group][case]) for group, cases in CHARTED.items() for case in cases]
    figure = Figure(figsize=(11, 7.2), layout="constrained", dpi=110)
    for ax, (case, of_case) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        many = [row for row in of_case if row.info.get("n_iter") is not None or row.equal]
        ax.barh(
            range(len(many)), [row.seconds for row in many],
            color=[OURS if row.name == "lloydq" else EQUAL if row.equal else OTHER for row in many],
        )  # fmt: skip
        ax.set_yticks(range(len(many)), [row.name for row in many])
        ax.invert_yaxis()
        for y, row in enumerate(many):
            ax.annotate(
                time(row.seconds), (row.seconds, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8
            )
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlim(min(row.seconds for row in many) / 2, max(row.seconds for row in many) * 3)
        ax.set_xlabel("seconds")
        ax.set_title(TITLES.get(case, case), fontsize=10, loc="left", fontweight="bold")
    return figure


TITLES = {
    "fitted to 2,000 pixels": "the nearest of 64 colours for 2,073,600 pixels",
    "distinct colours with counts, k = 64": "fit of 104,487 colours with counts, k = 64",
    "mixture 200,000 × 8, k = 64": "fit of 200,000 × 8, k = 64, until no label changes",
    "digits 1,797 × 64, k = 10": "fit of the digits, 1,797 × 64, k = 10",
}


def written(text, record, rows):
    """README with the section made anew."""
    inside = "\n".join(section(record, rows))
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}{inside}\n{END}", text, flags=re.DOTALL)


def main():
    record, rows = read(RESULTS / "full.json")
    README.write_text(written(README.read_text(encoding="utf-8"), record, rows), encoding="utf-8")
    with mpl.rc_context(RC):
        chart(rows).savefig(CHART)


if __name__ == "__main__":
    sys.exit(main())
