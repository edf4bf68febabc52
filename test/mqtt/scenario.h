// Scenarios: what clients and the broker say to one another, as text that reads like the standard
// (scenarios/README.md is the language). This is a scenario as data, and its parser; what runs one
// is scenario_runner.h.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/packet.h"
#include "util/expected.h"

namespace mig::mqtt {

// "5.0" or "3.1.1".
std::string_view VersionName(Version version);

// A packet as a line says it: its type, and the fields in their order.
struct PacketText {
  struct Field {
    std::string name;
    std::vector<std::string>
        values;  // as many as the field takes; an id may be `$NAME`, a number `a..b`
  };
  PacketType type{};
  std::vector<Field> fields;

  const Field* Find(std::string_view name) const;
};

struct Step {
  enum class Kind {
    kSpeaks,          // CLIENT speaks VERSION
    kOpens,           // CLIENT opens
    kConnects,        // CLIENT connects FIELDS: CONNECT, and a CONNACK of success without session
    kResumes,         // the same with a session that is present
    kDrops,           // CLIENT drops: the connection breaks
    kDisconnects,     // CLIENT disconnects: DISCONNECT, and the end
    kSubscribes,      // CLIENT subscribes FILTER FIELDS: SUBSCRIBE, and a SUBACK that grants it
    kUnsubscribes,    // CLIENT unsubscribes FILTER
    kPublishes,       // CLIENT publishes FIELDS: PUBLISH, and whatever its QoS wants
    kReceives,        // CLIENT receives FIELDS: a PUBLISH, and whatever its QoS wants
    kSends,           // CLIENT -> PACKET FIELDS
    kSendsBytes,      // CLIENT -> bytes …
    kGets,            // CLIENT <- PACKET FIELDS
    kGetsInAnyOrder,  // CLIENT <~ PACKET FIELDS: not necessarily the next one
    kGetsNothing,     // CLIENT <- nothing
    kGetsClosed,      // CLIENT <- closed
    kIsRefused,       // CLIENT is refused REASON: DISCONNECT, if the version has it, and the end
    kOneGets,         // one of CLIENTS as NAME OTHER <- PACKET FIELDS
    kWaits,           // wait TIME
    kIsKilled,        // broker is killed, and starts again
    kIsRestarted,     // broker is stopped, and starts again
  };

  Kind kind{};
  int line = 0;
  std::string text;             // the line
  std::optional<Version> only;  // the step is for this version
  std::string client;
  std::vector<std::string> clients;  // kOneGets
  std::string winner, other;         // kOneGets: new names for who got it and for who did not
  PacketText packet;
  Bytes bytes;                        // kSendsBytes
  Version version{};                  // kSpeaks
  std::chrono::milliseconds time{0};  // kWaits
};

struct Scenario {
  std::string title;
  std::filesystem::path file;
  int line = 0;
  // The versions in which it runs, each with the statements it shows: "MQTT-4.3.3-10".
  std::map<Version, std::vector<std::string>> versions;
  std::string core_only;  // why it does not run over TCP; empty: it does
  std::string tcp_only;   // why it does not run on the core; empty: it does
  std::vector<Step> steps;
};

// Error: kMalformed, beginning with "FILE:LINE: ".
Expected<std::vector<Scenario>> ParseScenarios(std::string_view text,
                                               const std::filesystem::path& file);

// All `*.scenario` of a folder, by name. Error: as above, or a title that stands twice.
Expected<std::vector<Scenario>> LoadScenarios(const std::filesystem::path& folder);

}  // namespace mig::mqtt
