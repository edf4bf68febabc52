#include "test/modules/file/archive_maker.h"

#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "modules/file/tar_reader.h"

namespace mig::file {
namespace {

std::string Octal(std::uint64_t number, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i-- > 0; number /= 8) text[i] = static_cast<char>('0' + number % 8);
  return text;
}

void Put(std::string& block, std::size_t at, const std::string& text) {
  block.replace(at, text.size(), text);
}

std::string Little(std::uint64_t number, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i, number >>= 8) bytes += static_cast<char>(number & 0xff);
  return bytes;
}

std::string Deflated(const std::string& content) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

void Seal(std::string& block) {
  std::memset(block.data() + 148, ' ', 8);
  std::uint64_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  Put(block, 148, Octal(sum, 6) + std::string("\0 ", 2));
}

std::string TarBlock(const TarHeader& header) {
  std::string block(kTarBlock, '\0');
  Put(block, 0, header.name.substr(0, 100));
  Put(block, 100, "0000644");
  Put(block, 108, "0001750");
  Put(block, 116, "0001751");
  Put(block, 124, header.size_field.empty() ? Octal(header.size, 11) : header.size_field);
  Put(block, 136, Octal(1'700'000'000, 11));
  block[156] = header.type;
  Put(block, 157, header.target.substr(0, 100));
  Put(block, 257, std::string("ustar\00000", 8));
  Put(block, 265, "alice");
  Put(block, 297, "staff");
  Put(block, 345, header.prefix);
  Seal(block);
  return block;
}

std::string TarFile(const std::string& name, const std::string& content, char type) {
  std::string padded = content;
  padded.resize((content.size() + kTarBlock - 1) / kTarBlock * kTarBlock, '\0');
  return TarBlock({.name = name, .type = type, .size = content.size()}) + padded;
}

std::string PaxRecord(const std::string& key, const std::string& value) {
  const std::size_t rest = key.size() + value.size() + 3;  // the space, the = and the line break
  std::size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) ++length;
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

std::string EndMark() { return std::string(2 * kTarBlock, '\0'); }

std::string ZipOf(const std::vector<ZipMember>& members, const std::string& before,
                  const std::string& comment) {
  std::string file = before;
  std::string directory;
  for (const ZipMember& member : members) {
    std::string packed = member.packed;
    if (member.method == 0) packed = member.content;
    if (member.method == 8 && packed.empty()) packed = Deflated(member.content);
    const auto crc =
        static_cast<std::uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(member.content.data()),
                                           static_cast<uInt>(member.content.size()))) +
        member.crc_change;
    const std::size_t size = member.content.size() + member.size_change;
    const std::uint64_t at = file.size() - before.size();
    const std::string sizes = Little(crc, 4) + Little(packed.size(), 4) + Little(size, 4);
    const std::string& local = member.local_name.empty() ? member.name : member.local_name;
    const std::string common =
        Little(member.flags, 2) + Little(member.method, 2) + Little(0x6c20, 2) + Little(0x58ba, 2);
    file += "PK\3\4" + Little(20, 2) + common + sizes + Little(local.size(), 2) + Little(0, 2) +
            local + packed;
    std::string extra = member.extra;
    if (member.zip64) {
      extra +=
          Little(1, 2) + Little(24, 2) + Little(size, 8) + Little(packed.size(), 8) + Little(at, 8);
    }
    const std::string in_64(4, '\xff');
    directory += "PK\1\2" + Little(3 << 8 | 30, 2) + Little(20, 2) + common +
                 (member.zip64 ? Little(crc, 4) + in_64 + in_64 : sizes) +
                 Little(member.name.size(), 2) + Little(extra.size(), 2) + Little(0, 2) +
                 Little(0, 2) + Little(0, 2) + Little(std::uint64_t{member.unix_mode} << 16, 4) +
                 (member.zip64 ? in_64 : Little(at, 4)) + member.name + extra;
  }
  const std::uint64_t at = file.size() - before.size();
  file += directory;
  const bool zip64 = std::any_of(members.begin(), members.end(),
                                 [](const ZipMember& member) { return member.zip64; });
  if (zip64) {
    const std::uint64_t record = file.size();
    file += "PK\6\6" + Little(44, 8) + Little(45, 2) + Little(45, 2) + Little(0, 4) + Little(0, 4) +
            Little(members.size(), 8) + Little(members.size(), 8) + Little(directory.size(), 8) +
            Little(at, 8);
    file += "PK\6\7" + Little(0, 4) + Little(record, 8) + Little(1, 4);
  }
  file += "PK\5\6" + Little(0, 2) + Little(0, 2) + Little(zip64 ? 0xffff : members.size(), 2) +
          Little(zip64 ? 0xffff : members.size(), 2) +
          (zip64 ? std::string(8, '\xff') : Little(directory.size(), 4) + Little(at, 4)) +
          Little(comment.size(), 2) + comment;
  return file;
}

MemberVisitor::Want MemberLog::Begin(const Member& member) {
  members.push_back(member);
  content_.clear();
  return members.size() > no_more_after ? Want::kNoMore : want;
}

bool MemberLog::Content(BytesView bytes) {
  content_.append(bytes);
  return true;
}

void MemberLog::End() {
  const Member& member = members.back();
  lines.push_back(member.name + "|" + std::to_string(member.size) + "|" +
                  (member.withheld.empty() ? content_ : std::string(member.withheld)));
}

void MemberLog::Broken(const Error& error) {
  lines.push_back(members.back().name + "!" + error.message());
}

Expected<std::size_t> BytesInMemory::ReadAt(std::uint64_t offset, std::span<char> into) {
  if (offset >= bytes_.size()) return std::size_t{0};
  const BytesView rest = bytes_.substr(static_cast<std::size_t>(offset), into.size());
  std::copy(rest.begin(), rest.end(), into.begin());
  return rest.size();
}

std::string ReadTar(BytesView tar, MemberLog& log, std::size_t step) {
  TarReader reader(log);
  reader.Begin();
  for (; !tar.empty(); tar.remove_prefix(std::min(step, tar.size()))) {
    if (auto fed = reader.Feed(tar.substr(0, step)); !fed) return fed.error().message();
  }
  auto ended = reader.Finish();
  return ended ? "" : ended.error().message();
}

std::string ReadZip(BytesView zip, MemberLog& log) {
  BytesInMemory file(zip);
  auto read = ReadZip(file, log);
  return read ? "" : read.error().message();
}

}  // namespace mig::file
