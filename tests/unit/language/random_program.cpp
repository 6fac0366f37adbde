#include "tests/unit/language/random_program.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace tpc {

namespace {

struct Writer {
  std::mt19937_64 random;
  std::string text;
  int names = 0, parameters = 0;
  std::vector<std::string> vectors;                    // what is [batch, n] here
  std::vector<std::pair<std::string, int>> repeats{};  // open: name, trips

  size_t below(size_t count) { return size_t(random() % count); }
  const std::string& pick() { return vectors[below(vectors.size())]; }
  void line(const std::string& what) { text += std::string(2 * repeats.size(), ' ') + what + "\n"; }
  std::string fresh() { return "v" + std::to_string(names++); }

  std::string parameter(const std::string& shape) {
    std::string word;
    if (!repeats.empty() && below(3) == 0)
      word = below(2) ? "shared " : "shared(" + repeats[below(repeats.size())].first + ") ";
    const std::string name = "p" + std::to_string(parameters++);
    line(word + "param " + name + " " + shape);
    return name;
  }

  std::string expression() {
    switch (below(repeats.empty() ? 6 : 8)) {
      case 0: return pick() + " + " + pick();
      case 1: return pick() + " * tanh(" + pick() + ")";
      case 2: return "sin(" + pick() + " @ " + parameter("[n, n]") + ")";
      case 3: return pick() + " * " + parameter("[n]");
      case 4: return pick() + " - mean(" + pick() + ", axis = -1, keep)";
      case 5: return "where(" + pick() + " > 0.1, " + pick() + ", " + pick() + ")";
      case 6: {
        const auto& [name, trips] = repeats[below(repeats.size())];
        return "0.5 * " + pick() + " * (" + name + " + 1)";
      }
      default: {
        const auto& [name, trips] = repeats[below(repeats.size())];
        return "tanh(" + pick() + " * " + parameter("[" + std::to_string(trips) + ", n]") + "[" + name + "])";
      }
    }
  }

  void block(int statements, int depth) {
    for (int i = 0; i < statements; ++i) {
      if (depth < 3 && below(4) == 0) {
        repeat(depth);
        continue;
      }
      const std::string value = expression();  // its parameters are declared first
      const std::string name =
          below(3) == 0 && !vectors.empty() && vectors.size() > 1 ? vectors[1 + below(vectors.size() - 1)] : fresh();
      line(name + " = tanh(" + value + ")");
      if (std::find(vectors.begin(), vectors.end(), name) == vectors.end()) vectors.push_back(name);
    }
  }

  void repeat(int depth) {
    const int trips = 1 + int(below(3));
    const std::string name = "r" + std::to_string(names++);
    line("repeat " + std::to_string(trips) + " as " + name + " {");
    repeats.emplace_back(name, trips);
    const std::vector<std::string> outside = vectors;
    block(2 + int(below(3)), depth + 1);
    std::string collected;
    if (below(2) == 0) {
      collected = fresh();
      line(collected + " = " + pick() + " * 2");
      line("collect " + collected);
    }
    repeats.pop_back();
    vectors = outside;
    line("}");
    if (collected.empty()) return;
    const std::string sum = fresh();
    line(sum + " = sum(" + collected + ", axis = 0)");
    vectors.push_back(sum);
  }
};

}  // namespace

std::string randomProgram(uint64_t seed) {
  Writer writer{.random = std::mt19937_64(seed), .text = {}, .vectors = {}};
  writer.text = "size n = 3, batch = 2\ninput x [batch, n]\nparam first [n]\n";
  writer.vectors = {"x", "h"};
  writer.line("h = x * first");
  writer.block(5, 0);
  std::string sum = "mean(h)";
  for (const std::string& name : writer.vectors) sum += " + mean(tanh(" + name + "))";
  // A parameter that only a value of one body read may reach nothing: its gradient is zero then, a warning and no
  // error.
  return writer.text + "loss = " + sum + "\n";
}

}  // namespace tpc
