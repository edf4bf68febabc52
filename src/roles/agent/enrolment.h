// Getting and renewing the certificate that relays ask for: with the token the first time, with the
// agent's own key ever after, over HTTPS, until it succeeds. What is to be done when is decided in
// roles/agent/certificate_plan.h. Asio; one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "net/http_client.h"
#include "proto/access.h"
#include "proto/command.h"
#include "roles/agent/agent_config.h"
#include "roles/agent/certificate_plan.h"
#include "roles/agent/deployment_facts.h"
#include "roles/agent/identity.h"
#include "roles/agent/self_facts.h"
#include "util/back_off.h"

namespace mig::agent {

// The token of the configuration, or of the file it names. Nothing: none is given, or the file is
// not there. Error: it cannot be read, or is no token.
Expected<std::optional<EnrolToken>> ConfiguredToken(const AgentConfig& config);

// What an earlier enrolment recorded; nothing before the first.
Expected<std::optional<DeploymentFacts>> RecordedDeployment(const AgentConfig& config);

// What was granted when this machine enrolled; nothing: nothing was. A file that cannot be read is
// a grant that does not count (trust/agent_tags.h), and a line in the log.
std::optional<Self::Granted> RecordedGrant(const AgentConfig& config);

// The file of it: {"token": base64 of the hash, "grant": envelope}.
Bytes WriteGranted(const Self::Granted& granted);
Expected<Self::Granted> ReadGranted(BytesView text);

// Whether an answer's grant is that of our own token. Whether its signatures count is asked each
// time that its tags are. Errors: kDenied, kMalformed, kUnsupported.
Expected<void> CheckOwnGrant(const Envelope& grant, const OrgId& org, BytesView token_hash);

class Enrolment {
 public:
  struct Events {
    // The documents that came with a certificate. An error refuses the whole answer: an API that
    // cannot show a policy of this deployment is not its API.
    std::function<Expected<void>(const PolicyUpdate&)> policy;
    // A valid certificate is in its file: at start, and after each renewal.
    std::function<void()> certificate;
    // What people granted with the token, checked to be that of our token, and on disk. Nothing:
    // the token gives no tags.
    std::function<void(std::optional<Self::Granted>)> granted;
  };
  // All must outlive the enrolment.
  Enrolment(boost::asio::io_context& io, const AgentConfig& config, const DeploymentFacts& facts,
            const Identity& identity, std::string name, Events events);

  // Looks at the files and goes on from there, for as long as the agent lives.
  // Error: the TLS key cannot be read or made.
  Expected<void> Start();
  void Stop();

 private:
  void Plan();
  void At(std::chrono::milliseconds wait, void (Enrolment::*what)());
  void Attempt();
  Expected<HttpCall> MakeCall();
  void Done(const Expected<HttpReply>& reply);
  Expected<void> Take(const HttpReply& reply);
  Expected<void> TakeGrant(const EnrolAnswer& answer);

  const AgentConfig& config_;
  const DeploymentFacts& facts_;
  const Identity& identity_;
  std::string name_;
  Events events_;
  AsyncHttpClient http_;
  boost::asio::steady_timer timer_;
  BackOff unreachable_;  // the API is away
  BackOff refused_;      // it said no: an administrator has to do something
  std::string tls_key_;
  Bytes token_hash_;  // of the token that was shown last
  CertificatePlan::Step step_ = CertificatePlan::Step::kEnrol;
  bool stopped_ = false;
};

}  // namespace mig::agent
