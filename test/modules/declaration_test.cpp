// What a module takes, bound to its version: whoever changes the one has to raise the other,
// because an agent that does not know a parameter has to be told from one that does.
#include <catch2/catch.hpp>
#include <map>

#include "crypto/digest.h"
#include "modules/module.h"
#include "util/encoding.h"

using namespace mig;

namespace {

// All that changes what parameters mean; their help does not.
std::string DigestOf(const Module& module) {
  std::string text;
  for (const Parameter& one : module.parameters) {
    text += std::string(one.flag) + "|" + std::string(one.field) + "|" +
            std::to_string(static_cast<int>(one.type)) + "|" + (one.required ? "!" : "") +
            std::to_string(one.min) + ".." + std::to_string(one.max) + "|" +
            std::string(one.absent) + "|" + std::string(one.typed) + "|" +
            (one.flag_means ? "" : "not");
    for (const std::string_view choice : one.choices) text += "|" + std::string(choice);
    text += "\n";
  }
  Digest digest(DigestKind::kSha256);
  digest.Update(text);
  return EncodeHex(digest.Finish()).substr(0, 16);
}

// To change a module's parameters: raise its version, and write both here.
const std::map<std::string, std::string, std::less<>> kDeclared = {
    {"agentdestroy", "1 3e4aca18cd4f35cd"},
    {"example", "1 8085d6342d06c2d4"},
    {"file", "2 754e2e0c3148b097"},
    {"netstat", "1 67840cce3bff3150"},
    {"ping", "1 ba2ee7197f6d2975"},
};

}  // namespace

TEST_CASE("module: its parameters change only with its version", "[modules]") {
  std::size_t known = 0;
  for (const Module* module : AllModules()) {
    const auto declared = kDeclared.find(module->name);
    const std::string now = std::to_string(module->version) + " " + DigestOf(*module);
    INFO(module->name << " " << now);
    REQUIRE(declared != kDeclared.end());
    CHECK(declared->second == now);
    ++known;
  }
  CHECK(known == kDeclared.size());
}
