// What a process of ours does before anything else.
#pragma once

namespace mig {

// Ignores SIGPIPE (a closed peer is an error value, not a death), and in the static executable
// keeps the C library from loading NSS modules: without this a missed getpwnam crashes where
// nsswitch.conf says `passwd: files systemd`, Debian's default. Users from LDAP or sssd are
// therefore not seen, by name; numbers are shown instead.
void PrepareProcess();

}  // namespace mig
