#include "proto/pattern.h"

#include <re2/re2.h>

namespace mig {
namespace {

constexpr std::int64_t kMaxMemoryBytes = std::int64_t{1} << 20;

RE2::Options PatternOptions() {
  RE2::Options options(RE2::Quiet);  // RE2 would log a user's mistake to stderr
  options.set_max_mem(kMaxMemoryBytes);
  options.set_never_capture(true);
  return options;
}

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(std::string_view text)
      : regex(re2::StringPiece(text.data(), text.size()), PatternOptions()) {}
  RE2 regex;
};

Expected<Pattern> Pattern::Compile(std::string_view text) {
  auto compiled = std::make_unique<Compiled>(text);
  if (!compiled->regex.ok()) {
    return Error(Errc::kMalformed, "regular expression `" + std::string(text.substr(0, 256)) +
                                       "`: " + compiled->regex.error());
  }
  return Pattern(std::move(compiled));
}

Pattern::Pattern(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

bool Pattern::Matches(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->regex);
}

}  // namespace mig
