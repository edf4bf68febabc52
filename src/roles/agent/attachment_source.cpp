#include "roles/agent/attachment_source.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/http_signature.h"
#include "util/back_off.h"
#include "util/encoding.h"
#include "util/log.h"
#include "util/text.h"

namespace mig::agent {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::string_view kOwner = "agent";
constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kMaxReplyBytes = 2 * AttachmentSource::kPieceBytes;

std::uint32_t RandomNumber() {
  const Bytes random = RandomBytes(4);
  std::uint32_t number = 0;
  for (const char c : random) number = (number << 8) | static_cast<unsigned char>(c);
  return number;
}

HttpClientOptions Bounded(HttpClientOptions options) {
  options.max_reply_bytes = kMaxReplyBytes;
  return options;
}

// What the API says to a refusal.
std::string SentenceOf(const HttpReply& reply) {
  std::string said = "the API answers " + std::to_string(reply.status);
  const auto body = json::ParseObject(reply.body);
  const json::value* error = body ? body->if_contains("error") : nullptr;
  if (error == nullptr || !error->is_object()) return said;
  const json::value* message = error->get_object().if_contains("message");
  if (message == nullptr || !message->is_string()) return said;
  return said + ": " + EscapeForTerminal(Utf8Prefix(message->get_string(), 256));
}

// That the reply is the piece that was asked for, of the size that was signed.
Expected<void> CheckPiece(const HttpReply& reply, const Attachment& attachment,
                          std::uint64_t from) {
  const std::uint64_t left = attachment.bytes - from;
  if (reply.body.empty() || reply.body.size() > left) {
    return Error(Errc::kDenied, "the API sends " + std::to_string(reply.body.size()) +
                                    " bytes where at most " + std::to_string(left) + " are left");
  }
  const std::string expected = "bytes " + std::to_string(from) + "-" +
                               std::to_string(from + reply.body.size() - 1) + "/" +
                               std::to_string(attachment.bytes);
  const std::string range = reply.headers.Get("Content-Range");
  if (reply.status == 206 && range == expected) return {};
  if (reply.status == 200 && from == 0 && reply.body.size() == attachment.bytes) return {};
  return Error(Errc::kDenied, "the API sends `" + EscapeForTerminal(Utf8Prefix(range, 64)) +
                                  "`, expected is `" + expected + "`");
}

}  // namespace

AttachmentSource::AttachmentSource(asio::io_context& io, const Identity& identity, Options options)
    : identity_(identity),
      options_(std::move(options)),
      http_(io, Bounded(options_.api)) {}

AttachmentSource::~AttachmentSource() { files_.join(); }

template <typename T>
asio::awaitable<T> AttachmentSource::Apart(std::function<T()> work) {
  // Through a box, because Asio wants to make a T out of nothing where something was thrown.
  auto box = std::make_shared<std::optional<T>>();
  co_await asio::co_spawn(
      files_.get_executor(),
      [](std::function<T()> call, std::shared_ptr<std::optional<T>> out) -> asio::awaitable<void> {
        out->emplace(call());
        co_return;
      }(std::move(work), box),
      asio::use_awaitable);
  co_return std::move(**box);
}

template asio::awaitable<Expected<void>> AttachmentSource::Apart(std::function<Expected<void>()>);

Expected<store::ContentFolder*> AttachmentSource::Folder() {
  if (!folder_) {
    auto opened = store::ContentFolder::Open(options_.folder, options_.cache_bytes);
    if (!opened) return std::move(opened).error();
    folder_.emplace(std::move(*opened));
  }
  return &*folder_;
}

asio::awaitable<bool> AttachmentSource::Pause(milliseconds time, Deadline deadline, Wait wait) {
  wait->timer.expires_at(std::min(deadline, steady_clock::now() + time));
  if (!wait->cancelled) co_await wait->timer.async_wait(kAwait);
  co_return !wait->cancelled && steady_clock::now() < deadline;
}

asio::awaitable<Expected<Bytes>> AttachmentSource::Get(Attachment attachment, Deadline deadline,
                                                       Wait wait) {
  const std::string what = "attachment `" + attachment.name + "`";
  // One transfer for all that want it; the others then find it in the cache.
  while (under_way_.contains(attachment.sha256)) {
    waiting_.insert(wait);
    const bool go_on = co_await Pause(std::chrono::hours(24), deadline, wait);
    waiting_.erase(wait);
    if (wait->cancelled) co_return Error(Errc::kUnavailable, what + ": ended from outside");
    if (!go_on && steady_clock::now() >= deadline) {
      co_return Error(Errc::kTimeout, what + ": not there when the action's time was over");
    }
  }
  under_way_.insert(attachment.sha256);
  auto content = co_await Fetch(attachment, deadline, wait);
  under_way_.erase(attachment.sha256);
  for (const Wait& other : waiting_) other->timer.cancel();
  if (!content) co_return std::move(content).error().During(what);
  co_return content;
}

asio::awaitable<Expected<Bytes>> AttachmentSource::Fetch(Attachment attachment, Deadline deadline,
                                                         Wait wait) {
  using Cached = Expected<std::optional<Bytes>>;
  std::function<Cached()> look = [this, attachment]() -> Cached {
    auto folder = Folder();
    if (!folder) return std::move(folder).error();
    return (*folder)->ReadWhole(attachment.sha256, attachment.bytes);
  };
  auto cached = co_await Apart<Cached>(look);
  if (!cached) co_return std::move(cached).error();
  if (*cached) co_return std::move(**cached);

  using Size = Expected<std::uint64_t>;
  std::function<Size()> prepare = [this, attachment]() -> Size {
    auto folder = Folder();
    if (!folder) return std::move(folder).error();
    std::uint64_t have = (*folder)->PartSize(attachment.sha256, kOwner);
    if (have >= attachment.bytes) {  // left by a crash, or never of this size
      (*folder)->DropPart(attachment.sha256, kOwner);
      have = 0;
    }
    auto room = (*folder)->EvictFor(attachment.bytes - have, attachment.sha256);
    if (!room) return std::move(room).error();
    return have;
  };
  auto begun = co_await Apart<Size>(prepare);
  if (!begun) co_return std::move(begun).error();
  std::uint64_t have = *begun;
  bool resumed = have > 0;
  if (resumed) {
    log::Info("an attachment's transfer goes on",
              {{"name", attachment.name}, {"from", std::to_string(have)}});
  }

  BackOff pause(milliseconds(200), std::chrono::seconds(30));
  int refusals = 0;
  std::string in_the_way = "the API was not asked yet";
  for (;;) {
    if (wait->cancelled) co_return Error(Errc::kUnavailable, "ended from outside");
    if (steady_clock::now() >= deadline) {
      co_return Error(Errc::kTimeout,
                      "not fetched before the action's time was over: " + in_the_way);
    }
    auto reply = co_await Ask(attachment, have, deadline, wait);
    if (!reply || (reply->status != 200 && reply->status != 206)) {
      in_the_way = reply ? SentenceOf(*reply) : reply.error().message();
      // 5xx is the server's trouble and passes; another no does not become a yes by asking.
      const bool refused = reply && reply->status < 500;
      if (refused && ++refusals >= kMaxRefusals) co_return Error(Errc::kDenied, in_the_way);
      const milliseconds time = pause.Next(RandomNumber());
      log::Warning(
          "an attachment is not there yet",
          {{"name", attachment.name}, {"reason", in_the_way}, {"next", FormatDuration(time)}});
      co_await Pause(time, deadline, wait);
      continue;
    }
    pause.Reset();
    refusals = 0;
    if (auto good = CheckPiece(*reply, attachment, have); !good) co_return std::move(good).error();

    const std::uint64_t piece_bytes = reply->body.size();
    using Kept = Expected<std::optional<Bytes>>;
    std::function<Kept()> keep = [this, attachment, have,
                                  piece = std::move(reply->body)]() -> Kept {
      auto folder = Folder();
      if (!folder) return std::move(folder).error();
      auto added = (*folder)->Append(attachment.sha256, kOwner, have, piece);
      if (!added) return std::move(added).error();
      if (have + piece.size() < attachment.bytes) return std::optional<Bytes>();
      auto complete = (*folder)->Complete(attachment.sha256, kOwner);
      if (!complete) return std::move(complete).error();
      auto whole = (*folder)->ReadWhole(attachment.sha256, attachment.bytes);
      if (whole && !*whole) return Error(Errc::kIo, "it changed on the disk just now");
      return whole;
    };
    auto kept = co_await Apart<Kept>(std::move(keep));
    if (!kept && kept.error().code() == Errc::kDenied && resumed) {
      // What an earlier run left may have been spoilt here: once more, from the beginning.
      log::Warning("an attachment's part was of no use",
                   {{"name", attachment.name}, {"reason", kept.error().message()}});
      resumed = false;
      have = 0;
      continue;
    }
    if (!kept) co_return std::move(kept).error();
    if (*kept) {
      log::Info("attachment fetched", {{"name", attachment.name},
                                       {"sha256", EncodeHex(attachment.sha256)},
                                       {"bytes", std::to_string(attachment.bytes)}});
      co_return std::move(**kept);
    }
    have += piece_bytes;
  }
}

asio::awaitable<Expected<HttpReply>> AttachmentSource::Ask(Attachment attachment,
                                                           std::uint64_t from, Deadline deadline,
                                                           Wait wait) {
  HttpCall call;
  call.target = "/v1/attachments/" + EncodeHex(attachment.sha256);
  const std::uint64_t last = std::min<std::uint64_t>(from + kPieceBytes, attachment.bytes) - 1;
  call.headers.Add("Range", "bytes=" + std::to_string(from) + "-" + std::to_string(last));
  SignedParts parts;
  parts.method = call.method;
  parts.target_uri = options_.api.url + call.target;
  SignatureParameters parameters;
  parameters.created = std::chrono::floor<std::chrono::seconds>(Now());
  parameters.nonce = EncodeBase64Url(RandomBytes(kNonceBytes));
  parameters.keyid = identity_.id().Text();
  const SignatureFields fields = SignRequest(parts, parameters, identity_.key());
  call.headers.Add("Signature-Input", fields.signature_input);
  call.headers.Add("Signature", fields.signature);

  // The call ends by its own deadlines; whoever waits for it may be gone by then.
  auto answer = std::make_shared<std::optional<Expected<HttpReply>>>();
  http_.Call(std::move(call), [answer, wait](Expected<HttpReply> reply) {
    *answer = std::move(reply);
    wait->timer.cancel();
  });
  while (!*answer && !wait->cancelled && steady_clock::now() < deadline) {
    wait->timer.expires_at(deadline);
    co_await wait->timer.async_wait(kAwait);
  }
  if (*answer) co_return std::move(**answer);
  if (wait->cancelled) co_return Error(Errc::kUnavailable, "ended from outside");
  co_return Error(Errc::kTimeout,
                  options_.api.url + ": no answer before the action's time was over");
}

}  // namespace mig::agent
