#include "roles/lab/supervisor.h"

#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "os/child_process.h"
#include "os/file_lock.h"
#include "os/listen_fds.h"
#include "os/service_process.h"
#include "roles/lab/control.h"
#include "roles/lab/deployment.h"
#include "roles/lab/lab_configs.h"
#include "roles/lab/log_file.h"
#include "roles/lab/restart_backoff.h"
#include "roles/lab/token.h"
#include "util/json.h"
#include "util/log.h"
#include "util/text.h"

namespace mig::lab {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using namespace asio::experimental::awaitable_operators;  // NOLINT: for ||
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// How long a role may take to stop in order before it is killed.
constexpr milliseconds kStopLimit{8'000};
constexpr milliseconds kRequestLimit{5'000};
constexpr std::size_t kMaxConversations = 16;
constexpr milliseconds kTokenLimit{10'000};
constexpr std::chrono::hours kFreshnessPeriod{1};

// One process that is kept running, unless somebody stopped it.
struct Role {
  explicit Role(asio::io_context& io) : restart(io), changed(io) {
    changed.expires_at(Clock::time_point::max());
  }
  std::string name;
  std::vector<std::string> argv;
  int listen_fd = -1;
  bool wanted = true;
  std::optional<os::ServiceProcess> process;
  Clock::time_point started;
  UtcTime since;  // for people
  std::uint64_t restarts = 0;
  RestartBackoff backoff;
  asio::steady_timer restart;
  // Never expires; cancelled to wake those who wait for the process to end.
  asio::steady_timer changed;

  const char* State() const {
    if (process) return "running";
    return wanted ? "restarting" : "stopped";
  }
};

// Everything runs on the one thread of `io_`.
class Supervisor {
 public:
  Supervisor(const LabFiles& files, unsigned agents)
      : files_(files), agents_(agents), signals_(io_), acceptor_(io_) {}

  // In this order.
  Expected<void> Lock();
  Expected<void> Prepare();
  void Run();

 private:
  Expected<void> TakePorts();
  Expected<void> WriteConfigs();
  Expected<void> EnsureToken();
  void PublishFreshness();
  void FreshnessLater();
  Expected<void> OpenControl();
  void AddRoles();
  void AddRole(std::string name, std::vector<std::string> argv, int listen_fd);
  void Start(Role& role);
  void Reap();
  void ScheduleRestart(Role& role);
  Role* Find(std::string_view name);

  asio::awaitable<void> WatchSignals();
  asio::awaitable<void> AcceptRequests();
  asio::awaitable<void> Converse(asio::local::stream_protocol::socket socket);
  asio::awaitable<json::object> Answer(json::object request);
  asio::awaitable<void> Stop(Role& role);
  asio::awaitable<void> StopAll();
  json::object Status();
  Expected<void> SetAgents(unsigned count);

  const LabFiles files_;
  unsigned agents_;
  LabAddresses addresses_;
  std::optional<os::FileLock> lock_;
  os::FileDescriptor relay_socket_, api_socket_;
  asio::io_context io_{1};
  asio::signal_set signals_;
  asio::steady_timer freshness_timer_{io_};
  std::optional<os::ServiceProcess> freshener_;  // the statement that is being published
  std::optional<ControlPath> control_path_;
  asio::local::stream_protocol::acceptor acceptor_;
  std::size_t conversations_ = 0;
  std::vector<std::unique_ptr<Role>> roles_;  // in the order of the start
  bool stopping_ = false;
};

// The port of before, so that agents and scripts find what they know; another one if it is taken.
Expected<os::FileDescriptor> ListenAgain(std::uint16_t port) {
  if (port != 0) {
    if (auto socket = os::ListenOnLoopback(port)) return socket;
  }
  return os::ListenOnLoopback(0);
}

Expected<void> Supervisor::TakePorts() {
  auto record = LoadRecord(files_);
  auto relay = ListenAgain(record ? record->relay_port : std::uint16_t{0});
  if (!relay) return std::move(relay).error();
  auto api = ListenAgain(record ? record->api_port : std::uint16_t{0});
  if (!api) return std::move(api).error();
  auto relay_port = os::PortOf(*relay);
  if (!relay_port) return std::move(relay_port).error();
  auto api_port = os::PortOf(*api);
  if (!api_port) return std::move(api_port).error();
  relay_socket_ = std::move(*relay);
  api_socket_ = std::move(*api);
  addresses_.relay_port = *relay_port;
  addresses_.api_port = *api_port;
  return {};
}

Expected<void> Supervisor::WriteConfigs() {
  const auto write = [&](const std::string& role, const std::string& text) {
    return os::WriteFileAtomically(files_.Config(role), text, 0600);
  };
  for (const auto& [role, text] :
       std::map<std::string, std::string>{{"relay", RelayConfigText(addresses_)},
                                          {"scheduler", SchedulerConfigText(addresses_)},
                                          {"api", ApiConfigText(addresses_)},
                                          {"client", ClientConfigText(addresses_)}}) {
    if (auto written = write(role, text); !written) return written;
  }
  for (unsigned i = 1; i <= agents_; ++i) {
    const std::string name = AgentName(i);
    if (auto written = write(name, AgentConfigText(addresses_, name)); !written) return written;
  }
  auto record = LoadRecord(files_);
  LabRecord now;
  now.created = record ? record->created : Now();
  now.org = addresses_.org;
  now.agents = agents_;
  now.api = addresses_.ApiUrl();
  now.relay_port = addresses_.relay_port;
  now.api_port = addresses_.api_port;
  return os::WriteFileAtomically(files_.Record(), WriteRecord(now), 0600);
}

// One token for all agents of the lab, stored by the API's own verb before the API runs.
Expected<void> Supervisor::EnsureToken() {
  std::error_code error;
  if (std::filesystem::exists(files_.EnrolmentToken(), error)) return {};
  auto token = MakeToken(files_, addresses_.ApiUrl(), Now());
  if (!token) return std::move(token).error().During("make the enrolment token");
  const std::string grant_file = files_.EnrolmentToken().string() + ".grant";
  if (auto written = os::WriteFileAtomically(grant_file, token->grant, 0600); !written) {
    return written;
  }
  os::ChildOptions child;
  child.program = os::SelfExecutable();
  child.argv = {
      "mig",     "api",      "token",  "add",    "--config", files_.Config("api").string(),
      "--grant", grant_file, "--note", "the lab"};
  child.low_priority = false;
  auto outcome = os::RunChild(child, "", kTokenLimit);
  if (!outcome) return std::move(outcome).error().During("make the enrolment token");
  if (!outcome->exit.ok()) {
    return Error(Errc::kInternal, "make the enrolment token: " + outcome->exit.Describe() + ": " +
                                      std::string(Trim(outcome->stderr_bytes)));
  }
  return os::WriteFileAtomically(files_.EnrolmentToken(), token->text + "\n", 0600);
}

Expected<void> Supervisor::OpenControl() {
  auto path = ControlPath::Of(files_);
  if (!path) return std::move(path).error();
  control_path_ = std::move(*path);
  // We hold the lock, so a socket that is there is a dead supervisor's.
  std::remove(control_path_->text().c_str());
  error_code error;
  const asio::local::stream_protocol::endpoint endpoint(control_path_->text());
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return Error(Errc::kIo, "open the control socket: " + error.message());
  return {};
}

// By the verb that a real deployment has in its timer: it asks which policy is in force.
void Supervisor::PublishFreshness() {
  os::ServiceOptions options;
  options.program = os::SelfExecutable();
  options.argv = {"mig",      "policy",
                  "fresh",    "--publish",
                  "--config", files_.Config("client").string(),
                  "--key",    files_.Key("freshness").string()};
  auto log_file = OpenLog(files_.Log("freshness"));
  if (log_file) options.stdout_fd = options.stderr_fd = log_file->get();
  auto process = os::ServiceProcess::Start(options);
  if (!process) {
    log::Error("cannot publish a freshness statement", {{"reason", process.error().message()}});
    return;
  }
  freshener_ = std::move(*process);
}

void Supervisor::FreshnessLater() {
  freshness_timer_.expires_after(kFreshnessPeriod);
  freshness_timer_.async_wait([this](const error_code& cancelled) {
    if (cancelled || stopping_) return;
    PublishFreshness();
    FreshnessLater();
  });
}

void Supervisor::AddRole(std::string name, std::vector<std::string> argv, int listen_fd) {
  auto role = std::make_unique<Role>(io_);
  role->name = std::move(name);
  role->argv = std::move(argv);
  role->listen_fd = listen_fd;
  roles_.push_back(std::move(role));
}

void Supervisor::AddRoles() {
  const auto argv = [&](const std::string& role, const std::string& config) {
    return std::vector<std::string>{"mig-" + role, "--config", files_.Config(config).string()};
  };
  if (roles_.empty()) {
    AddRole("relay", argv("relay", "relay"), relay_socket_.get());
    AddRole("api", argv("api", "api"), api_socket_.get());
    AddRole("scheduler", argv("scheduler", "scheduler"), -1);
  }
  for (unsigned i = 1; i <= agents_; ++i) {
    if (Find(AgentName(i)) == nullptr) AddRole(AgentName(i), argv("agent", AgentName(i)), -1);
  }
}

Role* Supervisor::Find(std::string_view name) {
  for (const auto& role : roles_) {
    if (role->name == name) return role.get();
  }
  return nullptr;
}

Expected<void> Supervisor::Lock() {
  auto lock = os::FileLock::Take(files_.Lock());
  if (!lock) return std::move(lock).error();
  lock_ = std::move(*lock);
  return {};
}

Expected<void> Supervisor::Prepare() {
  auto record = LoadRecord(files_);
  if (record) agents_ = std::max(agents_, record->agents);

  auto org = LoadOrg(files_);
  if (!org) return std::move(org).error();
  addresses_.org = *org;

  if (auto taken = TakePorts(); !taken) return taken;
  if (auto written = WriteConfigs(); !written) return written;
  if (auto token = EnsureToken(); !token) return token;
  if (auto fresh = WriteFreshness(files_, Now()); !fresh) return fresh;
  // What was published in an earlier run is not what is in the files.
  if (record) PublishFreshness();
  FreshnessLater();
  error_code error;
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) signals_.add(number, error);
  if (error) return Error(Errc::kIo, "watch for signals: " + error.message());
  if (auto opened = OpenControl(); !opened) return opened;
  AddRoles();
  for (const auto& role : roles_) Start(*role);
  return {};
}

void Supervisor::Start(Role& role) {
  if (role.process || !role.wanted || stopping_) return;
  role.restart.cancel();
  auto log_file = OpenLog(files_.Log(role.name));
  if (!log_file) {
    log::Error("cannot open the log of a role",
               {{"role", role.name}, {"reason", log_file.error().message()}});
  }
  os::ServiceOptions options;
  options.program = os::SelfExecutable();
  options.argv = role.argv;
  if (log_file) options.stdout_fd = options.stderr_fd = log_file->get();
  if (role.listen_fd >= 0) options.listen_fds = {role.listen_fd};
  role.started = Clock::now();
  role.since = Now();
  auto process = os::ServiceProcess::Start(options);
  if (process) {
    log::Info("started", {{"role", role.name}, {"pid", std::to_string(process->pid())}});
    role.process = std::move(*process);
    return;
  }
  log::Error("cannot start", {{"role", role.name}, {"reason", process.error().message()}});
  ScheduleRestart(role);
}

void Supervisor::ScheduleRestart(Role& role) {
  const auto ran = std::chrono::duration_cast<milliseconds>(Clock::now() - role.started);
  role.restart.expires_after(role.backoff.Next(ran));
  role.restart.async_wait([this, &role](const error_code& cancelled) {
    if (cancelled) return;
    ++role.restarts;
    Start(role);
  });
}

void Supervisor::Reap() {
  if (std::string how; freshener_ && freshener_->Ended(&how)) {
    freshener_.reset();
    log::Info("freshness statement", {{"how", how}});
  }
  for (const auto& role : roles_) {
    std::string how;
    if (!role->process || !role->process->Ended(&how)) continue;
    role->process.reset();
    role->changed.cancel();
    if (role->wanted && !stopping_) {
      log::Warning("ended, to be started again", {{"role", role->name}, {"how", how}});
      ScheduleRestart(*role);
    } else {
      log::Info("stopped", {{"role", role->name}, {"how", how}});
    }
  }
}

asio::awaitable<void> Supervisor::WatchSignals() {
  for (;;) {
    auto [error, number] = co_await signals_.async_wait(kAwait);
    if (error) co_return;
    if (number == SIGCHLD) {
      Reap();
    } else if (number == SIGTERM || number == SIGINT) {
      log::Info("stopping", {{"signal", std::to_string(number)}});
      // Reap must go on meanwhile, so this does not wait.
      asio::co_spawn(
          io_,
          [](Supervisor& self) -> asio::awaitable<void> {
            co_await self.StopAll();
            self.io_.stop();
          }(*this),
          asio::detached);
    }
  }
}

asio::awaitable<void> Supervisor::Stop(Role& role) {
  role.wanted = false;
  role.restart.cancel();
  if (!role.process) co_return;
  role.process->Terminate();
  asio::steady_timer limit(io_, kStopLimit);
  while (role.process) {
    const auto woken = co_await (role.changed.async_wait(kAwait) || limit.async_wait(kAwait));
    if (woken.index() == 1 && role.process) {
      log::Warning("does not stop, killed", {{"role", role.name}});
      role.process->Kill();
      limit.expires_at(Clock::time_point::max());
    }
  }
}

asio::awaitable<void> Supervisor::StopAll() {
  stopping_ = true;
  for (const auto& role : roles_) role->restart.cancel();
  // Against the order of the start, so that each can still tell the next what it knows; agents,
  // which stand at the end, all at once.
  for (const auto& role : roles_) {
    if (role->name.starts_with("agent-") && role->process) role->process->Terminate();
  }
  for (auto role = roles_.rbegin(); role != roles_.rend(); ++role) co_await Stop(**role);
}

json::object Supervisor::Status() {
  json::array roles;
  for (const auto& role : roles_) {
    json::object fields{{"name", role->name}, {"state", role->State()}};
    fields["pid"] = role->process ? json::value(role->process->pid()) : json::value(nullptr);
    fields["since"] = FormatRfc3339(role->since);
    fields["restarts"] = role->restarts;
    roles.push_back(std::move(fields));
  }
  json::object status{{"running", !stopping_}};
  status["supervisor"] = static_cast<std::int64_t>(::getpid());
  status["api"] = addresses_.ApiUrl();
  status["agents"] = agents_;
  status["roles"] = std::move(roles);
  return status;
}

Expected<void> Supervisor::SetAgents(unsigned count) {
  if (count <= agents_) return {};
  agents_ = count;
  if (auto written = WriteConfigs(); !written) return written;
  AddRoles();
  for (const auto& role : roles_) {
    if (role->restarts == 0 && role->since == UtcTime()) Start(*role);
  }
  return {};
}

asio::awaitable<json::object> Supervisor::Answer(json::object request) {
  const auto failed = [](const std::string& why) { return json::object{{"error", why}}; };
  json::ObjectReader in(request, "request");
  const std::string what = in.String("do");
  const std::string name = in.OptionalString("role");
  const auto count = static_cast<unsigned>(in.OptionalInteger("count", 1, 1, kMaxAgents));
  if (auto done = in.Finish(); !done) co_return failed(done.error().message());
  if (what == "status") co_return Status();
  if (what == "agents") {
    if (auto set = SetAgents(count); !set) co_return failed(set.error().message());
    co_return json::object{{"agents", agents_}};
  }
  if (what == "down") {
    co_await StopAll();
    co_return json::object{{"stopped", true}};
  }
  if (what != "stop" && what != "start") co_return failed("no such request: " + what);
  Role* role = Find(name);
  if (role == nullptr) {
    std::vector<std::string> names;
    for (const auto& known : roles_) names.push_back(known->name);
    co_return failed("there is no `" + name + "` in this lab; there are " + Join(names, ", "));
  }
  if (what == "stop") {
    co_await Stop(*role);
  } else {
    role->wanted = true;
    Start(*role);
  }
  co_return json::object{{"role", role->name}, {"state", role->State()}};
}

asio::awaitable<void> Supervisor::Converse(asio::local::stream_protocol::socket socket) {
  asio::steady_timer limit(io_, kRequestLimit);
  std::string line;
  auto read = co_await (
      asio::async_read_until(socket, asio::dynamic_buffer(line, kMaxControlLine), '\n', kAwait) ||
      limit.async_wait(kAwait));
  // Who says nothing, or too much, gets no answer.
  bool down = false;
  if (read.index() == 0 && !std::get<0>(std::get<0>(read))) {
    auto request = json::ParseObject(line);
    json::object answer;
    if (request) {
      answer = co_await Answer(std::move(*request));
    } else {
      answer["error"] = request.error().message();
    }
    down = answer.contains("stopped");
    const std::string text = json::Write(answer) + "\n";
    limit.expires_after(kRequestLimit);
    co_await (asio::async_write(socket, asio::buffer(text), kAwait) || limit.async_wait(kAwait));
  }
  --conversations_;
  if (down) io_.stop();
}

asio::awaitable<void> Supervisor::AcceptRequests() {
  for (;;) {
    auto [error, socket] = co_await acceptor_.async_accept(kAwait);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // out of descriptors, most likely: no reason to spin
      asio::steady_timer pause(io_, milliseconds(100));
      co_await pause.async_wait(kAwait);
      continue;
    }
    if (conversations_ >= kMaxConversations) continue;  // closed; whoever asks sees no answer
    ++conversations_;
    asio::co_spawn(io_, Converse(std::move(socket)), asio::detached);
  }
}

void Supervisor::Run() {
  asio::co_spawn(io_, WatchSignals(), asio::detached);
  asio::co_spawn(io_, AcceptRequests(), asio::detached);
  io_.run();
  std::remove(control_path_->text().c_str());
}

}  // namespace

int Supervise(const LabFiles& files, unsigned agents) {
  log::Configure(log::Level::kInfo, log::Format::kText, "supervisor");
  const auto tell = [](const std::string& line) {
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
    // Who started us waits for the end of this pipe; the descriptor stays taken.
    if (std::freopen("/dev/null", "w", stdout) == nullptr) log::Warning("cannot open /dev/null");
  };
  Supervisor supervisor(files, agents);
  if (auto locked = supervisor.Lock(); !locked) {
    tell(locked.error().code() == Errc::kExists ? "busy" : "error: " + locked.error().message());
    return 1;
  }
  if (auto prepared = supervisor.Prepare(); !prepared) {
    log::Error("cannot start the lab", {{"reason", prepared.error().message()}});
    tell("error: " + prepared.error().message());
    return 1;
  }
  tell("ready");
  supervisor.Run();
  log::Info("the lab is down");
  return 0;
}

}  // namespace mig::lab
