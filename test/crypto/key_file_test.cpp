#include "crypto/key_file.h"

#include <catch2/catch.hpp>

#include "util/text.h"

using namespace mig;

namespace {

const UtcTime kCreated = *ParseRfc3339("2026-11-23T09:30:00Z");

KeyFile Sample() {
  return {"Ann Example <ann@example.net>", kCreated, *SecretKey::FromSeed(Bytes(32, 'k'))};
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

Errc CodeOf(std::string_view text, std::string_view passphrase) {
  const auto file = ReadKeyFile(text, passphrase);
  REQUIRE_FALSE(file);
  return file.error().code();
}

}  // namespace

TEST_CASE("key file: written under a passphrase, read with it, and with no other", "[crypto]") {
  const KeyFile file = Sample();
  const std::string text = *WriteKeyFile(file, "correct horse");
  CHECK(*NeedsPassphrase(text));
  const auto read = ReadKeyFile(text, "correct horse");
  REQUIRE(read);
  CHECK(read->name == file.name);
  CHECK(read->created == file.created);
  CHECK(read->secret.Seed() == file.secret.Seed());
  CHECK(CodeOf(text, "correct horse ") == Errc::kDenied);
  CHECK(CodeOf(text, "") == Errc::kDenied);
  CHECK(*WriteKeyFile(file, "correct horse") != text);  // salt and nonce are new each time
}

TEST_CASE("key file: a changed name, time or public key is found out", "[crypto]") {
  const std::string text = *WriteKeyFile(Sample(), "p");
  CHECK(CodeOf(Replaced(text, "Ann", "Eve"), "p") == Errc::kDenied);
  CHECK(CodeOf(Replaced(text, "09:30", "09:31"), "p") == Errc::kDenied);
  CHECK(CodeOf(Replaced(text, "passes: 2", "passes: 3"), "p") == Errc::kDenied);
  const std::string other =
      *WriteKeyFile({"Ann Example <ann@example.net>", kCreated, SecretKey::Generate()}, "p");
  const auto line = [](const std::string& t) { return Split(t, '\n')[4]; };
  CHECK(CodeOf(Replaced(text, line(text), line(other)), "p") == Errc::kDenied);
}

TEST_CASE("key file: in clear when there is no passphrase, and says so", "[crypto]") {
  const std::string text = *WriteKeyFile(Sample(), "");
  CHECK_FALSE(*NeedsPassphrase(text));
  CHECK(text.find("protection: none\n") != std::string::npos);
  CHECK(ReadKeyFile(text, "")->secret.Seed() == Bytes(32, 'k'));
  CHECK(ReadKeyFile(text, "ignored")->name == "Ann Example <ann@example.net>");
}

TEST_CASE("key file: damage to a file in clear shows", "[crypto]") {
  const std::string text = *WriteKeyFile(Sample(), "");
  CHECK(CodeOf(Replaced(text, "secret: a2tr", "secret: a2tq"), "") == Errc::kDenied);
}

TEST_CASE("key file: the public half needs no passphrase", "[crypto]") {
  const KeyFile file = Sample();
  const auto half = PublicHalf(*WriteKeyFile(file, "p"));
  REQUIRE(half);
  CHECK(half->key == file.secret.public_key());
  CHECK(half->name == file.name);
}

TEST_CASE("key file: what a file may cost its reader is bounded", "[crypto]") {
  const std::string text = *WriteKeyFile(Sample(), "p");
  // One byte above 1 GiB, 100 GB, and more than any number holds.
  for (const char* memory : {"1073741825", "100000000000", "99999999999999999999"}) {
    CHECK(CodeOf(Replaced(text, "67108864", memory), "p") == Errc::kMalformed);
  }
  CHECK(CodeOf(Replaced(text, "passes: 2", "passes: 17"), "p") == Errc::kMalformed);
  CHECK(CodeOf(Replaced(text, "passes: 2", "passes: 0"), "p") == Errc::kMalformed);
  CHECK(CodeOf(Replaced(text, "passes: 2", "passes: -1"), "p") == Errc::kMalformed);
  CHECK(CodeOf(text + std::string(5000, '\n'), "p") == Errc::kMalformed);
}

TEST_CASE("key file: lines have one order and one form", "[crypto]") {
  const std::string text = *WriteKeyFile(Sample(), "");
  CHECK(CodeOf(Replaced(text, "version: 1", "version: 2"), "") == Errc::kMalformed);
  CHECK(CodeOf(Replaced(text, "version: 1\n", ""), "") == Errc::kMalformed);
  CHECK(CodeOf(Replaced(text, "name: Ann", "name:  Ann"), "") == Errc::kMalformed);
  CHECK(CodeOf(Replaced(text, "none", "rot13"), "") == Errc::kMalformed);
  CHECK(CodeOf(Replaced(text, "\n", "\r\n"), "") == Errc::kMalformed);
  CHECK(CodeOf(text + "more\n", "") == Errc::kMalformed);
  CHECK(CodeOf("", "") == Errc::kMalformed);
  for (std::size_t size = 0; size < text.size(); ++size) {
    CHECK(CodeOf(text.substr(0, size), "") == Errc::kMalformed);
  }
  CHECK(ReadKeyFile(Replaced(text, "none", "rot13"), "").error().message() ==
        "key file: line 6: protection is neither `argon2id-xchacha20poly1305` nor `none`");
}

TEST_CASE("key file: a name that would break the lines is refused", "[crypto]") {
  for (const char* name : {"", " x", "x ", "a\nb", "a\tb", "\xff", "a\x7f"}) {
    CHECK_FALSE(IsKeyName(name));
    const auto text = WriteKeyFile({name, kCreated, SecretKey::Generate()}, "");
    REQUIRE_FALSE(text);
    CHECK(text.error().code() == Errc::kInvalid);
  }
  CHECK(IsKeyName("Jörg Ö <j@example.net>"));
  CHECK(IsKeyName(std::string(256, 'x')));
  CHECK_FALSE(IsKeyName(std::string(257, 'x')));
}
