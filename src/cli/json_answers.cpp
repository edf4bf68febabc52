#include "cli/json_answers.h"

#include <cstdio>

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

std::string EscapeJson(std::string text) {
  // Everything that is not ASCII stands inside strings, where \uXXXX means the same. DEL and the
  // controls of U+0080..U+009F act on terminals; the format characters reorder or hide text.
  std::string out;
  std::size_t copied = 0;
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto replace = [&](std::size_t at, std::size_t length, const char* escaped) {
    out.append(text, copied, at - copied);
    out += escaped;
    copied = at + length;
  };
  char buffer[16];
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned lead = byte(i);
    if (lead == 0x7F) {
      replace(i, 1, "\\u007f");
    } else if (lead == 0xC2 && (byte(i + 1) < 0xA0 || byte(i + 1) == 0xAD)) {
      std::snprintf(buffer, sizeof buffer, "\\u00%02x", byte(i + 1));
      replace(i, 2, buffer);
    } else if (lead == 0xD8 && byte(i + 1) == 0x9C) {
      replace(i, 2, "\\u061c");
    } else if (lead == 0xE2 || lead == 0xEF) {
      const unsigned code =
          (lead & 0x0Fu) << 12 | (byte(i + 1) & 0x3Fu) << 6 | (byte(i + 2) & 0x3Fu);
      const bool format = (code >= 0x200B && code <= 0x200F) ||
                          (code >= 0x2028 && code <= 0x202E) ||
                          (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF ||
                          (code >= 0xFFF9 && code <= 0xFFFB);
      if (format) {
        std::snprintf(buffer, sizeof buffer, "\\u%04x", code);
        replace(i, 3, buffer);
      }
    } else if (lead == 0xF3 && byte(i + 1) == 0xA0 &&
               (byte(i + 2) == 0x80 || byte(i + 2) == 0x81)) {
      // Tag characters U+E0000..U+E007F: a surrogate pair.
      const unsigned low = 0xDC00u + ((byte(i + 2) & 0x3Fu) << 6 | (byte(i + 3) & 0x3Fu));
      std::snprintf(buffer, sizeof buffer, "\\udb40\\u%04x", low);
      replace(i, 4, buffer);
    }
    if (copied > i) i = copied - 1;
  }
  if (copied == 0) return text;
  out.append(text, copied, std::string::npos);
  return out;
}

JsonLineAnswers::JsonLineAnswers(Show show, Question question, Terminal& terminal)
    : show_(show), question_(std::move(question)), terminal_(terminal) {
  json::object fields;
  fields["schema"] = kSchema;
  fields["type"] = "action";
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

void JsonLineAnswers::Finish(const json::object& totals) {
  json::object fields;
  fields["type"] = "totals";
  for (const auto& member : totals) fields[member.key()] = member.value();
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
    list += json::Write(element);
  };
  if (show_ != Show::kNotFound) {
    for (const ResultElement& element : part.elements) append(element.label, element.value);
  }
  if (text.before.empty()) {
    text.before = "{\"operation\":" + std::to_string(part.operation) +
                  ",\"module\":" + json::Write(json::value(ModuleOf(part.operation)));
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
        text.others[label.key()] = json::Write(label.value());
      }
    }
  }
  json::object fields;
  fields["status"] = CommandStatusName(part.summary->status);
  fields["sandbox"] = part.summary->sandbox;
  text.before += "," + Inside(fields) + ",\"result\":{";
  const std::string others = Inside(result);
  text.before += others.empty() ? "" : others + ",";
}

std::string JsonAnswers::Joined(const OperationText& text) {
  std::string joined = text.before;
  // Cut off: elements came, the end of the operation did not.
  if (!text.ended) joined += ",\"result\":{\"foundanything\":true,\"success\":false,";
  joined += "\"elements\":{";
  bool first = true;
  const auto add = [&](const std::string& label, const std::string& value) {
    if (!first) joined += ',';
    first = false;
    joined += json::Write(json::value(label)) + ":" + value;
  };
  for (const auto& [label, list] : text.lists) add(label, "[" + list + "]");
  for (const auto& [label, other] : text.others) {
    if (!text.lists.contains(label)) add(label, other);
  }
  return joined + "}}}";
}

void JsonAnswers::Ended(const Answerer& agent, const AgentEnd& end) {
  std::string results;
  if (const auto waiting = waiting_.find(agent.id); waiting != waiting_.end()) {
    for (const auto& [operation, text] : waiting->second) {
      const bool found = text.found || (!text.ended && !text.lists.empty());
      if (!IsShown(show_, found)) continue;
      if (!results.empty()) results += ',';
      results += Joined(text);
    }
    waiting_.erase(waiting);
  }
  // An agent that failed is always there: its silence must not look like "nothing found".
  if (results.empty() && end.status == CommandStatus::kSuccess && end.complete &&
      !IsShown(show_, end.found)) {
    return;
  }
  json::object fields;
  DescribeAgent(agent, fields);
  DescribeEnd(end, fields);
  terminal_.Data((first_ ? "\n{" : ",\n{") + EscapeJson(Inside(fields)) + ",\"results\":[" +
                 EscapeJson(std::move(results)) + "]}");
  first_ = false;
}

void JsonAnswers::Unverified(const Answerer& agent, std::string_view fault,
                             std::string_view detail) {
  if (unverified_.size() == kMaxUnverified) {
    ++unverified_more_;
    return;
  }
  unverified_.push_back(EscapeJson(json::Write(DescribeUnverified(agent, fault, detail))));
}

void JsonAnswers::Finish(const json::object& totals) {
  std::string text = "],\n\"unverified\":[" + Join(unverified_, ",") + "],\n";
  if (unverified_more_ > 0) {
    text += "\"unverified_more\":" + std::to_string(unverified_more_) + ",\n";
  }
  terminal_.Data(text + "\"totals\":" + EscapeJson(json::Write(totals)) + "}\n");
}

}  // namespace mig::cli
