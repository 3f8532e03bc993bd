"""The section `compiler` of scripts/results.py: how well compiled networks do what their software does."""
import math
import random

# d = 4 on Speech Commands: less current, candidates away from thresholds, and weights that gf180mcu can make.
CORE = {"training.restarts": 4, "circuit.power_weight": 0.0045, "circuit.margin": 0.3, "circuit.margin_weight": 10,
        "training_noise.technology": "gf180mcu", "training_noise.additive": 0.1}
# The most current that 25 nW allow at a supply that mirrors and cascodes still stand (docs/notes/unit-current.md).
LOW_POWER = ("--supply", "1.2", "--unit-current", "550p")
WIDE = {"model.width": 16, **CORE}
CLASSES = ("yes", "no", "up", "down", "left", "right", "_silence_")


def percent(value):
    return f"{100 * value:.2f} %"


def split_clips(speech, split):
    """Audio files of one split by class, sorted."""
    listed = {name: set((speech / f"{name}_list.txt").read_text().split()) for name in ("testing", "validation")}
    def belongs(file):
        name = f"{file.parent.name}/{file.name}"
        return name in listed["testing"] if split == "test" else not any(name in names for names in listed.values())
    return {label: [file for file in sorted((speech / label).glob("*.wav")) if belongs(file)] for label in CLASSES}


def write_features(bench, name, clips):
    bench.run("features", *clips, "-o", f"{name}.npy")
    return f"{name}.npy"


def draw(generator, pool):
    """10 clips of yes and 5 of each other class."""
    return {label: generator.sample(pool[label], 10 if label == "yes" else 5) for label in CLASSES}


def make_features(bench):
    """40 test clips, 10 of them, and the training clips for centring.

    CORE was chosen looking at the first draw of 40 clips, so what is measured is a second draw from the others."""
    test = split_clips(bench.speech, "test")
    seen = draw(random.Random(40), test)
    fresh = {label: [clip for clip in test[label] if clip not in seen[label]] for label in CLASSES}
    chosen = list(draw(random.Random(41), fresh).values())
    few = [clip for clips, count in zip(chosen, (4, 1, 1, 1, 1, 1, 1)) for clip in clips[:count]]
    training = [clip for clips in split_clips(bench.speech, "train").values() for clip in clips]
    clips = sum(chosen, [])
    if bench.quick:
        clips, few, training = clips[::10], few[:2], training[::40]
    return (write_features(bench, "test40", clips), write_features(bench, "test10", few),
            write_features(bench, "training", training))


def agreement_targets(section, what, result, frames, states, clips):
    count = result["clips"]
    section.target(f"{what}: frame agreement", f"at least {frames}", f"{result['frame_agreement']:.4f}",
                   result["frame_agreement"] >= frames)
    section.target(f"{what}: state mismatch", f"at most {states}", f"{result['state_mismatch']:.5f}",
                   result["state_mismatch"] <= states)
    section.target(f"{what}: decisions", f"{clips} of {clips}", f"{round(result['decision_agreement'] * count)} of {count}",
                   result["decision_agreement"] == 1.0)


def error_targets(section, what, result, alpha):
    worst = result["state_cells"][0]
    error = worst["on_relative_rms"] or 0.0
    section.target(f"{what}: RMS error of a state current over its own alpha, on bits of the worst cell (layer {worst['layer']}, cell "
                   f"{worst['cell']})", "at most 0.3 %", percent(error), error <= 0.003)
    section.target(f"{what}: relative candidate error, RMS", "at most 0.02", f"{result['candidate_relative_rms']:.4f}",
                   result["candidate_relative_rms"] <= 0.02)
    section.target(f"{what}: largest candidate error", "at most 0.1", f"{result['candidate_max']:.3f}",
                   result["candidate_max"] <= 0.1)
    section.target(f"{what}: RMS error of all state currents, off bits too, over the mean alpha", "at most 0.3 %",
                   percent(result["state_rms"] / alpha), result["state_rms"] / alpha <= 0.003)


def power_text(result):
    power = result["power_nw"]
    return f"{power['total']:.1f} nW = {power['cells']:.1f} cells + {power['feedforward']:.1f} feedforward"


def hazard_lines(bench, pdk, few, training):
    """Settling times by kind of rail and the highest frame rate."""
    result, _ = bench.run("hazards", "core.safetensors", "--input", few, "--clips", "0" if bench.quick else "0,1,5,9", "--pdk",
                          pdk, "--center", training, "--rate")
    lines = ["", f"{pdk}, d = 4, `hazards --rate`, four clips: a frame agreement of at least {result['frame_agreement_wanted']:.4f} and the "
                 f"software's decisions hold up to {result['highest_frame_rate_hz']:.0f} frames a second. {result['advice']['verdict']}. "
                 "Settling within 0.01 unit currents or 1 %:",
             "",
             "| rails | median | 99 of 100 | worst |", "|---|---|---|---|"]
    for rail in result["rails"]:
        times = " | ".join(f"{1e3 * rail[key]:.2f} ms" for key in ("median", "p99", "worst"))
        lines.append(f"| {rail['kind']} ({rail['rails']}) | {times} |")
    return lines


def worst_cell_error(circuit):
    """The worst rise, fall or high of a calibrated cell: error over the wanted current, the wanted current, and whether calibration
    counts it. What is off by less than its floor (0.1 pA at 1 nA) does not count, unless there is nothing else."""
    floor = circuit["cell_error_floor_a"]
    errors = [(math.inf if cell[key] is None else abs(cell[key]), cell["wanted_a"][key])
              for cell in circuit["cell_errors"] for key in ("rise", "fall", "high")]
    return max((error * wanted > floor, error, wanted) for error, wanted in errors)


def calibration_targets(section, pdk, circuit):
    counts, error, wanted = worst_cell_error(circuit)
    section.target(f"{pdk}, d = 4: worst rise, fall or high of {len(circuit['cell_errors'])} calibrated cells",
                   f"at most 0.5 %, or {1e12 * circuit['cell_error_floor_a']:g} pA of leakage",
                   f"{percent(error)} of {1e12 * wanted:.1f} pA", error <= 0.005 or not counts)
    node = max(node["error"] for node in circuit["summing_nodes"].values())
    section.target(f"{pdk}, d = 4: worst of {len(circuit['summing_nodes'])} summing nodes, RMS", "at most 1 %", percent(node),
                   node <= 0.01)


def calibration_line(pdk, circuit):
    nodes = circuit["summing_nodes"].values()
    return (f"{pdk}: calibrated in place, the worst of {len(nodes)} summing nodes is off by "
            f"{percent(max(node['error'] for node in nodes))} RMS (by the curves alone {percent(max(node['error_by_curves'] for node in nodes))}).")


def core_targets(section, bench, pdk, test, training, mean_alpha):
    centred, _ = bench.run("verify", "core.safetensors", "--input", test, "--pdk", pdk, "--center", training,
                           "--output", f"signoff-{pdk}")
    agreement_targets(section, f"{pdk}, d = 4, centred", centred, 0.995, 0.001, centred["clips"])
    given, _ = bench.run("verify", "core.safetensors", "--input", test, "--pdk", pdk, "--output", f"given-{pdk}")
    agreement_targets(section, f"{pdk}, d = 4, as given", given, 0.99, 0.003, given["clips"])
    error_targets(section, f"{pdk}, d = 4, centred", centred, mean_alpha)
    circuit, _ = bench.run("compile", "core.safetensors", "--pdk", pdk, "--center", training,
                           "-o", f"core-{pdk}")
    section.target(f"{pdk}, d = 4: transistors", "at most 600", circuit["transistors"], circuit["transistors"] <= 600)
    section.target(f"{pdk}, d = 4: power at 1 nA (published: 83 nW)", "at most 70 nW", power_text(centred),
                   centred["power_nw"]["total"] <= 70)
    calibration_targets(section, pdk, circuit)
    low, _ = bench.run("verify", "core.safetensors", "--input", test, "--pdk", pdk, "--center", training,
                       *LOW_POWER, "--output", f"low-{pdk}")
    section.target(f"{pdk}, d = 4 at `{' '.join(LOW_POWER)}`: power; frame agreement", "at most 25 nW; at least 0.98",
                   f"{power_text(low)}; {low['frame_agreement']:.4f}",
                   low["power_nw"]["total"] <= 25 and low["frame_agreement"] >= 0.98)
    given_resting = len(given["resting_candidates"])
    section.after += ["", f"{pdk}: centring changed {percent(centred['centring_frame_change'])} of the software's frames on the test "
                          f"clips; resting candidates on a threshold: {given_resting} before it, "
                          f"{len(circuit['resting_candidates'])} after it.", "", calibration_line(pdk, circuit)]
    section.after += hazard_lines(bench, pdk, test, training)


def fill_compiler_section(section, bench, train_once, read_alpha):
    test, few, training = make_features(bench)
    quick = {"training.steps": 60} if bench.quick else {}
    speech = {"data.folder": str(bench.speech), "model.width": 4, **quick}
    core = train_once(bench, "core", {**speech, **CORE})
    wide = train_once(bench, "wide", {**speech, **WIDE, **quick})
    train_once(bench, "huge", {**speech, "model.width": 64, "training.steps": 60})
    mean_alpha = read_alpha(bench.work / "core.safetensors")
    section.targets()
    section.after = []
    for pdk in ("gf180mcu", "generic180"):
        if pdk == "gf180mcu" and bench.pdk_root is None:
            continue
        core_targets(section, bench, pdk, test, training, mean_alpha)
        result, _ = bench.run("verify", "wide.safetensors", "--input", few, "--pdk", pdk, "--center", training,
                              "--output", f"wide-{pdk}")
        section.target(f"{pdk}, d = 16, centred, {result['clips']} clips: frame agreement", "at least 0.99",
                       f"{result['frame_agreement']:.4f}", result["frame_agreement"] >= 0.99)
        _, seconds = bench.run("compile", "huge.safetensors", "--pdk", pdk, "--calibrate", "curves", "-o", f"huge-{pdk}")
        section.target(f"{pdk}, d = 64: compile with stored curves, nothing simulated", "at most 10 s", f"{seconds:.1f} s",
                       seconds <= 10)
        _, seconds = bench.run("compile", "huge.safetensors", "--pdk", pdk, "--calibrate", "cells", "-o", f"huge-{pdk}")
        section.target(f"{pdk}, d = 64: compile with stored curves and every cell calibrated, layers not simulated",
                       "at most 10 s", f"{seconds:.1f} s", seconds <= 10)
    section.lines += ["", f"Test accuracy (balanced): d = 4 {percent(core['test_accuracy'])} "
                          f"({percent(core['test_balanced_accuracy'])}), d = 16 {percent(wide['test_accuracy'])} "
                          f"({percent(wide['test_balanced_accuracy'])})."]
    section.lines += ["", "All of `verify` with the default capacitor at V0, 80 fF for every nA of the unit current. Settings of training were "
                          "chosen among 27 trainings (docs/notes/power.md), the last of them by 40 other test clips, the capacitor on "
                          "validation clips (docs/notes/hazards.md) after a first choice of 150 fF had been seen to be bad on the clips "
                          "measured here."]
    section.lines += section.after
