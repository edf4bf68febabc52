// One search of the file module: what is asked, parsed and checked. Parameter names are MIG's.
//
// What a check answers, before `mismatch` turns it around (fixed where MIG contradicted itself;
// docs/modules/file.md has the table):
//   name, mode      the regex is found in the base name / in the mode as "-rw-r--r--"; with a
//                   leading `!`: it is not
//   size, mtime     the number or age is within bounds
//   owner, inode, … what metadata_check.h and metadata.h say
//   content         some line has a match; with `!`: no line has
//   content+macroal there is a line, and every line has a match; with `!`: no line has one
//   bytes           the sequence stands somewhere in the content; with `!`: nowhere
//   digests         the whole content has that digest
// A file is found when all checks say yes (matchall), or is reported once for each check that says
// yes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "util/clock.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::file {

class BytePattern;
class ByteSequence;

// In the order of evaluation; what needs the content begins with kContent.
enum class CheckKind {
  kName,
  kMode,
  kSize,
  kMtime,
  kCtime,
  kAtime,
  kBtime,
  kOwner,
  kGroup,
  kInode,
  kLinks,
  kType,
  kFlag,
  kLinkTarget,
  kXattr,
  kCapability,
  kContent,
  kBytes,
  kDigest,
};

// How the bits of a mode are compared, as find(1) does.
enum class BitTest {
  kNone,   // the mode is compared as text
  kExact,  // 4755
  kAll,    // -4000: all of these bits are set
  kAny,    // /6000: at least one is
};

struct Check {
  CheckKind kind = CheckKind::kName;
  std::string field;      // of the parameters: "names", "sha2"
  std::string value;      // as asked for
  bool inverted = false;  // a leading `!`
  bool mismatch = false;  // options.mismatch names this kind

  std::shared_ptr<const BytePattern> pattern;        // a regex's, without its `!`
  std::shared_ptr<const BytePattern> value_pattern;  // kXattr: of NAME=VALUE; may be null
  std::shared_ptr<const ByteSequence> sequence;      // kBytes
  std::uint64_t least = 0;                           // kSize, kLinks, kInode, kOwner, kGroup
  std::uint64_t most = 0;                            // the same
  bool by_name = false;               // kOwner, kGroup: the number is still to be looked up
  BitTest bit_test = BitTest::kNone;  // kMode
  std::uint32_t bits = 0;             // kMode, kType (of TypeBit), kFlag (of os::FileFlag)
  // kContent: the number of its literal among those of the run (ContentLiterals); npos: none.
  std::size_t literal = std::string::npos;
  std::chrono::nanoseconds age{0};          // kMtime and the other times
  bool younger = false;                     // the same: `<`
  DigestKind digest = DigestKind::kSha256;  // kDigest
  Bytes expected;                           // kDigest, raw

  // Turns what was found into what was asked. For regexes `answer` is whether the plain regex
  // matched; contents under macroal have `inverted` inside already.
  bool Wanted(bool answer, bool inverted_inside = false) const {
    return (answer != (inverted && !inverted_inside)) != mismatch;
  }
};

// A search that cannot be answered on this machine, and why.
struct Unanswerable {
  std::string label;
  std::string message;
};

// Whether a clean path is `folder` or lies in it: by component, "/etc" never covers "/etcetera".
bool IsBeneath(std::string_view path, std::string_view folder);

struct Search {
  std::string label;
  std::vector<std::string> paths;  // absolute, clean
  std::vector<Check> checks;       // cheap first: what needs no content
  std::size_t cheap = 0;           // how many of them need no content
  bool matchall = false;
  bool macroal = false;
  std::vector<DigestKind> returned;  // digests of its finds to report, each once, in their order
  bool decompress = false;
  bool archives = false;  // it looks at the members of tar and zip files too
  bool remotefs = false;
  bool pseudofs = false;
  bool onefs = false;
  bool deleted = false;  // it looks at what processes hold open without a name, and at no tree
  // It looks at every entry as itself (-type, -linkto), folders and links too; else at regular
  // files and links to such, as MIG does.
  bool entries = false;
  std::vector<std::string> excludes;            // absolute, clean
  std::vector<std::string> excludefs;           // "nfs4"; "fuse" stands for "fuse.sshfs" too
  std::set<std::string, std::less<>> excluded;  // excludes as they really are, once that is known
  std::uint64_t maxdepth = 0;                   // 0: no limit
  std::uint64_t matchlimit = 0;                 // 0: no limit
  std::uint64_t maxerrors = 0;                  // 0: no limit
  json::object repeated;  // the definition as MIG's results repeat it, bounded

  bool Excludes(std::string_view real_path) const {
    return !excluded.empty() && excluded.contains(real_path);
  }
  // The same of a path or any folder above it.
  bool ExcludesBeneath(std::string_view real_path) const {
    return std::any_of(excluded.begin(), excluded.end(),
                       [&](const std::string& one) { return IsBeneath(real_path, one); });
  }
  bool needs_content() const { return cheap < checks.size(); }
};

// All searches of checked parameters, sorted by label. Error: kInvalid, naming search and field.
Expected<std::vector<Search>> ParseSearches(const json::object& parameters);

// "/etc//ssh/../x/" -> "/etc/x". Empty when it is not absolute.
std::string CleanPath(std::string_view path);

}  // namespace mig::file
