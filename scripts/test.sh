#!/usr/bin/env bash
# Builds and tests: installs what is missing, builds the preset `release`, runs every test through CTest. Ends with
# CTest's summary after the list of tests that were skipped. scripts/lint.sh checks format and style.
# Usage: scripts/test.sh [CTEST-FLAG...], for example scripts/test.sh -R Npy
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=packages.sh
source "$top/scripts/packages.sh"

install_packages "${HYSTERON_BUILD_PACKAGES[@]}" "${HYSTERON_RUN_PACKAGES[@]}" "${HYSTERON_TEST_PACKAGES[@]}"
cd "$top"
cmake --preset release
cmake --build --preset release

# Tests neither read nor fill the user's cache. Tests of the real PDK skip where there is none.
export XDG_CACHE_HOME="$top/build/release/cache"
mkdir -p "$XDG_CACHE_HOME"
if [ -z "${PDK_ROOT:-}" ] && [ -d "$top/../shared/pdk" ]; then
  PDK_ROOT=$(cd "$top/../shared/pdk" && pwd)
  export PDK_ROOT
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
code=0
ctest --preset release --parallel "$(nproc)" --no-label-summary "$@" | tee "$log" || code=$?
skipped=$(grep -c '\*\*\*Skipped' "$log" || true)
printf '%s tests skipped%s\n' "$skipped" "$([ "$skipped" -eq 0 ] || printf ':')"
sed -n 's/.*Test *#[0-9]*: \(.*[^ .]\) *\.*\*\*\*Skipped.*/  \1/p' "$log"
grep 'tests passed' "$log" || true
exit "$code"
