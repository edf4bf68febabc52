// Which words after `mig query MODULE` are the verb's own options and which are the module's. Some
// names belong to both (ping's -c, -p and -t), so the place decides: own options are taken until
// the first option that is not one of the verb's; from there an option is the module's if the
// module declares it, and else the verb's. Pure.
//
//   mig query ping -t "name = 'web1'" -d 10.0.0.1 -t 5      first -t: target; second: ping's
//   mig query file -path /etc -name passwd -json            -json: no parameter of file, so own
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/options.h"
#include "modules/module.h"
#include "util/expected.h"

namespace mig {

struct QueryArguments {
  std::vector<std::string> own;
  std::vector<std::string> module;
};

// Error: kInvalid for an option that neither declares, with near ones of both.
Expected<QueryArguments> SplitQueryArguments(const cli::Options& own, const Module& module,
                                             std::span<const std::string> words);

}  // namespace mig
