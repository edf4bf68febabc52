#include "cli/gpg.h"

#include <array>
#include <chrono>
#include <optional>

#include "crypto/rsa_public_key.h"
#include "os/child_process.h"
#include "os/files.h"
#include "os/terminal.h"
#include "util/text.h"

namespace mig::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kListLimit{20};   // it may have to start gpg-agent and wake a card
constexpr std::chrono::seconds kSignLimit{180};  // somebody looks for a card and types its PIN
constexpr std::size_t kMaxSignature = 16 * 1024;
constexpr std::size_t kMaxListing = 4u << 20;

// What gpg, its agent and pinentry look at. Nothing else is handed on.
constexpr std::array kVariables = {"HOME",
                                   "GNUPGHOME",
                                   "PATH",
                                   "GPG_TTY",
                                   "TERM",
                                   "LANG",
                                   "LC_ALL",
                                   "LC_CTYPE",
                                   "DISPLAY",
                                   "WAYLAND_DISPLAY",
                                   "XAUTHORITY",
                                   "XDG_RUNTIME_DIR",
                                   "DBUS_SESSION_BUS_ADDRESS",
                                   "PINENTRY_USER_DATA"};

// Absolute folders of PATH only: a gpg in the working folder is nobody's.
Expected<std::string> FindGpg(const Environment& environment) {
  const std::string path = environment("PATH");
  for (const std::string_view folder : Split(path, ':')) {
    if (!folder.starts_with('/')) continue;
    const fs::path program = fs::path(folder) / "gpg";
    std::error_code error;
    const fs::perms perms = fs::status(program, error).permissions();
    constexpr fs::perms kRunnable =
        fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
    if (!error && (perms & kRunnable) != fs::perms::none) return program.string();
  }
  return Error(Errc::kNotFound, "there is no gpg in PATH (" + path +
                                    "); install it (Debian: apt install gnupg), or sign with a "
                                    "key file: mig key use file:PATH");
}

// What gpg says for people, without its status lines; for the end of a message.
std::string Complaint(std::string_view err) {
  std::string text;
  for (std::string_view line : Split(err, '\n')) {
    line = Trim(line);
    if (line.empty() || line.starts_with("[GNUPG:]")) continue;
    text += (text.empty() ? "" : "; ") + EscapeForTerminal(line);
  }
  return text.empty() ? "it said nothing" : text;
}

std::string Advice(std::string_view err) {
  struct Line {
    std::string_view sign, advice;
  };
  static constexpr std::array kAdvice = {
      Line{"Inappropriate ioctl", "tell it where your terminal is: export GPG_TTY=$(tty)"},
      Line{"No pinentry",
           "install a pinentry (Debian: apt install pinentry-curses), or give the "
           "passphrase with --passphrase-fd"},
      Line{"Bad passphrase", "the passphrase is wrong"},
      Line{"cancelled", "nobody gave the passphrase"},
      Line{"Card", "is the card in its reader? See: gpg --card-status"},
      Line{"No secret key", "see which are there: mig key list"},
  };
  for (const Line& line : kAdvice) {
    if (err.find(line.sign) != std::string_view::npos) return std::string(line.advice);
  }
  return "try it by hand: echo test | gpg --detach-sign | gpg --list-packets";
}

Expected<os::ChildOutcome> RunGpg(const Environment& environment, std::vector<std::string> words,
                                  BytesView input, std::chrono::seconds limit,
                                  std::size_t max_output) {
  auto program = FindGpg(environment);
  if (!program) return std::move(program).error();
  os::ChildOptions options;
  options.program = *program;
  options.argv = {"gpg", "--batch", "--no-tty", "--status-fd", "2"};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  for (const char* name : kVariables) {
    if (const std::string value = environment(name); !value.empty()) {
      options.environment.push_back(std::string(name) + "=" + value);
    }
  }
  // pinentry on a text terminal: gpg itself has none of its three streams there.
  if (const std::string tty = os::TerminalName(); environment("GPG_TTY").empty() && !tty.empty()) {
    options.environment.push_back("GPG_TTY=" + tty);
  }
  options.low_priority = false;
  os::ChildLimits limits;
  limits.stdout_bytes = max_output;
  auto outcome = os::RunChild(options, input, limit, limits);
  if (!outcome) return std::move(outcome).error().During(*program);
  if (outcome->timed_out) {
    return Error(Errc::kTimeout, *program + ": no answer within " + FormatDuration(limit) +
                                     "; is a pinentry waiting somewhere, or the card not touched?");
  }
  if (outcome->overflowed) return Error(Errc::kFull, *program + ": it wrote too much");
  return outcome;
}

class GpgSigner : public Signer {
 public:
  GpgSigner(SignerKey key, std::string fingerprint, std::optional<Bytes> passphrase,
            Environment environment)
      : Signer(std::move(key)),
        fingerprint_(std::move(fingerprint)),
        passphrase_(std::move(passphrase)),
        environment_(std::move(environment)) {}
  ~GpgSigner() override {
    if (passphrase_) WipeBytes(*passphrase_);
  }

 private:
  Expected<Made> SignBytes(BytesView message) override {
    std::vector<std::string> words;
    Bytes input;
    if (passphrase_) {
      // gpg takes the passphrase byte by byte up to the line's end, and what follows is the data.
      words = {"--pinentry-mode", "loopback", "--passphrase-fd", "0"};
      input.reserve(passphrase_->size() + 1 + message.size());
      input.append(*passphrase_).append("\n");
    }
    input.append(message);
    // The exclamation mark: this key, and not the newest subkey beside it.
    words.insert(words.end(), {"--local-user", fingerprint_ + "!", "--digest-algo", "SHA512",
                               "--no-textmode", "--no-armor", "--detach-sign", "--output", "-"});
    auto outcome = RunGpg(environment_, std::move(words), input, kSignLimit, kMaxSignature);
    WipeBytes(input);
    if (!outcome) return std::move(outcome).error();
    if (!outcome->exit.ok()) {
      return Error(Errc::kDenied, "gpg did not sign with " + fingerprint_ + ": " +
                                      Complaint(outcome->stderr_bytes) + "; " +
                                      Advice(outcome->stderr_bytes));
    }
    return Made{std::move(outcome->stdout_bytes), "openpgp"};
  }

  std::string fingerprint_;
  std::optional<Bytes> passphrase_;
  Environment environment_;
};

}  // namespace

Expected<std::vector<GpgKey>> ListGpgKeys(const Environment& environment) {
  auto outcome = RunGpg(
      environment, {"--with-colons", "--with-key-data", "--fixed-list-mode", "--list-secret-keys"},
      {}, kListLimit, kMaxListing);
  if (!outcome) return std::move(outcome).error();
  // Without any secret key it ends with 0 or 2, depending on the version, and lists nothing.
  if (!outcome->exit.ok() && outcome->stdout_bytes.empty() &&
      outcome->stderr_bytes.find("KEYLIST") == std::string::npos &&
      outcome->stderr_bytes.find("No secret key") == std::string::npos) {
    return Error(Errc::kUnavailable, "gpg did not list its keys (" + outcome->exit.Describe() +
                                         "): " + Complaint(outcome->stderr_bytes));
  }
  return ParseGpgListing(outcome->stdout_bytes);
}

Expected<SignerKey> SignerKeyOf(const GpgKey& key) {
  SignerKey result;
  result.name = IsKeyName(key.user_id) ? key.user_id : key.fingerprint;
  result.source = "gpg (" + key.fingerprint + ")";
  if (!key.point.empty()) {
    result.type = "ed25519";
    result.key = key.point;
    return result;
  }
  auto rsa = RsaPublicKey::FromNumbers(key.modulus, key.exponent);
  if (!rsa) return std::move(rsa).error().During(result.source);
  result.type = "rsa";
  result.key = rsa->Der();
  return result;
}

Expected<std::unique_ptr<Signer>> OpenGpgSigner(const std::string& id,
                                                const PassphraseSource& passphrase,
                                                const Environment& environment) {
  auto keys = ListGpgKeys(environment);
  if (!keys) return std::move(keys).error().During("gpg:" + id);
  auto key = ChooseGpgKey(*keys, id);
  if (!key) return std::move(key).error().During("gpg:" + id);
  auto signer_key = SignerKeyOf(*key);
  if (!signer_key) return std::move(signer_key).error();
  std::optional<Bytes> typed;
  if (passphrase.descriptor) {
    auto read = os::ReadSecretFromDescriptor(*passphrase.descriptor);
    if (!read) return std::move(read).error();
    typed = std::move(*read);
  }
  return std::unique_ptr<Signer>(std::make_unique<GpgSigner>(
      std::move(*signer_key), key->fingerprint, std::move(typed), environment));
}

}  // namespace mig::cli
