// What a client verb must know of its deployment: where the API is, whom to believe it is, which
// deployment (org), and which key signs. From options, the environment (MIG_*), a file, or the lab
// that runs here, in this order.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/key_choice.h"
#include "proto/ids.h"
#include "util/expected.h"

namespace mig::cli {

// "https://HOST[:PORT]", nothing behind it, brought to the form with the port. There is no plain
// HTTP: answers must come from whom we believe. Error: kInvalid.
Expected<std::string> NormaliseApiUrl(std::string_view url);

struct ClientConfig {
  std::string api;           // https://host:port
  std::filesystem::path ca;  // certificates of the servers' CA
  KeyChoice key;             // what the investigator signs with
  OrgId org;
  std::string source;                        // for messages: the file, or "the lab in DIR"
  std::optional<std::filesystem::path> lab;  // the lab's folder, when it is one
};

// The variables of the environment, by name; empty for those that are not set.
using Environment = std::function<std::string(const char* name)>;
std::string ProcessEnvironment(const char* name);

struct ConfigOptions {
  std::string config;  // -config
  std::string key;     // -key: as ParseKeyChoice
};

// Where the lab is, unless -dir says otherwise: MIG_LAB_DIR, $XDG_STATE_HOME/mig/lab,
// ~/.local/state/mig/lab. Error: kInvalid when no home is known.
Expected<std::filesystem::path> LabFolder(const Environment& environment);
// $XDG_CONFIG_HOME/mig or ~/.config/mig, and $XDG_STATE_HOME/mig or ~/.local/state/mig.
Expected<std::filesystem::path> UserConfigFolder(const Environment& environment);
Expected<std::filesystem::path> UserStateFolder(const Environment& environment);

// One file; see examples/config/client.yaml. Relative paths in it are relative to its folder.
Expected<ClientConfig> LoadClientConfig(const std::filesystem::path& file);

// Which file FindClientConfig would read, and nothing where there is none. Errors: as there.
Expected<std::optional<std::filesystem::path>> FindClientConfigFile(const ConfigOptions& options,
                                                                    const Environment& environment);

// The file is the first of -config, MIG_CONFIG, MIG_LAB_DIR's lab, client.yaml in the user's
// folder, the default lab. Then MIG_API, MIG_CA, MIG_ORG, MIG_KEY and -key replace single values;
// without a file these must be complete. Errors say what was looked for and what to do.
Expected<ClientConfig> FindClientConfig(const ConfigOptions& options,
                                        const Environment& environment);

}  // namespace mig::cli
