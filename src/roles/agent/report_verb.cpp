#include "roles/agent/report_verb.h"

#include <algorithm>

#include "cli/exit_status.h"
#include "cli/verb.h"
#include "crypto/key_file.h"
#include "os/files.h"
#include "roles/agent/agent_config.h"
#include "roles/agent/enrolment.h"
#include "roles/agent/report.h"
#include "store/agent_db.h"
#include "util/text.h"

namespace mig::agent {
namespace {

namespace fs = std::filesystem;

constexpr int kAltered = 1;
constexpr std::size_t kMaxAnchorFileBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxKeyFileBytes = 64 << 10;

std::string Voucher(const LedgerAnchor& anchor) {
  std::string text = "the " + (anchor.what == "result" ? std::string("answer") : anchor.what);
  if (anchor.action) {
    text += " to action " + anchor.action->Text();
  } else {
    text += " of " + FormatRfc3339(anchor.time);
  }
  if (!anchor.held_by.empty()) text += ", which " + EscapeForTerminal(anchor.held_by) + " holds,";
  return text;
}

// ---- the keys of this machine

Expected<Bytes> PublicKeyIn(const fs::path& file) {
  auto text = os::ReadFile(file, kMaxKeyFileBytes);
  if (!text) return std::move(text).error();
  auto key = ReadKeyFile(*text, "");
  WipeBytes(*text);
  if (!key) return std::move(key).error().During(file.string());
  return Bytes(key->secret.public_key().View());
}

// The identities that the ledger says were given up, with the entry that says so.
Expected<std::vector<OwnKey>> OwnKeys(const AgentConfig& config) {
  auto now = PublicKeyIn(config.KeyFile());
  if (!now) return std::move(now).error().During("this machine's own key");
  std::vector<OwnKey> own = {{*AgentId::FromBytes(PublicKey::FromBytes(*now)->Fingerprint()), 0}};
  auto read = store::ReadLedgerRows(config.Database(), [&](const LedgerRow& row) {
    const auto entry = ReadLedgerText(row.text);
    if (!entry || entry->event != "identity") return true;
    const json::value* before = entry->facts.if_contains("before");
    if (before == nullptr || !before->is_string()) return true;
    if (auto id = AgentId::Parse(before->get_string())) own.push_back({*id, entry->number});
    return true;
  });
  if (!read) return std::move(read).error();
  return own;
}

// What this machine last signed itself. It lies on the same disk as the ledger and proves nothing
// when it agrees, but shows a ledger that was cut or set back by somebody who forgot it.
Expected<std::optional<HeldMark>> OutboxMark(const AgentConfig& config) {
  auto newest = store::ReadNewestPart(config.Database());
  if (!newest) return std::move(newest).error();
  if (!*newest) return std::optional<HeldMark>();
  auto key = PublicKeyIn(config.KeyFile());
  auto envelope = DecodeEnvelope(**newest);
  if (!key || !envelope) return std::optional<HeldMark>();
  auto anchor = AnchorIn(std::move(*envelope), *key, "");
  if (!anchor) return std::optional<HeldMark>();  // of the identity before a reset
  const std::string voucher =
      anchor->action ? "the answer to action " + anchor->action->Text() : "an answer";
  return std::optional<HeldMark>(
      HeldMark{anchor->mark, voucher + ", which lies in this machine's outbox,", false});
}

// --anchor, each a file or LENGTH:HEAD.
Expected<void> AddAnchors(const std::vector<std::string>& given, const AgentConfig& config,
                          ReportRequest& request) {
  std::optional<std::vector<OwnKey>> own;
  for (const std::string& word : given) {
    if (auto mark = ParseMark(word)) {
      request.marks.push_back({std::move(*mark),
                               "the mark " + word.substr(0, word.find(':')) + ":… that you gave",
                               true});
      continue;
    }
    auto text = os::ReadFile(word, kMaxAnchorFileBytes);
    if (!text && text.error().code() == Errc::kNotFound) {
      return Error(Errc::kInvalid,
                   "--anchor " + word + ": there is no such file, and it is not LENGTH:HEAD");
    }
    if (!text) return std::move(text).error().During("--anchor");
    auto anchors = ReadAnchors(*text);
    if (!anchors) return std::move(anchors).error().During("--anchor " + word);
    if (!own) {
      auto keys = OwnKeys(config);
      if (!keys) return std::move(keys).error();
      own = std::move(*keys);
    }
    UsefulAnchors useful = SelectAnchors(*anchors, *own);
    if (useful.marks.empty() && useful.of_copies == 0) {
      return Error(Errc::kInvalid,
                   "--anchor " + word + ": holds " + Count(anchors->size(), "anchor") +
                       ", none of this machine, which is agent " + own->front().id.Text());
    }
    request.remarks.push_back(word + ": " + Count(useful.marks.size(), "anchor") +
                              " with a good signature of this machine's own key");
    if (useful.of_copies > 0) {
      request.remarks.push_back(word + ": " + Count(useful.of_copies, "anchor") +
                                " signed with a key that this machine had given up by then: "
                                "another machine was a copy of it");
    }
    std::ranges::move(useful.marks, std::back_inserter(request.marks));
  }
  return {};
}

// The deployment by the configuration, else by what the enrolment recorded.
Expected<std::optional<OrgId>> OrgOf(const AgentConfig& config) {
  if (config.org) return config.org;
  auto recorded = RecordedDeployment(config);
  if (!recorded) return std::move(recorded).error();
  if (!*recorded) return std::optional<OrgId>();
  return std::optional<OrgId>((*recorded)->org);
}

// ---- printing

json::object VerdictToJson(const LedgerAudit& audit, const ReportRequest& request) {
  json::array findings;
  for (const LedgerFinding& finding : audit.findings()) {
    findings.push_back(
        json::object{{"number", json::FromUint(finding.number)}, {"text", finding.text}});
  }
  json::object verdict{{"length", json::FromUint(audit.length())},
                       {"head", EncodeHex(audit.head())},
                       {"verified", !audit.tampered()},
                       {"findings", std::move(findings)},
                       {"proven", nullptr}};
  if (const auto& proven = audit.proven()) {
    verdict["proven"] = json::object{{"length", json::FromUint(proven->mark.length)},
                                     {"head", EncodeHex(proven->mark.head)},
                                     {"by", proven->voucher}};
  }
  json::array remarks;
  for (const std::string& remark : request.remarks) remarks.emplace_back(remark);
  verdict["remarks"] = std::move(remarks);
  return verdict;
}

std::string Range(std::uint64_t from, std::uint64_t to) {
  return from == to ? "Entry " + std::to_string(from)
                    : "Entries " + std::to_string(from) + " to " + std::to_string(to);
}

std::string VerdictInWords(const LedgerAudit& audit, const ReportRequest& request) {
  std::string text;
  for (const std::string& remark : request.remarks) text += EscapeForTerminal(remark) + ".\n";
  if (audit.tampered()) {
    for (const LedgerFinding& finding : audit.findings()) {
      text += "THE LEDGER WAS CHANGED: " + EscapeForTerminal(finding.text) + ".\n";
    }
    if (audit.findings().size() == LedgerAudit::kMaxFindings) text += "And perhaps more.\n";
    return text +
           "Somebody altered it, or an older state of this disk was put back, or another machine "
           "uses this identity (a copy of the disk).\n";
  }
  text += (audit.length() == 1 ? "1 entry" : std::to_string(audit.length()) + " entries") +
          ", each follows the one before; head " + EncodeHex(audit.head()) + "\n";
  const auto& proven = audit.proven();
  if (!proven) {
    if (!request.verify_only) return text;
    return text +
           "Nobody outside vouches for it: who owns this disk could have written all of it anew.\n"
           "An investigator can give you marks to hold against it, with: mig agents anchors --out "
           "FILE\n";
  }
  text += Range(1, proven->mark.length) + (proven->mark.length == 1 ? " is" : " are") +
          " proven by " + proven->voucher + (proven->voucher.ends_with(',') ? "" : ",") +
          " and unchanged since.\n";
  if (proven->mark.length < audit.length()) {
    const bool one = proven->mark.length + 1 == audit.length();
    text += Range(proven->mark.length + 1, audit.length()) + (one ? " is" : " are") +
            " consistent, but nobody outside vouches for " + (one ? "it" : "them") + ".\n";
  }
  return text;
}

}  // namespace

UsefulAnchors SelectAnchors(const std::vector<LedgerAnchor>& anchors,
                            const std::vector<OwnKey>& own) {
  UsefulAnchors useful;
  for (const LedgerAnchor& anchor : anchors) {
    const auto key = std::ranges::find(own, anchor.agent, &OwnKey::id);
    if (key == own.end()) {
      ++useful.foreign;
    } else if (key->until > 0 && anchor.mark.length >= key->until) {
      ++useful.of_copies;
    } else {
      useful.marks.push_back({anchor.mark, Voucher(anchor), true});
    }
  }
  return useful;
}

Expected<bool> PrintReport(const ReportRequest& request, cli::Terminal& terminal) {
  LedgerAudit audit(request.marks);
  bool first = true;
  if (request.json) {
    terminal.Data(request.verify_only
                      ? "{"
                      : "{\"policy\":" + json::Write(request.head.facts) + ",\n\"entries\":[");
  } else if (!request.verify_only) {
    terminal.Data(request.head.text);
  }
  auto read = store::ReadLedgerRows(request.database, [&](const LedgerRow& row) {
    const auto entry = audit.Take(row);
    if (!entry || request.verify_only) return true;
    if (request.since && entry->time < *request.since) return true;
    if (request.until && entry->time >= *request.until) return true;
    if (request.json) {
      terminal.Data((first ? "\n" : ",\n") + json::Write(EntryToJson(*entry)));
    } else {
      std::string number = "#" + std::to_string(entry->number);
      number.insert(0, number.size() < 6 ? 6 - number.size() : 0, ' ');
      terminal.Data(number + "  " + FormatRfc3339(entry->time) + "  " + DescribeEntry(*entry) +
                    "\n");
    }
    first = false;
    return true;
  });
  if (!read) return std::move(read).error();
  audit.Finish();
  if (request.json) {
    const std::string verdict = json::Write(VerdictToJson(audit, request));
    terminal.Data((request.verify_only ? "" : "\n],") + verdict.substr(1) + "\n");
  } else {
    terminal.Data(VerdictInWords(audit, request));
  }
  return !audit.tampered();
}

Expected<UtcTime> ParseMoment(std::string_view text, UtcTime now) {
  if (auto time = ParseRfc3339(text)) return time;
  if (auto day = ParseRfc3339(std::string(text) + "T00:00:00Z")) return day;
  if (auto back = ParseDuration(text)) return now - *back;
  return Error(Errc::kInvalid,
               "`" + std::string(text) + "` is none of 2d, 2026-11-23 and 2026-11-23T09:30:00Z");
}

int RunReport(std::span<const std::string> arguments) {
  std::string file, since, until;
  std::vector<std::string> anchors;
  ReportRequest request;
  cli::Options options("mig agent report --config FILE [--since 2d] [--verify] [--anchor FILE]",
                       "Prints the ledger of this machine: what was asked of it, by whom, what the "
                       "agent decided,\nand what it answered. Needs no network.");
  options.Text("config", 'c', "FILE", "the agent's configuration", &file);
  options.Text("since", '\0', "TIME", "entries from then on: 2d, 2026-11-23, 2026-11-23T09:30:00Z",
               &since);
  options.Text("until", '\0', "TIME", "entries before then", &until);
  options.Flag("json", '\0', "one JSON object instead of text", &request.json);
  options.Flag("verify", '\0', "no entries, only whether anybody changed them",
               &request.verify_only);
  options.Texts("anchor", '\0', "FILE|LENGTH:HEAD",
                "what somebody outside holds; may be given more than once", &anchors);
  options.Note(
      "An anchor is a word that this agent signed, with the length and the last hash of its "
      "ledger.\nInvestigators keep them: mig agents anchors --out FILE.");
  options.Note("Exit status: 0 nothing was changed, 1 it was altered or cannot be read, 2 usage.");
  options.Example("mig agent report --config /etc/mig/agent.yaml --since 2d",
                  "for the machine's owner");
  options.Example("mig agent report --config /etc/mig/agent.yaml --verify --anchor anchors.json",
                  "whether it was changed, and up to where somebody else can tell");
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  const auto usage = [&](const Error& error) {
    terminal.Complain(error.message());
    return static_cast<int>(cli::kUsage);
  };
  if (file.empty())
    return usage(Error(Errc::kInvalid, "name the configuration with --config FILE"));
  auto config = LoadAgentConfig(file);
  if (!config) return usage(config.error());
  const UtcTime now = Now();
  for (const auto& [word, moment] : {std::pair{&since, &request.since}, {&until, &request.until}}) {
    if (word->empty()) continue;
    auto parsed = ParseMoment(*word, now);
    if (!parsed) return usage(parsed.error());
    *moment = *parsed;
  }
  request.database = config->Database();
  auto org = OrgOf(*config);
  if (!org) return usage(org.error());
  auto trust = store::ReadTrust(request.database);
  if (!trust) {
    terminal.Complain(trust.error().message());
    return kAltered;
  }
  request.head = HeadOf(*org, *trust, now);
  if (auto added = AddAnchors(anchors, *config, request); !added) return usage(added.error());
  auto outbox = OutboxMark(*config);
  if (outbox && *outbox) request.marks.push_back(std::move(**outbox));
  auto unchanged = PrintReport(request, terminal);
  if (!unchanged) {
    terminal.Complain(unchanged.error().message());
    return kAltered;
  }
  return *unchanged ? cli::Finish(terminal, cli::kFound) : kAltered;
}

}  // namespace mig::agent
