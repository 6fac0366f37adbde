// Canonical text.  Only the parentheses that the tree needs are written; how strongly operators bind is read from the
// table in precedence.h, the same that the parser uses.
#include "dsl/syntax/print.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "dsl/syntax/precedence.h"

namespace tpc {

using namespace ast;

namespace {

constexpr int anything = 0, primaryStrength = 6;
constexpr char beforeComment = '\x01';  // no program has it; where a comment behind a statement begins
constexpr std::size_t longToAlign = 80;

// Comments behind neighbouring statements of one block stand in one column:
//
//     size n = 256 -> inf  # grows
//     size d = 64          # stays
//
// A line that is long has its comment two blanks behind it, so that it does not push away those of its neighbours.
std::string alignedComments(const std::string& text) {
  struct Line {
    std::string code, comment;
    std::size_t indent;
    bool aligned;
  };
  auto width = [](std::string_view line) {
    return static_cast<std::size_t>(
        std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  };
  std::vector<Line> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    std::size_t mark = line.find(beforeComment);
    bool has = mark != std::string::npos;
    std::string code = line.substr(0, mark);
    lines.push_back({code, has ? line.substr(mark + 1) : "", std::min(code.find_first_not_of(' '), code.size()),
                     has && width(code) <= longToAlign});
    begin = end + 1;
  }
  std::string result;
  for (std::size_t first = 0, next; first < lines.size(); first = next) {
    std::size_t column = 0;
    for (next = first; next < lines.size() && lines[next].aligned && lines[next].indent == lines[first].indent; ++next)
      column = std::max(column, width(lines[next].code));
    if (next == first) next = first + 1;
    for (std::size_t i = first; i < next; ++i) {
      const Line& line = lines[i];
      result += line.code;
      if (!line.comment.empty())
        result += std::string(line.aligned ? column - width(line.code) + 2 : 2, ' ') + line.comment;
      result += '\n';
    }
  }
  return result;
}

struct Printer {
  std::string out;
  unsigned depth = 0;
  bool inExponent = false;  // n^(-1/2): operators there have no blanks around them

  // ---- expressions

  static int strengthOf(const Expr& e) {
    if (auto* binary = e.as<Binary>()) return syntax::bindingStrength(binary->op);
    return e.is<Unary>() ? syntax::prefixStrength : primaryStrength;
  }

  // Writes e so that it can stand where an operand binds at least as strongly as `least`.
  void expression(const Expr& e, int least = anything) {
    bool parentheses = strengthOf(e) < least;
    if (parentheses) out += '(';
    std::visit([&](const auto& node) { write(node); }, e.node);
    if (parentheses) out += ')';
  }

  void write(const Number& number) { out += number.text; }
  void write(const NameRef& name) { out += name.name; }
  void write(const String& string) { out += '"' + string.text + '"'; }
  void write(const Hole&) { out += '_'; }
  void write(const Auto& a) {
    out += "auto";
    if (!a.sizes.empty()) out += '(', list(a.sizes, [&](const Name& size) { out += size.text; }), out += ')';
  }
  void write(const Call& call) {
    if (call.frozen) out += "frozen ";
    out += call.callee.text + '(';
    list(call.arguments, [&](const Argument& argument) {
      if (argument.name) out += argument.name->text + " = ";
      expression(*argument.value);
    });
    out += ')';
  }
  void write(const Index& index) {
    expression(*index.base, primaryStrength);
    out += '[';
    list(index.entries, [&](const IndexEntry& entry) {
      switch (entry.kind) {
        case IndexEntry::Kind::newAxis: out += "new"; return;
        case IndexEntry::Kind::ellipsis: out += "..."; return;
        case IndexEntry::Kind::expression: expression(*entry.value); return;
        case IndexEntry::Kind::range: break;
      }
      if (entry.begin) expression(*entry.begin);
      out += ':';
      if (entry.end) expression(*entry.end);
      if (entry.step) out += ':', expression(*entry.step);
    });
    out += ']';
  }
  void write(const Unary& unary) {
    out += '-';
    expression(*unary.operand, syntax::prefixStrength);
  }
  void write(const Binary& binary) {
    int strength = syntax::bindingStrength(binary.op);
    if (strength == syntax::powerStrength) {  // to the right; its right side may be a minus
      expression(*binary.left, primaryStrength);
      out += '^';
      const bool outer = std::exchange(inExponent, true);
      expression(*binary.right, syntax::prefixStrength);
      inExponent = outer;
      return;
    }
    // To the left, and a comparison on neither side of a comparison.  Between @ and * the order is said, though it is
    // defined: few readers know it.
    auto* left = binary.left->as<Binary>();
    bool mixed = left && syntax::bindingStrength(left->op) == strength &&
                 (left->op == BinaryOp::matmul) != (binary.op == BinaryOp::matmul);
    expression(*binary.left, mixed || strength == syntax::comparisonStrength ? strength + 1 : strength);
    const char* blank = inExponent ? "" : " ";
    out += std::string(blank) + spelling(binary.op) + blank;
    expression(*binary.right, strength + 1);
  }
  void write(const Tuple& tuple) {
    out += '(';
    list(tuple.elements, [&](const ExprPtr& element) { expression(*element); });
    out += tuple.elements.size() == 1 ? ",)" : ")";
  }

  template <typename List, typename Each>
  void list(const List& items, Each each) {
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) out += ", ";
      each(item);
    }
  }

  // ---- pieces of statements

  void shape(const Shape& s) {
    out += '[';
    list(s.entries, [&](const ShapeEntry& entry) {
      if (entry.ellipsis) out += "...";
      else expression(*entry.size);
    });
    out += ']';
  }
  void parameters(const std::vector<Parameter>& all) {
    out += '(';
    list(all, [&](const Parameter& p) {
      out += p.name.text;
      if (p.shape) out += ' ', shape(*p.shape);
      if (p.defaultValue) out += " = ", expression(*p.defaultValue);
    });
    out += ')';
  }
  void below(const ExprPtr& size) {
    if (size) out += " in ", expression(*size);
  }
  void named(const char* word, const Name& name, const ExprPtr& value) {
    out += std::string(word) + " " + name.text + " = ";
    expression(*value);
  }

  // ---- statements.  A block's head is followed by its braces in `braces`, where a comment may come between.

  void newLine() { out += '\n' + std::string(2 * depth, ' '); }
  void comments(const std::vector<std::string>& all) {
    for (const std::string& comment : all) {
      if (comment.empty()) out += '\n';
      else newLine(), out += comment;
    }
  }
  const std::string* commentAfterHead = nullptr;
  void noteComment() {
    if (commentAfterHead && !commentAfterHead->empty()) out += beforeComment + *commentAfterHead;
    commentAfterHead = nullptr;
  }

  void statements(const Block& block) {
    bool first = true;
    for (const Statement& s : block.statements) {
      if (!std::exchange(first, false) && s.blankLineBefore) out += '\n';
      comments(s.commentsBefore);
      newLine();
      statement(s);
    }
    comments(block.commentsAtEnd);
  }
  void statement(const Statement& s) {
    commentAfterHead = &s.commentAfter;
    std::visit([&](const auto& node) { write(node); }, s.node);
    noteComment();
  }
  void braces(const Block& block) {
    out += " {";
    noteComment();
    ++depth;
    statements(block);
    --depth;
    newLine();
    out += '}';
  }

  void write(const Size& size) {
    out += "size ";
    list(size.entries, [&](const SizeEntry& entry) {
      out += entry.name.text + " = " + entry.value.text + (entry.grows ? " -> inf" : "");
    });
  }
  void write(const Let& let) {
    out += "let ";
    list(let.entries, [&](const LetEntry& entry) { out += entry.name.text + " = ", expression(*entry.value); });
  }
  void write(const Input& input) {
    out += (input.target ? "target " : "input ") + input.name.text + ' ';
    shape(input.shape);
    below(input.below);
  }
  void write(const Param& param) {
    if (param.shared) out += param.sharedBy ? "shared(" + param.sharedBy->text + ") " : "shared ";
    if (param.frozen) out += "frozen ";
    if (param.trained) out += "trained ";
    out += "param " + param.name.text + ' ';
    shape(param.shape);
    if (param.init) {
      out += param.initFixed ? " init fixed " : " init ";
      // A value that begins with the name `fixed` would be read as the word.
      std::string value = print(*param.init);
      bool looksFixed = !param.initFixed && value.starts_with("fixed");
      out += looksFixed ? "(" + value + ")" : value;
    }
    if (param.from) out += " from \"" + param.from->text + '"';
  }
  void write(const Const& constant) {
    out += "const " + constant.name.text + ' ';
    shape(constant.shape);
    below(constant.below);
    if (constant.value) out += " = ", expression(*constant.value);
    if (constant.from) out += " from \"" + constant.from->text + '"';
    if (constant.member) out += " : \"" + constant.member->text + '"';
  }
  void write(const Fn& fn) {
    out += "fn " + fn.name.text;
    parameters(fn.parameters);
    if (!fn.isExpression) return braces(fn.body);
    out += " = ";
    expression(*fn.body.statements.front().as<Return>()->values.front());
  }
  void write(const Optimizer& optimizer) {
    out += "optimizer " + optimizer.name.text;
    parameters(optimizer.parameters);
    braces(optimizer.body);
  }
  void write(const Repeat& repeat) {
    out += "repeat ";
    expression(*repeat.count);
    if (repeat.as) out += " as " + repeat.as->text;
    braces(repeat.body);
  }
  void write(const If& choice) {
    out += "if ";
    expression(*choice.condition);
    braces(choice.body);
    if (!choice.otherwise) return;
    const Block& otherwise = *choice.otherwise;
    bool chain = otherwise.statements.size() == 1 && otherwise.statements[0].is<If>() &&
                 otherwise.commentsAtEnd.empty() && otherwise.statements[0].commentsBefore.empty();
    out += " else";
    if (!chain) return braces(otherwise);
    out += ' ';
    statement(otherwise.statements[0]);
  }
  void write(const Assign& assign) {
    static constexpr const char* spellings[] = {"=", "+=", "-=", "*=", "/="};
    list(assign.targets, [&](const Name& target) { out += target.text; });
    out += std::string(" ") + spellings[static_cast<int>(assign.op)] + " ";
    expression(*assign.value);
  }
  void write(const Output& output) { named("output", output.name, output.value); }
  void write(const Metric& metric) { named("metric", metric.name, metric.value); }
  void write(const Loss& loss) { out += "loss = ", expression(*loss.value); }
  void write(const Import& import) { out += "import \"" + import.path.text + '"'; }
  void write(const Train& train) {
    out += "train {";
    noteComment();
    ++depth;
    for (const TrainEntry& entry : train.entries) newLine(), out += entry.name.text + " = ", expression(*entry.value);
    --depth;
    newLine();
    out += '}';
  }
  void write(const State& state) {
    out += "state ";
    list(state.entries, [&](const StateEntry& entry) {
      out += entry.name.text;
      if (entry.shape) out += ' ', shape(*entry.shape);
      out += " = ";
      expression(*entry.value);
    });
  }
  void write(const Update& update) { out += "update = ", expression(*update.value); }
  void write(const Return& returned) {
    out += "return ";
    list(returned.values, [&](const ExprPtr& value) { expression(*value); });
  }
  void write(const Collect& collect) {
    out += "collect ";
    list(collect.names, [&](const Name& name) { out += name.text; });
  }
  void write(const Claim& claim) { out += "claim ", expression(*claim.call); }
};

}  // namespace

std::string print(const Program& program) {
  Printer printer;
  printer.comments(program.commentsBefore);
  if (program.model) {
    printer.newLine();
    printer.out += "model " + program.model->text;
    if (!program.commentAfter.empty()) printer.out += beforeComment + program.commentAfter;
    if (!program.body.statements.empty() && program.body.statements.front().blankLineBefore) printer.out += '\n';
  }
  printer.statements(program.body);
  // Every line begins with its newline; the first of the file has none, and the last gets one.
  std::string text = std::move(printer.out);
  if (text.starts_with('\n')) text.erase(0, 1);
  return alignedComments(text);
}

std::string print(const Expr& expression) {
  Printer printer;
  printer.expression(expression);
  return std::move(printer.out);
}

std::string print(const Statement& statement) {
  Printer printer;
  printer.statement(statement);
  std::string text = alignedComments(printer.out);
  text.pop_back();
  return text;
}

}  // namespace tpc
