// What the calculus says of a program: the derivation and everything read off it.
//
//     Analysis analysis = analyse(graph, optimizers, options, diagnostics)
//
// One growing symbol goes to infinity at a time, the others fixed; each has a SymbolAnalysis of its own, and a document
// lists them side by side.  No size stands here without a step of the derivation.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/analysis/derivation.h"
#include "compiler/exponent/size.h"
#include "compiler/graph/graph.h"

namespace tpc {

enum class Alignment : uint8_t { full, ev, none };
// What the free multipliers of branches over depth are chosen by; automatic: by the number of matrices in the branch.
enum class Criterion : uint8_t { automatic, diversity, complete };
enum class Gauge : uint8_t { plain, readout, sgd, unit };

// Exponents given for one parameter, in the gauge of its multiplier.  Empty: solved; an empty multiplier: none.
struct GivenParameter {
  std::optional<Rational> initStd, multiplier, lr, eps;
};

struct AnalysisOptions {
  std::string optimizer = "adamw";                      // for parameters that name none
  std::map<std::string, std::string> optimizerOf = {};  // by parameter
  Alignment alignment = Alignment::full;
  Criterion criterion = Criterion::automatic;
  // A given parametrization, per symbol name and parameter name; empty: solve.
  std::string parametrization = "auto";
  std::map<std::string, std::map<std::string, GivenParameter>> given = {};
  std::map<std::string, std::map<std::string, Rational>> givenMultipliers = {};  // of free multipliers
  // What is taken on, all growing symbols together: about a GiB.  A layer takes some fifty steps for each growing
  // symbol.
  size_t mostSteps = 20'000'000;
};

// One value along one symbol.  Steps index SymbolAnalysis::derivation; none where the size does not exist.
struct ValueSizes {
  Size init, update, trained, spread;
  StepId initStep = noStep, updateStep = noStep, trainedStep = noStep, spreadStep = noStep;
};

enum class Role : uint8_t { input, hidden, output, scalar };  // by (contracted, left free): (0,+) (+,+) (+,0) (0,0)
enum class Status : uint8_t { maximal, lazy, frozen, unstable, neverTrains, notAnalysed };

// One parameter along one symbol, in the plain gauge: no multiplier that the program does not write.
struct ParameterSizes {
  Role role = Role::scalar;
  Size initStd, initMean;  // a parameter that starts as a constant has initStd zero and its mean; else initMean is zero
  bool startsConstant = false;
  Rational homogeneity;  // p: the optimizer's update is proportional to gradient^p
  Size lr, eps;          // factors on the optimizer's base numbers
  Size largestLr;        // that is stable by itself; where the plan chooses lr, the same
  Size gradientInit, gradientTrained;
  Size update;  // of an entry, per step
  bool hasEps = false, hasDecay = false;
  Status status = Status::maximal;
  std::string boundBy;  // the port that binds its update: a value's name
  StepId lrStep = noStep, initStep = noStep, updateStep = noStep, gradientStep = noStep;
};

struct MultiplierSizes {
  Size size;
  StepId step = noStep;
  bool redundant = false;  // is 1 because another multiplier or an init does its work
  std::string why;
};

enum class Regime : uint8_t { featureLearning, kernel, trivial, unstable, undetermined };

struct SymbolVerdict {
  bool stableInit = true, stableTraining = true, nontrivial = true, faithful = true;
  bool infeasible = false;
  Regime regime = Regime::featureLearning;
  std::string unbounded;  // what grows first where something grows from step to step
};

enum class DepthClass : uint8_t {
  optimal,
  stable,  // no matrix in the layers, so that nothing else can be said
  trivial,
  unfaithful,
  redundant,
  lazy,
  unstable,
  exponential,
  marginal
};

// A repeat whose trip count grows.
struct DepthVerdict {
  std::string repeat;
  DepthClass kind = DepthClass::stable;
  Criterion criterion = Criterion::automatic;  // by which its multipliers were chosen; automatic: none was, or both
  uint32_t blockDepth = 0;                     // matrices one behind the other in a branch, the most of all branches
  std::optional<Rational> kappa;  // TP6's exponent of feature diversity, where the carried value is bounded
  // What a layer's own update moves its product by, relative to the product; the largest and the smallest of all.  With
  // two matrices in a row it is also the ratio of what both updates do together to what each does alone.
  std::optional<Rational> ownMove;
  std::optional<Rational> rate;  // exponential: log of the carried value ~ L^rate
};

struct Warning {
  std::string code;  // TPC03xx
  Span span;
  std::string message, mend;  // mend may be empty
  std::vector<std::pair<std::string, Span>> notes;
};

struct SymbolAnalysis {
  SymbolId symbol = 0;
  bool analysed = true;  // false: a trip count whose layers are not analysed; every size is notAnalysed
  Derivation derivation;
  std::vector<ValueSizes> values;            // per node, gradient nodes included
  std::vector<ParameterSizes> parameters;    // per Graph::parameters
  std::vector<MultiplierSizes> multipliers;  // per Graph::freeMultipliers
  SymbolVerdict verdict;
  std::vector<DepthVerdict> depth;  // per repeat of the program whose trip count grows with the symbol
  std::vector<Warning> warnings;
};

struct Analysis {
  std::vector<SymbolAnalysis> symbols;  // in order of declaration
  std::vector<Warning> warnings;        // that concern no symbol
  bool tooLarge = false;                // more than AnalysisOptions::mostSteps: nothing here may be read
};

Analysis analyse(const Graph& graph, const std::vector<OptimizerProgram>& optimizers, const AnalysisOptions& options);

// A parameter's exponents in another gauge, by the homogeneity of its optimizer:
// multiplier + theta, init - theta, lr - (1 + p) theta, eps + theta.
struct GaugedParameter {
  Size initStd, initMean, multiplier, lr, largestLr, eps, decayTimesLr;
};
GaugedParameter inGauge(const ParameterSizes& parameter, Gauge gauge);
// The same with the multiplier n^theta that a given parametrization names.
GaugedParameter withMultiplier(const ParameterSizes& parameter, Rational theta);

std::string_view toString(Role role);
std::string_view toString(Status status);
std::string_view toString(Regime regime);
std::string_view toString(Criterion criterion);
std::string_view toString(DepthClass kind);

}  // namespace tpc
