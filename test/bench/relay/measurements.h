// What was measured: for each row and broker the values of all rounds, as a table for people and as
// JSON. The best of the rounds stands for a broker, because whatever else runs on the machine makes
// figures only worse; the median stands beside it.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "test/bench/relay/broker_process.h"

namespace mig::bench {

struct Unit {
  const char* name;
  bool more_is_better;
  int digits;  // behind the point
};

inline constexpr Unit kPerSecond{"1/s", true, 0};
inline constexpr Unit kMicroseconds{"us CPU each", false, 2};
inline constexpr Unit kMilliseconds{"ms", false, 2};
inline constexpr Unit kSeconds{"s", false, 3};
inline constexpr Unit kBytes{"bytes each", false, 0};
inline constexpr Unit kMegabytes{"MB", false, 1};

class Measurements {
 public:
  void Add(std::string_view row, const Unit& unit, Peer peer, double value);
  // Said under the table: a row that did not come to its end, and why.
  void Remark(std::string_view row, Peer peer, std::string_view text);

  // Markdown. The last column says how many times better ours is than Mosquitto as it comes.
  std::string Table() const;
  std::string Json() const;

 private:
  static constexpr std::size_t kPeers = 3;
  struct Line {
    std::string row;
    Unit unit;
    std::array<std::vector<double>, kPeers> values;  // by peer
  };

  Line& LineOf(std::string_view row, const Unit& unit);
  static double Best(const Line& line, std::size_t peer);
  static double Median(std::vector<double> values);
  static double Ahead(const Line& line, Peer other);

  std::vector<Line> lines_;  // in the order in which they were first measured
  std::vector<std::string> remarks_;
};

}  // namespace mig::bench
