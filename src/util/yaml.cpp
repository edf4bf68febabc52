#include "util/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <vector>

#include "util/text.h"

namespace mig {
namespace {

constexpr std::size_t kLineWidth = 96;

std::string At(const std::string& file, const YAML::Mark& mark) {
  return mark.is_null() ? file : file + ":" + std::to_string(mark.line + 1);
}

std::optional<std::int64_t> WholeNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || stop != text.data() + text.size()) {
    return std::nullopt;
  }
  // `007` is text: somebody meant the zeros.
  const std::string_view digits = text.substr(text[0] == '-' ? 1 : 0);
  if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
  return number;
}

json::value Scalar(const std::string& text, bool plain) {
  if (!plain) return json::value(text);
  if (text.empty() || text == "~" || text == "null") return nullptr;
  if (text == "true" || text == "false") return text == "true";
  if (const auto number = WholeNumber(text)) return *number;
  return json::value(text);
}

// Builds the value from the parser's events, so that aliases and tags are seen before anything
// expands them. Keeps the first error and ignores the rest.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& name) : name_(name) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) Fail(mark, "a second document begins; one is read");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (Plain(mark, "", anchor)) Put(mark, nullptr);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Fail(mark, "`*` refers to another place; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    // yaml-cpp says `?` of a plain scalar and `!` of a quoted one.
    const bool quoted = tag == "!";
    if (!Plain(mark, quoted ? "" : tag, anchor)) return;
    if (!IsUtf8(text)) return Fail(mark, "is not UTF-8");
    if (!open_.empty() && open_.back().is_map && !open_.back().key) {
      const auto& fields = open_.back().value.get_object();
      if (fields.if_contains(text) != nullptr)
        return Fail(mark, "`" + text + "` stands there twice");
      open_.back().key = text;
      return;
    }
    Put(mark, Scalar(text, !quoted));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Begin(mark, tag, anchor, json::array());
  }
  void OnSequenceEnd() override { End(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Begin(mark, tag, anchor, json::object());
  }
  void OnMapEnd() override { End(); }

  Expected<json::value> Take() {
    if (error_) return std::move(*error_);
    return std::move(result_);
  }

 private:
  struct Open {
    json::value value;
    bool is_map = false;
    std::optional<std::string> key;  // of the value that comes next
  };

  void Fail(const YAML::Mark& mark, const std::string& why) {
    if (!error_) error_.emplace(Errc::kMalformed, At(name_, mark) + ": " + why);
  }
  bool Plain(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) Fail(mark, "`&` names an anchor, which is not read");
    if (!tag.empty() && tag != "?") Fail(mark, "the tag `" + tag + "` is not read");
    return !error_;
  }
  void Put(const YAML::Mark& mark, json::value value) {
    if (error_) return;
    if (open_.empty()) {
      result_ = std::move(value);
    } else if (!open_.back().is_map) {
      open_.back().value.get_array().push_back(std::move(value));
    } else if (open_.back().key) {
      open_.back().value.get_object().emplace(*open_.back().key, std::move(value));
      open_.back().key.reset();
    } else {
      Fail(mark, "the name of a field must be text");
    }
  }
  void Begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             json::value empty) {
    if (!Plain(mark, tag, anchor)) return;
    if (open_.size() >= static_cast<std::size_t>(json::kMaxDepth)) {
      return Fail(mark, "is nested deeper than " + std::to_string(json::kMaxDepth));
    }
    if (!open_.empty() && open_.back().is_map && !open_.back().key) {
      return Fail(mark, "the name of a field must be text");
    }
    const bool is_map = empty.is_object();
    open_.push_back({std::move(empty), is_map, std::nullopt});
  }
  void End() {
    if (error_) return;
    json::value done = std::move(open_.back().value);
    open_.pop_back();
    Put(YAML::Mark::null_mark(), std::move(done));
  }

  const std::string& name_;
  int documents_ = 0;
  std::vector<Open> open_;
  json::value result_;
  std::optional<Error> error_;
};

// ---- writing

bool CanBePlain(const std::string& text) {
  if (text.empty() || !Scalar(text, true).is_string()) return false;
  constexpr std::string_view kMarks = "._-/@+=<>()' ";
  const auto ordinary = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80;
  };
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  // Words that other readers of YAML take for booleans.
  for (const std::string_view word : {"yes", "no", "on", "off", "y", "n"}) {
    if (LowerAscii(text) == word) return false;
  }
  return letter(text.front()) && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), ordinary);
}

std::string Text(const json::value& v) {
  if (!v.is_string()) return json::Write(v);
  const std::string text(v.get_string());
  // A JSON string is a double-quoted scalar of YAML.
  return CanBePlain(text) ? text : json::Write(v);
}

bool IsLeaf(const json::value& v) {
  return v.is_array() ? v.get_array().empty() : v.is_object() ? v.get_object().empty() : true;
}

// In one line, or nothing where that is not fit to be read.
std::optional<std::string> OneLine(const json::value& v, std::size_t width) {
  if (IsLeaf(v)) return Text(v);
  std::string line;
  if (v.is_array()) {
    for (const json::value& item : v.get_array()) {
      if (!IsLeaf(item)) return std::nullopt;
      line += (line.empty() ? "[" : ", ") + Text(item);
    }
    line += "]";
  } else {
    for (const auto& member : v.get_object()) {
      if (!IsLeaf(member.value())) return std::nullopt;
      line += (line.empty() ? "{" : ", ") + Text(json::value(member.key())) + ": " +
              Text(member.value());
    }
    line += "}";
  }
  // A `,` or a brace in a plain scalar would end it inside a flow collection: CanBePlain has none.
  if (line.size() > width) return std::nullopt;
  return line;
}

void Append(std::string& out, const json::value& v, std::size_t indent) {
  const std::string space(indent, ' ');
  if (v.is_object()) {
    for (const auto& member : v.get_object()) {
      const std::string head = space + Text(json::value(member.key())) + ":";
      const json::value& value = member.value();
      // The top level is what people look for: a line each, whatever is short below it.
      const std::size_t width = kLineWidth - std::min(kLineWidth, head.size() + 1);
      const auto line = OneLine(value, width);
      const bool whole = line && (IsLeaf(value) || indent > 0 || value.is_array());
      if (whole) {
        out += head + " " + *line + "\n";
      } else {
        out += head + "\n";
        Append(out, value, indent + 2);
      }
    }
  } else if (v.is_array()) {
    for (const json::value& item : v.get_array()) {
      if (const auto line = OneLine(item, kLineWidth)) {
        out += space + "- " + *line + "\n";
        continue;
      }
      std::string block;
      Append(block, item, indent + 2);
      block.replace(indent, 2, "- ");
      out += block;
    }
  } else {
    out += space + Text(v) + "\n";
  }
}

}  // namespace

Expected<json::value> ParseYaml(std::string_view text, const std::string& name) {
  Builder builder(name);
  try {
    // The end of the document made plain: see Settings::Parse.
    std::istringstream in(std::string(text) + "\n...\n");
    YAML::Parser parser(in);
    // One document is read, a second is an error, so the third is not asked for.
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& e) {
    return Error(Errc::kMalformed, At(name, e.mark) + ": not YAML: " + e.msg);
  }
  return builder.Take();
}

std::string WriteYaml(const json::value& v) {
  if (IsLeaf(v)) return Text(v) + "\n";
  std::string out;
  Append(out, v, 0);
  return out;
}

}  // namespace mig
