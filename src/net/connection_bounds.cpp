#include "net/connection_bounds.h"

#include <algorithm>
#include <cassert>

namespace mig {
namespace {

constexpr std::size_t kForgetAtLeast = 1024;

}  // namespace

ConnectionBounds::ConnectionBounds(ConnectionLimits limits)
    : limits_(std::move(limits)),
      rate_{limits_.rate, limits_.burst},
      rate_per_address_{limits_.rate_per_address, limits_.burst},
      forget_at_(kForgetAtLeast) {}

bool ConnectionBounds::Exempt(const AddressBytes& address) const {
  return std::ranges::any_of(
      limits_.exempt, [&address](const Network& network) { return network.Contains(address); });
}

ConnectionBounds::Verdict ConnectionBounds::Admit(const AddressBytes& address, UtcTime now) {
  if (!Exempt(address)) {
    if (sources_.size() >= forget_at_) Forget(now);
    Count& count = sources_[SourceOf(address)];
    if (count.total >= limits_.per_address) return Verdict::kTooMany;
    if (count.unknown >= limits_.unknown_per_address) return Verdict::kTooManyUnknown;
    if (count.pace.Wait(rate_per_address_, now).count() > 0) return Verdict::kTooFast;
    count.pace.Use(rate_per_address_, 1, now);
    ++count.total;
    ++count.unknown;
  }
  // Only who is admitted uses up the common rate: closing is cheap, and those behind the one who
  // comes too often should not wait for it.
  pace_.Use(rate_, 1, now);
  ++total_;
  ++unknown_;
  return Verdict::kAdmitted;
}

void ConnectionBounds::Known(const AddressBytes& address) {
  assert(unknown_ > 0);
  --unknown_;
  if (Exempt(address)) return;
  Count& count = sources_.at(SourceOf(address));
  assert(count.unknown > 0);
  --count.unknown;
}

void ConnectionBounds::Left(const AddressBytes& address, bool known) {
  if (!known) Known(address);
  assert(total_ > 0);
  --total_;
  if (Exempt(address)) return;
  Count& count = sources_.at(SourceOf(address));
  assert(count.total > 0);
  --count.total;
}

// A source without connections is remembered for as long as its rate is not a new one's; when the
// number has doubled, those are looked for. So an attacker who has a whole network costs us what
// comes within one burst, and looking costs little for each.
void ConnectionBounds::Forget(UtcTime now) {
  std::erase_if(sources_, [now](const auto& entry) {
    return entry.second.total == 0 && entry.second.pace.Rested(now);
  });
  forget_at_ = std::max(kForgetAtLeast, sources_.size() * 2);
}

std::string_view VerdictText(ConnectionBounds::Verdict verdict) {
  switch (verdict) {
    case ConnectionBounds::Verdict::kAdmitted:
      return "admitted";
    case ConnectionBounds::Verdict::kTooMany:
      return "too many connections from this address";
    case ConnectionBounds::Verdict::kTooManyUnknown:
      return "too many connections without CONNECT from this address";
    case ConnectionBounds::Verdict::kTooFast:
      return "too many new connections from this address";
  }
  return "";
}

}  // namespace mig
