#include "net/mqtt_server.h"

#include <netinet/tcp.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "net/mqtt_server_impl.h"
#include "util/encoding.h"
#include "util/log.h"

namespace mig {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using mqtt::ConnectionId;

constexpr std::chrono::seconds kReportEvery{60};
constexpr std::size_t kSpareEffects = 4096;  // beyond, a burst's memory is given back
constexpr int kUnsentInKernel = 128 * 1024;

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

// As the standard writes them: "0x87".
std::string CodeText(std::uint8_t code) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  return {'0', 'x', kDigits[code >> 4], kDigits[code & 15]};
}

}  // namespace

std::string MqttServer::Impl::NewClientId() {
  std::array<char, 16> bytes{};
  for (std::size_t got = 0; got < bytes.size();) {
    const ssize_t more = ::getrandom(bytes.data() + got, bytes.size() - got, 0);
    if (more > 0) got += static_cast<std::size_t>(more);
  }
  return "auto-" + EncodeBase32(BytesView(bytes.data(), bytes.size()));
}

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
  // Linux gives accepted sockets the options of the listening one: three calls less for each.
  acceptor.set_option(tcp::no_delay(true), error);
  acceptor.set_option(asio::socket_base::keep_alive(true), error);
  // What a client does not read is held by us, where it is bounded and counted, and not by the
  // kernel, which would take megabytes for each.
  ::setsockopt(acceptor.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentInKernel,
               sizeof kUnsentInKernel);
  auto handle = poller.Open();
  if (!handle) return std::move(handle).error();
  poll_handle.assign(handle->Release(), error);
  if (error) return Error(Errc::kIo, "poller: " + error.message());
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
    tell([batch](Impl& self) {
      self.commits.Committed(batch, self.Clock());
      self.broker.Committed(batch, self.Clock());
    });
  };
  answers.page = [tell](mqtt::Page page) {
    tell([page = std::move(page)](Impl& self) mutable {
      self.broker.Paged(std::move(page), self.Clock());
    });
  };
  answers.expired = [tell](std::vector<mqtt::ExpiredRow> rows) {
    tell([rows = std::move(rows)](Impl& self) { self.broker.Expired(rows); });
  };
  answers.writable = [tell](bool writable) {
    tell([writable](Impl& self) { self.broker.StoreWritable(writable); });
  };
  answers.failed = [tell](Error error) {
    tell([error = std::move(error)](Impl& self) mutable {
      if (self.failed) std::exchange(self.failed, nullptr)(std::move(error));
    });
  };
  keeper->Start(std::move(answers));
  Perform();
  Poll();
  Accept();
  report.expires_after(kReportEvery);
  report.async_wait([weak](error_code error) {
    if (const auto self = weak.lock(); self && !error) self->Report();
  });
}

void MqttServer::Impl::Perform() {
  for (;;) {
    std::vector<mqtt::Effect> effects = broker.TakeEffects(std::move(spare_effects));
    const bool none = effects.empty();
    for (mqtt::Effect& effect : effects) PerformOne(effect);
    if (effects.capacity() <= kSpareEffects) spare_effects = std::move(effects);
    if (none) return;
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
    commits.Asked(keep->batch.number, keep->batch.operations.size(), Clock());
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
  const Refusals::Line line = refusals.Count(note.reason, Clock());
  if (line.suppressed > 0) {
    log::Warning("more of the same", {{"suppressed", std::to_string(line.suppressed)}});
  }
  if (!line.write) return;
  log::Warning(note.what, {{"client", note.client},
                           {"certificate", note.certificate},
                           {"address", note.address},
                           {"code", note.code == 0 ? "" : CodeText(note.code)},
                           {"reason", std::string(note.reason)},
                           {"detail", note.detail}});
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
  shakers.reset();
  for (asio::steady_timer* timer : {&accept_pause, &wake, &sweep, &report, &revocations}) {
    timer->cancel();
  }
  error_code ignored;
  poll_handle.cancel(ignored);
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
    auto tls = TlsServerContext::Load(*impl->options.tls, impl->Protocols());
    if (!tls) return std::move(tls).error();
    impl->tls = std::move(*tls);
  }
  if (auto listening = impl->Listen(); !listening) return std::move(listening).error();
  if (impl->tls) impl->shakers = std::make_unique<TlsHandshakes>(impl->options.handshake_threads);
  impl->WatchRevocations();
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

const Refusals& MqttServer::refusals() const { return impl_->refusals; }

const MqttServerOptions& MqttServer::options() const { return impl_->options; }

MqttServerFigures MqttServer::Figures() const {
  MqttServerFigures figures;
  figures.broker = impl_->broker.Figures(impl_->Clock());
  figures.loads = impl_->broker.loads();
  figures.connections = impl_->links.size();
  figures.without_connect = impl_->bounds.unknown();
  figures.handshakes = impl_->handshakes;
  figures.handshakes_done = impl_->handshakes_done;
  figures.refusals = impl_->refusals.Totals();
  figures.commits = impl_->commits;
  return figures;
}

std::vector<mqtt::QueueFigures> MqttServer::LargestQueues(std::size_t count) const {
  return impl_->broker.LargestQueues(count);
}

void MqttServer::OnFailure(std::function<void(Error)> failed) { impl_->failed = std::move(failed); }

Expected<void> MqttServer::ReloadTls() { return impl_->ReloadTls(); }

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
