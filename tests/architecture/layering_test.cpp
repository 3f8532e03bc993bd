// Includes point down the module list only (docs/architecture.md).

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "hysteron/base/file.h"

namespace {

namespace fs = std::filesystem;

// Lowest first. A module may include itself and anything before it.
const std::vector<std::string> kModules = {"base",    "model",       "technology", "circuit",  "data",   "sim", "spice",
                                           "compile", "behavioural", "train",      "analysis", "report", "flow"};

constexpr const char* kPrograms = "apps";  // may include every module's public headers

int rank_of(const std::string& module) {
  const auto found = std::find(kModules.begin(), kModules.end(), module);
  return found == kModules.end() ? -1 : static_cast<int>(found - kModules.begin());
}

void check_file(const fs::path& file, const std::string& module, bool is_public, std::vector<std::string>& problems) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*(?:"(?:hysteron/)?|<hysteron/)([a-z_.]+)/([^">]+)[">])");
  std::ifstream stream(file);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    std::smatch match;
    if (!std::regex_search(line, match, kInclude)) continue;
    const std::string place = file.string() + ":" + std::to_string(number);
    const bool is_public_include = line.find("hysteron/") < line.find(match[1].str());
    if (rank_of(match[1]) < 0) {
      problems.push_back(place + ": includes unknown module " + match[1].str());
    } else if (module != kPrograms && rank_of(match[1]) > rank_of(module)) {
      problems.push_back(place + ": " + module + " includes " + match[1].str() + ", which is above it");
    } else if (!is_public_include && (is_public || match[1] != module)) {
      problems.push_back(place + ": includes a private header of " + match[1].str());
    }
  }
}

/// Programs are shells over public headers.
void check_programs(const fs::path& apps, std::vector<std::string>& problems) {
  if (!fs::exists(apps)) return;
  for (const auto& entry : fs::recursive_directory_iterator(apps)) {
    if (entry.is_regular_file()) check_file(entry.path(), kPrograms, true, problems);
  }
}

/// Every include below `root`/include/hysteron and `root`/src that points up, or from outside into a private header.
std::vector<std::string> find_bad_includes(const fs::path& root) {
  std::vector<std::string> problems;
  for (const fs::path& top : {root / "include" / "hysteron", root / "src"}) {
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cpp") continue;
      const std::string module = fs::relative(entry.path(), top).begin()->string();
      if (rank_of(module) < 0) {
        problems.push_back(entry.path().string() + ": lies in no module");
        continue;
      }
      check_file(entry.path(), module, top.filename() == "hysteron", problems);
    }
  }
  check_programs(root / "apps", problems);
  return problems;
}

void put(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

TEST(Layering, TreeHasNoUpwardInclude) {
  const std::vector<std::string> problems = find_bad_includes(HYSTERON_SOURCE_DIR);
  for (const std::string& problem : problems) ADD_FAILURE() << problem;
}

TEST(Layering, RejectsUpwardInclude) {
  const hysteron::TemporaryDirectory folder("layering");
  put(folder.path() / "include/hysteron/spice/a.h", "#include \"hysteron/compile/b.h\"\n");
  put(folder.path() / "src/spice/a.cpp", "#include \"hysteron/base/error.h\"\n");
  const auto problems = find_bad_includes(folder.path());
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("spice includes compile"), std::string::npos);
}

TEST(Layering, RejectsUpwardIncludeHoweverItIsSpelt) {
  const hysteron::TemporaryDirectory folder("layering");
  put(folder.path() / "include/hysteron/base/a.h", "#include <vector>\n");
  put(folder.path() / "src/base/a.cpp", "#  include <hysteron/flow/b.h>\n#include <sys/stat.h>\n");
  put(folder.path() / "src/model/a.cpp", "#include \"../flow/b.h\"\n#include \"nlohmann/json.hpp\"\n");
  EXPECT_EQ(find_bad_includes(folder.path()).size(), 3u);
}

TEST(Layering, RejectsAProgramThatReachesIntoAModule) {
  const hysteron::TemporaryDirectory folder("layering");
  fs::create_directories(folder.path() / "include/hysteron");
  fs::create_directories(folder.path() / "src");
  put(folder.path() / "apps/hysteron/a.cpp", "#include \"hysteron/flow/b.h\"\n#include \"session.h\"\n");
  EXPECT_EQ(find_bad_includes(folder.path()).size(), 0u);
  put(folder.path() / "apps/hysteron/b.cpp", "#include \"train/batches.h\"\n");
  EXPECT_EQ(find_bad_includes(folder.path()).size(), 1u);
}

TEST(Layering, RejectsPrivateHeaderOfAnotherModule) {
  const hysteron::TemporaryDirectory folder("layering");
  put(folder.path() / "include/hysteron/base/a.h", "");
  put(folder.path() / "src/flow/a.cpp", "#include \"spice/raw_internal.h\"\n#include \"flow/own.h\"\n");
  ASSERT_EQ(find_bad_includes(folder.path()).size(), 1u);
}

TEST(Layering, EveryModuleHasAReadme) {
  for (const std::string& module : kModules) {
    const fs::path folder = fs::path(HYSTERON_SOURCE_DIR) / "src" / module;
    if (!fs::exists(folder)) continue;
    EXPECT_TRUE(fs::exists(folder / "README.md")) << "src/" << module << "/README.md is missing";
  }
}

}  // namespace
