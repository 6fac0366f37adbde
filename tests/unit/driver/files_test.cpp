// Documents are written whole or not at all; what the surroundings do to the whole process is in golden/process.sh.
#include "compiler/driver/files.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "compiler/driver/signals.h"
#include "runtime/format/whole_file.h"
#include "tests/catch.h"

using namespace tpc;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "tpc-files-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  size_t count() const { return size_t(std::distance(fs::directory_iterator(path), fs::directory_iterator())); }
};

std::string contents(const fs::path& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

TEST_CASE("a document takes its name when it is whole", "[driver][files]") {
  Folder folder;
  std::string reason;
  const std::string path = folder.path / "report.txt";
  REQUIRE(writeWhole(path, "one", reason));
  CHECK(contents(path) == "one");
  REQUIRE(writeWhole(path, "another", reason));
  CHECK(contents(path) == "another");
  CHECK(folder.count() == 1);

  CHECK_FALSE(writeWhole(folder.path / "nowhere" / "report.txt", "one", reason));
  CHECK(reason == "No such file or directory");
  CHECK_FALSE(writeWhole(folder.path, "one", reason));
  CHECK(reason == "Is a directory");
  CHECK(folder.count() == 1);
}

TEST_CASE("a name as long as the system allows can be written", "[driver][files]") {
  Folder folder;
  std::string reason;
  CHECK(writeWhole(folder.path / std::string(255, 'a'), "one", reason));
}

TEST_CASE("an interrupt takes away what is not whole", "[driver][files][signals]") {
  const auto interrupted = [&](int signal) {
    Folder folder;
    const pid_t child = fork();
    if (child == 0) {
      installSignalHandlers();
      WholeFile whole((folder.path / "whole").string());
      whole.write("kept", 4);
      whole.commit();
      WholeFile unfinished((folder.path / "unfinished").string());
      unfinished.write("half", 4);
      raise(signal);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFEXITED(status));
    CHECK(contents(folder.path / "whole") == "kept");
    CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
    return WEXITSTATUS(status);
  };
  CHECK(interrupted(SIGINT) == 130);
  CHECK(interrupted(SIGTERM) == 143);
}
