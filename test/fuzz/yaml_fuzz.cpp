// YAML that people wrote: what is read can be written, and reads back as the same; a draft of a
// policy that is read is a policy, and so is what is written of it.
#include <cstdint>
#include <string_view>

#include "cli/policy_draft.h"
#include "test/fuzz/require.h"
#include "util/yaml.h"

using mig::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = mig::ParseYaml(text, "fuzz");
  if (!value) return 0;
  const auto again = mig::ParseYaml(mig::WriteYaml(*value), "again");
  Require(again.has_value(), "what was written is read");
  Require(mig::json::Write(*again) == mig::json::Write(*value), "it means the same");
  const mig::cli::DraftFacts facts{{}, 1, {}};
  const auto policy = mig::cli::ReadPolicyDraft(text, "fuzz", facts);
  if (!policy) return 0;
  Require(mig::DecodePolicy(mig::EncodePolicy(*policy)).has_value(), "a draft is a policy");
  return 0;
}
