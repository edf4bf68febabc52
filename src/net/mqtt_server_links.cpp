// A connection of the relay from accept to close: TLS, reading, writing, deadlines.
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "net/mqtt_server_impl.h"
#include "util/crash_point.h"
#include "util/log.h"

namespace mig {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// "GET " begins a request for a WebSocket. MQTT begins with CONNECT (0x10); the packet that would
// begin with a G is not valid at all.
constexpr char kHttpBegins = 'G';
constexpr int kAcceptsATurn = 32;
constexpr int kReadsATurn = 4;  // of one connection, before others have theirs
constexpr std::size_t kGather = 64;
constexpr std::chrono::milliseconds kAcceptPause{200};
constexpr std::chrono::milliseconds kSweepEvery{250};

// For where no answer takes the ACK along: Paho does not set TCP_NODELAY, and would wait 40 ms for
// our delayed one.
void AcknowledgeAtOnce(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

AddressBytes SourceBytes(const asio::ip::address& address) {
  return address.is_v6()
             ? address.to_v6().to_bytes()
             : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes();
}

// A socket for both families shows IPv4 peers as ::ffff:192.0.2.1.
std::string AddressText(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

}  // namespace

void MqttServer::Impl::Accept() {
  // Beyond the bounds newcomers wait in the kernel's backlog, which costs us nothing.
  if (accepting || stopping) return;
  if (Crowded()) return StartSweep();
  accepting = true;
  if (const auto pause = bounds.Pause(Clock()); pause.count() > 0) return PauseAccept(pause);
  acceptor.async_wait(tcp::acceptor::wait_read, [weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (!self || self->finished || error == asio::error::operation_aborted) return;
    self->AcceptSome();
  });
}

// Several at once: a turn of the loop for each newcomer costs more than the newcomer.
void MqttServer::Impl::AcceptSome() {
  for (int i = 0; i < kAcceptsATurn; ++i) {
    if (stopping || Crowded() || bounds.Pause(Clock()).count() > 0) break;
    tcp::endpoint remote;
    auto size = static_cast<socklen_t>(remote.capacity());
    os::FileDescriptor socket(
        ::accept4(acceptor.native_handle(), remote.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.valid()) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      if (errno == ECONNABORTED || errno == EINTR) continue;
      // No descriptors or no memory: neither spin nor give up.
      WriteNote({.serious = true,
                 .what = "cannot accept connections for the moment",
                 .reason = "no descriptors",
                 .detail = std::generic_category().message(errno)});
      return PauseAccept(kAcceptPause);
    }
    remote.resize(size);
    OnAccept(std::move(socket), remote.address());
  }
  accepting = false;
  Accept();
}

void MqttServer::Impl::PauseAccept(std::chrono::milliseconds time) {
  accept_pause.expires_after(time);
  accept_pause.async_wait([weak = weak_from_this()](error_code) {
    const auto self = weak.lock();
    if (!self || self->finished) return;
    self->accepting = false;
    self->Accept();
  });
}

void MqttServer::Impl::OnAccept(os::FileDescriptor socket, const asio::ip::address& remote) {
  const AddressBytes source = SourceBytes(remote);
  const auto verdict = bounds.Admit(source, Clock());
  if (verdict != ConnectionBounds::Verdict::kAdmitted) {
    return WriteNote({.serious = true,
                      .what = "closed",
                      .reason = VerdictText(verdict),
                      .address = AddressText(remote)});
  }
  ssl_st* session = nullptr;
  if (tls) {
    auto made = tls->NewConnection(socket.get());
    if (!made) {
      log::Error("TLS", {{"error", made.error().message()}});
      return bounds.Left(source, false);
    }
    session = *made;
  }
  ServerStream stream(socket.get(), session);
  auto link = std::make_unique<Link>(std::move(socket), std::move(stream));
  link->id = ++last_id;
  link->source = source;
  link->address = AddressText(remote);
  link->accepted = Clock();
  Link& made = *link;
  links.emplace(made.id, std::move(link));
  if (tls) {
    ++handshakes;
    Limit(made, options.limits.connect_within);
    Handshake(made);
  } else {
    OpenLink(made, mqtt::Peer{"", "", made.address});
  }
}

// Lends the stream to a thread that goes on with the handshake.
void MqttServer::Impl::Handshake(Link& link) {
  Watch(link, false, false);
  link.lent = true;
  shakers->Step(
      link.stream, tls,
      [&context = io, weak = weak_from_this(), id = link.id](TlsHandshakes::Outcome outcome) {
        asio::post(context, [weak, id, outcome = std::move(outcome)]() mutable {
          const auto self = weak.lock();
          if (self && !self->finished) self->OnHandshake(id, std::move(outcome));
        });
      });
}

void MqttServer::Impl::OnHandshake(mqtt::ConnectionId id, TlsHandshakes::Outcome outcome) {
  Link& link = *Find(id);  // is not removed while it is lent
  link.lent = false;
  if (link.left) return Remove(id);
  AcknowledgeAtOnce(link.socket.get());
  switch (outcome.state) {
    case LinkStream::State::kWantRead:
      return WaitRead(link);
    case LinkStream::State::kWantWrite:
      return WaitWrite(link);
    case LinkStream::State::kBroken:
    case LinkStream::State::kClosed: {
      WriteNote({.serious = true,
                 .what = "closed",
                 .reason = "TLS handshake failed",
                 .address = link.address,
                 .detail = link.stream.problem()});
      return Remove(id);
    }
    case LinkStream::State::kDone:
      break;
  }
  ++handshakes_done;
  auto name = NameAfter(link, std::move(outcome));
  if (!name) {
    WriteNote({.serious = true,
               .what = "refused",
               .reason = "certificate",
               .address = link.address,
               .detail = name.error().message()});
    return Remove(id);
  }
  --handshakes;
  limited.erase(id);
  mqtt::Peer peer{std::move(name->role), std::move(name->id), link.address};
  OpenLink(link, std::move(peer));
}

// Certificates and lists may have been read again while the answer was on its way.
Expected<PeerName> MqttServer::Impl::NameAfter(const Link& link,
                                               TlsHandshakes::Outcome outcome) const {
  if (outcome.context != tls) return tls->NameOf(link.stream.tls());
  if (auto good = tls->CheckAgain(link.stream.tls()); !good) return std::move(good).error();
  return std::move(*outcome.name);
}

void MqttServer::Impl::OpenLink(Link& link, mqtt::Peer peer) {
  link.phase = Phase::kOpen;
  link.sniffed = !options.websocket.enabled || !link.stream.protocol().empty();
  if (link.stream.protocol() == kHttp) StartWebSocket(link, {});
  // The time for TLS, upgrade and CONNECT is one: the broker counts from the accept.
  const mqtt::ConnectionId id = link.id;
  broker.Open(id, std::move(peer), link.accepted);
  Perform();
  if (Link* still = Find(id)) {
    if (still->transport().HasBuffered()) {
      ReadSome(*still);
    } else {
      WaitRead(*still);
    }
  }
  Accept();
}

void MqttServer::Impl::StartWebSocket(Link& link, BytesView early) {
  link.sniffed = true;
  link.over = std::make_unique<WebSocketStream>(link.stream, websockets, early);
}

// A link stays watched until told otherwise, so that one that is read again and again costs no call
// for it. Readiness first, buffer later: an idle connection holds no memory for reading.
void MqttServer::Impl::Watch(Link& link, bool read, bool write) {
  poller.Set(link.socket.get(), link.id, {link.waits_read, link.waits_write}, {read, write});
  link.waits_read = read;
  link.waits_write = write;
}

void MqttServer::Impl::WaitRead(Link& link) {
  if (!link.waits_read) Watch(link, true, link.waits_write);
}

void MqttServer::Impl::StopRead(Link& link) {
  if (link.waits_read) Watch(link, false, link.waits_write);
}

void MqttServer::Impl::WaitWrite(Link& link) {
  if (link.waits_write) return;
  if (link.phase == Phase::kOpen) Limit(link, options.stuck_after);
  Watch(link, link.waits_read, true);
}

void MqttServer::Impl::Poll() {
  poll_handle.async_wait(asio::posix::descriptor_base::wait_read,
                         [weak = weak_from_this()](error_code error) {
                           const auto self = weak.lock();
                           if (!self || error || self->finished) return;
                           for (const Poller::Ready& ready : self->poller.Take()) {
                             if (ready.writable) self->OnWritable(ready.id);
                             if (ready.readable) self->OnReadable(ready.id);
                           }
                           if (!self->finished) self->Poll();
                         });
}

void MqttServer::Impl::OnWritable(mqtt::ConnectionId id) {
  Link* link = Find(id);
  if (link == nullptr || !link->waits_write) return;
  Watch(*link, link->waits_read, false);
  if (link->phase == Phase::kHandshake) return Handshake(*link);
  if (link->phase == Phase::kOpen) limited.erase(id);
  Flush(*link);
  // TLS may have wanted to write before it could read on.
  Resume(id);
}

void MqttServer::Impl::OnReadable(mqtt::ConnectionId id) {
  Link* link = Find(id);
  if (link == nullptr || !link->waits_read) return;
  switch (link->phase) {
    case Phase::kHandshake:
      return Handshake(*link);
    case Phase::kOpen:
      return link->may_read && !link->held ? ReadSome(*link) : StopRead(*link);
    case Phase::kClosing:
      return StopRead(*link);  // nothing that it says matters any more
    case Phase::kDraining:
      return Drain(*link);
  }
}

void MqttServer::Impl::ReadSome(Link& first) {
  const mqtt::ConnectionId id = first.id;
  Link* link = &first;
  bool more = true;
  for (int i = 0; i < kReadsATurn && more; ++i) {
    const auto [state, bytes, may_have_more] = link->transport().Read(buffer);
    if (state == LinkStream::State::kClosed) return Lost(id);
    if (state == LinkStream::State::kBroken) return Broken(*link);
    if (state == LinkStream::State::kWantWrite) {
      StopRead(*link);
      return WaitWrite(*link);
    }
    if (state == LinkStream::State::kWantRead) {
      more = false;
      break;
    }
    more = may_have_more;
    if (!link->sniffed) {
      link->sniffed = true;
      if (buffer.front() == kHttpBegins) {
        StartWebSocket(*link, BytesView(buffer.data(), bytes));
        more = true;
        continue;
      }
    }
    CrashPoint("relay.received");
    const bool waits = broker.Receive(id, BytesView(buffer.data(), bytes), Clock());
    Perform();
    link = Find(id);
    if (link == nullptr || link->phase != Phase::kOpen) return;
    link->owes_ack = link->owes_ack || waits;
    if (!link->known && broker.Knows(id)) {
      link->known = true;
      bounds.Known(link->source);
      Accept();
    }
    // Who sends without reading what we answer is not read either.
    link->held = link->out.size() > options.limits.unsent_bytes;
    if (!link->may_read || link->held) return;
  }
  if (link->owes_ack) MarkDirty(*link);
  if (more && link->transport().HasBuffered()) {
    OnThread([id](Impl& self) { self.Resume(id); });
  } else {
    WaitRead(*link);
  }
}

// Reads on where reading was held back.
void MqttServer::Impl::Resume(mqtt::ConnectionId id) {
  Link* link = Find(id);
  if (link == nullptr || link->phase != Phase::kOpen || !link->may_read || link->held) return;
  if (!link->waits_read || link->transport().HasBuffered()) ReadSome(*link);
}

// Reads what still comes and forgets it: closing with unread bytes would make the kernel throw away
// our last words.
void MqttServer::Impl::Drain(Link& link) {
  for (int i = 0; i < kReadsATurn; ++i) {
    const LinkStream::State state = link.transport().Read(buffer).state;
    if (state == LinkStream::State::kDone) continue;
    if (state == LinkStream::State::kClosed) return Remove(link.id);
    break;
  }
  WaitRead(link);
}

void MqttServer::Impl::MarkDirty(Link& link) {
  if (link.dirty) return;
  link.dirty = true;
  dirty.push_back(link.id);
  if (flush_posted) return;
  flush_posted = true;
  // Runs behind the handlers of this turn, so that what they send leaves in one write.
  OnThread([](Impl& self) { self.FlushDirty(); });
}

void MqttServer::Impl::FlushDirty() {
  flush_posted = false;
  const std::vector<mqtt::ConnectionId> ids = std::exchange(dirty, {});
  for (const mqtt::ConnectionId id : ids) {
    Link* link = Find(id);
    if (link == nullptr) continue;
    link->dirty = false;
    Flush(*link);
  }
}

// Sends what can be sent at once. kDone: all of it.
LinkStream::State MqttServer::Impl::WriteOut(Link& link, std::size_t& sent) {
  while (!link.out.empty()) {
    std::array<iovec, kGather> pieces;
    const std::size_t count = link.out.Gather(pieces);
    CrashPoint("relay.send.before");
    const auto written = link.transport().Write(std::span(pieces).first(count), scratch);
    if (written.state != LinkStream::State::kDone) return written.state;
    CrashPoint("relay.send.after");
    link.out.Consume(written.bytes);
    sent += written.bytes;
  }
  return LinkStream::State::kDone;
}

void MqttServer::Impl::Flush(Link& link) {
  if (link.waits_write) return;
  const mqtt::ConnectionId id = link.id;
  std::size_t sent = 0;
  const LinkStream::State state = WriteOut(link, sent);
  if (state == LinkStream::State::kClosed) return Lost(id);
  if (state != LinkStream::State::kDone) WaitWrite(link);
  const bool now_empty = link.out.empty();
  if (link.phase == Phase::kClosing) {
    if (now_empty) BeginDrain(link);
    return;
  }
  if (link.held && link.out.size() <= options.limits.unsent_bytes) {
    link.held = false;
    OnThread([id](Impl& self) { self.Resume(id); });
  }
  if (link.owes_ack && sent == 0) AcknowledgeAtOnce(link.socket.get());
  link.owes_ack = false;
  if (sent > 0) {
    broker.Sent(id, sent, Clock());
    Perform();
  }
}

// The peer is gone.
void MqttServer::Impl::Lost(mqtt::ConnectionId id) {
  Remove(id);
  broker.Closed(id, Clock());
  Perform();
}

// The peer broke the rules of what carries MQTT, and is told so.
void MqttServer::Impl::Broken(Link& link) {
  WriteNote({.serious = true,
             .what = "closed",
             .reason = "not a WebSocket of MQTT",
             .address = link.address,
             .detail = link.transport().problem()});
  BeginClose(link);
  broker.Closed(link.id, Clock());
  Perform();
}

void MqttServer::Impl::BeginClose(Link& link) {
  if (link.phase == Phase::kClosing || link.phase == Phase::kDraining) return;
  link.phase = Phase::kClosing;
  Limit(link, options.drain_for);
  MarkDirty(link);  // Flush goes on to BeginDrain
}

void MqttServer::Impl::BeginDrain(Link& link) {
  const LinkStream::State said = link.transport().EndSending();
  if (said == LinkStream::State::kClosed) return Remove(link.id);
  if (said != LinkStream::State::kDone) return WaitWrite(link);  // Flush tries again
  link.phase = Phase::kDraining;
  WaitRead(link);
}

void MqttServer::Impl::Remove(mqtt::ConnectionId id) {
  const auto found = links.find(id);
  if (found == links.end()) return;
  Link& link = *found->second;
  if (link.lent) {
    link.left = true;
    limited.erase(id);
    return;
  }
  if (link.phase == Phase::kHandshake && tls) --handshakes;
  bounds.Left(link.source, link.known);
  limited.erase(id);
  links.erase(found);  // and closes the socket: there is nothing left to lose
  if (stopping && links.empty()) return Finish();
  Accept();
}

void MqttServer::Impl::Limit(Link& link, std::chrono::milliseconds time) {
  link.deadline = Clock() + time;
  limited.insert(link.id);
  StartSweep();
}

void MqttServer::Impl::StartSweep() {
  if (sweeping) return;
  sweeping = true;
  sweep.expires_after(kSweepEvery);
  sweep.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (!self || error || self->finished) return;
    self->sweeping = false;
    self->Sweep();
  });
}

void MqttServer::Impl::Sweep() {
  std::vector<mqtt::ConnectionId> late;
  const UtcTime now = Clock();
  for (const mqtt::ConnectionId id : limited) {
    if (Find(id)->deadline <= now) late.push_back(id);
  }
  for (const mqtt::ConnectionId id : late) {
    const Link* link = Find(id);
    if (link == nullptr) continue;
    if (link->phase == Phase::kHandshake) {
      WriteNote({.serious = true,
                 .what = "closed",
                 .reason = "no TLS handshake in time",
                 .address = link->address});
    } else if (link->phase == Phase::kOpen) {
      WriteNote({.serious = true,
                 .what = "closed",
                 .reason = "does not read what is sent to it",
                 .client = broker.ClientOf(id),
                 .address = link->address});
    }
    Lost(id);
  }
  if (Crowded()) HurryStrangers();
  if (!limited.empty() || Crowded()) StartSweep();
}

// While newcomers wait, those who have not said who they are have a quarter of the time: so the
// places that an attacker holds open from many addresses are free again sooner than he likes.
void MqttServer::Impl::HurryStrangers() {
  const UtcTime latest = Clock() - std::chrono::milliseconds(options.limits.connect_within) / 4;
  std::vector<mqtt::ConnectionId> late;
  for (const auto& [id, link] : links) {
    const bool stranger = link->phase == Phase::kHandshake || link->phase == Phase::kOpen;
    if (stranger && !link->known && !link->left && link->accepted <= latest) late.push_back(id);
  }
  for (const mqtt::ConnectionId id : late) {
    const Link* link = Find(id);
    if (link == nullptr) continue;
    WriteNote({.serious = true,
               .what = "closed",
               .reason = "no CONNECT in time while others wait",
               .address = link->address});
    Lost(id);
  }
}

}  // namespace mig
