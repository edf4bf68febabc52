// mig agent-token new|list|sign|revoke: how machines come in, and which tags they get. The secret
// is drawn here and the grant signed here: the server learns the secret when the first agent shows
// it, and could not give that agent other tags.
#include <optional>

#include "cli/table.h"
#include "cli/terminal_json.h"
#include "cli/verb.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "os/files.h"
#include "proto/access.h"
#include "proto/grant.h"
#include "roles/client/client.h"
#include "roles/client/connection.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kShownId = 12;  // hex digits: enough to tell tokens apart
constexpr std::size_t kLeastPrefix = 4;

std::string TextOf(const json::object& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string NumberOf(const json::object& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  return value != nullptr && value->is_number() ? json::Write(*value) : std::string("?");
}

std::string ListOf(const json::object& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  std::vector<std::string> words;
  if (value != nullptr && value->is_array()) {
    for (const json::value& word : value->get_array()) {
      if (word.is_string()) words.emplace_back(word.get_string());
    }
  }
  return Join(words, ", ");
}

std::string TagsOf(const json::object& fields) {
  const json::value* value = fields.if_contains("tags");
  std::vector<std::string> words;
  if (value != nullptr && value->is_object()) {
    for (const auto& tag : value->get_object()) {
      words.push_back(std::string(tag.key()) + "=" +
                      (tag.value().is_string() ? std::string(tag.value().get_string()) : "?"));
    }
  }
  return Join(words, ",");
}

// "operator=it,site=berlin", given any number of times.
Expected<Tags> ReadTags(const std::vector<std::string>& given) {
  Tags tags;
  for (const std::string& words : given) {
    for (const std::string_view word : Split(words, ',')) {
      const std::size_t equals = word.find('=');
      const std::string name(Trim(word.substr(0, equals)));
      if (equals == std::string_view::npos || name.empty()) {
        return Error(Errc::kInvalid,
                     "--tags: `" + std::string(word) + "` is not name=value, as in operator=it");
      }
      const std::string value(Trim(word.substr(equals + 1)));
      if (auto good = CheckTag(name, value); !good) {
        return std::move(good).error().During("--tags");
      }
      if (!tags.emplace(name, value).second) {
        return Error(Errc::kInvalid, "--tags: `" + name + "` is given twice");
      }
    }
  }
  if (tags.size() > kMaxTags) {
    return Error(Errc::kInvalid, "--tags: more than " + std::to_string(kMaxTags));
  }
  return tags;
}

// The one token whose id begins so.
Expected<json::object> FindToken(cli::ApiClient& api, const std::string& prefix) {
  if (prefix.size() < kLeastPrefix) {
    return Error(Errc::kInvalid, "ID: at least " + std::to_string(kLeastPrefix) +
                                     " characters, as `mig agent-token list` shows them");
  }
  auto tokens = api.ListTokens();
  if (!tokens) return std::move(tokens).error();
  std::optional<json::object> found;
  for (json::object& token : *tokens) {
    if (!TextOf(token, "id").starts_with(LowerAscii(prefix))) continue;
    if (found) return Error(Errc::kInvalid, "several tokens begin with `" + prefix + "`");
    found = std::move(token);
  }
  if (found) return std::move(*found);
  return Error(Errc::kNotFound, "no token begins with `" + prefix + "`; see: mig agent-token list");
}

void TellPending(const json::object& token, cli::Terminal& terminal) {
  if (TextOf(token, "status") != "pending") return;
  const std::string people = ListOf(token, "people");
  terminal.Remark("It enrols nobody yet: signed by " + (people.empty() ? "nobody" : people) +
                      ", weight " + NumberOf(token, "weight") + " of " + NumberOf(token, "needed") +
                      ". Somebody else signs with: mig agent-token sign " +
                      TextOf(token, "id").substr(0, kShownId),
                  cli::Style::kYellow);
}

ExitStatus New(std::span<const std::string> words, cli::Terminal& terminal) {
  std::uint64_t uses = 1;
  std::chrono::milliseconds validity = std::chrono::hours(1);
  std::vector<std::string> tag_words;
  std::string note, api_address, grant_file;
  ConnectionOptions wanted;
  cli::Options options("mig agent-token new [--uses N] [--expires 1h] [--tags k=v,…]",
                       "Makes an enrolment token and prints it; it goes into the file that "
                       "`token_file` in agents'\nconfigurations names. Your key signs which tags "
                       "they get with it.");
  options.Integer("uses", '\0', "N", "how many agents it enrols (default 1)", 1, kMaxTokenUses,
                  &uses);
  options.Duration("expires", '\0', "how long it enrols: 90s, 5m, 24h, 2d (default 1h)", &validity);
  options.Texts("tags", '\0', "k=v,…", "what targets may ask for as tags->>'k'", &tag_words);
  options.Text("note", '\0', "TEXT", "what it is for, for the list", &note);
  options.Text("agents-api", '\0', "URL",
               "the API's address as agents reach it (default: as the server says)", &api_address);
  options.Text("grant-out", '\0', "FILE",
               "write the signed grant there and ask no server (mig api token add stores it)",
               &grant_file);
  wanted.AddTo(options);
  options.Example("mig agent-token new --uses 20 --expires 24h --tags operator=it,site=berlin",
                  "twenty machines within a day");
  options.Example("mig agent-token new > web1.token", "one machine within the hour");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto tags = ReadTags(tag_words);
  if (!tags) return cli::Fail(terminal, tags.error());
  if (!api_address.empty()) {
    auto url = cli::NormaliseApiUrl(api_address);
    if (!url) return cli::Fail(terminal, std::move(url).error().During("--agents-api"));
    api_address = std::move(*url);
  }
  // With --grant-out no server is asked: it may not run yet.
  std::optional<Connection> connection;
  std::optional<Identity> alone;
  if (grant_file.empty()) {
    auto made = Connect(wanted, options, terminal);
    if (!made) return cli::Fail(terminal, made.error());
    connection = std::move(*made);
  } else {
    if (!note.empty()) {
      return cli::Fail(terminal, Error(Errc::kInvalid,
                                       "--note goes to the server; with --grant-out say it there: "
                                       "mig api token add --note"));
    }
    auto loaded = LoadIdentity(wanted, options);
    if (!loaded) return cli::Fail(terminal, loaded.error());
    alone = std::move(*loaded);
  }
  const cli::ClientConfig& config = connection ? connection->config : alone->config;
  Signer& signer = connection ? *connection->signer : *alone->signer;
  auto ca = os::ReadFile(config.ca);
  if (!ca) return cli::Fail(terminal, ca.error());
  auto pin = SpkiPin(*ca);
  if (!pin) return cli::Fail(terminal, std::move(pin).error().During("ca"));

  EnrolToken token;
  token.pin = std::move(*pin);
  token.org = config.org;
  token.secret = RandomBytes(kSecretBytes);
  Grant grant;
  grant.org = token.org;
  grant.token = Sha256(token.secret);
  grant.tags = std::move(*tags);
  grant.uses = static_cast<std::uint32_t>(uses);
  grant.issued = Now();
  grant.expires = grant.issued + validity;
  auto envelope = Seal(kGrantType, EncodeGrant(grant), signer);
  if (!envelope) return cli::Fail(terminal, envelope.error());
  std::optional<json::object> stored;
  if (connection) {
    auto answer = connection->api->PostToken(*envelope, note);
    if (!answer) return cli::Fail(terminal, answer.error());
    stored = std::move(*answer);
  } else {
    auto written = os::WriteNewFile(grant_file, EncodeEnvelope(*envelope) + "\n", 0644);
    if (!written) return cli::Fail(terminal, std::move(written).error().During("--grant-out"));
  }
  // The server may only say where agents reach it: whom they believe it is, is in the pin.
  token.api = !api_address.empty()                            ? api_address
              : stored && !TextOf(*stored, "address").empty() ? TextOf(*stored, "address")
                                                              : config.api;
  terminal.Data(WriteEnrolToken(token) + "\n");
  terminal.Remark("Token " + EncodeHex(grant.token).substr(0, kShownId) + ": " +
                  Count(uses, "agent") + " until " + FormatRfc3339(grant.expires) + ", at " +
                  token.api + ".");
  if (stored) {
    TellPending(*stored, terminal);
  } else {
    terminal.Remark(
        "It enrols nobody before this was said at the server: mig api token add "
        "--config /etc/mig/api.yaml --grant " +
        grant_file);
  }
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus List(std::span<const std::string> words, cli::Terminal& terminal) {
  bool json = false;
  ConnectionOptions wanted;
  cli::Options options("mig agent-token list [--json]",
                       "Lists enrolment tokens that have not lapsed: what they grant, who signed, "
                       "how many uses are left.");
  options.Flag("json", '\0', "one JSON document", &json);
  wanted.AddTo(options);
  options.Example("mig agent-token list", "what could still enrol");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto tokens = connection->api->ListTokens();
  if (!tokens) return cli::Fail(terminal, tokens.error());
  const bool none = tokens->empty();
  if (json) {
    json::array list(tokens->begin(), tokens->end());
    terminal.Data(cli::EscapeJson(json::WritePretty(json::object{{"tokens", std::move(list)}})) +
                  "\n");
    return cli::Finish(terminal, none ? cli::kNothing : cli::kFound);
  }
  if (none) {
    terminal.Remark("There is no token; make one with: mig agent-token new");
    return cli::Finish(terminal, cli::kNothing);
  }
  cli::Table table({{"ID"},
                    {"STATUS"},
                    {"LEFT"},
                    {"EXPIRES"},
                    {"TAGS", false, true},
                    {"SIGNED BY", false, true},
                    {"NOTE", false, true}});
  for (const json::object& token : *tokens) {
    const std::string people = ListOf(token, "people");
    table.Add({TextOf(token, "id").substr(0, kShownId), TextOf(token, "status"),
               NumberOf(token, "uses_left") + "/" + NumberOf(token, "uses"),
               TextOf(token, "expires"), TagsOf(token),
               people.empty() ? "nobody (made at the server)" : people, TextOf(token, "note")});
  }
  terminal.Data(table.Render(terminal.facts().out_is_terminal ? terminal.facts().width : 0));
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus Sign(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string id;
  ConnectionOptions wanted;
  cli::Options options("mig agent-token sign ID",
                       "Adds your signature to the grant of a token for which the policy wants "
                       "several people.");
  options.Word("ID", "the token, or the beginning of its id", true, &id);
  wanted.AddTo(options);
  options.Example("mig agent-token sign 3b1f0c9d2e4a", "after a look at: mig agent-token list");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto token = FindToken(*connection->api, id);
  if (!token) return cli::Fail(terminal, token.error());
  const json::value* fields = token->if_contains("grant");
  if (fields == nullptr || !fields->is_object()) {
    return cli::Fail(terminal, Error(Errc::kInvalid, "this token has no grant to be signed"));
  }
  auto envelope = EnvelopeFromJson(fields->get_object(), "grant");
  if (!envelope) return cli::Fail(terminal, envelope.error());
  // What the server says of it is not what is signed.
  auto grant = envelope->payload_type == kGrantType
                   ? DecodeGrant(envelope->payload)
                   : Expected<Grant>(Error(Errc::kMalformed, "this is not a grant"));
  if (!grant) return cli::Fail(terminal, grant.error());
  if (grant->org != connection->config.org) {
    return cli::Fail(terminal, Error(Errc::kDenied, "the grant is for another deployment"));
  }
  if (EncodeHex(grant->token) != TextOf(*token, "id")) {
    return cli::Fail(terminal, Error(Errc::kDenied, "the server shows the grant of another token"));
  }
  terminal.Remark("You sign: " + Count(grant->uses, "agent") + " until " +
                  FormatRfc3339(grant->expires) + " with the tags " +
                  json::Write(EncodeTags(grant->tags)) + ".");
  if (auto added = AddSignature(*envelope, *connection->signer); !added) {
    return cli::Fail(terminal, added.error());
  }
  auto stored = connection->api->SignToken(TextOf(*token, "id"), *envelope);
  if (!stored) return cli::Fail(terminal, stored.error());
  if (TextOf(*stored, "status") == "open") terminal.Remark("It enrols now.");
  TellPending(*stored, terminal);
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus Revoke(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string id;
  ConnectionOptions wanted;
  cli::Options options("mig agent-token revoke ID",
                       "Nobody enrols with that token any more, at once. Machines that did stay "
                       "enrolled, with their tags.");
  options.Word("ID", "the token, or the beginning of its id", true, &id);
  wanted.AddTo(options);
  options.Example("mig agent-token revoke 3b1f0c9d2e4a", "when it got into wrong hands");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto token = FindToken(*connection->api, id);
  if (!token) return cli::Fail(terminal, token.error());
  auto revoked = connection->api->RevokeToken(TextOf(*token, "id"));
  if (!revoked) return cli::Fail(terminal, revoked.error());
  terminal.Remark("Revoked; " + NumberOf(*revoked, "uses_left") + " of " +
                  NumberOf(*revoked, "uses") + " uses were left.");
  return cli::Finish(terminal, cli::kFound);
}

struct TokenVerb {
  std::string_view name;
  std::string_view summary;
  ExitStatus (*run)(std::span<const std::string> words, cli::Terminal& terminal);
};
// In the order of the help. To add one: a line here, and its function above.
constexpr TokenVerb kVerbs[] = {
    {"new", "makes one, and signs which tags its agents get", &New},
    {"list", "those that have not lapsed", &List},
    {"sign", "your signature, where the policy wants several people", &Sign},
    {"revoke", "nobody enrols with it any more", &Revoke},
};

}  // namespace

int RunAgentToken(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  std::string verbs;
  for (const TokenVerb& verb : kVerbs) {
    if (!arguments.empty() && arguments[0] == verb.name) {
      return verb.run(arguments.subspan(1), terminal);
    }
    std::string name(verb.name);
    name.resize(8, ' ');
    verbs += "\n  " + name + std::string(verb.summary);
  }
  cli::Options options("mig agent-token new|list|sign|revoke",
                       "Enrolment tokens: what lets a machine in, and the tags it gets.\n" + verbs);
  options.Example("mig agent-token new --uses 20 --expires 24h --tags operator=it",
                  "twenty machines within a day");
  options.Example("mig agent-token list", "what could still enrol");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  terminal.Complain("say what to do: mig agent-token new, list, sign or revoke");
  return cli::kUsage;
}

}  // namespace mig
