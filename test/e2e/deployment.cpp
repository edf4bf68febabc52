#include "test/e2e/deployment.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "crypto/digest.h"
#include "crypto/key_file.h"
#include "util/settings.h"

namespace mig::e2e {
namespace {

namespace fs = std::filesystem;

SecretKey KeyIn(const fs::path& file) {
  auto key = ReadKeyFile(ReadText(file), "");
  REQUIRE(key);
  return std::move(key->secret);
}

Envelope EnvelopeIn(const fs::path& file) {
  auto envelope = DecodeEnvelope(ReadText(file));
  REQUIRE(envelope);
  return std::move(*envelope);
}

}  // namespace

std::string ReadText(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  INFO(file.string());
  REQUIRE(in.good());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

Deployment::Deployment(const Lab& lab)
    : root(KeyIn(lab.folder() / "keys/root.key")),
      investigator(KeyIn(lab.folder() / "keys/investigator.key")),
      root_document(EnvelopeIn(lab.folder() / "trust/root.1.json")) {
  org = *OrgId::FromBytes(Sha256(root_document.payload));
  auto decoded = DecodePolicy(EnvelopeIn(lab.folder() / "trust/policy.json").payload);
  REQUIRE(decoded);
  policy = std::move(*decoded);
  agent = AgentOf(lab, 1);
}

Action GoodAction(const Deployment& deployment) {
  Action action;
  action.id = *ActionId::FromBytes(RandomBytes(ActionId::kBytes));
  action.org = deployment.org;
  action.kind = Kind::kInvestigate;
  action.name = "courier test";
  action.target = "all";
  action.validfrom = Now() - std::chrono::seconds(60);
  action.expireafter = Now() + std::chrono::seconds(60);
  action.operations.push_back({"example", {{"gethostname", true}}});
  return action;
}

Envelope Signed(const Action& action, const SecretKey& key) {
  return Seal(kActionType, EncodeAction(action), key);
}

AgentId AgentOf(const Lab& lab, int agent) {
  const SecretKey key = KeyIn(lab.folder() / ("data/agent-" + std::to_string(agent)) / "agent.key");
  return *AgentId::FromBytes(key.public_key().Fingerprint());
}

std::uint16_t RelayPort(const Lab& lab) {
  auto config = Settings::Parse(ReadText(lab.folder() / "config/relay.yaml"), "relay.yaml");
  REQUIRE(config);
  const std::string listen = config->String("listen", "");
  return static_cast<std::uint16_t>(std::stoi(listen.substr(listen.rfind(':') + 1)));
}

std::uint16_t ApiPort(const Lab& lab) {
  auto config = Settings::Parse(ReadText(lab.folder() / "config/client.yaml"), "client.yaml");
  REQUIRE(config);
  const std::string url = config->String("api", "");
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

KeyPairPem CaOf(const Lab& lab, const std::string& name) {
  return {ReadText(lab.folder() / "tls" / (name + ".key")),
          ReadText(lab.folder() / "tls" / (name + ".crt"))};
}

LinkTls IssueCertificate(const Lab& lab, const KeyPairPem& ca, const PeerName& name, UtcTime now) {
  LeafRequest request;
  request.name = name;
  request.validity = std::chrono::hours(1);
  auto leaf = IssueLeaf(ca, request, now);
  REQUIRE(leaf);
  static int issued = 0;
  const fs::path stem = lab.scratch() / (name.role + "-" + std::to_string(++issued));
  std::ofstream(stem.string() + ".crt") << leaf->certificate;
  std::ofstream(stem.string() + ".key") << leaf->key;
  return {(lab.folder() / "tls/servers-ca.crt").string(), stem.string() + ".crt",
          stem.string() + ".key"};
}

LinkTls CertificateOf(const Lab& lab, int agent) {
  const fs::path data = lab.folder() / ("data/agent-" + std::to_string(agent));
  return {(lab.folder() / "tls/servers-ca.crt").string(), (data / "agent.crt").string(),
          (data / "agent.tls.key").string()};
}

}  // namespace mig::e2e
