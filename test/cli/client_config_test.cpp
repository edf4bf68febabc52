#include "cli/client_config.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "test/temp_folder.h"

using namespace mig;
using namespace mig::cli;
namespace fs = std::filesystem;

namespace {

const std::string kOrg(OrgId::kTextLength, 'a');

// A home with any of the places where a configuration may be.
struct Home {
  TempFolder folder;
  std::map<std::string, std::string> variables;

  Home() { variables["HOME"] = folder.path().string(); }

  fs::path Write(const std::string& name, const std::string& text) {
    const fs::path file = folder / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file;
  }
  fs::path WriteConfig(const std::string& name, const std::string& host) {
    return Write(name,
                 "api: https://" + host + ":8443\nca: ../ca.crt\nkey: me.key\norg: " + kOrg + "\n");
  }
  void WriteLab(const std::string& name, const std::string& host) {
    WriteConfig(name + "/config/client.yaml", host);
    Write(name + "/lab.json", "{}");
  }
  Expected<ClientConfig> Find(const ConfigOptions& options = {}) {
    return FindClientConfig(options, [this](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::string() : found->second;
    });
  }
  std::string FoundHost(const ConfigOptions& options = {}) {
    auto config = Find(options);
    if (!config) return "error: " + config.error().message();
    const std::size_t start = std::string("https://").size();
    return config->api.substr(start, config->api.find(':', start) - start);
  }
};

}  // namespace

TEST_CASE("client config: options beat the environment, that the file, that the lab", "[cli]") {
  Home home;
  home.WriteLab(".local/state/mig/lab", "lab");
  CHECK(home.FoundHost() == "lab");
  home.WriteConfig(".config/mig/client.yaml", "file");
  CHECK(home.FoundHost() == "file");
  home.WriteLab("other", "otherlab");
  home.variables["MIG_LAB_DIR"] = (home.folder / "other").string();
  CHECK(home.FoundHost() == "otherlab");
  home.variables["MIG_CONFIG"] = home.WriteConfig("env.yaml", "environment").string();
  CHECK(home.FoundHost() == "environment");
  const auto named = home.WriteConfig("named.yaml", "option");
  CHECK(home.FoundHost({.config = named.string()}) == "option");
}

TEST_CASE("client config: single values are replaced from environment and options", "[cli]") {
  Home home;
  const auto file = home.WriteConfig("x/client.yaml", "file");
  home.variables["MIG_CONFIG"] = file.string();
  auto config = home.Find();
  REQUIRE(config);
  CHECK(config->ca == home.folder / "ca.crt");  // relative to the file, not to where we stand
  CHECK(config->key.file == home.folder / "x/me.key");
  CHECK(config->api == "https://file:8443");
  home.variables["MIG_KEY"] = "/k1";
  home.variables["MIG_API"] = "https://elsewhere";
  CHECK(home.Find()->key.file == "/k1");
  CHECK(home.Find()->api == "https://elsewhere:443");
  CHECK(home.Find({.key = "/k2"})->key.file == "/k2");
}

TEST_CASE("client config: without any, the message says what to do", "[cli]") {
  Home home;
  const auto config = home.Find();
  REQUIRE_FALSE(config);
  CHECK(config.error().message().find(".config/mig/client.yaml") != std::string::npos);
  CHECK(config.error().message().find("mig lab up") != std::string::npos);
  home.variables["MIG_LAB_DIR"] = "/nowhere";
  CHECK(home.Find().error().message().find("mig lab up --dir /nowhere") != std::string::npos);
}

TEST_CASE("client config: a folder that is not yet a lab is none", "[cli]") {
  Home home;
  home.WriteConfig(".local/state/mig/lab/config/client.yaml", "halfmade");
  CHECK_FALSE(home.Find());
}

TEST_CASE("client config: a wrong file is named with its line", "[cli]") {
  Home home;
  const auto file = home.Write("c.yaml", "api: http://x\nca: a\nkey: b\norg: " + kOrg + "\n");
  auto config = LoadClientConfig(file);
  REQUIRE_FALSE(config);
  CHECK(config.error().message().find("c.yaml:1: api: expected a URL like https://") !=
        std::string::npos);
  const auto unknown =
      home.Write("d.yaml", "api: https://x\nca: a\nkye: b\nkey: b\norg: " + kOrg + "\n");
  CHECK(LoadClientConfig(unknown).error().message().find("d.yaml:3: unknown key `kye`") !=
        std::string::npos);
}

TEST_CASE("client config: an API's address is https with a host", "[cli]") {
  CHECK(*NormaliseApiUrl("https://h") == "https://h:443");
  CHECK(*NormaliseApiUrl("https://h:8443/") == "https://h:8443");
  CHECK(*NormaliseApiUrl("https://[::1]:8443") == "https://[::1]:8443");
  for (const char* bad : {"", "http://h", "https://", "https://h:", "https://h:0",
                          "https://h:99999", "https://h/path", "https://u@h", "https://[::1",
                          "https://h:1x", "ftp://h", "https://h:1/?q"}) {
    INFO(bad);
    CHECK_FALSE(NormaliseApiUrl(bad));
  }
}
