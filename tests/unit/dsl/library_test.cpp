// The library and the examples are programs of the language, and what is embedded is what stands in the files.
#include "dsl/library/library.h"

#include "tests/unit/dsl/reading.h"

using namespace tpc;

TEST_CASE("each library file declares what it is named after, in canonical text", "[dsl][library]") {
  CHECK(libraryFiles().size() == 23);
  for (const LibraryFile& file : libraryFiles()) {
    INFO(file.name);
    CHECK(libraryText(file.name) == file.text);
    CHECK(std::string(file.text) == readFile("dsl/" + std::string(file.path)));
    Reading reading{std::string(file.text)};
    INFO(reading.messages());
    REQUIRE(reading.program);
    CHECK(print(*reading.program) == file.text);
    REQUIRE(reading.program->body.statements.size() == 1);
    const ast::Statement& only = reading.statement(0);
    if (auto* fn = only.as<ast::Fn>()) CHECK(fn->name.text == file.name);
    else CHECK(only.as<ast::Optimizer>()->name.text == file.name);
  }
  CHECK(libraryText("atention").empty());
}

TEST_CASE("the library's parameters have the names that are promised", "[dsl][library]") {
  auto names = [](const char* file) {
    std::string result;
    auto collect = [&](auto&& self, const ast::Block& block) -> void {
      for (const ast::Statement& s : block.statements) {
        if (auto* param = s.as<ast::Param>()) result += param->name.text + " ";
        if (auto* choice = s.as<ast::If>()) self(self, choice->body);
      }
    };
    Reading reading{std::string(libraryText(file))};
    collect(collect, reading.statement(0).as<ast::Fn>()->body);
    return result;
  };
  CHECK(names("linear") == "w b ");
  CHECK(names("attention") == "wq wk wv wo ");
  CHECK(names("mlp") == "w_up w_down b_up b_down ");
  CHECK(names("swiglu") == "w_up w_gate w_down b_up b_down ");
  CHECK(names("rmsnorm") == "g ");
  CHECK(names("layernorm") == "g b ");
  CHECK(names("lora") == "a b ");
  CHECK(names("conv") == "w b ");
  CHECK(names("conv1d") == "w b ");
  CHECK(names("moe") == "w_router w_up w_down ");
}

TEST_CASE("the examples are read", "[dsl][examples]") {
  for (const char* name : {"autoencoder", "convnet", "finetune", "gpt", "hyper", "llama", "mixer", "mlp", "moe",
                           "recurrent", "resmlp", "tauformer", "tied", "vit"}) {
    Reading reading(readFile("examples/" + std::string(name) + ".tp"));
    INFO(reading.messages());
    REQUIRE(reading.program);
    CHECK(reading.program->model->text == name);
  }
}
