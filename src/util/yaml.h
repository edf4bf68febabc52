// YAML documents as JSON values, for what people write by hand and our JSON decoders read: one
// document of mappings, sequences and scalars. What makes two readers see two things is refused:
// anchors, aliases, tags, keys that stand twice, keys that are not text. Configuration files are
// util/settings.h's.
#pragma once

#include <string>
#include <string_view>

#include "util/expected.h"
#include "util/json.h"

namespace mig {

// `name` is what messages call the file. A plain scalar is null (`~`, `null`, nothing), a boolean
// (`true`, `false`) or a whole number where it looks like one, else text; a quoted one is text.
// Since JSON is YAML, a JSON document of these is read as well. Nesting is bounded by
// json::kMaxDepth. Error: kMalformed with file and line.
Expected<json::value> ParseYaml(std::string_view text, const std::string& name);

// Text that ParseYaml reads back as `v`: a field a line, lists of scalars that are short in one
// line. Strings are quoted where a plain scalar would mean something else.
// Requires: no numbers but whole ones.
std::string WriteYaml(const json::value& v);

}  // namespace mig
