#!/usr/bin/env bash
# Every check there is: installs what is missing, builds, then runs format, lint and tests, all through CTest, whose
# summary comes last. Fails when anything did.
# Usage: scripts/test.sh [CTEST-FLAG...], for example scripts/test.sh -L style or scripts/test.sh -R Npy
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=packages.sh
source "$top/scripts/packages.sh"

install_packages "${HYSTERON_BUILD_PACKAGES[@]}" "${HYSTERON_RUN_PACKAGES[@]}" "${HYSTERON_TEST_PACKAGES[@]}" \
  "${HYSTERON_CHECK_PACKAGES[@]}" "${HYSTERON_BENCH_PACKAGES[@]}"
cd "$top"
cmake --preset release -DHYSTERON_STYLE_TESTS=ON
cmake --build --preset release --target all hysteron_bench
# The first build lints every file, which takes longer than all tests; later ones what changed. What does not pass is
# linted once more as a test, whose name says where.
[ $# -gt 0 ] || cmake --build --preset release --target lint || true

# Tests neither read nor fill the user's cache. Tests of the real PDK skip where there is none.
export XDG_CACHE_HOME="$top/build/release/cache"
mkdir -p "$XDG_CACHE_HOME"
if [ -z "${PDK_ROOT:-}" ] && [ -d "$top/../shared/pdk" ]; then
  PDK_ROOT=$(cd "$top/../shared/pdk" && pwd)
  export PDK_ROOT
fi
exec ctest --preset release --parallel "$(nproc)" --no-label-summary "$@"
