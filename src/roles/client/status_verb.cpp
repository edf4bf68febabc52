// mig status [ID]: what goes on, or how one action goes.
#include "cli/table.h"
#include "cli/terminal_json.h"
#include "cli/verb.h"
#include "proto/action.h"
#include "roles/client/client.h"
#include "roles/client/connection.h"
#include "roles/client/not_taken.h"
#include "roles/client/old_policies.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

std::uint64_t Counter(const json::object& action, std::string_view name) {
  const json::value* counters = action.if_contains("counters");
  const json::object* fields = counters == nullptr ? nullptr : counters->if_object();
  const json::value* value = fields == nullptr ? nullptr : fields->if_contains(name);
  auto number = value == nullptr ? Expected<std::uint64_t>(std::uint64_t{0}) : json::ToUint(*value);
  return number ? *number : 0;
}

std::string TextOf(const json::object& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// "2026-11-23 09:30:00": what people read in lists; -json has the whole of it.
std::string ShortTime(const std::string& rfc3339) {
  if (rfc3339.size() < 19) return rfc3339;
  return rfc3339.substr(0, 10) + " " + rfc3339.substr(11, 8);
}

ExitStatus ListActions(cli::ApiClient& api, std::uint64_t limit, bool json,
                       cli::Terminal& terminal) {
  auto actions = api.ListActions(limit);
  if (!actions) return cli::Fail(terminal, actions.error());
  if (json) {
    json::array list;
    for (cli::ActionInfo& info : *actions) list.push_back(std::move(info.fields));
    terminal.Data(cli::EscapeJson(json::WritePretty(json::object{{"actions", std::move(list)}})) +
                  "\n");
    return cli::Finish(terminal, cli::kFound);
  }
  if (actions->empty()) {
    terminal.Remark("No action was sent yet. Try: mig query example");
    return cli::Finish(terminal, cli::kNothing);
  }
  cli::Table table({{"ID"},
                    {"STATUS"},
                    {"ANSWERED", true},
                    {"FOUND", true},
                    {"RECEIVED (UTC)"},
                    {"NAME", false, true}});
  for (const cli::ActionInfo& info : *actions) {
    const std::uint64_t answered = Counter(info.fields, "success");
    table.Add({info.id.Text(), std::string(ActionStatusName(info.progress.status)),
               std::to_string(answered) + "/" + std::to_string(info.progress.targeted),
               std::to_string(Counter(info.fields, "found")),
               ShortTime(TextOf(info.fields, "received")), TextOf(info.fields, "name")});
  }
  terminal.Data(table.Render(terminal.facts().out_is_terminal ? terminal.facts().width : 0));
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus ShowAction(cli::ApiClient& api, const ActionId& id, bool json, cli::Terminal& terminal) {
  auto info = api.GetAction(id);
  if (!info) return cli::Fail(terminal, info.error());
  if (json) {
    terminal.Data(cli::EscapeJson(json::WritePretty(info->fields)) + "\n");
    return cli::Finish(terminal, cli::kFound);
  }
  const auto line = [&](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    std::string label(name);
    label.resize(13, ' ');
    terminal.Data(label + EscapeForTerminal(value) + "\n");
  };
  line("id", id.Text());
  line("status", std::string(ActionStatusName(info->progress.status)));
  line("detail", info->progress.detail);
  line("kind", TextOf(info->fields, "kind"));
  line("name", TextOf(info->fields, "name"));
  line("target", TextOf(info->fields, "target"));
  if (info->action) {
    for (const Operation& operation : info->action->operations) {
      line("operation", operation.module + " " + json::Write(operation.parameters));
    }
    line("reason", info->action->reason);
  }
  line("valid from", TextOf(info->fields, "validfrom"));
  line("expires", TextOf(info->fields, "expireafter"));
  line("received", TextOf(info->fields, "received"));
  line("finished", TextOf(info->fields, "finished"));
  line("stopped by", TextOf(info->fields, "stopped_by"));
  line("agents", std::to_string(info->progress.targeted));
  for (const char* name :
       {"prepared", "sent", "received", "running", "success", "failed", "timeout", "refused",
        "expired", "stopped", "interrupted", "late", "found"}) {
    if (const std::uint64_t count = Counter(info->fields, name); count > 0) {
      line(std::string("  ") + name, std::to_string(count));
    }
  }
  if (IsFinal(info->progress.status)) return cli::Finish(terminal, cli::kFound);
  terminal.Remark("Follow it with: mig results " + id.Text() + " -f");
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace

int RunStatus(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  ConnectionOptions wanted;
  std::string id_text;
  bool json = false;
  std::uint64_t limit = 20;
  cli::Options options("mig status [ID]",
                       "Lists the latest actions, or shows how one of them goes.");
  options.Word("ID", "one action (default: the latest ones)", false, &id_text);
  options.Integer("limit", 'n', "N", "how many of the latest actions (default 20)", 1, 1000,
                  &limit);
  options.Flag("json", '\0', "one JSON document", &json);
  wanted.AddTo(options);
  options.Example("mig status", "the latest actions and how many answered");
  options.Example("mig status 3t4uxh5p7ysolzdtxgzkjnvwaq --json", "one action, for a program");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  std::optional<ActionId> id;
  if (!id_text.empty()) {
    auto read = ReadActionId(id_text);
    if (!read) return cli::Fail(terminal, read.error());
    id = *read;
  }
  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  RemarkOnOldPolicies(*connection, terminal);
  RemarkOnNotTaken(*connection, terminal);
  return id ? ShowAction(*connection->api, *id, json, terminal)
            : ListActions(*connection->api, limit, json, terminal);
}

}  // namespace mig
