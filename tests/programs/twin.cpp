#include "tests/programs/twin.h"

#include <algorithm>
#include <set>

#include "dsl/syntax/parse.h"
#include "dsl/syntax/print.h"
#include "dsl/syntax/tokens.h"
#include "tests/random/numbers.h"

namespace tpc::programs {
namespace {

using syntax::Token;

std::string_view textOf(std::string_view source, const Token& token) {
  return source.substr(token.begin, token.end - token.begin);
}

std::set<std::string> wordsOf(std::string_view source) {
  std::set<std::string> words;
  for (const Token& token : syntax::tokenize(source).tokens)
    if (token.kind == Token::Kind::word) words.insert(std::string(textOf(source, token)));
  return words;
}

// What a statement gives a name or a new value to.  `functions` are collected apart: a call may hide behind a name.
void namesMadeBy(const ast::Statement& statement, std::set<std::string>& names, std::set<std::string>& functions) {
  auto block = [&](const ast::Block& body) {
    for (const ast::Statement& inner : body.statements) namesMadeBy(inner, names, functions);
  };
  if (const auto* size = statement.as<ast::Size>())
    for (const ast::SizeEntry& entry : size->entries) names.insert(entry.name.text);
  if (const auto* let = statement.as<ast::Let>())
    for (const ast::LetEntry& entry : let->entries) names.insert(entry.name.text);
  if (const auto* input = statement.as<ast::Input>()) names.insert(input->name.text);
  if (const auto* param = statement.as<ast::Param>()) names.insert(param->name.text);
  if (const auto* constant = statement.as<ast::Const>()) names.insert(constant->name.text);
  if (const auto* assign = statement.as<ast::Assign>())
    for (const ast::Name& target : assign->targets) names.insert(target.text);
  if (const auto* output = statement.as<ast::Output>()) names.insert(output->name.text);
  if (const auto* metric = statement.as<ast::Metric>()) names.insert(metric->name.text);
  if (const auto* fn = statement.as<ast::Fn>()) {
    functions.insert(fn->name.text);
    for (const ast::Parameter& parameter : fn->parameters) names.insert(parameter.name.text);
    block(fn->body);
  }
  if (const auto* repeat = statement.as<ast::Repeat>()) {
    if (repeat->as) names.insert(repeat->as->text);
    block(repeat->body);
  }
  if (const auto* choice = statement.as<ast::If>()) {
    block(choice->body);
    if (choice->otherwise) block(*choice->otherwise);
  }
}

// The labels of repeats, those within repeats too.
void scopesMadeBy(const ast::Block& block, std::set<std::string>& scopes) {
  for (const ast::Statement& statement : block.statements)
    if (const auto* repeat = statement.as<ast::Repeat>()) {
      scopes.insert(repeat->as ? repeat->as->text : "repeat");
      scopesMadeBy(repeat->body, scopes);
    }
}

// Calls of one name are numbered in the order of the text, and so are free multipliers: those keep their order.
bool isNumbered(const std::set<std::string>& words) {
  static const std::set<std::string> numbered = {"auto",    "attention", "linear", "mlp",     "swiglu",
                                                 "rmsnorm", "layernorm", "repeat", "collect", "if"};
  return std::any_of(words.begin(), words.end(), [](const std::string& word) { return numbered.count(word) != 0; });
}

void shuffle(ast::Block& block, tests::Numbers& random) {
  std::vector<ast::Statement>& statements = block.statements;
  const size_t count = statements.size();
  std::set<std::string> functions;
  for (const ast::Statement& statement : statements) {
    std::set<std::string> names;
    namesMadeBy(statement, names, functions);
  }
  std::vector<std::set<std::string>> words(count), makes(count);
  std::vector<bool> fixed(count);
  for (size_t i = 0; i < count; ++i) {
    words[i] = wordsOf(print(statements[i]));
    namesMadeBy(statements[i], makes[i], makes[i]);
    fixed[i] = isNumbered(words[i]);
    for (const std::string& function : functions) fixed[i] = fixed[i] || words[i].count(function) != 0;
  }
  auto mustPrecede = [&](size_t first, size_t second) {
    if (fixed[first] && fixed[second]) return true;
    auto meet = [](const std::set<std::string>& a, const std::set<std::string>& b) {
      return std::any_of(a.begin(), a.end(), [&](const std::string& word) { return b.count(word) != 0; });
    };
    return meet(makes[first], words[second]) || meet(words[first], makes[second]);
  };
  std::vector<ast::Statement> ordered;
  std::vector<bool> done(count);
  while (ordered.size() < count) {
    std::vector<size_t> ready;
    for (size_t i = 0; i < count; ++i) {
      bool waits = done[i];
      for (size_t before = 0; before < i && !waits; ++before) waits = !done[before] && mustPrecede(before, i);
      if (!waits) ready.push_back(i);
    }
    const size_t chosen = random.of(ready);
    done[chosen] = true;
    ordered.push_back(statements[chosen]);
  }
  statements = std::move(ordered);
  for (ast::Statement& statement : statements)
    if (auto* repeat = std::get_if<ast::Repeat>(&statement.node)) shuffle(repeat->body, random);
}

}  // namespace

std::string Twin::renamed(const std::string& path) const {
  // `layers.attention.wq`: behind `attention`, a function of the library, names are the library's.
  std::string result;
  size_t begin = 0;
  bool inProgram = true;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('.', begin), path.size());
    const std::string part = path.substr(begin, end - begin), bare = part.substr(0, part.find('#'));
    const auto found = names.find(bare);
    result += inProgram && found != names.end() ? found->second + part.substr(bare.size()) : part;
    if (end < path.size()) result += '.';
    inProgram = inProgram && scopes.count(bare) != 0;
    begin = end + 1;
  }
  return result;
}

Twin twinOf(const std::string& text, uint64_t seed) {
  SourceMap sources;
  DiagnosticSink sink;
  std::optional<ast::Program> program = parse(sources, sources.add("twin.tp", text), sink);
  if (!program) return {text, {}, {}};
  tests::Numbers random(seed);
  shuffle(program->body, random);
  const std::string source = print(*program);

  // A word is left alone where it means something to the compiler: the sizes called `batch`, names of arguments, what
  // is called without being a function of the program, and whatever an optimizer or a train block mentions.
  std::set<std::string> names, functions, kept = {"batch"};
  Twin twin;
  for (const ast::Statement& statement : program->body.statements) {
    namesMadeBy(statement, names, functions);
    if (statement.is<ast::Optimizer>() || statement.is<ast::Train>()) kept.merge(wordsOf(print(statement)));
  }
  const std::vector<Token> tokens = syntax::tokenize(source).tokens;
  int depth = 0;
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    const std::string_view here = textOf(source, tokens[i]), next = textOf(source, tokens[i + 1]);
    if (here == "(") ++depth;
    if (here == ")") --depth;
    if (tokens[i].kind != Token::Kind::word) continue;
    const std::string word(here);
    if (depth > 0 && next == "=") kept.insert(word);
    if (next == "(" && functions.count(word) == 0) kept.insert(word);
  }
  scopesMadeBy(program->body, twin.scopes);
  twin.scopes.insert(functions.begin(), functions.end());
  names.merge(functions);
  std::vector<std::string> renamed;
  for (const std::string& name : names)
    if (kept.count(name) == 0) renamed.push_back(name);
  std::vector<int> order(renamed.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = int(i);
  random.shuffle(order);
  for (size_t i = 0; i < renamed.size(); ++i)
    twin.names[renamed[i]] = std::string(1, char('a' + random.below(26))) + "_" + std::to_string(order[i]) + "_";
  size_t copied = 0;
  for (const Token& token : tokens) {
    if (token.kind != Token::Kind::word) continue;
    const auto found = twin.names.find(std::string(textOf(source, token)));
    if (found == twin.names.end()) continue;
    twin.text += source.substr(copied, token.begin - copied) + found->second;
    copied = token.end;
  }
  twin.text += source.substr(copied);
  return twin;
}

std::string toString(const Derived& derived) {
  std::string text = derived.words;
  for (const auto& [name, size] : derived.sizes) text += (text.empty() ? "" : ", ") + name + " " + tpc::toString(size);
  return text;
}

DerivedByName derivedOf(const Analysed& analysed, const Twin* twin) {
  const Graph& graph = analysed.graph;
  const auto named = [&](const std::string& name) { return twin == nullptr ? name : twin->renamed(name); };
  DerivedByName all;
  for (const SymbolAnalysis& symbol : analysed.analysis.symbols) {
    const std::string in = named(graph.symbols[symbol.symbol].name) + ": ";
    const auto put = [&](std::string key, Derived derived) {
      while (all.count(key)) key += "'";  // a name that two values share
      all[key] = std::move(derived);
    };
    for (size_t i = 0; i < graph.parameters.size(); ++i) {
      const ParameterSizes& sizes = symbol.parameters[i];
      put(in + "parameter " + named(graph.parameters[i].name),
          {{{"init", sizes.initStd},
            {"mean", sizes.initMean},
            {"lr", sizes.lr},
            {"largest lr", sizes.largestLr},
            {"eps", sizes.eps},
            {"update", sizes.update},
            {"gradient init", sizes.gradientInit},
            {"gradient trained", sizes.gradientTrained}},
           std::string(toString(sizes.role)) + " " + std::string(toString(sizes.status))});
    }
    for (size_t i = 0; i < graph.freeMultipliers.size(); ++i)
      put(in + "multiplier " + named(graph.freeMultipliers[i].name), {{{"size", symbol.multipliers[i].size}}, ""});
    for (NodeId id = 0; id < graph.forwardEnd && symbol.analysed; ++id) {
      if (graph.nodes[id].name == none) continue;
      const ValueSizes& sizes = symbol.values[id];
      put(in + "value " + named(graph.names[graph.nodes[id].name]),
          {{{"init", sizes.init}, {"update", sizes.update}, {"trained", sizes.trained}, {"spread", sizes.spread}}, ""});
    }
    const SymbolVerdict& verdict = symbol.verdict;
    std::string words(toString(verdict.regime));
    if (!verdict.stableInit) words += ", unstable at init";
    if (!verdict.stableTraining) words += ", unstable in training";
    if (!verdict.nontrivial) words += ", trivial";
    if (!verdict.faithful) words += ", unfaithful";
    if (verdict.infeasible) words += ", infeasible";
    put(in + "verdict", {{}, words});
  }
  return all;
}

std::string difference(const DerivedByName& a, const DerivedByName& b) {
  std::string text;
  for (const auto& [key, derived] : a) {
    const auto found = b.find(key);
    if (found == b.end()) text += "- " + key + ": " + toString(derived) + "\n";
    else if (!(found->second == derived))
      text += "- " + key + ": " + toString(derived) + "\n+ " + key + ": " + toString(found->second) + "\n";
  }
  for (const auto& [key, derived] : b)
    if (a.count(key) == 0) text += "+ " + key + ": " + toString(derived) + "\n";
  return text;
}

}  // namespace tpc::programs
