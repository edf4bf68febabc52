#include "roles/api/tokens.h"

#include <set>

#include "util/encoding.h"
#include "util/text.h"

namespace mig::api {
namespace {

constexpr std::size_t kPage = 1000;

// What cannot be read is a grant that does not count, not none.
std::optional<Envelope> EnvelopeIn(const std::optional<Bytes>& text) {
  if (!text) return std::nullopt;
  auto envelope = DecodeEnvelope(*text);
  return envelope ? std::move(*envelope) : Envelope{};
}

// The tags of that agent that count, as the store keeps them.
std::string CountingTags(const store::GrantedRow& row, const TrustedPolicy& policy) {
  const auto envelope = EnvelopeIn(row.envelope);
  const AgentTags tags = TagsOf(row.agent, envelope ? &*envelope : nullptr, row.token, policy);
  return json::Write(EncodeTags(tags.known));
}

}  // namespace

Expected<store::TokenRow> CheckToken(const Envelope& envelope, std::string note, std::string person,
                                     const TrustedPolicy& policy, UtcTime now) {
  auto standing = StandingOfGrant(envelope, policy);
  if (!standing) return std::move(standing).error();
  const Grant& grant = standing->grant;
  if (standing->weight == 0) {
    return Error(Errc::kDenied, "grant: the policy's `enrolment` gives no weight to " +
                                    Join(standing->people, ", "));
  }
  if (note.size() > kMaxTokenNote) {
    return Error(Errc::kInvalid, "note: has more than " + std::to_string(kMaxTokenNote) + " bytes");
  }
  if (grant.expires <= now) {
    return Error(Errc::kDenied, "grant: expired at " + FormatRfc3339(grant.expires) +
                                    "; this server's clock says " + FormatRfc3339(now));
  }
  store::TokenRow offered;
  offered.hash = grant.token;
  offered.uses = offered.uses_left = grant.uses;
  offered.created = now;
  offered.expires = grant.expires;
  offered.note = std::move(note);
  offered.person = std::move(person);
  offered.envelope = EncodeEnvelope(envelope);
  offered.ready = standing->reached();
  return offered;
}

Expected<Envelope> JoinGrants(const Envelope& stored, const Envelope& more) {
  if (stored.payload_type != more.payload_type || stored.payload != more.payload) {
    return Error(Errc::kInvalid, "this is another grant than the one that waits for signatures");
  }
  Envelope joined = stored;
  std::set<std::string> keys;
  for (const Signature& signature : stored.signatures) keys.insert(signature.keyid);
  for (const Signature& signature : more.signatures) {
    if (keys.insert(signature.keyid).second) joined.signatures.push_back(signature);
  }
  if (joined.signatures.size() > kMaxSignatures) {
    return Error(Errc::kInvalid, "the grant has too many signatures");
  }
  return joined;
}

json::object ViewToken(const store::TokenRow& token, const TrustedPolicy& policy, UtcTime now) {
  json::object tags;
  json::array people;
  std::uint64_t weight = 0, needed = 0;
  json::value grant = nullptr;
  if (const auto envelope = EnvelopeIn(token.envelope)) {
    grant = EnvelopeToJson(*envelope);
    if (const auto standing = StandingOfGrant(*envelope, policy)) {
      tags = EncodeTags(standing->grant.tags);
      for (const std::string& person : standing->people) people.emplace_back(person);
      weight = standing->weight;
      needed = standing->needed;
    }
  }
  const char* status = token.revoked          ? "revoked"
                       : token.expires <= now ? "expired"
                       : token.uses_left == 0 ? "used up"
                       : !token.ready         ? "pending"
                                              : "open";
  return {{"id", EncodeHex(token.hash)},
          {"status", status},
          {"uses", token.uses},
          {"uses_left", token.uses_left},
          {"created", FormatRfc3339(token.created)},
          {"expires", FormatRfc3339(token.expires)},
          {"note", token.note},
          {"person", token.person},
          {"tags", std::move(tags)},
          {"people", std::move(people)},
          {"weight", weight},
          {"needed", needed},
          {"grant", std::move(grant)}};
}

Expected<void> RefreshTokens(store::ServerTx& tx, const TrustedPolicy& policy) {
  auto tokens = tx.ListTokens();
  if (!tokens) return std::move(tokens).error();
  for (const store::TokenRow& token : *tokens) {
    const auto envelope = EnvelopeIn(token.envelope);
    if (!envelope) continue;
    const auto standing = StandingOfGrant(*envelope, policy);
    const bool ready = standing && standing->reached();
    if (ready == token.ready) continue;
    if (auto set = tx.SetTokenReady(token.hash, ready); !set) return set;
  }
  return {};
}

Expected<void> RefreshTags(store::ServerTx& tx, const TrustedPolicy& policy) {
  AgentId after;
  for (;;) {
    auto page = tx.ListGranted(after, kPage);
    if (!page) return std::move(page).error();
    for (const store::GrantedRow& row : *page) {
      after = row.agent;
      const std::string tags = CountingTags(row, policy);
      if (tags == row.tags) continue;
      if (auto set = tx.SetTags(row.agent, tags); !set) return std::move(set).error();
    }
    if (page->size() < kPage) return {};
  }
}

Expected<void> RefreshTagsOf(store::ServerTx& tx, const AgentId& agent,
                             const TrustedPolicy& policy) {
  auto row = tx.FindGranted(agent);
  if (!row) return std::move(row).error();
  if (!*row) return Error(Errc::kNotFound, "agent " + agent.Text() + " is not enrolled");
  auto set = tx.SetTags(agent, CountingTags(**row, policy));
  if (!set) return std::move(set).error();
  return {};
}

}  // namespace mig::api
