#!/usr/bin/env bash
# Proves that a fresh Debian 12 with nothing but a clone is enough: makes a minimal system in a
# folder (debootstrap minbase), clones the committed state of this repository into it, and runs a
# command there, in namespaces of its own, so that no process or mount outlives the proof.
#
#   packaging/prove-fresh.sh [--user] [--twice] COMMAND [ARGUMENT …]
#   packaging/prove-fresh.sh --twice packaging/quickstart.sh
#   packaging/prove-fresh.sh --user test/run.sh
#
#   --user    as an ordinary user with sudo instead of as root
#   --twice   then run it again, to see that this is safe and how long it takes
#
# Needs root, debootstrap and git here, about 6 GB in MIG_PROOF_FOLDER (default /var/tmp), and the
# machine's own package mirror. The minimal system is kept as a tarball in MIG_CACHE, so that the
# next proof starts in seconds; delete mig-bookworm-*.tar there to make it anew. Settings that begin
# with MIG_ reach the command, except these two.
set -euo pipefail

readonly suite=bookworm
# shellcheck disable=SC2016 # apt-get's own placeholder, not the shell's
readonly mirror_of='$(REPO_URI)'
say() { printf 'prove-fresh: %s\n' "$*" >&2; }
fail() {
  printf 'prove-fresh: %s\nprove-fresh: next: %s\n' "$1" "$2" >&2
  exit 1
}

# The second half, in the new namespaces: inside ROOT USER TWICE COMMAND …
if [ "${1:-}" = --inside ]; then
  root=$2 user=$3 twice=$4
  shift 4
  # Not under the chroot's own /dev: a fresh one, with what a container has.
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys" 2>/dev/null || true
  mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"

  home=/root
  [ "$user" = root ] || home=/home/$user
  settings=()
  while IFS= read -r setting; do settings+=("$setting"); done < <(env | grep '^MIG_' || true)
  # No controlling terminal and an empty environment: what an unattended machine gives.
  run() {
    local status=0
    SECONDS=0
    chroot "$root" /usr/bin/setpriv --reuid="$user" --regid="$user" --init-groups \
      /usr/bin/env -i HOME="$home" USER="$user" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      LANG=C.UTF-8 "${settings[@]}" /bin/bash -c 'cd ~/mig && "$@"' prove-fresh "$@" </dev/null || status=$?
    say "$1 as $user: exit status $status after $SECONDS s"
    return $status
  }
  run "$@"
  if [ "$twice" = yes ]; then run "$@"; fi
  exit 0
fi

user=root twice=no
while [ $# -gt 0 ]; do
  case $1 in
    --user) user=investigator ;;
    --twice) twice=yes ;;
    -*) fail "unknown option $1" 'packaging/prove-fresh.sh [--user] [--twice] COMMAND …' ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || fail 'no command' 'packaging/prove-fresh.sh packaging/quickstart.sh'
[ "$(id -u)" -eq 0 ] || fail 'a chroot needs root' 'run this as root'
for tool in debootstrap git unshare; do
  command -v "$tool" >/dev/null || fail "$tool is not installed" "apt-get install $tool"
done

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${MIG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mig}
folder=${MIG_PROOF_FOLDER:-/var/tmp}
unset MIG_CACHE MIG_PROOF_FOLDER
mkdir -p "$cache"
base=$cache/mig-$suite-$(dpkg --print-architecture).tar
commit=$(git -C "$repository" rev-parse HEAD)
[ -z "$(git -C "$repository" status --porcelain)" ] ||
  say 'remark: changes that are not committed are not part of the proof'

root=$(mktemp -d "$folder/mig-fresh.XXXXXX")
chmod 755 "$root"
# All mounts are in a namespace that has ended by then; --one-file-system is for a kernel that
# thinks otherwise.
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ ! -s "$base" ]; then
  mirror=$(apt-get indextargets 'Created-By: Packages' "Codename: $suite" 'Component: main' \
    --format "$mirror_of" 2>/dev/null | head -n 1) || true
  [ -n "$mirror" ] || mirror=$(apt-get indextargets 'Created-By: Packages' "Release: $suite" \
    --format "$mirror_of" 2>/dev/null | head -n 1) || true
  [ -n "$mirror" ] || fail "apt's sources here name no mirror of $suite" 'configure one'
  say "making a minimal $suite from $mirror"
  debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$cache/debootstrap.log" 2>&1 ||
    fail 'debootstrap failed' "see $cache/debootstrap.log"
  # The new system asks the same mirrors in the same way, updates included, as an installed one does.
  cp -r /etc/apt/sources.list.d/. "$root/etc/apt/sources.list.d/"
  if [ -f /etc/apt/sources.list ]; then
    cp /etc/apt/sources.list "$root/etc/apt/sources.list"
  else
    rm -f "$root/etc/apt/sources.list"
  fi
  apt-config dump | grep -E '^Acquire::(Check-|https?::Proxy)' >"$root/etc/apt/apt.conf.d/90mirror" || true
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -C "$root" --one-file-system -cf "$base.$$" . && mv "$base.$$" "$base"
else
  say "a minimal $suite from $base"
  tar -C "$root" -xf "$base"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$(uname -n)" >"$root/etc/hosts"

home=$root/root
if [ "$user" != root ]; then
  say "a user $user with sudo"
  chroot "$root" /bin/bash -c "set -e; export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update; apt-get -qq -y install --no-install-recommends sudo
    useradd --create-home --shell /bin/bash $user
    echo '$user ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/$user
    rm -rf /var/lib/apt/lists/*" >"$cache/prove-fresh.log" 2>&1 </dev/null ||
    fail 'the user could not be made' "see $cache/prove-fresh.log"
  home=$root/home/$user
fi
git clone --quiet --no-hardlinks "$repository" "$home/mig"
git -C "$home/mig" checkout --quiet "$commit"
if [ "$user" != root ]; then chroot "$root" chown -R "$user:$user" "/home/$user/mig"; fi

say "running $* at $(git -C "$repository" log -1 --format='%h %s' "$commit")"
unshare --mount --propagation private --pid --fork --kill-child \
  "${BASH_SOURCE[0]}" --inside "$root" "$user" "$twice" "$@"
