// What a relay finds in its database at start: everything but the queued messages themselves, of
// which it learns how many there are. Only for store/relay_db.cpp.
#pragma once

#include "mqtt/keeper.h"
#include "store/sqlite.h"
#include "util/expected.h"

namespace mig::store {

// Error: kMalformed: damage, or a value that nobody here wrote; kIo.
Expected<mqtt::Snapshot> LoadSnapshot(Database& database);

}  // namespace mig::store
