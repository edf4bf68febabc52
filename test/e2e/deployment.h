// The people, keys and documents of a lab, read from its folder: what its owner could do by hand.
#pragma once

#include <string>

#include "crypto/certificate.h"
#include "crypto/envelope.h"
#include "net/mqtt_link.h"
#include "proto/action.h"
#include "proto/policy.h"
#include "test/e2e/lab.h"

namespace mig::e2e {

struct Deployment {
  explicit Deployment(const Lab& lab);
  SecretKey root;
  SecretKey investigator;
  Envelope root_document;
  OrgId org;
  Policy policy;  // as the lab's investigator stands in it
  AgentId agent;  // agent-1
};

// A valid investigation of agent-1 as the lab's investigator would make it: `example`, a minute.
Action GoodAction(const Deployment& deployment);
Envelope Signed(const Action& action, const SecretKey& key);

AgentId AgentOf(const Lab& lab, int agent);
std::uint16_t RelayPort(const Lab& lab);
std::uint16_t ApiPort(const Lab& lab);

// "agents-ca" or "servers-ca" of the lab.
KeyPairPem CaOf(const Lab& lab, const std::string& name);
// A new certificate for a client of the lab's relay, in files of the test's own.
LinkTls IssueCertificate(const Lab& lab, const KeyPairPem& ca, const PeerName& name,
                         UtcTime now = Now());
// The certificate that agent-N itself uses.
LinkTls CertificateOf(const Lab& lab, int agent);

std::string ReadText(const std::filesystem::path& file);  // the test fails where it cannot be read

}  // namespace mig::e2e
