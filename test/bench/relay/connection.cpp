#include "test/bench/relay/connection.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "mqtt/wire.h"
#include "test/bench/relay/load.h"

namespace mig::bench {
namespace {

using mqtt::PacketType;
using mqtt::Qos;

constexpr auto kVersion = mqtt::Version::k311;
// 127.0.0.2 … 127.0.0.9: each source address has 28,000 ports.
constexpr std::uint32_t kSourceAddresses = 8;

unsigned char First(PacketType type, unsigned flags = 0) {
  return static_cast<unsigned char>(static_cast<unsigned>(type) << 4 | flags);
}

int OpenSocket(std::size_t number) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr =
      htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number % kSourceAddresses));
  bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source);
  return fd;
}

}  // namespace

Connection::Connection(Load& load, const ConnectionOptions& options, std::uint16_t port,
                       const Certificates* certificates)
    : load_(load), number_(options.number), fd_(OpenSocket(options.number)) {
  if (certificates != nullptr) {
    tls_.reset(certificates->NewConnection(fd_, certificates->identity(options.number)));
  }
  mqtt::Connect packet;
  packet.version = kVersion;
  packet.client_id = options.name.empty() ? ClientName(options.number) : options.name;
  packet.clean_start = !options.keep_session;
  packet.keep_alive_seconds = options.keep_alive_seconds;
  mqtt::AppendPacket(out_, packet, kVersion);

  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int result = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (result != 0 && errno != EINPROGRESS) {
    Close();
    return;
  }
  load_.Watch(*this, fd_, EPOLLIN | EPOLLOUT, true);
}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

bool Connection::resumed_tls() const { return tls_ && SSL_session_reused(tls_.get()) == 1; }

void Connection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  tls_.reset();
  close(fd_);
  fd_ = -1;
  out_ = {};
  load_.OnClosed(*this);
}

void Connection::OnReady(std::uint32_t events) {
  if (state_ == State::kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Close();
    if ((events & EPOLLOUT) == 0) return;
    state_ = tls_ ? State::kHandshake : State::kOpen;
    load_.Watch(*this, fd_, EPOLLIN, false);
    if (state_ == State::kOpen) return Flush();
  }
  if (state_ == State::kHandshake) return Handshake();
  if (state_ != State::kOpen) return;
  if (hangs_ && (events & (EPOLLHUP | EPOLLERR)) != 0) return Close();
  if ((events & EPOLLOUT) != 0) {
    waits_write_ = false;
    load_.Watch(*this, fd_, hangs_ ? 0U : static_cast<std::uint32_t>(EPOLLIN), false);
    Flush();
  }
  if (state_ == State::kOpen && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) ReadAll();
}

void Connection::Handshake() {
  const int result = SSL_do_handshake(tls_.get());
  if (result == 1) {
    state_ = State::kOpen;
    load_.Watch(*this, fd_, EPOLLIN, false);
    return Flush();
  }
  const int error = SSL_get_error(tls_.get(), result);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ) return load_.Watch(*this, fd_, EPOLLIN, false);
  if (error == SSL_ERROR_WANT_WRITE) return load_.Watch(*this, fd_, EPOLLIN | EPOLLOUT, false);
  Close();
}

void Connection::ReadAll() {
  static std::array<char, 65536> buffer;  // one thread
  for (bool more = true; more && state_ == State::kOpen && !hangs_;) {
    std::size_t bytes = 0;
    if (tls_) {
      const int result = SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &bytes);
      if (result != 1) {
        const int error = SSL_get_error(tls_.get(), result);
        ERR_clear_error();
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
        return Close();
      }
    } else {
      const ssize_t got = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (got <= 0) return Close();
      bytes = static_cast<std::size_t>(got);
      more = bytes == buffer.size();
    }
    if (in_.empty()) {
      const BytesView all(buffer.data(), bytes);
      const std::size_t used = Parse(all);
      if (used < bytes) in_.assign(all.substr(used));
    } else {
      in_.append(buffer.data(), bytes);
      in_.erase(0, Parse(in_));
      if (in_.empty()) in_ = {};
    }
  }
}

// Handles the whole packets at the start of `bytes` and returns their size.
std::size_t Connection::Parse(BytesView bytes) {
  std::size_t used = 0;
  for (;;) {
    const BytesView rest = bytes.substr(used);
    const auto header = mqtt::ReadFixedHeader(rest);
    if (!header || !*header || rest.size() < (*header)->PacketBytes()) return used;
    OnPacket(**header, rest.substr(0, (*header)->PacketBytes()));
    used += (*header)->PacketBytes();
  }
}

// Not decoded as a whole: the load must cost less than the broker.
void Connection::OnPacket(const mqtt::FixedHeader& header, BytesView packet) {
  mqtt::Reader reader(packet.substr(header.header_bytes));
  switch (header.type()) {
    case PacketType::kConnAck:
      session_present_ = (reader.Byte() & 1) != 0;
      if (reader.Byte() != 0) return;  // refused: the broker closes
      ++connacks;
      return load_.OnConnected(*this);
    case PacketType::kSubAck:
      granted_ = static_cast<std::uint8_t>(packet.back());
      ++subacks;
      return load_.OnSubscribed();
    case PacketType::kPubAck:
    case PacketType::kPubComp:
      ++acknowledged;
      return load_.OnAcknowledged();
    case PacketType::kPubRec:
      return QueueAck(First(PacketType::kPubRel, 2), reader.TwoBytes());
    case PacketType::kPubRel:
      return QueueAck(First(PacketType::kPubComp), reader.TwoBytes());
    case PacketType::kPublish:
      return OnPublish(header, packet);
    default:
      return;
  }
}

void Connection::OnPublish(const mqtt::FixedHeader& header, BytesView packet) {
  ++received;
  mqtt::Reader reader(packet.substr(header.header_bytes));
  reader.Binary();  // the topic
  const unsigned qos = header.first_byte >> 1 & 3;
  if (qos == 1) QueueAck(First(PacketType::kPubAck), reader.TwoBytes());
  if (qos == 2) QueueAck(First(PacketType::kPubRec), reader.TwoBytes());
  load_.OnDelivered(*this, reader.Rest());
}

std::uint16_t Connection::NextId() {
  if (++last_id_ == 0) ++last_id_;
  return last_id_;
}

void Connection::QueueAck(unsigned char first, std::uint16_t id) {
  const char bytes[] = {static_cast<char>(first), 2, static_cast<char>(id >> 8),
                        static_cast<char>(id & 0xFF)};
  out_.append(bytes, sizeof bytes);
  load_.MarkDirty(*this);
}

void Connection::Queue(const mqtt::Packet& packet) {
  mqtt::AppendPacket(out_, packet, kVersion);
  load_.MarkDirty(*this);
}

void Connection::Subscribe(std::string_view filter, Qos qos) {
  mqtt::Subscribe packet;
  packet.packet_id = NextId();
  packet.entries = {{std::string(filter), {qos}}};
  Queue(packet);
}

void Connection::Publish(std::string_view topic, BytesView payload, Qos qos) {
  const std::size_t body = 2 + topic.size() + (qos == Qos::kAtMostOnce ? 0 : 2) + payload.size();
  out_.push_back(static_cast<char>(First(PacketType::kPublish, static_cast<unsigned>(qos) << 1)));
  mqtt::AppendVariable(out_, static_cast<std::uint32_t>(body));
  mqtt::AppendText(out_, topic);
  if (qos != Qos::kAtMostOnce) mqtt::AppendTwoBytes(out_, NextId());
  out_ += payload;
  load_.MarkDirty(*this);
}

void Connection::Ping() { Queue(mqtt::PingReq{}); }

void Connection::Hang() {
  hangs_ = true;
  // Its window, too, is that of a client which has stopped: the kernel takes little for it.
  const int bytes = 4096;
  setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  load_.Watch(*this, fd_, 0, false);
}

void Connection::Flush() {
  if (state_ != State::kOpen || waits_write_) return;
  while (sent_ < out_.size()) {
    const char* data = out_.data() + sent_;
    const std::size_t left = out_.size() - sent_;
    if (tls_) {
      std::size_t bytes = 0;
      const int result = SSL_write_ex(tls_.get(), data, left, &bytes);
      if (result == 1) {
        sent_ += bytes;
        continue;
      }
      const int error = SSL_get_error(tls_.get(), result);
      ERR_clear_error();
      if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ) return Close();
    } else {
      const ssize_t bytes = send(fd_, data, left, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (bytes >= 0) {
        sent_ += static_cast<std::size_t>(bytes);
        continue;
      }
      if (errno != EAGAIN && errno != EINTR) return Close();
    }
    waits_write_ = true;
    load_.Watch(*this, fd_, EPOLLOUT | (hangs_ ? 0U : static_cast<std::uint32_t>(EPOLLIN)), false);
    return;
  }
  out_.clear();
  if (out_.capacity() > 4096) out_.shrink_to_fit();  // of 18,000 most are idle
  sent_ = 0;
}

}  // namespace mig::bench
