// The larger examples trained for three steps: all measured slopes of values, gradients and their changes against the
// derived exponents.
//
// At least 95 % are within 0.1 at widths 64 to 512, and those that are not are listed with the reason that was
// measured. That takes minutes: TPC_EVIDENCE=full (./dev evidence).  Otherwise widths end at 256 and a slope may be off
// by 0.3, where a wrong rule is off by 1/2.
//
// The base is far below the widths measured, so that what is asked to be of order one beside something smaller is so.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "tests/catch.h"
#include "tests/unit/evidence/example.h"

using namespace tpc;
using namespace tpc::tests;

namespace {

// Values that are off, by the beginnings of their lines.
struct Reason {
  std::vector<std::string> values;
  std::string why;
};

// Changes of gradients are changes of chi, the loss derivative, times what is behind it, and of second order in the
// learning rate where both move; their slopes bend for longer than those of values do.
const std::string bends =
    "of two parts, the smaller power with the larger constant: the slope bends towards the derived one";

struct Row {
  Example example;
  int seeds;           // of the full measurement
  int fewSeeds = 4;    // of the other
  int64_t first = 64;  // of the widths
  std::vector<Reason> reasons{};
};

bool isFull() { return std::getenv("TPC_EVIDENCE") != nullptr && std::string(std::getenv("TPC_EVIDENCE")) == "full"; }

// How far a slope is from where it should be.  What is made of two parts, as the trained size is of what there was and
// what came, lies between the two at finite widths.
double distance(const Series& series, const Size& derived, const std::vector<Size>& parts) {
  constexpr double wrong = 100;
  if (derived.isZero()) return series.zero ? 0 : wrong;
  if (!derived.isPower() || !series.finite) return wrong;
  const double high = derived.exponent.toDouble();
  double low = high;
  for (const Size& part : parts)
    if (part.isPower()) low = std::min(low, part.exponent.toDouble());
  return std::max({0.0, series.slope - high, low - series.slope});
}

void check(const Row& row) {
  Example example = row.example;
  example.widths.clear();
  for (int doubling = 0; doubling < (isFull() ? 4 : 3); ++doubling) example.widths.push_back(row.first << doubling);
  example.seeds = isFull() ? row.seeds : row.fewSeeds;
  const double near = isFull() ? 0.1 : 0.3;
  const auto& [analysed, along, measured] = measuredExample(example);
  int count = 0, off = 0;
  for (const MeasuredValue& value : measured.values) {
    const ValueSizes& sizes = along.values[value.node];
    struct Aspect {
      const char* name;
      const Series& measured;
      const Size& derived;
      std::vector<Size> parts;
    };
    for (const Aspect& aspect :
         {Aspect{"init", value.init, sizes.init, {}}, Aspect{"update", value.update, sizes.update, {}},
          Aspect{"trained", value.trained, sizes.trained, {sizes.init, sizes.update}}}) {
      ++count;
      if (distance(aspect.measured, aspect.derived, aspect.parts) <= near) continue;
      ++off;
      std::ostringstream line;
      line << nameOf(analysed.graph, value.node) << " " << aspect.name;
      const std::string what = line.str();
      line << ": derived " << toString(aspect.derived) << ", measured ";
      if (aspect.measured.zero) line << "zero";
      else line << aspect.measured.slope << " :";
      for (double size : aspect.measured.sizes) line << ' ' << size;
      const bool known = std::ranges::any_of(row.reasons, [&](const Reason& reason) {
        return std::ranges::any_of(reason.values, [&](const std::string& each) { return what.starts_with(each); });
      });
      if (std::getenv("TPC_EVIDENCE_SHOW")) std::cout << (known ? "known  " : "       ") << line.str() << "\n";
      // A borderline slope must not depend on the compiler's rounding.
      if (!known && distance(aspect.measured, aspect.derived, aspect.parts) > near + 0.02) FAIL_CHECK(line.str());
    }
  }
  if (std::getenv("TPC_EVIDENCE_SHOW")) std::cout << example.file << ": " << off << " of " << count << " are off\n";
  INFO(off << " of " << count << " are off");
  CHECK(count > 60);
  CHECK(off <= count / (isFull() ? 20 : 10));
}

}  // namespace

TEST_CASE("llama.tp is as derived", "[evidence][examples]") {
  check({.example = {.file = "llama.tp",
                     .defines = {{"n", 6}, {"L", 1}, {"d", 2}, {"vocab", 8}, {"context", 4}, {"batch", 8}},
                     .lr = 0.016},
         .seeds = 5,
         .first = 48,
         .reasons = {{{"d node", "d layers.attention.y update", "d layers.attention.v update", "d h update"}, bends}}});
}

TEST_CASE("vit.tp is as derived", "[evidence][examples]") {
  check({.example = {.file = "vit.tp",
                     .defines = {{"n", 8}, {"L", 1}, {"d", 8}, {"side", 8}, {"patch", 4}, {"batch", 8}},
                     .lr = 0.004},
         .seeds = 12});
}

TEST_CASE("convnet.tp is as derived", "[evidence][examples]") {
  check({.example = {.file = "convnet.tp", .defines = {{"n", 8}, {"side", 4}, {"batch", 2}}, .lr = 0.004},
         .seeds = 5,
         .fewSeeds = 2});
}

TEST_CASE("mixer.tp is as derived", "[evidence][examples]") {
  check({.example = {.file = "mixer.tp",
                     .defines = {{"n", 8}, {"L", 1}, {"side", 8}, {"patch", 4}, {"batch", 8}},
                     .lr = 0.004},
         .seeds = 10,
         .reasons = {{{"d node", "d layers.t update", "d layers.layernorm#2.d update", "d layers.layernorm.d update",
                       "d h update"},
                      bends}}});
}

TEST_CASE("moe.tp is as derived", "[evidence][examples]") {
  check({.example = {.file = "moe.tp",
                     .defines = {{"n", 8}, {"L", 1}, {"d", 8}, {"E", 4}, {"vocab", 8}, {"context", 4}, {"batch", 8}},
                     .lr = 0.016},
         .seeds = 5,
         .reasons = {{{"layers.moe.s update"}, bends}}});
}

TEST_CASE("finetune.tp is as derived", "[evidence][examples]") {
  check({.example = {.file = "finetune.tp",
                     .defines = {{"n", 8}, {"d", 8}, {"rank", 4}, {"vocab", 8}, {"context", 4}, {"batch", 8}},
                     .lr = 0.016},
         .seeds = 8,
         .reasons = {{{"d block#2.adapted#2.lora.b update"}, bends}}});
}

TEST_CASE("hyper.tp is as derived", "[evidence][examples]") {
  check(
      {.example = {.file = "hyper.tp",
                   .defines = {{"n", 8}, {"L", 2}, {"d", 8}, {"vocab", 8}, {"context", 4}, {"batch", 8}},
                   .lr = 0.016},
       .seeds = 32,
       .fewSeeds = 8,
       .reasons = {{{"d layers.connected.softmax.e", "d layers.connected.read", "d layers.connected.write",
                     "d layers.connected.mix", "d layers.connected.M", "d layers.connected.sinkhorn",
                     "d layers.connected#2.softmax.e", "d layers.connected#2.read", "d layers.connected#2.write",
                     "d layers.connected#2.mix", "d layers.connected#2.M", "d layers.connected#2.sinkhorn",
                     "layers.connected.read", "layers.connected.softmax.e", "layers.connected.sinkhorn"},
                    "a few numbers for all of a layer: what they scatter by over the seeds is most of what is off"}}});
}

TEST_CASE("tauformer.tp is as derived", "[evidence][examples]") {
  check({.example = {.file = "tauformer.tp",
                     .defines = {{"d", 2}, {"vocab", 8}, {"context", 4}, {"batch", 8}},
                     .lr = 0.1,
                     .symbol = "d"},
         .seeds = 8,
         .first = 16,
         .reasons = {{{"by_energy.s init", "by_energy.s#2 init"},
                      "a difference of two means with one limit starts at d^(-1/2); the report warns of it"},
                     {{"by_energy.a", "d by_energy", "d rmsnorm#3.g update"}, bends}}});
}

TEST_CASE("autoencoder.tp is as derived", "[evidence][examples]") {
  check({.example = {.file = "autoencoder.tp",
                     .defines = {{"n", 8}, {"pixels", 16}, {"code", 4}, {"batch", 8}},
                     .lr = 0.06},
         .seeds = 24,
         .fewSeeds = 24});
}

TEST_CASE("recurrent.tp is as derived", "[evidence][examples]") {
  check(
      {.example = {.file = "recurrent.tp", .defines = {{"n", 8}, {"T", 6}, {"symbols", 8}, {"batch", 8}}, .lr = 0.004},
       .seeds = 8,
       .reasons = {{{"d b update"}, bends}}});
}
