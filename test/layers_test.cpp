// The direction of includes between the folders of src/, and which folder may touch which
// third-party header or platform macro, as src/layers.txt says.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Layers {
  std::map<std::string, std::set<std::string>> folders;   // folder -> folders it may include
  std::map<std::string, std::set<std::string>> external;  // header prefix -> folders
};

std::set<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  std::set<std::string> words;
  for (std::string word; in >> word;) words.insert(word);
  return words;
}

Layers ReadLayers(const fs::path& file) {
  std::ifstream in(file);
  REQUIRE(in.good());
  Layers layers;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (const auto equals = line.find('='); equals != std::string::npos) {
      const auto prefix = Words(line.substr(0, equals));
      REQUIRE(prefix.size() == 1);
      layers.external[*prefix.begin()] = Words(line.substr(equals + 1));
    } else {
      const auto colon = line.find(':');
      REQUIRE(colon != std::string::npos);
      layers.folders[line.substr(0, colon)] = Words(line.substr(colon + 1));
    }
  }
  return layers;
}

// What is wrong with one file, as sentences.
std::vector<std::string> Violations(const Layers& layers, const std::string& folder,
                                    const std::string& name, const std::string& text) {
  static const std::regex kInclude("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"]");
  static const std::regex kPlatform("\\b(__linux__|_WIN32|__APPLE__|__FreeBSD__)\\b");
  std::vector<std::string> violations;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (folder != "os" && std::regex_search(line, kPlatform)) {
      violations.push_back(name + " names a platform macro outside os/");
    }
    if (!std::regex_search(line, match, kInclude)) continue;
    const std::string target = match[2];
    if (match[1] == "\"") {
      const auto slash = target.find('/');
      const std::string other = slash == std::string::npos ? "main" : target.substr(0, slash);
      if (other != folder && !layers.folders.at(folder).contains(other)) {
        violations.push_back(name + " includes " + target);
      }
    }
    for (const auto& [prefix, allowed] : layers.external) {
      if (target.starts_with(prefix) && !allowed.contains(folder)) {
        violations.push_back(name + " includes " + target);
      }
    }
  }
  return violations;
}

}  // namespace

TEST_CASE("layers: includes go down only", "[layers]") {
  const fs::path source = fs::path(MIG_SOURCE_DIR) / "src";
  const Layers layers = ReadLayers(source / "layers.txt");
  std::vector<std::string> violations;
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    const auto extension = entry.path().extension();
    if (extension != ".h" && extension != ".cpp") continue;
    const fs::path relative = fs::relative(entry.path(), source);
    const std::string folder =
        relative.has_parent_path() ? relative.begin()->string() : std::string("main");
    INFO(relative.string());
    REQUIRE(layers.folders.contains(folder));
    std::ifstream in(entry.path());
    std::stringstream text;
    text << in.rdbuf();
    for (auto& v : Violations(layers, folder, relative.string(), text.str())) {
      violations.push_back(v);
    }
  }
  CAPTURE(violations);
  CHECK(violations.empty());
}

TEST_CASE("layers: a role that includes another folder's upper neighbour is caught", "[layers]") {
  Layers layers;
  layers.folders["util"] = {};
  layers.folders["mqtt"] = {"util"};
  layers.external["boost/asio"] = {"net"};
  CHECK(Violations(layers, "mqtt", "mqtt/a.cpp", "#include \"util/b.h\"\n").empty());
  CHECK(Violations(layers, "util", "util/a.cpp", "#include \"mqtt/b.h\"\n").size() == 1);
  CHECK(Violations(layers, "mqtt", "mqtt/a.cpp", "#include <boost/asio/post.hpp>\n").size() == 1);
  CHECK(Violations(layers, "mqtt", "mqtt/a.cpp", "#ifdef __linux__\n").size() == 1);
}

TEST_CASE("layers: roles never include one another's role files", "[layers]") {
  // A role is named by its RunX entry; only main.cpp may name another role's entry header.
  const fs::path roles = fs::path(MIG_SOURCE_DIR) / "src" / "roles";
  std::vector<std::string> violations;
  if (fs::exists(roles)) {
    for (const auto& entry : fs::recursive_directory_iterator(roles)) {
      const fs::path relative = fs::relative(entry.path(), roles);
      if (!relative.has_parent_path()) continue;
      const std::string own = "roles/" + relative.begin()->string() + "/";
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        const auto at = line.find("#include \"roles/");
        if (at == std::string::npos) continue;
        const std::string target = line.substr(at + 10);
        // Files directly in roles/ are shared by all roles; those of another role are not.
        if (std::count(target.begin(), target.end(), '/') > 1 && !target.starts_with(own)) {
          violations.push_back(relative.string() + ": " + line);
        }
      }
    }
  }
  CAPTURE(violations);
  CHECK(violations.empty());
}
