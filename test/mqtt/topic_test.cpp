#include "mqtt/topic.h"

#include <catch2/catch.hpp>

using namespace mig::mqtt;

TEST_CASE("topic filter: # matches the parent level itself", "[mqtt]") {  // section 4.7.1.2
  CHECK(Matches("sport/#", "sport"));
  CHECK(Matches("sport/#", "sport/tennis/player1"));
  CHECK_FALSE(Matches("sport/#", "sports"));
  CHECK(Matches("#", "sport"));
}

TEST_CASE("topic filter: + matches exactly one level, also an empty one", "[mqtt]") {
  CHECK(Matches("sport/tennis/+", "sport/tennis/player1"));
  CHECK_FALSE(Matches("sport/tennis/+", "sport/tennis/player1/ranking"));
  CHECK_FALSE(Matches("sport/+", "sport"));
  CHECK(Matches("sport/+", "sport/"));
  CHECK(Matches("+/+", "/finance"));
  CHECK(Matches("/+", "/finance"));
  CHECK_FALSE(Matches("+", "/finance"));
  CHECK(Matches("+/tennis/#", "sport/tennis"));
}

TEST_CASE("topic filter: a leading wildcard does not reach $ topics", "[mqtt]") {  // 4.7.2
  CHECK_FALSE(Matches("#", "$SYS/uptime"));
  CHECK_FALSE(Matches("+/monitor/Clients", "$SYS/monitor/Clients"));
  CHECK(Matches("$SYS/#", "$SYS/uptime"));
  CHECK(Matches("$SYS/monitor/+", "$SYS/monitor/Clients"));
}

TEST_CASE("topic filter: names are compared byte by byte", "[mqtt]") {  // section 4.7.3
  CHECK_FALSE(Matches("ACCOUNTS", "Accounts"));
  CHECK_FALSE(Matches("/finance", "finance"));
  CHECK_FALSE(Matches("a/b", "a/b/"));
  CHECK_FALSE(Matches("a/b/", "a/b"));
  CHECK(Matches("Accounts payable", "Accounts payable"));
}

TEST_CASE("topic filter: wildcards stand alone in their level, # only at the end", "[mqtt]") {
  for (const char* good : {"#", "+", "sport/#", "sport/+/player1", "+/+/#", "/", "//", "$share/g/a",
                           "$share/g/#", "$share/g//", "$sharex", "a b"}) {
    INFO(good);
    CHECK(CheckFilter(good));
  }
  for (const char* bad : {"", "sport+", "sport/tennis#", "#/a", "sport/#/ranking", "+a", "a/b+/c",
                          "$share", "$share/", "$share/g", "$share//a", "$share/g/", "$share/+/a",
                          "$share/g#/a", "$share/ab#"}) {
    INFO(bad);
    CHECK_FALSE(CheckFilter(bad));
  }
  CHECK_FALSE(CheckFilter(std::string_view("a\0b", 3)));
  CHECK_FALSE(CheckFilter(std::string(65'536, 'a')));
}

TEST_CASE("topic name: wildcards and emptiness are refused", "[mqtt]") {
  CHECK(CheckTopicName("a/b"));
  CHECK(CheckTopicName("/"));
  for (const char* bad : {"", "a/+", "#", "a#"}) CHECK_FALSE(CheckTopicName(bad));
}

TEST_CASE("topic filter: a right covers only what it matches as a whole", "[mqtt]") {
  CHECK(Covers("a/#", "a/b/c"));
  CHECK(Covers("a/#", "a/+/#"));
  CHECK(Covers("a/#", "a"));
  CHECK(Covers("a/+/c", "a/b/c"));
  CHECK(Covers("a/+/c", "a/+/c"));
  CHECK_FALSE(Covers("a/+", "a/#"));
  CHECK_FALSE(Covers("a/b/#", "a/+/c"));
  CHECK_FALSE(Covers("a/b/#", "a/#"));
  CHECK_FALSE(Covers("a/b", "a/b/c"));
  CHECK_FALSE(Covers("a/b/c", "a/b"));
  CHECK_FALSE(Covers("#", "$SYS/#"));
  CHECK(Covers("#", "#"));
  CHECK(Covers("+/#", "#"));  // a name has one level at least
  CHECK_FALSE(Covers("a/+/#", "a/#"));
}

TEST_CASE("topic filter: two overlap if some name is matched by both", "[mqtt]") {
  const auto overlap = [](std::string_view a, std::string_view b) {
    CHECK(Overlap(a, b) == Overlap(b, a));
    return Overlap(a, b);
  };
  CHECK(overlap("a/+", "+/b"));
  CHECK(overlap("a/#", "a"));
  CHECK(overlap("a/b/#", "a/+"));
  CHECK(overlap("a/#", "+/b/c"));
  CHECK(overlap("$SYS/+", "$SYS/#"));
  CHECK_FALSE(overlap("a/+", "a"));
  CHECK_FALSE(overlap("a/+", "b/#"));
  CHECK_FALSE(overlap("a/b/c", "a/b"));
  CHECK_FALSE(overlap("#", "$SYS/#"));
  CHECK_FALSE(overlap("+/b", "$SYS/b"));
}

TEST_CASE("topic filter: a shared one is share name and filter", "[mqtt]") {
  const auto shared = SplitShared("$share/scheduler/mig/v1/up/#");
  REQUIRE(shared);
  CHECK(shared->share == "scheduler");
  CHECK(shared->filter == "mig/v1/up/#");
  CHECK_FALSE(SplitShared("mig/v1/up/#"));
}

TEST_CASE("topic: messages show a long one by its beginning, as whole characters", "[mqtt]") {
  CHECK(Quoted("a/b") == "`a/b`");
  CHECK(Quoted(std::string(80, 'x')) == "`" + std::string(80, 'x') + "`");
  CHECK(Quoted(std::string(65'535, 'x')) == "`" + std::string(80, 'x') + "…`");
  std::string umlauts = "x";
  for (int i = 0; i < 100; ++i) umlauts += "ü";
  CHECK(Quoted(umlauts) == "`" + umlauts.substr(0, 79) + "…`");
}
