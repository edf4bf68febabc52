#include "roles/api/attachments.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "test/deployment.h"
#include "test/net/run_until.h"
#include "test/store/server_fixture.h"
#include "test/temp_folder.h"
#include "util/encoding.h"

using namespace mig;
using namespace mig::api;

namespace {

struct Desk {
  TempFolder temp;
  boost::asio::io_context io{1};
  std::unique_ptr<store::ServerDb> db;
  std::unique_ptr<Attachments> attachments;

  explicit Desk(std::uint64_t most = 1 << 20) {
    auto opened = store::ServerDb::Open(temp / "server.db");
    REQUIRE(opened);
    db = std::move(*opened);
    auto made = Attachments::Open(io, *db, temp / "attachments", most);
    REQUIRE(made);
    attachments = std::move(*made);
  }
  template <typename Start>
  HttpReply Wait(Start start) {
    std::optional<HttpReply> reply;
    start([&](HttpReply given) { reply = std::move(given); });
    REQUIRE(RunUntil(io, [&] { return reply.has_value(); }));
    return std::move(*reply);
  }
  HttpReply Put(const Bytes& digest, Placement place, Bytes piece, std::string person = "ann") {
    return Wait([&](Attachments::Done done) {
      attachments->Put(digest, person, place, std::move(piece), std::move(done));
    });
  }
  HttpReply Get(const Bytes& digest, std::string range) {
    return Wait([&](Attachments::Done done) {
      attachments->Get(digest, std::move(range), std::move(done));
    });
  }
  std::optional<Answer> Check(std::vector<Attachment> wanted) {
    std::optional<std::optional<Answer>> answer;
    attachments->Check(std::move(wanted),
                       [&](std::optional<Answer> given) { answer = std::move(given); });
    REQUIRE(RunUntil(io, [&] { return answer.has_value(); }));
    return std::move(*answer);
  }
};

std::uint64_t Received(const HttpReply& reply) {
  return json::ParseObject(reply.body)->at("received").to_number<std::uint64_t>();
}

std::string CodeOf(Bytes body) {
  return std::string(json::ParseObject(body)->at("error").at("code").as_string());
}

}  // namespace

TEST_CASE("ranges: what a request asks for, and what it brings", "[api]") {
  CHECK(ParseRange("bytes=5-9")->last == 9);
  CHECK_FALSE(ParseRange("bytes=5-")->last);
  for (const char* bad : {"", "bytes=", "bytes=-5", "bytes=9-5", "bytes=1-2,4-5", "lines=1-2",
                          "bytes=1-2 ", "bytes=99999999999999999999-"}) {
    INFO(bad);
    CHECK_FALSE(ParseRange(bad));
  }
  CHECK(ParseContentRange("", 7)->total == 7);
  CHECK(ParseContentRange("bytes 5-9/20", 5)->first == 5);
  for (const char* bad : {"bytes 5-9/9", "bytes 5-8/20", "bytes 9-5/20", "bytes 5-9/*",
                          "bytes */20", "5-9/20", "bytes 0-18446744073709551615/5"}) {
    INFO(bad);
    CHECK_FALSE(ParseContentRange(bad, 5));
  }
  CHECK_FALSE(ParseContentRange("bytes 0-0/1", 0));
  CHECK(ContentRangeOf(5, 5, 20) == "bytes 5-9/20");
}

TEST_CASE("attachments: brought in pieces, from where it broke off, and given in pieces", "[api]") {
  Desk desk;
  const Bytes content = "0123456789";
  const Bytes digest = Sha256(content);
  CHECK(desk.Put(digest, {0, 10}, "0123").status == 202);
  CHECK(Received(desk.Put(digest, {0, 10}, "0123")) == 4);  // the answer was lost: not taken twice
  CHECK(Received(desk.Put(digest, {7, 10}, "789")) == 4);
  CHECK(desk.Get(digest, "bytes=0-3").status == 404);  // nobody gets half of it
  CHECK(desk.Put(digest, {4, 10}, "456789").status == 201);
  CHECK(desk.Put(digest, {0, 10}, "0123").status == 200);
  const HttpReply piece = desk.Get(digest, "bytes=3-5");
  CHECK(piece.status == 206);
  CHECK(piece.body == "345");
  CHECK(piece.headers.Get("Content-Range") == "bytes 3-5/10");
  CHECK(desk.Get(digest, "bytes=8-100").body == "89");
  CHECK(desk.Get(digest, "").body == content);
  CHECK(desk.Get(digest, "bytes=10-").status == 416);
  CHECK(desk.Get(digest, "bytes=-3").status == 400);
}

TEST_CASE("attachments: other bytes than the path says are forgotten", "[api]") {
  Desk desk;
  const Bytes digest = Sha256("good");
  const HttpReply refused = desk.Put(digest, {0, 4}, "evil");
  CHECK(refused.status == 400);
  CHECK(CodeOf(refused.body) == "digest");
  CHECK(desk.Get(digest, "").status == 404);
  CHECK(desk.Put(digest, {0, 4}, "good").status == 201);
}

TEST_CASE("attachments: one person does not spoil what another brings", "[api]") {
  Desk desk;
  const Bytes digest = Sha256("good");
  CHECK(desk.Put(digest, {0, 4}, "ev", "mallory").status == 202);
  CHECK(desk.Put(digest, {0, 4}, "go", "ann").status == 202);
  CHECK(desk.Put(digest, {2, 4}, "od", "ann").status == 201);
}

TEST_CASE("attachments: a full folder says so", "[api]") {
  Desk desk(5);
  CHECK(desk.Put(Sha256("12345"), {0, 5}, "12345").status == 201);
  const HttpReply full = desk.Put(Sha256("678"), {0, 3}, "678");
  CHECK(full.status == 507);
  CHECK(CodeOf(full.body) == "full");
}

TEST_CASE("attachments: an action waits until all of its own are there, in their size", "[api]") {
  Desk desk;
  CHECK_FALSE(desk.Check({}));
  const Attachment list{"list", Sha256("good"), 4};
  const auto missing = desk.Check({list});
  REQUIRE(missing);
  CHECK(missing->status == 409);
  CHECK(CodeOf(missing->body) == "attachment_missing");
  CHECK(desk.Put(list.sha256, {0, 4}, "good").status == 201);
  CHECK_FALSE(desk.Check({list}));
  CHECK(desk.Check({Attachment{"list", list.sha256, 5}}));
}

TEST_CASE("attachments: a path ends in a digest as we write it", "[api]") {
  const std::string hex = EncodeHex(Sha256("x"));
  CHECK(*DigestInPath(hex) == Sha256("x"));
  for (const std::string& bad : {hex.substr(1), hex + "00", std::string(64, 'G'),
                                 std::string("../") + hex.substr(3), std::string(64, 'A')}) {
    CHECK_FALSE(DigestInPath(bad));
  }
}

TEST_CASE("attachments: an agent may fetch what an open action sent to it names, no more",
          "[api]") {
  store::ServerFixture fixture;
  const AgentId asked = fixture.Enrol(1);
  Deployment deployment;
  Action action = deployment.ActionFor();
  action.attachments = {{"list", Sha256("good"), 4}};
  store::NewAction row = store::ServerFixture::MakeAction(1);
  row.envelope = EncodeEnvelope(Seal(kActionType, EncodeAction(action), deployment.ann));
  fixture.Write([&](store::ServerTx& tx) -> Expected<void> {
    auto added = tx.AddAction(row, "ann", store::kNow);
    if (!added) return std::move(added).error();
    return store::ServerFixture::Expand(tx, row.id);
  });
  const AgentId late = fixture.Enrol(2);
  const auto may = [&](const AgentId& agent, std::string_view content) {
    return fixture.Read(
        [&](store::ServerReader& reader) { return MayFetch(reader, agent, Sha256(content)); });
  };
  CHECK(may(asked, "good"));
  CHECK_FALSE(may(asked, "other"));
  CHECK_FALSE(may(late, "good"));
}
