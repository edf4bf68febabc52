#include "proto/policy.h"

#include <catch2/catch.hpp>

#include "proto/strict_document.h"
#include "test/golden/golden.h"

using namespace mig;

namespace {

// The golden policy after `change`, which gets its JSON.
template <typename F>
Expected<Policy> Changed(F change) {
  json::value document = *json::Parse(Golden("policy.v1.json"));
  change(document);
  return DecodePolicy(json::Write(document));
}

template <typename F>
std::string MessageOf(F change) {
  const auto policy = Changed(change);
  REQUIRE_FALSE(policy);
  return policy.error().message();
}

template <typename F>
Expected<Root> ChangedRoot(F change) {
  json::value document = *json::Parse(Golden("root.v1.json"));
  change(document);
  return DecodeRoot(json::Write(document));
}

json::value Key(char fill) {
  return json::object{{"type", "ed25519"}, {"key", EncodeBase64(Bytes(32, fill))}};
}

}  // namespace

TEST_CASE("policy: what is encoded is decoded, byte for byte", "[proto]") {
  CHECK(EncodePolicy(*DecodePolicy(Golden("policy.v1.json"))) == Golden("policy.v1.json"));
  CHECK(EncodeRoot(*DecodeRoot(Golden("root.v1.json"))) == Golden("root.v1.json"));
}

TEST_CASE("policy: one key belongs to one person, in whatever form", "[proto]") {
  const auto with_key = [](json::value key) {
    return MessageOf([&](json::value& p) { p.at("people").at(1).at("keys").as_array() = {key}; });
  };
  const json::value ann =
      json::Parse(Golden("policy.v1.json"))->at("people").at(0).at("keys").at(0);
  CHECK(with_key(ann) == "policy: people: has one key with `ann` and with `bob.smith`");
  // The same bytes under another type's name.
  json::value disguised = ann;
  disguised.at("type") = "other";
  CHECK(with_key(disguised) == "policy: people: has one key with `ann` and with `bob.smith`");
  CHECK(MessageOf([&](json::value& p) {
          p.at("people").at(0).at("keys").as_array().push_back(ann);
        }) == "policy: people[0].keys: has the same key twice");
  CHECK(Changed(
      [](json::value& p) { p.at("people").at(0).at("keys").as_array().push_back(Key('x')); }));
}

TEST_CASE("policy: a person's id is used once, and is plain", "[proto]") {
  CHECK(MessageOf([](json::value& p) { p.at("people").at(2).at("id") = "ann"; }) ==
        "policy: people: has `ann` twice");
  for (const std::string& id : {std::string(), std::string("Ann"), std::string("a b"),
                                std::string("a/b"), std::string(65, 'a')}) {
    CHECK_FALSE(Changed([&](json::value& p) { p.at("people").at(2).at("id") = id; }));
  }
  CHECK_FALSE(Changed([](json::value& p) { p.at("people").at(2).at("status") = "gone"; }));
  CHECK_FALSE(Changed([](json::value& p) { p.at("people").at(2).at("name") = ""; }));
}

TEST_CASE("policy: keys of other types are kept, and ed25519 has 32 bytes", "[proto]") {
  const auto policy = Changed([](json::value& p) {
    p.at("people").at(2).at("keys").as_array() = {
        json::object{{"type", "sk-ssh-ed25519"}, {"key", EncodeBase64(Bytes(80, 'x'))}}};
  });
  REQUIRE(policy);
  CHECK(policy->people[2].keys[0].type == "sk-ssh-ed25519");
  for (const std::size_t size : {std::size_t{0}, std::size_t{31}, std::size_t{33}}) {
    CHECK_FALSE(Changed([&](json::value& p) {
      p.at("people").at(2).at("keys").at(0).at("key") = EncodeBase64(Bytes(size, 'x'));
    }));
  }
  CHECK_FALSE(Changed(
      [](json::value& p) { p.at("people").at(2).at("keys").at(0).at("type") = "Ed25519"; }));
}

TEST_CASE("policy: a weight for nobody, or out of range, is refused", "[proto]") {
  CHECK(MessageOf([](json::value& p) {
          p.at("modules").at("file").at("weights").as_object()["anna"] = 1;
        }) == "policy: modules.file.weights.anna: is nobody's id among the people");
  for (const json::value& weight : {json::value(-1), json::value(1'000'001), json::value("1")}) {
    CHECK_FALSE(Changed(
        [&](json::value& p) { p.at("modules").at("file").at("weights").at("ann") = weight; }));
  }
  // Zero would let an action without any weight pass.
  CHECK_FALSE(Changed([](json::value& p) { p.at("modules").at("file").at("minimumweight") = 0; }));
  CHECK_FALSE(Changed(
      [](json::value& p) { p.at("modules").at("file").as_object().erase("minimumweight"); }));
  CHECK_FALSE(
      Changed([](json::value& p) { p.at("modules").as_object()["File"] = json::object(); }));
}

TEST_CASE("policy: constraint paths are absolute and in their only form", "[proto]") {
  const auto with_path = [](json::value path) {
    return Changed([&](json::value& p) {
      p.at("modules").at("file").at("constraints").at("paths").as_array() = {std::move(path)};
    });
  };
  CHECK(with_path("/"));
  CHECK(with_path("/var/log"));
  CHECK(with_path("/..data/.hidden/..."));
  CHECK(with_path(json::object{{"b64", EncodeBase64("/caf\xe9")}})
            ->modules.at("file")
            .constraints.paths[0] == "/caf\xe9");
  for (const std::string& path :
       {std::string(), std::string("etc"), std::string("/etc/"), std::string("//etc"),
        std::string("/etc//ssl"), std::string("/etc/../root"), std::string("/etc/.."),
        std::string("/./etc"), std::string("/etc/."), std::string("~"), std::string("/a\0b", 4)}) {
    INFO(path);
    CHECK_FALSE(with_path(json::value(path)));
  }
  // "No path" and "any path" must not be one mistake apart.
  CHECK_FALSE(Changed([](json::value& p) {
    p.at("modules").at("file").at("constraints").at("paths").as_array().clear();
  }));
  CHECK_FALSE(Changed([](json::value& p) {
    p.at("modules").at("file").at("constraints").at("parameters").as_object()["x"] = json::array();
  }));
}

TEST_CASE("policy: unknown fields are unsupported at every level", "[proto]") {
  const auto unsupported = [](auto change) {
    const auto policy = Changed(change);
    REQUIRE_FALSE(policy);
    CHECK(policy.error().code() == Errc::kUnsupported);
  };
  unsupported([](json::value& p) { p.as_object()["witnesses"] = json::array(); });
  unsupported([](json::value& p) { p.at("people").at(0).as_object()["seal"] = "x"; });
  unsupported([](json::value& p) { p.at("people").at(0).at("keys").at(0).as_object()["x"] = 1; });
  unsupported([](json::value& p) { p.at("modules").at("file").as_object()["x"] = 1; });
  unsupported(
      [](json::value& p) { p.at("modules").at("file").at("constraints").as_object()["x"] = 1; });
  unsupported([](json::value& p) { p.at("ceilings").as_object()["x"] = 1; });
  unsupported([](json::value& p) { p.at("validity").as_object()["destroy"] = "1h"; });
  unsupported([](json::value& p) { p.at("version") = 7.0; });
}

TEST_CASE("policy: versions, times, validity and revoked keys are checked", "[proto]") {
  CHECK_FALSE(Changed([](json::value& p) { p.at("version") = 0; }));
  CHECK(Changed([](json::value& p) { p.at("version") = "18446744073709551615"; }));
  CHECK(MessageOf([](json::value& p) { p.at("expires") = "2026-11-02T07:59:59Z"; }) ==
        "policy: expires: lies before issued");
  CHECK_FALSE(Changed([](json::value& p) { p.at("validity").at("respond") = "0s"; }));
  CHECK_FALSE(Changed([](json::value& p) { p.at("validity").at("respond") = 60; }));
  CHECK_FALSE(Changed([](json::value& p) { p.at("validity").as_object()["stop"] = "1h"; }));
  CHECK_FALSE(Changed([](json::value& p) { p.at("revoked").at(0) = "x"; }));
  CHECK_FALSE(Changed([](json::value& p) { p.at("sandbox") = "none"; }));
  for (const char* key :
       {"org", "version", "issued", "expires", "people", "modules", "ceilings", "validity"}) {
    CHECK_FALSE(Changed([&](json::value& p) { p.as_object().erase(key); }));
  }
  const auto least = Changed([](json::value& p) {
    p.as_object().erase("revoked");
    p.as_object().erase("sandbox");
  });
  REQUIRE(least);
  CHECK(least->revoked.empty());
  CHECK_FALSE(least->require_full_sandbox);
}

TEST_CASE("root: a threshold of 1 to the number of its distinct keys", "[proto]") {
  CHECK_FALSE(ChangedRoot([](json::value& r) { r.at("threshold") = 0; }));
  CHECK_FALSE(ChangedRoot([](json::value& r) { r.at("threshold") = 2; }));
  CHECK(ChangedRoot([](json::value& r) {
    r.at("threshold") = 2;
    r.at("keys").as_array().push_back(Key('x'));
  }));
  CHECK_FALSE(
      ChangedRoot([](json::value& r) { r.at("keys").as_array().push_back(r.at("keys").at(0)); }));
  CHECK_FALSE(ChangedRoot([](json::value& r) { r.at("keys").as_array().clear(); }));
  CHECK_FALSE(ChangedRoot([](json::value& r) { r.at("version") = 0; }));
  CHECK(ChangedRoot([](json::value& r) { r.as_object()["x"] = 1; }).error().code() ==
        Errc::kUnsupported);
  CHECK(DecodeRoot("{").error().code() == Errc::kMalformed);
}

TEST_CASE("strict document: whole numbers within 2^53, at any depth", "[proto]") {
  CHECK(ParseStrictDocument(R"({"a":[{"b":9007199254740992,"c":-9007199254740992,"d":-0}]})"));
  for (const char* number : {"9007199254740993", "-9007199254740993", "1.0", "1e3", "1E3", "-0.0",
                             "18446744073709551616"}) {
    const auto document = ParseStrictDocument("{\"a\":[{\"b\":" + std::string(number) + "}]}");
    INFO(number);
    REQUIRE_FALSE(document);
    CHECK(document.error().code() == Errc::kUnsupported);
    CHECK(document.error().message().starts_with("a[0].b: "));
  }
}
