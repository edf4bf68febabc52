#include "trust/constraints.h"

#include <catch2/catch.hpp>

namespace mig {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("constraints: paths are compared by component, not as text", "[trust]") {
  CHECK(CheckPaths({"/etc"}, {"/etc", "/etc/", "/etc/ssl/certs", "//etc//ssl", "/./etc/./x"}));
  CHECK_FALSE(CheckPaths({"/etc"}, {"/etcetera"}));
  CHECK_FALSE(CheckPaths({"/etc/ssl"}, {"/etc"}));
  CHECK_FALSE(CheckPaths({"/etc"}, {"/"}));
  CHECK(CheckPaths({"/"}, {"/anything/at/all"}));
  CHECK(CheckPaths({"/etc", "/opt"}, {"/opt/x", "/etc/y"}));
}

TEST_CASE("constraints: every path must lie below a root", "[trust]") {
  const auto checked = CheckPaths({"/etc"}, {"/etc/passwd", "/root/.ssh"});
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code() == Errc::kDenied);
  CHECK(checked.error().message() == "`/root/.ssh` is not below /etc");
}

TEST_CASE("constraints: a path that goes up, is relative or has a NUL is refused", "[trust]") {
  CHECK_FALSE(CheckPaths({"/etc"}, {"/etc/../root"}));
  CHECK_FALSE(CheckPaths({"/etc"}, {"/etc/.."}));
  CHECK_FALSE(CheckPaths({"/"}, {"/.."}));
  CHECK_FALSE(CheckPaths({"/etc"}, {"etc/passwd"}));
  CHECK_FALSE(CheckPaths({"/etc"}, {""}));
  CHECK_FALSE(CheckPaths({"/etc"}, {std::string("/etc/a\0/../../root", 18)}));
  CHECK(CheckPaths({"/etc"}, {"/etc/..hidden"}));
}

TEST_CASE("constraints: a root in the policy that is no clean path lets nothing through",
          "[trust]") {
  CHECK_FALSE(CheckPaths({"/etc/../"}, {"/etc"}));
  CHECK_FALSE(CheckPaths({"etc", "/"}, {"/etc"}));
}

TEST_CASE("constraints: a parameter has one of the allowed values, and is given", "[trust]") {
  const json::object parameters{
      {"protocol", "icmp"}, {"count", 3}, {"loud", true}, {"list", {"a", "b"}}, {"none", nullptr}};
  CHECK(CheckParameter(parameters, "protocol", {"icmp", "tcp"}));
  CHECK_FALSE(CheckParameter(parameters, "protocol", {"tcp"}));
  CHECK_FALSE(CheckParameter(parameters, "protocol", {}));
  CHECK(CheckParameter(parameters, "count", {"3"}));
  CHECK_FALSE(CheckParameter(parameters, "count", {"03"}));
  CHECK(CheckParameter(parameters, "loud", {"true"}));
  CHECK(CheckParameter(parameters, "list", {"a", "b"}));
  CHECK_FALSE(CheckParameter(parameters, "list", {"a"}));
  CHECK_FALSE(CheckParameter(parameters, "none", {"null"}));
  CHECK_FALSE(CheckParameter(parameters, "absent", {""}));
}

TEST_CASE("constraints: what is not a plain value is allowed by no list", "[trust]") {
  const json::object parameters =
      json::ParseObject(
          R"({"name":{"b64":"/w=="},"names":[{"b64":"/w=="}],"empty":[],"nested":[["a"]],"real":1.5})")
          .value();
  for (const char* name : {"name", "names", "empty", "nested", "real"}) {
    INFO(name);
    CHECK_FALSE(CheckParameter(parameters, name, {"a", "", "1.5", "1.5E0", "[]"}));
  }
}

TEST_CASE("constraints: a star holds for every member", "[trust]") {
  const auto parse = [](std::string_view text) { return json::ParseObject(text).value(); };
  const Words allowed = {"10"};
  const std::string_view name = "searches.*.options.matchlimit";
  CHECK(CheckParameter(parse(R"({"searches":{"s1":{"options":{"matchlimit":10}},
                                             "s.2":{"options":{"matchlimit":10}}}})"),
                       name, allowed));
  CHECK_FALSE(CheckParameter(parse(R"({"searches":{"s1":{"options":{"matchlimit":10}},
                                                   "s2":{"options":{"matchlimit":11}}}})"),
                             name, allowed));
  const auto absent = CheckParameter(
      parse(R"({"searches":{"s1":{"options":{"matchlimit":10}},"s2":{}}})"), name, allowed);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().message() == "searches.s2.options.matchlimit: must be given, as one of 10");
  CHECK_FALSE(CheckParameter(parse(R"({"searches":["s1"]})"), name, allowed));
  CHECK_FALSE(CheckParameter(parse(R"({})"), name, allowed));
}

}  // namespace
}  // namespace mig
