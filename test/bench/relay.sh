#!/usr/bin/env bash
# Compares our relay with Mosquitto (if it is installed) on this machine: plain MQTT on loopback, the
# same load, one after the other, several rounds. Ours keeps what it queues on disk before it
# acknowledges; Mosquitto runs without persistence.
#
#   test/bench/relay.sh [CLIENTS] [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
clients=${1:-1000} rounds=${2:-3}

cmake --preset release >/dev/null
cmake --build --preset release --target mig bench_relay
mig=$PWD/build/release/mig
load=$PWD/build/release/test/bench/bench_relay
ulimit -n "$(ulimit -H -n)"

work=$(mktemp -d "${TMPDIR:-/tmp}/mig-bench.XXXXXX")
broker=''
finish() {
  [ -z "$broker" ] || kill "$broker" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

# Waits until something listens on the port, at most ten seconds.
wait_for() {
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.1
  done
  echo "bench: nothing listens on port $1" >&2
  return 1
}
stop() {
  kill "$broker"
  wait "$broker" || true
  broker=''
}

mosquitto=$(command -v mosquitto || PATH=/usr/sbin:$PATH command -v mosquitto || true)
[ -n "$mosquitto" ] || echo 'bench: mosquitto is not installed; measuring our relay alone' >&2
cat >"$work/mosquitto.conf" <<CONFIG
listener 18842 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 64
set_tcp_nodelay true
log_type none
CONFIG

for round in $(seq "$rounds"); do
  if [ -n "$mosquitto" ]; then
    "$mosquitto" -c "$work/mosquitto.conf" &
    broker=$!
    wait_for 18842
    "$load" mosquitto 18842 "$broker" "$clients"
    stop
  fi
  "$mig" relay --open --listen 127.0.0.1:18841 --store "$work/relay-$round.db" 2>/dev/null &
  broker=$!
  wait_for 18841
  "$load" relay 18841 "$broker" "$clients"
  stop
done
