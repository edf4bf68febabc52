// Lists that go with an action, through the real processes: the client brings them, the API keeps
// them, the agent fetches, verifies and uses them, and tells where something is wrong with them.
#include <catch2/catch.hpp>
#include <fstream>

#include "crypto/digest.h"
#include "os/files.h"
#include "test/e2e/investigator.h"
#include "util/encoding.h"

using namespace mig;
using namespace mig::e2e;

namespace {

// A tree with one file that is looked for, and the list of 1,000 digests that has it.
struct Hunt {
  std::filesystem::path tree, list, needle;
  std::string hex;  // of the list

  explicit Hunt(const Lab& lab)
      : tree(lab.scratch() / "tree"), list(lab.scratch() / "hashes.txt"), needle(tree / "needle") {
    std::filesystem::create_directories(tree);
    std::ofstream(needle) << "needle\n";
    std::ofstream(tree / "hay") << "hay\n";
    Bytes text = "# digests\r\n\n";
    for (int i = 0; i < 999; ++i) text += EncodeHex(Sha256("x" + std::to_string(i))) + "\r\n";
    text += EncodeHex(Sha256("needle\n"));
    std::ofstream(list, std::ios::binary) << text;
    hex = EncodeHex(Sha256(text));
  }
  std::vector<std::string> Words() const {
    return {"query",
            "file",
            "-t",
            "all",
            "-e",
            "1m",
            "-path",
            tree.string(),
            "-matchany",
            "-sha2",
            "@" + list.string()};
  }
};

// The file of that digest in the folder `attachments` of a role; empty when there is none.
std::filesystem::path Kept(const Lab& lab, const std::string& hex, bool by_agent) {
  for (const auto& file : std::filesystem::recursive_directory_iterator(lab.folder())) {
    const bool agents = file.path().string().find("agent") != std::string::npos;
    if (file.path().filename() == hex && agents == by_agent) return file.path();
  }
  return {};
}

}  // namespace

TEST_CASE("attachments: a file is found by one of a thousand digests, the list fetched once",
          "[e2e]") {
  const Lab lab;
  const Hunt hunt(lab);
  for (int turn = 0; turn < 2; ++turn) {
    const Outcome found = lab.Mig(hunt.Words());
    INFO(found.out << found.err);
    CHECK(found.status == 0);
    CHECK(found.out.find(hunt.needle.string()) != std::string::npos);
    CHECK(found.out.find((hunt.tree / "hay").string()) == std::string::npos);
  }
  const std::string log = lab.Log("agent-1");
  const auto first = log.find("attachment fetched");
  REQUIRE(first != std::string::npos);
  CHECK(log.find("attachment fetched", first + 1) == std::string::npos);
}

TEST_CASE("attachments: another list than was signed is refused, with both digests", "[e2e]") {
  const Lab lab;
  const Hunt hunt(lab);
  const auto text = os::ReadFile(hunt.list);
  REQUIRE(text);
  Investigator ann(lab);
  HttpHeaders none;
  REQUIRE(ann.Call("PUT", "/v1/attachments/" + hunt.hex, *text, none).status == 201);
  const auto kept = Kept(lab, hunt.hex, false);
  REQUIRE_FALSE(kept.empty());
  Bytes evil = *text;
  evil[evil.size() - 1] = evil.back() == 'a' ? 'b' : 'a';
  REQUIRE(os::WriteFileAtomically(kept, evil, 0600));
  const Outcome refused = lab.Mig(hunt.Words());
  INFO(refused.out << refused.err);
  CHECK(refused.status == 3);
  CHECK(refused.out.find("the bytes have the SHA-256 " + EncodeHex(Sha256(evil)) +
                         ", expected is " + hunt.hex) != std::string::npos);
  CHECK(refused.out.find(hunt.needle.string()) == std::string::npos);
}

TEST_CASE("attachments: what was altered in the agent's cache is fetched again", "[e2e]") {
  const Lab lab;
  const Hunt hunt(lab);
  REQUIRE(lab.Mig(hunt.Words()).status == 0);
  const auto cached = Kept(lab, hunt.hex, true);
  REQUIRE_FALSE(cached.empty());
  REQUIRE(os::WriteFileAtomically(cached, "5891b5b5\n", 0600));
  const Outcome found = lab.Mig(hunt.Words());
  INFO(found.out << found.err);
  CHECK(found.status == 0);
  CHECK(lab.Log("agent-1").find("a kept file is not what it was") != std::string::npos);
}

TEST_CASE("attachments: an action whose list is not there is not taken", "[e2e]") {
  const Lab lab;
  const Hunt hunt(lab);
  const Deployment deployment(lab);
  Action action = GoodAction(deployment);
  action.operations = {
      {"file",
       *json::ParseObject(R"({"searches":{"s":{"paths":["/etc"],"sha2":[{"attachment":"h"}],)"
                          R"("options":{"matchall":false}}}})")}};
  action.attachments = {{"h", Bytes(32, 'x'), 65}};
  Investigator ann(lab);
  const auto post = [&] {
    return ann.Call("POST", "/v1/actions", EncodeEnvelope(Signed(action, deployment.investigator)));
  };
  const HttpReply missing = post();
  CHECK(missing.status == 409);
  CHECK(missing.body.find("attachment_missing") != Bytes::npos);
  action.attachments.push_back({"unused", Bytes(32, 'y'), 65});
  const HttpReply unused = post();
  CHECK(unused.status == 403);
  CHECK(unused.body.find("bad_parameters") != Bytes::npos);
}

TEST_CASE("attachments: only who is asked may fetch, and HEAD tells what is there", "[e2e]") {
  const Lab lab;
  const Hunt hunt(lab);
  const std::string path = "/v1/attachments/" + hunt.hex;
  Investigator ann(lab);
  CHECK(ann.Call("HEAD", path).status == 404);
  REQUIRE(ann.Call("PUT", path, *os::ReadFile(hunt.list)).status == 201);
  const HttpReply head = ann.Call("HEAD", path);
  CHECK(head.status == 200);
  CHECK(head.headers.Get("Content-Length") ==
        std::to_string(std::filesystem::file_size(hunt.list)));
  CHECK(ann.Call("GET", path, {}, {{"Range", "bytes=0-8"}}).body == "# digests");
  CHECK(ann.CallUnsigned("GET", path).status == 401);
  CHECK(ann.CallUnsigned("PUT", path, "x").status == 401);
}
