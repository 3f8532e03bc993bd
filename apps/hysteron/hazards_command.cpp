#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "commands.h"
#include "data/npy.h"
#include "design/prepared_model.h"
#include "studies/hazard_study.h"

namespace {

using hysteron::format_si;

constexpr std::size_t kGlitchesShown = 20;

struct Options {
  DesignFlags design;
  std::filesystem::path output;
  hysteron::studies::HazardRequest request;
  bool json = false;
};

void print_trial(const hysteron::studies::HazardStudy& before, const hysteron::studies::MitigationTrial& after) {
  fmt::print("\n{:<34}{:>10}{:>8}{:>12}{:>17}{:>16}\n", "", "glitches", "flips", "wrong bits", "frame agreement",
             "state mismatch");
  const auto row = [](const std::string& name, const auto& study) {
    fmt::print("{:<34}{:>10}{:>8}{:>12}{:>17.4f}{:>16.4f}\n", name, study.counts.armed, study.counts.flips,
               study.divergence.bits, study.agreement.frame_agreement, study.agreement.state_mismatch);
  };
  row("as it is", before);
  row(after.mitigation.flag + " " + after.mitigation.value, after);
  if (after.failed > 0) fmt::print("{} clips could not be simulated with it\n", after.failed);
}

void print_study(const hysteron::studies::HazardStudy& study) {
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
  fmt::print("{}", hysteron::studies::advice_text(study.advice));
  if (study.trial) print_trial(study, *study.trial);
  if (study.fastest_frame <= 0.0) return;
  fmt::print("\n{:>11}{:>17}{:>16}\n", "frame", "frame agreement", "state mismatch");
  for (const auto& point : study.rates) {
    fmt::print("{:>11}{:>17.4f}{:>16.4f}  {}\n", format_si(point.frame_seconds, "s"), point.frame_agreement,
               point.state_mismatch, point.holds ? "holds" : "");
  }
  fmt::print("a frame agreement of at least {:.4f} holds up to {:.4g} frames a second\n", study.target_agreement,
             1.0 / study.fastest_frame);
}

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace studies = hysteron::studies;
  design::DesignRequest request = read_design_flags(options.design);
  if (!options.output.empty()) {
    hysteron::make_directories(options.output);
    request.sizes = options.output / "sizes.json";
  }
  design::CircuitOptions circuit = read_circuit_flags(options.design.circuit, request.given);
  if (!options.output.empty()) circuit.stored_runs = options.output / "runs";
  const design::DesignContext context(circuit, session.reporter, session.stop);
  const design::Design dut = design::build_design(context, std::move(request), session.reporter);
  const studies::HazardStudy study = studies::study_hazards(dut, options.request, session.reporter);
  const nlohmann::json json = studies::hazard_json(study, dut.compiled.frame_seconds);
  if (!options.output.empty()) hysteron::write_file(options.output / "hazards.json", json.dump(1) + "\n");
  if (options.json) {
    fmt::print("{}\n", json.dump());
  } else {
    print_study(study);
  }
  if (study.failed.empty() && study.trial && study.trial->failed > 0) {
    throw hysteron::simulator_error(fmt::format("{} of {} clips could not be simulated with {} {}", study.trial->failed,
                                                dut.clips.size(), study.trial->mitigation.flag,
                                                study.trial->mitigation.value));
  }
  if (!study.failed.empty()) {
    throw hysteron::simulator_error(
        fmt::format("{} of {} clips could not be simulated", study.failed.size(), dut.clips.size()));
  }
  return 0;
}

}  // namespace

void add_hazards_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "hazards", "Find glitches between frames, settling times and the highest frame rate of a circuit",
      "hysteron hazards model.safetensors --input test.npy --pdk gf180mcu --clips 0,3 --rate\n"
      "  hysteron hazards model.safetensors --input test.npy --clips 0,3 --cell-capacitance 0 --try\n"
      "  hysteron hazards model.safetensors --input test.npy --clips 0,3 --cell-capacitance 50f --input-ramp 1m",
      [](Command& command, Options& options) {
        add_design_flags(command, options.design);
        command.path("-o,--output", options.output,
                     "Folder for hazards.json, sizes and every run of ngspice; the same command again simulates only "
                     "what is missing there");
        command.flag("--try", options.request.try_advice,
                     "Run the clips again with the first suggested mitigation and report what it did");
        command.flag("--rate", options.request.search_rate,
                     "Look for the shortest frame time at which agreement holds; simulates the clips about ten times");
        command
            .number("--least-agreement", options.request.min_agreement,
                    "Frame agreement that has to hold (or that of the circuit's own frame time, if neither it nor 16 "
                    "times as long a one reaches this)")
            .range(0.0, 1.0)
            .shown();
        command.shared(hysteron::parameters::kJson, options.json);
      },
      [&session](const Options& options) { return run(options, session); });
}
