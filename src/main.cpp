// The one executable. Roles and verbs stand in the table below: to add one, write its
// `int RunX(std::span<const std::string>)` in its own folder of roles/, include its header here,
// and add a line (sorted by group, then by what people need first). Roles never include one
// another; this is where they meet.
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "modules/module.h"
#include "os/startup.h"
#include "roles/module/module_verb.h"
#include "util/version.h"
#include "verb_table.h"

namespace mig {
namespace {

constexpr std::array kVerbs{
    Verb{"module", Verb::Group::kInternal, "runs one module here, in its sandbox", RunModuleVerb},
};

// Links in `directory` for the roles that run as services, so that process lists name them.
int InstallLinks(const std::string& directory) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    std::fprintf(stderr, "mig: cannot tell where this executable is: %s\n",
                 error.message().c_str());
    return kExitUsage;
  }
  for (const Verb& verb : kVerbs) {
    if (verb.group != Verb::Group::kServer && verb.group != Verb::Group::kEndpoint) continue;
    const auto link = std::filesystem::path(directory) / ("mig-" + std::string(verb.name));
    if (std::filesystem::is_symlink(link, error)) {
      if (std::filesystem::read_symlink(link, error) == self) continue;
      std::filesystem::remove(link, error);
    }
    std::filesystem::create_symlink(self, link, error);
    if (error) {
      std::fprintf(stderr, "mig: cannot make the link %s: %s\n", link.c_str(),
                   error.message().c_str());
      return kExitUsage;
    }
    std::printf("%s\n", link.c_str());
  }
  return kExitFound;
}

int Main(std::string_view called_as, const std::vector<std::string>& arguments) {
  const auto is_module = [](std::string_view word) { return FindModule(word) != nullptr; };
  auto dispatch = FindVerb(kVerbs, called_as, arguments, is_module);
  if (!dispatch) {
    std::fprintf(stderr, "mig: %s\n", dispatch.error().message().c_str());
    return kExitUsage;
  }
  switch (dispatch->kind) {
    case Dispatch::Kind::kVerb:
      return dispatch->verb->run(dispatch->arguments);
    case Dispatch::Kind::kHelp: {
      if (dispatch->verb == nullptr) {
        std::fputs(HelpPage(kVerbs).c_str(), stdout);
        return kExitFound;
      }
      dispatch->arguments.emplace_back("--help");
      return dispatch->verb->run(dispatch->arguments);
    }
    case Dispatch::Kind::kVersion:
      std::printf("mig %s\n", std::string(Version()).c_str());
      return kExitFound;
    case Dispatch::Kind::kList:
      for (const Verb& verb : kVerbs) std::printf("%s\n", std::string(verb.name).c_str());
      return kExitFound;
    case Dispatch::Kind::kInstall:
      return InstallLinks(dispatch->arguments.front());
  }
  return kExitUsage;
}

}  // namespace
}  // namespace mig

int main(int argc, char** argv) {
  mig::PrepareProcess();
  try {
    return mig::Main(argc > 0 ? argv[0] : "mig",
                     std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "mig: internal error: %s\n", e.what());
    return 70;  // EX_SOFTWARE: a bug, please report it
  }
}
