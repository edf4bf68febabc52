// The API's calls about attachments: thin; what they do is in attachments.cpp.
#include <boost/asio/post.hpp>

#include "roles/api/service.h"

namespace mig::api {
namespace {

constexpr std::string_view kAgentCaller = "agent:";

}  // namespace

void ApiService::PutAttachment(HttpRequest request, Exchange exchange, std::string person) {
  auto digest = DigestInPath(request.parameters.at(0));
  if (!digest) return Reply(exchange, ErrorAnswer(digest.error()));
  auto place = ParseContentRange(request.headers.Get("Content-Range"), request.body.size());
  if (!place) return Reply(exchange, ErrorAnswer(place.error()));
  if (place->total == 0 || place->total > kMaxAttachmentBytes) {
    return Reply(exchange, ErrorAnswer(413, "full",
                                       "an attachment has 1.." +
                                           std::to_string(kMaxAttachmentBytes) + " bytes"));
  }
  attachments_->Put(std::move(*digest), std::move(person), *place, std::move(request.body),
                    [exchange](HttpReply reply) { exchange->Reply(std::move(reply)); });
}

void ApiService::GetAttachment(HttpRequest request, Exchange exchange, std::string caller) {
  auto digest = DigestInPath(request.parameters.at(0));
  if (!digest) return Reply(exchange, ErrorAnswer(digest.error()));
  auto give = [this, digest = *digest, head = request.method == "HEAD",
               range = request.headers.Get("Range"), exchange] {
    const auto done = [exchange](HttpReply reply) { exchange->Reply(std::move(reply)); };
    if (head) return attachments_->Head(digest, done);
    attachments_->Get(digest, range, done);
  };
  if (!caller.starts_with(kAgentCaller)) return give();
  const auto agent = AgentId::Parse(std::string_view(caller).substr(kAgentCaller.size()));
  boost::asio::post(readers_, [this, agent = *agent, digest = *digest, give = std::move(give),
                               exchange]() mutable {
    auto may =
        db_->Read([&](store::ServerReader& reader) { return MayFetch(reader, agent, digest); });
    boost::asio::post(io_, [give = std::move(give), may = std::move(may), exchange]() mutable {
      if (!may) return Reply(exchange, ErrorAnswer(may.error()));
      if (*may) return give();
      Reply(exchange, ErrorAnswer(403, "denied",
                                  "no open action that was sent to this agent names this digest"));
    });
  });
}

}  // namespace mig::api
