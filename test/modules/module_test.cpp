#include "modules/module.h"

#include "os/files.h"

#include <catch2/catch.hpp>
#include <new>
#include <stdexcept>

using namespace mig;

namespace {

constexpr std::string_view kColours[] = {"red", "green"};

const Parameter kSearchParameters[] = {
    {.flag = "path",
     .field = "paths",
     .type = ParameterType::kNames,
     .help = "Where to look.",
     .required = true},
    {.flag = "name",
     .field = "names",
     .type = ParameterType::kTexts,
     .help = "What it is called.",
     .value_name = "REGEX"},
    {.flag = "colour",
     .field = "colours",
     .type = ParameterType::kTexts,
     .help = "Its colour.",
     .choices = kColours},
    {.flag = "matchall",
     .field = "options.matchall",
     .type = ParameterType::kFlag,
     .help = "All must match.",
     .absent = "false",
     .typed = "true"},
    {.flag = "matchany",
     .field = "options.matchall",
     .type = ParameterType::kFlag,
     .help = "One must match.",
     .flag_means = false},
    {.flag = "maxdepth",
     .field = "options.maxdepth",
     .type = ParameterType::kInteger,
     .help = "How deep.",
     .max = 1000,
     .absent = "0",
     .typed = "30"},
    {.field = "secret", .type = ParameterType::kText, .help = "Only in JSON."},
};

Expected<ModuleResult> RunEcho(const json::object& parameters, RunContext& context) {
  ModuleResult result;
  for (const auto& search : parameters.at("searches").as_object()) {
    const json::object& fields = search.value().as_object();
    if (fields.contains("secret") && fields.at("secret").is_string()) {
      const std::string_view secret = fields.at("secret").get_string();
      if (secret == "throw") throw std::runtime_error("thrown");
      if (secret == "memory") throw std::bad_alloc();
      if (secret == "fail") return Error(Errc::kIo, "the disk is gone");
    }
    for (const json::value& path : fields.at("paths").as_array()) {
      if (context.sink.Emit(search.key(), json::object{{"file", path}})) {
        result.foundanything = true;
      }
    }
  }
  result.success = true;
  result.statistics = json::object{{"seen", 1}};
  result.errors.push_back("could not read /home/alice");
  return result;
}

std::vector<std::string> PrintEcho(const json::value& elements, bool found_only) {
  std::vector<std::string> lines;
  if (!elements.is_object()) return lines;
  for (const auto& member : elements.get_object()) {
    for (const json::value& element : member.value().as_array()) {
      lines.push_back(json::Write(element));
    }
  }
  if (lines.empty() && !found_only) lines.push_back("nothing");
  return lines;
}

const Module kEcho = {
    .name = "echo",
    .summary = "says what it was asked",
    .example = "-path /etc",
    .parameters = kSearchParameters,
    .layout = Layout::kSearches,
    .platforms = os::Platform::kLinux,
    .rights = os::Right::kReadFiles | os::Right::kNetwork,
    .privacy = "file names",
    .run = RunEcho,
    .print = PrintEcho,
    .print_statistics = [](const json::value&) { return std::vector<std::string>{"stat"}; },
    .mask_element = [](json::value& element) { element.as_object()["file"] = "masked"; },
};

const Parameter kFlatParameters[] = {
    {.flag = "d", .field = "destination", .help = "Where to.", .required = true},
    {.flag = "c",
     .field = "count",
     .type = ParameterType::kInteger,
     .help = "How often.",
     .min = 1,
     .max = 9,
     .absent = "3"},
};

const Module kFlat = {.name = "flat",
                      .summary = "flat",
                      .parameters = kFlatParameters,
                      .platforms = os::Platform::kWindows,
                      .run = RunEcho,
                      .print = PrintEcho};

std::string FromWords(const Module& module, const std::vector<std::string>& words) {
  auto parameters = ParametersFromArguments(module, words);
  return parameters ? json::Write(*parameters) : parameters.error().message();
}

std::string Refusal(const Module& module, std::string_view text) {
  const auto parameters = json::ParseObject(text);
  REQUIRE(parameters);
  const auto checked = CheckParameters(module, *parameters);
  return checked ? "" : checked.error().message();
}

}  // namespace

TEST_CASE("parameters: @FILE attaches a file, @@ is a value's own @", "[modules]") {
  std::vector<NamedFile> files;
  const std::vector<std::string> words = {"-path", "/etc",       "-name", "@lists/my hashes!.txt",
                                          "-name", "@@b",        "-name", "@lists/my hashes!.txt",
                                          "-path", "@/x/lists/", "-name", "@other/my-hashes-.txt"};
  auto parameters = ParametersFromArguments(kEcho, words, &files);
  REQUIRE(parameters);
  const json::object& search = parameters->at("searches").at("s1").as_object();
  CHECK(json::Write(search.at("names")) ==
        R"([{"attachment":"my-hashes-.txt"},"@b",{"attachment":"my-hashes-.txt"},)"
        R"({"attachment":"my-hashes-.txt-2"}])");
  CHECK(json::Write(search.at("paths")) == R"(["/etc",{"attachment":"list"}])");
  REQUIRE(files.size() == 3);
  CHECK(files[0].file == "lists/my hashes!.txt");
  CHECK(files[1].file == "/x/lists/");
  CHECK(files[2].name == "my-hashes-.txt-2");
}

TEST_CASE("parameters: @FILE is refused where nothing can be attached", "[modules]") {
  std::vector<NamedFile> files;
  const auto refusal = [&](const Module& module, std::vector<std::string> words,
                           std::vector<NamedFile>* to) {
    return ParametersFromArguments(module, words, to).error().message();
  };
  CHECK(refusal(kFlat, {"-d", "@x"}, &files) ==
        "-d: takes no list that a file could hold; a value that begins with @ is written @@");
  CHECK(refusal(kEcho, {"-path", "@"}, &files) == "-path: names no file after the @");
  CHECK(
      refusal(kEcho, {"-path", "@x"}, nullptr) ==
      "-path: @FILE attaches a file to an action, with `mig query`; a value that begins with @ is "
      "written @@");
  CHECK(files.empty());
  CHECK(FromWords(kFlat, {"-d", "@@x"}) == R"({"destination":"@x"})");
}

TEST_CASE("parameters: a reference stands in lists of strings only", "[modules]") {
  const auto in_search = [](const std::string& fields) {
    return Refusal(kEcho, R"({"searches":{"s":{)" + fields + "}}}");
  };
  CHECK(in_search(R"("paths":[{"attachment":"p"}],"names":["x",{"attachment":"n"}])") == "");
  CHECK(in_search(R"("paths":{"attachment":"p"})") == "searches.s.paths: is not a list");
  CHECK(in_search(R"("paths":["/"],"secret":{"attachment":"p"})") ==
        "searches.s.secret: is not a string");
  CHECK(in_search(R"("paths":["/"],"options":{"maxdepth":{"attachment":"p"}})") ==
        "searches.s.options.maxdepth: is not a whole number");
  CHECK(in_search(R"("paths":["/"],"names":[{"attachment":"p","x":1}])") ==
        "searches.s.names[0]: is not a string");
}

TEST_CASE("run: a reference that nobody expanded never reaches a module", "[modules]") {
  struct Sink : ElementSink {
    bool Emit(std::string_view, json::value) override { return true; }
  } sink;
  RunContext context{sink, UtcTime()};
  const ModuleResult result = RunModule(
      *FindModule("file"),
      *json::ParseObject(R"({"searches":{"s":{"paths":["/"],"sha2":[{"attachment":"h"}]}}})"),
      context, false);
  CHECK_FALSE(result.success);
  CHECK(result.errors ==
        std::vector<std::string>{"the attachment `h` was not given to the module"});
}

TEST_CASE("parameters: MIG's words become MIG's JSON, with the defaults that are typed",
          "[modules]") {
  CHECK(FromWords(kEcho, {"-path", "/etc", "--name", "^a$", "-name=!b", "-path=/usr"}) ==
        R"({"searches":{"s1":{"paths":["/etc","/usr"],"names":["^a$","!b"],)"
        R"("options":{"matchall":true,"maxdepth":30}}}})");
  CHECK(FromWords(kEcho, {"-path", "/etc", "-matchany", "-maxdepth", "5"}) ==
        R"({"searches":{"s1":{"paths":["/etc"],"options":{"matchall":false,"maxdepth":5}}}})");
  CHECK(FromWords(kFlat, {"-d", "-1"}) == R"({"destination":"-1"})");
}

TEST_CASE("parameters: a path that is not UTF-8 travels as base64", "[modules]") {
  CHECK(FromWords(kEcho, {"-path", "/t/\xff"}).find(R"("paths":[{"b64":"L3Qv/w=="}])") !=
        std::string::npos);
  CHECK(FromWords(kEcho, {"-path", "/t", "-name", "\xff"}) == "-name: the value is not UTF-8");
}

TEST_CASE("parameters: -label begins another search", "[modules]") {
  CHECK(FromWords(kEcho,
                  {"-label", "one", "-path", "/a", "-label", "two", "-path", "/b", "-matchany"}) ==
        R"({"searches":{"one":{"paths":["/a"],"options":{"matchall":true,"maxdepth":30}},)"
        R"("two":{"paths":["/b"],"options":{"matchall":false,"maxdepth":30}}}})");
  CHECK(FromWords(kEcho, {"-path", "/a", "-label", "s1", "-path", "/b"}) ==
        "-label: `s1` is given twice");
}

TEST_CASE("parameters: what is wrong with the words is said by name", "[modules]") {
  CHECK(FromWords(kEcho, {"-pth", "/etc"}) ==
        "the module echo has no flag `-pth`, did you mean `path`?");
  CHECK(FromWords(kEcho, {"-path"}) == "-path wants a value");
  CHECK(FromWords(kEcho, {"-path", "/a", "-name"}) == "-name wants a value: -name REGEX");
  CHECK(FromWords(kEcho, {"-path", "/a", "stray"}) ==
        "`stray` belongs to no flag of the module echo");
  CHECK(FromWords(kEcho, {"-path", "/a", "-matchall", "-matchany"}) ==
        "-matchall and -matchany contradict");
  CHECK(FromWords(kEcho, {"-path", "/a", "-maxdepth", "1", "-maxdepth", "2"}) ==
        "-maxdepth is given twice");
  CHECK(FromWords(kEcho, {"-path", "/a", "-maxdepth", "many"}) ==
        "-maxdepth: `many` is not a whole number");
  CHECK(FromWords(kEcho, {"-path", "/a", "-matchall=maybe"}) ==
        "-matchall: `maybe` is neither true nor false");
  CHECK(FromWords(kEcho, {"-path", "/a", "-maxdepth", "1001"}) ==
        "searches.s1.options.maxdepth: 1001 is not 0..1000");
  CHECK(FromWords(kEcho, {"-name", "x"}) == "searches.s1.paths: is missing");
  CHECK(FromWords(kEcho, {"-path", "/a", "-colour", "blue"}) ==
        "searches.s1.colours[0]: `blue` is not one of red, green");
}

TEST_CASE("parameters: a document is refused for what the module would not understand",
          "[modules]") {
  CHECK(Refusal(
            kEcho,
            R"({"searches":{"s":{"paths":["/a"],"options":{"mismatch":null,"matchall":true}}}})") ==
        "searches.s.options.mismatch: the module echo has no such parameter");
  CHECK(
      Refusal(kEcho, R"({"searches":{"s":{"paths":["/a",{"b64":"/w=="}],"names":null}}})").empty());
  CHECK(Refusal(kEcho, R"({"searches":{"s":{"paths":["/a"],"option":{}}}})") ==
        "searches.s.option: the module echo has no such parameter, did you mean `options`?");
  CHECK(Refusal(kEcho, R"({"searches":{"s":{"paths":[]}}})") == "searches.s.paths: is empty");
  CHECK(Refusal(kEcho, R"({"searches":{"s":{"paths":null}}})") == "searches.s.paths: is missing");
  CHECK(Refusal(kEcho, R"({"searches":{"s":{"paths":"/a"}}})") ==
        "searches.s.paths: is not a list");
  CHECK(Refusal(kEcho, R"({"searches":{"s":{"paths":[1]}}})").find("searches.s.paths[0]") == 0);
  CHECK(Refusal(kEcho, R"({"searches":{"s":{"paths":["/a"],"names":[1]}}})") ==
        "searches.s.names[0]: is not a string");
  CHECK(Refusal(kEcho, R"({"searches":{"s":{"paths":["/a"],"options":7}}})") ==
        "searches.s.options: is not an object");
  CHECK(Refusal(kEcho, R"({"searches":{"s":{"paths":["/a"],"options":{"maxdepth":1.5}}}})") ==
        "searches.s.options.maxdepth: is not a whole number");
  CHECK(Refusal(kEcho, R"({"searches":{"s":{"paths":["/a"],"options":{"matchall":1}}}})") ==
        "searches.s.options.matchall: is neither true nor false");
  CHECK(Refusal(kEcho, R"({"searches":{"s\n":{"paths":["/a"]}}})").find("label") !=
        std::string::npos);
  CHECK(Refusal(kEcho, R"({"searches":{}})") == "searches: is empty");
  CHECK(Refusal(kEcho, R"({"searches":{"s":7}})") == "searches.s: is not an object");
  CHECK_FALSE(Refusal(kEcho, R"({"search":{}})").empty());
  CHECK(Refusal(kFlat, R"({"destination":"a","cuont":1})") ==
        "cuont: the module flat has no such parameter, did you mean `count`?");
  CHECK(Refusal(kFlat, R"({"destination":"a","count":10})") == "count: 10 is not 1..9");
}

TEST_CASE("help: every flag is in it, with what it means and its default", "[modules]") {
  const std::string help = ModuleHelp(kEcho);
  INFO(help);
  CHECK(help.find("-path PATH") != std::string::npos);
  CHECK(help.find("Where to look. (required, repeatable)") != std::string::npos);
  CHECK(help.find("How deep. (default 30; in JSON 0)") != std::string::npos);
  CHECK(help.find("One of red, green.") != std::string::npos);
  CHECK(help.find("read files, network") != std::string::npos);
  CHECK(help.find("secret") == std::string::npos);
  CHECK(ModuleParameterTable(kEcho).find("| `-maxdepth` | `options.maxdepth` | N | 30; in JSON 0 | "
                                         "How deep. |") != std::string::npos);
}

namespace {

ModuleResult RunOn(const Module& module, std::string_view text, bool privacy = false) {
  CollectingSink sink;
  RunContext context{sink, UtcTime{}};
  ModuleResult summary = RunModule(module, *json::ParseObject(text), context, privacy);
  return std::move(sink.Take().Finish(std::move(summary))).value();
}

}  // namespace

TEST_CASE("run: errors and exceptions of a module become a result with success false",
          "[modules]") {
  const auto failing = [](std::string_view secret) {
    return RunOn(
        kEcho, R"({"searches":{"s":{"paths":["/a"],"secret":")" + std::string(secret) + R"("}}})");
  };
  CHECK(failing("throw").errors.front() == "the module echo failed: thrown");
  CHECK_FALSE(failing("throw").success);
  CHECK(failing("memory").errors.front().find("memory limit") != std::string::npos);
  CHECK(failing("fail").errors.front() == "the disk is gone");
  CHECK(RunOn(kEcho, "{}").errors.front() == "searches: is missing");
  CHECK(RunOn(kFlat, R"({"destination":"x"})").errors.front() ==
        "the module flat is not supported on linux");
}

TEST_CASE("run: privacy masks elements as they stream and every error", "[modules]") {
  const std::string_view question = R"({"searches":{"s":{"paths":["/home/alice"]}}})";
  const ModuleResult open = RunOn(kEcho, question);
  CHECK(json::Write(open.elements) == R"({"s":[{"file":"/home/alice"}]})");
  const ModuleResult masked = RunOn(kEcho, question, true);
  CHECK(masked.foundanything);
  CHECK(json::Write(masked.elements) == R"({"s":[{"file":"masked"}]})");
  CHECK(masked.errors == std::vector<std::string>{"masked"});
}

TEST_CASE("print: finds only leaves out errors and statistics, but never a failure's reason",
          "[modules]") {
  const ModuleResult result = RunOn(kEcho, R"({"searches":{"s":{"paths":["/a"]}}})");
  CHECK(PrintResult(kEcho, result, true) == std::vector<std::string>{R"({"file":"/a"})"});
  CHECK(PrintResult(kEcho, result, false) ==
        std::vector<std::string>{R"({"file":"/a"})", "could not read /home/alice", "stat"});
  CHECK(PrintResult(kEcho, FailedResult("broken"), true) == std::vector<std::string>{"broken"});
}

TEST_CASE("registry: a test module is found after it was registered, once", "[modules]") {
  CHECK(FindModule("echo") == nullptr);
  const std::size_t before = AllModules().size();
  RegisterTestModule(kEcho);
  RegisterTestModule(kEcho);
  CHECK(FindModule("echo") == &kEcho);
  CHECK(AllModules().size() == before + 1);
}

TEST_CASE("registry: every module is declared completely", "[modules]") {
  for (const Module* module : AllModules()) {
    INFO(module->name);
    CHECK(module->run != nullptr);
    CHECK(module->print != nullptr);
    CHECK_FALSE(module->summary.empty());
    CHECK_FALSE(ModuleHelp(*module).empty());
    CHECK(module->platforms.Has(os::Platform::kLinux));
    for (const Parameter& parameter : module->parameters) {
      INFO(parameter.field);
      CHECK_FALSE(parameter.field.empty());
      CHECK(parameter.help.ends_with("."));
    }
  }
}

TEST_CASE("docs: each module has a page, with its table of parameters as declared", "[modules]") {
  for (const Module* module : AllModules()) {
    if (module == &kEcho) continue;
    INFO(module->name);
    const std::string page =
        std::string(MIG_SOURCE_DIR) + "/docs/modules/" + std::string(module->name) + ".md";
    const auto text = os::ReadFile(page);
    REQUIRE(text);
    // When this fails: the declaration has changed, and the table of the page with it.
    INFO(ModuleParameterTable(*module));
    CHECK(text->find(ModuleParameterTable(*module)) != std::string::npos);
  }
}
