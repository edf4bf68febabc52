// Bytes as setcap(8) writes them: `getfattr -e hex -n security.capability FILE` of libcap 2.66.
#include "modules/file/capability.h"

#include <catch2/catch.hpp>

#include "util/encoding.h"

using namespace mig;
using namespace mig::file;

namespace {

using Texts = std::vector<std::string>;

Expected<FileCapabilities> Decode(std::string_view hex) {
  const auto bytes = DecodeHex(hex);
  REQUIRE(bytes);
  return DecodeFileCapabilities(*bytes);
}

}  // namespace

TEST_CASE("file capabilities: version 2, as setcap writes them", "[modules]") {
  // setcap cap_net_raw=ep
  CHECK(Decode("0100000200200000000000000000000000000000")->Texts() == Texts{"cap_net_raw=ep"});
  // setcap cap_net_bind_service,cap_net_admin=p
  CHECK(Decode("0000000200140000000000000000000000000000")->Texts() ==
        Texts{"cap_net_bind_service=p", "cap_net_admin=p"});
  // setcap cap_bpf=eip: beyond the first 32
  CHECK(Decode("0100000200000000000000008000000080000000")->Texts() == Texts{"cap_bpf=eip"});
}

TEST_CASE("file capabilities: version 3 names the root of its namespace", "[modules]") {
  const auto found = Decode("0100000300200000000000000000000000000000e8030000");
  REQUIRE(found);
  CHECK(found->Texts() == Texts{"cap_net_raw=ep"});
  CHECK(found->root == 1000u);
}

TEST_CASE("file capabilities: version 1 and numbers without a name", "[modules]") {
  CHECK(Decode("010000012000000000000000")->Texts() == Texts{"cap_kill=ep"});
  CHECK(Decode("0000000200000000000000000080000000000000")->Texts() == Texts{"cap_47=p"});
}

TEST_CASE("file capabilities: what is none of these is refused", "[modules]") {
  for (const char* hex : {"", "01", "01000002", "0100000200200000000000000000000000000000e8030000",
                          "0100000300200000000000000000000000000000", "010000042000000000000000",
                          "0300000200200000000000000000000000000000"}) {
    INFO(hex);
    CHECK_FALSE(Decode(hex));
  }
}
