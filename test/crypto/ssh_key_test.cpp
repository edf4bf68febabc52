#include "crypto/ssh_key.h"

#include <catch2/catch.hpp>

#include "crypto/ssh_wire.h"
#include "test/crypto/ssh_vectors.h"
#include "util/encoding.h"

using namespace mig;

TEST_CASE("ssh key: the line that ssh-keygen wrote is read and written", "[crypto]") {
  const auto line = ssh::ReadPublicLine(ssh_vectors::kPublicLine);
  REQUIRE(line);
  CHECK(line->key.type == "ed25519");
  CHECK(line->key.key.size() == 32);
  CHECK(line->comment == "ada@example.net");
  CHECK(ssh::WritePublicLine(line->key, line->comment) + "\n" == ssh_vectors::kPublicLine);
  CHECK(ssh::Fingerprint(ssh::EncodeKeyBlob(line->key)) == ssh_vectors::kFingerprint);
}

TEST_CASE("ssh key: a comment may be absent or have spaces", "[crypto]") {
  const std::string line(ssh_vectors::kPublicLine.substr(0, ssh_vectors::kPublicLine.rfind(' ')));
  CHECK(ssh::ReadPublicLine(line)->comment.empty());
  CHECK(ssh::ReadPublicLine(line + " Ada at home\r\n")->comment == "Ada at home");
}

TEST_CASE("ssh key: a token's key carries its application", "[crypto]") {
  const ssh::Key key{"sk-ed25519", Bytes(32, 'k') + "ssh:work"};
  CHECK(key.Application() == "ssh:work");
  const std::string line = ssh::WritePublicLine(key, "token");
  CHECK(line.starts_with("sk-ssh-ed25519@openssh.com "));
  CHECK(ssh::ReadPublicLine(line)->key == key);
}

TEST_CASE("ssh key: RSA and ECDSA keys are refused by name", "[crypto]") {
  const auto rsa = ssh::ReadPublicLine(ssh_vectors::kRsaPublicLine);
  REQUIRE_FALSE(rsa);
  CHECK(rsa.error().code() == Errc::kUnsupported);
  CHECK(rsa.error().message().find("ssh-rsa") != std::string::npos);
  CHECK(ssh::ReadPublicLine("ecdsa-sha2-nistp256 AAAA x").error().code() == Errc::kUnsupported);
  CHECK(ssh::ReadPublicLine("no-pty ssh-ed25519 AAAA x").error().code() == Errc::kUnsupported);
}

TEST_CASE("ssh key: the word in front must be the type of the key", "[crypto]") {
  const ssh::Key key{"sk-ed25519", Bytes(32, 'k') + "ssh:"};
  const std::string line = "ssh-ed25519 " + EncodeBase64(ssh::EncodeKeyBlob(key));
  CHECK(ssh::ReadPublicLine(line).error().code() == Errc::kMalformed);
}

TEST_CASE("ssh key: what is cut, too long or empty is malformed", "[crypto]") {
  const Bytes blob = ssh::EncodeKeyBlob({"sk-ed25519", Bytes(32, 'k') + "ssh:"});
  for (std::size_t size = 0; size < blob.size(); ++size) {
    CHECK_FALSE(ssh::DecodeKeyBlob(BytesView(blob).substr(0, size)));
  }
  CHECK(ssh::DecodeKeyBlob(blob + 'x').error().code() == Errc::kMalformed);
  CHECK_FALSE(ssh::ReadPublicLine(""));
  CHECK_FALSE(ssh::ReadPublicLine("ssh-ed25519"));
  CHECK_FALSE(ssh::ReadPublicLine("ssh-ed25519 "));
  CHECK_FALSE(ssh::ReadPublicLine("ssh-ed25519 not!base64"));
}

TEST_CASE("ssh wire: a length beyond its field or the bytes is an error", "[crypto]") {
  ssh::Reader too_long(BytesView("\0\0\0\5hello", 9), "thing");
  CHECK(too_long.String("name", 4).empty());
  CHECK(too_long.Finish().error().message() ==
        "thing: the name has 5 bytes; at most 4 are expected");
  ssh::Reader cut(BytesView("\xff\xff\xff\xff", 4), "thing");
  CHECK(cut.String("name", std::size_t{1} << 33).empty());
  CHECK(cut.Finish().error().message() == "thing: ends within the name");
}
