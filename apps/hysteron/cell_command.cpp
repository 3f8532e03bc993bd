#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "commands.h"
#include "studies/cell_report.h"
#include "studies/cell_study.h"

namespace {

struct Options {
  CircuitFlags circuit;
  std::string threshold;
  std::string width;
  std::string gain;
  std::string corner;
  std::optional<double> temperature;
  std::string loop;
  bool json = false;
};

double positive_current(const std::string& text, const char* flag) {
  const double value = hysteron::parse_si(text, flag);
  if (!(value > 0.0 && value <= 1e-6)) {
    throw hysteron::bad_input(fmt::format("{} {}: expected a current above 0 and up to 1u", flag, text));
  }
  return value;
}

int run(const Options& options, Session& session) {
  const double threshold = positive_current(options.threshold, "--i-thresh");
  const double width = positive_current(options.width, "--i-width");
  const double gain = positive_current(options.gain, "--i-gain");
  if (width >= threshold) {
    throw hysteron::bad_input("--i-width: expected less than --i-thresh; the cell would never reset");
  }
  const hysteron::studies::CellRequest request = {
      threshold, width, gain, options.corner, options.temperature, !options.loop.empty()};
  const hysteron::design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  hysteron::studies::check_cell(request, hysteron::technology::load_technology(circuit.technology, circuit.pdk_root),
                                circuit.conditions.supply);
  const hysteron::design::DesignContext context(circuit, session.reporter, session.stop);
  const auto measured = hysteron::studies::measure_cell(context, request, session.reporter);
  if (measured.curve) hysteron::write_file(options.loop, hysteron::analysis::loop_csv(*measured.curve));
  const hysteron::compile::CellLoop& loop = measured.loop.loop;
  const hysteron::compile::CellLoop& before = measured.cell.uncalibrated.loop;
  if (options.json) {
    nlohmann::ordered_json json = hysteron::studies::loop_json(loop);
    json["uncalibrated"] = hysteron::studies::loop_json(before);
    fmt::print("{}\n", json.dump());
    return 0;
  }
  using hysteron::format_si;
  const auto row = [](const char* name, double target, double value, double first) {
    fmt::print("{:<8} {:>10} {:>10} {:>10}\n", name, format_si(target, "A"), format_si(value, "A", 4),
               format_si(first, "A", 4));
  };
  fmt::print("{:<8} {:>10} {:>10} {:>10}\n", "", "wanted", "measured", "uncalibrated");
  row("rise", threshold, loop.rise, before.rise);
  row("fall", threshold - width, loop.fall, before.fall);
  row("high", gain, loop.high, before.high);
  row("low", 0.0, loop.low, before.low);
  fmt::print("uncalibrated: with the legs that the gain curves suggest, at {} and {:g} °C\n",
             context.technology().typical_corner, circuit.conditions.temperature);
  return 0;
}

}  // namespace

void add_cell_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "cell", "Measure the hysteresis loop of one memory cell in ngspice",
      "hysteron cell --pdk generic180 --i-thresh 500p --i-width 300p --i-gain 1n",
      [](Command& command, Options& options) {
        command.text("--i-thresh", options.threshold, "Upper threshold, ampere").required();
        command.text("--i-width", options.width, "Hysteresis width, ampere").required();
        command.text("--i-gain", options.gain, "Output when on, ampere").required();
        command.text("--corner", options.corner,
                     "Corner it is measured at; calibrated and shown uncalibrated at the typical one");
        command.number("--temperature", options.temperature,
                       "Degree Celsius it is measured at; calibrated and shown uncalibrated at 27");
        command.text("--loop", options.loop, "CSV file for the whole loop: candidate, output up, output down");
        command.shared(hysteron::parameters::kJson, options.json);
        add_technology_flags(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
