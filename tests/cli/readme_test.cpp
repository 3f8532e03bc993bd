// The README's shell lines run as they stand. A block after a line `<!-- not run -->` is left out, as are lines of
// scripts/: those take minutes and are what runs this test.

#include <sstream>

#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

const fs::path kReadme = fs::path(HYSTERON_SOURCE_DIR) / "README.md";

/// The lines of the ```sh blocks that call the program, backslash-continued ones joined.
std::vector<std::string> program_lines(const std::string& markdown) {
  std::istringstream stream(markdown);
  std::vector<std::string> found;
  std::string line;
  std::string before;
  bool inside = false;
  bool target = false;
  while (std::getline(stream, line)) {
    if (line.starts_with("```")) {
      target = !inside && line == "```sh" && before != "<!-- not run -->";
      inside = !inside;
    } else if (inside && target) {
      std::string next;
      while (line.ends_with('\\') && std::getline(stream, next)) line = line.substr(0, line.size() - 1) + next;
      if (line.starts_with("hysteron ") || line.starts_with("build/release/")) found.push_back(line);
    }
    if (!line.empty()) before = line;
  }
  return found;
}

TEST(ReadmeLines, AreTakenFromShellBlocksThatAreNotExcluded) {
  const std::vector<std::string> lines = program_lines(
      "text\n```sh\nhysteron a \\\n  b\nscripts/demo.sh\n```\n<!-- not run -->\n\n```sh\nhysteron c\n```\n"
      "```text\nhysteron d\n```\n```sh\nbuild/release/apps/hysteron/hysteron e\n```\n");
  EXPECT_EQ(lines, (std::vector<std::string>{"hysteron a   b", "build/release/apps/hysteron/hysteron e"}));
}

class Readme : public Cli {};

TEST_F(Readme, LinesRun) {
  const std::vector<std::string> lines = program_lines(read_file(kReadme));
  ASSERT_FALSE(lines.empty()) << "README.md has no shell line that this test can run";

  // The files that the lines may name.
  put("model.safetensors", tiny_model());
  put("test.npy", tiny_features());
  put("yes.wav", tone(300.0));
  put("no.wav", tone(2000.0));
  put_tones(folder_ / "speech");
  put("keyword.toml", tiny_training("speech", "keyword.safetensors"));
  make_directories(folder_ / "build/release/apps/hysteron");
  fs::create_symlink(HYSTERON_PROGRAM, folder_ / "build/release/apps/hysteron/hysteron");
  const std::string path = (folder_ / "build/release/apps/hysteron").string() + ":" + std::getenv("PATH");
  for (const std::string& line : lines) {
    surroundings_.environment = {{"PATH", path}, {"TMPDIR", temporary_.string()}};
    const Outcome outcome = Program("/bin/sh", {"-c", line}, surroundings_).wait();
    EXPECT_EQ(outcome.exit_code, 0) << line << "\n" << outcome.messages;
  }
}

}  // namespace
}  // namespace hysteron::cli
