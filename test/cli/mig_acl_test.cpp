#include "cli/mig_acl.h"

#include <algorithm>

#include "cli/policy_draft.h"
#include "test/cli/openpgp_data.h"
#include "test/deployment.h"
#include "util/text.h"

using namespace mig;
using namespace mig::cli;

namespace {

const UtcTime kNow = TimeAt("2026-12-01T12:00:00Z");

constexpr const char* kBob = "gnupg-2.2-ed25519.asc";
constexpr const char* kMorpheus = "gnupg-2.2-rsa3072.asc";
constexpr const char* kShort = "gnupg-2.2-rsa2048.asc";

std::vector<openpgp::Certificate> Certificates(const std::vector<std::string>& files) {
  std::vector<openpgp::Certificate> all;
  for (const std::string& file : files) all.push_back(OpenPgpCertificate(file, kNow));
  return all;
}

struct Scene {
  openpgp::Certificate bob = OpenPgpCertificate(kBob, kNow);
  openpgp::Certificate morpheus = OpenPgpCertificate(kMorpheus, kNow);
  openpgp::Certificate shorty = OpenPgpCertificate(kShort, kNow);
  Policy policy =
      FirstPolicy(OrgId(), {"ann", "Ann", true, {Deployment::KeyOf(SecretKey::Generate())}}, kNow);

  static std::string Lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  }
  static std::string Entry(const std::string& label, const std::string& fingerprint, int weight) {
    return "\"" + label + "\": {\"fingerprint\": \"" + fingerprint +
           "\", \"weight\": " + std::to_string(weight) + "}";
  }
  static std::string Rule(const std::string& module, int minimum,
                          const std::vector<std::string>& entries) {
    return "\"" + module + "\": {\"minimumweight\": " + std::to_string(minimum) +
           ", \"investigators\": {" + Join(entries, ", ") + "}}";
  }
  std::string Print(const openpgp::Certificate& certificate) const {
    return certificate.keys[0].fingerprint;
  }
  AclImport Import(const std::vector<std::string>& rules, const std::vector<std::string>& files) {
    const auto acl = ReadMigAcl("{" + Join(rules, ",\n") + "}");
    if (!acl) FAIL(acl.error().message());
    auto import = ImportMigAcl(*acl, Certificates(files), policy);
    if (!import) FAIL(import.error().message());
    // Whatever came of it is a policy.
    const auto sound = DecodePolicy(EncodePolicy(policy));
    if (!sound) FAIL(sound.error().message());
    return std::move(*import);
  }
};

std::string Text(const std::vector<std::string>& sentences) { return Join(sentences, "\n"); }

bool Has(const std::vector<std::string>& sentences, const std::string& words) {
  return Text(sentences).find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("mig acl: modules, minimum weights and weights become a policy's", "[cli]") {
  Scene scene;
  // As MIG compared: without regard to case.
  const AclImport import =
      scene.Import({Scene::Rule("default", 2,
                                {Scene::Entry("Bob Kelso", Scene::Lower(scene.Print(scene.bob)), 2),
                                 Scene::Entry("Morpheus", scene.Print(scene.morpheus), 1)}),
                    Scene::Rule("file", 1, {Scene::Entry("Bob Kelso", scene.Print(scene.bob), 1)})},
                   {kBob, kMorpheus});
  CHECK(import.left_out.empty());
  CHECK(import.added == std::vector<std::string>{"bob-kelso", "morpheus"});
  const ModuleRule& file = scene.policy.modules.at("file");
  CHECK(file.minimumweight == 1);
  CHECK(file.weights == std::map<std::string, std::uint32_t>{{"bob-kelso", 1}});
  const ModuleRule& looking = scene.policy.kinds.at(Kind::kInvestigate);
  CHECK(looking.minimumweight == 2);
  CHECK(looking.weights == std::map<std::string, std::uint32_t>{{"bob-kelso", 2}, {"morpheus", 1}});
  // The key's own user id, not the label.
  CHECK(scene.policy.people.at(1).name == scene.bob.user_ids.at(0));
}

TEST_CASE("mig acl: who could look everywhere may not act everywhere", "[cli]") {
  Scene scene;
  const auto before = scene.policy.kinds.at(Kind::kRespond).weights;
  const AclImport import = scene.Import(
      {Scene::Rule("default", 1, {Scene::Entry("bob", scene.Print(scene.bob), 9)})}, {kBob});
  CHECK(scene.policy.kinds.at(Kind::kRespond).weights == before);
  CHECK(scene.policy.modules.empty());
  CHECK(Has(import.remarks, "kinds.investigate"));
}

TEST_CASE("mig acl: who has no key here is named, and the rule does not become laxer", "[cli]") {
  Scene scene;
  const AclImport import = scene.Import(
      {Scene::Rule("file", 3, {Scene::Entry("gone", scene.Print(scene.morpheus), 3)})}, {});
  REQUIRE(import.left_out.size() == 1);
  CHECK(Has(import.left_out, "gone (" + scene.Print(scene.morpheus) + ") of modules.file"));
  CHECK(Has(import.left_out, "gpg --export --armor " + scene.Print(scene.morpheus)));
  CHECK(scene.policy.modules.at("file").minimumweight == 3);
  CHECK(scene.policy.modules.at("file").weights.empty());
  CHECK(scene.policy.people.size() == 1);
}

TEST_CASE("mig acl: a key that cannot sign here is named with why, and what to do", "[cli]") {
  Scene scene;
  const AclImport import = scene.Import(
      {Scene::Rule("file", 1, {Scene::Entry("short", scene.Print(scene.shorty), 1)})}, {kShort});
  REQUIRE(import.left_out.size() == 1);
  CHECK(Has(import.left_out, scene.shorty.keys[0].why_not));
  CHECK(Has(import.left_out, "gpg --quick-add-key " + scene.Print(scene.shorty)));
}

TEST_CASE("mig acl: somebody who is in the draft already stays that person", "[cli]") {
  Scene scene;
  const auto& material = *scene.bob.keys[0].material;
  scene.policy.people.push_back(
      {"robert", "Robert", true, {{std::string(material.Type()), material.Material()}}});
  const AclImport import = scene.Import(
      {Scene::Rule("file", 1, {Scene::Entry("bob", scene.Print(scene.bob), 1)})}, {kBob});
  CHECK(import.added.empty());
  CHECK(scene.policy.people.size() == 2);
  CHECK(scene.policy.modules.at("file").weights.contains("robert"));
}

TEST_CASE("mig acl: an id that is another person's is refused, never joined", "[cli]") {
  Scene scene;
  const auto acl = ReadMigAcl(
      "{" + Scene::Rule("file", 1, {Scene::Entry("Ann", scene.Print(scene.bob), 1)}) + "}");
  REQUIRE(acl);
  const auto import = ImportMigAcl(*acl, Certificates({kBob}), scene.policy);
  REQUIRE_FALSE(import);
  CHECK(import.error().message().find("another person `ann`") != std::string::npos);
}

TEST_CASE("mig acl: one key under two names weighs once", "[cli]") {
  Scene scene;
  const AclImport import =
      scene.Import({Scene::Rule("file", 3,
                                {Scene::Entry("bob", scene.Print(scene.bob), 2),
                                 Scene::Entry("robert", scene.Print(scene.bob), 1)})},
                   {kBob});
  CHECK(scene.policy.modules.at("file").weights ==
        std::map<std::string, std::uint32_t>{{"bob", 2}});
  CHECK(Has(import.remarks, "more than once"));
}

TEST_CASE("mig acl: modules that are not here, and keys that are not there, are named", "[cli]") {
  Scene scene;
  const AclImport import =
      scene.Import({Scene::Rule("memory", 2, {Scene::Entry("bob", scene.Print(scene.bob), 1)})},
                   {kBob, kMorpheus});
  CHECK(Has(import.remarks, "modules.memory: this mig has no such module"));
  CHECK(Has(import.remarks, scene.Print(scene.morpheus)));
  CHECK(scene.policy.modules.at("memory").minimumweight == 2);
}

TEST_CASE("mig acl: what is wrong is named by its place", "[cli]") {
  Scene scene;
  const auto why = [](const std::string& text) {
    const auto acl = ReadMigAcl(text);
    REQUIRE_FALSE(acl);
    return acl.error().message();
  };
  CHECK(why("{}").find("no rule") != std::string::npos);
  CHECK(why("{\"file\": 1}").find("file") != std::string::npos);
  CHECK(why("{\"file\": {\"minimumweight\": 0}}").find("file.minimumweight") != std::string::npos);
  CHECK(why("{" + Scene::Rule("file", 1, {Scene::Entry("bob", "ABC", 1)}) + "}")
            .find("file.investigators.bob.fingerprint") != std::string::npos);
  CHECK(why("{" + Scene::Rule("file", 1, {Scene::Entry("bob", scene.Print(scene.bob), -1)}) + "}")
            .find("file.investigators.bob.weight") != std::string::npos);
}
