#!/usr/bin/env bash
# Puts the upstream tarball of Paho MQTT C++ into a folder, checks its SHA-256, and prints its path.
#
#   packaging/fetch-paho.sh FOLDER
#
# Debian ships Paho MQTT C++ as a shared library only, and a static executable needs an archive, so
# we build one from the tarball inside Debian's own source package. It comes from the machine's own
# package mirror: apt's sources are copied to a private folder with `deb` turned into `deb-src`, and
# apt-get runs on that copy with its own state and cache. Nothing under /etc or /var changes and no
# right beyond writing FOLDER is needed. A second call finds the file there and needs no network.
#
# Where apt cannot reach a mirror, put the file named below into FOLDER by hand.
set -euo pipefail

readonly name=paho.mqtt.cpp_1.2.0.orig.tar.gz
readonly sha256=435e97e4d5b1da13daa26cadd3e83fe9d154930abaa78b8ff1b8c854b5345d8b
readonly package=paho.mqtt.cpp upstream=1.2.0

fail() {
  printf 'fetch-paho: %s\n' "$1" >&2
  printf 'fetch-paho: next: %s\n' "$2" >&2
  exit 1
}

is_genuine() { printf '%s  %s\n' "$sha256" "$1" | sha256sum --check --status 2>/dev/null; }

# Turns binary entries into source entries. One-line form: `deb [options] uri suite component`.
one_line_sources() { sed -En 's/^[[:space:]]*deb(-src)?([[:space:]])/deb-src\2/p' "$1"; }

# deb822 form: the stanza's `Types:` decides. Media that are not in the drive are of no use here.
deb822_sources() { sed -E 's/^[Tt][Yy][Pp][Ee][Ss]:.*/Types: deb-src/' "$1"; }

# Fills folder $1 with the machine's own apt sources, as source entries.
collect_sources() {
  local main='' parts='' file count=0
  # Sets `main` and `parts`, as this machine's apt is configured.
  eval "$(apt-config shell main Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
  for file in "$main" "$parts"/*.list "$parts"/*.sources; do
    if [ ! -f "$file" ] || [ ! -r "$file" ]; then continue; fi
    count=$((count + 1))
    case $file in
      *.sources) deb822_sources "$file" >"$1/$count.sources" ;;
      *) one_line_sources "$file" | sed '/cdrom:/d' >"$1/$count.list" ;;
    esac
  done
  grep -qs 'deb-src' "$1"/* ||
    fail "no package source is configured in $main or $parts" \
      "configure a Debian mirror, or put $name into $folder by hand"
}

[ $# -eq 1 ] || fail 'usage: fetch-paho.sh FOLDER' 'name the folder that keeps the tarball'
mkdir -p "$1" || fail "cannot make the folder $1" 'set MIG_CACHE to a folder that you may write'
folder=$(cd "$1" && pwd)
readonly folder

if is_genuine "$folder/$name"; then
  printf '%s\n' "$folder/$name"
  exit 0
fi
command -v apt-get >/dev/null ||
  fail 'this machine has no apt-get' "put $name (sha256 $sha256) into $folder by hand"

# Inside FOLDER, so that the last step is a rename within one file system: several builds may fetch
# at the same time, and each of them sees either no file or the whole file.
work=$(mktemp -d "$folder/.fetch.XXXXXX") ||
  fail "cannot write into $folder" 'set MIG_CACHE to a folder that you may write'
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial" "$work/download"
collect_sources "$work/sources"

# Read after the machine's own configuration, whose proxies and keys stay in force and whose hooks
# (which expect to run as root, after an update of the real lists) do not.
cat >"$work/apt.conf" <<CONF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/sources";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "";
APT::Get::List-Cleanup "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF

printf 'fetch-paho: fetching %s from this machine'\''s package mirror\n' "$name" >&2
# An update may fail for one source and succeed for the one that matters: the download decides.
apt-get -c "$work/apt.conf" -qq update >"$work/log" 2>&1 || true
version=$(apt-cache -c "$work/apt.conf" showsrc --only-source "$package" 2>>"$work/log" |
  sed -n "s/^Version: \($upstream-.*\)/\1/p" | head -n 1) || true
if [ -z "$version" ] || ! (cd "$work/download" &&
  apt-get -c "$work/apt.conf" -qq source --download-only --tar-only "$package=$version") \
  >>"$work/log" 2>&1; then
  tail -n 20 "$work/log" >&2
  fail "the mirror did not give the source package $package $upstream" \
    "check the network and apt's sources, or put $name (sha256 $sha256) into $folder by hand"
fi

is_genuine "$work/download/$name" ||
  fail "the mirror's $name is not the file we know (sha256 $sha256)" \
    "do not use it; put the right file into $folder by hand"
mv -f "$work/download/$name" "$folder/$name"
printf '%s\n' "$folder/$name"
