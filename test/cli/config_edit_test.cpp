#include "cli/config_edit.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::cli;

TEST_CASE("config edit: one line changes, and every other byte stays", "[cli]") {
  const std::string text =
      "# ours\napi: https://a\n\nkey: me.key # mine\n# key: other\n  key: inner\norg: x\n";
  CHECK(SetTopLevelValue(text, "key", "gpg:ABC").value() ==
        "# ours\napi: https://a\n\nkey: \"gpg:ABC\"  # mine\n# key: other\n  key: inner\norg: x\n");
  CHECK(SetTopLevelValue("key:\r\nx: 1", "key", "a").value() == "key: \"a\"\nx: 1\n");
}

TEST_CASE("config edit: what was not there is added at the end", "[cli]") {
  CHECK(SetTopLevelValue("", "key", "a").value() == "key: \"a\"\n");
  CHECK(SetTopLevelValue("keys: 1", "key", "a").value() == "keys: 1\nkey: \"a\"\n");
}

TEST_CASE("config edit: quotes and number signs in values are no comments", "[cli]") {
  CHECK(SetTopLevelValue("key: \"a # b\"\n", "key", "c").value() == "key: \"c\"\n");
  CHECK(SetTopLevelValue("key: a#b\n", "key", "c").value() == "key: \"c\"\n");
  CHECK(SetTopLevelValue("", "key", "a\"b\\c").value() == "key: \"a\\\"b\\\\c\"\n");
}

TEST_CASE("config edit: a value over several lines, or twice, is left to its owner", "[cli]") {
  CHECK_FALSE(SetTopLevelValue("key: >\n  me.key\n", "key", "a"));
  CHECK_FALSE(SetTopLevelValue("key: a\nkey: b\n", "key", "c"));
}
