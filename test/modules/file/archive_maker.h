// Archives for tests, made block by block, so that any of it can be wrong, and a visitor that
// writes down what a reader shows it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "modules/file/member.h"
#include "modules/file/zip_reader.h"

namespace mig::file {

// One tar header block (POSIX ustar) with a right checksum.
struct TarHeader {
  std::string name = "a";
  char type = '0';
  std::uint64_t size = 0;
  std::string target = {};
  std::string prefix = {};
  std::string size_field = {};  // instead of `size`, as it is
};
std::string TarBlock(const TarHeader& header);
// The checksum of a block made right again.
void Seal(std::string& block);
// A header and its content, padded.
std::string TarFile(const std::string& name, const std::string& content, char type = '0');
// "LENGTH key=value\n"
std::string PaxRecord(const std::string& key, const std::string& value);
std::string EndMark();

// One member of a zip.
struct ZipMember {
  std::string name = "a";
  std::string content = {};
  std::uint16_t method = 0;  // 8 deflates; of others `packed` is taken as it is
  std::string packed = {};
  std::uint16_t flags = 0;
  std::uint32_t unix_mode = 0100644;
  std::string local_name = {};  // where it is to differ
  std::uint32_t crc_change = 0;
  std::uint32_t size_change = 0;
  std::string extra = {};  // of the directory's entry
  bool zip64 = false;      // sizes and place in a zip64 field
};
std::string ZipOf(const std::vector<ZipMember>& members, const std::string& before = "",
                  const std::string& comment = "");

// What a reader has shown: "name|type|size|content" for each member; "name!error" for broken ones.
class MemberLog : public MemberVisitor {
 public:
  Want Begin(const Member& member) override;
  bool Content(BytesView bytes) override;
  void End() override;
  void Broken(const Error& error) override;

  std::vector<std::string> lines;
  std::vector<Member> members;
  Want want = Want::kContent;
  std::size_t no_more_after = SIZE_MAX;  // members

 private:
  std::string content_;
};

class BytesInMemory : public ByteRanges {
 public:
  explicit BytesInMemory(BytesView bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Expected<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) override;

 private:
  BytesView bytes_;
};

// "" or why not.
std::string ReadTar(BytesView tar, MemberLog& log, std::size_t step);
std::string ReadZip(BytesView zip, MemberLog& log);

}  // namespace mig::file
