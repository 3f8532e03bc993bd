"""What the program is held against: another program's network, chips with hidden errors, searches that are killed."""
import concurrent.futures
import math
import os
import random
import subprocess
import time

from results_inputs import read_model, write_model, write_npy

SIGMA = 0.1 / 3  # of every parameter of a chip: 10 % at three deviations
LOST = 0.05  # balanced accuracy that a chip must lose to count
MOST_SEEDS = 2000


class Network:
    """A random network of the hardware backbone and its equations, in double precision, without this project's code."""

    def __init__(self, generator, inputs, width, layers, labels):
        self.generator, self.width, self.layers, self.labels = generator, width, layers, labels
        self.tensors = {}
        self.affine("input", width, inputs, -0.2, 0.2)
        for i in range(layers):
            lower = self.uniform(0.2, 0.5)
            self.affine(f"layers.{i}.candidate", width, width, 0, 0.3)
            upper = [low + more for low, more in zip(lower, self.uniform(0.2, 0.5))]
            self.tensors |= {f"layers.{i}.beta_lo": lower, f"layers.{i}.beta_hi": upper,
                             f"layers.{i}.alpha": self.uniform(0.5, 1.5), f"layers.{i}.initial_state": [0.0] * width}
            self.affine(f"layers.{i}.output", width, width, -0.2, 0.2)
        self.affine("readout", labels, width, -0.2, 0.2)

    def uniform(self, low, high, size=None):
        return [self.generator.uniform(low, high) for _ in range(size or self.width)]

    def affine(self, name, rows, columns, low, high):
        self.tensors[f"{name}.weight"] = [[self.generator.gauss(0, 0.7) for _ in range(columns)] for _ in range(rows)]
        self.tensors[f"{name}.bias"] = self.uniform(low, high, rows)

    def apply(self, name, values):
        return [bias + sum(w * v for w, v in zip(row, values))
                for row, bias in zip(self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])]

    def decide(self, clip):
        """The majority of the frames' decisions."""
        def relu(values):
            return [max(value, 0.0) for value in values]
        states = [[0.0] * self.width for _ in range(self.layers)]
        votes = [0] * self.labels
        for frame in clip:
            value = self.apply("input", frame)
            for i in range(self.layers):
                candidates = relu(self.apply(f"layers.{i}.candidate", relu(value)))
                low, high, alpha = (self.tensors[f"layers.{i}.{name}"] for name in ("beta_lo", "beta_hi", "alpha"))
                states[i] = [a if c >= h else 0.0 if c < lo else state
                             for a, c, h, lo, state in zip(alpha, candidates, high, low, states[i])]
                value = [o + v for o, v in zip(relu(self.apply(f"layers.{i}.output", states[i])), value)]
            logits = self.apply("readout", value)
            votes[logits.index(max(logits))] += 1
        return votes.index(max(votes))


def with_shape(values):
    return ([len(values), len(values[0])], sum(values, [])) if isinstance(values[0], list) else ([len(values)], values)


class Chips:
    """Functions of the vocabulary that make chips, and run the program on them."""

    def __init__(self, bench):
        self.bench, self.work = bench, bench.work

    def foreign_model(self, model, features):
        """Writes a random network, its tensors in reverse order, and clips; gives the decisions of its equations."""
        generator, labels = random.Random(7), '["yes", "no", "maybe"]'
        network = Network(generator, 3, 4, 2, 3)
        clips = [[[generator.gauss(0, 1) for _ in range(3)] for _ in range(20)] for _ in range(6)]
        metadata = {"author": "another program", "hysteron.format": "1", "hysteron.cell": "fq_bmru",
                    "hysteron.labels": labels, "hysteron.frame_seconds": "0.01"}
        tensors = {name: with_shape(values) for name, values in reversed(network.tensors.items())}
        write_model(self.work / model, tensors, metadata, multiple=64)
        write_npy(self.work / features, (6, 20, 3), [x for clip in clips for frame in clip for x in frame])
        return [network.decide(clip) for clip in clips]

    def build_chip(self, model, seed, name):
        """The model as chip `seed` makes it: its errors are those of the seed alone; chip 0 has none."""
        tensors, metadata = read_model(self.work / model)

        def errors_of(key):
            generator = random.Random(f"chip/{seed}/{key}")
            exact = seed == 0 or key.endswith(".initial_state")
            return [0.0 if exact else SIGMA * generator.gauss(0, 1) for _ in tensors[key][1]]
        chip = {key: (shape, [value * (1 + error) for value, error in zip(values, errors_of(key))])
                for key, (shape, values) in tensors.items()}
        for key in tensors:
            if key.endswith(".beta_hi"):  # a circuit sets beta_hi and the width
                lower = key.replace(".beta_hi", ".beta_lo")
                rows = zip(chip[key][1], tensors[key][1], tensors[lower][1], errors_of(lower))
                chip[lower] = (tensors[lower][0], [max(0.0, high - (old_high - old_low) * (1 + error))
                                                   for high, old_high, old_low, error in rows])
        write_model(self.work / name, chip, metadata)
        return name

    def score(self, model, split="test", *flags):
        return self.bench.run(["eval", model, "--data", self.bench.speech, "--split", split, *flags])

    def find_chips(self, model, count):
        """Seeds of the first chips that lose enough of the test clips and of the validation clips (either alone picks
        chips that were unlucky with those clips), and how many were looked at."""
        clean = {split: self.score(model, split)["balanced_accuracy"] for split in ("test", "validation")}
        chips = []
        for seed in range(1, MOST_SEEDS):
            chip = self.build_chip(model, seed, "chip.safetensors")
            if self.bench.quick or all(before - self.score(chip, split)["balanced_accuracy"] >= LOST
                                       for split, before in clean.items()):
                chips.append(seed)
            if len(chips) == count:
                break
        return {"seeds": chips, "looked_at": seed}

    def play_all(self, jobs, stimulus, flags):
        """Waveforms of circuits (model, name, its flags) under a stimulus in ngspice, as many at a time as there are
        cores, unless the same program made them of the same files before."""
        def play(job):
            model, name, own = job
            told = [(self.work / file).read_bytes() for file in (model, stimulus)]
            known = self.bench.digest(repr((told, flags, own, self.bench.identity)).encode())
            waveforms = f"{name}-{known}.safetensors"
            if not (self.work / waveforms).exists():
                self.bench.run(["run", model, "--input", stimulus, *flags, "--engine", "spice", "--jobs", 1, *own,
                                "--time-limit", 20000, "--waveforms", waveforms])
            return waveforms
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return list(pool.map(play, jobs))

    def constant_errors(self, model, chip, measured, drawn):
        """What was found of a chip less what it was given, over the deviation of each: `alone`, thresholds that ramps
        showed, by themselves; `thresholds` and `gains` as differences from the circuit as drawn, same stimulus."""
        nominal, hidden = read_model(self.work / model)[0], read_model(self.work / chip)[0]
        reference = {(cell["layer"], cell["cell"]): cell for cell in drawn["cells"]}
        errors = {"alone": [], "thresholds": [], "gains": []}
        for cell in measured["cells"]:
            place, before = (cell["layer"], cell["cell"]), reference[cell["layer"], cell["cell"]]
            drawn_at, made_at = ({name: tensors[f"layers.{place[0]}.{name}"][1][place[1]]
                                  for name in ("beta_hi", "beta_lo", "alpha")} for tensors in (nominal, hidden))
            width = drawn_at["beta_hi"] - drawn_at["beta_lo"]
            for what, name, scale in (("rise", "beta_hi", drawn_at["beta_hi"]), ("high", "alpha", drawn_at["alpha"]),
                                      ("fall", "beta_lo", math.hypot(drawn_at["beta_hi"], width))):
                found, known, gain = cell[what]["value"], before[what]["value"], what == "high"
                if None not in (found, known) and (gain or (cell[what + "s"] and before[what + "s"])):
                    off = found - known - (made_at[name] - drawn_at[name])
                    errors["gains" if gain else "thresholds"].append(off / (SIGMA * scale))
                    errors["alone"] += [] if gain else [(found - made_at[name]) / (SIGMA * scale)]
        return errors

    def trace(self, model, clips, *flags):
        """Candidates and bits of every frame, and what is decided."""
        result = self.bench.run(["run", model, "--input", clips, "--output", "trace.safetensors", *flags])
        tensors, parameters = read_model(self.work / "trace.safetensors")[0], read_model(self.work / model)[0]
        (_, layers, frames, cells), states = tensors["states"]
        alphas = [parameters[f"layers.{layer}.alpha"][1] for layer in range(layers)]
        bits = [state > alphas[i // (frames * cells) % layers][i % cells] / 2 for i, state in enumerate(states)]
        return {"candidates": tensors["candidates"][1], "bits": bits, "decisions": result["decisions"]}

    def killed_searches(self, text, count):
        """How many of `count` searches, each killed once at random and resumed, end in the bytes of one that was not,
        and after how many points they were killed."""
        def start(folder):
            self.bench.remove(folder)
            (self.work / f"{folder}.toml").write_text(f'folder = "{folder}"\n{text}\n')

        def results(folder):
            return [(self.work / folder / name).read_bytes() for name in ("points.jsonl", "pareto.md")]

        start("undisturbed")
        seconds = self.bench.run(["explore", "undisturbed.toml"])["wall_seconds"]
        generator = random.Random(1)
        same, finished = 0, []
        for _ in range(count):
            start("killed")
            command = [self.bench.program, "explore", "killed.toml"]
            with subprocess.Popen(command, cwd=self.work, env=self.bench.environment(), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                time.sleep(generator.uniform(0.05, 0.95) * seconds)
                process.kill()
            finished.append(len(list((self.work / "killed").glob("points/*.json"))))
            self.bench.run(["explore", "killed.toml"])
            same += results("killed") == results("undisturbed")
        return {"same": same, "finished": finished}
