#!/usr/bin/env python3
"""Runs clang-tidy on the C++ sources of the project, but for those that passed since they, what they include and the
rules last changed.

Usage: scripts/tidy.py [--fast] BUILD_FOLDER [SOURCE...]
--fast takes the checks that cost little alone: what does not compile without the precompiled header, unused
declarations, names, moves and copies. The static analyzer and most of bugprone take four times as long.
The record of what passed is BUILD_FOLDER/tidy or tidy-fast; delete it to check everything again.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FAST_CHECKS = ("misc-unused-using-decls", "misc-unused-alias-decls", "readability-identifier-naming",
               "readability-duplicate-include", "performance-move-const-arg", "performance-no-automatic-move",
               "performance-for-range-copy", "performance-unnecessary-copy-initialization",
               "performance-noexcept-move-constructor", "bugprone-use-after-move")
RULES = [ROOT / ".clang-tidy", pathlib.Path(__file__).resolve()]


def own_entries(build):
    """Entries of the compilation database for the project's own sources, by path."""
    entries = json.loads((build / "compile_commands.json").read_text())
    return {pathlib.Path(entry["file"]): entry for entry in entries
            if build not in pathlib.Path(entry["file"]).parents}


def dependencies(build):
    """What the last build of each object file read, by object file, from Ninja's log."""
    shown = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    files, current = {}, []
    for line in shown.splitlines():
        if line.startswith("    "):
            current.append((build / line.strip()).resolve())
        elif ": " in line:
            current = files.setdefault(line.split(": ")[0], [])
    return files


def plain_command(entry):
    """The compiler's arguments without the precompiled header: a source has to include what it uses."""
    arguments = shlex.split(entry["command"])
    result = []
    while arguments:
        argument = arguments.pop(0)
        if argument == "-include" and arguments[0].endswith("cmake_pch.hxx"):
            arguments.pop(0)
        elif argument in ("-c", "-Winvalid-pch"):
            continue
        elif argument == "-o":
            arguments.pop(0)
        elif argument != entry["file"]:
            result.append(argument)
    return result[1:]


class Tidy:
    def __init__(self, build, fast=False):
        self.build = build
        self.records = build / ("tidy-fast" if fast else "tidy")
        self.checks = ["--checks=-*," + ",".join(FAST_CHECKS)] if fast else []
        self.entries = own_entries(build)
        self.files = dependencies(build)
        version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
        self.basis = version.encode() + b"".join(file.read_bytes() for file in RULES)

    def fingerprint(self, source):
        """A hash of all that decides what clang-tidy says, or None where that is not known. The headers of packages
        are taken by name: they change with clang-tidy's own version or with the system's."""
        entry = self.entries[source]
        command = shlex.split(entry["command"])
        files = self.files.get(command[command.index("-o") + 1], [])
        if source not in files:
            return None
        digest = hashlib.sha256(self.basis + entry["command"].encode())
        for file in files:
            digest.update(str(file).encode())
            if ROOT in file.parents and self.build not in file.parents and file.exists():
                digest.update(file.read_bytes())
        return digest.hexdigest()

    def check(self, source):
        """What clang-tidy finds; empty if nothing or if nothing changed since it last passed."""
        mark = self.fingerprint(source)
        record = self.records / source.relative_to(ROOT).with_suffix(source.suffix + ".passed")
        if mark is not None and record.exists() and record.read_text() == mark:
            return ""
        # The compile commands are g++'s, which knows warnings that clang does not.
        command = ["clang-tidy", "--quiet", *self.checks, source, "--", *plain_command(self.entries[source]),
                   "-Wno-unknown-warning-option"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            return result.stdout or result.stderr
        if mark is not None:
            record.parent.mkdir(parents=True, exist_ok=True)
            record.write_text(mark)
        return ""


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--fast"]
    if not arguments:
        sys.exit(__doc__)
    tidy = Tidy(pathlib.Path(arguments[0]).resolve(), "--fast" in sys.argv)
    sources = [pathlib.Path(argument).resolve() for argument in arguments[1:]] or sorted(tidy.entries)
    unknown = [str(source) for source in sources if source not in tidy.entries]
    if unknown:
        sys.exit(f"not in compile_commands.json: {', '.join(unknown)}")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(tidy.check, sources):
            bad += bool(found)
            sys.stdout.write(found)
            sys.stdout.flush()
    print(f"clang-tidy: {len(sources)} files, {bad} with findings")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
