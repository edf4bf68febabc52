#include "modules/file/start_bytes.h"

#include <catch2/catch.hpp>

#include "modules/file/pattern.h"

using namespace mig;
using namespace mig::file;

TEST_CASE("start bytes: known for a class or a digit that must come first", "[modules]") {
  for (const char* pattern :
       {"[A-Z]x", "[abc]", "[a-c_9]+", "\\d{4}-", "[0-9]{2,}", "[-a]x", "[a-]"}) {
    INFO(pattern);
    CHECK_FALSE(StartBytes::Of(pattern).empty());
  }
  for (const char* pattern : {"", "a", "[A-Z]*x", "[A-Z]?x", "[A-Z]{0,3}x", "[^a]", "[]a]", "[a|b]",
                              "[a]|b", "([a]|b)", "(?i)[a-c]", "[a](?i)b", "[\\d]", "[[:alpha:]]",
                              "[\xc3\xa9]", "[acegi]", "\\D", "^[a]", "[a"}) {
    INFO(pattern);
    CHECK(StartBytes::Of(pattern).empty());
  }
}

TEST_CASE("start bytes: the first is found wherever it is", "[modules]") {
  const StartBytes bytes = StartBytes::Of("[A-F_0]x");
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text(size, '/');
    text += "@G^`1~\xff\x80";
    CHECK(bytes.FindIn(text) == BytesView::npos);
    for (const char c : {'A', 'F', '_', '0'}) CHECK(bytes.FindIn(text + c + "A") == text.size());
  }
}

TEST_CASE("start bytes: a pattern says the same of a block with and without them", "[modules]") {
  // The same pattern twice, the second so that its first class is not understood.
  for (const auto& [known, unknown] : {std::pair{"[A-Z][a-z]+$", "(?:[A-Z])[a-z]+$"},
                                       {"\\d\\d", "(?:\\d)\\d"},
                                       {"[ab]{2}c", "(?:[ab]){2}c"},
                                       {"[x]\\bz?", "(?:[x])\\bz?"}}) {
    const auto with = BytePattern::Compile(known).value();
    const auto without = BytePattern::Compile(unknown).value();
    for (const char* block :
         {"", "a", "Ab", "one\nTwo", "Two3\nx", "a1\n2b", "a12", "aab", "abc\nbbc", "x", "ax\nb",
          "\n\n", "lower only\nand more of it, longer than sixteen bytes\nUpper"}) {
      INFO(known << " in " << block);
      CHECK(with->MatchesSomeLine(block) == without->MatchesSomeLine(block));
      CHECK((with->MayMatchIn(block) || !with->MatchesSomeLine(block)));
    }
  }
}
