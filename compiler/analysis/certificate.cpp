// The algebra of certificates; see certificate.h for what one means.
#include "compiler/analysis/certificate.h"

#include <utility>

namespace tpc {
namespace {

constexpr CertificateId noId = ~CertificateId(0);
constexpr size_t mostRemembered = 1 << 12;

uint64_t hashOf(const Certificate& certificate) {
  return mixed(uint64_t(certificate.reads) << 32 ^ mixed(uint64_t(certificate.sign) << 32 | certificate.flips));
}

uint64_t pairKey(uint32_t a, uint32_t b) { return uint64_t(a) << 32 | b; }

}  // namespace

CertificateTable::CertificateTable() : ids_(256, noId), products_(mostRemembered), sums_(mostRemembered) { intern({}); }

CertificateId CertificateTable::intern(const Certificate& certificate) {
  auto slot = [&](const Certificate& of) {
    size_t at = hashOf(of) & (ids_.size() - 1);
    while (ids_[at] != noId && !(certificates_[ids_[at]] == of)) at = (at + 1) & (ids_.size() - 1);
    return at;
  };
  if (2 * certificates_.size() >= ids_.size()) {
    ids_.assign(2 * ids_.size(), noId);
    for (CertificateId id = 0; id < certificates_.size(); ++id) ids_[slot(certificates_[id])] = id;
  }
  const size_t at = slot(certificate);
  if (ids_[at] == noId) {
    ids_[at] = CertificateId(certificates_.size());
    certificates_.push_back(certificate);
  }
  return ids_[at];
}

CertificateId CertificateTable::fresh(Source source) {
  const SourceSet only = sets_.single(source);
  return intern({.reads = only, .sign = only});
}

CertificateId CertificateTable::product(CertificateId a, CertificateId b) {
  if (a == constantAlong) return b;
  if (b == constantAlong) return a;
  if (a > b) std::swap(a, b);
  Remembered& known = products_[mixed(pairKey(a, b)) & (mostRemembered - 1)];
  if (known.a == a && known.b == b) return known.result;
  const Certificate p = certificates_[a], q = certificates_[b];
  const FlipsId flips = flips_.meet(p.flips, q.flips);
  const CertificateId result = intern({.reads = sets_.unite(p.reads, q.reads),
                                       .sign = flips_.normal(sets_.differ(p.sign, q.sign), flips),
                                       .flips = flips});
  known = {a, b, result};
  return result;
}

// A constant and an odd part may not be one part: their sum has no sign.
CertificateId CertificateTable::sum(CertificateId a, CertificateId b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);
  Remembered& known = sums_[mixed(pairKey(a, b)) & (mostRemembered - 1)];
  if (known.a == a && known.b == b) return known.result;
  const Certificate p = certificates_[a], q = certificates_[b];
  const FlipsId flips = flips_.keeping(flips_.meet(p.flips, q.flips), sets_.differ(p.sign, q.sign));
  const CertificateId result =
      intern({.reads = sets_.unite(p.reads, q.reads), .sign = flips_.normal(p.sign, flips), .flips = flips});
  known = {a, b, result};
  return result;
}

CertificateId CertificateTable::even(CertificateId a) {
  const Certificate of = certificates_[a];
  return of.sign == noSources ? a : intern({.reads = of.reads, .flips = of.flips});
}

CertificateId CertificateTable::anyMap(CertificateId a) {
  const Certificate of = certificates_[a];
  return of.sign == noSources ? a : intern({.reads = of.reads, .flips = flips_.keeping(of.flips, of.sign)});
}

bool CertificateTable::isOdd(CertificateId a) {
  const Certificate& of = certificates_[a];
  return !flips_.isLost(of.flips) && !flips_.vanishes(of.sign, of.flips);
}

bool CertificateTable::derivativeIsOdd(CertificateId a, Source source) {
  const Certificate of = certificates_[a];
  if (flips_.isLost(of.flips)) return false;
  return !flips_.vanishes(flips_.normal(sets_.differ(of.sign, sets_.single(source)), of.flips), of.flips);
}

CertificateId CertificateTable::fixing(CertificateId a, std::span<const Source> sources) {
  const Certificate of = certificates_[a];
  FlipsId flips = of.flips;
  for (Source source : sources) flips = flips_.keeping(flips, sets_.single(source));
  return intern({.reads = of.reads, .sign = flips_.normal(of.sign, flips), .flips = flips});
}

CertificateId CertificateTable::renamed(CertificateId a, uint32_t renamingKey, const Renaming& renaming) {
  if (a == constantAlong) return a;
  if (const uint32_t* known = renamings_.find(pairKey(a, renamingKey))) return *known;
  std::vector<Source> names;
  const SourceSets::Renaming toSet = [&](Source source) {
    names.clear();
    renaming.name(source, names);
    SourceSet image = noSources;
    for (Source name : names) image = sets_.unite(image, sets_.single(name));
    return image;
  };
  const Certificate of = certificates_[a];
  const FlipsId flips = flips_.renamed(of.flips, renamingKey, toSet, renaming.splits ? of.reads : noSources);
  const CertificateId result = intern({.reads = sets_.image(of.reads, renamingKey, toSet),
                                       .sign = flips_.normal(sets_.imageSum(of.sign, renamingKey, toSet), flips),
                                       .flips = flips});
  renamings_.insert(pairKey(a, renamingKey), result);
  return result;
}

}  // namespace tpc
