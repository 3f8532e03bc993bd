#include <fmt/format.h>

#include <filesystem>
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
#include "model/die_file.h"
#include "output.h"
#include "report/compare_report.h"
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
  OutputFlags print;
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
  const studies::WrittenStimulus written = studies::write_stimulus(
      options.stimulus, stimulus, network, {circuit.conditions.unit_current, circuit.mitigations.input_ramp});
  for (const auto& at : stimulus.unreached) {
    session.reporter.warning(fmt::format(
        "layer {}, cell {}: found no input within {:g} unit currents that crosses its {} threshold{}", at.layer,
        at.cell, options.largest, at.sets ? "upper" : "lower", at.layer > 0 ? " without switching a cell below" : ""));
  }
  OutputFlags flags = options.print;
  flags.folder = options.stimulus;
  print_result(flags, "stimulus.json", hysteron::report::stimulus_table(), written);
  return 0;
}

hysteron::studies::CompareRequest request_of(const Options& options, const hysteron::design::CircuitOptions& circuit) {
  hysteron::studies::CompareRequest request;
  request.measured = options.measured;
  request.clips = options.clips;
  request.scale.unit_current = circuit.conditions.unit_current;
  if (!options.begin.empty()) request.scale.begin = hysteron::parse_si(options.begin, "--begin");
  if (!options.transresistance.empty()) {
    request.scale.transresistance = hysteron::parse_si(options.transresistance, "--transresistance");
    if (!(*request.scale.transresistance > 0.0)) throw usage("--transresistance: expected a value above 0, in ohm");
  }
  request.supply = options.supply;
  request.seed = options.seed;
  return request;
}

int compare(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace report = hysteron::report;
  namespace studies = hysteron::studies;
  const auto& table = report::compare_table();
  const auto requirements = read_requirements(options.print, table.infos(), session.reporter);
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
        fmt::format("the chip's signals are {:.3g} times the model's; check the units in the record, --unit-current "
                    "and --transresistance",
                    ratio));
  }
  const report::Json json = print_result(options.print, "", table, comparison);
  // Last, so that what is refused there can be read above.
  if (!options.die.empty()) {
    hysteron::model::write_die_file(options.die, comparison.fit.errors, network, options.model.filename().string(),
                                    report::die_measurements_table().json(comparison).tree());
  }
  report::check_requirements(requirements, json);
  return 0;
}

int run(const Options& options, Session& session) {
  if (options.stimulus.empty() && options.measured.empty()) {
    throw usage("compare: expected either --stimulus, to write a stimulus, or --measured, to read a record");
  }
  if (!options.stimulus.empty()) return make_stimulus(options, session);
  if (options.input.empty()) throw usage("compare: --measured requires --input with the features that were played");
  return compare(options, session);
}

}  // namespace

void add_compare_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "compare", "Compare a fabricated chip's waveforms with the model and extract the chip's constants",
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
                         "Transresistance, in ohm, by which currents were measured as voltages"),
            command.number("--supply", options.supply,
                           "Supply voltage, to compute power (default: power is not reported)"),
            command.path("--write-die", options.die,
                         "Write the chip's constants to this file, for run, eval and train")};
        for (const Option& option : of_a_record) option.excludes(stimulus);
        command.option("--supply").range(hysteron::parameters::kSupply.min, hysteron::parameters::kSupply.max);
        command.shared(hysteron::parameters::kUnitCurrent, options.circuit.options.conditions.unit_current);
        command.shared(hysteron::parameters::kInputRamp, options.circuit.options.mitigations.input_ramp);
        add_frame_time_flag(command, options.circuit);
        command
            .number("--largest", options.largest,
                    "Stimulus: largest input, in unit currents; above 6 only for thresholds that need it")
            .range(0.1, 100.0)
            .shown()
            .needs(stimulus);
        command.seed("--seed", options.seed, "the stimulus' random parts and of the bootstrap");
        add_require_flag(command, options.print, hysteron::report::compare_table().infos());
        add_json_flag(command, options.print);
      },
      [&session](const Options& options) { return run(options, session); });
}
