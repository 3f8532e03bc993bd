#include "report/power_report.h"

#include <algorithm>

#include "base/units.h"
#include "report/circuit_tables.h"

namespace hysteron::report {
namespace {

using analysis::Exponent;
using behavioural::PowerSplit;
using studies::LocalExponents;
using studies::MeasuredPower;
using studies::NetworkPower;
using studies::NetworksPower;
using studies::PowerFit;
using studies::PowerOverTime;
using studies::PowerPoint;
using studies::PowerResult;
using studies::PowerScaling;
using studies::PowerStudy;

std::vector<double> nanowatts(std::vector<double> watts) {
  for (double& value : watts) value /= kNano;
  return watts;
}

/// A part of a split, nW.
template <double PowerSplit::*kPart>
double nanowatt(const PowerSplit& split) {
  return split.*kPart / kNano;
}

const Table<PowerSplit>& split_table() {
  static const auto table =
      Table<PowerSplit>()
          .figure("total", "nW", Better::kLower, "", [](const PowerSplit& split) { return split.total() / kNano; })
          .figure("cells", "nW", Better::kLower, "branches of M1 to M9", nanowatt<&PowerSplit::cells>)
          .figure("feedforward", "nW", Better::kLower, "all else",
                  [](const PowerSplit& split) { return split.feedforward() / kNano; })
          .figure("inputs", "nW", Better::kLower, "of it, currents of the inputs", nanowatt<&PowerSplit::inputs>)
          .figure("input_rails", "nW", Better::kLower, "of it, copied rails of the inputs",
                  nanowatt<&PowerSplit::input_rails>)
          .figure("rails", "nW", Better::kLower, "of it, copied rails of inner values", nanowatt<&PowerSplit::rails>)
          .figure("square_legs", "nW", Better::kLower, "of it, legs of the d x d weights",
                  nanowatt<&PowerSplit::square_legs>)
          .figure("other_legs", "nW", Better::kLower, "of it, legs of input map, readout, biases and skip path",
                  nanowatt<&PowerSplit::other_legs>)
          .figure("reference", "nW", Better::kLower, "of it, unit current and its rail",
                  nanowatt<&PowerSplit::reference>)
          .figure("wells", "nW", Better::kLower, "of it, bulks of PMOS devices; measured alone",
                  [](const PowerSplit& split) {
                    return split.wells != 0.0 ? std::optional(split.wells / kNano) : std::nullopt;
                  });
  return table;
}

const Table<PowerOverTime>& over_time_table() {
  static const auto table =
      Table<PowerOverTime>()
          .figure("total", "nW", "of every frame", [](const PowerOverTime& of) { return nanowatts(of.total); })
          .figure("blocks", "nW", "the same of every one of `blocks`", [](const PowerOverTime& of) {
            std::vector<std::vector<double>> rows = of.blocks;
            for (std::vector<double>& row : rows) row = nanowatts(std::move(row));
            return rows;
          });
  return table;
}

const Table<MeasuredPower>& measured_table() {
  using studies::BlockMean;
  static const auto blocks = Table<BlockMean>()
                                 .figure("block", "", &BlockMean::block)
                                 .figure("part", "of it", &BlockMean::part)
                                 .figure("listening_nw", "nW", Better::kLower, "mean over clips",
                                         [](const BlockMean& block) { return block.listening / kNano; })
                                 .figure("rest_nw", "nW", Better::kLower, "with inputs of zero",
                                         [](const BlockMean& block) { return block.rest / kNano; });
  static const auto over_time =
      Table<MeasuredPower>()
          .list("listening", "every clip", over_time_table(), &MeasuredPower::listening_over_time)
          .object("rest", "", over_time_table(), &MeasuredPower::rest_over_time);
  static const auto table =
      Table<MeasuredPower>()
          .object("spice_nw", "ngspice, mean over clips", split_table(), &MeasuredPower::listening)
          .object("spice_settled_nw", "of the last tenth of every frame", split_table(), &MeasuredPower::settled)
          .object("spice_rest_nw", "with inputs of zero", split_table(), &MeasuredPower::rest)
          .object("model_of_bits_nw", "the model, given the bits that the circuit held", split_table(),
                  &MeasuredPower::model_of_bits)
          .figure("state_mismatch", Better::kLower, "share of these bits that software has otherwise",
                  &MeasuredPower::state_mismatch)
          .object("rest_model_of_bits_nw", "the same at rest", split_table(), &MeasuredPower::rest_model_of_bits)
          .figure("rest_state_mismatch", Better::kLower, "as above", &MeasuredPower::rest_state_mismatch)
          .figure("spice_seconds", "s", Better::kLower, "wall time of ngspice", &MeasuredPower::spice_seconds)
          .list("blocks", "every part of every block", blocks, &MeasuredPower::blocks)
          .object("over_time_nw", "in every frame", over_time,
                  [](const MeasuredPower& measured) -> const MeasuredPower& { return measured; });
  return table;
}

/// `key` and the half of its 95 % interval.
template <typename Result, typename Get>
void add_exponent(Table<Result>& table, const std::string& key, const std::string& meaning, Get get) {
  table.figure(key, "", Better::kLower, meaning, [get](const Result& result) { return std::invoke(get, result).value; })
      .figure(key + "_half_interval", "", Better::kNeither, "half of its 95 % interval; null: there is none",
              [get](const Result& result) { return std::invoke(get, result).half_interval; });
}

const Table<LocalExponents>& local_table() {
  static const auto table = [] {
    auto local = Table<LocalExponents>()
                     .figure("from", "width", &LocalExponents::from)
                     .figure("to", "the next", &LocalExponents::to);
    add_exponent(local, "total", "between the two", &LocalExponents::total);
    add_exponent(local, "cells", "as above", &LocalExponents::cells);
    add_exponent(local, "feedforward", "as above", &LocalExponents::feedforward);
    return local;
  }();
  return table;
}

/// A coefficient, nW.
template <double PowerFit::*kTerm>
double fit_term(const PowerFit& fit) {
  return fit.*kTerm / kNano;
}

const Table<PowerFit>& fit_table() {
  static const auto table =
      Table<PowerFit>()
          .figure("constant_nw", "nW", Better::kLower, "of constant + linear d + quadratic d^2",
                  fit_term<&PowerFit::constant>)
          .figure("linear_nw", "nW", Better::kLower, "", fit_term<&PowerFit::linear>)
          .figure("quadratic_nw", "nW", Better::kLower, "", fit_term<&PowerFit::quadratic>)
          .figure("constant_half_interval_nw", "nW", "half of the 95 % interval; null: three widths",
                  fit_term<&PowerFit::constant_half>)
          .figure("linear_half_interval_nw", "nW", "as above", fit_term<&PowerFit::linear_half>)
          .figure("quadratic_half_interval_nw", "nW", "as above", fit_term<&PowerFit::quadratic_half>)
          .figure("worst_relative_error", Better::kLower, "of a point", &PowerFit::worst);
  return table;
}

const Table<PowerScaling>& scaling_table() {
  static const auto table = [] {
    auto scaling = Table<PowerScaling>()
                       .figure("dims", "widths", &PowerScaling::dims)
                       .list("local", "between every two neighbouring widths", local_table(), &PowerScaling::local);
    add_exponent(scaling, "exponent_total", "of power over width", &PowerScaling::total);
    add_exponent(scaling, "exponent_cells", "as above", &PowerScaling::cells);
    add_exponent(scaling, "exponent_feedforward", "as above", &PowerScaling::feedforward);
    scaling.object("fit_total", "from three widths on", fit_table(), &PowerScaling::fit_total);
    return scaling;
  }();
  return table;
}

std::optional<std::string> error_if_any(const std::string& error) {
  return error.empty() ? std::nullopt : std::optional(error);
}

const Table<PowerPoint>& point_table() {
  static const auto table =
      Table<PowerPoint>()
          .figure("dim", "width", &PowerPoint::dim)
          .figure("draws", "networks", [](const PowerPoint& point) { return point.draws.size(); })
          .object("model_nw", "by the model, mean over the networks", split_table(), &PowerPoint::model)
          .object("rest_nw", "the same with inputs of zero", split_table(), &PowerPoint::rest)
          .figure("energy_per_frame_j", "J", Better::kLower, "by the model", &PowerPoint::energy_per_frame)
          .figure("energy_per_decision_j", "J", Better::kLower, "by the model", &PowerPoint::energy_per_decision)
          .merge(measured_table(), &PowerPoint::measured)
          .object("model_of_first_nw", "the model of the network that ngspice ran", split_table(),
                  [](const PowerPoint& point) { return point.measured ? &point.draws.front() : nullptr; })
          .figure("error", "why ngspice could not run it; of such widths alone",
                  [](const PowerPoint& point) { return error_if_any(point.error); });
  return table;
}

/// Of every width, nW.
template <typename Get>
auto column(Get get) {
  return [get](const PowerStudy& study) {
    std::vector<double> values;
    for (const PowerPoint& point : study.points) values.push_back(std::invoke(get, point.model) / kNano);
    return values;
  };
}

std::string with_interval(const Exponent& exponent) {
  return fmt::format("{:.3f}", exponent.value) +
         (std::isfinite(exponent.half_interval) ? fmt::format(" +- {:.3f}", exponent.half_interval) : "");
}

std::string fit_text(const PowerFit& fit) {
  const auto term = [&](double value, double half) {
    return format_si(value, "W") + (std::isfinite(half) ? " (+- " + format_si(half, "W") + ")" : "");
  };
  return fmt::format("P = {} + {} d + {} d^2, within {:.2g} %\n", term(fit.constant, fit.constant_half),
                     term(fit.linear, fit.linear_half), term(fit.quadratic, fit.quadratic_half), 100.0 * fit.worst);
}

std::string local_text(const std::vector<LocalExponents>& local) {
  std::string text = fmt::format("{:>12}{:>20}{:>20}{:>20}\n", "exponent", "total", "cells", "feedforward");
  for (const LocalExponents& step : local) {
    text += fmt::format("{:>12}{:>20}{:>20}{:>20}\n", fmt::format("{} to {}", step.from, step.to),
                        with_interval(step.total), with_interval(step.cells), with_interval(step.feedforward));
  }
  return text;
}

std::string points_text(const PowerStudy& study) {
  std::string text = fmt::format(
      "by the model, means over synthetic networks; ngspice, and the model of it, of the first of them\n"
      "{:>6}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}\n",
      "d", "total", "cells", "feedforward", "d x d legs", "at rest", "ngspice", "its model", "energy/frame");
  for (const PowerPoint& point : study.points) {
    const PowerSplit& model = point.model;
    text += fmt::format(
        "{:>6}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}\n", point.dim, format_si(model.total(), "W"),
        format_si(model.cells, "W"), format_si(model.feedforward(), "W"), format_si(model.square_legs, "W"),
        format_si(point.rest.total(), "W"), point.measured ? format_si(point.measured->listening.total(), "W") : "",
        point.measured ? format_si(point.draws.front().total(), "W") : "", format_si(point.energy_per_frame, "J"));
  }
  return text;
}

std::string widths_text(const PowerStudy& study) {
  std::string text = points_text(study) + "\n" + fit_text(study.fit_total);
  text +=
      fmt::format("exponents: cells {}, d x d legs {}\n", with_interval(study.cells), with_interval(study.square_legs));
  text += local_text(study.local);
  const studies::ModelErrors& worst = study.worst_errors;
  if (!std::isfinite(worst.own_bits)) {
    return text + "ngspice ran none of the networks: the model is not compared with it\n";
  }
  return text + fmt::format(
                    "at most the model is {:.1f} % from ngspice; given the bits that the circuit held, {:.1f} %, and "
                    "of the last tenths of frames {:.1f} %\n",
                    100.0 * worst.own_bits, 100.0 * worst.same_bits, 100.0 * worst.settled);
}

const Table<PowerStudy>& widths_table() {
  static const auto table = [] {
    auto widths = Table<PowerStudy>()
                      .figure("dims", "widths of the synthetic networks",
                              [](const PowerStudy& study) {
                                std::vector<std::size_t> dims;
                                for (const PowerPoint& point : study.points) dims.push_back(point.dim);
                                return dims;
                              })
                      .list("points", "every width", point_table(), &PowerStudy::points)
                      .figure("total_nw", "nW", "of every width, by the model", column(&PowerSplit::total))
                      .figure("cells_nw", "nW", "as above", column(&PowerSplit::cells))
                      .figure("feedforward_nw", "nW", "as above", column(&PowerSplit::feedforward));
    add_exponent(widths, "exponent_cells", "of the cells' power over width, by the model", &PowerStudy::cells);
    add_exponent(widths, "exponent_feedforward", "of the d x d legs, by the model", &PowerStudy::square_legs);
    add_exponent(widths, "exponent_feedforward_large", "of all feedforward from width 256 on, by the model",
                 &PowerStudy::feedforward_large);
    widths.list("local", "between every two neighbouring widths", local_table(), &PowerStudy::local)
        .figure("local_exponents", "of feedforward, as `local[].feedforward`",
                [](const PowerStudy& study) {
                  std::vector<double> exponents;
                  for (const LocalExponents& step : study.local) exponents.push_back(step.feedforward.value);
                  return exponents;
                })
        .object("fit_total", "", fit_table(), &PowerStudy::fit_total)
        .object("fit_feedforward", "", fit_table(), &PowerStudy::fit_feedforward)
        .object("spice_scaling", "of what ngspice ran; from two widths on", scaling_table(), &PowerStudy::spice_scaling)
        .figure("worst_model_error", Better::kLower, "largest relative error of the model against ngspice",
                [](const PowerStudy& study) { return study.worst_errors.own_bits; })
        .figure("worst_model_error_same_bits", Better::kLower, "the same, given the bits that the circuit held",
                [](const PowerStudy& study) { return study.worst_errors.same_bits; })
        .figure("worst_model_error_settled", Better::kLower, "these against the last tenth of every frame",
                [](const PowerStudy& study) { return study.worst_errors.settled; })
        .figure("worst_model_error_at_rest", Better::kLower, "these with inputs of zero",
                [](const PowerStudy& study) { return study.worst_errors.at_rest; })
        .text(widths_text);
    return widths;
  }();
  return table;
}

const Table<NetworkPower>& network_table() {
  static const auto table =
      Table<NetworkPower>()
          .figure("model", "its file", &NetworkPower::model)
          .figure("dim", "width", &NetworkPower::dim)
          .figure("frames", "of a clip, which is a decision", &NetworkPower::frames)
          .figure("clips", "indices", &NetworkPower::clips)
          .object("model_nw", "by the model, mean over clips", split_table(), &NetworkPower::listening)
          .object("rest_nw", "the same with inputs of zero", split_table(), &NetworkPower::rest)
          .figure("energy_per_frame_j", "J", Better::kLower, "by ngspice, else by the model",
                  &NetworkPower::energy_per_frame)
          .figure("energy_per_decision_j", "J", Better::kLower, "as above", &NetworkPower::energy_per_decision)
          .merge(measured_table(), &NetworkPower::measured)
          .figure("error", "why ngspice could not run it; of such networks alone",
                  [](const NetworkPower& network) { return error_if_any(network.error); });
  return table;
}

std::string network_text(const NetworkPower& network) {
  std::string text = fmt::format("\n{} (d = {}, {} clips of {} frames)\n{:<24}{:>12}{:>12}\n", network.model,
                                 network.dim, network.clips.size(), network.frames, "", "listening", "at rest");
  const auto row = [&](const std::string& name, double listening, double rest) {
    text += fmt::format("{:<24}{:>12}{:>12}\n", name, format_si(listening, "W"), format_si(rest, "W"));
  };
  row("by the model", network.listening.total(), network.rest.total());
  if (network.measured) {
    const PowerSplit& listening = network.measured->listening;
    const PowerSplit& rest = network.measured->rest;
    row("ngspice: total", listening.total(), rest.total());
    row("ngspice: cells", listening.cells, rest.cells);
    row("ngspice: feedforward", listening.feedforward(), rest.feedforward());
    for (const studies::BlockMean& block : network.measured->blocks) {
      row("  " + block.block + " " + block.part, block.listening, block.rest);
    }
    const auto [least, most] = std::ranges::minmax(network.measured->listening_over_time.front().total);
    text += fmt::format("{:<24}{} to {} (--json: every frame and block)\n", "frames of the first clip",
                        format_si(least, "W"), format_si(most, "W"));
  }
  return text + fmt::format("energy                  {} a frame, {} a decision\n",
                            format_si(network.energy_per_frame, "J"), format_si(network.energy_per_decision, "J"));
}

std::string scaling_text(const std::optional<PowerScaling>& scaling, const char* by) {
  if (!scaling) return "";
  std::string text = fmt::format("\nthese networks {}: exponents cells {}, feedforward {}\n", by,
                                 with_interval(scaling->cells), with_interval(scaling->feedforward));
  text += local_text(scaling->local);
  return scaling->fit_total ? text + fit_text(*scaling->fit_total) : text;
}

std::string networks_text(const NetworksPower& networks) {
  std::string text;
  for (const NetworkPower& network : networks.networks) text += network_text(network);
  return text + scaling_text(networks.model_scaling, "by the model") +
         scaling_text(networks.spice_scaling, "in ngspice");
}

const Table<NetworksPower>& networks_table() {
  static const auto table =
      Table<NetworksPower>()
          .list("networks", "of the models that were given", network_table(), &NetworksPower::networks)
          .object("networks_model_scaling", "by the model; of several widths", scaling_table(),
                  &NetworksPower::model_scaling)
          .object("networks_spice_scaling", "in ngspice; as above", scaling_table(), &NetworksPower::spice_scaling)
          .text(networks_text);
  return table;
}

}  // namespace

const Table<PowerResult>& power_result_table() {
  static const auto table = Table<PowerResult>()
                                .merge(operating_point_table(), &PowerResult::operating_point)
                                .merge(widths_table(), &PowerResult::widths)
                                .merge(networks_table(), &PowerResult::networks);
  return table;
}

}  // namespace hysteron::report
