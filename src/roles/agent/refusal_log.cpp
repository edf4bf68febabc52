#include "roles/agent/refusal_log.h"

#include <algorithm>

namespace mig::agent {

bool RefusalLog::IsRepeated(BytesView digest, std::string_view code) {
  std::string key = Bytes(digest) + std::string(code);
  if (known_.contains(key)) return true;
  known_.insert(key);
  order_.push_back(std::move(key));
  if (order_.size() > kRemembered) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  return false;
}

bool RefusalLog::TakeToken(UtcTime now) {
  if (tokens_ == kBurst || now < refilled_) refilled_ = now;  // full, or the clock was set back
  const auto due = static_cast<std::uint64_t>((now - refilled_) / kRefill);
  tokens_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(kBurst, tokens_ + due));
  refilled_ += due * kRefill;
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

std::optional<std::uint64_t> RefusalLog::Note(BytesView digest, std::string_view code,
                                              UtcTime now) {
  if (IsRepeated(digest, code) || !TakeToken(now)) {
    ++suppressed_;
    return std::nullopt;
  }
  return std::exchange(suppressed_, 0);
}

}  // namespace mig::agent
