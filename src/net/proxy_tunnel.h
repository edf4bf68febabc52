// A way through an HTTP proxy for one connection of a client that makes its connections itself, as
// Paho does. Paho knows proxies, but when one refuses it does not say so, and when one answers with
// what is not HTTP it spins for ever with its global lock held (Paho C 1.3.12). So we talk to the
// proxy, and Paho is given a proxy of our own on loopback that knows only this one way; TLS goes
// through it from end to end. Works on a thread of its own, since its owner may wait for Paho.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "net/host.h"
#include "net/proxy.h"
#include "util/expected.h"

namespace boost::asio {
class io_context;
}

namespace mig {

class ProxyTunnel {
 public:
  // What the client is to take for its proxy: "http://SECRET@127.0.0.1:port". The secret keeps the
  // other users of this machine out. Good for one connection, within `patience`.
  using Done = std::function<void(Expected<std::string> local_proxy)>;

  // Begins to connect; `done` runs once on `io`, which must outlive the tunnel, unless the tunnel
  // goes first. Errors as Dialer::Dial, kInternal when no thread or socket is to be had.
  ProxyTunnel(boost::asio::io_context& io, HostPort to, ProxyAddress proxy,
              std::chrono::milliseconds patience, Done done);
  // Ends it as it is.
  ~ProxyTunnel();
  ProxyTunnel(const ProxyTunnel&) = delete;
  ProxyTunnel& operator=(const ProxyTunnel&) = delete;

  // Waits until what the client sent before it closed has left; not for long.
  void Drain();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace mig
