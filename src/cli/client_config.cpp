#include "cli/client_config.h"

#include <cstdlib>

#include "net/host.h"
#include "os/files.h"
#include "util/settings.h"

namespace mig::cli {
namespace {

namespace fs = std::filesystem;

Expected<fs::path> FolderOfKind(const Environment& environment, const char* variable,
                                const char* below_home) {
  // The XDG base directory specification: a relative path there is to be ignored.
  const fs::path xdg = environment(variable);
  if (xdg.is_absolute()) return xdg / "mig";
  const std::string home = environment("HOME");
  if (home.empty()) {
    return Error(Errc::kInvalid, std::string("neither ") + variable + " nor HOME is set");
  }
  return fs::path(home) / below_home / "mig";
}

// lab.json is written last: a folder without it is no lab yet.
bool IsLab(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "lab.json", error);
}

// A configuration's file, and the lab it belongs to.
struct Place {
  fs::path file;
  std::optional<fs::path> lab;
};

Place PlaceInLab(const fs::path& folder) { return {folder / "config" / "client.yaml", folder}; }

// Nothing when there is none to be found.
Expected<std::optional<Place>> FindPlace(const ConfigOptions& options,
                                         const Environment& environment) {
  using Found = std::optional<Place>;
  if (!options.config.empty()) return Found(Place{options.config, {}});
  if (const std::string file = environment("MIG_CONFIG"); !file.empty()) {
    return Found(Place{file, {}});
  }
  if (const std::string folder = environment("MIG_LAB_DIR"); !folder.empty()) {
    if (IsLab(folder)) return Found(PlaceInLab(folder));
    return Error(Errc::kNotFound, "MIG_LAB_DIR: there is no lab in " + folder +
                                      "; start one with: mig lab up --dir " + folder);
  }
  std::error_code error;
  if (auto folder = UserConfigFolder(environment);
      folder && fs::exists(*folder / "client.yaml", error)) {
    return Found(Place{*folder / "client.yaml", {}});
  }
  if (auto lab = LabFolder(environment); lab && IsLab(*lab)) return Found(PlaceInLab(*lab));
  return Found();
}

}  // namespace

Expected<std::string> NormaliseApiUrl(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  constexpr std::uint16_t kHttpsPort = 443;
  if (url.starts_with(kScheme)) {
    std::string_view rest = url.substr(kScheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    auto host = ParseHostPort(rest, kHttpsPort);
    const bool plain = host && !host->host.empty() && host->port != 0 &&
                       host->host.find_first_of("/?#@ \\") == std::string::npos;
    if (plain) return std::string(kScheme) + FormatHostPort(host->host, host->port);
  }
  return Error(Errc::kInvalid,
               "expected a URL like https://mig.example.net:8443, not `" + std::string(url) + "`");
}

std::string ProcessEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Expected<fs::path> UserConfigFolder(const Environment& environment) {
  return FolderOfKind(environment, "XDG_CONFIG_HOME", ".config");
}

Expected<fs::path> UserStateFolder(const Environment& environment) {
  return FolderOfKind(environment, "XDG_STATE_HOME", ".local/state");
}

Expected<fs::path> LabFolder(const Environment& environment) {
  if (const std::string folder = environment("MIG_LAB_DIR"); !folder.empty()) {
    return fs::absolute(folder).lexically_normal();
  }
  auto state = UserStateFolder(environment);
  if (!state) return state;
  return *state / "lab";
}

Expected<ClientConfig> LoadClientConfig(const fs::path& file) {
  auto text = os::ReadFile(file);
  if (!text) return std::move(text).error();
  auto settings = Settings::Parse(*text, file.string());
  if (!settings) return std::move(settings).error();

  const fs::path folder = fs::absolute(file).parent_path();
  ClientConfig config;
  config.source = file.string();
  const std::string api = settings->RequiredString("api");
  const std::string ca = settings->RequiredString("ca");
  const std::string key = settings->RequiredString("key");
  const std::string org = settings->RequiredString("org");
  if (!api.empty()) {
    auto url = NormaliseApiUrl(api);
    if (url) config.api = std::move(*url);
    if (!url) settings->Fail("api", url.error().message());
  }
  if (!org.empty()) {
    auto id = OrgId::Parse(org);
    if (id) config.org = *id;
    if (!id) settings->Fail("org", id.error().message());
  }
  config.ca = (folder / ca).lexically_normal();
  if (!key.empty()) {
    auto choice = ParseKeyChoice(key, folder);
    if (choice) config.key = std::move(*choice);
    if (!choice) settings->Fail("key", choice.error().message());
  }
  if (auto done = settings->Finish(); !done) return std::move(done).error();
  return config;
}

Expected<std::optional<fs::path>> FindClientConfigFile(const ConfigOptions& options,
                                                       const Environment& environment) {
  auto place = FindPlace(options, environment);
  if (!place) return std::move(place).error();
  if (!*place) return std::optional<fs::path>();
  return std::optional<fs::path>((*place)->file);
}

Expected<ClientConfig> FindClientConfig(const ConfigOptions& options,
                                        const Environment& environment) {
  auto place = FindPlace(options, environment);
  if (!place) return std::move(place).error();
  std::optional<ClientConfig> found;
  if (*place) {
    auto config = LoadClientConfig((*place)->file);
    if (!config) return config;
    if ((*place)->lab) {
      config->lab = (*place)->lab;
      config->source = "the lab in " + (*place)->lab->string();
    }
    found = std::move(*config);
  }
  const std::string api = environment("MIG_API");
  const std::string ca = environment("MIG_CA");
  const std::string org = environment("MIG_ORG");
  const std::string key = options.key.empty() ? environment("MIG_KEY") : options.key;
  const bool complete = !api.empty() && !ca.empty() && !org.empty() && !key.empty();
  if (!found && !complete) {
    auto folder = UserConfigFolder(environment);
    const std::string file = folder ? (*folder / "client.yaml").string() : "client.yaml";
    return Error(Errc::kNotFound,
                 "no deployment is configured: " + file +
                     " does not exist and no lab is here. To try mig: `mig lab up`. For a real "
                     "deployment copy examples/config/client.yaml to that place, or name one "
                     "with -config FILE");
  }
  ClientConfig config = found ? std::move(*found) : ClientConfig{};
  if (!*place) config.source = "the environment (MIG_API, MIG_CA, MIG_ORG, MIG_KEY)";
  if (!api.empty()) {
    auto url = NormaliseApiUrl(api);
    if (!url) return std::move(url).error().During("MIG_API");
    config.api = std::move(*url);
  }
  if (!org.empty()) {
    auto id = OrgId::Parse(org);
    if (!id) return std::move(id).error().During("MIG_ORG");
    config.org = *id;
  }
  if (!ca.empty()) config.ca = ca;
  if (!key.empty()) {
    auto choice = ParseKeyChoice(key, {});
    if (!choice) {
      return std::move(choice).error().During(options.key.empty() ? "MIG_KEY" : "--key");
    }
    config.key = std::move(*choice);
  }
  return config;
}

}  // namespace mig::cli
