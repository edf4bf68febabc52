#include "test/modules/file/tree_maker.h"

#include <bzlib.h>
#include <fcntl.h>
#include <lzma.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstring>
#include <stdexcept>

#include "os/files.h"

namespace mig::file {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;  // what the engine reads at once

std::string RandomName(RandomSource& random) {
  static const std::vector<std::string> kNames = {
      "a",           "b",      "d",     "dd",      "passwd",     "passwd-", "needle.txt",
      "-rf",         "--",     "x y",   " ",       "new\nline",  "t\tab",   "\xff\xfe",
      "caf\xc3\xa9", "*",      "!bang", "...",     ".hidden",    "\\",      "\x01\x7f",
      "log.gz",      "NEEDLE", "a.b.c", "caf\xc3", "\xc3\xa9\n", "$(x)",    "needle"};
  if (random.OneIn(40)) return std::string(255, static_cast<char>('a' + random.Below(3)));
  std::string name = random.Pick(kNames);
  if (random.OneIn(2)) name += std::to_string(random.Below(20));
  return name;
}

std::string RandomLines(RandomSource& random) {
  static const std::vector<std::string> kPieces = {"a",
                                                   "b",
                                                   "ab",
                                                   "needle",
                                                   "NEEDLE",
                                                   "need",
                                                   "le",
                                                   " ",
                                                   "\t",
                                                   "yes",
                                                   "no",
                                                   "\r",
                                                   "\r\n",
                                                   "\n",
                                                   "\n",
                                                   "\n",
                                                   "\n\n",
                                                   "\r\r\n",
                                                   std::string(1, '\0'),
                                                   "\xff",
                                                   "\xc3\xa9",
                                                   "x=1",
                                                   "#",
                                                   "0"};
  std::string text;
  for (std::size_t i = random.Below(30); i > 0; --i) text += random.Pick(kPieces);
  return text;
}

std::string RandomContent(RandomSource& random) {
  if (random.OneIn(8)) return {};
  if (random.OneIn(4)) {  // one line many times, the last one perhaps without its end
    const std::string line = random.OneIn(2) ? "yes" : "needle a";
    const std::string end = random.OneIn(2) ? "\n" : "\r\n";
    std::string text;
    for (std::size_t i = random.Below(6); i > 0; --i) text += line + end;
    return random.OneIn(2) ? text + line : text;
  }
  if (!random.OneIn(30)) return RandomLines(random);
  // About as much as is read at once, so that lines and matches lie across the edge.
  const std::size_t before = kChunk * (1 + random.Below(2)) - random.Below(40);
  std::string text(before, random.OneIn(2) ? 'a' : '\0');
  for (std::size_t i = random.Below(5); i > 0; --i) text[random.Below(before)] = '\n';
  return text + "needle" + RandomLines(random);
}

std::string Gzip(const std::string& content) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(content.size() + 512, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Xz(const std::string& content, bool alone) {
  lzma_options_lzma options;
  if (lzma_lzma_preset(&options, 1) != 0) throw std::runtime_error("lzma_lzma_preset");
  lzma_stream stream = LZMA_STREAM_INIT;
  const lzma_ret begun = alone ? lzma_alone_encoder(&stream, &options)
                               : lzma_easy_encoder(&stream, 1, LZMA_CHECK_CRC64);
  if (begun != LZMA_OK) throw std::runtime_error("lzma encoder");
  std::string out(2 * content.size() + 512, '\0');
  stream.next_in = reinterpret_cast<const std::uint8_t*>(content.data());
  stream.avail_in = content.size();
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = out.size();
  if (lzma_code(&stream, LZMA_FINISH) != LZMA_STREAM_END) throw std::runtime_error("lzma_code");
  out.resize(stream.total_out);
  lzma_end(&stream);
  return out;
}

std::string Zstd(const std::string& content) {
  std::string out(ZSTD_compressBound(content.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 3);
  if (ZSTD_isError(size) != 0) throw std::runtime_error("ZSTD_compress");
  out.resize(size);
  return out;
}

std::string Bzip2(std::string content) {
  std::string out(2 * content.size() + 1024, '\0');
  auto size = static_cast<unsigned>(out.size());
  if (BZ2_bzBuffToBuffCompress(out.data(), &size, content.data(),
                               static_cast<unsigned>(content.size()), 1, 0, 0) != BZ_OK) {
    throw std::runtime_error("BZ2_bzBuffToBuffCompress");
  }
  out.resize(size);
  return out;
}

std::string Pack(std::size_t packing, const std::string& content) {
  switch (packing) {
    case 0:
      return Zstd(content);
    case 1:
      return Xz(content, /*alone=*/false);
    case 2:
      return Xz(content, /*alone=*/true);
    case 3:
      return Bzip2(content);
    default:
      return Gzip(content);
  }
}

// Often one of the ages that are asked for (days and hours of random_search.cpp), on or about its
// edge.
timespec RandomTime(RandomSource& random, const TreeWishes& wishes) {
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(wishes.now.time_since_epoch());
  std::chrono::nanoseconds time = now - std::chrono::hours(random.Below(100)) +
                                  std::chrono::hours(10) - std::chrono::minutes(30);
  if (wishes.exact_ages && random.OneIn(2)) {
    time = now - std::chrono::hours(24 * random.Below(3)) + std::chrono::nanoseconds(1) -
           std::chrono::nanoseconds(random.Below(3));
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((time - seconds).count())};
}

void WriteFile(const std::string& path, const std::string& content) {
  const os::FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.valid() ||
      ::write(fd.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    throw std::runtime_error("write " + path);
  }
}

}  // namespace

MadeTree::MadeTree(RandomSource& random, const TreeWishes& wishes) {
  ::chmod(path().c_str(), 0755);
  folders_.push_back(path());
  for (std::size_t i = 0; i < wishes.things; ++i) MakeThing(random, wishes);
  if (random.OneIn(10)) MakeDeep(random);
  if (wishes.huge) {
    const std::string huge = random.Pick(folders_) + "/huge";
    WriteFile(huge, "needle\n");
    huge_ = ::truncate(huge.c_str(), off_t{1} << 40) == 0;
    if (huge_) others_.push_back(huge);
  }
  if (!wishes.closed) return;
  // Last, and from below, because what is closed cannot be filled any more (unless by root).
  for (std::size_t i = folders_.size(); i-- > 1;) {
    if (random.OneIn(6)) ::chmod(folders_[i].c_str(), random.Pick<mode_t>({0700, 0744, 0711}));
  }
}

MadeTree::~MadeTree() {
  for (const std::string& folder : folders_) ::chmod(folder.c_str(), 0700);
}

void MadeTree::MakeThing(RandomSource& random, const TreeWishes& wishes) {
  std::string path = random.Pick(folders_) + "/" + RandomName(random);
  struct stat status {};
  if (path.size() > 3500 || ::lstat(path.c_str(), &status) == 0) return;  // taken
  switch (random.Below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      if (::mkdir(path.c_str(), 0755) != 0) throw std::runtime_error("mkdir " + path);
      folders_.push_back(std::move(path));
      return;
    case 4:
    case 5:
      MakeLink(random, path);
      break;
    case 6:
      MakeSpecial(random, path);
      break;
    case 7:
      if (!MakeHardLink(random, path)) return;
      break;
    default:
      MakeFile(random, wishes, path);
  }
  others_.push_back(std::move(path));
}

void MadeTree::MakeFile(RandomSource& random, const TreeWishes& wishes, const std::string& path) {
  std::string content = RandomContent(random);
  if (random.OneIn(3) || contents_.empty()) contents_.push_back(content);
  if (random.OneIn(8)) {
    const std::size_t packing = random.Below(5);
    content = Pack(packing, content);
    switch (random.Below(6)) {
      case 0:
        content += Pack(packing, "needle\n");
        break;
      case 1:
        content += std::string(random.Below(600), '\0');  // as tapes and dd leave it
        break;
      case 2:
        content.resize(1 + random.Below(content.size()));
        break;
      case 3:
        content[random.Below(content.size())] ^= 0x55;
        break;
      default:
        break;
    }
  }
  WriteFile(path, content);
  if (random.OneIn(20)) {  // a hole at the end, or one in the middle
    const auto size = static_cast<off_t>(content.size() + random.Below(3) * 70'000);
    if (::truncate(path.c_str(), size) != 0) throw std::runtime_error("truncate " + path);
  }
  // Only root may; before the mode, which a change of owner would cut.
  if (random.OneIn(4) && ::lchown(path.c_str(), static_cast<uid_t>(1 + random.Below(3)),
                                  static_cast<gid_t>(1 + random.Below(3))) != 0) {
    errno = 0;
  }
  const std::vector<mode_t> modes = {0644, 0644, 0644, 0755, 0444, 04755, 02755, 01644, 0666};
  ::chmod(path.c_str(), wishes.closed && random.OneIn(4) ? mode_t{0600} : random.Pick(modes));
  const timespec times[2] = {{0, UTIME_OMIT}, RandomTime(random, wishes)};
  ::utimensat(AT_FDCWD, path.c_str(), times, 0);
}

// Of no symbolic link: one to ".." may stand where that leads out of the tree.
bool MadeTree::MakeHardLink(RandomSource& random, const std::string& path) {
  if (others_.empty()) return false;
  const std::string& target = random.Pick(others_);
  struct stat status {};
  return ::lstat(target.c_str(), &status) == 0 && !S_ISLNK(status.st_mode) &&
         ::link(target.c_str(), path.c_str()) == 0;
}

void MadeTree::MakeLink(RandomSource& random, const std::string& path) {
  std::string target;
  switch (random.Below(8)) {
    case 0:
      target = "nowhere";
      break;
    case 1:
      target = path;  // itself
      break;
    case 2:
      // Never out of the tree: a search may be given this link as its path.
      target = path.find('/', this->path().size() + 1) != std::string::npos ? ".." : ".";
      break;
    case 3:
      target = "/dev/null";
      break;
    case 4:
      target = random.Pick(folders_);
      break;
    default:
      target = others_.empty() ? path : random.Pick(others_);
  }
  if (::symlink(target.c_str(), path.c_str()) != 0) throw std::runtime_error("symlink " + path);
}

void MadeTree::MakeSpecial(RandomSource& random, const std::string& path) {
  if (random.OneIn(2)) {
    // As anybody but root, or in a container, there are no devices: then one fifo more.
    if (::mknod(path.c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0) return;
  } else if (random.OneIn(2)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() < sizeof address.sun_path) {
      std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
      const os::FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return;
    }
  }
  if (::mkfifo(path.c_str(), 0666) != 0) throw std::runtime_error("mkfifo " + path);
}

// Deeper than any one path can name, or than descriptors are held open for; files on the way.
void MadeTree::MakeDeep(RandomSource& random) {
  const bool long_names = random.OneIn(2);
  const std::size_t levels = long_names ? 20 + random.Below(10) : 250 + random.Below(20);
  const std::string name = long_names ? std::string(250, 'n') : "d";
  os::FileDescriptor at(::open(random.Pick(folders_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (std::size_t level = 0; level < levels; ++level) {
    if (::mkdirat(at.get(), name.c_str(), 0755) != 0 && errno != EEXIST) return;
    at.Reset(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!at.valid()) return;  // there was a file of that name
    if (level % 7 != 0) continue;
    const os::FileDescriptor file(
        ::openat(at.get(), "needle", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (file.valid() && ::write(file.get(), "needle\n", 7) != 7) return;
  }
}

}  // namespace mig::file
