#!/usr/bin/env bash
# Measures the Release executable on this machine and prints one table: a question from command line
# to printed answer, how soon a lab is ready, what each role costs at rest, and how fast a verb
# starts. The aims stand beside; nothing fails for being slow.
#
#   test/bench/run.sh
#
# A lab of its own in a temporary folder; a lab that runs already is left alone (and disturbs the
# figures, as does everything else that computes meanwhile).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=packaging/steps.sh
. packaging/steps.sh

readonly queries=50 starts=200 labs=5 idle_seconds=10
mig=$PWD/build/release/mig
repeat=$PWD/build/release/test/bench/bench_repeat

steps_start bench 6
build() {
  cmake --preset release &&
    cmake --build --preset release --target mig bench_repeat -j "$(steps_jobs)"
}
step 'build the Release executable' 'test/run.sh release shows whether it builds' build

work=$(mktemp -d "${TMPDIR:-/tmp}/mig-bench.XXXXXX")
lab=''
finish() {
  [ -z "$lab" ] || "$mig" lab down --dir "$lab" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

# The lab's processes: this executable, with the lab's folder on its command line. "PID ROLE" lines.
lab_processes() {
  local process words
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/exe" 2>/dev/null)" = "$mig" ] || continue
    mapfile -d '' -t words <"$process/cmdline" 2>/dev/null || continue
    case " ${words[*]} " in *" $lab"*) ;; *) continue ;; esac
    printf '%s %s\n' "${process#/proc/}" "${words[0]##*mig-}" # argv[0] is mig-ROLE
  done | sort -k 2
}
ticks() { awk '{sub(/^.*\) /, ""); print $12 + $13}' "/proc/$1/stat"; } # user and system
# Resident in all, and what is its own: the rest is the executable, which the kernel keeps once for
# all roles and takes away when it needs the memory.
resident_kb() { awk '/^VmRSS:/ {all = $2} /^RssAnon:/ {own = $2} END {print all, own}' "/proc/$1/status"; }
median() { sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

table=''
row() { table+=$(printf '| %s | %s | %s |' "$1" "$2" "$3")$'\n'; }

new_lab() {
  local began=${EPOCHREALTIME/./}
  lab=$work/lab-$1
  "$mig" lab up --dir "$lab" || return
  printf '%s\n' $((${EPOCHREALTIME/./} - began)) >>"$work/ready"
}
make_labs() {
  local number
  for number in $(seq "$labs"); do
    new_lab "$number" || return
    if [ "$number" -lt "$labs" ]; then "$mig" lab down --dir "$lab" || return; fi
  done
}
step "start a new lab $labs times" "see above; $mig lab logs --dir …" make_labs
ready_ms=$(($(median <"$work/ready" | cut -d. -f1) / 1000))

# into FILE COMMAND …: what it prints goes there, what it says goes to the step's log.
into() {
  local file=$1
  shift
  "$@" >"$file"
}

export MIG_LAB_DIR=$lab
step "ask $queries questions" 'see above' into "$work/query" \
  "$repeat" "$queries" 0 "$mig" query file -path /etc -name '^passwd$'
read -r median_ms p90_ms max_ms _ <"$work/query"
row "\`mig query\` to printed answer, one agent, median of $queries" \
  "$median_ms ms (9 in 10 under $p90_ms, longest $max_ms)" 'under 100 ms'
row "new lab to first answer, median of $labs" "$ready_ms ms" 'under 3 s'

lab_at_rest() {
  local pid role
  lab_processes >"$work/processes"
  [ -s "$work/processes" ] || { echo "no process of $mig with $lab found"; return 1; }
  while read -r pid role; do ticks "$pid" >"$work/ticks-$pid"; done <"$work/processes"
  sleep "$idle_seconds"
  while read -r pid role; do
    printf '%s %s %s\n' "$role" "$(resident_kb "$pid")" \
      $(($(ticks "$pid") - $(<"$work/ticks-$pid"))) >>"$work/rest"
  done <"$work/processes"
}
step "watch the lab at rest for $idle_seconds s" 'did a role end? See its log in the lab' lab_at_rest
tick_ms=$((1000 / $(getconf CLK_TCK)))
while read -r role kb own used; do
  aim='-'
  [ "$role" != agent ] || aim='under 10 MB, no measurable processor time'
  row "$role at rest" "$(awk "BEGIN {printf \"%.1f\", $kb / 1024}") MB resident, $(awk "BEGIN {printf \"%.1f\", $own / 1024}") of its own, $((used * tick_ms)) ms of processor in $idle_seconds s" "$aim"
done <"$work/rest"

step "start a verb $starts times" 'see above' into "$work/start" \
  "$repeat" "$starts" 0 "$mig" --version
read -r median_ms p90_ms _ peak <"$work/start"
row "\`mig --version\`, median of $starts" "$median_ms ms, $((peak / 1024)) KB resident" 'under 20 ms'
row 'executable' "$(awk "BEGIN {printf \"%.1f\", $(stat -c %s "$mig") / 1e6}") MB, one file, static" \
  'under 20 MB'

step 'stop the lab' 'see above' "$mig" lab down --dir "$lab"
lab=''

printf '\n%s, %s cores, Linux %s; mig %s\n\n' \
  "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname -r)" \
  "$(git rev-parse --short HEAD 2>/dev/null || "$mig" --version)"
printf '| what | measured | aim |\n|---|---|---|\n%s' "$table"
