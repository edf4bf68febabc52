#include "modules/file/content.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "modules/file/pattern.h"

namespace mig::file {
namespace {

bool HasCarriageReturns(BytesView block) {
  static const Literal line_end("\r\n");
  return block.ends_with('\r') || line_end.FindIn(block) != BytesView::npos;
}

// Copies without the one carriage return that may stand at the end of each line.
void Unfold(BytesView block, Bytes& out) {
  out.clear();
  out.reserve(block.size());
  for (std::size_t at = 0; at < block.size();) {
    const std::size_t cr = block.find('\r', at);
    if (cr == BytesView::npos) {
      out.append(block.substr(at));
      return;
    }
    const bool ends_line = cr + 1 == block.size() || block[cr + 1] == '\n';
    out.append(block.substr(at, cr - at + (ends_line ? 0 : 1)));
    at = cr + 1;
  }
}

// From so many on, one pass for all is faster than one each, sixteen bytes at a time.
constexpr std::size_t kTogether = 8;

}  // namespace

LiteralSet ContentLiterals(std::vector<Search>& searches) {
  LiteralSet literals;
  for (Search& search : searches) {
    for (Check& check : search.checks) {
      if (check.kind != CheckKind::kContent) continue;
      const Literal& literal = check.pattern->required_literal();
      // A carriage return in it may be a line's end.
      if (literal.text().size() < LiteralSet::kShortest) continue;
      if (literal.text().find('\r') != std::string::npos) continue;
      check.literal = literals.Add(literal);
    }
  }
  return literals;
}

void ContentScan::Add(const Search& search) {
  for (const Check& check : search.checks) {
    if (check.kind != CheckKind::kContent) continue;
    checks_.push_back({&check, search.macroal});
    ++open_;
  }
}

void ContentScan::Clear() {
  checks_.clear();
  last_asked_ = 0;
  open_ = 0;
  any_line_ = saw_long_line_ = false;
  rest_.clear();
  rest_start_ = 0;
}

void ContentScan::Decide(State& state) {
  state.decided = true;
  --open_;
}

void ContentScan::Note(State& state, bool line_matches) {
  if (!state.macroal) {
    if (!line_matches) return;
    state.matched = true;
    Decide(state);
  } else if (line_matches == state.check->inverted) {
    state.violated = true;
    Decide(state);
  }
}

void ContentScan::Line(BytesView line, std::size_t start) {
  any_line_ = true;
  if (line.ends_with('\r') && line.size() > start) line.remove_suffix(1);
  for (State& state : checks_) {
    if (state.decided) continue;
    const bool matches =
        state.piece_matched || state.check->pattern->MatchesWithin(line, start, line.size());
    state.piece_matched = false;
    const bool in_pieces = start > 0;
    if (in_pieces && !matches && state.check->pattern->longest() > kLineOverlap) {
      state.uncertain = true;
    } else {
      Note(state, matches);
    }
  }
}

void ContentScan::Lines(BytesView block) {
  for (State& state : checks_) {
    if (state.decided || !state.of_interest) continue;
    const BytePattern& pattern = *state.check->pattern;
    if (!state.macroal || state.check->inverted) {
      // "Some line matches" decides both: the one for yes, the other for no.
      if (pattern.MatchesSomeLine(block)) Note(state, true);
      continue;
    }
    for (BytesView rest = block; !state.decided;) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      Note(state, pattern.Matches(rest.substr(0, end)));
      if (end == rest.size()) break;
      rest.remove_prefix(end + 1);
    }
  }
}

// Most blocks end here: copying what has carriage returns would take longer than looking through.
bool ContentScan::AnyOfInterest(BytesView block) {
  const bool together = open_ >= kTogether && literals_.size() >= kTogether;
  if (together) {
    present_.assign(literals_.size(), 0);
    literals_.MarkIn(block, present_);
  }
  bool any = false;
  for (State& state : checks_) {
    if (state.decided) continue;
    const bool every_line = state.macroal && !state.check->inverted;
    if (together && !every_line && state.check->literal != std::string::npos) {
      state.of_interest = present_[state.check->literal] != 0;
    } else {
      state.of_interest = every_line || state.check->pattern->MayMatchIn(block);
    }
    any = any || state.of_interest;
  }
  return any;
}

void ContentScan::Block(BytesView block) {
  if (open_ == 0 || block.empty()) return;
  any_line_ = true;
  block.remove_suffix(1);  // or an empty line would seem to follow the last
  if (!AnyOfInterest(block)) return;
  if (HasCarriageReturns(block)) {
    Unfold(block, unfolded_);
    block = unfolded_;
  }
  Lines(block);
}

void ContentScan::Piece(std::size_t end) {
  saw_long_line_ = true;
  for (State& state : checks_) {
    if (state.decided || state.piece_matched) continue;
    if (!state.check->pattern->MatchesWithin(rest_, rest_start_, end)) continue;
    state.piece_matched = true;
    if (!state.macroal) Note(state, true);
  }
  // One byte stays as context, so that ^ and \b do not take the cut for the beginning.
  rest_.erase(0, end - kLineOverlap - 1);
  rest_start_ = 1;
}

void ContentScan::Feed(BytesView bytes) {
  if (open_ == 0 || bytes.empty()) return;
  // memrchr, because rfind goes byte by byte, and a binary file may have no line break at all.
  const void* found = ::memrchr(bytes.data(), '\n', bytes.size());
  const std::size_t last_break =
      found == nullptr ? BytesView::npos
                       : static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
  if (last_break == BytesView::npos) {
    rest_.append(bytes);
  } else {
    BytesView whole = bytes.substr(0, last_break + 1);
    if (!rest_.empty()) {
      const std::size_t first_end = whole.find('\n');
      rest_.append(whole.substr(0, first_end));
      Line(rest_, rest_start_);
      whole.remove_prefix(first_end + 1);
    }
    Block(whole);
    rest_.assign(bytes.substr(last_break + 1));
    rest_start_ = 0;
  }
  while (rest_.size() > kMaxLineBytes && open_ > 0) Piece(kMaxLineBytes);
}

void ContentScan::Finish() {
  if (!rest_.empty() && open_ > 0) Line(rest_, rest_start_);
  rest_.clear();
}

const ContentScan::State& ContentScan::StateOf(const Check& check) const {
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    const State& state = checks_[last_asked_];
    if (state.check == &check) return state;
    last_asked_ = last_asked_ + 1 < checks_.size() ? last_asked_ + 1 : 0;
  }
  assert(false && "the check was not added");
  return checks_.front();
}

bool ContentScan::Uncertain(const Check& check) const {
  const State& state = StateOf(check);
  return state.uncertain && !state.decided;
}

bool ContentScan::Answer(const Check& check) const {
  const State& state = StateOf(check);
  if (!state.macroal) return state.matched != check.inverted;
  // An empty file has no line that could be as asked; it has none that it must not have either.
  return !state.violated && (any_line_ || check.inverted);
}

}  // namespace mig::file
