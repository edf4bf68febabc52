// What searches are evaluated on: a file, or a member of an archive.
#pragma once

#include <string>
#include <string_view>

#include "modules/file/metadata.h"
#include "modules/file/scope.h"
#include "os/file_status.h"
#include "util/clock.h"
#include "util/json.h"

namespace mig::file {

class Subject {
 public:
  virtual ~Subject() = default;

  // As a search spells them. For a member of an archive the path is the archive's.
  virtual std::string_view NameFor(const Scope& scope) const = 0;
  virtual std::string PathFor(const Scope& scope) const = 0;
  // What the statistics show as an example.
  virtual std::string Shown() const = 0;

  // Of a check that needs no content. kUnknown is in the tally already.
  virtual Answer AnswerTo(const Check& check, std::string_view base_name, UtcTime now) = 0;
  // Null, and in the tally, when the file system does not tell.
  virtual const os::FileStatus* Status() = 0;
  // What joins the `fileinfo` of a find of `search`.
  virtual json::object Extra(const Search& search, const Names& names) = 0;
};

}  // namespace mig::file
