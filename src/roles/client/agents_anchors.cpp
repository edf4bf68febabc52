// mig agents anchors [AGENT]: what is remembered here of agents' ledgers. For the owner of a
// machine, who holds it against the ledger there: mig agent report --verify --anchor FILE.
#include "cli/table.h"
#include "cli/terminal_json.h"
#include "cli/verb.h"
#include "os/files.h"
#include "roles/client/agents_verb.h"
#include "roles/client/kept_anchors.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

constexpr std::size_t kLeastPrefix = 4;

}  // namespace

ExitStatus RunAgentsAnchors(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string agent, file;
  bool json = false;
  cli::Options options(
      "mig agents anchors [AGENT] [--json | --out FILE]",
      "Prints how far agents' ledgers are known here: of each agent the longest that one of its "
      "signed\nanswers told. Needs no server.");
  options.Word("AGENT", "an agent's id, or its beginning (default: all)", false, &agent);
  options.Flag("json", '\0', "one JSON document, with what the agents signed", &json);
  options.Text("out", 'o', "FILE", "writes that document to a file", &file);
  options.Note(
      "The owner of a machine holds the file against the ledger there:\n"
      "    mig agent report --config /etc/mig/agent.yaml --verify --anchor FILE\n"
      "It contains signed answers as they came: give it to nobody else.");
  options.Example("mig agents anchors", "all agents that have answered");
  options.Example("mig agents anchors 3t4uxh5p -o web1.json", "for the owner of that machine");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  if (json && !file.empty()) {
    return cli::Fail(terminal, Error(Errc::kInvalid, "choose one of --json and --out"));
  }
  if (!agent.empty() && agent.size() < kLeastPrefix) {
    return cli::Fail(terminal,
                     Error(Errc::kInvalid, "AGENT: at least " + std::to_string(kLeastPrefix) +
                                               " characters of an id"));
  }
  auto store = KeptAnchors();
  if (!store) return cli::Fail(terminal, store.error());
  auto known = store->Recall();
  if (!known) return cli::Fail(terminal, known.error());
  if (known->damaged > 0) {
    terminal.Remark(Count(known->damaged, "line") + " of the file cannot be read or verified.",
                    cli::Style::kYellow);
  }
  std::erase_if(known->anchors, [&](const LedgerAnchor& anchor) {
    return !anchor.agent.Text().starts_with(agent);
  });
  if (known->anchors.empty()) {
    terminal.Remark(agent.empty() ? "No agent has answered yet." : "No such agent has answered.");
    return cli::Finish(terminal, cli::kNothing);
  }
  if (json) {
    terminal.Data(cli::EscapeJson(WriteAnchors(known->anchors)));
    return cli::Finish(terminal, cli::kFound);
  }
  if (!file.empty()) {
    auto written = os::WriteFileAtomically(file, WriteAnchors(known->anchors), 0600);
    if (!written) return cli::Fail(terminal, written.error());
    terminal.Remark("Wrote " + Count(known->anchors.size(), "anchor") + " to " + file + ".");
    return cli::Finish(terminal, cli::kFound);
  }
  cli::Table table({{"AGENT"}, {"ENTRIES"}, {"TIME"}, {"ACTION"}, {"HEAD", false, true}});
  for (const LedgerAnchor& anchor : known->anchors) {
    table.Add({anchor.agent.Text(), std::to_string(anchor.mark.length), FormatRfc3339(anchor.time),
               anchor.action ? anchor.action->Text() : "", EncodeHex(anchor.mark.head)});
  }
  terminal.Data(table.Render(terminal.facts().out_is_terminal ? terminal.facts().width : 0));
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
