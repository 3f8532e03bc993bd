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

int rank_of(const std::string& module) {
  const auto found = std::find(kModules.begin(), kModules.end(), module);
  return found == kModules.end() ? -1 : static_cast<int>(found - kModules.begin());
}

void check_file(const fs::path& file, const std::string& module, bool is_public, std::vector<std::string>& problems) {
  static const std::regex kInclude("^\\s*#\\s*include\\s*\"(?:hysteron/)?([a-z_]+)/([^\"]+)\"");
  std::ifstream stream(file);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    std::smatch match;
    if (!std::regex_search(line, match, kInclude)) continue;
    const std::string place = file.string() + ":" + std::to_string(number);
    const bool is_public_include = line.find("\"hysteron/") != std::string::npos;
    if (rank_of(match[1]) < 0) {
      problems.push_back(place + ": includes unknown module " + match[1].str());
    } else if (rank_of(match[1]) > rank_of(module)) {
      problems.push_back(place + ": " + module + " includes " + match[1].str() + ", which is above it");
    } else if (!is_public_include && (is_public || match[1] != module)) {
      problems.push_back(place + ": includes a private header of " + match[1].str());
    }
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
