#include "cli/anchor_store.h"

#include <unistd.h>

#include <chrono>
#include <optional>
#include <thread>

#include "os/file_lock.h"
#include "os/files.h"
#include "util/text.h"

namespace mig::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kLockPatience{3};
constexpr std::chrono::milliseconds kLockPause{20};
// Each line begins with it, so that one agent's lines are found without reading the others as JSON.
constexpr std::string_view kLineStart = "{\"agent\":\"";

// Two processes that write the file anew at once would lose what the other had added.
Expected<os::FileLock> LockFile(const fs::path& file) {
  const fs::path lock_file = file.string() + ".lock";
  const auto deadline = std::chrono::steady_clock::now() + kLockPatience;
  for (;;) {
    auto lock = os::FileLock::Take(lock_file);
    if (lock || lock.error().code() != Errc::kExists) return lock;
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error(Errc::kTimeout, "another process holds " + lock_file.string());
    }
    std::this_thread::sleep_for(kLockPause);
  }
}

Expected<Bytes> ReadAll(const fs::path& file, std::size_t most_bytes) {
  // It may have grown by what one action brings since it was last written anew.
  auto text = os::ReadFile(file, most_bytes + 2 * AnchorGatherer::kMostBytes);
  if (!text && text.error().code() == Errc::kNotFound) return Bytes();
  return text;
}

std::optional<AgentId> AgentOfLine(std::string_view line) {
  if (!line.starts_with(kLineStart)) return std::nullopt;
  auto id = AgentId::Parse(line.substr(kLineStart.size(), AgentId::kTextLength));
  return id ? std::optional(*id) : std::nullopt;
}

// What a line says of itself. It was verified before it was written, and whoever can write to our
// files can do us worse harm; Recall, whose answers go to others, verifies again.
struct Line {
  std::string_view text;
  LedgerMark mark;
  UtcTime time;
};
std::optional<Line> ReadLine(std::string_view text) {
  auto fields = json::ParseObject(text);
  if (!fields) return std::nullopt;
  json::ObjectReader in(*fields, "", json::ObjectReader::Unknown::kIgnore);
  Line line{text, {}, {}};
  line.mark.length = in.Uint64("length");
  line.time = in.Time("time");
  auto head = DecodeHex(in.String("head"));
  if (!in.Finish() || !head) return std::nullopt;
  line.mark.head = std::move(*head);
  return line;
}

// The last of the longest lines of each agent that `wanted` holds for.
template <typename Wanted>
std::map<AgentId, Line> Longest(BytesView text, Wanted wanted) {
  std::map<AgentId, Line> longest;
  for (const std::string_view line : Split(text, '\n')) {
    const auto agent = AgentOfLine(line);
    if (!agent || !wanted(*agent)) continue;
    auto read = ReadLine(line);
    if (!read) continue;  // torn by a crash
    Line& known = longest[*agent];
    if (known.text.empty() || read->mark.length >= known.mark.length) known = std::move(*read);
  }
  return longest;
}

Expected<void> Append(const fs::path& file, const Bytes& lines) {
  auto out = os::OpenForAppending(file, 0600);
  if (!out) return std::move(out).error();
  for (std::string_view rest = lines; !rest.empty();) {
    const ssize_t written = write(out->get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return os::ErrnoError(errno, "write " + file.string());
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// Only the longest of each agent, the newest of them, until half of the room is taken.
Bytes Compacted(BytesView text, std::size_t most_bytes) {
  const auto longest = Longest(text, [](const AgentId&) { return true; });
  std::map<const char*, std::string_view> by_place;  // later lines were added later
  for (const auto& [agent, line] : longest) by_place.emplace(line.text.data(), line.text);
  std::size_t bytes = 0;
  auto from = by_place.end();
  while (from != by_place.begin()) {
    const std::size_t size = std::prev(from)->second.size() + 1;
    if (bytes + size > most_bytes / 2) break;
    bytes += size;
    --from;
  }
  Bytes kept;
  kept.reserve(bytes);
  for (; from != by_place.end(); ++from) (kept += from->second) += '\n';
  return kept;
}

}  // namespace

void AnchorGatherer::Take(const AgentId& agent, BytesView key, const Envelope& envelope,
                          const ResultPart& part) {
  const LedgerMark& mark = part.ledger;
  const auto known = gathered_.find(agent);
  std::size_t freed = 0;
  if (known != gathered_.end()) {
    const Gathered& before = known->second;
    if (mark.length < before.mark.length) return;
    freed = before.envelope.payload.size();
    // The same ledger: the smaller envelope says it as well.
    if (mark.length == before.mark.length && envelope.payload.size() >= freed) return;
  }
  if (bytes_ - freed + envelope.payload.size() > kMostBytes) return;
  bytes_ = bytes_ - freed + envelope.payload.size();
  gathered_[agent] = {Bytes(key), mark, part.time, envelope};
}

Expected<std::vector<AnchorStore::Contradiction>> AnchorStore::Remember(
    const AnchorGatherer& seen, const std::string& holder) const {
  std::vector<Contradiction> contradictions;
  if (seen.gathered().empty()) return contradictions;
  if (auto made = os::MakePrivateDirectory(file_.parent_path()); !made) {
    return std::move(made).error();
  }
  auto lock = LockFile(file_);
  if (!lock) return std::move(lock).error();
  auto text = ReadAll(file_, most_bytes_);
  if (!text) return std::move(text).error();
  const auto known =
      Longest(*text, [&](const AgentId& agent) { return seen.gathered().contains(agent); });
  // A line that a crash cut off must not swallow the next one.
  Bytes lines = text->empty() || text->back() == '\n' ? "" : "\n";
  for (const auto& [agent, word] : seen.gathered()) {
    const auto before = known.find(agent);
    if (before != known.end() && before->second.mark.length >= word.mark.length) {
      const auto& [line, mark, time] = before->second;
      // Shorter alone means nothing: old answers can be read again at any time.
      if (mark.length == word.mark.length ? mark.head != word.mark.head : time < word.time) {
        contradictions.push_back({agent, mark, word.mark});
      }
      continue;
    }
    auto anchor = AnchorIn(word.envelope, word.key, holder);
    if (!anchor) return std::move(anchor).error();
    lines += json::Write(AnchorToJson(*anchor)) + "\n";
  }
  if (text->size() + lines.size() > most_bytes_) {
    auto written = os::WriteFileAtomically(file_, Compacted(*text + lines, most_bytes_), 0600);
    if (!written) return std::move(written).error();
    return contradictions;
  }
  if (lines.size() <= 1) return contradictions;
  if (auto added = Append(file_, lines); !added) return std::move(added).error();
  return contradictions;
}

Expected<AnchorStore::Known> AnchorStore::Recall() const {
  auto text = ReadAll(file_, most_bytes_);
  if (!text) return std::move(text).error();
  Known known;
  for (const auto& [agent, line] : Longest(*text, [](const AgentId&) { return true; })) {
    auto fields = json::ParseObject(line.text);
    auto anchor = fields ? AnchorFromJson(*fields) : Expected<LedgerAnchor>(fields.error());
    if (anchor && anchor->agent == agent) {
      known.anchors.push_back(std::move(*anchor));
    } else {
      ++known.damaged;
    }
  }
  return known;
}

}  // namespace mig::cli
