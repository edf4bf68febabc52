// For a test that this machine cannot run: MIG_SKIP leaves the TEST_CASE, and ctest counts it as
// skipped instead of passed, with the reason in its output. First thing in the test: what failed
// before it would be forgotten.
//   if (!KernelHasLandlock()) MIG_SKIP("this kernel has no Landlock");
#pragma once

#include <catch2/catch.hpp>
#include <iostream>

// The words before the reason are what packaging/cmake/Targets.cmake makes ctest look for.
// (Catch2's exit status cannot say it: it is the number of failed assertions.)
#define MIG_SKIP(reason)                                        \
  do {                                                          \
    std::cout << "mig-test-skipped: " << (reason) << std::endl; \
    SUCCEED();                                                  \
    return;                                                     \
  } while (false)
