#include "cli/text_answers.h"

#include "modules/module.h"
#include "util/text.h"

namespace mig::cli {

TextAnswers::TextAnswers(Show show, Question question, Terminal& terminal)
    : show_(show), question_(std::move(question)), terminal_(terminal) {}

std::vector<std::string> TextAnswers::Print(std::uint32_t operation, const ModuleResult& result,
                                            bool found_only) const {
  const Module* module =
      operation < question_.modules.size() ? FindModule(question_.modules[operation]) : nullptr;
  if (module != nullptr) return PrintResult(*module, result, found_only);
  // A module that this executable does not have: a newer agent's answer is shown as it is.
  if (found_only && !result.foundanything) return {};
  return {json::Write(ToJson(result))};
}

void TextAnswers::Lines(const Answerer& agent, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  const std::string name = EscapeForTerminal(agent.name) + " ";
  std::string text;
  // Escaped for files and pipes, too: a line feed in a file name must not forge another agent's
  // line, and most of what is written to a file is looked at later. The bytes are in -json.
  for (const std::string& line : lines) text += name + EscapeForTerminal(line) + "\n";
  terminal_.Data(text);
  printed_.insert(agent.id);
}

void TextAnswers::Part(const Answerer& agent, const ResultPart& part) {
  if (!part.elements.empty() && show_ != Show::kNotFound) {
    ModuleResult piece;
    piece.foundanything = true;
    piece.success = true;
    json::object& elements = piece.elements.emplace_object();
    for (const ResultElement& element : part.elements) {
      json::value& list = elements[element.label];
      if (!list.is_array()) list.emplace_array();
      list.get_array().push_back(element.value);
    }
    Lines(agent, Print(part.operation, piece, true));
  }
  if (!part.summary) return;
  auto summary = ResultFromJson(part.summary->result);
  if (!summary) {
    Lines(agent, {"answered what cannot be read: " + summary.error().message()});
    return;
  }
  // A run that failed says why even to those who want finds only.
  if (show_ == Show::kFound && !summary->foundanything && summary->success) return;
  if (show_ == Show::kNotFound && summary->foundanything) return;
  Lines(agent, Print(part.operation, *summary, show_ == Show::kFound));
}

void TextAnswers::Ended(const Answerer& agent, const AgentEnd& end) {
  const bool printed = printed_.erase(agent.id) > 0;
  if (printed || end.found || show_ == Show::kFound) return;
  // Who asks for what was not found wants to see every agent that looked.
  if (end.status == CommandStatus::kSuccess) Lines(agent, {"found nothing"});
  printed_.erase(agent.id);
}

void TextAnswers::Unverified(const Answerer&, std::string_view, std::string_view) {
  // On stderr only, where Follow says it: what does not verify is no data.
}

void TextAnswers::Finish(const json::object&) {}

}  // namespace mig::cli
