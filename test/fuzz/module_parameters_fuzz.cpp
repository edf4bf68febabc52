// Parameters of every module: as JSON in an order that somebody signed, and as words of a command
// line, one a line. The first line names the module.
#include <cstdint>
#include <string>
#include <vector>

#include "modules/module.h"
#include "test/fuzz/require.h"
#include "util/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, text.find('\n'));
  const mig::Module* module = mig::FindModule(first);
  if (module == nullptr) return 0;
  const std::string_view rest = text.substr(std::min(first.size() + 1, size));
  if (const auto parameters = mig::json::ParseObject(rest)) {
    const auto checked = mig::CheckParameters(*module, *parameters);
    mig::fuzz::Require(checked || !checked.error().message().empty(), "a refusal says why");
  }
  std::vector<std::string> words;
  for (const std::string_view word : mig::Split(rest, '\n')) words.emplace_back(word);
  if (const auto parameters = mig::ParametersFromArguments(*module, words)) {
    mig::fuzz::Require(mig::CheckParameters(*module, *parameters).has_value(),
                       "what the command line makes is accepted");
  }
  return 0;
}
