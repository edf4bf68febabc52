// A regular expression as targets write it (`name ~ '^db[0-9]+'`): RE2 syntax, so linear in the
// text whatever a user writes; UTF-8, case-sensitive, found anywhere in the text. The same at the
// agent, which evaluates its target, and in the store (SQL function mig_match).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig {

class Pattern {
 public:
  // Error: kMalformed with RE2's reason, also when the compiled form needs more than 1 MiB.
  static Expected<Pattern> Compile(std::string_view text);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Any thread.
  bool Matches(std::string_view text) const;

  // Instructions of the compiled form: what a cache counts.
  std::size_t size() const;

 private:
  struct Compiled;
  explicit Pattern(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

// The regular expression that means what LIKE (or ILIKE, when case does not matter) means in
// PostgreSQL: the whole text, % for any characters, _ for one, \ before either for itself.
// Error: kMalformed for a \ at the end.
Expected<std::string> LikeToRegex(std::string_view like, bool ignore_case);

}  // namespace mig
