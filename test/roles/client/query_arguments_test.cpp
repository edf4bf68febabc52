#include "roles/client/query_arguments.h"

#include <catch2/catch.hpp>

using namespace mig;

namespace {

// As ping has them: -c, -p and -t mean something else than query's.
const Parameter kPingParameters[] = {
    {.flag = "d", .field = "destination"},
    {.flag = "p", .field = "protocol"},
    {.flag = "c", .field = "count", .type = ParameterType::kInteger},
    {.flag = "t", .field = "timeout", .type = ParameterType::kInteger},
    {.flag = "verbose", .field = "verbose", .type = ParameterType::kFlag},
};

struct Words {
  std::string target, config;
  bool print = false, json = false;
  cli::Options own{"mig query MODULE", "Asks."};
  Module module;

  explicit Words(Layout layout = Layout::kFlat) {
    own.Text("target", 't', "EXPR", "which", &target);
    own.Text("config", 'c', "FILE", "where", &config);
    own.Flag("print", 'p', "print", &print);
    own.Flag("json", '\0', "json", &json);
    module.name = "pinglike";
    module.parameters = kPingParameters;
    module.layout = layout;
  }
  QueryArguments Split(std::vector<std::string> words) {
    auto split = SplitQueryArguments(own, module, words);
    INFO((split ? "" : split.error().message()));
    REQUIRE(split);
    return std::move(*split);
  }
};

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("query arguments: a homonym before the module's options is the verb's", "[client]") {
  Words words;
  const auto split = words.Split({"-t", "name = 'web1'", "-p", "-d", "10.0.0.1"});
  CHECK(split.own == List{"-t", "name = 'web1'", "-p"});
  CHECK(split.module == List{"-d", "10.0.0.1"});
}

TEST_CASE("query arguments: a homonym after the module's options is the module's", "[client]") {
  Words words;
  const auto split = words.Split({"-d", "10.0.0.1", "-t", "5", "-p", "tcp", "-c=3"});
  CHECK(split.own.empty());
  CHECK(split.module == List{"-d", "10.0.0.1", "-t", "5", "-p", "tcp", "-c=3"});
}

TEST_CASE("query arguments: what the module does not have is the verb's in any place", "[client]") {
  Words words;
  const auto split = words.Split({"-d", "10.0.0.1", "--target", "all", "-json", "-verbose"});
  CHECK(split.own == List{"--target", "all", "-json"});
  CHECK(split.module == List{"-d", "10.0.0.1", "-verbose"});
}

TEST_CASE("query arguments: a value is never taken for an option", "[client]") {
  Words words;
  CHECK(words.Split({"-d", "-json"}).module == List{"-d", "-json"});
  CHECK(words.Split({"-t", "-d"}).own == List{"-t", "-d"});
  // The first module option need not lose its value, as in MIG.
  CHECK(words.Split({"-d=10.0.0.1"}).module == List{"-d=10.0.0.1"});
}

TEST_CASE("query arguments: an option of neither is refused with near ones of both", "[client]") {
  Words words;
  for (const auto& [word, near] :
       {std::pair{"-jsn", "json"}, {"-verbos", "verbose"}, {"-tagret", "target"}}) {
    const std::vector<std::string> list = {word};
    const auto split = SplitQueryArguments(words.own, words.module, list);
    REQUIRE_FALSE(split);
    CHECK(split.error().message().find("did you mean `" + std::string(near)) != std::string::npos);
  }
}

TEST_CASE("query arguments: labels belong to modules that group their searches", "[client]") {
  Words searches(Layout::kSearches);
  CHECK(searches.Split({"-label", "a", "-d", "x"}).module == List{"-label", "a", "-d", "x"});
  Words flat;
  const std::vector<std::string> list = {"-label", "a"};
  CHECK_FALSE(SplitQueryArguments(flat.own, flat.module, list));
}

TEST_CASE("query arguments: help is the verb's, wherever it stands", "[client]") {
  Words words;
  CHECK(words.Split({"-help"}).own == List{"-help"});
  CHECK(words.Split({"-d", "x", "-h"}).own == List{"-h"});
}
