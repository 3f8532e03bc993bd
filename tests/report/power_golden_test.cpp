#include "golden.h"
#include "report/power_report.h"

namespace hysteron::report {
namespace {

using behavioural::PowerSplit;

const PowerSplit kSplit = {1e-9, 2e-9, 3e-9, 4e-9, 5e-9, 0.5e-9, 6e-9, 0.0};

studies::MeasuredPower sample_measured() {
  studies::MeasuredPower measured;
  measured.listening = kSplit;
  measured.listening.wells = 0.2e-9;
  measured.settled = measured.rest = measured.model_of_bits = measured.rest_model_of_bits = kSplit;
  measured.state_mismatch = 0.01;
  measured.clips = {{21.7e-9, 6e-9, 15.7e-9}};
  measured.blocks = {{"layer0", "cells", 6e-9, 5e-9}, {"wells", "wells", 0.2e-9, 0.1e-9}};
  measured.listening_over_time = {{{20e-9, 22e-9}, {{5e-9, 7e-9}, {0.1e-9, 0.3e-9}}}};
  measured.rest_over_time = {{5.1e-9}, {{5e-9}, {0.1e-9}}};
  measured.spice_seconds = 3.5;
  return measured;
}

studies::PowerScaling sample_scaling() {
  studies::PowerScaling scaling;
  scaling.dims = {4.0, 8.0};
  scaling.local = {{4, 8, {1.2, 0.1}, {1.0, std::nan("")}, {1.6, 0.2}}};
  scaling.total = {1.2, 0.1};
  scaling.cells = {1.0, std::nan("")};
  scaling.feedforward = {1.6, 0.2};
  scaling.fit_total = studies::PowerFit{1e-9, 2e-9, 3e-11, 1e-10, std::nan(""), std::nan(""), 0.01};
  return scaling;
}

/// Drawn networks, one that ngspice ran and one that it could not, and a network of the user.
studies::PowerResult sample_power() {
  studies::PowerStudy study;
  studies::PowerPoint point;
  point.dim = 4;
  point.draws = {kSplit, kSplit};
  point.model = point.rest = kSplit;
  point.energy_per_frame = 2e-10;
  point.energy_per_decision = 2e-8;
  point.measured = sample_measured();
  studies::PowerPoint failed = point;
  failed.dim = 8;
  failed.measured.reset();
  failed.error = "ngspice ran out of time";
  study.points = {point, failed};
  const studies::PowerScaling scaling = sample_scaling();
  study.cells = scaling.cells;
  study.square_legs = scaling.feedforward;
  study.feedforward_large = {std::nan(""), std::nan("")};
  study.local = scaling.local;
  study.fit_total = study.fit_feedforward = *scaling.fit_total;
  study.spice_scaling = scaling;
  study.worst_errors = {0.05, 0.02, 0.01, 0.03};
  study.failed = 1;
  studies::NetworkPower network;
  network.model = "model.safetensors";
  network.dim = 8;
  network.frames = 2;
  network.clips = {3};
  network.listening = network.rest = kSplit;
  network.measured = sample_measured();
  network.energy_per_frame = 2.2e-10;
  network.energy_per_decision = 4.4e-10;
  return {{"generic180", 1.8, 1e-9}, study, studies::NetworksPower{{network}, scaling, {}}};
}

TEST(Golden, Power) { check_golden("power", power_result_table(), sample_power()); }

}  // namespace
}  // namespace hysteron::report
