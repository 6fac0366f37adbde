// The grammar, in Boost.Spirit X3.  The names of rules are what a user reads after "expected".
//
// Nothing here parses anything nested twice: alternatives are told apart by their first words, so the time is linear in
// the text, and the recursion is bounded by the nesting of brackets, which statements.cpp has checked.
#include "dsl/syntax/grammar.h"

#include <algorithm>
#include <boost/spirit/home/x3.hpp>
#include <charconv>
#include <utility>

#include "dsl/source/suggest.h"
#include "dsl/syntax/parse.h"
#include "dsl/syntax/precedence.h"
#include "dsl/syntax/statements.h"
#include "dsl/syntax/tokens.h"

// What is expected where `a[action]` is missing is an `a`.
template <typename Subject, typename Action>
struct boost::spirit::x3::get_info<boost::spirit::x3::action<Subject, Action>> {
  using result_type = std::string;
  std::string operator()(const boost::spirit::x3::action<Subject, Action>& parser) const {
    return what(parser.subject);
  }
};

namespace tpc::syntax {
namespace {

namespace x3 = boost::spirit::x3;
using x3::char_;
using x3::lexeme;
using x3::lit;
using x3::raw;
using Iterator = const char*;

// ---- positions and actions -----------------------------------------------------------------------------------------

struct Origin {
  FileId file;
  const char* base;
  Span span(Iterator first, Iterator last) const {
    return {file, static_cast<uint32_t>(first - base), static_cast<uint32_t>(last - base)};
  }
};

// spanned(p) writes into the node of its rule where p stood.  (X3's own on_success does not see the node of a rule that
// has actions.)
template <typename Subject>
struct Spanning : x3::unary_parser<Subject, Spanning<Subject>> {
  using base_type = x3::unary_parser<Subject, Spanning<Subject>>;
  static constexpr bool is_pass_through_unary = true;
  explicit Spanning(const Subject& subject) : base_type(subject) {}

  template <typename Context, typename RuleValue, typename Attribute>
  bool parse(Iterator& first, const Iterator& last, const Context& context, RuleValue& node,
             Attribute& attribute) const {
    x3::skip_over(first, last, context);
    Iterator start = first;
    if (!this->subject.parse(first, last, context, node, attribute)) return false;
    Iterator end = first;
    while (end > start && isBlank(end[-1])) --end;  // what was skipped in search of something optional
    node.span = x3::get<Origin>(context).span(start, end);
    return true;
  }
};
template <typename Parser>
auto spanned(const Parser& parser) {
  return Spanning<typename x3::extension::as_parser<Parser>::value_type>(x3::as_parser(parser));
}

template <auto member>
constexpr auto set = [](auto& context) { x3::_val(context).*member = std::move(x3::_attr(context)); };
template <auto member>
constexpr auto add = [](auto& context) { (x3::_val(context).*member).push_back(std::move(x3::_attr(context))); };
template <auto member>
constexpr auto raise = [](auto& context) { x3::_val(context).*member = true; };
constexpr auto push = [](auto& context) { x3::_val(context).push_back(std::move(x3::_attr(context))); };
constexpr auto asNode = [](auto& context) { x3::_val(context).node = std::move(x3::_attr(context)); };
constexpr auto asKind = [](auto& context) { x3::_val(context) = std::move(x3::_attr(context)); };

template <typename Range>
std::string textOf(const Range& range) {
  return std::string(range.begin(), range.end());
}

// ---- words, numbers, names -----------------------------------------------------------------------------------------

const auto blank = char_(" \t\r\n") | (lit('#') >> *(char_ - '\n'));
const auto wordPart = char_("a-zA-Z0-9_");
auto word(const char* text) { return lexeme[lit(text) >> !wordPart]; }

template <typename Id>
auto symbol(const char* name, char c) {
  return x3::rule<Id>{name} = lit(c);
}
const auto closeParenthesis = symbol<struct CloseParenthesis>("`,` or `)`", ')');
const auto closeBracket = symbol<struct CloseBracket>("`,` or `]`", ']');
const auto openParenthesis = symbol<struct OpenParenthesis>("`(`", '(');
const auto equals = x3::rule<struct Equals>{"`=`"} = lit('=') >> !lit('=');

const auto name = x3::rule<struct NameId, ast::Name>{"a name"} =
    spanned(raw[lexeme[char_("a-zA-Z_") >> *wordPart]]
               [([](auto& context) { x3::_val(context).text = textOf(x3::_attr(context)); })]);

// A name that is given here to something.  What expressions read as something else would never be found under it.
const auto newName = x3::rule<struct NewNameId, ast::Name>{"a name"} = spanned(name[([](auto& context) {
  ast::Name& given = x3::_attr(context);
  for (const std::string& taken : takenNames())
    if (given.text == taken)
      throw SyntaxError{"TPC0110", "`" + given.text + "` has a meaning of its own and cannot be a name", given.span};
  x3::_val(context) = std::move(given);
})]);

template <typename Context, typename Range>
ast::Number numberOf(const Context& context, const Range& range) {
  ast::Number number{textOf(range), 0, true};
  number.integer = std::all_of(number.text.begin(), number.text.end(), isDigit);
  auto [end, problem] = std::from_chars(number.text.data(), number.text.data() + number.text.size(), number.value);
  if (problem != std::errc() || end != number.text.data() + number.text.size())
    throw SyntaxError{"TPC0109", "no number of the machine holds `" + number.text + "`",
                      x3::get<Origin>(context).span(range.begin(), range.end())};
  return number;
}
constexpr auto asNumber = [](auto& context) { x3::_val(context) = numberOf(context, x3::_attr(context)); };

const auto digits = +char_("0-9");
const auto point = lit('.') >> !lit("..");
const auto exponent = char_("eE") >> -char_("+-") >> digits;
const auto number = x3::rule<struct NumberId, ast::Number>{"a number"} =
    raw[lexeme[((digits >> -(point >> *char_("0-9"))) | (lit('.') >> digits)) >> -exponent]][asNumber];
const auto integer = x3::rule<struct IntegerId, ast::Number>{"an integer"} =
    raw[lexeme[digits >> !(char_("eE.") | wordPart)]][asNumber];

const auto string = x3::rule<struct StringId, ast::String>{"a text in quotes"} =
    raw[lexeme['"' >> *(char_ - char_("\"\n")) >> '"']][([](auto& context) {
      std::string quoted = textOf(x3::_attr(context));
      x3::_val(context).text = quoted.substr(1, quoted.size() - 2);
    })];

// ---- expressions ---------------------------------------------------------------------------------------------------

struct ExpressionId {};
const x3::rule<ExpressionId, ast::ExprPtr> expression = "an expression";

struct AutoId {};
const auto automatic = x3::rule<AutoId, ast::Auto>{"`auto`"} = word("auto") >>
                                                               -(lit('(') > name[add<&ast::Auto::sizes>] >
                                                                 *(',' > name[add<&ast::Auto::sizes>]) >
                                                                 closeParenthesis);

const auto hole = x3::rule<struct HoleId, ast::Hole>{"`_`"} = x3::omit[word("_")];

const auto nameReference = x3::rule<struct NameReferenceId, ast::NameRef>{"a name"} =
    name[([](auto& context) { x3::_val(context).name = x3::_attr(context).text; })];

const auto argument = x3::rule<struct ArgumentId, ast::Argument>{"an argument"} =
    spanned(-(name >> equals)[set<&ast::Argument::name>] >> expression[set<&ast::Argument::value>]);

const auto arguments = x3::rule<struct ArgumentsId, std::vector<ast::Argument>>{"an argument or `)`"} =
    lit(')') | ((argument[push] >> *((',' >> !lit(')')) > argument[push]) >> -lit(',')) > closeParenthesis);

const auto call = x3::rule<struct CallId, ast::Call>{"a call"} =
    (-(word("frozen") >> &char_("a-zA-Z_"))[raise<&ast::Call::frozen>] >> name[set<&ast::Call::callee>] >> lit('(')) >
    arguments[set<&ast::Call::arguments>];

// ( e ) is e itself, with the parentheses in its span; ( a, b ) and ( a, ) are tuples.
struct Parenthesised {
  std::vector<ast::ExprPtr> elements;
  bool trailingComma = false;
};
const auto parenthesised = x3::rule<struct ParenthesisedId, Parenthesised>{"an expression"} =
    lit('(') > expression[add<&Parenthesised::elements>] >
    *((',' >> !lit(')')) > expression[add<&Parenthesised::elements>]) >
    -lit(',')[raise<&Parenthesised::trailingComma>] > closeParenthesis;

constexpr auto fromParentheses = [](auto& context) {
  Parenthesised& found = x3::_attr(context);
  if (found.elements.size() == 1 && !found.trailingComma) x3::_val(context) = *found.elements[0];
  else x3::_val(context).node = ast::Tuple{std::move(found.elements)};
};

const auto primary = x3::rule<struct PrimaryId, ast::Expr>{"an expression"} =
    spanned(number[asNode] | string[asNode] | automatic[asNode] | hole[asNode] | call[asNode] | nameReference[asNode] |
            parenthesised[fromParentheses]);

constexpr auto asRange = [](auto& context) {
  ast::IndexEntry& entry = x3::_val(context);
  entry.kind = ast::IndexEntry::Kind::range;
  entry.begin = std::exchange(entry.value, nullptr);
};
constexpr auto asEntry(ast::IndexEntry::Kind kind) {
  return [kind](auto& context) { x3::_val(context).kind = kind; };
}
const auto rangeEnd = lit(':')[asRange] >> -expression[set<&ast::IndexEntry::end>] >>
                      -(lit(':') >> -expression[set<&ast::IndexEntry::step>]);
const auto indexEntry = x3::rule<struct IndexEntryId, ast::IndexEntry>{"an index"} = spanned(
    word("new")[asEntry(ast::IndexEntry::Kind::newAxis)] | lit("...")[asEntry(ast::IndexEntry::Kind::ellipsis)] |
    rangeEnd | (expression[set<&ast::IndexEntry::value>] >> -rangeEnd));

struct Suffix {
  std::vector<ast::IndexEntry> entries;
  Span span;
};
const auto suffix = x3::rule<struct SuffixId, Suffix>{"an index"} =
    spanned(lit('[') > indexEntry[add<&Suffix::entries>] > *((',' >> !lit(']')) > indexEntry[add<&Suffix::entries>]) >
            -lit(',') > closeBracket);

const auto operand = x3::rule<struct OperandId, ast::ExprPtr>{"an expression"} =
    primary[([](auto& context) {
      ast::Expr& found = x3::_attr(context);
      x3::_val(context) = makeExpr(std::move(found.node), found.span);
    })] >>
    *suffix[([](auto& context) {
      ast::ExprPtr base = x3::_val(context);
      Suffix& found = x3::_attr(context);
      Span span{base->span.file, base->span.begin, found.span.end};
      x3::_val(context) = makeExpr(ast::Index{base, std::move(found.entries)}, span);
    })];

const struct BinaryOps : x3::symbols<ast::BinaryOp> {
  BinaryOps() {
    using enum ast::BinaryOp;
    for (ast::BinaryOp op :
         {add, subtract, multiply, divide, power, matmul, equal, notEqual, less, lessEqual, greater, greaterEqual})
      this->add(ast::spelling(op), op);
  }
} binaryOps;

const auto binaryOp = x3::rule<struct RowItemId, RowItem>{"an operator"} = spanned(binaryOps[set<&RowItem::op>]);
const auto prefix = x3::rule<struct PrefixId, RowItem>{"`-`"} = spanned(lit('-')[raise<&RowItem::prefix>]);

using Row = std::vector<RowItem>;
constexpr auto pushOperand = [](auto& context) {
  x3::_val(context).push_back(RowItem{.operand = std::move(x3::_attr(context)), .span = {}});
};
// After an operator or a minus an operand must come; at the very beginning its absence is no error yet.
const auto signedOperand = x3::rule<struct SignedOperandId, Row>{"an expression"} =
    (+prefix[push] > operand[pushOperand]) | operand[pushOperand];
constexpr auto append = [](auto& context) {
  Row& row = x3::_val(context);
  Row& more = x3::_attr(context);
  row.insert(row.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
};
const auto row = x3::rule<struct RowId, Row>{"an expression"} = signedOperand[append] >>
                                                                *(binaryOp[push] > signedOperand[append]);

const auto expression_def = row[([](auto& context) { x3::_val(context) = treeOf(x3::_attr(context)); })];
BOOST_SPIRIT_DEFINE(expression)

// ---- shapes and what functions take --------------------------------------------------------------------------------

const auto shapeEntry = x3::rule<struct ShapeEntryId, ast::ShapeEntry>{"a size"} =
    spanned(lit("...")[raise<&ast::ShapeEntry::ellipsis>] | expression[set<&ast::ShapeEntry::size>]);
const auto shapeEntries = x3::rule<struct ShapeEntriesId, std::vector<ast::ShapeEntry>>{"a size or `]`"} =
    lit(']') | ((shapeEntry[push] >> *((',' >> !lit(']')) > shapeEntry[push]) >> -lit(',')) > closeBracket);
const auto shape = x3::rule<struct ShapeId, ast::Shape>{"a shape"} =
    spanned(lit('[') > shapeEntries[set<&ast::Shape::entries>]);

const auto parameter = x3::rule<struct ParameterId, ast::Parameter>{"the name of an argument"} =
    spanned(newName[set<&ast::Parameter::name>] >> -shape[set<&ast::Parameter::shape>] >>
            -(equals > expression[set<&ast::Parameter::defaultValue>]));
const auto parameters = x3::rule<struct ParametersId, std::vector<ast::Parameter>>{"the name of an argument or `)`"} =
    lit(')') | ((parameter[push] >> *((',' >> !lit(')')) > parameter[push]) >> -lit(',')) > closeParenthesis);

// ---- statements ----------------------------------------------------------------------------------------------------

template <typename T>
struct Spanned {
  T value;
  Span span;
};
const auto spannedInteger = x3::rule<struct SpannedIntegerId, Spanned<ast::Number>>{"an integer"} =
    spanned(integer[set<&Spanned<ast::Number>::value>]);
const auto spannedString = x3::rule<struct SpannedStringId, Spanned<ast::String>>{"a text in quotes"} =
    spanned(string[set<&Spanned<ast::String>::value>]);

template <typename T>
struct StatementId {};
template <typename T>
auto statementOf(const char* what) {
  return x3::rule<StatementId<T>, T>{what};
}

const auto infinity = x3::rule<struct InfinityId>{"`inf`"} = word("inf");

const auto sizeEntry = statementOf<ast::SizeEntry>("the name of a size") =
    newName[set<&ast::SizeEntry::name>] > equals > spannedInteger[([](auto& context) {
      x3::_val(context).value = std::move(x3::_attr(context).value);
      x3::_val(context).valueSpan = x3::_attr(context).span;
    })] > -(lit("->") > infinity)[raise<&ast::SizeEntry::grows>];
const auto size = statementOf<ast::Size>("a size") = word("size") > sizeEntry[add<&ast::Size::entries>] >
                                                     *(',' > sizeEntry[add<&ast::Size::entries>]);

const auto letEntry = statementOf<ast::LetEntry>("the name of a size") =
    newName[set<&ast::LetEntry::name>] > equals > expression[set<&ast::LetEntry::value>];
const auto let = statementOf<ast::Let>("let") = word("let") > letEntry[add<&ast::Let::entries>] >
                                                *(',' > letEntry[add<&ast::Let::entries>]);

const auto input = statementOf<ast::Input>("an input") = (word("input") | word("target")[raise<&ast::Input::target>]) >
                                                         newName[set<&ast::Input::name>] >
                                                         shape[set<&ast::Input::shape>] >
                                                         -(word("in") > expression[set<&ast::Input::below>]);

template <typename T>
constexpr auto setFrom = [](auto& context) {
  x3::_val(context).from = std::move(x3::_attr(context).value);
  x3::_val(context).fromSpan = x3::_attr(context).span;
};

const auto paramWord = x3::rule<struct ParamWordId>{"`param`"} = word("param");
const auto sharedBy = lit('(') > name[set<&ast::Param::sharedBy>] > closeParenthesis;
const auto modifier = (word("shared")[raise<&ast::Param::shared>] > -sharedBy) |
                      word("frozen")[raise<&ast::Param::frozen>] | word("trained")[raise<&ast::Param::trained>];
// `fixed` is a word only where a value follows it: `init fixed` alone starts at the constant of that name.
const auto init = x3::rule<struct InitId, ast::Param>{"a start value"} =
    ((word("fixed") >> expression[set<&ast::Param::init>])[raise<&ast::Param::initFixed>]) |
    expression[set<&ast::Param::init>];
const auto param = statementOf<ast::Param>("a parameter") =
    ((+modifier > paramWord) | word("param")) > newName[set<&ast::Param::name>] > shape[set<&ast::Param::shape>] >
    -(word("init") > init[([](auto& context) {
        x3::_val(context).init = std::move(x3::_attr(context).init);
        x3::_val(context).initFixed = x3::_attr(context).initFixed;
      })]) > -(word("from") > spannedString[setFrom<ast::Param>]);

const auto constSource = x3::rule<struct ConstSourceId, ast::Const>{"`=` or `from`"} =
    (equals > expression[set<&ast::Const::value>]) |
    (word("from") > spannedString[setFrom<ast::Const>] > -(':' > string[set<&ast::Const::member>]));
const auto constant = statementOf<ast::Const>("a constant") =
    word("const") > newName[set<&ast::Const::name>] > shape[set<&ast::Const::shape>] >
    -(word("in") > expression[set<&ast::Const::below>]) > constSource[([](auto& context) {
      ast::Const& source = x3::_attr(context);
      ast::Const& result = x3::_val(context);
      result.value = std::move(source.value);
      result.from = std::move(source.from);
      result.member = std::move(source.member);
      result.fromSpan = source.fromSpan;
    })];

const auto function = statementOf<ast::Fn>("a function") = word("fn") > newName[set<&ast::Fn::name>] > openParenthesis >
                                                           parameters[set<&ast::Fn::parameters>] >
                                                           -(equals > expression[([](auto& context) {
                                                               ast::Fn& fn = x3::_val(context);
                                                               ast::ExprPtr value = x3::_attr(context);
                                                               fn.isExpression = true;
                                                               ast::Statement body{.node = ast::Return{{value}},
                                                                                   .span = value->span,
                                                                                   .head = value->span,
                                                                                   .commentsBefore = {},
                                                                                   .commentAfter = {}};
                                                               fn.body.span = value->span;
                                                               fn.body.statements.push_back(std::move(body));
                                                             })]);

const auto optimizer = statementOf<ast::Optimizer>("an optimizer") =
    word("optimizer") > newName[set<&ast::Optimizer::name>] > openParenthesis >
    parameters[set<&ast::Optimizer::parameters>];

const auto repeat = statementOf<ast::Repeat>("a repeat") = word("repeat") > expression[set<&ast::Repeat::count>] >
                                                           -(word("as") > newName[set<&ast::Repeat::as>]);

const auto condition = statementOf<ast::If>("a condition") = word("if") > expression[set<&ast::If::condition>];

const auto output = statementOf<ast::Output>("an output") =
    word("output") > newName[set<&ast::Output::name>] > equals > expression[set<&ast::Output::value>];
const auto metric = statementOf<ast::Metric>("a metric") =
    word("metric") > newName[set<&ast::Metric::name>] > equals > expression[set<&ast::Metric::value>];
const auto loss = statementOf<ast::Loss>("a loss") = word("loss") > equals > expression[set<&ast::Loss::value>];

const auto import = statementOf<ast::Import>("an import") = word("import") > spannedString[([](auto& context) {
                                                              x3::_val(context).path =
                                                                  std::move(x3::_attr(context).value);
                                                              x3::_val(context).pathSpan = x3::_attr(context).span;
                                                            })];

const auto stateEntry = statementOf<ast::StateEntry>("the name of a state") =
    newName[set<&ast::StateEntry::name>] > -shape[set<&ast::StateEntry::shape>] > equals >
    expression[set<&ast::StateEntry::value>];
const auto state = statementOf<ast::State>("a state") = word("state") > stateEntry[add<&ast::State::entries>] >
                                                        *(',' > stateEntry[add<&ast::State::entries>]);
const auto update = statementOf<ast::Update>("an update") =
    word("update") > equals > expression[set<&ast::Update::value>];

const auto returned = statementOf<ast::Return>("a return") = word("return") > expression[add<&ast::Return::values>] >
                                                             *(',' > expression[add<&ast::Return::values>]);
const auto collect = statementOf<ast::Collect>("a collect") = word("collect") > name[add<&ast::Collect::names>] >
                                                              *(',' > name[add<&ast::Collect::names>]);
const auto claim = statementOf<ast::Claim>("a claim") =
    word("claim") > expression[([](auto& context) {
      ast::ExprPtr value = x3::_attr(context);
      if (!value->is<ast::Call>())
        throw SyntaxError{"TPC0107", "a claim is a call, as `claim doubly_stochastic(M)`", value->span};
      x3::_val(context).call = value;
    })];

const struct AssignOps : x3::symbols<ast::AssignOp> {
  AssignOps() {
    using enum ast::AssignOp;
    this->add("=", set)("+=", ast::AssignOp::add)("-=", subtract)("*=", multiply)("/=", divide);
  }
} assignOps;
const auto assignOp = x3::rule<struct AssignOpId, ast::AssignOp>{"`=`"} = (assignOps >> !lit('='))[asKind];
// What is taken is checked as for any new name, but a value that nobody reads may be called `_`.
const auto assignTarget = x3::rule<struct AssignTargetId, ast::Name>{"a name"} =
    (&word("_") >> name[asKind]) | newName[asKind];
const auto assign = statementOf<ast::Assign>("a statement") =
    assignTarget[add<&ast::Assign::targets>] >
    *(',' > assignTarget[add<&ast::Assign::targets>]) > assignOp[set<&ast::Assign::op>] >
    expression[set<&ast::Assign::value>];

using Node = ast::Statement::Node;
const auto statement = x3::rule<struct AnyStatementId, Node>{"a statement"} =
    size[asKind] | let[asKind] | input[asKind] | param[asKind] | constant[asKind] | function[asKind] |
    optimizer[asKind] | repeat[asKind] | condition[asKind] | output[asKind] | metric[asKind] | loss[asKind] |
    import[asKind] | returned[asKind] | collect[asKind] | claim[asKind] | assign[asKind];
const auto optimizerStatement = x3::rule<struct OptimizerStatementId, Node>{"a statement"} =
    state[asKind] | update[asKind] | statement[asKind];

const auto trainEntry = statementOf<ast::TrainEntry>("an option") =
    name[set<&ast::TrainEntry::name>] > equals > expression[set<&ast::TrainEntry::value>];
const auto trainEntries = statementOf<ast::Train>("an option") =
    *(trainEntry[add<&ast::Train::entries>] > -(lit(',') | lit(';')));

// ---- errors --------------------------------------------------------------------------------------------------------

struct Found {
  std::string text;  // "`)`", "the end of the line"
  Span span;
};

Found foundAt(std::string_view text, uint32_t offset, Span within) {
  // Blanks and comments before what was found are no part of it.
  uint32_t at = offset;
  while (at < within.end && (isBlank(text[at]) || text[at] == '#'))
    at = text[at] == '#' ? static_cast<uint32_t>(std::min<std::size_t>(text.find('\n', at), within.end)) : at + 1;
  if (at >= within.end) {
    std::size_t next = within.end;
    while (next < text.size() && (text[next] == ' ' || text[next] == '\t')) ++next;
    const bool block = next < text.size() && text[next] == '{';
    return {block ? "`{`" : "the end of the statement", {within.file, within.end, within.end + 1}};
  }
  Tokens tokens = tokenize(text.substr(at, std::min<std::size_t>(within.end - at, 200)));
  Span span{within.file, at, at + std::max<uint32_t>(1, tokens.tokens.front().end)};
  std::string spelled(text.substr(at, std::min<uint32_t>(span.end - span.begin, 40)));
  return {"`" + spelled + "`", span};
}

std::string_view wordAt(std::string_view text, uint32_t at) {
  std::size_t end = at;
  while (end < text.size() && isWordPart(text[end])) ++end;
  return text.substr(at, end - at);
}

// The slips of those who come from another language, and of those who mistype a word.
std::string helpFor(std::string_view text, Span head, Span found) {
  std::string_view first = wordAt(text, head.begin);
  std::string_view at = text.substr(found.begin, head.end > found.begin ? head.end - found.begin : 0);
  if (at.starts_with("*") && found.begin > 0 && text[found.begin - 1] == '*') return "a power is written `^`";
  if (at.starts_with(".")) return "there are no methods: write f(x), not x.f()";
  if (at.starts_with("(") && !isReserved(first) && found.begin == head.begin + first.size())
    return "a call alone does nothing; give its value a name";
  if (!isReserved(first) && at.starts_with("[") && found.begin > head.begin && !isWordPart(text[found.begin - 1]))
    return "there are no lists; ones, zeros, eye, iota, onehot and concat make tensors";
  if (at.starts_with("'")) return "text stands in double quotes";
  if ((first == "if" || first == "repeat") && !at.empty() && isWordStart(at[0])) return "what it governs stands in { }";
  if (!isReserved(first) && wordAt(text, found.begin) == "if")
    return "`if` begins a statement with blocks; entry by entry it is where(condition, a, b)";
  if (isReserved(first) && first != "update" && first != "state" && found.begin > head.begin &&
      (at.starts_with("=") || at.starts_with("+=") || at.starts_with(",")) &&
      text.substr(head.begin + first.size(), found.begin - head.begin - first.size()).find_first_not_of(" \t") ==
          std::string_view::npos)
    return "`" + std::string(first) + "` is a word where a statement begins; give the value another name";
  if (!isReserved(first) && found.begin > head.begin && !at.empty() && (isWordStart(at[0]))) {
    std::string hint = didYouMean(first, reservedWords());
    std::string_view between = text.substr(head.begin + first.size(), found.begin - head.begin - first.size());
    if (!hint.empty() && between.find_first_not_of(" \t") == std::string_view::npos) return hint;
  }
  return "";
}

template <typename Attribute, typename Parser>
std::optional<Attribute> run(const Parser& parser, std::string_view text, Span span, DiagnosticSink& diagnostics) {
  Origin origin{span.file, text.data()};
  Iterator first = text.data() + span.begin;
  Iterator last = text.data() + span.end;
  auto unexpected = [&](Iterator where, const std::string& expected) {
    Found found = foundAt(text, static_cast<uint32_t>(where - text.data()), span);
    diagnostics.error("TPC0103", "expected " + expected + ", found " + found.text, found.span, "",
                      helpFor(text, span, found.span));
  };
  try {
    Attribute attribute;
    bool matched = x3::phrase_parse(first, last, x3::with<Origin>(origin)[parser], blank, attribute);
    if (!matched) {
      unexpected(first, "a statement");
      return std::nullopt;
    }
    if (first != last) {
      unexpected(first, "an operator or the end of the statement");
      return std::nullopt;
    }
    return attribute;
  } catch (const x3::expectation_failure<Iterator>& failure) {
    unexpected(failure.where(), failure.which());
  } catch (const SyntaxError& error) {
    diagnostics.error(error.code, error.message, error.span, error.label, error.help);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Node> parseHead(std::string_view text, Span head, Where where, DiagnosticSink& diagnostics) {
  if (where == Where::optimizer) return run<Node>(optimizerStatement, text, head, diagnostics);
  return run<Node>(statement, text, head, diagnostics);
}

std::optional<ast::Train> parseTrainEntries(std::string_view text, Span inside, DiagnosticSink& diagnostics) {
  return run<ast::Train>(trainEntries, text, inside, diagnostics);
}

std::optional<ast::ExprPtr> parseExpressionText(std::string_view text, Span span, DiagnosticSink& diagnostics) {
  return run<ast::ExprPtr>(expression, text, span, diagnostics);
}

}  // namespace tpc::syntax
