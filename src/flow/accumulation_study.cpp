#include "flow/check_range.h"
#include "hysteron/base/error.h"
#include "hysteron/base/parallel.h"
#include "hysteron/flow/noise_study.h"
#include "hysteron/report/number_json.h"

namespace hysteron::flow {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostFrames = 1000000;
constexpr std::size_t kMostLayers = 64;
constexpr std::size_t kMostChains = 1000000;

/// 1, 2, 5, 10, 20 ... and `last`.
std::vector<std::size_t> round_numbers(std::size_t last) {
  std::vector<std::size_t> result;
  for (std::size_t decade = 1; decade <= last; decade *= 10) {
    for (const std::size_t digit : {1, 2, 5}) {
      if (digit * decade < last) result.push_back(digit * decade);
    }
  }
  result.push_back(last);
  return result;
}

Growth growth(const behavioural::Accumulation& run, const std::vector<std::size_t>& at,
              const std::vector<std::size_t>& places) {
  Growth result;
  result.at = at;
  std::vector<double> x;
  for (std::size_t i = 0; i < at.size(); ++i) {
    x.push_back(static_cast<double>(at[i]));
    result.error.push_back(run.errors[places[i]]);
    result.wrong_bits.push_back(run.wrong_bits[places[i]]);
  }
  result.exponent = analysis::fit_exponent(x, result.error);
  return result;
}

AccumulationResult summarise(const behavioural::Accumulation& run, const behavioural::AccumulationRequest& request) {
  AccumulationResult result;
  result.memory = run.memory;
  const std::vector<std::size_t> frames = round_numbers(request.frames);
  result.over_frames = growth(run, frames, frames);
  std::vector<std::size_t> layers;
  std::vector<std::size_t> places;
  for (std::size_t layer = 0; layer < request.layers; ++layer) {
    layers.push_back(layer + 1);
    places.push_back(layer * (request.frames + 1) + request.frames);
  }
  result.over_layers = growth(run, layers, places);
  return result;
}

Json growth_json(const Growth& growth, const char* what) {
  return {{what, growth.at},
          {"error", growth.error},
          {"wrong_bits", growth.wrong_bits},
          {"exponent", report::number_json(growth.exponent.value)},
          {"exponent_half_interval", report::number_json(growth.exponent.half_interval)}};
}

}  // namespace

void check_accumulation(const behavioural::AccumulationRequest& request) {
  check_range("--noise", request.noise, 1e-6, 1.0);
  check_range("--frames", static_cast<double>(request.frames), 1, kMostFrames);
  check_range("--layers", static_cast<double>(request.layers), 1, kMostLayers);
  check_range("--chains", static_cast<double>(request.chains), 1, kMostChains);
  check_range("--decay", request.decay, 0.01, 1.0 - 1e-9);
}

std::vector<AccumulationResult> study_accumulation(const behavioural::AccumulationRequest& request, int jobs,
                                                   Reporter& reporter, const StopFlag& stop) {
  check_accumulation(request);
  ThreadPool pool(jobs);
  std::vector<AccumulationResult> results;
  for (const behavioural::Memory memory : behavioural::kMemories) {
    if (stop.requested()) throw Error(ErrorKind::kInterrupted, "interrupted");
    results.push_back(summarise(behavioural::accumulate_noise(memory, request, pool), request));
    reporter.progress("running chains of memories", results.size(), std::size(behavioural::kMemories), "");
  }
  return results;
}

Json accumulation_json(const std::vector<AccumulationResult>& results,
                       const behavioural::AccumulationRequest& request) {
  Json memories;
  for (const AccumulationResult& result : results) {
    memories[behavioural::name_of(result.memory)] = {{"over_frames", growth_json(result.over_frames, "frames")},
                                                     {"over_layers", growth_json(result.over_layers, "layers")}};
  }
  return {{"noise", request.noise}, {"frames", request.frames}, {"layers", request.layers}, {"chains", request.chains},
          {"decay", request.decay}, {"seed", request.seed},     {"memories", memories}};
}

}  // namespace hysteron::flow
