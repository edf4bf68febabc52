#include "roles/relay/crash_points.h"

#include <array>

namespace mig {
namespace {

// Where they are: net/mqtt_server.cpp and store/relay_db.cpp.
constexpr std::array kPoints{
    "relay.received",         // bytes were read, nothing was done with them
    "relay.store.received",   // a group of changes is about to be written
    "relay.store.written",    // it is written, but not committed
    "relay.store.committed",  // it is committed, but nobody knows
    "relay.send.before",      // a message or an acknowledgement is about to leave
    "relay.send.after",       // it has left
};

}  // namespace

std::span<const char* const> RelayCrashPoints() { return kPoints; }

}  // namespace mig
