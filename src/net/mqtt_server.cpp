#include "net/mqtt_server.h"

#include <netinet/tcp.h>
#include <sys/random.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "net/out_queue.h"
#include "net/server_stream.h"
#include "util/crash_point.h"
#include "util/encoding.h"
#include "util/log.h"

namespace mig {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using mqtt::ConnectionId;
using State = ServerStream::State;

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kReadsATurn = 4;                   // of one connection, before others have theirs
constexpr std::size_t kFlushAtOnce = 64 * 1024;  // do not wait for the end of the turn
constexpr std::size_t kGather = 64;
constexpr int kUnsentInKernel = 128 * 1024;
constexpr std::chrono::milliseconds kAcceptPause{200};
constexpr std::chrono::milliseconds kSweepEvery{250};
constexpr std::chrono::seconds kReportEvery{60};
constexpr int kSeriousNotesASecond = 50;

Expected<tcp::endpoint> ParseEndpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  std::string host = text.substr(0, colon == std::string::npos ? 0 : colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host == "localhost") host = "127.0.0.1";  // without asking a resolver
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  const std::string digits = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool is_number = !digits.empty() && digits.size() <= 5 &&
                         digits.find_first_not_of("0123456789") == std::string::npos;
  const int port = is_number ? std::stoi(digits) : -1;
  if (error || port < 0 || port > 65'535) {
    return Error(Errc::kInvalid,
                 "listen address `" + text + "` is not IP:PORT, like 127.0.0.1:8883 or [::]:8883");
  }
  return tcp::endpoint(address, static_cast<std::uint16_t>(port));
}

std::string RandomClientId() {
  std::array<char, 16> bytes{};
  for (std::size_t got = 0; got < bytes.size();) {
    const ssize_t more = ::getrandom(bytes.data() + got, bytes.size() - got, 0);
    if (more > 0) got += static_cast<std::size_t>(more);
  }
  return "auto-" + EncodeBase32(BytesView(bytes.data(), bytes.size()));
}

}  // namespace

struct MqttServer::Impl : std::enable_shared_from_this<MqttServer::Impl> {
  enum class Phase : std::uint8_t { kHandshake, kOpen, kClosing, kDraining };

  struct Link {
    Link(tcp::socket s, ServerStream t) : socket(std::move(s)), stream(std::move(t)) {}
    ConnectionId id = 0;
    tcp::socket socket;
    ServerStream stream;
    OutQueue out;
    std::string address;
    Phase phase = Phase::kHandshake;
    bool known = false;    // the broker has had its CONNECT
    bool may_read = true;  // the broker wants its bytes
    bool waits_read = false;
    bool waits_write = false;
    bool dirty = false;
    UtcTime accepted{};
    UtcTime deadline{};  // while listed in limited
  };

  Impl(asio::io_context& context, MqttServerOptions o, std::unique_ptr<mqtt::Keeper> k,
       const mqtt::Authoriser& authoriser)
      : io(context),
        options(std::move(o)),
        keeper(std::move(k)),
        broker(authoriser, {options.limits, RandomClientId}),
        acceptor(io),
        accept_pause(io),
        wake(io),
        sweep(io),
        report(io),
        buffer(kReadBytes) {}

  // Starts at the wall clock and does not follow its jumps: all that the broker measures are
  // durations.
  UtcTime Clock() const {
    return started_utc + std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::steady_clock::now() - started_steady);
  }

  Expected<void> Listen();
  void Begin(mqtt::Snapshot snapshot);
  void Accept();
  void OnAccept(tcp::socket socket);
  bool MayAccept() const;
  void Handshake(Link& link);
  void OpenLink(Link& link, mqtt::Peer peer);
  void WaitRead(Link& link);
  void WaitWrite(Link& link);
  void OnReadable(ConnectionId id);
  void ReadSome(Link& link);
  void Resume(ConnectionId id);
  void Drain(Link& link);
  State WriteOut(Link& link, std::size_t& sent);
  void Flush(Link& link);
  void FlushDirty();
  void MarkDirty(Link& link);
  void Lost(ConnectionId id);
  void BeginClose(Link& link);
  void BeginDrain(Link& link);
  void Remove(ConnectionId id);
  void Limit(Link& link, std::chrono::milliseconds time);
  void StartSweep();
  void Sweep();
  void Perform();
  void PerformOne(mqtt::Effect& effect);
  void WriteNote(const mqtt::Note& note);
  void Report();
  void Finish();
  Link* Find(ConnectionId id) {
    const auto found = links.find(id);
    return found == links.end() ? nullptr : found->second.get();
  }
  // Runs `task` on the io_context's thread if the server is still there.
  template <typename Task>
  void OnThread(Task task) {
    asio::post(io, [weak = weak_from_this(), task = std::move(task)]() mutable {
      if (const auto self = weak.lock(); self && !self->finished) task(*self);
    });
  }

  asio::io_context& io;
  MqttServerOptions options;
  std::shared_ptr<TlsServerContext> tls;
  std::unique_ptr<mqtt::Keeper> keeper;
  mqtt::Broker broker;
  tcp::acceptor acceptor;
  asio::steady_timer accept_pause;
  asio::steady_timer wake;
  asio::steady_timer sweep;
  asio::steady_timer report;
  std::vector<char> buffer;  // one for all: an idle connection has none
  Bytes scratch;
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
  std::size_t unknown = 0;  // connections without CONNECT
  std::unordered_map<std::string, std::size_t> unknown_by_address;
  bool stopping = false;
  bool finished = false;
  std::function<void()> stopped;
  std::function<void(Error)> failed;
  UtcTime note_second{};
  int notes_this_second = 0;
  mqtt::BrokerCounters reported;
};

Expected<void> MqttServer::Impl::Listen() {
  error_code error;
  if (options.socket.valid()) {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    if (::getsockname(options.socket.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) {
      return os::ErrnoError(errno, "inherited socket");
    }
    const auto protocol = name.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
    acceptor.assign(protocol, options.socket.Release(), error);
    if (error) return Error(Errc::kIo, "inherited socket: " + error.message());
    // Whoever made it may have chosen a short backlog.
    acceptor.listen(tcp::socket::max_listen_connections, error);
  } else {
    auto endpoint = ParseEndpoint(options.listen);
    if (!endpoint) return std::move(endpoint).error();
    acceptor.open(endpoint->protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(*endpoint, error);
    if (!error) acceptor.listen(tcp::socket::max_listen_connections, error);
  }
  if (error) return Error(Errc::kIo, "listen on " + options.listen + ": " + error.message());
  const tcp::endpoint local = acceptor.local_endpoint(error);
  if (!options.tls && !local.address().is_loopback()) {
    return Error(Errc::kDenied, "an open relay listens on a loopback address only, not on " +
                                    local.address().to_string() +
                                    "; configure tls to be reached from elsewhere");
  }
  acceptor.non_blocking(true, error);
  return {};
}

void MqttServer::Impl::Begin(mqtt::Snapshot snapshot) {
  broker.Restore(std::move(snapshot), Clock());
  mqtt::Keeper::Answers answers;
  const std::weak_ptr<Impl> weak = weak_from_this();
  const auto tell = [weak, &context = io](auto task) {
    asio::post(context, [weak, task = std::move(task)]() mutable {
      if (const auto self = weak.lock(); self && !self->finished) {
        task(*self);
        self->Perform();
      }
    });
  };
  answers.committed = [tell](std::uint64_t batch) {
    tell([batch](Impl& self) { self.broker.Committed(batch, self.Clock()); });
  };
  answers.page = [tell](mqtt::Page page) {
    tell([page = std::move(page)](Impl& self) mutable {
      self.broker.Paged(std::move(page), self.Clock());
    });
  };
  answers.expired = [tell](std::vector<mqtt::ExpiredRow> rows) {
    tell([rows = std::move(rows)](Impl& self) { self.broker.Expired(rows); });
  };
  answers.failed = [tell](Error error) {
    tell([error = std::move(error)](Impl& self) mutable {
      if (self.failed) std::exchange(self.failed, nullptr)(std::move(error));
    });
  };
  keeper->Start(std::move(answers));
  Perform();
  Accept();
  report.expires_after(kReportEvery);
  report.async_wait([weak](error_code error) {
    if (const auto self = weak.lock(); self && !error) self->Report();
  });
}

bool MqttServer::Impl::MayAccept() const {
  return !stopping && links.size() < options.max_connections &&
         handshakes < options.max_handshakes && unknown < options.max_unknown;
}

void MqttServer::Impl::Accept() {
  // Beyond the bounds newcomers wait in the kernel's backlog, which costs us nothing.
  if (accepting || !MayAccept()) return;
  accepting = true;
  acceptor.async_accept([weak = weak_from_this()](error_code error, tcp::socket socket) {
    const auto self = weak.lock();
    if (!self || self->finished) return;
    self->accepting = false;
    if (error == asio::error::operation_aborted) return;
    if (error && error != asio::error::connection_aborted) {
      // No descriptors or no memory: neither spin nor give up.
      log::Warning("cannot accept connections for the moment", {{"error", error.message()}});
      self->accepting = true;
      self->accept_pause.expires_after(kAcceptPause);
      self->accept_pause.async_wait([weak](error_code) {
        const auto again = weak.lock();
        if (!again || again->finished) return;
        again->accepting = false;
        again->Accept();
      });
      return;
    }
    if (!error) self->OnAccept(std::move(socket));
    self->Accept();
  });
}

void MqttServer::Impl::OnAccept(tcp::socket socket) {
  error_code error;
  const tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return;  // gone already
  socket.set_option(tcp::no_delay(true), error);
  socket.set_option(asio::socket_base::keep_alive(true), error);
  // What a client does not read is held by us, where it is bounded and counted, and not by the
  // kernel, which would take megabytes for each.
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentInKernel,
               sizeof kUnsentInKernel);
  socket.non_blocking(true, error);
  if (error) return;
  std::string address = remote.address().to_string();
  auto& from_there = unknown_by_address[address];
  if (from_there >= options.max_unknown_per_address && !remote.address().is_loopback()) return;
  ssl_st* session = nullptr;
  if (tls) {
    auto made = tls->NewConnection(socket.native_handle());
    if (!made) {
      log::Error("TLS", {{"error", made.error().message()}});
      return;
    }
    session = *made;
  }
  ServerStream stream(socket.native_handle(), session);
  auto link = std::make_unique<Link>(std::move(socket), std::move(stream));
  link->id = ++last_id;
  link->address = std::move(address);
  link->accepted = Clock();
  ++from_there;
  ++unknown;
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

void MqttServer::Impl::Handshake(Link& link) {
  switch (link.stream.Handshake()) {
    case State::kWantRead:
      return WaitRead(link);
    case State::kWantWrite:
      return WaitWrite(link);
    case State::kClosed: {
      mqtt::Note note{true, "TLS handshake failed", "", link.address, link.stream.problem()};
      WriteNote(note);
      return Remove(link.id);
    }
    case State::kDone:
      break;
  }
  --handshakes;
  limited.erase(link.id);
  auto name = tls->NameOf(link.stream.tls());
  if (!name) {
    WriteNote({true, "refused", "", link.address, name.error().message()});
    link.phase = Phase::kOpen;  // no handshake to be counted any more
    Remove(link.id);
    return;
  }
  mqtt::Peer peer{std::move(name->role), std::move(name->id), link.address};
  OpenLink(link, std::move(peer));
}

void MqttServer::Impl::OpenLink(Link& link, mqtt::Peer peer) {
  link.phase = Phase::kOpen;
  // The time for TLS and CONNECT is one: the broker counts from the accept.
  const ConnectionId id = link.id;
  broker.Open(id, std::move(peer), link.accepted);
  Perform();
  if (Link* still = Find(id)) {
    if (still->stream.HasBuffered()) {
      ReadSome(*still);
    } else {
      WaitRead(*still);
    }
  }
  Accept();
}

void MqttServer::Impl::WaitRead(Link& link) {
  if (link.waits_read) return;
  link.waits_read = true;
  // Readiness first, buffer later: an idle connection holds no memory for reading.
  link.socket.async_wait(tcp::socket::wait_read,
                         [weak = weak_from_this(), id = link.id](error_code error) {
                           const auto self = weak.lock();
                           if (self && !error && !self->finished) self->OnReadable(id);
                         });
}

void MqttServer::Impl::WaitWrite(Link& link) {
  if (link.waits_write) return;
  link.waits_write = true;
  if (link.phase == Phase::kOpen) Limit(link, options.stuck_after);
  link.socket.async_wait(tcp::socket::wait_write,
                         [weak = weak_from_this(), id = link.id](error_code error) {
                           const auto self = weak.lock();
                           if (!self || error || self->finished) return;
                           Link* found = self->Find(id);
                           if (found == nullptr) return;
                           found->waits_write = false;
                           if (found->phase == Phase::kHandshake) return self->Handshake(*found);
                           if (found->phase == Phase::kOpen) self->limited.erase(id);
                           self->Flush(*found);
                           // TLS may have wanted to write before it could read on.
                           self->Resume(id);
                         });
}

void MqttServer::Impl::OnReadable(ConnectionId id) {
  Link* link = Find(id);
  if (link == nullptr) return;
  link->waits_read = false;
  switch (link->phase) {
    case Phase::kHandshake:
      return Handshake(*link);
    case Phase::kOpen:
      if (link->may_read) ReadSome(*link);
      return;
    case Phase::kClosing:
      return;  // nothing that it says matters any more
    case Phase::kDraining:
      return Drain(*link);
  }
}

void MqttServer::Impl::ReadSome(Link& first) {
  const ConnectionId id = first.id;
  Link* link = &first;
  bool more = true;
  for (int i = 0; i < kReadsATurn && more; ++i) {
    const auto [state, bytes] = link->stream.Read(buffer);
    if (state == State::kClosed) return Lost(id);
    if (state == State::kWantWrite) return WaitWrite(*link);
    if (state == State::kWantRead) {
      more = false;
      break;
    }
    // TLS gives one record at a time; a plain read that does not fill the buffer emptied the
    // socket.
    more = link->stream.tls() != nullptr || bytes == buffer.size();
    CrashPoint("relay.received");
    broker.Receive(id, BytesView(buffer.data(), bytes), Clock());
    Perform();
    link = Find(id);
    if (link == nullptr || link->phase != Phase::kOpen) return;
    if (!link->known && broker.Knows(id)) {
      link->known = true;
      --unknown;
      if (--unknown_by_address[link->address] == 0) unknown_by_address.erase(link->address);
      Accept();
    }
    // Who sends without reading what we answer is not read either.
    if (!link->may_read || link->out.size() > options.limits.unsent_bytes) return;
  }
  // Acknowledge at once: Paho does not set TCP_NODELAY, and would wait 40 ms for our delayed ACK.
  const int on = 1;
  ::setsockopt(link->socket.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  if (more && link->stream.HasBuffered()) {
    OnThread([id](Impl& self) { self.Resume(id); });
  } else {
    WaitRead(*link);
  }
}

// Reads on where reading was held back.
void MqttServer::Impl::Resume(ConnectionId id) {
  Link* link = Find(id);
  if (link != nullptr && link->phase == Phase::kOpen && link->may_read && !link->waits_read) {
    ReadSome(*link);
  }
}

// Reads what still comes and forgets it: closing with unread bytes would make the kernel throw away
// our last words.
void MqttServer::Impl::Drain(Link& link) {
  for (int i = 0; i < kReadsATurn; ++i) {
    const auto [state, bytes] = link.stream.Read(buffer);
    if (state == State::kDone) continue;
    if (state == State::kClosed) return Remove(link.id);
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
  const std::vector<ConnectionId> ids = std::exchange(dirty, {});
  for (const ConnectionId id : ids) {
    Link* link = Find(id);
    if (link == nullptr) continue;
    link->dirty = false;
    Flush(*link);
  }
}

// Sends what can be sent at once. kDone: all of it.
ServerStream::State MqttServer::Impl::WriteOut(Link& link, std::size_t& sent) {
  while (!link.out.empty()) {
    std::array<iovec, kGather> pieces;
    const std::size_t count = link.out.Gather(pieces);
    CrashPoint("relay.send.before");
    const auto [state, bytes] = link.stream.Write(std::span(pieces).first(count), scratch);
    if (state != State::kDone) return state;
    CrashPoint("relay.send.after");
    link.out.Consume(bytes);
    sent += bytes;
  }
  return State::kDone;
}

void MqttServer::Impl::Flush(Link& link) {
  if (link.waits_write) return;
  const ConnectionId id = link.id;
  std::size_t sent = 0;
  const bool held_back = link.out.size() > options.limits.unsent_bytes;
  const State state = WriteOut(link, sent);
  if (state == State::kClosed) return Lost(id);
  if (state != State::kDone) WaitWrite(link);
  const bool now_empty = link.out.empty();
  if (link.phase == Phase::kClosing) {
    if (now_empty) BeginDrain(link);
    return;
  }
  if (held_back && link.out.size() <= options.limits.unsent_bytes && link.may_read) {
    OnThread([id](Impl& self) { self.Resume(id); });
  }
  if (sent > 0) {
    broker.Sent(id, sent, Clock());
    Perform();
  }
}

// The peer is gone.
void MqttServer::Impl::Lost(ConnectionId id) {
  Remove(id);
  broker.Closed(id, Clock());
  Perform();
}

void MqttServer::Impl::BeginClose(Link& link) {
  if (link.phase == Phase::kClosing || link.phase == Phase::kDraining) return;
  link.phase = Phase::kClosing;
  Limit(link, options.drain_for);
  MarkDirty(link);  // Flush goes on to BeginDrain
}

void MqttServer::Impl::BeginDrain(Link& link) {
  link.phase = Phase::kDraining;
  link.stream.EndSending();
  WaitRead(link);
}

void MqttServer::Impl::Remove(ConnectionId id) {
  const auto found = links.find(id);
  if (found == links.end()) return;
  Link& link = *found->second;
  if (link.phase == Phase::kHandshake && tls) --handshakes;
  if (!link.known) {
    --unknown;
    if (--unknown_by_address[link.address] == 0) unknown_by_address.erase(link.address);
  }
  limited.erase(id);
  error_code ignored;  // there is nothing left to lose
  link.socket.close(ignored);
  links.erase(found);
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
  std::vector<ConnectionId> late;
  const UtcTime now = Clock();
  for (const ConnectionId id : limited) {
    if (Find(id)->deadline <= now) late.push_back(id);
  }
  for (const ConnectionId id : late) {
    const Link* link = Find(id);
    if (link == nullptr) continue;
    if (link->phase == Phase::kHandshake) {
      WriteNote({true, "closed", "", link->address, "no TLS handshake in time"});
    } else if (link->phase == Phase::kOpen) {
      WriteNote({true, "closed", "", link->address, "does not read what is sent to it"});
    }
    Lost(id);
  }
  if (!limited.empty()) StartSweep();
}

void MqttServer::Impl::Perform() {
  for (;;) {
    std::vector<mqtt::Effect> effects = broker.TakeEffects();
    if (effects.empty()) return;
    for (mqtt::Effect& effect : effects) PerformOne(effect);
  }
}

void MqttServer::Impl::PerformOne(mqtt::Effect& effect) {
  if (const auto* send = std::get_if<mqtt::Send>(&effect)) {
    Link* link = Find(send->connection);
    if (link == nullptr) return;
    link->out.Append(*send);
    MarkDirty(*link);
    // A burst must not look like a slow reader. (Whether the peer is gone, Flush will see.)
    if (link->out.size() >= kFlushAtOnce && !link->waits_write && link->phase == Phase::kOpen) {
      std::size_t sent = 0;
      WriteOut(*link, sent);
      if (sent > 0) broker.Sent(link->id, sent, Clock());
    }
  } else if (const auto* close = std::get_if<mqtt::Close>(&effect)) {
    if (Link* link = Find(close->connection)) BeginClose(*link);
  } else if (const auto* reading = std::get_if<mqtt::SetReading>(&effect)) {
    Link* link = Find(reading->connection);
    if (link == nullptr || link->phase != Phase::kOpen) return;
    link->may_read = reading->on;
    if (reading->on) {
      OnThread([id = link->id](Impl& self) { self.Resume(id); });
    }
  } else if (const auto* at = std::get_if<mqtt::WakeAt>(&effect)) {
    wake.expires_after(std::max(at->time - Clock(), std::chrono::milliseconds(0)));
    wake.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (!self || error || self->finished) return;
      self->broker.Tick(self->Clock());
      self->Perform();
    });
  } else if (auto* keep = std::get_if<mqtt::Keep>(&effect)) {
    keeper->Keep(std::move(keep->batch));
  } else if (const auto* page = std::get_if<mqtt::ReadPage>(&effect)) {
    keeper->Read(page->request);
  } else if (const auto* old = std::get_if<mqtt::Sweep>(&effect)) {
    keeper->DropExpired(old->now);
  } else if (const auto* note = std::get_if<mqtt::Note>(&effect)) {
    WriteNote(*note);
  }
}

void MqttServer::Impl::WriteNote(const mqtt::Note& note) {
  if (!note.serious) {
    return log::Debug(
        note.what, {{"client", note.client}, {"address", note.address}, {"detail", note.detail}});
  }
  // Whoever is refused a thousand times a second must not fill the disk with it.
  const UtcTime second = std::chrono::floor<std::chrono::seconds>(Clock());
  if (second != note_second) {
    if (notes_this_second > kSeriousNotesASecond) {
      log::Warning("more of the same",
                   {{"suppressed", std::to_string(notes_this_second - kSeriousNotesASecond)}});
    }
    note_second = second;
    notes_this_second = 0;
  }
  if (++notes_this_second > kSeriousNotesASecond) return;
  log::Warning(note.what,
               {{"client", note.client}, {"address", note.address}, {"detail", note.detail}});
}

void MqttServer::Impl::Report() {
  const mqtt::BrokerCounters& now = broker.counters();
  if (now.dropped_full != reported.dropped_full || now.dropped_slow != reported.dropped_slow) {
    log::Warning("messages were dropped in the last minute",
                 {{"queue full", std::to_string(now.dropped_full - reported.dropped_full)},
                  {"slow reader", std::to_string(now.dropped_slow - reported.dropped_slow)}});
  }
  log::Debug("relay", {{"connections", std::to_string(broker.connections())},
                       {"sessions", std::to_string(broker.sessions())},
                       {"published", std::to_string(now.published)},
                       {"delivered", std::to_string(now.delivered)}});
  reported = now;
  report.expires_after(kReportEvery);
  report.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (self && !error && !self->finished) self->Report();
  });
}

// All clients are gone: what they left is committed before we say that we have stopped.
void MqttServer::Impl::Finish() {
  if (finished) return;
  finished = true;
  for (asio::steady_timer* timer : {&accept_pause, &wake, &sweep, &report}) timer->cancel();
  keeper->Stop();
  if (stopped) asio::post(io, std::exchange(stopped, nullptr));
}

Expected<std::unique_ptr<MqttServer>> MqttServer::Start(asio::io_context& io,
                                                        MqttServerOptions options,
                                                        std::unique_ptr<mqtt::Keeper> keeper,
                                                        mqtt::Snapshot snapshot,
                                                        const mqtt::Authoriser& authoriser) {
  auto impl = std::make_shared<Impl>(io, std::move(options), std::move(keeper), authoriser);
  if (impl->options.tls) {
    auto tls = TlsServerContext::Load(*impl->options.tls);
    if (!tls) return std::move(tls).error();
    impl->tls = std::move(*tls);
  }
  if (auto listening = impl->Listen(); !listening) return std::move(listening).error();
  impl->Begin(std::move(snapshot));
  return std::unique_ptr<MqttServer>(new MqttServer(std::move(impl)));
}

MqttServer::MqttServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

MqttServer::~MqttServer() {
  impl_->stopped = nullptr;
  impl_->Finish();
}

std::uint16_t MqttServer::port() const {
  error_code error;
  return impl_->acceptor.local_endpoint(error).port();
}

std::size_t MqttServer::connections() const { return impl_->links.size(); }

const mqtt::BrokerCounters& MqttServer::counters() const { return impl_->broker.counters(); }

void MqttServer::OnFailure(std::function<void(Error)> failed) { impl_->failed = std::move(failed); }

Expected<void> MqttServer::ReloadTls() {
  if (!impl_->options.tls) return {};
  auto tls = TlsServerContext::Load(*impl_->options.tls);
  if (!tls) return std::move(tls).error();
  impl_->tls = std::move(*tls);  // connections keep theirs
  return {};
}

void MqttServer::Stop(std::function<void()> done) {
  if (impl_->finished || impl_->stopping) return;
  impl_->stopping = true;
  impl_->stopped = std::move(done);
  error_code ignored;
  impl_->acceptor.close(ignored);
  std::vector<ConnectionId> strangers;
  for (const auto& [id, link] : impl_->links) {
    if (link->phase == Impl::Phase::kHandshake) strangers.push_back(id);
  }
  impl_->broker.Shutdown(impl_->Clock());
  impl_->Perform();
  for (const ConnectionId id : strangers) impl_->Remove(id);
  if (impl_->links.empty()) impl_->Finish();
}

}  // namespace mig
