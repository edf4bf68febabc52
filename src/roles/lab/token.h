// The enrolment token of a lab: its investigator grants the lab's agents their tags, as people do
// with mig agent-token new.
#pragma once

#include <string>

#include "roles/lab/lab_files.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::lab {

struct LabToken {
  std::string text;  // for `token_file`
  Bytes grant;       // JSON of the signed grant, for the server
};
// Requires: the deployment is made (roles/lab/deployment.h).
Expected<LabToken> MakeToken(const LabFiles& files, const std::string& api, UtcTime now);

}  // namespace mig::lab
