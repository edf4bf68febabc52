#include "roles/agent/certificate_plan.h"

#include "crypto/certificate.h"

namespace mig::agent {

Expected<CertificateLife> CheckCertificate(std::string_view certificate_pem,
                                           std::string_view tls_key_pem, const AgentId& agent) {
  auto name = PeerNameOfPem(certificate_pem);
  if (!name) return std::move(name).error();
  if (name->role != "agent" || name->id != agent.Text()) {
    return Error(Errc::kDenied, "the certificate is of " + name->role + " " + name->id +
                                    ", this is agent " + agent.Text());
  }
  auto ours = IsCertificateOf(certificate_pem, tls_key_pem);
  if (!ours) return std::move(ours).error();
  if (!*ours) return Error(Errc::kDenied, "the certificate is of another TLS key");
  auto from = NotBefore(certificate_pem);
  if (!from) return std::move(from).error();
  auto until = NotAfter(certificate_pem);
  if (!until) return std::move(until).error();
  return CertificateLife{*from, *until};
}

CertificatePlan PlanCertificate(const std::optional<CertificateLife>& held, bool enrolled,
                                UtcTime now) {
  CertificatePlan plan;
  plan.step = enrolled ? CertificatePlan::Step::kRenew : CertificatePlan::Step::kEnrol;
  if (!held) return plan;
  plan.step = CertificatePlan::Step::kRenew;
  const UtcTime due = held->from + (held->until - held->from) * 2 / 3;
  // Before its start the clock is wrong: a new one would not help, and must not be asked for in a
  // loop.
  if (now < due) plan.at = due;
  return plan;
}

}  // namespace mig::agent
