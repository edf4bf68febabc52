#include "test/mqtt/scenario.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>

#include "test/mqtt/scenario_packet.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig::mqtt {
namespace {

constexpr std::size_t kMostRepeats = 2000;
constexpr std::size_t kLongestWord = 200'000;

struct Word {
  std::string text;
  bool quoted = false;
};

bool Is(const Word& word, std::string_view text) { return !word.quoted && word.text == text; }

std::optional<std::size_t> ToNumber(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Reads a file line by line; the first thing that is wrong ends it.
class Parser {
 public:
  explicit Parser(const std::filesystem::path& file) : file_(file) {}

  Expected<std::vector<Scenario>> Parse(std::string_view text) {
    for (const std::string_view line : Split(text, '\n')) {
      ++line_;
      if (auto ok = ParseLine(std::string(Trim(line))); !ok) return Located(std::move(ok).error());
    }
    if (auto ok = FinishScenario(); !ok) return Located(std::move(ok).error());
    if (scenarios_.empty()) return Located(Error(Errc::kMalformed, "no scenario"));
    return std::move(scenarios_);
  }

 private:
  Error Located(Error error) const {
    return Error(error.code(),
                 file_.filename().string() + ":" + std::to_string(line_) + ": " + error.message());
  }
  static Error Wrong(std::string message) { return Error(Errc::kMalformed, std::move(message)); }

  Expected<void> ParseLine(const std::string& line) {
    if (line.empty() || line[0] == '#') return {};
    if (line.starts_with("scenario ")) {
      if (auto ok = FinishScenario(); !ok) return ok;
      Scenario scenario;
      scenario.title = Trim(line.substr(9));
      scenario.file = file_;
      scenario.line = line_;
      scenarios_.push_back(std::move(scenario));
      return {};
    }
    if (scenarios_.empty()) return Wrong("a scenario begins with `scenario TITLE`");
    Scenario& scenario = scenarios_.back();
    if (line.starts_with("in ")) return ParseVersion(scenario, line);
    if (line.starts_with("core only: ")) {
      scenario.core_only = line.substr(11);
      return {};
    }
    if (line.starts_with("tcp only: ")) {
      scenario.tcp_only = line.substr(10);
      return {};
    }
    for (const std::string prefix : {"", "5.0: ", "3.1.1: "}) {
      if (!line.starts_with(prefix + "for ")) continue;
      return ParseLoop(scenario, prefix, line.substr(prefix.size()));
    }
    return ParseStep(scenario, line);
  }

  Expected<void> FinishScenario() {
    if (scenarios_.empty()) return {};
    const Scenario& scenario = scenarios_.back();
    if (scenario.versions.empty()) {
      return Wrong("`" + scenario.title + "` names no version: `in 5.0`, `in 3.1.1`");
    }
    if (scenario.steps.empty()) return Wrong("`" + scenario.title + "` has no step");
    return {};
  }

  // in 5.0 MQTT-4.3.3-10 MQTT-4.3.3-12
  static Expected<void> ParseVersion(Scenario& scenario, const std::string& line) {
    if (!scenario.steps.empty()) return Wrong("versions come before the first step");
    std::istringstream words(line.substr(3));
    std::string name;
    words >> name;
    const auto version = ToVersion(name);
    if (!version) return Wrong("`" + name + "` is no version: 5.0 or 3.1.1");
    auto [entry, is_new] = scenario.versions.emplace(*version, std::vector<std::string>{});
    if (!is_new) return Wrong("version " + name + " stands twice");
    for (std::string statement; words >> statement;) {
      if (!statement.starts_with("MQTT-")) return Wrong("`" + statement + "` is no statement");
      entry->second.push_back(statement);
    }
    return {};
  }

  static std::optional<Version> ToVersion(std::string_view name) {
    if (name == "5.0") return Version::k5;
    if (name == "3.1.1") return Version::k311;
    return std::nullopt;
  }

  // for n in 1..40: STEP; STEP
  Expected<void> ParseLoop(Scenario& scenario, const std::string& prefix, const std::string& line) {
    const auto colon = line.find(": ");
    std::istringstream words(line.substr(4, colon == std::string::npos ? 0 : colon - 4));
    std::string name, in, range;
    words >> name >> in >> range;
    const auto dots = range.find("..");
    if (in != "in" || dots == std::string::npos) return Wrong("a loop is `for n in 1..9: STEP`");
    const auto from = ToNumber(range.substr(0, dots));
    const auto to = ToNumber(range.substr(dots + 2));
    if (colon == std::string::npos || !from || !to || *to < *from || *to - *from >= kMostRepeats) {
      return Wrong("`" + range + "` is no range");
    }
    for (std::size_t i = *from; i <= *to; ++i) {
      for (const std::string_view part : Split(std::string_view(line).substr(colon + 2), ';')) {
        std::string step = prefix + std::string(Trim(part));
        const std::string place = "{" + name + "}";
        for (auto at = step.find(place); at != std::string::npos; at = step.find(place)) {
          step.replace(at, place.size(), std::to_string(i));
        }
        if (auto ok = ParseStep(scenario, step); !ok) return ok;
      }
    }
    return {};
  }

  // Words are apart by spaces; 'quoted ones' may hold spaces, \n, \xNN, \' and \\, and be repeated:
  // 'a'*100.
  static Expected<std::vector<Word>> SplitWords(std::string_view line) {
    std::vector<Word> words;
    for (std::size_t at = 0; at < line.size();) {
      if (line[at] == ' ') {
        ++at;
      } else if (line[at] == '\'') {
        auto word = TakeQuoted(line, at);
        if (!word) return std::move(word).error();
        words.push_back({std::move(*word), true});
      } else {
        const std::size_t end = std::min(line.find(' ', at), line.size());
        words.push_back({std::string(line.substr(at, end - at)), false});
        at = end;
      }
    }
    return words;
  }

  static Expected<std::string> TakeQuoted(std::string_view line, std::size_t& at) {
    std::string text;
    for (++at; at < line.size() && line[at] != '\''; ++at) {
      if (line[at] != '\\') {
        text += line[at];
        continue;
      }
      const char escape = ++at < line.size() ? line[at] : ' ';
      if (escape == 'n') {
        text += '\n';
      } else if (escape == '\\' || escape == '\'') {
        text += escape;
      } else if (escape == 'x' && at + 2 < line.size()) {
        auto byte = DecodeHex(line.substr(at + 1, 2));
        if (!byte) return Wrong("`\\x` wants two digits");
        text += *byte;
        at += 2;
      } else {
        return Wrong("`\\" + std::string(1, escape) + "` is no escape");
      }
    }
    if (at >= line.size()) return Wrong("a quote that does not end");
    ++at;
    if (at >= line.size() || line[at] != '*') return text;
    const std::size_t end = std::min(line.find(' ', at), line.size());
    const auto times = ToNumber(line.substr(at + 1, end - at - 1));
    if (!times || *times * text.size() > kLongestWord) return Wrong("`*` wants a number");
    at = end;
    std::string repeated;
    for (std::size_t i = 0; i < *times; ++i) repeated += text;
    return repeated;
  }

  Expected<void> ParseStep(Scenario& scenario, std::string_view line) {
    if (scenario.versions.empty()) return Wrong("`in VERSION` comes before the first step");
    Step step;
    step.line = line_;
    step.text = line;
    for (const Version version : {Version::k5, Version::k311}) {
      const std::string prefix = std::string(VersionName(version)) + ": ";
      if (!line.starts_with(prefix)) continue;
      step.only = version;
      line = Trim(line.substr(prefix.size()));
    }
    auto words = SplitWords(line);
    if (!words) return std::move(words).error();
    if (words->size() < 2) return Wrong("`" + std::string(line) + "` is no step");
    if (auto ok = ReadStep(step, *words); !ok) return ok;
    scenario.steps.push_back(std::move(step));
    return {};
  }

  Expected<void> ReadStep(Step& step, const std::vector<Word>& words) {
    using Kind = Step::Kind;
    if (Is(words[0], "wait") && words.size() == 2) return ReadTime(step, words[1].text);
    if (Is(words[0], "broker") && words.size() == 3 && Is(words[1], "is")) {
      if (!Is(words[2], "killed") && !Is(words[2], "restarted")) {
        return Wrong("a broker is killed or restarted");
      }
      step.kind = Is(words[2], "killed") ? Kind::kIsKilled : Kind::kIsRestarted;
      return {};
    }
    if (Is(words[0], "one") && Is(words[1], "of")) return ReadOneOf(step, words);

    step.client = words[0].text;
    const std::span<const Word> rest = std::span(words).subspan(2);
    if (Is(words[1], "->")) return ReadSend(step, rest);
    if (Is(words[1], "<-") || Is(words[1], "<~")) return ReadGet(step, words[1].text, rest);
    if (Is(words[1], "speaks") && rest.size() == 1) {
      const auto version = ToVersion(rest[0].text);
      if (!version) return Wrong("a client speaks 5.0 or 3.1.1");
      step.kind = Kind::kSpeaks;
      step.version = *version;
      return {};
    }
    if (Is(words[1], "is") && rest.size() == 2 && Is(rest[0], "refused")) {
      step.kind = Kind::kIsRefused;
      return ReadFields(step, PacketType::kDisconnect, rest.subspan(1));
    }
    struct Verb {
      std::string_view name;
      Kind kind;
      std::optional<PacketType> packet;
    };
    static constexpr std::array kVerbs{
        Verb{"opens", Kind::kOpens, std::nullopt},
        Verb{"drops", Kind::kDrops, std::nullopt},
        Verb{"connects", Kind::kConnects, PacketType::kConnect},
        Verb{"resumes", Kind::kResumes, PacketType::kConnect},
        Verb{"disconnects", Kind::kDisconnects, PacketType::kDisconnect},
        Verb{"subscribes", Kind::kSubscribes, PacketType::kSubscribe},
        Verb{"unsubscribes", Kind::kUnsubscribes, PacketType::kUnsubscribe},
        Verb{"publishes", Kind::kPublishes, PacketType::kPublish},
        Verb{"receives", Kind::kReceives, PacketType::kPublish},
    };
    for (const Verb& verb : kVerbs) {
      if (!Is(words[1], verb.name)) continue;
      step.kind = verb.kind;
      if (!verb.packet) {
        if (!rest.empty()) return Wrong("nothing follows `" + std::string(verb.name) + "`");
        return {};
      }
      if (step.kind != Kind::kSubscribes && step.kind != Kind::kUnsubscribes) {
        return ReadFields(step, *verb.packet, rest);
      }
      if (rest.empty()) return Wrong("a topic filter is missing");
      step.packet.fields.push_back({"filter", {rest[0].text}});
      return ReadFields(step, *verb.packet, rest.subspan(1));
    }
    return Wrong("`" + words[1].text + "` is nothing that a client does");
  }

  static Expected<void> ReadTime(Step& step, std::string_view text) {
    step.kind = Step::Kind::kWaits;
    const bool is_ms = text.ends_with("ms");
    const auto number = ToNumber(text.substr(0, text.size() - (is_ms ? 2 : 1)));
    if (!number || !text.ends_with("s")) return Wrong("a time is `2s` or `1500ms`");
    step.time = std::chrono::milliseconds(*number * (is_ms ? 1 : 1000));
    return {};
  }

  // one of a b as x y <- PUBLISH …
  static Expected<void> ReadOneOf(Step& step, const std::vector<Word>& words) {
    step.kind = Step::Kind::kOneGets;
    std::size_t at = 2;
    while (at < words.size() && !Is(words[at], "as")) step.clients.push_back(words[at++].text);
    std::vector<std::string> names;
    while (++at < words.size() && !Is(words[at], "<-")) names.push_back(words[at].text);
    if (step.clients.size() < 2 || names.empty() || names.size() > 2 || at + 1 >= words.size()) {
      return Wrong("`one of a b as x y <- PACKET`");
    }
    step.winner = names[0];
    if (names.size() == 2) step.other = names[1];
    const auto type = PacketTypeOf(words[at + 1].text);
    if (!type) return Wrong("`" + words[at + 1].text + "` is no packet");
    return ReadFields(step, *type, std::span(words).subspan(at + 2));
  }

  static Expected<void> ReadSend(Step& step, std::span<const Word> words) {
    if (words.empty()) return Wrong("a packet is missing");
    if (Is(words[0], "bytes")) {
      step.kind = Step::Kind::kSendsBytes;
      for (const Word& word : words.subspan(1)) {
        if (word.quoted) {
          step.bytes += word.text;
          continue;
        }
        auto bytes = DecodeHex(word.text);
        if (!bytes) return Wrong("`" + word.text + "` is neither hex nor quoted");
        step.bytes += *bytes;
      }
      return {};
    }
    step.kind = Step::Kind::kSends;
    const auto type = PacketTypeOf(words[0].text);
    if (!type) return Wrong("`" + words[0].text + "` is no packet");
    return ReadFields(step, *type, words.subspan(1));
  }

  static Expected<void> ReadGet(Step& step, std::string_view arrow, std::span<const Word> words) {
    if (words.empty()) return Wrong("a packet is missing");
    if (words.size() == 1 && Is(words[0], "nothing")) {
      step.kind = Step::Kind::kGetsNothing;
      return {};
    }
    if (words.size() == 1 && Is(words[0], "closed")) {
      step.kind = Step::Kind::kGetsClosed;
      return {};
    }
    step.kind = arrow == "<~" ? Step::Kind::kGetsInAnyOrder : Step::Kind::kGets;
    const auto type = PacketTypeOf(words[0].text);
    if (!type) return Wrong("`" + words[0].text + "` is no packet");
    return ReadFields(step, *type, words.subspan(1));
  }

  static Expected<void> ReadFields(Step& step, PacketType type, std::span<const Word> words) {
    step.packet.type = type;
    for (std::size_t at = 0; at < words.size();) {
      const std::string& name = words[at].text;
      const bool is_code = !words[at].quoted && name.starts_with("0x");
      const std::string_view field = is_code ? std::string_view("reason") : name;
      const auto count = FieldWords(type, field);
      if (!count) {
        return Wrong("`" + name + "` is no field of " + std::string(PacketName(type)));
      }
      if (!is_code) ++at;
      if (at + *count > words.size()) return Wrong("`" + name + "` wants a value");
      PacketText::Field read{std::string(field), {}};
      for (std::size_t i = 0; i < *count; ++i) read.values.push_back(words[at++].text);
      step.packet.fields.push_back(std::move(read));
    }
    return {};
  }

  const std::filesystem::path file_;
  int line_ = 0;
  std::vector<Scenario> scenarios_;
};

}  // namespace

std::string_view VersionName(Version version) { return version == Version::k5 ? "5.0" : "3.1.1"; }

const PacketText::Field* PacketText::Find(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

Expected<std::vector<Scenario>> ParseScenarios(std::string_view text,
                                               const std::filesystem::path& file) {
  return Parser(file).Parse(text);
}

Expected<std::vector<Scenario>> LoadScenarios(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".scenario") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<Scenario> all;
  std::set<std::string> titles;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    if (!in) return Error(Errc::kIo, "cannot read " + file.string());
    auto scenarios = ParseScenarios(text.str(), file);
    if (!scenarios) return std::move(scenarios).error();
    for (Scenario& scenario : *scenarios) {
      if (!titles.insert(scenario.title).second) {
        return Error(Errc::kMalformed, file.filename().string() + ":" +
                                           std::to_string(scenario.line) + ": a second `" +
                                           scenario.title + "`");
      }
      all.push_back(std::move(scenario));
    }
  }
  return all;
}

}  // namespace mig::mqtt
