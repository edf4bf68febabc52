#include "trust/freshness.h"

#include <algorithm>

namespace mig {

Expected<Freshness> VerifyFreshness(const Envelope& envelope, const TrustedPolicy& policy) {
  if (envelope.payload_type != kFreshnessType) {
    return Error(Errc::kUnsupported, "freshness: payload type `" +
                                         envelope.payload_type.substr(0, 128) + "` is not " +
                                         std::string(kFreshnessType));
  }
  const auto& keys = policy.freshness_keys();
  if (std::none_of(keys.begin(), keys.end(),
                   [&](const VerifyingKey& key) { return SignedBy(envelope, key); })) {
    return Error(Errc::kDenied, "freshness: is not signed by a freshness key of policy version " +
                                    std::to_string(policy.policy().version));
  }
  auto freshness = DecodeFreshness(envelope.payload);
  if (!freshness) return freshness;
  if (freshness->org != policy.policy().org) {
    return Error(Errc::kDenied, "freshness: is of deployment " + freshness->org.Text());
  }
  if (freshness->policy != policy.policy().version || freshness->digest != policy.policy_digest()) {
    return Error(Errc::kDenied, "freshness: speaks of " +
                                    std::string(freshness->policy == policy.policy().version
                                                    ? "another policy that is also version "
                                                    : "policy version ") +
                                    std::to_string(freshness->policy) + ", held is version " +
                                    std::to_string(policy.policy().version));
  }
  return freshness;
}

std::optional<std::string> CheckFreshness(const Freshness* held, const TrustedPolicy& policy,
                                          UtcTime now) {
  const std::string version = "policy version " + std::to_string(policy.policy().version);
  if (!policy.policy().freshness) {
    return version + " names no freshness key, so nobody may change anything by it";
  }
  if (held == nullptr) return "no statement says that " + version + " is still the newest";
  const std::string times = " was signed at " + FormatRfc3339(held->time) +
                            "; this agent's time is " + FormatRfc3339(now);
  if (held->time > now + kFreshnessSkew) {
    return "the statement that " + version + " is the newest is from the future: it" + times;
  }
  const auto age = policy.policy().freshness->age;
  if (now - held->time > age) {
    return "the last statement that " + version + " is the newest is older than " +
           FormatDuration(age) + ": it" + times;
  }
  return std::nullopt;
}

}  // namespace mig
