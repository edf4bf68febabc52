// Regular expressions of the file module: RE2 over bytes, because neither names nor contents need
// be UTF-8. A pattern of ASCII sees bytes (`.` is one byte); one that names other characters,
// itself or by \p or \x{…}, is matched as UTF-8.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "modules/file/literal.h"
#include "modules/file/start_bytes.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::file {

class BytePattern {
 public:
  // Error: kInvalid with RE2's reason.
  static Expected<std::shared_ptr<const BytePattern>> Compile(const std::string& text);
  ~BytePattern();

  // `text` as a whole: a name, a mode, one line without its line break.
  bool Matches(BytesView text) const;

  // Part of one line; what stands around it is seen by ^, $ and \b, but not matched.
  bool MatchesWithin(BytesView line, std::size_t start, std::size_t end) const;

  // Whether some line of `block` matches, exactly as Matches would say of each alone. The block is
  // whole lines between line breaks, without the last line break, and has no "\r\n".
  bool MatchesSomeLine(BytesView block) const;

  // False: no line of the block matches, whether it still has its carriage returns or not. Quick.
  bool MayMatchIn(BytesView block) const;

  // No match is longer, in bytes; SIZE_MAX where that is not known.
  std::size_t longest() const { return longest_; }

  // What a match must contain, as far as this can tell; empty: nothing known.
  const Literal& required_literal() const { return required_; }
  const std::string& required() const { return required_.text(); }

 private:
  struct Compiled;
  BytePattern();

  std::unique_ptr<Compiled> compiled_;
  Literal required_;         // without it there is no match
  StartBytes start_;         // where there is no such literal: a match begins with one of these
  bool is_literal_ = false;  // it is all there is to the pattern
  std::size_t longest_ = 0;
};

// A literal that every match of `pattern` contains, the longest found; empty where none is certain.
// `*fold` says that its ASCII letters stand for either case (and are lower case here), `*whole`
// that the pattern is nothing but that literal. Pure.
std::string RequiredLiteral(const std::string& pattern, bool* fold, bool* whole);

// No match of `pattern` is longer, in bytes; SIZE_MAX where something repeats, or may. Pure.
std::size_t LongestMatch(const std::string& pattern);

}  // namespace mig::file
