// An agent's certificate lives shorter than the agent: it is renewed before it lapses, and after.
#include <catch2/catch.hpp>
#include <fstream>

#include "test/e2e/deployment.h"
#include "test/net/mqtt_client.h"

using namespace mig;
using namespace mig::e2e;
using namespace std::chrono_literals;

namespace {

constexpr const char* kValidity = "5s";  // the shortest that the API's configuration takes

// From now on the API's certificates for agents live that short.
void IssueShortLived(const Lab& lab) {
  REQUIRE(lab.Mig({"lab", "stop", "api"}).status == 0);
  const auto file = lab.folder() / "config/api.yaml";
  std::string text = ReadText(file);
  const std::string section = "agents_ca:\n";
  const auto at = text.find(section);
  REQUIRE(at != std::string::npos);
  text.insert(at + section.size(), std::string("  validity: ") + kValidity + "\n");
  std::ofstream(file) << text;
  REQUIRE(lab.Mig({"lab", "start", "api"}).status == 0);
}

std::size_t Renewals(const Lab& lab) {
  const std::string log = lab.Log("agent-1");
  std::size_t count = 0;
  for (auto at = log.find("certificate renewed"); at != std::string::npos;
       at = log.find("certificate renewed", at + 1)) {
    ++count;
  }
  return count;
}

// Drops the ten years' certificate that the agent enrolled with; it asks for another.
void StartWithout(const Lab& lab, const std::filesystem::path& certificate) {
  REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
  REQUIRE(std::filesystem::remove(certificate));
  const std::size_t before = Renewals(lab);
  REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
  REQUIRE(Eventually(20s, [&] { return Renewals(lab) > before; }));
}

// Whether the relay takes the certificate in this file for agent-1's key.
bool Opens(const Lab& lab, const std::filesystem::path& certificate) {
  const LinkTls own = CertificateOf(lab, 1);
  MqttClient client(RelayPort(lab), {own.ca_file, certificate.string(), own.key_file});
  mqtt::Connect connect;
  // Another's name: it is told so, but is not the agent, which stays connected.
  connect.client_id = "somebody-else";
  client.Send(connect);
  return !client.ClosedSilently();
}

bool Answers(const Lab& lab) {
  const Outcome asked = lab.Mig({"query", "example", "-t", "all", "-gethostname"});
  INFO(asked.err);
  return asked.status == 0;
}

}  // namespace

TEST_CASE("renewal: an agent renews its certificate before it lapses, and goes on answering",
          "[e2e]") {
  const Lab lab;
  const std::filesystem::path file = CertificateOf(lab, 1).certificate_file;
  IssueShortLived(lab);
  StartWithout(lab, file);
  const std::string first = ReadText(file);
  const std::filesystem::path kept = lab.scratch() / "first.crt";
  std::ofstream(kept) << first;
  const UtcTime end = *NotAfter(first);
  CHECK(end < Now() + 10s);
  CHECK(Opens(lab, kept));
  CHECK(Answers(lab));

  REQUIRE(Eventually(20s, [&] { return ReadText(file) != first; }));
  CHECK(*NotBefore(ReadText(file)) < end);  // it was issued in time
  CHECK(*NotAfter(ReadText(file)) > end);
  CHECK(Answers(lab));

  // Whoever still comes with the first one stays outside now; the agent, which has to connect anew,
  // does not.
  REQUIRE(Eventually(20s, [&] { return Now() > end + 1s; }));
  CHECK_FALSE(Opens(lab, kept));
  lab.KillRole("relay");
  CHECK(Answers(lab));
}

TEST_CASE("renewal: an agent whose certificate lapsed while it was off gets another", "[e2e]") {
  const Lab lab;
  const std::filesystem::path file = CertificateOf(lab, 1).certificate_file;
  IssueShortLived(lab);
  StartWithout(lab, file);
  REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
  const UtcTime end = *NotAfter(ReadText(file));
  REQUIRE(Eventually(20s, [&] { return Now() > end + 1s; }));
  CHECK_FALSE(Opens(lab, file));

  REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
  CHECK(Answers(lab));
  CHECK(*NotAfter(ReadText(file)) > end);
}
