// Certificates against what they mean.
//
// Of a few sources every flip can be listed: a value's certificate is then the list of allowed flips, each with the
// sign that the value takes under it, and the algebra is what the words say (a product allows what both allow, the
// signs multiply).  The fast representation has to agree after any sequence of operations.
#include <algorithm>
#include <bitset>
#include <iterator>
#include <random>
#include <set>

#include "compiler/analysis/certificate.h"
#include "tests/catch.h"

using namespace tpc;

namespace {

constexpr int count = 9, flips = 1 << count;

struct Listed {
  std::set<Source> reads;
  std::bitset<flips> allowed, negative;  // by flip: bit s of a flip is source s

  static Listed constant() {
    Listed result;
    result.allowed.set();
    return result;
  }
  static Listed fresh(Source source) {
    Listed result = constant();
    result.reads = {source};
    for (int flip = 0; flip < flips; ++flip) result.negative[flip] = flip >> source & 1;
    return result;
  }
  Listed with(const Listed& other) const {
    Listed result = *this;
    result.reads.insert(other.reads.begin(), other.reads.end());
    result.allowed &= other.allowed;
    result.negative &= result.allowed;
    return result;
  }
  Listed product(const Listed& other) const {
    Listed result = with(other);
    result.negative = (negative ^ other.negative) & result.allowed;
    return result;
  }
  Listed sum(const Listed& other) const {
    Listed result = with(other);
    result.allowed &= ~(negative ^ other.negative);
    result.negative &= result.allowed;
    return result;
  }
  Listed even() const {
    Listed result = *this;
    result.negative.reset();
    return result;
  }
  Listed anyMap() const {
    Listed result = even();
    result.allowed &= ~negative;
    return result;
  }
  bool isOdd() const { return (allowed & negative).any(); }
  bool derivativeIsOdd(Source source) const {
    for (int flip = 0; flip < flips; ++flip)
      if (allowed[flip] && negative[flip] != bool(flip >> source & 1)) return true;
    return false;
  }
  // A source that may flip by its names all at once; of one that may not, no name may.
  Listed renamed(const std::vector<std::vector<Source>>& names) const {
    Listed result;
    std::vector<bool> mayFlip(count, false);
    for (int flip = 0; flip < flips; ++flip)
      for (int source = 0; source < count; ++source)
        mayFlip[source] = mayFlip[source] || (allowed[flip] && (flip >> source & 1));
    for (Source source : reads) result.reads.insert(names[source].begin(), names[source].end());
    for (int flip = 0; flip < flips; ++flip) {
      int old = 0;
      bool fits = true;
      for (Source source : reads) {
        const int first = flip >> names[source][0] & 1;
        for (Source name : names[source])
          fits &= (flip >> name & 1) == first && (mayFlip[source] || !(flip >> name & 1));
        old |= first << source;
      }
      result.allowed[flip] = fits && allowed[old];
      result.negative[flip] = result.allowed[flip] && negative[old];
    }
    return result;
  }
};

struct Both {
  CertificateId fast;
  Listed listed;
};

std::set<Source> listed(const SourceSets& sets, SourceSet set) {
  std::set<Source> result;
  sets.forEach(set, [&](Source source) { result.insert(source); });
  return result;
}

void checkAgree(CertificateTable& table, const Both& both) {
  const Certificate& certificate = table[both.fast];
  CHECK(listed(table.sets(), certificate.reads) == both.listed.reads);
  if (table.isLost(both.fast)) {
    CHECK_FALSE(table.isOdd(both.fast));
    return;
  }
  CHECK(table.isOdd(both.fast) == both.listed.isOdd());
  for (Source source : both.listed.reads)
    CHECK(table.derivativeIsOdd(both.fast, source) == both.listed.derivativeIsOdd(source));
}

}  // namespace

TEST_CASE("certificates agree with the lists of flips that they stand for", "[analysis][certificate]") {
  std::mt19937 random(7);
  auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  // One source becomes another, two become one, one becomes three.
  std::vector<std::vector<Source>> cyclic, merging, splitting;
  for (Source source = 0; source < Source(count); ++source) {
    cyclic.push_back({(source + 3) % count});
    merging.push_back({source - source % 2});
    const Source group = source - source % 3;
    splitting.push_back({group, group + 1, group + 2});
  }
  int lost = 0, odd = 0;
  for (int sequence = 0; sequence < 400; ++sequence) {
    CertificateTable table;
    std::vector<Both> values{{constantAlong, Listed::constant()}};
    for (Source source = 0; source < Source(count); ++source)
      values.push_back({table.fresh(source), Listed::fresh(source)});
    for (int step = 0; step < 40; ++step) {
      const Both a = values[below(values.size())],
                 b = values[values.size() - 1 - below(std::min<size_t>(values.size(), 8))];
      auto renamed = [&](uint32_t key, const std::vector<std::vector<Source>>& names, bool splits) {
        auto name = [&](Source source, std::vector<Source>& image) { image = names[source]; };
        return Both{table.renamed(b.fast, key, {name, splits}), b.listed.renamed(names)};
      };
      switch (below(10)) {
        case 0:
        case 1:
        case 2: values.push_back({table.product(a.fast, b.fast), a.listed.product(b.listed)}); break;
        case 3:
        case 4:
        case 5: values.push_back({table.sum(a.fast, b.fast), a.listed.sum(b.listed)}); break;
        case 6: values.push_back({table.even(b.fast), b.listed.even()}); break;
        case 7: values.push_back({table.anyMap(b.fast), b.listed.anyMap()}); break;
        case 8: values.push_back(below(2) ? renamed(1, cyclic, false) : renamed(2, merging, false)); break;
        case 9: values.push_back(renamed(3, splitting, true)); break;
      }
      INFO("sequence " << sequence << ", step " << step);
      checkAgree(table, values.back());
      lost += table.isLost(values.back().fast);
      odd += table.isOdd(values.back().fast);
    }
  }
  CHECK(lost < 400);  // the comparison is about something
  CHECK(odd > 1000);
}

TEST_CASE("sets of sources do what sets do", "[analysis][certificate]") {
  std::mt19937 random(11);
  auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  for (const Source range : {40u, 700u, 1u << 20, ~0u}) {
    SourceSets sets;
    std::vector<std::pair<SourceSet, std::set<Source>>> values{{noSources, {}}};
    for (int step = 0; step < 600; ++step) {
      const auto a = values[below(values.size())], b = values[below(values.size())];
      std::set<Source> result;
      SourceSet set = noSources;
      switch (below(5)) {
        case 0: {
          const Source source = Source(below(range));
          set = sets.unite(a.first, sets.single(source));
          result = a.second;
          result.insert(source);
          break;
        }
        case 1:
          set = sets.unite(a.first, b.first);
          std::set_union(a.second.begin(), a.second.end(), b.second.begin(), b.second.end(),
                         std::inserter(result, result.end()));
          break;
        case 2:
          set = sets.intersect(a.first, b.first);
          std::set_intersection(a.second.begin(), a.second.end(), b.second.begin(), b.second.end(),
                                std::inserter(result, result.end()));
          break;
        case 3:
          set = sets.without(a.first, b.first);
          std::set_difference(a.second.begin(), a.second.end(), b.second.begin(), b.second.end(),
                              std::inserter(result, result.end()));
          break;
        case 4:
          set = sets.differ(a.first, b.first);
          std::set_symmetric_difference(a.second.begin(), a.second.end(), b.second.begin(), b.second.end(),
                                        std::inserter(result, result.end()));
          break;
      }
      REQUIRE(listed(sets, set) == result);
      REQUIRE(sets.size(set) == result.size());
      REQUIRE((set == a.first) == (result == a.second));  // equal sets are one node
      REQUIRE(sets.precedes(set, b.first) ==
              std::lexicographical_compare(result.begin(), result.end(), b.second.begin(), b.second.end()));
      if (!result.empty()) {
        REQUIRE(sets.first(set) == *result.begin());
        REQUIRE(sets.last(set) == *result.rbegin());
        REQUIRE(sets.contains(set, *result.rbegin()));
      }
      const Source probe = Source(below(range));
      REQUIRE(sets.contains(set, probe) == (result.count(probe) != 0));
      values.push_back({set, std::move(result)});
    }
  }
}

TEST_CASE("a stream of many layers shares its sources", "[analysis][certificate]") {
  // One more layer costs a path of the trie, not a copy of the set: two thousand layers make few nodes.
  SourceSets sets;
  SourceSet stream = noSources;
  for (Source layer = 0; layer < 2000; ++layer) stream = sets.unite(stream, sets.single(layer * 42));
  CHECK(sets.size(stream) == 2000);
  CHECK(sets.nodes() < 2000 * 16);
}
