#include "roles/api/attachments.h"

#include <boost/asio/post.hpp>
#include <set>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "util/encoding.h"
#include "util/log.h"

namespace mig::api {
namespace {

constexpr std::chrono::hours kSweepEvery{1};
constexpr std::size_t kRowsPerRead = 500;
constexpr std::size_t kMostOpenCommands = 1'000;
constexpr std::size_t kOwnerBytes = 16;

HttpReply ToReply(Answer answer) {
  return {answer.status,
          {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          std::move(answer.body)};
}

HttpReply NotHere() {
  return ToReply(ErrorAnswer(404, "not_found", "there is no attachment with this digest"));
}

// A full folder or disk is for an administrator, not for a retry.
HttpReply ToReply(const Error& error) {
  if (error.code() != Errc::kFull) return ToReply(ErrorAnswer(error));
  return ToReply(ErrorAnswer(507, "full", "no room for attachments on the server"));
}

// A file name's worth of who brings it.
std::string OwnerOf(const std::string& person) {
  return EncodeHex(Sha256(person)).substr(0, 2 * kOwnerBytes);
}

// Nothing where the envelope cannot be read: it was when it was stored.
std::vector<Attachment> AttachmentsIn(const std::optional<Bytes>& envelope) {
  if (!envelope) return {};
  auto decoded = DecodeEnvelope(*envelope);
  if (!decoded) return {};
  auto action = DecodeAction(decoded->payload);
  return action ? std::move(action->attachments) : std::vector<Attachment>();
}

// Of all actions that have not ended, pending ones included.
Expected<std::set<Bytes>> NeededDigests(store::ServerReader& reader) {
  std::set<Bytes> needed;
  std::int64_t after = 0;
  for (;;) {
    auto rows = reader.ListOpenActions(after, kRowsPerRead);
    if (!rows) return std::move(rows).error();
    for (const store::ActionRow& row : *rows) {
      after = row.row;
      auto envelope = reader.FindActionEnvelope(row.id);
      if (!envelope) return std::move(envelope).error();
      for (Attachment& attachment : AttachmentsIn(*envelope)) {
        needed.insert(std::move(attachment.sha256));
      }
    }
    if (rows->size() < kRowsPerRead) return needed;
  }
}

}  // namespace

Expected<bool> MayFetch(store::ServerReader& reader, const AgentId& agent, BytesView sha256) {
  auto commands = reader.ListOpenCommands(agent, kMostOpenCommands);
  if (!commands) return std::move(commands).error();
  for (const store::CommandRow& command : *commands) {
    auto envelope = reader.FindActionEnvelope(command.action);
    if (!envelope) return std::move(envelope).error();
    for (const Attachment& attachment : AttachmentsIn(*envelope)) {
      if (attachment.sha256 == sha256) return true;
    }
  }
  return false;
}

Expected<Bytes> DigestInPath(std::string_view text) {
  auto digest = DecodeHex(text);
  if (digest && digest->size() == 32 && EncodeHex(*digest) == text) return digest;
  return Error(Errc::kMalformed, "the path does not end in a SHA-256, 64 lower-case hex digits");
}

Expected<std::unique_ptr<Attachments>> Attachments::Open(boost::asio::io_context& io,
                                                         store::ServerDb& db,
                                                         std::filesystem::path folder,
                                                         std::uint64_t max_bytes) {
  auto opened = store::ContentFolder::Open(std::move(folder), max_bytes);
  if (!opened) return std::move(opened).error().During("attachments");
  return std::unique_ptr<Attachments>(new Attachments(io, db, std::move(*opened)));
}

Attachments::Attachments(boost::asio::io_context& io, store::ServerDb& db,
                         store::ContentFolder folder)
    : io_(io), db_(db), folder_(std::move(folder)), timer_(io) {}

Attachments::~Attachments() { files_.join(); }

void Attachments::Put(Bytes sha256, std::string person, Placement place, Bytes piece, Done done) {
  boost::asio::post(files_, [this, sha256 = std::move(sha256), person = std::move(person), place,
                             piece = std::move(piece), done = std::move(done)]() mutable {
    HttpReply reply = PutNow(sha256, person, place, piece);
    boost::asio::post(io_, [done = std::move(done), reply = std::move(reply)]() mutable {
      done(std::move(reply));
    });
  });
}

HttpReply Attachments::PutNow(const Bytes& sha256, const std::string& person,
                              const Placement& place, const Bytes& piece) {
  const std::string hex = EncodeHex(sha256);
  const auto state = [&](int status, std::uint64_t received) {
    return ToReply(JsonAnswer(status, json::object{{"sha256", hex},
                                                   {"bytes", place.total},
                                                   {"received", received},
                                                   {"complete", status != 202}}));
  };
  if (const auto size = folder_.SizeOf(sha256)) {
    if (*size != place.total) {
      return ToReply(ErrorAnswer(409, "exists", "it is here with another size"));
    }
    folder_.Touch(sha256);
    return state(200, *size);
  }
  const std::string owner = OwnerOf(person);
  const std::uint64_t have = folder_.PartSize(sha256, owner);
  // A piece that does not follow on is not taken: the answer tells from where to go on.
  if (place.first != have) {
    if (have < place.total) return state(202, have);
    folder_.DropPart(sha256, owner);  // too long, or left by a crash before it was complete
    return state(202, 0);
  }
  auto added = folder_.Append(sha256, owner, have, piece);
  if (!added && added.error().code() == Errc::kFull) {
    SweepNow();
    added = folder_.Append(sha256, owner, have, piece);
  }
  if (!added) {
    log::Warning("an attachment could not be kept", {{"reason", added.error().message()}});
    return ToReply(added.error());
  }
  if (have + piece.size() < place.total) return state(202, have + piece.size());
  if (auto complete = folder_.Complete(sha256, owner); !complete) {
    if (complete.error().code() != Errc::kDenied) return ToReply(complete.error());
    return ToReply(ErrorAnswer(400, "digest", complete.error().message()));
  }
  log::Info("attachment received",
            {{"sha256", hex}, {"bytes", std::to_string(place.total)}, {"person", person}});
  return state(201, place.total);
}

void Attachments::Get(Bytes sha256, std::string field, Done done) {
  boost::asio::post(files_, [this, sha256 = std::move(sha256), field = std::move(field),
                             done = std::move(done)]() mutable {
    HttpReply reply = GetNow(sha256, field);
    boost::asio::post(io_, [done = std::move(done), reply = std::move(reply)]() mutable {
      done(std::move(reply));
    });
  });
}

HttpReply Attachments::GetNow(const Bytes& sha256, const std::string& field) {
  const auto size = folder_.SizeOf(sha256);
  if (!size) return NotHere();
  ByteRange range;
  if (!field.empty()) {
    auto parsed = ParseRange(field);
    if (!parsed) return ToReply(parsed.error());
    range = *parsed;
  }
  if (range.first >= *size) {
    HttpReply reply = ToReply(ErrorAnswer(416, "invalid", "Range: begins behind the end"));
    reply.headers.Add("Content-Range", UnsatisfiedRange(*size));
    return reply;
  }
  const std::uint64_t wanted =
      (range.last ? std::min(*range.last, *size - 1) : *size - 1) - range.first + 1;
  if (field.empty() && wanted > kPieceBytes) {
    return ToReply(ErrorAnswer(
        400, "invalid",
        "Range: is missing; ask for at most " + std::to_string(kPieceBytes) + " bytes at a time"));
  }
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, kPieceBytes));
  auto content = folder_.ReadRange(sha256, range.first, bytes);
  if (!content) return ToReply(content.error());
  if (content->size() != bytes) return NotHere();  // cut short meanwhile
  HttpReply reply;
  reply.status = field.empty() ? 200 : 206;
  reply.headers.Add("Content-Type", "application/octet-stream");
  reply.headers.Add("Cache-Control", "no-store");
  reply.headers.Add("Accept-Ranges", "bytes");
  if (!field.empty()) {
    reply.headers.Add("Content-Range", ContentRangeOf(range.first, bytes, *size));
  }
  reply.body = std::move(*content);
  return reply;
}

void Attachments::Head(Bytes sha256, Done done) {
  boost::asio::post(files_, [this, sha256 = std::move(sha256), done = std::move(done)]() mutable {
    const auto size = folder_.SizeOf(sha256);
    HttpReply reply = NotHere();
    if (size) {
      folder_.Touch(sha256);
      reply = {200,
               {{"Content-Type", "application/octet-stream"},
                {"Cache-Control", "no-store"},
                {"Accept-Ranges", "bytes"},
                {"Content-Length", std::to_string(*size)}},
               {}};
    }
    boost::asio::post(io_, [done = std::move(done), reply = std::move(reply)]() mutable {
      done(std::move(reply));
    });
  });
}

void Attachments::Check(std::vector<Attachment> attachments,
                        std::function<void(std::optional<Answer>)> done) {
  boost::asio::post(
      files_, [this, attachments = std::move(attachments), done = std::move(done)]() mutable {
        std::optional<Answer> missing;
        for (const Attachment& attachment : attachments) {
          const auto size = folder_.SizeOf(attachment.sha256);
          folder_.Touch(attachment.sha256);
          if (size == attachment.bytes) continue;
          const std::string path = "/v1/attachments/" + EncodeHex(attachment.sha256);
          missing = ErrorAnswer(409, "attachment_missing",
                                "attachment `" + attachment.name + "`: " +
                                    (size ? "its size is " + std::to_string(*size) + ", not " +
                                                std::to_string(attachment.bytes)
                                          : "is not here; PUT " + path + " first"));
          break;
        }
        boost::asio::post(io_, [done = std::move(done), missing = std::move(missing)]() mutable {
          done(std::move(missing));
        });
      });
}

void Attachments::StartSweeping() {
  boost::asio::post(files_, [this] { SweepNow(); });
  timer_.expires_after(kSweepEvery);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) StartSweeping();
  });
}

void Attachments::SweepNow() {
  auto needed = db_.Read([](store::ServerReader& reader) { return NeededDigests(reader); });
  if (!needed) {
    log::Error("attachments are not tidied up", {{"reason", needed.error().message()}});
    return;
  }
  const UtcTime old = Now() - kGrace;
  folder_.Sweep([&](const store::ContentFolder::Entry& entry) {
    return entry.used < old && (entry.part || !needed->contains(entry.sha256));
  });
}

}  // namespace mig::api
