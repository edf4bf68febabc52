// Rows of the three databases read back after somebody changed them: by hand, by a disk that fails,
// by another program. SQLite sees to the file's form; what stands in a column is for us to doubt.
// The first byte picks the database, then changes follow: table, column, kind of value, length,
// bytes. Reading must come to an end in values or errors.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <map>

#include "crypto/digest.h"
#include "mqtt/broker.h"
#include "proto/action.h"
#include "store/agent_db.h"
#include "store/relay_db.h"
#include "store/server_db.h"
#include "store/sqlite.h"
#include "test/fuzz/require.h"
#include "test/temp_folder.h"
#include "util/log.h"

namespace {

using namespace mig;
using namespace mig::store;
using fuzz::Require;
namespace fs = std::filesystem;

const UtcTime kNow = ParseRfc3339("2026-11-23T12:00:00Z").value();
const UtcTime kEnd = kNow + std::chrono::minutes(5);
const ActionId kAction = ActionId::FromBytes(Bytes(ActionId::kBytes, 'x')).value();
const Bytes kKey(32, 'k');
const AgentId kAgent = AgentId::FromBytes(Sha256(kKey)).value();

// In a value or an error, and either is right.
template <typename Outcome>
void Ends(const Outcome& outcome) {
  Require(outcome.has_value() || !outcome.error().message().empty(), "an error says why");
}

// Each database once, with a row wherever one can be had easily.

void MakeAgentDb(const fs::path& file) {
  const auto db = AgentDb::Open(file, {.reserve_bytes = 4096});
  Require(db.has_value(), "an agent's database is made");
  const LedgerNote note{kNow, "accepted", {{"x", 1}}};
  Accepted accepted;
  accepted.action.id = kAction;
  accepted.action.expireafter = kEnd;
  accepted.digest = Sha256("payload");
  accepted.people = {"ann"};
  NewPart part;
  part.action = kAction;
  part.digest = Sha256("part");
  part.envelope = "{}";
  Require((*db)->Accept(accepted, "{}", kNow, note) && (*db)->MarkStarted(kAction, note) &&
              (*db)->AddPart(part) && (*db)->KeepPolicy(1, 1, "{}", kNow, note),
          "and filled");
}

void ReadAgentDb(const fs::path& file) {
  const auto db = AgentDb::Open(file, {.reserve_bytes = 4096});
  if (!db) return;
  Ends((*db)->Find(kAction));
  Ends((*db)->IsStopped(kAction));
  Ends((*db)->Recall(kAction));
  Ends((*db)->ProgressOf(kAction));
  Ends((*db)->Waiting(0, 1 << 20));
  Ends((*db)->Trust());
  if (const auto unfinished = (*db)->Unfinished()) {
    for (const RememberedAction& action : *unfinished) Ends((*db)->ProgressOf(action.id));
  }
  NewPart part;
  part.action = kAction;
  part.seq = 1;
  part.digest = Sha256("part");
  part.envelope = "{}";
  Ends((*db)->AddPart(part));
  Ends((*db)->Repeat(kAction));
  Ends((*db)->Acknowledge(kAction, {0, 1}));
  Ends((*db)->Finish(part, CommandStatus::kFailed, {kNow, "answered", {}}));
  Ends((*db)->Forget());
  Ends((*db)->DropStaleParts(kNow + std::chrono::hours(100)));
  Ends((*db)->AppendToLedger({kNow, "started", {}}));
  Ends(ReadLedger(file, [](const LedgerEntry&) { return true; }));
}

void MakeServerDb(const fs::path& file) {
  const auto db = ServerDb::Open(file);
  Require(db.has_value(), "a server's database is made");
  const auto filled = (*db)->WriteNow([](ServerTx& tx) -> Expected<void> {
    if (auto done = tx.EnrolAgent({kAgent, kKey, "a"}, kNow); !done) return done;
    Presence presence;
    presence.agent = kAgent;
    presence.on = true;
    presence.time = kNow;
    if (auto seen = tx.RecordPresence(presence, "relay", kNow); !seen) return seen.error();
    NewAction action;
    action.id = kAction;
    action.digest = Sha256("payload");
    action.envelope = "{}";
    action.weight_reached = true;
    action.name = action.target = "all";
    action.validfrom = kNow;
    action.expireafter = kEnd;
    action.limit_bytes = 1 << 20;
    action.signatures = {{"ann", KeyId()}};
    if (auto added = tx.AddAction(action, "ann", kNow); !added) return added.error();
    NewProposal proposal;
    proposal.subject = "twin";
    proposal.proposer = "scheduler";
    proposal.operations = "[]";
    proposal.expires = kEnd;
    if (auto proposed = tx.Propose(proposal, kNow); !proposed) return proposed.error();
    if (auto set = tx.SetActionStatus(kAction, ActionStatus::kPreparing, "", kNow); !set) {
      return set.error();
    }
    if (auto page = tx.PrepareCommands(kAction, {"1", {}}, 0, 10, kNow); !page) return page.error();
    if (auto set = tx.SetActionStatus(kAction, ActionStatus::kInflight, "", kNow); !set) {
      return set.error();
    }
    IncomingPart part;
    part.action = kAction;
    part.agent = kAgent;
    part.digest = Sha256("part");
    part.envelope = "{}";
    if (auto added = tx.AddPart(part, kNow); !added) return added.error();
    if (auto done = tx.ReplacePeople(std::vector<PersonRow>{{"ann", "Ann", true, {KeyId()}}}, kNow);
        !done)
      return done;
    SessionRow session;
    session.person = "ann";
    session.key = kKey;
    session.expireafter = kEnd;
    if (auto done = tx.AddSession(session); !done) return done;
    TokenRow token;
    token.hash = Sha256("token");
    token.uses_left = 1;
    token.expires = kEnd;
    return tx.AddToken(token);
  });
  Require(filled.has_value(), "and filled");
}

void ReadServerDb(const fs::path& file) {
  const auto db = ServerDb::Open(file);
  if (!db) return;
  Ends((*db)->Read([](ServerReader& reader) -> Expected<void> {
    Ends(reader.FindAgent(kAgent));
    Ends(reader.FindAgentKey(kAgent));
    Ends(reader.ListAgents({"1", {}}, AgentId(), 10));
    Ends(reader.CountAgents({"1", {}}));
    Ends(reader.CountHeldPolicies(100));
    Ends(reader.ListNotTaken());
    Ends(reader.ListCopies(kAgent));
    Ends(reader.FindAction(kAction));
    Ends(reader.FindActionEnvelope(kAction));
    Ends(reader.ListActions(0, 10));
    Ends(reader.ListOpenActions(0, 10));
    Ends(reader.FindActionToPrepare("s", kNow));
    Ends(reader.ListSignatures(kAction));
    Ends(reader.ListProposals(0, 10, kNow));
    Ends(reader.FindProposal(kAction));
    Ends(reader.CountCommands(kAction));
    Ends(reader.FindCommand(kAction, kAgent));
    Ends(reader.ListCommands(kAction, AgentId(), 10));
    Ends(reader.ListFinishedCommands(kAction, 0, 10));
    Ends(reader.ListOpenCommands(kAgent, 10));
    Ends(reader.ListParts(kAction, 0, 10, 1 << 20));
    Ends(reader.ListDueCommands(kNow, 10));
    Ends(reader.NextDeadlines());
    Ends(reader.FindSession(KeyId()));
    Ends(reader.ListPeople());
    Ends(reader.ListTokens());
    Ends(reader.ListAudit(0, 10));
    return {};
  }));
  Ends((*db)->WriteNow([](ServerTx& tx) -> Expected<void> {
    Receipt receipt;
    receipt.agent = kAgent;
    receipt.action = kAction;
    receipt.state = "started";
    Ends(tx.RecordReceipt(receipt, kNow, kNow));
    IncomingPart part;
    part.action = kAction;
    part.agent = kAgent;
    part.seq = 1;
    part.last = true;
    part.status = CommandStatus::kSuccess;
    part.digest = Sha256("last");
    part.envelope = "{}";
    Ends(tx.AddPart(part, kNow));
    Ends(tx.UseToken(Sha256("token"), kNow));
    return tx.ForgetLapsed(kEnd + std::chrono::hours(100));
  }));
}

void MakeRelayDb(const fs::path& file) {
  const auto db = RelayDb::Open({file});
  Require(db.has_value(), "a relay's database is made");
  (*db)->Start({[](std::uint64_t) {}, [](mqtt::Page) {}, [](std::vector<mqtt::ExpiredRow>) {},
                [](bool) {}, [](const Error&) { Require(false, "and filled"); }});
  mqtt::SessionRecord session{1, "agent", "agent", "agent", std::chrono::hours(1), kNow};
  session.will = mqtt::Will{"a/b", "gone", mqtt::Qos::kAtLeastOnce, true, {}};
  session.will->properties.Add(mqtt::PropertyId::kWillDelayInterval, 60);
  auto message = std::make_shared<mqtt::Message>();
  message->id = 1;
  message->topic = "a/b";
  message->payload = "payload";
  message->properties = Bytes("\x01\x01", 2);  // payload format indicator
  message->qos = mqtt::Qos::kAtLeastOnce;
  message->expires_at = kEnd;
  auto retained = std::make_shared<mqtt::Message>(*message);
  retained->id = 2;
  retained->retain = true;
  mqtt::KeepBatch batch{1, {}};
  batch.operations.emplace_back(mqtt::PutSession{std::move(session)});
  batch.operations.emplace_back(mqtt::PutSubscription{{1, "a/#", {mqtt::Qos::kAtLeastOnce}, 7}});
  batch.operations.emplace_back(mqtt::PutGroup{{2, "$share/g/a/#"}});
  batch.operations.emplace_back(mqtt::Enqueue{
      message, {{1, 1, mqtt::Qos::kAtLeastOnce, false, {7}}, {2, 1, mqtt::Qos::kAtLeastOnce}}});
  batch.operations.emplace_back(mqtt::PutRetained{{retained, "", ""}});
  (*db)->Keep(std::move(batch));
  (*db)->Stop();
}

void ReadRelayDb(const fs::path& file) {
  const auto db = RelayDb::Open({file});
  if (!db) return;
  mqtt::Snapshot snapshot = (*db)->TakeSnapshot();
  (*db)->Start({[](std::uint64_t) {}, [](mqtt::Page) {}, [](std::vector<mqtt::ExpiredRow>) {},
                [](bool) {}, [](const Error&) {}});
  for (const mqtt::QueueSummary& queue : snapshot.queues) (*db)->Read({queue.id, 0, 100});
  (*db)->DropExpired(kEnd + std::chrono::hours(1));
  (*db)->Stop();
  const mqtt::AllowAll everybody;
  mqtt::Broker broker(everybody, {{}, [] { return std::string("new"); }});
  broker.Restore(std::move(snapshot), kNow);
  broker.TakeEffects();
}

// ---- Changing what stands there.

struct Kind {
  const char* file;
  void (*make)(const fs::path&);
  void (*read)(const fs::path&);
};
constexpr Kind kKinds[] = {{"agent.db", MakeAgentDb, ReadAgentDb},
                           {"server.db", MakeServerDb, ReadServerDb},
                           {"relay.db", MakeRelayDb, ReadRelayDb}};

// A database as it was made, and the names in it.
struct Original {
  explicit Original(const Kind& kind) : file(folder / kind.file) {
    kind.make(file);
    auto database = Database::Open(file);
    Require(database && database->Execute("PRAGMA journal_mode=DELETE"), "it is one file");
    auto columns = database->Prepare(
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table' ORDER BY 1, c.cid");
    Require(columns.has_value(), "it has tables");
    for (auto row = columns->Step(); row && *row; row = columns->Step()) {
      tables[columns->Text(0)].push_back(columns->Text(1));
    }
    auto triggers = database->Prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'");
    for (auto row = triggers->Step(); row && *row; row = triggers->Step()) {
      drop_triggers += "DROP TRIGGER " + triggers->Text(0) + ";";
    }
  }
  TempFolder folder;
  fs::path file;
  std::map<std::string, std::vector<std::string>> tables;
  std::string drop_triggers;
};

class Input {
 public:
  explicit Input(BytesView bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  std::size_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(rest_[0]);
    rest_.remove_prefix(1);
    return byte;
  }
  BytesView Take(std::size_t count) {
    const BytesView taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  BytesView rest_;
};

// Errors are the database's right: a type that a STRICT table refuses, a value that is not unique.
void Change(Database& database, const Original& original, Input& input) {
  const auto table = std::next(original.tables.begin(),
                               static_cast<std::ptrdiff_t>(input.Byte() % original.tables.size()));
  const std::string& column = table->second[input.Byte() % table->second.size()];
  auto update = database.Prepare("UPDATE " + table->first + " SET " + column + " = ?1");
  if (!update) return;
  const std::size_t kind = input.Byte();
  const BytesView bytes = input.Take(input.Byte());
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number * 256 + static_cast<unsigned char>(byte);
  switch (kind % 5) {
    case 0:
      update->Bind(number);
      break;
    case 1:
      update->Bind(bytes);
      break;
    case 2:
      update->Bind(Blob{bytes});
      break;
    case 3:
      update->Bind(static_cast<double>(number) * 1e300);
      break;
    default:
      update->Bind(nullptr);
  }
  (void)update->Run();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A database that is gone with the test need not reach a disk.
  static const bool in_memory =
      ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", 1);
  (void)in_memory;
  log::Configure(log::Level::kError, log::Format::kText, "fuzz");
  static const Original originals[] = {Original(kKinds[0]), Original(kKinds[1]),
                                       Original(kKinds[2])};
  Input input(BytesView(reinterpret_cast<const char*>(data), size));
  const std::size_t which = input.Byte() % std::size(kKinds);
  const Original& original = originals[which];
  const TempFolder folder;
  const fs::path file = folder / kKinds[which].file;
  fs::copy_file(original.file, file);
  {
    auto database = Database::Open(file);
    Require(database && database->Execute("PRAGMA foreign_keys=OFF") &&
                database->Execute("PRAGMA ignore_check_constraints=ON") &&
                database->Execute(original.drop_triggers),
            "the copy can be changed");
    for (int changes = 0; !input.empty() && changes < 8; ++changes) {
      Change(*database, original, input);
    }
  }
  kKinds[which].read(file);
  return 0;
}
