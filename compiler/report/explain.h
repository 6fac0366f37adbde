// Why a size is what it is: the derivation of one value or parameter, numbered, down to what was given.
//
//     $ tpc explain mlp.tp h
//     h in n: init n^0, update n^0, trained n^0, gradient n^(-1)
//
//        1  image  : n^0              leaf.input
//        2  W1     : n^0              leaf.parameter
//        3  h      : n^0     1, 2     matmul.fresh     theorem, ...
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/report/document.h"
#include "compiler/report/why_not.h"

namespace tpc {

// Empty where the program has nothing of that name; `namesToExplain` then helps to say what it has.  `whyNot`: of a
// parameter, per entry of Analysis::symbols, or nothing.
std::optional<std::string> explanation(const Document& document, const std::string& name,
                                       const std::vector<std::optional<WhyNot>>& whyNot = {});

// The same derivation as a graph in the language of Graphviz: steps as boxes, from premises to conclusions.
std::optional<std::string> derivationGraph(const Document& document, const std::string& name);

std::vector<std::string> namesToExplain(const Document& document);

// A rule by its id; empty where there is none.
std::optional<std::string> ruleExplanation(const std::string& id);

// All rules as Markdown, table by table.
std::string rulesMarkdown();

}  // namespace tpc
