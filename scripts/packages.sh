# Sourced by the other scripts: the Debian packages the project needs, and how to get them.
# shellcheck shell=bash disable=SC2034  # the lists are used where this is sourced

# To build the program and its unit tests.
HYSTERON_BUILD_PACKAGES=(
  build-essential cmake ninja-build pkg-config
  libcli11-dev libeigen3-dev libfmt-dev libgtest-dev libhwy-dev libkissfft-dev libopenblas-dev
  libsamplerate0-dev libsndfile1-dev libtomlplusplus-dev nlohmann-json3-dev zlib1g-dev
)
# Programs that tests start besides: `hysteron sweep` and `explore` run under OpenMPI.
HYSTERON_TEST_PACKAGES=(openmpi-bin)
# For scripts/try_slurm.sh alone.
HYSTERON_SLURM_PACKAGES=(slurm-wlm munge)
# Programs that hysteron starts.
HYSTERON_RUN_PACKAGES=(ngspice espeak-ng)
# To check the source: format, lint, scripts.
HYSTERON_CHECK_PACKAGES=(clang-format clang-tidy shellcheck flake8 python3)

# To measure: the target hysteron_bench.
HYSTERON_BENCH_PACKAGES=(libbenchmark-dev)
# For bench/compare_pytorch.py alone, which installs them with --install.
HYSTERON_COMPARE_PACKAGES=(libopenblas0-pthread python3-torch)

# missing_packages PACKAGE...: prints those that are not installed, one a line.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      printf '%s\n' "$package"
  done
}

# cannot_install REASON PACKAGE...: says what is missing and ends the script.
cannot_install() {
  local reason=$1
  shift
  printf '%s: missing Debian packages: %s\n' "${0##*/}" "$*" >&2
  printf '%s: %s; install them and run this again:\n    apt-get install %s\n' "${0##*/}" "$reason" "$*" >&2
  exit 1
}

# install_packages PACKAGE...: installs those that are missing; ends the script where it cannot.
install_packages() {
  local missing=() as_root=()
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    cannot_install "this is no Debian system, so nothing was checked or installed" "$@"
  fi
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || cannot_install "installing needs root, and there is no sudo" "${missing[@]}"
    # Without a terminal nobody can type a password.
    [ -t 0 ] || sudo -n true 2>/dev/null || cannot_install "sudo asks for a password" "${missing[@]}"
    as_root=(sudo)
  fi
  printf 'Installing %s\n' "${missing[*]}"
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -qq)
  # Old lists name versions that are gone; a mirror that cannot be reached may still have left what is needed.
  "${as_root[@]}" update || printf '%s: apt-get update failed; trying the lists there are\n' "${0##*/}" >&2
  "${as_root[@]}" install --no-install-recommends --yes "${missing[@]}" >/dev/null ||
    cannot_install "apt-get install failed" "${missing[@]}"
}
