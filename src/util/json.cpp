#include "util/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>

#include "util/encoding.h"
#include "util/text.h"

namespace mig::json {
namespace {

constexpr std::uint64_t kMaxExactInteger = std::uint64_t{1} << 53;

// Builds values while refusing duplicate keys, which Boost.JSON's own parser would let pass (the
// last one wins): two readers that pick different ones could be shown different orders.
class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = 4096;
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    stack_.emplace_back(object());
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    keys_.pop_back();
    return Close();
  }
  bool on_array_begin(error_code&) {
    stack_.emplace_back(array());
    keys_.emplace_back();
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    keys_.pop_back();
    return Close();
  }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    partial_.append(part.data(), part.size());
    return true;
  }
  bool on_key(string_view part, std::size_t, error_code& error) {
    partial_.append(part.data(), part.size());
    if (stack_.back().as_object().contains(partial_)) {
      duplicate_ = partial_;
      error = boost::json::error::syntax;
      return false;
    }
    keys_.back() = std::move(partial_);
    partial_.clear();
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    partial_.append(part.data(), part.size());
    return true;
  }
  bool on_string(string_view part, std::size_t, error_code&) {
    partial_.append(part.data(), part.size());
    value text(partial_);
    partial_.clear();
    return Add(std::move(text));
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, string_view, error_code&) { return Add(number); }
  bool on_uint64(std::uint64_t number, string_view, error_code&) { return Add(number); }
  bool on_double(double number, string_view, error_code&) { return Add(number); }
  bool on_bool(bool flag, error_code&) { return Add(flag); }
  bool on_null(error_code&) { return Add(nullptr); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

  value TakeRoot() { return std::move(root_); }
  const std::string& duplicate() const { return duplicate_; }

 private:
  bool Add(value item) {
    if (stack_.empty()) {
      root_ = std::move(item);
    } else if (stack_.back().is_object()) {
      stack_.back().as_object().emplace(keys_.back(), std::move(item));
    } else {
      stack_.back().as_array().push_back(std::move(item));
    }
    return true;
  }
  bool Close() {
    value done = std::move(stack_.back());
    stack_.pop_back();
    return Add(std::move(done));
  }

  value root_;
  std::vector<value> stack_;
  std::vector<std::string> keys_;  // the key each open object waits to fill
  std::string partial_;
  std::string duplicate_;
};

void PrettyTo(const value& v, std::string& out, const std::string& indent) {
  const std::string deeper = indent + "  ";
  if (v.is_object() && !v.get_object().empty()) {
    out += "{\n";
    bool first = true;
    for (const auto& member : v.get_object()) {
      if (!first) out += ",\n";
      first = false;
      out += deeper + boost::json::serialize(member.key()) + ": ";
      PrettyTo(member.value(), out, deeper);
    }
    out += "\n" + indent + "}";
  } else if (v.is_array() && !v.get_array().empty()) {
    out += "[\n";
    bool first = true;
    for (const value& item : v.get_array()) {
      if (!first) out += ",\n";
      first = false;
      out += deeper;
      PrettyTo(item, out, deeper);
    }
    out += "\n" + indent + "]";
  } else {
    out += boost::json::serialize(v);
  }
}

}  // namespace

Expected<value> Parse(BytesView text) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::basic_parser<StrictHandler> parser(options);
  boost::json::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error) {
    if (!parser.handler().duplicate().empty()) {
      return Error(Errc::kMalformed,
                   "JSON: key `" + parser.handler().duplicate() + "` stands twice in one object");
    }
    return Error(Errc::kMalformed,
                 "JSON: " + error.message() + " near byte " + std::to_string(read + 1));
  }
  if (read != text.size() && text.substr(read).find_first_not_of(" \t\r\n") != BytesView::npos) {
    return Error(Errc::kMalformed,
                 "JSON: something follows the document at byte " + std::to_string(read + 1));
  }
  return parser.handler().TakeRoot();
}

Expected<object> ParseObject(BytesView text) {
  auto v = Parse(text);
  if (!v) return std::move(v).error();
  if (!v->is_object()) return Error(Errc::kMalformed, "JSON: not an object");
  return std::move(v->as_object());
}

std::string Write(const value& v) { return boost::json::serialize(v); }

std::string WritePretty(const value& v) {
  std::string out;
  PrettyTo(v, out, "");
  return out;
}

value FromName(BytesView name) {
  if (IsUtf8(name)) return value(name);
  return object{{"b64", EncodeBase64(name)}};
}

Expected<Bytes> ToName(const value& v) {
  if (v.is_string()) return Bytes(v.get_string());
  if (v.is_object()) {
    const object& fields = v.get_object();
    const value* b64 = fields.if_contains("b64");
    if (b64 != nullptr && fields.size() == 1 && b64->is_string()) {
      return DecodeBase64(b64->get_string());
    }
  }
  return Error(Errc::kMalformed, "neither a string nor {\"b64\": …}");
}

value FromUint(std::uint64_t number) {
  if (number <= kMaxExactInteger) return value(number);
  return value(std::to_string(number));
}

Expected<std::uint64_t> ToUint(const value& v) {
  if (v.is_uint64()) return v.get_uint64();
  if (v.is_int64() && v.get_int64() >= 0) return static_cast<std::uint64_t>(v.get_int64());
  if (v.is_string()) {
    const std::string_view digits = v.get_string();
    std::uint64_t number = 0;
    bool good = !digits.empty() && (digits.size() == 1 || digits[0] != '0');
    for (const char c : digits) {
      if (c < '0' || c > '9' ||
          number >
              (std::numeric_limits<std::uint64_t>::max() - static_cast<std::uint64_t>(c - '0')) /
                  10) {
        good = false;
        break;
      }
      number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (good) return number;
  }
  return Error(Errc::kMalformed, "not a whole number of 0 or more");
}

ObjectReader::ObjectReader(const object& fields, std::string where, Unknown unknown)
    : fields_(fields), where_(std::move(where)), unknown_(unknown) {}

std::string ObjectReader::Where(std::string_view key) const {
  std::string text = where_;
  if (!text.empty() && !key.empty()) text += '.';
  text += key;
  return text;
}

void ObjectReader::Fail(std::string_view key, std::string message) {
  if (!error_) error_.emplace(Errc::kInvalid, Where(key) + ": " + message);
}

void ObjectReader::Fail(Error error) {
  if (!error_) error_.emplace(std::move(error));
}

bool ObjectReader::Has(std::string_view key) const { return fields_.contains(key); }

const value* ObjectReader::Find(std::string_view key, bool required) {
  asked_.emplace_back(key);
  const value* found = fields_.if_contains(key);
  if (found == nullptr && required) Fail(key, "is missing");
  return found;
}

const value* ObjectReader::Any(std::string_view key) { return Find(key, true); }
const value* ObjectReader::OptionalAny(std::string_view key) { return Find(key, false); }

std::string ObjectReader::String(std::string_view key) {
  const value* v = Find(key, true);
  if (v == nullptr) return {};
  if (!v->is_string()) {
    Fail(key, "is not a string");
    return {};
  }
  return std::string(v->get_string());
}

std::string ObjectReader::OptionalString(std::string_view key, std::string fallback) {
  return Has(key) ? String(key) : (Find(key, false), std::move(fallback));
}

Bytes ObjectReader::Name(std::string_view key) {
  const value* v = Find(key, true);
  if (v == nullptr) return {};
  auto name = ToName(*v);
  if (!name) {
    Fail(key, "is " + name.error().message());
    return {};
  }
  return std::move(*name);
}

Bytes ObjectReader::OptionalName(std::string_view key) {
  return Has(key) ? Name(key) : (Find(key, false), Bytes());
}

bool ObjectReader::OptionalBool(std::string_view key, bool fallback) {
  const value* v = Find(key, false);
  if (v == nullptr) return fallback;
  if (!v->is_bool()) {
    Fail(key, "is neither true nor false");
    return fallback;
  }
  return v->get_bool();
}

std::int64_t ObjectReader::Integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const value* v = Find(key, true);
  if (v == nullptr) return min;
  std::int64_t number = 0;
  if (v->is_int64()) {
    number = v->get_int64();
  } else if (v->is_uint64() && v->get_uint64() <= static_cast<std::uint64_t>(
                                                      std::numeric_limits<std::int64_t>::max())) {
    number = static_cast<std::int64_t>(v->get_uint64());
  } else {
    Fail(key, "is not a whole number");
    return min;
  }
  if (number < min || number > max) {
    Fail(key,
         std::to_string(number) + " is not " + std::to_string(min) + ".." + std::to_string(max));
    return min;
  }
  return number;
}

std::int64_t ObjectReader::OptionalInteger(std::string_view key, std::int64_t fallback,
                                           std::int64_t min, std::int64_t max) {
  return Has(key) ? Integer(key, min, max) : (Find(key, false), fallback);
}

std::uint64_t ObjectReader::Uint64(std::string_view key) {
  const value* v = Find(key, true);
  if (v == nullptr) return 0;
  auto number = ToUint(*v);
  if (!number) {
    Fail(key, "is " + number.error().message());
    return 0;
  }
  return *number;
}

std::uint64_t ObjectReader::OptionalUint64(std::string_view key, std::uint64_t fallback) {
  return Has(key) ? Uint64(key) : (Find(key, false), fallback);
}

UtcTime ObjectReader::Time(std::string_view key) {
  const std::string text = String(key);
  if (text.empty()) {
    Fail(key, "is empty");
    return {};
  }
  auto time = ParseRfc3339(text);
  if (!time) {
    Fail(key, time.error().message());
    return {};
  }
  return *time;
}

Bytes ObjectReader::Base64(std::string_view key) {
  auto bytes = DecodeBase64(String(key));
  if (!bytes) {
    Fail(key, bytes.error().message());
    return {};
  }
  return std::move(*bytes);
}

std::vector<std::string> ObjectReader::OptionalStrings(std::string_view key) {
  std::vector<std::string> strings;
  const array* items = OptionalArray(key);
  if (items == nullptr) return strings;
  for (const value& item : *items) {
    if (!item.is_string()) {
      Fail(key, "has an element that is not a string");
      return {};
    }
    strings.emplace_back(item.get_string());
  }
  return strings;
}

const object* ObjectReader::Object(std::string_view key) {
  const value* v = Find(key, true);
  if (v == nullptr) return nullptr;
  if (!v->is_object()) {
    Fail(key, "is not an object");
    return nullptr;
  }
  return &v->get_object();
}

const object* ObjectReader::OptionalObject(std::string_view key) {
  return Has(key) ? Object(key) : (Find(key, false), nullptr);
}

const array* ObjectReader::Array(std::string_view key) {
  const value* v = Find(key, true);
  if (v == nullptr) return nullptr;
  if (!v->is_array()) {
    Fail(key, "is not an array");
    return nullptr;
  }
  return &v->get_array();
}

const array* ObjectReader::OptionalArray(std::string_view key) {
  return Has(key) ? Array(key) : (Find(key, false), nullptr);
}

Expected<void> ObjectReader::Finish() {
  if (error_) return *error_;
  if (unknown_ == Unknown::kRefuse) {
    for (const auto& member : fields_) {
      const std::string_view key = member.key();
      if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) {
        std::string message = Where(key) + ": unknown field";
        const std::string hint = DidYouMean(key, asked_);
        if (!hint.empty()) message += ", " + hint;
        return Error(Errc::kUnsupported, message);
      }
    }
  }
  return {};
}

}  // namespace mig::json
