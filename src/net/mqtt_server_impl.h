// The inside of net/mqtt_server.h, for its source files: mqtt_server.cpp (start, stop, what the
// broker wants done), mqtt_server_links.cpp (a connection from accept to close),
// mqtt_server_tls.cpp (certificates that change).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "net/mqtt_server.h"
#include "net/out_queue.h"
#include "net/poller.h"
#include "net/server_stream.h"
#include "net/tls_handshakes.h"
#include "net/websocket_stream.h"

namespace mig {

// Everything only on the io_context's thread.
struct MqttServer::Impl : std::enable_shared_from_this<MqttServer::Impl> {
  using ConnectionId = mqtt::ConnectionId;
  using State = LinkStream::State;
  using tcp = boost::asio::ip::tcp;

  static constexpr std::size_t kReadBytes = 64 * 1024;
  static constexpr const char* kHttp = "http/1.1";
  // Beyond, what is sent does not wait for the end of the turn.
  static constexpr std::size_t kFlushAtOnce = 64 * 1024;

  enum class Phase : std::uint8_t { kHandshake, kOpen, kClosing, kDraining };

  struct Link {
    Link(os::FileDescriptor s, ServerStream t) : socket(std::move(s)), stream(std::move(t)) {}
    ConnectionId id = 0;
    os::FileDescriptor socket;
    ServerStream stream;
    std::unique_ptr<LinkStream> over;  // what carries MQTT over it; none: MQTT itself
    OutQueue out;
    AddressBytes source{};
    std::string address;  // for logs
    Phase phase = Phase::kHandshake;
    bool sniffed = false;     // whether it speaks MQTT or HTTP is known
    bool known = false;       // the broker has had its CONNECT
    bool may_read = true;     // the broker wants its bytes
    bool held = false;        // not read until it has read what we sent
    bool waits_read = false;  // what the poller watches
    bool waits_write = false;
    bool lent = false;  // a handshake thread has the stream: hands off
    bool left = false;  // to be removed as soon as it is given back
    bool dirty = false;
    bool owes_ack = false;  // was read in this turn, sent nothing, and may wait for it
    UtcTime accepted{};
    UtcTime deadline{};  // while listed in limited

    LinkStream& transport() { return over ? *over : stream; }
  };

  Impl(boost::asio::io_context& context, MqttServerOptions o, std::unique_ptr<mqtt::Keeper> k,
       const mqtt::Authoriser& authoriser)
      : io(context),
        options(std::move(o)),
        keeper(std::move(k)),
        broker(authoriser, {options.limits, NewClientId, options.sys_interval}),
        bounds(options.connections),
        websockets(options.websocket.origins, options.tls.has_value()),
        acceptor(io),
        accept_pause(io),
        wake(io),
        sweep(io),
        report(io),
        revocations(io),
        poll_handle(io),
        buffer(kReadBytes) {}

  // Starts at the wall clock and does not follow its jumps: all that the broker measures are
  // durations.
  UtcTime Clock() const {
    return started_utc + std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::steady_clock::now() - started_steady);
  }

  static std::string NewClientId();  // that nobody can guess
  // What TLS may agree on (ALPN), the best first. Without it the first byte decides.
  std::vector<std::string> Protocols() const {
    return options.websocket.enabled ? std::vector<std::string>{"mqtt", kHttp}
                                     : std::vector<std::string>{"mqtt"};
  }
  Expected<void> Listen();
  void Begin(mqtt::Snapshot snapshot);
  void Accept();
  void AcceptSome();
  void OnAccept(os::FileDescriptor socket, const boost::asio::ip::address& remote);
  void PauseAccept(std::chrono::milliseconds time);
  void Handshake(Link& link);
  void OnHandshake(ConnectionId id, TlsHandshakes::Outcome outcome);
  Expected<PeerName> NameAfter(const Link& link, TlsHandshakes::Outcome outcome) const;
  void OpenLink(Link& link, mqtt::Peer peer);
  void StartWebSocket(Link& link, BytesView early);
  void Watch(Link& link, bool read, bool write);
  void WaitRead(Link& link);
  void StopRead(Link& link);
  void WaitWrite(Link& link);
  void Poll();
  void OnReadable(ConnectionId id);
  void OnWritable(ConnectionId id);
  void ReadSome(Link& link);
  void Resume(ConnectionId id);
  void Drain(Link& link);
  State WriteOut(Link& link, std::size_t& sent);
  void Flush(Link& link);
  void FlushDirty();
  void MarkDirty(Link& link);
  void Lost(ConnectionId id);
  void Broken(Link& link);
  void BeginClose(Link& link);
  void BeginDrain(Link& link);
  void Remove(ConnectionId id);
  void Limit(Link& link, std::chrono::milliseconds time);
  // True while newcomers have to wait for others.
  bool Crowded() const { return bounds.Full() || handshakes >= options.max_handshakes; }
  void HurryStrangers();
  void StartSweep();
  void Sweep();
  void Perform();
  void PerformOne(mqtt::Effect& effect);
  void WriteNote(const mqtt::Note& note);
  void Report();
  Expected<void> ReloadTls();
  void WatchRevocations();
  void CheckRevocations();
  void CheckLinksAgain(bool by_name);
  void CheckSomeAgain(std::vector<ConnectionId> rest, bool by_name);
  void Finish();
  Link* Find(ConnectionId id) {
    const auto found = links.find(id);
    return found == links.end() ? nullptr : found->second.get();
  }
  // Runs `task` on the io_context's thread if the server is still there.
  template <typename Task>
  void OnThread(Task task) {
    boost::asio::post(io, [weak = weak_from_this(), task = std::move(task)]() mutable {
      if (const auto self = weak.lock(); self && !self->finished) task(*self);
    });
  }

  boost::asio::io_context& io;
  MqttServerOptions options;
  std::shared_ptr<TlsServerContext> tls;
  std::unique_ptr<mqtt::Keeper> keeper;
  mqtt::Broker broker;
  ConnectionBounds bounds;
  Refusals refusals;
  CommitTimes commits;
  WebSocketEngine websockets;  // outlives links
  tcp::acceptor acceptor;
  boost::asio::steady_timer accept_pause;
  boost::asio::steady_timer wake;
  boost::asio::steady_timer sweep;
  boost::asio::steady_timer report;
  boost::asio::steady_timer revocations;
  std::optional<UtcTime> said_expired;
  Poller poller;
  boost::asio::posix::stream_descriptor poll_handle;  // the poller's, as Asio sees it
  std::vector<char> buffer;                           // one for all: an idle connection has none
  Bytes scratch;
  std::vector<mqtt::Effect> spare_effects;
  const UtcTime started_utc = Now();
  const std::chrono::steady_clock::time_point started_steady = std::chrono::steady_clock::now();

  std::unordered_map<ConnectionId, std::unique_ptr<Link>> links;
  ConnectionId last_id = 0;
  std::vector<ConnectionId> dirty;
  bool flush_posted = false;
  std::unordered_set<ConnectionId> limited;  // those with a deadline of the rim
  bool sweeping = false;
  bool accepting = false;  // an accept is under way, or its pause
  std::size_t handshakes = 0;
  std::uint64_t handshakes_done = 0;
  bool stopping = false;
  bool finished = false;
  std::function<void()> stopped;
  std::function<void(Error)> failed;
  mqtt::BrokerCounters reported;
  std::unique_ptr<TlsHandshakes> shakers;  // ends before the links, whose streams it works on
};

}  // namespace mig
