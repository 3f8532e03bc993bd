#!/usr/bin/env python3
"""Runs clang-tidy on one source file, unless neither it nor what it includes changed since it last passed.

Usage: scripts/tidy.py BUILD_FOLDER SOURCE
The record of what passed is BUILD_FOLDER/tidy; delete it to check everything again.
"""
import hashlib
import json
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def compile_command(build, source):
    """The entry of `source` in the build folder's compilation database."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if pathlib.Path(entry["file"]) == source:
            return entry
    sys.exit(f"{source}: not in {build / 'compile_commands.json'}")


def included_files(build, entry):
    """What the last build of `entry` read, from Ninja's log: its own source and every header; empty if never built."""
    command = shlex.split(entry["command"])
    shown = subprocess.run(["ninja", "-C", build, "-t", "deps", command[command.index("-o") + 1]],
                           capture_output=True, text=True, check=True).stdout
    return [(build / line.strip()).resolve() for line in shown.splitlines() if line.startswith("    ")]


def fingerprint(build, source, entry):
    """A hash of all that decides what clang-tidy says, or None where that is not known. The headers of packages are
    taken by name: they change with clang-tidy's own version or with the system's."""
    files = included_files(build, entry)
    if source not in files:
        return None
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    digest = hashlib.sha256((version + entry["command"]).encode())
    for file in [ROOT / ".clang-tidy", pathlib.Path(__file__).resolve(), *files]:
        digest.update(str(file).encode())
        if ROOT in file.parents and file.exists():
            digest.update(file.read_bytes())
    return digest.hexdigest()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    build, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    entry = compile_command(build, source)
    mark = fingerprint(build, source, entry)
    record = build / "tidy" / source.relative_to(ROOT).with_suffix(source.suffix + ".passed")
    if mark is not None and record.exists() and record.read_text() == mark:
        print("unchanged since it passed")
        return
    # The compile commands are g++'s, which knows warnings that clang does not.
    command = ["clang-tidy", "-p", build, "--quiet", "--extra-arg=-Wno-unknown-warning-option", source]
    if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        sys.exit(1)
    if mark is not None:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(mark)


if __name__ == "__main__":
    main()
