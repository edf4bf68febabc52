#include <catch2/catch.hpp>

#include "modules/module.h"
#include "os/environment.h"

using namespace mig;

namespace {

const Module& Example() { return *FindModule("example"); }

ModuleResult Run(std::string_view parameters, bool privacy = false) {
  CollectingSink sink;
  RunContext context{sink, UtcTime{}};
  return RunModule(Example(), *json::ParseObject(parameters), context, privacy);
}

}  // namespace

TEST_CASE("example: answers what is asked, and counts it", "[modules]") {
  const ModuleResult result = Run(R"({"gethostname":true,"lookuphost":["localhost"]})");
  CHECK(result.success);
  CHECK(result.foundanything);
  CHECK(result.elements.get_object().at("hostname").as_string() == os::HostName());
  CHECK_FALSE(result.elements.get_object().contains("addresses"));
  CHECK(json::Write(result.statistics) == R"({"stufffound":3})");
  CHECK(PrintResult(Example(), result, true) ==
        std::vector<std::string>{"hostname is " + os::HostName(),
                                 "looked up host localhost has IP 127.0.0.1",
                                 "looked up host localhost has IP ::1"});
}

TEST_CASE("example: a name without an address is an error that names it, not a failed run",
          "[modules]") {
  const ModuleResult result = Run(R"({"lookuphost":["no-such-host.invalid"]})");
  CHECK(result.success);
  CHECK_FALSE(result.foundanything);
  CHECK(result.errors.at(0).find("no-such-host.invalid") != std::string::npos);
}

TEST_CASE("example: asked for nothing it finds nothing", "[modules]") {
  const ModuleResult result = Run("{}");
  CHECK(result.success);
  CHECK_FALSE(result.foundanything);
  CHECK(json::Write(result.elements) == "{}");
}

TEST_CASE("example: a name that is none is refused", "[modules]") {
  CHECK(Run(R"({"lookuphost":["a b"]})").errors.at(0) == "lookuphost: `a b` is not a host name");
  CHECK(Run(R"({"lookuphost":[""]})").errors.at(0) == "lookuphost: `` is not a host name");
}

TEST_CASE("example: privacy masks name and addresses", "[modules]") {
  const ModuleResult result = Run(R"({"gethostname":true,"getaddresses":true})", true);
  CHECK(result.elements.get_object().at("hostname").as_string() == "masked");
  for (const json::value& address : result.elements.get_object().at("addresses").as_array()) {
    CHECK(address.as_string() == "masked");
  }
}
