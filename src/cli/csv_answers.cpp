#include "cli/csv_answers.h"

#include <algorithm>
#include <map>

#include "cli/terminal_json.h"
#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::string_view kElement = "element";  // the column of an element that is no object
constexpr std::string_view kMore = "more";

struct Cell {
  std::string text;
  bool foreign = false;  // chosen by the endpoint, not by us
};

Cell CellOf(const json::value& value) {
  if (value.is_null()) return {};
  if (const auto* text = value.if_string()) return {std::string(text->begin(), text->end()), true};
  const bool nested = value.is_object() || value.is_array();
  std::string text = json::Write(value);
  return {nested ? EscapeJson(std::move(text)) : std::move(text), nested};
}

// Objects become columns with dots in their names, two levels deep; below that they stay JSON. A
// name that is not UTF-8 ({"b64": …}) is one value, and stays JSON too.
std::vector<std::pair<std::string, Cell>> Flatten(const json::value& element) {
  std::vector<std::pair<std::string, Cell>> cells;
  const json::object* fields = element.if_object();
  if (fields == nullptr) {
    cells.emplace_back(kElement, CellOf(element));
    return cells;
  }
  for (const auto& field : *fields) {
    const json::object* inner = field.value().if_object();
    if (inner == nullptr || inner->empty() || inner->contains("b64")) {
      cells.emplace_back(field.key(), CellOf(field.value()));
      continue;
    }
    for (const auto& member : *inner) {
      cells.emplace_back(std::string(field.key()) + "." + std::string(member.key()),
                         CellOf(member.value()));
    }
  }
  return cells;
}

}  // namespace

std::string CsvField(std::string_view text, bool foreign) {
  std::string field;
  if (foreign && !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != text.npos) {
    field = "'";
  }
  field += text;
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

CsvAnswers::CsvAnswers(Show show, Question question, Terminal& terminal)
    : show_(show), question_(std::move(question)), terminal_(terminal) {}

std::string CsvAnswers::Field(std::string_view text, bool foreign) const {
  const bool screen = terminal_.facts().out_is_terminal;
  return CsvField(screen ? EscapeForTerminal(text) : std::string(text), foreign);
}

void CsvAnswers::Header(const std::vector<std::string>& columns) {
  std::string header = "agent_id,agent,operation,module,label";
  for (const std::string& column : columns) header += "," + Field(column, true);
  terminal_.Data(header + "," + std::string(kMore) + "\r\n");
  columns_ = columns;
  header_written_ = true;
}

void CsvAnswers::Row(const Answerer& agent, std::uint32_t operation, std::string_view label,
                     const json::value& element) {
  const auto cells = Flatten(element);
  if (!header_written_) {
    std::vector<std::string> columns;
    for (const auto& [name, cell] : cells) columns.push_back(name);
    Header(columns);
  }
  const std::string module =
      operation < question_.modules.size() ? question_.modules[operation] : std::string();
  std::string row = agent.id.Text() + "," + Field(agent.name, true) + "," +
                    std::to_string(operation) + "," + Field(module, false) + "," +
                    Field(label, true);
  std::map<std::string, Cell> by_name(cells.begin(), cells.end());
  for (const std::string& column : columns_) {
    const Cell cell = by_name[column];
    row += "," + Field(cell.text, cell.foreign);
    by_name.erase(column);
  }
  json::object more;
  for (const auto& [name, cell] : by_name) {
    if (!cell.text.empty()) {
      more[name] = IsUtf8(cell.text) ? cell.text : EscapeForTerminal(cell.text);
    }
  }
  row += "," + (more.empty() ? std::string() : Field(EscapeJson(json::Write(more)), true));
  terminal_.Data(row + "\r\n");
}

void CsvAnswers::Part(const Answerer& agent, const ResultPart& part) {
  if (show_ == Show::kNotFound) return;
  for (const ResultElement& element : part.elements) {
    Row(agent, part.operation, element.label, element.value);
  }
  if (!part.summary) return;
  const json::value* found = part.summary->result.if_contains("foundanything");
  if (found == nullptr || !found->is_bool() || !found->get_bool()) return;
  const json::value* elements = part.summary->result.if_contains("elements");
  const json::object* labels = elements == nullptr ? nullptr : elements->if_object();
  if (labels == nullptr) return;
  for (const auto& label : *labels) {
    if (const json::array* list = label.value().if_array()) {
      for (const json::value& element : *list) Row(agent, part.operation, label.key(), element);
    } else {
      Row(agent, part.operation, label.key(), label.value());
    }
  }
}

void CsvAnswers::Ended(const Answerer& agent, const AgentEnd& end) {
  const bool looked = end.status == CommandStatus::kSuccess && end.complete;
  if (show_ != Show::kFound && looked && !end.found) nothing_.push_back(agent);
}

void CsvAnswers::Unverified(const Answerer&, std::string_view, std::string_view) {}

void CsvAnswers::Finish(const json::object&) {
  if (!nothing_.empty() && !header_written_) Header({});
  for (const Answerer& agent : nothing_) {
    terminal_.Data(agent.id.Text() + "," + Field(agent.name, true) +
                   std::string(4 + columns_.size(), ',') + "\r\n");
  }
}

}  // namespace mig::cli
