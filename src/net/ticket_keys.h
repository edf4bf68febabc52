// The keys under which TLS sessions are handed to clients as tickets (RFC 5077, RFC 8446 section
// 4.6.1). A new key every hour: whoever steals one can read little with it. The one before still
// opens tickets, which are then replaced. In memory only.
#pragma once

#include <array>
#include <chrono>
#include <mutex>
#include <optional>

namespace mig {

class TicketKeys {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kLifetime{3600};

  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;  // AES-256-CBC
    std::array<unsigned char, 32> mac;     // HMAC-SHA-256
    Time made;
  };

  // The key for new tickets; made when it is time. Any thread.
  Key Current(Time now);

  struct Found {
    Key key;
    bool is_current;
  };
  // The key of this name, if it is not too old. Any thread.
  std::optional<Found> Find(const unsigned char* name, Time now);

 private:
  void Rotate(Time now);

  std::mutex mutex_;
  std::optional<Key> current_;  // under mutex_, as is previous_
  std::optional<Key> previous_;
};

}  // namespace mig
