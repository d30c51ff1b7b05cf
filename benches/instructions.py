#!/usr/bin/env python3
"""Instructions that programs execute, as callgrind counts them, against a baseline.

Counts are the same in every run, so a small loss shows that no stopwatch would
see.  More than the tolerance above the baseline is a failure; whoever means it,
or gained something, blesses the new counts and commits them.  They are those of
the compiler and the runtime as they ship, on one kind of machine.
"""

import argparse
import concurrent.futures
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

import project

BASELINE = os.path.join(project.HERE, "instructions.json")
COLLECTED = re.compile(r"Collected\s*:\s*(\d+)")


def machine():
    return "%s %s" % (platform.system(), platform.machine())


def count(ruffc, folder, name, n):
    """Instructions of one program, or the reason why there is no number."""
    program = os.path.join(folder, name)
    built = subprocess.run([ruffc, "build", project.source(name), "-o", program],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if built.returncode != 0:
        return None, "build failed: " + built.stdout.strip()[-300:]
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, str(n)],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    found = COLLECTED.search(run.stderr)
    if run.returncode != 0 or not found:
        return None, "run failed with status %d: %s" % (run.returncode, run.stderr.strip()[-300:])
    return int(found.group(1)), None


def judged(name, n, now, known, tolerance):
    """A row of the table, and whether it is a failure."""
    before = known.get(name)
    if before is None:
        return [name, n, now, "-", "new"], False
    if before["n"] != n:
        return [name, n, now, "-", "another size"], False
    change = now / before["instructions"] - 1
    verdict = ""
    if change > tolerance:
        verdict = "MORE"
    elif change < -tolerance:
        verdict = "less: bless it"
    return [name, n, now, "%+.2f%%" % (100 * change), verdict], change > tolerance


def show(rows):
    rows = [["program", "n", "instructions", "change", ""]] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [row[k].rjust(widths[k]) for k in (1, 2, 3)] + [row[4]]
        print("  ".join(cells).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    project.add_compiler_option(parser)
    parser.add_argument("--programs", help="comma-separated names (default: all)")
    parser.add_argument("--tolerance", type=float, default=3.0, metavar="PERCENT",
                        help="what counts may rise by (default 3)")
    parser.add_argument("--bless", action="store_true", help="make the counts of this run the baseline")
    parser.add_argument("--baseline", default=BASELINE, metavar="FILE", help="(default: instructions.json next to this file)")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("valgrind is not installed, so instructions are not counted (`apt-get install valgrind`)", file=sys.stderr)
        return 1 if options.bless else 0

    sizes = {name: facts["count"] for name, facts in project.manifest().items()}
    names = project.chosen(options.programs, sizes)
    stored = {"machine": machine(), "programs": {}}
    if os.path.exists(options.baseline):
        with open(options.baseline) as handle:
            stored = json.load(handle)
    if stored["machine"] != machine() and not options.bless:
        print("the baseline is of %s, and this is %s: nothing is compared" % (stored["machine"], machine()), file=sys.stderr)
        return 0

    ruffc = project.compiler(options.ruffc)
    counts, problems = {}, []
    with tempfile.TemporaryDirectory(prefix="instructions-") as folder:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            results = pool.map(lambda name: count(ruffc, folder, name, sizes[name]), names)
            for name, (instructions, problem) in zip(names, results):
                if problem:
                    problems.append("%s: %s" % (name, problem))
                else:
                    counts[name] = {"n": sizes[name], "instructions": instructions}

    known = stored["programs"] if stored["machine"] == machine() else {}
    rows, failed = [], []
    for name, counted in counts.items():
        row, is_failure = judged(name, counted["n"], counted["instructions"], known, options.tolerance / 100)
        rows.append(row)
        if is_failure:
            failed.append(name)
    show(rows)
    for problem in problems:
        print("!!! " + problem, file=sys.stderr)
    if options.bless and not problems:
        kept = {name: known[name] for name in sizes if name in known}
        kept.update(counts)
        with open(options.baseline, "w") as handle:
            json.dump({"machine": machine(), "programs": {name: kept[name] for name in sizes if name in kept}},
                      handle, indent=1)
            handle.write("\n")
        print("blessed: " + os.path.relpath(options.baseline))
        return 0
    if failed:
        print("!!! more than %g%% above the baseline: %s (`benches/instructions.py --bless`, if that is meant)"
              % (options.tolerance, ", ".join(failed)), file=sys.stderr)
    return 1 if failed or problems else 0


if __name__ == "__main__":
    sys.exit(main())
