#include <catch2/catch.hpp>

#include "proto/target.h"

using namespace mig;

namespace {

std::string Words(std::string_view text) {
  auto target = Target::Parse(text);
  INFO(text);
  REQUIRE(target);
  return target->Words();
}

}  // namespace

TEST_CASE("target words: what an expression asks, in words", "[proto]") {
  CHECK(Words("all").empty());
  CHECK(Words("NOT all") == "it is not so that it is any machine");
  CHECK(Words("status='online'") == "the server's word for its status is 'online'");
  CHECK(Words("name LIKE 'web%'") == "the name begins with 'web'");
  CHECK(Words("name LIKE '%web'") == "the name ends with 'web'");
  CHECK(Words("name ILIKE '%web%'") == "the name contains 'web', upper or lower case");
  CHECK(Words("name LIKE 'web'") == "the name is 'web'");
  CHECK(Words("name LIKE 'w_b%'") == "the name looks like 'w_b%' (% any text, _ one character)");
  CHECK(Words("name !~ '^db[0-9]+'") ==
        "it is not so that the name matches the regular expression '^db[0-9]+'");
  CHECK(Words("name NOT IN ('a', 'b')") == "the name is not one of 'a', 'b'");
  CHECK(Words("environment->>'os' = 'linux'") == "the environment's 'os' is 'linux'");
  CHECK(Words("tags->>'operator' IS NULL") == "the tag 'operator' is not there");
  CHECK(Words("heartbeattime > now - 1h") == "its last heartbeat was after 1h ago");
  CHECK(Words("notfound(3t4uxh5p7ysolzdtxgzkjnvwaq)") ==
        "the server says that it found nothing in action 3t4uxh5p7ysolzdtxgzkjnvwaq");
}

TEST_CASE("target words: AND and OR keep their grouping, and a quote cannot end a text",
          "[proto]") {
  CHECK(Words("name = 'a' AND (name = 'b' OR NOT name = 'c')") ==
        "the name is 'a' and (the name is 'b' or it is not so that the name is 'c')");
  CHECK(Words("name = 'a' AND name = 'b' OR name = 'c'") ==
        "(the name is 'a' and the name is 'b') or the name is 'c'");
  CHECK(Words("name = 'x'' or the name is ''y'") == "the name is 'x'' or the name is ''y'");
}

TEST_CASE("target words: what only the server knows is told apart", "[proto]") {
  const auto asks = [](std::string_view text) { return Target::Parse(text)->AsksTheServer(); };
  CHECK(asks("name = 'a' AND NOT status = 'online'"));
  CHECK(asks("found(3t4uxh5p7ysolzdtxgzkjnvwaq)"));
  CHECK(asks("heartbeattime > now - 1h OR name = 'a'"));
  CHECK_FALSE(asks("name = 'a' AND tags->>'x' IS NULL"));
  CHECK_FALSE(asks("all"));
}
