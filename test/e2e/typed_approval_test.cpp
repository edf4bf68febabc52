// `mig approve` as a person meets it: on a terminal, where the action is shown, a question is asked
// and an answer typed; and what an attacker could write on that terminal.
#include <catch2/catch.hpp>

#include "test/e2e/investigator.h"
#include "test/e2e/two_people.h"
#include "test/e2e/typist.h"

using namespace mig;
using namespace mig::e2e;

namespace {

constexpr const char* kQuestion = "[y/N] ";

Typist BobApproves(const TwoPeople& people, const std::string& id) {
  RunOptions options = people.lab.Options();
  options.environment["MIG_KEY"] = people.bob_file.string();
  options.environment["HOME"] = (people.lab.scratch() / "bobs-home").string();
  options.environment["TERM"] = "xterm";
  return Typist({Executable(), "approve", id}, options);
}

}  // namespace

TEST_CASE("typed approval: shown, then asked, and only yes signs", "[e2e]") {
  const TwoPeople people;
  const std::string id = people.Pending();
  struct Case {
    const char* name;
    std::string keys;
  };
  const std::string end = "\x04";
  const Case refusals[] = {
      {"no", "n\n"},
      {"nothing", "\n"},
      {"the end of input", end},
      {"yes without the end of its line", "y" + end + end},
      {"another word that begins so", "yesterday\n"},
      {"the same twice", "yy\n"},
      {"1", "1\n"},
      {"another language", "ja\n"},
      {"yes with something behind it", "y n\n"},
      {"yes with something behind many spaces", "y" + std::string(70, ' ') + "n\n"},
      {"yes on the next line", "\ny\n"},
      {"a paste around it", "\x1b[200~y\x1b[201~\n"},
  };
  for (const Case& refusal : refusals) {
    INFO(refusal.name);
    Typist bob = BobApproves(people, id);
    const bool asked = bob.Sees(kQuestion);
    INFO(bob.screen());
    REQUIRE(asked);
    // What is asked about was on the screen before the question.
    for (const char* words : {"kind        investigate", "machines    agent-1", "example",
                              "Lab Investigator <lab@localhost>", "Sign exactly this, as Bob <"}) {
      INFO(words);
      CHECK(bob.screen().find(words) < bob.screen().find(kQuestion));
    }
    bob.Types(refusal.keys);
    CHECK(bob.Ends() == 4);
    INFO(bob.screen());
    CHECK(bob.screen().find("nothing was signed") != std::string::npos);
    CHECK(people.StatusOf(id) == "pending");
  }
  CHECK(people.lab.Runs(id) == 0);

  {  // Ctrl-C is no answer either.
    Typist bob = BobApproves(people, id);
    REQUIRE(bob.Sees(kQuestion));
    bob.Types("\x03");
    CHECK(bob.Ends() != 0);
    CHECK(people.StatusOf(id) == "pending");
  }
  {  // Typed before there was a question: to something else.
    Typist bob = BobApproves(people, id);
    bob.Types("y\n");
    REQUIRE(bob.Sees(kQuestion));
    bob.Types("n\n");
    CHECK(bob.Ends() == 4);
    CHECK(people.StatusOf(id) == "pending");
  }

  Typist bob = BobApproves(people, id);
  REQUIRE(bob.Sees(kQuestion));
  bob.Types("y\n");
  const int status = bob.Ends();
  INFO(bob.screen());
  CHECK(status == 0);
  CHECK(bob.screen().find("enough people have") != std::string::npos);
  const Outcome answers = people.AsLab({"results", id, "-f"});
  CHECK(answers.status == 0);
  CHECK(people.lab.Runs(id) == 1);
}

TEST_CASE("typed approval: nothing that an author wrote moves the cursor or hides a line",
          "[e2e]") {
  const TwoPeople people;
  // Clear the screen, go up and overwrite, set the title, type ahead by a terminal's answer; in
  // 7-bit and 8-bit form; and text that runs backwards.
  const std::string evil =
      "harmless\x1b[2J\x1b[1;1H\x1b[8mhidden\x1b]0;title\x07\x1b[6n\r\x08\x08\xc2\x9b"
      "2J\xe2\x80\xae[N/y] ";
  Action action = GoodAction(people.deployment);
  action.name = evil;
  action.reason = evil;
  action.target = "all";
  action.description = {evil, evil, evil, 7};
  action.threat = Threat{evil, evil, evil, evil};
  Investigator author(people.lab);
  const HttpReply posted = author.Call(
      "POST", "/v1/actions", EncodeEnvelope(Signed(action, people.deployment.investigator)));
  INFO(posted.body);
  REQUIRE(posted.status == 202);
  const std::string id = action.id.Text();

  const auto harmless = [](std::string screen) {
    INFO(screen);
    CHECK(screen.find("harmless") != std::string::npos);
    for (const char* bad : {"\x1b[2J", "\x1b[1;1H", "\x1b[8m", "\x1b]0", "\x1b[6n", "\x07", "\x08",
                            "\xc2\x9b", "\xe2\x80\xae"}) {
      CHECK(screen.find(bad) == std::string::npos);
    }
    // A carriage return belongs to the terminal's own line ends alone.
    for (std::size_t at = screen.find('\r'); at != std::string::npos;
         at = screen.find('\r', at + 1)) {
      CHECK((at + 1 < screen.size() && (screen[at + 1] == '\n' || screen[at + 1] == '\x1b')));
    }
  };
  Typist bob = BobApproves(people, id);
  REQUIRE(bob.Sees("Sign exactly this"));
  REQUIRE(bob.Sees(kQuestion));
  bob.Types("n\n");
  CHECK(bob.Ends() == 4);
  harmless(bob.screen());
  const Outcome pending = people.AsBob({"pending"});
  harmless(pending.out + pending.err);
  CHECK(people.StatusOf(id) == "pending");
}
