"""The section `cell` of scripts/results.py: targets and tables of `hysteron study cell`."""
import json

# Published linearity of a cell over 100-400 pA, and the tenth of it that is asked for: |slope - 1| and |offset| in pA.
CELL_LINES = {"threshold": ("0.983, -11 pA", 0.0017, 1.1), "width": ("0.989, -12.7 pA", 0.0011, 1.27),
              "gain": ("1.017, +6 pA", 0.0017, 0.6)}


def percent(value):
    return f"{100 * value:.2f} %"


def pico(value, form=".2f"):
    return "none" if value is None else f"{1e12 * value:{form}}"


def milli(value):
    return "none" if value is None else f"{1e3 * value:.3g}"


def currents_text(cell):
    return ", ".join(pico(cell[name], ".4g") for name in ("i_thresh", "i_width", "i_gain")) + " pA"


def cell_targets(section, pdk, study):
    for name, (published, slope, offset) in CELL_LINES.items():
        line = study["linearity"][name]
        slope_met = line["slope"] is not None and abs(line["slope"] - 1) <= slope
        offset_met = line["offset"] is not None and abs(line["offset"]) <= 1e-12 * offset
        measured = "none" if line["slope"] is None else f"{line['slope']:.5f}, {pico(line['offset'], '+.3f')} pA"
        section.target(f"{pdk}: {name}: slope, offset (published: {published})",
                       f"1 ± {slope:g}, 0 ± {offset:g} pA", measured, slope_met and offset_met)
    retention = study["retention"]
    section.target(f"{pdk}: states held for {retention['seconds']:g} s in the band", f"{retention['of']} of {retention['of']}",
                   f"{retention['held']} of {retention['of']}", retention["held"] == retention["of"])


def cell_linearity_tables(section, studies):
    section.table("technology", "current", "worst residual", "slope, offset on ramps half as fast",
                  "slope, offset, worst residual before calibration")
    for pdk, study in studies.items():
        for name, line in study["linearity"].items():
            before, slow = line["uncalibrated"], line["slower_ramp"]
            section.row(pdk, name, pico(line["worst_residual"], ".3f") + " pA",
                        f"{slow['slope']:.5f}, {pico(slow['offset'], '+.3f')} pA",
                        f"{before['slope']:.4f}, {pico(before['offset'], '+.2f')} pA, {pico(before['worst_residual'])} pA")
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
        section.row(name, *("none" if value is None else f"{value:+.4f}" for value in row))
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
        volts = ("none" if anchor[name] is None else f"{anchor[name]:.2f} V"
                 for name in ("smallest_switching_supply", "smallest_holding_supply"))
        section.row(currents_text(anchor), *(f"{pico(currents[name], '.4g')} pA" for name in
                                             ("off_at_zero", "off_in_band", "on_in_band")),
                    *(f"{1e15 * currents[name]:.1f} fC" for name in ("set_charge", "reset_charge")), *volts)


def deviation(cell):
    """Rise and fall less what was programmed, over I_thresh."""
    if cell["rise"] is None or cell["fall"] is None:
        return cell.get("problem", "none")
    rise = (cell["rise"] - cell["i_thresh"]) / cell["i_thresh"]
    fall = (cell["fall"] - cell["i_thresh"] + cell["i_width"]) / cell["i_thresh"]
    return f"{100 * rise:+.2f} / {100 * fall:+.2f}"


def cell_limit_tables(section, pdk, study):
    section.lines += ["", f"{pdk}: deviation of rise / fall from what was programmed, in percent of I_thresh, of the cells of each "
                          "I_thresh; and the largest deviation of an output in percent of I_gain."]
    section.table("corner", "supply", "temperature", *(f"{pico(cell['i_thresh'], '.4g')} pA" for cell in study["anchors"]),
                  "output")
    for row in study["environments"]:
        section.row(row["corner"], f"{row['supply']:g} V", f"{row['temperature']:g} °C", *map(deviation, row["cells"]),
                    f"{100 * row['worst']['high']:.2f}")
    section.lines += ["", f"{pdk}, smallest width, I_thresh 300 pA, I_gain 300 pA."]
    section.table("I_width", "measured width", "holds both states")
    for cell in study["small_widths"]:
        section.row(pico(cell["i_width"], ".4g") + " pA", pico(cell["width"], ".3f") + " pA", "yes" if cell["holds"] else "no")
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
        cell_limit_tables(section, pdk, study)
    section.lines += ["", "Time of a study: " + ", ".join(f"{pdk} {time:.0f} s" for pdk, time in times.items()) + "."]
    return section
