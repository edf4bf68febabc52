// An event stream in: nothing crashes, no event outgrows the bound, and the pieces in which the
// stream arrives make no difference.
#include "net/sse_parser.h"

#include <cstdint>

#include "test/fuzz/require.h"

namespace {

constexpr std::size_t kBound = 512;

struct Outcome {
  std::vector<mig::SseEvent> events;
  bool refused = false;
};

Outcome Read(std::string_view stream, std::size_t piece) {
  Outcome outcome;
  mig::SseParser parser(kBound);
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    auto events = parser.Feed(stream.substr(at, piece));
    if (!events) {
      outcome.refused = true;
      return outcome;
    }
    for (mig::SseEvent& event : *events) outcome.events.push_back(std::move(event));
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  if (stream.empty()) return 0;
  const Outcome whole = Read(stream, stream.size());
  const Outcome pieces = Read(stream, 1 + static_cast<std::size_t>(data[0]) % 7);
  for (const mig::SseEvent& event : pieces.events) {
    mig::fuzz::Require(event.data.size() <= kBound, "an event is within the bound");
    mig::fuzz::Require(!event.event.empty(), "every event has a name");
  }
  // A refusal may come before events of the same piece have been handed over.
  if (whole.refused || pieces.refused) return 0;
  mig::fuzz::Require(whole.events.size() == pieces.events.size(), "as many events in pieces");
  for (std::size_t i = 0; i < whole.events.size(); ++i) {
    const auto& a = whole.events[i];
    const auto& b = pieces.events[i];
    mig::fuzz::Require(a.event == b.event && a.id == b.id && a.data == b.data,
                       "the same events in pieces");
  }
  return 0;
}
