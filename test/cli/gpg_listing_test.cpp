#include "cli/gpg_listing.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::cli;

namespace {

const std::string kPrimary = "8ACD69BDB3E7046ED767664E62C8FE55269CB5DF";
const std::string kSubkey = "25E3C44969A98D0762616FF94AF9B397C7D21B1A";

// One key with a subkey, as GnuPG 2.2.40 (Debian 12) lists it. `$` stands for what the tests
// change: validity and flags of the primary key, and validity and token of the subkey.
std::string Listing(const std::string& primary = "u", const std::string& flags = "scSC",
                    const std::string& subkey = "u", const std::string& token = "+") {
  return "sec:" + primary + ":255:22:62C8FE55269CB5DF:1795476237:::u:::" + flags +
         ":::+::ed25519:::0:\n"
         "fpr:::::::::" +
         kPrimary +
         ":\n"
         "grp:::::::::3DA150BC1B3743B5AAEF54E4ABB13B2946DE25C9:\n"
         "pkd:0:80:092B06010401DA470F01:\n"
         "pkd:1:263:40604F87A19A7BD26BAC05EE5CD153F20453FD258D28D90955DFB3EF6F779AE642:\n"
         "uid:u::::1795476237::CF65C00F73050F0010737BAFA21CF969CD454F95::Ada \\x3a "
         "<ada@example.net>::::::::::0:\n"
         "ssb:" +
         subkey + ":255:22:4AF9B397C7D21B1A:1795476237:1827012237:::::s:::" + token +
         "::ed25519::\n"
         "fpr:::::::::" +
         kSubkey +
         ":\n"
         "pkd:0:80:092B06010401DA470F01:\n"
         "pkd:1:263:402667EFD95D12F6C9E00AE201BFBFCC2F0622310BE047F2CDEE3F93F66069B7B3:\n";
}

std::string Choose(const std::string& listing, const std::string& id) {
  const auto key = ChooseGpgKey(*ParseGpgListing(listing), id);
  return key ? key->fingerprint : "error: " + key.error().message();
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("gpg listing: keys, subkeys and their numbers are read", "[cli]") {
  const auto keys = ParseGpgListing(Listing());
  REQUIRE(keys);
  REQUIRE(keys->size() == 2);
  CHECK((*keys)[0].fingerprint == kPrimary);
  CHECK((*keys)[0].user_id == "Ada : <ada@example.net>");
  CHECK((*keys)[0].algorithm == "ed25519");
  CHECK((*keys)[0].point.size() == 32);
  CHECK((*keys)[0].point.substr(0, 2) == "\x60\x4f");
  CHECK((*keys)[1].primary == kPrimary);
  CHECK((*keys)[1].user_id == "Ada : <ada@example.net>");
  CHECK(WhyUnusable((*keys)[1]).empty());
}

TEST_CASE("gpg listing: a fingerprint means its key, a primary one the key that signs", "[cli]") {
  CHECK(Choose(Listing(), kPrimary) == kPrimary);
  CHECK(Choose(Listing(), kSubkey) == kSubkey);
  CHECK(Choose(Listing(), "0x4af9b397c7d21b1a") == kSubkey);
  CHECK(Choose(Listing(), "25E3 C449 69A9 8D07 6261  6FF9 4AF9 B397 C7D2 1B1A") == kSubkey);
  CHECK(Choose(Listing("u", "cSC"), kPrimary) == kSubkey);
  CHECK(Choose(Listing("u", "cSC"), "ADA@example.net") == kSubkey);
  CHECK(Choose(Listing(), "ada@example.net") == kPrimary);
}

TEST_CASE("gpg listing: what cannot sign is refused with the reason", "[cli]") {
  CHECK(Contains(Choose(Listing("u", "scSC", "e"), kSubkey), "expired"));
  CHECK(Contains(Choose(Listing("u", "scSC", "r"), kSubkey), "revoked"));
  CHECK(Contains(Choose(Listing("u", "scSC", "u", "#"), kSubkey), "its secret is not here"));
  const std::string none = Choose(Listing("u", "cSC", "e"), "ada");
  CHECK(Contains(none, "not for signing"));
  CHECK(Contains(none, "gpg --quick-add-key " + kPrimary));
}

TEST_CASE("gpg listing: a card's key is usable and known for one", "[cli]") {
  const auto keys = ParseGpgListing(Listing("u", "scSC", "u", "D2760001240102010006012345670000"));
  CHECK((*keys)[1].on_card());
  CHECK(WhyUnusable((*keys)[1]).empty());
}

TEST_CASE("gpg listing: a short RSA key is refused, a long one is not", "[cli]") {
  const auto rsa = [](std::size_t bytes) {
    return ParseGpgListing("sec:u:" + std::to_string(bytes * 8) +
                           ":1:C5DDC963EE756849:1795476237:::u:::scSC:::+:::23::0:\n"
                           "fpr:::::::::80CC6FDF75097EC741A8CA2EC5DDC963EE756849:\n"
                           "pkd:0:1:" +
                           std::string(bytes * 2, 'B') + ":\npkd:1:17:010001:\n");
  };
  CHECK(WhyUnusable(rsa(384)->front()).empty());
  CHECK(rsa(384)->front().exponent == Bytes("\1\0\1", 3));
  CHECK(WhyUnusable(rsa(256)->front()) == "rsa2048: RSA below 3072 bits");
}

TEST_CASE("gpg listing: what is not there says what is", "[cli]") {
  const std::string other = Choose(Listing(), "bob@example.net");
  CHECK(Contains(other, "bob@example.net"));
  CHECK(Contains(other, kPrimary));
  CHECK(Contains(other, "gpg -K"));
  CHECK(Contains(Choose("", "ada"), "mig key new"));
  CHECK(Contains(Choose(Listing() + Listing(), "ada"), "several keys"));
}

TEST_CASE("gpg listing: a list that makes no sense is malformed", "[cli]") {
  CHECK_FALSE(ParseGpgListing("ssb:u:255:22:::::::s:\n"));
  CHECK_FALSE(ParseGpgListing("sec:u:255:22:::::::s:\n"));
  CHECK(ParseGpgListing("tru::1:1795476237:0:3:1:5\n")->empty());
}
