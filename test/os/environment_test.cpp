#include "os/environment.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::os;

TEST_CASE("environment: PRETTY_NAME is the ident, with its quotes taken off", "[os]") {
  CHECK(IdentFromOsRelease("NAME=\"Debian GNU/Linux\"\n"
                           "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n") ==
        "Debian GNU/Linux 12 (bookworm)");
  CHECK(IdentFromOsRelease("# PRETTY_NAME=no\nNAME=Alpine\nVERSION='3.19 \"x\"'\r\n") ==
        "Alpine 3.19 \"x\"");
  CHECK(IdentFromOsRelease("PRETTY_NAME=\"a \\\"b\\\" \\$c\"") == "a \"b\" $c");
  CHECK(IdentFromOsRelease("NAME=Arch") == "Arch");
  CHECK(IdentFromOsRelease("").empty());
  CHECK(IdentFromOsRelease("PRETTY_NAME=\"\xff\"").empty());
}

TEST_CASE("environment: the init system is told from process 1", "[os]") {
  using namespace std::string_view_literals;
  CHECK(InitFlavour("/lib/systemd/systemd\0--system\0"sv, "") == "systemd");
  CHECK(InitFlavour("/sbin/init\0splash\0"sv, "/lib/systemd/systemd") == "systemd");
  CHECK(InitFlavour("/sbin/init\0"sv, "upstart") == "upstart");
  CHECK(InitFlavour("init [2]\0"sv, "") == "sysvinit");
  CHECK(InitFlavour("/sbin/init\0"sv, "") == "sysvinit");
  CHECK(InitFlavour("/sbin/init\0"sv, "/bin/busybox") == "busybox");
  CHECK(InitFlavour("/usr/bin/tini\0--\0"sv, "") == "tini");
  CHECK(InitFlavour("", "/lib/systemd/systemd").empty());
}

TEST_CASE("environment: a short name is completed from the hosts file, and only from there",
          "[os]") {
  const std::string_view hosts =
      "127.0.0.1 localhost.localdomain localhost\n"
      "# 127.0.1.1 no.example.net web1\n"
      "127.0.1.1\tweb1.example.net\tweb1 # us\n"
      "10.0.0.2 web12.example.net\n";
  CHECK(FullyQualifiedName("web1", hosts) == "web1.example.net");
  CHECK(FullyQualifiedName("web1.other.org", hosts) == "web1.other.org");
  CHECK(FullyQualifiedName("web2", hosts) == "web2");
  CHECK(FullyQualifiedName("web12", hosts) == "web12.example.net");
  CHECK(FullyQualifiedName("db", "10.0.0.1 db alias.example.net db.example.net") ==
        "db.example.net");
  CHECK(FullyQualifiedName("db", "10.0.0.1 db.ex\x1b[31m db") == "db");
  CHECK(FullyQualifiedName("", hosts) == "localhost");
}

TEST_CASE("environment: addresses are CIDR, loopback is left out", "[os]") {
  const auto bytes = [](std::initializer_list<int> list) {
    Bytes out;
    for (const int byte : list) out.push_back(static_cast<char>(byte));
    return out;
  };
  CHECK(FormatCidr(bytes({192, 0, 2, 7}), bytes({255, 255, 255, 0})) == "192.0.2.7/24");
  CHECK(FormatCidr(bytes({127, 0, 0, 1}), bytes({255, 0, 0, 0})).empty());
  CHECK(FormatCidr(bytes({127, 9, 9, 9}), bytes({255, 0, 0, 0})).empty());
  const Bytes mask64 = Bytes(8, '\xff') + Bytes(8, '\0');
  const Bytes mask128(16, '\xff');
  CHECK(FormatCidr(bytes({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xab, 0xc}), mask64) ==
        "fe80::1:0:0:ab0c/64");
  CHECK(FormatCidr(bytes({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}), mask128) ==
        "2001:db8:0:1:1:1:1:1/128");
  CHECK(FormatCidr(bytes({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), mask64) ==
        "2001:db8::/64");
  CHECK(FormatCidr(Bytes(15, '\0') + "\1", mask128).empty());
  CHECK(FormatCidr("abc", "abc").empty());
  CHECK(FormatCidr(bytes({1, 2, 3, 4}), mask128).empty());
}

TEST_CASE("environment: this machine has a name, a system and a kernel", "[os]") {
  const Environment here = DiscoverEnvironment();
  CHECK_FALSE(here.hostname.empty());
  CHECK(here.os == "linux");
  CHECK_FALSE(here.arch.empty());
  CHECK_FALSE(here.kernel.empty());
  for (const std::string& address : here.addresses) {
    CHECK(address.find('/') != std::string::npos);
    CHECK_FALSE(address.starts_with("127."));
  }
}
