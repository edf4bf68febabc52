#!/usr/bin/env bash
# Builds and tests everything, on a fresh machine too: packages, Release build with all tests, the
# same under AddressSanitizer and UndefinedBehaviorSanitizer, the parts where threads meet under
# ThreadSanitizer, and each fuzz target for a while from its corpus. Stops at the first failure.
#
#   test/run.sh                     all of it
#   test/run.sh dev fuzz            only these: release, dev, tsan, fuzz
#
# Environment: MIG_JOBS (compilers at once; twice as many tests), MIG_FUZZ_SECONDS (a target, default 5),
# MIG_KILLS (kills a role in the crash tests; default 50, and 8 in sanitizer builds). The last line
# is `N passed, N failed, N skipped`, over all runs of ctest; a step that failed without a test's help counts as one failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=packaging/steps.sh
. packaging/steps.sh

presets=("$@")
if [ $# -eq 0 ]; then presets=(release dev tsan fuzz); fi
for preset in "${presets[@]}"; do
  case $preset in
    release | dev | tsan | fuzz) ;;
    *)
      printf 'run.sh: unknown part %s; there are: release dev tsan fuzz\n' "$preset" >&2
      exit 2
      ;;
  esac
done

passed=0 failed=0 skipped=0

# Prints the number that `attribute` $2 has in the first lines of the JUnit report $1.
report_number() {
  local found
  found=$(sed -n "1,20s/^.*[[:space:]]$2=\"\([0-9][0-9]*\)\".*\$/\1/p" "$1")
  printf '%d' "${found:-0}"
}

# Adds what one run of ctest reported to the sums.
count_tests() {
  local report=$1 tests failures not_run
  [ -s "$report" ] || return 0
  tests=$(report_number "$report" tests)
  failures=$(report_number "$report" failures)
  not_run=$(($(report_number "$report" disabled) + $(report_number "$report" skipped)))
  passed=$((passed + tests - failures - not_run))
  failed=$((failed + failures))
  skipped=$((skipped + not_run))
}

summary() { printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"; }

report=''
steps_on_failure() {
  if [ -n "$report" ]; then count_tests "$report"; fi
  [ "$failed" -gt 0 ] || failed=1
  summary
}

run_tests() {
  report=$PWD/build/$1/tests.xml
  # Fifty kills a role on the real executable; its sanitizer build looks for other things.
  local kills=${MIG_KILLS:-50}
  if [ "$1" != release ]; then kills=${MIG_KILLS:-8}; fi
  rm -f "$report"
  step "test: $2" "to see one test again: ctest --preset $1 -R 'its name' (all output: -V)" \
    env MIG_KILLS="$kills" ctest --preset "$1" -j "$tests_at_once" --no-tests=error --output-junit "$report"
  count_tests "$report"
  report=''
  # What this machine could not run, by name: nothing is skipped silently.
  sed -En 's/^[[:space:]]*[0-9]+ - (.*) \(Skipped\)$/      skipped: \1/p' "$steps_log" >&2
}

jobs=$(steps_jobs)
# The tests that take long wait for processes that they started.
tests_at_once=$((2 * jobs))
steps_start run $((3 * ${#presets[@]}))
packaging/bootstrap.sh || steps_fail 'the packages are not there' 'see above'

for preset in "${presets[@]}"; do
  case $preset in
    release) text='Release, static' ;;
    dev) text='AddressSanitizer and UndefinedBehaviorSanitizer' ;;
    tsan) text='ThreadSanitizer, where threads meet' ;;
    fuzz) text='fuzz targets, from their corpus' ;;
  esac
  step "configure: $text" 'read the end of the log above' cmake --preset "$preset"
  step "build: $text" "to try again by hand: cmake --build --preset $preset" \
    cmake --build --preset "$preset" -j "$jobs"
  run_tests "$preset" "$text"
done

summary
