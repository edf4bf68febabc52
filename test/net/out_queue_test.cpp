#include "net/out_queue.h"

#include <array>
#include <catch2/catch.hpp>

namespace mig {
namespace {

mqtt::Send Small(Bytes bytes) {
  mqtt::Send send;
  send.bytes = std::move(bytes);
  return send;
}

mqtt::Send Framed(std::size_t payload, std::uint16_t packet_id, bool dup) {
  mqtt::Message message;
  message.topic = "topic";
  message.payload.assign(payload, 'x');
  mqtt::Send send;
  send.frame = mqtt::MakeFrame(
      message,
      {mqtt::Version::k5, packet_id == 0 ? mqtt::Qos::kAtMostOnce : mqtt::Qos::kAtLeastOnce}, {});
  send.packet_id = packet_id;
  send.dup = dup;
  return send;
}

// Everything in the queue, taken out in steps of `step` bytes.
Bytes TakeAll(OutQueue& queue, std::size_t step) {
  Bytes all;
  while (!queue.empty()) {
    std::array<iovec, 3> pieces;
    const std::size_t count = queue.Gather(pieces);
    REQUIRE(count > 0);
    Bytes gathered;
    for (std::size_t i = 0; i < count; ++i) {
      gathered.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    }
    gathered.resize(std::min(gathered.size(), step));
    all += gathered;
    queue.Consume(gathered.size());
  }
  return all;
}

TEST_CASE("out queue: what goes in comes out, however it is taken", "[net]") {
  for (const std::size_t step : {1UL, 7UL, 1000UL, 1UL << 30}) {
    OutQueue queue;
    Bytes expected;
    for (int i = 0; i < 30; ++i) {
      for (const mqtt::Send& send :
           {Small("abc"), Framed(10, 0, false), Framed(5000, 0x1234, true), Framed(3000, 0, false),
            Small(Bytes(9000, 'y')), Framed(100, 7, true), Small("")}) {
        queue.Append(send);
        mqtt::AppendSend(expected, send);
      }
    }
    CHECK(queue.size() == expected.size());
    CHECK((TakeAll(queue, step) == expected));
    CHECK(queue.empty());
  }
}

TEST_CASE("out queue: large frames are not copied", "[net]") {
  OutQueue queue;
  const mqtt::Send send = Framed(100'000, 1, false);
  queue.Append(send);
  std::array<iovec, 4> pieces;
  REQUIRE(queue.Gather(pieces) == 2);
  const char* shared = static_cast<const char*>(pieces[1].iov_base);
  CHECK(shared >= send.frame->bytes.data());
  CHECK(shared < send.frame->bytes.data() + send.frame->bytes.size());
}

}  // namespace
}  // namespace mig
