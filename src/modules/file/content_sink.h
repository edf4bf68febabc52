// What takes a content as its bytes come.
#pragma once

#include "util/bytes.h"

namespace mig::file {

class ContentSink {
 public:
  virtual ~ContentSink() = default;
  // The next bytes; `last` when there are no more, which may be all that is said.
  virtual void Feed(BytesView bytes, bool last) = 0;
  // Nothing that follows can change anything.
  virtual bool decided() const = 0;
};

}  // namespace mig::file
