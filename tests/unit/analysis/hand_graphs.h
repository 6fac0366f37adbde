// Graphs built by hand, gradient and all: what the analysis is held to before there is any text to parse.
#pragma once

#include <map>
#include <string>

#include "compiler/analysis/analysis.h"

namespace tpc::test {

// A network under construction; axes are given by name: "n" grows, everything else does not.
class Network {
 public:
  Network();
  NodeId input(const std::string& name, std::vector<std::string> axes);
  NodeId parameter(const std::string& name, std::vector<std::string> axes, Init init = {});
  // sum over the axes' labels that the result does not have, einsum style: "bp,pn->bn".
  NodeId contract(const std::string& spec, NodeId a, NodeId b);
  NodeId map(MapFn fn, NodeId x);
  NodeId add(NodeId a, NodeId b);
  NodeId mul(NodeId a, NodeId b);
  NodeId number(double coefficient, std::vector<std::pair<SymbolId, Rational>> powers = {});
  NodeId broadcast(NodeId x, std::vector<int> axes, const std::vector<std::string>& shape);
  NodeId reduceSum(NodeId x, std::vector<int> axes);
  void name(NodeId node, const std::string& name);
  void output(const std::string& name, NodeId node);
  void beginGradient();
  void gradient(const std::string& parameter, NodeId node);

  Graph graph;

 private:
  std::vector<Length> lengths(const std::vector<std::string>& axes);
  NodeId append(OpKind kind, std::vector<NodeId> operands, std::span<const Length> shape, uint32_t attribute,
                uint8_t fn = 0);
  GraphBuilder builder_;
  bool gradient_ = false;
};

OptimizerProgram sgd();
OptimizerProgram adam();

}  // namespace tpc::test
