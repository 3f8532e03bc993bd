"""The section `centring` of scripts/results.py: networks that training left unguarded, with and without `--center`."""
import json
import struct

from results_compiler import CORE, make_features, margin_line, percent, switching_text

# Trainings beside the one that the section "The compiler" measures: the same settings from other seeds, without the margin loss,
# and with the defaults of `hysteron train`.
TRAININGS = {"seed-1": ("the compiler's settings, seed 1", {**CORE, "training.seed": 1}),
             "seed-3": ("the compiler's settings, seed 3", {**CORE, "training.seed": 3}),
             "unguarded": ("`circuit.margin_weight = 0`", {**CORE, "circuit.margin_weight": 0}),
             "plain": ("the defaults", {}), "plain-5": ("the defaults, seed 5", {"training.seed": 5})}
# Of the last of them, whose cell 0 of layer 0 rests in silence: the lower threshold is put this share of the rest from it, which is less than a circuit's error.
NEAR = 0.982
LIMITS = (0.995, 0.001)  # of the issue: frame agreement, state mismatch, centred


def place_of(data, tensor, index):
    """Where a 32-bit value of a model file lies in its bytes."""
    (length,) = struct.unpack_from("<Q", data)
    begin, _ = json.loads(data[8:8 + length])[tensor]["data_offsets"]
    return 8 + length + begin + 4 * index


def value_of(path, tensor, index):
    data = path.read_bytes()
    return struct.unpack_from("<f", data, place_of(data, tensor, index))[0]


def set_value(path, output, tensor, index, value):
    """Copies a model file with one 32-bit value changed."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<f", data, place_of(data, tensor, index), value)
    output.write_bytes(data)


def verify_rows(section, bench, pdk, few, training, name, label, accuracy):
    """Rows of one network as given and centred; returns its line of margins."""
    verify = ("verify", f"{name}.safetensors", "--input", few, "--pdk", pdk)
    given, _ = bench.run(*verify, "--calibrate-on", training, "--output", f"{name}-given-{pdk}")
    centred, _ = bench.run(*verify, "--center", training, "--output", f"{name}-{pdk}")
    centring = centred["centring"]
    changed = f"{percent(centring['frame_change'])}, {percent(centred['centring_frame_change'])}"
    for way, result, when, change in (("as given", given, "before", "–"), ("centred", centred, "after", changed)):
        count = result["clips"]
        within = result["frame_agreement"] >= LIMITS[0] and result["state_mismatch"] <= LIMITS[1]
        bits = "; ".join(f"{cause['bits']} {what}" for what, cause in result["causes"].items() if cause["bits"])
        section.row(label, accuracy, way, f"{round(result['decision_agreement'] * count)} of {count}", f"{result['frame_agreement']:.4f}",
                    f"{result['state_mismatch']:.5f}", switching_text(result), "yes" if within else "no", len(result["resting_candidates"]), bits,
                    percent(centring["expected_wrong_bits"][when]["nominal"]),
                    "–" if way == "as given" else centring["thresholds_moved"], change)
    return margin_line(label, centring)


def fill_centring_section(section, bench, train_once):
    _, few, training = make_features(bench)
    quick = {"training.steps": 60} if bench.quick else {}
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    section.lines += ["", f"{pdk}, ten test clips. Within: frame agreement of {LIMITS[0]} or more and a state mismatch of {LIMITS[1]} or less. Candidates near "
                          "a threshold: within 3 % of it, at zero input; centred, also the most frequent in training. Expected wrong bits: of the circuit as "
                          "drawn, by the model of docs/centring.md on the training clips. Last: frames that moving thresholds changes in software, of the "
                          "training and of the test clips."]
    section.table("training", "test accuracy", "thresholds", "decisions", "frame agreement", "state mismatch", "cells that switch: mismatch", "within",
                  "candidates near a threshold", "wrong bits by cause", "expected wrong bits", "thresholds moved", "frames changed")
    lines = []
    for name, (label, keys) in TRAININGS.items():
        trained = train_once(bench, name, {"data.folder": str(bench.speech), "model.width": 4, **quick, **keys})
        lines += ["", verify_rows(section, bench, pdk, few, training, name, label, percent(trained["test_accuracy"]))]
    trained, changed = bench.work / "plain-5.safetensors", bench.work / "resting.safetensors"
    rest, lower = value_of(trained, "layers.0.candidate.bias", 0), value_of(trained, "layers.0.beta_lo", 0)
    set_value(trained, changed, "layers.0.beta_lo", 0, NEAR * rest)
    label = f"the same, `layers.0.beta_lo[0]` put from {lower:.4f} to {NEAR * rest:.4f}, {100 * (1 - NEAR):.1f} % below {rest:.4f}, where the cell's candidate rests in silence"
    lines += ["", verify_rows(section, bench, pdk, few, training, "resting", label, "")]
    section.lines += lines
