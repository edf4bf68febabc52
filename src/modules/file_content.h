// The content checks of one file, fed with its bytes as they are read: lines of any length, several
// searches at once, each check dropped as soon as it is decided.
#pragma once

#include <cstddef>
#include <vector>

#include "modules/file_search.h"
#include "util/bytes.h"

namespace mig::file {

// A line longer than this is matched in pieces that overlap by kLineOverlap, and counted: what
// matches across more than the overlap is missed, and the statistics say that this may be.
inline constexpr std::size_t kMaxLineBytes = std::size_t{16} << 20;
inline constexpr std::size_t kLineOverlap = std::size_t{64} << 10;

class ContentScan {
 public:
  // Decides the content checks of `search`, which must outlive this.
  void Add(const Search& search);
  bool empty() const { return checks_.empty(); }

  // The next bytes of the file.
  void Feed(BytesView bytes);
  // No more bytes: the last line ends here even without a line break.
  void Finish();
  // Nothing that follows can change an answer: the file need not be read further for this.
  bool decided() const { return open_ == 0; }
  bool saw_long_line() const { return saw_long_line_; }

  // After Finish: what Check::Wanted asks for, with `inverted` inside.
  bool Answer(const Check& check) const;

 private:
  struct State {
    const Check* check;
    bool macroal;
    std::shared_ptr<const re2::RE2> block_regex;  // over several lines at once; may be null
    bool decided = false;
    bool matched = false;   // not macroal: some line matched the plain regex
    bool violated = false;  // macroal: some line was not as it has to be
  };
  void Lines(BytesView block);  // whole lines, each with its line break
  void Line(BytesView line);    // without its line break
  void Decide(State& state);
  bool BlockMayMatch(const State& state, BytesView block) const;

  std::vector<State> checks_;
  std::size_t open_ = 0;
  bool any_line_ = false;
  bool saw_long_line_ = false;
  Bytes rest_;  // an incomplete line
};

}  // namespace mig::file
