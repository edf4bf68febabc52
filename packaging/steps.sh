# shellcheck shell=bash
# Numbered steps with progress, for quickstart.sh and test/run.sh (sourced, not run): each command's
# output goes to a log of its own under build/log, the terminal shows which step runs, how far it is
# and how long it has taken, and the first failure ends the script with the end of that log and
# with what to do.
#
#   steps_start NAME TOTAL
#   step 'what it does' 'what to do if it fails' command argument…     # then $steps_log is its log
#
# Works on bash 4 and later. The caller has `set -euo pipefail` and its working folder at the top of
# the source tree. Where a step failed, `steps_on_failure` (a function of the caller's, optional)
# runs last.

# One job a core, but not more than the memory carries: the largest translation units take about
# 900 MB with a sanitizer.
steps_jobs() {
  local cores memory_mb jobs
  cores=$(nproc 2>/dev/null || echo 1)
  memory_mb=$(awk '/^MemAvailable:/ {print int($2 / 1024)}' /proc/meminfo 2>/dev/null || echo 0)
  jobs=$cores
  if [ "${memory_mb:-0}" -gt 0 ] && [ $((memory_mb / 900)) -lt "$jobs" ]; then
    jobs=$((memory_mb / 900))
  fi
  [ "$jobs" -ge 1 ] || jobs=1
  echo "${MIG_JOBS:-$jobs}"
}

steps_start() {
  steps_name=$1 steps_total=$2 steps_number=0 steps_began=$SECONDS
  steps_watcher='' steps_sleeper=''
  steps_log_folder=$PWD/build/log
  mkdir -p "$steps_log_folder" || steps_fail "cannot write to $steps_log_folder" \
    'is the source tree yours? A build by another user (root?) leaves folders that are not'
  # Control-C reaches the running command too; this only puts the terminal in order.
  trap 'steps_unwatch; exit 130' INT
  trap 'steps_unwatch; exit 143' TERM
}

steps_elapsed() {
  local seconds=$(($1))
  if [ $seconds -lt 60 ]; then
    printf '%d s' $seconds
  else
    printf '%d min %02d s' $((seconds / 60)) $((seconds % 60))
  fi
}

# The newest line of a log as one short line: "[312/845] Building CXX object …".
steps_last_line() {
  tail -n 1 "$1" 2>/dev/null | tr -cd '[:print:]' | cut -c "1-$2"
}

# A sleep that ends with the shell that waits for it.
steps_pause() {
  sleep "$1" >/dev/null 2>&1 &
  steps_sleeper=$!
  wait "$steps_sleeper"
}

# Shows that a step is alive: on a terminal every second on one line, else (CI) once a minute.
steps_watch() {
  local log=$1 began=$SECONDS width
  trap 'kill "$steps_sleeper" 2>/dev/null; exit 0' TERM
  trap - INT
  if [ -t 2 ]; then
    width=$(($(tput cols 2>/dev/null || echo 80) - 20))
    [ "$width" -ge 20 ] || width=20
    while steps_pause 1; do
      printf '\r\033[K      %s  %s' "$(steps_elapsed $((SECONDS - began)))" \
        "$(steps_last_line "$log" "$width")" >&2
    done
  else
    while steps_pause 60; do
      printf '      %s  %s\n' "$(steps_elapsed $((SECONDS - began)))" "$(steps_last_line "$log" 100)" >&2
    done
  fi
}

steps_unwatch() {
  [ -n "$steps_watcher" ] || return 0
  kill "$steps_watcher" 2>/dev/null || true
  wait "$steps_watcher" 2>/dev/null || true
  steps_watcher=''
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

steps_fail() {
  printf '%s: %s\n%s: next: %s\n' "$steps_name" "$1" "$steps_name" "$2" >&2
  if declare -F steps_on_failure >/dev/null; then steps_on_failure; fi
  exit 1
}

step() {
  local what=$1 advice=$2 began status=0
  shift 2
  steps_number=$((steps_number + 1))
  steps_log=$steps_log_folder/$steps_name-$(printf '%02d' "$steps_number").log
  began=$SECONDS
  printf '[%d/%d] %s\n' "$steps_number" "$steps_total" "$what" >&2
  printf '%s\n' "\$ $*" >"$steps_log"
  steps_watch "$steps_log" &
  steps_watcher=$!
  "$@" >>"$steps_log" 2>&1 </dev/null || status=$?
  steps_unwatch
  if [ "$status" -ne 0 ]; then
    printf -- '--- the last lines of %s\n' "$steps_log" >&2
    tail -n 30 "$steps_log" >&2
    printf -- '---\n' >&2
    steps_fail "step $steps_number of $steps_total failed ($what; exit status $status)" "$advice"
  fi
  printf '      done in %s, %s in all\n' "$(steps_elapsed $((SECONDS - began)))" \
    "$(steps_elapsed $((SECONDS - steps_began)))" >&2
}
