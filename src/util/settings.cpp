#include "util/settings.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "util/clock.h"
#include "util/size.h"
#include "util/text.h"

namespace mig {

struct Settings::Document {
  std::string name;
  std::optional<Error> error;
  bool is_of_absent_key = false;             // that error
  std::vector<std::shared_ptr<Node>> nodes;  // every mapping handed out, for Finish
};

struct Settings::Node {
  YAML::Node yaml;   // a mapping, or undefined when absent
  std::string path;  // "tls" or "relays[0]"; empty at the top
  std::vector<std::string> asked;
};

namespace {

std::string At(const std::string& file, const YAML::Mark& mark) {
  return mark.is_null() ? file : file + ":" + std::to_string(mark.line + 1);
}

std::string PathOf(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

// The first entry of that name; Finish refuses a name that stands twice.
const YAML::Node* Child(const YAML::Node& mapping, std::string_view key, YAML::Node* out) {
  if (!mapping.IsDefined() || !mapping.IsMap()) return nullptr;
  for (const auto& entry : mapping) {
    if (entry.first.IsScalar() && entry.first.Scalar() == key) {
      *out = entry.second;
      return out;
    }
  }
  return nullptr;
}

// Hears where documents begin, and nothing else.
struct DocumentStarts : YAML::EventHandler {
  YAML::Mark last;
  void OnDocumentStart(const YAML::Mark& mark) override { last = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// Where a second document begins, which YAML::Load passes over. Not by YAML::LoadAll: behind a stray
// `]` or `,` it finds documents without end. Throws what the parser throws.
std::optional<YAML::Mark> SecondDocument(const std::string& text) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  DocumentStarts starts;
  if (!parser.HandleNextDocument(starts) || !parser.HandleNextDocument(starts)) return std::nullopt;
  return starts.last;
}

}  // namespace

Settings::Settings(std::shared_ptr<Document> document, std::shared_ptr<Node> node)
    : document_(std::move(document)), node_(std::move(node)) {
  document_->nodes.push_back(node_);
}

Expected<Settings> Settings::Parse(std::string_view text, std::string name) {
  YAML::Node root;
  try {
    // Behind a line's end yaml-cpp takes the end of the file for the end of a quoted text, and what
    // stands between for a value. Before the end of a document it does not.
    const std::string closed = std::string(text) + "\n...\n";
    root = YAML::Load(closed);
    if (const auto second = SecondDocument(closed)) {
      return Error(Errc::kMalformed, At(name, *second) + ": a second document begins; one is read");
    }
  } catch (const YAML::Exception& e) {
    const bool open = e.msg == YAML::ErrorMsg::DOC_IN_SCALAR;
    return Error(Errc::kMalformed,
                 At(name, e.mark) + ": not YAML: " + (open ? "a quoted text does not end" : e.msg));
  }
  if (root.IsDefined() && !root.IsNull() && !root.IsMap()) {
    return Error(Errc::kMalformed, name + ": expected `key: value` lines at the top level");
  }
  auto document = std::make_shared<Document>();
  document->name = std::move(name);
  auto node = std::make_shared<Node>();
  if (root.IsMap()) node->yaml = root;
  return Settings(std::move(document), std::move(node));
}

void Settings::Fail(std::string_view key, std::string_view message) {
  if (document_->error) return;
  YAML::Node child;
  YAML::Mark mark = YAML::Mark::null_mark();
  if (Child(node_->yaml, key, &child) != nullptr) {
    mark = child.Mark();
  } else {
    document_->is_of_absent_key = true;
  }
  document_->error.emplace(
      Errc::kInvalid,
      At(document_->name, mark) + ": " + PathOf(node_->path, key) + ": " + std::string(message));
}

bool Settings::Has(std::string_view key) const {
  YAML::Node child;
  return Child(node_->yaml, key, &child) != nullptr && !child.IsNull();
}

std::string Settings::String(std::string_view key, std::string fallback) {
  node_->asked.emplace_back(key);
  YAML::Node child;
  if (Child(node_->yaml, key, &child) == nullptr || child.IsNull()) return fallback;
  if (!child.IsScalar()) {
    Fail(key, "expected one value");
    return fallback;
  }
  return child.Scalar();
}

std::string Settings::RequiredString(std::string_view key) {
  std::string text = String(key, "");
  if (text.empty() && !document_->error) {
    const std::string path = PathOf(node_->path, key);
    document_->error.emplace(Errc::kInvalid, document_->name + ": `" + path + "` is missing");
    document_->is_of_absent_key = true;
  }
  return text;
}

bool Settings::Bool(std::string_view key, bool fallback) {
  const std::string text = String(key, fallback ? "true" : "false");
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  Fail(key, "expected true or false, not `" + text + "`");
  return fallback;
}

std::int64_t Settings::Integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                               std::int64_t max) {
  const std::string text = String(key, std::to_string(fallback));
  try {
    std::size_t used = 0;
    const std::int64_t number = std::stoll(text, &used);
    if (used == text.size() && number >= min && number <= max) return number;
  } catch (const std::exception&) {
    // Falls through to the message: not a number, or out of range.
  }
  Fail(key, "expected a whole number " + std::to_string(min) + ".." + std::to_string(max) +
                ", not `" + text + "`");
  return fallback;
}

std::uint64_t Settings::Size(std::string_view key, std::uint64_t fallback) {
  const std::string text = String(key, std::to_string(fallback));
  auto size = ParseSize(text);
  if (size) return *size;
  Fail(key, size.error().message());
  return fallback;
}

std::chrono::milliseconds Settings::Duration(std::string_view key,
                                             std::chrono::milliseconds fallback) {
  const std::string text = String(key, FormatDuration(fallback));
  auto duration = ParseDuration(text);
  if (duration) return *duration;
  Fail(key, duration.error().message());
  return fallback;
}

std::vector<std::string> Settings::Strings(std::string_view key) {
  node_->asked.emplace_back(key);
  std::vector<std::string> strings;
  YAML::Node child;
  if (Child(node_->yaml, key, &child) == nullptr || child.IsNull()) return strings;
  if (!child.IsSequence()) {
    Fail(key, "expected a list");
    return strings;
  }
  for (const YAML::Node& item : child) {
    if (!item.IsScalar()) {
      Fail(key, "expected a list of single values");
      return {};
    }
    strings.push_back(item.Scalar());
  }
  return strings;
}

std::map<std::string, std::string> Settings::StringMap(std::string_view key) {
  node_->asked.emplace_back(key);
  std::map<std::string, std::string> strings;
  YAML::Node child;
  if (Child(node_->yaml, key, &child) == nullptr || child.IsNull()) return strings;
  if (!child.IsMap()) {
    Fail(key, "expected `name: value` lines");
    return strings;
  }
  for (const auto& entry : child) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
      Fail(key, "expected `name: value` lines");
      return {};
    }
    strings[entry.first.Scalar()] = entry.second.Scalar();
  }
  return strings;
}

Settings Settings::Section(std::string_view key) {
  node_->asked.emplace_back(key);
  auto node = std::make_shared<Node>();
  node->path = PathOf(node_->path, key);
  YAML::Node child;
  if (Child(node_->yaml, key, &child) != nullptr && !child.IsNull()) {
    if (child.IsMap()) {
      node->yaml = child;
    } else {
      Fail(key, "expected a section of `key: value` lines");
    }
  }
  return Settings(document_, std::move(node));
}

std::vector<Settings> Settings::Sections(std::string_view key) {
  node_->asked.emplace_back(key);
  std::vector<Settings> sections;
  YAML::Node child;
  if (Child(node_->yaml, key, &child) == nullptr || child.IsNull()) return sections;
  if (!child.IsSequence()) {
    Fail(key, "expected a list of sections");
    return sections;
  }
  for (std::size_t i = 0; i < child.size(); ++i) {
    auto node = std::make_shared<Node>();
    node->path = PathOf(node_->path, key) + "[" + std::to_string(i) + "]";
    if (!child[i].IsMap()) {
      Fail(key, "expected a list of sections");
      return {};
    }
    node->yaml = child[i];
    sections.push_back(Settings(document_, std::move(node)));
  }
  return sections;
}

Expected<void> Settings::Finish() {
  // A key that is misspelt is missing too, but its own line says more.
  if (document_->error && !document_->is_of_absent_key) return *document_->error;
  for (const auto& node : document_->nodes) {
    if (!node->yaml.IsDefined() || !node->yaml.IsMap()) continue;
    std::vector<std::string> seen;
    for (const auto& entry : node->yaml) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "(not a word)";
      const std::string where = At(document_->name, entry.first.Mark()) + ": ";
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
        return Error(Errc::kInvalid, where + "`" + PathOf(node->path, key) + "` stands twice");
      }
      seen.push_back(key);
      if (std::find(node->asked.begin(), node->asked.end(), key) == node->asked.end()) {
        std::string message = where + "unknown key `" + PathOf(node->path, key) + "`";
        const std::string hint = DidYouMean(key, node->asked);
        if (!hint.empty()) message += ", " + hint;
        return Error(Errc::kInvalid, message);
      }
    }
  }
  if (document_->error) return *document_->error;
  return {};
}

}  // namespace mig
