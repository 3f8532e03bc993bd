"""The section `unit-current` of scripts/results.py: agreement, speed and power over the unit current."""
from results_compiler import CORE, FOUR_CLIPS, LOW_POWER, make_features, percent, power_text

UNIT_CURRENTS = ("100p", "200p", "300p", "500p", "1n", "2n", "3n")  # 1n is the default
MODEL_FRAME = 10e-3  # seconds; what the features are made for
DEFAULT_CAPACITOR = 80e-15  # farad at V0 for every nA
# The default, and what about 25 nW allow at lower supplies.
SUPPLY_POINTS = (("--supply", "1.8", "--unit-current", "1n"), ("--supply", "1.5", "--unit-current", "440p"), LOW_POWER)
RATE_CLIPS = "0,5"


def ampere(text):
    return float(text[:-1]) * {"p": 1e-12, "n": 1e-9}[text[-1]]


def scaled_frame(unit):
    """As much charge a frame as 10 ms of 1 nA, and not less than the model's frame."""
    return MODEL_FRAME * max(1.0, 1e-9 / ampere(unit))


def milliseconds(value):
    return f"{1e3 * value:.3g} ms"


def agreement_cells(result):
    causes = ", ".join(f"{count['bits']} {cause}" for cause, count in result["causes"].items() if count["bits"])
    wrong = f"{result['wrong_bits']}" + (f" ({causes})" if causes else "")
    return (f"{round(result['decision_agreement'] * result['clips'])} of {result['clips']}", f"{result['frame_agreement']:.4f}",
            f"{result['state_mismatch']:.5f}", wrong)


def measure(bench, unit, pdk, clips, rate_clips):
    """At the model's frame time; at the scaled one, also with the capacitor of 1 nA; and the search for the highest frame rate."""
    base = ["core.safetensors", "--input", "test10.npy", "--pdk", pdk, "--center", "training.npy", "--unit-current", unit]
    frame = scaled_frame(unit)
    def verify(seconds, *more):
        result, _ = bench.run("verify", *base, "--clips", clips, "--frame-time", f"{seconds:g}", *more, "--output",
                              f"unit-{unit}-{1e3 * seconds:.0f}ms")
        return result
    rows = [(MODEL_FRAME, DEFAULT_CAPACITOR * ampere(unit) / 1e-9, verify(MODEL_FRAME))]
    if frame > MODEL_FRAME:
        rows.append((frame, rows[0][1], verify(frame)))
        rows.append((frame, DEFAULT_CAPACITOR, verify(frame, "--cell-capacitance", f"{1e15 * DEFAULT_CAPACITOR:g}f")))
    rate, _ = bench.run("hazards", *base, "--clips", rate_clips, "--frame-time", f"{frame:g}", "--rate")
    return rows, rate


def supply_table(section, bench, clips):
    section.lines += ["", f"Lower supplies at frames of 10 ms, centred, clips {clips} of the ten test clips."]
    section.table("technology", "supply", "unit current", "decisions", "frame agreement", "state mismatch", "wrong bits", "power")
    for pdk in ("gf180mcu", "generic180"):
        if pdk == "gf180mcu" and bench.pdk_root is None:
            continue
        for point in SUPPLY_POINTS:
            _, supply, _, unit = point
            result, _ = bench.run("verify", "core.safetensors", "--input", "test10.npy", "--pdk", pdk, "--center", "training.npy",
                                  *point, "--clips", clips, "--output", f"supply-{pdk}-{supply}")
            section.row(pdk, f"{supply} V", f"{unit}A", *agreement_cells(result), power_text(result))


def fill_unit_current_section(section, bench, train):
    make_features(bench)
    quick = {"training.steps": 60} if bench.quick else {}
    train(bench, "core", {"data.folder": str(bench.speech), "model.width": 4, **quick, **CORE})
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    units = ("300p", "1n") if bench.quick else UNIT_CURRENTS
    clips, rate_clips = ("0", "0") if bench.quick else (FOUR_CLIPS, RATE_CLIPS)
    section.lines += ["", f"{pdk}, centred, clips {clips} of the ten test clips; rates and settling: clips {rate_clips}, circuits calibrated at the longer "
                          "frame time of their row."]
    section.table("unit current", "frame", "at V0", "decisions", "frame agreement", "state mismatch", "wrong bits", "power", "energy a frame")
    rates = []
    for unit in units:
        rows, rate = measure(bench, unit, pdk, clips, rate_clips)
        rates.append((unit, rate))
        for frame, capacitor, result in rows:
            section.row(f"{unit}A", milliseconds(frame), f"{1e15 * capacitor:.0f} fF", *agreement_cells(result), power_text(result),
                        f"{result['power_nw']['total'] * frame:.3f} nJ")
    section.table("unit current", "highest frame rate", "frame agreement wanted", "charge a frame at that rate", "capacitor at V0",
                  "glitches, largest charge", "candidates settle (99 of 100)", "layer outputs")
    for unit, rate in rates:
        kinds = {kind["kind"]: kind for kind in rate["rails"]}
        section.row(f"{unit}A", f"{rate['highest_frame_rate_hz']:.1f} Hz", f"{rate['frame_agreement_wanted']:.4f}",
                    f"{1e12 * ampere(unit) * rate['fastest_frame_seconds']:.1f} pC", f"{1e15 * rate['advice']['cell_capacitance_f']:.0f} fF",
                    f"{rate['glitch_counts']['armed']}, {1e15 * rate['advice']['largest_charge_c']:.0f} fC",
                    milliseconds(kinds["candidate, N rail"]["p99"]), milliseconds(kinds["layer output, N rail"]["p99"]))
    section.lines += ["", f"Share of the software's frames that centring changed: {percent(rows[0][2]['centring_frame_change'])}."]
    supply_table(section, bench, clips)
