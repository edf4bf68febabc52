// What an archive holds, as its reader tells it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "os/file_status.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::file {

// Names and numbers are what the archive says, which whoever made it could choose. What it does not
// say is empty.
struct Member {
  std::string name;  // a whole path, relative or not; any bytes but NUL
  os::FileType type = os::FileType::kRegular;
  bool hard_link = false;  // to another member, whose content it has
  std::string target;      // of a link of either kind
  std::uint64_t size = 0;
  std::optional<std::uint32_t> mode;  // permission bits with setuid, setgid and sticky
  std::optional<std::uint32_t> owner, group;
  std::string owner_name, group_name;
  std::optional<os::FileTime> modified;
  // Its content will not be given: what the statistics call the reason ("encryptedmember").
  std::string_view withheld;
};

class MemberVisitor {
 public:
  virtual ~MemberVisitor() = default;

  enum class Want {
    kContent,  // of this member, if it has any
    kNoContent,
    kNoMore,  // no other member either
  };
  // Then, of a regular file whose content is wanted and not withheld: its bytes, and in any case
  // one of End and Broken.
  virtual Want Begin(const Member& member) = 0;
  // False: nothing more of this member is wanted.
  virtual bool Content(BytesView bytes) = 0;
  // That was all of it, or all that was wanted.
  virtual void End() = 0;
  // Its content cannot be given to its end.
  virtual void Broken(const Error& error) = 0;
};

}  // namespace mig::file
