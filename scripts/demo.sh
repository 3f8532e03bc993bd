#!/usr/bin/env bash
# Speech to a verified circuit: installs what is missing, builds the program and runs `hysteron demo`.
# Usage: scripts/demo.sh [--output DIR] [--data DIR] [--pdk P] [--json] ...: flags of `hysteron demo`.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=packages.sh
source "$top/scripts/packages.sh"

# stdout belongs to the demo, which prints one JSON object there when asked to.
{
  install_packages "${HYSTERON_BUILD_PACKAGES[@]}" "${HYSTERON_RUN_PACKAGES[@]}"
  (cd "$top" && cmake --preset release && cmake --build --preset release --target hysteron)
} >&2
exec "$top/build/release/apps/hysteron/hysteron" demo "$@"
