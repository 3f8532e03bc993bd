#include "studies/cell_study.h"

#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "output.h"
#include "report/cell_study_report.h"
#include "study_commands.h"

namespace {

struct Options {
  CircuitFlags circuit;
  hysteron::analysis::CellStudyRequest request;
  std::vector<std::string> currents;
  std::vector<std::string> fitted;
  std::string output = "cell.json";
  OutputFlags print;
};

void declare(Command& command, Options& options) {
  add_technology_flags(command, options.circuit);
  hysteron::analysis::CellStudyRequest& request = options.request;
  command.texts("--currents", options.currents, "Currents of the sweeps, ampere, separated by commas (10p ... 3n)");
  command.texts("--linearity", options.fitted,
                "Currents to fit lines over, in ampere, at least two different ones (100p ... 400p)");
  command.numbers("--supplies", request.supplies, "Supplies, volt").shown();
  command.numbers("--temperatures", request.temperatures, "Temperatures, in degrees Celsius").shown();
  command.texts("--corners", request.corners, "Corners (default: all of the technology's)");
  command.number("--supply-step", request.supply_step, "Step of the search for the smallest supply, in volt")
      .range(0.001, 1.0)
      .shown();
  command.number("--retention", request.retention_seconds, "Simulated seconds for which a state must hold")
      .range(0.1, 1e6)
      .shown();
  command.text("-o,--output", options.output, "JSON file with every point").shown();
  add_require_flag(command, options.print, hysteron::report::cell_study_table().infos());
  command.flag("--json", options.print.json, "Print one JSON object: the study without its individual points");
}

/// Puts what the flag `name` gives in place of `currents`, if it gives any.
void read_currents(const std::vector<std::string>& texts, const char* name, std::vector<double>& currents) {
  if (!texts.empty()) currents.clear();
  for (const std::string& text : texts) currents.push_back(hysteron::parse_si(text, name));
}

int run(Options options, Session& session) {
  namespace report = hysteron::report;
  const auto& table = report::cell_study_table();
  const auto requirements = read_requirements(options.print, table.infos(), session.reporter);
  hysteron::check_writable(options.output, "--output");
  read_currents(options.currents, "--currents", options.request.currents);
  read_currents(options.fitted, "--linearity", options.request.fitted);
  const hysteron::design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  hysteron::studies::check_cell_study(options.request,
                                      hysteron::technology::load_technology(circuit.technology, circuit.pdk_root));
  const hysteron::design::DesignContext context(circuit, session.reporter, session.stop);
  report::CellStudyResult result{hysteron::studies::study_cells(context, options.request, session.reporter), {}};
  write_json(options.output, table.json(result));
  result.output = options.output;
  const report::Json json = print_result(options.print, "", table, result);
  report::check_requirements(requirements, json);
  return 0;
}

}  // namespace

void add_cell_study(Command& study, Session& session) {
  add_command<Options>(study, session, "cell",
                       "Characterise the nine-transistor cell over currents, supply, temperature and corner",
                       "hysteron study cell --pdk generic180 -o cell.json", declare,
                       [&session](const Options& options) { return run(options, session); });
}
