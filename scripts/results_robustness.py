"""The sections `dies` and `corners` of scripts/results.py: mismatch and corners of the compiler's network."""
import pathlib
import re

from results_compiler import CORE, make_features, percent

DIES = 100
CONFORMING = (50, 10)  # dies, clips
MENDED = (20, 10)  # dies that ngspice draws, clips
FRESH_SEED = 100001  # of dies that chose nothing
FAST_DIES = 2000
TRIMS = 2  # legs
NEAR_VOTES = 10
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


def mend_rows(section, bench, pdk, test, training, networks, clips):
    """What each mend and pairs of them do to the yield of the same dies, their area and accuracy beside. Gives the label of the best and
    what makes it: the arguments of `montecarlo` but for the dies."""
    large = write_variant(bench, pdk, "large", LARGE)
    best = None
    section.table("mend", "yield, clips won by 5 votes or more", "yield, all clips", "such clips", "area", "test accuracy (balanced)")

    def row(label, figures, close, area, result, made):
        nonlocal best
        section.row(label, f"{percent(figures['decision_yield_clear'])} ({interval(figures['ci95_clear'])})",
                    f"{percent(figures['decision_yield'])} ({interval(figures['ci95'])})", clips - close, area,
                    f"{percent(result['test_accuracy'])} ({percent(result['test_balanced_accuracy'])})")
        if best is None or figures["decision_yield_clear"] > best[1]["decision_yield_clear"]:
            best = (label, figures, made)

    def area_of(name, flags):
        circuit, _ = bench.run("compile", f"{name}.safetensors", *flags, "-o", f"mend-{name}")
        return f"{circuit['area_um2']:.0f} um2"

    def made_of(name, *flags):
        return ["montecarlo", f"{name}.safetensors", "--input", test, *flags]

    flags = ["--pdk", pdk]
    made = made_of("core", *flags)
    dies, _ = bench.run(*made, "--dies", DIES)
    row("none", dies, dies["close_clips"], area_of("core", flags), networks[0][1], made)
    trim = None
    core = networks[0]
    variants = [(network, technology) for network in networks for technology in (pdk, large)] + [(core, write_variant(bench, pdk, "steady", STEADY))]
    drawn = {pdk: [], large: ["four times the gate area"]}
    for (name, result), technology in variants:
        flags = ["--pdk", technology, "--center", training]
        trimmed = made_of(name, *flags, "--trim", TRIMS)
        dies, _ = bench.run(*trimmed, "--dies", DIES)
        label = ["centring"] + ([] if name == "core" else ["trained on dies"]) + drawn.get(technology, ["legs of little drift"])
        area = area_of(name, flags)
        row(", ".join(label), dies["trim"]["before"], dies["close_clips"], area, result, made_of(name, *flags))
        count = len(dies["trim"]["legs"])
        row(", ".join(label + [f"{count} legs trimmed"]), dies, dies["close_clips"],
            f"{area} and {dies['trim']['extra_transistors']} small transistors", result, trimmed)
        trim = trim or dies["trim"]
    legs = ", ".join(f"`{leg['parameter']}`" for leg in trim["legs"])
    section.lines += ["", f"Trimmed with centring alone: {legs}, {trim['bits']} bits in steps of {100 * trim['step']:g} %, by "
                          f"{trim['seconds_played']:.0f} s of training clips played to every die; "
                          f"{percent(trim['codes_at_an_end'])} of the codes are at an end of their range."]
    return best[0], best[2]


def differing_rows(section, both):
    """Where the engines decide otherwise on the same die."""
    pairs = both["conformance"]["differing"]
    if not pairs:
        return
    section.lines += ["", f"The {len(pairs)} pairs of {both['dies'] * both['clips']} on which the engines decide otherwise, by clip:"]
    section.table("clip", "software's votes ahead", "yield in ngspice", "pairs", "die: votes in ngspice, in the behavioural engine")
    for clip in both["per_clip"]:
        own = [pair for pair in pairs if pair["clip"] == clip["clip"]]
        if own:
            def votes(values):
                return ":".join(map(str, values))
            section.row(clip["clip"], clip["margin_votes"], percent(clip["decision_yield"]), len(own),
                        "; ".join(f"{pair['seed']}: {votes(pair['spice_votes'])}, {votes(pair['behavioural_votes'])}" for pair in own))
    # A decision may hang on one frame; what matters is whether a cell's bits went another way.
    def apart(pair):
        return max(abs(a - b) for a, b in zip(pair["spice_votes"], pair["behavioural_votes"]))
    near = sum(apart(pair) <= NEAR_VOTES for pair in pairs)
    section.lines += ["", f"On {near} of them the votes are at most {NEAR_VOTES} apart; on the others a cell kept another state for longer."]


def fill_dies_section(section, bench, train_once):
    test, few, training = make_features(bench)
    quick = {"training.steps": 60} if bench.quick else {}
    keys = {"data.folder": str(bench.speech), "model.width": 4, **quick, **CORE}
    networks = [("core", train_once(bench, "core", keys)), ("aware-core", train_once(bench, "aware-core", {**keys, **AWARE}))]
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    flags = ["--pdk", pdk, "--center", training]
    both, _ = bench.run("montecarlo", "core.safetensors", "--input", few, *flags, "--engine", "both", "--dies",
                        2 if bench.quick else CONFORMING[0], "--output", f"dies-{pdk}", accepted=(0, 4))
    fast, _ = bench.run("montecarlo", "core.safetensors", "--input", test, *flags, "--dies", 20 if bench.quick else FAST_DIES)
    noisy, _ = bench.run("montecarlo", "core.safetensors", "--input", test, *flags, "--dies", 20 if bench.quick else FAST_DIES, "--device-noise")
    section.targets()
    same = both["conformance"]
    what = f"{pdk}, behavioural against ngspice on the same {both['dies']} dies x {both['clips']} clips"
    section.target(f"{what}: decisions", "same in 99 %", percent(same["same_decisions"]), same["same_decisions"] >= 0.99)
    section.row(f"{what}: pairs that decide otherwise than software", "the same ones", f"{same['lost_in_spice']} in ngspice, {same['lost_in_behavioural']} in the behavioural engine, "
                f"{same['lost_in_both']} in both", "")
    section.target(f"{what}: state bits", "same in 99.5 %", percent(same["same_bits"]), same["same_bits"] >= 0.995)
    section.target(f"{what}: candidates", "2 % RMS", percent(same["candidate_relative_rms"]),
                   same["candidate_relative_rms"] <= 0.02)
    speed = fast["dies"] * fast["clips"] / fast["seconds"]
    section.target("behavioural speed, d = 4, dies x clips a second", "at least 10,000", f"{speed:,.0f}", speed >= 10000)
    mends = type(section)("", "")
    label, made = mend_rows(mends, bench, pdk, test, training, networks, fast["clips"])
    fresh, _ = bench.run(*made, "--dies", DIES, "--seed", FRESH_SEED)
    untrimmed = " without its trims" if "--trim" in made else ""
    if "--trim" in made:  # ngspice draws its dies itself, and nothing trims them
        made = made[:made.index("--trim")]
    mended, _ = bench.run(*[few if argument == test else argument for argument in made], "--engine", "both", "--dies", 2 if bench.quick else MENDED[0],
                          "--seed", FRESH_SEED, "--output", f"dies-best-{pdk}", accepted=(0, 4))
    failed = [f"die {pair['seed']}, clip {pair['clip']}" for result in (both, mended) for pair in result["failed"]]
    if failed:
        section.lines += ["", "Pairs that ngspice could not solve, which count for nothing: " + "; ".join(failed) + "."]
    close = fresh["close_clips"]
    what = f"{pdk}, behavioural, {fresh['clips']} clips x {DIES} dies that no mend was chosen by, {label}: pairs that decide as software does"
    section.target(f"{what}, clips won by under 5 votes left out: {close} (at most 4)", "97 %",
                   f"{percent(fresh['decision_yield_clear'])} ({interval(fresh['ci95_clear'])}; over other clips and dies {interval(fresh['ci95_clear_resampled'])})",
                   fresh["decision_yield_clear"] >= 0.97 and close <= 4)
    section.row(f"{what}, all clips", "", f"{percent(fresh['decision_yield'])} ({interval(fresh['ci95'])}; over other clips and dies {interval(fresh['ci95_resampled'])})", "")
    section.lines += ["", f"In ngspice, {both['dies']} dies x {both['clips']} clips, centring alone: {percent(both['decision_yield'])} "
                          f"({interval(both['ci95'])}). Frames of the same pairs alike in both engines: {percent(same['same_frames'])}; "
                          f"logits {percent(same['logit_relative_rms'])} RMS apart."]
    section.lines += ["", f"Thermal and flicker noise of all devices, `--device-noise`, {noisy['dies']} dies x {noisy['clips']} clips in the behavioural engine: "
                          f"{percent(noisy['decision_yield'])} ({interval(noisy['ci95'])}) decide as software does, bits wrong "
                          f"{percent(noisy['state_mismatch'])}; the same dies without noise {percent(fast['decision_yield'])}, "
                          f"{percent(fast['state_mismatch'])}. {noisy['dies'] * noisy['clips'] / noisy['seconds']:,.0f} dies x clips a second with noise."]
    differing_rows(section, both)
    section.lines += ["", f"The best mend in ngspice{untrimmed}, {mended['dies']} dies of its own statistics x {mended['clips']} clips: {percent(mended['decision_yield'])} "
                          f"({interval(mended['ci95'])}) decide as software does, without clips won by under 5 votes {percent(mended['decision_yield_clear'])} "
                          f"({interval(mended['ci95_clear'])}); the engines decide alike on {percent(mended['conformance']['same_decisions'])} of the pairs, bits "
                          f"{percent(mended['conformance']['same_bits'])}."]
    section.lines += ["", f"Mends, {DIES} dies in the behavioural engine, {fast['clips']} clips, the same dies in every pair of rows:"]
    section.lines += mends.lines[3:]
    section.lines += ["", f"Centring alone, {fast['dies']} dies: clips with a yield under 99 %."]
    section.table("clip", "software", "votes ahead", "yield over dies", "95 % interval")
    for clip in sorted(fast["per_clip"], key=lambda clip: clip["decision_yield"]):
        if clip["decision_yield"] < 0.99:
            section.row(clip["clip"], clip["software"], clip["margin_votes"], percent(clip["decision_yield"]),
                        interval(clip["ci95"]))
    good = sum(clip["decision_yield"] >= 0.995 for clip in fast["per_clip"])
    section.lines += ["", f"{good} of {fast['clips']} clips have 99.5 % or more. Published: 11 clips x 200 dies, eight clips with 99.5 % or "
                          "more, the others 88.5, 45.5 and 41 %."]
    fit = fast["margin_fit"]
    if fit["slope"] is not None:
        def law(name):
            return f"{fit[name]:.2f} ({' to '.join(f'{end:.2f}' for end in fit[name + '_ci95'])})"
        section.lines += ["", f"Flips over the margin: Q(a + b m), m the votes ahead over the frames, a = {law('offset')}, b = {law('slope')}, intervals of "
                              f"95 % by bootstrap over dies and clips; 1 % at m = {fit['margin_of_1_percent']:.2f}. The clips are {percent(fit['rms_error'])} "
                              f"RMS off it and scatter {fit['dispersion']:.0f} times as much as independent draws would: the margin is not all that decides."]
    worst = ", ".join(f"layer {cell['layer']} cell {cell['cell']}: {percent(cell['state_mismatch'])}"
                      for cell in fast["cells"][:3])
    section.lines += ["", f"Wrong bits of the cells that fail most: {worst}."]


def corner_rows(section, result):
    groups = {}
    for point in result["points"]:
        groups.setdefault((point["corner"], point["temperature_c"], point["counted"]), []).append(point)

    def spread(points, value, form, has_all=False):
        values = [value(point) for point in points if point["clips"] or has_all]
        return f"{min(values):{form}} to {max(values):{form}}" if values else "-"

    for (corner, temperature, counted), points in groups.items():
        section.row(corner, f"{temperature:g} °C" + ("" if counted else " (beside)"),
                    spread(points, lambda point: 1e9 * point["unit_current_a"], ".2f") + " nA",
                    spread(points, lambda point: 100 * point["decision_agreement"], ".0f", has_all=True) + " %",
                    spread(points, lambda point: 100 * point["frame_agreement"], ".1f") + " %",
                    spread(points, lambda point: point["power_nw"]["total"], ".1f") + " nW",
                    spread(points, lambda point: point["reference_nw"], ".1f") + " nW")


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


def network_row(section, bench, result):
    """What the network is worth by itself, and which clips corners cost it."""
    accuracy, _ = bench.run("eval", "core.safetensors", "--data", bench.speech, "--split", "test")
    margins = sorted(clip["margin_votes"] for clip in result["per_clip"])
    lost = [f"clip {clip['clip']} ({clip['margin_votes']} votes ahead) at {clip['lost_points']}"
            for clip in result["per_clip"] if clip["lost_points"]]
    typical = next(point for point in result["points"]
                   if (point["corner"], point["temperature_c"]) == ("tt", 27) and abs(point["supply_v"] - 1.8) < 1e-6)
    section.table("test accuracy (balanced)", "software's votes ahead, clip by clip", "power at tt, 1.8 V, 27 °C",
                  "clips lost, at how many counted points")
    section.row(f"{percent(accuracy['accuracy'])} ({percent(accuracy['balanced_accuracy'])})",
                ", ".join(map(str, margins)), f"{typical['power_nw']['total']:.1f} nW", "; ".join(lost) or "none")


def decisions_text(result):
    worst = result["worst"]
    return (f"{percent(result['decision_agreement'])}; worst {worst['corner']}, {worst['supply_v']:.2f} V, {worst['temperature_c']:g} °C: "
            f"{percent(worst['decision_agreement'])}" + (f", frames {percent(worst['frame_agreement'])}" if worst["clips"] else ", not solved"))


def fill_corners_section(section, bench, train):
    _, few, training = make_features(bench)
    quick = {"training.steps": 60} if bench.quick else {}
    train(bench, "core", {"data.folder": str(bench.speech), "model.width": 4, **quick, **CORE})
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    steady = write_variant(bench, pdk, "steady", STEADY)
    flags = ["--center", training]
    small = ["--corners", "tt", "--supplies", "1.8", "--temperatures", "27", "--beside", "27"] if bench.quick else []

    def corners(reference, *more):
        result, _ = bench.run("corners", "core.safetensors", "--input", few, "--pdk", steady, *flags, *small, "--reference", reference, *more,
                              "--output", f"corners-core-{reference}-{pdk}", accepted=(0, 4))
        return result

    drifting = corners("transistors")
    section.targets()
    section.target(f"{pdk}, legs of little drift, {drifting['counted_points']} points x {drifting['clips']} clips, "
                   "reference of transistors: decisions", "95 %", decisions_text(drifting), drifting["decision_agreement"] >= 0.95)
    ideal = corners("ideal", *([] if bench.quick else ["--supplies", "1.8", "--beside", "27"]))
    section.row(f"{ideal['counted_points']} points at 1.8 V, ideal reference", "", decisions_text(ideal), "")
    failed = [f"{point['corner']}, {point['supply_v']:.2f} V, {point['temperature_c']:g} °C: clips {', '.join(map(str, point['failed_clips']))} ({reference})"
              for reference, result in (("transistors", drifting), ("ideal", ideal)) for point in result["points"] if point["failed_clips"]]
    if failed:
        section.lines += ["", "Clips that ngspice could not solve, which count as lost: " + "; ".join(failed) + "."]
    network_row(section, bench, drifting)
    section.lines += ["", "Every corner and temperature with the reference of transistors, range over the supplies."]
    section.table("corner", "temperature", "unit current", "decisions", "frames", "power", "reference beside it")
    corner_rows(section, drifting)
    section.lines += ["", "What drawing the legs for little drift does: an ideal reference, the typical corner, 1.8 V."]
    temperature_rows(section, bench, pdk, few, flags, [("by width alone", pdk), ("for little drift", steady)])
