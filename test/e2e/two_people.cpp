#include "test/e2e/two_people.h"

#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "crypto/key_file.h"

namespace mig::e2e {
namespace {

SecretKey Copy(const SecretKey& key) { return std::move(*SecretKey::FromSeed(key.Seed())); }

std::filesystem::path Write(const Lab& lab, const std::string& name, const SecretKey& key) {
  const std::filesystem::path file = lab.scratch() / (name + ".key");
  auto text = WriteKeyFile({"Bob <bob@example.org>", Now(), Copy(key)}, "");
  REQUIRE(text);
  std::ofstream(file) << *text;
  std::filesystem::permissions(
      file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return file;
}

}  // namespace

TwoPeople::TwoPeople(int agents) : lab(agents), deployment(lab) {
  bob_file = Write(lab, "bob", bob);
  bob_other_file = Write(lab, "bob-other", bob_other);
  const auto key_of = [](const SecretKey& key) {
    return DocumentKey{"ed25519", Bytes(key.public_key().View())};
  };
  Policy& policy = deployment.policy;
  ++policy.version;
  policy.people.push_back({"bob", "Bob <bob@example.org>", true, {key_of(bob), key_of(bob_other)}});
  for (const char* module : {"example", "probe-act"}) {
    policy.modules[module] = {2, {{policy.people[0].id, 1}, {"bob", 1}}, {}};
  }
  std::ofstream(lab.folder() / "trust/policy.json", std::ios::trunc)
      << EncodeEnvelope(Seal(kPolicyType, EncodePolicy(policy), deployment.root));
  for (const char* role : {"api", "scheduler"}) REQUIRE(kill(lab.PidOf(role), SIGHUP) == 0);
  for (int agent = 1; agent <= agents; ++agent) {
    const auto has_it = [&] {
      for (const json::value& entry : lab.Ledger(agent)) {
        if (entry.at("event").as_string() == "policy" &&
            entry.at("facts").at("version").to_number<std::uint64_t>() == policy.version) {
          return true;
        }
      }
      return false;
    };
    REQUIRE(Eventually(std::chrono::seconds(30), has_it));
  }
}

Outcome TwoPeople::AsBob(std::vector<std::string> words, bool second_key) const {
  RunOptions options;
  options.environment["MIG_KEY"] = (second_key ? bob_other_file : bob_file).string();
  options.environment["HOME"] = (lab.scratch() / "bobs-home").string();
  RunOptions all = lab.Options(options);
  all.environment["HOME"] = (lab.scratch() / "bobs-home").string();
  words.insert(words.begin(), Executable());
  return Run(words, all);
}

std::string TwoPeople::Pending(std::vector<std::string> words) const {
  const Outcome asked = AsLab(std::move(words));
  INFO(asked.out << asked.err);
  REQUIRE(asked.status == 4);
  REQUIRE(asked.err.find("waits for more signatures") != std::string::npos);
  const std::string mark = "mig approve ";
  const auto at = asked.err.find(mark);
  REQUIRE(at != std::string::npos);
  return asked.err.substr(at + mark.size(), ActionId::kTextLength);
}

json::value TwoPeople::Json(const Outcome& outcome) const {
  INFO(outcome.out << outcome.err);
  REQUIRE((outcome.status == 0 || outcome.status == 1));
  return ParseJson(outcome.out);
}

std::string TwoPeople::StatusOf(const std::string& id) const {
  return std::string(Json(AsLab({"status", id, "--json"})).at("status").as_string());
}

}  // namespace mig::e2e
