// Runs scenarios against a broker that it reaches through an interface: the core with a clock that
// the scenario moves (core_scenarios_test.cpp), or a real relay over TCP
// (e2e/relay_scenarios_test.cpp).
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>

#include "test/mqtt/scenario.h"

namespace mig::mqtt {

// A broker of the scenario's own, new. What only trouble with the back end itself can cause is a
// std::runtime_error.
class ScenarioBroker {
 public:
  struct Closed {};
  struct Silence {};  // nothing came for as long as the back end is patient
  struct Arrived {
    Packet packet;
    std::size_t bytes = 0;
  };
  using Event = std::variant<Arrived, Closed, Silence>;

  virtual ~ScenarioBroker() = default;

  // A new connection, as a handle.
  virtual int Open(Version version) = 0;
  virtual void Send(int connection, BytesView bytes) = 0;
  // The next thing that comes. `patient` false: only what is there already.
  virtual Event Read(int connection, bool patient) = 0;
  virtual void Drop(int connection) = 0;

  virtual void Wait(std::chrono::milliseconds time) = 0;
  virtual void Kill() = 0;     // at once, and started again
  virtual void Restart() = 0;  // stopped in order, and started again

  // True if whatever was sent has had all its effects when Send returns.
  virtual bool IsImmediate() const = 0;
};

// Nothing: all went as the scenario says. Otherwise what went wrong, with file, line, and all
// packets that passed until then.
std::optional<std::string> RunScenario(const Scenario& scenario, Version version,
                                       ScenarioBroker& broker);

}  // namespace mig::mqtt
