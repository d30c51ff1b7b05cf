#!/usr/bin/env python3
"""How long compiling takes, by stage, as programs get larger.

Programs of functions, structs and loops of all kinds are made up, each twice as
long as the one before; beside each stage's time stands its ratio to the time for
half the lines.  `cpu` is what all threads took together, and hardly changes when
others use the machine: where that is long enough to tell, it must not take much
more than twice as long for twice the lines.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile

import project

STAGE = re.compile(r"^(\w[\w ]*?)\s+([\d.]+) ms", re.MULTILINE)

# Pieces of a program; each is about what people write, and none is like another.
PIECES = ["""
func sum_{k}(n) {{
    mut total := {k}
    for i in range(0, n) {{
        if i % 3 == 0 {{ total += i * {k} }} else {{ total -= i }}
    }}
    return total
}}
print(sum_{k}(10))
""", """
struct Point_{k} {{
    x: float, y: float
    func scaled(self, by) {{ return Point_{k} {{ x: self.x * by, y: self.y * by }} }}
    func length(self) {{ return sqrt(self.x * self.x + self.y * self.y) }}
}}
func walk_{k}(steps) {{
    mut at := Point_{k} {{ x: 1.0, y: {k}.5 }}
    for _ in range(0, steps) {{ at = at.scaled(0.5) }}
    return at.length()
}}
print(walk_{k}(3))
""", """
func sieve_{k}(limit) {{
    mut flags := []
    for i in range(0, limit) {{ flags = push(flags, true) }}
    mut count := 0
    for i in range(2, limit) {{
        if flags[i] {{
            count += 1
            mut j := i * 2
            while j < limit {{
                flags[j] = false
                j += i
            }}
        }}
    }}
    return count
}}
print(sieve_{k}(30))
""", """
func words_{k}(text) {{
    mut counts := {{}}
    for word in split(text, " ") {{
        if has_key(counts, word) == 1 {{ counts[word] += 1 }} else {{ counts[word] = 1 }}
    }}
    mut line := ""
    for key in keys(counts) {{ line += "${{key}}=${{counts[key]}} " }}
    return line
}}
print(words_{k}("a b a c_{k}"))
""", """
func checked_{k}(x) {{
    if x < {k} {{ return Err("too small: ${{x}}") }}
    return Ok(x - {k})
}}
func tried_{k}(x) {{
    match checked_{k}(x) {{
        case Ok(rest): {{ return rest }}
        case Err(reason): {{ return len(reason) }}
    }}
}}
try {{ print(tried_{k}({k}), map([1, 2, 3], func(x) {{ return x * {k} }})) }} except error {{ print(error.message) }}
"""]


def write_program(folder, lines, per_file):
    """Writes a program, in modules of so many lines; gives its script and its lines."""
    modules, length, k = [], 0, 0
    while length < lines:
        parts, in_file = [], 0
        while in_file < per_file and length + in_file < lines:
            text = PIECES[k % len(PIECES)].format(k=k)
            parts.append(text)
            in_file += text.count("\n")
            k += 1
        modules.append("part_%d" % len(modules))
        length += in_file
        with open(os.path.join(folder, modules[-1] + ".ruff"), "w") as handle:
            handle.write("".join(parts))
    script = os.path.join(folder, "program.ruff")
    with open(script, "w") as handle:
        handle.writelines("import %s\n" % module for module in modules)
    return script, length + len(modules)


def times(ruffc, level, source, output):
    command = [ruffc, "build", "--time", "-O" + level, "-o", output, source]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit("the compiler failed:\n" + done.stderr[-2000:])
    stages = {name: float(time) for name, time in STAGE.findall(done.stderr)}
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**stages, "cpu": 1000 * cpu}


def best(ruffc, level, source, output, runs):
    """The least time of each stage."""
    all_times = [times(ruffc, level, source, output) for _ in range(runs)]
    return {stage: min(one[stage] for one in all_times) for stage in all_times[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    project.add_compiler_option(parser)
    parser.add_argument("--from", dest="least", type=int, default=1000, metavar="LINES", help="(default 1000)")
    parser.add_argument("--to", dest="most", type=int, default=200000, metavar="LINES", help="(default 200000)")
    parser.add_argument("--per-file", type=int, default=1000, metavar="LINES",
                        help="lines of each module; a script's own top level is one function (default 1000)")
    parser.add_argument("--levels", default="2,0", help="levels of optimisation (default 2,0)")
    parser.add_argument("--runs", type=int, default=1, help="runs of each, of which the fastest counts (default 1)")
    parser.add_argument("--ratio", type=float, default=2.6, help="what twice the lines may take (default 2.6)")
    parser.add_argument("--least-time", type=float, default=200.0, metavar="MS",
                        help="below this, ratios are not judged (default 200)")
    options = parser.parse_args()
    ruffc = project.compiler(options.ruffc)
    sizes = [options.least]
    while sizes[-1] < options.most:
        sizes.append(min(2 * sizes[-1], options.most))
    failures = []
    with tempfile.TemporaryDirectory(prefix="compile-") as folder:
        output = os.path.join(folder, "program")
        for level in options.levels.split(","):
            before = None
            for size in sizes:
                source, lines = write_program(folder, size, options.per_file)
                now = best(ruffc, level, source, output, options.runs)
                if before is None:
                    print("\n-O%s, ms (and the ratio to half the lines)" % level)
                    print("%8s" % "lines" + "".join("%16s" % stage for stage in now))
                cells = ["%8d" % lines]
                for stage, time in now.items():
                    cell = "%.1f" % time
                    if before is not None:
                        # As if the lines had just doubled.
                        ratio = time / max(before[stage], 0.001) * 2 * lines_before / lines
                        cell += " (%.2f)" % ratio
                        if stage == "cpu" and ratio > options.ratio and time > options.least_time:
                            failures.append("-O%s, %d lines: compiling takes %.2f times as long as for half of them"
                                            % (level, lines, ratio))
                    cells.append("%16s" % cell)
                print("".join(cells), flush=True)
                before, lines_before = now, lines
    for failure in failures:
        print("!!! " + failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
