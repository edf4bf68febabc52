// The attachments of actions, as the agent comes to them: from its cache, else piece by piece from
// the API, with its own signature, until the action's time is over. Nothing is used before its
// SHA-256 was computed, from the cache or not. Coroutines on the agent's thread; files and digests
// on a thread of its own.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "net/http_client.h"
#include "proto/action.h"
#include "roles/agent/identity.h"
#include "store/content_folder.h"

namespace mig::agent {

// What a run holds while it waits for attachments, so that it can be woken.
struct AttachmentWait {
  explicit AttachmentWait(boost::asio::io_context& io) : timer(io) {}
  void Cancel() {
    cancelled = true;
    timer.cancel();
  }
  boost::asio::steady_timer timer;
  bool cancelled = false;
};

class AttachmentSource {
 public:
  // What is asked for at a time, and so what a broken connection costs.
  static constexpr std::size_t kPieceBytes = 256 * 1024;
  // So often in a row the API may say no before that is the answer.
  static constexpr int kMaxRefusals = 4;

  struct Options {
    HttpClientOptions api;  // its url is what requests are signed for
    std::filesystem::path folder;
    std::uint64_t cache_bytes = std::uint64_t{256} << 20;
  };
  // `io` and `identity` must outlive it.
  AttachmentSource(boost::asio::io_context& io, const Identity& identity, Options options);
  ~AttachmentSource();

  using Deadline = std::chrono::steady_clock::time_point;
  // The verified content. Two that want the same wait for one transfer.
  // Errors, naming the attachment: kDenied: the API's bytes are others, or it refused; kTimeout:
  // not there when the deadline came, with what was in the way; kUnavailable: cancelled; kFull: no
  // room in the cache; kIo.
  boost::asio::awaitable<Expected<Bytes>> Get(Attachment attachment, Deadline deadline,
                                              std::shared_ptr<AttachmentWait> wait);

  // Runs `work` on the files' thread: for what would hold up the agent's.
  template <typename T>
  boost::asio::awaitable<T> Apart(std::function<T()> work);

 private:
  using Wait = std::shared_ptr<AttachmentWait>;
  // `transfer`: what is known about the part; references are to the frame that waits.
  boost::asio::awaitable<Expected<Bytes>> Fetch(Attachment attachment, Deadline deadline,
                                                Wait wait);
  boost::asio::awaitable<Expected<HttpReply>> Ask(Attachment attachment, std::uint64_t from,
                                                  Deadline deadline, Wait wait);
  // Sleeps; false when there is no time left, or it was cancelled.
  boost::asio::awaitable<bool> Pause(std::chrono::milliseconds time, Deadline deadline, Wait wait);
  Expected<store::ContentFolder*> Folder();  // opened when it is first needed

  const Identity& identity_;
  Options options_;
  AsyncHttpClient http_;
  std::optional<store::ContentFolder> folder_;  // only on the files' thread
  std::set<Bytes> under_way_;
  std::set<Wait> waiting_;  // for a transfer of another run
  boost::asio::thread_pool files_{1};
};

}  // namespace mig::agent
