#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "commands.h"
#include "output.h"
#include "report/cell_report.h"
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
  OutputFlags print;
};

double positive_current(const std::string& text, const char* flag) {
  const double value = hysteron::parse_si(text, flag);
  if (!(value > 0.0 && value <= 1e-6)) {
    throw hysteron::bad_input(fmt::format("{} {}: expected a current above 0 and up to 1u", flag, text));
  }
  return value;
}

int run(const Options& options, Session& session) {
  const auto& table = hysteron::report::cell_table();
  const auto requirements = read_requirements(options.print, table.infos(), session.reporter);
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
  const hysteron::report::Json json = print_result(options.print, "", table, measured);
  hysteron::report::check_requirements(requirements, json);
  return 0;
}

}  // namespace

void add_cell_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "cell", "Measure the hysteresis loop of one memory cell in ngspice",
      "hysteron cell --pdk generic180 --i-thresh 500p --i-width 300p --i-gain 1n",
      [](Command& command, Options& options) {
        command.text("--i-thresh", options.threshold, "Upper threshold, in ampere").required();
        command.text("--i-width", options.width, "Hysteresis width, in ampere").required();
        command.text("--i-gain", options.gain, "Output current when on, in ampere").required();
        command.text("--corner", options.corner,
                     "Corner to measure at; the cell is calibrated, and measured uncalibrated, at the typical one");
        command.number(
            "--temperature", options.temperature,
            "Temperature to measure at, in degrees Celsius; the cell is calibrated, and measured uncalibrated, at 27");
        command.text("--loop", options.loop,
                     "CSV file for the whole loop: candidate, output on the way up, output on the way down");
        add_require_flag(command, options.print, hysteron::report::cell_table().infos());
        add_json_flag(command, options.print);
        add_technology_flags(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
