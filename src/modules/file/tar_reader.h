// Tar archives as they come from a stream: POSIX ustar and pax (IEEE Std 1003.1-2017, pax), the
// older form of UNIX V7, and GNU tar's long names, base-256 numbers and sparse files (the content
// of these is withheld). As with tar itself, what follows the end mark is not looked at.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "modules/file/member.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::file {

inline constexpr std::size_t kTarBlock = 512;

class TarReader {
 public:
  // A bound for what is held in memory: a name, or the extended header of one member.
  static constexpr std::uint64_t kLongestHeader = std::uint64_t{1} << 20;

  // The visitor must outlive this.
  explicit TarReader(MemberVisitor& visitor) : visitor_(visitor) {}

  // Whether what begins with this block is a tar archive: its checksum says so.
  static bool Begins(BytesView block);

  // Another archive begins.
  void Begin();
  // Its next bytes. Error: kMalformed; nothing more can be read of it.
  Expected<void> Feed(BytesView bytes);
  // There are no more. Error: kMalformed, when it may not end there.
  Expected<void> Finish();
  // No more of it will come, because of this error.
  void Abandon(const Error& error);
  // Its end has come, or the visitor wants no more.
  bool ended() const { return state_ == State::kEnd; }

 private:
  enum class State {
    kHeader,
    kExtended,   // the content of an extended header or long name
    kSparseMap,  // further blocks of a sparse file's map
    kContent,
    kPassOver,  // content that nobody wants
    kPadding,
    kEnd,
  };
  using Records = std::map<std::string, std::string, std::less<>>;  // of extended headers

  Expected<void> Header(BytesView block);
  Expected<void> Extended();
  Expected<Member> MemberOf(BytesView block) const;
  Expected<void> ApplyRecords(Member& member, std::uint64_t* stored) const;
  const std::string* RecordOf(std::string_view key) const;
  void BeginMember(const Member& member, char type);
  void Content(BytesView bytes);
  void AfterContent();

  MemberVisitor& visitor_;
  State state_ = State::kHeader;
  std::string block_;                    // the part of a block that has come
  std::uint64_t left_ = 0;               // of the content, or the padding behind it
  std::uint64_t padding_ = 0;            // what will follow the content
  char extended_type_ = '\0';            // kExtended
  std::string extended_;                 // kExtended
  Records global_, next_;                // of pax headers, for all that follow and for the next one
  std::string long_name_, long_target_;  // of GNU tar, for the next one
  bool pax_ = false;                     // the next one had an extended header of its own
  bool in_member_ = false;               // its visitor waits for an end
  bool zero_block_ = false;              // the first of the two of the end mark
};

}  // namespace mig::file
