// mig key unlock|agent|lock: a process that holds the opened key for a time (cli/key_holder.h).
#include <chrono>

#include "cli/key_holder.h"
#include "cli/verb.h"
#include "os/files.h"
#include "os/secret_process.h"
#include "roles/client/key_verb.h"
#include "util/text.h"

namespace mig {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kShortest = std::chrono::seconds(1);
constexpr milliseconds kLongest = std::chrono::hours(24);

struct Wanted {
  KeyWord word;
  PassphraseOption passphrase;
  milliseconds time = std::chrono::hours(8);

  void AddTo(cli::Options& options) {
    word.AddTo(options);
    passphrase.AddTo(options, "passphrase-fd", "read the passphrase from descriptor N");
    options.Duration("for", '\0', "how long (default 8h, at most 24h)", &time);
  }
};

struct Held {
  KeyFile key;
  os::LocalListener listener;
  fs::path file;
};

// Opens the key, and its socket in place of an older holder's.
Expected<Held> Open(const Wanted& wanted, const cli::Options& options) {
  if (wanted.time < kShortest || wanted.time > kLongest) {
    return Error(Errc::kInvalid, "--for: from 1s to 24h, not " + FormatDuration(wanted.time));
  }
  auto file = wanted.word.File();
  if (!file) return std::move(file).error();
  if (auto forbidden = os::ForbidInspection(); !forbidden) return std::move(forbidden).error();
  auto key = cli::LoadSecretKey(*file, wanted.passphrase.Source(options));
  if (!key) return std::move(key).error();
  auto socket = cli::HolderSocket(key->secret.public_key(), cli::ProcessEnvironment);
  if (!socket) return std::move(socket).error();
  if (auto folder = os::MakePrivateDirectory(socket->parent_path()); !folder) {
    return std::move(folder).error();
  }
  if (auto ended = cli::LockHolder(*socket); !ended) return std::move(ended).error();
  auto listener = os::LocalListener::Listen(*socket);
  if (!listener) return std::move(listener).error();
  return Held{std::move(*key), std::move(*listener), std::move(*file)};
}

}  // namespace

cli::ExitStatus RunKeyAgent(std::span<const std::string> words, cli::Terminal& terminal) {
  Wanted wanted;
  cli::Options options("mig key agent [KEY] [--for 8h]",
                       "Opens a key file and holds the key, as `mig key unlock` does, but stays in "
                       "the foreground: for a\nservice of the user, or to see it end.");
  wanted.AddTo(options);
  options.Example("mig key agent --for 1h", "until then, Ctrl-C or `mig key lock`");
  options.Example("mig key agent --passphrase-fd 3 3<FILE", "without a terminal");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  const UtcTime until = Now() + wanted.time;
  auto held = Open(wanted, options);
  if (!held) return cli::Fail(terminal, held.error());
  terminal.Remark("Holding " + held->file.string() + " until " + FormatRfc3339(until) + ".");
  auto served =
      cli::ServeHeldKey(held->listener, held->key.secret, held->key.name, until, wanted.time);
  if (!served) return cli::Fail(terminal, served.error());
  terminal.Remark("The key is locked again.");
  return cli::Finish(terminal, cli::kFound);
}

cli::ExitStatus RunKeyUnlock(std::span<const std::string> words, cli::Terminal& terminal) {
  Wanted wanted;
  cli::Options options("mig key unlock [KEY] [--for 8h]",
                       "Asks for the passphrase of a key file once, and leaves a process behind "
                       "that signs for your verbs\nuntil the time is over. It answers nobody but "
                       "you, and keeps the key out of swap and core dumps.");
  wanted.AddTo(options);
  options.Example("mig key unlock", "no passphrase for the next eight hours");
  options.Example("mig key lock", "ends it at once");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  const UtcTime until = Now() + wanted.time;
  auto held = Open(wanted, options);
  if (!held) return cli::Fail(terminal, held.error());
  auto side = os::ForkIntoBackground();
  if (!side) return cli::Fail(terminal, side.error());
  if (*side == os::Side::kBackground) {
    // Anew, because pages of memory are not locked across fork(2).
    Bytes seed = held->key.secret.Seed();
    auto secret = SecretKey::FromSeed(seed);
    WipeBytes(seed);
    bool served = false;
    if (secret) {
      held->key.secret = std::move(*secret);
      served =
          cli::ServeHeldKey(held->listener, held->key.secret, held->key.name, until, wanted.time)
              .has_value();
    }
    { const Held ended = std::move(*held); }  // wipes the key and removes the socket
    os::EndNow(served ? cli::kFound : cli::kUsage);
  }
  held->listener.Leave();
  terminal.Remark(held->file.string() + " is unlocked until " + FormatRfc3339(until) +
                  "; end it with: mig key lock");
  return cli::Finish(terminal, cli::kFound);
}

cli::ExitStatus RunKeyLock(std::span<const std::string> words, cli::Terminal& terminal) {
  cli::Options options("mig key lock",
                       "Ends every process that holds a key of yours, so that the next signature "
                       "asks for the passphrase.");
  options.Example("mig key lock", "before you leave the desk");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto folder = cli::HolderFolder(cli::ProcessEnvironment);
  if (!folder) return cli::Fail(terminal, folder.error());
  std::size_t locked = 0;
  std::error_code error;
  for (fs::directory_iterator entry(*folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() != ".sock") continue;
    auto ended = cli::LockHolder(entry->path());
    if (!ended) return cli::Fail(terminal, ended.error());
    if (*ended) ++locked;
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return cli::Fail(terminal, Error(Errc::kIo, folder->string() + ": " + error.message()));
  }
  terminal.Remark(locked == 0 ? "No key was unlocked (" + folder->string() + ")."
                              : "Locked " + Count(locked, "key") + ".");
  return cli::Finish(terminal, locked == 0 ? cli::kNothing : cli::kFound);
}

}  // namespace mig
