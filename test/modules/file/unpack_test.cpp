// Compressed files as their own tools made them, and what is made of broken and hostile ones.
#include "modules/file/unpack.h"

#include <zstd.h>

#include <catch2/catch.hpp>

#include "util/encoding.h"

using namespace mig;
using namespace mig::file;

namespace {

struct Sample {
  const char* format;
  const char* needle;   // base64 of `printf 'needle in a haystack\\n' | TOOL -c`
  const char* another;  // of `printf 'and another\\n' | TOOL -c`
  const char* empty;    // of `TOOL -c </dev/null`
};
// gzip 1.12 -n, zstd 1.5.4, xz 5.4.1, bzip2 1.0.8, xz --format=lzma.
const std::vector<Sample> kSamples = {
    {"gzip", "H4sIAAAAAAAAA8tLTU3JSVXIzFNIVMhIrCwuSUzO5gIAq3643RUAAAA=",
     "H4sIAAAAAAAAA0vMS1FIzMsvyUgt4gIAzzUX7wwAAAA=", "H4sIAAAAAAAAAwMAAAAAAAAAAAA="},
    {"zstd", "KLUv/QRYqQAAbmVlZGxlIGluIGEgaGF5c3RhY2sKFwChEg==",
     "KLUv/QRYYQAAYW5kIGFub3RoZXIKbqTCJA==", "KLUv/SQAAQAAmenYUQ=="},
    {"xz",
     "/Td6WFoAAATm1rRGAgAhARYAAAB0L+"
     "WjAQAUbmVlZGxlIGluIGEgaGF5c3RhY2sKAAAAABKBVUrApm7LAAEtFS8LcW0ftvN9AQAAAAAEWVo=",
     "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQALYW5kIGFub3RoZXIKAGq6ZMZbkcdaAAEkDKYY2NgftvN9AQAAAAAEWVo=",
     "/Td6WFoAAATm1rRGAAAAABzfRCEftvN9AQAAAAAEWVo="},
    {"bzip2", "QlpoOTFBWSZTWf3UGeMAAAjRgAAQQAAubQwgIAAxAAAIQ9TR4pp1Dm/EB4qoKbu18XckU4UJD91BnjA=",
     "QlpoOTFBWSZTWeF16+8AAAFRgAAQQAAmQZQAIAAxADAgaGIssEswE/F3JFOFCQ4XXr7w",
     "QlpoORdyRThQkAAAAAA="},
    {"lzma", "XQAAgAD//////////wA3GWzIbtc47WC7mCcD7fXIndicuLu0bHiV//+5bAAA",
     "XQAAgAD//////////wAwm4ira+DC3X9knREvC+OX//w2NAA=", "XQAAgAD//////////wCD//v//8AAAAA="},
};

Bytes Raw(const char* base64) { return DecodeBase64(base64).value(); }

// What comes out of a file that is read `step` bytes at a time, and how it ends.
struct Unpacked {
  Bytes bytes;
  std::string error;
  Errc code = Errc::kInternal;
};

Unpacked UnpackAll(BytesView file, std::size_t step) {
  static Unpacker unpacker;  // as a worker has one for all its files
  const PackedFormat* format = PackedFormatOf(file);
  REQUIRE(format != nullptr);
  REQUIRE(unpacker.Begin(*format));
  Unpacked out;
  const auto take = [&](BytesView bytes) {
    out.bytes.append(bytes);
    return true;
  };
  Expected<void> fed;
  while (fed && !file.empty()) {
    fed = unpacker.Feed(file.substr(0, step), take);
    file.remove_prefix(std::min(step, file.size()));
  }
  if (fed) fed = unpacker.Finish();
  if (!fed) {
    out.error = fed.error().message();
    out.code = fed.error().code();
  }
  return out;
}

std::string FormatOf(BytesView bytes) {
  const PackedFormat* format = PackedFormatOf(bytes);
  return format == nullptr ? "" : std::string(format->name);
}

Bytes ZstdOf(const Bytes& content) {
  Bytes packed(ZSTD_compressBound(content.size()), '\0');
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 1);
  REQUIRE(ZSTD_isError(size) == 0);
  packed.resize(size);
  return packed;
}

}  // namespace

TEST_CASE("unpack: what each tool packed comes out again, however it is read", "[modules]") {
  for (const Sample& sample : kSamples) {
    CAPTURE(sample.format);
    const Bytes needle = Raw(sample.needle);
    CHECK(FormatOf(needle) == sample.format);
    CHECK(FormatOf(Raw(sample.empty)) == sample.format);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, needle.size()}) {
      CAPTURE(step);
      const Unpacked out = UnpackAll(needle, step);
      CHECK(out.bytes == "needle in a haystack\n");
      CHECK(out.error.empty());
    }
    CHECK(UnpackAll(Raw(sample.empty), 100).bytes.empty());
    CHECK(UnpackAll(Raw(sample.empty), 100).error.empty());
  }
}

TEST_CASE("unpack: members follow one another, with zeros between and behind", "[modules]") {
  for (const Sample& sample : kSamples) {
    CAPTURE(sample.format);
    const Bytes file = Raw(sample.needle) + Raw(sample.empty) + Bytes(4, '\0') +
                       Raw(sample.another) + Bytes(512, '\0');
    for (const std::size_t step : {std::size_t{1}, std::size_t{5}, file.size()}) {
      const Unpacked out = UnpackAll(file, step);
      CHECK(out.bytes == "needle in a haystack\nand another\n");
      CHECK(out.error.empty());
    }
  }
}

TEST_CASE("unpack: what is cut short or has something else behind it is broken", "[modules]") {
  for (const Sample& sample : kSamples) {
    CAPTURE(sample.format);
    const Bytes whole = Raw(sample.needle);
    for (std::size_t size = kPackedMagicBytes; size < whole.size(); ++size) {
      const Unpacked cut = UnpackAll(BytesView(whole).substr(0, size), size);
      CAPTURE(size);
      CHECK(cut.error == std::string("broken ") + sample.format + ": it ends too early");
    }
    const Unpacked behind = UnpackAll(whole + "something else, twenty bytes", 1000);
    CHECK(behind.error.starts_with(std::string("broken ") + sample.format));
    CHECK(behind.bytes == "needle in a haystack\n");
  }
}

TEST_CASE("unpack: a flipped bit never goes unnoticed where the format has a checksum",
          "[modules]") {
  for (const Sample& sample : kSamples) {
    if (sample.format == std::string("lzma")) continue;  // which has none
    CAPTURE(sample.format);
    const Bytes whole = Raw(sample.needle);
    for (std::size_t i = kPackedMagicBytes; i < whole.size(); ++i) {
      Bytes changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ 0x10);
      const Unpacked out = UnpackAll(changed, 1000);
      CAPTURE(i);
      CHECK((!out.error.empty() || out.bytes == "needle in a haystack\n"));
    }
  }
}

TEST_CASE("unpack: plain files are told from packed ones", "[modules]") {
  for (const char* plain : {"", "\x1f", "BZh", "BZh9 is a file of bzip2",
                            "BZh0"
                            "1AY&SY",
                            "(\xb5/", "]\0\0", "7zXZ", "needle"}) {
    CHECK(FormatOf(plain).empty());
  }
  // .lzma has no magic: only a header that liblzma writes is taken for one.
  const Bytes lzma = Raw(kSamples.back().needle);
  Bytes odd_dictionary = lzma;
  odd_dictionary[3] = '\x11';
  CHECK(FormatOf(odd_dictionary).empty());
  Bytes huge = lzma;
  huge[12] = '\x01';
  CHECK(FormatOf(huge).empty());
  CHECK(FormatOf(BytesView(lzma).substr(0, kPackedMagicBytes - 1)).empty());
}

TEST_CASE("unpack: a bomb is given up, a file that packs well is not", "[modules]") {
  // 200 MiB of zeros in some 6 KB; as much text in blocks of zeros up to the ceiling.
  const Bytes bomb = ZstdOf(Bytes(std::size_t{200} << 20, '\0'));
  REQUIRE(bomb.size() * kMostRatio < std::size_t{200} << 20);
  const Unpacked out = UnpackAll(bomb, 1 << 18);
  CHECK(out.code == Errc::kFull);
  CHECK(out.error == "zstd that unpacks to more than 1100 times its size");
  CHECK(out.bytes.size() <= kUnpackedInAnyCase + (1 << 18));

  const Unpacked below = UnpackAll(ZstdOf(Bytes(std::size_t{60} << 20, '\0')), 1 << 18);
  CHECK(below.error.empty());
  CHECK(below.bytes.size() == std::size_t{60} << 20);
}

TEST_CASE("unpack: what needs too much memory to unpack is refused by name", "[modules]") {
  // printf x | zstd --ultra --long=27 -c: the header of a frame asks for the window.
  const Bytes wide = Bytes("\x28\xb5\x2f\xfd\x04\x88", 6) + Bytes(20, 'x');
  const Unpacked zstd = UnpackAll(wide, 1000);
  CHECK(zstd.code == Errc::kFull);
  CHECK(zstd.error == "zstd that needs more than 72 MiB of memory to be unpacked");
  // A .lzma header with a dictionary of 1 GiB.
  Bytes lzma = Raw(kSamples.back().needle);
  lzma.replace(1, 4, Bytes("\0\0\0\x40", 4));
  CHECK(UnpackAll(lzma, 1000).code == Errc::kFull);
}

TEST_CASE("unpack: what begins like .lzma and says that it is empty is looked at as it is",
          "[modules]") {
  const std::string head("]\0\0\x10\0", 5);
  CHECK(FormatOf(head + std::string(8, '\xff') + "x") == "lzma");
  CHECK(FormatOf(head + std::string("\1\0\0\0\0\0\0\0x", 9)) == "lzma");
  CHECK(FormatOf(head + std::string(100, '\0')).empty());
}
