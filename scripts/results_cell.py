"""The section `cell` of scripts/results.py: targets and tables of `hysteron study cell`."""
import json

# Published linearity of a cell over 100-400 pA, and the tenth of it that is asked for: |slope - 1| and |offset| in pA.
CELL_LINES = {"threshold": ("0.983, -11 pA", 0.0017, 1.1), "width": ("0.989, -12.7 pA", 0.0011, 1.27),
              "gain": ("1.017, +6 pA", 0.0017, 0.6)}


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


def cell_linearity_tables(section, studies):
    section.table("technology", "current", "worst residual", "slope, offset on ramps half as fast",
                  "slope, offset, worst residual before calibration")
    for pdk, study in studies.items():
        for name, line in study["linearity"].items():
            before, slow = line["uncalibrated"], line["slower_ramp"]
            section.row(pdk, name, pico(line["worst_residual"], ".3f", " pA"), line_text(slow),
                        f"{line_text(before, '.4f', '+.2f')}, {pico(before['worst_residual'], unit=' pA')}")
    for pdk, study in studies.items():
        section.lines += ["", f"{pdk}, whole range: measured rise, fall, high, low in pA, beside I_thresh, I_width, I_gain."]
        section.table("sweep", "programmed", "rise", "fall", "high", "low")
        for name, sweep in study["sweeps"].items():
            for cell in sweep["cells"]:
                section.row(name, currents_text(cell), *(pico(cell[key], ".5g") for key in ("rise", "fall", "high", "low")))


def cell_behaviour_tables(section, pdk, study):
    independence = study["independence"]
    section.lines += ["", f"{pdk}, independence: sensitivities around {currents_text(independence)}."]
    section.table("d of", *(f"by {name}" for name in independence["columns"]))
    for name, row in zip(independence["rows"], independence["matrix"]):
        section.row(name, *(figure(value, "+.4f") for value in row))
    section.lines += ["", f"{pdk}, response: milliseconds from the step to the output at nine tenths (set) or one tenth "
                          "(reset), over the overdrive."]
    overdrives = [point["overdrive"] for point in study["anchors"][0]["response"]]
    section.table("cell", *(f"{100 * value:g} %" for value in overdrives))
    for anchor in study["anchors"]:
        section.row(currents_text(anchor), *(f"{milli(point['set_output'])} / {milli(point['reset_output'])}"
                                             for point in anchor["response"]))
    section.lines += ["", f"{pdk}, current of one cell, and the smallest supply at which it works."]
    section.table("cell", "off, no candidate", "off, in band", "on, in band", "charge to set", "charge to reset",
                  "switches from", "holds from")
    for anchor in study["anchors"]:
        currents = anchor["currents"]
        volts = (figure(anchor[name], ".2f", " V") for name in ("smallest_switching_supply", "smallest_holding_supply"))
        section.row(currents_text(anchor), *current_figures(currents), *volts)


def current_figures(currents):
    """What a cell draws at rest, and the charges of its switching."""
    return [*(pico(currents[name], ".4g", " pA") for name in ("off_at_zero", "off_in_band", "on_in_band")),
            *(figure(currents[name], ".1f", " fC", 1e15) for name in ("set_charge", "reset_charge"))]


def conditions(row):
    return row["corner"], f"{row['supply']:g} V", f"{row['temperature']:g} °C"


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
    section.table("corner", "supply", "temperature", "cell", "off, no candidate", "off, in band", "on, in band",
                  "charge to set", "charge to reset")
    for row in extremes:
        for cell in row["currents"]:
            section.row(*conditions(row), currents_text(cell), *current_figures(cell))


def deviation(cell):
    """Rise and fall less what was programmed, over I_thresh."""
    if cell["rise"] is None or cell["fall"] is None:
        return cell.get("problem", DASH)
    rise = (cell["rise"] - cell["i_thresh"]) / cell["i_thresh"]
    fall = (cell["fall"] - cell["i_thresh"] + cell["i_width"]) / cell["i_thresh"]
    return f"{100 * rise:+.2f} / {100 * fall:+.2f}"


def cell_limit_tables(section, pdk, study):
    section.lines += ["", f"{pdk}: deviation of rise / fall from what was programmed, in percent of I_thresh, of the cells of each "
                          "I_thresh; and the largest deviation of an output in percent of I_gain."]
    section.table("corner", "supply", "temperature", *(f"{pico(cell['i_thresh'], '.4g')} pA" for cell in study["anchors"]),
                  "output")
    for row in study["environments"]:
        section.row(*conditions(row), *map(deviation, row["cells"]), figure(row["worst"]["high"], ".2f", "", 100))
    section.lines += ["", f"{pdk}, smallest width, I_thresh 300 pA, I_gain 300 pA."]
    section.table("I_width", "measured width", "holds both states")
    for cell in study["small_widths"]:
        section.row(pico(cell["i_width"], ".4g") + " pA", pico(cell["width"], ".3f", " pA"), "yes" if cell["holds"] else "no")
    floor = study["floor"]
    section.lines += ["", f"Floor of I_thresh: {pico(floor['threshold'], '.3g')} pA (an off device leaks "
                          f"{1e15 * floor['leakage']:.3g} fA, the smallest leg carries {pico(floor['smallest_leg'], '.3g')} pA). "
                          f"{study['points']} points, {len(study['unsolved'])} without a figure; the file names them, "
                          "and the tables above say why."]


def fill_cell_section(section, bench):
    """Runs the study in both technologies, its targets and tables into `section`."""
    arguments = ["--currents", "100p,1n", "--supplies", "1.8", "--temperatures", "27", "--corners", "tt", "--retention",
                 "1"] if bench.quick else []
    section.targets()
    studies, times = {}, {}
    for pdk in ("generic180", "gf180mcu"):
        if pdk == "gf180mcu" and bench.pdk_root is None:
            section.row(f"{pdk}", "", "not measured: there is no PDK", "")
            continue
        _, times[pdk] = bench.run("study", "cell", "--pdk", pdk, *arguments, "-o", f"cell-{pdk}.json")
        studies[pdk] = json.loads((bench.work / f"cell-{pdk}.json").read_text())
        cell_targets(section, pdk, studies[pdk])
    cell_linearity_tables(section, studies)
    for pdk, study in studies.items():
        cell_behaviour_tables(section, pdk, study)
        cell_extreme_tables(section, pdk, study)
        cell_limit_tables(section, pdk, study)
    section.lines += ["", "Time of a study: " + ", ".join(f"{pdk} {time:.0f} s" for pdk, time in times.items()) + "."]
    return section
