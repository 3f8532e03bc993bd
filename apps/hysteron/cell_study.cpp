#include "studies/cell_study.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "study_commands.h"

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  CircuitFlags circuit;
  hysteron::analysis::CellStudyRequest request;
  std::vector<std::string> currents;
  std::vector<std::string> fitted;
  std::string output = "cell.json";
  bool json = false;
};

void declare(Command& command, Options& options) {
  add_technology_flags(command, options.circuit);
  hysteron::analysis::CellStudyRequest& request = options.request;
  command.texts("--currents", options.currents, "Currents of the sweeps, ampere, separated by commas (10p ... 3n)");
  command.texts("--linearity", options.fitted,
                "Currents that lines are fitted over, ampere, at least two different ones (100p ... 400p)");
  command.numbers("--supplies", request.supplies, "Supplies, volt").shown();
  command.numbers("--temperatures", request.temperatures, "Temperatures, degree Celsius").shown();
  command.texts("--corners", request.corners, "Corners (default: all of the technology's)");
  command.number("--supply-step", request.supply_step, "Step of the search for the smallest supply, volt")
      .range(0.001, 1.0)
      .shown();
  command.number("--retention", request.retention_seconds, "Simulated seconds a state is to be held")
      .range(0.1, 1e6)
      .shown();
  command.text("-o,--output", options.output, "JSON file with every point").shown();
  command.flag("--json", options.json, "Print one JSON object: the study without its single points");
}

std::string picoampere(const Json& value) {
  return value.is_null() ? "none" : fmt::format("{:.3f}", value.get<double>() / hysteron::kPico);
}

std::string percent(const Json& share) {
  return share.is_null() ? "none" : fmt::format("{:.2f}%", 100.0 * share.get<double>());
}

double number(const Json& value) { return value.is_null() ? NAN : value.get<double>(); }

void print_environment(const Json& row) {
  fmt::print("{:<8}{:>8g}{:>8g}", row["corner"].get<std::string>(), row["supply"].get<double>(),
             row["temperature"].get<double>());
}

/// Slopes of the three lines, and what the anchor in the middle of the list draws.
void print_extremes(const Json& extremes) {
  if (extremes.empty()) return;
  const auto middle_of = [](const Json& row) { return row["anchors"][row["anchors"].size() / 2]; };
  fmt::print("\n{:<8}{:>8}{:>8}{:>12}{:>10}{:>10}{:>12}{:>12}   slopes; current of a cell of {} in its band, pA\n",
             "corner", "V", "C", "threshold", "width", "gain", "off", "on",
             hysteron::format_si(middle_of(extremes[0])["i_thresh"], "A"));
  for (const Json& row : extremes) {
    print_environment(row);
    const Json& lines = row["linearity"];
    const Json currents = middle_of(row)["currents"];
    fmt::print("{:>12.5f}{:>10.5f}{:>10.5f}{:>12}{:>12}\n", number(lines["threshold"]["slope"]),
               number(lines["width"]["slope"]), number(lines["gain"]["slope"]), picoampere(currents["off_in_band"]),
               picoampere(currents["on_in_band"]));
  }
}

void print_study(const Json& study) {
  fmt::print("{:<10}{:>10}{:>12}{:>14}   100-400 pA, calibrated\n", "", "slope", "offset pA", "residual pA");
  for (const auto& [name, line] : study["linearity"].items()) {
    fmt::print("{:<10}{:>10.5f}{:>12}{:>14}\n", name, number(line["slope"]), picoampere(line["offset"]),
               picoampere(line["worst_residual"]));
  }
  fmt::print("\n{:<8}{:>8}{:>8}{:>10}{:>10}{:>10}   worst deviation\n", "corner", "V", "C", "rise", "fall", "high");
  for (const Json& row : study["environments"]) {
    const Json& worst = row["worst"];
    print_environment(row);
    fmt::print("{:>10}{:>10}{:>10}\n", percent(worst["rise"]), percent(worst["fall"]), percent(worst["high"]));
  }
  print_extremes(study["extremes"]);
  const Json& retention = study["retention"];
  fmt::print("\nheld {} of {} states for {:g} s\n", retention["held"].get<int>(), retention["of"].get<int>(),
             retention["seconds"].get<double>());
  fmt::print("{} points, {} without a figure\n", study["points"].get<int>(), study["unsolved"].size());
  for (const Json& point : study["unsolved"]) fmt::print("  {}\n", point.get<std::string>());
}

/// Puts what the flag `name` gives in place of `currents`, if it gives any.
void read_currents(const std::vector<std::string>& texts, const char* name, std::vector<double>& currents) {
  if (!texts.empty()) currents.clear();
  for (const std::string& text : texts) currents.push_back(hysteron::parse_si(text, name));
}

int run(Options options, Session& session) {
  hysteron::check_writable(options.output, "--output");
  read_currents(options.currents, "--currents", options.request.currents);
  read_currents(options.fitted, "--linearity", options.request.fitted);
  const hysteron::design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  hysteron::studies::check_cell_study(options.request,
                                      hysteron::technology::load_technology(circuit.technology, circuit.pdk_root));
  const hysteron::design::DesignContext context(circuit, session.reporter, session.stop);
  Json study = hysteron::studies::study_cells(context, options.request, session.reporter);
  hysteron::write_file(options.output, study.dump(1) + "\n");
  if (options.json) {
    for (const char* points : {"sweeps", "low_supplies"}) study.erase(points);
    study["output"] = options.output;
    fmt::print("{}\n", study.dump());
  } else {
    print_study(study);
  }
  return 0;
}

}  // namespace

void add_cell_study(Command& study, Session& session) {
  add_command<Options>(study, session, "cell",
                       "Characterise the nine-transistor cell over currents, supply, temperature and corner",
                       "hysteron study cell --pdk generic180 -o cell.json", declare,
                       [&session](const Options& options) { return run(options, session); });
}
