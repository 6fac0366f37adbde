#include "tests/random/moves.h"

#include <algorithm>

#include "dsl/syntax/print.h"
#include "tests/programs/twin.h"
#include "tests/random/numbers.h"
#include "tests/random/rewrite.h"

namespace tpc::tests {
namespace {

using ast::BinaryOp;
using ast::ExprPtr;

using Maybe = std::optional<Moved>;

// A program taken apart, and what its names are.
struct Place {
  ast::Program program;
  std::string text;
  Numbers random;
  std::map<std::string, int> ranks;            // of parameters, inputs of real numbers and values
  std::map<std::string, ast::Param> matrices;  // parameters of two axes outside of repeats

  Place(const std::string& source, const Analysed& analysed, uint64_t seed)
      : program(*parsed(source)), text(print(program)), random(seed) {
    const Graph& graph = analysed.graph;
    std::set<std::string> repeats;
    for (const Repeat& repeat : graph.repeats) repeats.insert(repeat.name);
    for (NodeId id = 0; id < graph.forwardEnd; ++id) {
      const Node& node = graph.nodes[id];
      std::string name;
      int rank = graph.rank(id);
      if (node.kind == OpKind::parameter) {
        name = graph.parameters[node.attribute].name;
        rank -= graph.parameters[node.attribute].stack != none;
      } else if (node.kind == OpKind::input && !graph.inputs[node.attribute].integer)
        name = graph.inputs[node.attribute].name;
      else if (node.kind != OpKind::input && node.name != none) name = graph.names[node.name];
      // Inside a call of the library a name is the library's.
      const size_t dot = name.find('.');
      if (name.empty() || (dot != std::string::npos && !repeats.count(name.substr(0, dot)))) continue;
      name = name.substr(dot == std::string::npos ? 0 : dot + 1);
      if (name.find('.') != std::string::npos) continue;
      ranks[name.substr(0, name.find('#'))] = rank;
    }
    for (const ast::Statement& statement : program.body.statements)
      if (const auto* param = statement.as<ast::Param>())
        if (param->shape.entries.size() == 2) matrices[param->name.text] = *param;
  }

  // Rewrites one of the places where `make` gives something, or says that there is none.
  bool rewriteOne(const Rewrite& make) {
    int count = 0;
    rewrite(program.body, [&](const ExprPtr& e) {
      count += make(e) != nullptr;
      return ExprPtr();
    });
    if (count == 0) return false;
    int left = random.below(count);
    rewrite(program.body, [&](const ExprPtr& e) {
      ExprPtr made = make(e);
      return made && left-- == 0 ? made : ExprPtr();
    });
    return true;
  }

  Moved moved(Answer answer = Answer::same) const { return {text, print(program), answer}; }
};

std::string spelled(const ExprPtr& e) { return "(" + print(*e) + ")"; }

bool isProduct(const ExprPtr& e) { return e->is<ast::Binary>() && e->as<ast::Binary>()->op == BinaryOp::matmul; }

// ---- moves that change nothing ----

std::string axesFor(int rank) { return rank == 1 ? "a" : rank == 2 ? "a b" : rank == 3 ? "a b c" : "a b c d"; }

// What leaves a tensor of this rank as it is.
std::string identityOf(const std::string& e, int rank, Numbers& random) {
  std::vector<std::string> forms = {e + " * 1", "1 * " + e, "-(-" + e + ")", e + " / 1"};
  if (rank >= 2) forms.push_back("transpose(transpose(" + e + "))");
  if (rank >= 1 && rank <= 4) {
    std::string axes = axesFor(rank), last = axes.substr(axes.size() - 1), rest = axes.substr(0, axes.size() - 1);
    const std::string grouped = rest + "(i " + last + ")", apart = rest + "i " + last;
    forms.push_back("rearrange(rearrange(" + e + ", \"" + grouped + " -> " + apart + "\", i = 1), \"" + apart + " -> " +
                    grouped + "\")");
    forms.push_back("rearrange(" + e + ", \"" + axes + " -> " + axes + "\")");
  }
  if (rank == 2) forms.push_back("rearrange(rearrange(" + e + ", \"a b -> b a\"), \"b a -> a b\")");
  return random.of(forms);
}

Maybe identityOfValue(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  std::vector<ast::Assign*> sites;
  forEach(place.program.body, [&](ast::Block& block, size_t i) {
    auto* assign = std::get_if<ast::Assign>(&block.statements[i].node);
    if (assign && assign->targets.size() == 1 && place.ranks.count(assign->targets[0].text)) sites.push_back(assign);
  });
  if (sites.empty()) return std::nullopt;
  ast::Assign* site = place.random.of(sites);
  site->value = expression(identityOf(spelled(site->value), place.ranks.at(site->targets[0].text), place.random));
  return place.moved();
}

Maybe identityOfName(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  Numbers form(seed + 1);
  const bool found = place.rewriteOne([&](const ExprPtr& e) -> ExprPtr {
    if (!e->is<ast::NameRef>()) return nullptr;
    const auto rank = place.ranks.find(e->as<ast::NameRef>()->name);
    return rank == place.ranks.end() ? nullptr : expression(identityOf(rank->first, rank->second, form));
  });
  return found ? Maybe(place.moved()) : std::nullopt;
}

// A factor on the weight, on what it is multiplied with, or on the product.
ExprPtr factored(const ExprPtr& product, const std::string& factor, int where) {
  const auto* binary = product->as<ast::Binary>();
  const std::string x = spelled(binary->left), W = spelled(binary->right);
  return expression(where == 0   ? factor + " * (" + x + " @ " + W + ")"
                    : where == 1 ? x + " @ (" + factor + " * " + W + ")"
                                 : "(" + factor + " * " + x + ") @ " + W);
}

Maybe numberOnProduct(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  const int where = place.random.below(3);
  const bool found =
      place.rewriteOne([&](const ExprPtr& e) { return isProduct(e) ? factored(e, "3", where) : nullptr; });
  return found ? Maybe(place.moved()) : std::nullopt;
}

// A power of the symbol: two ways of writing one function, held against each other.
Maybe powerOnProduct(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed), other(text, analysed, seed);
  std::string symbol;
  for (const Symbol& each : analysed.graph.symbols)
    if (each.grows) symbol = each.name;
  if (symbol.empty()) return std::nullopt;
  const std::string factor = symbol + place.random.of<std::string>({"^(-1/2)", "^(1/2)", "^(-1)"});
  other.random = place.random;
  const auto at = [&](Place& in, int where) {
    return in.rewriteOne([&](const ExprPtr& e) -> ExprPtr {
      if (!isProduct(e) || !e->as<ast::Binary>()->right->is<ast::NameRef>()) return nullptr;
      // Of a product of two matrices either could answer for the factor.
      if (place.matrices.count(print(*e->as<ast::Binary>()->left))) return nullptr;
      return place.matrices.count(e->as<ast::Binary>()->right->as<ast::NameRef>()->name) ? factored(e, factor, where)
                                                                                         : nullptr;
    });
  };
  if (!at(place, 0) || !at(other, 1)) return std::nullopt;
  return Moved{print(place.program), print(other.program)};
}

Maybe otherOrder(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  const bool found = place.rewriteOne([](const ExprPtr& e) -> ExprPtr {
    const auto* binary = e->as<ast::Binary>();
    if (!binary || (isNumbered(*binary->left) && isNumbered(*binary->right))) return nullptr;
    const std::string a = spelled(binary->left), b = spelled(binary->right);
    if (binary->op == BinaryOp::add) {
      const auto* left = binary->left->as<ast::Binary>();
      if (left && left->op == BinaryOp::add && !isNumbered(*binary->left))
        return expression(spelled(left->left) + " + (" + spelled(left->right) + " + " + b + ")");
      return expression(b + " + " + a);
    }
    if (binary->op == BinaryOp::multiply) return expression(b + " * " + a);
    if (binary->op == BinaryOp::subtract) return expression("-(" + b + " - " + a + ")");
    if (binary->op == BinaryOp::divide) return expression(a + " * (1 / " + b + ")");
    return nullptr;
  });
  return found ? Maybe(place.moved()) : std::nullopt;
}

// Other words for the same function.
Maybe otherWords(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  const bool stable = std::all_of(
      analysed.analysis.symbols.begin(), analysed.analysis.symbols.end(),
      [](const SymbolAnalysis& symbol) { return symbol.verdict.stableInit && symbol.verdict.stableTraining; });
  const bool found = place.rewriteOne([&](const ExprPtr& e) -> ExprPtr {
    if (const auto* call = e->as<ast::Call>(); call && call->arguments.size() == 1) {
      const std::string x = spelled(call->arguments[0].value);
      // At zero exactly relu has no gradient and the larger of two equal ones has.
      if (call->callee.text == "relu" && text.find("init 0") == std::string::npos)
        return expression("max(" + x + ", 0)");
      // Far out silu'(x) and (x sigmoid(x))' are bounds of different sharpness.
      if (call->callee.text == "silu" && stable && !isNumbered(*call->arguments[0].value))
        return expression(x + " * sigmoid(" + x + ")");
      return nullptr;
    }
    const auto* binary = e->as<ast::Binary>();
    if (!binary) return nullptr;
    const std::string a = spelled(binary->left), b = spelled(binary->right);
    // Written twice, what is no name would be two values, and nothing says that their product has a sign.
    if (binary->op == BinaryOp::power && print(*binary->right) == "2" && binary->left->is<ast::NameRef>())
      return expression(a + " * " + a);
    if (binary->op == BinaryOp::matmul && binary->left->is<ast::NameRef>() && binary->right->is<ast::NameRef>()) {
      const auto left = place.ranks.find(print(*binary->left)), right = place.ranks.find(print(*binary->right));
      if (left == place.ranks.end() || right == place.ranks.end() || right->second != 2) return nullptr;
      if (left->second == 2) return expression("einsum(\"b i, i j -> b j\", " + a + ", " + b + ")");
      if (left->second == 3) return expression("einsum(\"b t i, i j -> b t j\", " + a + ", " + b + ")");
    }
    return nullptr;
  });
  return found ? Maybe(place.moved()) : std::nullopt;
}

// x (W + A B) as x W + (x A) B.
Maybe distributed(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  const bool found = place.rewriteOne([](const ExprPtr& e) -> ExprPtr {
    if (!isProduct(e) || isNumbered(*e)) return nullptr;
    const auto* right = e->as<ast::Binary>()->right->as<ast::Binary>();
    if (!right) return nullptr;
    const std::string x = spelled(e->as<ast::Binary>()->left), a = spelled(right->left), b = spelled(right->right);
    if (right->op == BinaryOp::matmul) return expression("(" + x + " @ " + a + ") @ " + b);
    if (right->op == BinaryOp::add && isProduct(right->right)) {
      const auto* low = right->right->as<ast::Binary>();
      return expression(x + " @ " + a + " + (" + x + " @ " + spelled(low->left) + ") @ " + spelled(low->right));
    }
    return nullptr;
  });
  if (!found) return std::nullopt;
  Moved moved = place.moved();
  moved.otherRoles = true;
  return moved;
}

// A subexpression with a name of its own.
Maybe namedPart(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  std::vector<std::pair<ast::Block*, size_t>> sites;
  forEach(place.program.body, [&](ast::Block& block, size_t i) {
    const auto* assign = std::get_if<ast::Assign>(&block.statements[i].node);
    const auto* loss = std::get_if<ast::Loss>(&block.statements[i].node);
    if ((assign && !isNumbered(*assign->value)) || (loss && !isNumbered(*loss->value))) sites.push_back({&block, i});
  });
  if (sites.empty()) return std::nullopt;
  const auto [block, at] = place.random.of(sites);
  ast::Block alone;
  alone.statements.push_back(block->statements[at]);
  std::vector<std::string> parts;
  rewrite(alone, [&](const ExprPtr& e) {
    const auto* call = e->as<ast::Call>();
    if (e->is<ast::Binary>() || (call && call->callee.text != "split")) parts.push_back(print(*e));
    return ExprPtr();
  });
  if (parts.empty()) return std::nullopt;
  const std::string part = place.random.of(parts);
  bool done = false;
  rewrite(alone, [&](const ExprPtr& e) -> ExprPtr {
    if (done || print(*e) != part) return nullptr;
    done = true;
    return expression("part_");
  });
  ast::Statement made = block->statements[at];
  made.node = ast::Assign{{ast::Name{"part_", {}}}, ast::AssignOp::set, expression(part)};
  block->statements[at] = alone.statements[0];
  block->statements.insert(block->statements.begin() + long(at), made);
  return place.moved();
}

// A matrix stored the other way round.
Maybe storedTransposed(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  if (place.matrices.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& [name, param] : place.matrices)
    if (!param.init || print(*param.init).find("eye") == std::string::npos) names.push_back(name);
  if (names.empty()) return std::nullopt;
  const std::string name = place.random.of(names);
  for (ast::Statement& statement : place.program.body.statements)
    if (auto* param = std::get_if<ast::Param>(&statement.node); param && param->name.text == name)
      std::swap(param->shape.entries[0], param->shape.entries[1]);
  rewrite(place.program.body,
          [&](const ExprPtr& e) { return e->isName(name.c_str()) ? expression("transpose(" + name + ")") : nullptr; });
  return mentions(print(place.program), name) == mentions(place.text, name) ? Maybe(place.moved()) : std::nullopt;
}

Maybe scalarOfLengthOne(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  std::vector<ast::Param*> sites;
  forEach(place.program.body, [&](ast::Block& block, size_t i) {
    auto* param = std::get_if<ast::Param>(&block.statements[i].node);
    if (param && param->shape.entries.empty()) sites.push_back(param);
  });
  if (sites.empty()) return std::nullopt;
  place.random.of(sites)->shape.entries.push_back({false, expression("1"), {}});
  return place.moved();
}

Maybe numberInNorm(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  const bool found = place.rewriteOne([](const ExprPtr& e) -> ExprPtr {
    const auto* call = e->as<ast::Call>();
    if (!call || (call->callee.text != "rmsnorm" && call->callee.text != "layernorm")) return nullptr;
    auto next = std::make_shared<ast::Expr>(*e);
    auto& argument = std::get<ast::Call>(next->node).arguments[0];
    argument.value = expression("7 * " + spelled(argument.value));
    return next;
  });
  return found ? Maybe(place.moved()) : std::nullopt;
}

ast::Loss* lossOf(Place& place) {
  for (ast::Statement& statement : place.program.body.statements)
    if (auto* loss = std::get_if<ast::Loss>(&statement.node)) return loss;
  return nullptr;
}

Maybe numberOnLoss(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  ast::Loss* loss = lossOf(place);
  loss->value = expression("3 * " + spelled(loss->value));
  return place.moved();
}

Maybe deadMetric(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  for (size_t i = 0; i < place.program.body.statements.size(); ++i) {
    const auto* assign = place.program.body.statements[i].as<ast::Assign>();
    if (!assign || !place.ranks.count(assign->targets[0].text)) continue;
    ast::Statement made = place.program.body.statements[i];
    made.node = ast::Metric{{"dead_", {}}, expression("mean(" + assign->targets[0].text + "^2)")};
    place.program.body.statements.insert(place.program.body.statements.begin() + long(i) + 1, made);
    return place.moved();
  }
  return std::nullopt;
}

Maybe otherNumbers(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  for (ast::Statement& statement : place.program.body.statements)
    if (auto* size = std::get_if<ast::Size>(&statement.node))
      for (ast::SizeEntry& entry : size->entries)
        if (entry.grows) entry.value.text = std::to_string(int(entry.value.value *= 2));
  return place.moved();
}

// n is twice, or the square of, another size that grows.
Maybe substituted(const std::string& text, const Analysed& analysed, uint64_t seed, bool square) {
  Place place(text, analysed, seed);
  std::vector<ast::Statement>& statements = place.program.body.statements;
  int growing = 0;
  std::string name;
  for (const ast::Statement& statement : statements)
    if (const auto* size = statement.as<ast::Size>())
      for (const ast::SizeEntry& entry : size->entries)
        if (entry.grows) ++growing, name = entry.name.text;
  if (growing != 1) return std::nullopt;
  const std::string value = square ? name + "_ * " + name + "_" : "2 * " + name + "_";
  for (size_t i = 0; i < statements.size(); ++i) {
    auto* size = std::get_if<ast::Size>(&statements[i].node);
    if (!size) continue;
    for (ast::SizeEntry& entry : size->entries) {
      if (entry.name.text != name) continue;
      entry.name.text += "_";
      entry.value.text = square ? "4" : std::to_string(int(entry.value.value / 2));
      ast::Statement made = statements[i];
      made.node = ast::Let{{ast::LetEntry{{name, {}}, expression(value)}}};
      statements.insert(statements.begin() + long(i) + 1, made);
      return place.moved(square ? Answer::doubled : Answer::same);
    }
  }
  return std::nullopt;
}
Maybe twiceAnother(const std::string& text, const Analysed& analysed, uint64_t seed) {
  return substituted(text, analysed, seed, false);
}
Maybe squareOfAnother(const std::string& text, const Analysed& analysed, uint64_t seed) {
  return substituted(text, analysed, seed, true);
}

Maybe twin(const std::string& text, const Analysed& analysed, uint64_t seed) {
  (void)analysed;
  programs::Twin made = programs::twinOf(text, seed);
  Moved moved{text, made.text};
  moved.twin = std::move(made);
  return moved;
}

// ---- moves with an answer ----

Maybe powerOnLoss(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  if (analysed.analysis.symbols.size() != 1 || text.find("auto * sum") != std::string::npos) return std::nullopt;
  ast::Loss* loss = lossOf(place);
  const std::string symbol = analysed.graph.symbols[analysed.analysis.symbols[0].symbol].name;
  loss->value = expression(symbol + "^(1/2) * " + spelled(loss->value));
  Moved moved = place.moved(Answer::lossScaled);
  moved.ignored.insert("loss");
  return moved;
}

// `a, b = split(x @ F, 2, axis = -1)` with a matrix for each of a and b.
Maybe splitMatrix(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  std::vector<ast::Statement>& statements = place.program.body.statements;
  for (size_t i = 0; i < statements.size(); ++i) {
    const auto* assign = statements[i].as<ast::Assign>();
    const auto* call = assign ? assign->value->as<ast::Call>() : nullptr;
    if (!call || call->callee.text != "split" || !isProduct(call->arguments[0].value)) continue;
    const auto* product = call->arguments[0].value->as<ast::Binary>();
    const std::string name = print(*product->right), x = spelled(product->left);
    if (isNumbered(*product->left) || !place.matrices.count(name) || mentions(place.text, name) != 2) continue;
    const size_t count = assign->targets.size();
    std::vector<ast::Statement> parts;
    for (size_t part = 0; part < count; ++part) {
      ast::Statement made = statements[i];
      made.node = ast::Assign{
          {assign->targets[part]}, ast::AssignOp::set, expression(x + " @ " + name + "_" + std::to_string(part + 1))};
      parts.push_back(made);
    }
    statements.erase(statements.begin() + long(i));
    statements.insert(statements.begin() + long(i), parts.begin(), parts.end());
    for (size_t at = 0; at < statements.size(); ++at) {
      const auto* param = statements[at].as<ast::Param>();
      if (!param || param->name.text != name) continue;
      // [w, 3 * o] is three times [w, o].
      const auto* width = param->shape.entries[1].size->as<ast::Binary>();
      if (!width || print(*width->left) != std::to_string(count)) return std::nullopt;
      std::vector<ast::Statement> made;
      for (size_t part = 0; part < count; ++part) {
        ast::Param one = *param;
        one.name.text += "_" + std::to_string(part + 1);
        one.shape.entries[1].size = width->right;
        made.push_back(statements[at]);
        made.back().node = one;
      }
      statements.erase(statements.begin() + long(at));
      statements.insert(statements.begin() + long(at), made.begin(), made.end());
      Moved moved = place.moved();
      for (size_t part = 0; part < count; ++part) moved.parts[name].push_back(name + "_" + std::to_string(part + 1));
      return moved;
    }
  }
  return std::nullopt;
}

// The layers of a repeat of a fixed number written out, their parameters called `_1`, `_2`, ...
Maybe unrolled(const std::string& text, const Analysed& analysed, uint64_t seed) {
  Place place(text, analysed, seed);
  std::vector<ast::Statement>& statements = place.program.body.statements;
  for (size_t i = 0; i < statements.size(); ++i) {
    const auto* repeat = statements[i].as<ast::Repeat>();
    if (!repeat || !repeat->count->is<ast::Number>()) continue;
    const int layers = int(repeat->count->as<ast::Number>()->value);
    const std::string path = (repeat->as ? repeat->as->text : "repeat") + ".";
    Moved moved{place.text, ""};
    moved.ofLayers = true;
    bool numbered = false;
    for (const ast::Statement& statement : repeat->body.statements) {
      if (const auto* assign = statement.as<ast::Assign>()) {
        numbered |= isNumbered(*assign->value);
        for (const ast::Name& target : assign->targets) moved.ignored.insert(target.text);
      } else if (const auto* param = statement.as<ast::Param>()) {
        for (int layer = 1; layer <= layers; ++layer)
          moved.parts[path + param->name.text].push_back(param->name.text + "_" + std::to_string(layer));
      } else {
        numbered = true;
      }
    }
    if (numbered) continue;
    for (size_t at = 0; at < i; ++at) moved.after += print(statements[at]) + "\n";
    for (int layer = 1; layer <= layers; ++layer)
      for (const ast::Statement& statement : repeat->body.statements) {
        std::string one = print(statement) + "\n";
        for (const ast::Statement& other : repeat->body.statements)
          if (const auto* param = other.as<ast::Param>())
            one = withName(one, param->name.text, param->name.text + "_" + std::to_string(layer));
        moved.after += one;
      }
    for (size_t at = i + 1; at < statements.size(); ++at) moved.after += print(statements[at]) + "\n";
    return moved;
  }
  return std::nullopt;
}

constexpr Move moves[] = {
    {"names and order", twin},
    {"identity of a value", identityOfValue},
    {"identity of a name", identityOfName},
    {"a number on a product", numberOnProduct},
    {"a power on a product or its weight", powerOnProduct},
    {"operands in another order", otherOrder},
    {"other words", otherWords},
    {"a low rank beside a matrix", distributed},
    {"a part with a name of its own", namedPart},
    {"a matrix stored transposed", storedTransposed},
    {"a vector of length one for a scalar", scalarOfLengthOne},
    {"a number before a norm", numberInNorm},
    {"a number on the loss", numberOnLoss},
    {"a metric that nobody needs", deadMetric},
    {"other numbers at the base", otherNumbers},
    {"twice another size", twiceAnother},
    {"the square of another size", squareOfAnother},
    {"a power on the loss", powerOnLoss},
    {"a matrix in parts", splitMatrix},
    {"layers written out", unrolled},
};

}  // namespace

std::span<const Move> allMoves() { return moves; }

namespace {

using programs::Derived;
using programs::DerivedByName;

// Size by size: what must stand after the move.  Names are those of Derived::sizes.
Size answered(Answer answer, const std::string& what, const Size& before, const Derived& all, Rational homogeneity) {
  if (!before.isPower()) return before;
  switch (answer) {
    case Answer::same: return before;
    case Answer::doubled: return Size::power(before.exponent * Rational(2));
    case Answer::lossScaled:
      if (what == "eps" || what == "gradient init" || what == "gradient trained")
        return Size::power(before.exponent + half);
      if ((what == "lr" || what == "largest lr") && all.sizes.at("gradient trained").isPower())
        return Size::power(before.exponent - half * homogeneity);
      return before;
  }
  return before;
}

std::string lastName(const std::string& key) {
  const std::string name = key.substr(key.find_last_of(" .") + 1);
  return name.substr(0, name.find('#'));
}

}  // namespace

std::string violationOf(const Moved& moved, const Analysed& before, const Analysed& after,
                        std::set<std::string>* kinds) {
  DerivedByName a = programs::derivedOf(before, moved.twin ? &*moved.twin : nullptr), b = programs::derivedOf(after);
  if (moved.twin) return programs::difference(a, b);
  // Where the parts of a parameter agree they are as the whole was.
  for (const auto& [whole, parts] : moved.parts)
    for (const SymbolAnalysis& symbol : before.analysis.symbols) {
      const std::string in = before.graph.symbols[symbol.symbol].name + ": parameter ";
      for (const std::string& part : parts)
        if (!(b.at(in + part) == b.at(in + parts[0]))) return "";
      b[in + whole] = b.at(in + parts[0]);
    }
  std::string text;
  for (const auto& [key, was] : a) {
    std::string there = key;
    if (b.count(key) == 0) {
      // What grows may have another name now: `n_` for n.
      const size_t colon = key.find(':');
      there = key.substr(0, colon) + "_" + key.substr(colon);
      if (b.count(there) == 0) there = key;
    }
    const auto found = b.find(there);
    if (found == b.end() || moved.ignored.count(lastName(key))) continue;
    Rational homogeneity = 0;
    for (const SymbolAnalysis& symbol : before.analysis.symbols)
      for (size_t i = 0; i < before.graph.parameters.size(); ++i)
        if (key.ends_with(": parameter " + before.graph.parameters[i].name))
          homogeneity = symbol.parameters[i].homogeneity;
    Derived wanted = was;
    const bool unknown = std::any_of(was.sizes.begin(), was.sizes.end(),
                                     [](const auto& named) { return named.second.kind == Size::Kind::notAnalysed; });
    if (unknown && moved.ofLayers) continue;
    if (moved.ofLayers && was.words.starts_with("undetermined")) continue;
    for (auto& [what, size] : wanted.sizes) size = answered(moved.answer, what, size, was, homogeneity);
    if (moved.answer == Answer::lossScaled) wanted.sizes.erase("largest lr");
    Derived got = found->second;
    if (moved.otherRoles && key.find(": parameter ") != std::string::npos)
      for (Derived* each : {&wanted, &got}) each->words.erase(0, each->words.find(' '));
    if (moved.answer == Answer::lossScaled) got.sizes.erase("largest lr");
    if (kinds) {
      const size_t colon = key.find(": ") + 2;
      const std::string kind = key.substr(colon, key.find(' ', colon) - colon) + " ";
      if (wanted.words != got.words) kinds->insert(kind + wanted.words + " -> " + got.words);
      for (const auto& [what, size] : wanted.sizes)
        if (!(size == got.sizes[what])) kinds->insert(kind + what);
    }
    if (!(wanted == got))
      text += "wanted " + key + ": " + toString(wanted) + "\ngot    " + key + ": " + toString(got) + "\n";
  }
  return text;
}

}  // namespace tpc::tests
