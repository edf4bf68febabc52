// A Markdown document that describes a format, read as a machine reads it: its examples, and the
// fields that its tables name. Every fenced block carries a name after its language (`json
// action`); a table's row names fields in its first cell (`| `people[].id` | …`, `| `sent`,
// `finished` | …`: those that follow stand where the first one does).
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "util/json.h"
#include "util/text.h"

namespace mig {

struct Example {
  std::string language;
  std::string name;
  std::string text;     // without the fence
  std::string section;  // the heading it stands under, without backquotes
};

struct Document {
  std::string text;
  std::vector<std::string> sections;
  std::map<std::string, std::string> section_texts;  // without what stands in fences
  std::vector<Example> examples;
  std::map<std::string, std::set<std::string>> fields;  // section -> what its tables name

  const Example* Find(std::string_view name) const {
    for (const Example& example : examples) {
      if (example.name == name) return &example;
    }
    return nullptr;
  }
};

// What stands in backquotes in the first cell of a table's row.
inline std::vector<std::string> RowNames(std::string_view line) {
  std::vector<std::string> names;
  if (!line.starts_with("| `")) return names;
  line.remove_prefix(2);
  while (line.starts_with('`')) {
    line.remove_prefix(1);
    const std::size_t end = line.find('`');
    if (end == std::string_view::npos) return {};
    names.emplace_back(line.substr(0, end));
    line.remove_prefix(end + 1);
    if (line.starts_with(", ")) line.remove_prefix(2);
  }
  return line.starts_with(" |") ? names : std::vector<std::string>();
}

inline Document ReadDocument(const std::string& path) {  // below the source folder
  Document d;
  std::ifstream file(MIG_SOURCE_DIR "/" + path);
  REQUIRE(file);
  d.text.assign(std::istreambuf_iterator<char>(file), {});
  std::string section;
  std::optional<Example> open;
  for (const std::string_view line : Split(d.text, '\n')) {
    if (open && line == "```") {
      d.examples.push_back(std::move(*open));
      open.reset();
    } else if (open) {
      open->text.append(line).append("\n");
    } else if (line.starts_with("```")) {
      const std::string_view info = line.substr(3);
      const std::size_t space = info.find(' ');
      INFO("a fenced block without a name: " << line);
      REQUIRE(space != std::string_view::npos);
      open = Example{std::string(info.substr(0, space)), std::string(info.substr(space + 1)), "",
                     section};
    } else if (line.starts_with("## ") || line.starts_with("### ")) {
      section.clear();
      for (const char c : line.substr(line.find(' ') + 1)) {
        if (c != '`') section += c;
      }
      d.sections.push_back(section);
    } else {
      d.section_texts[section].append(line).append("\n");
      std::string parent;
      for (const std::string& name : RowNames(line)) {
        const bool first = parent.empty() || name.find('.') != std::string::npos;
        if (first) parent = name.substr(0, name.rfind('.') + 1);
        d.fields[section].insert(first ? name : parent + name);
      }
    }
  }
  REQUIRE_FALSE(open);
  return d;
}

// Checks each field of `v` against the names in the section's tables ("people[].id",
// "modules.*.weights"). What stands below a field is checked where the tables go below it.
inline void CheckFields(const json::value& v, const std::string& path,
                        const std::set<std::string>& names) {
  if (const auto* items = v.if_array()) {
    for (const json::value& item : *items) CheckFields(item, path + "[]", names);
  }
  const auto* fields = v.if_object();
  if (fields == nullptr) return;
  const std::string start = path.empty() ? "" : path + ".";
  const auto known = names.lower_bound(start);
  if (known == names.end() || !known->starts_with(start)) return;
  const bool any_key = known->starts_with(start + "*.");
  for (const auto& member : *fields) {
    const std::string field = start + (any_key ? "*" : std::string(member.key()));
    INFO(field);
    if (!any_key) CHECK(names.count(field) == 1);
    CheckFields(member.value(), field, names);
  }
}

}  // namespace mig
