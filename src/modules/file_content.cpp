#include "modules/file_content.h"

#include <re2/re2.h>

#include <cassert>
#include <cstring>

namespace mig::file {
namespace {

// The same regex for a block of lines: ^ and $ at each line, nothing across lines. Where a pattern
// speaks of the whole text (\A, \z) or of carriage returns this would mean something else; then
// there is none and every line is tried alone.
std::shared_ptr<const re2::RE2> ForBlocks(const re2::RE2& regex) {
  const std::string& pattern = regex.pattern();
  for (const char* special : {"\\A", "\\z", "\\Z", "\\C", "\\r", "\r", "(?"}) {
    if (pattern.find(special) != std::string::npos) return nullptr;
  }
  re2::RE2::Options options(regex.options());
  options.set_never_nl(true);
  auto block = std::make_shared<const re2::RE2>("(?m:" + pattern + ")", options);
  return block->ok() ? block : nullptr;
}

}  // namespace

void ContentScan::Add(const Search& search) {
  for (const Check& check : search.checks) {
    if (check.kind != CheckKind::kContent) continue;
    State state{&check, search.macroal, nullptr};
    // Under macroal every line counts, so blocks would save nothing.
    if (!search.macroal) state.block_regex = ForBlocks(*check.regex);
    checks_.push_back(std::move(state));
    ++open_;
  }
}

void ContentScan::Decide(State& state) {
  if (state.decided) return;
  state.decided = true;
  --open_;
}

bool ContentScan::BlockMayMatch(const State& state, BytesView block) const {
  if (state.block_regex == nullptr) return true;
  return re2::RE2::PartialMatch(re2::StringPiece(block.data(), block.size()), *state.block_regex);
}

void ContentScan::Line(BytesView line) {
  any_line_ = true;
  if (line.ends_with('\r')) line.remove_suffix(1);
  const re2::StringPiece text(line.data(), line.size());
  for (State& state : checks_) {
    if (state.decided) continue;
    const bool matches = re2::RE2::PartialMatch(text, *state.check->regex);
    if (state.macroal) {
      if (matches == state.check->inverted) {
        state.violated = true;
        Decide(state);
      }
    } else if (matches) {
      state.matched = true;
      Decide(state);
    }
  }
}

void ContentScan::Lines(BytesView block) {
  if (open_ == 0 || block.empty()) return;
  // With a carriage return `$` stands before it, which the block's regex does not know.
  const bool plain = std::memchr(block.data(), '\r', block.size()) == nullptr;
  if (plain) {
    bool any_may_match = false;
    for (const State& state : checks_) {
      if (!state.decided && (state.macroal || BlockMayMatch(state, block))) any_may_match = true;
    }
    if (!any_may_match) {
      any_line_ = true;
      return;
    }
  }
  while (!block.empty() && open_ > 0) {
    const std::size_t end = block.find('\n');
    if (end == BytesView::npos) {
      Line(block);
      return;
    }
    Line(block.substr(0, end));
    block.remove_prefix(end + 1);
  }
}

void ContentScan::Feed(BytesView bytes) {
  if (open_ == 0) return;
  const std::size_t last_break = bytes.rfind('\n');
  if (last_break == BytesView::npos) {
    rest_.append(bytes);
  } else {
    BytesView whole = bytes.substr(0, last_break + 1);
    if (!rest_.empty()) {
      const std::size_t first_end = whole.find('\n') + 1;
      rest_.append(whole.substr(0, first_end));
      Lines(rest_);
      rest_.clear();
      whole.remove_prefix(first_end);
    }
    Lines(whole);
    rest_.assign(bytes.substr(last_break + 1));
  }
  while (rest_.size() > kMaxLineBytes) {
    saw_long_line_ = true;
    Line(BytesView(rest_).substr(0, kMaxLineBytes));
    rest_.erase(0, kMaxLineBytes - kLineOverlap);
  }
}

void ContentScan::Finish() {
  if (!rest_.empty() && open_ > 0) Line(rest_);
  rest_.clear();
}

bool ContentScan::Answer(const Check& check) const {
  for (const State& state : checks_) {
    if (state.check != &check) continue;
    if (!state.macroal) return state.matched != check.inverted;
    // An empty file has no line that could be as asked; it has none that it must not have either.
    return !state.violated && (any_line_ || check.inverted);
  }
  assert(false && "the check was not added");
  return false;
}

}  // namespace mig::file
