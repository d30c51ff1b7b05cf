"""Where the project is, and its compiler: what the scripts here share."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PROGRAMS = os.path.join(HERE, "programs")


def add_compiler_option(parser):
    parser.add_argument("--ruffc", metavar="PATH",
                        help="the compiler (default: the project's, built by `cargo build --release` first)")


def compiler(path):
    """The compiler that was named, or the project's own in the profile that ships."""
    if path:
        if not os.access(path, os.X_OK):
            sys.exit("no such compiler: " + path)
        return os.path.abspath(path)
    command = ["cargo", "build", "--release", "--locked", "--bin", "ruffc"]
    try:
        if subprocess.run(command, cwd=ROOT).returncode != 0:
            sys.exit("the compiler could not be built")
        facts = subprocess.run(["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT,
                               stdout=subprocess.PIPE, check=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit("the compiler could not be built: %s" % error)
    return os.path.join(json.loads(facts.stdout)["target_directory"], "release", "ruffc")


def manifest():
    with open(os.path.join(PROGRAMS, "manifest.json")) as handle:
        return json.load(handle)


def source(name):
    return os.path.join(PROGRAMS, name, name + ".ruff")


def chosen(names, known):
    """The programs that a comma-separated list names; all if there is none."""
    if not names:
        return list(known)
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit("no such program: " + ", ".join(unknown))
    return wanted
