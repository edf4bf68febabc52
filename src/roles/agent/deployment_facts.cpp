#include "roles/agent/deployment_facts.h"

#include "proto/id_field.h"

namespace mig::agent {

Expected<DeploymentFacts> ResolveDeployment(const AgentConfig& config,
                                            const std::optional<EnrolToken>& token,
                                            const std::optional<DeploymentFacts>& recorded) {
  DeploymentFacts facts;
  std::string said_by;
  std::optional<Error> conflict;
  const auto say = [&](const OrgId& org, std::string who) {
    if (facts.org.IsNone()) {
      facts.org = org;
      said_by = std::move(who);
    } else if (org != facts.org && !conflict) {
      conflict.emplace(Errc::kInvalid, "org: " + said_by + " says " + facts.org.Text() + ", " +
                                           who + " says " + org.Text() +
                                           "; an agent belongs to one deployment for good: for "
                                           "another one give it another `directory`");
    }
  };
  if (recorded) say(recorded->org, "enrolment.json");
  if (config.org) say(*config.org, "the configuration");
  if (token) say(token->org, "the token");
  if (conflict) return *conflict;
  if (facts.org.IsNone()) {
    return Error(Errc::kInvalid,
                 "no deployment is known: give `org` or, for the first start, `token_file` in the "
                 "configuration");
  }
  facts.api = !config.api.empty() ? config.api : token ? token->api : recorded ? recorded->api : "";
  if (facts.api.empty()) {
    return Error(Errc::kInvalid, "no API is known: give `api` in the configuration");
  }
  return facts;
}

Bytes WriteDeploymentFacts(const DeploymentFacts& facts) {
  return json::WritePretty(json::object{{"org", facts.org.Text()}, {"api", facts.api}}) + "\n";
}

Expected<DeploymentFacts> ReadDeploymentFacts(BytesView text) {
  auto fields = json::ParseObject(text);
  if (!fields) return std::move(fields).error();
  // What a newer agent has written down there is no reason not to start.
  json::ObjectReader in(*fields, "", json::ObjectReader::Unknown::kIgnore);
  DeploymentFacts facts;
  facts.org = ReadId<OrgId>(in, "org");
  facts.api = in.String("api");
  if (auto ok = in.Finish(); !ok) return std::move(ok).error();
  return facts;
}

}  // namespace mig::agent
