// mig agents: which machines the server knows.
#include "roles/client/agents_verb.h"
#include "cli/table.h"
#include "cli/terminal_json.h"
#include "cli/verb.h"
#include "proto/target.h"
#include "roles/client/client.h"
#include "roles/client/connection.h"
#include "roles/client/old_policies.h"
#include "roles/client/target_note.h"
#include "util/text.h"

namespace mig {
namespace {

std::string TextOf(const json::object& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string Inner(const json::object& fields, std::string_view object, std::string_view name) {
  const json::value* value = fields.if_contains(object);
  return value != nullptr && value->is_object() ? TextOf(value->get_object(), name) : std::string();
}

// What is wrong with an agent, and what to do.
void Explain(const json::object& fields, cli::Terminal& terminal) {
  const std::string name = cli::ReadName(fields, "name");
  const std::string id = TextOf(fields, "id");
  if (const std::string since = TextOf(fields, "cloned"); !since.empty()) {
    terminal.Remark(name + ": held since " + since +
                        ". More than one machine speaks with the identity " + id +
                        " (was an image cloned with its key?), so it is sent nothing but stops:",
                    cli::Style::kRed);
    const json::value* copies = fields.if_contains("copies");
    for (const json::value& value :
         copies != nullptr && copies->is_array() ? copies->get_array() : json::array()) {
      const json::object* copy = value.if_object();
      if (copy == nullptr) continue;
      terminal.Remark("    " + cli::ReadName(*copy, "name") + ", host " +
                      Inner(*copy, "environment", "hostname") + ", spoke first " +
                      TextOf(*copy, "first") + ", last " + TextOf(*copy, "last") + ", process " +
                      TextOf(*copy, "boot"));
    }
    terminal.Remark(
        "  Give all but one an identity of their own, on each: stop the agent, then "
        "mig agent reset-identity, put a new token there, start it. Then here: mig "
        "agents release " +
        id);
    return;
  }
  if (const std::string since = TextOf(fields, "ledger_back"); !since.empty()) {
    const json::value* before = fields.if_contains("ledger_before");
    terminal.Remark(name + ": its ledger went back, first seen " + since +
                        (before != nullptr ? ", from " + json::Write(*before) + " entries" : "") +
                        ": it was altered, or an older state of its disk was put back. Look at "
                        "the machine; when you know why: mig agents release " +
                        id,
                    cli::Style::kRed);
  }
}

// The verbs below `mig agents`, in the order of the help. To add one: a line here, and its file.
constexpr AgentsVerb kAgentsVerbs[] = {
    {"anchors", "what is remembered of agents' ledgers, for `mig agent report --anchor`",
     &RunAgentsAnchors},
    {"release", "ends the hold on a cloned agent, or the mark of a ledger that went back",
     &RunAgentsRelease},
};

}  // namespace

int RunAgents(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (!arguments.empty()) {
    for (const AgentsVerb& verb : kAgentsVerbs) {
      if (arguments[0] == verb.name) return verb.run(arguments.subspan(1), terminal);
    }
  }
  ConnectionOptions wanted;
  std::string target;
  bool json = false;
  std::string verbs;
  for (const AgentsVerb& verb : kAgentsVerbs) {
    std::string name(verb.name);
    name.resize(std::max<std::size_t>(name.size(), 8), ' ');
    verbs += "\n  " + name + "  " + std::string(verb.summary);
  }
  cli::Options options(
      "mig agents [-t TARGET] [--json]",
      "Lists the agents that the server knows, or those that a target names.\n" + verbs);
  options.Text("target", 't', "EXPR", "only the agents that this expression names", &target);
  options.Flag("json", '\0', "one JSON document", &json);
  wanted.AddTo(options);
  options.Note(TargetNote());
  options.Example("mig agents", "every agent");
  options.Example("mig agents -t \"status = 'online' AND environment->>'os' = 'linux'\"",
                  "what a query with this target would reach");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  if (!target.empty()) {
    if (auto parsed = Target::Parse(target); !parsed) {
      return cli::Fail(terminal, std::move(parsed).error().During("--target"));
    }
  }
  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto agents = connection->api->ListAgents(target);
  if (!agents) return cli::Fail(terminal, agents.error());
  RemarkOnOldPolicies(*agents, connection->policy_version, terminal);
  const bool none = agents->empty();
  if (json) {
    json::array list;
    for (json::object& fields : *agents) list.push_back(std::move(fields));
    terminal.Data(cli::EscapeJson(json::WritePretty(json::object{{"agents", std::move(list)}})) +
                  "\n");
    return cli::Finish(terminal, none ? cli::kNothing : cli::kFound);
  }
  if (none) {
    terminal.Remark(target.empty() ? "No agent has enrolled yet."
                                   : "No agent matches; `mig agents` lists all.");
    return cli::Finish(terminal, cli::kNothing);
  }
  cli::Table table({{"NAME", false, true},
                    {"STATUS"},
                    {"VERSION"},
                    {"OS"},
                    {"SYSTEM", false, true},
                    {"LAST HEARTBEAT"},
                    {"ID", false, true}});
  for (const json::object& fields : *agents) {
    std::string status = TextOf(fields, "status");
    // Two machines that show one identity: the first thing an administrator must know.
    if (!TextOf(fields, "cloned").empty()) {
      status += " (held: cloned)";
    } else if (!TextOf(fields, "ledger_back").empty()) {
      status += " (ledger went back)";
    }
    table.Add({cli::ReadName(fields, "name"), status, TextOf(fields, "version"),
               Inner(fields, "environment", "os"), Inner(fields, "environment", "ident"),
               TextOf(fields, "heartbeattime"), TextOf(fields, "id")});
  }
  terminal.Data(table.Render(terminal.facts().out_is_terminal ? terminal.facts().width : 0));
  for (const json::object& fields : *agents) Explain(fields, terminal);
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
