#include "cli/mig_action.h"

#include "modules/module.h"
#include "proto/target.h"
#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::uint64_t kSyntaxVersion = 2;

Error Unsupported(std::string message) { return Error(Errc::kUnsupported, std::move(message)); }

Expected<Operation> ReadOperation(const json::object& fields, const std::string& where,
                                  std::vector<std::string>& remarks) {
  json::ObjectReader in(fields, where);
  Operation operation;
  operation.module = in.String("module");
  const bool compressed = in.OptionalBool("is_compressed", false);
  const bool want = in.OptionalBool("want_compressed", false);
  const json::value* parameters = in.OptionalAny("parameters");
  if (auto done = in.Finish(); !done) return std::move(done).error();
  if (compressed || (parameters != nullptr && parameters->is_string())) {
    return Unsupported(where +
                       ": its parameters are compressed, which people cannot read; take the file "
                       "as it was before MIG compressed it, or write them out");
  }
  if (want) {
    remarks.push_back(where + ": want_compressed is left out; what is signed stays readable");
  }
  if (parameters != nullptr && !parameters->is_null()) {
    if (!parameters->is_object()) {
      return Error(Errc::kInvalid, where + ".parameters: is not an object");
    }
    operation.parameters = parameters->get_object();
  }
  const Module* module = FindModule(operation.module);
  if (module == nullptr) {
    std::vector<std::string> names;
    for (const Module* known : AllModules()) names.emplace_back(known->name);
    const std::string hint = DidYouMean(operation.module, names);
    return Unsupported(where + ": this mig has no module `" + EscapeForTerminal(operation.module) +
                       "`" + (hint.empty() ? "" : ", " + hint));
  }
  if (auto good = CheckParameters(*module, operation.parameters); !good) {
    return std::move(good).error().During(where + ", module " + operation.module);
  }
  return operation;
}

Expected<std::vector<Operation>> ReadOperations(const json::array& items, Kind* kind,
                                                std::vector<std::string>& remarks) {
  std::vector<Operation> operations;
  for (const json::value& item : items) {
    const std::string where = "operations[" + std::to_string(operations.size()) + "]";
    if (!item.is_object()) return Error(Errc::kInvalid, where + ": is not an object");
    auto operation = ReadOperation(item.get_object(), where, remarks);
    if (!operation) return std::move(operation).error();
    const Kind here = FindModule(operation->module)->kind;
    if (!operations.empty() && here != *kind) {
      return Unsupported(where + ": the module " + operation->module + " is of kind " +
                         std::string(KindName(here)) + ", those before it of kind " +
                         std::string(KindName(*kind)) +
                         "; an action has one kind, so make two files of it");
    }
    *kind = here;
    operations.push_back(std::move(*operation));
  }
  if (operations.empty()) return Error(Errc::kInvalid, "operations: there is none");
  return operations;
}

// MIG's zero time, year 1, means that none was set.
std::optional<UtcTime> ReadTime(json::ObjectReader& in, std::string_view key) {
  const std::string text = in.OptionalString(key);
  if (text.empty() || text.starts_with("0001-")) return std::nullopt;
  auto time = ParseRfc3339(text);
  if (time) return *time;
  in.Fail(key, time.error().message());
  return std::nullopt;
}

}  // namespace

bool LooksLikeMigAction(const json::object& document) {
  return document.contains("syntaxversion") ||
         (document.contains("operations") && !document.contains("kind"));
}

Expected<MigAction> ReadMigAction(const json::object& document) {
  json::ObjectReader in(document, "");
  MigAction mig;
  mig.name = in.String("name");
  mig.target = in.String("target");
  const std::uint64_t version = in.Uint64("syntaxversion");
  const json::array* operations = in.Array("operations");
  if (const json::object* fields = in.OptionalObject("description")) {
    json::ObjectReader inner(*fields, "description");
    mig.description.author = inner.OptionalString("author");
    mig.description.email = inner.OptionalString("email");
    mig.description.url = inner.OptionalString("url");
    mig.description.revision = inner.OptionalUint64("revision", 0);
    if (auto done = inner.Finish(); !done) in.Fail(std::move(done).error());
  }
  if (const json::object* fields = in.OptionalObject("threat")) {
    json::ObjectReader inner(*fields, "threat");
    mig.threat.ref = inner.OptionalString("ref");
    mig.threat.level = inner.OptionalString("level");
    mig.threat.family = inner.OptionalString("family");
    mig.threat.type = inner.OptionalString("type");
    if (auto done = inner.Finish(); !done) in.Fail(std::move(done).error());
  }
  mig.validfrom = ReadTime(in, "validfrom");
  mig.expireafter = ReadTime(in, "expireafter");
  const json::value* signatures = in.OptionalAny("pgpsignatures");
  // What MIG's server adds to an action.
  std::string left_out;
  for (const char* name :
       {"id", "status", "starttime", "finishtime", "lastupdatetime", "counters", "investigators"}) {
    if (in.OptionalAny(name) != nullptr)
      left_out += (left_out.empty() ? "" : ", ") + std::string(name);
  }
  if (auto done = in.Finish(); !done) return std::move(done).error();

  if (version != kSyntaxVersion) {
    return Unsupported("syntaxversion: is " + std::to_string(version) +
                       "; MIG's actions are read in version 2");
  }
  if (signatures != nullptr && signatures->is_array() && !signatures->get_array().empty()) {
    return Unsupported(
        "pgpsignatures: were made for MIG's servers and mean nothing here; take them out, and the "
        "action is signed anew");
  }
  if (mig.name.empty()) return Error(Errc::kInvalid, "name: is empty");
  if (mig.validfrom.has_value() != mig.expireafter.has_value()) {
    return Error(Errc::kInvalid, "validfrom and expireafter stand together or not at all");
  }
  if (auto target = Target::Parse(mig.target); !target) {
    return std::move(target).error().During(
        "MIG's targets are any SQL, here they are a part of it");
  }
  if (!left_out.empty()) mig.remarks.push_back(left_out + ": left out, of MIG's server");
  auto read = ReadOperations(*operations, &mig.kind, mig.remarks);
  if (!read) return std::move(read).error();
  mig.operations = std::move(*read);
  return mig;
}

Action ActionFrom(const MigAction& mig, const Draft& draft, const Limits& limits,
                  std::chrono::milliseconds expire, UtcTime now) {
  Action action = MakeAction(draft, mig.kind, mig.target, mig.operations, limits, expire, now);
  action.name = mig.name;
  if (!mig.description.author.empty() || !mig.description.email.empty()) {
    action.description = mig.description;
  } else {
    action.description.url = mig.description.url;
    action.description.revision = mig.description.revision;
  }
  action.threat = mig.threat;
  if (mig.validfrom) {
    action.validfrom = *mig.validfrom;
    action.expireafter = *mig.expireafter;
  }
  return action;
}

}  // namespace mig::cli
