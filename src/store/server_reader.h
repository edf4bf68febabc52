// Reading from the server's database (store/server_db.h): one connection with its prepared
// statements. Not for two threads at once; ServerDb::Read hands them out. Lists come in pages: pass
// the cursor of the last row, get at most `limit` rows after it; fewer rows: the end, for now.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
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
  // Ordered by id; begin with AgentId(). `where` is Target::ToSql's; to list all, that of `all`.
  Expected<std::vector<AgentRow>> ListAgents(const Target::Sql& where, const AgentId& after,
                                             std::size_t limit);
  Expected<AgentCount> CountAgents(const Target::Sql& where);
  Expected<std::vector<AgentCopyRow>> ListCopies(const AgentId& id);

  // ---- actions
  Expected<std::optional<ActionRow>> FindAction(const ActionId& id);
  Expected<std::optional<Bytes>> FindActionEnvelope(const ActionId& id);
  // Newest first, those stored before row `before`; 0: from the newest.
  Expected<std::vector<ActionRow>> ListActions(std::int64_t before, std::size_t limit);
  // Not final, oldest first: what a scheduler has to look after. Begin with row 0.
  Expected<std::vector<ActionRow>> ListOpenActions(std::int64_t after, std::size_t limit);
  Expected<std::vector<SignatureRow>> ListSignatures(const ActionId& id);
  Expected<Counters> CountCommands(const ActionId& id);

  // ---- commands and results
  Expected<std::optional<CommandRow>> FindCommand(const ActionId& action, const AgentId& agent);
  // Ordered by agent id; begin with AgentId().
  Expected<std::vector<CommandRow>> ListCommands(const ActionId& action, const AgentId& after,
                                                 std::size_t limit);
  // Commands of the action that changed after `change`, in the order of their last change.
  Expected<std::vector<CommandRow>> ListCommandChanges(const ActionId& action, std::int64_t change,
                                                       std::size_t limit);
  // Not final commands of one agent, in the order of their actions.
  Expected<std::vector<CommandRow>> ListOpenCommands(const AgentId& agent, std::size_t limit);
  // Parts in the order in which they were stored. A page ends after `limit` rows or when its
  // envelopes exceed `bytes`, but has at least one row when there is one.
  Expected<std::vector<PartRow>> ListParts(const ActionId& action, std::int64_t after,
                                           std::size_t limit, std::size_t bytes);

  // When the scheduler's next sending or expiry is due; nothing: never, as things are.
  Expected<std::optional<UtcTime>> NextDue();

  // ---- people
  Expected<std::optional<SessionRow>> FindSession(const KeyId& id);
  Expected<std::vector<PersonRow>> ListPeople();
  Expected<std::vector<TokenRow>> ListTokens();
  // Newest first, before row `before`; 0: from the newest.
  Expected<std::vector<AuditRow>> ListAudit(std::int64_t before, std::size_t limit);

 protected:
  explicit ServerReader(std::unique_ptr<ServerStatements> statements);
  ServerStatements& statements() { return *statements_; }

 private:
  std::unique_ptr<ServerStatements> statements_;
};

}  // namespace mig::store
