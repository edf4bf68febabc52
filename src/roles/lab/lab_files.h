// Where everything of a lab is, and the little record that says that it is one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/ids.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::lab {

inline constexpr unsigned kMaxAgents = 200;

class LabFiles {
 public:
  // `folder` is absolute.
  explicit LabFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path Record() const { return folder_ / "lab.json"; }
  std::filesystem::path Key(std::string_view name) const { return In("keys", name, ".key"); }
  std::filesystem::path EnrolmentToken() const { return folder_ / "keys" / "enrolment.token"; }
  std::filesystem::path Root() const { return folder_ / "trust" / "root.1.json"; }
  std::filesystem::path Policy() const { return folder_ / "trust" / "policy.json"; }
  std::filesystem::path Freshness() const { return folder_ / "trust" / "freshness.json"; }
  std::filesystem::path TlsKey(std::string_view name) const { return In("tls", name, ".key"); }
  std::filesystem::path Certificate(std::string_view name) const { return In("tls", name, ".crt"); }
  std::filesystem::path Config(std::string_view role) const { return In("config", role, ".yaml"); }
  std::filesystem::path Log(std::string_view role) const { return In("log", role, ".log"); }
  std::filesystem::path Lock() const { return folder_ / "run" / "supervisor.lock"; }
  std::filesystem::path RunFolder() const { return folder_ / "run"; }

  // The folders below, in which nothing but the lab's own stands: what --purge removes.
  static std::vector<std::string> Parts();

  // Makes them, mode 0700. Error: kExists when the folder holds something that is no lab.
  Expected<void> MakeFolders() const;

 private:
  std::filesystem::path In(const char* part, std::string_view name, const char* ending) const {
    return folder_ / part / (std::string(name) + ending);
  }
  std::filesystem::path folder_;
};

// lab.json: written last, so that a folder that has it is a lab.
struct LabRecord {
  UtcTime created;
  OrgId org;
  unsigned agents = 1;
  std::string api;  // https://127.0.0.1:PORT, since the last start
  std::uint16_t relay_port = 0, api_port = 0;
};
std::string WriteRecord(const LabRecord& record);
// Error: kNotFound when there is none; kMalformed.
Expected<LabRecord> LoadRecord(const LabFiles& files);

// "agent-1", …
std::string AgentName(unsigned number);

}  // namespace mig::lab
