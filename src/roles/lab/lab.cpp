#include "roles/lab/lab.h"

#include <array>

#include "cli/client_config.h"
#include "cli/verb.h"
#include "roles/lab/supervisor.h"
#include "roles/lab/verbs.h"
#include "util/text.h"

namespace mig {
namespace lab {
namespace {

cli::ExitStatus RunStop(Words words, cli::Terminal& terminal) {
  return RunOne("stop", words, terminal);
}
cli::ExitStatus RunStart(Words words, cli::Terminal& terminal) {
  return RunOne("start", words, terminal);
}

// The verbs below `mig lab`, in the order of the help; those without a summary are hidden.
struct LabVerb {
  std::string_view name;
  std::string_view summary;
  cli::ExitStatus (*run)(Words words, cli::Terminal& terminal);
};
constexpr std::array<LabVerb, 7> kVerbs = {{
    {"up", "makes the lab, once, starts it, and asks it a question", RunUp},
    {"status", "what runs", RunStatus},
    {"logs", "what the processes wrote", RunLogs},
    {"stop", "stops one process, to see what the others do without it", RunStop},
    {"start", "starts it again", RunStart},
    {"down", "stops everything; with --purge the lab's data is gone, too", RunDown},
    {"supervise", "", RunSupervise},
}};

}  // namespace

void AddDir(cli::Options& options, std::string* dir) {
  options.Text("dir", 'd', "DIR", "the lab's folder (default: MIG_LAB_DIR, ~/.local/state/mig/lab)",
               dir);
}

Expected<LabFiles> FilesFor(const std::string& dir) {
  if (!dir.empty()) {
    return LabFiles(std::filesystem::absolute(dir).lexically_normal());
  }
  auto folder = cli::LabFolder(cli::ProcessEnvironment);
  if (!folder) return std::move(folder).error().During("name a folder with --dir");
  return LabFiles(std::move(*folder));
}

std::string DirWords(const LabFiles& files) {
  auto folder = cli::LabFolder(cli::ProcessEnvironment);
  return folder && *folder == files.folder() ? "" : " --dir " + files.folder().string();
}

cli::ExitStatus RunSupervise(Words words, cli::Terminal& terminal) {
  std::string dir;
  std::uint64_t agents = 1;
  cli::Options options("mig lab supervise --dir DIR [--agents N]",
                       "Keeps the processes of a lab running. `mig lab up` starts it.");
  AddDir(options, &dir);
  options.Integer("agents", '\0', "N", "how many agents", 1, kMaxAgents, &agents);
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto files = FilesFor(dir);
  if (!files) return cli::Fail(terminal, files.error());
  return Supervise(*files, static_cast<unsigned>(agents)) == 0 ? cli::kFound : cli::kUsage;
}

}  // namespace lab

int RunLab(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (!arguments.empty()) {
    for (const lab::LabVerb& verb : lab::kVerbs) {
      if (arguments[0] == verb.name) return verb.run(arguments.subspan(1), terminal);
    }
  }
  std::string verbs;
  std::vector<std::string> names;
  for (const lab::LabVerb& verb : lab::kVerbs) {
    if (verb.summary.empty()) continue;
    std::string name(verb.name);
    names.push_back(name);
    name.resize(8, ' ');
    verbs += "  " + name + std::string(verb.summary) + "\n";
  }
  verbs.pop_back();
  cli::Options options(
      "mig lab up|status|logs|stop|start|down …",
      "A whole deployment on this machine: relay, scheduler, api and agents, each a process of its "
      "own,\nwith throw-away keys, and nothing outside one folder.\n\n" +
          verbs);
  options.Example("mig lab up --agents 3", "a lab with three agents; then: mig agents");
  options.Example("mig lab up --dir /tmp/other", "a second lab beside it");
  if (!arguments.empty() && !arguments[0].empty() && arguments[0][0] != '-') {
    const std::string hint = DidYouMean(arguments[0], names);
    terminal.Complain("there is no `mig lab " + arguments[0] + "`" +
                      (hint.empty() ? "; see `mig lab --help`" : ", " + hint));
    return cli::kUsage;
  }
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  terminal.Data(options.Help());
  return cli::Finish(terminal, cli::kUsage);
}

}  // namespace mig
