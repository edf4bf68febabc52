#!/usr/bin/env bash
# Installs the Debian packages that building and testing mig needs. Unattended; safe to run again:
# where all of them are there already it only says so, in a few hundredths of a second, without
# network and without root.
#
#   packaging/bootstrap.sh          everything, also for the tests and sanitizers
#   packaging/bootstrap.sh build    what building the executable needs
#   packaging/bootstrap.sh list     prints the names of everything, one a line
#
# Root, or a user with sudo. Tried on Debian 12, from a minimal debootstrap upwards.
set -euo pipefail

# Compiler, build tools and libraries. Boost is 1.81 by name: libboost-dev would bring 1.74, which
# cannot be installed beside it. Catch2 is here because CMake's configure step looks for it.
readonly build_packages=(
  g++ cmake ninja-build
  catch2 libargon2-dev libboost1.81-dev libbz2-dev libcli11-dev liblzma-dev libpaho-mqtt-dev
  libre2-dev libseccomp-dev libsodium-dev libsqlite3-dev libssl-dev libyaml-cpp-dev libzstd-dev zlib1g-dev
)
# The fuzz targets' compiler with its run-time libraries and symbolizer; a compiler cache, since
# test/run.sh builds much of the tree three times; somebody else's broker and clients, to talk to,
# and somebody else's HTTPS and signatures (examples/api/call.sh); node-mqtt brings nodejs. GnuPG and
# OpenSSH with their agents, for keys where people have them; rnp and sq, which read OpenPGP too;
# Info-ZIP's zip, for archives that are not ours; ss, which asks the kernel as the netstat module does.
readonly test_packages=(
  ccache clang curl gnupg iproute2 libclang-rt-14-dev llvm mosquitto mosquitto-clients node-mqtt
  openssh-client openssl rnp sq zip
)

readonly needed_free_mb=2500

say() { printf 'bootstrap: %s\n' "$*"; }
fail() {
  printf 'bootstrap: %s\n' "$1" >&2
  printf 'bootstrap: next: %s\n' "$2" >&2
  exit 1
}

case ${1:-all} in
  all) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
  build) wanted=("${build_packages[@]}") ;;
  list)
    printf '%s\n' "${build_packages[@]}" "${test_packages[@]}"
    exit 0
    ;;
  *) fail "unknown argument \`$1\`" 'packaging/bootstrap.sh [all | build | list]' ;;
esac

command -v apt-get >/dev/null ||
  fail 'this machine has no apt-get: only Debian 12 and its relatives are supported' \
    'build in a Debian 12 container or virtual machine; the executable then runs on any Linux'

# Prints which of the given packages are not installed.
missing_of() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qx "installed $package" <<<"$installed" || printf '%s\n' "$package"
  done
}

mapfile -t missing < <(missing_of "${wanted[@]}")
if [ ${#missing[@]} -eq 0 ]; then
  say "all ${#wanted[@]} packages are installed"
  exit 0
fi

# shellcheck source=/dev/null
release=$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-?}" "${VERSION_ID:-?}") || release='? ?'
[ "$release" = 'debian 12' ] ||
  say "this is $release; mig is built and tested on debian 12, so package names may differ"

conflict=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 'libboost1.74-dev' 2>/dev/null || true)
[ "$conflict" != 'installed libboost1.74-dev' ] ||
  fail 'libboost1.74-dev is installed; mig needs libboost1.81-dev, and the two exclude each other' \
    'look at what needs 1.74, then: apt-get remove libboost1.74-dev (or build in a container)'

free_mb=$(df -Pm /usr | awk 'NR == 2 {print $4}')
[ "$free_mb" -ge "$needed_free_mb" ] ||
  say "only $free_mb MB are free on /usr; $needed_free_mb MB are advised"

if [ "$(id -u)" -eq 0 ]; then
  as_root=(env)
elif ! command -v sudo >/dev/null; then
  fail "${#missing[@]} packages are missing and this user is not root and has no sudo" \
    "as root: apt-get install --no-install-recommends ${missing[*]}"
elif sudo -n true 2>/dev/null; then
  as_root=(sudo -n env)
elif [ -t 0 ]; then
  as_root=(sudo env) # asks for the password
else
  fail "${#missing[@]} packages are missing and sudo wants a password, but there is no terminal" \
    "as root: apt-get install --no-install-recommends ${missing[*]}"
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p build/log 2>/dev/null || true
log=$PWD/build/log/bootstrap.log
if ! : 2>/dev/null >"$log"; then log=$(mktemp -t mig-bootstrap.XXXXXX); fi

apt() {
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >>"$log" 2>&1 </dev/null
}

# A mirror may be in the middle of an update, and a fresh machine is often installing its own
# updates; both pass.
attempts() {
  local attempt
  for attempt in 1 2 3; do
    if apt "$@"; then return 0; fi
    say "apt-get $1 failed (attempt $attempt of 3)"
    [ "$attempt" -eq 3 ] || sleep $((attempt * 5))
  done
  return 1
}

give_up() {
  printf -- '--- the last lines of %s\n' "$log" >&2
  tail -n 15 "$log" >&2
  fail "$1" "$2"
}

# The tests want Mosquitto's program; nobody asked for a broker that runs on this machine. While
# packages are installed, Debian's own switch (policy-rc.d) forbids starting services, and afterwards
# a Mosquitto that was not here before is not started at boot either.
readonly policy=/usr/sbin/policy-rc.d
policy_is_ours=no
forbid_services() {
  if [ -e "$policy" ]; then return 0; fi
  policy_is_ours=yes
  # shellcheck disable=SC2016 # $0 is the inner shell's
  "${as_root[@]}" sh -c 'printf "#!/bin/sh\nexit 101\n" >"$0" && chmod 755 "$0"' "$policy"
}
allow_services() {
  if [ "$policy_is_ours" = yes ]; then "${as_root[@]}" rm -f "$policy"; fi
  policy_is_ours=no
}
trap allow_services EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

SECONDS=0
say "installing ${#missing[@]} of ${#wanted[@]} packages: ${missing[*]}"
say "log: $log"
attempts update || give_up 'the package lists could not be fetched' \
  'check the network and /etc/apt/sources.list*, then run this again'
say "package lists are up to date (${SECONDS} s)"
if [[ " ${missing[*]} " = *' mosquitto '* ]]; then forbid_services; fi
# --no-remove: rather stop than take away what the machine's owner installed.
attempts install --no-install-recommends --no-remove "${missing[@]}" ||
  give_up 'the packages could not be installed' \
    "see the log; by hand: apt-get install --no-install-recommends ${missing[*]}"

if [ "$policy_is_ours" = yes ]; then
  # For systemd and for the classic init; both come with the essential package init-system-helpers.
  "${as_root[@]}" sh -c 'DPKG_MAINTSCRIPT_PACKAGE=mosquitto deb-systemd-helper disable mosquitto.service &&
    update-rc.d mosquitto disable' >>"$log" 2>&1 ||
    say 'remark: could not keep the broker mosquitto, a tool of the tests, from starting at boot'
  allow_services
fi

mapfile -t missing < <(missing_of "${wanted[@]}")
[ ${#missing[@]} -eq 0 ] || give_up "apt-get succeeded, but these are missing: ${missing[*]}" \
  'install them by hand, then run this again'
say "all ${#wanted[@]} packages are installed (${SECONDS} s)"
