#include "report/explore_report.h"

namespace hysteron::report {
namespace {

using explore::DesignFigures;
using explore::Exploration;
using explore::ExploredPoint;

const Table<DesignFigures>& figures_table() {
  static const auto table =
      Table<DesignFigures>()
          .figure("accuracy", Better::kHigher, "of the nominal circuit on the validation clips",
                  &DesignFigures::accuracy)
          .figure("balanced_accuracy", Better::kHigher, "as above", &DesignFigures::balanced_accuracy)
          .figure("test_accuracy", Better::kHigher, "on the test clips, which no search sees",
                  &DesignFigures::test_accuracy)
          .figure("test_balanced_accuracy", Better::kHigher, "as above", &DesignFigures::test_balanced_accuracy)
          .figure("software_test_accuracy", Better::kHigher, "of the network in software",
                  &DesignFigures::software_accuracy)
          .figure("yield", Better::kHigher, "share of dies and validation clips decided as the network decides",
                  &DesignFigures::yield)
          .figure("power_w", "W", Better::kLower, "by the power model", &DesignFigures::power)
          .figure("area_m2", "m2", Better::kLower, "estimated", &DesignFigures::area)
          .figure("settling_s", "s", Better::kLower, "estimated", &DesignFigures::settling)
          .figure("drop_below", "magnitude below which weights are left out, model units", &DesignFigures::drop_below)
          .figure("transistors", Better::kLower, "", &DesignFigures::transistors)
          .figure("left_out", "weights and biases", &DesignFigures::left_out);
  return table;
}

Json values_of(const ExploredPoint& point) {
  Json json = Json::object();
  for (const auto& [name, value] : point.values) {
    std::visit([&, &key = name](const auto& held) { json.set(key, held); }, value);
  }
  return json;
}

const Table<ExploredPoint>& point_table() {
  static const auto table = Table<ExploredPoint>()
                                .figure("index", "of the point", &ExploredPoint::index)
                                .figure("generation", "", &ExploredPoint::generation)
                                .figure("values", "variable: value", values_of)
                                .merge(figures_table(), &ExploredPoint::figures);
  return table;
}

std::vector<ExploredPoint> pareto_points(const Exploration& exploration) {
  std::vector<ExploredPoint> points;
  for (const std::size_t index : exploration.pareto) points.push_back(exploration.points[index]);
  return points;
}

}  // namespace

const Table<Exploration>& explore_table() {
  static const auto table =
      Table<Exploration>()
          .figure("folder", "of the search",
                  [](const Exploration& exploration) { return exploration.space.folder.string(); })
          .text(explore::pareto_table)
          .figure("points", "", [](const Exploration& exploration) { return exploration.points.size(); })
          .figure("kept", "of them, read from an earlier run", &Exploration::kept)
          .figure("failed", Better::kLower, "of them, that cannot be trained or built", &Exploration::failed)
          .figure("generations", "", &Exploration::generations)
          .figure("objectives", "", [](const Exploration& exploration) { return exploration.space.objectives; })
          .list("pareto", "points that no other dominates, the best in the first objective first", point_table(),
                pareto_points)
          .text([](const Exploration& exploration) {
            return fmt::format("\n{} points, {} of them not dominated; {} has all of them\n", exploration.points.size(),
                               exploration.pareto.size(), (exploration.space.folder / "points.jsonl").string());
          });
  return table;
}

const Table<SlurmScript>& slurm_script_table() {
  static const auto table =
      Table<SlurmScript>()
          .figure("script", "its file", [](const SlurmScript& script) { return script.file.string(); })
          .figure("ranks", "", &SlurmScript::ranks)
          .text([](const SlurmScript& script) {
            return fmt::format("wrote {} for {} ranks; submit it with sbatch {}\n", script.file.string(), script.ranks,
                               script.file.string());
          });
  return table;
}

}  // namespace hysteron::report
