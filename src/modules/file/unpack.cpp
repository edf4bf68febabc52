#include "modules/file/unpack.h"

#include <algorithm>
#include <string>

namespace mig::file {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;

}  // namespace

Unpacker::Unpacker() = default;
Unpacker::~Unpacker() = default;

Expected<void> Unpacker::Begin(const PackedFormat& format) {
  const auto index = static_cast<std::size_t>(&format - PackedFormats().data());
  std::unique_ptr<Decoder>& decoder = decoders_.at(index);
  if (decoder == nullptr) decoder = format.make();
  if (out_.empty()) out_.resize(kChunk);
  format_ = &format;
  decoder_ = decoder.get();
  between_ = false;
  packed_ = unpacked_ = 0;
  if (decoder_->Begin()) return {};
  return Error(Errc::kInternal, "no memory to unpack " + std::string(format.name));
}

Expected<void> Unpacker::Feed(BytesView packed, const Take& take) {
  packed_ += packed.size();
  // A decoder may hold back what it has no room for, so a full buffer asks for another turn.
  bool more = false;
  while (!packed.empty() || more) {
    if (between_) {
      // Another member, or padding with zeros, which the tools ignore too.
      const std::size_t next = packed.find_first_not_of('\0');
      if (next == packed.npos) return {};
      packed.remove_prefix(next);
      if (!decoder_->Begin()) return Error(Errc::kInternal, "no memory to unpack the next member");
      between_ = false;
    }
    const std::size_t before = packed.size();
    auto step = decoder_->Unpack(packed, out_);
    if (!step) return std::move(step).error();
    unpacked_ += step->produced;
    if (step->produced > 0 && !take(BytesView(out_.data(), step->produced))) return {};
    if (unpacked_ > kUnpackedInAnyCase && unpacked_ / kMostRatio > packed_) {
      return Error(Errc::kFull, std::string(format_->name) + " that unpacks to more than " +
                                    std::to_string(kMostRatio) + " times its size");
    }
    between_ = step->ended;
    more = !between_ && step->produced == out_.size();
    if (!between_ && step->produced == 0 && before > 0 && packed.size() == before) {
      return Error(Errc::kMalformed,
                   "broken " + std::string(format_->name) + ": it does not go on");
    }
  }
  return {};
}

Expected<void> Unpacker::Finish() {
  if (between_) return {};
  return Error(Errc::kMalformed, "broken " + std::string(format_->name) + ": it ends too early");
}

}  // namespace mig::file
