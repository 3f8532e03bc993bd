"""The section `centring` of scripts/results.py: networks that training left unguarded, with and without `--center`."""
import json
import struct

from results_compiler import CORE, make_features, margin_line, percent

# Trainings beside the one that the section "The compiler" measures: the same settings from other seeds, without the margin loss,
# and with the defaults of `hysteron train`.
TRAININGS = {"seed-2": ("the compiler's settings, seed 2", {**CORE, "training.seed": 2}),
             "seed-3": ("the compiler's settings, seed 3", {**CORE, "training.seed": 3}),
             "unguarded": ("`circuit.margin_weight = 0`", {**CORE, "circuit.margin_weight": 0}),
             "plain": ("the defaults", {})}
LIMITS = (0.995, 0.001)  # of the issue: frame agreement, state mismatch, centred


def set_value(path, output, tensor, index, value):
    """Copies a model file with one 32-bit value changed."""
    data = bytearray(path.read_bytes())
    (length,) = struct.unpack_from("<Q", data)
    begin, _ = json.loads(data[8:8 + length])[tensor]["data_offsets"]
    struct.pack_into("<f", data, 8 + length + begin + 4 * index, value)
    output.write_bytes(data)


def verify_rows(section, bench, pdk, few, training, name, label, accuracy):
    """Rows of one network as given and centred; returns what was verified as given and its line of margins."""
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
                    f"{result['state_mismatch']:.5f}", "yes" if within else "no", len(result["resting_candidates"]), bits,
                    percent(centring["expected_wrong_bits"][when]["nominal"]),
                    "–" if way == "as given" else centring["thresholds_moved"], change)
    return given, margin_line(label, centring)


def fill_centring_section(section, bench, train_once):
    _, few, training = make_features(bench)
    quick = {"training.steps": 60} if bench.quick else {}
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    section.lines += ["", f"{pdk}, ten test clips. Within: frame agreement of {LIMITS[0]} or more and a state mismatch of {LIMITS[1]} or less. Candidates near "
                          "a threshold: within 3 % of it, at zero input; centred, also the most frequent in training. Expected wrong bits: of the circuit as "
                          "drawn, by the model of docs/centring.md on the training clips. Last: frames that moving thresholds changes in software, of the "
                          "training and of the test clips."]
    section.table("training", "test accuracy", "thresholds", "decisions", "frame agreement", "state mismatch", "within",
                  "candidates near a threshold", "wrong bits by cause", "expected wrong bits", "thresholds moved", "frames changed")
    lines = []
    for name, (label, keys) in TRAININGS.items():
        trained = train_once(bench, name, {"data.folder": str(bench.speech), "model.width": 4, **quick, **keys})
        given, line = verify_rows(section, bench, pdk, few, training, name, label, percent(trained["test_accuracy"]))
        lines += ["", line]
    # The last network, with the threshold nearest to a resting candidate put where the candidate is: software holds there.
    resting = min(given["resting_candidates"], key=lambda rest: abs(rest["distance"]), default=None)
    if resting is not None:
        where = f"layers.{resting['layer']}.{resting['threshold_name']}"
        set_value(bench.work / "plain.safetensors", bench.work / "resting.safetensors", where, resting["cell"], resting["candidate"])
        _, line = verify_rows(section, bench, pdk, few, training, "resting",
                              f"the defaults, `{where}[{resting['cell']}]` put from {resting['threshold']:.5f} onto its resting candidate, "
                              f"{resting['candidate']:.5f}", "")
        lines += ["", line]
    section.lines += lines
