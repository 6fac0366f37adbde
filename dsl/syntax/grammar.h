// The grammar of one statement's head and of expressions.  Hides Boost.Spirit, which only grammar.cpp includes.
#pragma once

#include <optional>

#include "dsl/source/diagnostic.h"
#include "dsl/syntax/ast.h"

namespace tpc::syntax {

enum class Where { program, optimizer };  // `state` and `update` are words of an optimizer only

// `h = relu(x)` whole, `repeat L as layers` and the like without their blocks.  Reports once and returns nothing.
std::optional<ast::Statement::Node> parseHead(std::string_view text, Span head, Where where,
                                              DiagnosticSink& diagnostics);

// NAME "=" value ...: what stands between the braces of `train`.
std::optional<ast::Train> parseTrainEntries(std::string_view text, Span inside, DiagnosticSink& diagnostics);

std::optional<ast::ExprPtr> parseExpressionText(std::string_view text, Span span, DiagnosticSink& diagnostics);

}  // namespace tpc::syntax
