"""One HTML page that needs nothing else: the machine, who took part, every figure and every table."""

from html import escape

import matplotlib as mpl

from . import plots
from .contenders import CONTENDERS, MAPPERS
from .rows import groups
from .table import COLUMNS, KEYS, cells, processor, reasons

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1e293b; max-width: 1180px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.7em } h2 { margin-top: 2.2em; border-bottom: 1px solid #e2e8f0 } h3 { margin: 1.4em 0 .3em; font-size: 1em }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; width: 100% }
th { text-align: left; font-weight: 600; color: #64748b } td, th { padding: 2px 10px 2px 0; vertical-align: top }
td:nth-child(3), td:nth-child(5), td:nth-child(6) { text-align: right; padding-right: 16px; white-space: nowrap }
td:nth-child(4) { white-space: nowrap }
tr.ours td { color: #c2410c; font-weight: 600 } tr.faster td { background: #fee2e2 } tr.other td { color: #94a3b8 }
figure { margin: 1em 0; overflow-x: auto } svg { max-width: 100%; height: auto }
.facts td:first-child { color: #64748b; white-space: nowrap } .facts { width: auto } p.small, li { font-size: 13px; color: #475569 }
"""
PLAIN = (
    "Every round of a contender runs right next to one of lloydq, so that what disturbs one disturbs both; the ratio is the "
    "median over these pairs. All begin at the same centroids and have the same threads; each takes its faster dtype; "
    "loading and compiling are done before. What was returned is judged here in float64. Rows on red did the same work in "
    "less time than lloydq (by more than 5 %); grey rows did other work, which the last column names, and are not compared."
)


def page(record, rows):
    """The whole page as text."""
    with mpl.rc_context(plots.RC):
        body = [*head(record), *losses(rows)]
        for group, cases in groups(rows):
            body.append(f"<h2>{escape(group)}</h2>")
            body += [f"<figure>{plots.svg(figure)}</figure>" for figure in figures(group, cases)]
            body += tables(cases)
            body += [f"<ul>{''.join(left)}</ul>" for left in [list(left_out(record, group))] if left]
    whole = "\n".join(body)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>lloydq, measured</title><style>{STYLE}</style>\n{whole}\n</html>\n'


def figures(group, cases):
    """Those that suit the group."""
    rows = [row for of_case in cases.values() for row in of_case]
    axis = rows[0].info["case"].get("axis")
    if group.startswith("quantizers"):
        yield plots.pictures(cases, "Speed and error")
    elif axis == "error":
        yield plots.error_against_time(cases, "Error against time, from the same start")
    elif axis and len({row.info["case"]["size"] for row in rows}) > 1:
        yield plots.scaling(cases, group)
    elif group.startswith("memory"):
        yield plots.amounts({row.name: row.info["bytes"] / 2**20 for row in rows}, "Memory", "MiB, beside the points")
    elif "share" in rows[0].info:
        shares = {row.case: max(row.info["share"], -1.0) * 100 for row in rows}
        yield plots.amounts(
            shares, "Drawing by value", "% of the fit's time; below 0 it is the faster way (floor: -100)"
        )
    elif len(cases) > 3 and any(row.name != "lloydq" for row in rows):
        yield plots.grid(cases, "Ratios at a glance")
    if not axis and len(cases) <= 6 and len(rows) > len(cases) and "memory" not in group:
        yield plots.bars(cases, "Times")


def head(record):
    machine, when = record["machine_info"], record["datetime"][:16].replace("T", " ")
    facts = {
        "when": f"{when} UTC, the {record['set']} set",
        "processor": processor(machine),
        "memory": f"{(machine['memory'] or 0) / 2**30:.0f} GiB, {machine['system']}",
        "BLAS, OpenMP": "; ".join(sorted({" ".join(map(str, pool.values())) + " threads" for pool in record["pools"]})),
        "versions": ", ".join(f"{name} {number}" for name, number in machine["versions"].items()),
        "programs": ", ".join(f"{name} {number}" for name, number in machine["programs"].items()),
        "commit": f"{record['commit_info'].get('id', '')[:10]}{', with changes' if record['commit_info'].get('dirty') else ''}",
        "measured again": "; ".join(
            sorted({f"{when[:16].replace('T', ' ')} UTC, commit {commit[:10]}" for when, commit in again(record)})
        ),
        "not here": ", ".join(missing(machine["versions"])) or "nobody: all contenders are installed",
    }
    yield "<h1>k-means and colour quantizers, measured</h1>"
    yield f"<p>{PLAIN}</p>"
    yield '<table class="facts">' + "".join(
        f"<tr><td>{key}</td><td>{escape(value)}</td></tr>" for key, value in facts.items() if value
    )
    yield f'</table><p class="small">{escape(KEYS)}</p>'


def again(record):
    """When, and at which commits, parts of the record were measured once more."""
    return [tuple(one["extra_info"]["again"]) for one in record["benchmarks"] if "again" in one["extra_info"]]


def missing(versions):
    """Packages of contenders that were not installed when the record was made."""
    packages = dict.fromkeys(who.package for who in [*CONTENDERS.values(), *MAPPERS.values()])
    return [package for package in packages if package not in versions]


def losses(rows):
    """Where somebody else is faster at equal work, in one list."""
    lost = [row for row in rows if row.faster and not row.name.startswith("lloydq")]
    if not lost:
        return
    yield f"<h2>Where lloydq is slower at equal work: {len({(row.group, row.case) for row in lost})} cases</h2><ul>"
    for group, cases in groups(lost):
        for case, of_case in cases.items():
            who = ", ".join(f"{row.name} {row.ratio:.2f}×" for row in sorted(of_case, key=lambda row: row.ratio))
            yield f"<li>{escape(group)}; {escape(case)}: {escape(who)}</li>"
    yield "</ul>"


def tables(cases):
    for case, rows in cases.items():
        yield f"<h3>{escape(case)}</h3><table><tr>{''.join(f'<th>{column}</th>' for column in COLUMNS)}</tr>"
        for row in rows:
            kind = "ours" if row.name == "lloydq" else "faster" if row.faster else "" if row.equal else "other"
            yield f'<tr class="{kind}">{"".join(f"<td>{escape(cell)}</td>" for cell in cells(row))}</tr>'
        yield "</table>"


def left_out(record, group):
    for name, why in reasons(record.get("left_out", []), group):
        yield f"<li>{escape(name)}: {escape(why)}</li>"
