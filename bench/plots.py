"""The report's figures, as SVG: bars with spread, scaling, error against time, and where lloydq loses."""

import io
from functools import cache

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from .rows import SLOWER, digits, time

OURS, EQUAL, OTHER = "#c2410c", "#475569", "#cbd5e1"
RANGE = 8  # ratios from which on a cell has the full colour
MARKERS = "osD^vPX*<>hpd"
RC = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none"}


@cache
def look(name):
    """A colour and a marker for each contender, the same in all figures."""
    if name == "lloydq":
        return {"color": OURS, "marker": "o", "linewidth": 2.4, "zorder": 5}
    look.seen = getattr(look, "seen", {})
    number = look.seen.setdefault(name, len(look.seen))
    return {
        "color": colormaps["tab20"](number * 2 % 20 + number * 2 // 20),
        "marker": MARKERS[number % 13],
        "linewidth": 1.1,
    }


def svg(figure):
    """For a page: without the declaration that a file has."""
    out = io.StringIO()
    figure.savefig(out, format="svg", bbox_inches="tight")
    text = out.getvalue()
    return text[text.index("<svg") :]


def bars(cases, title, columns=2):
    """The times of each case, with the quartiles of the rounds; pale is other work."""
    cases = {case: [row for row in rows if row.seconds] for case, rows in cases.items()}
    columns = min(columns, len(cases))
    height = [max(len(rows) for rows in list(cases.values())[i : i + columns]) for i in range(0, len(cases), columns)]
    figure = Figure(figsize=(5.6 * columns, sum(height) * 0.24 + len(height) * 1.0 + 0.4), layout="constrained")
    axes = figure.subplots(len(height), columns, squeeze=False, height_ratios=[h + 1.5 for h in height])
    for ax in axes.flat[len(cases) :]:
        ax.set_visible(False)
    for ax, (case, rows) in zip(axes.flat, cases.items(), strict=False):
        seconds = np.array([row.seconds for row in rows])
        unit, factor = ("s", 1) if np.median(seconds) >= 0.5 else ("ms", 1e3)
        around = np.abs(np.array([(row.seconds - row.low, row.high - row.seconds) for row in rows]).T) * factor
        colors = [OURS if row.name.startswith("lloydq") else EQUAL if row.equal else OTHER for row in rows]
        ax.barh(
            range(len(rows)), seconds * factor, color=colors, xerr=around, error_kw={"elinewidth": 0.9, "capsize": 2}
        )
        ax.set_yticks(range(len(rows)), [row.name + ("" if row.equal else " *") for row in rows])
        ax.invert_yaxis()
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel(f"{unit}, median and quartiles; * other work")
        ax.set_title(case, fontsize=9, loc="left", fontweight="bold")
        for y, row in enumerate(rows):
            place = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "fontsize": 7.5}
            ax.annotate(time(row.seconds), (row.high * factor, y), **place)
        ax.set_xlim(seconds.min() * factor / 2, max(row.high for row in rows) * factor * 4)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    return figure


def amounts(values, title, xlabel):
    """A bar for each {name: value}; lloydq's, if it is one of several, has its colour."""
    figure = Figure(figsize=(8.4, 0.24 * len(values) + 1.0), layout="constrained")
    ax = figure.subplots()
    bars = ax.barh(list(values), list(values.values()), color=[OURS if name == "lloydq" else EQUAL for name in values])
    ax.bar_label(bars, fmt="{:,.0f}", padding=4, fontsize=7.5)
    ax.invert_yaxis()
    ax.axvline(0, color="black", linewidth=0.6)
    ax.margins(x=0.08)
    ax.set_xlabel(xlabel)
    ax.set_title(title, fontsize=11, loc="left")
    return figure


def scaling(cases, title):
    """Time against the size, both by factors."""
    figure = Figure(figsize=(8.4, 4.8), layout="constrained")
    ax = figure.subplots()
    axis = next(iter(next(iter(cases.values())))).info["case"]["axis"]
    for name, rows in by_name(cases).items():
        rows = sorted((row for row in rows if row.info["case"]["size"]), key=lambda row: row.info["case"]["size"])
        sizes, seconds = [row.info["case"]["size"] for row in rows], [row.seconds for row in rows]
        ax.errorbar(
            sizes, seconds, [[row.seconds - row.low for row in rows], [row.high - row.seconds for row in rows]],
            label=name, markersize=4, capsize=2, elinewidth=0.8, **look(name),
        )  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel=axis, ylabel="seconds for a fit, median and quartiles", title=title)
    if axis == "threads":
        ticks = sorted({row.info["case"]["size"] for rows in cases.values() for row in rows})
        ax.set_xticks(ticks, [str(int(tick)) for tick in ticks], minor=False)
        ax.xaxis.minorticks_off()
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.grid(alpha=0.3)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def error_against_time(cases, title):
    """What inertia was reached after how long, above the least of all."""
    figure = Figure(figsize=(8.4, 4.8), layout="constrained")
    ax = figure.subplots()
    least = min(row.info["inertia"] for rows in cases.values() for row in rows)
    for name, rows in by_name(cases).items():
        rows = sorted(rows, key=lambda row: row.info["reference"]["n_iter"])
        above = [max(row.info["inertia"] / least - 1, 1e-5) * 100 for row in rows]
        ax.plot([row.seconds for row in rows], above, label=name, markersize=5, **look(name))
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="seconds, for 1, 2, 5, 10, 20 and 50 iterations, and until no label changes",
        ylabel="inertia above the least of all, % (floor: 0.001)",
        title=title,
    )
    ax.grid(alpha=0.3)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def pictures(cases, title):
    """MSE against time, a panel for each number of colours."""
    figure = Figure(figsize=(4.6 * len(cases), 4.2), layout="constrained")
    for ax, (case, rows) in zip(figure.subplots(1, len(cases), squeeze=False)[0], cases.items(), strict=True):
        for row in rows:
            kind = look(row.name)
            ax.plot(
                row.seconds,
                row.info["mse"],
                linestyle="",
                markersize=8,
                label=row.name,
                color=kind["color"],
                marker=kind["marker"],
            )
        ax.set(xscale="log", yscale="log", xlabel="seconds", ylabel="MSE, summed over the channels", title=case)
        ax.grid(alpha=0.3, which="both")
        ax.yaxis.set_major_formatter("{x:.0f}")
        ax.yaxis.set_minor_formatter("{x:.0f}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.set_major_formatter("{x:g}")
        ax.tick_params(axis="y", which="minor", labelsize=7)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    handles = {name: one for ax in figure.axes for one, name in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def grid(cases, title):
    """Each contender's ratio in each case, where it did the same work: red where lloydq is slower."""
    names = [name for name in by_name(cases) if name != "lloydq"]
    values = np.full((len(cases), len(names)), np.nan)
    for y, rows in enumerate(cases.values()):
        for row in rows:
            if row.name in names and row.equal and row.ratio:
                values[y, names.index(row.name)] = row.ratio
    figure = Figure(figsize=(0.78 * len(names) + 3.6, 0.3 * len(cases) + 1.7), layout="constrained")
    ax = figure.subplots()
    shade, tint = LogNorm(1 / RANGE, RANGE, clip=True), colormaps["RdBu"]
    ax.imshow(values, cmap=tint, norm=shade, aspect="auto")
    for (y, x), value in np.ndenumerate(values):
        lost, there = value < SLOWER, not np.isnan(value)
        dark = there and np.dot(tint(float(shade(value)))[:3], (0.3, 0.6, 0.1)) < 0.5
        style = {"fontsize": 8, "fontweight": "bold" if lost else "normal", "color": "white" if dark else "black"}
        ax.annotate(digits(value) if there else "–", (x, y), ha="center", va="center", **style)
    ax.set_xticks(range(len(names)), names, rotation=40, ha="left")
    ax.xaxis.tick_top()
    ax.set_yticks(range(len(cases)), list(cases))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel(
        "their time by lloydq's at equal work: red, bold: lloydq is slower; – other work, left out or not meant for it"
    )
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    return figure


def by_name(cases):
    """The rows of each contender over all cases."""
    found = {}
    for rows in cases.values():
        for row in rows:
            found.setdefault(row.name, []).append(row)
    return found
