#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "circuit_options.h"
#include "commands.h"
#include "hysteron/base/units.h"
#include "hysteron/flow/power_study.h"

namespace {

struct Options {
  CircuitFlags circuit;
  hysteron::flow::PowerRequest request;
  bool json = false;
};

void print_text(const hysteron::flow::PowerStudy& study) {
  using hysteron::format_si;
  fmt::print("{:>6}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}\n", "d", "total", "cells", "feedforward", "d x d legs",
             "at rest", "ngspice", "energy/frame");
  for (const auto& point : study.points) {
    fmt::print("{:>6}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}\n", point.dim, format_si(point.model.total(), "W"),
               format_si(point.model.cells, "W"), format_si(point.model.feedforward(), "W"),
               format_si(point.model.square_legs, "W"), format_si(point.rest.total(), "W"),
               point.spice ? format_si(point.spice->total, "W") : "",
               format_si(point.model.total() * study.frame_seconds, "J"));
  }
  fmt::print("\nP = {} + {} d + {} d^2, within {:.2g} %\n", format_si(study.total.constant, "W"),
             format_si(study.total.linear, "W"), format_si(study.total.quadratic, "W"), 100.0 * study.total.worst);
  fmt::print("exponents: cells {:.3f} +- {:.3f}, d x d legs {:.3f} +- {:.3f}, feedforward from d = 256 on {:.3f}\n",
             study.cells.value, study.cells.half_interval, study.square_legs.value, study.square_legs.half_interval,
             study.feedforward_large.value);
  fmt::print("the model is within {:.1f} % of ngspice\n", 100.0 * study.worst_model_error);
}

int run(const Options& options, Session& session) {
  namespace flow = hysteron::flow;
  flow::check_power_request(options.request);
  const flow::Workshop workshop(read_circuit_flags(options.circuit), session.reporter, session.stop);
  const flow::PowerStudy study = flow::study_power(workshop, options.request, session.reporter);
  if (options.json) {
    fmt::print("{}\n", flow::power_study_json(study).dump());
  } else {
    print_text(study);
  }
  return 0;
}

void declare(CLI::App& command, Options& options) {
  command.add_option("--dims", options.request.dims, "Widths that ngspice simulates")
      ->delimiter(',')
      ->check(not_negative())
      ->capture_default_str();
  command.add_option("--model-dims", options.request.model_dims, "Widths by the power model alone")
      ->delimiter(',')
      ->check(not_negative())
      ->capture_default_str();
  command.add_option("--frames", options.request.frames, "Frames of the drawn clip")
      ->check(not_negative())
      ->capture_default_str();
  command.add_option("--seed", options.request.seed, "Of networks and clip")
      ->check(not_negative())
      ->capture_default_str();
  command.add_flag("--json", options.json, "Print one JSON object");
  add_circuit_flags(command, options.circuit);
}

}  // namespace

void add_power_command(CLI::App& app, Session& session) {
  add_command<Options>(app, session, "power", "Supply power over the width of a network, by what draws it",
                       "hysteron power --pdk generic180 --dims 4,8,16 --calibrate curves\n"
                       "  hysteron power --pdk gf180mcu --dims 4,8 --model-dims 64,256,1024 --unit-current 300p",
                       declare, [&session](const Options& options) { return run(options, session); });
}
