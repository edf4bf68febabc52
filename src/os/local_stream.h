// Conversations over a Unix socket, one after the other, for programs that have nothing else to do
// meanwhile: ssh-agent and our own holder of keys. Every call has a deadline. Servers that do many
// things at once use net/local_control.h.
#pragma once

#include <chrono>
#include <filesystem>

#include "os/files.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::os {

class LocalStream {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // Errors: kUnavailable: nobody listens there; kDenied: not for this user; kTimeout.
  static Expected<LocalStream> Connect(const std::filesystem::path& socket, Deadline deadline);

  explicit LocalStream(FileDescriptor socket) : socket_(std::move(socket)) {}

  // All of it. Errors: kTimeout; kUnavailable: the other end has closed.
  Expected<void> Write(BytesView bytes, Deadline deadline);
  // Exactly `size` bytes. Errors as Write.
  Expected<Bytes> Read(std::size_t size, Deadline deadline);

  // Who is at the other end (SO_PEERCRED, as the kernel knows it). Error: kIo.
  Expected<unsigned> PeerUser() const;

 private:
  FileDescriptor socket_;
};

// Our own user (geteuid).
unsigned OwnUser();

class LocalListener {
 public:
  // Makes the socket, mode 0600, in place of one that was left behind: the caller knows that nobody
  // uses it. Its folder must be private. Errors: kInvalid, kDenied, kIo.
  static Expected<LocalListener> Listen(const std::filesystem::path& socket);
  LocalListener(LocalListener&&) = default;
  LocalListener& operator=(LocalListener&&) = delete;
  ~LocalListener();  // removes the socket

  // Another process goes on with it: closed here, and not removed.
  void Leave() { socket_.Reset(); }

  // The next one who connects, or kTimeout.
  Expected<LocalStream> Accept(LocalStream::Deadline deadline);

 private:
  LocalListener(FileDescriptor socket, FileDescriptor folder, std::string name)
      : socket_(std::move(socket)), folder_(std::move(folder)), name_(std::move(name)) {}
  FileDescriptor socket_;
  FileDescriptor folder_;
  std::string name_;
};

}  // namespace mig::os
