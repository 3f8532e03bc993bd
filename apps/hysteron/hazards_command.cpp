#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "circuit_options.h"
#include "commands.h"
#include "hysteron/base/error.h"
#include "hysteron/base/units.h"
#include "hysteron/data/npy.h"
#include "hysteron/flow/centring.h"
#include "hysteron/flow/hazard_study.h"

namespace {

using hysteron::format_si;

constexpr std::size_t kGlitchesShown = 20;

struct Options {
  CircuitFlags circuit;
  std::filesystem::path model;
  std::filesystem::path input;
  std::filesystem::path center;
  hysteron::flow::HazardRequest request;
  bool json = false;
};

void print_trial(const hysteron::flow::HazardStudy& before, const hysteron::flow::MendTrial& after) {
  fmt::print("\n{:<34}{:>10}{:>8}{:>12}{:>17}{:>16}\n", "", "glitches", "flips", "wrong bits", "frame agreement",
             "state mismatch");
  const auto row = [](const std::string& name, const auto& study) {
    fmt::print("{:<34}{:>10}{:>8}{:>12}{:>17.4f}{:>16.4f}\n", name, study.counts.armed, study.counts.flips,
               study.divergence.bits, study.agreement.frame_agreement, study.agreement.state_mismatch);
  };
  row("as it is", before);
  row(after.mend.flag + " " + after.mend.value, after);
  if (after.failed > 0) fmt::print("{} clips could not be simulated with it\n", after.failed);
}

void print_study(const hysteron::flow::HazardStudy& study) {
  fmt::print("{:<24}{:>6}{:>11}{:>11}{:>11}{:>11}  {}\n", "settling of", "rails", "median", "99 of 100", "worst",
             "unsettled", "slowest");
  for (const auto& rail : study.rails) {
    fmt::print("{:<24}{:>6}{:>11}{:>11}{:>11}{:>9.2f} %  {}\n", rail.kind, rail.rails,
               format_si(rail.seconds.median, "s"), format_si(rail.seconds.p99, "s"),
               format_si(rail.seconds.worst, "s"), 100.0 * rail.seconds.unsettled, rail.slowest);
  }
  const auto& counts = study.counts;
  fmt::print("\n{} glitches, {} of them on cells that could flip, {} of which did; largest {:.3f} unit currents\n",
             counts.all, counts.armed, counts.flips, counts.largest);
  if (!study.glitches.empty()) {
    fmt::print("{:>6}{:>7}{:>7}{:>6}  {:<10}{:>8}{:>10}  {}\n", "clip", "frame", "layer", "cell", "beyond", "by", "for",
               "");
  }
  for (std::size_t i = 0; i < std::min(kGlitchesShown, study.glitches.size()); ++i) {
    const auto& [clip, glitch] = study.glitches[i];
    fmt::print("{:>6}{:>7}{:>7}{:>6}  {:<10}{:>8.3f}{:>10}  {}\n", clip, glitch.frame, glitch.layer, glitch.cell,
               glitch.is_upper ? "beta_hi" : "beta_lo", glitch.size, format_si(glitch.seconds, "s"),
               glitch.flipped ? "flipped" : "");
  }
  if (study.glitches.size() > kGlitchesShown) {
    fmt::print("... and {} smaller ones (--json has all)\n", study.glitches.size() - kGlitchesShown);
  }
  fmt::print("{}", hysteron::flow::advice_text(study.advice));
  if (study.trial) print_trial(study, *study.trial);
  if (study.fastest_frame <= 0.0) return;
  fmt::print("\n{:>11}{:>17}{:>16}\n", "frame", "frame agreement", "state mismatch");
  for (const auto& point : study.rates) {
    fmt::print("{:>11}{:>17.4f}{:>16.4f}  {}\n", format_si(point.frame_seconds, "s"), point.frame_agreement,
               point.state_mismatch, point.holds ? "holds" : "");
  }
  fmt::print("a frame agreement of at least {:.4f} holds up to {:.4g} frames a second\n", study.wanted_agreement,
             1.0 / study.fastest_frame);
}

int run(Options options, Session& session) {
  namespace flow = hysteron::flow;
  const hysteron::model::Network network = read_circuit_model(options.model, options.circuit);
  const hysteron::data::Features features = hysteron::data::read_npy(options.input);
  options.request.clips =
      flow::check_clips(network, features, options.request.clips, hysteron::quoted(options.input.string()));
  const auto centring_features = flow::read_training_features(options.center, network);
  const flow::Workshop workshop(read_circuit_flags(options.circuit, network), session.reporter, session.stop);
  hysteron::technology::check_corner(workshop.technology(), options.request.conditions.corner);
  const flow::Target target = flow::make_target(workshop, network, centring_features, session.reporter, session.stop);
  const hysteron::compile::CompiledNetwork compiled =
      workshop.compile(target.network, session.reporter,
                       centring_features ? std::span(centring_features->values) : std::span<const float>());
  const flow::HazardStudy study = flow::study_hazards(workshop, target.compared_with(network), compiled, features,
                                                      options.request, session.reporter);
  if (options.json) {
    fmt::print("{}\n", flow::hazard_json(study, compiled.frame_seconds).dump());
  } else {
    print_study(study);
  }
  if (study.failed.empty() && study.trial && study.trial->failed > 0) {
    throw hysteron::simulator_error(fmt::format("{} of {} clips could not be simulated with {} {}", study.trial->failed,
                                                options.request.clips.size(), study.trial->mend.flag,
                                                study.trial->mend.value));
  }
  if (!study.failed.empty()) {
    throw hysteron::simulator_error(
        fmt::format("{} of {} clips could not be simulated", study.failed.size(), options.request.clips.size()));
  }
  return 0;
}

}  // namespace

void add_hazards_command(CLI::App& app, Session& session) {
  add_command<Options>(
      app, session, "hazards", "Find glitches between frames, settling times and the highest frame rate of a circuit",
      "hysteron hazards model.safetensors --input test.npy --pdk gf180mcu --clips 0,3 --rate\n"
      "  hysteron hazards model.safetensors --input test.npy --clips 0,3 --cell-capacitance 0 --try\n"
      "  hysteron hazards model.safetensors --input test.npy --clips 0,3 --cell-capacitance 50f --input-ramp 1m",
      [](CLI::App& command, Options& options) {
        command.add_option("model", options.model, "Model file")->required();
        command.add_option("--input", options.input, "Features, [clips, frames, inputs] float32 .npy")->required();
        command.add_option("--center", options.center,
                           "Training features, .npy: watch the circuit that verify --center makes of them");
        command.add_option("--clips", options.request.clips, "Indices of the clips to simulate (default: all)")
            ->delimiter(',')
            ->check(not_negative());
        command.add_option("--corner", options.request.conditions.corner, "Process corner to simulate in");
        command.add_flag("--try", options.request.try_advice,
                         "Run the clips again with the first of the mends that are offered, and say what it did");
        command.add_flag("--rate", options.request.search_rate,
                         "Look for the shortest frame time at which agreement holds; simulates the clips about ten "
                         "times");
        command
            .add_option("--least-agreement", options.request.least_agreement,
                        "Frame agreement that has to hold (or that of the circuit's own frame time, if neither it "
                        "nor 16 times as long a one reaches this)")
            ->check(CLI::Range(0.0, 1.0))
            ->capture_default_str();
        command.add_flag("--json", options.json, "Print one JSON object");
        add_circuit_flags(command, options.circuit);
        add_frame_time_flag(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
