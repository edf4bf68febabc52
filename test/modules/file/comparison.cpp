#include "test/modules/file/comparison.h"

#include <algorithm>

namespace mig::file {
namespace {

std::string TextAt(const json::value& fields, std::string_view key) {
  const json::value* value = fields.as_object().if_contains(key);
  return value == nullptr ? "" : std::string(value->as_string());
}

std::uint64_t NumberAt(const json::value& fields, std::string_view key) {
  const json::value& value = fields.at(key);
  return value.is_string() ? std::stoull(std::string(value.as_string()))
                           : value.to_number<std::uint64_t>();
}

std::map<std::string, std::string> DigestsIn(const json::value& info) {
  std::map<std::string, std::string> digests;
  for (const auto& member : info.as_object()) {
    if (!DigestByName(member.key())) continue;
    digests.emplace(std::string(member.key()), std::string(member.value().as_string()));
  }
  return digests;
}

// Of a matchany element: the one check it answers. Empty for matchall.
std::string CheckOf(const PlainSearch& search, const json::value& element) {
  if (search.matchall) return {};
  for (const auto& member : element.at("search").as_object()) {
    if (member.key() == "paths" || member.key() == "options") continue;
    return std::string(member.key()) + "=" + std::string(member.value().at(0).as_string());
  }
  return "none";
}

bool IsFind(const PlainFind& expected, const std::string& path, const std::string& check,
            const json::value& element) {
  const json::value& info = element.at("fileinfo");
  return expected.paths.contains(path) && expected.check == check &&
         expected.size == NumberAt(info, "size") && expected.mode == TextAt(info, "mode") &&
         expected.modified == TextAt(info, "lastmodified") &&
         (expected.digests == DigestsIn(info) || !expected.certain);
}

class Comparison {
 public:
  Comparison(const PlainAnswer& expected, const ModuleResult& result)
      : expected_(expected), result_(result) {}

  std::string Run(const std::vector<PlainSearch>& searches) {
    if (!result_.success) return "it failed: " + (result_.errors.empty() ? "" : result_.errors[0]);
    for (const PlainSearch& search : searches) CompareSearch(search);
    // Where one search stops at its limit depends on the order of the walk, and so do the numbers.
    if (!limited_) CompareStatistics();
    return std::move(text_);
  }

 private:
  void Say(const std::string& what) { text_ += what + "\n"; }

  void CompareSearch(const PlainSearch& search) {
    std::vector<PlainFind> left = expected_.finds.at(search.label);
    std::uint64_t found = 0;
    std::vector<std::string> empty;
    for (const json::value& element : result_.elements.at(search.label).as_array()) {
      const std::string path = *json::ToName(element.at("file"));
      const std::string check = CheckOf(search, element);
      if (path.empty()) {
        empty.push_back(check);
        continue;
      }
      ++found;
      // The one that can be told by the fewest other paths: one more of these may still come.
      auto match = left.end();
      for (auto find = left.begin(); find != left.end(); ++find) {
        if (!IsFind(*find, path, check, element)) continue;
        if (match == left.end() || find->paths.size() < match->paths.size()) match = find;
      }
      if (match == left.end()) {
        Say(search.label + ": must not be found, or not so: " + json::Write(element));
      } else {
        left.erase(match);
      }
    }
    total_ += found;
    const bool limited = search.matchlimit != 0 && found >= search.matchlimit;
    limited_ = limited_ || limited;
    if (limited && found > search.matchlimit) Say(search.label + ": more than its limit");
    for (const PlainFind& find : left) {
      if (find.certain && !limited) {
        Say(search.label + ": not found: " + *find.paths.begin() + " " + find.check);
      }
    }
    if (!limited) CompareEmpty(search, found, empty);
  }

  // The elements that say "nothing".
  void CompareEmpty(const PlainSearch& search, std::uint64_t found,
                    std::vector<std::string> empty) {
    if (search.matchall) {
      if (empty.size() != (found == 0 ? 1 : 0)) Say(search.label + ": wrong element of nothing");
      return;
    }
    for (const std::string& check : empty) {
      for (const PlainFind& find : expected_.finds.at(search.label)) {
        if (find.certain && find.check == check) Say(search.label + ": has finds: " + check);
      }
    }
  }

  void CompareNumber(const std::string& name, std::uint64_t expected, std::uint64_t slack,
                     std::uint64_t is) {
    if (is >= expected && is <= expected + slack) return;
    Say(name + ": " + std::to_string(is) + " instead of " + std::to_string(expected) +
        (slack == 0 ? "" : " to " + std::to_string(expected + slack)));
  }

  void CompareStatistics() {
    const json::value& statistics = result_.statistics;
    CompareNumber("totalhits", total_, 0, NumberAt(statistics, "totalhits"));
    CompareNumber("filescount", expected_.files, 0, NumberAt(statistics, "filescount"));
    CompareNumber("directories", expected_.directories, 0, NumberAt(statistics, "directories"));
    CompareNumber("openfailed", expected_.failed, expected_.broken,
                  NumberAt(statistics, "openfailed"));
    CompareNumber("bytesread", 0, expected_.most_bytes, NumberAt(statistics, "bytesread"));
    std::map<std::string, std::uint64_t> skipped = expected_.skipped;
    for (const auto& member : statistics.at("skipped").as_object()) {
      skipped.emplace(std::string(member.key()), 0);
    }
    for (const auto& [reason, count] : skipped) {
      const json::value* is = statistics.at("skipped").as_object().if_contains(reason);
      const bool may_be_broken = reason == "unreadable" || reason == "toolarge";
      CompareNumber("skipped " + reason, count, may_be_broken ? expected_.broken : 0,
                    is == nullptr ? 0 : NumberAt(*is, "count"));
    }
    if (!statistics.at("matchlimitreached").as_array().empty())
      Say("no search has reached a limit");
  }

  const PlainAnswer& expected_;
  const ModuleResult& result_;
  std::string text_;
  std::uint64_t total_ = 0;
  bool limited_ = false;
};

}  // namespace

std::string Differences(const std::vector<PlainSearch>& searches, const PlainAnswer& expected,
                        const ModuleResult& result) {
  return Comparison(expected, result).Run(searches);
}

}  // namespace mig::file
