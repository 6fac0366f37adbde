// What an expression can be while a program is imported, and what a name can stand for.
//
//     linear(x, out = 4 * n, bias = true, act = gelu)
//
// x is a tensor, 4 * n a scalar known now, true a boolean, gelu a function.  Only tensors leave a trace in the program.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/import/emit.h"
#include "compiler/import/functions.h"
#include "compiler/import/scalar.h"
#include "dsl/syntax/ast.h"

namespace tpc {

struct Partial;

struct FunctionValue {
  const ast::Fn* fn = nullptr;  // null: built in
  const Unit* home = nullptr;   // the file whose functions its text sees; null: the library, which sees itself only
  std::string name;
  std::shared_ptr<const Partial> partial;  // null: no argument is given yet
};

struct Value;
struct Poison {};  // something that was reported; whoever meets it stays silent

struct Value {
  std::variant<Poison, TensorValue, Scalar, bool, std::string, FunctionValue, std::vector<Value>> node;
  bool namedSize = false;  // a scalar that is the length of an axis by name: `axis = c`

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
  bool isPoison() const { return std::holds_alternative<Poison>(node); }
};

// `attention(_, heads = H)`: what is given, evaluated where it was written, and the holes, which a call fills in the
// order of the text.
struct Partial {
  struct Argument {
    std::optional<ast::Name> name;
    ast::ExprPtr expression;
    std::optional<Value> value;  // none: a hole, a flag, or the name of the call
    bool hole = false;
    std::string parameter;  // of a hole by position: what it stands for, where that is known
  };
  std::vector<Argument> arguments;
  bool frozen = false;
  Span span;
};

struct Binding {
  enum class Role : uint8_t { variable, argument, length, parameter, input, constant };
  Value value;
  Role role = Role::variable;
  Span span;
};

// One activation: the program itself or one call of a function.
struct Frame {
  std::map<std::string, Binding> names;
  std::string path;                  // of what is created here: `layers.attention`
  std::map<std::string, int> calls;  // how often each name was taken by a call or repeat in this scope
  const ast::Fn* fn = nullptr;       // null: the program
  std::string functionName;
  const Unit* home = nullptr;  // the file whose functions are seen; null: the library
  bool frozen = false;         // `frozen f(...)`
  Span callSpan;               // in the caller
  Frame* caller = nullptr;
  int depth = 0;
  std::optional<Value> result;  // set by return

  bool isProgram() const { return fn == nullptr; }
  bool isLibrary() const { return home == nullptr; }
};

// `attention` the first time, then `attention#2`.
inline std::string numbered(const std::string& name, int count) {
  return count == 1 ? name : name + "#" + std::to_string(count);
}
inline std::string joined(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

}  // namespace tpc
