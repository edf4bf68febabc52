// The file module's semantics (docs/modules/file.md) once more, plain and slow: each search walks
// its paths alone, each file is read whole, each line is matched by itself. The real engine is
// compared with it (differential_test.cpp); nothing of the engine is used here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "util/clock.h"
#include "util/json.h"

namespace mig::file {

struct PlainCheck {
  std::string field;  // of the parameters: "names", "sha2"
  std::string value;  // as asked for
};

struct PlainSearch {
  std::string label;
  std::vector<std::string> paths;
  std::vector<PlainCheck> checks;
  std::set<std::string> mismatch;  // MIG's words
  bool matchall = false, macroal = false, returnsha256 = false, decompress = false;
  std::vector<std::string> returndigests;
  std::uint64_t maxdepth = 0, matchlimit = 0;

  json::object ToJson() const;
};

// Two finds are the same file, but in their paths: a folder given under two names may be reported
// under either.
struct PlainFind {
  std::set<std::string> paths;
  std::string check;  // matchany: field and value; empty otherwise
  std::uint64_t size = 0;
  std::string mode;
  std::string modified;
  std::map<std::string, std::string> digests;  // by name, those that come back
  bool certain = true;  // false: in broken gzip, which may be decided before the broken part
};

struct PlainAnswer {
  std::map<std::string, std::vector<PlainFind>> finds;  // by label
  std::map<std::string, std::uint64_t> skipped;
  std::uint64_t files = 0, directories = 0, failed = 0;
  std::uint64_t broken = 0;      // files of broken gzip: each may count as failed and unreadable
  std::uint64_t most_bytes = 0;  // if each file that has to be opened were read to its end
};

// One tree, which stays as it is.
class PlainReader {
 public:
  // Reads all of it. Files of more than 8 MiB are taken to have no content that anybody asks for.
  explicit PlainReader(const std::string& tree);
  ~PlainReader();

  // With `as_other` by the permissions of those who own nothing in the tree; who runs this must be
  // such a user then.
  PlainAnswer Run(const std::vector<PlainSearch>& searches, UtcTime now, bool as_other) const;

  struct Node;

 private:
  std::string path_;
  std::unique_ptr<Node> top_;
};

// By MIG's rules of length. Requires: a field of digests, and a length that it has.
DigestKind PlainDigestKind(const std::string& field, std::size_t digits);

}  // namespace mig::file
