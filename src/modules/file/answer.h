// What a check says of a file.
#pragma once

namespace mig::file {

enum class Answer {
  kNo,
  kYes,
  kUnknown,  // nobody can tell: its file system does not say, or it is too large to be sure
};

}  // namespace mig::file
