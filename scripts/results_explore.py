"""The section `explore` of scripts/results.py: a search over designs, what it found, and searches that were killed."""
import random
import shutil
import subprocess
import time

MINUTES = 30
CORES = 2
POINTS = 200
KILLS = 20
CLIPS = 10  # those of the demo
SHARE = 3  # of the default's power
AGREEING = 0.97  # frames, as of the demo
MOST_PICKED = 5

SPACE = """folder = "search"
[search]
points = {points}
population = 20
objectives = ["accuracy", "power", "yield"]
[variables]
d = [4, 16]
unit_current = {{choices = ["330p", "400p", "500p", "1n"]}}
supply = {{choices = [1.5, 1.8]}}
sparsity = [0.0, 0.4]
bits = {{choices = [0, 6, 8]}}
circuit.power_weight = {{low = 1e-4, high = 1e-2, scale = "log"}}
training.learning_rate = {{low = 1e-3, high = 1e-2, scale = "log"}}
[training]
steps = {steps}
restarts = 1
"""

SMALL = """folder = "{folder}"
[search]
points = 24
population = 8
dies = 4
die_clips = 8
[variables]
d = [3, 6]
sparsity = [0.0, 0.3]
training.learning_rate = {{low = 1e-3, high = 1e-2, scale = "log"}}
[training]
steps = 120
restarts = 1
"""


def nano(value):
    return f"{value:.1f} nW"


def percent(value):
    return f"{100 * value:.2f} %"


def killed_searches(bench, count):
    """How many of `count` searches, each killed once at random and resumed, end in the bytes of one that was not; and after
    how many points they were killed."""
    def start(folder):
        shutil.rmtree(bench.work / folder, ignore_errors=True)
        (bench.work / f"{folder}.toml").write_text(SMALL.format(folder=folder))

    def results(folder):
        return [(bench.work / folder / name).read_bytes() for name in ("points.jsonl", "pareto.md")]

    start("undisturbed")
    _, seconds = bench.run("explore", "undisturbed.toml")
    generator = random.Random(1)
    same, finished = 0, []
    for _ in range(count):
        start("killed")
        process = subprocess.Popen([bench.program, "explore", "killed.toml"], cwd=bench.work, env=bench.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(generator.uniform(0.05, 0.95) * seconds)
        process.kill()
        process.wait()
        finished.append(len(list((bench.work / "killed").glob("points/*.json"))))
        bench.run("explore", "killed.toml")
        same += results("killed") == results("undisturbed")
    return same, finished


def candidates(points, accuracy, power):
    """Those that promise as much accuracy at as little power, the most accurate first; the test clips have no say in the order."""
    fitting = [point for point in points if point["accuracy"] >= accuracy and 1e9 * point["power_w"] <= power]
    return sorted(fitting, key=lambda point: (-point["accuracy"], -point["yield"], point["power_w"]))


def fill_explore_section(section, bench):
    demo = bench.demo()
    scores = {split: bench.run("eval", demo / "model.safetensors", "--data", "espeak", "--split", split)[0]["accuracy"] for split in ("validation", "test")}
    default, _ = bench.run("verify", demo / "model.safetensors", "--input", demo / "test.npy")
    power = default["power_nw"]["total"]

    shutil.rmtree(bench.work / "search", ignore_errors=True)
    text = SPACE.format(points=6 if bench.quick else POINTS, steps=60 if bench.quick else 1500)
    (bench.work / "space.toml").write_text(text)
    search, seconds = bench.run("explore", "space.toml", "--jobs", CORES)
    wanted = 6 if bench.quick else POINTS
    section.targets()
    section.target(f"d = 4 to 16, behavioural engine, two cores: points evaluated in {MINUTES} minutes", wanted,
                   f"{search['points']} in {seconds / 60:.1f} minutes, {search['failed']} of them no circuits", search["points"] >= wanted and seconds <= 60 * MINUTES)

    tried = []
    fitting = candidates(search["pareto"], scores["validation"], power / SHARE)
    for point in fitting[:MOST_PICKED]:
        picked, _ = bench.run("explore", "space.toml", "--pick", point["index"], "--output", f"picked-{point['index']}", "--clips", CLIPS,
                              accepted=(0, 4, 5))
        right = (point["test_accuracy"] >= scores["test"] and picked["decision_agreement"] == 1 and picked["frame_agreement"] >= AGREEING
                 and picked["power_nw"]["total"] <= power / SHARE)
        tried.append((point, picked, right))
        if right:
            break
    found = next(((point, picked) for point, picked, right in tried if right), None)
    measured = "none"
    if found:
        point, picked = found
        measured = (f"point {point['index']}: {percent(point['test_accuracy'])} of the test clips, {nano(picked['power_nw']['total'])} in ngspice, "
                    f"{round(picked['decision_agreement'] * picked['clips'])} of {picked['clips']} decisions, frame agreement {picked['frame_agreement']:.4f}")
    section.target(f"a point with the accuracy of the d = 4 default and a third of its power, signed off in ngspice (all decisions of {CLIPS} clips, {AGREEING} of the frames)",
                   f"at least {percent(scores['test'])}, at most {nano(power / SHARE)}", measured, found is not None)
    count = 2 if bench.quick else KILLS
    same, finished = killed_searches(bench, count)
    section.target(f"searches of 24 points killed at random and resumed: same points and table as undisturbed", f"{count} of {count}",
                   f"{same} of {count} (killed after {min(finished)} to {max(finished)} points)", same == count)

    section.lines += ["", f"The default is the demo's network: {percent(scores['validation'])} of the validation clips, {percent(scores['test'])} of the test clips, {nano(power)} "
                          f"in ngspice on its {default['clips']} held-out clips, which every picked point plays too. Points are picked from the table below in the order of "
                          "validation accuracy, then yield, then power, in which the test clips have no say, until one is signed off: its circuit's accuracy on the "
                          f"test clips is part of that. {len(tried)} of {len(fitting)} such points {'was' if len(tried) == 1 else 'were'} tried."]
    section.table("picked", "test clips right: software", "nominal circuit", "power expected", "in ngspice", "decisions", "frame agreement", "state mismatch",
                  "99 of 100 logits settle within", "settling estimated", "")
    for point, picked, right in tried:
        logits = picked["settling_seconds"]["logits"]
        section.row(point["index"], percent(point["software_test_accuracy"]), percent(point["test_accuracy"]), nano(1e9 * point["power_w"]), nano(picked["power_nw"]["total"]),
                    f"{round(picked['decision_agreement'] * picked['clips'])} of {picked['clips']}", f"{picked['frame_agreement']:.4f}", f"{picked['state_mismatch']:.4f}",
                    f"{1e3 * logits['p99']:.2f} ms (median {1e3 * logits['median']:.2f} ms)", f"{1e3 * point['settling_s']:.2f} ms",
                    "signed off" if right else "not signed off")
    section.lines += ["", "The space:", "", "```toml", *text.strip().splitlines(), "```", "", f"The {len(search['pareto'])} points of {search['points']} that no other beats:", "",
                      *(bench.work / "search" / "pareto.md").read_text().strip().splitlines()]
