// What the scheduler sends, in: commands and control messages.
#include <cstdint>

#include "crypto/envelope.h"
#include "proto/command.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const mig::BytesView text(reinterpret_cast<const char*>(data), size);
  if (const auto command = mig::DecodeCommand(text)) {
    // The next step at the agent, on what the first let pass.
    static_cast<void>(mig::EnvelopeFromJson(command->action, "command.action"));
  }
  if (const auto control = mig::DecodeControl(text)) {
    if (const auto* acknowledgement = std::get_if<mig::Acknowledgement>(&*control)) {
      Require(acknowledgement->parts.size() <= 256, "at most 256 parts at once");
      const auto again = mig::DecodeControl(mig::EncodeControl(*control));
      Require(again && std::get<mig::Acknowledgement>(*again).parts == acknowledgement->parts,
              "an acknowledgement survives its text");
    } else if (std::holds_alternative<mig::PolicyUpdate>(*control)) {
      const auto& update = std::get<mig::PolicyUpdate>(*control);
      Require(!update.roots.empty(), "a policy comes with its roots");
      for (const mig::json::object& root : update.roots) {
        static_cast<void>(mig::EnvelopeFromJson(root, "root"));
      }
      static_cast<void>(mig::EnvelopeFromJson(update.policy, "policy"));
    }
  }
  return 0;
}
