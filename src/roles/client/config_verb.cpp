// mig config check FILE: whether a role would accept its configuration.
#include <algorithm>
#include <vector>

#include "cli/client_config.h"
#include "cli/verb.h"
#include "roles/client/client.h"
#include "util/text.h"

namespace mig {
namespace {

namespace fs = std::filesystem;
using cli::ExitStatus;

Expected<void> CheckClient(const fs::path& file) {
  auto config = cli::LoadClientConfig(file);
  if (!config) return std::move(config).error();
  return {};
}

// "relay.yaml", "agent-7.yaml", "mig-agent.yaml": whose file a name says it is.
bool NameSays(const fs::path& file, std::string_view role) {
  std::string stem = file.stem().string();
  if (stem.starts_with("mig-")) stem.erase(0, 4);
  return stem == role || (stem.starts_with(role) && stem[role.size()] == '-');
}

ExitStatus Report(const fs::path& file, std::string_view role, const Expected<void>& checked,
                  cli::Terminal& terminal) {
  if (!checked) {
    terminal.Complain(checked.error().message());
    return cli::kUsage;
  }
  terminal.Data(EscapeForTerminal(file.string()) + ": good, for " + std::string(role) + "\n");
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus Check(std::span<const std::string> words, std::span<const ConfigChecker> checkers,
                 cli::Terminal& terminal) {
  std::vector<ConfigChecker> all(checkers.begin(), checkers.end());
  all.push_back({"client", CheckClient});
  std::vector<std::string> roles;
  for (const ConfigChecker& checker : all) roles.emplace_back(checker.role);

  std::string name, role;
  cli::Options options("mig config check [--role ROLE] FILE",
                       "Reads a configuration file as its role would, without starting anything.");
  options.Word("FILE", "the configuration, YAML", true, &name);
  options.Choice("role", '\0', roles, "whose it is (default: by its name, else by its keys)",
                 &role);
  options.Example("mig config check /etc/mig/agent.yaml", "before the agent is started again");
  options.Example("mig config check --role relay new.yaml", "where the name does not say it");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;

  const fs::path file = name;
  const auto find = [&](auto matches) { return std::find_if(all.begin(), all.end(), matches); };
  auto chosen = role.empty() ? find([&](const ConfigChecker& c) { return NameSays(file, c.role); })
                             : find([&](const ConfigChecker& c) { return c.role == role; });
  if (chosen != all.end()) return Report(file, chosen->role, chosen->check(file), terminal);
  // A file whose name says nothing: whoever accepts it.
  std::string refusals;
  for (const ConfigChecker& checker : all) {
    auto checked = checker.check(file);
    if (checked) return Report(file, checker.role, checked, terminal);
    if (checked.error().code() == Errc::kNotFound) {
      terminal.Complain(checked.error().message());
      return cli::kUsage;
    }
    refusals += "\n  " + std::string(checker.role) + ": " + checked.error().message();
  }
  terminal.Complain(file.string() + ": no role accepts it; say whose it is with --role (" +
                    Join(roles, ", ") + ")");
  for (const std::string_view line : Split(Trim(refusals), '\n')) terminal.Remark(line);
  return cli::kUsage;
}

}  // namespace

int RunConfig(std::span<const std::string> arguments, std::span<const ConfigChecker> checkers) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (!arguments.empty() && arguments[0] == "check") {
    return Check(arguments.subspan(1), checkers, terminal);
  }
  cli::Options options("mig config check FILE",
                       "Checks configuration files; see `mig config check --help`.");
  options.Example("mig config check /etc/mig/agent.yaml", "whether the agent would accept it");
  options.Example("mig config check --role api new.yaml",
                  "where the name does not say whose it is");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  terminal.Complain("say what to do: mig config check FILE");
  return cli::kUsage;
}

}  // namespace mig
