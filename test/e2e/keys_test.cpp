// People's keys where they have them: a lab's investigator signs through gpg, ssh-agent and a
// process that holds the key, and the agents obey.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "crypto/key_file.h"
#include "crypto/ssh_wire.h"
#include "os/local_stream.h"
#include "test/e2e/lab.h"
#include "test/skip.h"

using namespace mig;
using namespace mig::e2e;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kQuery = {"query", "file", "-path", "/etc", "-name", "^passwd$"};

std::string TextOf(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A lab, and a home with programs' keyrings beside it.
struct Desk {
  Lab lab{1};
  TempFolder folder;
  RunOptions options;

  Desk() {
    options.environment = {{"GNUPGHOME", (folder / "gpg").string()},
                           {"XDG_RUNTIME_DIR", (folder / "run").string()},
                           {"SSH_AUTH_SOCK", ""}};
    for (const char* name : {"gpg", "run"}) {
      fs::create_directory(folder / name);
      fs::permissions(folder / name, fs::perms::owner_all);
    }
  }
  ~Desk() {
    if (Have("gpgconf")) Run({"/usr/bin/env", "gpgconf", "--kill", "all"}, options);
  }

  static bool Have(const std::string& program) {
    return Run({"/bin/sh", "-c", "command -v " + program}).status == 0;
  }
  Outcome Mig(std::vector<std::string> words, const std::string& input = {}) const {
    RunOptions with = options;
    with.input = input;
    return lab.Mig(std::move(words), with);
  }
  Outcome Query(const std::string& key) const {
    std::vector<std::string> words = kQuery;
    words.insert(words.end(), {"-key", key, "-json"});
    return Mig(words);
  }
  fs::path KeyPath() const {
    const auto shown = Mig({"key", "list", "--json"});
    const json::value list = ParseJson(shown.out);
    for (const json::value& key : list.at("keys").as_array()) {
      if (key.at("used").as_bool()) return std::string(key.at("key").as_string());
    }
    FAIL("the lab's key is not in the list: " << shown.out);
    return {};
  }
  SecretKey Secret() const { return std::move(ReadKeyFile(TextOf(KeyPath()), "")->secret); }
};

// The agent obeyed and found the file.
bool Asked(const Outcome& outcome) {
  return outcome.status == 0 && Contains(outcome.out, "passwd");
}

}  // namespace

TEST_CASE("keys: a key of mig goes to gpg and signs from there", "[e2e]") {
  if (!Desk::Have("gpg")) MIG_SKIP("there is no gpg");
  const Desk desk;
  const auto exported = desk.Mig({"key", "export", "--openpgp", "--secret"});
  REQUIRE(exported.status == 0);
  RunOptions import = desk.options;
  import.input = exported.out;
  const auto imported = Run({"/usr/bin/env", "gpg", "--batch", "--import"}, import);
  INFO(imported.err);
  REQUIRE(imported.status == 0);
  const auto listed = desk.Mig({"key", "list"});
  REQUIRE(Contains(listed.out, "gpg:"));
  const std::string fingerprint = listed.out.substr(listed.out.find("gpg:"), 44);
  const auto asked = desk.Query(fingerprint);
  INFO(asked.err);
  CHECK(Asked(asked));
  // And printed, it says in which form.
  std::vector<std::string> words = kQuery;
  words.insert(words.end(), {"-key", fingerprint, "-p"});
  CHECK(Contains(desk.Mig(words).out, "\"openpgp\""));
}

TEST_CASE("keys: an ssh-agent signs, and `mig key use` makes it the one for every verb", "[e2e]") {
  if (!Desk::Have("ssh-agent")) MIG_SKIP("there is no OpenSSH");
  Desk desk;
  const std::string socket = (desk.folder / "agent.sock").string();
  const auto started = Run({"/usr/bin/env", "ssh-agent", "-s", "-a", socket});
  REQUIRE(started.status == 0);
  const std::string name = "SSH_AGENT_PID=";
  const std::size_t at = started.out.find(name) + name.size();
  const std::string pid = started.out.substr(at, started.out.find(';', at) - at);
  desk.options.environment["SSH_AUTH_SOCK"] = socket;

  // draft-miller-ssh-agent section 3.2.3: what ssh-add sends.
  const SecretKey secret = desk.Secret();
  Bytes add(1, '\x11');
  ssh::AppendString(add, "ssh-ed25519");
  ssh::AppendString(add, secret.public_key().View());
  ssh::AppendString(add, secret.Seed() + Bytes(secret.public_key().View()));
  ssh::AppendString(add, "ada@desk");
  Bytes framed;
  ssh::AppendString(framed, add);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  auto stream = os::LocalStream::Connect(socket, deadline);
  REQUIRE(stream);
  REQUIRE(stream->Write(framed, deadline));
  REQUIRE(stream->Read(5, deadline).value().back() == '\x06');

  const fs::path config = desk.lab.folder() / "config" / "client.yaml";
  std::ofstream(config, std::ios::app) << "# a remark of somebody\n";
  const std::string before = TextOf(config);
  const auto used = desk.Mig({"key", "use", "ssh:ada@desk"});
  INFO(used.err);
  REQUIRE(used.status == 0);
  CHECK(Contains(used.out, "mig-ed25519 "));
  const std::string after = TextOf(config);
  CHECK(Contains(after, "key: \"ssh:SHA256:"));
  CHECK(Contains(after, "# a remark of somebody"));
  CHECK(Contains(after, before.substr(before.find("org:"), 40)));
  CHECK(Asked(desk.Mig({"query", "file", "-path", "/etc", "-name", "^passwd$", "-json"})));

  Run({"/usr/bin/env", "ssh-agent", "-k"}, {.environment = {{"SSH_AGENT_PID", pid}}});
  const auto gone = desk.Mig({"query", "file", "-path", "/etc", "-name", "^passwd$"});
  CHECK(gone.status != 0);
  CHECK(Contains(gone.err, socket));
  CHECK(Contains(gone.err, "ssh-agent"));
}

TEST_CASE("keys: unlocked once, a key needs no passphrase until it is locked", "[e2e]") {
  const Desk desk;
  const std::string key = (desk.folder / "ada.key").string();
  fs::copy_file(desk.KeyPath(), key);
  REQUIRE(desk.Mig({"key", "passphrase", key, "--new-passphrase-fd", "0"}, "secret\n").status == 0);
  // There is no terminal to ask on, and the message names the way out.
  const auto refused = desk.Query(key);
  CHECK(refused.status == 2);
  CHECK(Contains(refused.err, "--passphrase-fd"));

  REQUIRE(desk.Mig({"key", "unlock", key, "--passphrase-fd", "0"}, "wrong\n").status == 4);
  REQUIRE(
      desk.Mig({"key", "unlock", key, "--for", "5m", "--passphrase-fd", "0"}, "secret\n").status ==
      0);
  CHECK(Asked(desk.Query(key)));
  CHECK(Contains(desk.Mig({"key", "show", key}).err, "(unlocked)"));
  // Only its owner comes near it.
  struct stat status {};
  REQUIRE(stat((desk.folder / "run" / "mig").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777u) == 0700u);
  CHECK(desk.Mig({"key", "lock"}).status == 0);
  CHECK(desk.Query(key).status == 2);
  CHECK(desk.Mig({"key", "lock"}).status == 1);
}

TEST_CASE("keys: an OpenPGP key becomes a key file and signs as before", "[e2e]") {
  if (!Desk::Have("gpg")) MIG_SKIP("there is no gpg");
  const Desk desk;
  const std::string there = (desk.folder / "there.asc").string();
  REQUIRE(desk.Mig({"key", "export", "--openpgp", "--secret", "--out", there}).status == 0);
  const std::string here = (desk.folder / "here.key").string();
  const auto imported = desk.Mig({"key", "import", there, "--out", here, "--no-passphrase"});
  INFO(imported.err);
  REQUIRE(imported.status == 0);
  CHECK(Contains(imported.err, "may sign"));
  CHECK(Asked(desk.Query(here)));
}

TEST_CASE("keys: ssh-keygen and gpg sign an action's bytes, and gpg verifies ours", "[e2e]") {
  if (!Desk::Have("gpg") || !Desk::Have("ssh-keygen")) MIG_SKIP("there is no gpg or OpenSSH");
  const Desk desk;
  const std::string action = (desk.folder / "a.json").string();
  const std::string pae = (desk.folder / "a.pae").string();
  std::vector<std::string> words = kQuery;
  words.emplace_back("-p");
  std::ofstream(action) << desk.Mig(words).out;
  REQUIRE(desk.Mig({"action", "pae", action, "-o", pae}).status == 0);
  CHECK(TextOf(pae).starts_with("DSSEv1 "));

  const std::string bob = (desk.folder / "bob").string();
  const auto sign = [&](const std::string& name_space) {
    fs::remove(pae + ".sig");
    REQUIRE(
        Run({"/usr/bin/env", "ssh-keygen", "-q", "-Y", "sign", "-n", name_space, "-f", bob, pae})
            .status == 0);
    return desk.Mig({"action", "add-signature", action, pae + ".sig"});
  };
  REQUIRE(Run({"/usr/bin/env", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", bob}).status ==
          0);
  const auto other = sign("file");
  CHECK(other.status == 2);
  CHECK(Contains(other.err, "-n mig"));
  const auto added = sign("mig");
  INFO(added.err);
  REQUIRE(added.status == 0);
  CHECK(Contains(TextOf(action), "\"sshsig\""));
  CHECK(Contains(sign("mig").err, "has signed it already"));

  // Of gpg, by another person; it does not say by whom.
  REQUIRE(Run({"/usr/bin/env", "gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key",
               "Carl <carl@example.net>", "ed25519", "sign"},
              desk.options)
              .status == 0);
  REQUIRE(Run({"/usr/bin/env", "gpg", "--batch", "--armor", "--detach-sign", pae}, desk.options)
              .status == 0);
  CHECK(Contains(desk.Mig({"action", "add-signature", action, pae + ".asc"}).err, "--public"));
  const auto carl = desk.folder.Write(
      "carl.asc", Run({"/usr/bin/env", "gpg", "--armor", "--export", "carl"}, desk.options).out);
  const auto of_gpg =
      desk.Mig({"action", "add-signature", action, pae + ".asc", "--public", carl.string()});
  INFO(of_gpg.err);
  REQUIRE(of_gpg.status == 0);
  CHECK(Contains(TextOf(action), "\"openpgp\""));
  // Not over these bytes.
  std::ofstream(pae, std::ios::app) << "x";
  fs::remove(pae + ".asc");
  REQUIRE(Run({"/usr/bin/env", "gpg", "--batch", "--armor", "--detach-sign", pae}, desk.options)
              .status == 0);
  CHECK(desk.Mig({"action", "add-signature", action, pae + ".asc", "--public", carl.string()})
            .status == 4);

  // Ours, for gpg.
  REQUIRE(desk.Mig({"action", "pae", action, "-o", pae}).status == 0);
  REQUIRE(desk.Mig({"action", "asc", action, "-o", pae + ".asc"}).status == 0);
  RunOptions import = desk.options;
  import.input = desk.Mig({"key", "export", "--openpgp"}).out;
  REQUIRE(Run({"/usr/bin/env", "gpg", "--batch", "--import"}, import).status == 0);
  const auto verified =
      Run({"/usr/bin/env", "gpg", "--batch", "--verify", pae + ".asc", pae}, desk.options);
  CHECK(verified.status == 0);
  CHECK(Contains(verified.err, "Good signature"));
  // Nothing that our key did not sign before.
  const std::string stranger = (desk.folder / "stranger.key").string();
  REQUIRE(desk.Mig({"key", "new", "--name", "Eve <eve@example.net>", "--no-passphrase", "--out",
                    stranger})
              .status == 0);
  CHECK(desk.Mig({"action", "asc", action, "--key", stranger}).status == 4);
}

TEST_CASE("keys: errors say where they looked, what they found, and the next command", "[e2e]") {
  const Desk desk;
  const auto none = desk.Query("/nowhere/me.key");
  CHECK(none.status == 2);
  CHECK(Contains(none.err, "/nowhere/me.key"));
  CHECK(Contains(none.err, "mig key new"));
  const auto agent = desk.Query("ssh:SHA256:x");
  CHECK(Contains(agent.err, "SSH_AUTH_SOCK is not set"));
  const std::string private_key = desk.folder.Write("id", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
  const auto ssh = desk.Mig({"key", "import", private_key});
  CHECK(Contains(ssh.err, "ssh-add " + private_key));
  const auto rsa =
      desk.Mig({"key", "import", desk.folder.Write("rsa.pub", "ssh-rsa AAAAB3NzaC1yc2E= rob\n")});
  CHECK(Contains(rsa.err, "ssh-rsa"));
  CHECK(Contains(rsa.err, "ssh-keygen -t ed25519"));
  const auto both = desk.Mig({"key", "export", "--ssh", "--openpgp"});
  CHECK(both.status == 2);
  const fs::path open = desk.folder / "open.key";
  fs::copy_file(desk.KeyPath(), open);
  fs::permissions(open, fs::perms::owner_read | fs::perms::group_read);
  CHECK(Contains(desk.Query(open.string()).err, "chmod 600"));
}
