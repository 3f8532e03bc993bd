#!/usr/bin/env python3
"""Measures the two ways to carry a signed value (docs/notes/signed-values.md): one node with a class-B splitter and
cascodes, or two rectifying nodes with mirrored legs. The value is a sum of 13 inputs; operating points in ngspice with
gf180mcu, as drawn and on dies with mismatch.

usage: measure_signed_values.py PDK_FOLDER   (the folder with design.ngspice)"""
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile

INPUTS, UNIT, DIES, SUPPLY = 13, 1e-9, 60, 1.8


class Deck:
    def __init__(self):
        self.lines, self.devices = [], 0

    def add(self, polarity, drain, gate, source, width, length):
        bulk = "0" if polarity == "n" else "vdd"
        device = f"{polarity}fet_03v3 w={width:.4g}u l={length:.4g}u"
        self.lines.append(f"x{self.devices} {drain} {gate} {source} {bulk} {device}")
        self.devices += 1
        return self.devices - 1

    def current(self, into, amperes):
        self.lines.append(f"i{self.devices}{len(self.lines)} vdd {into} {amperes:.6g}")

    def rails(self, name, amperes):
        """An N diode that takes a current, and its P rail."""
        self.add("n", name, name, "0", 5, 5)
        self.current(name, amperes)
        self.add("n", name + "_p", name, "0", 5, 5)
        self.add("p", name + "_p", name + "_p", "vdd", 5, 5)

    def leg(self, rail, node, weight):
        if weight > 0:
            return self.add("p", node, rail + "_p", "vdd", 5 * weight, 5)
        return self.add("n", node, rail, "0", -5 * weight, 5)


def splitter(deck, weights):
    deck.rails("unit", UNIT)
    deck.add("p", "sn", "unit_p", "vdd", 0.22, 50)
    deck.add("n", "sn", "sn", "sm", 5, 0.5)
    deck.add("p", "sp", "sp", "sm", 5, 0.5)
    deck.add("n", "sp", "sp", "0", 5, 5)
    before = deck.devices
    deck.add("p", "v", "unit", "push", 5, 0.5)
    deck.add("n", "v", "sm", "pull", 5, 0.5)
    for rail, weight in weights:
        deck.leg(rail, "push" if weight > 0 else "pull", weight)
    deck.add("p", "plus", "sp", "v", 5, 0.5)
    deck.add("n", "minus", "sn", "v", 5, 0.5)
    value = [deck.add("n", "plus", "plus", "0", 5, 5), deck.add("p", "minus", "minus", "vdd", 5, 5)]
    return value, deck.devices - before


def mirrored(deck, weights):
    before = deck.devices
    for rail, weight in weights:
        deck.leg(rail, "plus", weight)
        deck.leg(rail, "minus", -weight)
    value = [deck.add("n", "plus", "plus", "0", 5, 5), deck.add("n", "minus", "minus", "0", 5, 5)]
    return value, deck.devices - before


def run(deck, value, folder, seed):
    section = "typical" if seed == 0 else "statistical"
    probes = [f"@m.x{device}.m0[id]" for device in value]
    text = "\n".join(["signed value", ".include 'design.ngspice'",
                      f".param sw_stat_global=0 sw_stat_mismatch={min(seed, 1)} mc_skew=3 fnoicor=0",
                      f".lib 'sm141064.ngspice' {section}", ".options gmin=1e-16 abstol=1e-17 reltol=1e-6 vntol=1e-9",
                      f".options seed={max(seed, 1)}", f"vvdd vdd 0 {SUPPLY}", *deck.lines,
                      ".save i(vvdd) " + " ".join(probes), ".op", ".end", ""])
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for name in ("design.ngspice", "sm141064.ngspice", "sm141064_mim.ngspice"):
            (work / name).symlink_to(folder / name)
        (work / "deck.cir").write_text(text)
        (work / ".spiceinit").write_text("set ngbehavior=hsa\nset num_threads=1\n")
        subprocess.run(["ngspice", "-b", "-r", "out.raw", "deck.cir"], cwd=work, check=True, timeout=60,
                       capture_output=True)
        data = (work / "out.raw").read_bytes()
    split = data.index(b"Binary:\n") + 8
    names = [line.split()[1] for line in data[:split].decode().split("\n") if line.startswith("\t")]
    numbers = dict(zip(names, struct.unpack_from(f"<{len(names)}d", data, split)))
    plus, minus = (abs(next(v for k, v in numbers.items() if probe in k)) for probe in probes)
    return (plus - minus) / UNIT, plus / UNIT, minus / UNIT, abs(numbers["i(vvdd)"]) / UNIT


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    print("| way | sum | transistors of a value with 13 signed inputs | error as drawn | deviation over dies | "
          "current of the value's own part |")
    print("|---|---|---|---|---|---|")
    for label, seed in (("positive", 3), ("negative", 8), ("near zero", 5)):
        generator = random.Random(seed)
        inputs = [generator.gauss(0, 1) for _ in range(INPUTS)]
        weights = [generator.uniform(0.1, 0.6) * generator.choice((-1, 1)) for _ in range(INPUTS)]
        wanted = sum(x * w for x, w in zip(inputs, weights))
        shift = {"positive": 1.0, "negative": -1.0, "near zero": 0.05}[label] - wanted
        for name, build in (("splitter with cascodes", splitter), ("mirrored nodes", mirrored)):
            deck = Deck()
            for j, x in enumerate(inputs):
                deck.rails(f"in{j}", abs(x) * UNIT)
            deck.rails("bias", UNIT)
            signed = [(f"in{j}", w if x > 0 else -w) for j, (x, w) in enumerate(zip(inputs, weights))]
            idle = run(deck, [0, 1], folder, 0)[3]
            value, devices = build(deck, signed + [("bias", shift)])
            # The other terminal of every input has a leg too, off here.
            devices += INPUTS * (2 if build is mirrored else 1)
            drawn = run(deck, value, folder, 0)
            total = wanted + shift
            dies = [run(deck, value, folder, seed)[0] for seed in range(1, DIES + 1)]
            print(f"| {name} | {total:+.2f} | {devices} | {drawn[0] - total:+.4f} | {statistics.pstdev(dies):.4f} | "
                  f"{drawn[3] - idle:.2f} |", flush=True)


if __name__ == "__main__":
    main()
