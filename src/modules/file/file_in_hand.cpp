#include "modules/file/file_in_hand.h"

namespace mig::file {

std::string_view FileInHand::NameFor(const Scope& scope) const {
  if (held_ == nullptr) return file::NameFor(scope, entry_);
  const std::string_view path = held_->path;
  return path.substr(path.rfind('/') + 1);
}

std::string FileInHand::PathFor(const Scope& scope) const {
  return held_ == nullptr ? file::PathFor(scope, entry_) : held_->path;
}

bool FileInHand::Fail(const Error& error) {
  if (!failed_) tally_.Failed(SkipReason(error.code()), entry_.Path(), error.message());
  failed_ = true;
  return false;
}

const os::FileStatus* FileInHand::Status() {
  auto status = metadata_.Status();
  if (!status) Fail(status.error());
  return status ? *status : nullptr;
}

Answer FileInHand::AnswerTo(const Check& check, std::string_view base_name, UtcTime now) {
  auto answer = metadata_.AnswerTo(check, base_name, now);
  if (!answer) {
    Fail(answer.error());
    return Answer::kUnknown;
  }
  if (*answer == Answer::kUnknown) {
    const std::string_view reason = UnsupportedReason(check.kind);
    if (unsupported_.insert(reason).second) tally_.Skipped(reason, entry_.Path());
  }
  return *answer;
}

json::object FileInHand::Extra(const Search& search, const Names& names) {
  json::object info = metadata_.Extra(search, names);
  if (held_ != nullptr) {
    info["pid"] = held_->pid;
    info["executable"] = json::FromName(held_->executable);
  }
  return info;
}

Readable FileInHand::Read(FileReader& reader, FileView& raw, FileView& unpacked,
                          ArchiveScan* archive) {
  auto file = os::OpenRegularFile(entry_.folder, entry_.name, follow_);
  if (!file) return {Fail(file.error()), false, false};
  auto read = reader.Read(*file, raw.empty() ? nullptr : &raw,
                          unpacked.empty() ? nullptr : &unpacked, archive);
  if (!read) return {Fail(read.error()), false, false};
  tally_.CountBytes(read->bytes);
  if (read->changed) tally_.Skipped("changed", entry_.Path());
  tally_.CountHashed(raw.hashed() + unpacked.hashed());
  if (raw.saw_long_line() || unpacked.saw_long_line()) tally_.CountLongLine();
  const bool whole = !read->broken || Fail(*read->broken);
  const bool archive_whole = !read->archive_broken || Fail(*read->archive_broken);
  return {true, whole, whole && archive_whole};
}

}  // namespace mig::file
