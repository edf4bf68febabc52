// Several threads for one piece of work, ended before the caller goes on.
#pragma once

#include <cstddef>
#include <functional>

namespace mig::os {

// Calls work(0) in this thread and work(1) … work(count-1) in threads of their own, all at once,
// and returns when all have returned. What one of them throws is thrown here, the first of several.
// Fewer threads run where the system gives no more, so `work` must not depend on their number.
// Their stacks are small, because address space is what a module's child is short of.
void RunThreads(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace mig::os
