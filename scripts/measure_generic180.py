#!/usr/bin/env python3
"""Measures the generic180 card with ngspice and rewrites the tables of docs/notes/generic180.md.

Usage: scripts/measure_generic180.py [--check]   (--check prints the tables and fails if a figure misses its limit)
Needs ngspice (or $HYSTERON_NGSPICE) and nothing beyond Python's own library.
"""
import math
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CARD = ROOT / "technologies" / "generic180" / "generic180.spice"
NOTE = ROOT / "docs" / "notes" / "generic180.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SUPPLY = 1.8
CHARGE = 1.602176634e-19
KINDS = ("n", "p")
OPTIONS = ".options gmin=1e-18 abstol=1e-18 reltol=1e-6 vntol=1e-9"


def read_raw(path):
    """The plots of a binary raw file: a list of {signal: [values]}; of a complex plot the real parts."""
    data, at, plots = path.read_bytes(), 0, []
    while at < len(data):
        start = data.index(b"Binary:\n", at)
        header = data[at:start].decode().splitlines()
        field = {line.split(":", 1)[0]: line.split(":", 1)[1].strip() for line in header if ":" in line}
        names = [line.split()[1] for line in header[header.index("Variables:") + 1:]]
        points, step = int(field["No. Points"]), 2 if "complex" in field["Flags"] else 1
        at = start + len(b"Binary:\n")
        count = points * len(names) * step
        values = struct.unpack_from(f"{count}d", data, at)
        at += 8 * count
        plots.append({name: values[step * i::step * len(names)] for i, name in enumerate(names)})
    return plots


def run(lines, corner="tt", mismatch=0, process=0, seed=1, temperature=27, options=OPTIONS):
    """Runs the netlist `lines` in the card's `corner` and returns its plots."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / CARD.name).write_bytes(CARD.read_bytes())
        (folder / ".spiceinit").write_text("set num_threads=1\n")
        deck = ["* measurement", f".param sw_mismatch={mismatch} sw_process={process}", f".lib '{CARD.name}' {corner}",
                f".options seed={seed} temp={temperature}", options, *lines, ".end"]
        (folder / "deck.cir").write_text("\n".join(deck) + "\n")
        program = os.environ.get("HYSTERON_NGSPICE", "ngspice")
        environment = dict(os.environ, HOME=name, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive")
        result = subprocess.run([program, "-b", "-r", "out.raw", "deck.cir"], cwd=name, env=environment, timeout=120,
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if result.returncode != 0 or "Warning" in result.stderr or not (folder / "out.raw").exists():
            sys.exit("ngspice:\n" + "\n".join(deck) + "\n" + result.stderr + result.stdout)
        return read_raw(folder / "out.raw")


def transfer(kind, w, length, vds, stop=SUPPLY, step=5e-3, body=0.0, **where):
    """Drain current against gate voltage, both positive for either kind of device."""
    sign = 1 if kind == "n" else -1
    plot = run(["vg g 0 0", f"vd d 0 {sign * vds}", f"vb b 0 {sign * body}",
                f"x1 d g 0 b {kind}fet_g180 w={w} l={length}", ".save v(g) i(vd)",
                f".dc vg 0 {sign * stop} {sign * step}"], **where)[0]
    return [sign * v for v in plot["v(g)"]], [-sign * i for i in plot["i(vd)"]]


def crossing(voltages, currents, target):
    """Gate voltage of a current, on a logarithmic scale."""
    for i in range(1, len(voltages)):
        if currents[i] >= target:
            low, high = math.log(currents[i - 1]), math.log(currents[i])
            share = (math.log(target) - low) / (high - low)
            return voltages[i - 1] + share * (voltages[i] - voltages[i - 1])
    raise ValueError("the current is never reached")


def threshold_at_current(kind, w=5e-6, length=5e-6, vds=0.05, **where):
    """Constant-current threshold: 100 nA W/L, for PMOS a quarter of it as its mobility is."""
    current = {"n": 1e-7, "p": 0.25e-7}[kind]
    return crossing(*transfer(kind, w, length, vds, stop=1.0, **where), current * w / length)


def threshold(kind, w=5e-6, length=5e-6, vds=0.05, **where):
    """Where the tangent of greatest slope meets zero current, less half the drain voltage."""
    v, i = transfer(kind, w, length, vds, **where)
    slope, at = max(((i[k + 1] - i[k - 1]) / (v[k + 1] - v[k - 1]), k) for k in range(1, len(v) - 1))
    return v[at] - i[at] / slope - vds / 2


def swing(kind, w=5e-6, length=5e-6, vds=1.0, low=1e-11, high=1e-9, **where):
    """Volt per decade between two currents."""
    curve = transfer(kind, w, length, vds, stop=1.0, **where)
    return (crossing(*curve, high) - crossing(*curve, low)) / math.log10(high / low)


def off_current(kind, w, length, temperature, corner="tt"):
    sign = 1 if kind == "n" else -1
    plot = run([f"vd d 0 {sign * SUPPLY}", f"x1 d 0 0 0 {kind}fet_g180 w={w} l={length}", ".save i(vd)", ".op"],
               temperature=temperature, corner=corner)[0]
    return abs(plot["i(vd)"][0])


def mirror(kind, widths, vds, current=1e-9, length=5e-6, **where):
    """Currents of legs of `widths` on the rail of a W=L=5 um diode, and the rail's voltage; all positive."""
    sign = 1 if kind == "n" else -1
    lines = [f"iref 0 r {sign * current}", f"xd r r 0 0 {kind}fet_g180 w=5u l=5u"]
    for i, width in enumerate(widths):
        lines += [f"v{i} d{i} 0 {sign * vds}", f"xl{i} d{i} r 0 0 {kind}fet_g180 w={width} l={length}"]
    saved = " ".join(f"i(v{i})" for i in range(len(widths)))
    plot = run(lines + [f".save v(r) {saved}", ".op"], **where)[0]
    return [abs(plot[f"i(v{i})"][0]) for i in range(len(widths))], abs(plot["v(r)"][0])


def leg_spread(kind, width, count=1000, seed=7):
    """Relative deviation of `count` legs W=L on rails of their own diodes of the same size, at 1 nA."""
    sign = 1 if kind == "n" else -1
    lines = [f"vd d 0 {sign * 0.5}"]
    for i in range(count):
        lines += [f"i{i} 0 r{i} {sign * 1e-9}", f"xd{i} r{i} r{i} 0 0 {kind}fet_g180 w={width} l={width}",
                  f"v{i} d e{i} 0", f"xl{i} e{i} r{i} 0 0 {kind}fet_g180 w={width} l={width}"]
    saved = " ".join(f"i(v{i})" for i in range(count))
    plot = run(lines + [f".save {saved}", ".op"], mismatch=1, seed=seed)[0]
    logs = [math.log(abs(plot[f"i(v{i})"][0])) for i in range(count)]
    return statistics.stdev(logs)


def noise(kind, frequency_points=10):
    """Noise of the drain current of a W=L=5 um device at 1 nA: A^2/Hz against frequency, and its transconductance."""
    sign = 1 if kind == "n" else -1
    lines = [f"iref 0 r {sign * 1e-9}", f"xd r r 0 0 {kind}fet_g180 w=5u l=5u", "cq r 0 1", "vg g r dc 0 ac 1",
             f"vd d 0 {sign * 0.9}", f"x1 d g 0 0 {kind}fet_g180 w=5u l=5u", "h1 out 0 vd 1",
             f".noise v(out) vg dec {frequency_points} 1 1meg", ".save all @m.x1.m0[gm] @m.x1.m0[id]", ".op"]
    plots = run(lines)
    spectrum = next(p for p in plots if "onoise_spectrum" in p)
    point = next(p for p in plots if "i(@m.x1.m0[id])" in p)
    gm = next(point[name][0] for name in point if "[gm]" in name)
    return spectrum["frequency"], [v * v for v in spectrum["onoise_spectrum"]], abs(gm)


def smoothness(kind):
    """Greatest change of the local swing between neighbouring 5 mV steps below 1 nA, and monotonic rise of the current
    from 0 to the supply."""
    v, i = transfer(kind, 5e-6, 5e-6, 1.0)
    slopes = [math.log10(i[k + 1] / i[k]) for k in range(len(v) - 1) if i[k + 1] < 1e-9 and i[k] > 1e-13]
    change = max(abs(b / a - 1) for a, b in zip(slopes, slopes[1:]))
    return change, all(b > a for a, b in zip(i, i[1:]))


def cell_loop():
    """Thresholds and levels of the nine-transistor cell (I_thresh 1 nA, I_width 0.5 nA, I_gain 1 nA) under a slow
    triangle of the candidate from 0 to 2 nA and back: rise, fall, high, low in ampere."""
    n = "nfet_g180 w=5u l=5u"
    p = "pfet_g180 w=5u l=5u"
    s = "nfet_g180 w=0.22u l=0.5u"
    lines = [f"vdd vdd 0 {SUPPLY}", "ib vdd nb 1n", f"xb nb nb 0 0 {n}", "iw vdd nw 0.5n", f"xbw nw nw 0 0 {n}",
             "ic pc 0 pwl(0 0 1 2n 2 0)", f"xc pc pc vdd vdd {p}", f"xm1 v0 pc vdd vdd {p}", f"xm2 v0 nb 0 0 {n}",
             f"xm3 po v0 s3 0 {s}", f"xm5 s3 nb 0 0 {n}", f"xm4 po po vdd vdd {p}", f"xm6 pf v0 s6 0 {s}",
             f"xm8 s6 nw 0 0 {n}", f"xm7 pf pf vdd vdd {p}", f"xm9 v0 pf vdd vdd {p}", f"xo out po vdd vdd {p}",
             "vo out 0 0.9", ".save i(vo)", ".tran 1m 2"]
    plot = run(lines, options=".options gmin=1e-15 abstol=1e-16 method=gear")[0]
    time, out = plot["time"], plot["i(vo)"]
    at = {t: min(range(len(time)), key=lambda k: abs(time[k] - t)) for t in (0.1, 1.0)}
    high, low = out[at[1.0]], out[at[0.1]]
    on = [t for t, i in zip(time, out) if i > high / 2]
    return 2e-9 * on[0], 2e-9 * (2 - on[-1]), high, low


class Table:
    """Rows of the note; remembers the figures that miss their limits."""

    def __init__(self):
        self.lines, self.missed = [], []

    def head(self, title, *columns):
        self.lines += ["", f"**{title}**", "", "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]

    def row(self, *cells):
        self.lines.append("| " + " | ".join(cells) + " |")

    def limit(self, what, is_met):
        if not is_met:
            self.missed.append(what)


def main_figures(table):
    table.head("Figures of the design", "figure", "limit", "NMOS", "PMOS")

    def figure(what, limit_text, measure, is_met, unit, scale, form="{:.3g}"):
        values = [measure(kind) for kind in KINDS]
        table.row(what, limit_text, *[form.format(value * scale) + unit for value in values])
        table.limit(what, all(map(is_met, values)))

    figure("\\|Vth\\| by the tangent of greatest slope, Vds 50 mV, W=L=5 µm", "0.45 V ± 20 mV", threshold,
           lambda v: abs(v - 0.45) <= 0.02, " V", 1)
    figure("\\|Vth\\| at 100 nA·W/L (N), 25 nA·W/L (P), same bias", "0.45 V ± 20 mV", threshold_at_current,
           lambda v: abs(v - 0.45) <= 0.02, " V", 1)
    figure("swing from 10 pA to 1 nA, W=L=5 µm", "80–90 mV/decade", swing, lambda v: 0.08 <= v <= 0.09, " mV", 1e3)
    figure("swing at L=0.18 µm, W=1 µm, Vds 1.8 V", "80–90 mV/decade",
           lambda k: swing(k, 1e-6, 0.18e-6, SUPPLY), lambda v: 0.08 <= v <= 0.09, " mV", 1e3)

    def leg_error(kind):
        low, high = mirror(kind, [5e-6], 0.4)[0][0], mirror(kind, [5e-6], 1.4)[0][0]
        return high / low - 1

    figure("leg current, Vds 0.4 → 1.4 V, 1 nA, W=L=5 µm", "≤ 3 %", leg_error, lambda v: 0 < v <= 0.03, " %", 100)
    figure("off current, W/L = 1/0.18 µm, Vds 1.8 V", "≤ 1 pA/µm", lambda k: off_current(k, 1e-6, 0.18e-6, 27),
           lambda v: v <= 1e-12, " pA", 1e12)
    figure("σ of a leg against its diode, W=L=5 µm, 1 nA", "2.7 % from A_VT", lambda k: leg_spread(k, 5e-6),
           lambda v: 0.02 <= v <= 0.035, " %", 100)
    figure("σ of a leg against its diode, W=L=1 µm, 1 nA", "13.6 % from A_VT", lambda k: leg_spread(k, 1e-6),
           lambda v: 0.10 <= v <= 0.175, " %", 100)


def weak_inversion(table):
    widths = [0.22e-6, 0.5e-6, 1e-6, 5e-6, 10e-6]
    table.head("Gain of a leg of width W, L=5 µm, on the rail of a W=L=5 µm diode at 1 nA", "device",
               *[f"W={w * 1e6:g} µm" for w in widths])
    for kind, vds in (("n", 0.42), ("p", 1.38)):
        currents, _ = mirror(kind, widths, vds)
        table.row(f"{kind.upper()}MOS at Vds {vds} V", *[f"{i * 1e9:.4f}" for i in currents])
        table.limit("monotonic gain", all(b > a for a, b in zip(currents, currents[1:])))
    table.head("Voltage of a W=L=5 µm diode", "device", "10 pA", "0.1 nA", "1 nA", "3 nA", "100 nA")
    for kind in KINDS:
        table.row(f"{kind.upper()}MOS", *[f"{mirror(kind, [5e-6], 0.5, current=i)[1]:.4f} V"
                                          for i in (1e-11, 1e-10, 1e-9, 3e-9, 1e-7)])
    table.head("Thresholds at constant current, and smoothness", "device", "W=L=5 µm", "W/L = 5/0.18",
               "same, Vds 1.8 V", "W/L = 0.22/5", "W=L=5 µm, bulk 0.5 V back", "change of the swing between 5 mV steps")
    for kind in KINDS:
        change, is_monotonic = smoothness(kind)
        values = [threshold_at_current(kind), threshold_at_current(kind, 5e-6, 0.18e-6),
                  threshold_at_current(kind, 5e-6, 0.18e-6, vds=SUPPLY), threshold_at_current(kind, 0.22e-6, 5e-6),
                  threshold_at_current(kind, body=-0.5)]
        table.row(f"{kind.upper()}MOS", *[f"{v:.3f} V" for v in values], f"≤ {change * 100:.2f} %")
        table.limit("monotonic current", is_monotonic and change < 0.01)


def temperature(table):
    points = (-40, 27, 85, 125)
    table.head("Temperature", "", *[f"{t} °C" for t in points])
    for kind in KINDS:
        name = kind.upper() + "MOS"
        thresholds = [threshold(kind, temperature=t) for t in points]
        table.row(f"{name} \\|Vth\\|, W=L=5 µm", *[f"{v:.3f} V" for v in thresholds])
        slope = (thresholds[-1] - thresholds[0]) / (points[-1] - points[0])
        table.limit("threshold against temperature", -1.1e-3 <= slope <= -0.6e-3)
        table.row(f"{name} swing", *[f"{swing(kind, temperature=t) * 1e3:.1f} mV" for t in points])
        table.row(f"{name} diode at 1 nA", *[f"{mirror(kind, [5e-6], 0.5, temperature=t)[1]:.3f} V" for t in points])
        table.row(f"{name} off leg, W=L=5 µm, Vds 1.8 V",
                  *[f"{off_current(kind, 5e-6, 5e-6, t) * 1e12:.3g} pA" for t in points])
        table.row(f"{name} off switch, W/L = 0.22/0.5 µm",
                  *[f"{off_current(kind, 0.22e-6, 0.5e-6, t) * 1e12:.3g} pA" for t in points])
        table.row(f"{name} off, W/L = 1/0.18 µm",
                  *[f"{off_current(kind, 1e-6, 0.18e-6, t) * 1e12:.3g} pA" for t in points])


def corners(table):
    names = ("tt", "ff", "ss", "fs", "sf")
    table.head("Corners", "", *names)
    for kind in KINDS:
        name = kind.upper() + "MOS"
        table.row(f"{name} \\|Vth\\|", *[f"{threshold(kind, corner=c):.3f} V" for c in names])
        table.row(f"{name} diode at 1 nA", *[f"{mirror(kind, [5e-6], 0.5, corner=c)[1]:.3f} V" for c in names])
        table.row(f"{name} off, W/L = 1/0.18 µm, 27 °C",
                  *[f"{off_current(kind, 1e-6, 0.18e-6, 27, corner=c) * 1e12:.3g} pA" for c in names])
    rails = [[mirror(kind, [5e-6], 0.5, process=1, seed=s)[1] for s in range(1, 41)] for kind in KINDS]
    table.row("σ of the diode at 1 nA over 40 process draws (N, P)",
              *[f"{statistics.stdev(v) * 1e3:.1f} mV" for v in rails], "", "", "")


def noise_and_charge(table):
    table.head("Noise and gate capacitance, W=L=5 µm at 1 nA", "device", "white noise over 2qI",
               "flicker at 1 Hz, gate", "flicker corner", "gate capacitance")
    for kind in KINDS:
        frequency, spectrum, gm = noise(kind)
        white = spectrum[-1]
        gate = math.sqrt(spectrum[0] - white) / gm
        corner = frequency[0] * (spectrum[0] / white - 1)
        sign = 1 if kind == "n" else -1
        plot = run([f"vg g 0 dc {sign * 0.3} ac 1", f"x1 0 g 0 0 {kind}fet_g180 w=5u l=5u", f"vd d 0 {sign * 0.9}",
                    ".save @m.x1.m0[cgg]", ".op"])[0]
        cgg = abs(next(iter(plot.values()))[0])
        table.row(f"{kind.upper()}MOS", f"{white / (2 * CHARGE * 1e-9):.2f}", f"{gate * 1e6:.2f} µV/√Hz",
                  f"{corner:.2g} Hz", f"{cgg * 1e15:.0f} fF")
        table.limit("white noise", 0.9 <= white / (2 * CHARGE * 1e-9) <= 1.1)


def cell(table):
    rise, fall, high, low = cell_loop()
    table.head("Nine-transistor cell, I_thresh 1 nA, I_width 0.5 nA, I_gain 1 nA, first sizes",
               "rise", "fall", "high", "low")
    table.row(f"{rise * 1e9:.3f} nA", f"{fall * 1e9:.3f} nA", f"{high * 1e9:.3f} nA", f"{low * 1e12:.3f} pA")
    table.limit("hysteresis of the cell",
                abs(rise - 1e-9) < 0.15e-9 and abs(fall - 0.5e-9) < 0.15e-9 and high > 1e3 * low)


def main():
    table = Table()
    for part in (main_figures, weak_inversion, temperature, corners, noise_and_charge, cell):
        part(table)
    text = "\n".join(table.lines).strip()
    if "--check" in sys.argv[1:]:
        print(text)
    else:
        note = NOTE.read_text()
        before, after = note[:note.index(BEGIN) + len(BEGIN)], note[note.index(END):]
        temporary = NOTE.with_suffix(".tmp")
        temporary.write_text(before + "\n" + text + "\n" + after)
        temporary.replace(NOTE)
    for what in table.missed:
        print("misses its limit:", what, file=sys.stderr)
    return 5 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
