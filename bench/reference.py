#!/usr/bin/env python3
"""Trains and compiles one of two frozen reference networks and measures its circuit, whatever the defaults become.

    demo  the network of `hysteron demo` of version 0.1 in generic180: 571 transistors, 125 nW
    core  the d = 4 network of the section "The compiler" of docs/results.md, centered, in gf180mcu: 474 transistors,
          60 nW at 1 nA, 22 nW at 1.2 V and 550 pA

Every key of training stands in bench/reference_NAME.toml, every option of the circuit here. Prints what it measured
beside these figures; exit code 5 if transistors differ or power is off by more than 1 %.
Usage: bench/reference.py [--program FILE] [--work FOLDER] [--speech FOLDER] [--pdk-root FOLDER] [--json] demo|core
"""
import argparse
import json
import pathlib
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent
TIME_LIMIT = 7200  # seconds of one command

# Everything that shapes the circuit and is not in the model file.
CIRCUIT = ["--calibrate", "layers", "--drop-below", "0", "--input-ramp", "100u", "--input-pedestal", "0",
           "--frame-time", "10m"]
FULL_CURRENT = ["--supply", "1.8", "--unit-current", "1n", "--cell-capacitance", "80f"]
LOW_POWER = ["--supply", "1.2", "--unit-current", "550p", "--cell-capacitance", "44f"]
FROZEN = {"demo": {"transistors": 571, "power_nw": 125.0},
          "core": {"transistors": 474, "power_nw": 60.0, "low_power_nw": 22.0}}
CLASSES = ("yes", "no", "up", "down", "left", "right", "_silence_")


class Program:
    def __init__(self, options):
        self.path = options.program.resolve()
        self.work = options.work
        self.work.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments):
        """The JSON object that a command prints."""
        command = [self.path, *map(str, arguments), "--json"]
        result = subprocess.run(command, cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                timeout=TIME_LIMIT, check=False)
        if result.returncode != 0:
            sys.exit(f"hysteron {arguments[0]} exited with {result.returncode}")
        return json.loads(result.stdout)

    def train(self, name, data):
        """Trains the network of bench/reference_NAME.toml on the folder `data`."""
        config = (BENCH / f"reference_{name}.toml").read_text().replace("@DATA@", str(data))
        (self.work / f"{name}.toml").write_text(config)
        return self.run("train", f"{name}.toml")

    def measure(self, name, features, pdk, *flags):
        circuit = self.run("compile", f"{name}.safetensors", "-o", f"{name}-circuit", "--pdk", pdk, *CIRCUIT, *flags)
        verified = self.run("verify", f"{name}.safetensors", "--input", features, "--pdk", pdk, *CIRCUIT, *flags)
        return {"transistors": circuit["transistors"], "power_nw": verified["power_nw"]["total"],
                "frame_agreement": verified["frame_agreement"]}


def training_clips(speech):
    """Audio files of the training and validation speakers by class, in the order of their names."""
    testing = set((speech / "testing_list.txt").read_text().split())
    validation = set((speech / "validation_list.txt").read_text().split())
    files = [file for label in CLASSES for file in sorted((speech / label).glob("*.wav"))]
    return [file for file in files if f"{file.parent.name}/{file.name}" not in testing | validation]


def measure_demo(program, options):
    program.train("demo", "espeak")
    return program.measure("demo", BENCH / "reference_demo.npy", "generic180", *FULL_CURRENT)


def measure_core(program, options):
    speech, pdk = options.speech.resolve(), ["--pdk-root", options.pdk_root.resolve(), "--center", "training.npy"]
    program.train("core", speech)
    tested = [speech / name for name in (BENCH / "reference_core_clips.txt").read_text().split()]
    program.run("features", *tested, "-o", "test.npy")
    program.run("features", *training_clips(speech), "-o", "training.npy")
    result = program.measure("core", "test.npy", "gf180mcu", *FULL_CURRENT, *pdk)
    low = program.measure("core", "test.npy", "gf180mcu", *LOW_POWER, *pdk)
    return {**result, "low_power_nw": low["power_nw"], "low_frame_agreement": low["frame_agreement"]}


def is_as_frozen(name, result):
    def close(key, value):
        return result[key] == value if key == "transistors" else abs(result[key] / value - 1.0) <= 0.01
    return all(close(key, value) for key, value in FROZEN[name].items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=FROZEN)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/apps/hysteron/hysteron")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/reference")
    parser.add_argument("--speech", type=pathlib.Path, default=ROOT.parent / "shared/data/speech_commands")
    parser.add_argument("--pdk-root", type=pathlib.Path, default=ROOT.parent / "shared/pdk")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    measure = {"demo": measure_demo, "core": measure_core}[options.name]
    result = measure(Program(options), options)
    if options.json:
        print(json.dumps({"name": options.name, "frozen": FROZEN[options.name], **result}))
    else:
        for key, value in result.items():
            print(f"{key:<20} {value:<10.6g} {FROZEN[options.name].get(key, '')}")
    sys.exit(0 if is_as_frozen(options.name, result) else 5)


if __name__ == "__main__":
    main()
