"""The rows as tables in the terminal."""

from rich.markup import escape
from rich.table import Table

from .rows import digits, groups, quality, time, times

NARROW = 100  # characters: a terminal in which some columns have no room
COLUMNS = "who", "in", "time", "±", "of lloydq's", "steps", "error", "marks"
JUSTIFY = dict.fromkeys(("time", "±", "of lloydq's", "steps"), "right")
KEYS = (
    "±: half the way between the quartiles of the rounds. steps: iterations, where it tells them.\n"
    "of lloydq's: median over rounds of its time by that of lloydq in the same round, with quartiles. Above 1 it takes "
    "longer; red, below 0.95, lloydq is slower; [in brackets] it did other work.\n"
    "error: how far its inertia is above that of Lloyd's algorithm in float64, computed here from what it returned.\n"
)


def cells(row, narrow=False):
    """What stands in each of the columns; a narrow table is without the second and fourth, and without quartiles."""
    info, n_iter = row.info, row.info.get("n_iter")
    around = f"{(row.high - row.low) / row.seconds / 2:.0%}" if row.rounds > 2 else ""
    timed = (
        (info["told"], "", "")
        if row.group.startswith("memory")
        else (time(row.seconds), around, times(row, not narrow))
    )
    last = "" if n_iter is None else str(n_iter), quality(row), ", ".join(info.get("marks", ()))
    return without(narrow, (row.name, info.get("dtype") or "", *timed, *last))


def without(narrow, columns):
    """All columns, or those for which a narrow terminal has room."""
    return (columns[0], columns[2], *columns[4:]) if narrow else columns


def show(record, rows, console):
    """Prints each group: a line for each row, under a line for each case."""
    left_out, machine, narrow = record.get("left_out", []), record["machine_info"], console.width < NARROW
    columns = without(narrow, COLUMNS)
    for group, cases in groups(rows):
        lines = [columns, *(cells(row, narrow) for of_case in cases.values() for row in of_case)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        console.print(group, style="bold", markup=False, highlight=False)
        for number, (case, of_case) in enumerate(cases.items()):
            table = Table(title=case, title_justify="left", box=None, pad_edge=False, show_header=number == 0)
            for column, width in zip(columns, widths, strict=True):
                wraps = column == columns[-1]  # the marks, in what is left of the line
                table.add_column(
                    column, width=None if wraps else width, no_wrap=not wraps, justify=JUSTIFY.get(column, "left")
                )
            for row in of_case:
                style = "green" if row.name == "lloydq" else "red" if row.faster else "" if row.equal else "dim"
                table.add_row(*map(escape, cells(row, narrow)), style=style)
            console.print(table)
        for name, why in reasons(left_out, group):
            console.print(f"  {name}: {why}", style="dim")
        console.print()
    console.print(KEYS, style="dim", markup=False)
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    console.print(f"{processor(machine)}; {versions}\n", style="dim", markup=False)


def processor(machine):
    """What it was measured on, in a line."""
    cpu = machine["cpu"].get("brand_raw", machine["processor"])
    return f"{cpu}, {machine['threads']} threads, {', '.join(machine['vectors'])}"


def reasons(left_out, group):
    """Who did not take part in a group, and why."""
    found = {}
    for one in left_out:
        if one["group"] == group:
            found.setdefault((one["name"], one["why"]), []).append(one["case"])
    for (name, why), cases in found.items():
        yield name, f"{why} ({'; '.join(cases)})"


def show_moved(common, apart, console):
    """Prints how well two runs agree."""
    console.print(
        f"{len(common) - len(apart)} of {len(common)} ratios are within 15 % of the earlier run's", style="bold"
    )
    for row, then in apart:
        spreads = f"{digits(then.ratio)}× ({digits(then.ratio_low)}–{digits(then.ratio_high)}) then, {times(row)} now"
        console.print(f"  {row.case}, {row.name}: {spreads}", markup=False)
