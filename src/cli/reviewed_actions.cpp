#include "cli/reviewed_actions.h"

#include <algorithm>
#include <vector>

#include "cli/terminal_json.h"
#include "crypto/envelope.h"
#include "os/files.h"
#include "util/encoding.h"
#include "util/json.h"
#include "util/line_diff.h"

namespace mig::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxRecordBytes = 2 * kMaxEnvelopeBytes;
constexpr std::size_t kContext = 2;

struct Record {
  UtcTime seen;
  Bytes payload;
};

std::optional<Record> ReadRecord(const fs::path& file) {
  auto text = os::ReadFile(file, kMaxRecordBytes);
  if (!text) return std::nullopt;
  auto fields = json::ParseObject(*text);
  if (!fields) return std::nullopt;
  json::ObjectReader in(*fields, "", json::ObjectReader::Unknown::kIgnore);
  Record record;
  record.seen = in.Time("seen");
  record.payload = in.Base64("payload");
  if (!in.Finish()) return std::nullopt;
  return record;
}

bool SameMatter(const Action& a, const Action& b) {
  if (a.description.author != b.description.author || a.description.email != b.description.email) {
    return false;
  }
  if (a.name == b.name) return true;
  return !a.description.url.empty() && a.description.url == b.description.url &&
         a.description.revision != b.description.revision;
}

std::vector<fs::directory_entry> Files(const fs::path& folder) {
  std::vector<fs::directory_entry> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry);
  }
  return files;
}

std::string Pretty(BytesView payload) {
  auto value = json::Parse(payload);
  return value ? EscapeJson(json::WritePretty(*value)) : std::string("(no JSON)");
}

}  // namespace

Expected<void> ReviewedActions::Remember(const ActionId& id, BytesView payload, UtcTime now) const {
  if (auto made = os::MakePrivateDirectory(folder_); !made) return made;
  ForgetOld();
  const json::object record{{"seen", FormatRfc3339(now)}, {"payload", EncodeBase64(payload)}};
  return os::WriteFileAtomically(folder_ / (id.Text() + ".json"), json::Write(record), 0600);
}

std::optional<ReviewedActions::Earlier> ReviewedActions::FindEarlier(const Action& action,
                                                                     BytesView payload) const {
  if (auto same = ReadRecord(folder_ / (action.id.Text() + ".json"))) {
    if (same->payload == payload) return std::nullopt;
    return Earlier{same->seen, std::move(same->payload), true};
  }
  std::optional<Earlier> latest;
  for (const fs::directory_entry& file : Files(folder_)) {
    auto record = ReadRecord(file.path());
    if (!record || (latest && latest->seen >= record->seen)) continue;
    const auto other = DecodeAction(record->payload);
    if (!other || !SameMatter(*other, action)) continue;
    latest = Earlier{record->seen, std::move(record->payload), false};
  }
  return latest;
}

void ReviewedActions::ForgetOld() const {
  // What cannot be removed today is tried again with the next one.
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  std::error_code error;
  for (const fs::directory_entry& file : Files(folder_)) {
    const auto written = file.last_write_time(error);
    if (!error) files.emplace_back(written, file.path());
  }
  std::sort(files.begin(), files.end());
  const auto age_limit = fs::file_time_type::clock::now() -
                         std::chrono::duration_cast<fs::file_time_type::duration>(kKept);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].first < age_limit || files.size() - i >= kMostKept) {
      fs::remove(files[i].second, error);
    }
  }
}

std::string PayloadDiff(BytesView before, BytesView after) {
  std::string text;
  for (const DiffLine& line : DiffLines(Pretty(before), Pretty(after), kContext)) {
    text += line.mark == '.' ? std::string("  \xE2\x80\xA6\n")
                             : std::string(1, line.mark) + " " + line.text + "\n";
  }
  return text;
}

}  // namespace mig::cli
