// Proposals in the server's database: what the server would like done, until a person decides. The
// server signs nothing that an agent obeys; who agrees signs an action that takes over the
// proposal's id, so that one proposal becomes at most one action.
#include "crypto/ed25519.h"
#include "store/server_statements.h"
#include "store/server_tx.h"
#include "util/json.h"

namespace mig::store {
namespace {

#define MIG_PROPOSAL_COLUMNS                                                                      \
  "row, id, proposer, kind, name, target, operations, reason, created, expires, status, person, " \
  "detail"

ProposalRow ReadProposal(Columns& in) {
  ProposalRow row;
  row.row = in.Integer();
  row.id = in.ReadId<ActionId>();
  row.proposer = in.Text();
  row.kind = in.Parsed(ParseKind(in.Text()));
  row.name = in.Text();
  row.target = in.Text();
  row.operations = in.Text();
  row.reason = in.Text();
  row.created = in.Time();
  row.expires = in.Time();
  row.status = in.Parsed(ParseProposalStatus(in.Text()));
  row.person = in.Text();
  row.detail = in.Text();
  return row;
}

}  // namespace

std::string_view ProposalStatusName(ProposalStatus status) {
  switch (status) {
    case ProposalStatus::kOpen:
      return "open";
    case ProposalStatus::kApproved:
      return "approved";
    case ProposalStatus::kRejected:
      return "rejected";
  }
  return "";
}

Expected<ProposalStatus> ParseProposalStatus(std::string_view name) {
  for (const ProposalStatus status :
       {ProposalStatus::kOpen, ProposalStatus::kApproved, ProposalStatus::kRejected}) {
    if (name == ProposalStatusName(status)) return status;
  }
  return Error(Errc::kMalformed, "`" + std::string(name) + "` is not a status of a proposal");
}

Expected<std::optional<ProposalRow>> ServerReader::FindProposal(const ActionId& id) {
  return statements().One("SELECT " MIG_PROPOSAL_COLUMNS " FROM proposals WHERE id = ?",
                          ReadProposal, id.Text());
}

Expected<std::vector<ProposalRow>> ServerReader::ListProposals(std::int64_t after,
                                                               std::size_t limit, UtcTime now) {
  return statements().All("SELECT " MIG_PROPOSAL_COLUMNS
                          " FROM proposals WHERE status = 'open' AND expires > ? AND row > ?"
                          " ORDER BY row LIMIT ?",
                          ReadProposal, Millis(now), after, limit);
}

Expected<Proposed> ServerTx::Propose(const NewProposal& proposal, UtcTime now) {
  // What expired makes room for its subject, also where nobody opens sessions (ForgetLapsed).
  auto lapsed = statements().Run("DELETE FROM proposals WHERE expires <= ?", Millis(now));
  if (!lapsed) return std::move(lapsed).error();
  auto known = statements().One(
      "SELECT 1 FROM proposals WHERE subject = ? AND status != 'approved'",
      [](Columns& in) { return in.Integer(); }, proposal.subject);
  if (!known) return std::move(known).error();
  if (*known) return Proposed::kKnown;
  auto open = statements().One("SELECT count(*) FROM proposals WHERE status = 'open'",
                               [](Columns& in) { return in.Unsigned<std::uint64_t>(); });
  if (!open) return std::move(open).error();
  if (**open >= kMostProposals) return Proposed::kFull;
  const ActionId id = *ActionId::FromBytes(RandomBytes(ActionId::kBytes));
  auto done = statements().Run(
      "INSERT INTO proposals(id, subject, proposer, kind, name, target, operations, reason,"
      " created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id.Text(), proposal.subject, proposal.proposer, KindName(proposal.kind), proposal.name,
      proposal.target, proposal.operations, proposal.reason, Millis(now), Millis(proposal.expires));
  if (!done) return std::move(done).error();
  const json::object facts = {{"subject", proposal.subject}, {"kind", KindName(proposal.kind)}};
  auto audited = Audit(proposal.proposer, "proposal.made", id.Text(), json::Write(facts), now);
  if (!audited) return std::move(audited).error();
  return Proposed::kNew;
}

Expected<bool> ServerTx::RejectProposal(const ActionId& id, std::string_view person,
                                        std::string_view reason, UtcTime now) {
  auto proposal = FindProposal(id);
  if (!proposal) return std::move(proposal).error();
  if (!*proposal) return Error(Errc::kNotFound, "there is no proposal " + id.Text());
  auto done = statements().Run(
      "UPDATE proposals SET status = 'rejected', person = ?2, detail = ?3, closed = ?4"
      " WHERE id = ?1 AND status = 'open'",
      id.Text(), person, reason, Millis(now));
  if (!done) return std::move(done).error();
  if (*done == 0) return false;
  const json::object facts = {{"reason", reason}};
  auto audited = Audit(person, "proposal.rejected", id.Text(), json::Write(facts), now);
  if (!audited) return std::move(audited).error();
  return true;
}

Expected<void> ServerTx::ApproveProposal(const ActionId& id, std::string_view person, UtcTime now) {
  auto proposal = FindProposal(id);
  if (!proposal) return std::move(proposal).error();
  if (!*proposal) return {};
  if ((*proposal)->status == ProposalStatus::kRejected) {
    return Error(Errc::kExists, "the proposal " + id.Text() + " was rejected by " +
                                    (*proposal)->person + ": " + (*proposal)->detail);
  }
  auto done = statements().Run(
      "UPDATE proposals SET status = 'approved', person = ?2, closed = ?3 WHERE id = ?1", id.Text(),
      person, Millis(now));
  if (!done) return std::move(done).error();
  return Audit(person, "proposal.approved", id.Text(), "{}", now);
}

}  // namespace mig::store
