// Enrolment and renewal against an API over real TLS that answers as the test says.
#include "roles/agent/enrolment.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <fstream>

#include "crypto/digest.h"
#include "net/http_server.h"
#include "os/files.h"
#include "proto/grant.h"
#include "test/deployment.h"
#include "test/net/certificates.h"
#include "test/net/run_until.h"

namespace mig::agent {
namespace {

using std::chrono::hours;

struct ApiScene {
  TempFolder folder;
  Certificates certificates;
  Deployment deployment;
  KeyPairPem agents_ca = MakeCa("agents", Now(), hours(24 * 365)).value();
  boost::asio::io_context io{1};

  // What the API does next, and what it has seen.
  std::vector<HttpReply> instead;  // given first, one for each request
  bool for_another = false;        // certificates of somebody else
  std::vector<std::string> seen;
  std::vector<EnrolRequest> enrolments;
  std::unique_ptr<HttpServer> server;

  Identity identity{SecretKey::Generate()};
  AgentConfig config;
  DeploymentFacts facts;
  int certified = 0;
  std::vector<PolicyUpdate> policies;
  bool policy_good = true;
  std::unique_ptr<Enrolment> enrolment;

  ApiScene() {
    HttpServerOptions options;
    options.listen = "127.0.0.1:0";
    options.certificate_file = certificates.File("server.crt");
    options.key_file = certificates.File("server.key");
    std::vector<HttpRoute> routes;
    for (const char* path : {"/v1/enroll", "/v1/renew"}) {
      routes.push_back({"POST", path, 256 << 10,
                        [this](HttpRequest request, std::shared_ptr<HttpExchange> exchange) {
                          exchange->Reply(Answer(request));
                        }});
    }
    auto started = HttpServer::Start(io, std::move(options), std::move(routes));
    if (!started) FAIL(started.error().message());
    server = std::move(*started);

    config.directory = folder.path();
    config.ca = certificates.File("servers-ca.crt");
    facts.org = deployment.org;
    facts.api = "https://localhost:" + std::to_string(server->port());
    EnrolToken token;
    token.api = facts.api;
    token.pin = certificates.pin;
    token.org = deployment.org;
    token.secret = Bytes(32, 's');
    config.token = WriteEnrolToken(token);
  }

  std::string Issue(const std::string& csr, UtcTime now, hours validity) const {
    LeafRequest request;
    request.name = {"agent", for_another ? AgentId().Text() : identity.id().Text()};
    request.validity = validity;
    return SignCertificateRequest(agents_ca, csr, request, now).value();
  }

  HttpReply Answer(const HttpRequest& request) {
    seen.push_back(request.target);
    auto envelope = DecodeEnvelope(request.body);
    REQUIRE(envelope);
    CHECK(SignedBy(*envelope, identity.key().public_key()));
    std::string csr;
    if (request.target == "/v1/enroll") {
      enrolments.push_back(DecodeEnrolRequest(envelope->payload).value());
      csr = enrolments.back().csr;
    } else {
      csr = DecodeRenewRequest(envelope->payload).value().csr;
    }
    if (!instead.empty()) {
      HttpReply reply = instead.front();
      instead.erase(instead.begin());
      return reply;
    }
    EnrolAnswer answer;
    answer.certificate = Issue(csr, Now(), hours(24 * 90));
    answer.agents_ca = agents_ca.certificate;
    answer.roots = {EnvelopeToJson(deployment.root_envelope)};
    answer.policy = EnvelopeToJson(deployment.PolicyEnvelope());
    if (grant) answer.grant = EnvelopeToJson(*grant);
    return {200, {}, EncodeEnrolAnswer(answer)};
  }

  // A grant of ann's for the token with this secret.
  Envelope GrantFor(BytesView secret) const {
    Grant made;
    made.org = deployment.org;
    made.token = Sha256(secret);
    made.tags = {{"operator", "it"}};
    made.issued = deployment.now;
    made.expires = deployment.now + hours(1);
    return Seal(kGrantType, EncodeGrant(made), deployment.ann);
  }

  std::optional<Envelope> grant;  // in the API's answers
  std::optional<Self::Granted> granted;
  int grants = 0;

  void Start() {
    Enrolment::Events events;
    events.policy = [this](const PolicyUpdate& update) -> Expected<void> {
      if (!policy_good) return Error(Errc::kDenied, "not of this deployment");
      policies.push_back(update);
      return {};
    };
    events.certificate = [this] { ++certified; };
    events.granted = [this](std::optional<Self::Granted> given) {
      granted = std::move(given);
      ++grants;
    };
    enrolment = std::make_unique<Enrolment>(io, config, facts, identity, "web1", std::move(events));
    auto started = enrolment->Start();
    if (!started) FAIL(started.error().message());
  }
  bool Certified() {
    return RunUntil(io, [this] { return certified > 0; });
  }
  std::string Certificate() const {
    auto pem = os::ReadFile(config.CertificateFile());
    return pem ? *pem : "";
  }
};

TEST_CASE("enrolment: the first start gets a certificate, a policy, and keeps both", "[agent]") {
  ApiScene scene;
  scene.Start();
  REQUIRE(scene.Certified());
  CHECK(scene.seen == std::vector<std::string>{"/v1/enroll"});
  REQUIRE(scene.enrolments.size() == 1);
  CHECK(scene.enrolments[0].token == Bytes(32, 's'));
  CHECK(scene.enrolments[0].org == scene.deployment.org);
  CHECK(scene.enrolments[0].name == "web1");
  CHECK(scene.policies.size() == 1);
  const auto key = os::ReadFile(scene.config.TlsKeyFile());
  REQUIRE(key);
  CHECK(CheckCertificate(scene.Certificate(), *key, scene.identity.id()));
  const auto recorded = RecordedDeployment(scene.config);
  REQUIRE(recorded);
  REQUIRE(*recorded);
  CHECK((*recorded)->org == scene.deployment.org);

  // The next start asks for nothing, and needs no token.
  scene.enrolment.reset();
  scene.certified = 0;
  scene.config.token.clear();
  scene.Start();
  CHECK(scene.certified == 1);
  CHECK(scene.seen.size() == 1);
}

TEST_CASE("enrolment: the token's grant is kept, also for the next start", "[agent]") {
  ApiScene scene;
  scene.grant = scene.GrantFor(Bytes(32, 's'));
  scene.Start();
  REQUIRE(scene.Certified());
  REQUIRE(scene.granted);
  CHECK(scene.granted->token_hash == Sha256(Bytes(32, 's')));
  const auto recorded = RecordedGrant(scene.config);
  REQUIRE(recorded);
  CHECK(recorded->token_hash == scene.granted->token_hash);
  CHECK(recorded->grant.payload == scene.grant->payload);
}

TEST_CASE("enrolment: the grant of another token, or no grant at all, is not taken for ours",
          "[agent]") {
  ApiScene scene;
  SECTION("another token's") { scene.grant = scene.GrantFor(Bytes(32, 'x')); }
  SECTION("a policy") { scene.grant = scene.deployment.PolicyEnvelope(); }
  scene.Start();
  REQUIRE(RunUntil(scene.io, [&] { return !scene.seen.empty(); }));
  RunUntil(
      scene.io, [] { return false; }, std::chrono::milliseconds(300));
  CHECK(scene.certified == 0);
  CHECK(scene.grants == 0);
  CHECK_FALSE(RecordedGrant(scene.config));
}

TEST_CASE("enrolment: a token without a grant takes the tags of an earlier one away", "[agent]") {
  ApiScene scene;
  std::ofstream(scene.config.GrantFile()) << "{";
  REQUIRE(RecordedGrant(scene.config));  // cannot be read: there, but it does not count
  scene.Start();
  REQUIRE(scene.Certified());
  CHECK(scene.grants == 1);
  CHECK_FALSE(scene.granted);
  CHECK_FALSE(RecordedGrant(scene.config));
}

TEST_CASE("enrolment: an API that is away or says no is asked again", "[agent]") {
  ApiScene scene;
  scene.instead = {{503, {}, ""}};
  scene.Start();
  // The pause after a refusal is up to five seconds, with jitter.
  REQUIRE(scene.Certified());
  CHECK(scene.seen == std::vector<std::string>{"/v1/enroll", "/v1/enroll"});
}

TEST_CASE("enrolment: a certificate of somebody else, or a foreign policy, is not taken",
          "[agent]") {
  ApiScene scene;
  SECTION("certificate") { scene.for_another = true; }
  SECTION("policy") { scene.policy_good = false; }
  SECTION("nonsense") { scene.instead = {{200, {}, "{}"}, {200, {}, "{}"}, {200, {}, "{}"}}; }
  scene.Start();
  REQUIRE(RunUntil(scene.io, [&] { return !scene.seen.empty(); }));
  RunUntil(
      scene.io, [] { return false; }, std::chrono::milliseconds(300));
  CHECK(scene.certified == 0);
  CHECK(scene.Certificate().empty());
  CHECK_FALSE(*RecordedDeployment(scene.config));
}

TEST_CASE("enrolment: the token's secret goes to no other deployment's API", "[agent]") {
  ApiScene scene;
  SECTION("the token names another CA") {
    EnrolToken token = ReadEnrolToken(scene.config.token).value();
    token.pin = scene.certificates.strangers_pin;
    scene.config.token = WriteEnrolToken(token);
  }
  SECTION("the server is not signed by our CA") {
    scene.config.ca = scene.certificates.File("strangers-ca.crt");
  }
  SECTION("no token at all") { scene.config.token.clear(); }
  scene.Start();
  RunUntil(
      scene.io, [] { return false; }, std::chrono::milliseconds(500));
  CHECK(scene.seen.empty());
  CHECK(scene.certified == 0);
}

TEST_CASE("enrolment: a certificate past two thirds, or lapsed, is renewed by the agent's key",
          "[agent]") {
  ApiScene scene;
  const std::string tls_key = LoadOrMakeTlsKey(scene.config.TlsKeyFile()).value();
  const std::string csr = MakeCertificateRequest(tls_key, scene.identity.id().Text()).value();
  UtcTime issued = Now();
  SECTION("past two thirds") { issued -= hours(70); }
  SECTION("lapsed") { issued -= hours(500); }
  scene.agents_ca = MakeCa("agents", issued, hours(24 * 365)).value();
  const std::string old = scene.Issue(csr, issued, hours(90));
  std::ofstream(scene.config.CertificateFile()) << old;
  scene.config.token.clear();
  scene.Start();
  CHECK(scene.certified == 1);  // what there is, is shown meanwhile
  REQUIRE(RunUntil(scene.io, [&] { return scene.certified == 2; }));
  CHECK(scene.seen == std::vector<std::string>{"/v1/renew"});
  CHECK(scene.Certificate() != old);
  CHECK(CheckCertificate(scene.Certificate(), tls_key, scene.identity.id()));
}

TEST_CASE("enrolment: a deployment that forgot the agent may still take its token", "[agent]") {
  ApiScene scene;
  std::ofstream(scene.config.EnrolmentFile()) << WriteDeploymentFacts(scene.facts);
  scene.instead = {{403, {}, R"({"error":{"code":"denied","message":"not enrolled here"}})"}};
  scene.Start();
  REQUIRE(scene.Certified());
  CHECK(scene.seen == std::vector<std::string>{"/v1/renew", "/v1/enroll"});
}

}  // namespace
}  // namespace mig::agent
