// Searches of the file module over small trees that a test makes, run in this process.
#pragma once

#include <sys/types.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <initializer_list>
#include <set>
#include <string>

#include "modules/module.h"
#include "test/temp_folder.h"

namespace mig {

using FoundNames = std::set<std::string>;

struct SearchTree : TempFolder {
  std::string at(const std::string& name) const { return (path() / name).string(); }
};

inline json::array TextList(std::initializer_list<const char*> texts) {
  json::array list;
  for (const char* text : texts) list.emplace_back(text);
  return list;
}

// The parameters of one search "s1" below `path`. Options default to MIG's command line.
inline json::object OneSearch(const std::string& path, json::object fields,
                              json::object options = {}) {
  fields["paths"] = json::array{path};
  if (!options.contains("matchall")) options["matchall"] = true;
  fields["options"] = std::move(options);
  return {{"searches", json::object{{"s1", std::move(fields)}}}};
}

inline ModuleResult RunFileSearch(const json::object& parameters, UtcTime now = Now()) {
  const Module* module = FindModule("file");
  REQUIRE(module != nullptr);
  CollectingSink sink;
  RunContext context{sink, now};
  ModuleResult summary = RunModule(*module, parameters, context, false);
  auto joined = std::move(sink).Take().Finish(std::move(summary));
  REQUIRE(joined);
  return std::move(*joined);
}

// Base names of what "s1" has found.
inline FoundNames NamesFound(const ModuleResult& result) {
  CAPTURE(result.errors);
  REQUIRE(result.success);
  FoundNames names;
  for (const json::value& element : result.elements.at("s1").as_array()) {
    const auto file = json::ToName(element.at("file"));
    REQUIRE(file);
    if (!file->empty()) names.insert(std::filesystem::path(*file).filename().string());
  }
  return names;
}

// Why parameters are refused; empty: they are not.
inline std::string RefusalOf(const json::object& parameters) {
  auto checked = CheckParameters(*FindModule("file"), parameters);
  return checked ? "" : checked.error().message();
}

}  // namespace mig
