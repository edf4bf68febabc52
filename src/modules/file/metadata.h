// What the checks that need no content say of one file, asking its file system for as little as
// they take, and each thing once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modules/file/answer.h"
#include "modules/file/search.h"
#include "os/accounts.h"
#include "os/file_status.h"
#include "util/clock.h"
#include "util/json.h"

namespace mig::file {

// The machine's names for owners and groups, read when the first is wanted.
struct Names {
  os::Accounts users;
  os::Accounts groups;
};

class Metadata {
 public:
  // `folder` and `name` as openat(2) takes them; of what a link points to when `follow`. Both must
  // outlive this.
  Metadata(int folder, const char* name, bool follow)
      : folder_(folder), name_(name), follow_(follow) {}

  void SetStatus(const os::FileStatus& status) { status_ = status; }
  // Valid as long as this.
  Expected<const os::FileStatus*> Status();

  // `base_name` is the file's as its search spells it. Error: the file system refused, or the file
  // is gone.
  Expected<Answer> AnswerTo(const Check& check, std::string_view base_name, UtcTime now);

  // What the kinds of checks of this search speak of, for its `fileinfo`, beyond what MIG gives. A
  // thing that cannot be read (any more) is left out.
  json::object Extra(const Search& search, const Names& names);

 private:
  Expected<bool> HasAttribute(const Check& check);
  Expected<bool> HasCapability(const Check& check);
  Expected<const std::vector<std::string>*> AttributeNames();
  Expected<const std::vector<std::string>*> Capabilities();
  Expected<const std::string*> LinkTarget();
  void AddExtra(CheckKind kind, const os::FileStatus& status, const Names& names,
                json::object& info);

  int folder_;
  const char* name_;
  bool follow_;
  std::optional<os::FileStatus> status_;
  std::optional<std::vector<std::string>> attributes_, capabilities_;
  std::optional<std::string> target_;
};

// The same of checks that a status alone answers: kMode, kSize, kLinks, kInode, kOwner, kGroup,
// kType, kFlag and the times. Pure.
Answer AnswerFrom(const os::FileStatus& status, const Check& check, UtcTime now);

// The kinds of checks of a search, each once, in their order.
std::vector<CheckKind> KindsOf(const Search& search);

// Of an answer that is kUnknown: what the statistics call it ("nobirthtime").
std::string_view UnsupportedReason(CheckKind kind);

// Gives owners and groups that are asked for by name their numbers, from the machine's files, and
// reads the names that finds are to be reported with. The searches that ask for a name that is not
// there cannot be answered, and leave `searches`: their labels and why, for people.
std::vector<Unanswerable> ResolveNames(std::vector<Search>& searches, Names& names);

}  // namespace mig::file
