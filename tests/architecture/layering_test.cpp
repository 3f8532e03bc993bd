// Includes go only where src/modules.txt allows.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"

namespace {

namespace fs = std::filesystem;

struct Module {
  std::string name;
  std::vector<std::string> may_include;
};

/// The lines "NAME: module..." of src/modules.txt below `root`.
std::vector<Module> read_modules(const fs::path& root) {
  std::vector<Module> modules;
  std::istringstream lines(hysteron::read_file(root / "src/modules.txt"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string::npos) continue;
    std::istringstream names(line.substr(colon + 1));
    Module module{line.substr(0, colon), {}};
    for (std::string name; names >> name;) module.may_include.push_back(name);
    modules.push_back(std::move(module));
  }
  return modules;
}

const Module* find_module(const std::vector<Module>& modules, const std::string& name) {
  const auto found = std::ranges::find(modules, name, &Module::name);
  return found == modules.end() ? nullptr : &*found;
}

/// The module that a line of `file` includes a header of; empty for system headers and those of the same folder.
std::string included_module(const std::string& line, const fs::path& file, const std::vector<Module>& modules) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*["<]((?:\.\./)*)([^"/>]+)/[^">]+[">])");
  std::smatch match;
  if (!std::regex_search(line, match, kInclude)) return "";
  const bool is_relative = match[1].length() > 0 || fs::exists(file.parent_path() / match[2].str());
  return is_relative || find_module(modules, match[2]) != nullptr ? match[2].str() : "";
}

/// `module` null: a program, which may include every module.
void check_file(const fs::path& file, const Module* module, const std::vector<Module>& modules,
                std::vector<std::string>& problems) {
  std::ifstream stream(file);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    const std::string included = included_module(line, file, modules);
    if (included.empty() || module == nullptr || included == module->name) continue;
    if (std::ranges::find(module->may_include, included) != module->may_include.end()) continue;
    problems.push_back(file.string() + ":" + std::to_string(number) + ": " + module->name + " includes " + included +
                       ", which src/modules.txt does not allow");
  }
}

/// Every include below `root`/src and `root`/apps that src/modules.txt does not allow.
std::vector<std::string> find_bad_includes(const fs::path& root) {
  const std::vector<Module> modules = read_modules(root);
  std::vector<std::string> problems;
  for (const fs::path& top : {root / "src", root / "apps"}) {
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cpp") continue;
      const std::string folder = fs::relative(entry.path(), top).begin()->string();
      const Module* module = top.filename() == "src" ? find_module(modules, folder) : nullptr;
      if (module == nullptr && top.filename() == "src") {
        problems.push_back(entry.path().string() + ": lies in no module");
        continue;
      }
      check_file(entry.path(), module, modules, problems);
    }
  }
  return problems;
}

void put(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

/// A tree of three modules, `low`, `middle` and `high`.
class Layering : public testing::Test {
 protected:
  Layering() {
    put(folder_.path() / "src/modules.txt", "# lowest first\nlow:\nmiddle: low\nhigh: middle low\n");
    put(folder_.path() / "src/low/a.h", "#include <sys/stat.h>\n#include \"nlohmann/json.hpp\"\n");
    put(folder_.path() / "src/high/a.cpp", "#include \"high/a.h\"\n#include \"middle/b.h\"\n#include <low/a.h>\n");
    put(folder_.path() / "apps/tool/main.cpp", "#include \"high/a.h\"\n#include \"local.h\"\n");
  }

  fs::path root() const { return folder_.path(); }

 private:
  hysteron::TemporaryDirectory folder_{"layering"};
};

TEST_F(Layering, AcceptsWhatTheListAllows) { EXPECT_TRUE(find_bad_includes(root()).empty()); }

TEST_F(Layering, RejectsUpwardIncludeHoweverItIsSpelt) {
  put(root() / "src/low/up.cpp", "#include \"middle/b.h\"\n");
  put(root() / "src/middle/up.cpp", "#  include <high/b.h>\n#include \"../high/b.h\"\n");
  const auto problems = find_bad_includes(root());
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_TRUE(std::ranges::any_of(
      problems, [](const std::string& problem) { return problem.find("low includes middle") != std::string::npos; }));
}

TEST_F(Layering, RejectsAFileInNoModule) {
  put(root() / "src/other/a.cpp", "");
  EXPECT_EQ(find_bad_includes(root()).size(), 1u);
}

TEST(Tree, HasNoIncludeThatTheListDoesNotAllow) {
  for (const std::string& problem : find_bad_includes(HYSTERON_SOURCE_DIR)) ADD_FAILURE() << problem;
}

TEST(Tree, ModulesListLowerOnesOnly) {
  std::vector<std::string> lower;
  const auto modules = read_modules(HYSTERON_SOURCE_DIR);
  ASSERT_GE(modules.size(), 10u);
  for (const Module& module : modules) {
    for (const std::string& name : module.may_include) {
      EXPECT_NE(std::ranges::find(lower, name), lower.end()) << module.name << " may include " << name;
    }
    lower.push_back(module.name);
  }
}

TEST(Tree, EveryModuleHasAReadmeAndALineInTheDocs) {
  const std::string docs = hysteron::read_file(fs::path(HYSTERON_SOURCE_DIR) / "docs/architecture.md");
  for (const Module& module : read_modules(HYSTERON_SOURCE_DIR)) {
    EXPECT_TRUE(fs::exists(fs::path(HYSTERON_SOURCE_DIR) / "src" / module.name / "README.md")) << module.name;
    EXPECT_NE(docs.find("| `" + module.name + "` |"), std::string::npos) << module.name;
  }
}

/// Its templates cost every unit that sees them some ten seconds.
TEST(Tree, OneUnitIncludesTheCommandLineParser) {
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(HYSTERON_SOURCE_DIR) / "apps")) {
    if (!entry.is_regular_file() || entry.path().filename() == "options.cpp") continue;
    EXPECT_EQ(hysteron::read_file(entry.path()).find("CLI/CLI.hpp"), std::string::npos) << entry.path();
  }
}

}  // namespace
