#include "test/e2e/mqtt_swarm.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace mig::e2e {

using namespace mqtt;

Swarm::Swarm() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

Swarm::~Swarm() { close(epoll_); }

bool Swarm::Run(std::chrono::microseconds deadline, const std::function<bool()>& done) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + deadline;
  while (!done() && problems_.empty()) {
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(end - Clock::now());
    if (left.count() <= 0) return false;
    const timespec wait{static_cast<time_t>(left.count() / 1'000'000'000),
                        static_cast<long>(left.count() % 1'000'000'000)};
    std::array<epoll_event, 32> events;
    const int count = epoll_pwait2(epoll_, events.data(), events.size(), &wait, nullptr);
    for (int i = 0; i < count; ++i) {
      const auto found = clients_.find(events[static_cast<std::size_t>(i)].data.fd);
      if (found != clients_.end()) {
        found->second->OnEvents(events[static_cast<std::size_t>(i)].events);
      }
    }
  }
  return true;
}

void SwarmClient::Problem(const std::string& text) { swarm_.Problem(id_ + ": " + text); }

void SwarmClient::Connect(std::uint16_t port) {
  Down();
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  epoll_event event{EPOLLIN | EPOLLOUT, {.fd = fd_}};
  epoll_ctl(swarm_.epoll_, EPOLL_CTL_ADD, fd_, &event);
  swarm_.clients_[fd_] = this;
  wants_write_ = true;
  state_ = State::kConnecting;
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    return Down();
  }
  mqtt::Connect packet;
  packet.version = version_;
  packet.clean_start = clean_;
  packet.client_id = id_;
  if (version_ == Version::k5 && !clean_) {
    packet.properties.Add(PropertyId::kSessionExpiryInterval, 3600);
  }
  AppendPacket(out_, packet, version_);
}

void SwarmClient::Down() {
  if (fd_ < 0) return;
  swarm_.clients_.erase(fd_);
  close(fd_);
  fd_ = -1;
  state_ = State::kDown;
  in_.clear();
  out_.clear();
  wants_write_ = false;
}

void SwarmClient::Disconnect() {
  if (state_ == State::kUp) {
    Send(mqtt::Disconnect{});
    Flush();
  }
  Down();
}

void SwarmClient::Send(const Packet& packet) { AppendPacket(out_, packet, version_); }

void SwarmClient::Flush() {
  while (fd_ >= 0 && !out_.empty()) {
    const ssize_t sent = send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) break;
    if (sent <= 0) return Down();
    out_.erase(0, static_cast<std::size_t>(sent));
  }
  if (fd_ >= 0) WaitToWrite(!out_.empty());
}

void SwarmClient::WaitToWrite(bool on) {
  if (on == wants_write_) return;
  wants_write_ = on;
  epoll_event event{EPOLLIN | (on ? std::uint32_t{EPOLLOUT} : 0), {.fd = fd_}};
  epoll_ctl(swarm_.epoll_, EPOLL_CTL_MOD, fd_, &event);
}

void SwarmClient::OnEvents(std::uint32_t events) {
  if (state_ == State::kConnecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Down();
    state_ = State::kWaiting;
  }
  // What was sent before the end is read before the end.
  while (fd_ >= 0) {
    std::array<char, 16'384> buffer;
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EAGAIN) break;
    if (got > 0) in_.append(buffer.data(), static_cast<std::size_t>(got));
    std::size_t used = 0;
    for (;;) {
      const auto header = ReadFixedHeader(BytesView(in_).substr(used));
      if (!header) return Problem("the relay sent " + header.error().message());
      if (!*header || in_.size() - used < (*header)->PacketBytes()) break;
      const std::size_t size = (*header)->PacketBytes();
      auto packet = Decode(BytesView(in_).substr(used, size), version_);
      if (!packet) return Problem("the relay sent " + packet.error().message());
      used += size;
      ++swarm_.packets_;
      Handle(std::move(*packet));
      if (fd_ < 0) return;
    }
    in_.erase(0, used);
    if (got <= 0) return Down();
  }
  Flush();
}

void SwarmClient::Handle(Packet packet) {
  if (const auto* connack = std::get_if<ConnAck>(&packet)) {
    // The store cannot be written for the moment: whoever wants a session comes again.
    if (connack->code == (version_ == Version::k5 ? 0x88 : 3)) return Down();
    if (connack->code != 0) return Problem("CONNACK " + std::to_string(connack->code));
    if (has_session_ && !connack->session_present) return Problem("its session is lost");
    if (clean_) subscribed_ = false;
    has_session_ = !clean_;
    state_ = State::kUp;
    if (!connack->session_present) received_.clear();
    if (!subscribed_ && !wanted_.empty()) {
      Subscribe subscribe;
      subscribe.packet_id = 0xFFFF;
      subscribe.entries = wanted_;
      Send(subscribe);
    }
    // [MQTT-4.4.0-1], [MQTT-4.6.0-1]
    for (Outgoing& each : outgoing_) {
      if (each.released) {
        Send(Ack{PacketType::kPubRel, each.packet.packet_id, Reason::kSuccess, {}});
      } else {
        each.packet.dup = true;
        Send(each.packet);
      }
    }
    if (on_up) on_up();
  } else if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
    bool is_new = true;
    if (publish->qos == Qos::kExactlyOnce) is_new = received_.insert(publish->packet_id).second;
    if (is_new && on_message) on_message(*publish);
    if (publish->qos == Qos::kAtLeastOnce) {
      Send(Ack{PacketType::kPubAck, publish->packet_id, Reason::kSuccess, {}});
    } else if (publish->qos == Qos::kExactlyOnce) {
      Send(Ack{PacketType::kPubRec, publish->packet_id, Reason::kSuccess, {}});
    }
  } else if (const auto* ack = std::get_if<Ack>(&packet)) {
    HandleAck(*ack);
  } else if (const auto* suback = std::get_if<SubAck>(&packet)) {
    for (const Reason reason : suback->reasons) {
      if (static_cast<int>(reason) > 2) return Problem("SUBACK with a refusal");
    }
    subscribed_ = true;
  } else if (const auto* disconnect = std::get_if<mqtt::Disconnect>(&packet)) {
    if (disconnect->reason != Reason::kServerShuttingDown) {
      return Problem("DISCONNECT " + std::to_string(static_cast<int>(disconnect->reason)));
    }
    Down();
  }
}

void SwarmClient::HandleAck(const Ack& ack) {
  if (ack.type == PacketType::kPubRel) {
    received_.erase(ack.packet_id);
    return Send(Ack{PacketType::kPubComp, ack.packet_id, Reason::kSuccess, {}});
  }
  const auto found = std::ranges::find_if(
      outgoing_, [&](const Outgoing& each) { return each.packet.packet_id == ack.packet_id; });
  if (found == outgoing_.end()) return;  // of an exchange that ended before
  if (ack.type == PacketType::kPubRec && static_cast<int>(ack.reason) < 0x80) {
    const bool is_first = !std::exchange(found->released, true);
    Send(Ack{PacketType::kPubRel, ack.packet_id, Reason::kSuccess, {}});
    const mqtt::Publish packet = found->packet;  // `found` ends where the next one is published
    if (is_first && on_accepted) on_accepted(packet, ack.reason);
    return;
  }
  const Outgoing done = std::move(*found);
  outgoing_.erase(found);
  if (ack.type != PacketType::kPubComp && on_accepted) on_accepted(done.packet, ack.reason);
  if (ack.type == PacketType::kPubComp && on_up) on_up();  // room for more
}

void SwarmClient::Publish(std::string topic, Bytes payload, Qos qos, bool retain) {
  mqtt::Publish packet;
  const auto in_use = [this](std::uint16_t id) {
    return std::ranges::any_of(outgoing_,
                               [id](const Outgoing& each) { return each.packet.packet_id == id; });
  };
  do {
    // Few, so that each is used again and again.
    last_packet_id_ = static_cast<std::uint16_t>(last_packet_id_ % 100 + 1);
  } while (in_use(last_packet_id_));
  packet.packet_id = last_packet_id_;
  packet.topic = std::move(topic);
  packet.payload = std::move(payload);
  packet.qos = qos;
  packet.retain = retain;
  if (state_ == State::kUp) {
    Send(packet);
    WaitToWrite(true);
  }
  outgoing_.push_back({std::move(packet), false});
}

}  // namespace mig::e2e
