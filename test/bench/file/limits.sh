#!/usr/bin/env bash
# Whether a run keeps to the rates that it was given: bytes of files a second (--max-rate) and the
# share of a core (--max-cpu). Prints what was asked, what was measured over the whole run, and by
# how much they differ; both are to hold within 10 %.
#
#   test/bench/file/limits.sh [--trees FOLDER]
#
# Uses the large files of run.sh, which makes them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

trees=${TMPDIR:-/tmp}/mig-bench-file
if [ "${1:-}" = --trees ]; then trees=$2; fi
mig=${MIG_BENCH_EXECUTABLE:-$PWD/build/release/mig}
for needed in "$mig" "$trees/large"; do
  [ -e "$needed" ] || { echo "no $needed: build the release preset, then test/bench/file/run.sh" >&2; exit 2; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/mig-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Seconds of the wall clock, and of the processor in the process and its children.
measured() {
  local began=${EPOCHREALTIME/./}
  { TIMEFORMAT='%U %S'; time "$@" >"$work/out" 2>"$work/err"; } 2>"$work/times"
  wall=$(((${EPOCHREALTIME/./} - began)))
  cpu=$(awk '{print $1 + $2}' "$work/times")
}
local_run() { "$mig" query file -t local --nice 0 --json "$@" -matchlimit 0; }

printf '| asked | measured | difference |\n|---|---:|---:|\n'
for rate in 50m 200m 500m; do
  measured local_run --max-rate "$rate" -path "$trees/large" -content NeedleInHaystack
  bytes=$(grep -o '"bytesread": *[0-9]*' "$work/out" | grep -o '[0-9]*$' | head -n 1)
  awk -v r="$rate" -v b="$bytes" -v w="$wall" 'BEGIN {
    asked = r + 0; got = b / 1048576 / (w / 1e6)
    printf "| %s bytes a second | %.1fm | %+.1f %% |\n", r, got, 100 * (got / asked - 1)}'
done
for cores in 10 25 50; do
  # Digests keep a core busy; three at once make the run long enough to tell.
  measured local_run --max-cpu "$cores" -path "$trees/large/noise-1" -path "$trees/large/noise-2" \
    -name . -returndigests md5 -returndigests sha1 -returndigests sha3-256
  awk -v c="$cores" -v u="$cpu" -v w="$wall" 'BEGIN {
    got = 100 * u / (w / 1e6)
    printf "| %s %% of a core | %.1f %% | %+.1f %% |\n", c, got, 100 * (got / c - 1)}'
done
