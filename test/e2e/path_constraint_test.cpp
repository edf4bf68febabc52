// Constraints of a policy, against everything by which a path can lead elsewhere and a parameter
// can mean something else: what the check does not see, the kernel holds, and where the kernel
// cannot, nothing runs. With the real agent and its real modules.
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "os/sandbox.h"
#include "test/e2e/courier.h"
#include "test/e2e/lab.h"
#include "test/skip.h"

using namespace mig;
using namespace mig::e2e;

namespace {

namespace fs = std::filesystem;

std::string Text(const Outcome& outcome) { return outcome.out + outcome.err; }

void MustDo(const Lab& lab, std::vector<std::string> words) {
  words.insert(words.begin(), "policy");
  words.insert(words.end(), {"--dir", (lab.folder().parent_path() / "policy").string()});
  const Outcome outcome = lab.Mig(std::move(words));
  INFO(Text(outcome));
  REQUIRE(outcome.status == 0);
}

Outcome Search(const Lab& lab, std::vector<std::string> words) {
  words.insert(words.begin(), {"query", "file", "-t", "all", "--show", "all"});
  return lab.Mig(std::move(words));
}

// What of the lab's policy is replaced for one module, at the agent that then obeys it.
void Constrain(const Lab& lab, Courier& courier, const std::string& module,
               const Constraints& constraints, bool full_sandbox = false) {
  const Deployment deployment(lab);
  Policy policy = deployment.policy;
  ++policy.version;
  policy.modules[module] = {1, {{policy.people[0].id, 1}}, constraints};
  policy.require_full_sandbox = full_sandbox;
  courier.SendPolicy(deployment.agent, deployment, policy);
  REQUIRE(lab.LogSays("agent-1", "policy taken version=2"));
}

// What the agent says to these operations, signed by who may order them: "success", or the code of
// its refusal. A client of ours would not even sign the most of them.
std::string Verdict(const Lab& lab, Courier& courier, std::vector<Operation> operations) {
  const Deployment deployment(lab);
  Action action = GoodAction(deployment);
  action.operations = std::move(operations);
  courier.SendCommand(deployment.agent, Signed(action, deployment.investigator));
  const auto answer = courier.WaitForAnswer(action.id, std::chrono::seconds(30));
  REQUIRE(answer);
  INFO(answer->detail);
  if (answer->state == "refused") CHECK(lab.Runs(action.id.Text()) == 0);
  return answer->state == "refused" ? answer->code : answer->state;
}

json::object FileSearch(const json::object& search) {
  return {{"searches", json::object{{"s1", search}}}};
}

// One folder over another, for this process and those it starts from then on.
class BindMount {
 public:
  BindMount(const fs::path& what, fs::path where) : where_(std::move(where)) {
    fs::create_directories(where_);
    REQUIRE(::mount(what.c_str(), where_.c_str(), nullptr, MS_BIND, nullptr) == 0);
  }
  ~BindMount() { ::umount2(where_.c_str(), MNT_DETACH); }
  BindMount(const BindMount&) = delete;
  BindMount& operator=(const BindMount&) = delete;

 private:
  const fs::path where_;
};

bool HaveMountsOfOurOwn() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace

TEST_CASE("constraints: file sees nothing outside the policy's paths, whichever way it is led",
          "[e2e][sandbox][policy]") {
  if (!os::ProbeSandbox().can_limit_folders) MIG_SKIP("this kernel has no Landlock");
  const Lab lab;
  const fs::path inside = lab.scratch() / "inside", outside = lab.scratch() / "outside";
  fs::create_directories(inside);
  fs::create_directories(outside);
  std::ofstream(inside / "allowed") << "inside\n";
  std::ofstream(outside / "secret") << "found outside\n";
  fs::create_directory_symlink(outside, inside / "folder-link");
  fs::create_symlink(outside / "secret", inside / "file-link");
  fs::create_hard_link(outside / "secret", inside / "hard-link");
  fs::permissions(lab.scratch(), fs::perms::all);

  MustDo(lab, {"pull"});
  MustDo(lab, {"set", "modules.file",
               "{minimumweight: 1, weights: {lab: 1}, constraints: {paths: [\"" + inside.string() +
                   "\"]}}"});
  MustDo(lab, {"sign", "--yes", "--key", (lab.folder() / "keys" / "root.key").string()});
  MustDo(lab, {"publish"});
  REQUIRE(lab.LogSays("agent-1", "version=2"));

  // What is allowed is found: else the rest would show nothing.
  const Outcome good = Search(lab, {"-path", inside.string(), "-name", "allowed"});
  INFO(Text(good));
  CHECK(good.status == 0);

  const auto refused = [&](std::vector<std::string> words) {
    const Outcome outcome = Search(lab, std::move(words));
    INFO(Text(outcome));
    CHECK(outcome.status != 0);
    // No element: nothing was matched. The text of a link lies inside, so where it points to may be
    // said; what is there is not looked at.
    CHECK(outcome.out.find("[lastmodified") == std::string::npos);
  };
  SECTION("named outright") { refused({"-path", outside.string(), "-name", "secret"}); }
  SECTION("by ..") { refused({"-path", inside.string() + "/../outside", "-name", "secret"}); }
  SECTION("by a folder of the same beginning") {
    refused({"-path", inside.string() + "-and-more", "-name", "secret"});
  }
  SECTION("in another case") {
    refused({"-path", (lab.scratch() / "INSIDE").string(), "-name", "secret"});
  }
  SECTION("through a link to a folder") {
    refused({"-path", (inside / "folder-link").string(), "-name", "secret"});
  }
  SECTION("by the contents of a linked file") {
    refused({"-path", (inside / "file-link").string(), "-content", "found outside"});
  }
  SECTION("in a second path of the same search") {
    refused({"-path", inside.string(), "-path", outside.string(), "-name", "secret"});
  }
  // Not stopped, and cannot be: a hard link inside is a file inside. Who may make one there could
  // copy the contents as well.
  SECTION("a hard link inside is a file inside") {
    const Outcome hard =
        Search(lab, {"-path", inside.string(), "-name", "hard-link", "-content", "found outside"});
    INFO(Text(hard));
    CHECK(hard.status == 0);
  }
}

// Landlock goes up from a file to the root through the places where file systems are mounted, so
// what is mounted below an allowed folder is below it. Who may mount there is root.
TEST_CASE(
    "constraints: what is mounted below an allowed folder counts as below it, and nowhere else",
    "[e2e][sandbox][policy]") {
  if (!os::ProbeSandbox().can_limit_folders) MIG_SKIP("this kernel has no Landlock");
  if (::geteuid() != 0) MIG_SKIP("mounting needs root");
  if (!HaveMountsOfOurOwn()) MIG_SKIP("this container may not mount");
  const Lab lab;
  const fs::path inside = lab.scratch() / "inside", outside = lab.scratch() / "outside";
  fs::create_directories(inside);
  fs::create_directories(outside);
  std::ofstream(inside / "allowed") << "inside\n";
  std::ofstream(outside / "secret") << "found outside\n";
  fs::permissions(lab.scratch(), fs::perms::all);
  const BindMount in(outside, inside / "mount");
  const BindMount out(inside, lab.scratch() / "elsewhere");
  Courier courier(lab);
  Constrain(lab, courier, "file", {{inside.string()}, {}});
  const auto finds = [&](const fs::path& below, const std::string& content) {
    const Outcome outcome = Search(lab, {"-path", below.string(), "-content", content});
    INFO(Text(outcome));
    CHECK((outcome.status == 0) == (outcome.out.find("[lastmodified") != std::string::npos));
    return outcome.status == 0;
  };
  CHECK(finds(inside, "inside"));
  CHECK(finds(inside, "found outside"));  // not stopped
  CHECK_FALSE(finds(outside, "found outside"));
  CHECK_FALSE(finds(lab.scratch() / "elsewhere", "inside"));
}

TEST_CASE("constraints: a search that names no path, or names it another way, is not let through",
          "[e2e][policy]") {
  if (!os::ProbeSandbox().can_limit_folders) MIG_SKIP("this kernel has no Landlock");
  const Lab lab;
  fs::create_directories(lab.scratch() / "inside");
  const std::string inside = (lab.scratch() / "inside").string();
  Courier courier(lab);
  Constrain(lab, courier, "file", {{inside}, {}});
  const auto verdict = [&](const json::object& parameters) {
    return Verdict(lab, courier, {{"file", parameters}});
  };
  const json::array names{"^passwd$"};
  CHECK(verdict(FileSearch({{"paths", json::array{inside}}, {"names", names}})) == "success");
  // A search without a path has none by default, so there is nothing to compare: it does not run.
  CHECK(verdict(FileSearch({{"names", names}})) == "bad_parameters");
  CHECK(verdict(FileSearch({{"paths", json::array{}}, {"names", names}})) == "bad_parameters");
  CHECK(verdict(FileSearch({{"paths", nullptr}, {"names", names}})) == "bad_parameters");
  CHECK(verdict(FileSearch({{"path", "/etc"}, {"names", names}})) == "bad_parameters");
  CHECK(verdict({{"paths", json::array{"/etc"}}, {"names", names}}) == "constraint");
  // "/etc" as a name that is not UTF-8 would be sent.
  const json::array encoded{json::object{{"b64", "L2V0Yw=="}}};
  CHECK(verdict(FileSearch({{"paths", encoded}, {"names", names}})) == "constraint");
  CHECK(verdict(FileSearch({{"paths", json::array{inside, "/etc"}}, {"names", names}})) ==
        "constraint");
  const json::object good{{"paths", json::array{inside}}, {"names", names}};
  const json::object bad{{"paths", json::array{"/etc"}}, {"names", names}};
  CHECK(verdict({{"searches", json::object{{"s1", good}, {"s2", bad}}}}) == "constraint");
  CHECK(Verdict(lab, courier, {{"file", FileSearch(good)}, {"file", FileSearch(bad)}}) ==
        "constraint");
}

TEST_CASE("constraints: ping reaches what the policy names, letter by letter, and nothing else",
          "[e2e][policy]") {
  const Lab lab;
  Courier courier(lab);
  Constrain(lab, courier, "ping",
            {{}, {{"destination", {"127.0.0.1", "localhost"}}, {"protocol", {"tcp"}}}});
  const json::object good{
      {"destination", "127.0.0.1"}, {"protocol", "tcp"}, {"destinationport", RelayPort(lab)}};
  const auto verdict_with = [&](const char* field, const json::value& v) {
    json::object parameters = good;
    parameters[field] = v;
    return Verdict(lab, courier, {{"ping", parameters}});
  };
  CHECK(Verdict(lab, courier, {{"ping", good}}) == "success");
  CHECK(verdict_with("destination", "localhost") == "success");
  CHECK(verdict_with("destination", "127.0.0.2") == "constraint");
  CHECK(verdict_with("destination", "LOCALHOST") == "constraint");
  // Another way to write an allowed host is refused as well: names are compared, not hosts.
  CHECK(verdict_with("destination", "localhost.") == "constraint");
  CHECK(verdict_with("destination", "127.1") == "constraint");
  CHECK(verdict_with("destination", json::array{"127.0.0.1", "127.0.0.2"}) == "constraint");
  CHECK(verdict_with("destination", json::array{"127.0.0.1"}) == "bad_parameters");
  CHECK(verdict_with("destination", json::object{{"b64", "MTI3LjAuMC4y"}}) == "constraint");
  CHECK(verdict_with("protocol", "udp") == "constraint");
  json::object absent = good;
  absent.erase("protocol");  // which the module would take for icmp
  CHECK(Verdict(lab, courier, {{"ping", absent}}) == "constraint");
  json::object second = good;
  second["destination"] = "127.0.0.2";
  CHECK(Verdict(lab, courier, {{"ping", good}, {"ping", second}}) == "constraint");
}

TEST_CASE("constraints: where the kernel cannot hold paths, what is bound to paths does not run",
          "[e2e][sandbox][policy]") {
  const Lab lab(1, Executable() + "-old-kernel");
  REQUIRE(lab.LogSays("agent-1", "landlock: not in this kernel"));
  fs::create_directories(lab.scratch() / "inside");
  fs::permissions(lab.scratch(), fs::perms::all);
  const std::string inside = (lab.scratch() / "inside").string();
  const json::object search =
      FileSearch({{"paths", json::array{inside}}, {"names", json::array{"^secret$"}}});
  Courier courier(lab);
  // `sandbox: any` does without Landlock where nothing depends on it…
  CHECK(Verdict(lab, courier, {{"file", search}}) == "success");
  SECTION("with `sandbox: any`") {
    Constrain(lab, courier, "file", {{inside}, {}});
    CHECK(Verdict(lab, courier, {{"file", search}}) == "sandbox");
    CHECK(Verdict(lab, courier, {{"example", {{"gethostname", true}}}}) == "success");
    const Outcome asked = Search(lab, {"-path", inside, "-name", "secret"});
    INFO(Text(asked));
    CHECK(asked.status != 0);
    CHECK(Text(asked).find("this kernel cannot hold it there") != std::string::npos);
  }
  SECTION("with `sandbox: full`") {
    Constrain(lab, courier, "file", {{inside}, {}}, true);
    CHECK(Verdict(lab, courier, {{"file", search}}) == "sandbox");
    CHECK(Verdict(lab, courier, {{"example", {{"gethostname", true}}}}) == "sandbox");
  }
  // And the child, should the agent ever ask it to.
  RunOptions options;
  options.input = json::Write(search);
  const Outcome child = lab.Mig({"module", "file", "--root", inside}, options);
  INFO(Text(child));
  CHECK(child.status == 3);
  CHECK(child.out.find("cannot be enforced") != std::string::npos);
}
