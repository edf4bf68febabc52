#include "net/server_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace mig {
namespace {

constexpr std::size_t kMaxRecordBytes = 16 * 1024;

ServerStream::State StateOfErrno(ServerStream::State wait) {
  const bool again = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  return again ? wait : ServerStream::State::kClosed;
}

}  // namespace

void ServerStream::FreeTls::operator()(ssl_st* tls) const { SSL_free(tls); }

ServerStream::ServerStream(int socket, ssl_st* tls) : socket_(socket), tls_(tls) {}

ServerStream::State ServerStream::StateOf(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return State::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return State::kWantWrite;
    default:
      break;
  }
  if (const unsigned long number = ERR_get_error(); number != 0) {
    const char* reason = ERR_reason_error_string(number);
    problem_ = reason == nullptr ? "TLS error" : reason;
  }
  // An entry left in the queue would be taken for a failure of the next connection.
  ERR_clear_error();
  return State::kClosed;
}

ServerStream::State ServerStream::Handshake() {
  if (tls_ == nullptr) return State::kDone;
  const int result = SSL_do_handshake(tls_.get());
  return result == 1 ? State::kDone : StateOf(result);
}

ServerStream::Result ServerStream::Read(std::span<char> buffer) {
  if (tls_ != nullptr) {
    std::size_t bytes = 0;
    const int result = SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &bytes);
    if (result == 1) return {State::kDone, bytes, true};  // one record at a time
    return {StateOf(result)};
  }
  const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  const auto bytes = static_cast<std::size_t>(got);
  // A read that does not fill the buffer emptied the socket.
  if (got > 0) return {State::kDone, bytes, bytes == buffer.size()};
  if (got == 0) return {State::kClosed};
  return {StateOfErrno(State::kWantRead)};
}

ServerStream::Result ServerStream::Write(std::span<const iovec> pieces, Bytes& scratch) {
  if (tls_ != nullptr) {
    const iovec& first = pieces.front();
    BytesView record(static_cast<const char*>(first.iov_base), first.iov_len);
    if (pieces.size() > 1 && first.iov_len < kMaxRecordBytes) {
      scratch.clear();
      for (const iovec& piece : pieces) {
        const std::size_t room = kMaxRecordBytes - scratch.size();
        scratch.append(static_cast<const char*>(piece.iov_base), std::min(room, piece.iov_len));
        if (scratch.size() == kMaxRecordBytes) break;
      }
      record = scratch;
    }
    std::size_t bytes = 0;
    const int result = SSL_write_ex(tls_.get(), record.data(), record.size(), &bytes);
    if (result == 1) return {State::kDone, bytes};
    return {StateOf(result)};
  }
  if (pieces.size() == 1) {  // the usual case, and cheaper than a list of one
    const ssize_t bytes = ::send(socket_, pieces.front().iov_base, pieces.front().iov_len,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
    if (bytes >= 0) return {State::kDone, static_cast<std::size_t>(bytes)};
    return {StateOfErrno(State::kWantWrite)};
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg only reads
  message.msg_iovlen = pieces.size();
  const ssize_t bytes = ::sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (bytes >= 0) return {State::kDone, static_cast<std::size_t>(bytes)};
  return {StateOfErrno(State::kWantWrite)};
}

bool ServerStream::HasBuffered() const {
  return tls_ != nullptr && SSL_has_pending(tls_.get()) == 1;
}

std::string_view ServerStream::protocol() const {
  if (tls_ == nullptr) return {};
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(tls_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

LinkStream::State ServerStream::EndSending() {
  if (tls_ != nullptr && SSL_is_init_finished(tls_.get()) == 1) {
    SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
  ::shutdown(socket_, SHUT_WR);
  return State::kDone;
}

}  // namespace mig
