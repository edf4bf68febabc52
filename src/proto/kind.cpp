#include "proto/kind.h"

#include <array>
#include <string>

namespace mig {
namespace {

// In the order of Kind. Names are on the wire: never rename one.
constexpr std::array<std::string_view, 4> kNames = {"investigate", "respond", "admin", "stop"};

}  // namespace

std::string_view KindName(Kind kind) { return kNames[static_cast<std::size_t>(kind)]; }

Expected<Kind> ParseKind(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Kind>(i);
  }
  return Error(Errc::kUnsupported, "`" + std::string(name.substr(0, 64)) +
                                       "` is not a kind: investigate, respond, admin, stop");
}

}  // namespace mig
