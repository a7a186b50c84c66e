"""The rows as tables: in the terminal, in Markdown."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .rows import digits, groups, quality, time, times

COLUMNS = "who", "in", "time", "±", "of lloydq's", "steps", "error", "marks"
KEYS = (
    "±: half the way between the quartiles of the rounds. steps: iterations, where it tells them.\n"
    "of lloydq's: median over rounds of its time by that of lloydq in the same round, with quartiles; above 1 it takes "
    "longer, [in brackets] it did other work.\n"
    "error: how far its inertia is above that of Lloyd's algorithm in float64, computed here from what it returned.\n"
)


def cells(row):
    info = row.info
    n_iter = info.get("n_iter")
    return (
        row.name, info.get("dtype") or "", time(row.seconds), f"{(row.high - row.low) / row.seconds / 2:.0%}",
        times(row),
        "" if n_iter is None else str(n_iter), quality(row), ", ".join(info.get("marks", ())),
    )  # fmt: skip


def show(rows, left_out, console=None):
    """Prints a table for each group."""
    console = console or Console()
    for group, cases in groups(rows):
        table = Table(title=group, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for column in COLUMNS:
            table.add_column(column, justify="right" if column in ("time", "±", "of lloydq's", "steps") else "left")
        for case, of_case in cases.items():
            table.add_row(f"[italic]{escape(case)}")
            for row in of_case:
                style = "green" if row.name == "lloydq" else "red" if row.faster else "" if row.equal else "dim"
                table.add_row(*map(escape, cells(row)), style=style)
        console.print(table)
        for name, why in reasons(left_out, group):
            console.print(f"  {name}: {why}", style="dim")
        console.print()
    console.print(KEYS, style="dim", markup=False)


def reasons(left_out, group):
    """Who did not take part in a group, and why."""
    found = {}
    for one in left_out:
        if one["group"] == group:
            found.setdefault((one["name"], one["why"]), []).append(one["case"])
    for (name, why), cases in found.items():
        yield name, f"{why} ({'; '.join(cases)})"


def markdown(rows):
    """A table for each group."""
    for group, cases in groups(rows):
        yield f"\n### {group}\n"
        for case, of_case in cases.items():
            yield f"\n**{case}**\n"
            yield "| " + " | ".join(COLUMNS) + " |"
            yield "|" + "---|" * len(COLUMNS)
            yield from ("| " + " | ".join(cells(row)) + " |" for row in of_case)


def show_moved(common, apart, console):
    """Prints how well two runs agree."""
    console.print(
        f"{len(common) - len(apart)} of {len(common)} ratios are within 15 % of the earlier run's", style="bold"
    )
    for row, then in apart:
        spreads = f"{digits(then.ratio)}× ({digits(then.ratio_low)}–{digits(then.ratio_high)}) then, {times(row)} now"
        console.print(f"  {row.case}, {row.name}: {spreads}", markup=False)
