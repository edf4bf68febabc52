#include "roles/client/attached_files.h"

#include "crypto/digest.h"
#include "os/files.h"
#include "proto/attachment_references.h"
#include "util/size.h"
#include "util/text.h"

namespace mig {

Expected<std::vector<AttachedFile>> ReadAttachedFiles(const std::vector<NamedFile>& files) {
  std::vector<AttachedFile> read;
  if (files.size() > kMaxAttachments) {
    return Error(Errc::kInvalid, "an action has at most " + std::to_string(kMaxAttachments) +
                                     " attachments, here are " + std::to_string(files.size()));
  }
  for (const NamedFile& file : files) {
    const std::string shown = "@" + file.file;
    auto content = os::ReadFile(file.file, kMaxAttachmentBytes);
    if (!content) return std::move(content).error().During(shown);
    // The same bound and the same words as on the agents.
    if (auto lines = AttachmentLines(*content); !lines) {
      return std::move(lines).error().During(shown);
    }
    AttachedFile attached;
    attached.attachment = {file.name, Sha256(*content), content->size()};
    attached.content = std::move(*content);
    read.push_back(std::move(attached));
  }
  return read;
}

std::vector<Attachment> AttachmentsOf(const std::vector<AttachedFile>& files) {
  std::vector<Attachment> attachments;
  for (const AttachedFile& file : files) attachments.push_back(file.attachment);
  return attachments;
}

Expected<void> CheckAttachedFiles(const Module& module, const json::object& parameters,
                                  const std::vector<AttachedFile>& files) {
  const auto attachments = AttachmentsOf(files);
  auto referred = CheckAttachmentReferences({{std::string(module.name), parameters}}, attachments);
  if (!referred) return referred;
  auto expanded =
      ExpandAttachments(parameters, [&](std::string_view name) -> std::optional<BytesView> {
        for (const AttachedFile& file : files) {
          if (file.attachment.name == name) return BytesView(file.content);
        }
        return std::nullopt;
      });
  if (!expanded) return std::move(expanded).error();
  return CheckParameters(module, *expanded);
}

Expected<void> BringAttachedFiles(cli::ApiClient& api, const std::vector<AttachedFile>& files,
                                  cli::Terminal& terminal) {
  for (const AttachedFile& file : files) {
    auto sent = api.PutAttachment(file.attachment.sha256, file.content);
    if (!sent) return std::move(sent).error().During("attachment `" + file.attachment.name + "`");
    terminal.Remark("Attached " + file.attachment.name + " (" + FormatSize(file.attachment.bytes) +
                    (*sent ? ")." : "), which the server had already."));
  }
  return {};
}

}  // namespace mig
