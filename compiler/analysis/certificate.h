// What is known of the randomness of a part along one of its axes: which sources it reads, and how it changes sign.
//
//     tanh(W1 a + W2 b)     reads {W1, W2};  odd when both flip, of no sign when one does
//     relu(W x)             reads {W};       W may not flip
//     (V^T d) * relu'(W x)  reads {V, W};    W may not flip, odd in V
//
// A certificate speaks of one axis and of the sources that are fresh along it; what is constant along the axis is not
// mentioned (it is even in every source).  A sum along the axis walks where the certificate is odd.
//
// Parity is a subspace of GF(2)^sources of allowed flips (flips.h) with a sign on it: the parity of the flipped members
// of `sign`, in normal form.
//
// A source is a parameter's slice together with the axis left free: by the rule ZHat (TP3 Box 1) the
// Gaussians that W and its transpose make are independent, and what ties them is the separate part Z-dot.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "compiler/analysis/flat_map.h"
#include "compiler/analysis/flips.h"
#include "compiler/analysis/source_set.h"

namespace tpc {

// A layer's own instance of a stacked parameter, the layers before it, and the layers behind it.
enum class Phase : uint32_t { own = 0, earlier = 1, later = 2 };
inline constexpr uint32_t phases = 3;

struct Certificate {
  SourceSet reads = noSources;  // coordinatewise
  SourceSet sign = noSources;
  FlipsId flips = allFlips;
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

using CertificateId = uint32_t;
inline constexpr CertificateId constantAlong = 0;  // reads nothing: a constant along the axis

// Certificates by number, equal ones once; the operations remember their results.
class CertificateTable {
 public:
  CertificateTable();
  CertificateTable(const CertificateTable&) = delete;  // its tables refer to one another

  CertificateId fresh(Source source);  // odd in it alone
  CertificateId product(CertificateId a, CertificateId b);
  CertificateId sum(CertificateId a, CertificateId b);
  CertificateId even(CertificateId a);    // an even map of it
  CertificateId anyMap(CertificateId a);  // a map of no parity

  // Zero mean along the axis: some allowed flip changes the sign.
  bool isOdd(CertificateId a);
  bool reads(CertificateId a, Source source) const { return sets_.contains(certificates_[a].reads, source); }
  // The same with an extra source in the sign: the parity of the derivative by a value made from that source alone.
  bool derivativeIsOdd(CertificateId a, Source source);
  bool isLost(CertificateId a) const { return flips_.isLost(certificates_[a].flips); }

  // The same where these sources may not flip.
  CertificateId fixing(CertificateId a, std::span<const Source> sources);

  // Renames sources (a layer's own instance becomes an earlier one); where one may become several, `splits` says so,
  // and they flip together.  One key stands for one renaming.
  struct Renaming {
    std::function<void(Source, std::vector<Source>&)> name;
    bool splits = false;
  };
  CertificateId renamed(CertificateId a, uint32_t renamingKey, const Renaming& renaming);

  const Certificate& operator[](CertificateId id) const { return certificates_[id]; }
  const SourceSets& sets() const { return sets_; }

 private:
  CertificateId intern(const Certificate& certificate);

  SourceSets sets_;
  FlipsTable flips_{sets_};
  std::vector<Certificate> certificates_;
  std::vector<CertificateId> ids_;  // an open hash table of certificates, noId where empty
  // The last results, each where its hash points; what is asked again is mostly asked soon.
  struct Remembered {
    CertificateId a = constantAlong, b = constantAlong, result = constantAlong;
  };
  std::vector<Remembered> products_, sums_;
  FlatMap renamings_;
};

}  // namespace tpc
