// How parameters refer to an action's attachments: an element {"attachment": "NAME"} of a list of
// strings stands for the lines of that file (wire.md, "Action"). Pure; which parameters are lists
// of strings the module says (modules/parameters.cpp), where the bytes come from the agent or the
// client.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proto/action.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

// Of what one operation's references stand for together, however often a file is named.
inline constexpr std::size_t kMaxAttachmentLines = 1'000'000;
inline constexpr std::uint64_t kMaxExpandedBytes = kMaxAttachmentBytes;

// The name, where `item` is a reference. Valid as long as `item`.
std::optional<std::string_view> AttachmentReference(const json::value& item);
json::value MakeAttachmentReference(std::string_view name);

// The names that stand in lists, at any depth. A reference anywhere else is no reference, and the
// module refuses it as something of the wrong type.
std::set<std::string> ReferencedAttachments(const json::object& parameters);

// Every name that an operation refers to is attached, every attachment is referred to, and those of
// one operation hold at most kMaxExpandedBytes together. Error: kInvalid, naming it.
Expected<void> CheckAttachmentReferences(const std::vector<Operation>& operations,
                                         const std::vector<Attachment>& attachments);

// The lines that count: UTF-8 text, a byte order mark and a CR before the line's end cut off, empty
// lines and those that begin with # left out. They point into `content`.
// Error: kInvalid: not text, no line that counts, more than kMaxAttachmentLines.
Expected<std::vector<std::string_view>> AttachmentLines(BytesView content);

// Nothing for a name that is not there. What it returns must outlive the expansion.
using AttachmentLookup = std::function<std::optional<BytesView>(std::string_view name)>;

// The parameters with every reference replaced by the lines it stands for, in their order. They may
// then break the module's rules, or the policy's: both are checked again.
// Error: kInvalid as AttachmentLines, naming the attachment; kNotFound; kFull beyond the bounds.
Expected<json::object> ExpandAttachments(const json::object& parameters,
                                         const AttachmentLookup& lookup);

}  // namespace mig
