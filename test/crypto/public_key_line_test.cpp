#include "crypto/public_key_line.h"

#include <catch2/catch.hpp>

#include "crypto/ed25519.h"
#include "test/crypto/ssh_vectors.h"

using namespace mig;

namespace {

const std::string kAnn = "Ann Example <ann@example.net>";

PublicKeyLine Sample(const std::string& type = "ed25519") {
  const Bytes raw(SecretKey::FromSeed(Bytes(32, 'k'))->public_key().View());
  return {type, type == "sk-ed25519" ? raw + "ssh:" : raw, kAnn};
}

}  // namespace

TEST_CASE("public line: type, key and name, there and back", "[crypto]") {
  for (const char* type : {"ed25519", "sk-ed25519"}) {
    const std::string line = WritePublicLine(Sample(type));
    CHECK(line.starts_with(std::string("mig-") + type + " "));
    CHECK(*ReadPublicLine(line) == Sample(type));
    CHECK(*ReadPublicLine(line + "\n") == Sample(type));
  }
}

TEST_CASE("public line: what is cut or has more is malformed", "[crypto]") {
  const std::string line = WritePublicLine(Sample());
  for (const std::string& text :
       {std::string(), std::string("mig-ed25519"), std::string("mig-ed25519 "),
        "mig-ed25519 AAAA " + std::string("Ann"), line.substr(0, 56), line + "\n\n",
        "ssh-ed25519" + line.substr(11), line.substr(0, 56) + "  Ann"}) {
    INFO(text);
    const auto read = ReadPublicLine(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == Errc::kMalformed);
  }
}

TEST_CASE("public line: a type that verifies nothing is refused", "[crypto]") {
  CHECK_FALSE(ReadPublicLine("mig-x25519" + WritePublicLine(Sample()).substr(11)));
  CHECK_FALSE(ReadPublicLine("mig-rsa AAAA Ann"));
}

TEST_CASE("public line: OpenSSH's line is one too", "[crypto]") {
  const auto line = ReadPublicLine(ssh_vectors::kPublicLine);
  REQUIRE(line);
  CHECK(line->type == "ed25519");
  CHECK(line->name == "ada@example.net");
  CHECK(ReadPublicLine(ssh_vectors::kRsaPublicLine).error().code() == Errc::kUnsupported);
}
