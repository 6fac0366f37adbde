// One analysis along one growing symbol: the tables that its passes fill, in the order in which they run.
//
//   layout      growths of axes, uses of values, sources of randomness        (does not change after it)
//   targets     what the trained sizes should be; inits and multipliers       (solve only)
//   allowances  how much each value may change; updates, learning rates       (solve only)
//   initial     parts and certificates of every value at initialization
//   training    updates and trained sizes, step after step to a fixpoint
#pragma once

#include <array>
#include <map>
#include <memory_resource>
#include <optional>
#include <unordered_map>
#include <vector>

#include "compiler/analysis/analysis.h"
#include "compiler/analysis/certificate.h"
#include "compiler/analysis/cuts.h"
#include "compiler/graph/uses.h"
#include "compiler/rules/maps.h"
#include "compiler/rules/sizes.h"

namespace tpc {

inline constexpr int mostGrowingAxes = 4;
inline constexpr int tripSlot = mostGrowingAxes;  // of a value in a repeat whose trip count grows: along the repeat
inline constexpr size_t mostParts = 8;

// An axis of a shape that grows in this run; in the run over a trip count also one that is large already, by 0.
struct GrowingAxis {
  int axis = 0;
  int growth = 0;
};

// One additive part of a value at initialization.
struct Part {
  Rational size;
  // Per growing axis of the value, in order, and in the last slot along the repeat.
  std::array<CertificateId, mostGrowingAxes + 1> certificates{};
  uint32_t matrix = none;  // the slice of a parameter whose independent entries these are
  uint32_t freshAxes = 0;  // bits of the axes, fixed ones too, along which the entries are independent
  bool sparse = false;     // a finite number of nonzeros per row: identity, one-hot
  bool centered = false;   // along the repeat: zero mean given all other layers, as its mean was taken away
  StepId step = noStep;
};

// What a source is of: one piece of a parameter's entries, along the parameter's axis.
struct SourceRoot {
  uint32_t parameter = none;
  int axis = 0;        // of the parameter
  uint32_t piece = 0;  // by which slices cut it (cuts.h)
};

using Parts = std::pmr::vector<Part>;

struct InitialState {
  InitialState() = default;
  explicit InitialState(std::pmr::memory_resource* memory) : parts(memory) {}

  Parts parts;                             // none: the value is zero
  Size::Kind special = Size::Kind::power;  // exponential or not analysed: the parts do not count
  Size size = Size::zero();                // of the largest part, once `settle` has seen them all
  Size spread = Size::zero();
  Sign sign = Sign::unknown;
  StepId step = noStep;  // the step of the whole value
  const Size& settle();
};

// A product of an initial matrix, remembered for later products with the transpose.
struct MatrixUse {
  std::vector<int> contractedAxes;  // of the parameter
  int contractedGrowth = 0;
  Parts operand;  // parts of y: sizes relative to its largest, in slot 0 the certificate along the contracted
                  // axis
};

// Products that differ in nothing that is remembered are one; `by` says which node has which: by 2 node + operand, and
// the contracted axes above bit 32.
struct MatrixUses {
  std::vector<MatrixUse> distinct;
  std::vector<uint32_t> count;  // per distinct use: the nodes that have it
  std::unordered_map<uint64_t, uint32_t> by;
};

struct Change {
  Size matrix = Size::zero();    // within the class of initial matrices: a factor of one has moved
  Size computed = Size::zero();  // any other
  Size total() const { return max(matrix, computed); }
};

// A layer of a repeat whose trip count grows, as  h <- h + f1(h) + f2(h) + ...
struct Recurrence {
  struct PartOfBranch {
    Rational size;
    bool walks = false;
  };
  struct Term {
    NodeId node = none;
    std::vector<PartOfBranch> parts{};  // at initialization; none: it starts at zero
    bool fades = false;                 // it is gone as a width goes to infinity
    StepId step = noStep;               // of the largest part's sum over the layers
  };
  struct Stream {
    uint32_t skip = none;  // the carried value that is handed on
    bool isRead = false;   // by a layer's parts; a sum over the layers is not
    std::vector<Term> terms{};
  };
  Rational growth = 0;            // of the trip count; 0: it does not grow
  std::vector<Stream> streams{};  // per carried value
  std::vector<NodeId> outside{};  // what the body reads of the program around it
  bool usesIndex = false;
  // Found by the pass over initial sizes.
  bool grew = false;       // some carried value is larger in the end than where it entered
  bool threshold = false;  // of degree above one, where order one is stable below a threshold only
  Size::Kind outcome = Size::Kind::power;
  std::string why;               // where the outcome is not analysed
  std::optional<Rational> rate;  // of log h where it is exponential and of degree one
};

// The multiplier of a part of a growing repeat: a free one, or, where the program has none, one that stands in the init
// and the learning rate of the last matrix.
struct BranchMultiplier {
  NodeId term = none;  // none: no multiplier of a branch
  uint32_t repeat = none;
  uint32_t matrices = 0;  // distinct ones in the branch
  bool isInner = false;   // another stands behind it
  NodeId product = none;  // without a free one: what the last matrix makes, and that matrix
  uint32_t parameter = none;
  bool isSolved = false, isComplete = false;
  Rational value = 0, diversity = 0, complete = 0;
};

// Why a program is not analysed over a trip count.
struct Refusal {
  Span span{};
  std::string why, mend;
};

struct OptimizerFacts {
  Rational homogeneity;  // p
  Rational entry;        // size of an update at lr and gradient of order one
  bool hasEps = false, hasDecay = false, analysed = true;
  std::string why;  // where it is not
};

struct Run {
  Run(const Graph& program, const AnalysisOptions& chosen, SymbolAnalysis& result)
      : graph(program), options(chosen), symbol(result.symbol), out(result), derivation(result.derivation) {}

  const Graph& graph;
  const AnalysisOptions& options;
  SymbolId symbol;
  SymbolAnalysis& out;
  Derivation& derivation;
  size_t mostSteps = 0;
  // Whoever goes through nodes stops here, and so does whoever called it.
  bool exhausted() const { return derivation.steps().size() > mostSteps; }

  // layout
  std::vector<int> lengthGrowth;                  // per interned length
  std::vector<std::vector<GrowingAxis>> growing;  // per interned shape
  std::vector<uint32_t> bodyStart;                // per node: the repeat whose body starts there, or none
  std::vector<uint32_t> firstUse;                 // per node: into uses (one more entry at the end)
  std::vector<Use> uses;                          // of forward nodes by forward nodes
  std::vector<uint8_t> trainableUpstream;         // per node
  std::vector<uint8_t> reachesLoss;               // per forward node: the loss or an output depends on it
  std::vector<uint8_t> parameterOnly;             // per node: a function of parameters and constants alone
  std::vector<uint32_t> varies;                   // per node: bits of axes along which the value was made to vary
  std::vector<uint64_t> law;                      // per node: equal for one expression in independent sources
  std::vector<uint8_t> isPort;                    // per forward node
  std::vector<NodeId> lossTerms;                  // ports: what the loss sums up, in its own units
  std::vector<OptimizerFacts> optimizerOf;        // per parameter
  Cuts cuts;                                      // where slices cut parameters into sources

  // layout, in the run over a trip count (depth.h)
  bool atFirstLayers = false;                 // layers l = O(1) are looked at, else l = Theta(L)
  bool overDepth = false;                     // some repeat's trip count grows
  std::vector<uint8_t> lengthIsLarge;         // per interned length: a width, which went to infinity before
  std::vector<const SymbolAnalysis*> widths;  // the analyses along them
  std::vector<Recurrence> recurrences;        // per repeat
  std::vector<uint8_t> isLink;             // per node: an addition on the way from a layer's parts to what it returns
  std::vector<Rational> termGrowth;        // per node: the growth of the trip count where it is such a part, else 0
  std::vector<BranchMultiplier> branchOf;  // per free multiplier
  std::vector<BranchMultiplier> implicit;  // of branches without one
  std::vector<Change> ownChange, carriedChange;  // per node of a body: by the layer's own updates, by what it is given
  std::vector<Refusal> refusals;                 // what of the program is not analysed over this symbol

  // solved or given
  std::vector<Size> initSize;               // per parameter: what an entry starts with
  std::vector<Rational> multiplier;         // per free multiplier
  std::vector<bool> multiplierIsGiven;      // per free multiplier: a number like any other, not the plan's
  std::vector<Size> update;                 // per parameter: of an entry per step, where a gradient arrives
  std::vector<std::optional<Rational>> lr;  // per parameter, once known

  // targets and allowances, per forward node
  std::vector<Size> target;
  std::vector<Size> allowance;
  std::vector<NodeId> boundBy;  // the port that binds the allowance
  std::vector<StepId> targetStep, allowanceStep;
  std::vector<std::optional<Rational>> reached;  // of ports that stay below their target: what they become instead
  std::vector<StepId> reachedStep;
  std::vector<std::pair<NodeId, Rational>> heldBack;  // ports that would outgrow order one at full learning rates
  std::vector<Size> nearest;                          // per parameter: its allowance by its own ports alone

  // initial
  CertificateTable certificates;
  std::pmr::monotonic_buffer_resource partsMemory;         // one lump: parts live as long as the run
  std::vector<InitialState> initial;                       // per node
  NodeId initialEnd = 0;                                   // nodes before it are derived,
  std::vector<Size> initialFrom;                           // from these inits
  std::vector<Rational> initialFromMultipliers;            // and these multipliers
  FlatMap ownOnly;                                         // (certificate, repeat) -> certificate
  std::map<std::pair<uint32_t, int>, uint32_t> sourceIds;  // (parameter, axis) -> its first root
  std::vector<SourceRoot> sourceRoots;                     // per source / phases
  std::vector<MatrixUses> matrixUses;                      // per parameter

  // training
  std::vector<Change> change;  // per node
  std::vector<Size> trained;   // per node
  std::vector<StepId> changeStep, trainedStep;
  std::vector<Size> steepest;  // per parameter: its largest gradient on the way
  int slowStarts = 0;          // parameters whose first update follows a gradient smaller than those to come

  const std::vector<GrowingAxis>& growingAxes(NodeId node) const { return growing[graph.nodes[node].shape]; }
  int growth(NodeId node, int axis) const { return lengthGrowth[graph.shape(node)[axis]]; }
  // Along this axis a certificate says something: it grows, or it is large already.
  bool isLong(NodeId node, int axis) const {
    const uint32_t length = graph.shape(node)[axis];
    return lengthGrowth[length] > 0 || lengthIsLarge[length];
  }
  bool isOverTrips(uint32_t repeat) const { return repeat != none && !recurrences[repeat].growth.isZero(); }
};

// How a contraction's axes grow.  Contracted: in both operands and not in the result.
struct ContractionGrowth {
  int contracted = 0;
  int freeA = 0, freeB = 0;  // of one operand alone, parameters' data-indexed axes left out
};
ContractionGrowth growthOf(const Run& run, NodeId contraction);

// What the user assumes of alignment, as facts for the rows of changes; `free` is the growth that the matrix leaves
// free.
uint32_t alignmentFacts(const Run& run, int free);
// How a change grows through a sum over growth k: with an initial matrix, and with a computed value.
Rational matrixChangeGrowth(const Run& run, Rational k, int free);
Rational computedChangeGrowth(const Run& run, Rational k);

bool isInitialMatrix(const Run& run, NodeId id);  // some part has a parameter's independent entries
// How the axes in the mask grow together.
constexpr uint32_t allAxes = ~0u;
int growthOfAxes(const Run& run, NodeId id, uint32_t mask);
// The axes of an operand (0 or 1) that a contraction sums over, as bits.
uint32_t contractedAxes(const Run& run, NodeId contraction, int operand);

// A product P Q of parameters that something is multiplied with along the axes `mask` of it, where those are axes of
// one factor: that one is near, the other far, as in (x P) Q.
struct FactorsOfProduct {
  NodeId near = none;
  uint32_t nearMask = 0;
  int nearFree = 0;  // growth of the near factor's other axes
  NodeId far = none;
  uint32_t farMask = 0;
};
std::optional<FactorsOfProduct> factorsOf(const Run& run, NodeId product, uint32_t mask);

// What A does to a change of x in A x, contracted along the axes of the mask: the size of A0 dx over that of dx.
//
//     an initial matrix             entry + max(k/2, k - m/2), its operator norm
//     finitely many entries a row   entry
//     any other                     entry + k
//     A + B                         the larger of the two
//     P Q                           that of P, then that of Q: dx (P Q) = (dx P) Q.  Of finite rank r it is k + entry,
//                                   which for A B in x @ (W + A @ B) is half more than what the entries of W say
struct Action {
  Size size = Size::zero();
  bool isMatrix = false;  // decided by an initial matrix
};
Action actionOnChange(const Run& run, NodeId A, uint32_t contracted, int free);

// Of a product that is a matrix: is this operand the matrix, and not its factor?
bool isMatrixOf(const Run& run, NodeId product, NodeId operand);
bool isSparse(const Run& run, NodeId id);  // identity, one-hot: sums over it have finitely many terms

bool isLossTerm(const Run& run, NodeId id);

// The repeat within `inside` whose body starts there, or none.
uint32_t bodyAt(const Run& run, NodeId node, uint32_t inside);
bool isZeroInit(const Parameter& parameter);
Size sizeOfNumber(const Run& run, const Number& number);
Rational powerOf(const Run& run, NodeId map);  // of MapFn::pow
// What the node does as a function of one other value, where it was measured; null where not.
const ScalarFunction* scalarFunction(const Run& run, NodeId node);
MapFacts factsOf(const ScalarFunction& function);
// Whether the measured function decided the node's size, and not its last operation.
bool isMeasured(const Run& run, NodeId node);
Size mapSize(const MapFacts& facts, const Size& argument, Sign sign);
Size mapDerivativeSize(const MapFacts& facts, const Size& argument);

void layOut(Run& run);
bool isScaleFree(const Run& run, NodeId value);  // scaling it leaves loss and outputs as they are
OptimizerFacts factsOf(const OptimizerProgram& optimizer);

// Fills initSize, multiplier and target; false where no consistent init was found.
void solveTargets(Run& run);
// Fills allowance, boundBy, update and nearest.
void solveAllowances(Run& run);

// Visits nodes in their order.  A repeat's body is one event, `body(repeat)`, and its node is visited after it;
// `inside` is the repeat whose own body is walked, or none.  Ends early where the steps are used up.
template <typename Body, typename Visit>
void walk(const Run& run, NodeId begin, NodeId end, uint32_t inside, Body body, Visit visit) {
  for (NodeId id = begin; id < end && !run.exhausted(); ++id) {
    if (const uint32_t repeat = bodyAt(run, id, inside); repeat != none) {
      body(repeat);
      id = run.graph.repeats[repeat].bodyEnd;
    }
    visit(id);
  }
}

void deriveInitial(Run& run, NodeId end);

struct TrainingOutcome {
  bool settled = true;
  NodeId growsFirst = none;  // the first value that still grew
};
TrainingOutcome deriveTraining(Run& run);

// Steps in short.
StepId note(Run& run, RuleId rule, Aspect aspect, NodeId subject, const Size& size,
            std::initializer_list<StepId> premises);

}  // namespace tpc
