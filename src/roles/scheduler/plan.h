// What the scheduler does with commands that are due: send now, by which relay, when again; or
// leave until something happens. Pure: rows and the time in, decisions out. dispatcher.h carries
// them out.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/server_rows.h"

namespace mig::scheduler {

struct PlanRules {
  // Silence of a connected agent after which a command is sent again; doubled each time.
  std::chrono::milliseconds resend_after{30'000};
  std::chrono::milliseconds resend_longest{600'000};
  // How long an agent that answered `busy` is left alone.
  std::chrono::milliseconds busy_after{15'000};
  // Answers that left the agent in time arrive this much later.
  std::chrono::milliseconds expiry_grace{10'000};
};

struct RelayState {
  std::string name;  // as agents' rows have it
  bool connected = false;
};

struct Sending {
  store::CommandRow command;
  std::size_t relay = 0;           // index into the relay states
  std::chrono::seconds expiry{0};  // for which a relay keeps the message
  std::optional<UtcTime> again;    // nothing: not until the agent shows itself
};

// Not sent now, and due again then, or (nothing) not until something happens: its agent comes on,
// or its action expires.
struct Holding {
  store::CommandRow command;
  std::optional<UtcTime> due;
  bool cloned = false;  // because two machines use the agent's identity: a person has to act
};

struct SendPlan {
  std::vector<Sending> sendings;
  std::vector<Holding> holdings;
};

// Requires: at least one relay.
SendPlan PlanSending(std::span<const store::DueRow> due, std::span<const RelayState> relays,
                     const PlanRules& rules, UtcTime now);

// When an action whose time is over is to be ended.
UtcTime EndOfGrace(UtcTime expireafter, const PlanRules& rules);

// When the scheduler should look again although nobody wakes it. Never later than `kLongestNap`:
// the wall clock, by which deadlines are told, may be set.
inline constexpr std::chrono::milliseconds kShortestNap{50};
inline constexpr std::chrono::milliseconds kLongestNap{30'000};
struct Wakes {
  std::optional<UtcTime> due, valid, expiry;
};
std::chrono::milliseconds NapLength(const Wakes& wakes, const PlanRules& rules, UtcTime now);

}  // namespace mig::scheduler
