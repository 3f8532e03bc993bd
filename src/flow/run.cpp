#include "hysteron/flow/run.h"

#include <numeric>
#include <utility>

#include "hysteron/base/parallel.h"
#include "hysteron/behavioural/chip.h"
#include "hysteron/behavioural/die_engine.h"
#include "hysteron/flow/centring.h"
#include "hysteron/flow/clip_records.h"
#include "hysteron/model/safetensors.h"

namespace hysteron::flow {
namespace {

void decide(RunResult& result) {
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

RunResult run_software(const model::Network& network, const data::Features& features, int jobs) {
  RunResult result;
  result.traces.resize(features.clips);
  ThreadPool pool(jobs);
  pool.run(features.clips,
           [&](std::size_t clip) { result.traces[clip] = model::run_clip(network, features.clip(clip)); });
  decide(result);
  return result;
}

RunResult run_behavioural(const CircuitOptions& options, const model::Network& network, const data::Features& features,
                          const DieChoice& die, Reporter& reporter, const StopFlag& stop) {
  const Workshop workshop(options, reporter, stop);
  const Target target = make_target(workshop, network, {}, reporter, stop);
  const compile::CompiledNetwork compiled = workshop.compile(target.network, reporter);
  const behavioural::DeviceStatistics statistics = workshop.device_statistics(reporter);
  const behavioural::DieEngine engine(compiled, statistics, behavioural::level_frames(features));
  behavioural::DieParameters parameters = engine.nominal();
  if (die.seed) parameters = engine.on_die(behavioural::draw_die(compiled.circuit, statistics, *die.seed));
  if (die.errors) parameters = behavioural::chip_parameters(engine, *die.errors);
  RunResult result;
  result.traces.resize(features.clips);
  ThreadPool pool(options.jobs);
  pool.run(features.clips, [&](std::size_t clip) {
    behavioural::DieEngine::Scratch scratch;
    engine.run(parameters, features.clip(clip), scratch, result.traces[clip]);
  });
  decide(result);
  return result;
}

RunResult run_spice(const CircuitOptions& options, const model::Network& network, const data::Features& features,
                    const DieChoice& die, const ClipFiles& files, Reporter& reporter, const StopFlag& stop) {
  const Workshop workshop(options, reporter, stop);
  const Target target = make_target(workshop, network, {}, reporter, stop, &features);
  const compile::CompiledNetwork compiled = workshop.compile(target.network, reporter);
  std::vector<std::size_t> clips(features.clips);
  std::iota(clips.begin(), clips.end(), std::size_t{0});
  SimulationConditions conditions;
  conditions.die = static_cast<unsigned>(die.seed.value_or(0));
  auto outcomes = simulate_records(workshop, compiled, features, clips, conditions, files, reporter);
  RunResult result;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].record)
      throw simulator_error("clip " + std::to_string(i) + " could not be simulated; see the warning above");
    result.traces.push_back(std::move(outcomes[i].record->circuit.trace));
  }
  decide(result);
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

}  // namespace hysteron::flow
