"""The sections `dies`, `corners` and `power` of scripts/results.py: mismatch and corners of the compiler's network."""
import pathlib
import re

from results_compiler import CORE, QUIET, make_features, percent

DIES = 100
CONFORMING = (50, 10)  # dies, clips
FAST_DIES = 2000
# Hardware-aware training: three deviations of every parameter's static error, a new die for every few clips.
AWARE = {f"training_noise.{kind}": 0.35 for kind in ("weights", "thresholds", "widths", "gains")}
TECHNOLOGIES = pathlib.Path(__file__).resolve().parent.parent / "technologies"


def interval(values):
    return f"{100 * values[0]:.2f} % to {100 * values[1]:.2f} %"


# The same technology drawn with twice the width and length of everything that has to match.
LARGE = {"reference": "[10e-6, 10e-6]", "rail_diode": "[5e-6, 10e-6]", "leg_lengths": "[10e-6, 20e-6, 50e-6]"}
# Legs that temperature moves little (docs/notes/temperature.md).
STEADY = {"rail_diode": "[3e-6, 6e-6]", "leg_lengths": "[5e-6, 6e-6, 7.5e-6, 10e-6, 14e-6, 20e-6, 30e-6, 50e-6]",
          "narrowest_leg": "0.5e-6\nleg_drift = 0.004"}


def write_variant(bench, pdk, name, changes):
    """The technology's description with other values, beside the models of the work folder."""
    text = (TECHNOLOGIES / f"{pdk}.toml").read_text()
    for key, value in {**changes, "name": f'"{pdk}-{name}"'}.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
    path = bench.work / f"{pdk}-{name}.toml"
    path.write_text(text)
    return path.name


def mend_rows(section, bench, pdk, test, training, networks):
    """What larger devices and hardware-aware training do to the yield, their power and accuracy beside."""
    large = write_variant(bench, pdk, "large", LARGE)
    best = None
    section.table("mend", "yield, clips won by 5 votes or more", "yield, all clips", "such clips", "area", "test accuracy (balanced)")
    for name, result in networks:
        for technology in (pdk, large):
            flags = ["--pdk", technology, "--center", training, *QUIET]
            dies, _ = bench.run("montecarlo", f"{name}.safetensors", "--input", test, *flags, "--dies", DIES)
            circuit, _ = bench.run("compile", f"{name}.safetensors", *flags, "-o", f"mend-{name}")
            label = [] if name == "core" else ["trained on dies"]
            label += [] if technology == pdk else ["four times the gate area"]
            section.row(" and ".join(label) or "centring alone", f"{percent(dies['decision_yield_clear'])} ({interval(dies['ci95_clear'])})",
                        f"{percent(dies['decision_yield'])} ({interval(dies['ci95'])})", dies["clips"] - dies["close_clips"],
                        f"{circuit['area_um2']:.0f} um2",
                        f"{percent(result['test_accuracy'])} ({percent(result['test_balanced_accuracy'])})")
            if best is None or dies["decision_yield_clear"] > best[1]["decision_yield_clear"]:
                best = (" and ".join(label) or "centring alone", dies)
    return best


def fill_dies_section(section, bench, train_once):
    test, few, training = make_features(bench)
    quick = {"training.steps": 60} if bench.quick else {}
    keys = {"data.folder": str(bench.speech), "model.width": 4, **quick, **CORE}
    networks = [("core", train_once(bench, "core", keys)), ("aware-core", train_once(bench, "aware-core", {**keys, **AWARE}))]
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    flags = ["--pdk", pdk, "--center", training, *QUIET]
    both, _ = bench.run("montecarlo", "core.safetensors", "--input", few, *flags, "--engine", "both", "--dies",
                        2 if bench.quick else CONFORMING[0], "--output", f"dies-{pdk}")
    fast, _ = bench.run("montecarlo", "core.safetensors", "--input", test, *flags, "--dies", 20 if bench.quick else FAST_DIES)
    section.targets()
    same = both["conformance"]
    what = f"{pdk}, behavioural against ngspice on the same {both['dies']} dies x {both['clips']} clips"
    section.target(f"{what}: decisions", "same in 99 %", percent(same["same_decisions"]), same["same_decisions"] >= 0.99)
    section.target(f"{what}: state bits", "same in 99.5 %", percent(same["same_bits"]), same["same_bits"] >= 0.995)
    section.target(f"{what}: candidates", "2 % RMS", percent(same["candidate_relative_rms"]),
                   same["candidate_relative_rms"] <= 0.02)
    speed = fast["dies"] * fast["clips"] / fast["seconds"]
    section.target("behavioural speed, d = 4, dies x clips a second", "at least 10,000", f"{speed:,.0f}", speed >= 10000)
    mends = type(section)("", "")
    label, dies = mend_rows(mends, bench, pdk, test, training, networks)
    section.target(f"{pdk}, behavioural, {dies['clips']} clips x {dies['dies']} dies, {label}: pairs that decide as software does, without "
                   f"the {dies['close_clips']} clips won by under 5 votes (at most 4)", "97 %",
                   f"{percent(dies['decision_yield_clear'])} ({interval(dies['ci95_clear'])})",
                   dies["decision_yield_clear"] >= 0.97 and dies["close_clips"] <= 4)
    section.lines += ["", f"In ngspice, {both['dies']} dies x {both['clips']} clips, centring alone: {percent(both['decision_yield'])} "
                          f"({interval(both['ci95'])}). Frames of the same pairs alike in both engines: {percent(same['same_frames'])}; "
                          f"logits {percent(same['logit_relative_rms'])} RMS apart.",
                      "", f"Mends, {DIES} dies in the behavioural engine, 40 clips:"]
    section.lines += mends.lines[3:]
    section.lines += ["", f"Centring alone, {fast['dies']} dies: clips with a yield under 99 %."]
    section.table("clip", "software", "votes ahead", "yield over dies", "95 % interval")
    for clip in sorted(fast["per_clip"], key=lambda clip: clip["decision_yield"]):
        if clip["decision_yield"] < 0.99:
            section.row(clip["clip"], clip["software"], clip["margin_votes"], percent(clip["decision_yield"]),
                        interval(clip["ci95"]))
    worst = ", ".join(f"layer {cell['layer']} cell {cell['cell']}: {percent(cell['state_mismatch'])}"
                      for cell in fast["cells"][:3])
    section.lines += ["", f"Wrong bits of the cells that fail most: {worst}."]


def corner_rows(section, result):
    groups = {}
    for point in result["points"]:
        groups.setdefault((point["corner"], point["temperature_c"], point["counted"]), []).append(point)

    def spread(points, value, form):
        values = [value(point) for point in points if "error" not in point]
        return f"{min(values):{form}} to {max(values):{form}}" if values else "-"

    for (corner, temperature, counted), points in groups.items():
        section.row(corner, f"{temperature:g} °C" + ("" if counted else " (beside)"),
                    spread(points, lambda point: 1e9 * point["unit_current_a"], ".2f") + " nA",
                    spread(points, lambda point: 100 * point["decision_agreement"], ".0f") + " %",
                    spread(points, lambda point: 100 * point["frame_agreement"], ".1f") + " %",
                    spread(points, lambda point: point["power_nw"]["total"], ".1f") + " nW")


def temperature_rows(section, bench, pdk, few, flags, variants):
    """What of it is temperature: the typical corner at the technology's supply with an ideal reference."""
    section.table("drawn", "temperature", "decisions", "frames", "state mismatch", "candidate error, relative RMS")
    for label, technology in variants:
        result, _ = bench.run("corners", "core.safetensors", "--input", few, "--pdk", technology, *flags, "--reference", "ideal",
                              "--corners", "tt", "--supplies", "1.8", "--beside", "27", "--output",
                              f"corners-ideal-{pathlib.Path(technology).stem}")
        for point in result["points"]:
            if point["counted"]:
                section.row(label, f"{point['temperature_c']:g} °C", percent(point["decision_agreement"]),
                            percent(point["frame_agreement"]), percent(point["state_mismatch"]),
                            percent(point["candidate_relative_rms"]))


def fill_corners_section(section, bench, train_once):
    _, few, training = make_features(bench)
    quick = {"training.steps": 60} if bench.quick else {}
    train_once(bench, "core", {"data.folder": str(bench.speech), "model.width": 4, **quick, **CORE})
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    steady = write_variant(bench, pdk, "steady", STEADY)
    flags = ["--center", training, *QUIET]
    small = ["--corners", "tt", "--supplies", "1.8", "--temperatures", "27", "--beside", "27"] if bench.quick else []
    result, _ = bench.run("corners", "core.safetensors", "--input", few, "--pdk", steady, *flags, *small, "--output",
                          f"corners-transistors-{pdk}")
    worst = result["worst"]
    place = f"worst {worst['corner']}, {worst['supply_v']:.2f} V, {worst['temperature_c']:g} °C: {percent(worst['decision_agreement'])}"
    section.targets()
    section.target(f"{pdk}, legs of little drift, {result['counted_points']} points x {result['clips']} clips, reference of transistors: "
                   "decisions", "95 %", f"{percent(result['decision_agreement'])}; {place}", result["decision_agreement"] >= 0.95)
    section.lines += ["", "Every corner and temperature, range over the supplies:"]
    section.table("corner", "temperature", "unit current", "decisions", "frames", "power")
    corner_rows(section, result)
    section.lines += ["", "What drawing the legs for little drift does: an ideal reference, the typical corner, 1.8 V."]
    temperature_rows(section, bench, pdk, few, flags, [("by width alone", pdk), ("for little drift", steady)])


def fill_power_section(section, bench):
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    dims = "4,8" if bench.quick else "4,8,16,32"
    result, _ = bench.run("power", "--pdk", pdk, "--dims", dims, "--model-dims", "64,128,256,512,1024", "--calibrate", "curves")

    def within(name, wanted, allowed):
        return abs(result[name] - wanted) <= allowed, f"{result[name]:.3f} ± {result[name + '_half_interval']:.3f}"

    section.targets()
    for label, name, wanted, allowed in (("cells", "exponent_cells", 1.0, 0.05), ("d x d legs", "exponent_feedforward", 2.0, 0.1)):
        met, text = within(name, wanted, allowed)
        section.target(f"{pdk}: exponent of the {label}, d = 4 to 1,024", f"{wanted:.2f} ± {allowed:.2f}", text, met)
    large = result["exponent_feedforward_large"]
    section.target(f"{pdk}: exponent of the whole feedforward part, d = 256 to 1,024", "at least 1.9", f"{large:.3f}", large >= 1.9)
    fit = result["fit_total"]
    section.lines += ["", f"P = {fit['constant_nw']:.1f} nW + {fit['linear_nw']:.2f} nW d + {1e3 * fit['quadratic_nw']:.0f} pW d², within "
                          f"{percent(fit['worst_relative_error'])}; the model's total is within {percent(result['worst_model_error'])} of "
                          "ngspice on the networks that both ran."]
    section.table("d", "total", "cells", "feedforward", "d x d legs", "at rest", "ngspice (the first network; the model of it)",
                  "energy a frame")
    for point in result["points"]:
        model = point["model_nw"]
        both = (f"{point['spice_nw']['total']:.1f} nW ({point['model_of_first_nw']['total']:.1f} nW)" if "spice_nw" in point else "")
        section.row(point["dim"], f"{model['total']:.1f} nW", f"{model['cells']:.1f} nW", f"{model['feedforward']:.1f} nW",
                    f"{model['square_legs']:.1f} nW", f"{point['rest_nw']['total']:.1f} nW", both,
                    f"{1e9 * point['energy_per_frame_j']:.2f} nJ")
