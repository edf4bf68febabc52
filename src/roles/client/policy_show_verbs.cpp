// mig policy show|log: what is in force, and what was.
#include <algorithm>

#include "cli/key_line.h"
#include "cli/policy_words.h"
#include "cli/terminal_json.h"
#include "cli/verb.h"
#include "crypto/verifying_key.h"
#include "os/files.h"
#include "roles/client/policy_remarks.h"
#include "roles/client/policy_verbs.h"
#include "trust/freshness.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

// Ids of the root keys that signed, as far as people compare them.
std::string SignersOf(const Root& root, const Envelope& envelope) {
  std::vector<std::string> signers;
  for (const DocumentKey& document_key : root.keys) {
    const auto key = VerifyingKey::From(document_key.type, document_key.key);
    if (key && SignedBy(envelope, *key)) signers.push_back(cli::KeyWords(document_key));
  }
  return Join(signers, ", ");
}

Expected<PolicyDocuments> DocumentsIn(const std::string& file) {
  auto text = os::ReadFile(file, 4 << 20);
  if (!text) return std::move(text).error();
  auto bundle = cli::ReadSigningBundle(*text);
  if (!bundle) return std::move(bundle).error().During(file);
  auto fields = json::ParseObject(*text);
  if (!fields) return std::move(fields).error().During(file);
  auto documents = ReadPolicyBundle(bundle->org(), *fields);
  if (!documents) return std::move(documents).error().During(file);
  return documents;
}

}  // namespace

ExitStatus PolicyShow(Words words, cli::Terminal& terminal) {
  std::string file;
  bool json = false;
  ConnectionOptions wanted;
  cli::Options options("mig policy show [FILE] [--json]",
                       "What the policy in force says, in plain words, verified from the org in "
                       "your configuration;\nor that in a file (documents.json).");
  options.Word("FILE", "documents in a file, of whatever deployment", false, &file);
  options.Flag("json", '\0', "the policy as agents read it", &json);
  wanted.AddConfigTo(options);
  options.Example("mig policy show", "who may order what");
  options.Example("mig policy show --json | jq .people", "for a program");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto documents = [&]() -> Expected<PolicyDocuments> {
    if (!file.empty()) return DocumentsIn(file);
    auto config = cli::FindClientConfig(wanted.config, cli::ProcessEnvironment);
    if (!config) return std::move(config).error();
    cli::ApiClient api(*config, {});
    return api.GetDocuments();
  }();
  if (!documents) return cli::Fail(terminal, documents.error());
  if (json) {
    auto payload = json::Parse(documents->policy.payload);
    if (!payload) return cli::Fail(terminal, payload.error());
    terminal.Data(cli::EscapeJson(json::WritePretty(*payload)) + "\n");
  } else {
    for (const std::string& line : cli::DescribePolicy(documents->trusted.policy())) {
      terminal.Data(EscapeForTerminal(line) + "\n");
    }
    auto root = DecodeRoot(documents->roots.back().payload);
    if (!root) return cli::Fail(terminal, root.error());
    for (const std::string& line : cli::DescribeRoot(*root)) terminal.Data(line + "\n");
    terminal.Data("signed by " + SignersOf(*root, documents->policy) + "\n");
    if (documents->freshness) {
      auto statement = VerifyFreshness(*documents->freshness, documents->trusted);
      if (statement) {
        terminal.Data("stated to be the newest at " + FormatRfc3339(statement->time) + "\n");
      }
    }
  }
  RemarkOnPolicy(*documents, Now(), terminal);
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus PolicyLog(Words words, cli::Terminal& terminal) {
  ConnectionOptions wanted;
  cli::Options options("mig policy log",
                       "Every policy that was published, newest first: who signed it, when, and "
                       "what it changed. Each is\nverified here, from the org in your "
                       "configuration.");
  wanted.AddConfigTo(options);
  options.Example("mig policy log", "who changed what");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto config = cli::FindClientConfig(wanted.config, cli::ProcessEnvironment);
  if (!config) return cli::Fail(terminal, config.error());
  cli::ApiClient api(*config, {});
  auto current = api.GetDocuments();
  if (!current) return cli::Fail(terminal, current.error());
  auto listed = api.ListPolicies();
  if (!listed) return cli::Fail(terminal, listed.error());
  struct Entry {
    Envelope envelope;
    std::uint64_t root = 0;
    std::string published;
    Policy policy;
  };
  std::vector<Entry> entries;
  json::ObjectReader in(*listed, "the server's answer", json::ObjectReader::Unknown::kIgnore);
  const json::array* items = in.Array("policies");
  if (auto ok = in.Finish(); !ok) return cli::Fail(terminal, ok.error());
  for (const json::value& item : *items) {
    if (!item.is_object())
      return cli::Fail(terminal, Error(Errc::kMalformed, "policies: no object"));
    json::ObjectReader fields(item.get_object(), "policies", json::ObjectReader::Unknown::kIgnore);
    const json::object* envelope_fields = fields.Object("policy");
    Entry entry;
    entry.root = fields.Uint64("root");
    entry.published = fields.OptionalString("published");
    if (auto ok = fields.Finish(); !ok) return cli::Fail(terminal, ok.error());
    auto envelope = EnvelopeFromJson(*envelope_fields, "policies");
    if (!envelope) return cli::Fail(terminal, envelope.error());
    entry.envelope = std::move(*envelope);
    entries.push_back(std::move(entry));
  }
  // The one in the server's files may never have been published.
  if (entries.empty() || entries.back().envelope.payload != current->policy.payload) {
    const bool there = std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
      return entry.envelope.payload == current->policy.payload;
    });
    if (!there) entries.insert(entries.begin(), {current->policy, current->roots.size(), "", {}});
  }
  bool all_verify = true;
  for (Entry& entry : entries) {
    const auto count = std::clamp<std::uint64_t>(entry.root, 1, current->roots.size());
    const std::vector<Envelope> roots(current->roots.begin(),
                                      current->roots.begin() + static_cast<std::ptrdiff_t>(count));
    auto trusted = VerifyPolicyChain(config->org, roots, entry.envelope);
    if (!trusted) {
      terminal.Complain("a policy that the server lists does not verify: " +
                        trusted.error().message());
      all_verify = false;
      entry.root = 0;
      continue;
    }
    entry.root = count;
    entry.policy = trusted->policy();
  }
  std::erase_if(entries, [](const Entry& entry) { return entry.root == 0; });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    auto root = DecodeRoot(current->roots[entry.root - 1].payload);
    if (!root) return cli::Fail(terminal, root.error());
    terminal.Data(
        "version " + std::to_string(entry.policy.version) + ", root version " +
        std::to_string(entry.root) + ", issued " + FormatRfc3339(entry.policy.issued) +
        (entry.published.empty() ? "" : ", published " + EscapeForTerminal(entry.published)) +
        "\n  signed by " + SignersOf(*root, entry.envelope) + "\n");
    if (i + 1 == entries.size()) continue;
    for (const std::string& line : cli::PolicyChanges(entries[i + 1].policy, entry.policy)) {
      terminal.Data("  " + EscapeForTerminal(line) + "\n");
    }
  }
  return cli::Finish(terminal, all_verify ? cli::kFound : cli::kRefused);
}

}  // namespace mig
