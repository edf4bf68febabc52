#include "modules/frames.h"

#include <catch2/catch.hpp>

#include "util/encoding.h"

using namespace mig;

namespace {

// Every frame in `bytes`, fed `step` bytes at a time.
Expected<std::vector<Frame>> DecodeAll(BytesView bytes, std::size_t step,
                                       bool* finished = nullptr) {
  FrameDecoder decoder;
  std::vector<Frame> frames;
  while (!bytes.empty()) {
    if (auto fed = decoder.Feed(bytes.substr(0, step)); !fed) return std::move(fed).error();
    bytes.remove_prefix(std::min(step, bytes.size()));
    for (;;) {
      auto next = decoder.Next();
      if (!next) return std::move(next).error();
      if (!next->has_value()) break;
      frames.push_back(std::move(**next));
    }
  }
  if (finished != nullptr) *finished = decoder.finished();
  return frames;
}

ModuleResult Summary() {
  ModuleResult summary;
  summary.success = true;
  summary.statistics = json::object{{"filescount", 2}};
  return summary;
}

}  // namespace

TEST_CASE("frames: the example of the header, byte for byte", "[modules]") {
  CHECK(EncodeHex(EncodeElement("s1", 7).value()) ==
        "0000000601000273313"
        "7");
}

TEST_CASE("frames: elements and the summary come out whole, however the pipe cuts them",
          "[modules]") {
  const Bytes stream = EncodeElement("s1", json::object{{"file", "/etc/passwd"}}).value() +
                       EncodeElement("", nullptr).value() + EncodeSummary(Summary());
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{7}, stream.size()}) {
    INFO(step);
    bool finished = false;
    const auto frames = DecodeAll(stream, step, &finished);
    REQUIRE(frames);
    REQUIRE(frames->size() == 3);
    CHECK(finished);
    CHECK((*frames)[0].element->label == "s1");
    CHECK(json::Write((*frames)[0].element->element) == R"({"file":"/etc/passwd"})");
    CHECK((*frames)[0].element->encoded_bytes == 22);
    CHECK((*frames)[1].element->label.empty());
    CHECK((*frames)[2].summary->success);
    CHECK(json::Write((*frames)[2].summary->statistics) == R"({"filescount":2})");
  }
}

TEST_CASE("frames: a stream that was cut off is not finished", "[modules]") {
  const Bytes stream = EncodeElement("s1", 1).value() + EncodeSummary(Summary());
  for (std::size_t length = 0; length < stream.size(); ++length) {
    bool finished = true;
    REQUIRE(DecodeAll(BytesView(stream).substr(0, length), 4096, &finished));
    CHECK_FALSE((length > 0 && finished));
  }
}

TEST_CASE("frames: what is not ours is malformed, and stays so", "[modules]") {
  const Bytes good = EncodeSummary(Summary());
  const std::vector<Bytes> bad = {
      DecodeHex("00000000").value(),  // no type
      DecodeHex("00020001").value(),  // one byte more than a frame may have
      DecodeHex("ffffffff").value(),
      DecodeHex("0000000103").value(),  // unknown type
      DecodeHex("00000001"
                "01")
          .value(),  // element without label length
      DecodeHex("00000004"
                "01"
                "000573")
          .value(),  // label longer than its frame
      DecodeHex("00000005"
                "01"
                "0001ff37")
          .value(),  // label not UTF-8
      DecodeHex("00000005"
                "01"
                "0001737b")
          .value(),  // JSON cut off
      DecodeHex("00000002"
                "0237")
          .value(),  // a summary that is no object
      good + "x",    // more after the end
      good + good,
  };
  for (const Bytes& bytes : bad) {
    INFO(EncodeHex(bytes));
    const auto frames = DecodeAll(bytes, 4096);
    REQUIRE_FALSE(frames);
    CHECK(frames.error().code() == Errc::kMalformed);
  }
  FrameDecoder decoder;
  REQUIRE(decoder.Feed(bad[0]));
  CHECK_FALSE(decoder.Next());
  CHECK_FALSE(decoder.Feed(good));
  CHECK_FALSE(decoder.Next());
}

TEST_CASE("frames: an element that is too large is refused, a summary is cut until it fits",
          "[modules]") {
  CHECK(EncodeElement("s1", json::value(std::string(kMaxFrameBytes, 'x'))).error().code() ==
        Errc::kFull);
  CHECK(EncodeElement(std::string(300, 'l'), 1).error().code() == Errc::kFull);

  ModuleResult summary = Summary();
  for (int i = 0; i < 20'000; ++i) summary.errors.push_back("error " + std::to_string(i));
  auto frames = DecodeAll(EncodeSummary(summary), 4096);
  REQUIRE(frames);
  const ModuleResult& cut = *frames->back().summary;
  CHECK(cut.errors.front() == "error 0");
  CHECK(cut.errors.back().find("more errors did not fit") != std::string::npos);
  CHECK(cut.statistics.is_object());

  summary.statistics = json::value(std::string(kMaxFrameBytes, 'x'));
  summary.elements = json::object{{"x", std::string(kMaxFrameBytes, 'x')}};
  frames = DecodeAll(EncodeSummary(summary), 4096);
  REQUIRE(frames);
  CHECK_FALSE(frames->back().summary->success);
  CHECK(frames->back().summary->elements.is_null());
}

TEST_CASE("frames: a child that sends one endless frame does not fill our memory", "[modules]") {
  FrameDecoder decoder;
  REQUIRE(decoder.Feed(DecodeHex("7fffffff01").value()));
  CHECK_FALSE(decoder.Next());
  CHECK_FALSE(decoder.Feed(std::string(1000, 'x')));
}
