#!/usr/bin/env python3
"""Tests of scripts/results.py, against a program that prints what a test tells it to. Takes seconds; no arguments."""
import ast
import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import results  # noqa: E402
from results_template import DASH, Expression, Filler, Template, TemplateError, look_up  # noqa: E402
from results_vocabulary import VOCABULARY, si, span, spread  # noqa: E402

COMMANDS = {"features", "train", "eval", "cell", "compare", "compile", "corners", "demo", "explore", "extract", "gates",
            "hazards", "montecarlo", "noise", "power", "run", "study", "sweep", "verify"}
STUDIES = {"cell", "quadrant", "accumulation"}

# Prints the object of printed.json that has the name of the command, and logs the command line.
PROGRAM = """#!/usr/bin/env python3
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "log").open("a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
printed = json.loads((here / "printed.json").read_text())[sys.argv[1]]
print(json.dumps(printed["object"]))
sys.exit(printed.get("code", 0))
"""

SECTION = """## Agreement

%# Both technologies.
% for name in ["generic180", "gf180mcu"]
% run results[name] = verify model.safetensors --pdk {{ name }}
    --clips {{ [0, "a b"] }}
% end
% set one = results["generic180"]

% table what | target | measured |
% for name, result in items(results)
% target {{ name }}: frame agreement
    | at least 0.97
    | {{ result.frame_agreement:.4f }}
    | result.frame_agreement >= 0.97
% end

% table clip | margin | {{ one.cells.name }}
% for clip in one.per_clip
| {{ clip.clip }} | {{ si(clip.margin, "pA", ".1f") }} | {{ one.cells.power_w:.2g }} |
% end
Mean {{ mean(one.per_clip.margin) * 1e12:.2f }}.
"""

RESULT = {"frame_agreement": 0.98, "cells": [{"name": "a", "power_w": 1e-9}, {"name": "b", "power_w": None}],
          "per_clip": [{"clip": 0, "margin": 1e-12}, {"clip": 1, "margin": 2e-12}, {"clip": 2, "margin": None}]}


class MadeUp(dict):
    """A figure that has every key and is a number, a text and a list of two, whatever a template takes it for."""

    def __getitem__(self, key):
        return [MadeUp(), MadeUp()][key] if isinstance(key, slice) else MadeUp()

    def __contains__(self, key):
        return True

    def __iter__(self):
        return iter((MadeUp(), MadeUp()))

    def __len__(self):
        return 2

    def __hash__(self):
        return 1

    def __index__(self):
        return 1

    def __float__(self):
        return 0.5

    def __round__(self, digits=None):
        return 1

    def __str__(self):
        return "made up"

    def __format__(self, spec):
        return format(0.5, spec) if spec else "made up"

    def get(self, key, other=None):
        return MadeUp()

    def items(self):
        return [("a", MadeUp()), ("b", MadeUp())]

    def values(self):
        return [MadeUp(), MadeUp()]


for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(MadeUp, f"__{_name}__", lambda self, other: MadeUp())
    setattr(MadeUp, f"__r{_name}__", lambda self, other: MadeUp())
for _name in ("lt", "le", "gt", "ge", "eq"):
    setattr(MadeUp, f"__{_name}__", lambda self, other: True)
for _name in ("neg", "abs"):
    setattr(MadeUp, f"__{_name}__", lambda self: MadeUp())


class MadeUpGroups(dict):
    """What `group` makes of made-up rows."""

    def __contains__(self, key):
        return True

    def __missing__(self, key):
        return [MadeUp()]


class FakeProgram:
    """A folder with a program, templates and the document that they fill."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.program, self.output = self.folder / "hysteron", self.folder / "results.md"
        self.templates = self.folder / "templates"
        self.templates.mkdir()
        self.program.write_text(PROGRAM)
        self.program.chmod(0o755)
        self.prints(verify=RESULT)

    def prints(self, code=0, **objects):
        printed = {name: {"object": value, "code": code} for name, value in objects.items()}
        (self.folder / "printed.json").write_text(json.dumps(printed))

    def template(self, name, text):
        (self.templates / f"{name}.md").write_text(text)

    def commands(self):
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []

    def fill(self, *sections):
        """Exit code and error text of scripts/results.py."""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            try:
                code = results.main(["--program", str(self.program), "--output", str(self.output), *sections],
                                    self.templates, self.folder)
            except SystemExit as end:
                code = end.code
        return code, errors.getvalue()


class WithProgram(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.fake = FakeProgram(folder.name)


class SectionTest(WithProgram):
    def test_a_section_has_its_rows_and_says_commit_date_and_machine(self):
        self.fake.template("agreement", SECTION)
        code, _ = self.fake.fill("agreement")
        self.assertEqual(code, 0)
        lines = self.fake.output.read_text().splitlines()
        begin = lines.index("<!-- agreement: begin -->")
        self.assertEqual(lines[begin + 1], "## Agreement")
        self.assertRegex(lines[begin + 3],
                         r"^Commit .+, \d{4}-\d\d-\d\d, \d+ cores of .+: `scripts/results.py agreement`\.$")
        self.assertIn("| generic180: frame agreement | at least 0.97 | 0.9800 | met |", lines)
        self.assertIn("| gf180mcu: frame agreement | at least 0.97 | 0.9800 | met |", lines)
        self.assertIn("| clip | margin | a | b |", lines)
        self.assertIn("|---|---|---|---|", lines)
        self.assertIn(f"| 0 | 1.0 pA | 1e-09 | {DASH} |", lines)
        self.assertIn(f"| 2 | {DASH} | 1e-09 | {DASH} |", lines)
        self.assertIn("Mean 1.50.", lines)
        self.assertEqual(lines[-1], "<!-- agreement: end -->")

    def test_commands_are_run_as_the_template_says(self):
        self.fake.template("agreement", SECTION)
        self.fake.fill("agreement")
        self.assertEqual(self.fake.commands(), [f"verify model.safetensors --pdk {name} --clips 0 a b --json"
                                                for name in ("generic180", "gf180mcu")])

    def test_a_missed_target_is_marked_named_and_makes_exit_code_5(self):
        self.fake.prints(verify={**RESULT, "frame_agreement": 0.9})
        self.fake.template("agreement", SECTION)
        code, errors = self.fake.fill("agreement")
        self.assertEqual(code, 5)
        self.assertIn("missed: gf180mcu: frame agreement", errors)
        row = "| gf180mcu: frame agreement | at least 0.97 | 0.9000 | **missed** |"
        self.assertIn(row, self.fake.output.read_text())

    def test_a_key_that_is_not_there_is_named_with_its_line(self):
        self.fake.template("broken", "## Broken\n% run result = verify\n{{ result.cells.volts }}\n")
        code, _ = self.fake.fill("broken")
        self.assertRegex(code, r"templates/broken\.md:3.*no key 'volts' in `result\.cells`.*power_w")
        self.assertFalse(self.fake.output.exists())

    def test_a_name_that_nothing_sets_is_named_before_anything_runs(self):
        self.fake.template("sound", SECTION)
        self.fake.template("broken", "## Broken\n% run result = verify\n{{ rseult.cells }}\n")
        code, _ = self.fake.fill("sound", "broken")
        self.assertRegex(code, r"templates/broken\.md:3: unknown name 'rseult'")
        self.assertEqual(self.fake.commands(), [])

    def test_an_unknown_section_is_refused(self):
        code, errors = self.fake.fill("nothing")
        self.assertEqual(code, 2)
        self.assertIn("unknown section nothing", errors)

    def test_measuring_one_section_again_replaces_that_one_alone(self):
        self.fake.template("one", "## One\n% run r = verify\nAgreement {{ r.frame_agreement }}.\n")
        self.fake.template("two", "## Two\n% run r = verify\nAgreement {{ r.frame_agreement }}.\n")
        self.fake.fill("one", "two")
        before = self.fake.output.read_text()
        self.fake.prints(verify={**RESULT, "frame_agreement": 0.5})
        self.fake.fill("one")
        after = self.fake.output.read_text()
        end = "<!-- one: end -->"
        self.assertIn("Agreement 0.5.", after[:after.index(end)])
        self.assertEqual(before[before.index(end):], after[after.index(end):])
        self.assertEqual(before[:before.index("<!-- one: begin")], after[:after.index("<!-- one: begin")])

    def test_an_exit_code_is_accepted_where_the_template_says(self):
        self.fake.prints(code=4, verify=RESULT)
        self.fake.template("strict", "## A\n% run r = verify\n")
        self.fake.template("lenient", "## A\n% run r (4) = verify\n")
        self.assertEqual(self.fake.fill("strict")[0], "hysteron verify exited with 4")
        self.assertEqual(self.fake.fill("lenient")[0], 0)

    def test_a_section_without_its_data_says_so(self):
        self.fake.template("speech", "## A\n% need None | there is no folder\n% run r = verify\n")
        self.assertEqual(self.fake.fill("speech")[0], 0)
        self.assertIn("Not measured: there is no folder.", self.fake.output.read_text())
        self.assertEqual(self.fake.commands(), [])

    def test_a_command_that_runs_once_is_shared_by_sections(self):
        for name in ("one", "two"):
            self.fake.template(name, "## A\n% run r (once) = verify\n{{ r.frame_agreement }}\n")
        self.fake.fill("one", "two")
        self.assertEqual(len(self.fake.commands()), 1)

    def test_a_training_is_taken_again_only_with_the_same_keys_and_program(self):
        bench = results.Bench(self.fake.program, False, self.fake.folder, self.fake.templates)
        train = bench.vocabulary["train"]
        self.fake.prints(train={"test_accuracy": 0.5})
        with contextlib.redirect_stderr(io.StringIO()):
            (bench.work / "a.safetensors").write_bytes(b"")
            train("a", {"training.steps": 5})
            self.assertEqual(train("a", {"training.steps": 5})["test_accuracy"], 0.5)
            self.assertEqual(len(self.fake.commands()), 1)
            train("a", {"training.steps": 6})
            self.assertEqual(len(self.fake.commands()), 2)
            bench.identity = ["another program"]
            train("a", {"training.steps": 6})
            self.assertEqual(len(self.fake.commands()), 3)
        self.assertEqual((bench.work / "a.toml").read_text(), 'training.steps = 6\nmodel.output = "a.safetensors"\n')


class CommitTest(unittest.TestCase):
    def test_the_commit_says_whether_files_but_the_documentation_changed(self):
        with tempfile.TemporaryDirectory() as folder:
            def git(*words):
                subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@a", *words], check=True,
                               capture_output=True)
            tree = pathlib.Path(folder)
            (tree / "docs").mkdir()
            (tree / "build").mkdir()
            for file in ("a.cpp", "docs/results.md"):
                (tree / file).write_text("a")
            git("init")
            git("add", ".")
            git("commit", "-m", "Begin")
            (tree / "docs/results.md").write_text("b")
            self.assertRegex(results.commit(tree / "build"), r"^`[0-9a-f]{7,}`$")
            (tree / "a.cpp").write_text("b")
            self.assertRegex(results.commit(tree / "build"), r"^`[0-9a-f]{7,}` with changes$")

    def test_a_program_outside_of_git_has_no_commit(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, GIT_CEILING_DIRECTORIES=folder):
            self.assertEqual(results.commit(pathlib.Path(folder)), "unknown")


class TemplateTest(unittest.TestCase):
    def fill(self, text, **names):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.md"
            path.write_text(text)
            return Filler(Template(path), {**VOCABULARY, **names}, None).text()

    def test_lines_of_conditions_and_loops(self):
        text = ["% for a, (b, c) in [(1, (2, 3))]", "% if a == 1", "{{ a + b + c }}", "% else", "no", "% end", "% end",
                "% if []", "no", "% else", "yes", "% end"]
        self.assertEqual(self.fill("\n".join(text)), "6\nyes")

    def test_a_defined_function_sees_what_is_set_later(self):
        self.assertEqual(self.fill("% define f(x) = x * n\n% set n = 3\n{{ f(2) }}\n"), "6")

    def test_a_fence_keeps_its_indents(self):
        self.assertEqual(self.fill("```\na\n  b\n```\n"), "```\na\n  b\n```")

    def test_malformed_templates_are_refused_with_their_line(self):
        for text, message in (("a\n% for x in y\n", "without % end"), ("% frobnicate\n", "a.md:1: cannot read"),
                              ("a\n% end\n", "a.md:2: % end without a beginning"), ("{{ 1 + }}\n", "cannot read `1 +`"),
                              ("% target a | b | 1\n", "cannot read"), ("% run r (6) = verify\n", "cannot read")):
            with self.assertRaisesRegex(TemplateError, re.escape(message), msg=text):
                self.fill(text)

    def test_expressions_reach_nothing_but_the_vocabulary(self):
        for text in ("(1).__class__", "open('/etc/passwd')", "__import__('os')", "'a'.join([])", "(lambda: 0)()",
                     "(x := 1)", "f'{mean.__globals__}'", "[].append(1)"):
            with self.assertRaises(TemplateError, msg=text):
                self.fill(f"{{{{ {text} }}}}\n")

    def test_a_key_of_a_list_is_the_key_of_its_elements(self):
        rows = [{"a": {"b": 1}}, {"a": {"b": 2}}]
        self.assertEqual(Expression("rows.a.b", "here").value({"rows": rows, "__key": look_up}), [1, 2])


class VocabularyTest(unittest.TestCase):
    def test_units_scale_what_they_show(self):
        rows = ((2e-9, "nW", ".3g", "2 nW"), (0.5, "%", ".1f", "50.0 %"), (3.0, "s", ".0f", "3 s"),
                (617, "Hz", ".3g", "617 Hz"), (1.5e-3, "ms", "g", "1.5 ms"), (None, "V", "g", DASH))
        for value, unit, form, text in rows:
            self.assertEqual(si(value, unit, form), text)

    def test_ranges(self):
        self.assertEqual(spread([0.1, 0.3]), "20.00 % (10.00 % to 30.00 %)")
        self.assertEqual(span([1e-9, 2e-9], "nA"), "1.00 to 2.00 nA")

    def test_the_line_of_least_relative_residuals_is_exact_for_a_line(self):
        fit = VOCABULARY["relative_fit"]([(x, 2 * x + 3) for x in (1, 10, 100)])
        self.assertAlmostEqual(fit["slope"], 2)
        self.assertAlmostEqual(fit["offset"], 3)
        self.assertAlmostEqual(fit["worst"], 0)


class SectionFilesTest(unittest.TestCase):
    """Every template of the project, with no program."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            fake = FakeProgram(folder)
            cls.vocabulary = results.Bench(fake.program, True, fake.folder).vocabulary
        files = (path for path in sorted(results.TEMPLATES.glob("*.md")) if path.stem != "README")
        cls.files = {path.stem: Template(path) for path in files}

    def test_there_is_a_template_for_every_section(self):
        self.assertEqual(set(self.files), set(results.SECTIONS))

    def test_the_document_has_every_section(self):
        there = re.findall(r"^<!-- (\S+): begin -->$", (ROOT / "docs" / "results.md").read_text(), re.MULTILINE)
        self.assertEqual(set(there), set(results.SECTIONS))

    def test_every_section_of_the_document_says_commit_and_date(self):
        document = (ROOT / "docs" / "results.md").read_text()
        for name, text in re.findall(r"<!-- (\S+): begin -->\n(.*?)<!-- \S+: end -->", document, re.DOTALL):
            self.assertRegex(text.splitlines()[2], r"[Cc]ommit `[0-9a-f]{7,}`.*\d{4}-\d\d-\d\d, \d+ cores of", name)

    def test_all_names_are_known(self):
        for template in self.files.values():
            template.check(self.vocabulary)

    def fill_with_made_up_figures(self, name, quick):
        """The text of a section and the commands that it ran."""
        def group(rows, *keys):
            groups = MadeUpGroups()
            groups["a" if len(keys) == 1 else tuple(MadeUp() for _ in keys)] = [MadeUp()]
            return groups
        made_up = {name: lambda *_, **__: MadeUp() for name in (
            "benchmarks", "compare_pytorch", "constant_errors", "foreign_model", "killed_searches", "load", "mean",
            "median", "rms", "score", "trace", "train")}
        files = {name: lambda *words, **_: str(words[0]) for name in (
            "build_chip", "change", "read", "remove", "repeat_clip", "variant", "write")}
        given = {"clips": lambda: {"test": ["a b.wav"], "few": ["a.wav"], "training": ["a.wav"]}, "group": group,
                 "find_chips": lambda *_: {"seeds": [3, 4], "looked_at": 9}, "tensor": lambda *_: [1.0],
                 "play_all": lambda jobs, *_: [name for _, name, _ in jobs], "spread": lambda *_: "spread",
                 "training_of": lambda _: {"model.width": 4}, "pdks": ["generic180", "gf180mcu"], "pdk": "gf180mcu",
                 "speech": "/a folder", "mnist": "/a folder", "quick": quick}
        commands = []

        def run(words, *_):
            commands.append(words)
            return MadeUp()
        return Filler(self.files[name], {**self.vocabulary, **made_up, **files, **given}, run).text(), commands

    def test_every_section_fills_with_made_up_figures(self):
        for name in self.files:
            for quick in (True, False):
                text, _ = self.fill_with_made_up_figures(name, quick)
                self.assertRegex(text, r"^## .+\n", name)
                self.assertNotRegex(text, r"\{\{|Not measured", name)

    def test_every_command_is_one_of_the_program(self):
        for template in self.files.values():
            for place, command in template.commands:
                words = command.split()
                self.assertIn(words[0], COMMANDS, place)
                if words[0] == "study":
                    self.assertIn(words[1], STUDIES, place)

    def test_every_flag_is_one_that_the_program_explains(self):
        program = pathlib.Path(os.environ.get("HYSTERON_PROGRAM", ROOT / "build/release/apps/hysteron/hysteron"))
        if not program.exists():
            self.skipTest("the program is not built")
        helps = {}
        for name in self.files:
            for words in sum((self.fill_with_made_up_figures(name, quick)[1] for quick in (True, False)), []):
                command = tuple(words[:2 if words[0] == "study" else 1])
                if command not in helps:
                    helps[command] = results.output_of(program, *command, "--help")
                for flag in (word for word in words if word.startswith("-")):
                    self.assertRegex(helps[command], rf"{flag}\b", f"{name}: {' '.join(command)} has no {flag}")

    def test_every_key_is_one_that_the_source_names(self):
        folders = ("src", "apps", "include", "bench", "scripts")
        paths = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
        source = "\n".join(path.read_text() for path in paths if path.suffix in (".cpp", ".h", ".py"))
        words = set(re.findall(r"\w+", source)) | {"wall_seconds"}

        def is_named(key):  # a key may be made of a literal and a name: "test_" and "bits"
            return key in words or any(f'"{key[:i]}"' in source and key[i:] in words for i in range(1, len(key)))
        for name, template in self.files.items():
            trees = [(expression.place, ast.parse(expression.text, mode="eval")) for expression in template.expressions]
            nodes = [(place, node) for place, tree in trees for node in ast.walk(tree)]
            own = {node.value for _, node in nodes if isinstance(node, ast.Constant)}
            for place, node in nodes:
                if isinstance(node, ast.Attribute) and node.attr not in own:
                    self.assertTrue(is_named(node.attr), f"{place}: nothing prints a key {node.attr}")

    def test_every_section_begins_with_its_title(self):
        for name in self.files:
            first = (results.TEMPLATES / f"{name}.md").read_text().splitlines()[0]
            self.assertRegex(first, r"^## \S", name)


if __name__ == "__main__":
    unittest.main()
