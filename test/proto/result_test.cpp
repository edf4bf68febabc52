#include "proto/result.h"

#include <catch2/catch.hpp>

#include "test/golden/golden.h"

using namespace mig;

namespace {

json::value Document(std::string_view name) { return *json::Parse(Golden(name)); }

}  // namespace

TEST_CASE("result: every status is found by its name, and the late ones are final", "[proto]") {
  for (int i = 0; i <= static_cast<int>(CommandStatus::kInterrupted); ++i) {
    const auto status = static_cast<CommandStatus>(i);
    CHECK(*ParseCommandStatus(CommandStatusName(status)) == status);
    CHECK(IsFinal(status) == (i > static_cast<int>(CommandStatus::kRunning)));
  }
  for (int i = 0; i <= static_cast<int>(ActionStatus::kInvalid); ++i) {
    const auto status = static_cast<ActionStatus>(i);
    CHECK(*ParseActionStatus(ActionStatusName(status)) == status);
    CHECK(IsFinal(status) == (i > static_cast<int>(ActionStatus::kInflight)));
  }
  CHECK_FALSE(ParseCommandStatus("completed"));
  CHECK_FALSE(ParseActionStatus("running"));
  CHECK_FALSE(ParseActionStatus(""));
}

TEST_CASE("result: what is encoded is decoded, byte for byte", "[proto]") {
  CHECK(EncodeReceipt(*DecodeReceipt(Golden("receipt.v1.json"))) == Golden("receipt.v1.json"));
  CHECK(EncodeResultPart(*DecodeResultPart(Golden("result.v1.json"))) == Golden("result.v1.json"));
  CHECK(EncodeResultPart(*DecodeResultPart(Golden("result-last.v1.json"))) ==
        Golden("result-last.v1.json"));
  CHECK(EncodeHeartbeat(*DecodeHeartbeat(Golden("heartbeat.v1.json"))) ==
        Golden("heartbeat.v1.json"));
  CHECK(EncodePresence(*DecodePresence(Golden("presence.v1.json"))) == Golden("presence.v1.json"));
}

TEST_CASE("result: fields of a newer agent are ignored at every level", "[proto]") {
  json::value receipt = Document("receipt.v1.json");
  receipt.as_object()["mood"] = 1.5;
  receipt.at("ledger").as_object()["x"] = nullptr;
  CHECK(DecodeReceipt(json::Write(receipt)));
  json::value part = Document("result-last.v1.json");
  part.as_object()["x"] = 1;
  part.at("summary").as_object()["x"] = 1;
  CHECK(DecodeResultPart(json::Write(part)));
  json::value first = Document("result.v1.json");
  first.at("elements").at(0).as_object()["x"] = 1;
  CHECK(DecodeResultPart(json::Write(first)));
  json::value heartbeat = Document("heartbeat.v1.json");
  heartbeat.as_object()["x"] = 1;
  heartbeat.at("environment").as_object()["gpu"] = json::array();
  CHECK(DecodeHeartbeat(json::Write(heartbeat)));
  json::value presence = Document("presence.v1.json");
  presence.as_object()["x"] = 1;
  CHECK(DecodePresence(json::Write(presence)));
}

TEST_CASE("receipt: a state we know, and a code where it refuses", "[proto]") {
  json::value receipt = Document("receipt.v1.json");
  receipt.as_object().erase("code");
  CHECK(DecodeReceipt(json::Write(receipt)).error().message() == "receipt: code: is missing");
  receipt.at("state") = "received";
  CHECK(DecodeReceipt(json::Write(receipt)));
  receipt.at("state") = "ignored";
  CHECK_FALSE(DecodeReceipt(json::Write(receipt)));
  receipt.at("state") = "busy";
  receipt.at("ledger").at("head") = EncodeBase64("short");
  CHECK_FALSE(DecodeReceipt(json::Write(receipt)));
}

TEST_CASE("receipt: a detail that is not UTF-8 arrives intact", "[proto]") {
  Receipt receipt = *DecodeReceipt(Golden("receipt.v1.json"));
  receipt.detail = "cannot open \xff";
  CHECK(DecodeReceipt(EncodeReceipt(receipt))->detail == receipt.detail);
}

TEST_CASE("result part: the chain begins at part 0 and nowhere else", "[proto]") {
  json::value first = Document("result.v1.json");
  first.as_object()["previous"] = EncodeBase64(Bytes(32, 'x'));
  CHECK_FALSE(DecodeResultPart(json::Write(first)));
  first.at("seq") = 1;
  CHECK(DecodeResultPart(json::Write(first)));
  first.at("previous") = EncodeBase64(Bytes(31, 'x'));
  CHECK_FALSE(DecodeResultPart(json::Write(first)));
  first.as_object().erase("previous");
  CHECK_FALSE(DecodeResultPart(json::Write(first)));
}

TEST_CASE("result part: the last one, and only it, has the command's final status", "[proto]") {
  json::value last = Document("result-last.v1.json");
  last.at("last") = false;
  CHECK_FALSE(DecodeResultPart(json::Write(last)));
  last.at("last") = true;
  last.at("status") = "running";
  CHECK_FALSE(DecodeResultPart(json::Write(last)));
  last.as_object().erase("status");
  CHECK_FALSE(DecodeResultPart(json::Write(last)));
  last.as_object()["status"] = "timeout";
  last.at("summary").at("status") = "sent";
  CHECK_FALSE(DecodeResultPart(json::Write(last)));
}

TEST_CASE("result part: elements are objects with a value", "[proto]") {
  json::value part = Document("result.v1.json");
  part.at("elements").at(0).as_object().erase("value");
  CHECK(DecodeResultPart(json::Write(part)).error().message() ==
        "result: elements[0].value: is missing");
  part.at("elements") = json::array{7};
  CHECK_FALSE(DecodeResultPart(json::Write(part)));
  part.as_object().erase("elements");
  CHECK(DecodeResultPart(json::Write(part)));
}

TEST_CASE("heartbeat: what cannot be read of the environment is absent, the rest counts",
          "[proto]") {
  json::value heartbeat = Document("heartbeat.v1.json");
  heartbeat.at("environment").at("os") = 7;
  heartbeat.at("environment").at("addresses") = json::array{"192.0.2.1/32", 7};
  const auto read = DecodeHeartbeat(json::Write(heartbeat));
  REQUIRE(read);
  CHECK(read->environment.os.empty());
  CHECK(read->environment.arch == "amd64");
  CHECK(read->environment.addresses == std::vector<std::string>{"192.0.2.1/32"});
  CHECK(DecodeEnvironment({}) == Environment());
}

TEST_CASE("heartbeat: who it is from, and when, must be there", "[proto]") {
  for (const char* key : {"agent", "name", "version", "time", "started", "environment", "ledger"}) {
    json::value heartbeat = Document("heartbeat.v1.json");
    heartbeat.as_object().erase(key);
    INFO(key);
    CHECK_FALSE(DecodeHeartbeat(json::Write(heartbeat)));
  }
  json::value heartbeat = Document("heartbeat.v1.json");
  heartbeat.at("modules").at("file") = "one";
  CHECK_FALSE(DecodeHeartbeat(json::Write(heartbeat)));
}

TEST_CASE("presence: on is true or false", "[proto]") {
  json::value presence = Document("presence.v1.json");
  presence.at("on") = false;
  CHECK_FALSE(DecodePresence(json::Write(presence))->on);
  for (const json::value& v : {json::value(1), json::value("true"), json::value(nullptr)}) {
    presence.at("on") = v;
    CHECK_FALSE(DecodePresence(json::Write(presence)));
  }
  presence.as_object().erase("on");
  CHECK_FALSE(DecodePresence(json::Write(presence)));
}
