// What is known of the randomness of a part along one of its axes: which sources it reads, and how it changes sign.
//
//     tanh(W1 a + W2 b)     reads {W1, W2};  odd when both flip, of no sign when one does
//     relu(W x)             reads {W};       W may not flip
//     (V^T d) * relu'(W x)  reads {V, W};    W may not flip, odd in V
//
// A certificate speaks of one axis and of the sources that are fresh along it; what is constant along the axis is not
// mentioned (it is even in every source).  A sum along the axis walks where the certificate is odd.
//
// Parity is a subspace of GF(2)^sources of allowed flips with a sign on it.  The subspace is given by what it forbids:
// `fixed` sources do not flip, the members of a block flip together, `others` are sums that must vanish.  The sign is
// the parity of the flipped members of `sign`, in normal form: no fixed member, and of a block only its first.
//
// A source is a parameter's slice together with the axis left free: by the rule ZHat (TP3 Box 1) the
// Gaussians that W and its transpose make are independent, and what ties them is the separate part Z-dot.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tpc {

using Source = uint32_t;
using SourceSet = std::vector<Source>;  // sorted, distinct

// A layer's own instance of a stacked parameter, the layers before it, and the layers behind it.
enum class Phase : uint32_t { own = 0, earlier = 1, later = 2 };
inline constexpr uint32_t phases = 3;

struct Certificate {
  SourceSet reads;  // coordinatewise
  SourceSet fixed;
  std::vector<SourceSet> blocks;  // disjoint, each of two members at least, sorted by their first
  std::vector<SourceSet> others;
  SourceSet sign;
  bool lost = false;  // parity was given up (too many constraints): no claim beyond `reads`
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

using CertificateId = uint32_t;
inline constexpr CertificateId constantAlong = 0;  // reads nothing: a constant along the axis

// Certificates by number, equal ones once; the operations remember their results.
class CertificateTable {
 public:
  CertificateTable();

  CertificateId fresh(Source source);  // odd in it alone
  CertificateId product(CertificateId a, CertificateId b);
  CertificateId sum(CertificateId a, CertificateId b);
  CertificateId even(CertificateId a);    // an even map of it
  CertificateId anyMap(CertificateId a);  // a map of no parity

  // Zero mean along the axis: some allowed flip changes the sign.
  bool isOdd(CertificateId a);
  bool reads(CertificateId a, Source source) const;
  // The same with an extra source in the sign: the parity of the derivative by a value made from that source alone.
  bool derivativeIsOdd(CertificateId a, Source source);

  // Renames sources (a layer's own instance becomes an earlier one); a source may become several, which flip together.
  using Renaming = std::function<void(Source, SourceSet&)>;
  CertificateId renamed(CertificateId a, uint32_t renamingKey, const Renaming& renaming);

  const Certificate& operator[](CertificateId id) const { return certificates_[id]; }

 private:
  CertificateId intern(Certificate certificate);

  struct Hash {
    size_t operator()(const Certificate& certificate) const;
  };
  std::vector<Certificate> certificates_;
  std::unordered_map<Certificate, CertificateId, Hash> ids_;
  std::unordered_map<uint64_t, CertificateId> products_, sums_, renamings_;
  std::unordered_map<uint32_t, CertificateId> evens_, maps_;
};

bool contains(const SourceSet& set, Source source);
SourceSet unite(const SourceSet& a, const SourceSet& b);
SourceSet differ(const SourceSet& a, const SourceSet& b);  // symmetric difference

}  // namespace tpc
