#include "roles/api/sessions.h"

#include <algorithm>

#include "proto/access.h"
#include "trust/signers.h"

namespace mig::api {
namespace {

constexpr std::size_t kMaxNonceBytes = 64;

bool IsActive(const TrustedPolicy& policy, std::string_view person) {
  const auto& people = policy.policy().people;
  return std::any_of(people.begin(), people.end(),
                     [&](const Person& p) { return p.id == person && p.active; });
}

}  // namespace

Expected<store::SessionRow> CheckSession(const Envelope& envelope, const TrustedPolicy& policy,
                                         UtcTime now) {
  if (envelope.payload_type != kSessionType) {
    return Error(Errc::kMalformed, "this is not a session's envelope");
  }
  const Signers signers = CheckSigners(envelope, policy);
  if (signers.refused) return Error(Errc::kDenied, signers.refused->detail);
  if (signers.people.size() != 1) {
    return Error(Errc::kDenied, "a session belongs to one person, and signs for nobody else");
  }
  auto request = DecodeSessionRequest(envelope.payload);
  if (!request) return std::move(request).error();
  if (request->org != policy.policy().org) {
    return Error(Errc::kDenied, "the session is for deployment " + request->org.Text() +
                                    ", this is " + policy.policy().org.Text());
  }
  if (now + kMaxSkew < request->validfrom) {
    return Error(Errc::kDenied, "the session begins at " + FormatRfc3339(request->validfrom) +
                                    "; this server's clock says " + FormatRfc3339(now));
  }
  if (now >= request->expireafter) {
    return Error(Errc::kExpired, "the session ended at " + FormatRfc3339(request->expireafter) +
                                     "; this server's clock says " + FormatRfc3339(now));
  }
  auto key = PublicKey::FromBytes(request->key);
  if (!key) return std::move(key).error().During("session.key");

  store::SessionRow session;
  session.id = *KeyId::FromBytes(key->Fingerprint());
  session.key = request->key;
  session.person = *signers.people.begin();
  session.validfrom = request->validfrom;
  session.expireafter = request->expireafter;
  return session;
}

RequestGate::RequestGate(UtcTime started, std::size_t most_nonces)
    : started_(started), most_nonces_(most_nonces) {}

void RequestGate::Forget(UtcTime now) {
  while (!order_.empty() && order_.front().until <= now) {
    nonces_.erase(order_.front().nonce);
    order_.pop_front();
  }
}

Expected<std::string> RequestGate::Admit(const store::SessionRow& session, std::string_view nonce,
                                         UtcTime created, const TrustedPolicy& policy,
                                         UtcTime now) {
  if (now >= session.expireafter) {
    return Error(Errc::kDenied, "the session ended at " + FormatRfc3339(session.expireafter));
  }
  if (!IsActive(policy, session.person)) {
    return Error(Errc::kDenied, "`" + session.person + "` is no longer active in the policy");
  }
  // `created` has whole seconds, so a request of the second in which we started is fresh.
  const auto oldest = std::max(now - kMaxSkew, std::chrono::floor<std::chrono::seconds>(started_) +
                                                   UtcTime::duration::zero());
  if (created < oldest || created > now + kMaxSkew) {
    return Error(Errc::kDenied, "the request was signed at " + FormatRfc3339(created) +
                                    ", which is not fresh; this server's clock says " +
                                    FormatRfc3339(now));
  }
  if (nonce.empty() || nonce.size() > kMaxNonceBytes) {
    return Error(Errc::kDenied, "the signature's nonce is missing or too long");
  }
  Forget(now);
  if (nonces_.size() >= most_nonces_) {
    return Error(Errc::kFull, "too many requests at the moment; try again in a minute");
  }
  std::string remembered = Bytes(session.id.View()) + std::string(nonce);
  if (!nonces_.insert(remembered).second) {
    return Error(Errc::kDenied, "this request was served before");
  }
  order_.push_back({now + 2 * kMaxSkew, std::move(remembered)});
  return session.person;
}

}  // namespace mig::api
