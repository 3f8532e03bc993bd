// Building and signing off a point of a search.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/stored_json.h"
#include "base/units.h"
#include "data/npy.h"
#include "design/chosen_clips.h"
#include "design/prepared_model.h"
#include "explore/design_bench.h"
#include "explore/explore.h"
#include "explore/explored_points.h"
#include "model/model_file.h"

namespace hysteron::explore {
namespace {

/// The design that the kept `point` is of.
explore::PointDesign design_of(const explore::SearchSpace& space, const ExploredPoint& point,
                               const std::string& origin) {
  const auto stale = [&] {
    return bad_input(
        fmt::format("{}: the point has other variables than the space; expected a point of this search", origin));
  };
  if (point.values.size() != space.variables.size()) throw stale();
  std::vector<explore::SpaceValue> values;
  for (std::size_t i = 0; i < point.values.size(); ++i) {
    if (point.values[i].first != space.variables[i].name) throw stale();
    values.push_back(point.values[i].second);
  }
  return space.design_with(values);
}

ExploredPoint find_point(const explore::SearchSpace& space, std::size_t index) {
  const std::string origin = quoted(point_file(space, index, ".json").string());
  Stored<ExploredPoint> stored = read_point(space, index);
  if (stored.state == StoreState::kStale) {
    throw bad_input(
        fmt::format("--pick {}: {} is damaged, of another search or of another version of this program; `hysteron "
                    "explore` does the "
                    "point again",
                    index, origin));
  }
  auto& point = stored.value;
  if (!point) {
    throw bad_input(fmt::format(
        "pick: {}; there is no {}; expected the number of a point that `hysteron explore` has done", index, origin));
  }
  if (!point->figures) {
    throw bad_input(fmt::format("pick: {}; {} was no circuit: {}", index, origin, point->problem));
  }
  return *std::move(point);
}

}  // namespace

Pick pick_point(const PickRequest& request, Reporter& reporter, const StopFlag& stop) {
  const explore::SearchSpace space = explore::read_search_space(request.file, objective_names());
  check_space_folder(space, request.file);
  Pick pick;
  pick.point = find_point(space, request.index);
  const explore::PointDesign point =
      design_of(space, pick.point, quoted(point_file(space, request.index, ".json").string()));
  pick.network = model::load_model(point_file(space, request.index, ".safetensors"));
  const model::Network& network = pick.network;
  design::CircuitOptions options = circuit_options(point.hardware, request.pdk_root);
  options.calibration = design::CalibrationLevel::kLayers;
  options.jobs = request.jobs;
  options.time_limit = request.time_limit;
  const design::DesignContext context(options, reporter, stop);
  ThreadPool pool(request.jobs);
  const train::ClipSet test = train::load_clips_for(network, space.base.data_folder, space.base.corpus_seed,
                                                    data::Split::kTest, pool, reporter, stop);
  const data::Features clips = design::chosen_clips(test, network.labels.size(), request.clips);
  make_directories(request.output);
  model::save_model(request.output / "model.safetensors", network);
  data::write_npy(request.output / "test.npy", clips);
  design::DesignRequest of{network, clips, design::all_clips(clips)};
  of.sizes = request.output / "sizes.json";
  const design::Design design = design::build_design(context, std::move(of), reporter);
  pick.folder = request.output / "circuit";
  design::write_circuit(design, pick.folder);
  pick.circuit = design::summarise(design);
  studies::ClipFiles files;
  files.records = request.output / "clips";
  pick.verification = studies::verify(design, files, reporter);
  write_file(request.output / "point.json", json_bytes(point_json(pick.point), 1) + "\n");
  return pick;
}

}  // namespace hysteron::explore
