#include "cli/tally.h"

#include <catch2/catch.hpp>

#include "test/cli/agent_voice.h"

using namespace mig;
using namespace mig::cli;
using std::chrono::milliseconds;

namespace {

const ActionId kAction = *ActionId::FromBytes("0123456789abcdef");

AgentId Agent(char name) { return *AgentId::FromBytes(Bytes(32, name)); }

ResultPart Summary(bool found, const char* statistics = "{}") {
  ResultPart part;
  part.last = true;
  part.status = CommandStatus::kSuccess;
  OperationSummary summary;
  summary.result["foundanything"] = found;
  summary.result["statistics"] = *json::Parse(statistics);
  part.summary = summary;
  return part;
}

AgentEnd End(CommandStatus status, std::string code = "") {
  AgentEnd end;
  end.status = status;
  end.code = std::move(code);
  return end;
}

void Answer(Tally& tally, char name, bool found, const char* statistics = "{}") {
  tally.Part(Agent(name), Summary(found, statistics));
  tally.Ended(Agent(name), End(CommandStatus::kSuccess));
}

}  // namespace

TEST_CASE("tally: exit status says found, nothing, partial, refused or limited", "[cli]") {
  {
    Tally tally(2);
    Answer(tally, 'a', true);
    Answer(tally, 'b', false);
    CHECK(tally.Status() == kFound);
  }
  {
    Tally tally(1);
    Answer(tally, 'a', false);
    CHECK(tally.Status() == kNothing);
  }
  {
    Tally tally(2);  // the other one never answers
    Answer(tally, 'a', true);
    CHECK(tally.Status() == kPartial);
    tally.Ended(Agent('b'), End(CommandStatus::kExpired));
    CHECK(tally.Status() == kPartial);
    CHECK(tally.silent() == 1);
  }
  {
    Tally tally(2);
    tally.Ended(Agent('a'), End(CommandStatus::kRefused, "bad_signature"));
    CHECK(tally.Status() == kPartial);
    tally.Ended(Agent('b'), End(CommandStatus::kRefused, "bad_signature"));
    CHECK(tally.Status() == kRefused);
  }
  {
    Tally tally(1);
    Answer(tally, 'a', true, R"({"truncated": true})");
    CHECK(tally.Status() == kLimited);
  }
}

TEST_CASE("tally: an agent whose part does not verify has failed, whatever else it says", "[cli]") {
  Tally tally(1);
  tally.Unverified(Agent('a'));
  Answer(tally, 'a', true);
  CHECK(tally.Status() == kPartial);
  CHECK(tally.answered() == 0);
  CHECK(tally.FinalLine(milliseconds(5)).find("1 does not verify") != std::string::npos);
}

TEST_CASE("tally: an answer with missing parts is not an answer", "[cli]") {
  Tally tally(1);
  AgentEnd end = End(CommandStatus::kSuccess);
  end.complete = false;
  tally.Ended(Agent('a'), end);
  CHECK(tally.Status() == kPartial);
  CHECK(tally.FinalLine(milliseconds(5)).find("1 incomplete") != std::string::npos);
}

TEST_CASE("tally: the final line counts everybody once", "[cli]") {
  Tally tally(5);
  Answer(tally, 'a', true);
  Answer(tally, 'a', true);
  Answer(tally, 'b', false);
  tally.Ended(Agent('c'), End(CommandStatus::kRefused, "too_little_weight"));
  tally.Ended(Agent('d'), End(CommandStatus::kTimeout));
  CHECK(tally.FinalLine(milliseconds(3210)) ==
        "answered 2/5, found 1, failed 2 (1 refused: too_little_weight; 1 timeout), silent 1, "
        "3.2 s");
  CHECK(tally.ProgressLine(1) == "2/5 answered, 1 found, 2 failed, 1 running");
}

TEST_CASE("tally: reasons that endpoints invent do not fill the line", "[cli]") {
  Tally tally(26);
  for (char c = 'a'; c <= 'z'; ++c) {
    tally.Ended(Agent(c), End(CommandStatus::kFailed, std::string("reason-") + c));
  }
  CHECK(tally.FinalLine(milliseconds(1)).find("21 for other reasons") != std::string::npos);
}

TEST_CASE("tally: elapsed time in three digits or minutes", "[cli]") {
  CHECK(FormatElapsed(milliseconds(50)) == "0.05 s");
  CHECK(FormatElapsed(milliseconds(12345)) == "12.3 s");
  CHECK(FormatElapsed(milliseconds(125'000)) == "2m05s");
}
