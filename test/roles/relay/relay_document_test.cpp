// docs/relay.md against the code: its table of bounds, its rights, its metrics. That its commands
// do what it says, test/clients/relay_document_test.cpp shows.
#include <catch2/catch.hpp>

#include "roles/relay/relay_config.h"
#include "roles/relay/relay_limits.h"
#include "roles/relay/relay_metrics.h"
#include "roles/relay/topic_rights.h"
#include "test/document.h"
#include "test/net/metrics_parser.h"
#include "test/temp_folder.h"

namespace mig::relay {
namespace {

const Document& Page() {
  static const Document document = ReadDocument("docs/relay.md");
  return document;
}

TEST_CASE("relay.md: it has every bound, with the default, and no other", "[relay]") {
  std::set<std::string> keys;
  for (const Limit& limit : Limits()) keys.emplace(limit.key);
  CHECK(Page().fields.at("Bounds") == keys);

  const TempFolder folder;
  const auto load = [&folder](const std::string& limits) {
    return LoadRelayConfig(folder.Write(
        "relay.yaml",
        "store: r.db\ntls: {certificate: a, key: b, agents_ca: c, servers_ca: d}\n" + limits));
  };
  const auto defaults = load("");
  REQUIRE(defaults);
  for (const Limit& limit : Limits()) {
    if (limit.key == "exempt") continue;  // in words
    const std::string start = "| `" + std::string(limit.key) + "` | ";
    const std::size_t at = Page().text.find(start) + start.size();
    const std::string value = Page().text.substr(at, Page().text.find(' ', at) - at);
    INFO(limit.key << ": " << value);
    const auto as_documented = load("limits: {" + std::string(limit.key) + ": " + value + "}\n");
    REQUIRE(as_documented);
    CHECK(limit.show(as_documented->server) == limit.show(defaults->server));
  }
}

TEST_CASE("relay.md: the metrics that it names are there", "[relay]") {
  const auto metrics = ParseMetrics(WriteMetrics({}, {}));
  std::size_t named = 0;
  for (std::size_t at = 0; (at = Page().text.find("`mig_relay_", at)) != std::string::npos;) {
    const std::size_t end = Page().text.find('`', at + 1);
    const std::string name = Page().text.substr(at + 1, end - at - 1);
    INFO(name);
    CHECK(metrics.contains(name));
    ++named;
    at = end;
  }
  CHECK(named >= 6);
}

TEST_CASE("relay.md: the rights that it grants are those that are granted", "[relay]") {
  const TopicRights rights;
  // | role | client identifier | may publish | may subscribe to |
  std::size_t roles = 0;
  for (const std::string_view line : Split(Page().text, '\n')) {
    const auto cells = Split(line, '|');
    if (cells.size() != 6 || Trim(cells[1]) == "role") continue;
    const mqtt::Peer peer{std::string(Trim(cells[1])), "ID", ""};
    if (!rights.MayConnect(peer, "ID")) continue;
    ++roles;
    const auto each = [](std::string_view cell, const auto& check) {
      for (std::size_t at = 0; (at = cell.find('`', at)) != std::string_view::npos;) {
        const std::size_t end = cell.find('`', at + 1);
        const std::string text(cell.substr(at + 1, end - at - 1));
        INFO(text);
        if (text.find("…") == std::string::npos) check(text);
        at = end + 1;
      }
    };
    INFO(peer.role);
    each(cells[3], [&](std::string filter) {
      for (char& c : filter) {
        if (c == '+' || c == '#') c = 'x';  // a topic that it matches
      }
      CHECK(rights.MayPublish(peer, filter, false));
    });
    each(cells[4], [&](const std::string& filter) { CHECK(rights.MaySubscribe(peer, filter)); });
  }
  CHECK(roles == 4);
}

}  // namespace
}  // namespace mig::relay
