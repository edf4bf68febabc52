// mig relay db check|stats|compact: the database of a relay that is stopped.
#include <array>

#include "cli/verb.h"
#include "roles/relay/db_report.h"
#include "roles/relay/relay_config.h"
#include "roles/relay/verbs.h"
#include "store/relay_admin.h"
#include "util/clock.h"
#include "util/size.h"
#include "util/text.h"

namespace mig::relay {
namespace {

struct Given {
  std::string config;
  std::string store;
  std::uint64_t top = 10;
  bool json = false;
};

using Run = cli::ExitStatus (*)(store::RelayAdmin&, const Given&, cli::Terminal&);

void Print(cli::Terminal& terminal, const json::object& report) {
  terminal.Data(json::WritePretty(report) + "\n");
}

cli::ExitStatus Check(store::RelayAdmin& admin, const Given& given, cli::Terminal& terminal) {
  terminal.Progress("reading");
  auto findings = admin.Check();
  terminal.ClearProgress();
  if (!findings) return cli::Fail(terminal, findings.error());
  if (given.json) {
    Print(terminal, CheckReport(*findings));
  } else {
    terminal.Data(FormatCheck(*findings));
  }
  return findings->empty() ? cli::kFound : cli::kNothing;
}

cli::ExitStatus Stats(store::RelayAdmin& admin, const Given& given, cli::Terminal& terminal) {
  auto figures = admin.Figures(given.top);
  if (!figures) return cli::Fail(terminal, figures.error());
  if (given.json) {
    Print(terminal, StatsReport(*figures));
  } else {
    terminal.Data(FormatStats(*figures, Now(), terminal.facts().width));
  }
  return cli::kFound;
}

cli::ExitStatus Compact(store::RelayAdmin& admin, const Given& given, cli::Terminal& terminal) {
  auto before = admin.Figures(0);
  if (!before) return cli::Fail(terminal, before.error());
  terminal.Progress("writing " + FormatSize(before->file_bytes - before->free_bytes) + " anew");
  auto done = admin.Compact();
  terminal.ClearProgress();
  if (!done) return cli::Fail(terminal, done.error());
  auto after = admin.Figures(0);
  if (!after) return cli::Fail(terminal, after.error());
  if (given.json) {
    Print(terminal, {{"before", before->file_bytes}, {"after", after->file_bytes}});
  } else {
    terminal.Data(FormatSize(before->file_bytes) + " became " + FormatSize(after->file_bytes) +
                  "\n");
  }
  return cli::kFound;
}

// A line a verb; `top`: it takes --top.
struct DbVerb {
  std::string_view name;
  std::string_view summary;
  Run run;
  bool top;
};

constexpr std::array kVerbs{
    DbVerb{"check", "reads everything: damage, and what breaks the relay's own rules", Check,
           false},
    DbVerb{"stats", "sessions, the longest and largest queues, retained messages, the file", Stats,
           true},
    DbVerb{"compact", "writes the file anew without what was deleted", Compact, false},
};

cli::ExitStatus RunOne(const DbVerb& verb, Words words, cli::Terminal& terminal) {
  Given given;
  const std::string name(verb.name);
  std::string summary =
      "The database of a relay that is stopped: " + std::string(verb.summary) + ".";
  if (verb.run == Check) summary += "\nExit status 0: sound; 1: it is not.";
  if (verb.run == Compact) summary += "\nTakes up to twice the file's size on its disk meanwhile.";
  cli::Options options("mig relay db " + name + " [--config FILE | --store FILE]" +
                           (verb.top ? " [--top N]" : "") + " [--json]",
                       summary);
  options.Text("config", 'c', "FILE",
               std::string("the relay's configuration (default: ") + kDefaultConfig + ")",
               &given.config);
  options.Text("store", '\0', "FILE", "or the relay's database", &given.store);
  if (verb.top) {
    options.Integer("top", '\0', "N", "so many queues of each list", 0, 1'000'000, &given.top);
  }
  options.Flag("json", '\0', "one JSON document", &given.json);
  options.Note("A relay has its database to itself: stop it first.");
  options.Example("sudo systemctl stop mig-relay && sudo -u mig-relay mig relay db " + name,
                  "the service's database");
  options.Example("mig relay db " + name + " --store /tmp/relay.db --json", "another one");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto file = FindStore(given.config, given.store);
  if (!file) return cli::Fail(terminal, file.error());
  auto admin = store::RelayAdmin::Open(*file);
  if (!admin) {
    if (verb.run == Check && admin.error().code() == Errc::kMalformed) {
      const std::vector<store::RelayFinding> findings{{admin.error().message(), 0}};
      given.json ? Print(terminal, CheckReport(findings)) : terminal.Data(FormatCheck(findings));
      return cli::Finish(terminal, cli::kNothing);
    }
    return cli::Fail(terminal, admin.error());
  }
  return cli::Finish(terminal, verb.run(*admin, given, terminal));
}

}  // namespace

cli::ExitStatus RunDb(Words words, cli::Terminal& terminal) {
  std::vector<std::string> names;
  std::string verbs;
  for (const DbVerb& verb : kVerbs) {
    std::string name(verb.name);
    if (!words.empty() && words[0] == name) return RunOne(verb, words.subspan(1), terminal);
    names.push_back(name);
    name.resize(9, ' ');
    verbs += "\n  " + name + std::string(verb.summary);
  }
  cli::Options options("mig relay db check|stats|compact …",
                       "The database of a relay that is stopped.\n" + verbs);
  options.Example("mig relay db check --store /tmp/relay.db", "is it whole?");
  if (!words.empty() && !words[0].empty() && words[0][0] != '-') {
    const std::string hint = DidYouMean(words[0], names);
    terminal.Complain("there is no `mig relay db " + words[0] + "`" +
                      (hint.empty() ? "; see `mig relay db --help`" : ", " + hint));
    return cli::kUsage;
  }
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  terminal.Data(options.Help());
  return cli::Finish(terminal, cli::kUsage);
}

}  // namespace mig::relay
