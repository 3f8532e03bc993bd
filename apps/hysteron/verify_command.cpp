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
#include "hysteron/base/units.h"
#include "hysteron/data/npy.h"
#include "hysteron/flow/centring.h"
#include "hysteron/flow/verification.h"
#include "hysteron/report/centring_report.h"
#include "hysteron/report/circuit_report.h"

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

std::string first_divergence(const hysteron::flow::VerifiedClip& clip) {
  if (!clip.divergence.first) return clip.divergence.bits > 0 ? "by consequence only" : "";
  const hysteron::analysis::CellEvent& event = *clip.divergence.first;
  return fmt::format("frame {}, layer {} cell {}: {}", event.frame, event.layer, event.cell,
                     hysteron::analysis::cause_name(event.cause));
}

void print_clips(const hysteron::flow::Verification& verification, const std::vector<std::string>& labels) {
  fmt::print("{:>6}  {:<12} {:<12} {:>8} {:>11} {:>9}  {}\n", "clip", "software", "circuit", "frames", "wrong bits",
             "ngspice", "first parts at");
  for (const auto& clip : verification.clips) {
    if (clip.failed) {
      fmt::print("{:>6}  failed: {}\n", clip.clip, clip.error);
      continue;
    }
    fmt::print("{:>6}  {:<12} {:<12} {:>7.1f}% {:>11} {:>7.1f} s  {}\n", clip.clip,
               labels[clip.agreement.software_decision], labels[clip.agreement.circuit_decision],
               100.0 * clip.agreement.frame_agreement, clip.divergence.bits, clip.spice_seconds,
               first_divergence(clip));
  }
}

void print_causes(const hysteron::analysis::Divergence& divergence) {
  namespace analysis = hysteron::analysis;
  if (divergence.bits == 0) return;
  fmt::print("\n{:<12}", "wrong bits");
  for (std::size_t c = 0; c < analysis::kCauses; ++c) {
    fmt::print(" {:>10}", analysis::cause_name(static_cast<analysis::Cause>(c)));
  }
  fmt::print(" {:>12} {:>8}\n", "consequence", "all");
  const auto row = [](const std::string& name, const auto& counts, std::size_t consequences, std::size_t all) {
    fmt::print("{:<12}", name);
    for (const analysis::CauseCount& count : counts) fmt::print(" {:>10}", count.bits);
    fmt::print(" {:>12} {:>8}\n", consequences, all);
  };
  for (std::size_t l = 0; l < divergence.cells.size(); ++l) {
    for (std::size_t j = 0; j < divergence.cells[l].size(); ++j) {
      const analysis::CellDivergence& cell = divergence.cells[l][j];
      if (cell.bits > 0) row(fmt::format("layer {} / {}", l, j), cell.causes, cell.consequences, cell.bits);
    }
  }
  row("all", divergence.causes, divergence.consequences, divergence.bits);
  fmt::print("{} frames with another decision, {} of them with every bit right\n", divergence.wrong_frames,
             divergence.wrong_frames_right_bits);
}

void print_figures(const hysteron::flow::Verification& verification) {
  using hysteron::format_si;
  const hysteron::analysis::Agreement& a = verification.agreement;
  fmt::print("\ndecision agreement  {:.4f}  ({} clips)\n", a.decision_agreement, a.clips);
  fmt::print("frame agreement     {:.4f}\n", a.frame_agreement);
  fmt::print("state mismatch      {:.4f}\n", a.state_mismatch);
  fmt::print("candidate error     {:.4f} rms, {:.4f} largest, {:.4f} relative (unit currents)\n", a.candidate_rms,
             a.candidate_max, a.candidate_relative_rms);
  fmt::print("state error         {:.5f} rms, {:.5f} largest over agreeing bits", a.state_rms, a.state_max);
  if (!a.state_cells.empty()) {
    const auto& worst = a.state_cells.front();
    fmt::print("; worst layer {} cell {}: {:.3f} % of its alpha when on", worst.layer, worst.cell,
               100.0 * worst.on_relative_rms);
  }
  fmt::print("\n");
  fmt::print("power               {} = {} cells + {} feedforward\n", format_si(a.power.total, "W"),
             format_si(a.power.cells, "W"), format_si(a.power.feedforward, "W"));
  const auto& settling = verification.settling;
  fmt::print("settling            {} candidates, {} states, {} logits (99 of 100 within)\n",
             format_si(settling.candidates.p99, "s"), format_si(settling.states.p99, "s"),
             format_si(settling.logits.p99, "s"));
  fmt::print("time                {:.1f} s ngspice, {:.4f} s software\n", verification.spice_seconds,
             verification.software_seconds);
}

int run(const Options& options, Session& session) {
  namespace flow = hysteron::flow;
  const auto limits = parse_limits(options.limits, hysteron::report::agreement_json({}));
  const hysteron::model::Network network = read_circuit_model(options.model, options.circuit);
  const hysteron::data::Features features = hysteron::data::read_npy(options.input);
  const auto clips = flow::check_clips(network, features, options.clips, hysteron::quoted(options.input.string()));
  flow::ClipFiles files = options.files;
  if (!options.output.empty()) files.records = options.output / "clips";
  flow::check_clip_files(files, clips.size());
  const auto centring_features = flow::read_centring_features(options.center, network);
  const flow::Workshop workshop(read_circuit_flags(options.circuit), session.reporter, session.stop);
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
    print_clips(verification, network.labels);
    print_causes(verification.divergence);
    print_figures(verification);
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
        command.add_option("--waveforms", options.files.waveforms,
                           "Folder for a file of waveforms a clip, or a file .safetensors for the only clip");
        command
            .add_option("--waveform-tolerance", options.files.tolerance,
                        "How far waveforms may be from what was simulated, in unit currents and volt")
            ->check(CLI::Range(1e-9, 1.0))
            ->capture_default_str();
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
