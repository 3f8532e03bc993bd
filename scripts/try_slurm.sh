#!/usr/bin/env bash
# Runs a small `hysteron explore` as a job of a one-node Slurm that this script sets up in a temporary folder and ends
# again: the search's own script, two ranks, one of which is killed in the middle; the table must be that of a plain run.
# Usage: scripts/try_slurm.sh [PROGRAM]   (default: the release build). Debian with root; installs slurm-wlm and munge.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=packages.sh
source "$top/scripts/packages.sh"

program=$(realpath "${1:-$top/build/release/apps/hysteron/hysteron}")
[ -x "$program" ] || { printf '%s: no such program; scripts/demo.sh builds it\n' "$program" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || { printf 'try_slurm.sh: a Slurm of one machine needs root\n' >&2; exit 1; }
install_packages "${HYSTERON_SLURM_PACKAGES[@]}"

work=$(mktemp -d "${TMPDIR:-/tmp}/hysteron-slurm-XXXXXX")
daemons=()
stop() {
  local pid
  for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait || true
  rm -rf "$work"
}
trap stop EXIT

node=$(hostname -s)
export SLURM_CONF=$work/slurm.conf
mkdir -p "$work"/{state,spool,job}
chmod 755 "$work"
head -c 1024 /dev/urandom >"$work/munge.key"
chmod 400 "$work/munge.key"
cat >"$SLURM_CONF" <<EOF
ClusterName=hysteron
SlurmctldHost=$node
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
NodeName=$node CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
EOF

start() {
  "$@" >>"$work/daemons.log" 2>&1 &
  daemons+=($!)
}

# Until the command that follows succeeds, at most a minute.
await() {
  local attempt
  for ((attempt = 0; attempt < 300; ++attempt)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.2
  done
  printf 'try_slurm.sh: gave up waiting for: %s\n' "$*" >&2
  tail -n 20 "$work"/*.log >&2
  exit 1
}

start munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" \
  --pid-file="$work/munged.pid" --log-file="$work/munged.log" --seed-file="$work/munged.seed"
await test -S "$work/munge.socket"
start slurmctld -D -i
start slurmd -D
is_idle() { sinfo --noheader --format=%T | grep -qx idle; }
await is_idle
printf 'Slurm %s: node %s is idle\n' "$(sinfo --version | cut -d' ' -f2)" "$node"

cd "$work/job"
space() {
  cat <<EOF
folder = "$1"
[search]
points = 24
population = 8
dies = 4
die_clips = 8
[variables]
d = [3, 6]
training.learning_rate = {low = 1e-3, high = 1e-2, scale = "log"}
[training]
steps = 400
restarts = 1
EOF
}
space plain >plain.toml
space ranks >ranks.toml
"$program" explore plain.toml >/dev/null 2>&1
"$program" explore ranks.toml --slurm job.sh --ranks 2 --hours 0.5 --patience 3
job=$(sbatch --parsable job.sh)
printf 'submitted job %s\n' "$job"

count() { find ranks/points -name "*.$1" 2>/dev/null | wc -l; }
has_points() { [ "$(count json)" -ge 5 ]; }
await has_points
# The task of rank 1: told from the other's by its environment.
victim=
for place in /proc/[0-9]*; do
  [ "$(readlink "$place/exe" 2>/dev/null)" = "$program" ] || continue
  if tr '\0' '\n' <"$place/environ" | grep -qx "SLURM_PROCID=1"; then victim=${place#/proc/}; fi
done
[ -n "$victim" ] || { printf 'try_slurm.sh: found no task of rank 1\n' >&2; exit 1; }
# While it is at a point that the other rank then has to do.
is_at_work() {
  local file
  for file in ranks/points/*.rank; do
    if grep -q '^1 ' "$file" && [ ! -e "${file%.rank}.json" ]; then return 0; fi
  done
  return 1
}
await is_at_work
kill -KILL "$victim"
printf 'killed rank 1 after %s points\n' "$(count json)"

is_over() { ! squeue --noheader --jobs="$job" 2>/dev/null | grep -q .; }
await is_over
log=$(echo hysteron-explore-*.log)
grep 'no sign of life' "$log" || { printf 'try_slurm.sh: nobody said that rank 1 was lost:\n' >&2; cat "$log" >&2; exit 1; }
if cmp plain/points.jsonl ranks/points.jsonl && cmp plain/pareto.md ranks/pareto.md; then
  printf 'the same %s points and the same table as without Slurm\n' "$(wc -l <ranks/points.jsonl)"
else
  cat "$log" >&2
  exit 1
fi
