#include "roles/lab/lab_files.h"

#include "os/files.h"
#include "util/json.h"

namespace mig::lab {

namespace fs = std::filesystem;

std::string AgentName(unsigned number) { return "agent-" + std::to_string(number); }

std::vector<std::string> LabFiles::Parts() {
  return {"config", "data", "keys", "log", "run", "tls", "trust"};
}

Expected<void> LabFiles::MakeFolders() const {
  std::error_code error;
  const bool is_lab = fs::exists(Record(), error) || fs::exists(Key("root"), error);
  if (!is_lab && fs::exists(folder_, error) && !fs::is_empty(folder_, error)) {
    return Error(Errc::kExists,
                 folder_.string() + " is not empty and is no lab; choose another --dir");
  }
  if (auto made = os::MakePrivateDirectory(folder_); !made) return made;
  for (const std::string& part : Parts()) {
    if (auto made = os::MakePrivateDirectory(folder_ / part); !made) return made;
  }
  return {};
}

std::string WriteRecord(const LabRecord& record) {
  return json::WritePretty(json::object{{"format", 1},
                                        {"created", FormatRfc3339(record.created)},
                                        {"org", record.org.Text()},
                                        {"agents", record.agents},
                                        {"api", record.api},
                                        {"relay_port", record.relay_port},
                                        {"api_port", record.api_port}}) +
         "\n";
}

Expected<LabRecord> LoadRecord(const LabFiles& files) {
  auto text = os::ReadFile(files.Record());
  if (!text) return std::move(text).error();
  auto fields = json::ParseObject(*text);
  if (!fields) return std::move(fields).error().During(files.Record().string());
  json::ObjectReader in(*fields, files.Record().string());
  LabRecord record;
  in.Integer("format", 1, 1);
  record.created = in.Time("created");
  auto org = OrgId::Parse(in.String("org"));
  record.agents = static_cast<unsigned>(in.Integer("agents", 1, kMaxAgents));
  record.api = in.String("api");
  record.relay_port = static_cast<std::uint16_t>(in.Integer("relay_port", 0, 65'535));
  record.api_port = static_cast<std::uint16_t>(in.Integer("api_port", 0, 65'535));
  if (auto done = in.Finish(); !done) return std::move(done).error();
  if (!org) return std::move(org).error().During(files.Record().string());
  record.org = *org;
  return record;
}

}  // namespace mig::lab
