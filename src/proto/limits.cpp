#include "proto/limits.h"

namespace mig {
namespace {

// Far above any sensible grant, and low enough that no sum or product of them overflows.
constexpr std::uint64_t kMost = std::uint64_t{1} << 53;
constexpr std::int64_t kMostSeconds = 7 * 24 * 3600;
constexpr std::int64_t kMostCpu = 6400;

std::uint64_t Amount(json::ObjectReader& in, std::string_view key, std::uint64_t fallback) {
  const std::uint64_t amount = in.OptionalUint64(key, fallback);
  if (amount < 1 || amount > kMost) in.Fail(key, "is not 1..2^53");
  return amount;
}

}  // namespace

Expected<Limits> DecodeLimits(const json::object& fields, const std::string& where) {
  json::ObjectReader in(fields, where);
  Limits limits;
  limits.seconds =
      static_cast<std::uint32_t>(in.OptionalInteger("seconds", limits.seconds, 1, kMostSeconds));
  limits.rss = Amount(in, "rss", limits.rss);
  limits.cpu = static_cast<std::uint32_t>(in.OptionalInteger("cpu", limits.cpu, 1, kMostCpu));
  limits.rows = Amount(in, "rows", limits.rows);
  limits.bytes = Amount(in, "bytes", limits.bytes);
  if (in.Has("rate")) limits.rate = Amount(in, "rate", 0);
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return limits;
}

json::object EncodeLimits(const Limits& limits) {
  json::object fields{{"seconds", limits.seconds},
                      {"rss", json::FromUint(limits.rss)},
                      {"cpu", limits.cpu},
                      {"rows", json::FromUint(limits.rows)},
                      {"bytes", json::FromUint(limits.bytes)}};
  // Only where there is one: who does not know the field refuses it.
  if (limits.rate > 0) fields["rate"] = json::FromUint(limits.rate);
  return fields;
}

std::string FirstAbove(const Limits& limits, const Limits& ceilings) {
  if (limits.seconds > ceilings.seconds) return "seconds";
  if (limits.rss > ceilings.rss) return "rss";
  if (limits.cpu > ceilings.cpu) return "cpu";
  if (limits.rows > ceilings.rows) return "rows";
  if (limits.bytes > ceilings.bytes) return "bytes";
  if (ceilings.rate > 0 && (limits.rate == 0 || limits.rate > ceilings.rate)) return "rate";
  return {};
}

}  // namespace mig
