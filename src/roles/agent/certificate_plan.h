// What the agent has to do about its certificate: nothing yet, enrol, or renew. Pure; who does it
// is roles/agent/enrolment.h.
#pragma once

#include <optional>
#include <string>

#include "proto/ids.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::agent {

// The life of a certificate that is this agent's.
struct CertificateLife {
  UtcTime from;
  UtcTime until;
};

// Error: kMalformed; kDenied for one of somebody else, or of another TLS key.
Expected<CertificateLife> CheckCertificate(std::string_view certificate_pem,
                                           std::string_view tls_key_pem, const AgentId& agent);

struct CertificatePlan {
  enum class Step { kEnrol, kRenew } step = Step::kEnrol;
  std::optional<UtcTime> at;  // absent: now
};

// Renewal comes at two thirds of the life, so that an API that is away for days is no harm, and
// also after it lapsed: the agent's own key, not the certificate, is what the API asks for.
// `enrolled`: the agent has held a certificate before.
CertificatePlan PlanCertificate(const std::optional<CertificateLife>& held, bool enrolled,
                                UtcTime now);

}  // namespace mig::agent
