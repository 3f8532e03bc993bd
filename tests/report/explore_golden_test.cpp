#include "golden.h"
#include "report/explore_report.h"
#include "report/pick_report.h"
#include "samples.h"

namespace hysteron::report {
namespace {

/// A point on the front, and one that cannot be built.
explore::Exploration sample_exploration() {
  explore::Exploration exploration;
  exploration.space.folder = "search";
  exploration.space.objectives = {"accuracy", "power"};
  explore::SpaceVariable width;
  width.name = "model.width";
  exploration.space.variables = {width};
  explore::ExploredPoint point;
  point.generation = 1;
  point.values = {{"model.width", explore::SpaceValue(std::int64_t{8})}};
  point.figures = explore::DesignFigures{0.95, 0.94, 0.93, 0.92, 0.96, 0.9, 22e-9, 21000e-12, 2e-3, 571, 3, 0.05};
  explore::ExploredPoint failed;
  failed.index = 1;
  failed.generation = 1;
  failed.problem = "width 3: expected even widths";
  exploration.points = {point, failed};
  exploration.pareto = {0};
  exploration.kept = 1;
  exploration.failed = 1;
  exploration.generations = 2;
  return exploration;
}

TEST(Golden, Explore) { check_golden("explore", explore_table(), sample_exploration()); }

TEST(Golden, ExploreListsAPointAsItsFileHasIt) {
  const explore::Exploration exploration = sample_exploration();
  EXPECT_EQ(nlohmann::json(explore_table().json(exploration).tree()["pareto"][0]),
            nlohmann::json(explore::point_json(exploration.points[0])));
}

TEST(Golden, Pick) {
  explore::Pick pick;
  pick.point = sample_exploration().points[0];
  pick.circuit = sample_summary();
  pick.verification = sample_verification();
  pick.folder = "picked/circuit";
  check_golden("explore_pick", pick_table(), pick);
}

TEST(Golden, SlurmScript) { check_golden("explore_slurm", slurm_script_table(), SlurmScript{"job.sh", 64}); }

}  // namespace
}  // namespace hysteron::report
