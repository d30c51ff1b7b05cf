#!/usr/bin/env python3
"""Draws the figures of `run.py --json` as a chart in SVG: for each program, how
many times as long as C's each contender takes, on a logarithmic scale.

The same figures always give the same bytes; `--check` compares them with a
chart that is there already.
"""

import argparse
import html
import json
import math
import sys

import project

NAMES = {"ruff": "ruffc build", "ruff-run": "ruffc run", "c": "C", "go": "Go", "node": "Node.js",
         "luajit": "LuaJIT", "lua": "Lua", "pypy": "PyPy", "python": "CPython"}
COLOURS = {"ruff": "#d6432f", "ruff-run": "#e8962e", "go": "#2aa7a0", "node": "#4c9a3f", "luajit": "#8a63c9",
           "lua": "#b39ad9", "pypy": "#c2508f", "python": "#3b78c2"}
WIDTH, LEFT, RIGHT, TOP, ROW = 860, 140, 24, 92, 22

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1c2024; }
.title { font-size: 16px; font-weight: 600; } .dim { fill: #6b7280; }
.grid { stroke: #e3e6ea; } .base { stroke: #6b7280; stroke-width: 1.5; } .span { stroke: #c9ced6; stroke-width: 2; }
.mean { font-weight: 600; } .paper { fill: #ffffff; } .band { fill: #f6f7f9; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e8ea; } .dim { fill: #8c96a3; } .grid { stroke: #2a2f36; } .base { stroke: #8c96a3; }
  .span { stroke: #3b424c; } .paper { fill: #15181c; } .band { fill: #1c2026; }
}
"""


def ratios(record):
    """Rows of a name and each contender's time divided by C's; the means last."""
    stat, manifest = record["stat"], project.manifest()
    rows, means = [], {}
    for name, facts in record["programs"].items():
        times = {c: entry.get(stat) for c, entry in facts["contenders"].items()
                 if not entry["problem"] and not entry["timed_out"]}
        base = times.pop("c", None)
        if not base:
            continue
        row = {c: time / base for c, time in times.items() if time}
        is_counted = manifest.get(name, {}).get("geomean", True)
        rows.append((name if is_counted else name + "*", row))
        if is_counted:
            for contender, ratio in row.items():
                means.setdefault(contender, []).append(ratio)
    average = {c: math.exp(sum(map(math.log, all_ratios)) / len(all_ratios)) for c, all_ratios in means.items()}
    return rows, average


def number(value):
    return "%.2f" % value if value < 10 else "%.0f" % value


def drawn(record):
    rows, means = ratios(record)
    if not rows:
        sys.exit("there are no figures of C's to compare with")
    contenders = [c for c in COLOURS if c in means]
    everything = [ratio for _, row in rows for ratio in row.values()] + [1.0]
    low, high = math.log10(min(everything) * 0.85), math.log10(max(everything) * 1.15)

    def across(ratio):
        return LEFT + (math.log10(ratio) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    bottom = TOP + ROW * (len(rows) + 1) + 10
    height = bottom + 50
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">'
           % (WIDTH, height, WIDTH, height)]
    out.append("<title>Time of programs, divided by that of C</title>")
    out.append("<style>%s</style>" % STYLE)
    out.append('<rect class="paper" width="%d" height="%d"/>' % (WIDTH, height))
    out.append('<text class="title" x="16" y="28">Time, divided by that of C (gcc %s)</text>'
               % html.escape(record["cflags"].split()[0]))
    out.append('<text class="dim" x="16" y="46">%s of %d runs, startup included, logarithmic scale; further left is faster; * is not in the mean</text>'
               % ("least" if record["stat"] == "min" else "median", record["runs"]))
    place = 16
    for contender in contenders:
        label = "%s %s" % (NAMES[contender], number(means[contender]))
        out.append('<circle cx="%d" cy="64" r="5" fill="%s"/>' % (place + 5, COLOURS[contender]))
        out.append('<text x="%d" y="68">%s</text>' % (place + 15, html.escape(label)))
        place += 40 + 7 * len(label)
    out.append('<rect class="band" x="0" y="%d" width="%d" height="%d"/>' % (TOP + ROW * len(rows), WIDTH, ROW))
    marks = [m * 10 ** e for e in range(-2, 4) for m in (1, 2, 5) if low <= math.log10(m * 10 ** e) <= high]
    for mark in marks:
        kind = "base" if mark == 1 else "grid"
        out.append('<line class="%s" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>' % (kind, across(mark), TOP - 8, across(mark), bottom))
        out.append('<text class="dim" text-anchor="middle" x="%.1f" y="%d">%g</text>' % (across(mark), bottom + 16, mark))
    for index, (name, row) in enumerate(rows + [("geometric mean", means)]):
        middle = TOP + ROW * index + ROW // 2
        kind = "mean" if name == "geometric mean" else "name"
        out.append('<text class="%s" text-anchor="end" x="%d" y="%d">%s</text>' % (kind, LEFT - 14, middle + 4, html.escape(name)))
        ends = list(row.values()) + [1.0]
        out.append('<line class="span" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>'
                   % (across(min(ends)), middle, across(max(ends)), middle))
        for contender in reversed(contenders):
            if contender in row:
                radius = 6 if contender == contenders[0] else 5
                out.append('<circle cx="%.1f" cy="%d" r="%d" fill="%s"><title>%s: %s: %s</title></circle>' % (
                    across(row[contender]), middle, radius, COLOURS[contender], html.escape(name),
                    html.escape(NAMES[contender]), number(row[contender])))
    versions = ", ".join(version for _, version in sorted(record["versions"].items()))
    out.append('<text class="dim" x="16" y="%d">%s %s, %d cores; %s</text>' % (
        height - 12, record["system"], record["machine"], record["cores"], html.escape(versions)))
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", help="what `run.py --json` wrote")
    parser.add_argument("chart", help="the chart to be written")
    parser.add_argument("--check", action="store_true", help="write nothing, but fail if the chart is another one")
    options = parser.parse_args()
    with open(options.figures) as handle:
        chart = drawn(json.load(handle))
    if options.check:
        with open(options.chart) as handle:
            if handle.read() != chart:
                print("%s is not made of %s: run benches/chart.py" % (options.chart, options.figures), file=sys.stderr)
                return 1
        return 0
    with open(options.chart, "w") as handle:
        handle.write(chart)
    return 0


if __name__ == "__main__":
    sys.exit(main())
