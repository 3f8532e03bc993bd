#!/usr/bin/env bash
# Checks format, C++ lint, shell scripts and Python scripts; fails when any finds something. A C++ file that passed is not
# linted again until it, a header it includes or the rules change.
# Usage: scripts/lint.sh [--fast]
# --fast leaves out the checks of clang-tidy that take longest: 3 s of a core for every file instead of 14.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=packages.sh
source "$top/scripts/packages.sh"

install_packages "${HYSTERON_BUILD_PACKAGES[@]}" "${HYSTERON_CHECK_PACKAGES[@]}" "${HYSTERON_BENCH_PACKAGES[@]}"
cd "$top"
failed=0
scripts/check_format.sh || failed=1
shellcheck --external-sources scripts/*.sh .ci/run || failed=1
flake8 scripts bench tests || failed=1
[ -f build/release/compile_commands.json ] || cmake --preset release
python3 scripts/tidy.py "$@" build/release || failed=1
exit "$failed"
