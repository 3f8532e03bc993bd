#!/usr/bin/env python3
"""Measures what the project promises and writes the figures into docs/results.md, each beside its target.

Usage: scripts/results.py [--quick] [--output FILE] [--program FILE] [SECTION...]
Sections: demo accuracy speech agreement foreign parallel keywords aware copy digits engine scans quadrant cell compiler unit-current
dies corners power wide-power widest-power noise devices accumulation immunity gates silicon explore; without any, all of them (many hours on two cores, of which dies,
corners, keywords, digits and quadrant take most).
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

from results_cell import fill_cell_section
from results_centring import fill_centring_section
from results_compiler import CLEAR, CORE, WIDE, fill_compiler_section
from results_explore import fill_explore_section
from results_gates import fill_gates_section
from results_noise import fill_accumulation_section, fill_device_section, fill_immunity_section, fill_network_part, fill_noise_section
from results_power import fill_power_section, fill_wide_power_section
from results_robustness import fill_corners_section, fill_dies_section
from results_silicon import fill_silicon_section
from results_unit_current import fill_unit_current_section

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

    def environment(self, cache="cache"):
        environment = dict(os.environ, XDG_CACHE_HOME=str(self.work / cache))
        if self.pdk_root:
            environment["PDK_ROOT"] = str(self.pdk_root)
        return environment

    def run(self, *arguments, cache="cache", accepted=(0,)):
        """The JSON object that a command printed, and its wall time in seconds. Codes other than 0 that may come with an object: 4 where
        ngspice could not solve some of it, 5 where a limit was missed."""
        environment = self.environment(cache)
        print("hysteron", *arguments, file=sys.stderr, flush=True)
        begin = time.monotonic()
        result = subprocess.run([self.program, *map(str, arguments), "--json"], cwd=self.work, env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
        seconds = time.monotonic() - begin
        if result.returncode not in accepted:
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


def lacks_speech(bench, section):
    """Whether there is no Speech Commands folder; the section then says so."""
    if bench.speech is None:
        section.lines += ["", "Not measured: there is no Speech Commands folder."]
    return bench.speech is None


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
    if lacks_speech(bench, section):
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


# The training engine. Perturbations are those of docs/training.md: three deviations of every static error.

KEYWORD_WIDTHS = {4: 0.82, 16: 0.90}
DIES = {f"test_noise.{name}": 0.1 for name in ("weights", "thresholds", "widths", "gains")}
AWARE = {f"training_noise.{name}": 0.2 for name in ("weights", "thresholds", "widths", "gains")}
WITHOUT = {
    "as it is": {},
    "incomplete reset (`epsilon_hold`, `epsilon_fall` 0)": {"training.epsilon_hold": 0.0, "training.epsilon_fall": 0.0},
    "margin loss": {"circuit.margin_weight": 0.0},
    "noise on candidates": {"training_noise.additive": 0.0},
    "time shift": {"augmentation.time_shift": 0},
    "changes of speed": {"augmentation.speed": 0.0},
    "soft vote in the loss": {"training.vote_share": 0.0},
    "calibration of the vote": {"training.calibration": "none"},
    "choice among three starts": {"training.restarts": 1},
    "positive start values (`training.initialisation` \"signed\")": {"training.initialisation": "signed"},
}
FIXED = {"data.normalisation": "fixed"}  # a clip that is normalised by itself has no level that a gain could change
WITH = {
    "noise of 0.2 on features": {"augmentation.feature_noise": 0.2},
    "fixed normalisation": FIXED,
    "fixed normalisation and gain of 6 dB": {**FIXED, "augmentation.gain": 6.0},
}


def train_once(bench, name, keys):
    write_training(bench.work / f"{name}.toml", {**keys, "model.output": f"{name}.safetensors"})
    result, _ = bench.run("train", f"{name}.toml")
    return result


def train_unless_there(bench, name, keys):
    """Trains where no model of another section was made by the same configuration."""
    path = bench.work / f"{name}.toml"
    before = path.read_text() if path.exists() and (bench.work / f"{name}.safetensors").exists() else None
    write_training(path, {**keys, "model.output": f"{name}.safetensors"})
    if path.read_text() != before:
        bench.run("train", f"{name}.toml")


def train_keywords(bench, name, width, seeds, keys):
    """Trains on Speech Commands once for each seed."""
    quick = {"training.steps": 60} if bench.quick else {}
    return [train_once(bench, f"{name}-{width}-{seed}",
                       {"data.folder": str(bench.speech), "model.width": width, "training.seed": seed, **keys, **quick})
            for seed in range(1, seeds + 1)]


def balanced(results):
    return [result["test_balanced_accuracy"] for result in results]


def keywords_section(bench):
    seeds, ablations = (1, 1) if bench.quick else (5, 2)
    section = Section("Keyword spotting on real speech",
                      f"`hysteron train` on Speech Commands, every key at its default but the width, {seeds} seeds; \"yes\" "
                      "against no, up, down, left, right and silence, balanced accuracy on the test speakers.")
    if lacks_speech(bench, section):
        return section
    section.targets()
    for width, target in KEYWORD_WIDTHS.items():
        values = balanced(train_keywords(bench, "keywords", width, seeds, {}))
        section.target(f"d = {width}, mean (range) of {seeds} seeds", f"at least {percent(target)}",
                       spread(values, percent), statistics.mean(values) >= target)
    section.lines += ["", "What each part of the recipe brings: the same without it, and with what it leaves out, mean "
                          f"(range) of {ablations} seeds."]
    for word, parts in (("without", WITHOUT), ("with", WITH)):
        section.table(word, *(f"d = {width}" for width in KEYWORD_WIDTHS))
        for number, (what, keys) in enumerate(parts.items()):
            section.row(what, *(spread(balanced(train_keywords(bench, f"{word}{number}", width, ablations, keys)), percent)
                                for width in KEYWORD_WIDTHS))
    return section


def aware_section(bench):
    seeds, draws = (1, 5) if bench.quick else (5, 100)
    section = Section("Hardware-aware training",
                      f"The same task, {seeds} seeds; every weight, threshold, width and gain off by 10 % (3 sigma) on "
                      f"{draws} dies of each network. Hardware-aware: trained with 20 % (3 sigma), a new die for every 16 "
                      "clips.")
    if lacks_speech(bench, section):
        return section
    runs = {(kind, width): train_keywords(bench, kind, width, seeds, {**keys, **DIES, "test_noise.draws": draws})
            for kind, keys in (("plain", {}), ("aware", AWARE)) for width in KEYWORD_WIDTHS}
    def of_dies(results, figure):
        return statistics.mean(result["test_dies"]["balanced_accuracy"][figure] for result in results)
    section.targets()
    for width in KEYWORD_WIDTHS:
        results = runs["aware", width]
        loss = 100 * (statistics.mean(balanced(results)) - of_dies(results, "mean"))
        section.target(f"d = {width}, hardware-aware: own clean balanced accuracy less mean of the dies",
                       "at most 1 point", f"{loss:.2f} points", loss <= 1.0)
    section.table("training", "d", "clean, mean (range)", "dies, mean", "deviation within a network", "worst die, mean")
    for (kind, width), results in runs.items():
        section.row(kind, width, spread(balanced(results), percent), percent(of_dies(results, "mean")),
                    percent(of_dies(results, "deviation")), percent(of_dies(results, "worst")))
    return section


def copy_section(bench):
    delay, steps = (200, 30) if bench.quick else (10000, 1500)
    keys = {"data.task": "copy_first", "data.length": delay, "model.backbone": "software", "model.width": 16,
            "model.layers": 1, "model.mlp": "none", "training.batch": 16, "training.steps": steps,
            "training.learning_rate": 0.003, "training.epsilon_hold": 0.0, "training.epsilon_fall": 0.02,
            "training.validation_limit": 128}
    section = Section("Memory over a long delay",
                      f"Copy-first: a bit in the first of {delay} frames is the label at the end; d = 16, one block, "
                      f"{steps} steps of 16 sequences, the same configuration for every cell.")
    results = {cell: train_once(bench, f"copy-{cell}", {**keys, "model.cell": cell})
               for cell in ("fq_bmru", "bmru", "mingru", "lru", "gru")}
    section.targets()
    section.target("FQ-BMRU, test accuracy", "100 %", percent(results["fq_bmru"]["test_accuracy"]),
                   results["fq_bmru"]["test_accuracy"] == 1.0)
    section.table("cell", "test accuracy", "cross-entropy", "parameters", "training")
    for cell, result in results.items():
        section.row(f"`{cell}`", percent(result["test_accuracy"]), f"{result['test_bits']:.4f} bits",
                    result["parameters"], seconds_text(result["seconds"]))
    return section


def digits_section(bench):
    keys = {"data.task": "smnist", "model.backbone": "software", "model.width": 128, "model.layers": 1,
            "model.mlp": "none", "model.position": 64, "model.convolution": "causal",
            "training.batch": 32, "training.steps": 20 if bench.quick else 9000, "training.learning_rate": 0.003,
            "training.warm_up": 50, "training.weight_decay": 0.01, "training.dropout": 0.1,
            "training.epsilon_hold": 0.0, "training.epsilon_fall": 0.02, "training.validation_interval": 500,
            **({"training.test_limit": 100} if bench.quick else {})}
    section = Section("Sequential MNIST", "FQ-BMRU, one block of 128 cells, 784 frames of one pixel; trained on "
                                          "`train10k-*` (9,000 of 10,000 images), tested on `t10k-*`.")
    folder = existing(os.environ.get("HYSTERON_MNIST"), ROOT.parent / "shared/data/mnist")
    if folder is None:
        section.lines += ["", "Not measured: there is no MNIST folder."]
        return section
    result = train_once(bench, "digits", {**keys, "data.folder": str(folder)})
    section.targets()
    section.target("test accuracy", "at least 90 %", percent(result["test_accuracy"]), result["test_accuracy"] >= 0.9)
    section.target("training time", "at most 3600 s", seconds_text(result["seconds"]), result["seconds"] <= 3600)
    section.table("key", "value")
    for name, value in keys.items():
        section.row(f"`{name}`", value)
    return section


def benchmark_times(bench, pattern):
    """Median real times of the benchmarks whose names match, in nanoseconds by name."""
    output = bench.work / "benchmark.json"
    subprocess.run([bench.program.parents[2] / "bench/hysteron_bench", "--json", output,
                    f"--benchmark_filter={pattern}", "--benchmark_repetitions=5",
                    "--benchmark_report_aggregates_only=true"], check=True, stdout=sys.stderr)
    scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    return {entry["run_name"]: entry["real_time"] * scale[entry["time_unit"]]
            for entry in json.loads(output.read_text())["benchmarks"] if entry.get("aggregate_name") == "median"}


def engine_section(bench):
    section = Section("The training engine", "`bench/compare_pytorch.py --json` (one step of the hardware backbone, batch 256 x "
                                             "101 frames x 13 inputs, 2 layers, two threads, the quicker of PyTorch's forms) "
                                             "and `hysteron_bench` (medians of five repetitions).")
    def compare(*arguments):
        output = subprocess.run([ROOT / "bench/compare_pytorch.py", "--json", *arguments], check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        return json.loads(output)
    section.targets()
    for what, compared in (("as installed", compare("--as-installed")), ("given our choice of kernels", compare())):
        for width, target in ((4, 20), (64, 6), (256, 4)):
            ratio = compared["ratio"][str(width)]
            section.target(f"time of PyTorch {what} over ours, d = {width}", f"at least {target}",
                           f"{ratio:.1f} ({compared['pytorch_ms'][str(width)]:.1f} ms over "
                           f"{compared['hysteron_ms'][str(width)]:.2f} ms)", ratio >= target)
    memory = compared["hysteron_peak_rss_mib"]
    section.target("memory while training, d = 256", "under 1024 MiB", f"{memory:.0f} MiB", memory < 1024)
    times = benchmark_times(bench, "^(stream_frame/4|states_.*/1024)$")
    frame = times["stream_frame/4"]
    section.target("one frame of a stored model, d = 4", "under 1 us", f"{frame:.0f} ns", frame < 1000)
    chain = times["states_carry_chain/1024"]
    for name, what, target in (("states_scalar/1024", "scalar scan", 10),
                               ("states_over_cells_as_numbers/1024", "scan vectorised over cells, to numbers", 4),
                               ("states_over_cells_packed/1024", "scan vectorised over cells, to packed bits", 4)):
        section.target(f"time of the {what} over the carry chain's", f"at least {target}", f"{times[name] / chain:.1f}",
                       times[name] / chain >= target)
    section.lines += ["", f"PyTorch {compared['torch']}, {compared['threads']} threads."]
    return section


def scans_section(bench):
    section = Section("Forms of the linear scan", "`hysteron_bench --benchmark_filter=^linear_scan`, medians of five repetitions: 16 sequences side by "
                                                  "side on one thread, frame by frame as training runs them, and in chunks of frames.")
    times = benchmark_times(bench, "^linear_scan_")
    section.table("recurrence", "frames", "frame by frame", "in chunks", "frame by frame over in chunks")
    for what, name in (("real, forward", "forward"), ("real, backward", "backward"), ("complex, forward", "complex_forward")):
        for frames in (101, 1024):
            plain, chunked = (times[f"linear_scan_{name}/frames:{frames}/chunked:{form}"] for form in (0, 1))
            section.row(what, frames, f"{plain / 1e3:.2f} us", f"{chunked / 1e3:.2f} us", f"{plain / chunked:.2f}")
    return section


def quadrant_section(bench):
    arguments = ["--tasks", "copy_first,flip_flop,parity,keywords", "--widths", "8,32", "--seeds", "3", "--steps", "1000"]
    if bench.quick:
        arguments = ["--tasks", "copy_first", "--seeds", "1", "--steps", "30", "--widths", "4"]
    section = Section("The first-quadrant form", f"`hysteron study quadrant {' '.join(arguments)}`: BMRU and FQ-BMRU trained on the same tasks, widths "
                                                 "and seeds; see docs/tasks.md for what each column is.")
    result, _ = bench.run("study", "quadrant", *arguments, "--output", "quadrant.json")
    section.lines += ["", f"{result['steps']} steps, {result['seeds']} seeds, one block; figures are means over seeds."]
    levels = result["noise"]
    section.table("task", "width", "cell", "test accuracy (worst seed), balanced where a sequence has one label", "steps to 95 % of the best", "transitions",
                  "dead", "stuck", *(f"retention at {level:g}" for level in levels))
    def frames(value):
        return "no flip" if value is None else f"{value:.0f} frames"
    for row in result["rows"]:
        accuracy = "accuracy" if row["test_balanced_accuracy"] is None else "balanced_accuracy"
        section.row(row["task"], row["width"], f"`{row['cell']}`",
                    f"{percent(row[f'test_{accuracy}'])} ({percent(row[f'worst_test_{accuracy}'])})",
                    f"{row['steps_to_95']:.0f}", percent(row["transition_rate"]), percent(row["dead"]),
                    percent(row["stuck"]), *(frames(value) for value in row["retention"]))
    fill_curves(section, json.loads((bench.work / "quadrant.json").read_text()))
    return section


def fill_curves(section, study):
    """Mean validation accuracy over the seeds of each row at a few steps of the study."""
    curves = {}
    for run in study["runs"]:
        points = {point["step"]: point["accuracy"] if point["balanced_accuracy"] is None else point["balanced_accuracy"]
                  for point in run["curve"]}
        curves.setdefault((run["task"], run["width"], run["cell"]), []).append(points)
    steps = sorted(set.intersection(*(set(points) for runs in curves.values() for points in runs)))
    count = min(6, len(steps))
    # From the first validation to the last, closer at the beginning, where the curves rise.
    shown = sorted({steps[round((len(steps) - 1) * (i / max(count - 1, 1)) ** 1.5)] for i in range(count)})
    section.lines += ["", "Convergence: validation accuracy (balanced where a sequence has one label) after so many steps, mean over seeds. "
                          "FQ-BMRU is validated with complete resets while it still trains with incomplete ones."]
    section.table("task", "width", "cell", *(f"{step} steps" for step in shown))
    for (task, width, cell), runs in curves.items():
        section.row(task, width, f"`{cell}`",
                    *(percent(statistics.mean(points[step] for points in runs)) for step in shown))


def cell_section(bench):
    section = Section("The cell", "`hysteron study cell`: sized and calibrated at the typical corner, 1.8 V and 27 °C, "
                                  "measured there and elsewhere with an ideal unit current; docs/cell.md has the protocol.")
    fill_cell_section(section, bench)
    return section


def mean_alpha(path):
    """Mean gain of the cells of a model file."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    values = []
    for name, entry in json.loads(data[8:8 + length]).items():
        if name.endswith(".alpha"):
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            values += struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
    return statistics.mean(values)


def compiler_section(bench):
    settings = ", ".join(f"`{key} = {value}`" for key, value in CORE.items())
    clearer = ", ".join(f"`{key} = {value}`" for key, value in CLEAR.items() if CORE.get(key) != value)
    wider = ", ".join(f"`{key} = {value}`" for key, value in WIDE.items() if CORE.get(key) != value)
    section = Section("The compiler", f"Networks trained on Speech Commands with {settings} (the network clear of its thresholds: {clearer}; d = 16: {wider}); "
                                      "`hysteron verify` on 40 test clips (d = 16: 10), "
                                      "typical corner, 27 °C, `--center` with the training clips.")
    if lacks_speech(bench, section):
        return section
    fill_compiler_section(section, bench, train_once, mean_alpha)
    return section


def centring_section(bench):
    section = Section("Centring", "`hysteron verify` with the thresholds as trained (`--calibrate-on` the training clips) and with `--center`, of networks of "
                                  "d = 4 and two layers that nothing was chosen by; typical corner, 27 °C.")
    if lacks_speech(bench, section):
        return section
    fill_centring_section(section, bench, train_once)
    return section


def unit_current_section(bench):
    section = Section("The unit current", "`hysteron verify --unit-current`, `--supply` and `hysteron hazards --rate` of the d = 4 network of section \"The compiler\"; "
                                          "docs/notes/unit-current.md has what was decided.")
    if lacks_speech(bench, section):
        return section
    fill_unit_current_section(section, bench, train_unless_there)
    return section


def dies_section(bench):
    section = Section("Dies", "`hysteron montecarlo` of the d = 4 network of section \"The compiler\" on its test clips; "
                              "docs/robustness.md has the protocol.")
    if lacks_speech(bench, section):
        return section
    fill_dies_section(section, bench, train_once)
    return section


def corners_section(bench):
    section = Section("Corners", "`hysteron corners` of the d = 4 network of section \"The compiler\" on ten of its test clips; "
                                 "docs/robustness.md has the protocol and the reference.")
    if lacks_speech(bench, section):
        return section
    fill_corners_section(section, bench, train_unless_there)
    return section


def power_section(bench):
    section = Section("Power over the width", "`hysteron power`, legs sized by the gain curves; docs/power.md has the networks and the model.")
    fill_power_section(section, bench, train_unless_there)
    return section


def wide_power(bench, dim):
    section = Section(f"Power of a circuit of d = {dim}", "`hysteron power --frames 1`: a drawn network as in section \"Power over the width\" on a clip of one frame, "
                                                          "listening and at rest, in ngspice; legs sized by the gain curves.")
    fill_wide_power_section(section, bench, dim)
    return section


def wide_power_section(bench):
    return wide_power(bench, 32)


def widest_power_section(bench):
    return wide_power(bench, 64)


def noise_section(bench):
    section = Section("Noise at a held cell", "`hysteron noise`: protocol A of docs/noise.md.")
    fill_noise_section(section, bench)
    if bench.speech is not None:
        fill_network_part(section, bench, train_unless_there)
    return section


def devices_section(bench):
    section = Section("Device noise of a held cell", "`hysteron noise`: protocol C of docs/noise.md, thermal and flicker noise of the cell's own transistors.")
    fill_device_section(section, bench)
    return section


def accumulation_section(bench):
    section = Section("Noise over time and layers", "`hysteron study accumulation`: a value kept in chains of memories, every mirror off "
                                                    "by a random factor in every frame; docs/noise.md has the protocol.")
    fill_accumulation_section(section, bench)
    return section


def immunity_section(bench):
    section = Section("Noise immunity", "Seven words of Speech Commands, two blocks of 16 cells in the software backbone with a ReLU MLP, the same "
                                        "configuration for every cell (scripts/results_noise.py), seeds from 1; hardware-aware: trained with static errors of 30 % "
                                        "(three deviations) and noise of 20 %. docs/noise.md has the definitions.")
    if lacks_speech(bench, section):
        return section
    fill_immunity_section(section, bench, train_once)
    return section


def gates_section(bench):
    section = Section("Spike logic", "`hysteron gates --all`: the ten built-in circuits at 100 pA, 27 °C; docs/gates.md has the protocol.")
    fill_gates_section(section, bench)
    return section


def silicon_section(bench):
    section = Section("Measured silicon", "Virtual chips: circuits in ngspice (generic180) of a keyword network (d = 4, every key at its default) whose parameters "
                                          "are off and known to the script alone; `hysteron compare` sees their waveforms. docs/silicon.md has the protocol.")
    if lacks_speech(bench, section):
        return section
    fill_silicon_section(section, bench, train_once)
    return section


def explore_section(bench):
    section = Section("Searching designs", "`hysteron explore` of the space below on the spoken corpus; docs/explore.md has the protocol.")
    fill_explore_section(section, bench)
    return section


SECTIONS = {"demo": demo_section, "accuracy": accuracy_section, "speech": speech_section,
            "agreement": agreement_section, "foreign": foreign_section, "parallel": parallel_section,
            "keywords": keywords_section, "aware": aware_section, "copy": copy_section, "digits": digits_section,
            "engine": engine_section, "scans": scans_section, "quadrant": quadrant_section, "cell": cell_section,
            "compiler": compiler_section, "centring": centring_section, "unit-current": unit_current_section, "dies": dies_section, "corners": corners_section,
            "power": power_section, "wide-power": wide_power_section, "widest-power": widest_power_section, "noise": noise_section, "devices": devices_section,
            "accumulation": accumulation_section, "immunity": immunity_section, "gates": gates_section,
            "silicon": silicon_section, "explore": explore_section}


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
