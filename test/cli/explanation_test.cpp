// The explanations as people read them: test/data/explanations/NAME.txt, word for word.
#include "cli/explanation.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "test/deployment.h"
#include "util/text.h"

using namespace mig;
using namespace mig::cli;

namespace {

// Everything fixed: keys and ids do not stand in an explanation but as these.
struct Fixed {
  Deployment deployment;
  Action action;

  Fixed() {
    action = deployment.ActionFor("file");
    action.id = *ActionId::FromBytes(Bytes(16, '\x11'));
    action.name = "find the key";
    action.target = "name LIKE 'web%' AND environment->>'os' = 'linux'";
    action.operations[0].parameters =
        json::ParseObject(
            R"({"searches":{"s1":{"paths":["/etc"],"names":["^shadow$"],
            "options":{"matchall":true,"maxdepth":1}}}})")
            .value();
    action.description = {"Ann", "ann@example.org", "https://wiki.example.org/7", 4};
    action.reason = "ticket 7";
    deployment.policy.modules["file"] =
        ModuleRule{3, {{"ann", 1}, {"bob", 2}}, {{"/etc", "/usr"}, {}}};
  }

  // The org, which is another with every run, as "ORG".
  std::string Text(const Envelope& envelope, bool with_policy = true,
                   std::optional<std::uint64_t> machines = {}) const {
    const TrustedPolicy policy = deployment.Trusted();
    Explained what{envelope, action, with_policy ? &policy : nullptr, machines, deployment.now};
    std::string text = Explain(what);
    const std::string org = deployment.org.Text();
    const auto at = text.find(org);
    if (at != std::string::npos) text.replace(at, org.size(), "ORG");
    return text;
  }
};

void CheckGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(MIG_SOURCE_DIR "/test/data/explanations/") + name + ".txt";
  if (std::getenv("MIG_WRITE_EXPLANATIONS") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  REQUIRE(file.good());
  const std::string golden(std::istreambuf_iterator<char>(file), {});
  CHECK(text == golden);
}

}  // namespace

TEST_CASE("explanation: a search that waits for a second person", "[cli]") {
  const Fixed fixed;
  const auto& [deployment, action] = fixed;
  CheckGolden("pending-search", fixed.Text(Deployment::Sign(action, {&deployment.ann}), true, 12));
  CheckGolden("signed-search",
              fixed.Text(Deployment::Sign(action, {&deployment.ann, &deployment.bob})));
  // One person, two keys: still one person.
  CHECK(fixed.Text(Deployment::Sign(action, {&deployment.ann, &deployment.ann_other}))
            .find("weight 1 of 3; could sign: Bob <bob@example.org>") != std::string::npos);
}

TEST_CASE("explanation: without a policy nobody's signature is judged", "[cli]") {
  const Fixed fixed;
  CheckGolden("no-policy",
              fixed.Text(Deployment::Sign(fixed.action, {&fixed.deployment.ann}), false));
}

TEST_CASE("explanation: a stop", "[cli]") {
  Fixed fixed;
  fixed.action = fixed.deployment.StopFor(fixed.action.id);
  fixed.action.id = *ActionId::FromBytes(Bytes(16, '\x22'));
  fixed.action.name = "stop it";
  CheckGolden("stop", fixed.Text(Envelope{std::string(kActionType), "", {}}));
}

TEST_CASE("explanation: what changes machines, which, and with which files", "[cli]") {
  Fixed fixed;
  Action& action = fixed.action;
  action.kind = Kind::kRespond;
  action.audience = Audience{3, Bytes(32, 'r')};
  action.attachments = {Attachment{"rules.yar", Bytes(32, '\xab'), 2048}};
  const std::string text = fixed.Text(Deployment::Sign(action, {&fixed.deployment.ann}), true, 9);
  INFO(text);
  CHECK(text.find("respond: CHANGES THE MACHINES") != std::string::npos);
  CHECK(text.find("exactly the 3 machines of the list") != std::string::npos);
  CHECK(text.find("9 machines") == std::string::npos);
  CHECK(text.find("rules.yar, 2.0 KiB, SHA-256") != std::string::npos);
  CHECK(text.find("AGENTS WILL REFUSE IT: the module is of kind investigate") != std::string::npos);
}

TEST_CASE("explanation: what agents will refuse is said", "[cli]") {
  Fixed fixed;
  Action& action = fixed.action;
  Deployment& deployment = fixed.deployment;
  const auto text = [&] { return fixed.Text(Deployment::Sign(action, {&deployment.ann})); };
  const auto says = [&](const char* words) {
    INFO(text());
    return text().find(words) != std::string::npos;
  };
  CHECK_FALSE(says("REFUSE"));
  action.limits.rss = deployment.policy.ceilings.rss + 1;
  CHECK(says("rss is above the ceiling"));
  action.limits = Limits();
  action.expireafter = action.validfrom + std::chrono::hours(25);
  CHECK(says("AGENTS WILL REFUSE IT: the policy allows 1d"));
  action.expireafter = action.validfrom + std::chrono::seconds(1);
  CHECK(says("that is over"));
  action.expireafter = action.validfrom + std::chrono::hours(1);
  action.operations[0].parameters = json::object{{"searches", json::object{}}};
  CHECK(says("AGENTS WILL REFUSE IT: searches: is empty"));
  action.operations[0] = {"nonesuch", {{"a", 1}}};
  CHECK(says("DOES NOT KNOW THE MODULE"));
  CHECK(says("{\"a\":1}"));
  action = Fixed().action;
  action.org = *OrgId::FromBytes(Bytes(32, 'x'));
  CHECK(says("of another deployment"));
  action = fixed.deployment.ActionFor();
  deployment.policy.modules.erase("default");
  CHECK(says("example: the policy lets nobody use it"));
  CHECK(fixed.Text(Deployment::Sign(action, {&deployment.eve})).find("unknown_signer") !=
        std::string::npos);
}

TEST_CASE("explanation: text of the author cannot pass for ours", "[cli]") {
  Fixed fixed;
  Action& action = fixed.action;
  action.name = "harmless\nsigned by   Bob\x1b[2K\xE2\x80\xAE";
  action.reason = std::string(64, 'x') + std::string(200, ' ') + "signed by   Bob";
  // Without a space to break at, up to where a terminal of 80 columns would begin a new line.
  action.description.author = std::string(81 - 12, 'y') +
                              "signed\xC2\xA0"
                              "by\xC2\xA0"
                              "Bob";
  action.target = "name = 'a\nmissing     nothing'";
  action.operations[0].parameters =
      json::ParseObject(
          R"({"searches":{"s1\u2028":{"paths":["/etc\u001b[1A\nmissing     nothing"],"names":[")" +
          std::string(300, 'z') + R"("]}}})")
          .value();
  const std::string text = fixed.Text(Deployment::Sign(action, {&fixed.deployment.ann}));
  INFO(text);
  int labels = 0;
  for (const std::string_view line : Split(text, '\n')) {
    CHECK(line.size() <= 80 + 40);  // bytes; 80 columns of our own signs, which may have three
    if (line.empty() || line.front() == ' ') continue;
    ++labels;
    CHECK_FALSE(line.starts_with("signed by   Bob"));
    CHECK_FALSE(line.starts_with("missing     nothing"));
  }
  CHECK(labels >= 10);
  for (const char c : text) CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
  CHECK(text.find("\xE2\x80\xAE") == std::string::npos);
  CHECK(text.find("\xE2\x80\xA8") == std::string::npos);
}
