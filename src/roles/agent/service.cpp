#include "roles/agent/service.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <thread>

#include "os/child_process.h"
#include "os/file_lock.h"
#include "os/files.h"
#include "os/idle_pages.h"
#include "os/sandbox.h"
#include "roles/agent/agent_locks.h"
#include "roles/agent/command_desk.h"
#include "roles/agent/crash_points.h"
#include "roles/agent/enrolment.h"
#include "roles/agent/heartbeat.h"
#include "roles/agent/identity.h"
#include "roles/agent/ledger_notes.h"
#include "roles/agent/outbox_sender.h"
#include "roles/agent/policy_keeper.h"
#include "roles/agent/relay_line.h"
#include "roles/agent/resume.h"
#include "roles/agent/runner.h"
#include "trust/policy_watch.h"
#include "util/log.h"
#include "util/version.h"

namespace mig::agent {
namespace {

namespace asio = boost::asio;

// Also how often the policy is looked at for what the log should say.
constexpr std::chrono::hours kHousekeeping = kPolicyWatchPeriod;
constexpr std::chrono::hours kTellHeldAgain{24};
constexpr std::chrono::seconds kGoodbye{5};
constexpr std::chrono::seconds kBeforeRest{3};

// What must be there before the event loop: read from disk, or made for the first time.
struct Ground {
  os::FileLock lock;
  std::optional<os::FileLock> host_lock;
  Self self;
  Identity identity;
  DeploymentFacts deployment;
  SandboxFacts sandbox;
  Boot boot;
  std::unique_ptr<store::AgentDb> db;
};

SandboxFacts SandboxHere() {
  const os::SandboxReport report = os::ProbeSandbox();
  for (const std::string& missing : report.missing) {
    log::Warning("sandbox incomplete", {{"missing", missing}});
  }
  return {std::string(os::SandboxLevelName(report.level)), report.can_limit_folders};
}

Expected<Ground> Prepare(const AgentConfig& config) {
  if (auto ok = os::MakePrivateDirectory(config.directory); !ok) return std::move(ok).error();
  auto lock = LockDirectory(config);
  if (!lock) return std::move(lock).error();
  Self self;
  self.environment = EnvironmentNow();
  self.name = config.name.empty() ? self.environment.hostname : config.name;
  self.version = Version();
  self.granted = RecordedGrant(config);
  auto identity = Identity::LoadOrMake(config, self.name);
  if (!identity) return std::move(identity).error();
  self.id = identity->id();

  auto token = ConfiguredToken(config);
  if (!token) return std::move(token).error();
  auto recorded = RecordedDeployment(config);
  if (!recorded) return std::move(recorded).error();
  auto deployment = ResolveDeployment(config, *token, *recorded);
  if (!deployment) return std::move(deployment).error();

  auto host_lock = LockHost(config, deployment->org);
  if (!host_lock) return std::move(host_lock).error();

  store::AgentDbOptions options;
  options.outbox_bytes = config.outbox_bytes;
  auto db = store::AgentDb::Open(config.Database(), options);
  if (!db) return std::move(db).error();
  Boot boot = config.many_on_one_host ? MakeBoot(Now()) : MakeLoneBoot(Now(), deployment->org);
  return Ground{std::move(*lock),     std::move(*host_lock),  std::move(self),
                std::move(*identity), std::move(*deployment), SandboxHere(),
                std::move(boot),      std::move(*db)};
}

AttachmentSource::Options AttachmentOptions(const AgentConfig& config,
                                            const DeploymentFacts& deployment) {
  AttachmentSource::Options options;
  options.api.url = deployment.api;
  options.api.ca_file = config.ca.string();
  options.api.proxy = config.proxy;
  options.folder = config.AttachmentFolder();
  options.cache_bytes = config.attachment_bytes;
  return options;
}

class Service {
 public:
  Service(const AgentConfig& config, const std::filesystem::path& file, Ground& ground,
          PolicyKeeper& policy);

  Expected<void> Run();

 private:
  UtcTime AgentTime() const { return policy_.AgentTime(Now()); }

  void TakeUp();  // what an earlier run left unfinished
  void StartRuns();
  bool Begin(const ActionId& id);  // false: it did not come to run
  void EndWithoutRun(const ActionId& id, CommandStatus status, const std::string& why);
  void RunEnded(const ActionId& id);

  void TakeCommand(BytesView message);
  void TakeControl(BytesView message);
  Expected<void> TakePolicy(const PolicyUpdate& update);
  void TakeHeld();
  void StopAction(const ActionId& id);

  void Connected();
  void ArmWake();
  void Beat();
  void BeatLater();
  void RestLater();
  void KeepHouse();
  void WatchPolicy();
  void AwaitSignal();
  void ReadLogLevel();
  void Leave();

  const AgentConfig& config_;
  std::filesystem::path file_;
  Ground& ground_;
  PolicyKeeper& policy_;
  store::AgentDb& db_;

  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer wake_, beat_, rest_, housekeeping_, goodbye_;
  RunQueue queue_;
  CommandDesk desk_;
  RelayLine line_;
  OutboxSender sender_;
  AttachmentSource attachments_;
  Runner runner_;
  Enrolment enrolment_;
  PolicyWatch watch_;
  std::optional<std::chrono::steady_clock::time_point> held_told_;
  bool leaving_ = false;
};

Service::Service(const AgentConfig& config, const std::filesystem::path& file, Ground& ground,
                 PolicyKeeper& policy)
    : config_(config),
      file_(file),
      ground_(ground),
      policy_(policy),
      db_(*ground.db),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      wake_(io_),
      beat_(io_),
      rest_(io_),
      housekeeping_(io_),
      goodbye_(io_),
      desk_({db_, policy_, queue_, ground.self, ground.sandbox}),
      line_(io_, config, ground.identity, ground.boot,
            {[this] { Connected(); },
             [this] {
               sender_.Lost();
               ArmWake();
             },
             [this](BytesView message) { TakeCommand(message); },
             [this](BytesView message) { TakeControl(message); }}),
      sender_(
          db_,
          [this](const store::StoredPart& part, OutboxSender::Done done) {
            line_.SendPart(part.envelope, std::move(done));
          },
          [] { return std::chrono::steady_clock::now(); }),
      attachments_(io_, ground.identity, AttachmentOptions(config, ground.deployment)),
      runner_({io_, ground.identity, db_, &attachments_}, {os::SelfExecutable(), config.privacy},
              {[this] {
                 sender_.Stored();
                 ArmWake();
               },
               [this](const ActionId& id) { RunEnded(id); }}),
      enrolment_(io_, config, ground.deployment, ground.identity, ground.self.name,
                 {[this](const PolicyUpdate& update) { return TakePolicy(update); },
                  [this] { line_.Start(); },
                  [this](std::optional<Self::Granted> granted) {
                    ground_.self.granted = std::move(granted);
                  }}) {}

Expected<void> Service::Run() {
  const UtcTime now = Now();
  Crash("agent.startup.before");
  if (auto ok = db_.AppendToLedger(StartupNote(now, ground_.self.version, ground_.boot.id)); !ok) {
    // A full disk is no reason to be silent: actions are refused one by one then, with that reason.
    log::Error("the ledger cannot be written; no action will be accepted",
               {{"reason", ok.error().message()}});
  }
  Crash("agent.startup.stored");
  log::Info("agent started", {{"agent", ground_.self.id.Text()},
                              {"name", ground_.self.name},
                              {"sandbox", ground_.sandbox.level},
                              {"policy", std::to_string(policy_.version())}});
  AwaitSignal();
  KeepHouse();
  TakeUp();
  if (auto ok = enrolment_.Start(); !ok) return ok;
  io_.run();
  log::Info("agent ended");
  return {};
}

// ---- Running.

void Service::TakeUp() {
  auto unfinished = db_.Unfinished();
  if (!unfinished) {
    log::Error("accepted actions cannot be read", {{"reason", unfinished.error().message()}});
    return;
  }
  for (const store::RememberedAction& action : *unfinished) queue_.Add(action.id);
  StartRuns();
}

void Service::StartRuns() {
  while (!leaving_) {
    const auto id = queue_.StartNext();
    if (!id) return;
    if (!Begin(*id)) queue_.Ended(*id);
  }
}

bool Service::Begin(const ActionId& id) {
  auto known = db_.Recall(id);
  auto progress = db_.ProgressOf(id);
  auto stopped = db_.IsStopped(id);
  if (!known || !*known || !progress || !stopped) {
    log::Error("an accepted action cannot be read", {{"action", id.Text()}});
    return false;
  }
  const UtcTime now = AgentTime();
  switch (DecideResume(**known, *progress, *stopped, now)) {
    case Resume::kRun:
      break;
    case Resume::kStopped:
      EndWithoutRun(id, CommandStatus::kStopped, "stopped before it ran to its end");
      return false;
    case Resume::kExpired:
      EndWithoutRun(id, CommandStatus::kExpired, "its time was over before it could run");
      return false;
    case Resume::kInterrupted:
      EndWithoutRun(id, CommandStatus::kInterrupted,
                    "the agent was ended while it ran, and it may not run again");
      return false;
  }
  auto runnable = desk_.Recheck(**known, Now());
  if (!runnable) {
    EndWithoutRun(id, CommandStatus::kRefused, runnable.error().message());
    return false;
  }
  Crash("agent.start.before");
  if (auto ok = db_.MarkStarted(id, StartedNote(Now(), id, (*known)->attempts + 1)); !ok) {
    log::Error("nothing runs that cannot be written down; it is tried again at the next start",
               {{"action", id.Text()}, {"reason", ok.error().message()}});
    return false;
  }
  Crash("agent.start.stored");
  line_.SendReceipt(desk_.MakeReceipt(id, "started", Now()));
  const std::chrono::milliseconds granted = std::chrono::seconds(runnable->action.limits.seconds);
  const std::chrono::milliseconds left = std::min(granted, runnable->action.expireafter - now);
  log::Info("action started", {{"action", id.Text()}, {"time", FormatDuration(left)}});
  runner_.Run(std::move(*runnable), *progress, left,
              policy_.policy()->policy().require_full_sandbox);
  return true;
}

void Service::EndWithoutRun(const ActionId& id, CommandStatus status, const std::string& why) {
  log::Info(
      "action ended without a run",
      {{"action", id.Text()}, {"status", std::string(CommandStatusName(status))}, {"reason", why}});
  if (auto ok = FinishWithoutRun(ground_.identity, db_, Now, id, status, why); !ok) {
    log::Error("an answer cannot be stored", {{"reason", ok.error().message()}});
    return;
  }
  sender_.Stored();
  ArmWake();
}

void Service::RunEnded(const ActionId& id) {
  queue_.Ended(id);
  StartRuns();
  RestLater();
}

void Service::StopAction(const ActionId& id) {
  if (queue_.Remove(id)) {
    EndWithoutRun(id, CommandStatus::kStopped, "stopped before it ran");
  } else {
    runner_.Stop(id);
  }
}

// ---- Messages.

void Service::TakeCommand(BytesView message) {
  if (leaving_) return;
  const CommandDesk::Answer answer = desk_.Take(message, Now());
  if (answer.receipt) line_.SendReceipt(*answer.receipt);
  if (answer.stop) StopAction(*answer.stop);
  if (answer.repeated) {
    sender_.Repeated();
    ArmWake();
  }
  if (answer.queued) StartRuns();
}

void Service::TakeControl(BytesView message) {
  auto control = DecodeControl(message);
  if (!control) {
    log::Warning("a control message cannot be read", {{"reason", control.error().message()}});
    return;
  }
  if (const auto* acknowledgement = std::get_if<Acknowledgement>(&*control)) {
    sender_.Acknowledged(*acknowledgement);
    ArmWake();
    runner_.RoomMade();
    return;
  }
  if (std::holds_alternative<IdentityHeld>(*control)) {
    TakeHeld();
    return;
  }
  if (auto taken = TakePolicy(std::get<PolicyUpdate>(*control)); !taken) {
    log::Warning("a policy was refused", {{"reason", taken.error().message()}});
  }
}

Expected<void> Service::TakePolicy(const PolicyUpdate& update) {
  auto step = policy_.Offer(update, Now());
  if (!step) return std::move(step).error();
  if (*step == PolicyStep::kNewer) {
    Beat();
    WatchPolicy();
  }
  return {};
}

// Nobody signed it, so that it is told and nothing more; and not as often as a server likes.
void Service::TakeHeld() {
  const auto now = std::chrono::steady_clock::now();
  if (held_told_ && now - *held_told_ < kTellHeldAgain) return;
  held_told_ = now;
  if (auto ok = db_.AppendToLedger(HeldNote(Now(), ground_.self.id)); !ok) {
    log::Error("the ledger cannot be written", {{"reason", ok.error().message()}});
  }
  log::Warning(
      "the server says that two machines use this identity (was an image cloned with its key?), "
      "and sends it nothing but stops until people release it; on each copy but one, stop the "
      "agent and give it an identity of its own",
      {{"agent", ground_.self.id.Text()},
       {"command", "mig agent reset-identity --config " + file_.string()}});
}

void Service::Connected() {
  Beat();
  sender_.Connected();
  ArmWake();
}

// ---- Time.

void Service::ArmWake() {
  const auto at = sender_.wake_at();
  if (!at) {
    wake_.cancel();
    return;
  }
  wake_.expires_at(*at);
  wake_.async_wait([this](boost::system::error_code error) {
    if (error || leaving_) return;
    sender_.Wake();
    ArmWake();
  });
}

void Service::Beat() {
  ground_.self.environment = EnvironmentNow();
  line_.SendHeartbeat(MakeHeartbeat(ground_.self, ground_.boot, ground_.sandbox, policy_.version(),
                                    db_.ledger_mark(), Now()));
  BeatLater();
  RestLater();
}

void Service::BeatLater() {
  beat_.expires_after(config_.heartbeat);
  beat_.async_wait([this](boost::system::error_code error) {
    if (!error && !leaving_) Beat();
  });
}

// A while after the last sign of life nobody should feel that an agent is there.
void Service::RestLater() {
  rest_.expires_after(kBeforeRest);
  rest_.async_wait([this](boost::system::error_code error) {
    if (!error && !leaving_ && queue_.running() == 0) os::ReleaseIdlePages();
  });
}

void Service::KeepHouse() {
  Crash("agent.forget.before");
  if (auto ok = db_.Forget(); !ok) {
    log::Error("old ids cannot be forgotten", {{"reason", ok.error().message()}});
  }
  auto dropped = db_.DropStaleParts(AgentTime());
  if (!dropped) {
    log::Error("old results cannot be dropped", {{"reason", dropped.error().message()}});
  } else if (*dropped > 0) {
    log::Warning("results that nobody acknowledged were dropped a day after their action expired",
                 {{"parts", std::to_string(*dropped)}});
  }
  Crash("agent.forget.stored");
  WatchPolicy();
  housekeeping_.expires_after(kHousekeeping);
  housekeeping_.async_wait([this](boost::system::error_code error) {
    if (!error && !leaving_) KeepHouse();
  });
}

// By this agent's time: it is what actions are judged by.
void Service::WatchPolicy() {
  if (policy_.policy() == nullptr) return;
  LogPolicyWarnings(watch_.Due(*policy_.policy(), policy_.freshness(), AgentTime()));
}

// ---- Coming and going.

void Service::AwaitSignal() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    if (signal != SIGHUP) {
      Leave();
      return;
    }
    ReadLogLevel();
    AwaitSignal();
  });
}

// The certificate needs no signal: each connection reads its file.
void Service::ReadLogLevel() {
  auto config = LoadAgentConfig(file_);
  if (!config) {
    log::Error("the configuration stays as it was", {{"reason", config.error().message()}});
    return;
  }
  log::Configure(config->logging.level, config->logging.format, "agent");
  log::Info("log level read again");
}

void Service::Leave() {
  if (leaving_) return;
  leaving_ = true;
  log::Info("agent ends");
  runner_.Shutdown();
  enrolment_.Stop();
  sender_.Lost();
  wake_.cancel();
  beat_.cancel();
  rest_.cancel();
  housekeeping_.cancel();
  goodbye_.expires_after(kGoodbye);
  goodbye_.async_wait([this](boost::system::error_code) { io_.stop(); });
  line_.Stop([this] { io_.stop(); });
}

}  // namespace

Expected<void> Serve(const AgentConfig& config, const std::filesystem::path& file) {
  log::Configure(config.logging.level, config.logging.format, "agent");
  auto ground = Prepare(config);
  if (!ground) return std::move(ground).error();
  auto policy = PolicyKeeper::Load(ground->deployment.org, *ground->db);
  if (!policy) return std::move(policy).error();
  return Service(config, file, *ground, *policy).Run();
}

}  // namespace mig::agent
