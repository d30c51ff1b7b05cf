#!/usr/bin/env python3
"""The gate that each engine is worth having: an executable is never slower than
`ruffc run`, and that never slower than the interpreter alone.

What counts is the processor's time, which others on the machine disturb least;
a program whose interpreted run takes less than a threshold says nothing.  Runs of
the three take turns, the fastest of each counts, and what looks slower is
measured again.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile

import project

ENGINES = ["executable", "run", "interpreter"]


def seconds(command):
    """The processor's time for a command, and what that prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode != 0:
        raise RuntimeError("status %d: %s" % (done.returncode, done.stderr.decode("utf-8", "replace")[-300:]))
    return taken, done.stdout


def measure(commands, best, rounds):
    """Lets all engines take turns, and lowers `best`; all must print the same."""
    for _ in range(rounds):
        outputs = set()
        for engine in ENGINES:
            taken, output = seconds(commands[engine])
            best[engine] = min(taken, best.get(engine, taken))
            outputs.add(output)
        if len(outputs) > 1:
            raise RuntimeError("the engines print different things")


def slower(best, slack):
    """Which engine is slower than the next one, with that; nothing if none is."""
    for engine, other in zip(ENGINES, ENGINES[1:]):
        if best[engine] > best[other] * (1 + slack):
            return engine, other
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    project.add_compiler_option(parser)
    parser.add_argument("--programs", help="comma-separated names (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each engine (default 3)")
    parser.add_argument("--again", type=int, default=6, help="more runs where one looks slower (default 6)")
    parser.add_argument("--least", type=float, default=0.05, metavar="SECONDS",
                        help="what a program takes at least (default 0.05)")
    parser.add_argument("--slack", type=float, default=3.0, metavar="PERCENT",
                        help="what is not yet slower (default 3)")
    options = parser.parse_args()

    sizes = {name: facts["engines"] for name, facts in project.manifest().items()}
    names = project.chosen(options.programs, sizes)
    ruffc = project.compiler(options.ruffc)
    failures = []
    print("%-16s %10s %10s %10s %12s" % ("program", "n", ENGINES[0], ENGINES[1], ENGINES[2]))
    with tempfile.TemporaryDirectory(prefix="engines-") as folder:
        for name in names:
            source, n = project.source(name), str(sizes[name])
            program = os.path.join(folder, name)
            commands = {
                "executable": [program, n],
                "run": [ruffc, "run", source, n],
                "interpreter": [ruffc, "run", "--engine", "interp", source, n],
            }
            best = {}
            try:
                seconds([ruffc, "build", source, "-o", program])
                measure(commands, best, options.runs)
                if slower(best, options.slack / 100):
                    measure(commands, best, options.again)
            except RuntimeError as error:
                failures.append("%s: %s" % (name, error))
                continue
            note = ""
            wrong = slower(best, options.slack / 100)
            if best["interpreter"] < options.least:
                note = "too short to tell"
            elif wrong:
                note = "SLOWER: %s than %s" % wrong
                failures.append("%s: %s is slower than %s" % ((name,) + wrong))
            print(("%-16s %10s %9.3fs %9.3fs %11.3fs  %s" % (
                name, n, best["executable"], best["run"], best["interpreter"], note)).rstrip(), flush=True)
    for failure in failures:
        print("!!! " + failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
