// mig policy import-acl: the access control list of a deployment of Mozilla's MIG, in the draft.
#include "cli/mig_acl.h"
#include "cli/verb.h"
#include "crypto/openpgp_armor.h"
#include "os/files.h"
#include "roles/client/policy_verbs.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr std::size_t kMaxAclBytes = 1 << 20;

Expected<std::vector<openpgp::Certificate>> Certificates(const std::vector<std::string>& files) {
  std::vector<openpgp::Certificate> all;
  for (const std::string& file : files) {
    auto content = os::ReadFile(file, openpgp::kMaxArmorBytes);
    if (!content) return std::move(content).error().During("--key");
    auto certificates = openpgp::ReadCertificates(*content, Now());
    if (!certificates) return std::move(certificates).error().During("--key " + file);
    std::move(certificates->begin(), certificates->end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace

cli::ExitStatus PolicyImportAcl(Words words, cli::Terminal& terminal) {
  std::string dir, file;
  std::vector<std::string> key_files;
  cli::Options options(
      "mig policy import-acl ACL --key ARMOURED.asc …",
      "Writes MIG's access control list (acl.cfg) into the draft: each module's minimumweight and "
      "weights.\nPeople are known by their OpenPGP keys, Ed25519 or RSA of 3072 bits and more; who "
      "has none of these is\nnamed, and left out.");
  options.Word("ACL", "the file, JSON: /etc/mig/acl.cfg", true, &file);
  options.Texts("key", 'k', "FILE", "OpenPGP keys, armoured or binary, of one person or many",
                &key_files);
  AddFolderTo(options, &dir);
  options.Note(
      "Leave out the key of MIG's scheduler: the server signs nothing here. Rules of the draft for "
      "modules that\nthe list does not name stay as they are.");
  options.Note(
      "Exit status: 0 all of it is in the draft, 3 somebody was left out, 2 nothing was "
      "written.");
  options.Example("mig policy import-acl acl.cfg --key bob.asc --key ann.asc", "two investigators");
  options.Example("gpg --export --armor > all.asc && mig policy import-acl acl.cfg --key all.asc",
                  "everybody in your keyring whom the list names");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto text = os::ReadFile(file, kMaxAclBytes);
  if (!text) return cli::Fail(terminal, text.error());
  auto acl = cli::ReadMigAcl(*text);
  if (!acl) return cli::Fail(terminal, std::move(acl).error().During(file));
  auto certificates = Certificates(key_files);
  if (!certificates) return cli::Fail(terminal, certificates.error());
  cli::AclImport import;
  const cli::ExitStatus status = ChangeDraft(dir, terminal, [&](Policy& policy) -> Expected<void> {
    auto done = cli::ImportMigAcl(*acl, *certificates, policy);
    if (!done) return std::move(done).error().During(file);
    import = std::move(*done);
    return {};
  });
  for (const std::string& remark : import.remarks) terminal.Remark("Note: " + remark + ".");
  for (const std::string& missing : import.left_out) {
    terminal.Remark("Left out: " + missing + ".", cli::Style::kRed);
  }
  if (status != cli::kFound || import.left_out.empty()) return status;
  return cli::kPartial;
}

}  // namespace mig
