#!/usr/bin/env python3
"""CPU time of a clean release build of the program at one commit over that at another, side by side in one run.

Usage: bench/build_time.py [--jobs N] [--json] BEFORE [AFTER]
BEFORE and AFTER are commits; AFTER is the working tree's HEAD by default.
"""
import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIME_LIMIT = 7200  # seconds of one build


def run(*command, cwd=ROOT):
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    return result.stdout.strip()


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def build_seconds(commit, jobs):
    """CPU seconds, user and system, of building the target `hysteron` of `commit` from nothing, without configuring."""
    with tempfile.TemporaryDirectory(prefix="hysteron-build-") as folder:
        tree = pathlib.Path(folder) / "tree"
        run("git", "clone", "--quiet", "--no-checkout", ROOT, tree)
        run("git", "checkout", "--quiet", commit, cwd=tree)
        run("cmake", "--preset", "release", cwd=tree)
        begin = children_seconds()
        run("cmake", "--build", "--preset", "release", "--target", "hysteron", "--parallel", str(jobs), cwd=tree)
        return children_seconds() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after", nargs="?", default="HEAD")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    commits = {name: run("git", "rev-parse", "--short", commit)
               for name, commit in (("before", options.before), ("after", options.after))}
    seconds = {name: build_seconds(commit, options.jobs) for name, commit in commits.items()}
    result = {"commits": commits, "cpu_seconds": seconds, "ratio": seconds["after"] / seconds["before"]}
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{commits['before']}: {seconds['before']:.0f} s; {commits['after']}: {seconds['after']:.0f} s; "
              f"ratio {result['ratio']:.2f}")


if __name__ == "__main__":
    main()
