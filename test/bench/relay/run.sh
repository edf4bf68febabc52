#!/usr/bin/env bash
# Our relay beside Mosquitto on this machine, in every scenario: builds the Release executables,
# then measures peer and ours in turn. README.md here says what the figures mean.
#
#   test/bench/relay/run.sh                    everything, best of three: about twenty minutes
#   test/bench/relay/run.sh --quick            less of everything, once: under two minutes
#   test/bench/relay/run.sh --only sweep,idle  some scenarios; --help names them
#   test/bench/relay/run.sh --json FILE        the same, with all rounds, for programs
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

{
  cmake --preset release
  cmake --build --preset release --target mig bench_relay
} >&2
exec build/release/test/bench/relay/bench_relay --mig build/release/mig "$@"
