#!/usr/bin/env python3
"""Measures what the project promises and writes the figures into docs/results.md, each beside its target.

Usage: scripts/results.py [--quick] [--output FILE] [--program FILE] [SECTION...]
A section is a template, scripts/results/SECTION.md; without any, all of them (many hours on two cores, of which dies,
corners, keywords, digits and quadrant take most). Each says at which commit, when and on what it was measured.
--quick is a trial with small numbers; give it another --output. Exit code 5 if a target was missed.
Needs the release build (scripts/demo.sh makes it); speech, MNIST and the gf180mcu PDK are looked for in ../shared, else
under $HYSTERON_SPEECH, $HYSTERON_MNIST and $PDK_ROOT. Python's own library is enough.
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from results_chips import Chips
from results_inputs import Inputs
from results_template import Filler, Template, TemplateError
from results_vocabulary import VOCABULARY

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "scripts" / "results"
SECTIONS = ("demo", "accuracy", "speech", "agreement", "foreign", "parallel", "keywords", "aware", "copy", "digits",
            "engine", "quadrant", "cell", "compiler", "centering", "unit-current", "dies", "corners", "power",
            "wide-power", "widest-power", "noise", "devices", "accumulation", "immunity", "gates", "silicon", "explore")
TITLE = """# Results

Written by `scripts/results.py`, section by section; run it again rather than edit this file.
"""


def existing(*paths):
    """The first of `paths` that exists, made absolute."""
    return next((pathlib.Path(path).resolve() for path in paths if path and pathlib.Path(path).exists()), None)


def output_of(*command):
    """What a command prints; nothing where it fails or is not there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def machine():
    """What the figures are measured on."""
    model = re.search(r"^model name\s*: (.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    ngspice = re.search(r"ngspice-\S+", output_of(os.environ.get("HYSTERON_NGSPICE", "ngspice"), "--version"))
    return (f"{len(os.sched_getaffinity(0))} cores of {model[1] if model else 'an unknown processor'}, "
            f"{ngspice[0] if ngspice else 'no ngspice'}")


def commit(folder):
    """The commit of the tree around `folder`, and whether files but the documentation were changed since."""
    name = output_of("git", "-C", folder, "rev-parse", "--short", "HEAD")
    changed = output_of("git", "-C", folder, "status", "--porcelain", "-uno", ":/", ":(top,exclude)docs")
    return f"`{name}`{' with changes' if changed else ''}" if name else "unknown"


class Bench:
    """Runs the program in a work folder, and remembers what sections share."""

    def __init__(self, program, quick, root=ROOT, templates=TEMPLATES):
        self.program, self.quick, self.root = program.resolve(), quick, root
        self.templates = templates
        self.work = root / "build" / ("results-quick" if quick else "results")
        self.work.mkdir(parents=True, exist_ok=True)
        shared = ROOT.parent / "shared"
        self.speech = existing(os.environ.get("HYSTERON_SPEECH"), shared / "data/speech_commands")
        self.mnist = existing(os.environ.get("HYSTERON_MNIST"), shared / "data/mnist")
        self.pdk_root = existing(os.environ.get("PDK_ROOT"), shared / "pdk")
        self.commit, self.machine = commit(self.program.parent), machine()
        self.identity = [self.digest(self.program.read_bytes()), self.machine]
        self.printed = {}
        pdks = ["generic180"] + (["gf180mcu"] if self.pdk_root else [])
        functions = {name: getattr(room, name) for room in (Inputs(self), Chips(self)) for name in dir(room)
                     if name[0] != "_" and callable(getattr(room, name))}
        own = {function.__name__: function for function in (self.remove, self.benchmarks, self.compare_pytorch)}
        self.vocabulary = {**VOCABULARY, **functions, **own, "quick": quick, "pdks": pdks, "pdk": pdks[-1],
                           "speech": self.speech and str(self.speech), "mnist": self.mnist and str(self.mnist)}

    def remove(self, folder):
        shutil.rmtree(self.work / folder, ignore_errors=True)

    @staticmethod
    def digest(data):
        return hashlib.sha256(data).hexdigest()[:16]

    def environment(self, cache="cache"):
        pdk_root = {"PDK_ROOT": str(self.pdk_root)} if self.pdk_root else {}
        return {**os.environ, "XDG_CACHE_HOME": str(self.work / cache), **pdk_root}

    def run(self, words, accepted=(0,), cold=False, once=False):
        """The JSON object that a command printed, and its wall time as `wall_seconds`. Codes other than 0 that may come
        with an object: 4 where ngspice could not solve some of it, 5 where a limit was missed."""
        words = [str(word) for word in words]
        known = " ".join(words)
        if once and known in self.printed:
            return self.printed[known]
        cache = "cold-cache" if cold else "cache"
        if cold:
            self.remove(cache)
            (self.work / cache).mkdir()
        print("hysteron", known[:1000], file=sys.stderr, flush=True)
        begin = time.monotonic()
        result = subprocess.run([self.program, *words, "--json"], cwd=self.work, env=self.environment(cache),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
        seconds = time.monotonic() - begin
        if result.returncode not in accepted:
            sys.exit(f"hysteron {words[0]} exited with {result.returncode}")
        self.printed[known] = {**json.loads(result.stdout), "wall_seconds": seconds}
        return self.printed[known]

    def benchmarks(self, pattern):
        """Median real times in seconds of the benchmarks whose names match, by name."""
        output = self.work / "benchmark.json"
        subprocess.run([self.program.parents[2] / "bench/hysteron_bench", "--json", output,
                        f"--benchmark_filter={pattern}", "--benchmark_repetitions=5",
                        "--benchmark_report_aggregates_only=true"], check=True, stdout=sys.stderr)
        scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
        return {entry["run_name"]: entry["real_time"] * scale[entry["time_unit"]]
                for entry in json.loads(output.read_text())["benchmarks"] if entry.get("aggregate_name") == "median"}

    def compare_pytorch(self, *flags):
        return json.loads(subprocess.run([self.root / "bench/compare_pytorch.py", "--json", *flags], check=True,
                                         stdout=subprocess.PIPE).stdout)

    def fill(self, name):
        """The text of a section, with what it was measured by, and the targets that it missed."""
        filler = Filler(Template(self.templates / f"{name}.md"), self.vocabulary, self.run)
        title, _, rest = filler.text().partition("\n")
        command = f"`scripts/results.py {'--quick ' if self.quick else ''}{name}`"
        source = f"Commit {self.commit}, {datetime.date.today()}, {self.machine}: {command}."
        return f"{title}\n\n{source}\n\n{rest.strip()}", filler.missed


def write_section(path, name, text):
    """Puts `text` between the markers of section `name`, or behind everything else where there are none yet."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = path.read_text() if path.exists() else TITLE
    block = f"{begin}\n{text}\n{end}"
    if begin in old and end in old:
        new = old[:old.index(begin)] + block + old[old.index(end) + len(end):]
    else:
        new = old.rstrip("\n") + f"\n\n{block}\n"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(new)
    temporary.replace(path)


def main(arguments=None, templates=TEMPLATES, root=ROOT):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs" / "results.md")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/apps/hysteron/hysteron")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="one of: " + " ".join(SECTIONS))
    options = parser.parse_args(arguments)
    for name in options.sections:
        if not (templates / f"{name}.md").exists():
            parser.error(f"unknown section {name}")
    if not options.program.exists():
        sys.exit(f"{options.program}: no such program; scripts/demo.sh builds it")
    bench = Bench(options.program, options.quick, root, templates)
    sections, missed = options.sections or SECTIONS, []
    try:
        for name in sections:  # before the first of them runs for hours
            Template(templates / f"{name}.md").check(bench.vocabulary)
        for name in sections:
            text, more = bench.fill(name)
            write_section(options.output, name, text)
            missed += more
    except TemplateError as error:
        sys.exit(str(error))
    for what in missed:
        print("missed:", what, file=sys.stderr)
    return 5 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
