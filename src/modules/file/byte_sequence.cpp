#include "modules/file/byte_sequence.h"

#include <re2/re2.h>

#include <charconv>
#include <cstdint>
#include <optional>

#include "util/text.h"

namespace mig::file {
namespace {

constexpr std::int64_t kRegexMemory = 8 << 20;

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string HexByte(int value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned>(value);
  return {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

// "?4": sixteen bytes, one for each high digit.
std::string ClassOfLowDigit(int low) {
  std::string regex = "[";
  for (int high = 0; high < 16; ++high) regex += HexByte(high * 16 + low);
  return regex + "]";
}

struct Jump {
  std::size_t least = 0;
  std::size_t most = 0;
};

// What stands between the brackets: "4" or "4-8".
std::optional<Jump> ReadJump(std::string_view text) {
  const auto number = [](std::string_view digits) -> std::optional<std::size_t> {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
    if (error != std::errc() || end != digits.end()) return std::nullopt;
    return value;
  };
  const std::size_t dash = text.find('-');
  const auto least = number(Trim(text.substr(0, dash)));
  const auto most = dash == text.npos ? least : number(Trim(text.substr(dash + 1)));
  if (!least || !most) return std::nullopt;
  return Jump{*least, *most};
}

Error Bad(std::string_view part, const std::string& why) {
  return Error(Errc::kInvalid, "`" + std::string(part) + "`: " + why);
}

// Goes through the text once, and writes the regex for it.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Expected<void> Run() {
    for (;;) {
      while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) {
        rest_.remove_prefix(1);
      }
      if (rest_.empty()) break;
      if (auto ok = rest_.front() == '[' ? TakeJump() : TakeByte(); !ok) return ok;
      if (longest_ > ByteSequence::kMostBytes) {
        return Error(Errc::kInvalid,
                     "covers more than " + std::to_string(ByteSequence::kMostBytes) + " bytes");
      }
    }
    EndRun();
    if (!says_anything_) return Error(Errc::kInvalid, "names no byte; write one as 7f");
    if (ends_in_jump_) return Error(Errc::kInvalid, "ends in a jump; end it in a byte");
    return {};
  }

  std::string regex_ = "(?s)";
  std::string required_;
  std::size_t longest_ = 0;
  bool only_bytes_ = true;

 private:
  void EndRun() {
    if (run_.size() > required_.size()) required_ = run_;
    run_.clear();
  }

  Expected<void> TakeByte() {
    const std::string_view pair = rest_.substr(0, 2);
    for (const char c : pair) {
      if (c != '?' && DigitOf(c) < 0) {
        return Bad(EscapeForTerminal(std::string_view(&c, 1)),
                   "not a hexadecimal digit, ? or [N-M]");
      }
    }
    if (pair.size() < 2) return Bad(pair, "a byte has two digits; write ? for one that is open");
    rest_.remove_prefix(2);
    const int high = DigitOf(pair[0]);
    const int low = DigitOf(pair[1]);
    ++longest_;
    ends_in_jump_ = false;
    if (high >= 0 && low >= 0) {
      regex_ += HexByte(high * 16 + low);
      run_ += static_cast<char>(high * 16 + low);
      says_anything_ = true;
      return {};
    }
    EndRun();
    only_bytes_ = false;
    if (high < 0 && low < 0) {
      regex_ += ".";
      return {};
    }
    says_anything_ = true;
    if (low < 0) {
      regex_ += "[" + HexByte(high * 16) + "-" + HexByte(high * 16 + 15) + "]";
    } else {
      regex_ += ClassOfLowDigit(low);
    }
    return {};
  }

  Expected<void> TakeJump() {
    const std::size_t end = rest_.find(']');
    if (end == rest_.npos) return Bad(rest_, "the bracket does not end");
    const std::string_view text = rest_.substr(0, end + 1);
    if (longest_ == 0) return Bad(text, "begin with a byte");
    const auto jump = ReadJump(text.substr(1, end - 1));
    if (!jump) return Bad(text, "a jump is [N] or [N-M], in bytes");
    if (jump->most < jump->least) return Bad(text, "the second number is less than the first");
    if (jump->most > ByteSequence::kMostJump) {
      return Bad(text, "a jump goes over at most " + std::to_string(ByteSequence::kMostJump));
    }
    rest_.remove_prefix(end + 1);
    EndRun();
    only_bytes_ = false;
    ends_in_jump_ = true;
    regex_ += ".{" + std::to_string(jump->least) + "," + std::to_string(jump->most) + "}";
    longest_ += jump->most;
    return {};
  }

  std::string_view rest_;
  std::string run_;
  bool says_anything_ = false;
  bool ends_in_jump_ = false;
};

}  // namespace

struct ByteSequence::Compiled {
  Compiled(const std::string& regex, const re2::RE2::Options& options) : re2(regex, options) {}
  re2::RE2 re2;
};

ByteSequence::ByteSequence() = default;
ByteSequence::~ByteSequence() = default;

Expected<std::shared_ptr<const ByteSequence>> ByteSequence::Parse(std::string_view text) {
  Parser parser(text);
  if (auto ok = parser.Run(); !ok) return std::move(ok).error();
  std::shared_ptr<ByteSequence> sequence(new ByteSequence());
  sequence->longest_ = parser.longest_;
  sequence->required_ = Literal(parser.required_);
  if (!parser.only_bytes_) {
    re2::RE2::Options options(re2::RE2::Latin1);
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemory);
    options.set_never_capture(true);
    sequence->compiled_ = std::make_unique<Compiled>(parser.regex_, options);
    if (!sequence->compiled_->re2.ok()) {
      return Error(Errc::kInvalid, "is too large: " + sequence->compiled_->re2.error());
    }
  }
  return std::shared_ptr<const ByteSequence>(std::move(sequence));
}

bool ByteSequence::IsIn(BytesView bytes) const {
  std::size_t from = 0;
  if (!required_.empty()) {
    const std::size_t at = required_.FindIn(bytes);
    if (compiled_ == nullptr || at == BytesView::npos) return at != BytesView::npos;
    // Nothing before can be part of it.
    from = at - std::min(at, longest_);
  }
  return compiled_->re2.Match(re2::StringPiece(bytes.data(), bytes.size()), from, bytes.size(),
                              re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace mig::file
