#!/usr/bin/env bash
# Fails, and says where, if clang-format would change any C++ file of the project. --fix changes them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=(--dry-run --Werror)
[ "${1:-}" != --fix ] || mode=(-i)
find apps bench src tests \( -name '*.cpp' -o -name '*.h' \) -print0 | xargs -0 clang-format "${mode[@]}"
