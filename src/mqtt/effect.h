// What the broker wants done. The rim (net/mqtt_server.cpp) carries effects out in their order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mqtt/keeper.h"
#include "mqtt/message.h"
#include "util/bytes.h"
#include "util/clock.h"

namespace mig::mqtt {

// A connection, named by the rim; never used twice.
using ConnectionId = std::uint64_t;

// Send a packet: `bytes`, or, when `frame` is set, the frame with its packet identifier and DUP.
struct Send {
  ConnectionId connection = 0;
  Bytes bytes;
  FrameRef frame;
  std::uint16_t packet_id = 0;
  bool dup = false;

  std::size_t Size() const { return frame ? frame->bytes.size() : bytes.size(); }
};

// The bytes of a packet as they go out. (Large frames are better sent without a copy: they are the
// same for all receivers but for these two places.)
inline void AppendSend(Bytes& out, const Send& send) {
  if (!send.frame) {
    out += send.bytes;
    return;
  }
  const std::size_t start = out.size();
  out += send.frame->bytes;
  if (send.dup) out[start] = static_cast<char>(out[start] | 0x08);
  if (const std::size_t offset = send.frame->packet_id_offset; offset != 0) {
    out[start + offset] = static_cast<char>(send.packet_id >> 8);
    out[start + offset + 1] = static_cast<char>(send.packet_id & 0xFF);
  }
}

// Close the connection, after sending what was to be sent. The broker has forgotten it already.
struct Close {
  ConnectionId connection = 0;
};

// Stop or resume reading from the connection. What was read already may still be given.
struct SetReading {
  ConnectionId connection = 0;
  bool on = true;
};

// Call Tick at this time. The newest one replaces those before.
struct WakeAt {
  UtcTime time;
};

// Commit a batch, then call Committed.
struct Keep {
  KeepBatch batch;
};

// Read rows, then call Paged.
struct ReadPage {
  PageRequest request;
};

// Delete expired rows, then call Expired.
struct Sweep {
  UtcTime now;
};

// For the log. `serious`: somebody broke a rule, or something was dropped.
struct Note {
  bool serious = false;
  std::string_view what;    // a literal: "refused", "disconnected"
  std::string_view reason;  // why, if serious: a literal too, to be counted by
  std::uint8_t code = 0;    // the MQTT reason code, if it is one
  std::string client;       // client identifier, also one that was refused
  std::string certificate;  // ROLE/ID of the client's certificate; empty without one
  std::string address;
  std::string detail;
};

using Effect = std::variant<Send, Close, SetReading, WakeAt, Keep, ReadPage, Sweep, Note>;

}  // namespace mig::mqtt
