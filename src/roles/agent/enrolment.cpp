#include "roles/agent/enrolment.h"

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "os/files.h"
#include "proto/grant.h"
#include "roles/agent/crash_points.h"
#include "util/log.h"
#include "util/text.h"

namespace mig::agent {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kPublicMode = 0644;
constexpr unsigned kSecretMode = 0600;
constexpr std::size_t kMaxFileBytes = 64 << 10;
constexpr std::size_t kNonceBytes = 16;
// A timer over months would not notice a clock that is set meanwhile.
constexpr milliseconds kLongestSleep = std::chrono::hours(1);

std::uint32_t RandomNumber() {
  const Bytes random = RandomBytes(4);
  std::uint32_t number = 0;
  for (const char c : random) number = (number << 8) | static_cast<unsigned char>(c);
  return number;
}

HttpClientOptions OptionsFor(const AgentConfig& config, const DeploymentFacts& facts) {
  HttpClientOptions options;
  options.url = facts.api;
  options.ca_file = config.ca.string();
  options.proxy = config.proxy;
  options.max_reply_bytes = std::size_t{4} << 20;  // policy and root chain
  return options;
}

// The secret of a token goes only to the deployment that the token came from.
Expected<void> CheckPin(const AgentConfig& config, const EnrolToken& token) {
  auto pem = os::ReadFile(config.ca, kMaxFileBytes);
  if (!pem) return std::move(pem).error();
  auto pin = SpkiPin(*pem);
  if (!pin) return std::move(pin).error().During(config.ca.string());
  if (*pin == token.pin) return {};
  return Error(Errc::kDenied, config.ca.string() + " is not the servers' CA that the token names");
}

// The sentence of an API's error reply.
std::string MessageOf(const HttpReply& reply) {
  std::string said = "status " + std::to_string(reply.status);
  const auto body = json::ParseObject(reply.body);
  if (!body) return said;
  const json::value* error = body->if_contains("error");
  if (error == nullptr || !error->is_object()) return said;
  const json::value* message = error->get_object().if_contains("message");
  if (message == nullptr || !message->is_string()) return said;
  return said + ": " + EscapeForTerminal(message->get_string());
}

}  // namespace

Expected<std::optional<EnrolToken>> ConfiguredToken(const AgentConfig& config) {
  std::string text = config.token;
  if (!config.token_file.empty()) {
    auto read = os::ReadFile(config.token_file, kMaxFileBytes);
    if (!read && read.error().code() == Errc::kNotFound) return std::optional<EnrolToken>();
    if (!read) return std::move(read).error();
    text = std::string(Trim(*read));
  }
  if (text.empty()) return std::optional<EnrolToken>();
  auto token = ReadEnrolToken(text);
  if (!token) return std::move(token).error().During("enrolment token");
  return std::optional<EnrolToken>(std::move(*token));
}

Expected<std::optional<DeploymentFacts>> RecordedDeployment(const AgentConfig& config) {
  auto text = os::ReadFile(config.EnrolmentFile(), kMaxFileBytes);
  if (!text && text.error().code() == Errc::kNotFound) return std::optional<DeploymentFacts>();
  if (!text) return std::move(text).error();
  auto facts = ReadDeploymentFacts(*text);
  if (!facts) return std::move(facts).error().During(config.EnrolmentFile().string());
  return std::optional<DeploymentFacts>(std::move(*facts));
}

Bytes WriteGranted(const Self::Granted& granted) {
  return json::Write(json::object{{"token", EncodeBase64(granted.token_hash)},
                                  {"grant", EnvelopeToJson(granted.grant)}}) +
         "\n";
}

Expected<Self::Granted> ReadGranted(BytesView text) {
  auto fields = json::ParseObject(text);
  if (!fields) return std::move(fields).error();
  json::ObjectReader in(*fields, "", json::ObjectReader::Unknown::kIgnore);
  Self::Granted granted;
  granted.token_hash = in.Base64("token");
  const json::object* grant = in.Object("grant");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  auto envelope = EnvelopeFromJson(*grant, "grant");
  if (!envelope) return std::move(envelope).error();
  granted.grant = std::move(*envelope);
  return granted;
}

std::optional<Self::Granted> RecordedGrant(const AgentConfig& config) {
  auto text = os::ReadFile(config.GrantFile(), 2 * kMaxEnvelopeBytes);
  if (!text && text.error().code() == Errc::kNotFound) return std::nullopt;
  auto granted = text ? ReadGranted(*text) : Expected<Self::Granted>(text.error());
  if (granted) return std::move(*granted);
  log::Error("the grant of this machine's tags cannot be read; its tags are unknown",
             {{"file", config.GrantFile().string()}, {"reason", granted.error().message()}});
  return Self::Granted{};
}

Expected<void> CheckOwnGrant(const Envelope& grant, const OrgId& org, BytesView token_hash) {
  if (grant.payload_type != kGrantType) return Error(Errc::kMalformed, "this is not a grant");
  auto decoded = DecodeGrant(grant.payload);
  if (!decoded) return std::move(decoded).error();
  if (decoded->org != org) return Error(Errc::kDenied, "it is for another deployment");
  if (decoded->token != token_hash) {
    return Error(Errc::kDenied, "it belongs to another token than the one that was shown");
  }
  return {};
}

Enrolment::Enrolment(boost::asio::io_context& io, const AgentConfig& config,
                     const DeploymentFacts& facts, const Identity& identity, std::string name,
                     Events events)
    : config_(config),
      facts_(facts),
      identity_(identity),
      name_(std::move(name)),
      events_(std::move(events)),
      http_(io, OptionsFor(config, facts)),
      timer_(io),
      unreachable_(milliseconds(200), std::chrono::minutes(1)),
      refused_(std::chrono::seconds(5), std::chrono::minutes(10)) {}

Expected<void> Enrolment::Start() {
  auto key = LoadOrMakeTlsKey(config_.TlsKeyFile());
  if (!key) return std::move(key).error();
  tls_key_ = std::move(*key);
  Plan();
  return {};
}

void Enrolment::Stop() {
  stopped_ = true;
  timer_.cancel();
}

void Enrolment::At(milliseconds wait, void (Enrolment::*what)()) {
  timer_.expires_after(wait);
  timer_.async_wait([this, what](boost::system::error_code error) {
    if (!error && !stopped_) (this->*what)();
  });
}

// Reads the certificate's file each time: what stands there is what the relay will be shown.
void Enrolment::Plan() {
  std::optional<CertificateLife> held;
  auto pem = os::ReadFile(config_.CertificateFile(), kMaxFileBytes);
  if (pem) {
    auto life = CheckCertificate(*pem, tls_key_, identity_.id());
    if (life) {
      held = *life;
    } else {
      log::Warning("the certificate is of no use; another one is asked for",
                   {{"reason", life.error().message()}});
    }
  }
  const bool enrolled = pem.has_value() || os::ReadFile(config_.EnrolmentFile()).has_value();
  const UtcTime now = Now();
  const CertificatePlan plan = PlanCertificate(held, enrolled, now);
  step_ = plan.step;
  // Even one that lapsed is shown: the relay knows best what it takes, and a renewal is under way.
  if (held) events_.certificate();
  if (plan.at) {
    At(std::min(kLongestSleep, *plan.at - now), &Enrolment::Plan);
  } else {
    Attempt();
  }
}

Expected<HttpCall> Enrolment::MakeCall() {
  auto csr = MakeCertificateRequest(tls_key_, identity_.id().Text());
  if (!csr) return std::move(csr).error();
  HttpCall call;
  call.method = "POST";
  call.headers.Add("Content-Type", "application/json");
  const Bytes key(identity_.key().public_key().View());
  if (step_ == CertificatePlan::Step::kRenew) {
    RenewRequest request;
    request.org = facts_.org;
    request.key = key;
    request.csr = std::move(*csr);
    request.time = Now();
    request.nonce = RandomBytes(kNonceBytes);
    call.target = "/v1/renew";
    call.body = identity_.Sign(kRenewType, EncodeRenewRequest(request));
    return call;
  }
  auto token = ConfiguredToken(config_);  // again: somebody may have put a new one there
  if (!token) return std::move(token).error();
  if (!*token) {
    return Error(Errc::kNotFound,
                 "this agent is not enrolled and has no token; make one with "
                 "`mig agent-token new` and name its file as `token_file`");
  }
  if (auto ok = CheckPin(config_, **token); !ok) return std::move(ok).error();
  EnrolRequest request;
  request.org = facts_.org;
  request.token = (*token)->secret;
  token_hash_ = Sha256(request.token);
  request.key = key;
  request.csr = std::move(*csr);
  request.name = name_;
  call.target = "/v1/enroll";
  call.body = identity_.Sign(kEnrolType, EncodeEnrolRequest(request));
  return call;
}

void Enrolment::Attempt() {
  auto call = MakeCall();
  if (!call) {
    log::Error("no certificate can be asked for", {{"reason", call.error().message()}});
    At(refused_.Next(RandomNumber()), &Enrolment::Attempt);
    return;
  }
  Crash("agent.enrol.before");
  http_.Call(std::move(*call), [this](Expected<HttpReply> reply) {
    if (!stopped_) Done(reply);
  });
}

void Enrolment::Done(const Expected<HttpReply>& reply) {
  Crash("agent.enrol.answered");
  if (!reply) {
    const milliseconds wait = unreachable_.Next(RandomNumber());
    log::Warning(
        "the API does not answer",
        {{"api", facts_.api}, {"reason", reply.error().message()}, {"next", FormatDuration(wait)}});
    At(wait, &Enrolment::Attempt);
    return;
  }
  auto taken =
      reply->status == 200 ? Take(*reply) : Expected<void>(Error(Errc::kDenied, MessageOf(*reply)));
  if (taken) {
    unreachable_.Reset();
    refused_.Reset();
    log::Info(step_ == CertificatePlan::Step::kEnrol ? "enrolled" : "certificate renewed",
              {{"agent", identity_.id().Text()}});
    Plan();
    return;
  }
  const milliseconds wait = refused_.Next(RandomNumber());
  log::Error(
      "the API gave no certificate",
      {{"api", facts_.api}, {"reason", taken.error().message()}, {"next", FormatDuration(wait)}});
  // A deployment that does not know this agent any more may still take its token.
  if (step_ == CertificatePlan::Step::kRenew && reply->status == 403) {
    if (const auto token = ConfiguredToken(config_); token && *token) {
      step_ = CertificatePlan::Step::kEnrol;
    }
  }
  At(wait, &Enrolment::Attempt);
}

Expected<void> Enrolment::Take(const HttpReply& reply) {
  auto answer = DecodeEnrolAnswer(reply.body);
  if (!answer) return std::move(answer).error();
  auto life = CheckCertificate(answer->certificate, tls_key_, identity_.id());
  if (!life) return std::move(life).error();
  const UtcTime now = Now();
  if (PlanCertificate(*life, true, now).at == std::nullopt) {
    return Error(Errc::kExpired, "the certificate ends " + FormatRfc3339(life->until) +
                                     "; this machine's clock says " + FormatRfc3339(now));
  }
  if (auto ok = events_.policy(PolicyUpdate{answer->roots, answer->policy, answer->freshness}); !ok) {
    return std::move(ok).error().During("policy");
  }
  Crash("agent.certificate.before");
  // The record first: with a certificate and without it, the agent would not know its deployment
  // once the token is gone from the configuration.
  if (auto ok = os::WriteFileAtomically(config_.EnrolmentFile(), WriteDeploymentFacts(facts_),
                                        kSecretMode);
      !ok) {
    return ok;
  }
  Crash("agent.certificate.recorded");
  if (step_ == CertificatePlan::Step::kEnrol) {
    if (auto ok = TakeGrant(*answer); !ok) return ok;
  }
  auto stored =
      os::WriteFileAtomically(config_.CertificateFile(), answer->certificate, kPublicMode);
  if (stored) Crash("agent.certificate.stored");
  return stored;
}

Expected<void> Enrolment::TakeGrant(const EnrolAnswer& answer) {
  if (!answer.grant) {  // of an earlier token, which is not the one that counts now
    std::error_code error;
    std::filesystem::remove(config_.GrantFile(), error);
    if (error) return Error(Errc::kIo, config_.GrantFile().string() + ": " + error.message());
    events_.granted(std::nullopt);
    return {};
  }
  auto grant = EnvelopeFromJson(*answer.grant, "grant");
  if (!grant) return std::move(grant).error();
  if (auto own = CheckOwnGrant(*grant, facts_.org, token_hash_); !own) {
    return std::move(own).error().During("grant");
  }
  Self::Granted granted{token_hash_, std::move(*grant)};
  auto kept = os::WriteFileAtomically(config_.GrantFile(), WriteGranted(granted), kSecretMode);
  if (!kept) return kept;
  events_.granted(std::move(granted));
  return {};
}

}  // namespace mig::agent
