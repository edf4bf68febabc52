// The four printers, fed with what hostile endpoints would send.
#include <catch2/catch.hpp>

#include <cstdlib>

#include "cli/answer_printer.h"
#include "cli/terminal_json.h"
#include "modules/module.h"
#include "util/text.h"

using namespace mig;
using namespace mig::cli;

namespace {

std::vector<std::string> PrintLines(const json::value& elements, bool found_only) {
  std::vector<std::string> lines;
  for (const auto& label : elements.as_object()) {
    for (const json::value& element : label.value().as_array()) {
      const Bytes file = *json::ToName(element.at("file"));
      if (!file.empty()) lines.push_back(file + " in " + std::string(label.key()));
      if (file.empty() && !found_only) lines.push_back("0 match in " + std::string(label.key()));
    }
  }
  return lines;
}

const Module* FileLike() {
  static const Module module = [] {
    Module made;
    made.name = "filelike";
    made.summary = "answers files";
    made.print = PrintLines;
    return made;
  }();
  static const bool registered = [] {
    RegisterTestModule(module);
    return true;
  }();
  return registered ? &module : nullptr;
}

const ActionId kAction = *ActionId::FromBytes("0123456789abcdef");
const Answerer kWeb{*AgentId::FromBytes(Bytes(32, 'w')), "web1"};
const Answerer kDb{*AgentId::FromBytes(Bytes(32, 'd')), "db1"};

// A printer whose output is text in memory.
struct Output {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  Terminal terminal;
  std::unique_ptr<AnswerPrinter> printer;

  Output(AnswerFormat format, Show show, TerminalFacts facts = {}) : terminal(out, stderr, facts) {
    Question question;
    question.id = kAction;
    question.name = "test";
    question.target = "all";
    question.validfrom = question.expireafter = *ParseRfc3339("2026-11-23T09:30:00Z");
    question.modules = {std::string(FileLike()->name)};
    printer = MakeAnswerPrinter(format, show, question, terminal);
  }
  ~Output() {
    std::fclose(out);
    std::free(text);
  }
  std::string Text() {
    std::fflush(out);
    return std::string(text, size);
  }
};

json::value File(const json::value& name, int bytes = 7) {
  json::object element;
  element["file"] = name;
  json::object& info = element["fileinfo"].emplace_object();
  info["size"] = bytes;
  info["mode"] = "-rw-r--r--";
  return element;
}

ResultPart Elements(std::vector<json::value> values, std::string label = "s1") {
  ResultPart part;
  for (json::value& value : values) part.elements.push_back({label, std::move(value)});
  return part;
}

ResultPart Summary(bool found, const std::string& elements = "{}") {
  ResultPart part;
  part.last = true;
  OperationSummary summary;
  summary.sandbox = "full";
  summary.result["foundanything"] = found;
  summary.result["success"] = true;
  summary.result["elements"] = *json::Parse(elements);
  summary.result["statistics"] = nullptr;
  summary.result["errors"] = nullptr;
  part.summary = summary;
  return part;
}

AgentEnd Ended(bool found) {
  AgentEnd end;
  end.found = found;
  return end;
}

// web1 found two files in two parts, db1 nothing.
void Tell(AnswerPrinter& printer) {
  printer.Part(kWeb, Elements({File("/etc/a")}));
  printer.Part(kDb, Summary(false, R"({"s1":[{"file":""}]})"));
  printer.Ended(kDb, Ended(false));
  ResultPart end = Summary(true, R"({"s2":[{"file":"/etc/c"}]})");
  end.elements.push_back({"s1", File("/etc/b")});
  printer.Part(kWeb, end);
  printer.Ended(kWeb, Ended(true));
  printer.Finish({{"answered", 2}});
}

std::string TextOf(Show show) {
  Output output(AnswerFormat::kText, show);
  Tell(*output.printer);
  return output.Text();
}

}  // namespace

TEST_CASE("answers: text shows what was found, what was not, or all", "[cli]") {
  CHECK(TextOf(Show::kFound) == "web1 /etc/a in s1\nweb1 /etc/b in s1\nweb1 /etc/c in s2\n");
  CHECK(TextOf(Show::kNotFound) == "db1 0 match in s1\n");
  const std::string all = TextOf(Show::kAll);
  CHECK(all.find("web1 /etc/b in s1\n") != std::string::npos);
  CHECK(all.find("db1 0 match in s1\n") != std::string::npos);
}

TEST_CASE("answers: an agent that looked and found nothing has a line of its own", "[cli]") {
  Output output(AnswerFormat::kText, Show::kNotFound);
  output.printer->Part(kDb, Summary(false));
  output.printer->Ended(kDb, Ended(false));
  output.printer->Part(kWeb, Summary(true));
  output.printer->Ended(kWeb, Ended(true));
  CHECK(output.Text() == "db1 found nothing\n");
}

TEST_CASE("answers: a file name cannot forge a line, a colour or another agent", "[cli]") {
  Output output(AnswerFormat::kText, Show::kFound);
  const Answerer evil{kWeb.id, "web1\x1b[2K"};
  output.printer->Part(evil, Elements({File("/tmp/x\ndb1 /etc/shadow"), File("\x1b]0;owned\x07"),
                                       File(json::FromName("/tmp/\xff\xfe"))}));
  CHECK(output.Text() ==
        "web1\\x1b[2K /tmp/x\\ndb1 /etc/shadow in s1\n"
        "web1\\x1b[2K \\x1b]0;owned\\x07 in s1\n"
        "web1\\x1b[2K /tmp/\\xff\\xfe in s1\n");
}

TEST_CASE("answers: one JSON document with the parts joined", "[cli]") {
  Output output(AnswerFormat::kJson, Show::kAll);
  Tell(*output.printer);
  const auto document = json::ParseObject(output.Text());
  REQUIRE(document);
  CHECK(document->at("schema").as_string() == "mig.answers.v1");
  CHECK(document->at("action").at("id").as_string() == kAction.Text());
  CHECK(document->at("summary").at("answered") == 2);
  const json::array& answers = document->at("answers").as_array();
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].at("name").as_string() == "db1");
  CHECK(answers[0].at("result").at("foundanything") == false);
  CHECK(answers[1].at("agent").as_string() == kWeb.id.Text());
  CHECK(answers[1].at("module").as_string() == "filelike");
  CHECK(answers[1].at("status").as_string() == "success");
  CHECK(answers[1].at("verified") == true);
  const json::value& elements = answers[1].at("result").at("elements");
  CHECK(elements.at("s1").as_array().size() == 2);
  CHECK(elements.at("s1").at(1).at("file").as_string() == "/etc/b");
  CHECK(elements.at("s2").at(0).at("file").as_string() == "/etc/c");
  CHECK(document->at("failed").as_array().empty());
}

TEST_CASE("answers: what is shown chooses in JSON as in text", "[cli]") {
  for (const auto& [show, name] : {std::pair{Show::kFound, "web1"}, {Show::kNotFound, "db1"}}) {
    Output output(AnswerFormat::kJson, show);
    Tell(*output.printer);
    const auto document = json::ParseObject(output.Text());
    REQUIRE(document);
    REQUIRE(document->at("answers").as_array().size() == 1);
    CHECK(document->at("answers").at(0).at("name") == name);
  }
}

TEST_CASE("answers: in JSON a failed agent is there whatever is shown", "[cli]") {
  Output output(AnswerFormat::kJson, Show::kFound);
  AgentEnd refused;
  refused.status = CommandStatus::kRefused;
  refused.code = "too_little_weight";
  output.printer->Ended(kDb, refused);
  output.printer->Unverified(kWeb, "is not signed with the agent's key", "part 3");
  AgentEnd forged = Ended(false);
  forged.verified = false;
  output.printer->Ended(kWeb, forged);
  output.printer->Finish({});
  const auto document = json::ParseObject(output.Text());
  REQUIRE(document);
  CHECK(document->at("failed").at(0).at("code").as_string() == "too_little_weight");
  CHECK(document->at("failed").at(1).at("verified") == false);
  CHECK(document->at("unverified").at(0).at("name").as_string() == "web1");
}

TEST_CASE("answers: an answer that was cut off is shown as far as it came", "[cli]") {
  Output output(AnswerFormat::kJson, Show::kFound);
  output.printer->Part(kWeb, Elements({File("/etc/a")}));
  AgentEnd end;
  end.status = CommandStatus::kTimeout;
  end.complete = false;
  output.printer->Ended(kWeb, end);
  output.printer->Finish({});
  const auto document = json::ParseObject(output.Text());
  REQUIRE(document);
  const json::value& answer = document->at("answers").at(0);
  CHECK(answer.at("status").as_string() == "timeout");
  CHECK(answer.at("complete") == false);
  CHECK(answer.at("result").at("success") == false);
  CHECK(answer.at("result").at("elements").at("s1").at(0).at("file").as_string() == "/etc/a");
}

TEST_CASE("answers: every line of JSON lines is a document", "[cli]") {
  Output output(AnswerFormat::kJsonLines, Show::kAll);
  Tell(*output.printer);
  std::vector<std::string> types;
  const std::string text = output.Text();
  for (const std::string_view line : Split(text, '\n')) {
    if (line.empty()) continue;
    const auto fields = json::ParseObject(line);
    REQUIRE(fields);
    types.emplace_back(fields->at("type").as_string());
  }
  CHECK(types == std::vector<std::string>{"action", "element", "result", "end", "element", "result",
                                          "end", "summary"});
}

TEST_CASE("answers: JSON on a terminal is the same document without steering it", "[cli]") {
  for (const char* text : {"a\xc2\x9b"
                           "31mb",
                           "x\xe2\x80\xaey", "\x7f", "\xef\xbb\xbf", "\xd8\x9c", "\xf3\xa0\x80\x81",
                           "\xc2\xad", "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5"}) {
    const json::value value(text);
    const std::string escaped = EscapeJson(json::Write(value));
    INFO(escaped);
    CHECK(EscapeForTerminal(escaped) == escaped);
    CHECK(*json::Parse(escaped) == value);
  }
}

TEST_CASE("answers: CSV has one row an element, and columns from the first", "[cli]") {
  Output output(AnswerFormat::kCsv, Show::kAll);
  output.printer->Part(kWeb, Elements({File("/etc/a,b", 1), File("/etc/\"c\"", 2)}));
  ResultPart more = Elements({File("/etc/d", 3)});
  more.elements[0].value.as_object()["sha256"] = "ff";
  output.printer->Part(kWeb, more);
  output.printer->Ended(kWeb, Ended(true));
  output.printer->Ended(kDb, Ended(false));
  output.printer->Finish({});
  const std::string web = kWeb.id.Text() + ",web1,0,filelike,s1,";
  CHECK(output.Text() ==
        "agent_id,agent,operation,module,label,file,fileinfo.size,fileinfo.mode,more\r\n" + web +
            "\"/etc/a,b\",1,'-rw-r--r--,\r\n" + web + "\"/etc/\"\"c\"\"\",2,'-rw-r--r--,\r\n" +
            web + "/etc/d,3,'-rw-r--r--,\"{\"\"sha256\"\":\"\"ff\"\"}\"\r\n" + kDb.id.Text() +
            ",db1,,,,,,,\r\n");
}

TEST_CASE("answers: a spreadsheet does not take a file name for a formula", "[cli]") {
  CHECK(CsvField("=cmd|' /C calc'!A0", true) == "'=cmd|' /C calc'!A0");
  CHECK(CsvField("@SUM(1)", true) == "'@SUM(1)");
  CHECK(CsvField("-5", false) == "-5");  // a number of ours
  CHECK(CsvField("/etc/passwd", true) == "/etc/passwd");
  CHECK(CsvField("a\nb", true) == "\"a\nb\"");
}
