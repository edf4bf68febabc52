#include "proto/command.h"

#include <catch2/catch.hpp>

#include "test/golden/golden.h"

using namespace mig;

TEST_CASE("command: unknown fields of a newer courier are ignored", "[proto]") {
  json::object fields = *json::ParseObject(Golden("command.v1.json"));
  fields["trace"] = "x";
  const auto command = DecodeCommand(json::Write(fields));
  REQUIRE(command);
  CHECK(EncodeCommand(*command) == Golden("command.v1.json"));
}

TEST_CASE("command: without an envelope, or too large, it is refused", "[proto]") {
  CHECK_FALSE(DecodeCommand("{}"));
  CHECK_FALSE(DecodeCommand(R"({"action":"x"})"));
  CHECK(DecodeCommand("").error().code() == Errc::kMalformed);
  const Bytes large = R"({"action":{},"x":")" + Bytes(kMaxCommandBytes, 'x') + "\"}";
  CHECK(DecodeCommand(large).error().code() == Errc::kMalformed);
}

TEST_CASE("control: what is encoded is decoded", "[proto]") {
  for (const char* name : {"acknowledgement.v1.json", "held.v1.json", "policy-update.v1.json"}) {
    CHECK(EncodeControl(*DecodeControl(Golden(name))) == Golden(name));
  }
}

TEST_CASE("control: a type of a newer courier is told from damage", "[proto]") {
  CHECK(DecodeControl(R"({"type":"checkpoint","x":1})").error().code() == Errc::kUnsupported);
  CHECK(DecodeControl(R"({"type":7})").error().code() == Errc::kInvalid);
  CHECK(DecodeControl("{}").error().code() == Errc::kInvalid);
  CHECK(DecodeControl("[").error().code() == Errc::kMalformed);
}

TEST_CASE("control: an acknowledgement names at most 256 parts", "[proto]") {
  Acknowledgement acknowledgement;
  acknowledgement.action = *ActionId::FromBytes(Bytes(16, 'a'));
  acknowledgement.parts.assign(256, 7);
  acknowledgement.parts[255] = ~std::uint64_t{0};  // travels as a string
  const auto read = DecodeControl(EncodeControl(acknowledgement));
  REQUIRE(read);
  CHECK(std::get<Acknowledgement>(*read).parts == acknowledgement.parts);
  acknowledgement.parts.push_back(8);
  CHECK_FALSE(DecodeControl(EncodeControl(acknowledgement)));
  for (const char* parts : {"7", "[-1]", "[1.0]", "[null]"}) {
    CHECK_FALSE(DecodeControl(R"({"type":"acknowledgement","action":"aaaqeayeaudaocajbifqydiob4",)"
                              R"("parts":)" +
                              std::string(parts) + "}"));
  }
}

TEST_CASE("control: a policy comes with its roots", "[proto]") {
  CHECK_FALSE(DecodeControl(R"({"type":"policy","roots":[],"policy":{}})"));
  CHECK_FALSE(DecodeControl(R"({"type":"policy","roots":[7],"policy":{}})"));
  CHECK_FALSE(DecodeControl(R"({"type":"policy","roots":[{}]})"));
  CHECK(DecodeControl(R"({"type":"policy","roots":[{}],"policy":{}})"));
  const Bytes large =
      R"({"type":"policy","roots":[{}],"policy":{},"x":")" + Bytes(kMaxControlBytes, 'x') + "\"}";
  CHECK(DecodeControl(large).error().code() == Errc::kMalformed);
}
