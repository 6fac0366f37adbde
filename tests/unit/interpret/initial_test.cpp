// How parameters start.
#include <filesystem>
#include <fstream>

#include "tests/catch.h"
#include "tests/unit/interpret/hand.h"

using namespace tpc;
using Values = std::vector<double>;

namespace {

Init init(Init::Kind kind, double coefficient = 1, NodeId node = none) {
  Init result;
  result.kind = kind;
  result.number.coefficient = coefficient;
  result.node = node;
  return result;
}

}  // namespace

TEST_CASE("a parameter has the size it is given, whatever its law", "[interpret][init]") {
  Hand hand;
  hand.parameter("W", {Hand::n(), Hand::n()});
  hand.parameter("U", {Hand::n(), Hand::n()}, init(Init::Kind::uniform, 3));
  hand.parameter("V", {Hand::n(), Hand::n()}, init(Init::Kind::normal, 0.02));
  for (uint32_t p = 0; p < 3; ++p)
    CHECK(rootMeanSquare(*initialValue(hand.graph, p, {256}, 0.1, 5).value) == Approx(0.1).epsilon(0.01));
  CHECK(rootMeanSquare(*initialValue(hand.graph, 2, {256}, std::nullopt, 5).value) == Approx(0.02).epsilon(0.01));
  const TensorPtr uniform = initialValue(hand.graph, 1, {256}, std::nullopt, 5).value;
  CHECK(*std::max_element(uniform->values.begin(), uniform->values.end()) == Approx(3).epsilon(0.001));
  CHECK(initialValue(hand.graph, 0, {256}, std::nullopt, 5).error == "`W`: the plan gives it no size");
}

TEST_CASE("a layer's numbers do not depend on how many layers there are", "[interpret][init]") {
  Hand few, many;
  few.parameter("w", {Hand::fixed(2), Hand::n()}, {}, 0);
  many.parameter("w", {Hand::fixed(5), Hand::n()}, {}, 0);
  const Values a = initialValue(few.graph, 0, {7}, 1.0, 5).value->values,
               b = initialValue(many.graph, 0, {7}, 1.0, 5).value->values;
  CHECK(std::equal(a.begin(), a.end(), b.begin()));
  CHECK(a[0] != a[7]);
}

TEST_CASE("constants, eye and expressions are what they say", "[interpret][init]") {
  Hand hand;
  const NodeId iota = hand.append(OpKind::iota, {}, {Hand::fixed(2)});
  hand.parameter("g", {Hand::n()}, init(Init::Kind::constant, 1));
  hand.parameter("R", {Hand::fixed(2), Hand::fixed(2)}, init(Init::Kind::eye));
  hand.parameter("p", {Hand::fixed(3), Hand::fixed(2)}, init(Init::Kind::values, 1, iota), 0);
  CHECK(initialValue(hand.graph, 0, {3}, std::nullopt, 5).value->values == Values{1, 1, 1});
  CHECK(initialValue(hand.graph, 1, {3}, 0.5, 5).value->values == Values{1, 0, 0, 1});
  CHECK(initialValue(hand.graph, 2, {3}, std::nullopt, 5).value->values == Values{0, 1, 0, 1, 0, 1});
}

TEST_CASE("a parameter from a file has the file's numbers, in its own shape", "[interpret][init]") {
  const std::string path = (std::filesystem::temp_directory_path() / "tpc_initial_test.csv").string();
  std::ofstream(path) << "1, 2, 3\n4, 5, 6\n";
  Hand hand;
  hand.parameter("W", {Hand::fixed(2), Hand::fixed(3)}, init(Init::Kind::file));
  hand.parameter("V", {Hand::fixed(3), Hand::fixed(2)}, init(Init::Kind::file));
  hand.parameter("U", {Hand::fixed(3), Hand::fixed(2)}, init(Init::Kind::file));
  hand.graph.parameters[0].file = hand.graph.parameters[1].file = path;
  hand.graph.parameters[2].file = path + ".npy";
  CHECK(initialValue(hand.graph, 0, {3}, std::nullopt, 5).value->values == Values{1, 2, 3, 4, 5, 6});
  CHECK(initialValue(hand.graph, 1, {3}, std::nullopt, 5).error.find("another shape") != std::string::npos);
  CHECK(initialValue(hand.graph, 2, {3}, std::nullopt, 5).error.find("No such file") != std::string::npos);
  std::filesystem::remove(path);
}
