"""The section `cell` of scripts/results.py: targets and tables of `hysteron study cell`."""
import csv
import json
import statistics

# Published linearity of a cell over 100-400 pA, and the tenth of it that is asked for: |slope - 1| and |offset| in pA.
CELL_LINES = {"threshold": ("0.983, -11 pA", 0.0017, 1.1), "width": ("0.989, -12.7 pA", 0.0011, 1.27),
              "gain": ("1.017, +6 pA", 0.0017, 0.6)}

# What is programmed and what is measured of a cell in the sweep of each current.
SWEPT = {"threshold": ("i_thresh", lambda cell: cell["rise"]),
         "width": ("i_width", lambda cell: None if None in (cell["rise"], cell["fall"]) else cell["rise"] - cell["fall"]),
         "gain": ("i_gain", lambda cell: cell["high"])}

# The cell whose whole loop is shown, and candidates in pA: close to both thresholds, but farther than the ramp sees them late.
LOOP_CELL = ("--i-thresh", "300p", "--i-width", "150p", "--i-gain", "300p")
LOOP_CANDIDATES = (0, 50, 100, 140, 145, 155, 160, 200, 290, 295, 305, 310, 385)

DASH = "–"  # where there is no figure


def figure(value, form, unit="", scale=1.0):
    """`value` in `unit`, of which there are `scale` in one of the file's."""
    return DASH if value is None else f"{scale * value:{form}}{unit}"


def percent(value):
    return figure(value, ".2f", " %", 100)


def pico(value, form=".2f", unit=""):
    return figure(value, form, unit, 1e12)


def milli(value):
    return figure(value, ".3g", "", 1e3)


def line_text(line, slope=".5f", offset="+.3f"):
    return f"{figure(line['slope'], slope)}, {pico(line['offset'], offset, ' pA')}"


def currents_text(cell):
    return ", ".join(pico(cell[name], ".4g") for name in ("i_thresh", "i_width", "i_gain")) + " pA"


def cell_targets(section, pdk, study):
    for name, (published, slope, offset) in CELL_LINES.items():
        line = study["linearity"][name]
        slope_met = line["slope"] is not None and abs(line["slope"] - 1) <= slope
        offset_met = line["offset"] is not None and abs(line["offset"]) <= 1e-12 * offset
        section.target(f"{pdk}: {name}: slope, offset (published: {published})",
                       f"1 ± {slope:g}, 0 ± {offset:g} pA", line_text(line), slope_met and offset_met)
    retention = study["retention"]
    section.target(f"{pdk}: states held for {retention['seconds']:g} s in the band", f"{retention['of']} of {retention['of']}",
                   f"{retention['held']} of {retention['of']}", retention["held"] == retention["of"])


def relative_fit(programmed, measured):
    """Slope, offset and worst residual of the line whose residuals over what was programmed have the least sum of squares."""
    # With residuals over x the line is measured / x = slope + offset / x: straight in 1 / x.
    inverse = [1 / x for x in programmed]
    ratios = [y / x for x, y in zip(programmed, measured)]
    mean_inverse, mean_ratio = statistics.mean(inverse), statistics.mean(ratios)
    square = sum((u - mean_inverse) ** 2 for u in inverse)
    offset = sum((u - mean_inverse) * (v - mean_ratio) for u, v in zip(inverse, ratios)) / square
    slope = mean_ratio - offset * mean_inverse
    return slope, offset, max(abs(v - slope - offset * u) for u, v in zip(inverse, ratios))


def sweep_fit_table(section, sweeps):
    section.table("sweep", "from, to", "cells with a figure", "slope", "offset", "worst relative residual")
    for name, sweep in sweeps.items():
        current, read = SWEPT[name]
        points = [(cell[current], read(cell)) for cell in sweep["cells"] if read(cell) is not None]
        ends = ", ".join(pico(end([cell[current] for cell in sweep["cells"]]), ".4g", " pA") for end in (min, max))
        known = len({x for x, _ in points}) > 1
        slope, offset, worst = relative_fit(*zip(*points)) if known else (None, None, None)
        section.row(name, ends, f"{len(points)} of {len(sweep['cells'])}", figure(slope, ".5f"), pico(offset, "+.3f", " pA"),
                    percent(worst))


def cell_linearity_tables(section, studies):
    section.table("technology", "current", "worst residual", "slope, offset on ramps half as fast",
                  "slope, offset, worst residual before calibration")
    for pdk, study in studies.items():
        for name, line in study["linearity"].items():
            before, slow = line["uncalibrated"], line["slower_ramp"]
            section.row(pdk, name, pico(line["worst_residual"], ".3f", " pA"), line_text(slow),
                        f"{line_text(before, '.4f', '+.2f')}, {pico(before['worst_residual'], unit=' pA')}")
    for pdk, study in studies.items():
        section.lines += ["", f"{pdk}, whole range: the line of least squares through what was measured (rise, width, high) over what was "
                              "programmed, residuals relative to what was programmed."]
        sweep_fit_table(section, study["sweeps"])
        section.lines += ["", f"{pdk}, whole range: measured rise, fall, high, low in pA, beside I_thresh, I_width, I_gain."]
        section.table("sweep", "programmed", "rise", "fall", "high", "low")
        for name, sweep in study["sweeps"].items():
            for cell in sweep["cells"]:
                section.row(name, currents_text(cell), *(pico(cell[key], ".5g") for key in ("rise", "fall", "high", "low")))


def cell_behaviour_tables(section, pdk, study):
    names = study["independence"]
    section.lines += ["", f"{pdk}, independence: what is measured by the current that a leg is sized for."]
    section.table("cell", *(f"d {row} / d {column}" for row in names["rows"] for column in names["columns"]))
    for anchor in study["anchors"]:
        section.row(currents_text(anchor), *(figure(value, "+.4f") for line in anchor["independence"] for value in line))
    section.lines += ["", f"{pdk}, response: milliseconds from the step to the output at nine tenths (set) or one tenth "
                          "(reset), over the overdrive."]
    overdrives = [point["overdrive"] for point in study["anchors"][0]["response"]]
    section.table("cell", *(f"{100 * value:g} %" for value in overdrives))
    for anchor in study["anchors"]:
        section.row(currents_text(anchor), *(f"{milli(point['set_output'])} / {milli(point['reset_output'])}"
                                             for point in anchor["response"]))
    section.lines += ["", f"{pdk}, current of one cell, and the smallest supply at which it works."]
    section.table("cell", *CURRENT_COLUMNS, "switches from", "holds from")
    lowest = min(row["supply_v"] for row in study["low_supplies"])
    for anchor in study["anchors"]:
        currents = anchor["currents"]
        volts = (supply_text(anchor[name], lowest) for name in ("smallest_switching_supply", "smallest_holding_supply"))
        section.row(currents_text(anchor), *current_figures(currents), *volts)


def supply_text(volts, lowest):
    """The smallest supply that was found; where no lower one was tried it may be less."""
    return ("≤ " if volts is not None and volts <= lowest + 1e-9 else "") + figure(volts, ".2f", " V")


CURRENT_COLUMNS = ("off, no candidate", "off, in band", "on, in band", "charge to set", "charge to reset", "peak while setting")


def current_figures(currents):
    """What a cell draws at rest, and the charges and the peak of its switching."""
    return [*(pico(currents[name], ".4g", " pA") for name in ("off_at_zero", "off_in_band", "on_in_band")),
            *(figure(currents[name], ".1f", " fC", 1e15) for name in ("set_charge", "reset_charge")),
            pico(currents["set_peak"], ".4g", " pA")]


def conditions(row):
    return row["corner"], f"{row['supply_v']:g} V", f"{row['temperature']:g} °C"


def cell_extreme_tables(section, pdk, study):
    extremes = study["extremes"]
    if not extremes:
        return
    names = list(study["linearity"])
    section.lines += ["", f"{pdk}, away from where cells are calibrated: slope, offset, worst residual over 100 to 400 pA."]
    section.table("corner", "supply", "temperature", *names)
    for row in extremes:
        lines = (row["linearity"][name] for name in names)
        section.row(*conditions(row), *(f"{line_text(line, '.4f', '+.2f')}, {pico(line['worst_residual'], unit=' pA')}"
                                        for line in lines))
    section.lines += ["", f"{pdk}, current of one cell there."]
    section.table("corner", "supply", "temperature", "cell", *CURRENT_COLUMNS)
    for row in extremes:
        for cell in row["anchors"]:
            section.row(*conditions(row), currents_text(cell), *current_figures(cell["currents"]))
    cell_conduct_tables(section, pdk, study)


def off_ideal(matrix):
    """Largest deviation of a diagonal sensitivity from 1 and largest of the others, in percent."""
    if any(value is None for line in matrix for value in line):
        return DASH
    own = max(abs(matrix[i][i] - 1) for i in range(3))
    others = max(abs(matrix[i][j]) for i in range(3) for j in range(3) if i != j)
    return f"{100 * own:.1f} / {100 * others:.1f}"


def at_overdrive(cell, overdrive):
    point = next(point for point in cell["response"] if point["overdrive"] == overdrive)
    return f"{milli(point['set_output'])} / {milli(point['reset_output'])}"


def supplies_of(cell, lowest):
    if "smallest_switching_supply" not in cell:
        return ""
    return " / ".join(supply_text(cell[name], lowest) for name in ("smallest_switching_supply", "smallest_holding_supply"))


def held_text(cell):
    if None in (cell["holds"]["off"], cell["holds"]["on"]):
        return cell["holds"]["problem"]
    held = [state for state in ("off", "on") if cell["holds"][state]]
    return "both" if len(held) == 2 else " ".join(held) or "none"


def smallest_width(cells):
    """The least width that was measured, of cells that hold both states as all wider ones do."""
    held = []
    for cell in sorted(cells, key=lambda cell: -cell["i_width"]):
        if not cell["holds"] or cell["width"] is None:
            break
        held.append(cell["width"])
    return pico(min(held), ".3g", " pA") if held else "none"


def cell_conduct_tables(section, pdk, study):
    """How the anchors behave away from home: one table for each figure, a column for each cell."""
    home = {"corner": "home", "supply_v": study["supply_v"], "temperature": study["temperature"], "anchors": study["anchors"],
            "small_widths": study["small_widths"]}
    rows = [home, *study["extremes"]]
    overdrive = 0.1
    lowest = min(row["supply_v"] for row in study["low_supplies"])

    def table(caption, cell_text, there=rows):
        section.lines += ["", f"{pdk}, {caption}"]
        section.table("corner", "supply", "temperature", *(f"{pico(cell['i_thresh'], '.4g')} pA" for cell in study["anchors"]))
        for row in there:
            section.row(*conditions(row), *map(cell_text, row["anchors"]))

    table("independence there, in percent: the largest deviation of a current from what its own leg makes of a change (1), and the "
          "largest effect of another's.", lambda cell: off_ideal(cell["independence"]))
    table(f"response there: milliseconds to the output, set / reset, {100 * overdrive:g} % of the rise beyond a threshold.",
          lambda cell: at_overdrive(cell, overdrive))
    table("states held for a second in the middle of the band there.", held_text, study["extremes"])
    table("smallest supply there: switches from / holds from.", lambda cell: supplies_of(cell, lowest),
          [row for row in rows if "smallest_switching_supply" in row["anchors"][0]])
    thresholds = sorted({cell["i_thresh"] for cell in study["small_widths"]})
    section.lines += ["", f"{pdk}, smallest width there, as measured, from which on cells hold both states, of cells made for "
                          f"{', '.join(pico(w, '.4g') for w in sorted({round(c['i_width'], 15) for c in study['small_widths']}))} pA."]
    section.table("corner", "supply", "temperature", *(f"I_thresh {pico(value, '.4g')} pA" for value in thresholds))
    for row in rows:
        section.row(*conditions(row), *(smallest_width([c for c in row["small_widths"] if c["i_thresh"] == value])
                                        for value in thresholds))


def deviation(cell):
    """Rise and fall less what was programmed, over I_thresh."""
    if cell["rise"] is None or cell["fall"] is None:
        return cell.get("problem", DASH)
    rise = (cell["rise"] - cell["i_thresh"]) / cell["i_thresh"]
    fall = (cell["fall"] - cell["i_thresh"] + cell["i_width"]) / cell["i_thresh"]
    return f"{100 * rise:+.2f} / {100 * fall:+.2f}"


def worst_low(cells):
    """The output that a cell keeps when off, of the cell that keeps most of its I_gain."""
    known = [cell for cell in cells if "problem" not in cell and cell["low"] is not None]
    if not known:
        return DASH
    worst = max(known, key=lambda cell: cell["low"] / cell["i_gain"])
    return f"{pico(worst['low'], '.3g', ' pA')}, {figure(worst['low'] / worst['i_gain'], '.2g', ' %', 100)}"


def cell_limit_tables(section, pdk, study):
    section.lines += ["", f"{pdk}: deviation of rise / fall from what was programmed, in percent of I_thresh, of the cells of each "
                          "I_thresh; the largest deviation of an output in percent of I_gain; and what a cell with a loop puts out when "
                          "off, where that is the largest share of its I_gain."]
    section.table("corner", "supply", "temperature", *(f"{pico(cell['i_thresh'], '.4g')} pA" for cell in study["anchors"]),
                  "output", "output when off")
    for row in study["environments"]:
        section.row(*conditions(row), *map(deviation, row["cells"]), figure(row["worst"]["high"], ".2f", "", 100),
                    worst_low(row["cells"]))
    section.lines += ["", f"{pdk}, small widths, I_gain as I_thresh."]
    section.table("I_thresh", "I_width", "measured width", "holds both states")
    for cell in study["small_widths"]:
        section.row(pico(cell["i_thresh"], ".4g", " pA"), pico(cell["i_width"], ".4g", " pA"), pico(cell["width"], ".3f", " pA"),
                    "yes" if cell["holds"] else "no")
    floor = study["floor"]
    section.lines += ["", f"Floor of I_thresh: {pico(floor['threshold'], '.3g')} pA (an off device leaks "
                          f"{1e15 * floor['leakage']:.3g} fA, the smallest leg carries {pico(floor['smallest_leg'], '.3g')} pA). "
                          f"{study['points']} points, {len(study['unsolved'])} without a figure; the file names them, "
                          "and the tables above say why."]


def measure_loop(bench, pdk):
    """The rows of a whole loop, in pA: candidate, output on the way up and down."""
    bench.run("cell", "--pdk", pdk, *LOOP_CELL, "--loop", f"loop-{pdk}.csv")
    with open(bench.work / f"loop-{pdk}.csv", newline="") as file:
        return [[1e12 * float(row[name]) for name in ("candidate_a", "output_up_a", "output_down_a")] for row in csv.DictReader(file)]


def cell_loop_table(section, loops):
    section.lines += ["", f"One loop, `hysteron cell {' '.join(LOOP_CELL)} --loop`, a few of its 401 candidates: the output in pA while the candidate "
                          "rises, and while it falls. Its ramp takes 4 s each way and sees a threshold some pA late."]
    section.table("candidate", *(f"{pdk}, {way}" for pdk in loops for way in ("up", "down")))
    for wanted in LOOP_CANDIDATES:
        rows = [min(loop, key=lambda row: abs(row[0] - wanted)) for loop in loops.values()]
        section.row(f"{rows[0][0]:.1f} pA", *(f"{output:.4g}" for row in rows for output in row[1:]))


# A unit current at which the smallest leg of every technology carries less than half of 10 pA, and a study of what that changes.
SMALL_UNIT = ("--unit-current", "300p", "--currents", "10p,20p,50p", "--supplies", "1.8", "--temperatures", "27", "--corners", "tt")


def small_unit_rows(section, bench, pdk, arguments):
    """The cells that a smaller unit current makes possible, beside the target of all anchors."""
    bench.run("study", "cell", "--pdk", pdk, *SMALL_UNIT, *arguments, "-o", f"cell-small-{pdk}.json")
    study = json.loads((bench.work / f"cell-small-{pdk}.json").read_text())
    retention = study["retention"]
    section.target(f"{pdk}, unit current 300 pA: states held for {retention['seconds']:g} s in the band",
                   f"{retention['of']} of {retention['of']}", f"{retention['held']} of {retention['of']}",
                   retention["held"] == retention["of"])
    return study


def small_unit_table(section, pdk, study):
    section.lines += ["", f"{pdk}, unit current 300 pA: the five cells of 10 pA to 3 nA in pA, and what is measured of them."]
    section.table("cell", "rise", "fall", "high", "low", "switches from", "holds from")
    lowest = min(row["supply_v"] for row in study["low_supplies"])
    for cell in study["anchors"]:
        volts = (supply_text(cell[name], lowest) for name in ("smallest_switching_supply", "smallest_holding_supply"))
        section.row(currents_text(cell), *(pico(cell[key], ".5g") for key in ("rise", "fall", "high", "low")), *volts)


def fill_cell_section(section, bench):
    """Runs the study in both technologies, its targets and tables into `section`."""
    arguments = ["--currents", "100p,1n", "--supplies", "1.8", "--temperatures", "27", "--corners", "tt", "--retention",
                 "1"] if bench.quick else []
    section.targets()
    studies, times, loops = {}, {}, {}
    for pdk in ("generic180", "gf180mcu"):
        if pdk == "gf180mcu" and bench.pdk_root is None:
            section.row(f"{pdk}", "", "not measured: there is no PDK", "")
            continue
        _, times[pdk] = bench.run("study", "cell", "--pdk", pdk, *arguments, "-o", f"cell-{pdk}.json")
        studies[pdk] = json.loads((bench.work / f"cell-{pdk}.json").read_text())
        cell_targets(section, pdk, studies[pdk])
        loops[pdk] = measure_loop(bench, pdk)
    small = {}
    if "gf180mcu" in studies:
        small["gf180mcu"] = small_unit_rows(section, bench, "gf180mcu", ["--retention", "1"] if bench.quick else [])
    cell_loop_table(section, loops)
    cell_linearity_tables(section, studies)
    for pdk, study in studies.items():
        cell_behaviour_tables(section, pdk, study)
        cell_extreme_tables(section, pdk, study)
        cell_limit_tables(section, pdk, study)
    for pdk, study in small.items():
        small_unit_table(section, pdk, study)
    section.lines += ["", "Time of a study: " + ", ".join(f"{pdk} {time:.0f} s" for pdk, time in times.items()) + "."]
    return section
