#include <fmt/format.h>

#include <numeric>
#include <optional>
#include <utility>

#include "base/check_range.h"
#include "base/error.h"
#include "base/file.h"
#include "base/interruption.h"
#include "base/parallel.h"
#include "studies/noise_study.h"
#include "studies/stored_accumulation.h"

namespace hysteron::studies {
namespace {

constexpr std::size_t kMaxFrames = 1000000;
constexpr std::size_t kMaxLayers = 64;
constexpr std::size_t kMaxChains = 1000000;

/// `places` of the run's errors, which lie at `at`.
Growth growth(const behavioural::Accumulation& run, const std::vector<std::size_t>& at,
              const std::vector<std::size_t>& places) {
  Growth result;
  result.at = at;
  std::vector<double> x;
  std::vector<double> y;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double error = run.errors[places[i]];
    result.error.push_back(error);
    result.all_error.push_back(run.all_errors[places[i]]);
    result.wrong_bits.push_back(run.wrong_bits[places[i]]);
    if (!(error > 0.0)) continue;  // no logarithm: no error at all, or no bit left
    x.push_back(static_cast<double>(at[i]));
    y.push_back(error);
  }
  result.exponent = analysis::fit_exponent(x, y);
  return result;
}

AccumulationResult summarise(behavioural::Accumulation run, std::size_t layers) {
  std::vector<std::size_t> first(run.frames.size());
  std::iota(first.begin(), first.end(), 0);
  std::vector<std::size_t> numbers;
  std::vector<std::size_t> last;
  for (std::size_t layer = 1; layer <= layers; ++layer) {
    numbers.push_back(layer);
    last.push_back(layer * run.frames.size() - 1);
  }
  Growth over_frames = growth(run, run.frames, first);
  Growth over_layers = growth(run, numbers, last);
  return {std::move(run), std::move(over_frames), std::move(over_layers)};
}

}  // namespace

void check_accumulation(const AccumulationStudyRequest& request) {
  if (request.noises.empty()) throw bad_input("noise: none; expected at least one");
  for (const double noise : request.noises) check_range("noise", noise, 1e-6, 1.0);
  const behavioural::AccumulationRequest& chains = request.chains;
  check_range("frames", static_cast<double>(chains.frames), 1, kMaxFrames);
  check_range("layers", static_cast<double>(chains.layers), 1, kMaxLayers);
  check_range("chains", static_cast<double>(chains.chains), 1, kMaxChains);
  check_range("decay", chains.decay, 0.01, 1.0 - 1e-9);
}

MirrorNoise measure_mirror_noise(const design::DesignContext& context, double frame_seconds, Reporter& reporter) {
  return {context.operating_point(), frame_seconds,
          behavioural::mirror_noise(context.device_statistics(reporter), context.technology(),
                                    context.options().conditions.unit_current, frame_seconds)};
}

AccumulationStudy study_accumulation(const AccumulationStudyRequest& request, int jobs, Reporter& reporter,
                                     const StopFlag& stop) {
  check_accumulation(request);
  if (!request.folder.empty()) make_directories(request.folder);
  ThreadPool pool(jobs);
  AccumulationStudy study{request.chains, request.mirrors, request.noises, {}};
  if (study.mirrors) study.noises.insert(study.noises.begin(), study.mirrors->deviation);
  const std::size_t all = study.noises.size() * std::size(behavioural::kMemories);
  std::size_t done = 0;
  const auto interrupted = [&] { return interruption(fmt::format("{} of {} runs", done, all), request.folder); };
  for (const double noise : study.noises) {
    study.levels.push_back({noise, {}});
    behavioural::AccumulationRequest chains = request.chains;
    chains.noise = noise;
    for (const behavioural::Memory memory : behavioural::kMemories) {
      if (stop.requested()) throw interrupted();
      const StoredAccumulation stored(request.folder, memory, chains);
      std::optional<behavioural::Accumulation> run = stored.read();
      if (!run) {
        try {
          run = behavioural::accumulate_noise(memory, chains, pool, stop);
        } catch (const Error& error) {
          if (error.kind() != ErrorKind::kInterrupted) throw;
          throw interrupted();
        }
        stored.write(*run);
      }
      study.levels.back().memories.push_back(summarise(std::move(*run), chains.layers));
      reporter.progress("running chains of memories", ++done, all, "");
    }
  }
  return study;
}

}  // namespace hysteron::studies
