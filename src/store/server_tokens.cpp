// Enrolment tokens, grants, and the tags that come from them, in the server's database.
#include "store/server_statements.h"
#include "store/server_tx.h"

namespace mig::store {
namespace {

#define MIG_TOKEN_COLUMNS \
  "hash, uses, uses_left, created, expires, note, person, envelope, ready, revoked"

std::optional<Bytes> OptionalBlob(Columns& in) {
  Bytes bytes = in.BlobValue();
  return bytes.empty() ? std::nullopt : std::optional<Bytes>(std::move(bytes));
}

TokenRow ReadToken(Columns& in) {
  TokenRow row;
  row.hash = in.BlobValue();
  row.uses = in.Unsigned<std::uint32_t>();
  row.uses_left = in.Unsigned<std::uint32_t>();
  row.created = in.Time();
  row.expires = in.Time();
  row.note = in.Text();
  row.person = in.Text();
  row.envelope = OptionalBlob(in);
  row.ready = in.Bool();
  row.revoked = in.OptionalTime();
  return row;
}

GrantedRow ReadGranted(Columns& in) {
  GrantedRow row;
  row.agent = in.ReadId<AgentId>();
  row.tags = in.Text();
  row.token = in.BlobValue();
  row.envelope = OptionalBlob(in);
  return row;
}

}  // namespace

// ---- reading

Expected<std::vector<TokenRow>> ServerReader::ListTokens() {
  return statements().All("SELECT " MIG_TOKEN_COLUMNS " FROM enrolment_tokens ORDER BY created",
                          ReadToken);
}

Expected<std::optional<TokenRow>> ServerReader::FindToken(BytesView hash) {
  return statements().One("SELECT " MIG_TOKEN_COLUMNS " FROM enrolment_tokens WHERE hash = ?",
                          ReadToken, Blob{hash});
}

Expected<bool> ServerReader::EnrolledWith(const AgentId& agent, BytesView token) {
  auto found = statements().One(
      "SELECT 1 FROM agents WHERE id = ? AND token = ?", [](Columns& in) { return in.Bool(); },
      agent.Text(), Blob{token});
  if (!found) return std::move(found).error();
  return found->has_value();
}

#define MIG_GRANTED                          \
  "SELECT a.id, a.tags, a.token, g.envelope" \
  " FROM agents a LEFT JOIN grants g ON g.token = a.token "

Expected<std::optional<GrantedRow>> ServerReader::FindGranted(const AgentId& agent) {
  return statements().One(MIG_GRANTED "WHERE a.id = ?", ReadGranted, agent.Text());
}

Expected<std::vector<GrantedRow>> ServerReader::ListGranted(const AgentId& after,
                                                            std::size_t limit) {
  return statements().All(MIG_GRANTED "WHERE a.id > ? ORDER BY a.id LIMIT ?", ReadGranted,
                          after.IsNone() ? "" : after.Text(), limit);
}

// ---- writing

Expected<void> ServerTx::AddToken(const TokenRow& token) {
  auto known = FindToken(token.hash);
  if (!known) return std::move(known).error();
  if (*known) return Error(Errc::kExists, "there is a token with this hash");
  auto done = statements().Run(
      "INSERT INTO enrolment_tokens(hash, uses, uses_left, created, expires, note, person,"
      " envelope, ready) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      Blob{token.hash}, token.uses, token.uses_left, Millis(token.created), Millis(token.expires),
      token.note, token.person, Blob{token.envelope.value_or(Bytes())}, token.ready);
  if (!done) return std::move(done).error();
  return {};
}

Expected<bool> ServerTx::SignToken(BytesView hash, BytesView envelope, bool ready) {
  auto done = statements().Run(
      "UPDATE enrolment_tokens SET envelope = ?2, ready = ?3"
      " WHERE hash = ?1 AND ready = 0 AND revoked IS NULL",
      Blob{hash}, Blob{envelope}, ready);
  if (!done) return std::move(done).error();
  return *done > 0;
}

Expected<void> ServerTx::SetTokenReady(BytesView hash, bool ready) {
  auto done =
      statements().Run("UPDATE enrolment_tokens SET ready = ?2 WHERE hash = ?1", Blob{hash}, ready);
  if (!done) return std::move(done).error();
  return {};
}

Expected<bool> ServerTx::RevokeToken(BytesView hash, UtcTime now) {
  auto known = FindToken(hash);
  if (!known) return std::move(known).error();
  if (!*known) return Error(Errc::kNotFound, "there is no such token; perhaps it lapsed");
  auto done = statements().Run(
      "UPDATE enrolment_tokens SET revoked = ?2 WHERE hash = ?1 AND revoked IS NULL", Blob{hash},
      Millis(now));
  if (!done) return std::move(done).error();
  return *done > 0;
}

Expected<void> ServerTx::UseToken(BytesView hash, UtcTime now) {
  auto taken = statements().Run(
      "UPDATE enrolment_tokens SET uses_left = uses_left - 1"
      " WHERE hash = ? AND uses_left > 0 AND expires > ? AND ready = 1 AND revoked IS NULL",
      Blob{hash}, Millis(now));
  if (!taken) return std::move(taken).error();
  // One answer for all reasons: whoever guesses learns nothing from it. `mig agent-token list`
  // tells people.
  if (*taken == 0) {
    return Error(Errc::kDenied,
                 "the token is unknown, used up, revoked, expired, or not signed by enough people; "
                 "`mig agent-token list` shows which");
  }
  // Tokens lapse; what their agents were granted stays.
  auto kept = statements().Run(
      "INSERT OR IGNORE INTO grants(token, envelope) SELECT hash, envelope FROM enrolment_tokens"
      " WHERE hash = ? AND length(envelope) > 0",
      Blob{hash});
  if (!kept) return std::move(kept).error();
  return {};
}

Expected<void> ServerTx::SetAgentToken(const AgentId& agent, BytesView token) {
  auto done =
      statements().Run("UPDATE agents SET token = ?2 WHERE id = ?1", agent.Text(), Blob{token});
  if (!done) return std::move(done).error();
  if (*done == 0) return Error(Errc::kNotFound, "agent " + agent.Text() + " is not enrolled");
  return {};
}

Expected<bool> ServerTx::SetTags(const AgentId& agent, std::string_view tags) {
  auto done = statements().Run("UPDATE agents SET tags = ?2 WHERE id = ?1 AND tags != ?2",
                               agent.Text(), tags);
  if (!done) return std::move(done).error();
  return *done > 0;
}

}  // namespace mig::store
