#!/usr/bin/env python3
"""Measures what the project promises and writes the figures into docs/results.md, each beside its target.

Usage: scripts/results.py [--quick] [--output FILE] [--program FILE] [SECTION...]
Sections: demo accuracy speech agreement foreign parallel; without any, all of them (about half an hour on two cores).
--quick is a trial with small numbers; give it another --output. Exit code 5 if a target was missed.
Needs the release build (scripts/demo.sh makes it); speech and the gf180mcu PDK are looked for in ../shared, else
under $HYSTERON_SPEECH and $PDK_ROOT. Python's own library is enough.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TITLE = """# Results

Written by `scripts/results.py`, section by section; run it again rather than edit this file.
"""

# What is measured on: the flags of the demo, and what differs from the defaults in training on real speech.
DEMO_FLAGS = []
VERIFY_FLAGS = []
SPEECH_CONFIG = {"model.width": 16, "training.steps": 5000}


class Bench:
    """Runs the program, and remembers what sections share."""

    def __init__(self, options):
        self.quick = options.quick
        self.program = options.program.resolve()
        self.work = ROOT / "build" / ("results-quick" if options.quick else "results")
        self.work.mkdir(parents=True, exist_ok=True)
        self.speech = existing(os.environ.get("HYSTERON_SPEECH"), ROOT.parent / "shared/data/speech_commands")
        self.pdk_root = existing(os.environ.get("PDK_ROOT"), ROOT.parent / "shared/pdk")
        self.demo_folder = None

    def run(self, *arguments, cache="cache"):
        """The JSON object that a command printed, and its wall time in seconds."""
        environment = dict(os.environ, XDG_CACHE_HOME=str(self.work / cache))
        if self.pdk_root:
            environment["PDK_ROOT"] = str(self.pdk_root)
        print("hysteron", *arguments, file=sys.stderr, flush=True)
        begin = time.monotonic()
        result = subprocess.run([self.program, *map(str, arguments), "--json"], cwd=self.work, env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
        seconds = time.monotonic() - begin
        if result.returncode != 0:
            sys.exit(f"hysteron {arguments[0]} exited with {result.returncode}")
        return json.loads(result.stdout), seconds

    def run_demo(self):
        """Runs the demo with an empty cache; its folder serves the other sections."""
        cache = "cold-cache"
        shutil.rmtree(self.work / cache, ignore_errors=True)
        (self.work / cache).mkdir()
        small = ["--steps", "60", "--clips", "2"] if self.quick else []
        figures = self.run("demo", "--output", "demo", *DEMO_FLAGS, *small, cache=cache)
        shutil.rmtree(self.work / cache)
        self.demo_folder = self.work / "demo"
        return figures

    def demo(self):
        """The folder of a demo run by the program as it is now."""
        if self.demo_folder is None:
            self.run_demo()
        return self.demo_folder


def existing(*paths):
    """The first of `paths` that exists, made absolute."""
    return next((pathlib.Path(path).resolve() for path in paths if path and pathlib.Path(path).exists()), None)


class Section:
    """One section of the document: a sentence on how it was measured, and a table."""

    def __init__(self, title, how):
        self.lines = [f"## {title}", "", how]
        self.missed = []

    def table(self, *names):
        self.lines += ["", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]

    def row(self, *cells):
        self.lines.append("| " + " | ".join(map(str, cells)) + " |")

    def targets(self):
        self.table("what", "target", "measured", "")

    def target(self, what, target, measured, met):
        self.row(what, target, measured, "met" if met else "**missed**")
        if not met:
            self.missed.append(what)


def percent(value):
    return f"{100 * value:.2f} %"


def spread(values, form):
    return f"{form(statistics.mean(values))} ({form(min(values))} to {form(max(values))})"


def seconds_text(value):
    return f"{value:.0f} s"


def read_safetensors_metadata(path):
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    return json.loads(data[8:8 + length])["__metadata__"]


def write_training(path, keys):
    """A configuration for `train`; JSON's texts, numbers and lists are TOML's too."""
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in keys.items()))


def demo_section(bench):
    runs = 1 if bench.quick else 2
    section = Section("The demo", f"`hysteron demo`, {runs} runs, each with an empty cache: it speaks the corpus, "
                                  "measures the gain curves, trains, compiles and simulates.")
    results = [bench.run_demo() for _ in range(runs)]
    times = [seconds for _, seconds in results]
    section.targets()
    section.target("wall time", "at most 240 s", spread(times, seconds_text), max(times) <= 240)
    figures = results[-1][0]
    section.table("figure of the last run", "")
    for name in ("test_accuracy", "transistors", "decision_agreement", "frame_agreement", "state_mismatch"):
        section.row(f"`{name}`", f"{figures[name]:.6g}")
    for name, value in figures["power_nw"].items():
        section.row(f"`power_nw.{name}`", f"{value:.4g}")
    return section


def train_seeds(bench, name, keys, data, seeds):
    """Trains once for each seed; gives the results of `eval` on the test split."""
    results = []
    for seed in range(1, seeds + 1):
        model = f"{name}-{seed}.safetensors"
        config = bench.work / f"{name}-{seed}.toml"
        write_training(config, {**keys, "model.output": model, "training.seed": seed})
        training, _ = bench.run("train", config.name)
        scores, _ = bench.run("eval", model, "--data", data, "--split", "test")
        results.append({"seed": seed, "seconds": training["seconds"], **scores})
    return results


def seed_table(section, results):
    section.table("seed", "accuracy", "balanced accuracy", "test clips", "training")
    for result in results:
        section.row(result["seed"], percent(result["accuracy"]), percent(result["balanced_accuracy"]), result["clips"],
                    seconds_text(result["seconds"]))


def accuracy_section(bench):
    seeds = 2 if bench.quick else 5
    config = json.loads(read_safetensors_metadata(bench.demo() / "model.safetensors")["hysteron.training"])["config"]
    keys = {key: value for key, value in config.items() if key != "classes"}
    keys |= {f"classes.{json.dumps(label)}": folders for label, folders in config["classes"].items()}
    results = train_seeds(bench, "spoken", keys, "espeak", seeds)
    section = Section("Accuracy on the spoken corpus",
                      f"`hysteron train` with the demo's configuration (d = {config['model.width']}) and {seeds} seeds, "
                      "`hysteron eval` on speakers that training never heard.")
    accuracies = [result["accuracy"] for result in results]
    section.targets()
    section.target("accuracy on held-out speakers, mean (range) of the seeds", "at least 93 %",
                   spread(accuracies, percent), statistics.mean(accuracies) >= 0.93)
    seed_table(section, results)
    return section


def speech_section(bench):
    seeds = 1 if bench.quick else 3
    keys = dict(SPEECH_CONFIG, **({"training.steps": 60} if bench.quick else {}))
    section = Section("Real speech", f"`hysteron train` on Speech Commands, d = {keys['model.width']}, "
                                     f"{keys['training.steps']} steps, {seeds} seeds, \"yes\" against no, up, down, "
                                     "left, right and silence; `hysteron eval --split test`.")
    if bench.speech is None:
        section.lines += ["", "Not measured: there is no Speech Commands folder."]
        return section
    results = train_seeds(bench, "speech", {**keys, "data.folder": str(bench.speech)}, bench.speech, seeds)
    balanced = [result["balanced_accuracy"] for result in results]
    section.targets()
    section.target("balanced test accuracy, mean (range) of the seeds", "at least 86 %", spread(balanced, percent),
                   statistics.mean(balanced) >= 0.86)
    seed_table(section, results)
    return section


def agreement_section(bench):
    demo = bench.demo()
    section = Section("Agreement of software and circuit",
                      "`hysteron verify` of the demo's model on its held-out clips, typical corner, 27 °C.")
    section.targets()
    powers = []
    for pdk in ("generic180", "gf180mcu"):
        if pdk == "gf180mcu" and bench.pdk_root is None:
            section.row(f"{pdk}", "", "not measured: there is no PDK", "")
            continue
        result, _ = bench.run("verify", demo / "model.safetensors", "--input", demo / "test.npy", "--pdk", pdk,
                              *VERIFY_FLAGS)
        agreeing = round(result["decision_agreement"] * result["clips"])
        section.target(f"{pdk}: decisions", f"{result['clips']} of {result['clips']}",
                       f"{agreeing} of {result['clips']}", agreeing == result["clips"])
        section.target(f"{pdk}: frame agreement", "at least 0.97", f"{result['frame_agreement']:.4f}",
                       result["frame_agreement"] >= 0.97)
        section.target(f"{pdk}: state mismatch", "at most 0.01", f"{result['state_mismatch']:.4f}",
                       result["state_mismatch"] <= 0.01)
        powers.append((pdk, result))
    section.table("technology", "power", "cells", "feedforward", "relative candidate error")
    for pdk, result in powers:
        power = (f"{result['power_nw'][part]:.2f} nW" for part in ("total", "cells", "feedforward"))
        section.row(pdk, *power, percent(result["candidate_relative_rms"]))
    return section


# A model file as another program would write it, and what it must decide, computed without this project's code.


def foreign_network(generator, inputs, width, layers, labels):
    def matrix(rows, columns):
        return [[generator.gauss(0, 0.7) for _ in range(columns)] for _ in range(rows)]

    def vector(size, low, high):
        return [generator.uniform(low, high) for _ in range(size)]

    tensors = {"input.weight": matrix(width, inputs), "input.bias": vector(width, -0.2, 0.2)}
    for i in range(layers):
        lower = vector(width, 0.2, 0.5)
        tensors |= {f"layers.{i}.candidate.weight": matrix(width, width),
                    f"layers.{i}.candidate.bias": vector(width, 0, 0.3),
                    f"layers.{i}.beta_lo": lower,
                    f"layers.{i}.beta_hi": [low + delta for low, delta in zip(lower, vector(width, 0.2, 0.5))],
                    f"layers.{i}.alpha": vector(width, 0.5, 1.5),
                    f"layers.{i}.initial_state": [0.0] * width,
                    f"layers.{i}.output.weight": matrix(width, width),
                    f"layers.{i}.output.bias": vector(width, -0.2, 0.2)}
    return tensors | {"readout.weight": matrix(labels, width), "readout.bias": vector(labels, -0.2, 0.2)}


def affine(tensors, name, values):
    return [bias + sum(w * v for w, v in zip(row, values))
            for row, bias in zip(tensors[name + ".weight"], tensors[name + ".bias"])]


def relu(values):
    return [max(value, 0.0) for value in values]


def decide(tensors, layers, clip):
    """The majority of the frames' decisions: the equations of the hardware backbone, in double precision."""
    states = [[0.0] * len(tensors[f"layers.{i}.alpha"]) for i in range(layers)]
    votes = [0] * len(tensors["readout.bias"])
    for frame in clip:
        value = affine(tensors, "input", frame)
        for i in range(layers):
            name = f"layers.{i}."
            candidates = relu(affine(tensors, name + "candidate", relu(value)))
            states[i] = [alpha if c >= high else (0.0 if c < low else state) for c, low, high, alpha, state in
                         zip(candidates, tensors[name + "beta_lo"], tensors[name + "beta_hi"],
                             tensors[name + "alpha"], states[i])]
            output = relu(affine(tensors, name + "output", states[i]))
            value = [o + v for o, v in zip(output, value)]
        logits = affine(tensors, "readout", value)
        votes[logits.index(max(logits))] += 1
    return votes.index(max(votes))


def flat(values):
    return [x for value in values for x in flat(value)] if isinstance(values, list) else [values]


def write_foreign_model(path, tensors, labels):
    """Tensors in reverse order, a header padded to a multiple of 64 bytes, metadata of its own."""
    header, data = {}, b""
    for name, values in reversed(tensors.items()):
        shape = [len(values), len(values[0])] if isinstance(values[0], list) else [len(values)]
        numbers = flat(values)
        begin = len(data)
        data += struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    header["__metadata__"] = {"author": "another program", "hysteron.format": "1", "hysteron.cell": "fq_bmru",
                              "hysteron.labels": json.dumps(labels), "hysteron.frame_seconds": "0.01"}
    text = json.dumps(header, indent=1).encode()
    text += b" " * (-len(text) % 64)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_npy(path, shape, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{len(values)}f", *values))


def foreign_section(bench):
    generator, layers, labels = random.Random(7), 2, ["yes", "no", "maybe"]
    tensors = foreign_network(generator, 3, 4, layers, len(labels))
    clips = [[[generator.gauss(0, 1) for _ in range(3)] for _ in range(20)] for _ in range(6)]
    expected = [decide(tensors, layers, clip) for clip in clips]
    write_foreign_model(bench.work / "foreign.safetensors", tensors, labels)
    write_npy(bench.work / "foreign.npy", (6, 20, 3), flat(clips))

    section = Section("A model file of another program",
                      "A random network (d = 4, two layers, three labels) written by this script in the format of "
                      "docs/model-file.md: other tensor order, padded header, more metadata. Its decisions are computed "
                      "here from the equations.")
    section.targets()
    result, _ = bench.run("run", "foreign.safetensors", "--input", "foreign.npy")
    agreeing = sum(a == b for a, b in zip(result["decisions"], expected))
    section.target("`run`", "the decisions of the equations", f"{agreeing} of {len(expected)}",
                   agreeing == len(expected))
    result, _ = bench.run("compile", "foreign.safetensors", "--pdk", "generic180", "-o", "foreign-circuit")
    section.target("`compile`", "a circuit", f"{result['transistors']} transistors", result["transistors"] > 0)
    result, _ = bench.run("verify", "foreign.safetensors", "--input", "foreign.npy", "--pdk", "generic180")
    section.target("`verify`", "figures", f"{result['clips']} clips, frame agreement {result['frame_agreement']:.4f}",
                   result["clips"] == len(clips))
    return section


def parallel_section(bench):
    repetitions, count = (1, 4) if bench.quick else (3, 12)
    demo = bench.demo()
    data = (demo / "test.npy").read_bytes()
    (length,) = struct.unpack_from("<H", data, 8)
    clips, frames, inputs = (int(word) for word in data[10:10 + length].decode().split("(")[1].split(")")[0].split(","))
    size = frames * inputs
    clip = struct.unpack_from(f"<{size}f", data, 10 + length) if clips > 0 else ()
    write_npy(bench.work / "same.npy", (count, frames, inputs), list(clip) * count)

    model = demo / "model.safetensors"
    bench.run("compile", model, "-o", "parallel-circuit")  # so that the gain curves are stored
    rates = {1: [], 2: []}
    for _ in range(repetitions):
        for jobs, rate in rates.items():
            _, compiling = bench.run("compile", model, "-o", "parallel-circuit", "--jobs", jobs)
            _, verifying = bench.run("verify", model, "--input", "same.npy", "--jobs", jobs)
            rate.append(count / (verifying - compiling))
    section = Section("Simulations in parallel",
                      f"`hysteron verify` of the demo's model on {count} copies of one clip, less the time of `compile`; "
                      f"{repetitions} repetitions, generic180.")
    ratio = statistics.median(rates[2]) / statistics.median(rates[1])
    section.targets()
    section.target("throughput of two jobs over that of one (medians)", "at least 1.6", f"{ratio:.2f}", ratio >= 1.6)
    section.table("jobs", "clips a second")
    for jobs, rate in rates.items():
        section.row(jobs, spread(rate, lambda value: f"{value:.3f}"))
    return section


SECTIONS = {"demo": demo_section, "accuracy": accuracy_section, "speech": speech_section,
            "agreement": agreement_section, "foreign": foreign_section, "parallel": parallel_section}


def machine():
    """What the figures were measured on."""
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown processor")
    program = os.environ.get("HYSTERON_NGSPICE", "ngspice")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    ngspice = next((word for word in version.split() if word.startswith("ngspice-")), "unknown")
    return f"Measured on {len(os.sched_getaffinity(0))} cores of {model}, with {ngspice}."


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs" / "results.md")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/apps/hysteron/hysteron")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="one of: " + " ".join(SECTIONS))
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"unknown section {sorted(unknown)[0]}")
    if not options.program.exists():
        sys.exit(f"{options.program}: no such program; scripts/demo.sh builds it")
    bench = Bench(options)
    missed = []
    for name, measure in SECTIONS.items():
        if options.sections and name not in options.sections:
            continue
        section = measure(bench)
        write_section(options.output, name, "\n".join([*section.lines, "", machine()]))
        missed += section.missed
    for what in missed:
        print("missed:", what, file=sys.stderr)
    return 5 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
