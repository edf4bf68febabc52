// The runner with real child processes; what they do is in fake_module.cpp.
#include "roles/agent/runner.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "os/files.h"
#include "test/roles/agent/agent_scene.h"

namespace mig::agent {
namespace {

using namespace std::chrono_literals;

struct Bench {
  AgentScene scene;
  boost::asio::io_context io{1};
  std::vector<ActionId> ended;
  int stored = 0;
  std::function<void()> on_stored = [] {};
  std::unique_ptr<Runner> runner;

  Bench() {
    runner = std::make_unique<Runner>(
        Runner::Parts{io, scene.identity, *scene.db}, Runner::Options{FAKE_MODULE, false},
        Runner::Events{[this] {
                         ++stored;
                         on_stored();
                       },
                       [this](const ActionId& id) { ended.push_back(id); }});
  }

  // Accepted (the modules' names are only the fake's) and started on disk.
  Runnable Begin(std::vector<Operation> operations, Limits limits = {}) {
    Runnable what;
    what.action = scene.Look();
    what.action.operations = std::move(operations);
    what.action.limits = limits;
    what.roots.resize(what.action.operations.size());
    Accepted accepted;
    accepted.action = what.action;
    accepted.digest = Bytes(32, 'd');
    REQUIRE(scene.db->Accept(accepted, "{}", scene.deployment.now,
                             {scene.deployment.now, "accepted", {}}));
    REQUIRE(scene.db->MarkStarted(what.action.id,
                                  StartedNote(scene.deployment.now, what.action.id, 1)));
    return what;
  }

  ActionId Start(Runnable what, std::chrono::milliseconds time_left = 60s) {
    const ActionId id = what.action.id;
    const auto progress = scene.db->ProgressOf(id);
    REQUIRE(progress);
    runner->Run(std::move(what), *progress, time_left, false);
    return id;
  }
  ActionId Run(std::vector<Operation> operations, std::chrono::milliseconds time_left = 60s,
               Limits limits = {}) {
    const ActionId id = Start(Begin(std::move(operations), limits), time_left);
    io.run_for(60s);
    REQUIRE(ended == std::vector<ActionId>{id});
    return id;
  }

  CommandStatus StatusOf(const ActionId& id) const {
    const auto known = scene.db->Recall(id);
    REQUIRE(known);
    REQUIRE((*known)->state == store::RunState::kFinished);
    return *(*known)->status;
  }
};

std::string ErrorsOf(const ResultPart& part) {
  return json::Write(part.summary->result.at("errors"));
}

// A process that was killed may stay as a zombie until whoever inherited it looks.
bool Lives(int pid) {
  const auto status = os::ReadFile("/proc/" + std::to_string(pid) + "/stat");
  return status && status->find(") Z ") == std::string::npos;
}

TEST_CASE("runner: an operation's elements and summary become the answer", "[agent]") {
  Bench bench;
  const ActionId id = bench.Run({{"echo", {{"word", "hello"}}}});
  CHECK(bench.StatusOf(id) == CommandStatus::kSuccess);
  const auto parts = bench.scene.Parts();
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].last);
  CHECK(parts[0].status == CommandStatus::kSuccess);
  CHECK(parts[0].summary->sandbox == "full");
  REQUIRE(parts[0].elements.size() == 1);
  CHECK(parts[0].elements[0].value.at("parameters").at("word") == "hello");
  CHECK(bench.stored > 0);
  CHECK(bench.scene.Events().back() == "answered");
  CHECK(bench.scene.Ledger().back().facts.at("elements") == 1);
}

TEST_CASE("runner: a child is called with its limits, roots and rights", "[agent]") {
  ModuleCall call;
  call.program = "/mig";
  call.module = "file";
  call.limits.seconds = 10;
  call.roots = {"/etc", "/opt"};
  auto words = ModuleArguments(call);
  REQUIRE(words.size() == 10);
  CHECK(words[1] == "module");
  CHECK(words[2] == "file");
  CHECK(words[3] == "--frames");
  CHECK(words[4] == "--limits");
  CHECK(json::ParseObject(words[5])->at("seconds") == 15);
  CHECK(std::vector<std::string>(words.begin() + 6, words.end()) ==
        std::vector<std::string>{"--root", "/etc", "--root", "/opt"});
  call.privacy = call.require_full_sandbox = true;
  words = ModuleArguments(call);
  CHECK(std::vector<std::string>(words.begin() + 10, words.end()) ==
        std::vector<std::string>{"--privacy", "--require-sandbox", "full"});
}

TEST_CASE("runner: a hundred thousand elements come through in parts, in order", "[agent]") {
  Bench large;
  large.scene.outbox_bytes = 256 << 20;
  large.scene.Restart();
  large.runner = std::make_unique<Runner>(
      Runner::Parts{large.io, large.scene.identity, *large.scene.db},
      Runner::Options{FAKE_MODULE, false},
      Runner::Events{[] {}, [&](const ActionId& id) { large.ended.push_back(id); }});
  const ActionId id = large.Run({{"flood", {{"count", 100'000}}}});
  CHECK(large.StatusOf(id) == CommandStatus::kSuccess);
  const auto parts = large.scene.Parts();
  CHECK(parts.size() > 50);
  std::size_t found = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CHECK(parts[i].seq == i);
    CHECK(parts[i].last == (i + 1 == parts.size()));
    for (const ResultElement& element : parts[i].elements) {
      const std::string path(element.value.at("path").as_string());
      if (path.substr(180) != std::to_string(found)) FAIL("element " << found << ": " << path);
      ++found;
    }
  }
  CHECK(found == 100'000);
}

TEST_CASE("runner: every operation runs, and the first failure is the action's status", "[agent]") {
  Bench bench;
  const ActionId id = bench.Run({{"echo", {}}, {"fails", {}}, {"echo", {}}});
  CHECK(bench.StatusOf(id) == CommandStatus::kFailed);
  const auto parts = bench.scene.Parts();
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].summary->status == CommandStatus::kSuccess);
  CHECK(parts[1].summary->status == CommandStatus::kFailed);
  CHECK(parts[2].summary->status == CommandStatus::kSuccess);
  CHECK(parts[2].status == CommandStatus::kFailed);
  CHECK(parts[2].operation == 2);
}

TEST_CASE("runner: at its deadline a child dies with its whole family", "[agent]") {
  Bench bench;
  const auto file = bench.scene.folder / "pid";
  const ActionId id = bench.Run({{"hang", {{"file", file.string()}}}, {"echo", {}}}, 700ms);
  CHECK(bench.StatusOf(id) == CommandStatus::kTimeout);
  const auto parts = bench.scene.Parts();
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].elements.size() == 1);  // what it said before is kept
  CHECK(parts[0].summary->status == CommandStatus::kTimeout);
  CHECK(parts[0].summary->result.at("statistics").at("truncated") == "time");
  int grandchild = 0;
  std::ifstream(file) >> grandchild;
  REQUIRE(grandchild > 0);
  // It was killed; at the lowest priority its death may take its time.
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (Lives(grandchild) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK_FALSE(Lives(grandchild));
}

TEST_CASE("runner: a stop ends the child, and the answer says so", "[agent]") {
  Bench bench;
  const ActionId id = bench.Start(bench.Begin({{"hang", {}}, {"echo", {}}}));
  boost::asio::steady_timer timer(bench.io, 200ms);
  timer.async_wait([&](boost::system::error_code) { bench.runner->Stop(id); });
  bench.io.run_for(30s);
  CHECK(bench.ended.size() == 1);
  CHECK(bench.StatusOf(id) == CommandStatus::kStopped);
  CHECK(bench.scene.Parts().size() == 1);
}

TEST_CASE("runner: an end of the agent leaves the action as it stands", "[agent]") {
  Bench bench;
  const ActionId id = bench.Start(bench.Begin({{"hang", {}}}));
  boost::asio::steady_timer timer(bench.io, 200ms);
  timer.async_wait([&](boost::system::error_code) { bench.runner->Shutdown(); });
  bench.io.run_for(30s);
  CHECK(bench.ended.size() == 1);
  CHECK((*bench.scene.db->Recall(id))->state == store::RunState::kStarted);
  CHECK(bench.scene.Parts().empty());
}

TEST_CASE("runner: a child that dies without an answer is a failure with its last words",
          "[agent]") {
  Bench bench;
  const ActionId id = bench.Run({{"dies", {}}});
  CHECK(bench.StatusOf(id) == CommandStatus::kFailed);
  const auto parts = bench.scene.Parts();
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].elements.size() == 1);
  CHECK(ErrorsOf(parts[0]).find("killed by signal 6") != std::string::npos);
  CHECK(ErrorsOf(parts[0]).find("something went wrong\\\\x1b[31m") != std::string::npos);
}

TEST_CASE("runner: a child that says nothing at all is a failure", "[agent]") {
  Bench bench;
  CHECK(bench.StatusOf(bench.Run({{"silent", {}}})) == CommandStatus::kFailed);
  CHECK(ErrorsOf(bench.scene.Parts()[0]).find("exit status 3") != std::string::npos);
}

TEST_CASE("runner: what is no frame ends the child", "[agent]") {
  Bench bench;
  CHECK(bench.StatusOf(bench.Run({{"garbage", {}}})) == CommandStatus::kFailed);
  CHECK(ErrorsOf(bench.scene.Parts()[0]).find("frame") != std::string::npos);
}

TEST_CASE("runner: a child that answered and does not go away is ended", "[agent]") {
  Bench bench;
  CHECK(bench.StatusOf(bench.Run({{"lingers", {}}})) == CommandStatus::kSuccess);
}

TEST_CASE("runner: a child may complain more than a pipe holds", "[agent]") {
  Bench bench;
  CHECK(bench.StatusOf(bench.Run({{"noisy", {}}})) == CommandStatus::kSuccess);
}

TEST_CASE("runner: a program that is not there is a failure that names it", "[agent]") {
  Bench bench;
  bench.runner = std::make_unique<Runner>(
      Runner::Parts{bench.io, bench.scene.identity, *bench.scene.db},
      Runner::Options{"/nonexistent/mig", false},
      Runner::Events{[] {}, [&](const ActionId& id) { bench.ended.push_back(id); }});
  CHECK(bench.StatusOf(bench.Run({{"echo", {}}})) == CommandStatus::kFailed);
  CHECK(ErrorsOf(bench.scene.Parts()[0]).find("/nonexistent/mig") != std::string::npos);
}

TEST_CASE("runner: a child that goes beyond the limits is ended", "[agent]") {
  Bench bench;
  Limits limits;
  limits.rows = 10;
  const ActionId id = bench.Run({{"flood", {{"count", 100}}}, {"echo", {}}}, 60s, limits);
  CHECK(bench.StatusOf(id) == CommandStatus::kFailed);
  const auto parts = bench.scene.Parts();
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].elements.size() == 10);
  // Nothing is left for the second operation, and that is said.
  CHECK(parts[1].summary->result.at("statistics").at("truncated") == "rows");
}

TEST_CASE("runner: a full outbox ends the action, which says so", "[agent]") {
  Bench bench;  // with 1 MiB of outbox
  const ActionId id = bench.Run({{"flood", {{"count", 20'000}}}, {"echo", {}}}, 6s);
  CHECK(bench.StatusOf(id) == CommandStatus::kFailed);
  const auto parts = bench.scene.Parts();
  CHECK(parts.size() >= 4);
  CHECK(parts.back().last);
  CHECK(parts.back().operation == 0);
  CHECK(ErrorsOf(parts.back()).find("outbox full") != std::string::npos);
  CHECK(json::Write(parts.back().summary->result.at("statistics")).find("outbox full") !=
        std::string::npos);
}

TEST_CASE("runner: an outbox that is emptied in time lets the action go on", "[agent]") {
  Bench bench;
  // A scheduler that acknowledges whatever was stored.
  bench.on_stored = [&] {
    auto waiting = bench.scene.db->Waiting(0, 1 << 30);
    REQUIRE(waiting);
    for (const store::StoredPart& part : *waiting) {
      REQUIRE(bench.scene.db->Acknowledge(part.action, {part.seq}));
    }
    boost::asio::post(bench.io, [&] { bench.runner->RoomMade(); });
  };
  const ActionId id = bench.Run({{"flood", {{"count", 30'000}}}});
  CHECK(bench.StatusOf(id) == CommandStatus::kSuccess);
}

TEST_CASE("runner: an action that was cut off goes on with the operation that was cut off",
          "[agent]") {
  Bench bench;
  const auto file = bench.scene.folder / "runs";
  Runnable what =
      bench.Begin({{"counts", {{"file", file.string()}}}, {"counts", {{"file", file.string()}}}});
  // The first operation has ended, as a failure, before the agent was killed.
  AnswerWriter before(bench.scene.identity, *bench.scene.db, Now, what.action.id, {},
                      *bench.scene.db->ProgressOf(what.action.id));
  OperationSummary failed;
  failed.status = CommandStatus::kFailed;
  failed.result = ToJson(FailedResult("no"));
  failed.sandbox = "full";
  REQUIRE(before.EndOperation(failed));
  const ActionId id = bench.Start(std::move(what));
  bench.io.run_for(30s);
  CHECK(bench.StatusOf(id) == CommandStatus::kFailed);  // its failure is not forgotten
  std::string runs;
  std::ifstream(file) >> runs;
  CHECK(runs == "x");
  const auto parts = bench.scene.Parts();
  REQUIRE(parts.size() == 2);
  CHECK(parts[1].operation == 1);
}

TEST_CASE("runner: two actions run at the same time", "[agent]") {
  Bench bench;
  const ActionId slow = bench.Start(bench.Begin({{"hang", {}}}), 1500ms);
  const ActionId quick = bench.Start(bench.Begin({{"echo", {}}}));
  bench.io.run_for(30s);
  CHECK(bench.ended == std::vector<ActionId>{quick, slow});
}

}  // namespace
}  // namespace mig::agent
