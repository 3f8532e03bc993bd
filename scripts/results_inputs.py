"""What the sections of docs/results.md feed the program: models, features, configurations, technologies."""
import csv
import json
import random
import re
import struct

CLASSES = ("yes", "no", "up", "down", "left", "right", "_silence_")


def read_model(path):
    """Tensors {name: (shape, values)} and metadata of a safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = (entry["shape"], list(struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])))
    return tensors, metadata


def write_model(path, tensors, metadata, multiple=1):
    """A safetensors file, its header padded to a multiple of so many bytes."""
    header, body = {}, b""
    for name, (shape, values) in tensors.items():
        data = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps({**header, "__metadata__": metadata}).encode()
    text += b" " * (-len(text) % multiple)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def write_npy(path, shape, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{len(values)}f", *values))


class Inputs:
    """Functions of the vocabulary that make files in the work folder, and read those that the program wrote there."""

    def __init__(self, bench):
        self.bench, self.work = bench, bench.work

    def train(self, name, keys):
        """Trains NAME.safetensors by the configuration NAME.toml, unless the same program did so before."""
        keys = {**keys, "model.output": f"{name}.safetensors"}
        text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())  # which is TOML too
        config, record = self.work / f"{name}.toml", self.work / f"{name}.trained.json"
        known = json.loads(record.read_text()) if record.exists() else {}
        files = [(self.work / keys[key]).read_bytes() for key in ("model.start", "circuit.die") if key in keys]
        made_by = [text, self.bench.identity, self.bench.digest(b"".join(files))]
        if known.get("made_by") != made_by or not (self.work / f"{name}.safetensors").exists():
            config.write_text(text)
            known = {"made_by": made_by, "result": self.bench.run(["train", config.name])}
            record.write_text(json.dumps(known))
        return known["result"]

    def load(self, file):
        """The JSON object, or the rows of the CSV table, in a file."""
        with open(self.work / file, newline="") as stream:
            if not file.endswith(".csv"):
                return json.load(stream)
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]

    def read(self, file):
        return (self.work / file).read_text().strip()

    def write(self, file, text):
        (self.work / file).write_text(text + "\n")
        return text

    def template(self, file, **values):
        """The text of a file beside the templates, with words in it replaced."""
        text = (self.bench.templates / file).read_text().strip()
        for word, value in values.items():
            text = text.replace(word, str(value))
        return text

    def training_of(self, model):
        """The keys of the configuration that a model was trained by."""
        _, metadata = read_model(self.work / model)
        config = json.loads(metadata["hysteron.training"])["config"]
        classes = {f"classes.{json.dumps(label)}": folders for label, folders in config.pop("classes").items()}
        return {**config, **classes}

    def tensor(self, model, ending):
        """The values of the tensors of a model whose names end so."""
        tensors, _ = read_model(self.work / model)
        return [value for name, (_, values) in tensors.items() if name.endswith(ending) for value in values]

    def change(self, model, output, name, index, value):
        """Copies a model with one value changed."""
        tensors, metadata = read_model(self.work / model)
        tensors[name][1][index] = value
        write_model(self.work / output, tensors, metadata)

    def repeat_clip(self, features, output, count):
        """The first clip of a file of features so many times."""
        data = (self.work / features).read_bytes()
        (length,) = struct.unpack_from("<H", data, 8)
        _, frames, inputs = map(int, re.search(r"\((\d+), (\d+), (\d+)\)", data[10:10 + length].decode()).groups())
        clip = struct.unpack_from(f"<{frames * inputs}f", data, 10 + length)
        write_npy(self.work / output, (count, frames, inputs), clip * count)

    def variant(self, technology, name, changes):
        """A technology's description with other values (TOML), beside the models."""
        text = (self.bench.root / "technologies" / f"{technology}.toml").read_text()
        for key, value in {**changes, "name": f'"{technology}-{name}"'}.items():
            text, found = re.subn(rf"^{key} = .*$", lambda _: f"{key} = {value}", text, flags=re.MULTILINE)
            if not found:
                raise ValueError(f"no {key} in {technology}.toml")
        self.write(f"{technology}-{name}.toml", text)
        return f"{technology}-{name}.toml"

    def clips(self):
        """Audio files of Speech Commands: 40 of the test split, 10 of those, and all of training.

        Settings of training were chosen looking at two draws of 40, so what is measured is a third from the others."""
        speech = self.bench.speech
        testing, validation = ((speech / f"{name}_list.txt").read_text().split() for name in ("testing", "validation"))

        def split(belongs):
            return {label: [file for file in sorted((speech / label).glob("*.wav")) if belongs(f"{label}/{file.name}")]
                    for label in CLASSES}
        fresh = split(set(testing).__contains__)
        for generator in map(random.Random, (40, 41, 42)):
            drawn = {label: generator.sample(fresh[label], 10 if label == "yes" else 5) for label in CLASSES}
            fresh = {label: [clip for clip in fresh[label] if clip not in drawn[label]] for label in CLASSES}
        few = [clip for label in CLASSES for clip in drawn[label][:4 if label == "yes" else 1]]
        heard = {*testing, *validation}
        training = sum(split(lambda name: name not in heard).values(), [])
        test = sum(drawn.values(), [])
        if self.bench.quick:
            test, few, training = test[::10], few[:2], training[::40]
        return {"test": test, "few": few, "training": training}
