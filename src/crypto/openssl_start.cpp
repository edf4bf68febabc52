#include "crypto/openssl_start.h"

#include <openssl/crypto.h>

namespace mig {

void PrepareOpenSsl() { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr); }

}  // namespace mig
