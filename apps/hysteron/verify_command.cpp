#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "circuit_options.h"
#include "commands.h"
#include "figure_limits.h"
#include "hysteron/base/error.h"
#include "hysteron/base/file.h"
#include "hysteron/data/npy.h"
#include "hysteron/flow/centring.h"
#include "hysteron/flow/verification.h"
#include "hysteron/report/centring_report.h"
#include "hysteron/report/circuit_report.h"
#include "verification_text.h"

namespace {

struct Options {
  CircuitFlags circuit;
  std::filesystem::path model;
  std::filesystem::path input;
  std::filesystem::path center;
  std::vector<std::size_t> clips;
  std::string corner;
  std::vector<std::string> limits;
  std::filesystem::path output;
  hysteron::flow::ClipFiles files;
  bool json = false;
};

int run(const Options& options, Session& session) {
  namespace flow = hysteron::flow;
  const auto limits = parse_limits(options.limits, hysteron::report::agreement_json({}));
  const hysteron::model::Network network = read_circuit_model(options.model, options.circuit);
  const hysteron::data::Features features = hysteron::data::read_npy(options.input);
  const auto clips = flow::check_clips(network, features, options.clips, hysteron::quoted(options.input.string()));
  flow::ClipFiles files = options.files;
  if (!options.output.empty()) files.records = options.output / "clips";
  flow::check_clip_files(files, clips.size());
  const auto centring_features = flow::read_training_features(options.center, network);
  const flow::Workshop workshop(read_circuit_flags(options.circuit, network), session.reporter, session.stop);
  hysteron::technology::check_corner(workshop.technology(), options.corner);
  const flow::SimulationConditions conditions{options.corner, {}, {}};
  const flow::Target target =
      flow::make_target(workshop, network, centring_features, session.reporter, session.stop, &features);
  const hysteron::compile::CompiledNetwork compiled =
      workshop.compile(target.network, session.reporter,
                       centring_features ? std::span(centring_features->values) : std::span<const float>(),
                       options.output.empty() ? std::filesystem::path() : options.output / "sizes.json");
  auto verification = flow::verify(workshop, target.compared_with(network), compiled, features, clips, conditions,
                                   session.reporter, files);
  flow::compare_with_given(network, target, features, verification, workshop.options().jobs);
  nlohmann::json json = flow::verification_json(verification, network);
  json.update(flow::target_json(target));
  if (!options.output.empty()) hysteron::write_file(options.output / "verify.json", json.dump(1) + "\n");
  if (options.json) {
    fmt::print("{}\n", json.dump());
  } else {
    if (target.centring) fmt::print("{}\n", hysteron::report::centring_table(*target.centring));
    print_verification(verification, network.labels);
  }
  if (verification.failed > 0) {
    throw hysteron::simulator_error(
        fmt::format("{} of {} clips could not be simulated", verification.failed, verification.clips.size()));
  }
  check_limits(limits, json);
  return 0;
}

}  // namespace

void add_verify_command(CLI::App& app, Session& session) {
  add_command<Options>(
      app, session, "verify", "Compare the software model with its circuit in ngspice, clip by clip",
      "hysteron verify model.safetensors --input test.npy --pdk generic180 --clips 0,3,7\n"
      "  hysteron verify model.safetensors --input test.npy --center training.npy\n"
      "  hysteron verify model.safetensors --input test.npy --output signoff --fail-under frame_agreement=0.99\n"
      "  hysteron verify model.safetensors --input test.npy --clips 3 --waveforms clip3.safetensors",
      [](CLI::App& command, Options& options) {
        command.add_option("model", options.model, "Model file")->required();
        command.add_option("--input", options.input, "Features, [clips, frames, inputs] float32 .npy")->required();
        command.add_option("--center", options.center,
                           "Training features, .npy: first move thresholds away from where candidates lie "
                           "(docs/centring.md); decisions still compare with the model as given");
        command.add_option("--clips", options.clips, "Indices of the clips to simulate (default: all)")
            ->delimiter(',')
            ->check(not_negative());
        command.add_option("--corner", options.corner, "Process corner to simulate in (default: typical)");
        command.add_option("-o,--output", options.output,
                           "Folder for verify.json and a file a clip; the same command again simulates only what is "
                           "missing there");
        add_waveform_flags(command, options.files);
        command
            .add_option("--fail-under", options.limits,
                        "METRIC=VALUE; exit with 5 if an agreement is below it or an error above it")
            ->take_all();
        command.add_flag("--json", options.json, "Print one JSON object");
        add_circuit_flags(command, options.circuit);
        add_frame_time_flag(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
