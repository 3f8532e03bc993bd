#include "explore/search_space.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "explore/sweep_grid.h"

namespace hysteron::explore {
namespace {

const std::vector<std::string> kObjectives = {"accuracy", "power"};

class SearchSpaceFile : public ::testing::Test {
 protected:
  SearchSpace read(const std::string& text) const {
    write_file(file_, text);
    return read_search_space(file_, kObjectives);
  }

  /// Expects a bad-input Error whose message has the file and every one of `parts`.
  void expect_refusal(const std::string& text, const std::vector<std::string>& parts) const {
    try {
      read(text);
      ADD_FAILURE() << "taken: " << text;
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << message;
      EXPECT_NE(message.find("space.toml"), std::string::npos) << message;
      for (const std::string& part : parts)
        EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
    }
  }

  TemporaryDirectory folder_{"space"};
  std::filesystem::path file_ = folder_.path() / "space.toml";
};

TEST_F(SearchSpaceFile, ReadsEveryKindOfVariable) {
  const SearchSpace space = read(R"(folder = "out"
[search]
points = 30
population = 6
seed = 5
objectives = ["power"]
[hardware]
pdk = "gf180mcu"
supply = 1.6
[variables]
d = [4, 16]
training.learning_rate = {low = 1e-3, high = 1e-1, scale = "log"}
unit_current = {choices = ["500p", 1e-9]}
sparsity = [0.0, 0.5]
device_area = {choices = [1, 2.0]}
training.initialisation = {choices = ["positive", "signed"]}
[training]
steps = 50
)");
  EXPECT_EQ(space.points, 30u);
  EXPECT_EQ(space.population, 6u);
  EXPECT_EQ(space.objectives, std::vector<std::string>{"power"});
  EXPECT_EQ(space.base.steps, 50u);
  ASSERT_EQ(space.variables.size(), 6u);
  EXPECT_EQ(space.variables[0].name, "d");
  EXPECT_EQ(space.variables[0].levels(), 13u);
  EXPECT_EQ(space.variables[1].levels(), 0u);
  EXPECT_TRUE(space.variables[2].is_ordered());
  EXPECT_FALSE(space.variables[5].is_ordered());
  const PointDesign design = space.design({3, 0.5, 0, 0.25, 1, 1});
  EXPECT_EQ(design.config.width, 7u);
  EXPECT_NEAR(design.config.learning_rate, 1e-2, 1e-15);
  EXPECT_DOUBLE_EQ(design.hardware.unit_current, 500e-12);
  EXPECT_DOUBLE_EQ(design.hardware.sparsity, 0.125);
  EXPECT_EQ(design.hardware.technology_name(), "gf180mcu@2");
  EXPECT_DOUBLE_EQ(design.hardware.supply, 1.6);
  EXPECT_EQ(design.config.initialisation, "signed");
  EXPECT_EQ(design.values[2].first, "unit_current");
  EXPECT_EQ(value_text(design.values[2].second), "500p");
}

TEST_F(SearchSpaceFile, IdentityIsAllButFolderAndPoints) {
  const std::string tail = "[variables]\nd = [4, 8]\n";
  const std::string first = read("[search]\npoints = 10\n" + tail).identity();
  EXPECT_EQ(first, read("folder = \"x\"\n[search]\npoints = 20\n" + tail).identity());
  EXPECT_NE(first, read("[search]\nseed = 2\n" + tail).identity());
  EXPECT_NE(first, read("[variables]\nd = [4, 9]\n").identity());
  EXPECT_NE(first, read(tail + "[training]\nsteps = 7\n").identity());
  EXPECT_NE(first, read(tail + "[hardware]\nsparsity = 0.1\n").identity());
}

TEST_F(SearchSpaceFile, RefusesWhatIsWrongByLineAndKey) {
  const std::string fine = "[variables]\nd = [4, 8]\n";
  const struct {
    std::string text;
    std::vector<std::string> parts;
  } cases[] = {
      {"[variables]\nd = [8, 4]\n", {"line 2", "variables.d", "empty range"}},
      {"[variables]\nd = [4, 4]\n", {"line 2", "variables.d", "empty range"}},
      {"[variables]\nsparsity = [nan, 0.5]\n", {"line 2", "variables.sparsity", "empty range"}},
      {"[variables]\nd = {choices = []}\n", {"line 2", "variables.d.choices"}},
      {"[variables]\nd = [4]\n", {"line 2", "variables.d"}},
      {"[variables]\nd = 4\n", {"line 2", "variables.d"}},
      {"[variables]\nd = [4.0, 8.0]\n", {"line 2", "variables.d", "whole numbers"}},
      {"[variables]\nd = [\"a\", \"b\"]\n", {"line 2", "variables.d", "whole numbers"}},
      {"[variables]\nd = [0, 8]\n", {"line 2", "model.width is 0"}},
      {"[variables]\nd = {low = 4, hihg = 8}\n", {"line 2", "unknown key", "variables.d.hihg"}},
      {"[variables]\nd = {low = 4}\n", {"line 2", "variables.d", "no high"}},
      {"[variables]\nd = {low = 4, high = 8, scale = \"log\"}\n", {"line 2", "variables.d.scale"}},
      {"[variables]\nsparsity = {low = 0.0, high = 0.5, scale = \"log\"}\n", {"line 2", "variables.sparsity.low"}},
      {"[variables]\nsparsity = {low = 0.0, high = 0.5, scale = \"root\"}\n", {"line 2", "variables.sparsity.scale"}},
      {"[variables]\nsparsity = [0.0, 1.0]\n", {"line 2", "variables.sparsity", "0 to 0.95"}},
      {"[variables]\nbits = [0, 4]\n", {"line 2", "variables.bits has 1", "training_noise.bits"}},
      {"[variables]\nunit_current = [1e-10, 1e-9]\n", {"line 2", "variables.unit_current", "choices"}},
      {"[variables]\nunit_current = {choices = [\"fast\"]}\n", {"line 2", "variables.unit_current has fast"}},
      {"[variables]\nsupply = {choices = [1.8, 12]}\n", {"line 2", "variables.supply has 12"}},
      {"[variables]\nunit_current = {choices = [\"1n\", \"1n\"]}\n", {"line 2", "twice"}},
      {"[variables]\nunit_current = {choices = [[1]]}\n", {"line 2", "numbers or texts"}},
      {"[variables]\nwidht = [4, 8]\n", {"line 2", "unknown key", "variables.widht"}},
      {"[variables]\ntraining.stesp = [4, 8]\n", {"line 2", "unknown key", "variables.training.stesp"}},
      {"[variables]\ntraining = [4, 8]\n", {"line 2", "unknown key", "variables.training"}},
      {"[variables]\ntraining.initialisation = [1, 2]\n", {"line 2", "choices"}},
      {"[variables]\ntraining.initialisation = {choices = [\"round\"]}\n", {"line 2", "training.initialisation is"}},
      {"[variables]\ndata.seed = [1, 2]\n", {"line 2", "variables.data.seed"}},
      {"[variables]\nmodel.output = {choices = [\"a\"]}\n", {"line 2", "variables.model.output"}},
      {"[variables]\nmodel.mlp = {choices = [\"relu\"]}\n", {"line 2", "variables.model.mlp", "no effect"}},
      {"[variables]\nd = [4, 8]\nmodel.width = [4, 8]\n", {"line 3", "model.width a second time"}},
      {"[variables]\n", {"[variables]"}},
      {"[search]\npoints = 3\n", {"[variables]"}},
      {"variables = 3\n", {"line 1", "variables"}},
      {"[search]\npionts = 3\n" + fine, {"line 2", "unknown key", "search.pionts"}},
      {"[search]\npoints = 0\n" + fine, {"line 2", "search.points is 0"}},
      {"[search]\npoints = \"many\"\n" + fine, {"line 2", "search.points"}},
      {"[search]\npopulation = 1\n" + fine, {"line 2", "search.population"}},
      {"[search]\nseed = -1\n" + fine, {"line 2", "search.seed"}},
      {"[search]\ndies = 1.5\n" + fine, {"line 2", "search.dies"}},
      {"[search]\nobjectives = [\"speed\"]\n" + fine, {"line 2", "search.objectives", "speed", "accuracy, power"}},
      {"[search]\nobjectives = []\n" + fine, {"line 2", "search.objectives"}},
      {"[search]\nobjectives = \"power\"\n" + fine, {"line 2", "search.objectives"}},
      {"[search]\nobjectives = [\"power\", \"power\"]\n" + fine, {"line 2", "twice"}},
      {"[hardware]\nvoltage = 1\n" + fine, {"line 2", "unknown key", "hardware.voltage"}},
      {"[hardware]\nsupply = \"high\"\n" + fine, {"line 2", "hardware.supply"}},
      {"[hardware]\npdk = 180\n" + fine, {"line 2", "hardware.pdk"}},
      {"[variables]\nsparsity = [0.0, 0.5]\n[hardware]\nsparsity = 0.1\n",
       {"line 2", "variables.sparsity", "hardware.sparsity"}},
      {"[variables]\nd = [4, 8]\n[model]\nwidth = 4\n", {"line 2", "variables.d", "model.width are given"}},
      {"[variables]\ntraining.steps = [4, 8]\n[training]\nsteps = 5\n",
       {"line 2", "variables.training.steps", "training.steps are given"}},
      {"folder = 1\n" + fine, {"line 1", "folder"}},
      {"jobs = 2\n" + fine, {"line 1", "jobs", "folder, hardware, search, variables, [data]"}},
      {fine + "[model]\noutput = \"m\"\n", {"line 4", "model.output"}},
      {fine + "[model]\nbackbone = \"reference\"\n", {"model.backbone"}},
      {fine + "[model]\nmlp = \"relu\"\n", {"model.mlp"}},
      {fine + "[training]\nsteps = 0\n", {"line 4", "training.steps"}},
      {fine + "[test_noise]\nweights = 0.1\n", {"test_noise.weights"}},
      {"[variables\n", {"line 1"}},
  };
  for (const auto& one : cases) expect_refusal(one.text, one.parts);
}

TEST(SweepGrid, ASweepOverBackbonesGivesEachItsDefaultNoise) {
  const TemporaryDirectory folder("config");
  write_file(folder.path() / "grid.toml",
             "[grid]\nmodel.backbone = [\"circuit\", \"reference\"]\ntraining.seed = [1]\n");
  const SweepGrid grid = read_sweep(folder.path() / "grid.toml");
  ASSERT_EQ(grid.points.size(), 2u);
  EXPECT_EQ(grid.points[0].config.training_noise.additive, 0.04);
  EXPECT_EQ(grid.points[1].config.training_noise.additive, 0.0);
}

}  // namespace
}  // namespace hysteron::explore
