"""The sections `noise`, `accumulation` and `immunity` of scripts/results.py."""
import math
import statistics

from results_compiler import CORE, make_features, percent
from results_robustness import LARGE, write_variant

STATIC = (0.05, 0.1, 0.2, 0.5, 1.0)
DYNAMIC = (0.05, 0.2, 0.5, 1.0)
LARGE_CAPACITANCE = "320f"  # four times the default
ACCUMULATED = (0.003, 0.01, 0.03, 0.1)  # relative deviations of a mirror
CELLS = ("fq_bmru", "mingru", "lru")
WORDS = ("yes", "no", "up", "down", "left", "right", "silence")
TRAINING = {"model.backbone": "software", "model.width": 16, "model.layers": 2, "model.mlp": "relu", "training.batch": 128,
            "training.learning_rate": 0.003, "training.weight_decay": 0.01, "training.dropout": 0.2, "training.warm_up": 50,
            "training.epsilon_hold": 0.0, "training.epsilon_fall": 0.5, "training.validation_interval": 250,
            **{f"classes.{word}": [word] for word in WORDS}}
# Three deviations of every parameter's static error, and the deviation of the noise in every frame.
AWARE = {**{f"training_noise.{kind}": 0.3 for kind in ("weights", "thresholds", "widths", "gains")}, "training_noise.additive": 0.2}


def figure(value):
    return "" if value is None else f"{value:.0e}" if value >= 1e7 else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def least(points, state, place, largest):
    """The point of least suppression of a state over deviations up to `largest`; None where one of them has no figure.

    Flips are counted apart within a point: what was held before them counts."""
    chosen = [point for point in points if point["state"] == state and point["place"] == place
              and point["sigma_in"] <= largest * 1.0001]
    if any(point["suppression"] is None for point in chosen):
        return None
    return min(chosen, key=lambda point: point["suppression"])


def floor_of(group, key):
    values = [point[key] for point in group if point[key] is not None]
    return figure(min(values)) if values else ""


def interval_text(point):
    low, high = point["ci95"]
    return f" ({figure(low)} to {figure(high)})" if low is not None else ""


def is_at_floor(point):
    return point["simulator_floor"] is not None and point["suppression"] > point["simulator_floor"] / 1.5


def suppression_targets(section, what, points, deviations):
    """Rows of the least suppression with noise up to each of `deviations`."""
    for state, place, wanted in (("on", 0.75, 500), ("on", 0.5, 100), ("off", 0.25, 5000), ("off", 0.5, 5000), ("off", 0.75, 5000)):
        for largest in deviations:
            point = least(points, state, place, largest)
            lost = [other for other in points if other["state"] == state and other["place"] == place
                    and other["sigma_in"] <= largest * 1.0001 and other["flips"] > 0]
            beside = "; flips at " + ", ".join(f"{100 * other['sigma_in']:g} %" for other in lost) if lost else ""
            floor = "at least " if point is not None and is_at_floor(point) else ""
            measured = "too few trials held long enough at one" + beside if point is None else f"{floor}{figure(point['suppression'])}{interval_text(point)} at {100 * point['sigma_in']:g} %{beside}"
            section.target(f"{what}, state {state}, candidate at {100 * place:g} % of the band, noise up to {100 * largest:g} % of beta_hi: least suppression",
                           f"{wanted:,}", measured, point is not None and point["suppression"] >= wanted)


def fill_noise_section(section, bench):
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    small = ["--trials", 3, "--samples", 150] if bench.quick else ["--trials", 16]
    result, _ = bench.run("noise", "--pdk", pdk, *small, "-o", f"noise-{pdk}.json")
    points = result["suppression"]
    section.targets()
    suppression_targets(section, pdk, points, (0.05, 0.1))
    large, _ = bench.run("noise", "--pdk", pdk, *small, "--cell-capacitance", LARGE_CAPACITANCE, "--sigma", "0.005,0.01,0.02,0.05,0.1", "--places", "0.25,0.5,0.75",
                         "--supplies", "1.8", "--temperatures", "27", "--device-trials", 0, "-o", f"noise-{LARGE_CAPACITANCE}-{pdk}.json")
    suppression_targets(section, f"{pdk}, {LARGE_CAPACITANCE}F at V0", large["suppression"], (0.1,))
    slow_flips = [f"{point['flips']} {point['state']} at {100 * point['place']:g} % of the band" for point in large["suppression"] if point["sigma_in"] == 0.1 and point["flips"] > 0]
    held = [point for point in points if point["sigma_in"] <= 0.1001 and point["place"] < 1 and point["suppression"] is not None]
    worst = min(held, key=lambda point: point["suppression"])
    section.target(f"{pdk}, every state and candidate of the band that has a figure, noise up to 10 %: least suppression (published: 20)", "20",
                   f"{figure(worst['suppression'])}{interval_text(worst)}, {worst['state']} at {100 * worst['place']:g} % of the band, "
                   f"{100 * worst['sigma_in']:g} %", worst["suppression"] >= 20)
    section.lines += ["", f"The cell: {1e9 * result['cell']['rise']:.4f} nA, {1e9 * result['cell']['fall']:.4f} nA, "
                          f"{1e9 * result['cell']['high']:.4f} nA; {result['trials']} trials of {result['samples']} samples. Suppression of every point "
                          "(95 %; flips of trials; no figure where fewer than three trials held for 64 samples). The last columns say what the simulator would allow: "
                          "cells without any noise, at the least deviation, and the least of what closer tolerances change under noise."]
    large, _ = bench.run("noise", "--pdk", write_variant(bench, pdk, "large", LARGE), *small, "--sigma", "0.1", "--places", "0.5,0.75", "-o", f"noise-large-{pdk}.json")
    section.lines += ["", "With twice the width and length of all that has to match, at 10 %: " + "; ".join(
        f"{point['state']}, {100 * point['place']:g} % of the band: {figure(point['suppression']) or 'no figure'}{interval_text(point)}, {point['flips']} flips"
        for point in large["suppression"]) + "."]
    section.lines += ["", f"Trials of {result['trials']} that flip with {LARGE_CAPACITANCE}F at V0 at 10 %: {', '.join(slow_flips) or 'none'}."]
    sigmas = sorted({point["sigma_in"] for point in points})
    section.table("state", "candidate in the band", *(f"{100 * sigma:g} %" for sigma in sigmas), "floor without noise", "least floor under noise")
    groups = {}
    for point in points:
        groups.setdefault((point["state"], point["place"]), []).append(point)
    for (state, place), group in groups.items():
        cells = [(figure(point["suppression"]) or "none") + interval_text(point) + (f", {point['flips']} flips" if point["flips"] else "") for point in group]
        section.row(state, f"{100 * place:g} %", *cells, figure(group[0]["simulator_floor"]), floor_of(group, "simulator_floor_under_noise"))
    section.lines += ["", "Per frequency, at 2 % of beta_hi:"]
    chosen = [point for point in points if point["sigma_in"] == 0.02] or points[:1]
    section.table("state", "candidate in the band", *(f"{band['low_hz']:g} to {band['high_hz']:g} Hz" for band in chosen[0]["per_frequency"]))
    for point in chosen:
        section.row(point["state"], f"{100 * point['place']:g} %",
                    *(figure(band["suppression"]) + interval_text(band) for band in point["per_frequency"]))
    fit = result["flip_probability"]["fit"]
    section.lines += ["", f"Flips: {fit['flips']}. A noise sample (0.5 ms) flips a state with probability Q(a + b m), m the margin over the noise's "
                          f"deviation and Q the Gaussian tail: a = {fit['offset']:.2f} ± {fit['offset_half_interval']:.2f}, "
                          f"b = {fit['slope']:.2f} ± {fit['slope_half_interval']:.2f} (95 % if the law were true); over {fit['resamples']} draws of the points "
                          f"a is {fit['offset_ci95'][0]:.2f} to {fit['offset_ci95'][1]:.2f} and b {fit['slope_ci95'][0]:.2f} to {fit['slope_ci95'][1]:.2f}."]
    section.table("margin over deviation", "flips", "samples", "probability (95 %)", "Gaussian tail")
    for count in sorted(result["flip_probability"]["points"], key=lambda count: count["margin_over_sigma"]):
        if count["margin_over_sigma"] <= 6 and count["samples"] > 0:
            low, high = count["ci95"]
            section.row(f"{count['margin_over_sigma']:.2f}", count["flips"], count["samples"],
                        f"{count['probability']:.2g} ({0 if low < 1e-12 else low:.1g} to {high:.1g})", f"{count['gaussian_tail']:.2g}")
    section.lines += ["", "Mean time that a bit is kept in the middle of its band, by that law: power of ten of the seconds (95 % over draws of the points), on / off."]
    section.table("supply", "temperature", *(f"{100 * sigma:g} %" for sigma in sigmas))
    places = {}
    for entry in result["retention"]:
        places.setdefault((entry["supply_v"], entry["temperature"]), []).append(entry)
    for (supply, temperature), entries in places.items():
        section.row(f"{supply:g} V", f"{temperature:g} °C",
                    *(" / ".join(exponent_text(entry, state) for state in ("on", "off")) for entry in entries))
    counted_table(section, result)


def counted_table(section, result):
    """What the law says of other supplies and temperatures, beside what was counted there."""
    counted = result["retention_counted"]
    largest = max(entry["sigma_in"] for entry in counted)
    law = {(entry["supply_v"], entry["temperature"]): entry for entry in result["retention"] if entry["sigma_in"] == largest}
    section.lines += ["", f"The same counted there, at {100 * largest:g} % of beta_hi ({result['trials']} trials of {result['samples']} samples each; 95 % by Wilson of the "
                          "flips among samples):"]
    section.table("supply", "temperature", "state", "flips", "samples", "power of ten of the seconds", "by the law")
    for entry in counted:
        low, high = ("" if value is None else f"{value:.2f}" for value in entry["ci95"])
        measured = "" if entry["log10_seconds"] is None else f"{entry['log10_seconds']:.2f}"
        section.row(f"{entry['supply_v']:g} V", f"{entry['temperature']:g} °C", entry["state"], entry["flips"], f"{entry['samples']:,}", f"{measured} ({low} to {high})",
                    exponent_text(law[entry["supply_v"], entry["temperature"]], entry["state"]))


def exponent_text(entry, state):
    low, high = entry[f"log10_seconds_{state}_ci95"]
    return f"{entry[f'log10_seconds_{state}']:.1f} ({low:.1f} to {high:.1f})"


def fill_device_section(section, bench):
    small = ["--trials", 2, "--samples", 120, "--device-trials", 2, "--device-samples", 200] if bench.quick else ["--trials", 4, "--samples", 200]
    pdks = ["generic180"] + ([] if bench.pdk_root is None else ["gf180mcu"])
    results, laws = {}, {}
    for pdk in pdks:  # protocol A only for the flip law
        result, _ = bench.run("noise", "--pdk", pdk, *small, "--sigma", "0.1,0.2", "--places", "0.25,0.5,0.75,1.5", "--supplies", "1.8",
                              "--temperatures", "27", "-o", f"devices-{pdk}.json")
        results[pdk] = result["device_noise"]
        laws[pdk] = result["flip_probability"]["fit"]
    some = results[pdks[0]]
    band = f"{some['low_hz']:g} Hz to {some['band_hz'] / 1e3:g} kHz"

    def pico(value):
        return "" if value is None else f"{1e12 * value:.3g} pA"

    def ratio(part):
        low, high = part["ci95"]
        return "" if part["ratio"] is None else f"{part['ratio']:.2f}" + (f" ({low:.2f} to {high:.2f})" if low is not None else "")

    section.lines += ["", f"Deviations over {band} (and to {some['high_hz'] / 1e6:g} MHz); in time over small signal in the band of the trials "
                          f"({some['samples']} samples of {1e6 * some['sample_seconds']:g} µs, {some['trials']} trials a point)."]
    section.table("technology", "state", "candidate in the band", "output", "output, to 1 MHz", "at the candidate", "output in time over small signal",
                  "candidate in time over small signal", "flips", "largest shares at the candidate")
    for pdk, result in results.items():
        for point in result["held"]:
            if not point["held"]:
                section.row(pdk, point["state"], f"{100 * point['place']:g} %", *["no such operating point"] + [""] * 6)
                continue
            largest = sorted(point["devices"], key=lambda device: -device["candidate_share"])[:3]
            section.row(pdk, point["state"], f"{100 * point['place']:g} %", pico(point["output_band_a"]), pico(point["output_full_a"]),
                        pico(point["candidate_band_a"]), ratio(point["in_time"]["output"]), ratio(point["in_time"]["candidate"]),
                        point["in_time"]["flips"],
                        ", ".join(f"`{device['name']}` {percent(device['candidate_share'])}" for device in largest))
    section.lines += ["", "Densities of the output and at the candidate, state on, 50 % of the band, A/√Hz:"]
    section.table("technology", "noise", *(f"{spot['hz']:g} Hz" for spot in some["held"][1]["densities"]))
    for pdk, result in results.items():
        point = next(point for point in result["held"] if point["state"] == "on" and point["place"] == 0.5)
        for key in ("output", "candidate"):
            section.row(pdk, key, *(f"{spot[f'{key}_a_per_root_hz']:.2g}" for spot in point.get("densities", [])))
    section.lines += ["", "What it means for a bit, by the flip law of a protocol A of its own, smaller than that of \"Noise at a held cell\": " + "; ".join(
        f"{pdk}: " + ("too few flips for one, so the Gaussian tail" if law["slope"] is None else f"a = {law['offset']:.2f}, b = {law['slope']:.2f} of {law['flips']} flips")
        for pdk, law in laws.items()) + ". Powers of ten beyond thousands say that it never happens, nothing finer."]
    section.table("technology", "state", "noise of its threshold", "over beta_hi", "with flicker down to ten years", "middle of the band over that",
                  "mean seconds there", "margin an hour needs", "a year", "ten years")
    for pdk, result in results.items():
        for entry in result["retention"]:
            section.row(pdk, entry["state"], pico(entry["sigma_a"]), percent(entry["sigma_over_beta_hi"]), pico(entry["sigma_ten_years_a"]),
                        f"{entry['margin_over_sigma']:.0f}", f"10^{entry['log10_seconds']:.0f}",
                        *(f"{pico(need['margin_a'])}, {percent(need['margin_over_beta_hi'])} of beta_hi" for need in entry["needed"]))
    section.lines += ["", "Beside the thresholds, in time:"]
    section.table("technology", "state", "margin over the threshold's noise", "margin", "V0 passed half the supply", "and was back at the end", "trials", "expected by the law")
    for pdk, result in results.items():
        for point in result["near_thresholds"]:
            held = point["held"]
            section.row(pdk, point["state"], f"{point['margin_over_sigma']:g}", pico(point["margin_a"]),
                        point["in_time"]["flips"] if held else "no such operating point", point["in_time"]["returned"] if held else "", point["in_time"]["trials"] if held else "",
                        f"{point['expected_flips']:.2g}" if point["expected_flips"] is not None else "")


def fill_network_part(section, bench, train_unless_there):
    """Protocol B: errors of candidates against errors of states in a whole network."""
    test, few, training = make_features(bench)
    quick = {"training.steps": 60} if bench.quick else {}
    train_unless_there(bench, "core", {"data.folder": str(bench.speech), "model.width": 4, **quick, **CORE})
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    result, _ = bench.run("verify", "core.safetensors", "--input", few, "--pdk", pdk, "--center", training)
    suppression = result["suppression"]
    on = suppression["on"]

    def times(ratio):
        return "no ratio" if ratio is None else f"{figure(ratio)} times less"

    section.lines += ["", f"In a whole network (protocol B; the d = 4 network of section \"The compiler\" on {result['clips']} clips in {pdk}, its own errors, no "
                          f"noise added): RMS error of candidates {percent(suppression['candidate_relative_rms'])} of their RMS current; of states over alpha, where bits agree, "
                          f"{percent(suppression['state_relative_rms'])} ({times(suppression['ratio'])}, {suppression['n']} bits), and of those that are on "
                          f"{percent(on['state_relative_rms'])} ({times(on['ratio'])}, {on['n']} bits); {percent(result['state_mismatch'])} of the bits differ."]
    section.lines += ["", f"What {LARGE_CAPACITANCE}F at V0 of every cell does to the same network, beside the default:"]
    section.table("technology", "capacitor at V0", "clips", "decisions", "frame agreement", "state mismatch", "area", "capacitors")
    for pdk in ["generic180"] + ([] if bench.pdk_root is None else ["gf180mcu"]):
        for capacitance in ("80f", LARGE_CAPACITANCE):
            flags = ["--pdk", pdk, "--center", training, "--cell-capacitance", capacitance]
            slow, _ = bench.run("verify", "core.safetensors", "--input", test, *flags, "-o", f"verify-{capacitance}-{pdk}")
            circuit, _ = bench.run("compile", "core.safetensors", *flags, "-o", f"slow-{pdk}")
            section.row(pdk, f"{capacitance}F", slow["clips"], f"{round(slow['decision_agreement'] * slow['clips'])} of {slow['clips']}", f"{slow['frame_agreement']:.4f}",
                        f"{slow['state_mismatch']:.5f}", f"{circuit['area_um2']:.0f} um2", f"{1e12 * circuit['capacitance_f']:.2f} pF")


def layer_law(layer):
    """Variance of layer `layer` of a leaky chain over that of the first: docs/noise.md, "Over time and layers"."""
    return sum(math.comb(layer - 1, k) ** 2 / math.comb(2 * layer - 2, 2 * k) for k in range(layer)) / (2 * layer - 1)


def fill_accumulation_section(section, bench):
    small = ["--frames", 50, "--chains", 100] if bench.quick else []
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    result, _ = bench.run("study", "accumulation", "--device-noise", "--pdk", pdk, "--noise", ",".join(f"{noise:g}" for noise in ACCUMULATED), *small)

    def error_text(error):
        return "none left" if error is None else f"{100 * error:.{2 if error >= 1e-3 else 4}f} %"

    def table(memories, key, headings):
        section.table("memory", *headings, "exponent")
        for name, memory in memories.items():
            growth = memory[key]
            exponent = "" if growth["exponent"] is None else f"{growth['exponent']:.3f} ± {growth['exponent_half_interval']:.3f}"
            section.row(f"`{name}`", *(error_text(error) for error in growth["error"]), exponent)
        cells = memories["fq_bmru"][key]
        if any(cells["wrong_bits"]):
            section.row("`fq_bmru`, bits lost", *(f"{100 * share:.3g} %" for share in cells["wrong_bits"]), "")
            section.row("`fq_bmru`, lost bits counted in", *(error_text(error) for error in cells["error_with_lost_bits"]), "")

    for level in result["levels"]:
        memories = level["memories"]
        frames = memories["fq_bmru"]["over_frames"]["frames"]
        layers = memories["fq_bmru"]["over_layers"]["layers"]
        measured = f", what the thermal and flicker noise of a mirror's devices comes to in {pdk} at 1 nA over a frame of 10 ms"
        section.lines += ["", f"Mirrors off by {100 * level['noise']:.3g} % (one deviation{measured if level['noise'] == result['mirror_noise'] else ''}):"]
        table(memories, "over_frames", [f"{frame} frames" for frame in frames])
        section.lines += ["", f"After {frames[-1]} frames, layer by layer:"]
        table(memories, "over_layers", [f"layer {layer}" for layer in layers])
        first = memories["leaky"]["over_layers"]["error"][0]
        if first < 0.5:  # the law is one of small errors
            section.row("`leaky` by the law", *(error_text(first * math.sqrt(layer_law(layer))) for layer in layers), "")
        errors = [error for row in memories["fq_bmru"]["error"] for error in row if error is not None]
        wrong = memories["fq_bmru"]["over_layers"]["wrong_bits"]
        section.lines += ["", f"`fq_bmru`, all layers and frames: {error_text(min(errors))} to {error_text(max(errors))}; bits lost after {frames[-1]} frames: "
                              f"{100 * wrong[0]:.2g} % in the first layer, {100 * wrong[-1]:.2g} % in the last."]


def over_networks(scores):
    """Accuracies of dies of several networks together: mean, deviation over all dies, worst."""
    mean = statistics.fmean(score["mean"] for score in scores)
    # Of the same number of dies each: what they vary by within a network and between networks.
    variance = statistics.fmean(score["deviation"] ** 2 + (score["mean"] - mean) ** 2 for score in scores)
    return {"mean": mean, "deviation": math.sqrt(variance), "worst": min(score["worst"] for score in scores)}


def accuracy_text(score):
    return f"{100 * score['mean']:.1f} ± {100 * score['deviation']:.1f} % ({100 * score['worst']:.0f} %)"


def fill_immunity_section(section, bench, train_once):
    draws, steps, seeds = (5, 60, 2) if bench.quick else (100, 1500, 3)
    levels = [("--static", value) for value in STATIC] + [("--additive", value) for value in DYNAMIC]
    networks = {}
    for cell in CELLS:
        for training, extra in (("plain", {}), ("hardware-aware", AWARE)):
            trained, scores = [], {level: [] for level in levels}
            for seed in range(1, seeds + 1):
                name = f"immunity-{cell}-{training}-{seed}"
                trained.append(train_once(bench, name, {"data.folder": str(bench.speech), "model.cell": cell, "training.steps": steps,
                                                        "training.seed": seed, **TRAINING, **extra}))
                for level in levels:
                    result, _ = bench.run("eval", f"{name}.safetensors", "--draws", draws, *level)
                    scores[level].append(result["dies"]["accuracy"])
            networks[cell, training] = trained, scores

    for flag, what, values in (("--static", "Static error of every parameter, three deviations over the parameter", STATIC),
                               ("--additive", "Noise in every frame on what enters a cell, deviation over its scale (beta_hi; of `mingru` and `lru` the root mean square of what enters: docs/noise.md)", DYNAMIC)):
        section.lines += ["", f"{what}: accuracy on the test clips, mean ± standard deviation over {draws} dies of each of {seeds} networks (worst die; in column "
                              "\"none\" the worst network)."]
        section.table("cell", "parameters", "training", "none", *(f"{100 * value:g} %" for value in values))
        for (cell, training), (trained, scores) in networks.items():
            alone = [{"mean": result["test_accuracy"], "deviation": 0, "worst": result["test_accuracy"]} for result in trained]
            section.row(f"`{cell}`", f"{trained[0]['parameters']:,}", training, accuracy_text(over_networks(alone)),
                        *(accuracy_text(over_networks(scores[flag, value])) for value in values))
