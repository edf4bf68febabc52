#include "roles/api/enrolment.h"

#include "crypto/digest.h"
#include "roles/api/tokens.h"
#include "util/encoding.h"

namespace mig::api {
namespace {

// A machine without a battery-backed clock may be far off when it starts; a replayed renewal only
// gives the same key another certificate, so a day is narrow enough.
constexpr std::chrono::hours kMaxRenewalSkew{24};

Expected<void> CheckOwnSignature(const Envelope& envelope, BytesView key, const OrgId& named,
                                 const OrgId& org) {
  auto public_key = PublicKey::FromBytes(key);
  if (!public_key) return std::move(public_key).error();
  if (!SignedBy(envelope, *public_key)) {
    return Error(Errc::kDenied, "the request is not signed by the key that it names");
  }
  if (named != org) {
    return Error(Errc::kDenied,
                 "the request is for deployment " + named.Text() + ", this is " + org.Text());
  }
  return {};
}

}  // namespace

Expected<Applicant> CheckEnrolment(const Envelope& envelope, const OrgId& org) {
  if (envelope.payload_type != kEnrolType) {
    return Error(Errc::kMalformed, "this is not an enrolment's envelope");
  }
  auto request = DecodeEnrolRequest(envelope.payload);
  if (!request) return std::move(request).error();
  if (auto ok = CheckOwnSignature(envelope, request->key, request->org, org); !ok) {
    return std::move(ok).error();
  }
  Applicant applicant;
  applicant.agent = *AgentId::FromBytes(Sha256(request->key));
  applicant.key = request->key;
  applicant.csr = request->csr;
  applicant.name = request->name;
  applicant.token_hash = Sha256(request->token);
  return applicant;
}

Expected<Applicant> CheckRenewal(const Envelope& envelope, const OrgId& org, UtcTime now) {
  if (envelope.payload_type != kRenewType) {
    return Error(Errc::kMalformed, "this is not a renewal's envelope");
  }
  auto request = DecodeRenewRequest(envelope.payload);
  if (!request) return std::move(request).error();
  if (auto ok = CheckOwnSignature(envelope, request->key, request->org, org); !ok) {
    return std::move(ok).error();
  }
  if (request->time < now - kMaxRenewalSkew || request->time > now + kMaxRenewalSkew) {
    return Error(Errc::kDenied, "the request is of " + FormatRfc3339(request->time) +
                                    "; this server's clock says " + FormatRfc3339(now));
  }
  Applicant applicant;
  applicant.agent = *AgentId::FromBytes(Sha256(request->key));
  applicant.key = request->key;
  applicant.csr = request->csr;
  applicant.nonce = EncodeBase64(request->nonce);
  return applicant;
}

Expected<void> AdmitEnrolment(store::ServerTx& tx, const Applicant& applicant,
                              const TrustedPolicy& policy, UtcTime now,
                              std::optional<Bytes>* grant) {
  auto known = tx.FindAgentKey(applicant.agent);
  if (!known) return std::move(known).error();
  auto same = tx.EnrolledWith(applicant.agent, applicant.token_hash);
  if (!same) return std::move(same).error();
  if (!*same) {
    if (auto used = tx.UseToken(applicant.token_hash, now); !used) return std::move(used).error();
    const store::NewAgent agent{applicant.agent, applicant.key, applicant.name,
                                applicant.token_hash};
    auto made = *known ? tx.SetAgentToken(agent.id, agent.token) : tx.EnrolAgent(agent, now);
    if (!made) return made;
    if (auto tagged = RefreshTagsOf(tx, agent.id, policy); !tagged) return tagged;
  }
  auto granted = tx.FindGranted(applicant.agent);
  if (!granted) return std::move(granted).error();
  *grant = std::move((*granted)->envelope);
  const std::string id = applicant.agent.Text();
  return tx.Audit("agent:" + id, *known ? "agent.enrolled_again" : "agent.enrolled", id,
                  json::Write(json::object{{"name", json::FromName(applicant.name)}}), now);
}

Expected<void> AdmitRenewal(store::ServerTx& tx, const Applicant& applicant, UtcTime now) {
  auto known = tx.FindAgentKey(applicant.agent);
  if (!known) return std::move(known).error();
  if (!*known) {
    return Error(Errc::kDenied, "this agent is not enrolled here; give it an enrolment token");
  }
  const auto key = *KeyId::FromBytes(applicant.agent.View());
  auto fresh = tx.RememberNonce(key, applicant.nonce, now + 2 * kMaxRenewalSkew);
  if (!fresh) return std::move(fresh).error();
  if (!*fresh) return Error(Errc::kDenied, "this request was served before");
  const std::string id = applicant.agent.Text();
  return tx.Audit("agent:" + id, "agent.renewed", id, "{}", now);
}

Expected<std::string> CertificateFor(const KeyPairPem& agents_ca, const Applicant& applicant,
                                     std::chrono::seconds validity, UtcTime now) {
  LeafRequest request;
  request.name = {"agent", applicant.agent.Text()};
  request.validity = validity;
  return SignCertificateRequest(agents_ca, applicant.csr, request, now);
}

}  // namespace mig::api
