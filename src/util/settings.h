// Configuration files: YAML with a declared set of keys. An unknown key is refused with file,
// line and the nearest known key; a wrong value with file, line and what was expected.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "util/expected.h"

namespace mig {

// One mapping of a configuration file. Keys are asked for by name with their defaults; the first
// error is kept, and Finish() returns it or names a key that nobody asked for.
//   auto file = Settings::Parse(text, "relay.yaml");
//   config.listen = file->String("listen", "127.0.0.1:8883");
//   Settings tls = file->Section("tls");
//   config.ca = tls.RequiredString("ca");
//   if (auto ok = file->Finish(); !ok) …   // covers sections too
// Copies share their state. Not for several threads.
class Settings {
 public:
  // `name` is what messages call the file. An empty document is an empty mapping.
  static Expected<Settings> Parse(std::string_view text, std::string name);

  bool Has(std::string_view key) const;
  std::string String(std::string_view key, std::string fallback);
  std::string RequiredString(std::string_view key);
  bool Bool(std::string_view key, bool fallback);
  std::int64_t Integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                       std::int64_t max);
  // "512", "64k", "1m", "2g": bytes, 1024-based.
  std::uint64_t Size(std::string_view key, std::uint64_t fallback);
  std::chrono::milliseconds Duration(std::string_view key, std::chrono::milliseconds fallback);
  std::vector<std::string> Strings(std::string_view key);              // absent: empty
  std::map<std::string, std::string> StringMap(std::string_view key);  // absent: empty
  Settings Section(std::string_view key);                              // absent: an empty mapping
  std::vector<Settings> Sections(std::string_view key);  // a sequence of mappings; absent: empty

  // Records that the value of `key` does not do, with its place in the file.
  void Fail(std::string_view key, std::string_view message);

  // The first error in this file (sections included), or an unknown key.
  Expected<void> Finish();

 private:
  struct Document;
  struct Node;
  Settings(std::shared_ptr<Document> document, std::shared_ptr<Node> node);
  std::shared_ptr<Document> document_;
  std::shared_ptr<Node> node_;
};

}  // namespace mig
