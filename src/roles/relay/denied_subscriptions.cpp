#include "roles/relay/denied_subscriptions.h"

#include <algorithm>

#include "mqtt/topic.h"

namespace mig::relay {
namespace {

bool WildcardsAlone(std::string_view filter) {
  return filter.find_first_not_of("+#/") == std::string_view::npos;
}

}  // namespace

bool DeniedSubscriptions::Denies(std::string_view filter) const {
  const auto shared = mqtt::SplitShared(filter);
  const std::string_view plain = shared ? shared->filter : filter;
  return std::ranges::any_of(filters_, [plain](const std::string& denied) {
    return WildcardsAlone(denied) ? mqtt::Covers(plain, denied) : mqtt::Overlap(plain, denied);
  });
}

}  // namespace mig::relay
