// What an audience of so many machines costs on the way of an action that changes something, each
// step with the code that does it: the person's list and signature, what the server keeps and
// checks, the scheduler's proof for each agent, and an agent's look at its own.
//   bench_audience [AGENTS] [FOLDER]     default 100,000
// The store lies in FOLDER (default: a temporary one), on a real disk for real figures.
#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/sent_actions.h"
#include "cli/shown_audience.h"
#include "crypto/merkle.h"
#include "net/http_signature.h"
#include "proto/command.h"
#include "roles/api/submission.h"
#include "roles/scheduler/announcer.h"
#include "roles/scheduler/dispatcher.h"
#include "roles/scheduler/relays.h"
#include "roles/scheduler/store_queue.h"
#include "store/server_db.h"
#include "test/temp_folder.h"
#include "util/encoding.h"
#include "util/log.h"

namespace mig {
namespace {

using Clock = std::chrono::steady_clock;

template <typename T>
T Must(Expected<T> value, const char* what) {
  if (value) return std::move(*value);
  std::fprintf(stderr, "bench_audience: %s: %s\n", what, value.error().message().c_str());
  std::exit(1);
}

void Must(const Expected<void>& done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "bench_audience: %s: %s\n", what, done.error().message().c_str());
  std::exit(1);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A line for what happened since the last one; `count` of it, to say what each cost.
class Table {
 public:
  Table() { std::printf("| step | ms | ms CPU | us CPU each |\n|---|---|---|---|\n"); }
  void Row(const char* what, std::size_t count) {
    const double wall = std::chrono::duration<double>(Clock::now() - wall_).count();
    const double cpu = CpuSeconds() - cpu_;
    std::printf("| %s | %.1f | %.1f | %.2f |\n", what, wall * 1e3, cpu * 1e3,
                cpu * 1e6 / static_cast<double>(count));
    std::fflush(stdout);
    Begin();
  }
  void Begin() {
    wall_ = Clock::now();
    cpu_ = CpuSeconds();
  }

 private:
  Clock::time_point wall_ = Clock::now();
  double cpu_ = CpuSeconds();
};

// Takes what the scheduler would hand to the relay, and keeps some of it for the agents.
class KeepingRelays : public scheduler::Relays {
 public:
  const std::vector<scheduler::RelayState>& States() const override { return states_; }
  std::size_t Room(std::size_t) const override { return 256; }
  void Post(std::size_t, scheduler::Outgoing message) override {
    if (message.topic.ends_with("/cmd")) {
      if (commands++ % 100 == 0) kept.emplace_back(message.topic, *message.payload);
    }
    if (message.done) message.done({});
  }
  std::size_t commands = 0;
  std::vector<std::pair<std::string, Bytes>> kept;

 private:
  const std::vector<scheduler::RelayState> states_{{"relay", true}};
};

// A deployment in which one person may do everything.
struct Deployment {
  SecretKey root_key = SecretKey::Generate();
  SecretKey person = SecretKey::Generate();
  UtcTime now = Now();
  Policy policy;
  std::optional<TrustedPolicy> trusted;

  Deployment() {
    const auto key_of = [](const SecretKey& key) {
      return DocumentKey{"ed25519", Bytes(key.public_key().View())};
    };
    Root root;
    root.keys = {key_of(root_key)};
    root.issued = now;
    const Envelope root_envelope = Seal(kRootType, EncodeRoot(root), root_key);
    policy.org = OrgOf(root_envelope);
    policy.issued = now;
    policy.expires = now + std::chrono::hours(24);
    policy.people = {{"ann", "Ann", true, {key_of(person)}}};
    policy.modules["default"] = {1, {{"ann", 1}}, {}};
    for (const Kind kind : {Kind::kInvestigate, Kind::kRespond, Kind::kAdmin}) {
      policy.validity[kind] = std::chrono::hours(1);
    }
    trusted = Must(VerifyPolicyChain(policy.org, {root_envelope},
                                     Seal(kPolicyType, EncodePolicy(policy), root_key)),
                   "policy");
  }
};

int Measure(std::size_t count, const std::filesystem::path& folder) {
  log::Configure(log::Level::kWarning, log::Format::kText, "bench");
  const Deployment deployment;
  store::ServerDb::Options options;
  options.queue = 32'768;
  auto db = Must(store::ServerDb::Open(folder / "server.db", options), "open the store");
  std::vector<cli::ShownAgent> shown(count);
  for (cli::ShownAgent& agent : shown) {
    agent.id = *AgentId::FromBytes(RandomBytes(AgentId::kBytes));
    agent.key = RandomBytes(32);
    agent.name = "host-" + agent.id.Text().substr(0, 8);
  }
  Must(db->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    for (const cli::ShownAgent& agent : shown) {
      auto done = tx.EnrolAgent({agent.id, agent.key, agent.name}, deployment.now);
      if (!done) return done;
    }
    return {};
  }),
       "enrol");
  Table table;

  // The person.
  Action action;
  action.id = *ActionId::FromBytes(RandomBytes(ActionId::kBytes));
  action.org = deployment.policy.org;
  action.kind = Kind::kAdmin;
  action.name = "bench";
  action.target = "all";
  action.validfrom = deployment.now - std::chrono::minutes(1);
  action.expireafter = deployment.now + std::chrono::minutes(30);
  action.policy = deployment.policy.version;
  action.reason = "to see what it costs";
  action.operations = {
      {"agentdestroy", json::object{{"pid", 4711}, {"started", "2026-11-23T09:30:00Z"}}}};
  const cli::ShownAudience audience = Must(cli::AudienceOf(shown), "audience");
  action.audience = audience.audience;
  table.Row("client: ids sorted, tree made", count);
  Envelope envelope{std::string(kActionType), EncodeAction(action), {}};
  AddSignature(envelope, deployment.person);
  const Bytes posted = json::Write(
      json::object{{"action", EnvelopeToJson(envelope)}, {"audience", EncodeBase64(audience.ids)}});
  const std::string digest = ContentDigest(posted);
  table.Row("client: signed, written, its digest", count);
  std::printf("| (bytes posted: %zu; the signed payload: %zu) | | | |\n", posted.size(),
              envelope.payload.size());
  const cli::SentActions sent(folder / "sent");
  Must(sent.Remember(action.id, shown, deployment.now), "remember");
  table.Row("client: who was shown, kept for the results", count);
  if (!Must(sent.Recall(action.id), "recall")) return 1;
  table.Row("client: that read again", count);
  Must(cli::CheckAudience(audience.ids, *action.audience), "approver");
  table.Row("approver: the server's ids checked", count);

  // The server.
  Must(db->Read([&](store::ServerReader& reader) -> Expected<void> {
    const Target::Sql all = Must(Target::Parse("all"), "target").ToSql(deployment.now);
    AgentId after;
    for (std::size_t listed = 0; listed < count;) {
      auto page = reader.ListAgents(all, after, 1000);
      if (!page) return std::move(page).error();
      if (page->empty()) return Error(Errc::kInternal, "not all are listed");
      listed += page->size();
      after = page->back().id;
    }
    return {};
  }),
       "list");
  table.Row("api: the target's machines read, by pages", count);
  Must(CheckContentDigest(digest, posted), "digest");
  table.Row("api: digest of the body", count);
  api::Submission submission = api::CheckSubmission(posted, *deployment.trusted, deployment.now);
  if (submission.refused) {
    std::fprintf(stderr, "bench_audience: refused: %s\n", submission.refused->body.c_str());
    return 1;
  }
  table.Row("api: read, signatures, ids against the root", count);
  Must(db->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    auto added = tx.AddAction(submission.row, "ann", deployment.now);
    if (!added) return std::move(added).error();
    return {};
  }),
       "store");
  table.Row("api: stored, on disk", count);

  // The scheduler: what each command costs with its proof, and the same action without.
  const auto send = [&](const char* what) {
    boost::asio::io_context io;
    const auto guard = boost::asio::make_work_guard(io);
    KeepingRelays relays;
    scheduler::StoreQueue store(*db, io);
    scheduler::Announcer announcer(io, relays);
    scheduler::Dispatcher dispatcher(io, store, relays, announcer, {"bench", {}});
    table.Begin();
    dispatcher.Wake();
    while (relays.commands < count) io.run_one();
    table.Row(what, count);
    // What the store still has of ours must be done before we go.
    do {
      Must(db->WriteNow([](store::ServerTx&) -> Expected<void> { return {}; }), "drain");
    } while (io.poll() > 0);
    return relays.kept;
  };
  const auto commands = send("scheduler: expanded and sent, with proofs");
  store::NewAction bare = submission.row;
  bare.id = *ActionId::FromBytes(RandomBytes(ActionId::kBytes));
  bare.digest = RandomBytes(32);
  bare.audience.clear();
  Must(db->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    auto added = tx.AddAction(bare, "ann", deployment.now);
    if (!added) return std::move(added).error();
    return {};
  }),
       "store");
  send("scheduler: the same without an audience");

  std::vector<Bytes> leaves;
  for (std::size_t at = 0; at < audience.ids.size(); at += AgentId::kBytes) {
    leaves.push_back(audience.ids.substr(at, AgentId::kBytes));
  }
  table.Begin();
  const MerkleTree tree(leaves);
  table.Row("the tree alone", count);
  std::size_t hashes = 0;
  for (std::size_t i = 0; i < count; ++i) hashes += tree.Proof(i).size();
  table.Row("the proofs alone", count);

  // The agents: what came, and whether it names them.
  std::vector<AudienceProof> proofs;
  std::size_t bytes = 0;
  for (const auto& [topic, payload] : commands) {
    const Command command = Must(DecodeCommand(payload), "command");
    if (!command.proof) return 1;
    proofs.push_back(*command.proof);
    bytes += payload.size();
  }
  table.Begin();
  constexpr int kTurns = 20;
  for (int turn = 0; turn < kTurns; ++turn) {
    for (const AudienceProof& proof : proofs) {
      if (!VerifyInclusion(leaves[proof.index], proof.index, count, proof.path, tree.root())) {
        std::fprintf(stderr, "bench_audience: a proof does not hold\n");
        return 1;
      }
    }
  }
  table.Row("agent: a proof checked", kTurns * proofs.size());

  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%zu hashes in all proofs, %zu bytes a command, %ld MB resident at most\n", hashes,
              bytes / commands.size(), usage.ru_maxrss / 1024);
  return 0;
}

}  // namespace
}  // namespace mig

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000;
  if (count == 0) {
    std::fprintf(stderr, "usage: bench_audience [AGENTS] [FOLDER]\n");
    return 2;
  }
  const mig::TempFolder folder;
  return mig::Measure(count, argc > 2 ? argv[2] : folder.path());
}
