#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "circuit_options.h"
#include "commands.h"
#include "hysteron/base/error.h"
#include "hysteron/base/units.h"
#include "hysteron/flow/circuit.h"

namespace {

struct Options {
  CircuitFlags circuit;
  std::string threshold;
  std::string width;
  std::string gain;
  bool json = false;
};

double positive_current(const std::string& text, const char* flag) {
  const double value = hysteron::parse_si(text, flag);
  if (!(value > 0.0 && value <= 1e-6)) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage,
                          fmt::format("{}: expected a current above 0 and up to 1u", flag));
  }
  return value;
}

nlohmann::json loop_json(const hysteron::compile::CellLoop& loop) {
  return {{"rise", loop.rise}, {"fall", loop.fall}, {"high", loop.high}, {"low", loop.low}};
}

int run(const Options& options, Session& session) {
  const double threshold = positive_current(options.threshold, "--i-thresh");
  const double width = positive_current(options.width, "--i-width");
  const double gain = positive_current(options.gain, "--i-gain");
  if (width >= threshold) {
    throw hysteron::bad_input("--i-width: expected less than --i-thresh; the cell would never reset");
  }
  const hysteron::flow::Workshop workshop(read_circuit_flags(options.circuit), session.reporter, session.stop);
  const auto study = hysteron::flow::study_cell(workshop, {threshold, threshold - width, gain}, session.reporter);
  if (options.json) {
    nlohmann::json json = loop_json(study.loop);
    json["uncalibrated"] = loop_json(study.uncalibrated);
    fmt::print("{}\n", json.dump());
    return 0;
  }
  using hysteron::format_si;
  const auto row = [](const char* name, double wanted, double measured, double before) {
    fmt::print("{:<8} {:>10} {:>10} {:>10}\n", name, format_si(wanted, "A"), format_si(measured, "A", 4),
               format_si(before, "A", 4));
  };
  fmt::print("{:<8} {:>10} {:>10} {:>10}\n", "", "wanted", "measured", "uncalibrated");
  row("rise", threshold, study.loop.rise, study.uncalibrated.rise);
  row("fall", threshold - width, study.loop.fall, study.uncalibrated.fall);
  row("high", gain, study.loop.high, study.uncalibrated.high);
  row("low", 0.0, study.loop.low, study.uncalibrated.low);
  return 0;
}

}  // namespace

void add_cell_command(CLI::App& app, Session& session) {
  add_command<Options>(
      app, session, "cell", "Measure the hysteresis loop of one memory cell in ngspice",
      "hysteron cell --pdk generic180 --i-thresh 500p --i-width 300p --i-gain 1n",
      [](CLI::App& command, Options& options) {
        command.add_option("--i-thresh", options.threshold, "Upper threshold, ampere")->required();
        command.add_option("--i-width", options.width, "Hysteresis width, ampere")->required();
        command.add_option("--i-gain", options.gain, "Output when on, ampere")->required();
        command.add_flag("--json", options.json, "Print one JSON object");
        add_circuit_flags(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
