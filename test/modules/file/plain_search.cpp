#include "test/modules/file/plain_search.h"

#include <bzlib.h>
#include <dirent.h>
#include <fcntl.h>
#include <lzma.h>
#include <re2/re2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <optional>
#include <stdexcept>

#include "modules/mig_text.h"
#include "os/files.h"
#include "util/encoding.h"

namespace mig::file {

struct PlainReader::Node {
  std::string name;
  std::string path;
  struct stat status {};
  std::string content;
  std::vector<std::unique_ptr<Node>> children;

  bool is_folder() const { return S_ISDIR(status.st_mode); }
};

namespace {

using Node = PlainReader::Node;

constexpr off_t kMostContent = off_t{8} << 20;

std::string ReadAll(int fd) {
  std::string content;
  std::string chunk(65'536, '\0');
  for (;;) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0) throw std::runtime_error("read");
    if (got == 0) return content;
    content.append(chunk, 0, static_cast<std::size_t>(got));
  }
}

void ReadNode(int folder, Node& node) {
  if (::fstatat(folder, node.name.c_str(), &node.status, AT_SYMLINK_NOFOLLOW) != 0) {
    throw std::runtime_error("stat " + node.path);
  }
  const bool file = S_ISREG(node.status.st_mode) && node.status.st_size <= kMostContent;
  if (!file && !node.is_folder()) return;
  os::FileDescriptor fd(::openat(folder, node.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) throw std::runtime_error("open " + node.path);
  if (file) {
    node.content = ReadAll(fd.get());
    return;
  }
  DIR* const listing = ::fdopendir(::dup(fd.get()));
  while (const dirent* entry = ::readdir(listing)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    auto child = std::make_unique<Node>();
    child->name = name;
    child->path = node.path + "/" + name;
    node.children.push_back(std::move(child));
  }
  ::closedir(listing);
  for (auto& child : node.children) ReadNode(fd.get(), *child);
}

const Node* Find(const Node& node, const std::string& path) {
  if (node.path == path) return &node;
  for (const auto& child : node.children) {
    if (child->path == path || path.starts_with(child->path + "/")) return Find(*child, path);
  }
  return nullptr;
}

const re2::RE2& Compiled(const std::string& pattern) {
  static std::map<std::string, std::unique_ptr<re2::RE2>> known;
  std::unique_ptr<re2::RE2>& compiled = known[pattern];
  if (compiled != nullptr) return *compiled;
  re2::RE2::Options options;
  const bool characters =
      std::any_of(pattern.begin(), pattern.end(),
                  [](char c) { return static_cast<unsigned char>(c) >= 0x80; }) ||
      pattern.find("\\p") != std::string::npos || pattern.find("\\P") != std::string::npos ||
      pattern.find("\\x{") != std::string::npos;
  if (!characters) options.set_encoding(re2::RE2::Options::EncodingLatin1);
  compiled = std::make_unique<re2::RE2>(pattern, options);
  return *compiled;
}

bool Matches(const std::string& pattern, const std::string& text) {
  return re2::RE2::PartialMatch(text, Compiled(pattern));
}

std::vector<std::string> LinesOf(const std::string& content) {
  std::vector<std::string> lines;
  std::string line;
  const auto end_line = [&] {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
    line.clear();
  };
  for (const char c : content) {
    if (c == '\n') {
      end_line();
    } else {
      line += c;
    }
  }
  if (!line.empty()) end_line();
  return lines;
}

std::string ModeOf(mode_t mode) {
  std::string text = std::string((mode & S_ISUID) != 0 ? "u" : "") +
                     ((mode & S_ISGID) != 0 ? "g" : "") + ((mode & S_ISVTX) != 0 ? "t" : "");
  if (text.empty()) text = "-";
  for (int shift = 6; shift >= 0; shift -= 3) {
    const auto bits = mode >> shift;
    text += (bits & 4) != 0 ? 'r' : '-';
    text += (bits & 2) != 0 ? 'w' : '-';
    text += (bits & 1) != 0 ? 'x' : '-';
  }
  return text;
}

// One member at the beginning of `rest`, which loses it. Nothing when it is broken.
using Member = std::optional<std::string> (*)(std::string_view& rest);

std::optional<std::string> GzipMember(std::string_view& rest) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::runtime_error("inflateInit2");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
  stream.avail_in = static_cast<uInt>(rest.size());
  std::string out;
  int status = Z_OK;
  while (status == Z_OK) {
    std::string chunk(10'000, '\0');
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk, 0, chunk.size() - stream.avail_out);
  }
  rest.remove_prefix(rest.size() - stream.avail_in);
  inflateEnd(&stream);
  return status == Z_STREAM_END ? std::optional(out) : std::nullopt;
}

std::optional<std::string> LzmaMember(std::string_view& rest, bool alone) {
  lzma_stream stream = LZMA_STREAM_INIT;
  const lzma_ret begun =
      alone ? lzma_alone_decoder(&stream, 1 << 26) : lzma_stream_decoder(&stream, 1 << 26, 0);
  if (begun != LZMA_OK) throw std::runtime_error("lzma decoder");
  stream.next_in = reinterpret_cast<const std::uint8_t*>(rest.data());
  stream.avail_in = rest.size();
  std::string out;
  lzma_ret status = LZMA_OK;
  while (status == LZMA_OK) {
    std::string chunk(10'000, '\0');
    stream.next_out = reinterpret_cast<std::uint8_t*>(chunk.data());
    stream.avail_out = chunk.size();
    status = lzma_code(&stream, LZMA_FINISH);
    out.append(chunk, 0, chunk.size() - stream.avail_out);
  }
  rest.remove_prefix(rest.size() - stream.avail_in);
  lzma_end(&stream);
  return status == LZMA_STREAM_END ? std::optional(out) : std::nullopt;
}

std::optional<std::string> ZstdMember(std::string_view& rest) {
  const std::size_t packed = ZSTD_findFrameCompressedSize(rest.data(), rest.size());
  if (ZSTD_isError(packed) != 0) return std::nullopt;
  std::string out(std::size_t{1} << 24, '\0');  // contents here are smaller
  const std::size_t size = ZSTD_decompress(out.data(), out.size(), rest.data(), packed);
  if (ZSTD_isError(size) != 0) return std::nullopt;
  out.resize(size);
  rest.remove_prefix(packed);
  return out;
}

std::optional<std::string> Bzip2Member(std::string_view& rest) {
  bz_stream stream{};
  if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) throw std::runtime_error("bzip2 decoder");
  stream.next_in = const_cast<char*>(rest.data());
  stream.avail_in = static_cast<unsigned>(rest.size());
  std::string out;
  int status = BZ_OK;
  while (status == BZ_OK) {
    std::string chunk(10'000, '\0');
    stream.next_out = chunk.data();
    stream.avail_out = static_cast<unsigned>(chunk.size());
    status = BZ2_bzDecompress(&stream);
    out.append(chunk, 0, chunk.size() - stream.avail_out);
    if (stream.avail_out > 0 && stream.avail_in == 0) break;
  }
  rest.remove_prefix(rest.size() - stream.avail_in);
  BZ2_bzDecompressEnd(&stream);
  return status == BZ_STREAM_END ? std::optional(out) : std::nullopt;
}

// As `file` would tell. Those that the trees have begin with 1 MiB or 8 MiB of dictionary.
Member MemberOf(std::string_view content) {
  if (content.starts_with("\x1f\x8b")) return GzipMember;
  if (content.starts_with("\x28\xb5\x2f\xfd")) return ZstdMember;
  if (content.starts_with(std::string_view("\xfd"
                                           "7zXZ\0",
                                           6))) {
    return [](std::string_view& rest) { return LzmaMember(rest, false); };
  }
  if (content.size() >= 10 && content.starts_with("BZh") && content[3] >= '1' &&
      content[3] <= '9' &&
      (content.substr(4, 6) == "1AY&SY" || content.substr(4, 6) == "\x17\x72\x45\x38\x50\x90")) {
    return Bzip2Member;
  }
  if (content.size() >= 13 && content.starts_with(std::string_view("]\0\0\x10\0", 5)) &&
      (content.substr(5, 8) == std::string(8, '\xff') ||
       (content.substr(10, 3) == std::string(3, '\0') &&
        static_cast<unsigned char>(content[9]) < 64 &&
        content.substr(5, 5) != std::string(5, '\0')))) {  // not known, or below 256 GiB
    return [](std::string_view& rest) { return LzmaMember(rest, true); };
  }
  return nullptr;
}

// Nothing when it is broken.
std::optional<std::string> Unpack(const std::string& content) {
  const Member member = MemberOf(content);
  if (member == nullptr) return content;
  std::string out;
  for (std::string_view rest = content; !rest.empty();) {
    const auto unpacked = member(rest);
    if (!unpacked) return std::nullopt;
    out += *unpacked;
    while (!rest.empty() && rest.front() == '\0') rest.remove_prefix(1);
  }
  return out;
}

// Each place is tried, and at each what a wildcard or jump may stand for.
bool StandsAt(const std::string& content, std::size_t at, const std::string& sequence,
              std::size_t digit) {
  while (digit < sequence.size() && sequence[digit] == ' ') ++digit;
  if (digit == sequence.size()) return true;
  if (sequence[digit] == '[') {
    const std::size_t end = sequence.find(']', digit);
    const std::string jump = sequence.substr(digit + 1, end - digit - 1);
    const std::size_t dash = jump.find('-');
    const std::size_t least = std::stoul(jump);
    const std::size_t most = dash == std::string::npos ? least : std::stoul(jump.substr(dash + 1));
    for (std::size_t over = least; over <= most && at + over <= content.size(); ++over) {
      if (StandsAt(content, at + over, sequence, end + 1)) return true;
    }
    return false;
  }
  if (at == content.size()) return false;
  const std::string is = EncodeHex(content.substr(at, 1));
  const auto fits = [](char asked, char digit_is) {
    return asked == '?' || std::tolower(asked) == digit_is;
  };
  return fits(sequence[digit], is[0]) && fits(sequence[digit + 1], is[1]) &&
         StandsAt(content, at + 1, sequence, digit + 2);
}

std::string Upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string HexDigest(DigestKind kind, const std::string& content) {
  Digest digest(kind);
  digest.Update(content);
  return Upper(EncodeHex(digest.Finish()));
}

bool SizeFits(const std::string& asked, std::uint64_t size) {
  const char sign = asked[0];
  const std::string number = sign == '<' || sign == '>' ? asked.substr(1) : asked;
  std::uint64_t bound = std::stoull(number);
  for (const char unit : std::string("kmgt")) {
    if (std::string("kmgt").find(number.back()) == std::string::npos) break;
    bound *= 1024;
    if (unit == number.back()) break;
  }
  if (sign == '<') return size <= bound;
  return sign == '>' ? size >= bound : size == bound;
}

bool AgeFits(const std::string& asked, const timespec& time, UtcTime now) {
  using std::chrono::nanoseconds;
  const std::int64_t number = std::stoll(asked.substr(1));
  const std::chrono::seconds unit(asked.back() == 'd' ? 86'400 : asked.back() == 'h' ? 3'600 : 60);
  const auto when = std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
  const auto then = std::chrono::duration_cast<nanoseconds>(now.time_since_epoch()) - unit * number;
  return asked[0] == '<' ? when > then : when < then;
}

std::string MismatchWord(const std::string& field) {
  const bool itself =
      field == "bytes" || field == "md5" || field == "links" || field.starts_with("sha");
  return itself ? field : field.substr(0, field.size() - 1);  // "names": name
}

bool NeedsContent(const PlainCheck& check) {
  return check.field == "contents" || check.field == "bytes" || check.field == "md5" ||
         check.field.starts_with("sha");
}

// The pattern of a check, and whether it is inverted.
std::pair<std::string, bool> Pattern(const std::string& value) {
  if (value.size() > 1 && value[0] == '!') return {value.substr(1), true};
  return {value, false};
}

bool RegexAnswer(const PlainCheck& check, const std::string& text) {
  const auto [pattern, inverted] = Pattern(check.value);
  return Matches(pattern, text) != inverted;
}

// `4755`, `-4000`, `/6000`, any of them inverted.
bool OctalFits(std::string asked, mode_t mode) {
  const bool inverted = asked[0] == '!';
  if (inverted) asked.erase(0, 1);
  const char sign = asked[0];
  const auto bits = static_cast<mode_t>(
      std::stoul(sign == '-' || sign == '/' ? asked.substr(1) : asked, nullptr, 8));
  const mode_t has = mode & 07777u;
  const bool fits = sign == '-'   ? (has & bits) == bits
                    : sign == '/' ? (has & bits) != 0
                                  : has == bits;
  return fits != inverted;
}

bool NumberIs(const std::string& asked, std::uint64_t number) {
  return asked[0] == '!' ? std::stoull(asked.substr(1)) != number : std::stoull(asked) == number;
}

// What stat(2) alone tells.
bool StatusAnswer(const PlainCheck& check, const struct stat& status, UtcTime now) {
  if (check.field == "modes") {
    const bool octal = check.value.find_first_not_of("!-/01234567") == std::string::npos;
    return octal ? OctalFits(check.value, status.st_mode)
                 : RegexAnswer(check, ModeOf(status.st_mode));
  }
  if (check.field == "sizes")
    return SizeFits(check.value, static_cast<std::uint64_t>(status.st_size));
  if (check.field == "mtimes") return AgeFits(check.value, status.st_mtim, now);
  if (check.field == "ctimes") return AgeFits(check.value, status.st_ctim, now);
  if (check.field == "owners") return NumberIs(check.value, status.st_uid);
  if (check.field == "groups") return NumberIs(check.value, status.st_gid);
  if (check.field == "inodes") return NumberIs(check.value, status.st_ino);
  return SizeFits(check.value, status.st_nlink);  // links
}

bool BytesAnswer(const PlainCheck& check, const std::string& content) {
  const auto [sequence, inverted] = Pattern(check.value);
  for (std::size_t at = 0; at < content.size(); ++at) {
    if (StandsAt(content, at, sequence, 0)) return !inverted;
  }
  return inverted;
}

bool ContentAnswer(const PlainSearch& search, const PlainCheck& check, const std::string& content) {
  const auto [pattern, inverted] = Pattern(check.value);
  const std::vector<std::string> lines = LinesOf(content);
  std::size_t matching = 0;
  for (const std::string& line : lines) matching += Matches(pattern, line) ? 1 : 0;
  if (inverted) return matching == 0;
  return search.macroal ? !lines.empty() && matching == lines.size() : matching > 0;
}

// One file, as one search comes by it.
struct Seen {
  const Node* folder = nullptr;  // null: it was given as a path
  std::string key;               // which file it is, by its place
  std::string name;              // as its search calls it
  std::set<std::string> paths;   // it may be reported under
  const Node* node = nullptr;
  std::optional<struct stat> status;  // nothing: the system does not tell
  bool readable = true;
  std::string content;
};

class Run {
 public:
  Run(const Node& top, UtcTime now, bool as_other) : top_(top), now_(now), as_other_(as_other) {}

  void Search(const PlainSearch& search);
  PlainAnswer Take();

 private:
  struct Place {
    std::size_t root_bytes = 0;  // of the deepest root above it
    std::set<std::string> paths;
  };
  using Folders = std::map<const Node*, Place>;

  void WalkFolder(const Node& folder, const std::string& real, const std::string& given,
                  std::uint64_t depth, std::uint64_t maxdepth, Folders& folders);
  void Entry(const PlainSearch& search, const Node& node, const Node* folder,
             const std::string& name, const std::set<std::string>& paths);
  void Evaluate(const PlainSearch& search, const Seen& seen);
  void Link(const Node& node, bool searchable, Seen& seen);
  bool MaySearch(const Node& folder) const {
    return !as_other_ || (folder.status.st_mode & 1) != 0;
  }
  bool MayRead(const Node& node) const { return !as_other_ || (node.status.st_mode & 4) != 0; }
  void Fail(const std::string& key, const std::string& reason) { failed_.emplace(key, reason); }

  const Node& top_;
  UtcTime now_;
  bool as_other_;
  PlainAnswer answer_;
  std::set<std::string> entered_, folders_, files_, too_deep_, broken_;
  std::map<std::string, std::string> failed_, skipped_;  // reason by place
  std::map<std::string, std::uint64_t> opened_;
  // What a search has evaluated already, with the name it went by.
  std::set<std::pair<std::string, std::string>> done_;
};

// What lies beneath an entered folder is seen only when the folder can be read; each folder is
// spelled by the deepest of its search's paths.
void Run::WalkFolder(const Node& folder, const std::string& real, const std::string& given,
                     std::uint64_t depth, std::uint64_t maxdepth, Folders& folders) {
  if (maxdepth != 0 && depth > maxdepth) {
    too_deep_.insert(folder.path);
    return;
  }
  entered_.insert(folder.path);
  if (!MayRead(folder)) {
    Fail(folder.path, "permission");
    return;
  }
  folders_.insert(folder.path);
  Place& place = folders[&folder];
  if (real.size() > place.root_bytes) place.paths.clear();
  if (real.size() >= place.root_bytes) {
    place.root_bytes = real.size();
    place.paths.insert(given + folder.path.substr(real.size()));
  }
  for (const auto& child : folder.children) {
    if (!child->is_folder()) continue;
    if (MaySearch(folder)) {
      WalkFolder(*child, real, given, depth + 1, maxdepth, folders);
    } else if (maxdepth == 0 || depth + 1 <= maxdepth) {
      entered_.insert(child->path);
      Fail(child->path, "permission");
    } else {
      too_deep_.insert(child->path);
    }
  }
}

void Run::Search(const PlainSearch& search) {
  answer_.finds[search.label];
  done_.clear();
  Folders folders;
  // Files given as paths, by place and by the name they were given.
  std::map<std::pair<const Node*, std::string>, std::set<std::string>> given_files;
  for (const std::string& given : search.paths) {
    char* const found = ::realpath(given.c_str(), nullptr);
    if (found == nullptr) {
      Fail("path " + given, errno == ENOENT || errno == ENOTDIR ? "missing"
                            : errno == EACCES                   ? "permission"
                                                                : "unreadable");
      continue;
    }
    const std::string real = found;
    ::free(found);
    const Node* const node = Find(top_, real);
    if (node == nullptr) {
      struct stat status {};
      if (::stat(real.c_str(), &status) != 0 || S_ISREG(status.st_mode) ||
          S_ISDIR(status.st_mode)) {
        throw std::runtime_error(given + " leads out of the tree, to " + real);
      }
      skipped_.emplace(real, "special");
    } else if (node->is_folder()) {
      WalkFolder(*node, real, given, 1, search.maxdepth, folders);
    } else {
      given_files[{node, given.substr(given.rfind('/') + 1)}].insert(given);
    }
  }
  for (const auto& [folder, place] : folders) {
    for (const auto& child : folder->children) {
      if (child->is_folder()) continue;
      std::set<std::string> paths;
      for (const std::string& path : place.paths) paths.insert(path + "/" + child->name);
      const auto given = given_files.find({child.get(), child->name});
      if (given != given_files.end()) paths.insert(given->second.begin(), given->second.end());
      Entry(search, *child, folder, child->name, paths);
    }
  }
  for (const auto& [file, paths] : given_files) {
    Entry(search, *file.first, nullptr, file.second, paths);
  }
}

void Run::Link(const Node& node, bool searchable, Seen& seen) {
  struct stat status {};
  if (!searchable) {
    Fail(seen.key, "permission");
  } else if (::stat(node.path.c_str(), &status) != 0) {
    Fail(seen.key, errno == ENOENT || errno == ENOTDIR ? "brokenlink"
                   : errno == EACCES                   ? "permission"
                                                       : "unreadable");
  } else if (S_ISREG(status.st_mode)) {
    seen.status = status;
    const os::FileDescriptor fd(::open(node.path.c_str(), O_RDONLY | O_CLOEXEC));
    seen.readable = fd.valid();
    if (fd.valid() && status.st_size <= kMostContent) seen.content = ReadAll(fd.get());
  } else {
    skipped_.emplace(seen.key, S_ISDIR(status.st_mode) ? "linktodirectory" : "special");
  }
}

void Run::Entry(const PlainSearch& search, const Node& node, const Node* folder,
                const std::string& name, const std::set<std::string>& paths) {
  if (!done_.emplace(node.path, name).second) return;
  Seen seen;
  seen.folder = folder;
  seen.key = node.path;
  seen.name = name;
  seen.paths = paths;
  seen.node = &node;
  const bool searchable = folder == nullptr || MaySearch(*folder);
  if (S_ISLNK(node.status.st_mode)) {
    Link(node, searchable, seen);
    if (!seen.status) return;
  } else if (S_ISREG(node.status.st_mode)) {
    if (searchable) seen.status = node.status;
    seen.readable = searchable && MayRead(node);
    seen.content = node.content;
  } else {
    skipped_.emplace(seen.key, "special");
    return;
  }
  files_.insert(seen.key);
  Evaluate(search, seen);
}

void Run::Evaluate(const PlainSearch& search, const Seen& seen) {
  std::vector<const PlainCheck*> yes;
  bool needs_content = false;
  // What costs nothing is asked first, and what a name rules out is not looked at further.
  for (const std::string field :
       {"names", "modes", "sizes", "mtimes", "ctimes", "owners", "groups", "inodes", "links"}) {
    for (const PlainCheck& check : search.checks) {
      if (check.field != field) continue;
      if (field != "names" && !seen.status) {
        Fail(seen.key, "permission");
        return;
      }
      bool answer = field == "names" ? RegexAnswer(check, seen.name)
                                     : StatusAnswer(check, *seen.status, now_);
      if (search.mismatch.contains(MismatchWord(field))) answer = !answer;
      if (answer) yes.push_back(&check);
      if (!answer && search.matchall) return;
    }
  }
  for (const PlainCheck& check : search.checks) needs_content |= NeedsContent(check);
  const bool candidate = search.matchall || needs_content || !yes.empty();
  if (!candidate) return;
  const bool opens = needs_content || search.returnsha256 || !search.returndigests.empty();
  if (!seen.status || (opens && !seen.readable)) Fail(seen.key, "permission");
  if (!seen.status) return;
  std::optional<std::string> content;
  bool certain = true;
  if (opens && seen.readable) {
    opened_[seen.key] = static_cast<std::uint64_t>(seen.status->st_size);
    content = search.decompress ? Unpack(seen.content) : seen.content;
    if (!content) {
      broken_.insert(seen.key);
      certain = false;
    }
  }
  std::map<std::string, std::string> digests;
  if (content) {
    if (search.returnsha256) digests["sha256"] = HexDigest(DigestKind::kSha256, *content);
    for (const std::string& name : search.returndigests) {
      digests[name] = HexDigest(*DigestByName(name), *content);
    }
  }
  for (const PlainCheck& check : search.checks) {
    if (!NeedsContent(check)) continue;
    if (!content && certain) {  // not readable: neither yes nor no
      if (search.matchall) return;
      continue;
    }
    bool answer = true;  // of what is broken nothing is said here but that it may be
    if (content) {
      answer = check.field == "contents" ? ContentAnswer(search, check, *content)
               : check.field == "bytes"
                   ? BytesAnswer(check, *content)
                   : HexDigest(PlainDigestKind(check.field, check.value.size()), *content) ==
                         Upper(check.value);
      if (search.mismatch.contains(MismatchWord(check.field))) answer = !answer;
    }
    if (answer) yes.push_back(&check);
    if (!answer && search.matchall) return;
  }
  PlainFind find;
  find.paths = seen.paths;
  find.size = static_cast<std::uint64_t>(seen.status->st_size);
  find.mode = ModeOf(seen.status->st_mode);
  find.modified = TimeText(seen.status->st_mtim.tv_sec,
                           static_cast<std::uint32_t>(seen.status->st_mtim.tv_nsec));
  find.digests = digests;
  std::vector<PlainFind>& finds = answer_.finds[search.label];
  if (search.matchall) {
    find.certain = certain || !needs_content;
    finds.push_back(find);
    return;
  }
  for (const PlainCheck* check : yes) {
    find.certain = certain || !NeedsContent(*check);
    find.check = check->field + "=" +
                 (check->field == "md5" || check->field.starts_with("sha") ? Upper(check->value)
                                                                           : check->value);
    finds.push_back(find);
  }
}

PlainAnswer Run::Take() {
  for (const auto& [place, reason] : skipped_) ++answer_.skipped[reason];
  for (const auto& [place, reason] : failed_) {
    ++answer_.skipped[reason];
    ++answer_.failed;
    broken_.erase(place);
  }
  for (const std::string& path : too_deep_) {
    if (!entered_.contains(path)) ++answer_.skipped["maxdepth"];
  }
  for (const auto& [place, bytes] : opened_) answer_.most_bytes += bytes;
  answer_.files = files_.size();
  answer_.directories = folders_.size();
  answer_.broken = broken_.size();
  return std::move(answer_);
}

}  // namespace

DigestKind PlainDigestKind(const std::string& field, std::size_t digits) {
  if (field == "md5") return DigestKind::kMd5;
  if (field == "sha1") return DigestKind::kSha1;
  if (field == "sha2") {
    return digits == 64   ? DigestKind::kSha256
           : digits == 96 ? DigestKind::kSha384
                          : DigestKind::kSha512;
  }
  return digits == 56   ? DigestKind::kSha3_224
         : digits == 64 ? DigestKind::kSha3_256
         : digits == 96 ? DigestKind::kSha3_384
                        : DigestKind::kSha3_512;
}

json::object PlainSearch::ToJson() const {
  json::object fields;
  json::array where;
  for (const std::string& path : paths) where.push_back(json::FromName(path));
  fields["paths"] = std::move(where);
  for (const PlainCheck& check : checks) {
    if (!fields.contains(check.field)) fields[check.field] = json::array();
    fields[check.field].as_array().emplace_back(check.value);
  }
  json::array words;
  for (const std::string& word : mismatch) words.emplace_back(word);
  json::array returned(returndigests.begin(), returndigests.end());
  fields["options"] = json::object{{"matchall", matchall},
                                   {"macroal", macroal},
                                   {"returnsha256", returnsha256},
                                   {"returndigests", std::move(returned)},
                                   {"decompress", decompress},
                                   {"maxdepth", static_cast<std::int64_t>(maxdepth)},
                                   {"matchlimit", static_cast<std::int64_t>(matchlimit)},
                                   {"mismatch", std::move(words)}};
  return fields;
}

PlainReader::PlainReader(const std::string& tree) : path_(tree), top_(std::make_unique<Node>()) {
  top_->name = tree;
  top_->path = tree;
  ReadNode(AT_FDCWD, *top_);
}

PlainReader::~PlainReader() = default;

PlainAnswer PlainReader::Run(const std::vector<PlainSearch>& searches, UtcTime now,
                             bool as_other) const {
  file::Run run(*top_, now, as_other);
  for (const PlainSearch& search : searches) run.Search(search);
  return run.Take();
}

}  // namespace mig::file
