#include "cli/json_answers.h"

#include "cli/terminal_json.h"
#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::string_view kSchema = "mig.answers.v1";

// JSON strings are UTF-8; what an agent sent as a string is, and what the server says of it might
// not be.
json::value Text(std::string_view text) {
  return json::value(IsUtf8(text) ? std::string(text) : EscapeForTerminal(text));
}

json::object DescribeQuestion(const Question& question) {
  json::object fields;
  fields["id"] = question.id.Text();
  fields["name"] = Text(question.name);
  fields["target"] = Text(question.target);
  fields["validfrom"] = FormatRfc3339(question.validfrom);
  fields["expireafter"] = FormatRfc3339(question.expireafter);
  json::array& modules = fields["modules"].emplace_array();
  for (const std::string& module : question.modules) modules.emplace_back(module);
  return fields;
}

void DescribeAgent(const Answerer& agent, json::object& fields) {
  fields["agent"] = agent.id.Text();
  fields["name"] = Text(agent.name);
}

void DescribeEnd(const AgentEnd& end, json::object& fields) {
  fields["status"] = CommandStatusName(end.status);
  if (!end.code.empty()) fields["code"] = Text(end.code);
  if (!end.detail.empty()) fields["detail"] = Text(end.detail);
  fields["verified"] = end.verified;
  fields["complete"] = end.complete;
}

json::object DescribeUnverified(const Answerer& agent, std::string_view fault,
                                std::string_view detail) {
  json::object fields;
  DescribeAgent(agent, fields);
  fields["fault"] = Text(fault);
  if (!detail.empty()) fields["detail"] = Text(detail);
  return fields;
}

bool FoundAnything(const json::object& result) {
  const json::value* found = result.if_contains("foundanything");
  return found != nullptr && found->is_bool() && found->get_bool();
}

bool IsShown(Show show, bool found) {
  return show == Show::kAll || (show == Show::kFound) == found;
}

// "{…}" without its braces.
std::string Inside(const json::object& fields) {
  const std::string text = json::Write(fields);
  return text.substr(1, text.size() - 2);
}

}  // namespace

JsonLineAnswers::JsonLineAnswers(Show show, Question question, Terminal& terminal)
    : show_(show), question_(std::move(question)), terminal_(terminal) {
  json::object fields;
  fields["type"] = "action";
  fields["schema"] = kSchema;
  for (auto& member : DescribeQuestion(question_)) fields[member.key()] = member.value();
  Line(fields);
}

void JsonLineAnswers::Line(const json::object& fields) {
  terminal_.Data(EscapeJson(json::Write(fields)) + "\n");
}

void JsonLineAnswers::Part(const Answerer& agent, const ResultPart& part) {
  const auto begin = [&](std::string_view type) {
    json::object fields;
    fields["type"] = type;
    DescribeAgent(agent, fields);
    fields["operation"] = part.operation;
    fields["module"] = part.operation < question_.modules.size() ? question_.modules[part.operation]
                                                                 : std::string();
    return fields;
  };
  if (show_ != Show::kNotFound) {
    for (const ResultElement& element : part.elements) {
      json::object fields = begin("element");
      fields["label"] = element.label;
      fields["element"] = element.value;
      Line(fields);
    }
  }
  if (!part.summary || !IsShown(show_, FoundAnything(part.summary->result))) return;
  json::object fields = begin("result");
  fields["status"] = CommandStatusName(part.summary->status);
  fields["sandbox"] = part.summary->sandbox;
  fields["result"] = part.summary->result;
  Line(fields);
}

void JsonLineAnswers::Ended(const Answerer& agent, const AgentEnd& end) {
  json::object fields;
  fields["type"] = "end";
  DescribeAgent(agent, fields);
  fields["foundanything"] = end.found;
  DescribeEnd(end, fields);
  Line(fields);
}

void JsonLineAnswers::Unverified(const Answerer& agent, std::string_view fault,
                                 std::string_view detail) {
  json::object fields;
  fields["type"] = "unverified";
  for (auto& member : DescribeUnverified(agent, fault, detail)) {
    fields[member.key()] = member.value();
  }
  Line(fields);
}

void JsonLineAnswers::Finish(const json::object& summary) {
  json::object fields;
  fields["type"] = "summary";
  for (const auto& member : summary) fields[member.key()] = member.value();
  Line(fields);
}

JsonAnswers::JsonAnswers(Show show, Question question, Terminal& terminal)
    : show_(show), question_(std::move(question)), terminal_(terminal) {
  terminal_.Data("{\"schema\":\"" + std::string(kSchema) + "\",\"action\":" +
                 EscapeJson(json::Write(DescribeQuestion(question_))) + ",\"answers\":[");
}

std::string JsonAnswers::ModuleOf(std::uint32_t operation) const {
  return operation < question_.modules.size() ? question_.modules[operation] : std::string();
}

void JsonAnswers::Part(const Answerer& agent, const ResultPart& part) {
  OperationText& text = waiting_[agent.id][part.operation];
  const auto append = [&text](const std::string& label, const json::value& element) {
    std::string& list = text.lists[label];
    if (!list.empty()) list += ',';
    list += EscapeJson(json::Write(element));
  };
  if (show_ != Show::kNotFound) {
    for (const ResultElement& element : part.elements) append(element.label, element.value);
  }
  if (!part.summary || text.ended) return;

  text.ended = true;
  text.found = FoundAnything(part.summary->result);
  json::object result = part.summary->result;
  json::value elements;
  if (json::value* own = result.if_contains("elements")) {
    elements = std::move(*own);
    result.erase("elements");
  }
  if (const json::object* labels = elements.if_object()) {
    for (const auto& label : *labels) {
      // The summary's own elements come after those that were sent before it.
      if (const json::array* more = label.value().if_array()) {
        text.lists[label.key()];
        for (const json::value& element : *more) append(label.key(), element);
      } else {
        text.others[label.key()] = EscapeJson(json::Write(label.value()));
      }
    }
  }
  text.status = part.summary->status;
  text.sandbox = part.summary->sandbox;
  text.result = EscapeJson(Inside(result));
  if (!text.result.empty()) text.result += ',';
}

void JsonAnswers::WriteResult(const OperationText& text) {
  // Cut off: elements came, the end of the operation did not.
  terminal_.Data(text.ended ? "{" + text.result
                            : std::string(R"({"foundanything":true,"success":false,)"));
  terminal_.Data("\"elements\":{");
  bool first = true;
  const auto begin = [&](const std::string& label) {
    terminal_.Data((first ? "" : ",") + EscapeJson(json::Write(json::value(label))) + ":");
    first = false;
  };
  for (const auto& [label, list] : text.lists) {
    begin(label);
    terminal_.Data("[");
    terminal_.Data(list);  // may be large: written as it stands, not copied
    terminal_.Data("]");
  }
  for (const auto& [label, other] : text.others) {
    if (text.lists.contains(label)) continue;
    begin(label);
    terminal_.Data(other);
  }
  terminal_.Data("}}");
}

void JsonAnswers::Ended(const Answerer& agent, const AgentEnd& end) {
  if (const auto waiting = waiting_.find(agent.id); waiting != waiting_.end()) {
    for (const auto& [operation, text] : waiting->second) {
      const bool found = text.found || (!text.ended && !text.lists.empty());
      if (!IsShown(show_, found)) continue;
      json::object fields;
      DescribeAgent(agent, fields);
      fields["operation"] = operation;
      fields["module"] = ModuleOf(operation);
      fields["status"] = CommandStatusName(text.ended ? text.status : end.status);
      fields["sandbox"] = Text(text.sandbox);
      fields["verified"] = end.verified;
      fields["complete"] = end.complete;
      terminal_.Data((first_ ? "\n{" : ",\n{") + EscapeJson(Inside(fields)) + ",\"result\":");
      WriteResult(text);
      terminal_.Data("}");
      first_ = false;
    }
    waiting_.erase(waiting);
  }
  // Whatever is shown: the silence of an agent that failed must not look like "nothing found".
  if (end.status == CommandStatus::kSuccess && end.complete && end.verified) return;
  json::object fields;
  DescribeAgent(agent, fields);
  DescribeEnd(end, fields);
  failed_.push_back(EscapeJson(json::Write(fields)));
}

void JsonAnswers::Unverified(const Answerer& agent, std::string_view fault,
                             std::string_view detail) {
  if (unverified_.size() == kMaxUnverified) {
    ++unverified_more_;
    return;
  }
  unverified_.push_back(EscapeJson(json::Write(DescribeUnverified(agent, fault, detail))));
}

void JsonAnswers::Finish(const json::object& summary) {
  std::string text = "],\n\"failed\":[" + Join(failed_, ",\n") + "],\n\"unverified\":[" +
                     Join(unverified_, ",\n") + "],\n";
  if (unverified_more_ > 0) {
    text += "\"unverified_more\":" + std::to_string(unverified_more_) + ",\n";
  }
  terminal_.Data(text + "\"summary\":" + EscapeJson(json::Write(summary)) + "}\n");
}

}  // namespace mig::cli
