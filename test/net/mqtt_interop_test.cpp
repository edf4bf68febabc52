// The relay with Mosquitto's clients: somebody else's implementation of the protocol.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

#include "running_relay.h"
#include "test/skip.h"
#include "test/temp_folder.h"

namespace mig {
namespace {

bool Installed() {
  return access("/usr/bin/mosquitto_pub", X_OK) == 0 && access("/usr/bin/mosquitto_sub", X_OK) == 0;
}

struct Output {
  int status = -1;
  std::string text;
};

Output Run(const std::string& command) {
  Output output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) output.text += buffer.data();
  output.status = WEXITSTATUS(pclose(pipe));
  return output;
}

TEST_CASE("relay with Mosquitto's clients: queued and retained messages, wills, sharing", "[net]") {
  if (!Installed()) MIG_SKIP("mosquitto-clients is not installed");
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  const std::string port = " -p " + std::to_string(relay.port()) + " ";
  const auto pub = [&](const std::string& rest) { return Run("mosquitto_pub" + port + rest); };
  const auto sub = [&](const std::string& rest) {
    return Run("timeout 20 mosquitto_sub" + port + rest);
  };
  for (const std::string version : {"-V 5 ", "-V 311 "}) {
    INFO(version);
    const std::string keep =
        version + "-i keeper -c -q 1 -t 'a/#' " + (version == "-V 5 " ? "-x 600 " : "");
    // -E: leave once the subscription is acknowledged.
    REQUIRE(sub(keep + "-E").status == 0);
    for (const char* text : {"one", "two", "three"}) {
      CHECK(pub(version + "-t a/b -q 1 -m " + text).status == 0);
    }
    const Output received = sub(keep + "-C 3");
    CHECK(received.status == 0);
    CHECK(received.text == "one\ntwo\nthree\n");

    CHECK(pub(version + "-t kept -r -q 1 -m remembered").status == 0);
    CHECK(sub(version + "-t kept -C 1").text == "remembered\n");
    CHECK(pub(version + "-t kept -r -n").status == 0);

    const std::string group =
        version + "-i shared -c -q 1 -t '$share/g/s' " + (version == "-V 5 " ? "-x 600 " : "");
    REQUIRE(sub(group + "-E").status == 0);
    CHECK(pub(version + "-t s -q 1 -m for-one-of-us").status == 0);
    CHECK(sub(group + "-C 1").text == "for-one-of-us\n");
    // Leaves nothing for the other version to resume.
    CHECK(sub(version + "-i keeper -t nothing -E").status == 0);
    CHECK(sub(version + "-i shared -t nothing -E").status == 0);
  }
}

TEST_CASE("relay with Mosquitto's clients: properties and expiry of version 5", "[net]") {
  if (!Installed()) MIG_SKIP("mosquitto-clients is not installed");
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  const std::string port = " -p " + std::to_string(relay.port()) + " -V 5 ";
  const std::string keep = "timeout 20 mosquitto_sub" + port + "-i keeper -c -x 600 -q 1 -t p ";
  REQUIRE(Run(keep + "-E").status == 0);
  CHECK(Run("mosquitto_pub" + port +
            "-t p -q 1 -m x -D publish message-expiry-interval 500 -D publish content-type text "
            "-D publish user-property color blue -D publish response-topic r")
            .status == 0);
  const Output received = Run(keep + "-C 1 -F '%C %R %P %E'");
  CHECK(received.text == "text r color:blue 500\n");
}

}  // namespace
}  // namespace mig
