// OpenSSL's objects in unique_ptr: std::unique_ptr<X509, Free<X509_free>>. Only for .cpp files of
// crypto/, so that its headers stay free of OpenSSL.
#pragma once

namespace mig {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

}  // namespace mig
