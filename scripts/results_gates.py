"""The section `gates` of scripts/results.py."""

TWO_INPUTS = ("and", "or", "nand", "nor", "xor", "xnor", "latch")
STATIC_LIMIT = 3e-9


def si(value, unit, factor, digits=3):
    return "" if value is None else f"{factor * value:.{digits}g} {unit}"


def share(points):
    return f"{points['right']} of {points['points']}"


def wrong_places(gates, field):
    """Circuit and place of every point that is not right."""
    return "; ".join(f"{gate['name']}: {', '.join(' '.join(str(value) for key, value in place.items() if key not in ('wrong', 'first_wrong', 'error')) for place in gate[field]['not_right'])}"
                     for gate in gates if gate[field]["not_right"])


def fill_gates_section(section, bench):
    pdks = ["generic180"] + ([] if bench.pdk_root is None else ["gf180mcu"])
    dies = 5 if bench.quick else 200
    results = {}
    for pdk in pdks:
        more = [] if bench.quick else ["--corners"]
        more += ["--dies", dies] if pdk == pdks[-1] else []
        results[pdk], _ = bench.run("gates", "--all", "--pdk", pdk, "--fastest", "--margins", "--hold", 3600, *more, "--output", f"gates-{pdk}",
                                    accepted=(0, 4, 5))
    section.targets()
    for pdk, result in results.items():
        gates = result["gates"]
        readings = sum(spacing["readings"] for gate in gates for spacing in gate["spacings"])
        wrong = sum(spacing["wrong"] for gate in gates for spacing in gate["spacings"])
        section.target(f"{pdk}, typical: every combination and order, spikes of a word a period, a spike, half a spike and nothing apart (of latches a period and a spike): levels that are wrong", "0", f"{wrong} of {readings}", wrong == 0)
        if "corners" in gates[0]:
            right = sum(gate["corners"]["right"] for gate in gates)
            points = sum(gate["corners"]["points"] for gate in gates)
            section.target(f"{pdk}, 45 corners: circuits that are right in every combination and order", f"{points} of {points}", f"{right} of {points}", right == points)
        most = max((gate for gate in gates if gate["name"] in TWO_INPUTS), key=lambda gate: gate["static_power_w"]["most"])
        power = most["static_power_w"]["most"]
        section.target(f"{pdk}: static power of a two-input gate at 100 pA, the worst state of the worst gate", "3 nW", f"{si(power, 'nW', 1e9)} ({most['name']})", power <= STATIC_LIMIT)
    adder = next(gate for gate in results[pdks[-1]]["gates"] if gate["name"] == "full_adder")
    low, high = adder["dies"]["ci95"]
    section.target(f"full adder over {dies} dies of {pdks[-1]}", "99 %", f"{100 * adder['dies']['yield']:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)", adder["dies"]["yield"] >= 0.99)
    for pdk, result in results.items():
        gates = result["gates"]
        section.lines += ["", f"{pdk}, a spike every {1e3 * result['period_s']:g} ms. Energy is all that one operation draws, static power included; margins are those of a line at "
                              "rest and of a decision; held: states that are right after one simulated hour without a spike, at the typical corner and in ff, 1.1 of the supply, 85 °C; the least spacing is that at a spike every "
                              f"{1e3 * result['period_s']:g} ms, and both at once what works together, each made longer by a tenth from step to step."]
        section.table("circuit", "transistors", "spikes", "energy", "static, mean", "static, most", "highest rate", "least spacing", "both at once", "energy then", "line margin",
                      "decision margin", "held", "corners", "static, worst corner", "highest low, corners", "dies")
        for gate in gates:
            power, fast, margin = gate["static_power_w"], gate["fastest"], gate["noise_margin"]
            section.row(f"`{gate['name']}`", gate["transistors"], gate["spikes"], si(gate["energy_j"], "pJ", 1e12), si(power["mean"], "nW", 1e9),
                        si(power["most"], "nW", 1e9), si(fast["rate_hz"], "Hz", 1), si(fast["spacing_s"], "ms", 1e3), f'{si(fast["together_rate_hz"], "Hz", 1)}{si(fast["together_spacing_s"], "ms", 1e3) and ", "}{si(fast["together_spacing_s"], "ms", 1e3)}', si(fast["together_energy_j"], "pJ", 1e12),
                        si(margin["line"]["current_a"], "pA", 1e12), si(margin["decision"]["current_a"], "pA", 1e12), share(gate["hold"]),
                        share(gate["corners"]) if "corners" in gate else "", si(gate["corners"]["most_static_w"], "nW", 1e9) if "corners" in gate else "",
                        si(gate["corners"]["highest_low_a"], "pA", 1e12) if "corners" in gate else "", share(gate["dies"]) if "dies" in gate else "")
        for field, what in (("corners", "Corners"), ("dies", "Dies")):
            places = wrong_places([gate for gate in gates if field in gate], field)
            if places:
                section.lines += ["", f"{what} that are not right: {places}."]
