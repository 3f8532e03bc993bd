#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "commands.h"
#include "data/npy.h"
#include "design/prepared_model.h"
#include "figure_limits.h"
#include "model/model_file.h"
#include "studies/corners.h"

namespace {

struct Options {
  DesignFlags design;
  std::filesystem::path output;
  hysteron::studies::CornersRequest request;
  std::string reference = "transistors";
  std::vector<std::string> limits;
  bool json = false;
};

void print_text(const hysteron::studies::Corners& corners, const nlohmann::json& json) {
  using hysteron::format_si;
  fmt::print("{:<8}{:>8}{:>9}{:>10}{:>12}{:>9}{:>11}{:>12}\n", "corner", "supply", "temp", "unit", "decisions",
             "frames", "bits wrong", "power");
  for (const auto& point : corners.points) {
    const bool has_result = point.agreement.clips > 0;
    const auto figure = [&](double value) { return has_result ? fmt::format("{:.4f}", value) : std::string("-"); };
    fmt::print("{:<8}{:>6.3g} V{:>7g} C{:>10}{:>12}{:>9}{:>11}{:>12}  {}\n", point.corner, point.supply,
               point.temperature, format_si(point.unit_current, "A"),
               fmt::format("{} of {}", point.agreement.clips - point.lost.size(), corners.clips.size()),
               figure(point.agreement.frame_agreement), figure(point.agreement.state_mismatch),
               has_result ? format_si(point.agreement.power.total, "W") : "-", point.counted ? "" : "beside");
  }
  const auto& worst = corners.worst();
  fmt::print("\ndecision agreement  {:.4f} over the counted points\n", corners.decision_agreement());
  for (const auto& clip : json["per_clip"]) {
    if (clip["lost_points"] == 0) continue;
    fmt::print("lost                clip {} at {} counted points; software decides it by {} votes\n",
               clip["clip"].get<std::size_t>(), clip["lost_points"].get<std::size_t>(),
               clip["margin_votes"].get<std::size_t>());
  }
  fmt::print("worst               {}, {:.3g} V, {:g} C: {:.4f} of decisions, {:.4f} of frames\n", worst.corner,
             worst.supply, worst.temperature, worst.decision_agreement(), worst.agreement.frame_agreement);
  if (corners.reference_power > 0.0) {
    fmt::print("reference           {} beside the circuit's own power\n", format_si(corners.reference_power, "W"));
  }
}

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace studies = hysteron::studies;
  const auto limits = parse_limits(options.limits, {{"decision_agreement", 0.0}});
  design::DesignRequest of = read_design_flags(options.design);
  studies::CornersRequest request = options.request;
  request.drifts = options.reference == "transistors";
  if (!options.output.empty()) {
    hysteron::make_directories(options.output);
    request.folder = options.output;
    of.sizes = options.output / "sizes.json";
  }
  const design::DesignContext context(read_circuit_flags(options.design.circuit, of.given), session.reporter,
                                      session.stop);
  studies::check_corners(context, request);
  const design::Design dut = design::build_design(context, std::move(of), session.reporter);
  const studies::Corners corners = studies::run_corners(dut, request, session.reporter);
  nlohmann::json json = studies::corners_json(corners);
  json.update(design::prepared_json(dut.prepared));
  add_conditions(context, json);
  if (!options.output.empty()) hysteron::write_file(options.output / "corners.json", json.dump(1) + "\n");
  if (options.json) {
    fmt::print("{}\n", json.dump());
  } else {
    print_text(corners, json);
  }
  if (const std::size_t failed = json["failed_clips"].get<std::size_t>(); failed > 0) {
    throw hysteron::simulator_error(
        fmt::format("{} of {} runs could not be simulated", failed, corners.points.size() * dut.clips.size()));
  }
  check_limits(limits, json);
  return 0;
}

void declare(Command& command, Options& options) {
  add_design_flags(command, options.design);
  command.texts("--corners", options.request.corners, "Process corners (default: all of the technology's)");
  command.numbers("--supplies", options.request.supplies, "Volt (default: 0.9, 1 and 1.1 of --supply)");
  command.numbers("--temperatures", options.request.temperatures, "Degree Celsius").shown();
  command.numbers("--beside", options.request.beside, "Temperatures to report but exclude from the worst case").shown();
  command
      .choice("--reference", options.reference, {"transistors", "ideal"},
              "Where the unit current comes from: transistors (a self-biased reference, which drifts) or ideal")
      .shown();
  command.path("-o,--output", options.output,
               "Folder for corners.json and a file for every point and clip; the same command again simulates only "
               "what is missing there");
  command.repeated("--fail-under", options.limits, "decision_agreement=VALUE; exit with 5 if it is below that");
  command.shared(hysteron::parameters::kJson, options.json);
}

}  // namespace

void add_corners_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "corners",
      "Simulate a circuit over process corners, supplies and temperatures, with a reference that drifts",
      "hysteron corners model.safetensors --input test.npy --pdk gf180mcu --clips 0,1,2 --output corners\n"
      "  hysteron corners model.safetensors --input test.npy --corners ss,ff --temperatures 27 --beside 85",
      declare, [&session](const Options& options) { return run(options, session); });
}
