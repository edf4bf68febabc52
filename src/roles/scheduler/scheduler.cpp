#include "roles/scheduler/scheduler.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "cli/verb.h"
#include "proto/command.h"
#include "proto/topics.h"
#include "roles/scheduler/announcer.h"
#include "roles/scheduler/caretaker.h"
#include "roles/scheduler/collector.h"
#include "roles/scheduler/dispatcher.h"
#include "roles/scheduler/relay_links.h"
#include "roles/scheduler/scheduler_config.h"
#include "roles/scheduler/store_queue.h"
#include "store/published_documents.h"
#include "store/server_db.h"
#include "trust/freshness.h"
#include "trust/policy_documents.h"
#include "trust/policy_watch.h"
#include "util/crash_point.h"
#include "util/log.h"

namespace mig {
namespace scheduler {
namespace {

// Messages between arrival and commit; the collector's own bounds are reached before.
constexpr std::size_t kStoreQueue = 32'768;

PolicyMessage MessageOf(const PolicyDocuments& documents) {
  PolicyUpdate update;
  for (const Envelope& root : documents.roots) update.roots.push_back(EnvelopeToJson(root));
  update.policy = EnvelopeToJson(documents.policy);
  if (documents.freshness) update.freshness = EnvelopeToJson(*documents.freshness);
  return {documents.trusted.policy().version,
          std::make_shared<const Bytes>(EncodeControl(std::move(update)))};
}

// The process: one thread with all parts on it, and the store's writer thread.
class Process {
 public:
  Process(std::filesystem::path config_file, SchedulerConfig config,
          std::unique_ptr<store::ServerDb> db, PolicyDocuments documents)
      : config_file_(std::move(config_file)),
        config_(std::move(config)),
        documents_(std::move(documents)),
        policy_(MessageOf(documents_)),
        db_(std::move(db)),
        signals_(io_, SIGTERM, SIGINT, SIGHUP),
        watching_(io_),
        store_(*db_, io_),
        relays_(io_, config_,
                {[this](std::size_t relay) { Connected(relay); },
                 [this](std::size_t relay, std::string_view topic, BytesView payload) {
                   Receive(relay, topic, payload);
                 }}),
        announcer_(io_, relays_),
        dispatcher_(io_, store_, relays_, announcer_, {config_.name, config_.rules}),
        collector_(store_, relays_, announcer_, dispatcher_, {config_.rules}),
        caretaker_(io_, store_, announcer_, collector_.tally(),
                   {config_.idle_after, config_.offline_after}) {
    collector_.SetPolicy(policy_);
  }

  void Run() {
    WaitForSignal();
    dispatcher_.Start();
    caretaker_.Start();
    relays_.Start();
    WatchPolicy();
    log::Info("scheduler runs", {{"name", config_.name},
                                 {"store", config_.store.string()},
                                 {"policy", std::to_string(policy_.version)}});
    io_.run();
    // The writer still commits what has been taken; nobody waits for its answers any more.
    db_.reset();
    log::Info("scheduler stopped");
  }

 private:
  void Connected(std::size_t relay) {
    ReadPublished();
    PublishPolicy(relay);
    announcer_.SchedulerCameUp(config_.name);
    dispatcher_.Wake();
  }

  void PublishPolicy(std::size_t relay) {
    CrashPoint("scheduler.policy.before_send");
    relays_.Post(relay,
                 {std::string(topics::kAllPolicy), policy_.message, std::chrono::seconds(0), true,
                  [](const Expected<void>& outcome) {
                    if (outcome) {
                      CrashPoint("scheduler.policy.after_send");
                    } else {
                      // Agents get it with their next `on` as well.
                      log::Warning("policy not published", {{"error", outcome.error().message()}});
                    }
                  }});
  }

  void Receive(std::size_t relay, std::string_view topic, BytesView payload) {
    // What the wake says is not believed: the store knows what there is to do.
    if (topic == topics::kWakeScheduler) {
      // An API's line that came up may have missed saying so: then it says nothing.
      if (payload.empty() || payload == topics::kWakeForPolicy) ReadPublished();
      dispatcher_.Wake();
    } else {
      collector_.Receive(relay, topic, payload);
    }
  }

  void WaitForSignal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        Reload();
        WaitForSignal();
        return;
      }
      log::Info("stopping");
      relays_.Stop([this] { io_.stop(); });
    });
  }

  // What can change in a running process: log level, and the policy. TLS files are read at each
  // connection anyway. A file that does not do leaves everything as it was.
  void Reload() {
    auto config = LoadSchedulerConfig(config_file_);
    if (!config) {
      log::Error("configuration not read again", {{"error", config.error().message()}});
      return;
    }
    log::Configure(config->logging.level, config->logging.format, "scheduler");
    auto documents = LoadPolicyDocuments(config->policy);
    if (!documents) {
      log::Error("policy not read again", {{"error", documents.error().message()}});
      return;
    }
    auto newest = Newest(std::move(*documents));
    if (!newest) {
      log::Error("policy not read again", {{"error", newest.error().message()}});
      return;
    }
    Adopt(std::move(*newest));
  }

  Expected<PolicyDocuments> Newest(PolicyDocuments documents) {
    return db_->Read([&](store::ServerReader& reader) {
      return store::NewestDocuments(std::move(documents), reader);
    });
  }

  // Something may have been published. A few rows, read on our thread.
  void ReadPublished() {
    auto held = ReadPolicyBundle(documents_.org, PolicyBundle(documents_));
    if (!held) return;  // what is in force has verified before
    auto newest = Newest(std::move(*held));
    if (!newest) {
      log::Error("published documents not read", {{"error", newest.error().message()}});
      return;
    }
    Adopt(std::move(*newest));
  }

  // Goes by these from now on, and tells everybody, when they are not older.
  void Adopt(PolicyDocuments documents) {
    auto step = CompareForUpdate(documents_.trusted, documents.trusted);
    if (!step) {
      log::Error("policy not taken: the one in force stays", {{"error", step.error().message()}});
      return;
    }
    PolicyMessage policy = MessageOf(documents);
    if (*policy.message == *policy_.message) return;
    // Only what is said of its freshness, and no newer word.
    if (*step == PolicyStep::kSame && !IsFresher(documents)) return;
    documents_ = std::move(documents);
    policy_ = std::move(policy);
    collector_.SetPolicy(policy_);
    if (*step == PolicyStep::kNewer) {
      log::Info("policy in force", {{"version", std::to_string(policy_.version)},
                                    {"root", std::to_string(documents_.trusted.root_version())}});
      WatchPolicy();
    }
    for (std::size_t i = 0; i < relays_.States().size(); ++i) {
      if (relays_.States()[i].connected) PublishPolicy(i);
    }
    announcer_.PolicyChanged(policy_.version);
  }

  std::optional<Freshness> StatementOf(const PolicyDocuments& documents) const {
    if (!documents.freshness) return std::nullopt;
    auto statement = VerifyFreshness(*documents.freshness, documents.trusted);
    if (!statement) return std::nullopt;  // verified when it was read
    return *statement;
  }

  bool IsFresher(const PolicyDocuments& documents) const {
    const auto held = StatementOf(documents_);
    const auto offered = StatementOf(documents);
    return offered && (!held || offered->time > held->time);
  }

  void WatchPolicy() {
    const auto statement = StatementOf(documents_);
    LogPolicyWarnings(watch_.Due(documents_.trusted, statement ? &*statement : nullptr, Now()));
    watching_.expires_after(kPolicyWatchPeriod);
    watching_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) WatchPolicy();
    });
  }

  const std::filesystem::path config_file_;
  const SchedulerConfig config_;
  PolicyDocuments documents_;  // in force
  PolicyMessage policy_;       // the same, as agents get them
  boost::asio::io_context io_;
  std::unique_ptr<store::ServerDb> db_;  // after io_: its thread posts there until it has ended
  boost::asio::signal_set signals_;
  boost::asio::steady_timer watching_;
  PolicyWatch watch_;
  StoreQueue store_;
  RelayLinks relays_;
  Announcer announcer_;
  Dispatcher dispatcher_;
  Collector collector_;
  Caretaker caretaker_;
};

Expected<void> Run(const std::filesystem::path& file) {
  auto config = LoadSchedulerConfig(file);
  if (!config) return std::move(config).error();
  log::Configure(config->logging.level, config->logging.format, "scheduler");
  // Before anything else: with a policy that does not verify, every agent would refuse everything.
  auto documents = LoadPolicyDocuments(config->policy);
  if (!documents) return std::move(documents).error();
  store::ServerDb::Options options;
  options.queue = kStoreQueue;
  auto db = store::ServerDb::Open(config->store, options);
  if (!db) return std::move(db).error();
  auto newest = (*db)->Read([&](store::ServerReader& reader) {
    return store::NewestDocuments(std::move(*documents), reader);
  });
  if (!newest) return std::move(newest).error();
  Process process(file, std::move(*config), std::move(*db), std::move(*newest));
  process.Run();
  return {};
}

}  // namespace
}  // namespace scheduler

int RunScheduler(std::span<const std::string> arguments) {
  std::string config_file;
  cli::Options options("mig scheduler --config FILE",
                       "Sends signed actions to agents and stores what they answer.");
  options.Text("config", 'c', "FILE", "configuration (examples/config/scheduler.yaml)",
               &config_file);
  options.Note("SIGTERM stops in order. SIGHUP reads policy and log level again.");
  options.Example("mig scheduler --config /etc/mig/scheduler.yaml", "as the service does");
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  if (config_file.empty()) {
    terminal.Complain("name the configuration: mig scheduler --config FILE");
    return cli::kUsage;
  }
  try {
    auto done = scheduler::Run(config_file);
    if (done) return cli::kFound;
    log::Error("scheduler cannot start", {{"error", done.error().message()}});
  } catch (const std::exception& error) {
    // Boost.Asio and the standard library: what they throw here, the process cannot go on with.
    log::Error("scheduler ends", {{"error", error.what()}});
  }
  return cli::kUsage;
}

}  // namespace mig
