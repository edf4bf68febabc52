// Regular expressions of the file module: RE2 over bytes, because neither names nor contents need
// be UTF-8. A pattern of ASCII sees bytes (`.` is one byte); one that names other characters,
// itself or by \p or \x{…}, is matched as UTF-8.
#pragma once

#include <memory>
#include <string>

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

  // What a match must contain, as far as this can tell; empty: nothing known. For tests.
  const std::string& required() const { return required_; }

 private:
  struct Compiled;
  BytePattern();

  std::unique_ptr<Compiled> compiled_;
  std::string required_;     // literal bytes without which there is no match
  std::size_t rarest_ = 0;   // index in required_ of the byte that files have least
  bool is_literal_ = false;  // required_ is all there is to it
};

// A literal that every match of `pattern` contains, the longest found; empty where none is certain.
// `*whole` says that the pattern is nothing but that literal. Pure.
std::string RequiredLiteral(const std::string& pattern, bool* whole);

// Where `needle` begins in `text` at or after `from`, or npos: looks for its byte number `rarest`
// first.
std::size_t FindLiteral(BytesView text, BytesView needle, std::size_t rarest, std::size_t from);

}  // namespace mig::file
