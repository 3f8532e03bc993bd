#include <fmt/format.h>

#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "base/check_range.h"
#include "base/error.h"
#include "base/file.h"
#include "base/interruption.h"
#include "base/parallel.h"
#include "design/finite_or_null.h"
#include "studies/noise_study.h"

namespace hysteron::studies {
namespace {

using Json = nlohmann::ordered_json;

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

Json numbers_json(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(design::finite_or_null(value));
  return list;
}

std::vector<double> numbers_of(const Json& list) {
  std::vector<double> values;
  for (const Json& value : list) {
    values.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  }
  return values;
}

/// What one memory did under one noise, in a file of its own. The key is of all that decides it.
class KeptRun {
 public:
  KeptRun(const std::filesystem::path& folder, behavioural::Memory memory,
          const behavioural::AccumulationRequest& request)
      : memory_(memory),
        key_(fmt::format("2 {} {} {} {} {} {} {}", behavioural::name_of(memory), request.noise, request.frames,
                         request.layers, request.chains, request.decay, request.seed)) {
    if (!folder.empty()) {
      path_ = folder / fmt::format("noise_{}_{}.json", request.noise, behavioural::name_of(memory));
    }
  }

  /// Nothing where it is not there, stale or not whole.
  std::optional<behavioural::Accumulation> read() const {
    std::error_code ignored;
    if (path_.empty() || !std::filesystem::is_regular_file(path_, ignored)) return std::nullopt;
    try {
      const Json json = Json::parse(read_file(path_));
      if (json.at("key") != key_) return std::nullopt;
      behavioural::Accumulation run;
      run.memory = memory_;
      json.at("frames").get_to(run.frames);
      json.at("wrong_bits").get_to(run.wrong_bits);
      run.errors = numbers_of(json.at("errors"));
      run.all_errors = numbers_of(json.at("all_errors"));
      return run;
    } catch (const Json::exception&) {
      return std::nullopt;
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  void write(const behavioural::Accumulation& run) const {
    if (path_.empty()) return;
    const Json json = {{"key", key_},
                       {"frames", run.frames},
                       {"errors", numbers_json(run.errors)},
                       {"all_errors", numbers_json(run.all_errors)},
                       {"wrong_bits", run.wrong_bits}};
    write_file(path_, json.dump() + "\n");
  }

 private:
  behavioural::Memory memory_;
  std::string key_;
  std::filesystem::path path_;
};

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
  if (request.noises.empty()) throw bad_input("--noise: expected at least one");
  for (const double noise : request.noises) check_range("--noise", noise, 1e-6, 1.0);
  const behavioural::AccumulationRequest& chains = request.chains;
  check_range("--frames", static_cast<double>(chains.frames), 1, kMaxFrames);
  check_range("--layers", static_cast<double>(chains.layers), 1, kMaxLayers);
  check_range("--chains", static_cast<double>(chains.chains), 1, kMaxChains);
  check_range("--decay", chains.decay, 0.01, 1.0 - 1e-9);
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
      const KeptRun kept(request.folder, memory, chains);
      std::optional<behavioural::Accumulation> run = kept.read();
      if (!run) {
        try {
          run = behavioural::accumulate_noise(memory, chains, pool, stop);
        } catch (const Error& error) {
          if (error.kind() != ErrorKind::kInterrupted) throw;
          throw interrupted();
        }
        kept.write(*run);
      }
      study.levels.back().memories.push_back(summarise(std::move(*run), chains.layers));
      reporter.progress("running chains of memories", ++done, all, "");
    }
  }
  return study;
}

}  // namespace hysteron::studies
