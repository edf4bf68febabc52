#!/usr/bin/env bash
# The Debian package, unpacked: the executable runs from it, it depends on nothing, and what the
# units start is there and a role that the executable knows.
#   package_test.sh BUILD_FOLDER
set -euo pipefail

if ! command -v dpkg-deb >/dev/null; then
  echo 'mig-test-skipped: no dpkg-deb here'
  exit 0
fi
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work/made"
dpkg-deb -x "$work"/made/*.deb "$work/root"
dpkg-deb -f "$work"/made/*.deb | grep -q '^Depends' && { echo 'the package depends on something'; exit 1; }

"$work/root/usr/bin/mig" --version
roles=$("$work/root/usr/bin/mig" --list)
units=0
for unit in "$work"/root/usr/lib/systemd/system/*.service; do
  started=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")
  echo "$(basename "$unit"): $started"
  [ -x "$work/root$started" ] || { echo "$started is not in the package"; exit 1; }
  grep -qx "${started##*/mig-}" <<<"$roles" || { echo "mig --list has no such role"; exit 1; }
  units=$((units + 1))
done
[ "$units" -eq 4 ] || { echo "$units units instead of 4"; exit 1; }
for notice in LICENSE copyright third-party/libssl-dev.copyright third-party/paho.mqtt.cpp/edl-v10; do
  [ -s "$work/root/usr/share/doc/mig/$notice" ] || { echo "$notice is not in the package"; exit 1; }
done
