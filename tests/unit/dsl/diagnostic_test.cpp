// What a diagnostic looks like, and where a position is.
#include "dsl/source/render.h"
#include "dsl/source/suggest.h"
#include "tests/catch.h"

using namespace tpc;

TEST_CASE("a diagnostic shows its line, its notes and its mend", "[source][render]") {
  SourceMap sources;
  std::string text(13, '\n');
  text += "  logits = q @ k\n";
  FileId file = sources.add("attention.tp", text);
  Diagnostic d{.code = "TPC0301",
               .message = "`logits` grows with width as n^(1/2), and may be at most n^0",
               .span = Span{file, 15, 21},
               .label = "n^(1/2) after one step",
               .notes = {{"q and k are aligned after one step [matmul.lln]", Span{file, 24, 25}}, {"n grows"}},
               .help = "divide by d_head\ntpc explain attention.tp logits"};
  CHECK(render(d, sources) ==
        "error[TPC0301]: `logits` grows with width as n^(1/2), and may be at most n^0\n"
        "  --> attention.tp:14:3\n"
        "   |\n"
        "14 |   logits = q @ k\n"
        "   |   ^^^^^^ n^(1/2) after one step\n"
        "   |\n"
        "note: q and k are aligned after one step [matmul.lln]\n"
        "  --> attention.tp:14:12\n"
        "   |\n"
        "14 |   logits = q @ k\n"
        "   |            ^\n"
        "note: n grows\n"
        "help: divide by d_head\n"
        "      tpc explain attention.tp logits\n");
}

TEST_CASE("columns count characters, and a span may end behind the text", "[source][position]") {
  SourceMap sources;
  FileId file = sources.add("a.tp", "\xC3\xA4\xC3\xB6 x\r\ny");
  CHECK(sources.position({file, 5, 6}).column == 4);
  CHECK(sources.at({file, 8, 9}) == "a.tp:2:1");
  CHECK(sources.at({file, 9, 900}) == "a.tp:2:2");
  CHECK(sources.line(file, 1) == "\xC3\xA4\xC3\xB6 x");
  CHECK(sources.slice({file, 8, 900}) == "y");
  DiagnosticSink sink;
  sink.error("TPC0001", "behind everything", Span{file, 5000, 6000});
  sink.warning("TPC0002", "nowhere", std::nullopt);
  CHECK(sink.errorCount() == 1);
  CHECK(render(sink, sources) ==
        "error[TPC0001]: behind everything\n --> a.tp:2:2\n  |\n2 | y\n  |  ^\n  |\n\nwarning[TPC0002]: nowhere\n");
}

TEST_CASE("what comes from a file cannot drive a terminal", "[source][render]") {
  SourceMap sources;
  FileId file = sources.add("a.tp", "x\x1b[31m\xFF y");
  DiagnosticSink sink;
  sink.error("TPC0001", "found `\x1b`", Span{file, 0, 1});
  std::string text = render(sink, sources);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\xFF') == std::string::npos);
}

TEST_CASE("an endless line is cut", "[source][render]") {
  SourceMap sources;
  FileId file = sources.add("a.tp", std::string(100000, 'x'));
  DiagnosticSink sink;
  sink.error("TPC0001", "all of it", Span{file, 0, 100000});
  sink.error("TPC0001", "far out", Span{file, 90000, 100000});
  CHECK(render(sink, sources).size() < 2000);
}

TEST_CASE("the nearest name is suggested, and no far one", "[source][suggest]") {
  std::vector<std::string> names = {"attention", "relu", "gelu", "h", "logits"};
  CHECK(nearest("atention", names) == "attention");
  CHECK(nearest("lgoits", names) == "logits");
  CHECK(nearest("rleu", names) == "relu");
  CHECK(!nearest("softmax", names));
  CHECK(!nearest("q", names));
  CHECK(!nearest("", names));
  CHECK(didYouMean("relo", names) == "did you mean `relu`?");
  CHECK(didYouMean("zzzz", names).empty());
}
