#include "cli/config_edit.h"

#include "util/json.h"
#include "util/text.h"

namespace mig::cli {
namespace {

// Where a comment begins behind a value (YAML: a # after white space, outside quotes), or npos.
std::size_t CommentIn(std::string_view line) {
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0') {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#' && i > 0 && (line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

Expected<std::string> SetTopLevelValue(std::string_view text, std::string_view key,
                                       std::string_view value) {
  const std::string start = std::string(key) + ":";
  // A JSON string is a YAML one, whatever is in it.
  const std::string line_now = start + " " + json::Write(json::value(value));
  std::string out;
  bool set = false, in_value = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (in_value && !line.empty() && (line.front() == ' ' || line.front() == '\t') &&
        !Trim(line).starts_with('#')) {
      return Error(Errc::kInvalid, "the value of `" + std::string(key) +
                                       "` goes over several lines; change it by hand");
    }
    in_value = false;
    const bool here =
        line.starts_with(start) && (line.size() == start.size() || line[start.size()] == ' ' ||
                                    line[start.size()] == '\t' || line[start.size()] == '\r');
    if (!here) {
      out.append(line).append("\n");
      continue;
    }
    if (set) {
      return Error(Errc::kInvalid, "`" + std::string(key) + "` stands there twice");
    }
    set = in_value = true;
    out += line_now;
    const std::string_view rest = line.substr(start.size());
    if (const std::size_t comment = CommentIn(rest); comment != std::string_view::npos) {
      out.append("  ").append(Trim(rest.substr(comment)));
    }
    out += '\n';
  }
  if (!set) out += line_now + "\n";
  return out;
}

}  // namespace mig::cli
