// The attachments of actions, between the client that brings them and the agents that fetch them:
// kept by their digest for as long as an action may need them. Who may ask is decided in routes.cpp
// and MayFetch. Files are touched on a thread of its own; everything else on the API's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/http_message.h"
#include "proto/action.h"
#include "roles/api/answer.h"
#include "roles/api/byte_range.h"
#include "store/content_folder.h"
#include "store/server_db.h"

namespace mig::api {

class Attachments {
 public:
  // What one request carries or is answered with at most: what bounds memory, and what is lost when
  // a connection breaks.
  static constexpr std::size_t kPieceBytes = 256 * 1024;
  // For how long what no action names is kept: it is brought before its action.
  static constexpr std::chrono::hours kGrace{1};

  // `io` and `db` must outlive it. Error: the folder cannot be used.
  static Expected<std::unique_ptr<Attachments>> Open(boost::asio::io_context& io,
                                                     store::ServerDb& db,
                                                     std::filesystem::path folder,
                                                     std::uint64_t max_bytes);
  ~Attachments();

  using Done = std::function<void(HttpReply)>;
  // The next piece of that person's part; the answer says how much is there.
  void Put(Bytes sha256, std::string person, Placement place, Bytes piece, Done done);
  // `field`: the Range field as it came, or empty.
  void Get(Bytes sha256, std::string field, Done done);
  void Head(Bytes sha256, Done done);

  // Whether all are here, with those sizes; nothing: they are, and stay for a while.
  void Check(std::vector<Attachment> attachments, std::function<void(std::optional<Answer>)> done);

  // Sweeps now and every hour.
  void StartSweeping();
  void StopSweeping() { timer_.cancel(); }

 private:
  Attachments(boost::asio::io_context& io, store::ServerDb& db, store::ContentFolder folder);
  // On the files' thread.
  HttpReply PutNow(const Bytes& sha256, const std::string& person, const Placement& place,
                   const Bytes& piece);
  HttpReply GetNow(const Bytes& sha256, const std::string& field);
  void SweepNow();

  boost::asio::io_context& io_;
  store::ServerDb& db_;
  store::ContentFolder folder_;  // only on the files' thread
  boost::asio::steady_timer timer_;
  boost::asio::thread_pool files_{1};
};

// Whether an open action that was commanded to this agent names that digest.
Expected<bool> MayFetch(store::ServerReader& reader, const AgentId& agent, BytesView sha256);

// "GET /v1/attachments/{sha256}": 64 lower-case hex digits. Error: kMalformed.
Expected<Bytes> DigestInPath(std::string_view text);

}  // namespace mig::api
