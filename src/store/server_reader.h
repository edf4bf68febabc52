// Reading from the server's database (store/server_db.h): one connection with its prepared
// statements. Not for two threads at once; ServerDb::Read hands them out. Lists come in pages: pass
// the cursor of the last row, get at most `limit` rows after it; fewer rows: the end, for now.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/target.h"
#include "store/server_rows.h"

namespace mig::store {

class ServerStatements;  // the connection and its prepared statements; store-private

class ServerReader {
 public:
  static Expected<std::unique_ptr<ServerReader>> Open(const std::filesystem::path& file);
  virtual ~ServerReader();
  ServerReader(const ServerReader&) = delete;
  ServerReader& operator=(const ServerReader&) = delete;

  // ---- agents
  Expected<std::optional<AgentRow>> FindAgent(const AgentId& id);
  // The enrolled public key (32 bytes); nothing for an unknown agent.
  Expected<std::optional<Bytes>> FindAgentKey(const AgentId& id);
  // Ordered by the id's text; begin with AgentId(). `where` is Target::ToSql's; to list all, that
  // of `all`.
  Expected<std::vector<AgentRow>> ListAgents(const Target::Sql& where, const AgentId& after,
                                             std::size_t limit);
  Expected<AgentCount> CountAgents(const Target::Sql& where);
  // The newest version first, at most `limit`.
  Expected<std::vector<HeldPolicyRow>> CountHeldPolicies(std::size_t limit);
  Expected<std::vector<NotTakenRow>> ListNotTaken();  // the newest first
  Expected<std::vector<AgentCopyRow>> ListCopies(const AgentId& id);
  // The agents on this running system that are not offline, the one that began first first.
  Expected<std::vector<TwinRow>> ListTwins(std::string_view host);

  // ---- actions
  Expected<std::optional<ActionRow>> FindAction(const ActionId& id);
  Expected<std::optional<Bytes>> FindActionEnvelope(const ActionId& id);
  // Newest first, those stored before row `before`; 0: from the newest.
  Expected<std::vector<ActionRow>> ListActions(std::int64_t before, std::size_t limit);
  // Not final, oldest first: what a scheduler has to look after. Begin with row 0.
  Expected<std::vector<ActionRow>> ListOpenActions(std::int64_t after, std::size_t limit);
  // The oldest that is valid now and not, or not wholly, expanded into commands, and that no other
  // scheduler than `owner` holds.
  Expected<std::optional<ActionRow>> FindActionToPrepare(std::string_view owner, UtcTime now);
  Expected<std::vector<SignatureRow>> ListSignatures(const ActionId& id);
  Expected<Counters> CountCommands(const ActionId& id);
  // Waiting for signatures, oldest first; begin with row 0.
  Expected<std::vector<ActionRow>> ListPendingActions(std::int64_t after, std::size_t limit);
  Expected<std::optional<RejectionRow>> FindRejection(const ActionId& id);
  // The ids of the signed audience, 32 raw bytes each, ascending; nothing for an action without.
  Expected<std::optional<Bytes>> FindAudience(const ActionId& id);

  // ---- proposals
  Expected<std::optional<ProposalRow>> FindProposal(const ActionId& id);
  // Open and not expired, oldest first; begin with row 0.
  Expected<std::vector<ProposalRow>> ListProposals(std::int64_t after, std::size_t limit,
                                                   UtcTime now);

  // ---- commands and results
  Expected<std::optional<CommandRow>> FindCommand(const ActionId& action, const AgentId& agent);
  // In the order in which the agents enrolled; begin with AgentId().
  Expected<std::vector<CommandRow>> ListCommands(const ActionId& action, const AgentId& after,
                                                 std::size_t limit);
  // Final commands of the action, in the order in which they became so; begin with 0.
  Expected<std::vector<CommandRow>> ListFinishedCommands(const ActionId& action,
                                                         std::int64_t after_finish,
                                                         std::size_t limit);
  // Not final commands of one agent, in the order of their actions.
  Expected<std::vector<CommandRow>> ListOpenCommands(const AgentId& agent, std::size_t limit);
  // Parts in the order in which they were stored. A page ends after `limit` rows or when its
  // envelopes exceed `bytes`, but has at least one row when there is one.
  Expected<std::vector<PartRow>> ListParts(const ActionId& action, std::int64_t after,
                                           std::size_t limit, std::size_t bytes);

  // Commands of actions in flight that are due to be sent, the longest due first.
  Expected<std::vector<DueRow>> ListDueCommands(UtcTime now, std::size_t limit);
  // When something is next to be done without anybody asking; nothing: never, as things are.
  struct Deadlines {
    std::optional<UtcTime> due;     // a command is to be sent
    std::optional<UtcTime> valid;   // a scheduled action begins to be valid
    std::optional<UtcTime> expiry;  // an open action's expireafter
  };
  Expected<Deadlines> NextDeadlines();

  // ---- people
  Expected<std::optional<SessionRow>> FindSession(const KeyId& id);
  Expected<std::vector<PersonRow>> ListPeople();
  Expected<std::vector<TokenRow>> ListTokens();
  Expected<std::optional<TokenRow>> FindToken(BytesView hash);
  // Whether the agent is enrolled, and with this token.
  Expected<bool> EnrolledWith(const AgentId& agent, BytesView token);
  Expected<std::optional<GrantedRow>> FindGranted(const AgentId& agent);
  // Every agent with its grant; by id, begin with AgentId().
  Expected<std::vector<GrantedRow>> ListGranted(const AgentId& after, std::size_t limit);
  // Newest first, before row `before`; 0: from the newest.
  Expected<std::vector<AuditRow>> ListAudit(std::int64_t before, std::size_t limit);

  // ---- published documents (verified by whoever stored them, and by whoever reads them)
  // The newest: highest root version, then highest policy version.
  Expected<std::optional<PublishedPolicyRow>> FindPublishedPolicy();
  // Newest first.
  Expected<std::vector<PublishedPolicyRow>> ListPublishedPolicies(std::size_t limit);
  // Envelopes of root versions 1, 2, … as far as they were published.
  Expected<std::vector<Bytes>> ListPublishedRoots();
  // The newest statement about that policy version.
  Expected<std::optional<Bytes>> FindFreshness(std::uint64_t policy_version);

 protected:
  explicit ServerReader(std::unique_ptr<ServerStatements> statements);
  ServerStatements& statements() { return *statements_; }

 private:
  std::unique_ptr<ServerStatements> statements_;
};

}  // namespace mig::store
