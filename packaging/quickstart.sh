#!/usr/bin/env bash
# From a fresh clone to the first answer: installs what building needs, builds the executable,
# starts a lab on this machine (server and one agent, throw-away keys, nothing outside its folder)
# and asks it a question. Safe to run again; then it takes seconds.
#
#   packaging/quickstart.sh
#
# Root, or a user with sudo. MIG_JOBS limits how many compilers run at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=packaging/steps.sh
. packaging/steps.sh

readonly mig=build/release/mig
readonly question=("$mig" query file -path /etc -name '^passwd$')

steps_start quickstart 3

packaging/bootstrap.sh build || steps_fail 'the packages are not there' 'see above'
step 'configure' 'read the end of the log above; packaging/bootstrap.sh installs what is needed' \
  cmake --preset release
step "build $mig" 'see above; to try again by hand: cmake --build --preset release --target mig' \
  cmake --build --preset release --target mig -j "$(steps_jobs)"
step 'start the lab' "see above; \`$mig lab logs\` shows what the processes wrote" \
  "$mig" lab up
sed -n '2,/^$/p' "$steps_log" >&2 # what runs, where, and how soon it answered

printf '$ %s\n' "mig query file -path /etc -name '^passwd\$'" >&2
status=0
"${question[@]}" || status=$?
[ "$status" -eq 0 ] ||
  steps_fail "the question was not answered (exit status $status)" \
    "look at \`$mig lab status\` and \`$mig lab logs\`"

cat >&2 <<TEXT

That was a signed action: checked and stored by the api, planned by the scheduler, carried by the
relay, checked again and run by the agent in a sandbox, and its result verified here. Go on with:

  $mig query file -path /usr/bin -name '^(ssh|curl)\$' -returnsha256
  $mig help query                  every module and its parameters
  $mig lab status                  what runs where
  $mig lab down                    stops the lab; \`lab up\` brings it back with its data
TEXT
