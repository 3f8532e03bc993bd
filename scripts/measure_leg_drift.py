#!/usr/bin/env python3
"""Measures how temperature moves the gain of gf180mcu's legs (docs/notes/temperature.md): drain current at 1 nA over
that of the 5/5 um reference device, 0.42 V across, typical corner, operating points in ngspice. Prints the note's
table.

usage: measure_leg_drift.py PDK_FOLDER   (the folder with design.ngspice)"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SIZES = [(0.5, 5), (1, 5), (2, 5), (3, 5), (5, 5), (12, 5), (2, 10), (3, 10), (5, 10), (2, 20), (3, 20), (2, 50)]  # um
TEMPERATURES = (27, -40, 85)  # the first is what the others are compared with


def deck(pdk, temperature):
    lines = ["legs", f".include '{pdk}/design.ngspice'", f".lib '{pdk}/sm141064.ngspice' typical",
             ".param sw_stat_global=0 sw_stat_mismatch=0 mc_skew=3 fnoicor=0", f".temp {temperature}",
             ".options gmin=1e-16 abstol=1e-16 reltol=1e-4", "vdd vdd 0 1.8",
             "in vdd nr 1n", "xn nr nr 0 0 nfet_03v3 w=5u l=5u", "ip pr 0 1n", "xp pr pr vdd vdd pfet_03v3 w=5u l=5u"]
    for i, (width, length) in enumerate(SIZES):
        lines += [f"vn{i} n{i} 0 0.42", f"xn{i} n{i} nr 0 0 nfet_03v3 w={width}u l={length}u",
                  f"vp{i} p{i} vdd -0.42", f"xp{i} p{i} pr vdd vdd pfet_03v3 w={width}u l={length}u"]
    probes = [f"print i(v{polarity}{i})" for i in range(len(SIZES)) for polarity in "np"]
    return "\n".join(lines + [".control", "set num_threads=1", "op", *probes, "quit", ".endc", ".end", ""])


def gains(pdk, temperature):
    """By polarity and index of the size."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "deck.cir"
        path.write_text(deck(pdk, temperature))
        output = subprocess.run(["ngspice", "-b", path], capture_output=True, text=True, check=True, timeout=120,
                                env={**os.environ, "OMP_WAIT_POLICY": "passive"}).stdout
    return {name: abs(float(value)) / 1e-9 for name, value in re.findall(r"i\(v(\w+)\) = (\S+)", output)}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pdk = pathlib.Path(sys.argv[1]).resolve()
    usual, cold, hot = (gains(pdk, temperature) for temperature in TEMPERATURES)
    print("| W/L in um | N gain | -40 °C | 85 °C | P gain | -40 °C | 85 °C |\n|---|---|---|---|---|---|---|")
    for i, (width, length) in enumerate(SIZES):
        cells = [f"{width:g}/{length}"]
        for name in (f"n{i}", f"p{i}"):
            cells += [f"{usual[name]:.3f}",
                      *(f"{100 * (other[name] / usual[name] - 1):+.1f} %" for other in (cold, hot))]
        print("| " + " | ".join(cells) + " |")


main()
