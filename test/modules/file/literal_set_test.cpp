#include "modules/file/literal_set.h"

#include <catch2/catch.hpp>
#include <random>

#include "modules/file/content.h"

using namespace mig;
using namespace mig::file;

namespace {

// The numbers of those that stand in the text.
std::vector<std::size_t> Marked(const LiteralSet& literals, BytesView text) {
  std::vector<char> found(literals.size(), 0);
  literals.MarkIn(text, found);
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] != 0) numbers.push_back(i);
  }
  return numbers;
}

using Numbers = std::vector<std::size_t>;

}  // namespace

TEST_CASE("literal set: each is found wherever it stands", "[modules]") {
  LiteralSet literals;
  for (const char* text : {"abcd", "needle", "bcde", "abcdefgh", "0000"})
    literals.Add(Literal(text));
  literals.Add(Literal("folded", /*fold=*/true));
  CHECK(Marked(literals, "").empty());
  CHECK(Marked(literals, "abc").empty());
  CHECK(Marked(literals, "abcd") == Numbers{0});
  CHECK(Marked(literals, "xabcde") == Numbers{0, 2});
  CHECK(Marked(literals, "..abcdefg") == Numbers{0, 2});
  CHECK(Marked(literals, "..abcdefgh") == Numbers{0, 2, 3});
  CHECK(Marked(literals, "Needle NEEDLE needl").empty());
  CHECK(Marked(literals, "a needle") == Numbers{1});
  CHECK(Marked(literals, "FoLDeD") == Numbers{5});
  CHECK(Marked(literals, "ABCD").empty());
  CHECK(Marked(literals, "000000") == Numbers{4});
}

TEST_CASE("literal set: says the same as each literal alone", "[modules]") {
  std::mt19937 random(20'261'124);
  const auto text_of = [&](std::size_t size) {
    std::string text(size, ' ');
    for (char& c : text) c = "aAbB\xff"[random() % 5];
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    LiteralSet set;
    std::vector<Literal> alone;
    for (std::size_t i = 1 + random() % 12; i > 0; --i) {
      const bool fold = random() % 3 == 0;
      std::string text = text_of(4 + random() % 40);
      if (fold) {
        for (char& c : text) c = static_cast<char>(c == 'A' ? 'a' : c == 'B' ? 'b' : c);
      }
      alone.emplace_back(text, fold);
      set.Add(alone.back());
    }
    const std::string text =
        text_of(random() % 400) + alone.front().text() + text_of(random() % 50);
    Numbers expected;
    for (std::size_t i = 0; i < alone.size(); ++i) {
      if (alone[i].FindIn(text) != BytesView::npos) expected.push_back(i);
    }
    INFO("round " << round);
    CHECK(Marked(set, text) == expected);
  }
}

TEST_CASE("literal set: a hundred contents say the same together as one by one", "[modules]") {
  json::array contents;
  for (int i = 0; i < 100; ++i) {
    const std::string word = "word" + std::to_string(i);
    const std::string forms[] = {word, "!" + word, word + "$", "^" + word + "[a-z]*x",
                                 "(?i)" + word};
    contents.emplace_back(forms[i % 5]);
  }
  const json::object parameters{
      {"searches",
       json::object{{"s", json::object{{"paths", json::array{"/"}},
                                       {"contents", std::move(contents)},
                                       {"options", json::object{{"matchall", false}}}}}}}};
  auto searches = ParseSearches(parameters);
  REQUIRE(searches);
  const LiteralSet literals = ContentLiterals(*searches);
  CHECK(literals.size() == 100);
  std::string content;
  for (int i = 0; i < 100; i += 3) {
    content += (i % 2 == 0 ? "word" : "WORD") + std::to_string(i) + (i % 4 == 0 ? "abcx" : "") +
               (i % 5 == 0 ? "\r\n" : "\n");
  }
  const LiteralSet none;
  ContentScan together(literals);
  ContentScan alone(none);
  for (ContentScan* scan : {&together, &alone}) {
    scan->Add(searches->front());
    scan->Feed(BytesView(content).substr(0, 101));
    scan->Feed(BytesView(content).substr(101));
    scan->Finish();
  }
  for (const Check& check : searches->front().checks) {
    INFO(check.value);
    CHECK(together.Answer(check) == alone.Answer(check));
  }
}
