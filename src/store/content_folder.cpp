#include "store/content_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdio>

#include "crypto/digest.h"
#include "os/files.h"
#include "util/encoding.h"
#include "util/log.h"

namespace mig::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kChunkBytes = 256 * 1024;
constexpr std::size_t kMaxOwner = 64;

bool IsOwner(std::string_view owner) {
  return !owner.empty() && owner.size() <= kMaxOwner &&
         std::all_of(owner.begin(), owner.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// Nothing but our own regular file: no link, no fifo that somebody put there.
Expected<os::FileDescriptor> OpenOwn(const fs::path& file, int flags, struct stat* status) {
  os::FileDescriptor fd(
      ::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600));
  if (!fd.valid()) return os::ErrnoError(errno, "open " + file.string());
  if (::fstat(fd.get(), status) != 0) return os::ErrnoError(errno, "stat " + file.string());
  if (!S_ISREG(status->st_mode)) {
    return Error(Errc::kInvalid, file.string() + ": is not a regular file");
  }
  return fd;
}

std::optional<std::uint64_t> RegularSize(const fs::path& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

Expected<Bytes> ReadAt(int fd, std::uint64_t offset, std::size_t length, const fs::path& file) {
  Bytes bytes(length, '\0');
  std::size_t have = 0;
  while (have < length) {
    const ssize_t got =
        ::pread(fd, bytes.data() + have, length - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os::ErrnoError(errno, "read " + file.string());
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

Expected<void> SyncFolder(const fs::path& folder) {
  const os::FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return os::ErrnoError(errno, "open " + folder.string());
  if (::fsync(fd.get()) != 0 && errno != EINVAL) {
    return os::ErrnoError(errno, "fsync " + folder.string());
  }
  return {};
}

}  // namespace

Expected<ContentFolder> ContentFolder::Open(fs::path folder, std::uint64_t max_bytes) {
  if (auto made = os::MakePrivateDirectory(folder); !made) return std::move(made).error();
  ContentFolder content(std::move(folder), max_bytes);
  for (const Listed& listed : content.List()) content.total_ += listed.entry.bytes;
  return content;
}

fs::path ContentFolder::FileOf(BytesView sha256) const {
  assert(sha256.size() == kDigestBytes && "a SHA-256");
  return folder_ / EncodeHex(sha256);
}

fs::path ContentFolder::PartOf(BytesView sha256, std::string_view owner) const {
  assert(IsOwner(owner) && "it is part of a file's name");
  return folder_ / (EncodeHex(sha256) + "." + std::string(owner));
}

std::optional<std::uint64_t> ContentFolder::SizeOf(BytesView sha256) const {
  return RegularSize(FileOf(sha256));
}

void ContentFolder::Touch(BytesView sha256) const {
  // Where that fails, it only is forgotten earlier.
  (void)!::utimensat(AT_FDCWD, FileOf(sha256).c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

Expected<Bytes> ContentFolder::ReadRange(BytesView sha256, std::uint64_t offset,
                                         std::size_t length) const {
  const fs::path file = FileOf(sha256);
  struct stat status {};
  auto fd = OpenOwn(file, O_RDONLY, &status);
  if (!fd) return std::move(fd).error();
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (offset >= size) return Bytes();
  return ReadAt(fd->get(), offset,
                static_cast<std::size_t>(std::min<std::uint64_t>(length, size - offset)), file);
}

Expected<std::optional<Bytes>> ContentFolder::ReadWhole(BytesView sha256, std::uint64_t bytes) {
  const fs::path file = FileOf(sha256);
  const auto size = RegularSize(file);
  if (!size) return std::optional<Bytes>();
  std::string found = std::to_string(*size) + " bytes";
  if (*size == bytes) {
    auto content = ReadRange(sha256, 0, static_cast<std::size_t>(bytes));
    if (!content) return std::move(content).error();
    const Bytes digest = Sha256(*content);
    if (digest == sha256) {
      Touch(sha256);
      return std::optional<Bytes>(std::move(*content));
    }
    found = "the digest " + EncodeHex(digest);
  }
  log::Warning("a kept file is not what it was; it is removed",
               {{"file", file.string()}, {"found", found}});
  Remove(file, *size);
  return std::optional<Bytes>();
}

std::uint64_t ContentFolder::PartSize(BytesView sha256, std::string_view owner) const {
  return RegularSize(PartOf(sha256, owner)).value_or(0);
}

Expected<void> ContentFolder::Append(BytesView sha256, std::string_view owner, std::uint64_t offset,
                                     BytesView piece) {
  const fs::path file = PartOf(sha256, owner);
  if (total_ + piece.size() > max_bytes_) {
    return Error(Errc::kFull, folder_.string() + ": holds " + std::to_string(total_) +
                                  " bytes, and at most " + std::to_string(max_bytes_));
  }
  struct stat status {};
  auto fd = OpenOwn(file, O_WRONLY | O_CREAT, &status);
  if (!fd) return std::move(fd).error();
  if (static_cast<std::uint64_t>(status.st_size) != offset) {
    return Error(Errc::kInvalid, file.string() + ": has " + std::to_string(status.st_size) +
                                     " bytes, the piece begins at " + std::to_string(offset));
  }
  std::size_t done = 0;
  while (done < piece.size()) {
    const ssize_t written = ::pwrite(fd->get(), piece.data() + done, piece.size() - done,
                                     static_cast<off_t>(offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      // Half a piece would be no harm, but its bytes would not be counted.
      (void)!::ftruncate(fd->get(), static_cast<off_t>(offset));
      return os::ErrnoError(reason, "write " + file.string());
    }
    done += static_cast<std::size_t>(written);
  }
  total_ += piece.size();
  return {};
}

Expected<void> ContentFolder::Complete(BytesView sha256, std::string_view owner) {
  const fs::path part = PartOf(sha256, owner);
  struct stat status {};
  auto fd = OpenOwn(part, O_RDONLY, &status);
  if (!fd) return std::move(fd).error();
  const auto size = static_cast<std::uint64_t>(status.st_size);
  Digest digest(DigestKind::kSha256);
  for (std::uint64_t offset = 0; offset < size; offset += kChunkBytes) {
    auto chunk = ReadAt(fd->get(), offset, kChunkBytes, part);
    if (!chunk) return std::move(chunk).error();
    digest.Update(*chunk);
  }
  const Bytes got = digest.Finish();
  if (got != sha256) {
    Remove(part, size);
    return Error(Errc::kDenied, "the bytes have the SHA-256 " + EncodeHex(got) + ", expected is " +
                                    EncodeHex(sha256));
  }
  if (::fsync(fd->get()) != 0) return os::ErrnoError(errno, "fsync " + part.string());
  const fs::path file = FileOf(sha256);
  const auto replaced = RegularSize(file);
  if (::rename(part.c_str(), file.c_str()) != 0) {
    return os::ErrnoError(errno, "rename " + part.string());
  }
  total_ -= std::min(total_, replaced.value_or(0));
  return SyncFolder(folder_);
}

void ContentFolder::DropPart(BytesView sha256, std::string_view owner) {
  const fs::path part = PartOf(sha256, owner);
  if (const auto size = RegularSize(part)) Remove(part, *size);
}

std::vector<ContentFolder::Listed> ContentFolder::List() {
  std::vector<Listed> all;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const std::size_t dot = name.find('.');
    auto sha256 = DecodeHex(std::string_view(name).substr(0, dot));
    struct stat status {};
    const bool regular = ::lstat(it->path().c_str(), &status) == 0 && S_ISREG(status.st_mode);
    const bool named =
        sha256 && sha256->size() == kDigestBytes && EncodeHex(*sha256) == name.substr(0, dot) &&
        (dot == std::string::npos || IsOwner(std::string_view(name).substr(dot + 1)));
    if (!named) continue;  // somebody else's; perhaps the folder is
    if (!regular) {
      const bool removed = ::unlink(it->path().c_str()) == 0;
      log::Warning("a kept file has become something else",
                   {{"file", it->path().string()}, {"removed", removed ? "yes" : "no"}});
      continue;
    }
    const auto used = std::chrono::seconds(status.st_mtim.tv_sec) +
                      std::chrono::nanoseconds(status.st_mtim.tv_nsec);
    all.push_back(
        {it->path(),
         {std::move(*sha256), dot != std::string::npos, static_cast<std::uint64_t>(status.st_size),
          UtcTime(std::chrono::duration_cast<UtcTime::duration>(used))}});
  }
  if (error) {
    log::Error("a folder cannot be listed",
               {{"folder", folder_.string()}, {"reason", error.message()}});
  }
  return all;
}

void ContentFolder::Remove(const fs::path& file, std::uint64_t bytes) {
  if (::unlink(file.c_str()) != 0) {
    log::Error("a file cannot be removed",
               {{"file", file.string()}, {"reason", os::ErrnoError(errno, "unlink").message()}});
    return;
  }
  total_ -= std::min(total_, bytes);
}

void ContentFolder::Sweep(const std::function<bool(const Entry&)>& unneeded) {
  total_ = 0;
  for (const Listed& listed : List()) {
    total_ += listed.entry.bytes;
    if (unneeded(listed.entry)) Remove(listed.path, listed.entry.bytes);
  }
}

Expected<void> ContentFolder::EvictFor(std::uint64_t bytes, BytesView keep) {
  if (total_ + bytes <= max_bytes_) return {};
  std::vector<Listed> all = List();
  std::sort(all.begin(), all.end(),
            [](const Listed& a, const Listed& b) { return a.entry.used < b.entry.used; });
  for (const Listed& listed : all) {
    if (total_ + bytes <= max_bytes_) break;
    if (listed.entry.sha256 != keep) Remove(listed.path, listed.entry.bytes);
  }
  if (total_ + bytes <= max_bytes_) return {};
  return Error(Errc::kFull, folder_.string() + ": has no room for " + std::to_string(bytes) +
                                " bytes; it may hold " + std::to_string(max_bytes_));
}

}  // namespace mig::store
