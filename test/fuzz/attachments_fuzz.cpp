// References in parameters and the files behind them: the first line is a parameters object, what
// follows the content of every file it refers to.
#include <cstdint>
#include <string>

#include "modules/module.h"
#include "proto/attachment_references.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  const std::string_view content = end == text.npos ? std::string_view() : text.substr(end + 1);
  const auto lines = mig::AttachmentLines(content);
  if (lines) {
    Require(!lines->empty(), "a list has lines");
    for (const std::string_view line : *lines) {
      Require(!line.empty() && line[0] != '#' && line.find('\n') == line.npos,
              "what does not count is left out");
    }
  }
  const auto parameters = mig::json::ParseObject(text.substr(0, end));
  if (!parameters) return 0;
  const auto names = mig::ReferencedAttachments(*parameters);
  const auto expanded = mig::ExpandAttachments(
      *parameters, [&](std::string_view) { return std::optional<mig::BytesView>(content); });
  if (!expanded) {
    Require(!names.empty() && !expanded.error().message().empty(), "only a reference can fail");
    return 0;
  }
  Require(mig::ReferencedAttachments(*expanded).empty(), "nothing is left to expand");
  if (names.empty()) Require(*expanded == *parameters, "the rest stays as it was");
  // What the check let pass with references must not surprise a module when they are gone.
  if (const mig::Module* file = mig::FindModule("file")) {
    const auto before = mig::CheckParameters(*file, *parameters);
    const auto after = mig::CheckParameters(*file, *expanded);
    Require(names.empty() ? before.has_value() == after.has_value() : true, "the same verdict");
    Require(before.has_value() || !after.has_value(), "expanding makes nothing right");
  }
  return 0;
}
