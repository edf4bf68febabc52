#include "net/paho_waker.h"

#include <arpa/inet.h>
#include <mqtt/async_client.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/log.h"

namespace mig {
namespace {

constexpr int kPatienceMs = 1000;
constexpr std::string_view kConnack("\x20\x03\x00\x00\x00", 5);  // success, no properties
constexpr std::string_view kPingresp("\xd0\x00", 2);

// A listening socket on a port of the kernel's choice; -1 where there is none to be had.
int ListenOnLoopback(std::uint16_t& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return -1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, length) == 0 && listen(listener, 1) == 0 &&
      getsockname(listener, generic, &length) == 0) {
    port = ntohs(address.sin_port);
    return listener;
  }
  close(listener);
  return -1;
}

}  // namespace

struct PahoWaker::Client {
  explicit Client(std::uint16_t port)
      : paho("tcp://127.0.0.1:" + std::to_string(port), "waker",
             mqtt::create_options(MQTTVERSION_5), nullptr) {}
  mqtt::async_client paho;
};

PahoWaker& PahoWaker::Get() {
  static auto* const waker = new PahoWaker;  // outlives Paho's threads, which nobody joins
  return *waker;
}

PahoWaker::PahoWaker() {
  std::uint16_t port = 1;
  const int listener = ListenOnLoopback(port);
  client_ = new Client(port);
  if (listener >= 0) {
    mqtt::connect_options options;
    options.set_mqtt_version(MQTTVERSION_5);
    options.set_keep_alive_interval(0);
    try {
      client_->paho.connect(options);
      pollfd waiting{.fd = listener, .events = POLLIN, .revents = 0};
      if (poll(&waiting, 1, kPatienceMs) == 1) {
        // Should a stranger have been faster, it receives two bytes now and then, and Paho none.
        relay_side_ = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      }
    } catch (const mqtt::exception&) {
      // Told below.
    }
    close(listener);
  }
  // At once, not in answer to CONNECT: what can be read is what makes the thread look.
  if (relay_side_ < 0 || send(relay_side_, kConnack.data(), kConnack.size(), MSG_NOSIGNAL) < 0) {
    log::Debug("loopback is closed to us: connecting to a relay takes a second longer");
  }
}

void PahoWaker::WakeReceiver() {
  if (relay_side_ < 0) return;
  // A full buffer means that enough of them are on their way.
  (void)!send(relay_side_, kPingresp.data(), kPingresp.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void PahoWaker::WakeSender() {
  if (relay_side_ < 0) return;
  char heard[4096];  // what the client published before
  while (recv(relay_side_, heard, sizeof heard, MSG_DONTWAIT) > 0) {
  }
  try {
    client_->paho.publish("w", "", 0, 0, false);
  } catch (const mqtt::exception&) {
    // Not connected yet, or enough of them are on their way.
  }
}

}  // namespace mig
