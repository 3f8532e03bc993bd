"""The section `power` of scripts/results.py: what a circuit draws over its width, by block, listening and at rest."""
from results_compiler import CORE, WIDE, make_features, percent

PUBLISHED = (4, 83, 44, 40)  # d, nW in total, of the cells, feedforward
CLIPS = "0,5"  # of the ten test clips: one of yes, one of another class
LARGEST_SIMULATED = 16
SQUARE_MAPS = 4  # of d x d legs in a drawn network: two a layer


def with_interval(row, name):
    half = row[f"{name}_half_interval"]
    return f"{row[name]:.3f}" + ("" if half is None else f" ± {half:.3f}")


def fit_text(fit):
    def term(name, scale, unit):
        half = fit[f"{name}_half_interval_nw"]
        interval = "" if half is None else f" (± {scale * half:.3g})"
        return f"{scale * fit[f'{name}_nw']:.4g}{interval} {unit}"
    return (f"P = {term('constant', 1, 'nW')} + {term('linear', 1, 'nW')} d + {term('quadratic', 1e3, 'pW')} d², within "
            f"{percent(fit['worst_relative_error'])}")


def local_table(section, local):
    section.table("exponent between", "total", "cells", "feedforward")
    for step in local:
        section.row(f"d = {step['from']:g} and {step['to']:g}",
                    *(with_interval(step, name) for name in ("total", "cells", "feedforward")))


def split_text(split):
    return f"{split['total']:.1f} = {split['cells']:.1f} + {split['feedforward']:.1f} nW"


def drawn_tables(section, result):
    section.lines += ["", f"{fit_text(result['fit_total'])}. The model's total is within {percent(result['worst_model_error'])} of "
                          f"ngspice on the networks that both ran, and within {percent(result['worst_model_error_same_bits'])} given "
                          f"the bits that the circuit held ({percent(result['worst_model_error_at_rest'])} at rest). The exponents are of the model's own bits."]
    section.table("d", "total", "cells", "feedforward", "d x d legs", "over 4 d² legs, pushing or pulling", "at rest", "energy a frame", "a decision")
    for point in result["points"]:
        model = point["model_nw"]
        section.row(point["dim"], f"{model['total']:.1f} nW", f"{model['cells']:.1f} nW", f"{model['feedforward']:.1f} nW",
                    f"{model['square_legs']:.1f} nW", f"{1e3 * model['square_legs'] / (SQUARE_MAPS * point['dim'] ** 2):.0f} pW", f"{point['rest_nw']['total']:.1f} nW",
                    f"{1e9 * point['energy_per_frame_j']:.2f} nJ", f"{1e9 * point['energy_per_decision_j']:.0f} nJ")
    local_table(section, result["local"])
    section.lines += ["", "The first network of each width in ngspice (total = cells + feedforward), the model of it, and the model given the bits "
                          "that the circuit held:"]
    simulated_table(section, result)
    spice_exponents(section, result)


def spice_exponents(section, result):
    scaling = result["spice_scaling"]
    section.lines += ["", f"Exponents over these widths in ngspice, one network each: cells {scaling['exponent_cells']:.3f}, feedforward {scaling['exponent_feedforward']:.3f}, "
                          f"total {scaling['exponent_total']:.3f}; from width to width:"]
    local_table(section, scaling["local"])


def simulated_table(section, result):
    section.table("d", "ngspice", "ngspice, last tenths of frames", "model", "model of the circuit's bits", "bits that differ", "ngspice at rest", "model of the bits held at rest", "bits that differ at rest", "ngspice took")
    for point in result["points"]:
        if "spice_nw" in point:
            section.row(point["dim"], split_text(point["spice_nw"]), split_text(point["spice_settled_nw"]), split_text(point["model_of_first_nw"]),
                        split_text(point["model_of_bits_nw"]), percent(point["state_mismatch"]),
                        split_text(point["spice_rest_nw"]), split_text(point["rest_model_of_bits_nw"]), percent(point["rest_state_mismatch"]), f"{point['spice_seconds']:.0f} s")


def trained_tables(section, bench, pdk, train):
    """Trained networks beside the drawn ones; gives ngspice's split of the narrowest."""
    make_features(bench)
    quick = {"training.steps": 60} if bench.quick else {}
    speech = {"data.folder": str(bench.speech), **quick}
    train(bench, "core", {**speech, "model.width": 4, **CORE})
    train(bench, "wide", {**speech, **WIDE, **quick})
    train(bench, "huge", {**speech, "model.width": 64, "training.steps": 60})
    result, _ = bench.run("power", "core.safetensors", "wide.safetensors", "huge.safetensors", "--input", "test10.npy",
                          "--clips", "0" if bench.quick else CLIPS, "--simulate-up-to", LARGEST_SIMULATED, "--pdk", pdk,
                          "--calibrate", "curves")
    section.lines += ["", f"Trained on Speech Commands (d = 64: 60 steps alone), test clips {CLIPS}, total = cells + feedforward; energy by "
                          "ngspice where it ran:"]
    section.table("model", "d", "by the model", "at rest", "ngspice", "at rest", "bits that differ", "energy a frame", "a decision")
    for network in result["networks"]:
        measured = ([split_text(network["spice_nw"]), split_text(network["spice_rest_nw"]), percent(network["state_mismatch"])]
                    if "spice_nw" in network else ["", "", ""])
        section.row(network["model"], network["dim"], split_text(network["model_nw"]), split_text(network["rest_nw"]), *measured,
                    f"{1e9 * network['energy_per_frame_j']:.2f} nJ", f"{1e9 * network['energy_per_decision_j']:.0f} nJ")
    scaling = result["networks_model_scaling"]
    section.lines += ["", f"Over these widths, by the model (trainings differ, so three points are no law): cells d^{scaling['exponent_cells']:.2f}, "
                          f"feedforward d^{scaling['exponent_feedforward']:.2f}; intervals of the clips:"]
    local_table(section, scaling["local"])
    narrow = result["networks"][0]
    section.lines += ["", f"{narrow['model']} by block in ngspice, mean over the clips, and the least and most of its frames:"]
    section.table("block", "part", "listening", "frames of the first clip", "at rest")
    first = narrow["over_time_nw"]["listening"][0]
    for block, frames in zip(narrow["blocks"], first["blocks"]):
        section.row(block["block"], block["part"], f"{block['listening_nw']:.2f} nW", f"{min(frames):.2f} to {max(frames):.2f} nW",
                    f"{block['rest_nw']:.2f} nW")
    section.row("all", "", f"{narrow['spice_nw']['total']:.2f} nW", f"{min(first['total']):.2f} to {max(first['total']):.2f} nW",
                f"{narrow['spice_rest_nw']['total']:.2f} nW")
    return narrow


def fill_power_section(section, bench, train):
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    dims = "4,8" if bench.quick else "4,8,16"
    result, _ = bench.run("power", "--pdk", pdk, "--dims", dims, "--model-dims", "32,64,128,256,512,1024", "--calibrate", "curves", "-o", f"power-{pdk}")
    trained = type(section)("", "")
    narrow = trained_tables(trained, bench, pdk, train) if bench.speech is not None else None
    section.targets()
    for label, name, wanted, allowed in (("cells", "exponent_cells", 1.0, 0.05), ("d x d legs", "exponent_feedforward", 2.0, 0.1)):
        section.target(f"{pdk}: exponent of the {label} by the power model, d = 4 to 1,024", f"{wanted:.2f} ± {allowed:.2f}", with_interval(result, name),
                       abs(result[name] - wanted) <= allowed)
    large = result["exponent_feedforward_large"]
    section.target(f"{pdk}: exponent of the whole feedforward part by the power model, d = 256 to 1,024", "at least 1.9", f"{large:.3f}", large >= 1.9)
    error = result["worst_model_error_same_bits"]
    section.target(f"{pdk}: the model of the circuit's bits against ngspice, d = {dims}", "within 5 %", percent(error), error <= 0.05)
    if narrow:
        d, total, cells, feedforward = PUBLISHED
        measured = narrow["spice_nw"]
        section.target(f"{pdk}, d = {d}, trained: power without what makes the unit current (published: {total} nW = {cells} cells + {feedforward} feedforward)",
                       f"at most {total} nW", split_text(measured), measured["total"] <= total)
    drawn_tables(section, result)
    section.lines += trained.lines[3:]


def fill_wide_power_section(section, bench, dim):
    """One width that ngspice takes long for: clips of one frame."""
    pdk = "generic180" if bench.pdk_root is None else "gf180mcu"
    dim = dim // 8 if bench.quick else dim
    result, _ = bench.run("power", "--pdk", pdk, "--dims", dim, "--model-dims", "128,256", "--frames", 1, "--time-limit", 20000, "--calibrate", "curves",
                          "-o", f"power-wide-{pdk}", accepted=(0, 4))
    for point in result["points"]:
        if "error" in point:
            section.lines += ["", f"d = {point['dim']} failed: {point['error']}"]
    section.targets()
    error = result["worst_model_error_same_bits"]
    settled = result["worst_model_error_settled"]
    section.target(f"{pdk}: the model of the circuit's bits against ngspice, d = {dim}, the last tenth of a clip of one frame", "within 5 %",
                   "none" if settled is None else percent(settled), settled is not None and settled <= 0.05)
    if error is not None:
        section.lines += ["", f"Over the whole frame, in which every rail starts and cells switch, the model is {percent(error)} from ngspice; with the bits that software has, "
                              f"{percent(result['worst_model_error'])}; at rest, given the bits that the circuit held, {percent(result['worst_model_error_at_rest'])}."]
    simulated_table(section, result)
