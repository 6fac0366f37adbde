// The algebra of certificates; see certificate.h for what one means.
#include "compiler/analysis/certificate.h"

#include <algorithm>
#include <iterator>

namespace tpc {

bool contains(const SourceSet& set, Source source) { return std::binary_search(set.begin(), set.end(), source); }

SourceSet unite(const SourceSet& a, const SourceSet& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  SourceSet result;
  result.reserve(a.size() + b.size());
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

SourceSet differ(const SourceSet& a, const SourceSet& b) {
  SourceSet result;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

namespace {

constexpr size_t mostOthers = 6;  // beyond it parity is given up, and `lost` says so

SourceSet without(const SourceSet& a, const SourceSet& b) {
  if (b.empty()) return a;
  SourceSet result;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

// The sum of sources modulo what may not flip and what flips together.
SourceSet normal(SourceSet sum, const Certificate& in) {
  sum = without(sum, in.fixed);
  if (in.blocks.empty() || sum.empty()) return sum;
  SourceSet heads;
  for (const SourceSet& block : in.blocks) {
    SourceSet inside;
    std::set_intersection(sum.begin(), sum.end(), block.begin(), block.end(), std::back_inserter(inside));
    if (inside.empty()) continue;
    sum = without(sum, inside);
    if (inside.size() % 2 == 1) heads = differ(heads, {block[0]});
  }
  return heads.empty() ? sum : unite(sum, heads);
}

// A vector modulo the span of `others` (elimination by the first member).
SourceSet reduced(SourceSet sum, std::vector<SourceSet> others) {
  for (size_t i = 0; i < others.size(); ++i) {
    if (others[i].empty()) continue;
    Source pivot = others[i][0];
    for (size_t j = i + 1; j < others.size(); ++j)
      if (contains(others[j], pivot)) others[j] = differ(others[j], others[i]);
    if (contains(sum, pivot)) sum = differ(sum, others[i]);
  }
  return sum;
}

void fix(Certificate& certificate, const SourceSet& sources);

// Demands that the members of `block` flip together; none of them is fixed.
void joinBlock(Certificate& certificate, SourceSet block) {
  std::vector<SourceSet> kept;
  for (SourceSet& old : certificate.blocks) {
    bool touched = std::any_of(old.begin(), old.end(), [&](Source s) { return contains(block, s); });
    if (touched) block = unite(block, old);
    else kept.push_back(std::move(old));
  }
  kept.push_back(std::move(block));
  std::sort(kept.begin(), kept.end());
  certificate.blocks = std::move(kept);
}

// Demands that the sum of `sources` does not flip.
void constrain(Certificate& certificate, SourceSet sources) {
  sources = reduced(normal(std::move(sources), certificate), certificate.others);
  if (sources.empty()) return;
  if (sources.size() == 1) return fix(certificate, sources);
  if (sources.size() == 2) {
    joinBlock(certificate, std::move(sources));
  } else if (certificate.others.size() < mostOthers) {
    certificate.others.push_back(std::move(sources));
  } else {
    certificate.lost = true;
  }
  std::vector<SourceSet> others;
  others.swap(certificate.others);
  std::sort(others.begin(), others.end());
  for (SourceSet& other : others) {
    other = normal(std::move(other), certificate);
    if (other.size() > 2) certificate.others.push_back(std::move(other));
    else if (!other.empty()) constrain(certificate, other);
  }
}

void fix(Certificate& certificate, const SourceSet& sources) {
  SourceSet all = sources;
  std::vector<SourceSet> kept;
  for (const SourceSet& block : certificate.blocks) {
    bool touched = std::any_of(sources.begin(), sources.end(), [&](Source s) { return contains(block, s); });
    if (touched) all = unite(all, block);
    else kept.push_back(block);
  }
  certificate.blocks = std::move(kept);
  certificate.fixed = unite(certificate.fixed, all);
  std::vector<SourceSet> others;
  others.swap(certificate.others);
  for (SourceSet& other : others) constrain(certificate, other);
}

void constrainAll(Certificate& certificate, const Certificate& by) {
  if (!by.fixed.empty()) fix(certificate, by.fixed);
  for (const SourceSet& block : by.blocks) {
    SourceSet held;
    std::set_intersection(block.begin(), block.end(), certificate.fixed.begin(), certificate.fixed.end(),
                          std::back_inserter(held));
    if (held.empty()) joinBlock(certificate, block);
    else fix(certificate, block);
  }
  std::vector<SourceSet> others;
  others.swap(certificate.others);
  for (const SourceSet& other : others) constrain(certificate, other);
  for (const SourceSet& other : by.others) constrain(certificate, other);
  certificate.lost = certificate.lost || by.lost;
}

uint64_t pairKey(uint32_t a, uint32_t b) { return uint64_t(a) << 32 | b; }

}  // namespace

size_t CertificateTable::Hash::operator()(const Certificate& certificate) const {
  size_t hash = certificate.lost;
  auto mix = [&](const SourceSet& set) {
    hash = hash * 1099511628211u + set.size() + 1;
    for (Source source : set) hash = (hash ^ source) * 1099511628211u;
  };
  mix(certificate.reads);
  mix(certificate.fixed);
  mix(certificate.sign);
  for (const SourceSet& block : certificate.blocks) mix(block);
  for (const SourceSet& other : certificate.others) mix(other);
  return hash;
}

CertificateTable::CertificateTable() { intern({}); }

CertificateId CertificateTable::intern(Certificate certificate) {
  auto [entry, isNew] = ids_.try_emplace(std::move(certificate), CertificateId(certificates_.size()));
  if (isNew) certificates_.push_back(entry->first);
  return entry->second;
}

CertificateId CertificateTable::fresh(Source source) {
  Certificate certificate;
  certificate.reads = certificate.sign = {source};
  return intern(std::move(certificate));
}

CertificateId CertificateTable::product(CertificateId a, CertificateId b) {
  if (a == constantAlong) return b;
  if (b == constantAlong) return a;
  if (a > b) std::swap(a, b);
  auto known = products_.find(pairKey(a, b));
  if (known != products_.end()) return known->second;
  Certificate result = certificates_[a];
  const Certificate& other = certificates_[b];
  result.reads = unite(result.reads, other.reads);
  SourceSet sign = differ(result.sign, other.sign);
  constrainAll(result, other);
  result.sign = normal(std::move(sign), result);
  return products_[pairKey(a, b)] = intern(std::move(result));
}

// A constant and an odd part may not be one part: their sum has no sign.
CertificateId CertificateTable::sum(CertificateId a, CertificateId b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);
  auto known = sums_.find(pairKey(a, b));
  if (known != sums_.end()) return known->second;
  Certificate result = certificates_[a];
  const Certificate& other = certificates_[b];
  result.reads = unite(result.reads, other.reads);
  SourceSet sign = result.sign;
  constrainAll(result, other);
  constrain(result, differ(certificates_[a].sign, other.sign));
  result.sign = normal(std::move(sign), result);
  return sums_[pairKey(a, b)] = intern(std::move(result));
}

CertificateId CertificateTable::even(CertificateId a) {
  auto known = evens_.find(a);
  if (known != evens_.end()) return known->second;
  Certificate result = certificates_[a];
  result.sign.clear();
  return evens_[a] = intern(std::move(result));
}

CertificateId CertificateTable::anyMap(CertificateId a) {
  auto known = maps_.find(a);
  if (known != maps_.end()) return known->second;
  Certificate result = certificates_[a];
  SourceSet sign;
  sign.swap(result.sign);
  constrain(result, std::move(sign));
  return maps_[a] = intern(std::move(result));
}

bool CertificateTable::isOdd(CertificateId a) {
  const Certificate& certificate = certificates_[a];
  if (certificate.lost) return false;
  return !reduced(certificate.sign, certificate.others).empty();
}

bool CertificateTable::reads(CertificateId a, Source source) const { return contains(certificates_[a].reads, source); }

bool CertificateTable::derivativeIsOdd(CertificateId a, Source source) {
  const Certificate& certificate = certificates_[a];
  if (certificate.lost) return false;
  return !reduced(normal(differ(certificate.sign, {source}), certificate), certificate.others).empty();
}

CertificateId CertificateTable::renamed(CertificateId a, uint32_t renamingKey, const Renaming& renaming) {
  if (a == constantAlong) return a;
  auto known = renamings_.find(pairKey(a, renamingKey));
  if (known != renamings_.end()) return known->second;

  const Certificate old = certificates_[a];
  Certificate result;
  std::unordered_map<Source, SourceSet> images;
  SourceSet reads;
  for (Source source : old.reads) {
    SourceSet& image = images[source];
    renaming(source, image);
    std::sort(image.begin(), image.end());
    reads.insert(reads.end(), image.begin(), image.end());
  }
  std::sort(reads.begin(), reads.end());
  reads.erase(std::unique(reads.begin(), reads.end()), reads.end());
  result.reads = std::move(reads);
  result.lost = old.lost;

  // A source that becomes several stands for pieces of which each is odd in its own: they flip together.
  for (Source source : old.reads)
    for (size_t i = 1; i < images[source].size(); ++i)
      if (!contains(old.fixed, source)) constrain(result, SourceSet{images[source][0], images[source][i]});
  auto image = [&](const SourceSet& set) {
    SourceSet sum;
    for (Source source : set) sum = differ(sum, {images.count(source) ? images[source][0] : source});
    return sum;
  };
  for (Source source : old.fixed)
    if (images.count(source)) fix(result, images[source]);
  for (const SourceSet& block : old.blocks)
    for (size_t i = 1; i < block.size(); ++i) constrain(result, image({block[0], block[i]}));
  for (const SourceSet& other : old.others) constrain(result, image(other));
  result.sign = normal(image(old.sign), result);
  return renamings_[pairKey(a, renamingKey)] = intern(std::move(result));
}

}  // namespace tpc
