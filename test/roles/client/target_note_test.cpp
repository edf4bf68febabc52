#include "roles/client/target_note.h"

#include <catch2/catch.hpp>

#include "proto/target.h"

using namespace mig;

TEST_CASE("target note: every expression that the help shows is one", "[client]") {
  for (const TargetExample& example : TargetExamples()) {
    INFO(example.expression);
    CHECK(Target::Parse(example.expression));
    CHECK(TargetNote().find(example.remark) != std::string::npos);
  }
}
