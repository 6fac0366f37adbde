// `import`: functions and optimizers of other files.  The files are texts in a map, so no test depends on the disk.
#include <filesystem>
#include <fstream>
#include <map>

#include "compiler/ir/build.h"
#include "dsl/source/files.h"
#include "dsl/syntax/parse.h"
#include "tests/catch.h"
#include "tests/unit/import/imported.h"

namespace tpc {

namespace {

using Files = std::map<std::string, std::string>;

FileReader readerOf(const Files& files) {
  return [&files](const std::string& path, size_t, std::string& reason) -> std::optional<std::string> {
    auto at = files.find(path);
    if (at != files.end()) return at->second;
    reason = "No such file or directory";
    return std::nullopt;
  };
}

Imported importedWith(const Files& files, const std::string& text) {
  ImportOptions options;
  options.read = readerOf(files);
  return imported(text, options);
}

const std::string program =
    "size n = 64 -> inf, d = 8, classes = 10\ninput x [batch, d]\ntarget y [batch] in classes\n";
const std::string ends = "loss = cross_entropy(linear(h, classes), y)\n";

}  // namespace

TEST_CASE("functions of another file are called like one's own", "[import][files]") {
  const Files files{{"blocks.tp", "fn up(z [..., c], m) { param w [c, m]; return relu(z @ w) }\n"}};
  Imported made = importedWith(files, "import \"blocks.tp\"\n" + program + "h = up(x, n)\n" + ends);
  CHECK(made.codes == "");
  CHECK(made.parameters() == "up.w linear.w");
}

TEST_CASE("a path is taken from the folder of the file that names it", "[import][files]") {
  const Files files{{"blocks/all.tp", "import \"parts/up.tp\"\nimport \"../down.tp\"\n"},
                    {"blocks/parts/up.tp", "fn up(z [..., c], m) { param w [c, m]; return z @ w }\n"},
                    {"down.tp", "fn down(z) = z / 2\n"}};
  Imported made = importedWith(files, "import \"blocks/all.tp\"\n" + program + "h = down(up(x, n))\n" + ends);
  CHECK(made.codes == "");
  CHECK(pathBeside("models/gpt.tp", "../blocks.tp") == "blocks.tp");
  CHECK(pathBeside("gpt.tp", "/lib/blocks.tp") == "/lib/blocks.tp");
}

TEST_CASE("an imported function hides the library's for the program, not inside the library", "[import][files]") {
  const Files files{{"norm.tp", "fn rmsnorm(z) = z / 2\n"}};
  Imported made =
      importedWith(files, "import \"norm.tp\"\n" + program +
                              "h = attention(rmsnorm(linear(x, n))[:, new, :], heads = 4, qk_norm)[:, 0]\n" + ends);
  CHECK(made.codes == "");
  CHECK(made.parameters().find("attention.q_norm.g") != std::string::npos);
  CHECK(made.parameters().find("rmsnorm.g") == std::string::npos);
}

TEST_CASE("a function sees its own file's functions, whatever the program calls so", "[import][files]") {
  const Files files{{"a.tp", "import \"b.tp\"\nfn f(z) = scale(z)\n"}, {"b.tp", "fn scale(z) = 2 * z\n"}};
  Imported clash = importedWith(files, "import \"a.tp\"\nfn scale(z) = z @ z\n" + program + "h = f(x)\n" + ends);
  CHECK(clash.codes.starts_with("TPC0203"));
  Imported made = importedWith(files, "import \"a.tp\"\n" + program + "h = scale(f(x))\n" + ends);
  CHECK(made.codes == "");
}

TEST_CASE("a file that is reached on two ways is one file", "[import][files]") {
  const Files files{{"a.tp", "import \"c.tp\"\nfn f(z) = g(z)\n"},
                    {"b.tp", "import \"./c.tp\"\nfn k(z) = g(z)\n"},
                    {"c.tp", "fn g(z) = 2 * z\n"}};
  Imported made =
      importedWith(files, "import \"a.tp\"\nimport \"b.tp\"\nimport \"a.tp\"\n" + program + "h = f(k(x))\n" + ends);
  CHECK(made.codes == "");
}

TEST_CASE("what else stands in an imported file is passed over: a model may be imported from", "[import][files]") {
  const Files files{
      {"model.tp", "model other\nsize n = 3, q = 5\ninput z [batch, q]\nfn f(z) = 2 * z\nloss = mean(z)\n"}};
  Imported made = importedWith(files, "import \"model.tp\"\n" + program + "h = f(linear(x, n))\n" + ends);
  CHECK(made.codes == "");
  CHECK(made.shapeOf("linear.w") == "[d, n]");
}

TEST_CASE("files that import each other are refused, with the circle", "[import][files]") {
  const Files files{{"a.tp", "import \"b.tp\"\nfn f(z) = z\n"}, {"b.tp", "import \"a.tp\"\nfn g(z) = z\n"}};
  Imported made = importedWith(files, "import \"a.tp\"\n" + program + "h = f(x)\n" + ends);
  CHECK(made.codes == "TPC0284");
  CHECK(made.messages.find("a.tp -> b.tp -> a.tp") != std::string::npos);
  Imported self = importedWith({{"test.tp", ""}}, "import \"test.tp\"\n" + program + "h = x\n" + ends);
  CHECK(self.codes == "TPC0284");
}

TEST_CASE("imports have a largest depth and number", "[import][files]") {
  Files deep;
  for (int i = 0; i < 40; ++i)
    deep[std::to_string(i) + ".tp"] =
        "import \"" + std::to_string(i + 1) + ".tp\"\nfn f" + std::to_string(i) + "(z) = z\n";
  CHECK(importedWith(deep, "import \"0.tp\"\n" + program + "h = x\n" + ends).codes == "TPC0284");
  Files wide;
  std::string all;
  for (int i = 0; i < 80; ++i) {
    wide[std::to_string(i) + ".tp"] = "fn f" + std::to_string(i) + "(z) = z\n";
    all += "import \"" + std::to_string(i) + ".tp\"\n";
  }
  CHECK(importedWith(wide, all + program + "h = x\n" + ends).codes.starts_with("TPC0284"));
}

TEST_CASE("a missing file is told once, and nothing that it would have brought is", "[import][files]") {
  Imported made = importedWith({}, "import \"none.tp\"\n" + program + "h = unknown(x)\n" + ends);
  CHECK(made.codes == "TPC0283");
}

TEST_CASE("a mistake in an imported file is told at its place", "[import][files]") {
  const Files files{{"a.tp", "fn f(z) = z +\n"}, {"b.tp", "fn g(z) = z + unknown\n"}};
  SourceMap sources;
  DiagnosticSink diagnostics;
  const FileId file = sources.add("test.tp", "import \"a.tp\"\nimport \"b.tp\"\n" + program + "h = g(x)\n" + ends);
  std::optional<ast::Program> parsed = parse(sources, file, diagnostics);
  REQUIRE(parsed);
  auto context = tp::makeContext();
  ImportOptions options;
  options.read = readerOf(files);
  CHECK_FALSE(import(*parsed, options, sources, diagnostics, *context));
  REQUIRE(diagnostics.all().size() >= 1);
  const Diagnostic& syntax = diagnostics.all()[0];
  CHECK(sources.name(syntax.span->file) == "a.tp");
  REQUIRE(syntax.notes.size() >= 1);
  CHECK(sources.at(*syntax.notes.back().span) == "test.tp:1:8");
}

TEST_CASE("an optimizer of another file is an optimizer of the program", "[import][files][optimizer]") {
  const Files files{{"o.tp", "fn half(z) = z / 2\noptimizer mine(lr) { update = -lr * half(grad) }\n"}};
  SourceMap sources;
  DiagnosticSink diagnostics;
  const FileId file = sources.add("test.tp", "import \"o.tp\"\n" + program + "h = x\n" + ends);
  std::optional<ast::Program> parsed = parse(sources, file, diagnostics);
  REQUIRE(parsed);
  auto context = tp::makeContext();
  const FileReader read = readerOf(files);
  CHECK(importOptimizer("mine", &*parsed, sources, diagnostics, *context, std::nullopt, read));
  CHECK_FALSE(diagnostics.hasErrors());
}

TEST_CASE("a reader takes regular files up to their limit", "[import][files]") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "tpc_files_test";
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "a.tp").string();
  std::ofstream(path) << "12345";
  std::string reason;
  CHECK(readFile(path, 5, reason) == "12345");
  CHECK_FALSE(readFile(path, 4, reason));
  CHECK(reason == "it is larger than 4 bytes");
  CHECK_FALSE(readFile(folder.string(), 100, reason));
  CHECK(reason == "it is a folder");
  CHECK_FALSE(readFile("/dev/zero", 100, reason));
  CHECK(reason == "it is not a regular file");
  std::filesystem::remove_all(folder);
}

}  // namespace tpc
