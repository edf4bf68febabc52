#include "proto/ids.h"

#include <catch2/catch.hpp>

#include "proto/kind.h"

using namespace mig;

TEST_CASE("ids: text and bytes are two forms of one id", "[proto]") {
  const auto id = ActionId::FromBytes(Bytes("0123456789abcdef"));
  REQUIRE(id);
  CHECK(id->Text().size() == ActionId::kTextLength);
  CHECK(*ActionId::Parse(id->Text()) == *id);
  CHECK_FALSE(id->IsNone());
  CHECK(ActionId().IsNone());
}

TEST_CASE("ids: one id has one text", "[proto]") {
  const std::string text = ActionId::FromBytes(Bytes(16, '\xff'))->Text();
  CHECK_FALSE(ActionId::Parse(text.substr(1)));
  CHECK_FALSE(ActionId::Parse(text + "a"));
  CHECK_FALSE(ActionId::Parse("7" + text.substr(1, 24) + "7"));  // stray bits at the end
  std::string upper = text;
  upper[0] = 'A';
  CHECK_FALSE(ActionId::Parse(upper));
  CHECK(ActionId::Parse("").error().message() == "`` is not an action id (26 characters a-z2-7)");
  CHECK_FALSE(ActionId::FromBytes(Bytes(15, 'x')));
}

TEST_CASE("kind: every kind is found by its name and nothing else is", "[proto]") {
  for (const Kind kind : {Kind::kInvestigate, Kind::kRespond, Kind::kAdmin, Kind::kStop}) {
    CHECK(*ParseKind(KindName(kind)) == kind);
  }
  CHECK(ParseKind("Investigate").error().code() == Errc::kUnsupported);
  CHECK_FALSE(ParseKind(""));
}
