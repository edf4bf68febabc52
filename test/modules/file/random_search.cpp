#include "test/modules/file/random_search.h"

#include <sys/stat.h>

#include <stdexcept>

#include "modules/module.h"
#include "util/encoding.h"

namespace mig::file {
namespace {

using Texts = std::vector<std::string>;

std::string RandomPath(RandomSource& random, const MadeTree& tree) {
  switch (random.Below(10)) {
    case 0:
      return tree.path() + "/missing";
    case 1:
    case 2:
      return tree.others().empty() ? tree.path() : random.Pick(tree.others());
    case 3:
    case 4:
    case 5:
      return random.Pick(tree.folders());
    default:
      return tree.path();
  }
}

std::string RandomRegex(RandomSource& random, const Texts& regexes) {
  return (random.OneIn(4) ? "!" : "") + random.Pick(regexes);
}

std::string RandomDigest(RandomSource& random, const MadeTree& tree, const std::string& field) {
  static const std::vector<std::size_t> kSha2 = {64, 96, 128};
  static const std::vector<std::size_t> kSha3 = {56, 64, 96, 128};
  const std::size_t digits = field == "md5"    ? 32
                             : field == "sha1" ? 40
                             : field == "sha2" ? random.Pick(kSha2)
                                               : random.Pick(kSha3);
  if (random.OneIn(5) || tree.contents().empty()) return std::string(digits, 'a');
  Digest digest(PlainDigestKind(field, digits));
  digest.Update(random.Pick(tree.contents()));
  return EncodeHex(digest.Finish());
}

PlainCheck RandomCheck(RandomSource& random, const MadeTree& tree) {
  static const Texts kNames = {
      "a", "^a",  "^-", "needle", "(?i)needle", "\\.gz$", "^d+[0-9]*$", ".",        "^.$",
      " ", "\\n", "^$", "\\xff",  "\xc3\xa9",   "\\pL",   "passwd|b",   "[0-9]{2}", "^n{255}$"};
  static const Texts kContents = {
      "needle", "^needle",      "needle$",    "^needle a$", "(?i)NEEDLE", "need.*le",
      "^$",     "^.+$",         "a",          "yes|no",     "^yes$",      "\\s",
      "\\S",    "\\bneedle\\b", "[^a]needle", "\\x00",      "\\xff",      "\xc3\xa9",
      "\\pL",   "(a|b)+",       "ab?",        "x=[0-9]",    "\\r",        ".",
      "(?s).",  "\\Aneedle",    "no\\z",      "e{2}",       "^[a-z]+$",   "nee\\.dle",
      "#",      "needle\\nx",   "(?-i:ne)e",  "\\Qneed\\E", "^\\s*$"};
  static const Texts kModes = {"^-rw",   "^u",   "^g",    "^t",    "x$",    "r--$", "-rw-r--r--",
                               "^[ugt]", "0644", "-0111", "/6000", "-4000", "4755", "/0022"};
  static const Texts kNumbers = {"0", "1", "2", "3", "77"};
  static const Texts kLinks = {"1", "2", ">1", "<1", ">2", "<3"};
  static const Texts kSizes = {"0",   "<0", ">1",    "<10", ">10", "<1k",
                               ">1k", "7",  ">256k", "<1t", ">1t"};
  static const Texts kAges = {"<1d", ">1d",  "<2d", ">2d", "<24h",
                              ">3h", "<60m", ">1d", "<0d", ">0m"};
  static const Texts kSequences = {"6e 65 65 64 6c 65",
                                   "6E65",
                                   "6e ?? 65",
                                   "6? ?5",
                                   "0a",
                                   "0d 0a",
                                   "00 00",
                                   "ff",
                                   "61 [0-3] 62",
                                   "6e [2-9] 0a",
                                   "?a",
                                   "6e [1] 65 [0-20] 6e",
                                   "00 ?? ??",
                                   "c3 a9",
                                   "6c 65 [0-256] 6e 65",
                                   "30"};
  switch (random.Below(13)) {
    case 10: {
      struct stat status {};
      const std::string& any = tree.others().empty() ? tree.path() : random.Pick(tree.others());
      return {"inodes", ::lstat(any.c_str(), &status) == 0 ? std::to_string(status.st_ino) : "1"};
    }
    case 11:
      return random.OneIn(2) ? PlainCheck{"links", random.Pick(kLinks)}
                             : PlainCheck{"ctimes", random.Pick(kAges)};
    case 12:
      return {random.OneIn(2) ? "owners" : "groups", RandomRegex(random, kNumbers)};
    case 0:
    case 1:
      return {"names", RandomRegex(random, kNames)};
    case 2:
      return {"modes", RandomRegex(random, kModes)};
    case 3:
      return {"sizes", random.Pick(kSizes)};
    case 4:
      return {"mtimes", random.Pick(kAges)};
    case 5: {
      const std::string field = random.Pick(Texts{"md5", "sha1", "sha2", "sha3"});
      return {field, RandomDigest(random, tree, field)};
    }
    case 6:
      return {"bytes", RandomRegex(random, kSequences)};
    default:
      return {"contents", RandomRegex(random, kContents)};
  }
}

const Texts kDigestNames = {"md5",      "sha1",     "sha256",   "sha384",  "sha512",
                            "sha3-224", "sha3-256", "sha3-384", "sha3-512"};

PlainSearch RandomSearch(RandomSource& random, const MadeTree& tree, std::string label) {
  PlainSearch search;
  search.label = std::move(label);
  for (std::size_t i = 1 + (random.OneIn(2) ? random.Below(4) : 0); i > 0; --i) {
    search.paths.push_back(RandomPath(random, tree));
  }
  for (std::size_t i = 1 + random.Below(3); i > 0; --i) {
    search.checks.push_back(RandomCheck(random, tree));
  }
  search.matchall = random.OneIn(2);
  for (const PlainCheck& check : search.checks) {
    if (check.field == "contents") search.macroal = random.OneIn(3);
    const bool itself = check.field == "bytes" || check.field == "md5" || check.field == "links" ||
                        check.field.starts_with("sha");
    if (random.OneIn(4)) {
      search.mismatch.insert(itself ? check.field : check.field.substr(0, check.field.size() - 1));
    }
  }
  search.returnsha256 = random.OneIn(4);
  while (random.OneIn(5)) search.returndigests.push_back(random.Pick(kDigestNames));
  search.decompress = random.OneIn(3);
  if (random.OneIn(3)) search.maxdepth = 1 + random.Below(4);
  if (random.OneIn(10)) search.matchlimit = 1 + random.Below(5);
  if (tree.huge()) {  // nobody reads a TiB here
    search.matchall = true;
    search.mismatch.erase("size");
    search.checks.push_back({"sizes", "<2m"});
  }
  return search;
}

Expected<void> Check(const PlainSearch& search) {
  const json::object parameters{{"searches", json::object{{search.label, search.ToJson()}}}};
  return CheckParameters(*FindModule("file"), parameters);
}

}  // namespace

std::vector<PlainSearch> RandomSearches(RandomSource& random, const MadeTree& tree) {
  std::vector<PlainSearch> searches;
  const std::size_t count = 1 + (random.OneIn(2) ? random.Below(5) : 0);
  for (int refused = 0; searches.size() < count;) {
    PlainSearch search = RandomSearch(random, tree, "s" + std::to_string(searches.size()));
    // What cannot be satisfied is refused; one of the next is not.
    if (const auto checked = Check(search); checked) {
      searches.push_back(std::move(search));
    } else if (++refused == 1000) {
      throw std::runtime_error("every search is refused: " + checked.error().message());
    }
  }
  return searches;
}

}  // namespace mig::file
