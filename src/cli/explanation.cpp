#include "cli/explanation.h"

#include "cli/terminal_json.h"
#include "modules/module.h"
#include "proto/target.h"
#include "trust/signers.h"
#include "trust/standing.h"
#include "util/encoding.h"
#include "util/size.h"
#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::size_t kLabelWidth = 12;
constexpr std::size_t kWidth = 80;         // what any terminal has: see Held
constexpr std::size_t kMostValue = 2'000;  // of one parameter's value; `mig action show` has all

std::string JsonText(const json::value& value) {
  std::string text = json::Write(value);
  if (text.size() <= kMostValue) return EscapeJson(std::move(text));
  const std::size_t all = text.size();
  return EscapeJson(std::string(Utf8Prefix(text, kMostValue))) + "\xE2\x80\xA6 (" +
         GroupThousands(all) + " bytes; `mig action show` prints all of it)";
}

// `text` in lines of at most kWidth columns from `column` on, the further ones indented so far.
// Also where it has no spaces: what a terminal would break by itself goes on at its left edge,
// where only our labels stand, and could pretend to be one.
std::string Held(std::string_view text, std::size_t column) {
  const std::string wrapped = WrapText(text, column, kWidth);
  const std::string indent(column, ' ');
  std::string held;
  std::string_view rest = wrapped;
  bool first = true;
  while (true) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    if (!std::exchange(first, false)) line.remove_prefix(std::min(column, line.size()));
    do {  // at most one column for each byte
      const std::string_view piece = Utf8Prefix(line, kWidth > column ? kWidth - column : 1);
      if (!held.empty()) held += "\n" + indent;
      held += piece;
      if (piece.empty()) break;
      line.remove_prefix(piece.size());
    } while (!line.empty());
    if (end == std::string_view::npos) return held;
    rest.remove_prefix(end + 1);
  }
}

// The page under construction.
class Page {
 public:
  // `value` is escaped here; further lines of the same label have none.
  void Line(std::string_view label, std::string_view value) {
    std::string left(label);
    left.resize(std::max(kLabelWidth, left.size() + 1), ' ');
    text_ += left + Held(EscapeForTerminal(value), kLabelWidth) + "\n";
  }
  // `value` is safe to print.
  void Item(std::size_t depth, std::string_view value) {
    const std::size_t column = kLabelWidth + 3 * depth;
    text_ += std::string(column, ' ') + Held(value, column) + "\n";
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

const json::value* ValueAt(const json::object& fields, std::string_view path) {
  const json::object* here = &fields;
  for (;;) {
    const std::size_t dot = path.find('.');
    const json::value* value = here->if_contains(path.substr(0, dot));
    if (value == nullptr || dot == std::string_view::npos) return value;
    here = value->if_object();
    if (here == nullptr) return nullptr;
    path.remove_prefix(dot + 1);
  }
}

// What the module declares, as far as it was given; `fields` is one search, or all there is.
void Parameters(Page& page, const Module& module, const json::object& fields, std::size_t depth) {
  bool any = false;
  std::string_view shown;  // two flags may mean one field
  for (const Parameter& parameter : module.parameters) {
    const json::value* value = ValueAt(fields, parameter.field);
    if (value == nullptr || value->is_null() || parameter.field == shown) continue;
    shown = parameter.field;
    any = true;
    std::string line = std::string(parameter.field) + " = " + JsonText(*value);
    const std::size_t column = kLabelWidth + 3 * depth + line.size();
    // The sentence beside the value where there is room for it.
    if (column + parameter.help.size() + 4 <= kWidth) {
      page.Item(depth, line + "    " + std::string(parameter.help));
    } else {
      page.Item(depth, line);
      page.Item(depth + 1, parameter.help);
    }
  }
  if (!any) page.Item(depth, "no parameters: what the module does by itself");
}

void OperationLines(Page& page, const Operation& operation, std::size_t number,
                    const TrustedPolicy* policy, const Action& action) {
  const std::string head = std::to_string(number) + ". " + operation.module + ": ";
  const std::string_view label = number == 1 ? "does" : "";
  const Module* module = FindModule(operation.module);
  if (module == nullptr) {
    page.Line(label, head + "THIS mig DOES NOT KNOW THE MODULE. Its parameters are");
    page.Item(1, JsonText(operation.parameters));
    return;
  }
  page.Line(label, head + std::string(module->summary));
  if (module->kind != action.kind) {
    page.Item(
        1, "AGENTS WILL REFUSE IT: the module is of kind " + std::string(KindName(module->kind)));
  }
  if (auto good = CheckParameters(*module, operation.parameters); !good) {
    page.Item(1, "AGENTS WILL REFUSE IT: " + EscapeForTerminal(good.error().message()));
    page.Item(1, JsonText(operation.parameters));
  } else if (module->layout == Layout::kSearches) {
    for (const auto& search : operation.parameters.at("searches").get_object()) {
      page.Item(1, "search " + JsonText(json::value(search.key())) + ":");
      Parameters(page, *module, search.value().get_object(), 2);
    }
  } else {
    Parameters(page, *module, operation.parameters, 1);
  }
  page.Item(1, "its process on the machine may use: " +
                   os::Describe(RightsFor(*module, operation.parameters)));
  const ModuleRule* rule =
      policy == nullptr ? nullptr : policy->RuleFor(operation.module, action.kind);
  if (rule == nullptr) return;
  if (!rule->constraints.paths.empty()) {
    page.Item(1, "the policy lets it read only below: " +
                     EscapeForTerminal(Join(rule->constraints.paths, ", ")));
  }
  for (const auto& [name, values] : rule->constraints.parameters) {
    page.Item(1,
              EscapeForTerminal("the policy allows for " + name + " only: " + Join(values, ", ")));
  }
}

std::string WhoIsAsked(const Action& action) {
  auto target = Target::Parse(action.target);
  if (!target) return "nobody: " + target.error().message();
  const std::string words = target->Words();
  return words.empty() ? "every machine" : "machines where " + words;
}

void Reach(Page& page, const Explained& what) {
  const Action& action = what.action;
  auto target = Target::Parse(action.target);
  page.Line("asked of", WhoIsAsked(action));
  page.Line("", "as written: " + action.target);
  if (action.audience) {
    page.Line("reaches", "exactly the " + Count(action.audience->size, "machine") +
                             " of the list that is signed with it; every other refuses");
  } else if (what.machines) {
    page.Line("reaches", Count(*what.machines, "machine") + " now, as the server counts them");
  }
  if (target && target->AsksTheServer()) {
    page.Line("", action.kind == Kind::kInvestigate
                      ? "Part of that only the server can tell: it may choose among the others."
                      : "AGENTS WILL REFUSE IT: part of that only the server can tell, and an "
                        "action of this kind must not leave the choice to it.");
  }
}

void Signatures(Page& page, const Explained& what) {
  const std::string count = Count(what.envelope.signatures.size(), "signature");
  if (what.envelope.signatures.empty()) {
    page.Line("signed by", "nobody yet");
  } else if (what.policy == nullptr) {
    page.Line("signed by", count + ", not checked: there is no policy at hand (--policy FILE)");
  }
  if (what.policy == nullptr) return;
  std::set<std::string> people;
  if (!what.envelope.signatures.empty()) {
    Signers signers = CheckSigners(what.envelope, *what.policy);
    if (signers.refused) {
      page.Line("signed by", "NOT AS IT SHOULD BE (" +
                                 std::string(RefusalCode(signers.refused->code)) +
                                 "): " + signers.refused->detail);
      return;
    }
    people = std::move(signers.people);
    bool first = true;
    for (const std::string& person : people) {
      page.Line(std::exchange(first, false) ? "signed by" : "", PersonText(person, *what.policy));
    }
  }
  if (what.action.kind == Kind::kStop) {
    page.Line("missing", people.empty() ? "one signature, of any active person" : "nothing");
    return;
  }
  const std::vector<std::string> missing = MissingLines(what.action, people, *what.policy);
  if (missing.empty()) page.Line("missing", "nothing: enough people have signed");
  for (std::size_t i = 0; i < missing.size(); ++i) page.Line(i == 0 ? "missing" : "", missing[i]);
}

void Validity(Page& page, const Explained& what) {
  const Action& action = what.action;
  page.Line("valid", FormatRfc3339(action.validfrom) + " to " + FormatRfc3339(action.expireafter) +
                         " (" + FormatDuration(action.expireafter - action.validfrom) + ")");
  if (what.now >= action.expireafter) {
    page.Line("", "AGENTS WILL REFUSE IT: that is over");
  } else if (what.now < action.validfrom) {
    page.Line("", "that has not begun yet");
  }
  if (what.policy == nullptr || action.kind == Kind::kStop) return;
  const auto longest = what.policy->policy().validity.find(action.kind);
  if (longest == what.policy->policy().validity.end()) {
    page.Line("", "AGENTS WILL REFUSE IT: the policy allows no action of this kind");
  } else if (action.expireafter - action.validfrom > longest->second) {
    page.Line("", "AGENTS WILL REFUSE IT: the policy allows " + FormatDuration(longest->second));
  }
}

void LimitLine(Page& page, const Explained& what) {
  const Limits& limits = what.action.limits;
  page.Line(
      "limits",
      "on each machine " + FormatDuration(std::chrono::seconds(limits.seconds)) + ", " +
          FormatSize(limits.rss) + " of memory, " + std::to_string(limits.cpu) + "% of a core, " +
          GroupThousands(limits.rows) + " rows, " + FormatSize(limits.bytes) + " of answer" +
          (limits.rate > 0 ? ", reading " + FormatSize(limits.rate) + " a second" : std::string()));
  if (what.policy == nullptr) return;
  const std::string above = FirstAbove(limits, what.policy->policy().ceilings);
  if (!above.empty()) page.Line("", "AGENTS WILL REFUSE IT: " + above + " is above the ceiling");
}

void Claims(Page& page, const Action& action) {
  const Description& by = action.description;
  std::string author = by.author;
  if (!by.email.empty()) author += (author.empty() ? "<" : " <") + by.email + ">";
  if (by.revision != 0) author += ", revision " + std::to_string(by.revision);
  if (!by.url.empty()) author += ", " + by.url;
  if (!author.empty()) page.Line("author", author + " (as it says of itself)");
  if (!action.reason.empty()) page.Line("reason", action.reason);
  std::string threat;
  for (const auto& [name, value] :
       {std::pair<std::string_view, const std::string&>{"ref", action.threat.ref},
        {"level", action.threat.level},
        {"family", action.threat.family},
        {"type", action.threat.type}}) {
    if (!value.empty()) {
      threat += (threat.empty() ? "" : ", ") + std::string(name) + " " + value;
    }
  }
  if (!threat.empty()) page.Line("threat", threat);
}

}  // namespace

std::string_view KindSentence(Kind kind) {
  switch (kind) {
    case Kind::kInvestigate:
      return "looks and answers; changes nothing on the machines";
    case Kind::kRespond:
      return "CHANGES THE MACHINES";
    case Kind::kAdmin:
      return "CHANGES THE AGENTS on the machines";
    case Kind::kStop:
      return "ends another action, wherever that runs or has not begun";
  }
  return "";
}

std::vector<std::string> MissingLines(const Action& action, const std::set<std::string>& people,
                                      const TrustedPolicy& policy) {
  std::vector<std::string> lines;
  for (const ModuleStanding& standing : Standings(action, people, policy)) {
    if (standing.Reached()) continue;
    if (standing.rule == nullptr) {
      lines.push_back(standing.module + ": the policy lets nobody use it");
      continue;
    }
    std::string line = standing.module + ": weight " + std::to_string(standing.weight) + " of " +
                       std::to_string(standing.needed);
    std::string who;
    for (const ModuleStanding::Candidate& candidate : standing.candidates) {
      who += (who.empty() ? "" : ", ") + candidate.person->name + " (weight " +
             std::to_string(candidate.weight) + ")";
    }
    line += who.empty() ? "; nobody is left who could sign" : "; could sign: " + who;
    if (!who.empty() && !standing.CanBeReached()) line += "; even all of them are not enough";
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string Explain(const Explained& what) {
  const Action& action = what.action;
  Page page;
  page.Line("action", action.id.Text() + "  " + action.name);
  page.Line("kind",
            std::string(KindName(action.kind)) + ": " + std::string(KindSentence(action.kind)));
  if (action.stops) page.Line("stops", action.stops->Text());
  if (action.kind != Kind::kStop) {
    Reach(page, what);
    for (std::size_t i = 0; i < action.operations.size(); ++i) {
      OperationLines(page, action.operations[i], i + 1, what.policy, action);
    }
    for (std::size_t i = 0; i < action.attachments.size(); ++i) {
      const Attachment& attachment = action.attachments[i];
      page.Line(i == 0 ? "attached" : "", attachment.name + ", " + FormatSize(attachment.bytes) +
                                              ", SHA-256 " + EncodeHex(attachment.sha256));
    }
    LimitLine(page, what);
  }
  Validity(page, what);
  Claims(page, action);
  page.Line("deployment", action.org.Text());
  if (what.policy != nullptr && action.org != what.policy->policy().org) {
    page.Line("", "AGENTS WILL REFUSE IT: the policy at hand is of another deployment");
  }
  if (action.policy != 0) {
    std::string policy = "version " + std::to_string(action.policy) + " or newer";
    if (what.policy != nullptr) {
      policy += "; looked at by version " + std::to_string(what.policy->policy().version);
    }
    page.Line("policy", policy);
  }
  Signatures(page, what);
  return page.Take();
}

}  // namespace mig::cli
