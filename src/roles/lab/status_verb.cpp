// mig lab status, and mig lab stop|start ROLE.
#include "cli/table.h"
#include "cli/verb.h"
#include "roles/lab/control.h"
#include "roles/lab/verbs.h"
#include "util/text.h"

namespace mig::lab {
namespace {

using cli::ExitStatus;

constexpr std::chrono::milliseconds kAskLimit{5'000};
// A role is given some seconds to stop in order before it is killed.
constexpr std::chrono::milliseconds kStopLimit{20'000};

std::string TextOf(const json::value& value) {
  if (value.is_null()) return "";
  return value.is_string() ? std::string(value.get_string()) : json::Write(value);
}

std::string Field(const json::object& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  return value == nullptr ? std::string() : TextOf(*value);
}

}  // namespace

ExitStatus RunStatus(Words words, cli::Terminal& terminal) {
  std::string dir;
  bool json = false;
  cli::Options options("mig lab status [--dir DIR] [--json]",
                       "Shows the processes of the lab. Exit status 1 when it does not run.");
  AddDir(options, &dir);
  options.Flag("json", '\0', "one JSON document", &json);
  options.Example("mig lab status", "what runs, since when, and how often it was started again");
  options.Example("mig lab status --json | jq .api", "where the API is");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto files = FilesFor(dir);
  if (!files) return cli::Fail(terminal, files.error());
  auto status = AskSupervisor(*files, {{"do", "status"}}, kAskLimit);
  if (!status && status.error().code() != Errc::kUnavailable) {
    return cli::Fail(terminal, status.error());
  }
  if (!status) {
    if (json) terminal.Data("{\"running\":false,\"supervisor\":null,\"roles\":[]}\n");
    terminal.Remark(status.error().message() + "; start it with: mig lab up" + DirWords(*files));
    return cli::Finish(terminal, cli::kNothing);
  }
  if (json) {
    (*status)["folder"] = files->folder().string();
    terminal.Data(json::WritePretty(*status) + "\n");
    return cli::Finish(terminal, cli::kFound);
  }
  terminal.Data("lab         " + EscapeForTerminal(files->folder().string()) + "\n");
  terminal.Data("api         " + Field(*status, "api") + "\n");
  terminal.Data("supervisor  " + Field(*status, "supervisor") + "\n\n");
  cli::Table table({{"PROCESS"}, {"STATE"}, {"PID", true}, {"SINCE"}, {"RESTARTS", true}});
  const json::value* roles = status->if_contains("roles");
  if (roles != nullptr && roles->is_array()) {
    for (const json::value& value : roles->get_array()) {
      const json::object* role = value.if_object();
      if (role == nullptr) continue;
      table.Add({Field(*role, "name"), Field(*role, "state"), Field(*role, "pid"),
                 Field(*role, "since"), Field(*role, "restarts")});
    }
  }
  terminal.Data(table.Render(terminal.facts().out_is_terminal ? terminal.facts().width : 0));
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus RunOne(const std::string& what, Words words, cli::Terminal& terminal) {
  std::string dir;
  std::string role;
  cli::Options options("mig lab " + what + " ROLE [--dir DIR]",
                       what == "stop"
                           ? "Stops one process of the lab and keeps it stopped, until `mig lab "
                             "start` or the next `mig lab up`\nof a lab that was down. Returns "
                             "when it has ended."
                           : "Starts a process of the lab that `mig lab stop` stopped.");
  AddDir(options, &dir);
  options.Word("ROLE", "relay, scheduler, api, agent-1, …", true, &role);
  const bool stop = what == "stop";
  options.Example("mig lab " + what + " relay",
                  stop ? "what is sent meanwhile waits for it" : "and what waited for it arrives");
  options.Example("mig lab " + what + " agent-1",
                  stop ? "a machine that is away" : "is back, and answers what it has missed");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto files = FilesFor(dir);
  if (!files) return cli::Fail(terminal, files.error());
  auto done = AskSupervisor(*files, {{"do", what}, {"role", role}}, kStopLimit);
  if (!done) return cli::Fail(terminal, done.error());
  terminal.Remark(role + " is " + Field(*done, "state") + ".");
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig::lab
