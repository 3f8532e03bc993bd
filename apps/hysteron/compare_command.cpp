#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "commands.h"
#include "data/npy.h"
#include "studies/compare.h"

namespace {

struct Options {
  CircuitFlags circuit;
  std::filesystem::path model;
  std::filesystem::path stimulus;
  double largest = hysteron::analysis::StimulusRequest{}.largest;
  std::vector<std::filesystem::path> measured;
  std::filesystem::path input;
  std::vector<std::size_t> clips;
  std::string begin;
  std::string transresistance;
  std::optional<double> supply;
  std::filesystem::path die;
  std::uint64_t seed = 1;
  bool json = false;
};

constexpr double kFarOff = 2.0;  // times the model's: levels that no mismatch makes

hysteron::Error usage(const std::string& message) { return {hysteron::ErrorKind::kUsage, message}; }

int make_stimulus(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace studies = hysteron::studies;
  const hysteron::model::Network network = read_circuit_model(options.model, options.circuit);
  const design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  hysteron::analysis::StimulusRequest request;
  request.largest = options.largest;
  request.seed = options.seed;
  const auto stimulus = hysteron::analysis::make_stimulus(network, request);
  const auto json = studies::write_stimulus(options.stimulus, stimulus, network,
                                            {circuit.conditions.unit_current, circuit.mitigations.input_ramp});
  for (const auto& at : stimulus.unreached) {
    session.reporter.warning(fmt::format(
        "layer {}, cell {}: no input within {:g} unit currents was found that passes its {} threshold{}", at.layer,
        at.cell, options.largest, at.sets ? "upper" : "lower", at.layer > 0 ? " while the cells below stay" : ""));
  }
  if (options.json) {
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("{}: {} frames of {}, {} ramps, {} thresholds without one\n", options.stimulus.string(),
               stimulus.features.frames, hysteron::format_si(network.frame_seconds, "s"), stimulus.ramps.size(),
               stimulus.unreached.size());
  }
  return 0;
}

std::string text_of(const hysteron::analysis::Estimate& estimate) {
  if (!estimate.known()) return "not measured";
  return fmt::format("{:.5g}  ({:.5g} to {:.5g})", estimate.value, estimate.interval.low, estimate.interval.high);
}

void print_claims(const hysteron::studies::Comparison& comparison) {
  fmt::print("\n{:<24}{}{}\n", "does what software does", name_of(comparison.agreement.as_software),
             comparison.agreement.as_software == hysteron::analysis::Verdict::kConfirmed
                 ? ""
                 : "  (clips of real use tell; a stimulus lingers at thresholds)");
  fmt::print("{:<24}{}\n", "errors do not grow", name_of(comparison.growth.bounded));
  const auto& cells = comparison.suppression.cells;
  const auto known = std::count_if(cells.begin(), cells.end(), [](const auto& cell) {
    return cell.on && std::isfinite(cell.ratio.low) && std::isfinite(cell.ratio.high);
  });
  const auto all = std::count_if(cells.begin(), cells.end(), [](const auto& cell) { return cell.on; });
  fmt::print("{:<24}{}  ({} of {} cells were on often enough)\n\n", "suppression 20 or more",
             name_of(comparison.suppression.claim), known, all);
}

void print_cells(const hysteron::studies::Comparison& comparison, const hysteron::model::Network& network) {
  fmt::print(
      "off the model's beta_hi, beta_lo and alpha (unit currents where that is 0); -: no ramp that counts, or no "
      "hold\n");
  fmt::print("{:<8}{:<6}{:>12}{:>12}{:>12}\n", "layer", "cell", "rise", "fall", "high");
  for (const auto& cell : comparison.thresholds.cells) {
    const auto& layer = network.layers[cell.layer];
    const auto j = static_cast<Eigen::Index>(cell.cell);
    const auto off = [](const hysteron::analysis::Estimate& found, double target) {
      if (!found.known()) return std::string("-");
      return target > 0.0 ? fmt::format(" {:+.2f} %", 100.0 * (found.value / target - 1.0))
                          : fmt::format(" {:.4f}", found.value);
    };
    fmt::print("{:<8}{:<6}{:>12}{:>12}{:>12}\n", cell.layer, cell.cell, off(cell.rise, layer.beta_hi[j]),
               off(cell.fall, layer.beta_lo[j]), off(cell.high, layer.alpha[j]));
  }
}

void print_text(const hysteron::studies::Comparison& comparison, const hysteron::model::Network& network) {
  const auto& a = comparison.agreement;
  const std::pair<const char*, const hysteron::analysis::Estimate*> figures[] = {
      {"decision agreement", &a.decision_agreement},
      {"frame agreement", &a.frame_agreement},
      {"state mismatch", &a.state_mismatch},
      {"candidate error, RMS", &a.candidate_rms},
      {"  relative", &a.candidate_relative_rms},
      {"state error, RMS", &a.state_rms},
      {"  over alpha", &a.state_relative_rms},
      {"logit error, RMS", &a.logit_rms},
      {"growth of state errors", &comparison.growth.growth}};
  fmt::print("{} clips, {} blocks of frames; 95 % intervals in brackets, errors in unit currents\n", a.clips, a.blocks);
  fmt::print("frame 0 begins at {:.6g} s\n\n", fmt::join(comparison.begins, ", "));
  for (const auto& [name, estimate] : figures) fmt::print("{:<24}{}\n", name, text_of(*estimate));
  if (comparison.power) {
    fmt::print("{:<24}{} = {} + {} of the cells\n", "power", hysteron::format_si(comparison.power->total, "W"),
               hysteron::format_si(comparison.power->feedforward, "W"),
               hysteron::format_si(comparison.power->cells, "W"));
  }
  print_claims(comparison);
  print_cells(comparison, network);
  if (std::isfinite(comparison.fit.before)) {
    fmt::print(
        "\nwith the chip's constants candidates and logits are {:.5f} off, without {:.5f} (RMS, unit currents)\n",
        comparison.fit.after, comparison.fit.before);
  } else {
    fmt::print("\nneither candidates nor logits were measured: no constants of weights and biases\n");
  }
}

hysteron::studies::CompareRequest request_of(const Options& options, const hysteron::design::CircuitOptions& circuit) {
  hysteron::studies::CompareRequest request;
  request.measured = options.measured;
  request.clips = options.clips;
  request.scale.unit_current = circuit.conditions.unit_current;
  if (!options.begin.empty()) request.scale.begin = hysteron::parse_si(options.begin, "--begin");
  if (!options.transresistance.empty()) {
    request.scale.transresistance = hysteron::parse_si(options.transresistance, "--transresistance");
    if (!(*request.scale.transresistance > 0.0)) throw usage("--transresistance: expected ohm above 0");
  }
  request.supply = options.supply;
  request.seed = options.seed;
  return request;
}

int compare(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace studies = hysteron::studies;
  const design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  const hysteron::model::Network network = read_circuit_model(options.model, options.circuit);
  if (!options.die.empty()) hysteron::check_writable(options.die, "--write-die");
  const hysteron::data::Features features = hysteron::data::read_npy(options.input);
  studies::CompareRequest request = request_of(options, circuit);
  if (request.clips.empty()) {
    request.clips.resize(request.measured.size());
    std::iota(request.clips.begin(), request.clips.end(), std::size_t{0});
  }
  design::check_clips(network, features, request.clips, hysteron::quoted(options.input.string()));
  const studies::Comparison comparison = studies::compare(network, features, request);
  const double ratio = comparison.level_ratio;
  if (ratio < 1.0 / kFarOff || ratio > kFarOff) {
    session.reporter.warning(
        fmt::format("signals of the chip are {:.3g} times the model's; see the units of the record, --unit-current and "
                    "--transresistance",
                    ratio));
  }
  if (options.json) {
    fmt::print("{}\n", studies::comparison_json(comparison, network).dump());
  } else {
    print_text(comparison, network);
  }
  // Last, so that what is refused there can be read above.
  if (!options.die.empty()) studies::write_die(options.die, comparison, network, options.model.filename().string());
  return 0;
}

int run(const Options& options, Session& session) {
  if (options.stimulus.empty() && options.measured.empty()) {
    throw usage(
        "compare: expected either --stimulus, to make what a bench plays, or --measured, to read what it recorded");
  }
  if (!options.stimulus.empty()) return make_stimulus(options, session);
  if (options.input.empty()) throw usage("compare: --measured needs --input, the features that were played");
  return compare(options, session);
}

}  // namespace

void add_compare_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "compare", "Compare a fabricated chip's waveforms with the model, and find the chip's constants",
      "hysteron compare model.safetensors --stimulus bench\n"
      "  hysteron compare model.safetensors --measured bench.csv --input bench/stimulus.npy --write-die die.json\n"
      "  hysteron compare model.safetensors --measured clip0.csv clip1.csv --input test.npy --clips 0,1",
      [](Command& command, Options& options) {
        command.path("model", options.model, "Model file").required();
        const Option stimulus =
            command.path("--stimulus", options.stimulus,
                         "Write into this folder what a bench is to play so that every threshold is passed: features, "
                         "input currents, a description");
        const Option of_a_record[] = {
            command.paths("--measured", options.measured,
                          "Waveforms of a bench, a file a clip: CSV with units in the header, or safetensors as verify "
                          "--waveforms writes it"),
            command.path("--input", options.input, "Features that were played, [clips, frames, inputs] float32 .npy"),
            command.counts("--clips", options.clips, "Clip of each file (default: 0, 1, ...)"),
            command.text("--begin", options.begin,
                         "Second of the record at which frame 0 begins (default: its beginning, or where it fits best "
                         "if the record is longer than the frames)"),
            command.text("--transresistance", options.transresistance,
                         "Ohm: what made the voltages that were measured of currents"),
            command.number("--supply", options.supply, "Supply voltage, for the power (default: none is reported)"),
            command.path("--write-die", options.die,
                         "Write the chip's constants to this file, for run, eval and train")};
        for (const Option& option : of_a_record) option.excludes(stimulus);
        command.option("--supply").range(hysteron::parameters::kSupply.min, hysteron::parameters::kSupply.max);
        command.shared(hysteron::parameters::kUnitCurrent, options.circuit.options.conditions.unit_current);
        command.shared(hysteron::parameters::kInputRamp, options.circuit.options.mitigations.input_ramp);
        add_frame_time_flag(command, options.circuit);
        command
            .number("--largest", options.largest,
                    "Stimulus: largest input, in unit currents; beyond 6 only for thresholds that need it")
            .range(0.1, 100.0)
            .shown()
            .needs(stimulus);
        command.seed("--seed", options.seed, "the stimulus' random parts and of the bootstrap");
        command.shared(hysteron::parameters::kJson, options.json);
      },
      [&session](const Options& options) { return run(options, session); });
}
