#include "net/ticket_keys.h"

#include <algorithm>

#include "crypto/ed25519.h"

namespace mig {
namespace {

template <std::size_t N>
void Fill(std::array<unsigned char, N>& bytes) {
  const Bytes random = RandomBytes(N);
  std::copy(random.begin(), random.end(), bytes.begin());
}

TicketKeys::Key NewKey(TicketKeys::Time now) {
  TicketKeys::Key key{};
  Fill(key.name);
  Fill(key.cipher);
  Fill(key.mac);
  key.made = now;
  return key;
}

}  // namespace

void TicketKeys::Rotate(Time now) {
  if (current_ && now - current_->made < kLifetime) return;
  previous_ = current_;
  current_ = NewKey(now);
  // After a quiet time both may be old.
  if (previous_ && now - previous_->made >= 2 * kLifetime) previous_.reset();
}

TicketKeys::Key TicketKeys::Current(Time now) {
  const std::lock_guard lock(mutex_);
  Rotate(now);
  return *current_;
}

std::optional<TicketKeys::Found> TicketKeys::Find(const unsigned char* name, Time now) {
  const std::lock_guard lock(mutex_);
  Rotate(now);
  for (const std::optional<Key>* key : {&current_, &previous_}) {
    if (*key && std::equal((*key)->name.begin(), (*key)->name.end(), name)) {
      return Found{**key, key == &current_};
    }
  }
  return std::nullopt;
}

}  // namespace mig
