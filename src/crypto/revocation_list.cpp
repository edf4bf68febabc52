#include "crypto/revocation_list.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace mig {
namespace {

constexpr UtcTime kNever{std::chrono::sys_days(std::chrono::year(9999) / 1 / 1)};

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using List = std::unique_ptr<X509_CRL, Free<X509_CRL_free>>;

Bio ReadBio(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// True if a PEM text was read to its end, and not to a place that is damaged.
bool AtEnd() {
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  return last == 0 || ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

std::string NameText(const X509_NAME* name) {
  std::array<char, 256> text{};
  X509_NAME_oneline(name, text.data(), text.size());
  return text.data();
}

Expected<UtcTime> ToUtc(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    ERR_clear_error();
    return Error(Errc::kMalformed, "its times are none");
  }
  const std::chrono::year_month_day day(std::chrono::year(parts.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                        std::chrono::day(static_cast<unsigned>(parts.tm_mday)));
  return UtcTime(std::chrono::sys_days(day) + std::chrono::hours(parts.tm_hour) +
                 std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec));
}

struct OneList {
  List list;
  UtcTime made;
  UtcTime expires;

  const X509_NAME* issuer() const { return X509_CRL_get_issuer(list.get()); }
};

Expected<OneList> Check(List list, const std::vector<Certificate>& authorities) {
  const bool is_ours = std::ranges::any_of(authorities, [&list](const Certificate& authority) {
    return X509_NAME_cmp(X509_get_subject_name(authority.get()), X509_CRL_get_issuer(list.get())) ==
               0 &&
           X509_CRL_verify(list.get(), X509_get0_pubkey(authority.get())) == 1;
  });
  ERR_clear_error();
  if (!is_ours) return Error(Errc::kDenied, "is not signed by a CA of ours");
  // A list of changes, or one about some of the certificates, would be taken for all there is.
  for (int i = 0; i < X509_CRL_get_ext_count(list.get()); ++i) {
    X509_EXTENSION* extension = X509_CRL_get_ext(list.get(), i);
    const int kind = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (kind == NID_delta_crl || kind == NID_issuing_distribution_point) {
      return Error(Errc::kUnsupported, "is not about all certificates of its CA");
    }
    if (X509_EXTENSION_get_critical(extension) != 0) {
      return Error(Errc::kUnsupported, "has a critical extension that is not known here");
    }
  }
  auto made = ToUtc(X509_CRL_get0_lastUpdate(list.get()));
  if (!made) return std::move(made).error();
  auto expires = ToUtc(X509_CRL_get0_nextUpdate(list.get()));
  if (!expires) return std::move(expires).error();
  return OneList{std::move(list), *made, *expires};
}

}  // namespace

struct RevocationList::Impl {
  std::vector<Certificate> authorities;
  std::vector<OneList> lists;

  bool Knows(const X509_NAME* name) const {
    return std::ranges::any_of(authorities, [name](const Certificate& authority) {
      return X509_NAME_cmp(X509_get_subject_name(authority.get()), name) == 0;
    });
  }
};

RevocationList::RevocationList(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RevocationList::RevocationList(RevocationList&&) noexcept = default;
RevocationList& RevocationList::operator=(RevocationList&&) noexcept = default;
RevocationList::~RevocationList() = default;

Expected<RevocationList> RevocationList::FromPem(const std::vector<std::string>& lists,
                                                 std::string_view authorities) {
  auto impl = std::make_unique<Impl>();
  const Bio cas = ReadBio(authorities);
  while (Certificate ca{PEM_read_bio_X509(cas.get(), nullptr, nullptr, nullptr)}) {
    impl->authorities.push_back(std::move(ca));
  }
  if (!AtEnd()) return Error(Errc::kMalformed, "CA certificates: are not PEM");
  for (const std::string& text : lists) {
    const Bio bio = ReadBio(text);
    bool any = false;
    while (List list{PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)}) {
      any = true;
      const std::string name = NameText(X509_CRL_get_issuer(list.get()));
      auto checked = Check(std::move(list), impl->authorities);
      if (!checked) return std::move(checked).error().During("revocation list of " + name);
      impl->lists.push_back(std::move(*checked));
    }
    if (!AtEnd() || !any) return Error(Errc::kMalformed, "no revocation list in PEM form");
  }
  return RevocationList(std::move(impl));
}

bool RevocationList::Revokes(const x509_st* certificate) const {
  return std::ranges::any_of(impl_->lists, [certificate](const OneList& one) {
    if (X509_NAME_cmp(one.issuer(), X509_get_issuer_name(certificate)) != 0) return false;
    X509_REVOKED* entry = nullptr;
    // Neither argument is changed, whatever the types say. 2 would be "removed from the list", of
    // which only lists of changes can tell.
    return X509_CRL_get0_by_cert(one.list.get(), &entry, const_cast<X509*>(certificate)) == 1;
  });
}

Expected<void> RevocationList::MayReplace(const RevocationList& old, UtcTime now) const {
  for (const OneList& one : impl_->lists) {
    if (one.expires <= now) {
      return Error(Errc::kExpired, "the revocation list of " + NameText(one.issuer()) +
                                       " expired at " + FormatRfc3339(one.expires));
    }
  }
  for (const OneList& before : old.impl_->lists) {
    if (!impl_->Knows(before.issuer())) continue;  // its CA is no longer one of ours
    const bool newer = std::ranges::any_of(impl_->lists, [&before](const OneList& one) {
      return X509_NAME_cmp(one.issuer(), before.issuer()) == 0 && one.made >= before.made;
    });
    if (!newer) {
      return Error(Errc::kInvalid, "no revocation list of " + NameText(before.issuer()) +
                                       " as new as the one in use, of " +
                                       FormatRfc3339(before.made));
    }
  }
  return {};
}

UtcTime RevocationList::expires() const {
  UtcTime first = kNever;
  for (const OneList& one : impl_->lists) first = std::min(first, one.expires);
  return first;
}

std::size_t RevocationList::size() const {
  std::size_t count = 0;
  for (const OneList& one : impl_->lists) {
    const int entries = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(one.list.get()));
    count += entries > 0 ? static_cast<std::size_t>(entries) : 0;
  }
  return count;
}

}  // namespace mig
