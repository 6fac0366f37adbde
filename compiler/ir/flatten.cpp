// One node per operation, in the order of the text; the body of a repeat stands before its node.
//
// A repeat with n results becomes its node and n `repeatResult` nodes.  `tp.adjoint` makes no node: it says that a
// value is the gradient of the forward value with that id, and fills Graph::gradientOf.
#include "compiler/ir/flatten.h"

#include <algorithm>

#include "compiler/ir/attributes.h"
#include "compiler/ir/build.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tpc {
namespace {

using namespace tp;

template <typename Table, typename Entry>
uint32_t append(Table& table, Entry entry) {
  table.push_back(std::move(entry));
  return uint32_t(table.size() - 1);
}

class Flattener {
 public:
  explicit Flattener(Graph& graph) : graph_(graph), builder_(graph) {}

  void block(mlir::Block& block, uint32_t region) {
    for (mlir::Operation& op : block) operation(&op, region);
  }

  // The tables that speak of values by id.
  void finish() {
    const auto isGradient = [](const Node& node) { return node.gradient; };
    graph_.forwardEnd =
        NodeId(std::find_if(graph_.nodes.begin(), graph_.nodes.end(), isGradient) - graph_.nodes.begin());
    graph_.gradientOf.assign(graph_.forwardEnd, none);
    for (auto [id, gradient] : adjoints_) {
      auto found = nodeOfId_.find(id);
      if (found != nodeOfId_.end() && found->second < graph_.forwardEnd) graph_.gradientOf[found->second] = gradient;
    }
    for (Parameter& parameter : graph_.parameters)
      if (parameter.node < graph_.forwardEnd) parameter.gradient = graph_.gradientOf[parameter.node];
  }

  NodeId node(Value value) const { return nodes_.lookup(value); }

 private:
  void operation(mlir::Operation* op, uint32_t region) {
    if (auto repeat = llvm::dyn_cast<RepeatOp>(op)) return this->repeat(repeat, region);
    if (llvm::isa<YieldOp, UpdateOp, NextOp>(op)) return;  // read by whoever owns the block
    if (auto loss = llvm::dyn_cast<LossOp>(op)) return void(graph_.loss = node(loss.getValue()));
    if (auto claim = llvm::dyn_cast<ClaimOp>(op))
      return graph_.claims.push_back({claim.getName().str(), node(claim.getValue()), spanOf(claim.getLoc())});
    if (auto output = llvm::dyn_cast<OutputOp>(op))
      return graph_.outputs.push_back({output.getName().str(), node(output.getValue()), output.getMetric()});
    if (auto adjoint = llvm::dyn_cast<AdjointOp>(op))
      return adjoints_.emplace_back(int64_t(adjoint.getOf()), node(adjoint.getValue())), void();

    GraphBuilder::Extra extra;
    extra.span = spanOf(op->getLoc());
    extra.gradient = op->hasAttr(gradientAttribute);
    extra.region = region;
    const NodeId id = NodeId(graph_.nodes.size());
    bool hasOperands = true;
    const OpKind kind = describe(op, id, region, extra, hasOperands);
    std::vector<NodeId> operands;
    if (hasOperands)
      for (Value operand : op->getOperands()) operands.push_back(node(operand));
    appended(op->getResult(0), kind, operands, extra);
    if (auto name = op->getAttrOfType<mlir::StringAttr>(nameAttribute))
      graph_.nodes[id].name = builder_.name(name.str());
    if (auto number = op->getAttrOfType<mlir::IntegerAttr>(idAttribute)) nodeOfId_[number.getInt()] = id;
  }

  NodeId appended(Value value, OpKind kind, const std::vector<NodeId>& operands, const GraphBuilder::Extra& extra) {
    return nodes_[value] = builder_.append(kind, operands, lengthsOf(value), extra);
  }

  uint32_t axes(llvm::ArrayRef<int64_t> list) { return append(graph_.axes, Axes{ints(list)}); }

  // The operation's kind; function, attribute and its table's entry go into place.
  OpKind describe(mlir::Operation* op, NodeId id, uint32_t region, GraphBuilder::Extra& extra, bool& hasOperands) {
    return llvm::TypeSwitch<mlir::Operation*, OpKind>(op)
        .Case([&](ParameterOp op) {
          hasOperands = false;
          Parameter parameter;
          parameter.name = op.getName().str();
          parameter.node = id;
          parameter.ownership = op.getFrozen() ? Ownership::frozen : Ownership::trained;
          parameter.init.kind = Init::Kind(op.getInit());
          parameter.init.fixed = op.getFixed();
          if (NumberAttr number = op.getNumberAttr()) parameter.init.number = number.getNumber();
          if (op.getStart()) parameter.init.node = node(op.getStart());
          if (op.getFile()) parameter.file = op.getFile()->str();
          if (op.getOptimizer()) parameter.optimizer = op.getOptimizer()->str();
          parameter.span = extra.span;
          extra.attribute = append(graph_.parameters, std::move(parameter));
          if (op.getStacked()) stacked_[op.getResult()] = {extra.attribute, 0};
          return OpKind::parameter;
        })
        .Case([&](InputOp op) {
          Input input;
          input.name = op.getName().str();
          input.node = id;
          input.target = op.getTarget();
          if (LengthAttr below = op.getBelowAttr()) input.integer = true, input.below = below.getValue();
          input.span = extra.span;
          extra.attribute = append(graph_.inputs, std::move(input));
          return OpKind::input;
        })
        .Case([&](NumberOp op) {
          extra.attribute = append(graph_.numbers, op.getValue().getNumber());
          return OpKind::number;
        })
        .Case([&](FreeMultiplierOp op) {
          FreeMultiplier multiplier;
          multiplier.name = op.getName().str();
          multiplier.symbols.assign(op.getSymbols().begin(), op.getSymbols().end());
          multiplier.span = extra.span;
          extra.attribute = append(graph_.freeMultipliers, std::move(multiplier));
          return OpKind::freeMultiplier;
        })
        .Case([&](IotaOp) { return OpKind::iota; })
        .Case([&](EyeOp) { return OpKind::eye; })
        .Case([&](ConstantOp op) {
          Constant constant;
          constant.file = op.getFile().str();
          constant.shape.assign(op.getCounts().begin(), op.getCounts().end());
          constant.values.assign(op.getValues().begin(), op.getValues().end());
          extra.attribute = append(graph_.constants, std::move(constant));
          return OpKind::constant;
        })
        .Case([&](DropoutMaskOp op) {
          extra.attribute = append(graph_.dropouts, Dropout{op.getName().str(), op.getRate().convertToDouble()});
          return OpKind::dropoutMask;
        })
        .Case([&](LayerIndexOp) {
          extra.attribute = region;
          return OpKind::layerIndex;
        })
        .Case([&](ArgumentOp op) {
          OptimizerArgument argument;
          argument.role = ArgumentRole(op.getRole());
          argument.name = op.getName().str();
          argument.number = op.getNumber().convertToDouble();
          argument.startsAsParam = op.getStartsAsParam();
          extra.attribute = append(graph_.arguments, std::move(argument));
          return OpKind::argument;
        })
        .Case([&](AddOp) { return OpKind::add; })
        .Case([&](SubOp) { return OpKind::sub; })
        .Case([&](MulOp) { return OpKind::mul; })
        .Case([&](MaximumOp) { return OpKind::maximum; })
        .Case([&](MinimumOp) { return OpKind::minimum; })
        .Case([&](MapOp op) {
          extra.fn = uint8_t(op.getFn());
          if (auto power = op.getPower())
            extra.attribute = append(graph_.rationals, Rational((*power)[0], (*power)[1]));
          return OpKind::map;
        })
        .Case([&](CompareOp op) {
          extra.fn = uint8_t(op.getFn());
          return OpKind::compare;
        })
        .Case([&](SelectOp) { return OpKind::select; })
        .Case([&](ContractOp op) {
          extra.attribute = append(graph_.contractions, labelsOf(op));
          return OpKind::contract;
        })
        .Case([&](ReduceOp op) {
          extra.fn = uint8_t(op.getFn());
          extra.attribute = axes(op.getAxes());
          return OpKind::reduce;
        })
        .Case([&](GatherOp op) {
          extra.attribute = axes({int64_t(op.getAxis())});
          return OpKind::gather;
        })
        .Case([&](ScatterAddOp op) {
          extra.attribute = append(graph_.scatters, Scatter{int(op.getAxis()), int(lengthsOf(op.getIndex()).size())});
          return OpKind::scatterAdd;
        })
        .Case([&](OneHotOp) { return OpKind::oneHot; })
        .Case([&](ReshapeOp op) {
          extra.attribute = append(graph_.regroups, groupsOf(op));
          return OpKind::reshape;
        })
        .Case([&](TransposeOp op) {
          extra.attribute = axes(op.getAxes());
          return OpKind::transpose;
        })
        .Case([&](BroadcastOp op) {
          extra.attribute = axes(op.getAxes());
          return OpKind::broadcast;
        })
        .Case([&](SliceOp op) {
          extra.attribute = append(graph_.slices, Slice{int(op.getAxis()), op.getBegin().getValue()});
          return OpKind::slice;
        })
        .Case([&](PadOp op) {
          extra.attribute = append(graph_.slices, Slice{int(op.getAxis()), op.getBegin().getValue()});
          return OpKind::pad;
        })
        .Case([&](ConcatOp op) {
          extra.attribute = axes({int64_t(op.getAxis())});
          return OpKind::concat;
        })
        .Case([&](StopGradientOp) { return OpKind::stopGradient; })
        .Case([&](LayerOp op) {
          // The parameter belongs to the first repeat that reads it, the forward one; its instance there may be stacked
          // along the next.
          auto found = stacked_.find(op.getStacked());
          if (found == stacked_.end()) return OpKind::layer;
          const auto [index, level] = found->second;
          Parameter& parameter = graph_.parameters[index];
          if (level == 0 && parameter.stack == none) parameter.stack = region;
          if (level > 0 && parameter.innerStacks.size() + 1 == level) parameter.innerStacks.push_back(region);
          stacked_[op.getResult()] = {index, level + 1};
          return OpKind::layer;
        })
        .Default(
            [](mlir::Operation*) -> OpKind { llvm_unreachable("a verified program holds operations of tp only"); });
  }

  void repeat(RepeatOp op, uint32_t parent) {
    GraphBuilder::Extra extra;
    extra.span = spanOf(op.getLoc());
    extra.gradient = op->hasAttr(gradientAttribute);
    const uint32_t region = append(graph_.repeats, Repeat{});
    mlir::Block& body = op.getBody().front();
    Repeat made;
    made.trips = op.getTrips().getValue();
    made.name = op.getName().str();
    made.reversed = op.getReversed();
    made.parent = parent;
    made.carried = body.getNumArguments();
    made.bodyBegin = NodeId(graph_.nodes.size());
    extra.region = region;
    for (mlir::BlockArgument argument : body.getArguments()) {
      extra.attribute = argument.getArgNumber();
      const NodeId id = appended(argument, OpKind::bodyArgument, {}, extra);
      name(id, op.getArgumentNames(), argument.getArgNumber());
      identify(id, op.getArgumentIds(), argument.getArgNumber());
      made.arguments.push_back(id);
    }
    block(body, region);
    for (Value value : llvm::cast<YieldOp>(body.back()).getValues()) made.yields.push_back(node(value));

    std::vector<NodeId> operands;
    for (Value value : op.getInitial()) operands.push_back(node(value));
    extra.region = parent;
    extra.attribute = region;
    made.node = made.bodyEnd = builder_.append(OpKind::repeat, operands, std::vector<Length>(), extra);
    if (auto id = op.getId()) repeatOfId_[int64_t(*id)] = region;
    if (auto forward = op.getForward()) {
      auto found = repeatOfId_.find(int64_t(*forward));
      if (found != repeatOfId_.end()) made.forward = found->second;
    }
    graph_.repeats[region] = made;
    for (mlir::OpResult result : op->getResults()) {
      extra.attribute = result.getResultNumber();
      const NodeId id = appended(result, OpKind::repeatResult, {made.node}, extra);
      name(id, op.getResultNames(), result.getResultNumber());
      identify(id, op.getResultIds(), result.getResultNumber());
    }
  }

  void name(NodeId id, std::optional<mlir::ArrayAttr> names, unsigned index) {
    if (!names) return;
    const std::string text = llvm::cast<mlir::StringAttr>((*names)[index]).str();
    if (!text.empty()) graph_.nodes[id].name = builder_.name(text);
  }
  void identify(NodeId id, std::optional<llvm::ArrayRef<int64_t>> ids, unsigned index) {
    if (ids && (*ids)[index] >= 0) nodeOfId_[(*ids)[index]] = id;
  }

  Graph& graph_;
  GraphBuilder builder_;
  llvm::DenseMap<Value, NodeId> nodes_;
  // Stacked parameters and their instances: the parameter, and how many layers of it are chosen already.
  llvm::DenseMap<Value, std::pair<uint32_t, size_t>> stacked_;
  llvm::DenseMap<int64_t, NodeId> nodeOfId_;
  llvm::DenseMap<int64_t, uint32_t> repeatOfId_;
  std::vector<std::pair<int64_t, NodeId>> adjoints_;
};

}  // namespace

Flattened flatten(mlir::ModuleOp module) {
  Flattened result;
  const std::vector<Symbol> symbols = symbolsOf(module);
  for (mlir::Operation& op : *module.getBody()) {
    if (auto program = llvm::dyn_cast<ProgramOp>(op)) {
      result.graph.model = program.getName().str();
      result.graph.symbols = symbols;
      Flattener flattener(result.graph);
      flattener.block(program.getBody().front(), none);
      flattener.finish();
    }
    if (auto optimizer = llvm::dyn_cast<OptimizerOp>(op)) {
      OptimizerProgram made;
      made.name = optimizer.getName().str();
      made.graph.model = made.name;
      made.graph.symbols = symbols;
      mlir::Block& body = optimizer.getBody().front();
      Flattener flattener(made.graph);
      flattener.block(body, none);
      flattener.finish();
      for (auto update : body.getOps<UpdateOp>()) made.update = flattener.node(update.getValue());
      for (auto next : body.getOps<NextOp>())
        made.states.emplace_back(flattener.node(next.getState()), flattener.node(next.getValue()));
      result.optimizers.push_back(std::move(made));
    }
  }
  return result;
}

}  // namespace tpc
