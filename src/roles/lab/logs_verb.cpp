// mig lab logs: the last lines of the lab's logs, in the order of time, and what follows.
#include <algorithm>
#include <fstream>
#include <map>
#include <thread>

#include "cli/verb.h"
#include "os/interrupts.h"
#include "roles/lab/verbs.h"
#include "util/text.h"

namespace mig::lab {
namespace {

namespace fs = std::filesystem;
using cli::ExitStatus;

constexpr std::chrono::milliseconds kLookAgain{200};
constexpr std::size_t kMaxTailBytes = std::size_t{4} << 20;  // of one file, from its end
constexpr std::size_t kMaxLineBytes = 64 * 1024;

struct Line {
  std::string time;  // as it stands at the front of the line; sorts as text
  std::string role;
  std::string text;
};

// One log, read from its end on.
class LogReader {
 public:
  LogReader(fs::path file, std::string role) : file_(std::move(file)), role_(std::move(role)) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file_, error);
    if (!error && size > kMaxTailBytes) {
      position_ = size - kMaxTailBytes;
      skip_partial_ = true;
    }
  }

  // The complete lines that were written since the last call.
  void Read(std::vector<Line>& lines) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file_, error);
    if (error) return;
    if (size < position_) position_ = 0;  // began anew
    std::ifstream in(file_, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(position_));
    std::string chunk(
        static_cast<std::size_t>(std::min<std::uintmax_t>(size - position_, kMaxTailBytes)), '\0');
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    chunk.resize(static_cast<std::size_t>(in.gcount()));
    position_ += chunk.size();
    partial_ += chunk;
    std::size_t start = 0;
    for (std::size_t end; (end = partial_.find('\n', start)) != std::string::npos;
         start = end + 1) {
      if (!std::exchange(skip_partial_, false)) Add(partial_.substr(start, end - start), lines);
    }
    partial_.erase(0, start);
    if (partial_.size() > kMaxLineBytes) {
      Add(partial_, lines);
      partial_.clear();
    }
  }

 private:
  void Add(std::string text, std::vector<Line>& lines) {
    // Lines that do not begin with a time (a crash report) stay with the one before.
    const std::string word = text.substr(0, text.find(' '));
    if (ParseRfc3339(word)) last_time_ = word;
    lines.push_back({last_time_, role_, std::move(text)});
  }

  fs::path file_;
  std::string role_;
  std::uintmax_t position_ = 0;
  std::string partial_;
  std::string last_time_;
  bool skip_partial_ = false;
};

std::vector<Line> ReadAll(std::vector<LogReader>& readers) {
  std::vector<Line> lines;
  for (LogReader& reader : readers) reader.Read(lines);
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Line& a, const Line& b) { return a.time < b.time; });
  return lines;
}

void Print(const std::vector<Line>& lines, std::size_t first, bool with_role,
           cli::Terminal& terminal) {
  std::string text;
  for (std::size_t i = first; i < lines.size(); ++i) {
    if (with_role) {
      std::string role = lines[i].role;
      role.resize(std::max<std::size_t>(role.size(), 10), ' ');
      text += role + " | ";
    }
    // Logs quote what came from outside; they escape it, and so do we.
    text += EscapeForTerminal(lines[i].text) + "\n";
  }
  terminal.Data(text);
}

}  // namespace

ExitStatus RunLogs(Words words, cli::Terminal& terminal) {
  std::string dir, role;
  bool follow = false;
  std::uint64_t count = 100;
  cli::Options options("mig lab logs [ROLE] [-f] [-n LINES] [--dir DIR]",
                       "Prints the last lines that the lab's processes wrote, in the order of "
                       "time.");
  options.Word("ROLE", "relay, scheduler, api, agent-1, supervisor, … (default: all)", false,
               &role);
  options.Flag("follow", 'f', "go on with what they write from now on", &follow);
  options.Integer("lines", 'n', "N", "how many lines (default 100)", 0, 1'000'000, &count);
  AddDir(options, &dir);
  options.Example("mig lab logs -f", "everything, as it happens");
  options.Example("mig lab logs scheduler -n 20", "the last lines of one process");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto files = FilesFor(dir);
  if (!files) return cli::Fail(terminal, files.error());

  std::map<std::string, fs::path> logs;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(files->folder() / "log", error)) {
    if (entry.path().extension() == ".log") logs[entry.path().stem().string()] = entry.path();
  }
  std::vector<LogReader> readers;
  std::vector<std::string> names;
  for (const auto& [name, file] : logs) {
    names.push_back(name);
    if (role.empty() || role == name) readers.emplace_back(file, name);
  }
  if (readers.empty()) {
    terminal.Complain(names.empty()
                          ? "there is no lab in " + files->folder().string() +
                                "; start one with: mig lab up" + DirWords(*files)
                          : "there is no log of `" + role + "`; there are " + Join(names, ", "));
    return cli::kUsage;
  }
  std::vector<Line> lines = ReadAll(readers);
  Print(lines, lines.size() > count ? lines.size() - count : 0, role.empty(), terminal);
  if (!follow) return cli::Finish(terminal, cli::kFound);

  const os::Interrupts interrupts(nullptr, nullptr);
  while (terminal.Flush() && !interrupts.WaitForMore(0, kLookAgain)) {
    lines = ReadAll(readers);
    Print(lines, 0, role.empty(), terminal);
  }
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig::lab
