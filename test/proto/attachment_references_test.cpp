#include "proto/attachment_references.h"

#include <catch2/catch.hpp>
#include <map>

using namespace mig;

namespace {

using Lines = std::vector<std::string_view>;

json::object Parsed(std::string_view text) {
  auto object = json::ParseObject(text);
  REQUIRE(object);
  return std::move(*object);
}

AttachmentLookup From(const std::map<std::string, std::string, std::less<>>& files) {
  return [&files](std::string_view name) -> std::optional<BytesView> {
    const auto found = files.find(name);
    if (found == files.end()) return std::nullopt;
    return BytesView(found->second);
  };
}

Attachment Attached(std::string name, std::uint64_t bytes = 10) {
  return {std::move(name), Bytes(32, 'h'), bytes};
}

std::string ErrorOf(const Expected<void>& outcome) {
  return outcome ? "" : outcome.error().message();
}

}  // namespace

TEST_CASE("attachments: lines without comments, empty ones, CR and byte order mark", "[proto]") {
  const auto lines = AttachmentLines("\xEF\xBB\xBF# hashes\r\na\r\n\r\n\n b \n#c\nd");
  REQUIRE(lines);
  CHECK(*lines == Lines{"a", " b ", "d"});
}

TEST_CASE("attachments: what is no text, or has no line, is no list", "[proto]") {
  CHECK(AttachmentLines("\xff\n").error().message() == "is not UTF-8 text");
  CHECK(AttachmentLines(BytesView("a\0b\n", 4)).error().message() ==
        "has a NUL byte, so it is no text");
  for (const char* empty : {"", "\n\n", "# only\r\n#comments", "\r\n", "\xEF\xBB\xBF"}) {
    CHECK(AttachmentLines(empty).error().message() == "has no line that counts");
  }
}

TEST_CASE("attachments: a million lines, and not one more", "[proto]") {
  std::string text;
  for (std::size_t i = 0; i < kMaxAttachmentLines; ++i) text += "a\n";
  CHECK(AttachmentLines(text)->size() == kMaxAttachmentLines);
  text += "# does not count\n";
  CHECK(AttachmentLines(text));
  text += "a";
  CHECK(AttachmentLines(text).error().message() == "has more than 1,000,000 lines");
}

TEST_CASE("attachments: only an object with that one field is a reference", "[proto]") {
  CHECK(AttachmentReference(*json::Parse(R"({"attachment":"x"})")) == "x");
  for (const char* other : {R"({"attachment":"x","b64":""})", R"({"attachment":5})",
                            R"({"b64":""})", R"("attachment")", "[]", "{}", "null"}) {
    CHECK_FALSE(AttachmentReference(*json::Parse(other)));
  }
}

TEST_CASE("attachments: a reference becomes its lines, in its place", "[proto]") {
  const std::map<std::string, std::string, std::less<>> files = {{"h", "1\n2\n"}, {"g", "3"}};
  const auto expanded = ExpandAttachments(
      Parsed(R"({"s":{"x":{"l":["0",{"attachment":"h"},{"attachment":"g"},"4"],"n":5,"f":true}}})"),
      From(files));
  REQUIRE(expanded);
  CHECK(json::Write(*expanded) == R"({"s":{"x":{"l":["0","1","2","3","4"],"n":5,"f":true}}})");
}

TEST_CASE("attachments: a line that looks like a reference stays a line", "[proto]") {
  const std::map<std::string, std::string, std::less<>> files = {{"h", R"({"attachment":"h"})"}};
  const auto expanded = ExpandAttachments(Parsed(R"({"l":[{"attachment":"h"}]})"), From(files));
  REQUIRE(expanded);
  CHECK(expanded->at("l").at(0).is_string());
  CHECK(ReferencedAttachments(*expanded).empty());
}

TEST_CASE("attachments: a reference outside a list is left alone", "[proto]") {
  const json::object parameters = Parsed(R"({"l":{"attachment":"h"},"attachment":"h"})");
  CHECK(ReferencedAttachments(parameters).empty());
  CHECK(*ExpandAttachments(parameters, From({})) == parameters);
}

TEST_CASE("attachments: errors name the file", "[proto]") {
  const std::map<std::string, std::string, std::less<>> files = {{"bad", "\xff"}};
  const auto expand = [&](const char* text) {
    return ExpandAttachments(Parsed(text), From(files)).error().message();
  };
  CHECK(expand(R"({"l":[{"attachment":"gone"}]})") ==
        "attachment `gone`: the action has none of that name");
  CHECK(expand(R"({"l":[{"attachment":"bad"}]})") == "attachment `bad`: is not UTF-8 text");
}

TEST_CASE("attachments: naming a file again and again does not go beyond the bounds", "[proto]") {
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += "a\n";
  const std::map<std::string, std::string, std::less<>> many = {{"x", text}};
  CHECK(ExpandAttachments(Parsed(R"({"l":[{"attachment":"x"},{"attachment":"x"}]})"), From(many)));
  CHECK(
      ExpandAttachments(
          Parsed(R"({"l":[{"attachment":"x"},{"attachment":"x"},{"attachment":"x"}]})"), From(many))
          .error()
          .code() == Errc::kFull);
  const std::map<std::string, std::string, std::less<>> wide = {
      {"x", std::string((64u << 20) / 3, 'a')}};
  CHECK(ExpandAttachments(Parsed(R"({"l":[{"attachment":"x"}],"m":[{"attachment":"x"}]})"),
                          From(wide)));
  CHECK(
      ExpandAttachments(
          Parsed(
              R"({"l":[{"attachment":"x"}],"m":[{"attachment":"x"}],"n":[[{"attachment":"x"}],{"o":[{"attachment":"x"}]}]})"),
          From(wide))
          .error()
          .code() == Errc::kFull);
}

TEST_CASE("attachments: names and references belong together", "[proto]") {
  const Operation refers{"file", Parsed(R"({"searches":{"s":{"sha2":[{"attachment":"h"}]}}})")};
  const Operation plain{"file", Parsed(R"({"searches":{"s":{"sha2":["h"]}}})")};
  CHECK(CheckAttachmentReferences({refers, plain}, {Attached("h")}));
  CHECK(CheckAttachmentReferences({plain}, {}));
  CHECK(ErrorOf(CheckAttachmentReferences({plain, refers}, {})) ==
        "operations[1]: attachment `h`: the action has none of that name");
  CHECK(ErrorOf(CheckAttachmentReferences({plain}, {Attached("h")})) ==
        "attachment `h`: no parameter refers to it");
  CHECK(ErrorOf(CheckAttachmentReferences({refers}, {Attached("h"), Attached("g")})) ==
        "attachment `g`: no parameter refers to it");
}

TEST_CASE("attachments: those of one operation hold 64 MiB together", "[proto]") {
  const Operation both{"file", Parsed(R"({"l":[{"attachment":"h"},{"attachment":"g"}]})")};
  const std::uint64_t half = kMaxExpandedBytes / 2;
  CHECK(CheckAttachmentReferences({both}, {Attached("h", half), Attached("g", half)}));
  CHECK_FALSE(CheckAttachmentReferences({both}, {Attached("h", half + 1), Attached("g", half)}));
}
