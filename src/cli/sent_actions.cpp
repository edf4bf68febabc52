#include "cli/sent_actions.h"

#include "cli/action_events.h"
#include "cli/client_config.h"
#include "os/files.h"
#include "util/json.h"

namespace mig::cli {
namespace {

namespace fs = std::filesystem;

// 100,000 agents with long names.
constexpr std::size_t kMaxRecordBytes = std::size_t{64} << 20;

}  // namespace

fs::path SentActions::FileOf(const ActionId& action) const {
  return folder_ / (action.Text() + ".json");
}

Expected<void> SentActions::Remember(const ActionId& action, const std::vector<ShownAgent>& shown,
                                     UtcTime now) const {
  if (auto made = os::MakePrivateDirectory(folder_); !made) return made;
  ForgetOld();
  json::object record;
  record["sent"] = FormatRfc3339(now);
  json::array& agents = record["agents"].emplace_array();
  agents.reserve(shown.size());
  for (const ShownAgent& agent : shown) {
    agents.push_back({{"agent", agent.id.Text()},
                      {"name", json::FromName(agent.name)},
                      {"key", EncodeBase64(agent.key)}});
  }
  return os::WriteFileAtomically(FileOf(action), json::Write(record), 0600);
}

Expected<std::optional<std::vector<ShownAgent>>> SentActions::Recall(const ActionId& action) const {
  const fs::path file = FileOf(action);
  auto text = os::ReadFile(file, kMaxRecordBytes);
  if (!text) {
    if (text.error().code() == Errc::kNotFound) return std::optional<std::vector<ShownAgent>>();
    return std::move(text).error();
  }
  auto record = json::ParseObject(*text);
  if (!record) return std::move(record).error().During(file.string());
  json::ObjectReader in(*record, file.string(), json::ObjectReader::Unknown::kIgnore);
  std::vector<ShownAgent> shown;
  if (const json::array* agents = in.Array("agents")) {
    for (const json::value& value : *agents) {
      const json::object* fields = value.if_object();
      if (fields == nullptr) {
        in.Fail("agents", "is not a list of objects");
        break;
      }
      json::ObjectReader agent(*fields, file.string(), json::ObjectReader::Unknown::kIgnore);
      auto id = AgentId::Parse(agent.String("agent"));
      Bytes key = agent.Base64("key");
      if (auto done = agent.Finish(); !done) return std::move(done).error();
      if (!id) return std::move(id).error().During(file.string());
      shown.push_back({*id, ReadName(*fields, "name"), "", std::move(key)});
    }
  }
  if (auto done = in.Finish(); !done) return std::move(done).error();
  return std::optional(std::move(shown));
}

Expected<void> RememberSent(const ActionId& action, const std::vector<ShownAgent>& shown,
                            UtcTime now) {
  auto folder = UserStateFolder(ProcessEnvironment);
  if (!folder) return std::move(folder).error();
  return SentActions(*folder / "sent").Remember(action, shown, now);
}

void SentActions::ForgetOld() const {
  // What cannot be removed today is tried again with the next action.
  std::error_code error;
  const auto age_limit = fs::file_time_type::clock::now() -
                         std::chrono::duration_cast<fs::file_time_type::duration>(kKept);
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const auto written = entry.last_write_time(error);
    if (!error && written < age_limit && entry.path().extension() == ".json") {
      fs::remove(entry.path(), error);
    }
  }
}

}  // namespace mig::cli
