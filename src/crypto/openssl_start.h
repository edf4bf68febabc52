// OpenSSL's start: without openssl.cnf, which could make a service load a provider from a file that
// somebody put there. Called by main before anything else uses OpenSSL.
#pragma once

namespace mig {

void PrepareOpenSsl();

}  // namespace mig
