// Archives, whoever made them: tar as a stream in pieces, zip by its directory.
#include <cstdint>
#include <string>

#include "modules/file/archive_scan.h"
#include "modules/file/zip_reader.h"
#include "test/fuzz/require.h"

namespace {

using namespace mig;

// Holds the readers to what they promise a visitor.
class Strict : public file::MemberVisitor {
 public:
  Want Begin(const file::Member& member) override {
    fuzz::Require(!open_, "a member begins when the last has ended");
    fuzz::Require(member.name.find('\0') == std::string::npos, "names have no NUL");
    fuzz::Require(!ended_, "nothing follows when no more is wanted");
    open_ = true;
    may_have_content_ = member.type == os::FileType::kRegular && member.withheld.empty();
    ++members_;
    ended_ = members_ == 2000;
    return ended_ ? Want::kNoMore : members_ % 5 == 0 ? Want::kNoContent : Want::kContent;
  }
  bool Content(BytesView) override {
    fuzz::Require(open_ && may_have_content_, "content is that of a regular file");
    return ++pieces_ % 7 != 0;
  }
  void End() override { Close(); }
  void Broken(const Error&) override { Close(); }

  bool open() const { return open_; }

 private:
  void Close() {
    fuzz::Require(open_, "only what has begun ends");
    open_ = false;
  }
  bool open_ = false;
  bool ended_ = false;
  bool may_have_content_ = false;
  std::uint64_t members_ = 0, pieces_ = 0;
};

class Ranges : public file::ByteRanges {
 public:
  explicit Ranges(BytesView bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Expected<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const BytesView part = bytes_.substr(static_cast<std::size_t>(offset), into.size());
    part.copy(into.data(), part.size());
    return part.size();
  }

 private:
  BytesView bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const char*>(data), size);
  if (file::BeginsZip(bytes)) {
    Strict visitor;
    Ranges ranges(bytes);
    (void)file::ReadZip(ranges, visitor);
    fuzz::Require(!visitor.open(), "every member of a zip ends");
    return 0;
  }
  for (const std::size_t step : {std::size_t{37}, size + 1}) {
    Strict visitor;
    file::TarReader reader(visitor);
    reader.Begin();
    bool broken = false;
    for (BytesView rest = bytes; !rest.empty() && !broken;
         rest.remove_prefix(std::min(step, rest.size()))) {
      broken = !reader.Feed(rest.substr(0, step));
    }
    if (!broken) (void)reader.Finish();
    fuzz::Require(reader.ended(), "a tar that ends has ended");
    fuzz::Require(!visitor.open(), "every member of a tar ends");
  }
  return 0;
}
