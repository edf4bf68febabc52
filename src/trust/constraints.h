// What a policy allows an operation to ask: below which folders it may read, and which values a
// parameter may have. Pure text and JSON; that the paths are then held to what the kernel really
// opens is the child's sandbox (Accepted::roots in trust/authorisation.h).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/policy.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

// The path as components: "/a//b/./" is {"a", "b"}. Error: kInvalid for a path that is not
// absolute, has a NUL, or a ".." (where that leads only the file system knows).
Expected<std::vector<std::string>> PathComponents(std::string_view path);

// True when `path` is `root` or lies below it: "/etc/ssl" below "/etc", but not "/etcetera".
bool LiesBelow(const std::vector<std::string>& path, const std::vector<std::string>& root);

// Every one of `paths` must lie below one of `roots`. Error: kDenied, naming the path.
Expected<void> CheckPaths(const std::vector<std::string>& roots,
                          const std::vector<std::string>& paths);

// The value of the parameter `name` must be one of `allowed`. In a name dots go down into objects
// and `*` stands for every member, as in "searches.*.options.matchlimit". Numbers and booleans are
// compared as JSON writes them; of a list every element. A parameter that is not given is refused:
// what the module would do instead is the module's choice and not the policy's.
// Error: kDenied, naming the parameter and the value.
Expected<void> CheckParameter(const json::object& parameters, std::string_view name,
                              const std::vector<std::string>& allowed);

// The absolute paths that an operation with these parameters would read.
using PathsFunction = std::function<Expected<std::vector<std::string>>(const json::object&)>;

// All constraints of a module's rule. A reference to an attachment passes, because what it stands
// for is not known yet: who runs the operation asks again with the expanded parameters
// (proto/attachment_references.h). An empty `paths_of`: the module takes no paths.
Expected<void> CheckConstraints(const Constraints& constraints, const json::object& parameters,
                                const PathsFunction& paths_of);

}  // namespace mig
