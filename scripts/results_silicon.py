"""The section `silicon` of scripts/results.py: virtual chips on a bench, what `compare` finds of them, and training in the loop."""
import concurrent.futures
import hashlib
import json
import math
import os
import pathlib
import random
import statistics
import struct
import subprocess

from results_compiler import make_features

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIGMA = 0.1 / 3  # mismatch of every parameter: 10 % at three deviations
LOST = 0.05  # balanced accuracy that a chip must lose to count
CLAIMED = 20  # suppression
RAMP = ["--input-ramp", "10m"]  # as long as a frame: ramps without steps
DIES = 10
DRAWN = {"technology": "gf180mcu", "dies": (1, 2)}  # dies of ngspice's mismatch
CIRCUITS = 3  # chips whose circuits play clips, before and after tuning
MOST_SEEDS = 2000
TUNING = {"training.steps": 1500, "training.learning_rate": 0.003, "training.validation_interval": 50, "training.restarts": 4,
          "training_noise.additive": 0.04}
SKIPPED = (".initial_state",)


def percent(value):
    return f"{100 * value:.2f} %"


def read_model(path):
    """Tensors {name: (shape, values)} and metadata."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    body = data[8 + length:]
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = (entry["shape"], list(struct.unpack(f"<{(end - begin) // 4}f", body[begin:end])))
    return tensors, metadata


def write_model(path, tensors, metadata):
    header, body = {}, b""
    for name, (shape, values) in tensors.items():
        data = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    header["__metadata__"] = metadata
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def build_chip(bench, model, seed, name):
    """The model as chip `seed` makes it: only this script knows the errors, which are those of the seed alone; chip 0 has none."""
    tensors, metadata = read_model(bench.work / model)
    errors = {}
    for key in sorted(tensors):
        generator = random.Random(f"chip/{seed}/{key}")
        errors[key] = [0.0 if seed == 0 or key.endswith(SKIPPED) else SIGMA * generator.gauss(0, 1) for _ in tensors[key][1]]
    chip = {key: (shape, [value * (1 + error) for value, error in zip(values, errors[key])]) for key, (shape, values) in tensors.items()}
    for key in tensors:
        if key.endswith(".beta_hi"):  # a circuit sets beta_hi and the width
            lower = key.replace(".beta_hi", ".beta_lo")
            upper = chip[key][1]
            chip[lower] = (tensors[lower][0], [max(0.0, high - (old_high - old_low) * (1 + error)) for high, old_high, old_low, error in
                                               zip(upper, tensors[key][1], tensors[lower][1], errors[lower])])
    write_model(bench.work / name, chip, metadata)
    return name


def score(bench, model, split="test"):
    result, _ = bench.run("eval", model, "--data", bench.speech, "--split", split)
    return result["accuracy"], result["balanced_accuracy"]


def find_chips(bench, model, count):
    """Seeds of the first chips that lose enough of the test clips and of the validation clips, and how many were looked at. Either alone
    picks chips that were unlucky with those clips."""
    splits = ("test", "validation")
    clean = {split: score(bench, model, split)[1] for split in splits}
    chips = []
    for seed in range(1, MOST_SEEDS):
        chip = build_chip(bench, model, seed, "chip.safetensors")
        if bench.quick or all(clean[split] - score(bench, chip, split)[1] >= LOST for split in splits):
            chips.append(seed)
        if len(chips) == count:
            return chips, seed
    return chips, MOST_SEEDS - 1


def constant_errors(bench, model, chip, measured, drawn):
    """What was found of a chip less what it was given, over the deviation of each: thresholds that ramps showed, by themselves; the same and gains as differences from
    the circuit of the model as drawn under the same stimulus."""
    nominal, _ = read_model(bench.work / model)
    hidden, _ = read_model(bench.work / chip)
    reference = {(cell["layer"], cell["cell"]): cell for cell in drawn["cells"]}
    alone, thresholds, gains = [], [], []
    for cell in measured["cells"]:
        place = f"layers.{cell['layer']}."
        j = cell["cell"]

        def value(tensors, name):
            return tensors[place + name][1][j]
        upper, width = value(nominal, "beta_hi"), value(nominal, "beta_hi") - value(nominal, "beta_lo")
        deviations = {"rise": SIGMA * upper, "fall": SIGMA * math.hypot(upper, width), "high": SIGMA * value(nominal, "alpha")}
        for what, name in (("rise", "beta_hi"), ("fall", "beta_lo"), ("high", "alpha")):
            before = reference[(cell["layer"], j)]
            if what != "high" and not (cell[what + "s"] and before[what + "s"]):
                continue  # no ramp showed it
            found, before = cell[what]["value"], before[what]["value"]
            if found is None or before is None:
                continue
            put_in = value(hidden, name) - value(nominal, name)
            if what != "high":
                alone.append((found - value(hidden, name)) / deviations[what])
            (gains if what == "high" else thresholds).append((found - before - put_in) / deviations[what])
    return alone, thresholds, gains


def circuit_sources():
    """The bytes of all files that what ngspice is told, and what is kept of it, follows from, and ngspice's version."""
    rooms = [ROOT / above / room for above in ("src", "include/hysteron")
             for room in ("base", "circuit", "compile", "flow", "model", "report", "sim", "spice", "technology")] + [ROOT / "technologies"]
    missing = [str(room) for room in rooms if not room.is_dir()]
    if missing:
        raise FileNotFoundError(missing[0])
    version = subprocess.run([os.environ.get("HYSTERON_NGSPICE", "ngspice"), "--version"], capture_output=True, check=True).stdout
    return version + b"".join(file.read_bytes() for room in rooms for file in sorted(room.rglob("*")) if file.is_file())


def play(bench, circuit, name, *flags):
    """The stimulus played to a circuit in ngspice; what an earlier run of the same left is taken."""
    told = [(bench.work / file).read_bytes() for file in (circuit, "silicon-bench/stimulus.npy")]
    known = hashlib.sha256(b"".join([*told, circuit_sources(), repr((RAMP, flags)).encode()])).hexdigest()[:12]
    waveforms = f"{name}-{known}.safetensors"
    if not (bench.work / waveforms).exists():
        bench.run("run", circuit, "--input", "silicon-bench/stimulus.npy", *RAMP, "--engine", "spice", "--jobs", 1, *flags,
                  "--time-limit", 20000, "--waveforms", waveforms)
    return waveforms


def play_all(bench, chips):
    """Waveforms of the chips of these seeds, and of the model's dies that ngspice draws, two circuits at a time."""
    jobs = [(f"chip-{seed}.safetensors", f"chip-{seed}") for seed in chips]
    jobs += [("silicon.safetensors", f"die-{die}", "--pdk", DRAWN["technology"], "--die", die) for die in DRAWN["dies"]]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        recorded = list(pool.map(lambda job: play(bench, *job), jobs))
    return recorded[:len(chips)], recorded[len(chips):]


def trace(bench, model, clips, *flags):
    """Candidates and bits of every frame, and what is decided."""
    result, _ = bench.run("run", model, "--input", clips, "--output", "trace.safetensors", *flags)
    tensors, _ = read_model(bench.work / "trace.safetensors")
    parameters, _ = read_model(bench.work / model)
    (_, layers, frames, cells), states = tensors["states"]
    alphas = [parameters[f"layers.{layer}.alpha"][1] for layer in range(layers)]
    bits = [state > alphas[i // (frames * cells) % layers][i % cells] / 2 for i, state in enumerate(states)]
    return tensors["candidates"][1], bits, result["decisions"]


def drawn_dies(bench, model, recorded):
    """For every die that ngspice drew: how far it is from software, and from software with its die file, over clips that the stimulus
    knows nothing of: RMS of candidates, shares of bits, decisions."""
    _, clips, _ = make_features(bench)
    rows = []
    for die, waveforms in zip(DRAWN["dies"], recorded):
        bench.run("compare", model, "--measured", waveforms, "--input", "silicon-bench/stimulus.npy", "--write-die", "drawn.json")
        circuit = trace(bench, model, clips, "--engine", "spice", "--pdk", DRAWN["technology"], "--die", die, "--time-limit", 20000)
        row = []
        for software in (trace(bench, model, clips), trace(bench, model, clips, "--die-file", "drawn.json")):
            row += [rms([a - b for a, b in zip(circuit[0], software[0])]),
                    statistics.mean(a != b for a, b in zip(circuit[1], software[1])),
                    sum(a == b for a, b in zip(circuit[2], software[2]))]
        rows.append((die, len(circuit[2]), row))
    return rows


def decisions_in_ngspice(bench, chips):
    """Decisions of the chips' circuits that are those of their software models, of how many: what scores in software are worth."""
    _, clips, _ = make_features(bench)
    results = [bench.run("verify", chip, "--input", clips)[0] for chip in chips]
    return sum(round(result["decision_agreement"] * result["clips"]) for result in results), sum(result["clips"] for result in results)


def rms(values):
    return math.sqrt(sum(value * value for value in values) / len(values)) if values else float("nan")


def claims_text(measured):
    """Verdicts of the three claims, the last with the cells that are on and have an interval, and those of them above what is claimed."""
    claims = measured["claims"]
    cells = [cell["ci95"] for cell in measured["suppression"] if cell["state"] == "on"]
    known = [interval[0] for interval in cells if interval is not None]
    above = sum(low >= CLAIMED for low in known)
    return claims["as_software"], claims["errors_do_not_grow"], f"{claims['suppression_at_least_20']}: {above} of {len(known)} cells, {len(cells) - len(known)} too seldom on"


def fill_silicon_section(section, bench, train_once):
    quick = {"training.steps": 60} if bench.quick else {}
    keys = {"data.folder": str(bench.speech), "model.width": 4, **quick}
    model = "silicon.safetensors"
    train_once(bench, "silicon", keys)
    clean = score(bench, model)
    stimulus, _ = bench.run("compare", model, "--stimulus", "silicon-bench", *RAMP)
    chips, looked_at = find_chips(bench, model, 1 if bench.quick else DIES)
    for seed in [0, *chips]:
        build_chip(bench, model, seed, f"chip-{seed}.safetensors")
    recorded, drawn_recorded = play_all(bench, [0, *chips])
    errors, rows = ([], [], []), []
    for seed, waveforms in zip([0, *chips], recorded):
        hidden, die, tuned = f"chip-{seed}.safetensors", f"chip-{seed}.json", f"chip-{seed}-tuned"
        before = score(bench, hidden)
        measured, _ = bench.run("compare", model, "--measured", waveforms, "--input", "silicon-bench/stimulus.npy", "--write-die", die)
        if seed == 0:
            drawn = measured
        else:
            for all_errors, found in zip(errors, constant_errors(bench, model, hidden, measured, drawn)):
                all_errors += found
        told, _ = bench.run("eval", model, "--data", bench.speech, "--split", "test", "--die-file", die)
        train_once(bench, tuned, {**keys, **TUNING, **quick, "model.start": model, "circuit.die": die})
        after = score(bench, build_chip(bench, f"{tuned}.safetensors", seed, f"chip-{seed}-after.safetensors"))
        rows.append((seed, before, told["balanced_accuracy"], after, measured))
    shown = chips[:CIRCUITS]
    before_tuning = decisions_in_ngspice(bench, [f"chip-{seed}.safetensors" for seed in shown])
    after_tuning = decisions_in_ngspice(bench, [f"chip-{seed}-after.safetensors" for seed in shown])
    lost = [clean[1] - before[1] for _, before, _, _, _ in rows[1:]]
    won = [after[1] - before[1] for _, before, _, after, _ in rows[1:]]
    recovered = sum(won) / sum(lost) if sum(lost) > 0 else float("nan")
    alone, thresholds, gains = errors
    all_thresholds = 2 * len(chips) * len(drawn["cells"])
    within_reach = all_thresholds - len(chips) * len(stimulus["unreached"])

    def error_text(values):
        return f"{percent(rms(values))} (worst {percent(max(map(abs, values), default=math.nan))})"
    section.targets()
    what = f"{len(chips)} chips in ngspice under the stimulus"
    section.target(f"{what}: {len(thresholds)} threshold errors, those that ramps showed, of {within_reach} within the stimulus' reach ({all_thresholds} in all), against the circuit as drawn: RMS distance from "
                   "those put in over their deviation", "10 %", error_text(thresholds), rms(thresholds) <= 0.1)
    section.target(f"{what}: the same thresholds by themselves, as a bench without a perfect chip beside it finds them", "10 %", error_text(alone), rms(alone) <= 0.1)
    section.target(f"{what}: {len(gains)} output gain (alpha) errors, against the circuit as drawn", "10 %", error_text(gains), rms(gains) <= 0.1)
    section.target(f"chip in the loop, mean of {len(chips)} chips that lose 5 points of balanced accuracy or more: share of it that is won back", "90 %",
                   percent(recovered), recovered >= 0.9)
    section.lines += ["", f"The model scores {percent(clean[1])} balanced accuracy ({percent(clean[0])} plain) on the test clips; of {looked_at} chips with every weight, threshold, width and gain off "
                          f"by 10 % (3 sigma) these are the first that lose 5 points or more of the test clips and of the validation clips. Loss and gain are of the test clips. The stimulus takes {stimulus['seconds']:.0f} s; "
                          f"{len(stimulus['unreached'])} of {2 * len(drawn['cells'])} thresholds are out of its reach. Accuracy of a chip is that of the "
                          "software model with the chip's own parameters; only the waveforms of its circuit reach `compare`. "
                          f"The circuits of chips {', '.join(map(str, shown))} in ngspice decide as that software does in {before_tuning[0]} of {before_tuning[1]} clips "
                          f"before tuning and {after_tuning[0]} of {after_tuning[1]} after it. Chip 0 is the model as drawn, without any error: what the same tuning does to it is no repair."]
    section.table("chip", "balanced accuracy before (plain)", "as its die file says", "after tuning (plain)", "candidates and logits off, before and with the constants",
                  "as software", "errors do not grow", "suppression 20 or more")
    for seed, before, told, after, measured in rows:
        section.row(seed, f"{percent(before[1])} ({percent(before[0])})", percent(told), f"{percent(after[1])} ({percent(after[0])})",
                    f"{measured['fit']['rms_before']:.4f}, {measured['fit']['rms_after']:.4f}", *claims_text(measured))
    section.lines += ["", f"Dies of {DRAWN['technology']} as ngspice draws them with the technology's own mismatch, which nobody tells the program either: the same stimulus, a die file from "
                          "it, then clips of real use that the stimulus knows nothing of, in ngspice on one side and in software on the other."]
    section.table("die", "candidates off software, RMS", "bits that differ", "decisions alike", "candidates off software with the die file", "bits that differ", "decisions alike")
    for die, count, (off, bits, alike, told_off, told_bits, told_alike) in drawn_dies(bench, model, drawn_recorded):
        section.row(die, f"{off:.4f}", percent(bits), f"{alike} of {count}", f"{told_off:.4f}", percent(told_bits), f"{told_alike} of {count}")
    section.lines += ["", f"Mean loss {100 * statistics.mean(lost):.2f} points, mean gain {100 * statistics.mean(won):.2f} points. The claims are judged on the stimulus, which lingers at thresholds: a frame's "
                          "delay there is a wrong bit, so that no chip is confirmed to do as software does by it; clips of real use are for that. Single weights and biases are not "
                          "recovered, only what they do together (docs/silicon.md)."]
