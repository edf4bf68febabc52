// One member of an archive, as searches see it.
#pragma once

#include <string>

#include "modules/file/member.h"
#include "modules/file/subject.h"
#include "modules/file/tally.h"

namespace mig::file {

class MemberInHand : public Subject {
 public:
  // All must outlive this.
  MemberInHand(const Subject& archive, const Member& member, Tally& tally);

  std::string_view NameFor(const Scope& scope) const override;
  std::string PathFor(const Scope& scope) const override { return archive_.PathFor(scope); }
  std::string Shown() const override;
  Answer AnswerTo(const Check& check, std::string_view base_name, UtcTime now) override;
  const os::FileStatus* Status() override { return &status_; }
  json::object Extra(const Search& search, const Names& names) override;

 private:
  bool Says(CheckKind kind) const;

  const Subject& archive_;
  const Member& member_;
  Tally& tally_;
  os::FileStatus status_;
  bool unsupported_ = false;  // which is reported once
};

// "/srv/a.zip" and "x/y" -> "/srv/a.zip!/x/y".
std::string MemberPath(const std::string& archive, const std::string& member);

}  // namespace mig::file
