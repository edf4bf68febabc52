// The users and groups of this machine by name, from /etc/passwd and /etc/group alone. Those of a
// directory service (LDAP) are not there: asking for them takes the system's NSS modules, which a
// static executable in a sandbox does not load.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig::os {

class Accounts {
 public:
  // passwd(5), group(5): lines of `name:password:number:…`. Those that are not are left out; of two
  // lines with one name or number the first counts, as for the system.
  static Accounts Parse(std::string_view text);

  std::optional<std::uint32_t> NumberOf(std::string_view name) const;
  const std::string* NameOf(std::uint32_t number) const;  // null: none

 private:
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  std::map<std::uint32_t, std::string> names_;
};

inline constexpr const char* kUsersFile = "/etc/passwd";
inline constexpr const char* kGroupsFile = "/etc/group";

// Error: the file cannot be read (in a sandbox that is limited to other folders: kDenied).
Expected<Accounts> ReadAccounts(const char* file);

}  // namespace mig::os
