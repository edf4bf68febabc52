// What a server tells the client about an action: events, and the parts of agents' answers. The
// client believes neither server nor store. The first line is the kind of event, the rest its data.
#include <cstdint>

#include "cli/action_events.h"
#include "cli/result_check.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  using fuzz::Require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view kind = text.substr(0, text.find('\n'));
  const std::string_view rest = text.substr(std::min(kind.size() + 1, size));
  const auto event = cli::ReadActionEvent(kind, rest);
  if (!event || !*event) return 0;
  const auto* part = std::get_if<cli::PartEvent>(&**event);
  if (part == nullptr) return 0;
  // An agent of the set that was shown, and one that was not; neither has signed anything here.
  static const SecretKey key = SecretKey::Generate();
  const cli::ShownAgent shown{AgentId::FromBytes(key.public_key().Fingerprint()).value(), "a",
                              "online", Bytes(key.public_key().View())};
  const ActionId action = ActionId::FromBytes(Bytes(ActionId::kBytes, 'x')).value();
  cli::ResultCheck known(action, 1, std::vector<cli::ShownAgent>{shown});
  Require(!known.Check(part->agent, part->key, part->envelope).part,
          "who was not shown does not count");
  Require(!known.Check(shown.id, shown.key, part->envelope).part, "what he did not sign neither");
  cli::ResultCheck open(action, 1, std::nullopt);
  const auto verdict = open.Check(part->agent, part->key, part->envelope);
  if (verdict.part) {
    Require(verdict.part->agent == part->agent && verdict.part->action == action,
            "a part that counts is this agent's, about this action");
  }
  Require(!open.Complete(part->agent) || verdict.part.has_value(), "nothing is no answer");
  return 0;
}
