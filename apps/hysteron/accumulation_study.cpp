#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "hysteron/flow/noise_study.h"
#include "study_commands.h"

namespace {

struct Options {
  hysteron::flow::AccumulationStudyRequest request;
  int jobs = 0;
  bool json = false;
};

void print_growth(const hysteron::flow::Growth& growth, const char* what) {
  fmt::print("  {:<8}", what);
  for (const std::size_t at : growth.at) fmt::print("{:>9}", at);
  fmt::print("   exponent\n  {:<8}", "error");
  for (const double error : growth.error) fmt::print("{:>8.3g}%", 100.0 * error);
  fmt::print("   {:.3f} +- {:.3f}\n", growth.exponent.value, growth.exponent.half_interval);
}

int run(const Options& options, Session& session) {
  namespace flow = hysteron::flow;
  const auto levels = flow::study_accumulation(options.request, options.jobs, session.reporter, session.stop);
  if (options.json) {
    fmt::print("{}\n", flow::accumulation_json(levels, options.request).dump());
    return 0;
  }
  for (const auto& level : levels) {
    for (const auto& result : level.memories) {
      fmt::print("{}, mirrors off by {:g} %\n", hysteron::behavioural::name_of(result.run.memory), 100.0 * level.noise);
      print_growth(result.over_frames, "frames");
      print_growth(result.over_layers, "layers");
    }
  }
  return 0;
}

void declare(CLI::App& command, Options& options) {
  auto& request = options.request.chains;
  command.add_option("--noise", options.request.noises, "Relative deviations of every mirror's current in a frame")
      ->delimiter(',')
      ->capture_default_str();
  const auto count = [&](const char* name, std::size_t& value, const char* help) {
    command.add_option(name, value, help)->check(not_negative())->capture_default_str();
  };
  count("--frames", request.frames, "Frames that the value is kept");
  count("--layers", request.layers, "Layers it goes through");
  count("--chains", request.chains, "Independent chains");
  command.add_option("--decay", request.decay, "What the linear memories keep of a value from frame to frame")
      ->capture_default_str();
  add_seed(command, "--seed", request.seed, "Of values and noise")->default_str(std::to_string(request.seed));
  command.add_option("-j,--jobs", options.jobs, "Threads; 0 takes all")->check(CLI::Range(0, 1024));
  command.add_flag("--json", options.json, "Print one JSON object");
}

}  // namespace

void add_accumulation_study(CLI::App& study, Session& session) {
  add_command<Options>(study, session, "accumulation",
                       "Keep a value in bistable cells and in linear memories made of the same noisy mirrors",
                       "hysteron study accumulation --noise 0.01,0.1 --frames 1000 --layers 8", declare,
                       [&session](const Options& options) { return run(options, session); });
}
