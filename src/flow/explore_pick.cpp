// Building and signing off a point of a search.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>
#include <vector>

#include "flow/chosen_clips.h"
#include "flow/design_bench.h"
#include "flow/explored_points.h"
#include "hysteron/base/error.h"
#include "hysteron/base/file.h"
#include "hysteron/base/parallel.h"
#include "hysteron/base/units.h"
#include "hysteron/data/npy.h"
#include "hysteron/flow/centring.h"
#include "hysteron/flow/explore.h"
#include "hysteron/model/model_file.h"

namespace hysteron::flow {
namespace {

/// The design that the kept `point` is of.
train::Design design_of(const train::SearchSpace& space, const ExploredPoint& point, const std::string& origin) {
  const auto stale = [&] {
    return bad_input(
        fmt::format("{}: the point is of other variables than the space's; expected one of this search", origin));
  };
  if (point.values.size() != space.variables.size()) throw stale();
  std::vector<train::SpaceValue> values;
  for (std::size_t i = 0; i < point.values.size(); ++i) {
    if (point.values[i].first != space.variables[i].name) throw stale();
    values.push_back(point.values[i].second);
  }
  return space.design_with(values);
}

ExploredPoint find_point(const train::SearchSpace& space, std::size_t index) {
  const std::string origin = quoted(point_file(space, index, ".json").string());
  auto point = read_point(space, index);
  if (!point) {
    throw bad_input(fmt::format(
        "--pick {}: there is no {}; expected the number of a point that `hysteron explore` has done", index, origin));
  }
  if (!point->figures) {
    throw bad_input(fmt::format("--pick {}: {} was no circuit: {}", index, origin, point->problem));
  }
  return *std::move(point);
}

}  // namespace

Pick pick_point(const PickRequest& request, Reporter& reporter, const StopFlag& stop) {
  const train::SearchSpace space = train::read_search_space(request.file, objective_names());
  check_space_folder(space, request.file);
  Pick pick;
  pick.point = find_point(space, request.index);
  const train::Design design = design_of(space, pick.point, quoted(point_file(space, request.index, ".json").string()));
  pick.network = model::load_model(point_file(space, request.index, ".safetensors"));
  const model::Network& network = pick.network;
  CircuitOptions options = circuit_options(design.hardware, request.pdk_root);
  options.calibration = CalibrationLevel::kLayers;
  options.jobs = request.jobs;
  options.time_limit = request.time_limit;
  const Workshop workshop(options, reporter, stop);
  ThreadPool pool(request.jobs);
  const train::ClipSet test = train::load_clips_for(network, space.base.data_folder, space.base.corpus_seed,
                                                    data::Split::kTest, pool, reporter, stop);
  const data::Features clips = chosen_clips(test, network.labels.size(), request.clips);
  make_directories(request.output);
  model::save_model(request.output / "model.safetensors", network);
  data::write_npy(request.output / "test.npy", clips);
  const Target target = make_target(workshop, network, {}, reporter, stop, &clips);
  const compile::CompiledNetwork compiled =
      workshop.compile(target.network, reporter, {}, request.output / "sizes.json");
  write_circuit(compiled, target, workshop.technology(), workshop.curves(), request.output / "circuit");
  pick.circuit = summarise(compiled, workshop.technology());
  std::vector<std::size_t> all(clips.clips);
  std::iota(all.begin(), all.end(), std::size_t{0});
  ClipFiles files;
  files.records = request.output / "clips";
  pick.verification = verify(workshop, target.compared_with(network), compiled, clips, all, {}, reporter, files);
  write_file(request.output / "verify.json", verification_json(pick.verification, network).dump(1) + "\n");
  write_file(request.output / "point.json", point_json(pick.point).dump(1) + "\n");
  return pick;
}

nlohmann::json pick_json(const Pick& pick) {
  nlohmann::json json = verification_json(pick.verification, pick.network);
  json["point"] = nlohmann::json(point_json(pick.point));
  json["transistors"] = pick.circuit.transistors;
  json["legs"] = pick.circuit.legs;
  json["cells"] = pick.circuit.cells;
  json["area_um2"] = pick.circuit.area / (kMicro * kMicro);
  return json;
}

}  // namespace hysteron::flow
