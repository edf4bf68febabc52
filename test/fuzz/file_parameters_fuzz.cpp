// Parameters of the file module, whatever they are: nothing crashes, what is accepted can be
// searched with, and what a pattern says of a block of lines is what it says of each line.
#include <cstdint>
#include <string>
#include <string_view>

#include "modules/file/content.h"
#include "modules/file/pattern.h"
#include "modules/file/search.h"
#include "modules/file/sequence_scan.h"
#include "modules/module.h"
#include "test/fuzz/require.h"

namespace {

using mig::BytesView;
using mig::file::Check;
using mig::file::CheckKind;
using mig::file::Search;

bool SomeLine(const mig::file::BytePattern& pattern, BytesView block) {
  for (;;) {
    const std::size_t end = std::min(block.find('\n'), block.size());
    if (pattern.Matches(block.substr(0, end))) return true;
    if (end == block.size()) return false;
    block.remove_prefix(end + 1);
  }
}

std::string Answers(const Search& search, const mig::file::LiteralSet& literals, BytesView content,
                    std::size_t step) {
  mig::file::ContentScan scan(literals);
  mig::file::SequenceScan sequences;
  scan.Add(search);
  sequences.Add(search);
  while (!content.empty()) {
    scan.Feed(content.substr(0, step));
    sequences.Feed(content.substr(0, step));
    content.remove_prefix(std::min(step, content.size()));
  }
  scan.Finish();
  std::string answers;
  for (const Check& check : search.checks) {
    if (check.kind == CheckKind::kContent) answers += scan.Answer(check) ? 'y' : 'n';
    if (check.kind == CheckKind::kBytes) answers += sequences.Found(check) ? 'y' : 'n';
  }
  return answers;
}

void TrySearch(const Search& search, const mig::file::LiteralSet& literals, BytesView content) {
  mig::fuzz::Require(!search.paths.empty() && !search.checks.empty(), "a search asks something");
  for (const std::string& path : search.paths) {
    mig::fuzz::Require(path.starts_with('/') && path.find("/../") == std::string::npos,
                       "paths are clean");
  }
  const std::string whole = Answers(search, literals, content, content.size() + 1);
  mig::fuzz::Require(whole == Answers(search, literals, content, 3),
                     "how a file is read in pieces makes no difference");
  mig::fuzz::Require(whole == Answers(search, mig::file::LiteralSet(), content, 5),
                     "patterns that are looked for together are found as each alone");
  if (content.find('\r') != BytesView::npos) return;
  for (const Check& check : search.checks) {
    if (check.pattern == nullptr) continue;
    mig::fuzz::Require(check.pattern->MatchesSomeLine(content) == SomeLine(*check.pattern, content),
                       "a block is searched as its lines are");
  }
}

}  // namespace

// The input is a parameters object, a line break, and the content of a file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  const auto parameters = mig::json::ParseObject(bytes.substr(0, end));
  if (!parameters) return 0;
  const mig::Module* module = mig::FindModule("file");
  if (!mig::CheckParameters(*module, *parameters)) return 0;
  auto searches = mig::file::ParseSearches(*parameters);
  mig::fuzz::Require(searches.has_value(), "checked parameters parse");
  const BytesView content = end < bytes.size() ? bytes.substr(end + 1) : BytesView();
  const mig::file::LiteralSet literals = mig::file::ContentLiterals(*searches);
  for (const Search& search : *searches) TrySearch(search, literals, content);
  return 0;
}
