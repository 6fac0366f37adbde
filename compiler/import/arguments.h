// The arguments of a built-in function: some by position, some only by name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/import/expander.h"

namespace tpc {

struct Expander::Arguments {
  std::vector<Value> values;  // by position
  std::vector<Span> spans;
  std::vector<const ast::Expr*> expressions;
  struct Named {
    Value value;
    Span span;
    const ast::Expr* expression = nullptr;
  };
  std::map<std::string, Named> named;

  const Named* find(const std::string& name) const {
    auto at = named.find(name);
    return at == named.end() ? nullptr : &at->second;
  }
};

}  // namespace tpc
