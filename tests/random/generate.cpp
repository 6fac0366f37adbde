#include "tests/random/generate.h"

#include <vector>

#include "tests/random/numbers.h"

namespace tpc::tests {
namespace {

// What a program in the making has at hand.  An activation has the shape [batch, width] or [batch, time, width].
struct Value {
  std::string name, width;
};

class Generator {
 public:
  Generator(uint64_t seed, Manner manner) : random_(seed), isWild_(manner == Manner::wild) {}

  Generated program() {
    chooseSizes();
    Value h = embedding();
    const int blocks = random_.between(1, 5);
    for (int i = 0; i < blocks; ++i) {
      h = block(h, true);
      if (random_.percent(20)) seen_.push_back(h);
    }
    end(h);
    std::string text = sizes_ + functions_ + body_;
    return {text, optimizer_};
  }

 private:
  // ---- words ----

  std::string fresh(const char* letter) { return letter + std::to_string(++count_); }
  void line(const std::string& text) { body_ += indent_ + text + "\n"; }

  std::string param(const char* letter, const std::string& shape, const std::string& init = "") {
    const std::string name = fresh(letter);
    const bool frozen = random_.percent(isWild_ ? 5 : 2);
    line((frozen ? "frozen param " : "param ") + name + " [" + shape + "]" + (init.empty() ? "" : " init " + init));
    return name;
  }
  std::string matrix(const std::string& from, const std::string& to) {
    std::string init;
    if (random_.percent(isWild_ ? 20 : 6)) {
      std::vector<std::string> inits = {"normal(0.02)", "uniform(0.05)", "0"};
      if (isWild_) inits.insert(inits.end(), {"fixed normal(0.3)", "normal(n^(-1/2))", "fixed uniform(n^(-1))"});
      if (isWild_ && from == to) inits.push_back("eye(" + from + ")");
      init = random_.of(inits);
    }
    return param("W", from + ", " + to, init);
  }
  std::string vector(const std::string& width, const char* letter = "b") {
    return param(letter, width, random_.of<std::string>({"", "", "0", "0", isWild_ ? "1" : "", isWild_ ? "0.5" : "0"}));
  }
  std::string gain(const std::string& width) {
    return param("g", width, random_.of<std::string>({"1", "1", "", "normal(0.1)"}));
  }
  std::string scalar() { return param("s", "", random_.of<std::string>({"1", "1", "0", "", "0.5"})); }

  Value named(const std::string& expression, const std::string& width) {
    const std::string name = fresh("a");
    line(name + " = " + expression);
    return {name, width};
  }

  // A pattern with `x` in the place of X, a letter that no name begins with.
  static std::string with(std::string pattern, const std::string& x) {
    for (size_t at = pattern.find('X'); at != std::string::npos; at = pattern.find('X', at + x.size()))
      pattern.replace(at, 1, x);
    return pattern;
  }

  std::string map(const std::string& x) {
    std::vector<std::string> calls = {"tanh(X)", "relu(X)",    "gelu(X)", "silu(X)",
                                      "sin(X)",  "sigmoid(X)", "relu(X)", "tanh(X)"};
    if (hasTime_ || isWild_) calls.push_back("softmax(X)");
    if (isWild_)
      calls.insert(calls.end(),
                   {"abs(X)", "cos(X)", "exp(-(X)^2)", "max(X, 0)^2", "(X)^2", "(X)^3", "log(1 + exp(X))",
                    "sqrt((X)^2 + 1)", "min(max(X, -1), 1)", "1 / (1 + (X)^2)", "where(X > 0, X, 0.1 * X)"});
    if (random_.percent(12)) return userMap() + "(" + x + ")";
    return with(random_.of(calls), x);
  }
  // A scalar function of the program's own; one for each body, used as often as it is asked for.
  std::string userMap() {
    const std::vector<std::pair<std::string, std::string>> all = {
        {"snake", "z + sin(z)^2"}, {"softsign", "z / (1 + abs(z))"}, {"shrink", "z - tanh(z)"},
        {"bump", "z * exp(-z^2)"}, {"leaky", "max(z, 0.1 * z)"},     {"swish2", "z * sigmoid(2 * z)"}};
    const auto& [name, body] = random_.of(all);
    if (functions_.find("fn " + name + "(") == std::string::npos) functions_ += "fn " + name + "(z) = " + body + "\n";
    return name;
  }

  // ---- beginnings and ends ----

  void chooseSizes() {
    // The widths that may grow: n alone, two of them, or a number of heads and their width.
    switch (random_.below(isWild_ ? 6 : 5)) {
      case 0:
        sizes_ = "size n = 16 -> inf, m = 12 -> inf\n";
        widths_ = {"n", "m", "2 * n"};
        break;
      case 1:
        sizes_ = "size H = 4 -> inf, d = 4\nlet n = H * d\n";
        heads_ = "H", headWidth_ = "d", widths_ = {"n", "2 * n", "H"};
        break;
      case 2:
        sizes_ = "size H = 2, d = 8 -> inf\nlet n = H * d\n";
        heads_ = "H", headWidth_ = "d", widths_ = {"n", "4 * n"};
        break;
      case 3:
        sizes_ = "size H = 2 -> inf, d = 8 -> inf\nlet n = H * d\n";
        heads_ = "H", headWidth_ = "d", widths_ = {"n"};
        break;
      default: sizes_ = "size n = 16 -> inf\n"; widths_ = {"n", "2 * n", "4 * n"};
    }
    hasTime_ = random_.percent(heads_.empty() ? 25 : 75);
    sizes_ += hasTime_ ? "size t = 4, r = 3, classes = 5\n" : "size r = 3, classes = 5\n";
    lead_ = hasTime_ ? "batch, t" : "batch";
    optimizer_ = random_.of<std::string>({"sgd", "momentum", "adam", "adam", "adamw", "lion", "mine"});
    if (optimizer_ == "mine") {
      functions_ += random_.of<std::string>(
          {"optimizer mine(lr, b = 0.9, eps = 1e-8) {\n  state v = 0\n  v = b * v + (1 - b) * grad^2\n"
           "  update = -lr * grad / (sqrt(v) + eps)\n}\n",
           "optimizer mine(lr) {\n  update = -lr * sign(grad)\n}\n",
           "optimizer mine(lr) {\n  update = -lr * sign(grad) * sqrt(abs(grad))\n}\n",
           "optimizer mine(lr, b = 0.9) {\n  state m = 0\n  m = b * m + grad\n  update = -lr * (b * m + grad)\n}\n",
           "optimizer mine(lr, eps = 1e-8) {\n  state v = 0\n  v = v + grad^2\n"
           "  update = -lr * grad / (sqrt(v) + eps)\n}\n"});
    }
  }

  Value embedding() {
    const std::string width = widths_[0];
    if (random_.percent(30)) {
      line("size vocab = 7");
      line("input token [" + lead_ + "] in vocab");
      embedding_ = param("E", "vocab, " + width);
      return named(embedding_ + "[token]", width);
    }
    line("input x [" + lead_ + ", 6]");
    const std::string W = matrix("6", width);
    std::string e = "x @ " + W;
    if (random_.percent(40)) e += " + " + vector(width);
    if (random_.percent(15)) e = "rmsnorm(" + e + ")";
    return named(random_.percent(70) ? map(e) : e, width);
  }

  void end(Value h) {
    if (hasTime_ && random_.percent(40)) {
      h = named("mean(" + h.name + ", axis = 1)", h.width);
      lead_ = "batch";
    }
    if (random_.percent(25)) h = named(random_.of<std::string>({"rmsnorm", "layernorm"}) + "(" + h.name + ")", h.width);
    std::string logits;
    if (!embedding_.empty() && h.width == widths_[0] && random_.percent(30)) {
      logits = (random_.percent(80) ? "auto * (" : "(") + h.name + " @ transpose(" + embedding_ + "))";
      line("target y [" + lead_ + "] in vocab");
    } else {
      const std::string V = random_.percent(15) ? param("V", h.width + ", classes", "0") : matrix(h.width, "classes");
      logits = h.name + " @ " + V;
      if (random_.percent(30)) logits += " + " + vector("classes");
      if (random_.percent(15)) logits = scalar() + " * (" + logits + ")";
      if (random_.percent(10)) logits = "auto * (" + logits + ")";
      line("target y [" + lead_ + (random_.percent(70) ? "] in classes" : ", classes]"));
    }
    const bool real = body_.find("target y [" + lead_ + ", classes]") != std::string::npos;
    if (random_.percent(60)) line("output f = " + logits);
    else line("f = " + logits);
    std::string loss = real ? random_.of<std::string>({"mse(f, y)", "mean(log(1 + exp(-(y * f))))", "mean(abs(f - y))"})
                            : "cross_entropy(f, y)";
    if (random_.percent(12) && !penalized_.empty())
      loss += with(random_.of<std::string>({" + auto * sum(X^2)", " + 0.01 * mean(X^2)", " + auto * sum(abs(X))"}),
                   random_.of(penalized_));
    if (random_.percent(20)) line("metric seen = mean(" + h.name + "^2)");
    line("loss = " + loss);
  }

  // ---- blocks: h of some width into h of some width ----

  // x times a matrix, in one of the forms that people give one.
  std::string project(const std::string& x, const std::string& from, const std::string& to) {
    // A normalized matrix has a size of its own, which a readout of fixed width could not change any more.
    const int drawn = random_.below(12), form = drawn == 2 && from != to ? 11 : drawn;
    if (form == 0) return "linear(" + x + ", " + to + (random_.percent(50) ? ", bias)" : ")");
    const std::string W = matrix(from, to), product = x + " @ " + W;
    if (indent_.empty() && random_.percent(20)) penalized_.push_back(W);
    switch (form) {
      case 1: return x + " @ (" + param("g", to, "1") + " * " + W + ")";
      case 2: return x + " @ (" + W + " / sqrt(sum(" + W + "^2, axis = 0, keep) + tiny(1e-8)))";
      case 3: return x + " @ (" + W + " + " + param("A", from + ", r") + " @ " + param("B", "r, " + to, "0") + ")";
      case 4: return "2 * (" + product + ")";
      case 5: return "(" + product + " + " + vector(to) + ")";
      default: return product;
    }
  }

  Value block(const Value& h, bool top) {
    const std::string& x = h.name;
    const std::string& w = h.width;
    const std::string other = random_.of(widths_);
    switch (random_.below(top ? 20 : 14)) {
      case 0:
      case 1: return named(map(project(x, w, other)), other);
      case 2: {  // a residual branch
        std::string inner = random_.percent(50) ? "rmsnorm(" + x + ")" : x;
        const std::string up = map(project(inner, w, other));
        const Value u = named(up, other);
        std::string branch = project(u.name, other, w);
        if (random_.percent(25)) branch = scalar() + " * (" + branch + ")";
        else if (random_.percent(15)) branch = "auto * (" + branch + ")";
        return named(x + " + " + branch, w);
      }
      case 3: {  // gates
        switch (random_.below(4)) {
          case 0: return named("sigmoid(" + project(x, w, w) + ") * " + x, w);
          case 1: return named(gain(w) + " * " + x, w);
          case 2: {
            const Value a = named(map(project(x, w, other)), other);
            return named(a.name + " * (" + project(x, w, other) + ")", other);
          }
          default: return named(x + " + " + scalar() + " * " + map(project(x, w, w)), w);
        }
      }
      case 4: {  // a bottleneck of fixed rank
        const std::string A = param("A", w + ", r"), B = param("B", "r, " + w, random_.percent(30) ? "0" : "");
        std::string low = x + " @ " + A;
        if (random_.percent(40)) low = map(low);
        const std::string back = "(" + low + ") @ " + B;
        return named(random_.percent(60) ? x + " + " + back : map(back), w);
      }
      case 5: {  // reuse, and the transpose
        const std::string W = matrix(w, w), first = map(x + " @ " + W);
        return named(map("(" + first + ") @ " + (random_.percent(50) ? W : "transpose(" + W + ")")), w);
      }
      case 6: {
        const std::string inner = random_.percent(50) ? x : named(project(x, w, w), w).name;
        const std::vector<std::string> norms = {"rmsnorm(X)", "layernorm(X)", "rmsnorm(X, gain = false)",
                                                "X / sqrt(mean(X^2, axis = -1, keep) + tiny(1e-6))",
                                                "X - mean(X, axis = -1, keep)"};
        return named(with(random_.of(norms), inner), w);
      }
      case 7: {  // fused projections, and halves
        const std::string F = matrix(w, "3 * " + wrapped(other));
        const std::string a = fresh("a"), b = fresh("a"), c = fresh("a");
        line(a + ", " + b + ", " + c + " = split(" + x + " @ " + F + ", 3, axis = -1)");
        if (random_.percent(50)) return named(a + " * sigmoid(" + b + ") + " + map(c), other);
        return named("concat(" + map(a) + ", " + b + " - " + c + ", axis = -1)", "2 * " + wrapped(other));
      }
      case 8: {
        const Value wide = named(map(project(x, w, "2 * " + wrapped(other))), "2 * " + wrapped(other));
        const std::string slice = hasTime_ && lead_ != "batch" ? "[:, :, " : "[:, ";
        const std::string half = wide.name + slice, o = wrapped(other);
        return named(half + "0:" + o + "] * tanh(" + half + o + ":2 * " + o + "])", other);
      }
      case 9: {  // a statistic of all coordinates, as a gate of each
        const std::vector<std::string> statistics = {"mean(X, axis = -1, keep)", "mean(X^2, axis = -1, keep)",
                                                     "mean(abs(X), axis = -1, keep)"};
        const std::string s = named(with(random_.of(statistics), x), "1").name;
        return named(random_.of<std::string>({x + " * sigmoid(" + s + ")", x + " - " + s, x + " + " + s}), w);
      }
      case 10: {  // an inner product of computed values, as a gate
        const Value q = named(project(x, w, other), other);
        const Value k = named(project(x, w, other), other);
        std::string s = "sum(" + q.name + " * " + k.name + ", axis = -1, keep)";
        s = random_.of<std::string>({"auto * ", "auto * ", "1 / " + wrapped(other) + " * "}) + s;
        return named(random_.of<std::string>({"sigmoid(", "tanh(", "("}) + s + ") * " + x, w);
      }
      case 11: return named("swiglu(" + x + ", hidden = " + other + ")" + (random_.percent(50) ? " + " + x : ""), w);
      case 12:
        return named(x + " + mlp(" + (random_.percent(60) ? "rmsnorm(" + x + ")" : x) + ", hidden = " + other +
                         ", act = " + random_.of<std::string>({"relu", "gelu", "tanh"}) +
                         (random_.percent(30) ? ", bias)" : ")"),
                     w);
      case 13: {
        const int which = random_.below(3);
        if (which == 0) return named(x + " + stop_gradient(" + map(x) + ")", w);
        if (which == 1) return named("stop_gradient(" + x + ") * " + gain(w), w);
        return named(x + " + " + vector(w), w);
      }
      case 14:
      case 15: {  // attention
        if (!hasTime_ || lead_ == "batch" || heads_.empty() || w != "n") return named(map(project(x, w, other)), other);
        const std::string inner = random_.percent(60) ? "rmsnorm(" + x + ")" : x;
        return random_.percent(50)
                   ? named(x + " + attention(" + inner + ", heads = " + heads_ +
                               (random_.percent(50) ? ", causal" : "") + (random_.percent(25) ? ", qk_norm)" : ")"),
                           w)
                   : einsumHeads(x, inner);
      }
      case 16: {  // layers of a fixed number
        const std::string name = fresh("h"), outside = indent_;
        line(name + " = " + x);
        line("repeat " + std::to_string(random_.between(2, 3)) + " as " + fresh("layers") + " {");
        indent_ += "  ";
        const int steps = random_.between(1, 2);
        Value inner{name, w};
        for (int i = 0; i < steps; ++i) inner = block(inner, false);
        if (inner.width != w) inner = named(map(project(inner.name, inner.width, w)), w);
        line(name + " = " + inner.name);
        indent_ = outside;
        line("}");
        return {name, w};
      }
      case 17: {  // something from further below
        if (seen_.empty()) return named(map(project(x, w, other)), other);
        const Value& old = random_.of(seen_);
        if (old.width == w) return named(x + " + " + old.name, w);
        return named(x + " + " + project(old.name, old.width, w), w);
      }
      case 18: return named(map(x), w);
      default: {
        const std::string act = random_.percent(50) ? map(x) : x;
        return named("auto * (" + act + " @ " + matrix(w, other) + ")", other);
      }
    }
  }

  std::string wrapped(const std::string& size) const {
    return size.find('*') == std::string::npos ? size : "(" + size + ")";
  }

  // Attention written out, with other factors than the library's.
  Value einsumHeads(const std::string& x, const std::string& inner) {
    const std::string shape = "n, " + heads_ + ", " + headWidth_;
    const std::string q = param("Q", shape), k = param("K", shape), v = param("U", shape),
                      o = param("O", heads_ + ", " + headWidth_ + ", n", random_.percent(20) ? "0" : "");
    const std::string in = named(inner, "n").name;
    const std::string a = fresh("a"), b = fresh("a"), c = fresh("a"), s = fresh("a");
    line(a + " = einsum(\"b t c, c h e -> b h t e\", " + in + ", " + q + ")");
    line(b + " = einsum(\"b t c, c h e -> b h t e\", " + in + ", " + k + ")");
    line(c + " = einsum(\"b t c, c h e -> b h t e\", " + in + ", " + v + ")");
    const std::string factor = random_.of<std::string>({"auto * ", "1 / " + headWidth_ + " * ", "auto * "});
    line(s + " = " + factor + "einsum(\"b h t e, b h s e -> b h t s\", " + a + ", " + b + ")");
    const std::string mixed = "einsum(\"b h t s, b h s e -> b h t e\", " +
                              std::string(random_.percent(75) ? "softmax" : "tanh") + "(" + s + "), " + c + ")";
    return named(x + " + einsum(\"b h t e, h e c -> b t c\", " + mixed + ", " + o + ")", "n");
  }

  Numbers random_;
  bool isWild_;
  int count_ = 0;
  std::string sizes_, functions_, body_, indent_, lead_, optimizer_, embedding_, heads_, headWidth_;
  std::vector<std::string> widths_, penalized_;
  std::vector<Value> seen_;
  bool hasTime_ = false;
};

}  // namespace

Generated randomProgram(uint64_t seed, Manner manner) { return Generator(seed, manner).program(); }

}  // namespace tpc::tests
