// Strict JSON over Boost.JSON: duplicate keys, invalid UTF-8, and excessive depth are refused, and
// ObjectReader refuses fields that nobody asked for. What we sign or store is written with Write().
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/bytes.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

inline constexpr int kMaxDepth = 32;

// Parses one JSON document (RFC 8259), nothing after it. Refuses duplicate keys at any level,
// invalid UTF-8, and nesting past kMaxDepth. Error: kMalformed with the byte offset.
Expected<value> Parse(BytesView text);

// As Parse, and the document must be an object.
Expected<object> ParseObject(BytesView text);

// Compact text; object fields in insertion order.
std::string Write(const value& v);

// Text a person reads: two spaces of indent, one field a line.
std::string WritePretty(const value& v);

// A name that need not be UTF-8: a string, or {"b64": "…"}.
value FromName(BytesView name);
Expected<Bytes> ToName(const value& v);

// An integer of any 64-bit size: a number up to 2^53, else a decimal string.
value FromUint(std::uint64_t number);
Expected<std::uint64_t> ToUint(const value& v);

// Reads the fields of one object and remembers the first error and which fields were asked for.
// After the last field, Finish() gives that error, or names a field that nobody asked for.
//   ObjectReader in(object, "action");
//   action.name = in.String("name");          // "" and an error when absent or not a string
//   action.reason = in.OptionalString("reason");
//   if (auto ok = in.Finish(); !ok) return std::move(ok).error();
class ObjectReader {
 public:
  enum class Unknown { kRefuse, kIgnore };

  // `where` prefixes messages ("operations[2].parameters"). Both must outlive the reader.
  ObjectReader(const object& fields, std::string where, Unknown unknown = Unknown::kRefuse);

  bool Has(std::string_view key) const;

  std::string String(std::string_view key);
  std::string OptionalString(std::string_view key, std::string fallback = {});
  Bytes Name(std::string_view key);                     // as ToName
  Bytes OptionalName(std::string_view key);             // "" when absent
  bool OptionalBool(std::string_view key, bool fallback);
  std::int64_t Integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::int64_t OptionalInteger(std::string_view key, std::int64_t fallback, std::int64_t min,
                               std::int64_t max);
  std::uint64_t Uint64(std::string_view key);  // number or decimal string
  std::uint64_t OptionalUint64(std::string_view key, std::uint64_t fallback);
  UtcTime Time(std::string_view key);  // RFC 3339 string
  Bytes Base64(std::string_view key);
  std::vector<std::string> OptionalStrings(std::string_view key);  // array of strings

  const object* Object(std::string_view key);          // null and an error when absent
  const object* OptionalObject(std::string_view key);  // null when absent
  const array* Array(std::string_view key);
  const array* OptionalArray(std::string_view key);
  const value* Any(std::string_view key);  // null and an error when absent
  const value* OptionalAny(std::string_view key);

  // Records an error of the caller's own about `key` (kInvalid), unless one is there already.
  void Fail(std::string_view key, std::string message);
  void Fail(Error error);
  bool ok() const { return !error_.has_value(); }

  // The first error, or kUnsupported for a field nobody asked for ("unknown field `x`").
  Expected<void> Finish();

  std::string Where(std::string_view key) const;

 private:
  const value* Find(std::string_view key, bool required);

  const object& fields_;
  std::string where_;
  Unknown unknown_;
  std::vector<std::string> asked_;
  std::optional<Error> error_;
};

}  // namespace mig::json
