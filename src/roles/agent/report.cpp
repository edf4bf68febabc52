#include "roles/agent/report.h"

#include "util/text.h"

namespace mig::agent {
namespace {

// A fact as text that is safe to print; empty when it is absent.
std::string Fact(const LedgerEntry& entry, std::string_view name) {
  const json::value* v = entry.facts.if_contains(name);
  if (v == nullptr) return {};
  if (auto text = json::ToName(*v)) return EscapeForTerminal(*text);
  return EscapeForTerminal(json::Write(*v));
}

std::string List(const LedgerEntry& entry, std::string_view name) {
  const json::value* v = entry.facts.if_contains(name);
  if (v == nullptr || !v->is_array()) return Fact(entry, name);
  std::vector<std::string> words;
  for (const json::value& item : v->get_array()) {
    words.push_back(EscapeForTerminal(item.is_string() ? std::string_view(item.get_string())
                                                       : std::string_view("?")));
  }
  return Join(words, ", ");
}

std::uint64_t Number(const LedgerEntry& entry, std::string_view name) {
  const json::value* v = entry.facts.if_contains(name);
  const auto number = v == nullptr ? Expected<std::uint64_t>(0) : json::ToUint(*v);
  return number ? *number : 0;
}

std::string Quoted(const LedgerEntry& entry, std::string_view name) {
  return "\"" + Fact(entry, name) + "\"";
}

std::string Startup(const LedgerEntry& entry) {
  return "The agent started (mig " + Fact(entry, "version") + ").";
}

std::string PolicyTaken(const LedgerEntry& entry) {
  return "Took policy version " + Fact(entry, "version") + ", signed by root version " +
         Fact(entry, "root") + ".";
}

std::string AcceptedAction(const LedgerEntry& entry) {
  std::string text = "Accepted " + Quoted(entry, "name") + ", signed by " + List(entry, "people") +
                     ": " + Fact(entry, "kind") + " with " + List(entry, "modules") + ", target `" +
                     Fact(entry, "target") + "`, until " + Fact(entry, "expireafter") + ".";
  if (entry.facts.contains("reason")) text += " Reason given: " + Quoted(entry, "reason") + ".";
  return text + " Action " + Fact(entry, "action") + ".";
}

std::string RefusedAction(const LedgerEntry& entry) {
  std::string text = "Refused ";
  if (!entry.facts.contains("action")) {
    text += "a message that cannot be read";
  } else {
    text += Quoted(entry, "name");
    const json::value* is_signed = entry.facts.if_contains("signed");
    if (is_signed == nullptr || !is_signed->is_bool() || !is_signed->get_bool()) {
      text += ", which nobody known has signed";
    }
  }
  text += ": " + Fact(entry, "code") + " (" + Fact(entry, "detail") + ").";
  if (const std::uint64_t more = Number(entry, "suppressed"); more > 0) {
    text += " Before it " + Count(more, "refusal") + " like others already noted.";
  }
  if (entry.facts.contains("action")) text += " Action " + Fact(entry, "action") + ".";
  return text;
}

std::string StartedAction(const LedgerEntry& entry) {
  const std::uint64_t attempt = Number(entry, "attempt");
  return "Began to run action " + Fact(entry, "action") +
         (attempt > 1 ? ", again after the agent was interrupted." : ".");
}

std::string AnsweredAction(const LedgerEntry& entry) {
  return "Answered action " + Fact(entry, "action") + ": " + Fact(entry, "status") + ", " +
         Count(Number(entry, "elements"), "element") + " of " +
         Count(Number(entry, "bytes"), "byte") + " in " + Count(Number(entry, "parts"), "part") +
         ".";
}

std::string ChangedIdentity(const LedgerEntry& entry) {
  return "This machine was given a new identity, " + Fact(entry, "agent") + ", in place of " +
         Fact(entry, "before") + ".";
}

std::string HeldIdentity(const LedgerEntry& entry) {
  return "The server said that another machine uses the identity " + Fact(entry, "agent") +
         " too (was an image cloned?), and that it sends it nothing but stops until people have "
         "released it. On each copy but one: mig agent reset-identity.";
}

std::string StoppedAction(const LedgerEntry& entry) {
  return "Was told to stop action " + Fact(entry, "stops") + ", signed by " +
         List(entry, "people") + ".";
}

// To add an event: one line, its function above, and what writes it in ledger_notes.cpp.
constexpr struct {
  std::string_view event;
  std::string (*describe)(const LedgerEntry& entry);
} kEvents[] = {
    {"accepted", AcceptedAction},  {"answered", AnsweredAction}, {"held", HeldIdentity},
    {"identity", ChangedIdentity}, {"policy", PolicyTaken},      {"refused", RefusedAction},
    {"started", StartedAction},    {"startup", Startup},         {"stopped", StoppedAction},
};

}  // namespace

std::string DescribeEntry(const LedgerEntry& entry) {
  for (const auto& row : kEvents) {
    if (row.event == entry.event) return row.describe(entry);
  }
  return EscapeForTerminal(entry.event) + " " + EscapeForTerminal(json::Write(entry.facts));
}

json::object EntryToJson(const LedgerEntry& entry) {
  return {{"number", json::FromUint(entry.number)},
          {"time", FormatRfc3339(entry.time)},
          {"event", entry.event},
          {"facts", entry.facts},
          {"hash", EncodeHex(entry.hash)}};
}

}  // namespace mig::agent
