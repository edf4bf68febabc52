#include "store/content_folder.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "crypto/digest.h"
#include "test/temp_folder.h"
#include "util/encoding.h"

using namespace mig;
using mig::store::ContentFolder;

namespace {

struct Fixture {
  TempFolder temp;
  std::filesystem::path path = temp / "content";
  std::optional<ContentFolder> folder;

  explicit Fixture(std::uint64_t max_bytes = 100) { Reopen(max_bytes); }
  void Reopen(std::uint64_t max_bytes = 100) {
    auto opened = ContentFolder::Open(path, max_bytes);
    REQUIRE(opened);
    folder.emplace(std::move(*opened));
  }
  std::filesystem::path FileOf(std::string_view content) const {
    return path / EncodeHex(Sha256(content));
  }
  void Add(std::string_view content) {
    const Bytes digest = Sha256(content);
    REQUIRE(folder->Append(digest, "me", 0, content));
    REQUIRE(folder->Complete(digest, "me"));
  }
  bool Has(std::string_view content) const { return folder->SizeOf(Sha256(content)).has_value(); }
  // As if it had been used so many minutes ago.
  void Age(std::string_view content, int minutes) const {
    std::filesystem::last_write_time(
        FileOf(content),
        std::filesystem::file_time_type::clock::now() - std::chrono::minutes(minutes));
  }
};

}  // namespace

TEST_CASE("content folder: pieces grow to a file that only its owner can read", "[store]") {
  Fixture f;
  const Bytes digest = Sha256("hello world");
  REQUIRE(f.folder->Append(digest, "me", 0, "hello "));
  CHECK_FALSE(f.folder->SizeOf(digest));
  CHECK(f.folder->PartSize(digest, "me") == 6);
  f.Reopen();  // a restart in between loses nothing
  CHECK(f.folder->PartSize(digest, "me") == 6);
  REQUIRE(f.folder->Append(digest, "me", 6, "world"));
  REQUIRE(f.folder->Complete(digest, "me"));
  CHECK(f.folder->SizeOf(digest) == 11);
  CHECK(f.folder->PartSize(digest, "me") == 0);
  CHECK(*f.folder->ReadRange(digest, 4, 3) == "o w");
  CHECK(*f.folder->ReadRange(digest, 9, 300) == "ld");
  CHECK(f.folder->ReadRange(digest, 11, 5)->empty());
  CHECK(**f.folder->ReadWhole(digest, 11) == "hello world");
  struct stat status {};
  REQUIRE(stat(f.FileOf("hello world").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777u) == 0600);
}

TEST_CASE("content folder: a piece that does not follow on is refused", "[store]") {
  Fixture f;
  const Bytes digest = Sha256("hello");
  REQUIRE(f.folder->Append(digest, "me", 0, "he"));
  CHECK(f.folder->Append(digest, "me", 3, "lo").error().code() == Errc::kInvalid);
  CHECK(f.folder->Append(digest, "me", 0, "he").error().code() == Errc::kInvalid);
  CHECK(f.folder->PartSize(digest, "me") == 2);
}

TEST_CASE("content folder: other bytes than the name says never become complete", "[store]") {
  Fixture f;
  const Bytes digest = Sha256("hello");
  REQUIRE(f.folder->Append(digest, "me", 0, "jello"));
  const auto refused = f.folder->Complete(digest, "me");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message() == "the bytes have the SHA-256 " + EncodeHex(Sha256("jello")) +
                                         ", expected is " + EncodeHex(digest));
  CHECK(f.folder->PartSize(digest, "me") == 0);
  CHECK_FALSE(f.folder->SizeOf(digest));
  CHECK(f.folder->total_bytes() == 0);
}

TEST_CASE("content folder: nobody spoils the part of another", "[store]") {
  Fixture f;
  const Bytes digest = Sha256("hello");
  REQUIRE(f.folder->Append(digest, "mallory", 0, "jel"));
  REQUIRE(f.folder->Append(digest, "me", 0, "hello"));
  REQUIRE(f.folder->Complete(digest, "me"));
  CHECK(f.folder->SizeOf(digest) == 5);
}

TEST_CASE("content folder: what was altered on disk is noticed and removed", "[store]") {
  Fixture f;
  f.Add("hello");
  const Bytes digest = Sha256("hello");
  f.temp.Write("content/" + EncodeHex(digest), "jello");
  CHECK_FALSE(*f.folder->ReadWhole(digest, 5));
  CHECK_FALSE(f.Has("hello"));
  f.Add("hello");
  f.temp.Write("content/" + EncodeHex(digest), "hello, longer");
  CHECK_FALSE(*f.folder->ReadWhole(digest, 5));
  CHECK_FALSE(f.Has("hello"));
}

TEST_CASE("content folder: a link is not followed but removed, strangers stay", "[store]") {
  Fixture f;
  const Bytes digest = Sha256("hello");
  const auto target = f.temp.Write("elsewhere", "hello");
  std::filesystem::create_symlink(target, f.FileOf("hello"));
  CHECK_FALSE(f.folder->SizeOf(digest));
  CHECK_FALSE(f.folder->ReadRange(digest, 0, 5));
  std::filesystem::create_symlink(target, f.FileOf("hello").string() + ".me");
  CHECK_FALSE(f.folder->Append(digest, "me", 0, "x"));
  f.temp.Write("content/stranger", "x");
  f.Reopen();
  CHECK(std::filesystem::exists(f.path / "stranger"));
  CHECK_FALSE(std::filesystem::is_symlink(f.FileOf("hello")));
  CHECK_FALSE(std::filesystem::is_symlink(f.FileOf("hello").string() + ".me"));
  CHECK(f.folder->total_bytes() == 0);
  CHECK(std::filesystem::exists(target));
}

TEST_CASE("content folder: its bound counts parts too", "[store]") {
  Fixture f(10);
  f.Add("12345");
  REQUIRE(f.folder->Append(Sha256("a"), "me", 0, "1234"));
  CHECK(f.folder->Append(Sha256("b"), "me", 0, "12").error().code() == Errc::kFull);
  f.Reopen(10);
  CHECK(f.folder->total_bytes() == 9);
  CHECK(f.folder->Append(Sha256("b"), "me", 0, "12").error().code() == Errc::kFull);
  f.folder->DropPart(Sha256("a"), "me");
  CHECK(f.folder->Append(Sha256("b"), "me", 0, "12"));
}

TEST_CASE("content folder: what was used longest ago makes room", "[store]") {
  Fixture f(12);
  f.Add("aaaa");
  f.Add("bbbb");
  f.Add("cccc");
  f.Age("aaaa", 3);
  f.Age("bbbb", 2);
  f.Age("cccc", 1);
  REQUIRE(*f.folder->ReadWhole(Sha256("aaaa"), 4));  // used again
  REQUIRE(f.folder->EvictFor(4, Sha256("dddd")));
  CHECK(f.Has("aaaa"));
  CHECK_FALSE(f.Has("bbbb"));
  CHECK(f.Has("cccc"));
  REQUIRE(f.folder->EvictFor(8, Sha256("cccc")));
  CHECK(f.Has("cccc"));
  CHECK_FALSE(f.Has("aaaa"));
  CHECK(f.folder->EvictFor(9, Sha256("cccc")).error().code() == Errc::kFull);
}

TEST_CASE("content folder: a sweep removes what nobody needs", "[store]") {
  Fixture f;
  f.Add("aaaa");
  f.Add("bbbb");
  REQUIRE(f.folder->Append(Sha256("c"), "me", 0, "c"));
  f.folder->Sweep([](const ContentFolder::Entry& entry) {
    return entry.part || entry.sha256 == Sha256("bbbb");
  });
  CHECK(f.Has("aaaa"));
  CHECK_FALSE(f.Has("bbbb"));
  CHECK(f.folder->PartSize(Sha256("c"), "me") == 0);
  CHECK(f.folder->total_bytes() == 4);
}
