// How an agent gets its TLS certificate: at enrolment with a token, later by its own key. The
// agents' CA issues agents and nothing else, whatever a request says.
#pragma once

#include <chrono>
#include <string>

#include "crypto/certificate.h"
#include "crypto/envelope.h"
#include "proto/access.h"
#include "store/server_tx.h"
#include "trust/policy_chain.h"
#include "util/expected.h"

namespace mig::api {

// An enrolment or renewal whose signature, deployment and time have been checked.
struct Applicant {
  AgentId agent;
  Bytes key;          // 32 bytes; its hash is the id
  std::string csr;    // PEM
  std::string name;   // enrolment only
  Bytes token_hash;   // enrolment only: SHA-256 of the secret
  std::string nonce;  // renewal only
};

// Errors: kMalformed, kUnsupported; kDenied: not signed by the key it names, another deployment, or
// (renewal) a time more than a day off.
Expected<Applicant> CheckEnrolment(const Envelope& envelope, const OrgId& org);
Expected<Applicant> CheckRenewal(const Envelope& envelope, const OrgId& org, UtcTime now);

// The part of both that the store decides, in one transaction. An agent that is enrolled already
// with this key and token costs no use of it: it may not have seen our first answer. With another
// token it takes one use of that, and its tags follow. `*grant` becomes the grant of the token.
// Errors: kDenied: token unknown, used up or expired; nonce used; agent not enrolled.
Expected<void> AdmitEnrolment(store::ServerTx& tx, const Applicant& applicant,
                              const TrustedPolicy& policy, UtcTime now,
                              std::optional<Bytes>* grant);
Expected<void> AdmitRenewal(store::ServerTx& tx, const Applicant& applicant, UtcTime now);

// A certificate mig:role/agent/<id> for the key in the request.
Expected<std::string> CertificateFor(const KeyPairPem& agents_ca, const Applicant& applicant,
                                     std::chrono::seconds validity, UtcTime now);

}  // namespace mig::api
