#include "modules/file/unpack_formats.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <bit>
#include <climits>
#include <cstdint>
#include <string>

namespace mig::file {
namespace {

// What `xz -9` needs is 65 MiB, `zstd --ultra -21` a window of 64 MiB; more is for whoever packs
// with settings of their own, or wants us to run out of memory.
constexpr std::uint64_t kMostLzmaMemory = std::uint64_t{72} << 20;
constexpr int kLargestZstdWindow = 26;  // as a power of two

Error Broken(std::string_view format, std::string_view why) {
  return Error(Errc::kMalformed, "broken " + std::string(format) + ": " + std::string(why));
}

Error NeedsMemory(std::string_view format) {
  return Error(Errc::kFull,
               std::string(format) + " that needs more than 72 MiB of memory to be unpacked");
}

// gzip, or deflate without anything around it.
class ZlibDecoder : public Decoder {
 public:
  explicit ZlibDecoder(bool bare) : bare_(bare) {}
  ~ZlibDecoder() override {
    if (ready_) inflateEnd(&stream_);
  }

  bool Begin() override {
    constexpr int kGzipOnly = 16;  // windowBits: a gzip header is required
    const int window = bare_ ? -MAX_WBITS : kGzipOnly + MAX_WBITS;
    const int status = ready_ ? inflateReset(&stream_) : inflateInit2(&stream_, window);
    ready_ = ready_ || status == Z_OK;
    return status == Z_OK;
  }

  Expected<Step> Unpack(BytesView& in, std::span<char> out) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(in.size() - stream_.avail_in);
    // Z_BUF_ERROR is "nothing to do with what I have".
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      return Broken(bare_ ? "deflate" : "gzip", stream_.msg != nullptr ? stream_.msg : "bad data");
    }
    return Step{out.size() - stream_.avail_out, status == Z_STREAM_END};
  }

 private:
  bool bare_;
  z_stream stream_{};
  bool ready_ = false;
};

class ZstdDecoder : public Decoder {
 public:
  ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }

  bool Begin() override {
    if (context_ == nullptr) context_ = ZSTD_createDCtx();
    return context_ != nullptr &&
           ZSTD_isError(ZSTD_DCtx_reset(context_, ZSTD_reset_session_only)) == 0 &&
           ZSTD_isError(
               ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kLargestZstdWindow)) == 0;
  }

  Expected<Step> Unpack(BytesView& in, std::span<char> out) override {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const std::size_t status = ZSTD_decompressStream(context_, &output, &input);
    in.remove_prefix(input.pos);
    if (ZSTD_isError(status) != 0) {
      const std::string_view why = ZSTD_getErrorName(status);
      // By its name: the codes are not part of the library's stable interface.
      if (why.find("memory") != why.npos) return NeedsMemory("zstd");
      return Broken("zstd", why);
    }
    return Step{output.pos, status == 0};
  }

 private:
  ZSTD_DCtx* context_ = nullptr;
};

// xz, or the older .lzma.
class LzmaDecoder : public Decoder {
 public:
  explicit LzmaDecoder(bool alone) : alone_(alone) {}
  ~LzmaDecoder() override { lzma_end(&stream_); }

  bool Begin() override {
    const lzma_ret status = alone_ ? lzma_alone_decoder(&stream_, kMostLzmaMemory)
                                   : lzma_stream_decoder(&stream_, kMostLzmaMemory, 0);
    return status == LZMA_OK;
  }

  Expected<Step> Unpack(BytesView& in, std::span<char> out) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret status = lzma_code(&stream_, LZMA_RUN);
    in.remove_prefix(in.size() - stream_.avail_in);
    switch (status) {
      case LZMA_OK:
      case LZMA_BUF_ERROR:
      case LZMA_STREAM_END:
        return Step{out.size() - stream_.avail_out, status == LZMA_STREAM_END};
      case LZMA_MEM_ERROR:
      case LZMA_MEMLIMIT_ERROR:
        return NeedsMemory(name());
      case LZMA_OPTIONS_ERROR:
        return Broken(name(), "it uses a filter or check that is not known here");
      default:
        return Broken(name(), "bad data");
    }
  }

 private:
  std::string_view name() const { return alone_ ? "lzma" : "xz"; }

  bool alone_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class Bzip2Decoder : public Decoder {
 public:
  ~Bzip2Decoder() override { End(); }

  bool Begin() override {
    End();
    stream_ = {};
    ready_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
    return ready_;
  }

  Expected<Step> Unpack(BytesView& in, std::span<char> out) override {
    stream_.next_in = const_cast<char*>(in.data());
    stream_.avail_in = static_cast<unsigned>(in.size());
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<unsigned>(out.size());
    const int status = BZ2_bzDecompress(&stream_);
    in.remove_prefix(in.size() - stream_.avail_in);
    if (status == BZ_MEM_ERROR) return Error(Errc::kInternal, "no memory to unpack bzip2");
    if (status != BZ_OK && status != BZ_STREAM_END) return Broken("bzip2", "bad data");
    return Step{out.size() - stream_.avail_out, status == BZ_STREAM_END};
  }

 private:
  void End() {
    if (ready_) BZ2_bzDecompressEnd(&stream_);
    ready_ = false;
  }

  bz_stream stream_{};
  bool ready_ = false;
};

bool BeginsGzip(BytesView bytes) { return bytes.starts_with("\x1f\x8b"); }

// A frame, or one that is to be skipped (RFC 8878 3.1.2) after another.
bool BeginsZstd(BytesView bytes) { return bytes.starts_with("\x28\xb5\x2f\xfd"); }

bool BeginsXz(BytesView bytes) {
  return bytes.starts_with(
      BytesView("\xfd"
                "7zXZ\0",
                6));
}

// The header has no magic: the usual properties, a dictionary of 2^n or 2^n + 2^(n-1) bytes, and
// a size that is not known or below 256 GiB, as liblzma's own guess has it. One that says that
// nothing is in it is looked at as it is: a few such bytes and zeros are more often something else.
bool BeginsLzma(BytesView bytes) {
  if (bytes.size() < kPackedMagicBytes || bytes[0] != '\x5d') return false;
  const auto number = [&](std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = count; i > 0; --i) {
      value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
    }
    return value;
  };
  const std::uint64_t dictionary = number(1, 4);
  const std::uint64_t size = number(5, 8);
  const bool usual_dictionary =
      dictionary == UINT32_MAX ||
      (dictionary >= 4096 && (std::has_single_bit(dictionary) ||
                              (dictionary % 3 == 0 && std::has_single_bit(dictionary / 3))));
  return usual_dictionary && (size == UINT64_MAX || (size > 0 && size < std::uint64_t{1} << 38));
}

bool BeginsBzip2(BytesView bytes) {
  if (bytes.size() < 10 || !bytes.starts_with("BZh") || bytes[3] < '1' || bytes[3] > '9') {
    return false;
  }
  const BytesView block = bytes.substr(4, 6);  // the first block's, or of an empty file the end's
  return block == "1AY&SY" || block == "\x17\x72\x45\x38\x50\x90";
}

template <typename Made>
std::unique_ptr<Decoder> Make() {
  return std::make_unique<Made>();
}

constexpr std::array kFormats = {
    PackedFormat{"gzip", BeginsGzip,
                 []() -> std::unique_ptr<Decoder> { return std::make_unique<ZlibDecoder>(false); }},
    PackedFormat{"zstd", BeginsZstd, Make<ZstdDecoder>},
    PackedFormat{"xz", BeginsXz,
                 []() -> std::unique_ptr<Decoder> { return std::make_unique<LzmaDecoder>(false); }},
    PackedFormat{"bzip2", BeginsBzip2, Make<Bzip2Decoder>},
    PackedFormat{"lzma", BeginsLzma,
                 []() -> std::unique_ptr<Decoder> { return std::make_unique<LzmaDecoder>(true); }},
};

}  // namespace

std::unique_ptr<Decoder> MakeInflater() { return std::make_unique<ZlibDecoder>(true); }

std::span<const PackedFormat> PackedFormats() { return kFormats; }

const PackedFormat* PackedFormatOf(BytesView beginning) {
  for (const PackedFormat& format : kFormats) {
    if (format.begins(beginning)) return &format;
  }
  return nullptr;
}

}  // namespace mig::file
