#include "test/bench/relay/measurements.h"

#include <algorithm>
#include <cstdio>

#include "util/json.h"

namespace mig::bench {
namespace {

std::string Text(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::size_t IndexOf(Peer peer) { return static_cast<std::size_t>(peer); }

}  // namespace

Measurements::Line& Measurements::LineOf(std::string_view row, const Unit& unit) {
  for (Line& line : lines_) {
    if (line.row == row && std::string_view(line.unit.name) == unit.name) return line;
  }
  lines_.push_back(Line{std::string(row), unit, {}});
  return lines_.back();
}

void Measurements::Add(std::string_view row, const Unit& unit, Peer peer, double value) {
  LineOf(row, unit).values[IndexOf(peer)].push_back(value);
}

void Measurements::Remark(std::string_view row, Peer peer, std::string_view text) {
  std::string remark = std::string(row) + ", " + bench::PeerName(peer) + ": " + std::string(text);
  if (std::ranges::find(remarks_, remark) == remarks_.end()) remarks_.push_back(std::move(remark));
}

double Measurements::Best(const Line& line, std::size_t peer) {
  const auto& values = line.values[peer];
  return line.unit.more_is_better ? *std::ranges::max_element(values)
                                  : *std::ranges::min_element(values);
}

double Measurements::Median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// How many times better ours is; 0: cannot be said.
double Measurements::Ahead(const Line& line, Peer other) {
  const std::size_t ours = IndexOf(Peer::kOurs);
  if (line.values[ours].empty() || line.values[IndexOf(other)].empty()) return 0;
  const double a = Best(line, ours);
  const double b = Best(line, IndexOf(other));
  const double better = line.unit.more_is_better ? a : b;
  const double worse = line.unit.more_is_better ? b : a;
  return worse > 0 ? better / worse : 0;
}

std::string Measurements::Table() const {
  std::string text = "| what | unit |";
  std::string rule = "|---|---|";
  for (const Peer peer : {Peer::kOurs, Peer::kMosquitto, Peer::kMosquittoDurable}) {
    text += std::string(" ") + bench::PeerName(peer) + " |";
    rule += "---:|";
  }
  text += " times better |\n" + rule + "---:|\n";
  std::string_view above;
  for (const Line& line : lines_) {
    text += "| " + (line.row == above ? "" : line.row) + " | " + line.unit.name + " |";
    above = line.row;
    for (std::size_t peer = 0; peer < kPeers; ++peer) {
      const auto& values = line.values[peer];
      if (values.empty()) {
        text += " - |";
      } else if (values.size() == 1) {
        text += " " + Text(values.front(), line.unit.digits) + " |";
      } else {
        text += " " + Text(Best(line, peer), line.unit.digits) + " (" +
                Text(Median(values), line.unit.digits) + ") |";
      }
    }
    const double ahead = Ahead(line, Peer::kMosquitto);
    text += ahead == 0 ? " - |\n" : " " + Text(ahead, ahead < 10 ? 2 : 0) + " |\n";
  }
  if (!remarks_.empty()) text += "\n";
  for (const std::string& remark : remarks_) text += "- " + remark + "\n";
  return text;
}

std::string Measurements::Json() const {
  json::array rows;
  for (const Line& line : lines_) {
    json::object row{{"row", line.row},
                     {"unit", line.unit.name},
                     {"better", line.unit.more_is_better ? "more" : "less"}};
    for (const Peer peer : {Peer::kOurs, Peer::kMosquitto, Peer::kMosquittoDurable}) {
      const auto& values = line.values[IndexOf(peer)];
      if (values.empty()) continue;
      json::array rounds(values.begin(), values.end());
      row[bench::PeerName(peer)] = json::object{{"best", Best(line, IndexOf(peer))},
                                                {"median", Median(values)},
                                                {"rounds", std::move(rounds)}};
    }
    for (const Peer other : {Peer::kMosquitto, Peer::kMosquittoDurable}) {
      const double ahead = Ahead(line, other);
      if (ahead > 0) row[std::string("times better than ") + bench::PeerName(other)] = ahead;
    }
    rows.push_back(std::move(row));
  }
  json::array remarks(remarks_.begin(), remarks_.end());
  return json::WritePretty(json::object{{"rows", rows}, {"remarks", remarks}});
}

}  // namespace mig::bench
