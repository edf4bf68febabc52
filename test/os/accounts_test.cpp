#include "os/accounts.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::os;

TEST_CASE("accounts: lines of passwd and group, the first of a name or number counts", "[os]") {
  const Accounts accounts = Accounts::Parse(
      "root:x:0:0:root:/root:/bin/bash\n"
      "toor:x:0:0::/root:/bin/sh\n"
      "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
      "www-data:x:34:34::/:/bin/false\n"
      "+nis\n"
      "broken:x:minus:\n"
      ":x:7:\n"
      "last:x:4294967295:");
  CHECK(accounts.NumberOf("www-data") == 33u);
  CHECK(accounts.NumberOf("toor") == 0u);
  CHECK(accounts.NumberOf("last") == 4'294'967'295u);
  CHECK_FALSE(accounts.NumberOf("broken"));
  CHECK_FALSE(accounts.NumberOf(""));
  REQUIRE(accounts.NameOf(0) != nullptr);
  CHECK(*accounts.NameOf(0) == "root");
  CHECK(accounts.NameOf(7) == nullptr);
}

TEST_CASE("accounts: this machine's files are read", "[os]") {
  const auto users = ReadAccounts(kUsersFile);
  REQUIRE(users);
  CHECK(users->NumberOf("root") == 0u);
  CHECK_FALSE(ReadAccounts("/nowhere/passwd"));
}
