#include "cli/options.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::cli;

namespace {

struct Verb {
  std::string target, show = "found", id;
  bool json = false;
  std::chrono::milliseconds expire{0};
  std::uint64_t rows = 0, rss = 0;
  Options options{"mig test [options] ID [WORD]", "Does nothing."};
  std::string word;

  Verb() {
    options.Text("target", 't', "EXPR", "which agents", &target);
    options.Choice("show", '\0', {"found", "notfound", "all"}, "what to show", &show);
    options.Flag("json", '\0', "one JSON document", &json);
    options.Duration("expire", 'e', "how long", &expire);
    options.Integer("rows", '\0', "N", "at most N rows", 1, 1000, &rows);
    options.Size("rss", '\0', "memory", &rss);
    options.Word("ID", "which action", true, &id);
    options.Word("WORD", "another", false, &word);
  }
  Expected<void> Parse(std::vector<std::string> words) { return options.Parse(words); }
};

std::string ErrorOf(std::vector<std::string> words) {
  Verb verb;
  auto parsed = verb.Parse(std::move(words));
  return parsed ? "" : parsed.error().message();
}

}  // namespace

TEST_CASE("options: one dash, two dashes and = mean the same", "[cli]") {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"-target", "a = 'b'", "x"},
                                                {"--target", "a = 'b'", "x"},
                                                {"-target=a = 'b'", "x"},
                                                {"--target=a = 'b'", "x"},
                                                {"-t", "a = 'b'", "x"},
                                                {"-t=a = 'b'", "x"},
                                                {"x", "-t", "a = 'b'"}}) {
    Verb verb;
    REQUIRE(verb.Parse(words));
    CHECK(verb.target == "a = 'b'");
    CHECK(verb.id == "x");
    CHECK(verb.options.Given("target"));
    CHECK_FALSE(verb.options.Given("show"));
  }
}

TEST_CASE("options: a value may look like an option", "[cli]") {
  Verb verb;
  REQUIRE(verb.Parse({"-t", "-json", "x"}));
  CHECK(verb.target == "-json");
  CHECK_FALSE(verb.json);
}

TEST_CASE("options: after -- every word is a word", "[cli]") {
  Verb verb;
  REQUIRE(verb.Parse({"--", "-json", "-5"}));
  CHECK(verb.id == "-json");
  CHECK(verb.word == "-5");
}

TEST_CASE("options: every kind of value is checked", "[cli]") {
  Verb verb;
  REQUIRE(verb.Parse({"-e", "1h30m", "-rows", "7", "-rss", "64k", "-show", "all", "-json", "x"}));
  CHECK(verb.expire == std::chrono::minutes(90));
  CHECK(verb.rows == 7);
  CHECK(verb.rss == 65536);
  CHECK(verb.show == "all");
  CHECK(verb.json);
  CHECK(ErrorOf({"x", "-rows", "0"}) == "--rows: expected a whole number 1..1000, not `0`");
  CHECK(ErrorOf({"x", "-rows", "7x"}) == "--rows: expected a whole number 1..1000, not `7x`");
  CHECK(ErrorOf({"x", "-show", "some"}) == "--show: expected found, notfound, all, not `some`");
  CHECK(ErrorOf({"x", "-json=maybe"}) == "--json: expected true or false");
  CHECK_FALSE(ErrorOf({"x", "-e", "soon"}).empty());
}

TEST_CASE("options: a number is decimal, and what does not fit is refused", "[cli]") {
  Verb verb;
  REQUIRE(verb.Parse({"x", "-rows", "010"}));
  CHECK(verb.rows == 10);
  for (const char* text : {"0x10", "-1", " 7", "18446744073709551617", ""}) {
    INFO(text);
    CHECK(ErrorOf({"x", "-rows", text}) ==
          "--rows: expected a whole number 1..1000, not `" + std::string(text) + "`");
  }
}

TEST_CASE("options: a value is taken as it was typed", "[cli]") {
  for (const char* text : {"", "[a,b]", "--", "%%", "{}", "=x", "-5", "/etc", "a,b"}) {
    INFO(text);
    Verb spaced, joined;
    REQUIRE(spaced.Parse({"-target", text, "x"}));
    CHECK(spaced.target == text);
    REQUIRE(joined.Parse({"x", std::string("-t=") + text}));
    CHECK(joined.target == text);
  }
}

TEST_CASE("options: a word is no option because of its first letters", "[cli]") {
  for (const char* text : {"-", "-5", "--5", "-=x", "/etc", "++", ""}) {
    INFO(text);
    Verb verb;
    REQUIRE(verb.Parse({text}));
    CHECK(verb.id == text);
  }
}

TEST_CASE("options: letters are not bundled, and take no value without a space", "[cli]") {
  CHECK(ErrorOf({"x", "-ttext"}).starts_with("unknown option `ttext`"));
  CHECK(ErrorOf({"x", "-te", "5m"}).starts_with("unknown option `te`"));
}

TEST_CASE("options: a flag is given once, and says true or false or nothing", "[cli]") {
  Verb verb;
  verb.json = true;
  REQUIRE(verb.Parse({"x", "-json=false"}));
  CHECK_FALSE(verb.json);
  CHECK(verb.options.Given("json"));
  CHECK(ErrorOf({"x", "-json", "--json"}) == "`--json` stands twice");
  for (const char* word : {"-json=", "-json=1", "-json=on"}) {
    CHECK(ErrorOf({"x", word}) == "--json: expected true or false");
  }
}

TEST_CASE("options: what may be repeated keeps every value, in order", "[cli]") {
  Options options("mig test", "Does nothing.");
  std::vector<std::string> roots = {"/default"};
  options.Texts("root", '\0', "PATH", "a folder", &roots);
  REQUIRE(options.Parse(std::vector<std::string>{}));
  CHECK(roots == std::vector<std::string>{"/default"});
  const std::vector<std::string> words = {"-root", "/b", "--root=[/a,/c]", "-root", ""};
  REQUIRE(options.Parse(words));
  CHECK(roots == std::vector<std::string>{"/b", "[/a,/c]", ""});
}

TEST_CASE("options: parsing again starts anew", "[cli]") {
  Verb verb;
  REQUIRE(verb.Parse({"--help"}));
  REQUIRE(verb.Parse({"x", "-t", "a"}));
  CHECK_FALSE(verb.options.help_wanted());
  REQUIRE(verb.Parse({"y"}));
  CHECK(verb.id == "y");
  CHECK_FALSE(verb.options.Given("target"));
}

TEST_CASE("options: what is wrong names the word and the near one", "[cli]") {
  CHECK(ErrorOf({"x", "-tagret", "y"}) == "unknown option `tagret`, did you mean `target`?");
  CHECK(ErrorOf({"x", "-t"}) == "`--target` needs a value: --target EXPR");
  CHECK(ErrorOf({"x", "-t", "a", "--target", "b"}) == "`--target` stands twice");
  CHECK(ErrorOf({"x", "y", "z"}) == "unexpected word `z`");
  CHECK(ErrorOf({}) == "ID is missing; mig test [options] ID [WORD]");
}

TEST_CASE("options: help is asked for in every usual way and shows every option", "[cli]") {
  for (const char* word : {"-h", "--help", "-help"}) {
    Verb verb;
    REQUIRE(verb.Parse({word, "-nonsense"}));
    CHECK(verb.options.help_wanted());
  }
  Verb typo;  // somebody who asks for help does not want to hear of another mistake
  REQUIRE(typo.Parse({"-rows", "0", "y", "z", "a", "-h"}));
  CHECK(typo.options.help_wanted());
  CHECK(typo.id.empty());
  Verb verb;
  verb.options.Example("mig test 1", "tests one");
  const std::string help = verb.options.Help();
  for (const Option& option : verb.options.all()) {
    INFO(option.name);
    CHECK(help.find("--" + option.name) != std::string::npos);
    CHECK(help.find(option.help) != std::string::npos);
  }
  CHECK(help.find("  -t, --target EXPR") != std::string::npos);
  CHECK(help.find("mig test 1\n      tests one") != std::string::npos);
}
