// mig lab up: makes the lab when it is not there, starts it when it does not run, and does not
// return before its agents have answered a signed question.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <thread>

#include "cli/api_client.h"
#include "cli/client_config.h"
#include "cli/new_action.h"
#include "cli/signers.h"
#include "cli/tally.h"
#include "cli/verb.h"
#include "modules/module.h"
#include "os/child_process.h"
#include "os/file_lock.h"
#include "os/service_process.h"
#include "roles/lab/control.h"
#include "roles/lab/deployment.h"
#include "roles/lab/log_file.h"
#include "roles/lab/verbs.h"
#include "util/text.h"

namespace mig::lab {
namespace {

using cli::ExitStatus;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kAskLimit{5'000};
// From the start of the processes to the last agent's answer. On a machine that does nothing else
// it takes well under a second.
constexpr milliseconds kReadyLimit{30'000};
constexpr milliseconds kLookAgain{20};
constexpr milliseconds kLookAtRoles{500};
constexpr milliseconds kMakeLimit{10'000};
constexpr std::uint64_t kFailingRestarts = 3;
constexpr const char* kModule = "example";
const std::vector<std::string> kWordsOfQuestion = {"-gethostname"};

// Reads the supervisor's one line about how its start went.
Expected<void> ReadStartLine(const os::FileDescriptor& pipe) {
  std::string line;
  std::array<char, 1024> chunk;
  for (;;) {
    const ssize_t got = ::read(pipe.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;  // the supervisor closes it, or is gone
    line.append(chunk.data(), static_cast<std::size_t>(got));
  }
  const std::string_view text = Trim(line);
  if (text == "ready") return {};
  if (text == "busy") return Error(Errc::kExists, "another supervisor starts at this moment");
  constexpr std::string_view kError = "error: ";
  return Error(Errc::kInternal, text.starts_with(kError) ? std::string(text.substr(kError.size()))
                                                         : "the supervisor ended at once");
}

Expected<void> StartSupervisor(const LabFiles& files, unsigned agents) {
  auto log_file = OpenLog(files.Log("supervisor"));
  if (!log_file) return std::move(log_file).error();
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return os::ErrnoError(errno, "make a pipe");
  const os::FileDescriptor read_end(ends[0]);
  os::FileDescriptor write_end(ends[1]);
  os::ServiceOptions options;
  options.program = os::SelfExecutable();
  // The name it is called by picks the role, and shows in lists of processes.
  options.argv = {"mig-lab",  "supervise",           "--dir", files.folder().string(),
                  "--agents", std::to_string(agents)};
  options.stdout_fd = write_end.get();
  options.stderr_fd = log_file->get();
  options.dies_with_us = false;
  auto supervisor = os::ServiceProcess::Start(options);
  if (!supervisor) return std::move(supervisor).error();
  write_end.Reset();
  return ReadStartLine(read_end);
}

// Two `mig lab up` at the same moment must not write halves of different key pairs.
Expected<void> MakeOnce(const LabFiles& files) {
  if (auto made = files.MakeFolders(); !made) return made;
  const auto deadline = Clock::now() + kMakeLimit;
  for (;;) {
    auto lock = os::FileLock::Take(files.RunFolder() / "make.lock");
    if (lock) return MakeDeployment(files, Now());
    if (lock.error().code() != Errc::kExists || Clock::now() >= deadline) {
      return std::move(lock).error();
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

// The status of the lab's supervisor, which is started when there is none.
Expected<json::object> EnsureSupervisor(const LabFiles& files, unsigned agents,
                                        cli::Terminal& terminal) {
  auto status = AskSupervisor(files, {{"do", "status"}}, kAskLimit);
  const auto is_running = [](const json::object& fields) {
    const json::value* running = fields.if_contains("running");
    return running != nullptr && running->is_bool() && running->get_bool();
  };
  if (status && is_running(*status)) {
    terminal.Remark("The lab in " + files.folder().string() + " is running already.");
    return AskSupervisor(files, {{"do", "agents"}, {"count", agents}}, kAskLimit);
  }
  if (!status && status.error().code() != Errc::kUnavailable) return status;
  if (status && !WaitUntilFree(files, kReadyLimit)) {
    return Error(Errc::kTimeout, "the lab is being stopped, and does not come to an end");
  }
  if (auto made = MakeOnce(files); !made) return std::move(made).error().During("make the lab");
  auto up = StartSupervisor(files, agents);
  if (!up && up.error().code() != Errc::kExists) return std::move(up).error();
  // Started by somebody else at the same time: it will answer as soon as it is ready.
  const auto deadline = Clock::now() + kAskLimit;
  do {
    status = AskSupervisor(files, {{"do", "agents"}, {"count", agents}}, kAskLimit);
    if (status) break;
    std::this_thread::sleep_for(kLookAgain);
  } while (Clock::now() < deadline);
  return status;
}

// The investigator of the lab at its API.
struct Investigator {
  std::unique_ptr<Signer> signer;  // also of new sessions
  cli::ClientConfig config;
  std::unique_ptr<cli::ApiClient> api;
};

Expected<Investigator> Connect(const LabFiles& files) {
  auto config = cli::LoadClientConfig(files.Config("client"));
  if (!config) return std::move(config).error();
  auto signer = cli::OpenSigner(config->key, {}, cli::ProcessEnvironment);
  if (!signer) return std::move(signer).error();
  auto api = std::make_unique<cli::ApiClient>(*config, nullptr);
  Investigator investigator{std::move(*signer), std::move(*config), std::move(api)};
  if (auto opened = investigator.api->OpenSession(*investigator.signer); !opened) {
    return std::move(opened).error();
  }
  return investigator;
}

// The processes that end as often as they are started.
std::vector<std::string> FailingRoles(const LabFiles& files) {
  std::vector<std::string> failing;
  auto status = AskSupervisor(files, {{"do", "status"}}, kAskLimit);
  const json::value* roles = status ? status->if_contains("roles") : nullptr;
  if (roles == nullptr || !roles->is_array()) return failing;
  for (const json::value& value : roles->get_array()) {
    const json::object* role = value.if_object();
    if (role == nullptr) continue;
    json::ObjectReader in(*role, "role", json::ObjectReader::Unknown::kIgnore);
    const std::string name = in.String("name");
    if (in.OptionalString("state") == "restarting" && in.Uint64("restarts") >= kFailingRestarts) {
      failing.push_back(name);
    }
  }
  return failing;
}

Expected<std::vector<cli::ShownAgent>> WaitForAgents(const LabFiles& files, cli::ApiClient& api,
                                                     std::size_t wanted,
                                                     Clock::time_point deadline) {
  auto look_at_roles = Clock::now() + kLookAtRoles;
  for (;;) {
    // Asked again and again, here only: that an agent enrols is no event of any action.
    auto shown = api.GetTargets("status = 'online'");
    if (!shown) return shown;
    if (shown->size() >= wanted || Clock::now() >= deadline) return shown;
    if (Clock::now() >= look_at_roles) {
      if (shown->size() + FailingRoles(files).size() >= wanted) return shown;
      look_at_roles += kLookAtRoles;
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

struct Asked {
  std::size_t answered = 0;
  milliseconds first_answer{0};
};

// One signed question to all of them, to the last answer: the whole way works, or says why not.
Expected<Asked> Ask(Investigator& investigator, const std::vector<cli::ShownAgent>& agents,
                    Clock::time_point deadline) {
  const Module* module = FindModule(kModule);
  if (module == nullptr) {
    return Error(Errc::kInternal, std::string("this executable has no module ") + kModule);
  }
  auto parameters = ParametersFromArguments(*module, kWordsOfQuestion);
  if (!parameters) return std::move(parameters).error();
  cli::Draft draft;
  draft.id = cli::NewActionId();
  draft.org = investigator.config.org;
  draft.author = investigator.signer->name();
  draft.name = "mig lab up";
  draft.reason = "does the lab answer?";
  const Action action = cli::MakeAction(draft, module->kind, "status = 'online'",
                                        {{std::string(module->name), std::move(*parameters)}},
                                        Limits(), kReadyLimit, Now());
  const auto sent = Clock::now();
  auto envelope = Seal(kActionType, EncodeAction(action), *investigator.signer);
  if (!envelope) return std::move(envelope).error();
  auto posted = investigator.api->PostAction(*envelope);
  if (!posted) return std::move(posted).error();

  Asked asked;
  std::string refused;
  cli::ResultCheck check(action.id, action.operations.size(), agents);
  auto followed = investigator.api->Follow(action.id, [&](const cli::ActionEvent& event) {
    if (const auto* part = std::get_if<cli::PartEvent>(&event)) {
      const auto verdict = check.Check(part->agent, part->key, part->envelope);
      if (verdict.fault) {
        refused = part->name + ": the answer " + std::string(cli::PartFaultText(*verdict.fault));
      } else if (!verdict.repeated && check.Complete(part->agent)) {
        if (asked.answered++ == 0) {
          asked.first_answer = std::chrono::duration_cast<milliseconds>(Clock::now() - sent);
        }
      }
    } else if (const auto* command = std::get_if<cli::CommandEvent>(&event)) {
      if (command->status == CommandStatus::kRefused) {
        refused = command->name + ": refused (" + command->code + "): " + command->detail;
      }
    }
    return asked.answered < agents.size() && Clock::now() < deadline;
  });
  if (!followed) return std::move(followed).error();
  if (asked.answered == 0) {
    return Error(Errc::kTimeout, refused.empty() ? "no agent answered" : refused);
  }
  return asked;
}

// Why a process does not stay up is the last thing it wrote.
void TellFailing(const LabFiles& files, cli::Terminal& terminal) {
  for (const std::string& role : FailingRoles(files)) {
    auto text = os::ReadFile(files.Log(role));
    const std::string_view log_text = text ? Trim(*text) : std::string_view();
    const std::string_view last = Split(log_text, '\n').back();
    terminal.Remark(role + " does not stay up: " + std::string(last), cli::Style::kYellow);
  }
}

ExitStatus FailWithLogs(const Error& error, const LabFiles& files, cli::Terminal& terminal) {
  terminal.Complain("the lab does not come up: " + error.message());
  TellFailing(files, terminal);
  std::error_code ignored;  // without logs there is nothing to see
  if (std::filesystem::exists(files.Log("supervisor"), ignored)) {
    terminal.Remark("See what the processes wrote: mig lab logs" + DirWords(files));
  }
  return error.code() == Errc::kExists ? cli::kUsage : cli::kUnreachable;
}

void TellReady(const LabFiles& files, const LabRecord& record, const Asked& asked,
               milliseconds took, cli::Terminal& terminal) {
  terminal.Data("The lab is up: relay, scheduler, api and " + Count(record.agents, "agent") +
                " in " + EscapeForTerminal(files.folder().string()) + "\n");
  terminal.Data(Count(asked.answered, "agent") + " answered a signed question, the first after " +
                cli::FormatElapsed(asked.first_answer) + "; ready after " +
                cli::FormatElapsed(took) + ".\n\nTry:\n");
  const std::string dir = DirWords(files);
  if (!dir.empty()) {
    terminal.Data("  export MIG_LAB_DIR=" + EscapeForTerminal(files.folder().string()) + "\n");
  }
  for (const char* line :
       {"mig agents", "mig query file -path /etc -name '^passwd$'",
        "mig query file -path /usr/bin -size '>10m' -show all", "mig lab status", "mig lab down"}) {
    terminal.Data(std::string("  ") + line + "\n");
  }
}

}  // namespace

ExitStatus RunUp(Words words, cli::Terminal& terminal) {
  const auto started = Clock::now();
  std::string dir;
  std::uint64_t agents = 1;
  cli::Options options("mig lab up [--dir DIR] [--agents N]",
                       "Makes a lab where there is none, starts it where it does not run, and "
                       "returns when its agents\nhave answered a signed question. A lab that was "
                       "killed comes up again with its data.");
  AddDir(options, &dir);
  options.Integer("agents", 'n', "N", "how many agents at least (default 1, or as many as before)",
                  1, kMaxAgents, &agents);
  options.Example("mig lab up", "one agent; then: mig query file -path /etc -name '^passwd$'");
  options.Example("mig lab up --agents 5", "also when it runs with fewer already");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto files = FilesFor(dir);
  if (!files) return cli::Fail(terminal, files.error());

  auto supervisor = EnsureSupervisor(*files, static_cast<unsigned>(agents), terminal);
  if (!supervisor) return FailWithLogs(supervisor.error(), *files, terminal);
  const auto deadline = started + kReadyLimit;
  auto record = LoadRecord(*files);
  if (!record) return FailWithLogs(record.error(), *files, terminal);
  auto investigator = Connect(*files);
  if (!investigator) return FailWithLogs(investigator.error(), *files, terminal);
  auto shown = WaitForAgents(*files, *investigator->api, record->agents, deadline);
  if (!shown) return FailWithLogs(shown.error(), *files, terminal);
  if (shown->empty()) {
    return FailWithLogs(
        Error(Errc::kTimeout, "no agent came online within " + FormatDuration(kReadyLimit)), *files,
        terminal);
  }
  auto asked = Ask(*investigator, *shown, deadline);
  if (!asked) return FailWithLogs(asked.error(), *files, terminal);
  TellReady(*files, *record, *asked,
            std::chrono::duration_cast<milliseconds>(Clock::now() - started), terminal);
  TellFailing(*files, terminal);
  if (asked->answered < record->agents) {
    terminal.Remark(Count(record->agents - asked->answered, "agent") +
                        " did not answer; see: mig lab logs" + DirWords(*files),
                    cli::Style::kYellow);
    return cli::Finish(terminal, cli::kPartial);
  }
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig::lab
