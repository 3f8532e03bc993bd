#include "studies/run.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "base/parallel.h"
#include "behavioural/chip.h"
#include "behavioural/die_engine.h"
#include "design/prepared_model.h"
#include "model/safetensors.h"
#include "studies/clip_records.h"

namespace hysteron::studies {
namespace {

/// Fills in decisions and votes of the traces of `clips`.
void decide(const std::string& engine, const std::vector<std::string>& labels, const std::vector<std::size_t>& clips,
            RunResult& result) {
  result.engine = engine;
  result.labels = labels;
  result.clips = clips;
  for (const model::Trace& trace : result.traces) {
    result.votes.push_back(model::vote_shares(model::frame_decisions(trace.logits, trace.outputs), trace.outputs));
    result.decisions.push_back(model::majority(result.votes.back()));
  }
}

/// The same array of every trace, one behind the other.
template <typename Member>
std::vector<float> stacked(const RunResult& result, Member member) {
  std::vector<float> values;
  for (const model::Trace& trace : result.traces) {
    values.insert(values.end(), (trace.*member).begin(), (trace.*member).end());
  }
  return values;
}

}  // namespace

RunResult run_software(const model::Network& network, const data::Features& features,
                       const std::vector<std::size_t>& clips, int jobs) {
  RunResult result;
  result.traces.resize(clips.size());
  ThreadPool pool(jobs);
  pool.run(clips.size(), [&](std::size_t i) { result.traces[i] = model::run_clip(network, features.clip(clips[i])); });
  decide("software", network.labels, clips, result);
  return result;
}

RunResult run_behavioural(const design::Design& design, const DieChoice& die, Reporter& reporter) {
  const behavioural::DeviceStatistics statistics = design.context.device_statistics(reporter);
  const behavioural::DieEngine engine(design.compiled, statistics, behavioural::level_frames(design.features));
  behavioural::DieParameters parameters = engine.nominal();
  if (die.seed) parameters = engine.on_die(behavioural::draw_die(design.compiled.circuit, statistics, *die.seed));
  if (die.errors) parameters = behavioural::chip_parameters(engine, *die.errors);
  RunResult result;
  result.traces.resize(design.clips.size());
  ThreadPool pool(design.context.options().jobs);
  pool.run(design.clips.size(), [&](std::size_t i) {
    behavioural::DieEngine::Scratch scratch;
    engine.run(parameters, design.features.clip(design.clips[i]), scratch, result.traces[i]);
  });
  decide("behavioural", design.given.labels, design.clips, result);
  result.die = die.seed;
  return result;
}

RunResult run_spice(design::Design design, const DieChoice& die, const ClipFiles& files, Reporter& reporter) {
  design.conditions.die = static_cast<unsigned>(die.seed.value_or(0));
  auto outcomes = simulate_records(design, files, reporter);
  RunResult result;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].record) {
      throw simulator_error(fmt::format("clip {} could not be simulated; see the warning above", design.clips[i]));
    }
    result.traces.push_back(std::move(outcomes[i].record->circuit.trace));
  }
  decide("spice", design.given.labels, design.clips, result);
  result.die = die.seed;
  return result;
}

void write_run(const RunResult& result, const std::filesystem::path& path) {
  const model::Trace& first = result.traces.front();
  const std::size_t clips = result.traces.size();
  const std::vector<std::size_t> state_shape = {clips, first.layers, first.frames, first.cells};
  model::TensorFile file;
  file.tensors["logits"] =
      model::float_tensor({clips, first.frames, first.outputs}, stacked(result, &model::Trace::logits));
  file.tensors["states"] = model::float_tensor(state_shape, stacked(result, &model::Trace::states));
  file.tensors["candidates"] = model::float_tensor(state_shape, stacked(result, &model::Trace::candidates));
  model::write_tensors(path, file);
}

}  // namespace hysteron::studies
