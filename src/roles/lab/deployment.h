// What a deployment consists of before anything runs: keys, CAs, certificates, root and policy.
#pragma once

#include "proto/ids.h"
#include "roles/lab/lab_files.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::lab {

// Makes whatever is not there yet, each file in one step, so that a making that was interrupted is
// completed by the next. Requires: files.MakeFolders().
Expected<void> MakeDeployment(const LabFiles& files, UtcTime now);

// Writes a statement that the lab's policy is the newest, so that it can be changed by at once; the
// supervisor has one published every hour later. Nothing in a lab whose policy names another key.
Expected<void> WriteFreshness(const LabFiles& files, UtcTime now);

// The org of a lab that was made: the hash of its root version 1.
Expected<OrgId> LoadOrg(const LabFiles& files);

}  // namespace mig::lab
