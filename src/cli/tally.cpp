#include "cli/tally.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "util/text.h"

namespace mig::cli {
namespace {

// Codes come from endpoints, which may invent as many as they are.
constexpr std::size_t kMaxReasons = 5;

// Set by whoever stopped a run at limits.rows or limits.bytes; what it is set to is for people.
bool IsTruncated(const json::object& result) {
  const json::value* statistics = result.if_contains("statistics");
  const json::object* fields = statistics == nullptr ? nullptr : statistics->if_object();
  const json::value* truncated = fields == nullptr ? nullptr : fields->if_contains("truncated");
  if (truncated == nullptr || truncated->is_null()) return false;
  return !truncated->is_bool() || truncated->get_bool();
}

}  // namespace

std::string FormatElapsed(std::chrono::milliseconds elapsed) {
  std::array<char, 32> text{};
  const long long count = std::max<long long>(0, elapsed.count());
  if (count < 60'000) {
    const double seconds = static_cast<double>(count) / 1000;
    std::snprintf(text.data(), text.size(), count < 1000 ? "%.2f s" : "%.1f s", seconds);
  } else {
    std::snprintf(text.data(), text.size(), "%lldm%02llds", count / 60'000, count / 1000 % 60);
  }
  return text.data();
}

void Tally::Part(const AgentId& agent, const ResultPart& part) {
  Agent& entry = agents_[agent];
  if (part.last && part.status) entry.signed_status = *part.status;
  if (!part.summary) return;
  const json::object& result = part.summary->result;
  if (const json::value* found = result.if_contains("foundanything");
      found != nullptr && found->is_bool() && found->get_bool()) {
    entry.found = true;
  }
  if (const json::value* errors = result.if_contains("errors");
      errors != nullptr && errors->is_array() && !errors->get_array().empty()) {
    errors_ += errors->get_array().size();
    if (!entry.errors) ++agents_with_errors_;
    entry.errors = true;
  }
  if (IsTruncated(result)) entry.limited = true;
}

void Tally::Unverified(const AgentId& agent) { agents_[agent].unverified = true; }

void Tally::Ended(const AgentId& agent, const AgentEnd& end) {
  Agent& entry = agents_[agent];
  if (entry.ended) return;
  entry.ended = true;
  if (entry.unverified || (!end.complete && end.status == CommandStatus::kSuccess)) {
    ++failed_;
    ++reasons_[entry.unverified ? "does not verify" : "incomplete"];
    return;
  }
  switch (end.status) {
    case CommandStatus::kSuccess:
      ++answered_;
      return;
    case CommandStatus::kExpired:
      ++expired_;  // silent
      return;
    case CommandStatus::kRefused:
      ++refused_;
      break;
    default:
      break;
  }
  ++failed_;
  std::string reason(CommandStatusName(end.status));
  if (!end.code.empty()) reason += ": " + end.code;
  ++reasons_[reason];
}

bool Tally::Found(const AgentId& agent) const {
  const auto entry = agents_.find(agent);
  return entry != agents_.end() && entry->second.found;
}

CommandStatus Tally::SignedStatus(const AgentId& agent) const {
  const auto entry = agents_.find(agent);
  return entry == agents_.end() ? CommandStatus::kPrepared : entry->second.signed_status;
}

bool Tally::HasEnded(const AgentId& agent) const {
  const auto entry = agents_.find(agent);
  return entry != agents_.end() && entry->second.ended;
}

std::uint64_t Tally::targeted() const {
  return std::max<std::uint64_t>(targeted_, answered_ + failed_ + expired_);
}

std::uint64_t Tally::found() const {
  return static_cast<std::uint64_t>(std::count_if(
      agents_.begin(), agents_.end(), [](const auto& entry) { return entry.second.found; }));
}

std::uint64_t Tally::limited() const {
  return static_cast<std::uint64_t>(std::count_if(
      agents_.begin(), agents_.end(), [](const auto& entry) { return entry.second.limited; }));
}

std::uint64_t Tally::silent() const { return targeted() - answered_ - failed_; }

std::string Tally::ProgressLine(std::uint64_t running) const {
  std::string line = GroupThousands(answered_) + "/" + GroupThousands(targeted()) + " answered, " +
                     GroupThousands(found()) + " found";
  if (failed_ > 0) line += ", " + GroupThousands(failed_) + " failed";
  if (running > 0) line += ", " + GroupThousands(running) + " running";
  return line;
}

std::string Tally::Reasons() const {
  std::vector<std::pair<std::uint64_t, std::string>> most;
  for (const auto& [reason, agents] : reasons_) most.emplace_back(agents, reason);
  std::stable_sort(most.begin(), most.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> texts;
  std::uint64_t others = 0;
  for (const auto& [agents, reason] : most) {
    if (texts.size() < kMaxReasons) {
      texts.push_back(GroupThousands(agents) + " " + reason);
    } else {
      others += agents;
    }
  }
  if (others > 0) texts.push_back(GroupThousands(others) + " for other reasons");
  return Join(texts, "; ");
}

std::string Tally::FinalLine(std::chrono::milliseconds elapsed) const {
  std::string line = "answered " + GroupThousands(answered_) + "/" + GroupThousands(targeted()) +
                     ", found " + GroupThousands(found()) + ", failed " + GroupThousands(failed_);
  if (!reasons_.empty()) line += " (" + Reasons() + ")";
  return line + ", silent " + GroupThousands(silent()) + ", " + FormatElapsed(elapsed);
}

json::object Tally::ToJson(std::chrono::milliseconds elapsed) const {
  json::object fields;
  fields["targeted"] = targeted();
  fields["answered"] = answered_;
  fields["found"] = found();
  fields["failed"] = failed_;
  json::object& reasons = fields["reasons"].emplace_object();
  for (const auto& [reason, agents] : reasons_) {
    reasons[IsUtf8(reason) ? reason : EscapeForTerminal(reason)] = agents;
  }
  fields["silent"] = silent();
  fields["errors"] = errors_;
  fields["truncated"] = limited();
  fields["seconds"] = static_cast<double>(elapsed.count()) / 1000;
  fields["status"] = static_cast<int>(Status());
  return fields;
}

ExitStatus Tally::Status() const {
  if (targeted() > 0 && refused_ == targeted()) return kRefused;
  if (failed_ > 0 || silent() > 0) return kPartial;
  if (limited() > 0) return kLimited;
  return found() > 0 ? kFound : kNothing;
}

}  // namespace mig::cli
