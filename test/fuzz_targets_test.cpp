// Each decoder of bytes from outside has a fuzz target: every function of src/ that is called
// Decode… or Parse… and takes text is named in test/fuzz, or stands below with what leads to it
// there.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace {

namespace fs = std::filesystem;

// To add a line: the function, and the target that reaches it, or why no stranger does.
const std::map<std::string, std::string> kReachedOtherwise = {
    {"ParseActionStatus", "ReadActionEvent, in answers_fuzz.cpp"},
    {"ParseAddress", "a word of the administrator's configuration"},
    {"ParseAgentStatus", "a stored row, in stored_rows_fuzz.cpp"},
    {"ParseCommandStatus", "DecodeResultPart, in result_fuzz.cpp"},
    {"ParseFormat", "a word of the administrator's configuration"},
    {"ParseKeyChoice", "a word of the command line or of one's own configuration"},
    {"ParseKind", "DecodeAction, in action_fuzz.cpp"},
    {"ParseLevel", "a word of the administrator's configuration"},
    {"ParseMoment", "a word of the command line"},
    {"ParseProposalStatus", "a stored row, in stored_rows_fuzz.cpp"},
    {"ParseShow", "a word of the command line"},
    {"ParseStrictDocument", "DecodeAction and DecodePolicy"},
    {"ParseTarget", "Target::Parse, in target_fuzz.cpp"},
};

std::string Slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  INFO(file.string());
  REQUIRE(in.good());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Without line comments, which name functions as well.
std::string Code(const fs::path& file) {
  static const std::regex comment("//[^\n]*");
  return std::regex_replace(Slurp(file), comment, "");
}

std::set<std::string> Decoders() {
  static const std::regex declared(
      R"(\b((?:Decode|Parse)[A-Z]\w*)\s*\(\s*(?:const\s+)?(?:BytesView|std::string_view|std::string\s*&|Bytes\s*&))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(MIG_SOURCE_DIR "/src")) {
    if (entry.path().extension() != ".h") continue;
    const std::string code = Code(entry.path());
    for (std::sregex_iterator it(code.begin(), code.end(), declared), end; it != end; ++it) {
      names.insert((*it)[1]);
    }
  }
  return names;
}

}  // namespace

TEST_CASE("fuzz: every decoder has a target", "[fuzz]") {
  std::string targets;
  for (const auto& entry : fs::directory_iterator(MIG_SOURCE_DIR "/test/fuzz")) {
    if (entry.path().extension() == ".cpp") targets += Code(entry.path());
  }
  const std::set<std::string> decoders = Decoders();
  CHECK(decoders.size() > 30);  // else this test sees nothing
  for (const std::string& name : decoders) {
    INFO(name << " decodes what comes from outside, and no target in test/fuzz calls it");
    const bool named = std::regex_search(targets, std::regex("\\b" + name + "\\b"));
    CHECK((named || kReachedOtherwise.contains(name)));
  }
  for (const auto& [name, why] : kReachedOtherwise) {
    INFO(name << " is not there any more");
    CHECK(decoders.contains(name));
  }
}

TEST_CASE("fuzz: every target has its line and its corpus", "[fuzz]") {
  const fs::path folder = MIG_SOURCE_DIR "/test/fuzz";
  const std::string list = Slurp(folder / "CMakeLists.txt");
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string stem = entry.path().stem().string();
    if (!stem.ends_with("_fuzz")) continue;
    const std::string name = stem.substr(0, stem.size() - 5);
    INFO(name);
    CHECK(list.find("mig_fuzz(" + name + " ") != std::string::npos);
    CHECK(fs::exists(folder / "corpus" / name));
  }
}
