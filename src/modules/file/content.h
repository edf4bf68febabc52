// The content checks of one file, fed with its bytes as they are read: lines of any length, several
// searches at once, each check dropped as soon as it is decided.
#pragma once

#include <cstddef>
#include <vector>

#include "modules/file/literal_set.h"
#include "modules/file/search.h"
#include "util/bytes.h"

namespace mig::file {

// A line longer than this is matched in pieces that overlap by kLineOverlap, and counted. Where a
// match could be longer than the overlap, that none was seen is no answer.
inline constexpr std::size_t kMaxLineBytes = std::size_t{16} << 20;
inline constexpr std::size_t kLineOverlap = std::size_t{64} << 10;

// The literals that the content checks of a run must see, where these are many: looked for
// together. Gives the checks their numbers.
LiteralSet ContentLiterals(std::vector<Search>& searches);

class ContentScan {
 public:
  // `literals`, of which the numbers of checks are, must outlive this.
  explicit ContentScan(const LiteralSet& literals) : literals_(literals) {}

  // Decides the content checks of `search`, which must outlive this.
  void Add(const Search& search);
  bool empty() const { return checks_.empty(); }
  // As when it was made; keeps its memory.
  void Clear();

  // The next bytes of the file.
  void Feed(BytesView bytes);
  // No more bytes: the last line ends here even without a line break.
  void Finish();
  // Nothing that follows can change an answer: the file need not be read further for this.
  bool decided() const { return open_ == 0; }
  bool saw_long_line() const { return saw_long_line_; }

  // Whether the answer to this check is final.
  bool Decided(const Check& check) const { return StateOf(check).decided; }
  // What Check::Wanted asks for, with `inverted` inside.
  bool Answer(const Check& check) const;
  // The answer is not known, whatever Answer says.
  bool Uncertain(const Check& check) const;

 private:
  struct State {
    const Check* check;
    bool macroal;
    bool decided = false;
    bool matched = false;        // not macroal: some line matched the plain regex
    bool violated = false;       // macroal: some line was not as it has to be
    bool piece_matched = false;  // an earlier piece of the line that is not complete yet did
    bool of_interest = true;     // the block in hand may decide it
    bool uncertain = false;      // a match across pieces of some line may have been missed
  };
  const State& StateOf(const Check& check) const;
  bool AnyOfInterest(BytesView block);
  void Block(BytesView block);                   // whole lines, each with its line break
  void Lines(BytesView block);                   // between line breaks, without "\r\n"
  void Line(BytesView line, std::size_t start);  // one line; before `start` only context
  void Piece(std::size_t end);                   // of the long line in rest_, up to there
  void Note(State& state, bool line_matches);
  void Decide(State& state);

  const LiteralSet& literals_;
  std::vector<State> checks_;
  // Where StateOf begins to look: they are asked for in the order in which they were added.
  mutable std::size_t last_asked_ = 0;
  std::size_t open_ = 0;
  bool any_line_ = false;
  bool saw_long_line_ = false;
  Bytes rest_;                  // a line whose end has not come yet
  std::size_t rest_start_ = 0;  // where in rest_ the part begins that was not searched
  std::vector<char> present_;   // which of the literals stand in the block in hand
  Bytes unfolded_;              // a block without its carriage returns
};

}  // namespace mig::file
