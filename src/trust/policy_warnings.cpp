#include "trust/policy_warnings.h"

#include <algorithm>

#include "trust/freshness.h"
#include "util/text.h"

namespace mig {
namespace {

std::optional<PolicyWarning> AboutExpiry(const Policy& policy, UtcTime now) {
  const std::string version = "policy version " + std::to_string(policy.version);
  const auto left = policy.expires - now;
  if (left <= std::chrono::milliseconds(0)) {
    return PolicyWarning{PolicyWarning::About::kExpiry, true,
                         version + " expired " + AboutDuration(-left) +
                             " ago: every agent refuses every action until a new one is "
                             "signed and published (mig policy renew)"};
  }
  if (left > kExpiryRemark) return std::nullopt;
  return PolicyWarning{PolicyWarning::About::kExpiry, left <= kExpiryAlarm,
                       version + " expires in " + AboutDuration(left) + ", at " +
                           FormatRfc3339(policy.expires) +
                           ": then every agent refuses every action; have a new one signed and "
                           "published (mig policy renew)"};
}

std::optional<PolicyWarning> AboutFreshness(const TrustedPolicy& trusted,
                                            const Freshness* freshness, UtcTime now) {
  if (!trusted.policy().freshness) return std::nullopt;
  const std::string version = "policy version " + std::to_string(trusted.policy().version);
  const std::string refused =
      "respond and admin actions are refused until one is published (where its key lies: " +
      std::string(kFreshCommand) + ")";
  if (freshness == nullptr) {
    return PolicyWarning{PolicyWarning::About::kFreshness, true,
                         "there is no freshness statement about " + version + ": " + refused};
  }
  if (CheckFreshness(freshness, trusted, now)) {
    const bool future = freshness->time > now;
    return PolicyWarning{
        PolicyWarning::About::kFreshness, true,
        "the freshness statement about " + version +
            (future ? " is from the future, by " + AboutDuration(freshness->time - now)
                    : " is " + AboutDuration(now - freshness->time) + " old") +
            ": " + refused};
  }
  const auto age = now - freshness->time;
  const auto longest = trusted.policy().freshness->age;
  if (age * 2 <= longest) return std::nullopt;
  return PolicyWarning{PolicyWarning::About::kFreshness, false,
                       "the freshness statement about " + version + " is " + AboutDuration(age) +
                           " old; from " + FormatDuration(longest) +
                           " on respond and admin actions are refused: does what signs it "
                           "(mig policy fresh) still run?"};
}

}  // namespace

std::string AboutDuration(std::chrono::milliseconds duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  const auto count = [](std::int64_t number, std::string_view unit) {
    return Count(static_cast<unsigned long long>(number), unit);
  };
  if (seconds >= 2 * 86'400) return count(seconds / 86'400, "day");
  if (seconds >= 2 * 3'600) return count(seconds / 3'600, "hour");
  if (seconds >= 2 * 60) return count(seconds / 60, "minute");
  return count(std::max<std::int64_t>(seconds, 0), "second");
}

std::vector<PolicyWarning> WarningsAbout(const TrustedPolicy& policy, const Freshness* freshness,
                                         UtcTime now) {
  std::vector<PolicyWarning> warnings;
  if (auto expiry = AboutExpiry(policy.policy(), now)) warnings.push_back(std::move(*expiry));
  if (auto stale = AboutFreshness(policy, freshness, now)) warnings.push_back(std::move(*stale));
  std::stable_sort(warnings.begin(), warnings.end(),
                   [](const auto& a, const auto& b) { return a.urgent && !b.urgent; });
  return warnings;
}

std::vector<PolicyWarning> WarningsAbout(const TrustedPolicy& policy,
                                         const std::optional<Freshness>& freshness, UtcTime now) {
  return WarningsAbout(policy, freshness ? &*freshness : nullptr, now);
}

std::optional<std::string> OldPolicyRemark(std::uint64_t older, std::uint64_t total,
                                           std::uint64_t version) {
  if (older == 0) return std::nullopt;
  return std::to_string(older) + " of " + Count(total, "agent") +
         (older == 1 ? " holds" : " hold") + " an older policy than version " +
         std::to_string(version) + ", until next connected";
}

}  // namespace mig
