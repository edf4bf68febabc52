// The broker's bounds. Every queue and every number that a peer chooses has one; what happens at it
// stands beside it. Defaults suit one relay for some ten thousand agents.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace mig::mqtt {

struct Limits {
  // Packets: DISCONNECT 0x95 and the connection is closed, judged on the fixed header.
  std::uint32_t packet_bytes = 1U << 20;
  std::uint32_t connect_bytes = 8U << 10;             // before the peer is known
  std::size_t partial_bytes = std::size_t{64} << 20;  // incomplete packets, all peers together;
                                                      // who holds most of it is closed

  // Names: 0x85, 0x90 or 0x8F.
  std::size_t client_id_bytes = 128;
  std::size_t topic_bytes = 512;
  std::size_t topic_levels = 16;
  std::size_t user_properties = 16;  // 0x97
  std::size_t user_property_bytes = 8U << 10;

  // Connections.
  std::chrono::seconds connect_within{10};    // then closed; the rim counts the TLS handshake in
  std::chrono::seconds max_keep_alive{1200};  // 5.0: announced; 3.1.1: applied
  std::uint16_t receive_maximum = 32;         // unacknowledged from one peer: 0x93
  std::uint16_t topic_alias_maximum = 8;  // 0x94; as many are set towards a peer that wants them
  // Of one client, as far as it is no service; 0: no bound. Beyond, it is not read for a while.
  // Subscribing and unsubscribing count as messages.
  std::uint64_t publish_messages_per_second = 0;
  std::uint64_t publish_bytes_per_second = 0;
  std::chrono::seconds publish_burst{5};  // what was not used in this time may be used at once
  std::size_t unsent_bytes = std::size_t{256} << 10;  // QoS 0 is dropped, QoS 1 waits in its queue

  // Sessions.
  std::chrono::seconds max_session_expiry{30 * 24 * 3600};  // longer ones are cut, and told so
  std::size_t sessions = 200'000;                           // CONNACK 0x97
  std::size_t subscriptions = 64;                           // of one session: 0x97
  std::uint16_t in_flight = 64;                             // to one peer, or its Receive Maximum
  std::size_t queue_messages = 1000;                        // of one session: PUBACK 0x97
  std::size_t queue_bytes = std::size_t{4} << 20;
  // Of a service (Authoriser::IsService), and of a group of shared subscribers, which is one.
  std::size_t service_queue_messages = 100'000;
  std::size_t service_queue_bytes = std::size_t{256} << 20;

  // Of all sessions and groups together, each message counted as often as it waits: PUBACK 0x97.
  std::size_t total_queue_messages = 20'000'000;
  std::size_t total_queue_bytes = std::size_t{16} << 30;

  std::size_t retained_messages = 10'000;  // PUBACK 0x97
  std::size_t retained_bytes = std::size_t{64} << 20;

  // Operations that the store has not committed: beyond it publishers are not read.
  std::size_t uncommitted = 4096;

  // Where clients are sent that find no room here, or this relay stopping: "HOST:PORT HOST:PORT"
  // (MQTT 5.0 section 4.11). Empty: nowhere.
  std::string server_reference;
};

}  // namespace mig::mqtt
