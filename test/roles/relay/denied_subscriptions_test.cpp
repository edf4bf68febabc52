#include "roles/relay/denied_subscriptions.h"

#include <catch2/catch.hpp>

namespace mig::relay {
namespace {

const mqtt::Peer kAnybody{"", "", "127.0.0.1"};

bool Allowed(const std::string& denied, const std::string& filter) {
  const mqtt::AllowAll all;
  return DeniedSubscriptions(all, {denied}).MaySubscribe(kAnybody, filter);
}

TEST_CASE("deny_subscribe: of named topics, no filter that could bring one", "[relay]") {
  for (const char* filter :
       {"plant/+/secret", "plant/1/secret", "plant/#", "#", "+/#", "+/+/+", "plant/1/#",
        "$share/g/plant/1/secret", "$share/g/#", "plant/+/secret/#", "+/1/+/#"}) {
    INFO(filter);
    CHECK_FALSE(Allowed("plant/+/secret", filter));
  }
  for (const char* filter : {"plant/1", "plant/1/open", "plant/1/secret/more", "+/+", "other/#",
                             "$share/g/plant/+/open", "plant/+/secret/+"}) {
    INFO(filter);
    CHECK(Allowed("plant/+/secret", filter));
  }
}

TEST_CASE("deny_subscribe: of $SYS, its parts too, but not #, which does not reach it", "[relay]") {
  for (const char* filter :
       {"$SYS/#", "$SYS", "$SYS/broker/uptime", "$SYS/+", "$share/g/$SYS/broker/+"}) {
    INFO(filter);
    CHECK_FALSE(Allowed("$SYS/#", filter));
  }
  for (const char* filter : {"#", "+/broker/uptime", "SYS/#", "$SYSTEM/#"}) {
    INFO(filter);
    CHECK(Allowed("$SYS/#", filter));
  }
}

TEST_CASE("deny_subscribe: of wildcards alone, filters that are as wide", "[relay]") {
  for (const char* filter : {"#", "+/#", "$share/g/#", "$share/g/+/#"}) {
    INFO(filter);
    CHECK_FALSE(Allowed("#", filter));
  }
  for (const char* filter : {"a", "a/#", "+", "+/+/#", "$SYS/#", "$share/g/a/#"}) {
    INFO(filter);
    CHECK(Allowed("#", filter));
  }
  CHECK_FALSE(Allowed("+/+/#", "+/+/#"));
  CHECK_FALSE(Allowed("+/+/#", "#"));
  CHECK(Allowed("+/+/#", "a/+/#"));
}

// Denies everything: what is behind the bans.
struct Nobody final : mqtt::Authoriser {
  bool MayConnect(const mqtt::Peer&, std::string_view) const override { return false; }
  bool MayPublish(const mqtt::Peer&, std::string_view, bool) const override { return false; }
  bool MaySubscribe(const mqtt::Peer&, std::string_view) const override { return false; }
  bool IsService(const mqtt::Peer&) const override { return true; }
};

TEST_CASE("deny_subscribe: it takes rights, and gives none", "[relay]") {
  const Nobody nobody;
  const DeniedSubscriptions denied(nobody, {"#"});
  CHECK_FALSE(denied.MaySubscribe(kAnybody, "a"));
  CHECK_FALSE(denied.MayConnect(kAnybody, "a"));
  CHECK_FALSE(denied.MayPublish(kAnybody, "a", false));
  CHECK(denied.IsService(kAnybody));
}

}  // namespace
}  // namespace mig::relay
