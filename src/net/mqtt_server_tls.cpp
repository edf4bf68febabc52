// The relay's certificates and revocation lists while it runs: read again, and what that means for
// connections that are open.
#include "net/mqtt_server_impl.h"
#include "util/log.h"

namespace mig {
namespace {

using boost::system::error_code;

constexpr std::size_t kLinksATurn = 32;  // checking a signature takes 0.1 ms
constexpr std::chrono::hours kSayExpiredEvery{1};

Expected<void> StillGood(const TlsServerContext& tls, const ssl_st* connection, bool by_name) {
  if (!by_name) return tls.CheckAgain(connection);
  auto name = tls.NameOf(connection);
  if (!name) return std::move(name).error();
  return {};
}

}  // namespace

Expected<void> MqttServer::Impl::ReloadTls() {
  if (!tls) return {};
  auto again = tls->Reload();
  if (again) tls = *again;  // connections keep theirs
  auto lists = tls->ReloadRevocations(Now());
  if (again || lists) CheckLinksAgain(again.has_value());
  if (lists) said_expired.reset();
  if (!again) {
    return std::move(again).error().During("certificate, key and CAs stay as they were");
  }
  if (!lists) return std::move(lists).error().During("revocation lists stay as they were");
  return {};
}

void MqttServer::Impl::WatchRevocations() {
  if (!tls || options.tls->revocations.empty()) return;
  CheckRevocations();
  revocations.expires_after(options.check_revocations);
  revocations.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (self && !error && !self->finished) self->WatchRevocations();
  });
}

void MqttServer::Impl::CheckRevocations() {
  if (tls->RevocationsChanged()) {
    if (auto lists = tls->ReloadRevocations(Now()); lists) {
      log::Info("revocation lists read again", {{"revoked", std::to_string(tls->Revocations())}});
      said_expired.reset();
      CheckLinksAgain(false);
    } else {
      log::Error("revocation lists stay as they were", {{"error", lists.error().message()}});
    }
  }
  // Still used: it is better than none. But what was revoked since is not known.
  const UtcTime now = Now();
  if (tls->RevocationsExpire() > now) return;
  if (said_expired && now - *said_expired < kSayExpiredEvery) return;
  said_expired = now;
  log::Error("a revocation list has expired; put a new one in its place",
             {{"expired", FormatRfc3339(tls->RevocationsExpire())}});
}

// Closes the connections whose certificates are not good any more. `by_name`: CAs may have changed
// as well.
void MqttServer::Impl::CheckLinksAgain(bool by_name) {
  std::vector<ConnectionId> ids;
  for (const auto& [id, link] : links) {
    if (link->phase == Phase::kOpen && link->stream.tls() != nullptr) ids.push_back(id);
  }
  CheckSomeAgain(std::move(ids), by_name);
}

// Some each turn, because others are waiting.
void MqttServer::Impl::CheckSomeAgain(std::vector<ConnectionId> rest, bool by_name) {
  for (std::size_t i = 0; i < kLinksATurn && !rest.empty(); ++i) {
    const Link* link = Find(rest.back());
    rest.pop_back();
    if (link == nullptr || link->phase != Phase::kOpen) continue;
    const ssl_st* connection = link->stream.tls();
    const auto good = StillGood(*tls, connection, by_name);
    if (!good)
      broker.Expel(link->id, mqtt::Reason::kNotAuthorized, good.error().message(), Clock());
  }
  Perform();
  if (rest.empty()) return;
  OnThread([rest = std::move(rest), by_name](Impl& self) mutable {
    self.CheckSomeAgain(std::move(rest), by_name);
  });
}

}  // namespace mig
