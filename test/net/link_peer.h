// A link to a relay on this machine, and everything it told.
#pragma once

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/mqtt_link.h"
#include "test/net/run_until.h"

namespace mig {

struct LinkPeer {
  LinkPeer(boost::asio::io_context& context, LinkOptions options) : io(context) {
    options.host = "127.0.0.1";
    options.backoff_first = std::chrono::milliseconds(50);
    options.backoff_longest = std::chrono::milliseconds(200);
    link.emplace(
        io, std::move(options),
        LinkHandlers{.connected = [this](bool present) { ++connects, session_present = present; },
                     .message =
                         [this](std::string_view topic, BytesView payload) {
                           messages.push_back(std::string(topic) + " " + std::string(payload));
                         },
                     .lost =
                         [this](const Error& reason) {
                           ++losses;
                           last_reason = reason.message();
                         },
                     .failed =
                         [this](const Error& reason) {
                           ++failures;
                           last_failure = reason.message();
                         }});
  }

  bool AwaitConnect(int count = 1) {
    return RunUntil(io, [&] { return connects >= count && link->connected(); });
  }

  // What the relay said to one publish.
  std::optional<Expected<void>> Publish(const std::string& topic, Bytes payload, int qos = 1,
                                        std::chrono::seconds expiry = {}, bool retain = false) {
    auto outcome = std::make_shared<std::optional<Expected<void>>>();
    link->Publish(topic, std::move(payload), qos, expiry, retain,
                  [outcome](Expected<void> result) { *outcome = std::move(result); });
    CHECK_FALSE(outcome->has_value());  // never from inside Publish
    RunUntil(io, [&] { return outcome->has_value(); });
    return *outcome;
  }

  boost::asio::io_context& io;
  std::optional<MqttLink> link;
  int connects = 0, losses = 0, failures = 0;
  bool session_present = false;
  std::string last_reason;
  std::string last_failure;
  std::vector<std::string> messages;
};

}  // namespace mig
