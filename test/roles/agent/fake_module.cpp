// Stands in for `mig module NAME --frames` in the runner's tests: called with the same words, it
// misbehaves in the way that the module's name says.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "modules/frames.h"

namespace mig {
namespace {

void Put(BytesView bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  std::fflush(stdout);
}

void Element(const json::value& v) { Put(EncodeElement("s1", v).value()); }

void Summary(bool success = true, std::vector<std::string> errors = {}) {
  ModuleResult result;
  result.foundanything = true;
  result.success = success;
  result.errors = std::move(errors);
  result.sandbox = "full";
  Put(EncodeSummary(result));
}

[[noreturn]] void Hang() {
  for (;;) ::pause();
}

int Run(const std::string& name, const std::vector<std::string>& words,
        const json::object& parameters) {
  const auto number = [&](const char* key) {
    return parameters.contains(key) ? parameters.at(key).to_number<int>() : 0;
  };
  if (name == "echo") {  // its words and parameters
    json::array list;
    for (const std::string& word : words) list.push_back(json::value(word));
    Element(json::object{{"words", std::move(list)}, {"parameters", parameters}});
    Summary();
  } else if (name == "fails") {
    Summary(false, {"it could not"});
  } else if (name == "flood") {
    for (int i = 0; i < number("count"); ++i) {
      Element(json::object{{"path", std::string(180, 'p') + std::to_string(i)}});
    }
    Summary();
  } else if (name == "hang") {  // and ignores the polite request
    ::signal(SIGTERM, SIG_IGN);
    Element(1);
    if (parameters.contains("file")) {
      // A child of its own that outlives it unless the whole family is killed.
      const pid_t family = ::fork();
      if (family == 0) Hang();
      std::ofstream(parameters.at("file").as_string().c_str()) << family;
    }
    Hang();
  } else if (name == "dies") {
    Element(1);
    std::fputs("something went wrong\x1b[31m\n", stderr);
    std::abort();
  } else if (name == "garbage") {
    Put("this is no frame at all");
    Hang();
  } else if (name == "lingers") {  // its answer is complete, but it does not go away
    Summary();
    Hang();
  } else if (name == "silent") {
    return 3;
  } else if (name == "noisy") {  // more on stderr than a pipe holds
    for (int i = 0; i < 10'000; ++i) std::fputs("complaint complaint complaint\n", stderr);
    Summary();
  } else if (name == "counts") {  // its runs, in a file
    const std::string file(parameters.at("file").as_string());
    std::ofstream(file, std::ios::app) << "x";
    Summary();
  }
  return 0;
}

}  // namespace
}  // namespace mig

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
  const auto parameters = mig::json::ParseObject(input);
  if (!parameters || words.size() < 2) return 2;
  return mig::Run(words[1], words, *parameters);
}
